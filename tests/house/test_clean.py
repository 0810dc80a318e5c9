"""What is tracked works on any machine: no paths, no registries, no leftovers, and hashed locks."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.house.source import ROOT

TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    if name and (ROOT / name).exists()
]
BINARY = {".png", ".jpg", ".webp", ".ico", ".woff2", ".xlsx", ".gz", ".pdf"}
TEXTS = [
    path
    for path in TRACKED
    # This file plants what it looks for.
    if path.suffix not in BINARY and path not in (ROOT / "LICENSE", Path(__file__))
]
LOCKS = [path for path in TRACKED if path.suffix == ".lock"]
NPM_LOCK = ROOT / "browser/package-lock.json"

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|home/\w+|root|Users/\w+)(?:/|\b)"),
    "a package registry": re.compile(
        r"py[p]i\.org|python[h]osted\.org|registry\.[n]pmjs|/simple/|index-url", re.IGNORECASE
    ),
    "a leftover": re.compile(r"\b(?:TODO|FIXME|XXX)\b|^<{7}|^>{7}", re.MULTILINE),
    "an address with a secret": re.compile(r"://\w+:[^@\s{\"'$]+@(?!127|localhost|host|server|/)"),
}


def complaints(text: str) -> list[str]:
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]


def test_every_file_works_on_any_machine() -> None:
    found = {str(path): complaints(path.read_text(encoding="utf-8")) for path in TEXTS}
    assert {path: each for path, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "cd /Users/anna/timebank",
        "open('/home/anna/x')",
        "--index-url https://example.org",
        "# TODO: later",
        "<<<<<<< HEAD",
        "postgresql://anna:secret@db.example.org/timebank",
    ],
)
def test_a_planted_fault_is_found(planted: str) -> None:
    assert len(complaints(planted)) == 1


@pytest.mark.parametrize(
    "text", ["/var/lib/timebank", "~/.local/share", "the network", "/workshop", "/static/x.css"]
)
def test_a_clean_text_is_left_alone(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_of_a_lock_is_exact_and_hashed(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    pins = re.findall(r"^(\S+?)==(\S+)(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(lines) > (0 if lock.name == "requirements-node.lock" else 10)
    assert [name for name, _, rest in pins if "--hash=sha256:" not in rest] == []


def test_there_is_a_lock_and_it_is_the_only_kind() -> None:
    assert {path.name for path in LOCKS} == {
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-node.lock",
    }
    assert [path for path in TRACKED if path.name == "package-lock.json"] == [NPM_LOCK]


def test_every_library_of_the_browser_is_exact_and_held_by_its_digest() -> None:
    asked = json.loads(NPM_LOCK.with_name("package.json").read_text(encoding="utf-8"))
    wanted = asked["dependencies"] | asked["devDependencies"]
    assert [name for name, pin in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []
    packages = json.loads(NPM_LOCK.read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == asked["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    loose = [
        path
        for path, each in packages.items()
        if not each["integrity"].startswith("sha512-") or "resolved" in each
    ]
    assert loose == []
    # The reader of codes loads a program made for exactly this version.
    reader = packages["node_modules/barcode-detector"]
    assert reader["dependencies"]["zxing-wasm"] == asked["dependencies"]["zxing-wasm"]


def test_nothing_that_was_built_is_tracked() -> None:
    built = re.compile(r"\.(pyc|so|whl|mo|min\.js|min\.css|map|egg-info)$|node_modules|__pycache__")
    assert [str(path) for path in TRACKED if built.search(str(path))] == []


SECTIONS = ["## Context", "## Decision", "## Consequences", "## Check"]
RECORDS = sorted((ROOT / "docs/decisions").glob("*.md"))


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [path.name.split("-")[0] for path in RECORDS]
    assert numbers == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    assert len(RECORDS) > 5


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_can_be_quoted_and_checked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name.split('-')[0]} ")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == SECTIONS
    decision = text.partition("## Decision")[2].partition("## Consequences")[0].strip()
    # One sentence, on one paragraph, short enough to be quoted.
    assert decision.endswith(".")
    assert "\n\n" not in decision
    assert len(decision) < 400


def test_what_a_record_names_exists() -> None:
    missing = [
        (path.name, named)
        for path in [*RECORDS, ROOT / "docs/ARCHITECTURE.md"]
        for named in re.findall(
            r"`((?:src|tests|docs|scripts|benchmarks)/[\w./-]+)`", path.read_text(encoding="utf-8")
        )
        if not (ROOT / named).exists()
    ]
    assert missing == []


def test_records_that_code_cites_exist() -> None:
    cited = {
        number
        for path in TEXTS
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    assert cited <= {path.name[:4] for path in RECORDS}
