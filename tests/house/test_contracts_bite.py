"""Every import contract fails on an import planted in a copy of the source. A guard that cannot
fail guards nothing."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.house.source import PACKAGE, ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = [each["id"] for each in CONFIG["tool"]["importlinter"]["contracts"]]

PLANTS = [
    # contract       | planted in              | the import
    ("floors", "domain/period.py", "import timebank.db"),
    ("floors", "policy/fact.py", "import timebank.ledger.balances"),
    ("floors", "db.py", "import timebank.store.tables"),
    ("floors", "store/numbering.py", "import timebank.ledger.journal"),
    ("floors", "ledger/balances.py", "import timebank.store.numbering"),
    ("floors", "queries/__init__.py", "import timebank.services.checkin"),
    ("floors", "services/errors.py", "import timebank.http"),
    ("floors", "http/__init__.py", "import timebank.web"),
    ("floors", "web/format.py", "import timebank.api"),
    ("floors", "newcomer.py", ""),
    ("pure", "domain/period.py", "import sqlalchemy"),
    ("pure", "domain/qr.py", "from litestar import get"),
    ("pure", "policy/fact.py", "import asyncpg"),
    ("pure", "policy/tier.py", "import msgspec"),
    ("no-web-below", "services/errors.py", "import litestar"),
    ("no-web-below", "queries/__init__.py", "import jinja2"),
    ("no-web-below", "ledger/balances.py", "import litestar.exceptions"),
    ("no-web-below", "store/numbering.py", "import uvicorn"),
    ("no-web-below", "db.py", "import litestar"),
    ("append-only", "web/format.py", "from timebank.ledger import journal"),
    ("append-only", "http/__init__.py", "import timebank.ledger.accounts"),
    ("append-only", "queries/__init__.py", "from timebank.ledger.journal import append"),
    ("ledger-tables", "services/errors.py", "import timebank.ledger.tables"),
    ("ledger-tables", "web/format.py", "from timebank.ledger.tables import transfer"),
    ("store-tables", "services/errors.py", "import timebank.store.tables"),
    ("store-tables", "http/__init__.py", "from timebank.store import tables"),
    ("settings", "services/errors.py", "import timebank.settings"),
    ("settings", "web/format.py", "from timebank.settings import Settings"),
    ("embedded", "services/errors.py", "import timebank.postgres"),
    ("embedded", "http/__init__.py", "import timebank.postgres"),
    ("acyclic", "domain/period.py", "import timebank.domain.region; import timebank.domain.scope"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(
        PACKAGE,
        folder / "timebank",
        ignore=shutil.ignore_patterns("__pycache__", "static", "data", "packs", "messages"),
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--config",
            folder / "pyproject.toml",
            "--contract",
            contract,
            "--no-cache",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_source_keeps_every_contract(copy: Path, contract: str) -> None:
    found = lint(copy, contract)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("contract", "file", "planted"), PLANTS, ids=[f"{c}: {f}: {p}" for c, f, p in PLANTS]
)
def test_a_planted_import_breaks_its_contract(
    copy: Path, contract: str, file: str, planted: str
) -> None:
    path = copy / "timebank" / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    module = ".".join(["timebank", *path.relative_to(copy / "timebank").with_suffix("").parts])
    module = module.removesuffix(".__init__")
    if contract == "acyclic":
        # Whatever it imports must import it back.
        back = copy / "timebank/domain/region.py"
        back_before = back.read_text(encoding="utf-8")
        back.write_text(f"{back_before}\nimport {module}\n", encoding="utf-8")
    path.write_text(f"{before or ''}\n{planted}\n", encoding="utf-8")
    try:
        found = lint(copy, contract)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
        if contract == "acyclic":
            back.write_text(back_before, encoding="utf-8")

    assert found.returncode == 1, found.stdout + found.stderr
    # The reason is the plant, and not that the linter could not start.
    assert module.rpartition(".")[2] in found.stdout + found.stderr
    assert "BROKEN" in found.stdout or "newcomer" in found.stdout + found.stderr


def test_no_contract_lacks_a_plant() -> None:
    assert {contract for contract, _, _ in PLANTS} == set(CONTRACTS)
