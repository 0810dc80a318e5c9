"""Registers of a district: taken whole or not at all, once, and corrected by what follows."""

from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest
from openpyxl import Workbook
from tests.factories import BOOK, TOWN, World

from timebank.db import Database
from timebank.domain.register_row import Register, RegisterRefusal
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.services.registering import RegisterResult, import_register
from timebank.services.sealing import erase_volunteer
from timebank.services.service_file import ImportFileError

NOW = datetime(2025, 2, 1, tzinfo=UTC)
VILLAGE = 330424101003


@pytest.fixture
def write(tmp_path: Path):
    def write(register: Register, text: str) -> Path:
        path = tmp_path / f"{register}.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


async def take(db: Database, path: Path, register: Register) -> RegisterResult:
    return await import_register(db, book=BOOK, register=register, path=path, now=NOW)


async def test_every_register_of_a_county(
    db: Database, owner: asyncpg.Connection, world: World, write, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError):
        await take(db, write(Register.STATIONS, "name,tier,place,opened_on\n"), Register.STATIONS)
    await found_county(db, book=BOOK, now=NOW)
    (volunteer,) = await world.volunteers(1)
    await owner.execute("update volunteer set reference = 'HY1'")

    sessions = (
        "组织,活动,服务领域,地点,日期,次数,服务人次,服务户次\n"
        f"帮扶站,探访,敬老助老,{VILLAGE},2024/3/2,2,5,3\n"
        f"帮扶站,义诊,health,{TOWN},2024-03-02,,40,\n"
    )
    result = await take(db, write(Register.SESSIONS, sessions), Register.SESSIONS)
    assert (result.rows_written, result.rows_known, result.refused) == (2, 0, [])
    result = await take(db, write(Register.SESSIONS, sessions), Register.SESSIONS)
    assert (result.rows_written, result.rows_known) == (0, 2)
    await take(db, write(Register.SESSIONS, sessions.replace(",2,5,3", ",2,6,")), Register.SESSIONS)
    assert [
        tuple(row)
        for row in await owner.fetch(
            "select activity_id, number, times, people, households from reach order by 1, 2"
        )
    ] == [(1, 1, 2, 5, 3), (1, 2, 2, 6, None), (2, 1, 1, 40, None)]

    stations = "名称,层级,区划,成立日期,撤销日期\n县中心,中心,330424,2020-01-01,\n沈荡站,站,沈荡镇,2021-05-01,2024-06-01\n"
    assert (await take(db, write(Register.STATIONS, stations), Register.STATIONS)).rows_written == 2
    reopened = stations.replace(",2024-06-01", ",")
    assert (await take(db, write(Register.STATIONS, reopened), Register.STATIONS)).rows_written == 1
    assert await owner.fetchval("select closed_on from station where id = 2") is None

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["站点", "指标", "统计日期", "人数", "来源"])
    sheet.append(["沈荡站", "专职人员", date(2024, 12, 31), 12.0, "年报"])
    path = tmp_path / "figures.xlsx"
    book.save(path)
    assert (await take(db, path, Register.FIGURES)).rows_written == 1
    assert (await take(db, path, Register.FIGURES)).rows_known == 1

    profiles = "volunteer,since,birth_year,party_member,social_worker\nHY1,2020-01-01,1958,是,no\n"
    assert (await take(db, write(Register.PROFILES, profiles), Register.PROFILES)).rows_written == 1
    assert (await take(db, write(Register.PROFILES, profiles), Register.PROFILES)).rows_known == 1
    trainings = "volunteer,day,title,provider,minutes\nHY1,2024-01-01,急救,红十字会,90\n"
    assert (
        await take(db, write(Register.TRAININGS, trainings), Register.TRAININGS)
    ).rows_written == 1
    residents = 'place,as_of,count,source,ages\n沈荡镇,2024-12-31,"31,000",户籍,\n沈荡镇,2024-12-31,9000,户籍,60-150\n'
    assert (
        await take(db, write(Register.RESIDENTS, residents), Register.RESIDENTS)
    ).rows_written == 2
    assert (
        await take(db, write(Register.RESIDENTS, residents), Register.RESIDENTS)
    ).rows_known == 2

    await erase_volunteer(db, book=BOOK, volunteer=volunteer.id, now=NOW)
    assert await owner.fetchval("select count(*) from profile") == 0


async def test_one_bad_row_and_nothing_is_taken(
    db: Database, owner: asyncpg.Connection, world: World, write
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    await take(
        db,
        write(Register.STATIONS, "name,tier,place,opened_on\nA,room,330424,2024-01-01\n"),
        Register.STATIONS,
    )
    figures = (
        "station,figure,as_of,count,source\nA,workers,2024-01-01,1,x\nB,workers,2024-01-01,1,x\n"
    )
    result = await take(db, write(Register.FIGURES, figures), Register.FIGURES)
    assert [(each.line, each.column, each.reason) for each in result.refused] == [
        (3, "station", RegisterRefusal.STATION_UNKNOWN)
    ]
    profiles = "volunteer,since,party_member,social_worker\nHY1,2020-01-01,yes,no\n"
    result = await take(db, write(Register.PROFILES, profiles), Register.PROFILES)
    assert [each.reason for each in result.refused] == [RegisterRefusal.VOLUNTEER_UNKNOWN]
    assert await owner.fetchval("select count(*) from station_figure") == 0
    with pytest.raises(ImportFileError, match="party_member"):
        await take(db, write(Register.PROFILES, "volunteer,since\n"), Register.PROFILES)
