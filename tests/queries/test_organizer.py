"""An organizer sees their own organization's shifts and people, counted, and nobody else's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from tests.factories import BOOK, KEY, NINE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.assurance import Evidence
from timebank.domain.attendance import Direction
from timebank.domain.enrolment import NewVolunteer
from timebank.domain.period import Period
from timebank.domain.qr import Scan
from timebank.queries import organizer
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.closing import close_shift
from timebank.services.correction import reverse_transfer
from timebank.services.enrolment import enrol_volunteers
from timebank.services.scheduling import sign_up, withdraw
from timebank.store.seal import Seal

SEAL = Seal(KEY)
HOUR = timedelta(hours=1)
ENDS = NINE + 3 * HOUR
NAMES = ["赵一", "钱二", "孙三", "李四", "周五"]


@pytest.fixture
async def people(db: Database, world: World) -> list[VolunteerId]:
    await world.open_book()
    return await enrol_volunteers(
        db,
        seal=SEAL,
        book=BOOK,
        people=[
            NewVolunteer(
                reference=name, name=name, phone=None, village=330424101001, enrolled_at=NINE
            )
            for name in NAMES
        ],
        now=NINE,
    )


async def scan(
    db: Database, volunteer: VolunteerId, shift: ShiftId, direction: Direction, at: datetime
) -> None:
    request = ScanRequest(volunteer, Scan(shift.book, shift.id, direction, at))
    await record_scans(db, requests=[request], now=at)


async def fill(
    db: Database, team: OrganizationId, people: Sequence[VolunteerId], shift: ShiftId
) -> None:
    """One scans both ends, one is confirmed, one is forgotten, one stays away, one withdraws."""
    scanned, confirmed, forgotten, _absent, withdrawn = people
    for minute, each in enumerate(people):
        at = NINE - HOUR + timedelta(minutes=minute)
        await sign_up(db, volunteer=each, shift_book=shift.book, shift=shift.id, now=at)
    await withdraw(
        db, seal=SEAL, volunteer=withdrawn, shift_book=shift.book, shift=shift.id, now=NINE - HOUR
    )
    for minute, each in enumerate((scanned, confirmed, forgotten)):
        await scan(db, each, shift, Direction.ARRIVE, NINE + timedelta(minutes=minute))
    await scan(db, scanned, shift, Direction.LEAVE, NINE + 2 * HOUR)
    actor = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))
    await close_shift(
        db,
        actor=actor,
        shift_book=shift.book,
        shift=shift.id,
        departures={confirmed: ENDS},
        now=ENDS,
    )


async def test_a_shift_lists_who_signed_up_came_and_left(
    db: Database, world: World, people: list[VolunteerId]
) -> None:
    team, foreign = [await world.organization() for _ in range(2)]
    shift = await world.shift(organization=team)
    await fill(db, team, people, shift)

    async with db.read() as conn:
        attendees = await organizer.list_attendees(
            conn, organizations=[team], shift_book=shift.book, shift=shift.id
        )
        seen = await organizer.find_shift(
            conn, organizations=[foreign, team], shift_book=shift.book, shift=shift.id
        )
        latest = await organizer.list_latest_scans(
            conn, organizations=[team], shift_book=shift.book, shift=shift.id, limit=3
        )

    assert [
        (SEAL.open(each.name_sealed or b""), each.minutes, each.evidence, each.is_present)
        for each in attendees
    ] == [
        ("赵一", 120, Evidence.SCANNED, False),
        ("钱二", 179, Evidence.CONFIRMED, False),
        ("孙三", None, None, True),
        ("李四", None, None, False),
        ("周五", None, None, False),
    ]
    assert [each.withdrawn_at is not None for each in attendees] == [False] * 4 + [True]
    assert seen is not None
    assert (seen.signed_up, seen.arrived, seen.left, seen.present) == (4, 3, 2, 1)
    assert seen.closed_at == ENDS
    assert [(SEAL.open(each.name_sealed or b""), each.is_arrival) for each in latest] == [
        ("钱二", False),
        ("赵一", False),
        ("孙三", True),
    ]


async def test_what_was_taken_back_is_no_longer_credited(
    db: Database, world: World, people: list[VolunteerId]
) -> None:
    team = await world.organization()
    shift = await world.shift(organization=team)
    await fill(db, team, people, shift)
    await reverse_transfer(db, actor=None, book=BOOK, seq=1, reason="登记有误", now=ENDS)

    async with db.read() as conn:
        attendees = await organizer.list_attendees(
            conn, organizations=[team], shift_book=shift.book, shift=shift.id
        )

    assert [each.minutes for each in attendees] == [0, 179, None, None, None]


async def test_a_foreign_organization_sees_nothing(
    db: Database, world: World, people: list[VolunteerId]
) -> None:
    team, foreign = [await world.organization() for _ in range(2)]
    shift = await world.shift(organization=team)
    await fill(db, team, people, shift)

    async with db.read() as conn:
        for others in ([foreign], []):
            assert (
                await organizer.find_shift(
                    conn, organizations=others, shift_book=shift.book, shift=shift.id
                )
                is None
            )
            assert (
                await organizer.find_activity(
                    conn, organizations=others, book=BOOK, activity=1, now=NINE
                )
                is None
            )
            for listed in (organizer.list_attendees, organizer.list_latest_scans):
                assert (
                    await listed(conn, organizations=others, shift_book=shift.book, shift=shift.id)
                    == []
                )
            assert await organizer.list_activities(conn, organizations=others, now=NINE) == []
            assert (
                await organizer.list_activity_shifts(
                    conn, organizations=others, book=BOOK, activity=1
                )
                == []
            )


async def test_the_day_the_next_shifts_and_those_that_wait_to_be_closed(
    db: Database, world: World
) -> None:
    await world.open_book()
    team = await world.organization()
    waiting = await world.shift(organization=team, starts_at=NINE - 24 * HOUR)
    await world.shift(organization=team, starts_at=NINE - 24 * HOUR, closed_at=NINE)
    await world.shift(organization=team, starts_at=NINE - 24 * HOUR, cancelled_at=NINE)
    today = await world.shift(organization=team)
    tomorrow = await world.shift(organization=team, starts_at=NINE + 24 * HOUR)
    await world.shift(organization=team, starts_at=NINE + 24 * HOUR, cancelled_at=NINE)
    teams = [team]

    async with db.read() as conn:
        day = await organizer.list_day_shifts(
            conn, organizations=teams, period=Period(NINE - 9 * HOUR, NINE + 15 * HOUR)
        )
        next_ = await organizer.list_next_shifts(conn, organizations=teams, after=NINE)
        unclosed = await organizer.list_unclosed_shifts(conn, organizations=teams, now=NINE)
        activities = await organizer.list_activities(conn, organizations=teams, now=NINE)
        one = await organizer.find_activity(
            conn, organizations=teams, book=BOOK, activity=tomorrow.id, now=NINE
        )
        shifts = await organizer.list_activity_shifts(
            conn, organizations=teams, book=BOOK, activity=today.id
        )

    assert [each.shift for each in day] == [today.id]
    assert [each.shift for each in next_] == [tomorrow.id]
    assert [each.shift for each in unclosed] == [waiting.id]
    assert len(activities) == 6
    assert one is not None
    assert (one.shifts, one.next_at, one.organization_id) == (1, NINE + 24 * HOUR, team)
    assert [each.shift for each in shifts] == [today.id]
