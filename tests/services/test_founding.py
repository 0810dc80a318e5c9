"""A county is founded from what ships with the product, once, and its estimates sum exactly."""

from datetime import UTC, date, datetime

import asyncpg
import pytest
from tests.factories import BOOK, TOWN, VILLAGE

from timebank.db import Database
from timebank.domain.region import Level, level_of
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.store import regions

NOW = datetime(2024, 1, 1, tzinfo=UTC)
COUNTY = BOOK * 1_000_000


async def test_founding_twice_is_founding_once(db: Database, owner: asyncpg.Connection) -> None:
    first = await found_county(db, book=BOOK, now=NOW)
    again = await found_county(db, book=BOOK, now=NOW)

    assert (first.name, first.is_new, again.is_new) == ("海盐县", True, False)
    assert await owner.fetchval("select count(*) from region") == 27_036
    assert await owner.fetchval("select count(*) from residents") == 1 + 9 + 122
    assert await owner.fetchval("select count(*) from account") == 1


async def test_every_shipped_division_stands_where_its_code_says(
    db: Database, owner: asyncpg.Connection
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    rows = await owner.fetch("select code, level, parent from region")
    codes = {row["code"] for row in rows}
    span = {"city": 10**10, "county": 10**8, "town": 10**6, "village": 10**3}
    for code, level, parent in rows:
        assert level_of(code) == level
        assert parent == (None if level == "province" else code // span[level] * span[level])
        assert parent is None or parent in codes


async def test_estimates_sum_to_the_counted_figure_on_every_level(
    db: Database, owner: asyncpg.Connection
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    sums = await owner.fetch(
        "select level, sum(count)::int, bool_or(is_estimate) from residents"
        " join region on code = region group by level"
    )
    assert {tuple(row) for row in sums} == {
        ("county", 456_775, False),
        ("town", 456_775, True),
        ("village", 456_775, True),
    }


async def test_a_county_that_does_not_ship_cannot_be_founded(db: Database) -> None:
    with pytest.raises(NotFoundError):
        await found_county(db, book=999_999, now=NOW)


async def test_reads_of_divisions(db: Database) -> None:
    await found_county(db, book=BOOK, now=NOW)
    async with db.read() as conn:
        path = await regions.list_path(conn, code=VILLAGE + 2)
        towns = await regions.list_children(conn, code=COUNTY)
        below = await regions.list_subtree(conn, code=COUNTY)
        counted = await regions.find_residents(conn, code=COUNTY, on=date(2024, 12, 31))
        before = await regions.find_residents(conn, code=COUNTY, on=date(2020, 10, 31))
        elsewhere = await regions.find_residents(conn, code=330421000000, on=date(2024, 12, 31))
        nowhere = await regions.find_region(conn, code=330424999999)
        no_path = await regions.list_path(conn, code=330424999999)

    assert [each.name for each in path] == [
        "浙江省",
        "嘉兴市",
        "海盐县",
        "沈荡镇",
        "沈荡社区居民委员会",
    ]
    assert len(towns) == 9
    assert towns[4].code == TOWN
    assert (len(below), below[0].level, below[1].level) == (132, Level.COUNTY, Level.TOWN)
    assert counted is not None
    assert (counted.count, counted.is_estimate) == (456_775, False)
    assert before is None
    assert elsewhere is None
    assert nowhere is None
    assert no_path == []
