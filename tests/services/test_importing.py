"""A district's history lands once, whatever the file, and what cannot land is listed exactly."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import openpyxl
import pytest
from sqlalchemy import update
from tests.factories import BOOK, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.volunteer_number import format_number
from timebank.ledger import audit
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.services.importing import ImportResult, import_services
from timebank.services.service_file import ImportFileError
from timebank.store import tables

NOW = datetime(2025, 1, 10, tzinfo=UTC)
HEADER = [
    "志愿者编号",
    "记录编号",
    "活动名称",
    "组织名称",
    "服务领域",
    "服务地点",
    "开始时间",
    "服务时长（分钟）",
    "证据",
]


@pytest.fixture
async def people(db: Database, world: World) -> list[VolunteerId]:
    """Three volunteers; the first is known by a number of another system, the third has left."""
    await found_county(db, book=BOOK, now=NOW)
    found = await world.volunteers(3)
    c = tables.volunteer.c
    async with db.write() as conn:
        await conn.execute(update(tables.volunteer).where(c.id == 1).values(reference="ZJ-001"))
        await conn.execute(
            update(tables.volunteer)
            .where(c.id == 3)
            .values(ended_at=datetime(2024, 5, 1, tzinfo=UTC))
        )
    return found


def good_rows() -> list[list[str]]:
    second = format_number(BOOK, 2)
    return [
        ["ZJ-001", "1", "敬老服务", "沈荡镇志愿服务队", "敬老助老", "330424101003", "2024-03-02 09:00", "180", "scanned"],
        [second, "2", "敬老服务", "沈荡镇志愿服务队", "elder_care", "永庆村", "2024/3/2 9:00", "90", "confirmed"],
        ["ZJ-001", "3", "河道清洁", "沈荡镇志愿服务队", "生态环保", "永庆村委会", "2024-03-03T14:30:00+08:00", "60", ""],
        ["ZJ-001", "", "河道清洁", "沈荡镇志愿服务队", "生态环保", "永庆村委会", "2024-03-04 14:30", "60", "declared"],
        ["ZJ-001", "", "河道清洁", "沈荡镇志愿服务队", "生态环保", "永庆村委会", "2024-03-04 14:30", "60", "declared"],
    ]  # fmt: skip


def write_csv(path: Path, rows: list[list[str]], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


async def run(db: Database, path: Path, **options: bool) -> ImportResult:
    return await import_services(db, book=BOOK, path=path, now=NOW, **options)


def list_names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def read_errors(result: ImportResult) -> list[dict[str, str]]:
    path = Path(result.errors_file or "")
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


async def entries(owner: asyncpg.Connection) -> list[tuple[object, ...]]:
    rows = await owner.fetch(
        "select volunteer, amount, assurance, measured, field, place, effective_at, activity, key"
        " from transfer order by seq"
    )
    return [tuple(row) for row in rows]


async def test_importing_twice_is_importing_once(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "history.csv", good_rows())
    first = await run(db, path)
    again = await run(db, path)

    assert (first.rows, first.rows_posted, first.rows_known, first.rows_refused) == (5, 5, 0, 0)
    assert (first.people, first.minutes) == (2, 450)
    assert (first.organizations_created, first.activities_created) == (1, 3)
    assert (again.rows_posted, again.rows_known, again.minutes) == (0, 5, 0)
    assert (again.organizations_created, again.activities_created) == (0, 0)
    assert first.errors_file is None
    found = await entries(owner)
    assert [row[:6] for row in found[:3]] == [
        (1, 180, 0, 0, 1, 330424101003),
        (2, 90, 0, 0, 1, 330424101200),
        (1, 60, 0, 0, 5, 330424101200),
    ]
    assert found[0][6] == datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
    assert await owner.fetchval("select count(*) from activity where is_listed") == 0
    async with db.read() as conn:
        assert [await audit.find_broken(conn, book=BOOK, rule=rule) for rule in audit.RULES] == (
            [None] * len(audit.RULES)
        )


async def test_rows_in_any_order_and_in_two_files_are_the_same_deeds(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    rows = good_rows()
    await run(db, write_csv(tmp_path / "part.csv", rows[1:4]))
    whole = await run(db, write_csv(tmp_path / "whole.csv", rows[::-1]))
    assert (whole.rows_posted, whole.rows_known) == (2, 3)
    assert len(await entries(owner)) == 5


async def test_gb18030_a_byte_order_mark_and_xlsx_say_the_same_as_utf8(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    await run(db, write_csv(tmp_path / "utf8.csv", good_rows()))
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(HEADER)
    for (
        volunteer,
        record,
        title,
        organization,
        field,
        place,
        start,
        minutes,
        evidence,
    ) in good_rows():
        at: object = start
        if len(start) == 16:
            at = datetime.strptime(start, "%Y-%m-%d %H:%M")  # noqa: DTZ007 as Excel has it
        number: object = int(volunteer) if volunteer.isdigit() else volunteer
        code: object = int(place) if place.isdigit() else place
        sheet.append(
            [number, int(record) if record else None, title, organization, field, code, at, int(minutes), evidence or None]
        )  # fmt: skip
    workbook.save(tmp_path / "history.xlsx")
    for path in (
        write_csv(tmp_path / "gb.csv", good_rows(), encoding="gb18030"),
        write_csv(tmp_path / "bom.csv", good_rows(), encoding="utf-8-sig"),
        tmp_path / "history.xlsx",
    ):
        result = await run(db, path)
        assert (path.name, result.rows_known, result.rows_refused) == (path.name, 5, 0)
    assert len(await entries(owner)) == 5


async def test_the_evidence_column_counts_only_when_trusted_and_that_is_on_record(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "history.csv", good_rows())
    await run(db, path, is_evidence_trusted=True)
    assert [row[2:4] for row in await entries(owner)] == [(1, 3), (1, 0), (0, 0), (0, 0), (0, 0)]
    events = await owner.fetch("select act, subject from audit_event")
    assert [tuple(row) for row in events] == [("trust_evidence", "book/330424/file/history.csv")]

    again = await run(db, path)
    assert (again.rows_known, again.rows_refused) == (3, 2)


async def test_a_dry_run_tells_the_totals_and_writes_nothing(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    rows = good_rows()
    path = write_csv(tmp_path / "history.csv", [*rows, ["?", *rows[0][1:]]])
    dry = await run(db, path, is_dry_run=True)
    for table in ("transfer", "organization", "activity", "audit_event"):
        assert await owner.fetchval(f"select count(*) from {table}") == 0
    wet = await run(db, path)
    assert dry.is_dry_run
    dry.is_dry_run = False
    assert dry == wet
    assert (wet.rows_posted, wet.rows_refused) == (5, 1)


async def test_bad_rows_are_listed_with_line_column_and_reason(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    good = good_rows()[0]

    def but(**cells: str) -> list[str]:
        names = [
            "volunteer",
            "record",
            "activity",
            "organization",
            "field",
            "place",
            "start",
            "minutes",
            "evidence",
        ]
        return [cells.get(name, cell) for name, cell in zip(names, good, strict=True)]

    rows = [
        good,
        good[:7],
        but(volunteer=" "),
        but(record="9" * 65),
        but(organization=""),
        but(activity="长" * 61),
        but(field="=SUM(A1)"),
        but(place="330424101999"),
        but(place="不存在村"),
        but(start="昨天"),
        but(start="1979-12-31 09:00"),
        but(start="2025-01-11 09:00"),
        but(minutes="两小时"),
        but(minutes="90.5"),
        but(minutes="961"),
        but(minutes="0"),
        but(minutes="1e9"),
        but(minutes="nan"),
        but(evidence="saw it"),
        but(volunteer="330424000000021"),
        but(volunteer=format_number(BOOK, 3), record="30", start="2024-06-01 09:00"),
        but(minutes="181"),
        but(field="?", minutes="-1"),
        but(record="40"),
    ]
    path = write_csv(tmp_path / "history.csv", rows)
    result = await run(db, path, is_evidence_trusted=True)

    listed = read_errors(result)
    assert [(int(row["line"]), row["column"], row["code"]) for row in listed] == [
        (3, "", "import.row_malformed"),
        (4, "volunteer", "import.volunteer_missing"),
        (5, "record", "import.record_too_long"),
        (6, "organization", "import.organization_length"),
        (7, "activity", "import.activity_length"),
        (8, "field", "import.field_unknown"),
        (9, "place", "import.place_unknown"),
        (10, "place", "import.place_unknown"),
        (11, "start", "import.start_malformed"),
        (12, "start", "import.start_too_early"),
        (13, "start", "import.start_in_future"),
        (14, "minutes", "import.minutes_malformed"),
        (15, "minutes", "import.minutes_malformed"),
        (16, "minutes", "import.minutes_out_of_range"),
        (17, "minutes", "import.minutes_out_of_range"),
        (18, "minutes", "import.minutes_out_of_range"),
        (19, "minutes", "import.minutes_malformed"),
        (20, "evidence", "import.evidence_unknown"),
        (21, "volunteer", "import.volunteer_unknown"),
        (22, "volunteer", "import.volunteer_left"),
        (23, "record", "import.record_reused"),
        (24, "field", "import.field_unknown"),
        (24, "minutes", "import.minutes_out_of_range"),
    ]
    assert listed[5]["text"] == "'=SUM(A1)"
    assert all(row["原因"] and row["reason"] for row in listed)
    assert (result.rows, result.rows_posted, result.rows_refused) == (24, 2, 22)

    clean = await run(db, write_csv(path, [good]), is_evidence_trusted=True)
    assert clean.errors_file is None
    assert list_names(tmp_path) == ["history.csv"]


async def test_a_village_name_that_repeats_in_the_county_needs_its_code(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    await owner.execute(
        "insert into region values (330424102999, '永庆村委会', 'village', 330424102000)"
    )
    result = await run(db, write_csv(tmp_path / "history.csv", good_rows()))
    assert (result.rows_posted, result.rows_refused) == (1, 4)
    assert {row["code"] for row in read_errors(result)} == {"import.place_ambiguous"}


async def test_hours_are_rounded_half_up_to_minutes(
    db: Database, owner: asyncpg.Connection, people: list[VolunteerId], tmp_path: Path
) -> None:
    path = tmp_path / "hours.csv"
    lines = "\r\n".join(
        f"ZJ-001,帮厨,食堂,other,永庆村,2024-03-0{day} 09:00,{hours}"
        for day, hours in enumerate(("3", "1.33", "0.325", "0.001"), 1)
    )
    path.write_text(f"volunteer,activity,organization,field,place,start,hours\r\n{lines}\r\n\r\n")
    result = await run(db, path)
    assert [row[1] for row in await entries(owner)] == [180, 80, 20]
    assert result.rows_refused == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"volunteer,activity\n", "file.column_missing"),
        (",".join(["volunteer", *HEADER]).encode(), "file.column_twice"),
        (b"\xff\xff\xff\xff", "file.encoding"),
        (b"PK\x03\x04 no workbook", "file.xlsx_malformed"),
        (",".join(HEADER).encode() + b'\n"open', "file.csv_malformed"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(
    db: Database, people: list[VolunteerId], tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "history"
    path.write_bytes(content)
    with pytest.raises(ImportFileError) as failure:
        await run(db, path)
    assert failure.value.code == code


async def test_a_county_whose_book_is_closed_imports_nothing(db: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await run(db, write_csv(tmp_path / "history.csv", good_rows()))
