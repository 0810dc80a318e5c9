"""Organizers publish for their own organization only; the last place is taken once."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, NINE, OPENED, TOWN, VILLAGE, ShiftId, World

from timebank.db import Database
from timebank.domain.activity import (
    ActivityPublished,
    ActivityRefusal,
    ActivityRefused,
    CancellationRefusal,
    CancellationRefused,
    Cancelled,
    NewActivity,
    NewShift,
    ShiftsAdded,
)
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.organization import OrganizationKind
from timebank.domain.qr import Scan
from timebank.domain.service_field import ServiceField
from timebank.domain.signup import (
    SignedUp,
    SignupRefusal,
    SignupRefused,
    WithdrawalRefusal,
    WithdrawalRefused,
    Withdrawn,
)
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.errors import ConflictError, NotFoundError, NotPermittedError
from timebank.services.scheduling import (
    add_shifts,
    cancel_activity,
    cancel_shift,
    open_organization,
    publish_activity,
    sign_up,
    withdraw,
)
from timebank.store import tables
from timebank.store.seal import Seal

EVE = NINE - timedelta(days=1)
HOUR = timedelta(hours=1)
ACTIVITY = NewActivity(
    title=" 敬老\u202e  服务 ",
    field=ServiceField.ELDER_CARE,
    content="陪老人聊天\r\n帮老人理发\x00",
    address="镇社工站",
    region=VILLAGE,
    in_charge="值班社工",
)
MORNING = NewShift(starts_at=NINE, ends_at=NINE + 3 * HOUR, places=5)


def organizer(*organizations: OrganizationId) -> Actor:
    return Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=organizations)


@pytest.fixture
async def team(db: Database, world: World) -> OrganizationId:
    await world.open_book()
    async with db.write() as conn:
        await conn.execute(insert(tables.region).values(code=VILLAGE, name="村", level="village"))
    return await world.organization()


async def publish(
    db: Database,
    team: OrganizationId,
    *shifts: NewShift,
    activity: NewActivity = ACTIVITY,
    actor: Actor | None = None,
) -> ActivityPublished | ActivityRefused:
    return await publish_activity(
        db,
        actor=actor or organizer(team),
        organization=team,
        activity=activity,
        shifts=shifts,
        now=EVE,
    )


async def take(
    db: Database, volunteer: VolunteerId, shift: ShiftId, at: datetime = EVE
) -> SignedUp | SignupRefusal:
    outcome = await sign_up(db, volunteer=volunteer, shift_book=shift.book, shift=shift.id, now=at)
    return outcome.reason if isinstance(outcome, SignupRefused) else outcome


async def give_back(
    db: Database, volunteer: VolunteerId, shift: ShiftId, at: datetime = EVE
) -> Withdrawn | WithdrawalRefusal:
    outcome = await withdraw(
        db, seal=Seal(KEY), volunteer=volunteer, shift_book=shift.book, shift=shift.id, now=at
    )
    return outcome.reason if isinstance(outcome, WithdrawalRefused) else outcome


async def scan(
    db: Database, volunteer: VolunteerId, shift: ShiftId, direction: Direction, at: datetime
) -> None:
    request = ScanRequest(volunteer, Scan(shift.book, shift.id, direction, at))
    await record_scans(db, requests=[request], now=at)


async def test_an_organization_is_opened_once(db: Database, owner: asyncpg.Connection) -> None:
    async def open_(kind: OrganizationKind = OrganizationKind.TEAM) -> OrganizationId:
        return await open_organization(
            db, name=" 朝阳  志愿服务队", kind=kind, region=TOWN, by=None, now=OPENED
        )

    assert await open_() == await open_() == OrganizationId(BOOK, 1)
    with pytest.raises(ConflictError):
        await open_(OrganizationKind.STATION)
    with pytest.raises(ValueError, match="name"):
        await open_organization(
            db, name=" ", kind=OrganizationKind.TEAM, region=TOWN, by=None, now=OPENED
        )
    assert await owner.fetchval("select name from organization") == "朝阳 志愿服务队"
    assert await owner.fetchval("select count(*) from audit_event") == 1


async def test_publishing_writes_clean_text_shifts_and_who_did_it(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    actor = organizer(team)
    afternoon = replace(MORNING, starts_at=NINE + 5 * HOUR, ends_at=NINE + 7 * HOUR)

    published = await publish(db, team, MORNING, afternoon, actor=actor)

    assert published == ActivityPublished(BOOK, 1, (1, 2))
    row = await owner.fetchrow("select * from activity")
    assert (row["title"], row["content"]) == ("敬老 服务", "陪老人聊天\n帮老人理发")
    assert (row["created_by"], row["is_listed"]) == (actor.person, True)
    event = await owner.fetchrow("select * from audit_event")
    assert (event["person_id"], event["act"]) == (actor.person, "publish_activity")
    assert event["subject"] == f"activity/{BOOK}/1"


async def test_a_refused_activity_names_everything_that_is_wrong_and_writes_nothing(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    refused = await publish(
        db,
        team,
        replace(MORNING, places=0),
        activity=replace(ACTIVITY, title="敬", region=VILLAGE + 1),
    )

    assert refused == ActivityRefused(
        (
            ActivityRefusal.TITLE_LENGTH,
            ActivityRefusal.REGION_UNKNOWN,
            ActivityRefusal.SHIFT_PLACES,
        )
    )
    for table in ("activity", "shift", "audit_event"):
        assert await owner.fetchval(f"select count(*) from {table}") == 0


async def test_a_foreign_organization_is_not_found(
    db: Database, world: World, team: OrganizationId
) -> None:
    foreign = organizer(await world.organization())
    published = await publish(db, team, MORNING)
    assert isinstance(published, ActivityPublished)
    (shift,) = published.shifts

    async def try_all(actor: Actor, error: type[Exception], book: int = BOOK) -> None:
        with pytest.raises(error):
            await publish(db, team, MORNING, actor=actor)
        with pytest.raises(error):
            await add_shifts(
                db,
                actor=actor,
                book=book,
                activity=published.activity,
                shifts=[MORNING],
                now=EVE,
            )
        with pytest.raises(error):
            await cancel_shift(db, actor=actor, shift_book=book, shift=shift, now=EVE)
        with pytest.raises(error):
            await cancel_activity(db, actor=actor, book=book, activity=published.activity, now=EVE)

    await try_all(foreign, NotFoundError)
    await try_all(Actor(uuid4(), frozenset({Role.VOLUNTEER})), NotPermittedError)
    with pytest.raises(NotFoundError):
        await cancel_shift(db, actor=organizer(team), shift_book=BOOK, shift=99, now=EVE)


async def test_shifts_are_added_until_the_activity_is_cancelled(
    db: Database, team: OrganizationId
) -> None:
    actor = organizer(team)
    published = await publish(db, team)
    assert published == ActivityPublished(BOOK, 1, ())

    async def add(at: datetime) -> ShiftsAdded | ActivityRefused:
        return await add_shifts(db, actor=actor, book=BOOK, activity=1, shifts=[MORNING], now=at)

    assert await add(EVE) == ShiftsAdded((1,))
    assert await cancel_activity(db, actor=actor, book=BOOK, activity=1, now=EVE) == Cancelled(EVE)
    later = EVE + HOUR
    assert await cancel_activity(db, actor=actor, book=BOOK, activity=1, now=later) == Cancelled(
        EVE
    )
    assert await add(later) == ActivityRefused((ActivityRefusal.CANCELLED,))


async def test_a_shift_that_somebody_came_to_cannot_be_called_off(
    db: Database, world: World, team: OrganizationId
) -> None:
    (volunteer,) = await world.volunteers()
    actor = organizer(team)
    empty = await world.shift(organization=team)
    visited = await world.shift(organization=team, signed_up=[volunteer])
    closed = await world.shift(organization=team, closed_at=NINE + 4 * HOUR)
    await scan(db, volunteer, visited, Direction.ARRIVE, NINE)

    async def cancel(shift: ShiftId) -> Cancelled | CancellationRefused:
        return await cancel_shift(db, actor=actor, shift_book=shift.book, shift=shift.id, now=NINE)

    assert await cancel(empty) == Cancelled(NINE)
    assert await cancel(visited) == CancellationRefused(CancellationRefusal.SOMEBODY_ARRIVED)
    assert await cancel(closed) == CancellationRefused(CancellationRefusal.CLOSED)
    assert await cancel_activity(
        db, actor=actor, book=BOOK, activity=2, now=NINE
    ) == CancellationRefused(CancellationRefusal.SOMEBODY_ARRIVED)


async def test_twenty_volunteers_take_exactly_five_places(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteers = await world.volunteers(20)
    shift = await world.shift(places=5)

    outcomes = await asyncio.gather(*(take(db, each, shift) for each in volunteers))

    assert sum(outcome == SignedUp(EVE) for outcome in outcomes) == 5
    assert outcomes.count(SignupRefusal.FULL) == 15
    assert await owner.fetchval("select count(*) from signup") == 5


async def test_one_of_two_simultaneous_sign_ups_at_the_same_time_is_refused(
    db: Database, world: World
) -> None:
    (volunteer,) = await world.volunteers()
    shifts = [await world.shift() for _ in range(4)]

    outcomes = await asyncio.gather(*(take(db, volunteer, each) for each in shifts))

    assert sum(outcome == SignedUp(EVE) for outcome in outcomes) == 1
    assert outcomes.count(SignupRefusal.OVERLAPS) == 3


async def test_signing_up_is_refused(db: Database, world: World) -> None:
    volunteer, other = await world.volunteers(2)
    ends = NINE + 3 * HOUR

    async def refused(shift: ShiftId, at: datetime = EVE) -> object:
        return await take(db, volunteer, shift, at)

    assert await refused(ShiftId(BOOK, 99)) is SignupRefusal.SHIFT_NOT_FOUND
    cancelled = await world.shift(cancelled_at=EVE, closed_at=EVE)
    assert await refused(cancelled, ends) is SignupRefusal.SHIFT_CANCELLED
    assert await refused(await world.shift(closed_at=EVE), ends) is SignupRefusal.SHIFT_CLOSED
    full = await world.shift(places=1, signed_up=[volunteer])
    assert await refused(full, ends) is SignupRefusal.SHIFT_ENDED
    assert await refused(full) is SignupRefusal.ALREADY_SIGNED_UP
    taken = await world.shift(places=1, signed_up=[other])
    assert await refused(taken) is SignupRefusal.FULL
    assert await refused(await world.shift()) is SignupRefusal.OVERLAPS
    assert await refused(await world.shift(starts_at=ends)) == SignedUp(EVE)
    with pytest.raises(NotFoundError):
        await take(db, VolunteerId(BOOK, 99), full)


async def test_who_left_early_is_free_for_the_next_shift(db: Database, world: World) -> None:
    (volunteer,) = await world.volunteers()
    first = await world.shift(signed_up=[volunteer])
    await scan(db, volunteer, first, Direction.ARRIVE, NINE)
    await scan(db, volunteer, first, Direction.LEAVE, NINE + HOUR)
    next_ = await world.shift(starts_at=NINE + 2 * HOUR)

    assert await take(db, volunteer, next_, NINE + HOUR) == SignedUp(NINE + HOUR)


async def test_a_place_is_given_back_until_the_arrival(db: Database, world: World) -> None:
    volunteer, other = await world.volunteers(2)
    shift = await world.shift(places=1, signed_up=[volunteer])
    ends = NINE + 3 * HOUR

    assert await give_back(db, volunteer, ShiftId(BOOK, 99)) is WithdrawalRefusal.NOT_SIGNED_UP
    assert await give_back(db, other, shift) is WithdrawalRefusal.NOT_SIGNED_UP
    assert await give_back(db, volunteer, shift, ends) is WithdrawalRefusal.SHIFT_ENDED
    assert await give_back(db, volunteer, shift) == Withdrawn(EVE)
    assert await give_back(db, volunteer, shift) is WithdrawalRefusal.NOT_SIGNED_UP
    assert await take(db, other, shift) == SignedUp(EVE)
    assert await give_back(db, other, shift) == Withdrawn(EVE)
    assert await take(db, volunteer, shift) == SignedUp(EVE)

    await scan(db, volunteer, shift, Direction.ARRIVE, NINE)
    assert await give_back(db, volunteer, shift, ends) is WithdrawalRefusal.ALREADY_ARRIVED
