"""`timebank correct`, `statement`, `export` and `move` on a real database, and what they refuse."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects.postgresql import insert
from tests.factories import BOOK, NINE, VILLAGE, World

from timebank import cli
from timebank.db import Database
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.domain.volunteer_number import format_number
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.founding import found_county
from timebank.store import tables

AWAY_VILLAGE = 330402001001
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs commands on two counties, in one of which a volunteer served an hour on two days."""

    async def build() -> None:
        db = Database(database_url, role="timebank_app")
        world = World(db)
        for book, village in ((BOOK, VILLAGE), (330402, AWAY_VILLAGE)):
            await found_county(db, book=book, now=NINE)
            async with db.write() as conn:
                await conn.execute(
                    insert(tables.region)
                    .values(code=village, name="村", level="village")
                    .on_conflict_do_nothing()
                )
        (volunteer,) = await world.volunteers()
        await world.person_of(volunteer)
        for starts_at in (NINE, NINE + timedelta(days=1)):
            shift = await world.shift(starts_at=starts_at, signed_up=[volunteer])
            for direction, at in (
                (Direction.ARRIVE, starts_at),
                (Direction.LEAVE, starts_at + timedelta(hours=1)),
            ):
                scan = Scan(shift.book, shift.id, direction, at)
                await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)
        await db.close()

    asyncio.run(build())
    monkeypatch.setenv("TIMEBANK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", database_url)

    def command(*arguments: object) -> tuple[int, str]:
        code = cli.main(list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


MINE = format_number(BOOK, 1)


def test_a_correction_and_the_statement_before_and_after(run: Run) -> None:
    why = ("--reason", "签退过早", "--evidence", "签到表 17")

    assert run("correct", 1, "--book", BOOK, "--minutes", 45, *why) == (
        0,
        "Entry 1 is taken back by entry 3; entry 4 stands in its place.\n",
    )
    assert run("correct", 2, "--book", BOOK, "--take-back", "--reason", "重复登记") == (
        0,
        "Entry 2 is taken back by entry 5.\n",
    )
    code, said = run("statement", MINE)
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["5", "4", "3", "2", "1"]
    assert said.startswith(f"{MINE}  as of entry 5: 45 minutes\n")
    assert said.count("taken back by") == 2
    assert run("statement", MINE, "--as-of", 2)[1].startswith(
        f"{MINE}  as of entry 2: 120 minutes\n"
    )
    assert (
        "as of entry 1: 60 minutes"
        in run("statement", MINE, "--as-of", "2024-03-02T12:00:00+08:00")[1]
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("correct", 1, "--reason", "时间有误", "--minutes", 5), "correction.no_evidence"),
        (("correct", 1, "--reason", "错", "--take-back"), "correction.reason_length"),
        (("correct", 9, "--reason", "错误", "--take-back"), "entry.not_found"),
        (("correct", 1, "--reason", "错误", "--evidence", "表1"), "correction.nothing_changed"),
        (("statement", "330424000000019"), "volunteer.not_found"),
        (("statement", format_number(BOOK, 9)), "volunteer.not_found"),
        (("statement", MINE, "--as-of", 3), "report.no_such_entry"),
        (("report", "active-rate", "--region", BOOK, "--year", 2024, "--as-of", 3), "report.no_such_entry"),
        (("export", "--book", 330421, "--format", "csv"), "book.not_found"),
        (("export", "--format", "parquet"), "export.no_output"),
        (("move", MINE), "move.incomplete"),
        (("move", MINE, VILLAGE), "moving.same_county"),
        (("move", format_number(BOOK, 9), AWAY_VILLAGE), "volunteer.not_found"),
    ],
)  # fmt: skip
def test_what_is_refused_by_name(run: Run, arguments: tuple[object, ...], code: str) -> None:
    found, said = run(*arguments)

    assert (found, f"[{code}]" in said) == (1, True), said


@pytest.mark.parametrize(
    "arguments",
    [
        ("correct", 1, "--reason", "错误", "--field", "gardening"),
        ("correct", 1, "--reason", "错误", "--started-at", "7"),
        ("statement", MINE, "--as-of", "2024-03-02"),
    ],
)
def test_what_is_misused(run: Run, arguments: tuple[object, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 2


def test_a_move_and_what_each_book_holds(run: Run) -> None:
    moved = format_number(330402, 1)

    assert run("move", MINE, AWAY_VILLAGE) == (0, f"{MINE} is {moved} now\n")
    assert run("move", MINE, AWAY_VILLAGE) == (0, f"{MINE} is {moved} now\n")
    assert run("move") == (0, "0 moves completed or brought up to date\n")

    assert "as of entry 3: 0 minutes" in run("statement", MINE)[1]
    assert "as of entry 1: 120 minutes" in run("statement", moved)[1]
    code, said = run("audit")
    assert (code, "BROKEN" in said) == (0, False)


def test_an_export_appears_whole_or_not_at_all(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.csv"
    assert run("export", "--book", BOOK, "--format", "csv", "--output", path)[0] == 0
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    code, said = run("export", "--format", "parquet", "--output", tmp_path / "book.parquet")

    assert (code, "[export.library_missing]" in said) == (1, True)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["book.csv"]
