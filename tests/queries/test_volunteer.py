"""A volunteer sees their own hours, shifts and records, and nobody else's."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, NINE, TOWN, VILLAGE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.assurance import Evidence
from timebank.domain.attendance import Direction
from timebank.domain.enrolment import Enrolled
from timebank.domain.period import Period
from timebank.domain.qr import Scan
from timebank.queries import volunteer as own
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.closing import close_shift
from timebank.services.correction import reverse_transfer
from timebank.services.enrolment import enrol_volunteer, ensure_person
from timebank.services.scheduling import withdraw
from timebank.store import tables
from timebank.store.seal import Seal

HOUR = timedelta(hours=1)
NEXT_YEAR = datetime(2024, 12, 31, 16, 30, tzinfo=UTC)
"""Half past midnight of New Year's Day, in Haiyan."""


@pytest.fixture
async def villages(db: Database, world: World) -> None:
    await world.open_book()
    async with db.write() as conn:
        await conn.execute(
            insert(tables.region),
            [
                {"code": TOWN, "name": "武原街道", "level": "town"},
                {"code": VILLAGE, "name": "朝阳社区", "level": "village"},
            ],
        )


async def serve(
    db: Database, volunteer: VolunteerId, shift: ShiftId, start: datetime, minutes: int | None
) -> None:
    times = [(Direction.ARRIVE, start)]
    if minutes is not None:
        times.append((Direction.LEAVE, start + timedelta(minutes=minutes)))
    for direction, at in times:
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)


async def confirm(
    db: Database, team: OrganizationId, volunteer: VolunteerId, shift: ShiftId, at: datetime
) -> None:
    actor = Actor(
        await ensure_person(db, seal=Seal(KEY), phone="13800000009", name=None, now=NINE),
        frozenset({Role.ORGANIZER}),
        organizations=(team,),
    )
    await close_shift(
        db,
        actor=actor,
        shift_book=shift.book,
        shift=shift.id,
        departures={volunteer: at},
        now=at,
    )


async def test_hours_are_counted_by_evidence_in_the_local_year(
    db: Database, world: World, villages: None
) -> None:
    volunteer, other = await world.volunteers(2)
    team = await world.organization()
    scanned = await world.shift(organization=team, signed_up=[volunteer, other])
    confirmed = await world.shift(
        organization=team, starts_at=NINE + 24 * HOUR, signed_up=[volunteer]
    )
    mistaken = await world.shift(
        organization=team, starts_at=NINE + 48 * HOUR, signed_up=[volunteer]
    )
    later = await world.shift(organization=team, starts_at=NEXT_YEAR, signed_up=[volunteer])
    await serve(db, volunteer, scanned, NINE, 60)
    await serve(db, other, scanned, NINE, 170)
    await serve(db, volunteer, confirmed, NINE + 24 * HOUR, None)
    await confirm(db, team, volunteer, confirmed, NINE + 27 * HOUR)
    await serve(db, volunteer, mistaken, NINE + 48 * HOUR, 30)
    await reverse_transfer(
        db, actor=None, book=BOOK, seq=4, reason="重复登记", now=NINE + 72 * HOUR
    )
    await serve(db, volunteer, later, NEXT_YEAR, 20)

    async with db.read() as conn:
        hours = await own.own_hours(conn, volunteer=volunteer, year=2024)
        nothing = await own.own_hours(conn, volunteer=VolunteerId(BOOK, 9), year=2024)
        years = await own.list_own_years(conn, volunteer=volunteer)
        everything = await own.list_own_records(conn, volunteer=volunteer)
        in_2025 = await own.list_own_records(
            conn, volunteer=volunteer, period=Period(NEXT_YEAR, NEXT_YEAR + 24 * HOUR)
        )

    assert hours == own.OwnHours(60, 180, 0, 2, 260, 3)
    assert hours.year == 240
    assert nothing == own.OwnHours(0, 0, 0, 0, 0, 0)
    assert years == [2025, 2024]
    assert [(each.minutes, each.evidence, each.reverses) for each in everything] == [
        (20, Evidence.SCANNED, None),
        (-30, Evidence.SCANNED, 4),
        (30, Evidence.SCANNED, None),
        (180, Evidence.CONFIRMED, None),
        (60, Evidence.SCANNED, None),
    ]
    assert [each.reason for each in everything] == [None, "重复登记", "重复登记", None, None]
    assert [each.reversed_by for each in everything] == [None, None, 5, None, None]
    assert [each.seq for each in in_2025] == [6]
    first = everything[-1]
    assert (first.title, first.place, first.town) == ("敬老服务", "朝阳社区", "武原街道")
    assert (first.arrived_at, first.left_at, first.departure_measured) == (NINE, NINE + HOUR, True)
    assert first.shift_ends_at == NINE + 3 * HOUR


async def test_own_shifts_are_those_with_a_place_that_are_not_over(
    db: Database, world: World, villages: None
) -> None:
    volunteer, other = await world.volunteers(2)
    past = await world.shift(starts_at=NINE - 24 * HOUR, signed_up=[volunteer])
    today = await world.shift(signed_up=[volunteer])
    cancelled = await world.shift(
        starts_at=NINE + 5 * HOUR, signed_up=[volunteer], cancelled_at=NINE
    )
    withdrawn = await world.shift(starts_at=NINE + 24 * HOUR, signed_up=[volunteer])
    await world.shift(starts_at=NINE + 24 * HOUR, signed_up=[other])
    await withdraw(
        db,
        seal=Seal(KEY),
        volunteer=volunteer,
        shift_book=withdrawn.book,
        shift=withdrawn.id,
        now=NINE,
    )
    await serve(db, volunteer, today, NINE, None)

    async with db.read() as conn:
        shifts = await own.list_own_shifts(conn, volunteer=volunteer, since=NINE - HOUR)
        every = await own.list_own_shifts(conn, volunteer=volunteer, since=NINE - 48 * HOUR)

    assert [(each.shift, each.is_cancelled, each.arrived_at) for each in shifts] == [
        (today.id, False, NINE),
        (cancelled.id, True, None),
    ]
    assert [each.shift for each in every] == [past.id, today.id, cancelled.id]
    assert (shifts[0].place, shifts[0].town, shifts[0].left_at) == ("朝阳社区", "武原街道", None)


async def test_the_profile_says_where_one_lives_on_a_day(
    db: Database, world: World, villages: None
) -> None:
    seal = Seal(KEY)
    person = await ensure_person(db, seal=seal, phone="13800000001", name=None, now=NINE)
    enrolled = await enrol_volunteer(
        db, seal=seal, person=person, name="张三", village=VILLAGE, now=NINE
    )
    assert isinstance(enrolled, Enrolled)

    async with db.read() as conn:
        profile = await own.find_profile(conn, volunteer=enrolled.volunteer, on=date(2024, 3, 2))
        before = await own.find_profile(conn, volunteer=enrolled.volunteer, on=date(2024, 3, 1))
        nobody = await own.find_profile(conn, volunteer=VolunteerId(BOOK, 9), on=date(2024, 3, 2))

    assert profile is not None
    assert profile.name_sealed is not None
    assert seal.open(profile.name_sealed) == "张三"
    assert (profile.home, profile.village, profile.town) == (VILLAGE, "朝阳社区", "武原街道")
    assert before is not None
    assert (before.home, before.village) == (None, None)
    assert nobody is None
