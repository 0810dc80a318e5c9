"""What is listed can be joined; how many places are left is counted, not remembered."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update
from tests.factories import BOOK, NINE, TOWN, VILLAGE, ZONE, World

from timebank.db import Database
from timebank.domain.period import Period
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.queries import activities
from timebank.store import tables

COUNTY = Scope(BOOK * 1_000_000)
HOUR = timedelta(hours=1)
OTHER_BOOK = 330481


async def test_the_list_leaves_out_what_nobody_can_join(db: Database, world: World) -> None:
    me, other, gone = await world.volunteers(3)
    running = await world.shift(starts_at=NINE - HOUR, places=3, signed_up=[me, other, gone])
    later = await world.shift(starts_at=NINE + 20 * HOUR, field=ServiceField.CULTURE)
    await world.shift(starts_at=NINE - 3 * HOUR)
    await world.shift(cancelled_at=NINE)
    await world.shift(closed_at=NINE)
    unlisted = await world.shift()
    await world.shift(book=OTHER_BOOK)
    async with db.write() as conn:
        a, s = tables.activity.c, tables.signup.c
        await conn.execute(
            update(tables.activity).where(a.id == unlisted.id).values(is_listed=False)
        )
        await conn.execute(
            update(tables.signup).where(s.volunteer_id == gone.id).values(withdrawn_at=NINE)
        )
        await conn.execute(
            insert(tables.region),
            [
                {"code": TOWN, "name": "武原街道", "level": "town"},
                {"code": VILLAGE, "name": "朝阳社区", "level": "village"},
            ],
        )

    async with db.read() as conn:
        found = await activities.list_upcoming(conn, scope=COUNTY, volunteer=me, now=NINE)
        for_visitors = await activities.list_upcoming(conn, scope=COUNTY, volunteer=None, now=NINE)
        by_field = await activities.list_upcoming(
            conn, scope=COUNTY, volunteer=None, now=NINE, field=ServiceField.CULTURE
        )
        by_town = await activities.list_upcoming(
            conn, scope=Scope(TOWN + 1_000), volunteer=None, now=NINE
        )
        by_day = await activities.list_upcoming(
            conn,
            scope=COUNTY,
            volunteer=None,
            now=NINE,
            period=Period(NINE + 15 * HOUR, NINE + 39 * HOUR),
        )
        page = await activities.list_upcoming(
            conn, scope=COUNTY, volunteer=None, now=NINE, after=found[0].cursor
        )
        counts = await activities.count_upcoming(
            conn, scope=COUNTY, zone=ZoneInfo(ZONE), now=NINE, until=NINE + 99 * HOUR
        )

    assert [(each.shift, each.taken, each.places_left, each.is_signed_up) for each in found] == [
        (running.id, 2, 1, True),
        (later.id, 0, 20, False),
    ]
    assert (found[0].place, found[0].town) == ("朝阳社区", "武原街道")
    assert [each.is_signed_up for each in for_visitors] == [False, False]
    assert [each.shift for each in by_field] == [later.id]
    assert by_town == []
    assert [each.shift for each in by_day] == [later.id]
    assert [each.shift for each in page] == [later.id]
    assert counts == {date(2024, 3, 2): 1, date(2024, 3, 3): 1}


async def test_an_activity_shows_how_one_stands_to_each_shift(db: Database, world: World) -> None:
    me, other = await world.volunteers(2)
    shift = await world.shift(places=2, signed_up=[me, other])
    async with db.write() as conn:
        await conn.execute(
            insert(tables.attendance).values(
                book_id=me.book,
                volunteer_id=me.id,
                shift_book=shift.book,
                shift_id=shift.id,
                arrived_at=NINE,
                arrival_measured=True,
            )
        )

    async with db.read() as conn:
        mine = await activities.find_activity(conn, volunteer=me, book=BOOK, activity=1)
        visitors = await activities.find_activity(conn, volunteer=None, book=BOOK, activity=1)
        unknown = await activities.find_activity(conn, volunteer=me, book=BOOK, activity=9)

    assert mine is not None
    assert mine.title == "敬老服务"
    (seen,) = mine.shifts
    assert (seen.taken, seen.is_signed_up, seen.arrived_at, seen.left_at) == (2, True, NINE, None)
    assert not seen.is_cancelled
    assert visitors is not None
    assert not visitors.shifts[0].is_signed_up
    assert visitors.shifts[0].arrived_at is None
    assert unknown is None
