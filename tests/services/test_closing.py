"""Closing settles who never scanned out, by the organizer's word, but never the organizer's own."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import update
from tests.factories import BOOK, NINE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction, Refused, ScanRefusal
from timebank.domain.closing import (
    AlreadyClosed,
    Closed,
    ClosingRefusal,
    ClosingRefused,
    DepartureRefusal,
)
from timebank.domain.qr import Scan
from timebank.ledger import audit
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.closing import close_shift
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import tables

HOUR = timedelta(hours=1)
ENDS = NINE + 3 * HOUR
OTHER_BOOK = 330481


def organizer(
    *organizations: OrganizationId, person: UUID | None = None, volunteer: VolunteerId | None = None
) -> Actor:
    return Actor(
        person or uuid4(),
        frozenset({Role.ORGANIZER}),
        volunteer=volunteer,
        organizations=organizations,
    )


@pytest.fixture
async def team(world: World) -> OrganizationId:
    await world.open_book()
    return await world.organization()


async def scan(
    db: Database, volunteer: VolunteerId, shift: ShiftId, direction: Direction, at: datetime
) -> object:
    request = ScanRequest(volunteer, Scan(shift.book, shift.id, direction, at))
    (result,) = await record_scans(db, requests=[request], now=at)
    return result.decision


async def close(
    db: Database,
    actor: Actor,
    shift: ShiftId,
    departures: Mapping[VolunteerId, datetime] | None = None,
    now: datetime = ENDS,
    waived: Collection[VolunteerId] = (),
) -> Closed | AlreadyClosed | ClosingRefused:
    return await close_shift(
        db,
        actor=actor,
        shift_book=shift.book,
        shift=shift.id,
        departures=departures,
        now=now,
        waived=waived,
    )


async def check_books(db: Database, *books: int) -> None:
    async with db.read() as conn:
        for book in books:
            for rule in audit.RULES:
                assert await audit.find_broken(conn, book=book, rule=rule) is None


async def test_a_departure_by_the_organizer_is_confirmed_and_whoever_gets_none_stays_listed(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    left, settled, forgotten, absent = await world.volunteers(4)
    shift = await world.shift(organization=team, signed_up=[left, settled, forgotten, absent])
    for each in (left, settled, forgotten):
        await scan(db, each, shift, Direction.ARRIVE, NINE + HOUR)
    await scan(db, left, shift, Direction.LEAVE, NINE + 2 * HOUR)
    actor = organizer(team)

    closed = await close(db, actor, shift, {settled: NINE + timedelta(hours=2, minutes=30)})

    assert closed == Closed(ENDS, {settled: 90}, {}, (forgotten,))
    rows = await owner.fetch("select * from transfer order by seq")
    assert [(row["volunteer"], row["assurance"], row["measured"]) for row in rows] == [
        (left.id, 1, 3),
        (settled.id, 1, 1),
    ]
    row = await owner.fetchrow("select * from attendance where volunteer_id = $1", settled.id)
    assert (row["left_at"], row["departure_measured"]) == (
        NINE + timedelta(hours=2, minutes=30),
        False,
    )
    assert [
        (row["act"], row["person_id"], row["subject"])
        for row in await owner.fetch("select * from audit_event order by act")
    ] == [
        ("close_shift", actor.person, f"shift/{BOOK}/{shift.id}"),
        ("set_departure", actor.person, f"shift/{BOOK}/{shift.id}/volunteer/{BOOK}/{settled.id}"),
    ]
    assert await scan(db, forgotten, shift, Direction.LEAVE, ENDS) == Refused(
        ScanRefusal.SHIFT_CLOSED
    )
    await check_books(db, BOOK)


async def test_an_arrival_set_by_hand_and_a_departure_set_by_hand_are_declared(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(organization=team, signed_up=[volunteer])
    await scan(db, volunteer, shift, Direction.ARRIVE, NINE)
    await owner.execute("update attendance set arrival_measured = false")

    assert isinstance(await close(db, organizer(team), shift, {volunteer: ENDS}), Closed)

    row = await owner.fetchrow("select * from transfer")
    assert (row["assurance"], row["measured"], row["amount"]) == (0, 0, 180)


async def test_closing_twice_changes_nothing(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(organization=team, signed_up=[volunteer])
    await scan(db, volunteer, shift, Direction.ARRIVE, NINE)
    actor = organizer(team)

    outcomes = await asyncio.gather(*(close(db, actor, shift, {volunteer: ENDS}) for _ in range(5)))
    again = await close(db, actor, shift, {volunteer: ENDS}, now=ENDS + HOUR)

    assert sum(isinstance(outcome, Closed) for outcome in outcomes) == 1
    assert again == AlreadyClosed(ENDS)
    assert await owner.fetchval("select count(*) from transfer") == 1
    assert await owner.fetchval("select count(*) from audit_event") == 2


async def test_volunteers_of_two_counties_are_credited_in_their_own_books(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    (here,) = await world.volunteers()
    (there,) = await world.volunteers(book=OTHER_BOOK, village=330481001001)
    shift = await world.shift(organization=team, signed_up=[here, there])
    for each in (here, there):
        await scan(db, each, shift, Direction.ARRIVE, NINE)

    closed = await close(db, organizer(team), shift, {here: ENDS, there: ENDS})

    assert closed == Closed(ENDS, {here: 180, there: 180}, {}, ())
    rows = await owner.fetch("select book_id, activity_book from transfer order by book_id")
    assert [tuple(row) for row in rows] == [(BOOK, BOOK), (OTHER_BOOK, BOOK)]
    await check_books(db, BOOK, OTHER_BOOK)


async def test_nobody_confirms_their_own_hours(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    own, other = await world.volunteers(2)
    person = uuid4()
    async with db.write() as conn:
        await conn.execute(
            update(tables.volunteer).where(tables.volunteer.c.id == own.id).values(person_id=person)
        )
    shift = await world.shift(organization=team, signed_up=[own, other])
    for each in (own, other):
        await scan(db, each, shift, Direction.ARRIVE, NINE)

    closed = await close(db, organizer(team, person=person), shift, {own: ENDS, other: ENDS})

    assert closed == Closed(ENDS, {other: 180}, {own: DepartureRefusal.OWN_HOURS}, (own,))
    assert [row[0] for row in await owner.fetch("select volunteer from transfer")] == [other.id]


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NINE + HOUR - timedelta(seconds=1), DepartureRefusal.OUTSIDE_STAY),
        (ENDS + timedelta(seconds=1), DepartureRefusal.OUTSIDE_STAY),
        (NINE + HOUR + timedelta(seconds=59), DepartureRefusal.STAY_TOO_SHORT),
    ],
)
async def test_a_departure_that_cannot_be_keeps_the_shift_open(
    db: Database,
    world: World,
    team: OrganizationId,
    owner: asyncpg.Connection,
    at: datetime,
    reason: DepartureRefusal,
) -> None:
    good, bad = await world.volunteers(2)
    shift = await world.shift(organization=team, signed_up=[good, bad])
    for each in (good, bad):
        await scan(db, each, shift, Direction.ARRIVE, NINE + HOUR)

    refused = await close(db, organizer(team), shift, {good: ENDS, bad: at})

    assert refused == ClosingRefused(ClosingRefusal.DEPARTURES, {bad: reason})
    assert await owner.fetchval("select closed_at from shift") is None
    assert await owner.fetchval("select count(*) from transfer") == 0
    assert isinstance(await close(db, organizer(team), shift, {good: ENDS}), Closed)


async def test_who_scanned_out_meanwhile_keeps_their_own_departure(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    gone, absent = await world.volunteers(2)
    shift = await world.shift(organization=team, signed_up=[gone, absent])
    await scan(db, gone, shift, Direction.ARRIVE, NINE)
    await scan(db, gone, shift, Direction.LEAVE, NINE + HOUR)

    refused = await close(db, organizer(team), shift, {absent: ENDS})
    closed = await close(db, organizer(team), shift, {gone: ENDS})

    assert refused == ClosingRefused(
        ClosingRefusal.DEPARTURES, {absent: DepartureRefusal.NOT_ARRIVED}
    )
    assert closed == Closed(ENDS, {}, {gone: DepartureRefusal.ALREADY_LEFT}, ())
    assert await owner.fetchval("select sum(amount) from transfer") == 60


async def test_a_scan_and_a_closing_at_once_credit_once(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    volunteers = await world.volunteers(10)
    shift = await world.shift(organization=team, signed_up=volunteers)
    for each in volunteers:
        await scan(db, each, shift, Direction.ARRIVE, NINE)

    await asyncio.gather(
        *(scan(db, each, shift, Direction.LEAVE, ENDS) for each in volunteers),
        close(db, organizer(team), shift, dict.fromkeys(volunteers, ENDS)),
    )

    assert await owner.fetchval("select count(*) from transfer") == 10
    assert await owner.fetchval("select count(distinct volunteer) from transfer") == 10
    await check_books(db, BOOK)


async def test_a_shift_is_closed_when_it_is_over_by_who_organized_it(
    db: Database, world: World, team: OrganizationId
) -> None:
    foreign = await world.organization()
    shift = await world.shift(organization=team)
    cancelled = await world.shift(organization=team, cancelled_at=NINE)

    early = await close(db, organizer(team), shift, now=ENDS - timedelta(seconds=1))
    assert early == ClosingRefused(ClosingRefusal.NOT_ENDED, {})
    assert await close(db, organizer(team), cancelled) == ClosingRefused(
        ClosingRefusal.CANCELLED, {}
    )
    with pytest.raises(NotFoundError):
        await close(db, organizer(foreign), shift)
    with pytest.raises(NotFoundError):
        await close(db, organizer(team), ShiftId(BOOK, 99))
    with pytest.raises(NotPermittedError):
        await close(db, Actor(uuid4(), frozenset({Role.OFFICER})), shift)
    assert await close(db, organizer(team), shift) == Closed(ENDS, {}, {}, ())


async def test_a_forgotten_departure_is_settled_as_published_and_never_ones_own(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    seen, forgot, waived, late, mine = people = await world.volunteers(5)
    me = organizer(team, person=await world.person_of(mine))
    by_rule = await world.shift(organization=team, signed_up=people, forgotten="end_of_shift")
    for each, at in (
        (seen, NINE),
        (forgot, NINE + HOUR),
        (waived, NINE),
        (late, ENDS),
        (mine, NINE),
    ):
        await scan(db, each, by_rule, Direction.ARRIVE, at)

    closed = await close(db, me, by_rule, {seen: NINE + HOUR}, waived=[waived])

    assert closed == Closed(ENDS, {seen: 60, forgot: 120}, {}, (waived, late, mine))
    rows = await owner.fetch(
        "select volunteer, amount, assurance, measured from transfer order by 1"
    )
    assert [tuple(row) for row in rows] == [(seen.id, 60, 1, 1), (forgot.id, 120, 1, 1)]
    left = await owner.fetchval(
        "select left_at from attendance where volunteer_id = $1 and not departure_measured",
        forgot.id,
    )
    assert left == ENDS

    later = NINE + 24 * HOUR
    reviewed = await world.shift(
        organization=team, starts_at=later, signed_up=people, forgotten="review"
    )
    for each in (seen, forgot, mine):
        await scan(db, each, reviewed, Direction.ARRIVE, later)
    over = later + 3 * HOUR
    assert await close(db, me, reviewed, {seen: over}, now=over) == ClosingRefused(
        ClosingRefusal.DEPARTURES, {forgot: DepartureRefusal.UNDECIDED}
    )
    assert await owner.fetchval("select count(*) from transfer") == 2
    assert await close(db, me, reviewed, {seen: over}, now=over, waived=[forgot]) == Closed(
        over, {seen: 180}, {}, (forgot, mine)
    )
    await check_books(db, BOOK)
