"""Who forgot to scan out is told in time; who must close is told before and after the last day; once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import update
from tests.factories import KEY, NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.closing import close_shift
from timebank.services.enrolment import appoint, ensure_person
from timebank.services.reminding import remind
from timebank.store import outbox, tables
from timebank.store.seal import Seal

SEAL = Seal(KEY)
ENDS = NINE + timedelta(hours=3)


async def told(db: Database) -> list[tuple[str, str]]:
    async with db.read() as conn:
        found = await outbox.list_newest(conn, seal=SEAL, limit=20)
    return sorted((each.phone, each.text) for each in found)


async def with_phone(db: Database, volunteer: VolunteerId, phone: str) -> None:
    person = await ensure_person(db, seal=SEAL, phone=phone, name=None, now=NINE)
    v = tables.volunteer.c
    async with db.write() as conn:
        await conn.execute(
            update(tables.volunteer)
            .where(v.book_id == volunteer.book, v.id == volunteer.id)
            .values(person_id=person)
        )


async def test_each_is_reminded_once_in_time_and_nobody_of_what_is_done(
    db: Database, world: World
) -> None:
    forgot, left, _absent = people = await world.volunteers(3)
    for volunteer, phone in zip(people, ("13900000001", "13900000002", "13900000003"), strict=True):
        await with_phone(db, volunteer, phone)
    team = await world.organization()
    organizer = await ensure_person(db, seal=SEAL, phone="13900000009", name=None, now=NINE)
    await appoint(db, person=organizer, role=Role.ORGANIZER, organization=team, by=None, now=NINE)
    shift = await world.shift(organization=team, signed_up=people, forgotten="end_of_shift")
    done = await world.shift(organization=team)
    for volunteer, direction, minutes in (
        (forgot, Direction.ARRIVE, 0),
        (left, Direction.ARRIVE, 0),
        (left, Direction.LEAVE, 60),
    ):
        at = NINE + timedelta(minutes=minutes)
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)
    actor = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))
    await close_shift(
        db, actor=actor, shift_book=done.book, shift=done.id, departures=None, now=ENDS
    )

    assert await remind(db, seal=SEAL, now=ENDS + timedelta(minutes=4)) == 0
    both = await asyncio.gather(
        *(remind(db, seal=SEAL, now=ENDS + timedelta(minutes=5)) for _ in range(2))
    )
    assert sorted(both) == [0, 1]
    ((phone, text),) = await told(db)
    assert phone == "13900000001"
    assert "敬老服务" in text
    assert "记到结束" in text
    # A Saturday: the tenth working day is Friday, 15 March 2024.
    days = {4: 0, 9: 0, 10: 1, 13: 0, 14: 1, 15: 0, 59: 0, 61: 0}
    assert {
        day: await remind(db, seal=SEAL, now=ENDS + timedelta(days=day)) for day in days
    } == days
    assert [phone for phone, _ in await told(db)] == ["13900000001", "13900000009", "13900000009"]
