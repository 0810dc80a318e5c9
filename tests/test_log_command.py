"""`timebank log` on a real database: sign, verify, export, prove, erase, and refuse."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.factories import BOOK
from tests.ledger.book import open_book

from timebank import cli
from timebank.db import Database
from timebank.domain.volunteer_number import format_number


@pytest.fixture
def data(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of a product whose database holds 300 entries of two volunteers."""

    async def post() -> None:
        db = Database(database_url, role="timebank_app")
        book = await open_book(db)
        await book.post_list([book.service(n, n + 1, volunteer=1 + n % 2) for n in range(300)])
        await db.close()

    asyncio.run(post())
    monkeypatch.setenv("TIMEBANK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", database_url)
    monkeypatch.setenv("TIMEBANK_LOG_NAME", "time.example.org")
    return tmp_path


def tamper(database_url: str, statement: str) -> None:
    async def run() -> None:
        dsn = make_url(database_url).set(drivername="postgresql")
        connection = await asyncpg.connect(dsn.render_as_string(hide_password=False))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_the_commands_of_the_log(
    data: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        code = cli.main(["log", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, vkey = run("key")
    assert code == 0
    assert vkey.startswith(f"time.example.org/{BOOK}+")
    assert run("prove", "--book", BOOK, "--seq", 7) == (
        1, "timebank: No checkpoint covers it; run: timebank log sign [log.not_signed]\n",
    )  # fmt: skip
    assert run("sign") == (0, f"book {BOOK}: signed at 300 entries\n")
    assert run("sign", "--book", BOOK) == (0, f"book {BOOK}: nothing new\n")
    code, said = run("verify")
    assert (code, said.count("holds"), said.count("BROKEN")) == (0, 3, 0)

    folder, file = data / "out", data / "7.tlog-proof"
    assert run("export", folder)[0] == 0
    code, said = run("verify", "--from", folder, "--vkey", vkey.strip())
    assert code == 0
    assert said.startswith(f"Proven: time.example.org/{BOOK}, 300 entries")
    assert run("prove", "--book", BOOK, "--seq", 7, "--output", file) == (0, "")
    assert run("prove", "--book", BOOK, "--seq", 7) == (0, file.read_text(encoding="utf-8"))

    code, said = run("erase", "--volunteer", format_number(BOOK, 1))
    assert (code, said.startswith("Secrets erased: 1.")) == (0, True)
    code, said = run("prove", "--book", BOOK, "--seq", 7)
    assert (code, "log.erased" in said) == (1, True)
    assert run("verify")[0] == 0

    code, said = run("key", "rotate")
    assert code == 0
    (renewed,) = [line for line in said.splitlines() if line.startswith("time.example.org/")]
    assert renewed != vkey.strip()
    assert run("key") == (0, f"{renewed}\n{vkey}")
    assert run("verify", "--from", folder, "--vkey", vkey.strip())[0] == 0
    assert run("sign") == (0, f"book {BOOK}: nothing new\n")
    assert run("verify")[0] == 0
    (data / "given").write_bytes(bytes(32))
    assert run("key", "rotate", "--new-key", data / "given")[0] == 0
    code, said = run("sign")
    assert (code, "log.inconsistent" in said) == (1, True)
    monkeypatch.setenv("TIMEBANK_LOG_KEY_FILE", str(data / "given"))
    assert run("sign") == (0, f"book {BOOK}: nothing new\n")
    code, said = run("key", "rotate")
    assert (code, "settings.log_key_elsewhere" in said) == (1, True)

    tamper(database_url, "update transfer set amount = amount + 1 where seq = 8")
    code, said = run("verify", "--book", BOOK)
    assert (code, said.count("BROKEN")) == (1, 1)
    assert "entry 8\n" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verify", "--book", "330402"], "book.not_found"),
        (["export"], "log.no_folder"),
        (["prove", "--book", str(BOOK)], "log.no_entry"),
        (["prove", "--book", str(BOOK), "--seq", "301"], "entry.not_found"),
        (["erase", "--volunteer", "12"], "log.no_volunteer"),
        (["key", "rotate", "--new-key", "/nowhere"], "log.no_new_key"),
        (["key", "rotate", "--new-key", "/etc/hostname"], "log.no_new_key"),
    ],
)
def test_what_cannot_be_done_is_said(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert cli.main(["log", *arguments]) == 1
    assert f"[{code}]" in capsys.readouterr().err


def test_a_forked_book_is_not_signed(
    data: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["log", "sign"]) == 0
    tamper(database_url, "update batch set recorded_at = recorded_at + interval '1 second'")
    assert cli.main(["log", "sign"]) == 1
    assert "[log.inconsistent]" in capsys.readouterr().err
