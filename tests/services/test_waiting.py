"""A freed place goes to the next who waits and can take it, exactly once, and they are told."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.enrolment import NewVolunteer
from timebank.domain.places import PlacesChanged, PlacesRefusal, PlacesRefused
from timebank.domain.shift_message import MessageRefusal
from timebank.domain.signup import (
    SignedUp,
    SignupRefused,
    Waiting,
    WaitingRefusal,
    WaitingRefused,
    WithdrawalRefusal,
    WithdrawalRefused,
    Withdrawn,
)
from timebank.services.closing import close_shift
from timebank.services.enrolment import enrol_volunteers
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.places import change_places
from timebank.services.scheduling import (
    MessageQueued,
    MessageRefused,
    join_waiting,
    leave_waiting,
    send_message,
    sign_up,
    withdraw,
)
from timebank.store import outbox
from timebank.store.seal import Seal

SEAL = Seal(KEY)
EARLY = NINE - timedelta(days=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def people(db: Database, world: World) -> list[VolunteerId]:
    await world.open_book()
    return await enrol_volunteers(
        db,
        seal=SEAL,
        book=BOOK,
        people=[
            NewVolunteer(
                reference=f"W{n}",
                name=f"志愿者{n}",
                phone=f"1391234{n:04}",
                village=330424101001,
                enrolled_at=EARLY,
            )
            for n in range(24)
        ],
        now=EARLY,
    )


async def test_places_go_to_those_who_wait_in_their_order_and_each_is_told_once(
    db: Database, world: World, people: list[VolunteerId], owner: asyncpg.Connection
) -> None:
    shift = await world.shift(places=8, signed_up=people[:8])
    other = await world.shift(places=8, signed_up=people[9:10])
    where = {"shift_book": shift.book, "shift": shift.id}

    async def wait(who: VolunteerId, place: int) -> object:
        return await join_waiting(db, volunteer=who, **where, now=EARLY + place * SECOND)

    for place, who in enumerate(people[8:20]):
        assert await wait(who, place) == Waiting(EARLY + place * SECOND, place + 1)
    refused = [
        (people[8], WaitingRefusal.ALREADY_WAITING),
        (people[0], WaitingRefusal.ALREADY_SIGNED_UP),
    ]
    for who, reason in refused:
        assert await wait(who, 50) == WaitingRefused(reason)
    at_once = await join_waiting(db, volunteer=people[21], **where, now=NINE)
    assert at_once == WaitingRefused(WaitingRefusal.STARTED)
    free = await join_waiting(db, volunteer=people[21], shift_book=BOOK, shift=other.id, now=EARLY)
    assert free == WaitingRefused(WaitingRefusal.PLACES_LEFT)
    # The tenth has no time then, the eleventh gave up: neither gets a place, the first keeps theirs.
    await leave_waiting(db, volunteer=people[10], **where, now=EARLY)

    # Eight give back at once, while one who does not wait tries to slip in.
    given = [
        withdraw(db, seal=SEAL, volunteer=each, **where, now=EARLY + timedelta(hours=1))
        for each in people[:8]
    ]
    slip = sign_up(db, volunteer=people[22], **where, now=EARLY + timedelta(hours=1))
    *outcomes, slipped = await asyncio.gather(*given, slip)

    promoted = [each.promoted for each in outcomes if isinstance(each, Withdrawn)]
    expected = [people[8], *people[11:18]]
    assert isinstance(slipped, SignupRefused)
    assert sorted(promoted, key=lambda each: each.id if each else 0) == expected
    held = await owner.fetch(
        "select volunteer_id from signup where shift_id = $1 and withdrawn_at is null order by 1",
        shift.id,
    )
    assert [row[0] for row in held] == [each.id for each in expected]
    async with db.read() as conn:
        told = await outbox.list_newest(conn, seal=SEAL, limit=50)
    assert sorted(each.phone for each in told) == [f"1391234{n:04}" for n in (8, *range(11, 18))]
    assert all("敬老服务" in each.text and "3月2日 09:00" in each.text for each in told)
    # A promoted one signs off as easily, and the next follows; who was promoted waits no longer.
    last = await withdraw(
        db, seal=SEAL, volunteer=people[8], **where, now=EARLY + timedelta(hours=2)
    )
    assert last == Withdrawn(EARLY + timedelta(hours=2), people[18])
    # Once it has begun nobody is called in.
    begun = await withdraw(db, seal=SEAL, volunteer=people[18], **where, now=NINE + SECOND)
    assert begun == Withdrawn(NINE + SECOND, None)
    again = await withdraw(db, seal=SEAL, volunteer=people[18], **where, now=NINE + SECOND)
    assert again == WithdrawalRefused(WithdrawalRefusal.NOT_SIGNED_UP)
    assert isinstance(await sign_up(db, volunteer=people[23], **where, now=NINE + SECOND), SignedUp)


async def test_new_places_go_to_those_who_wait_and_nobody_loses_one(
    db: Database, world: World, people: list[VolunteerId], owner: asyncpg.Connection
) -> None:
    team = await world.organization()
    shift = await world.shift(organization=team, places=2, signed_up=people[:2])
    await world.shift(places=8, signed_up=people[3:4])
    where = {"shift_book": shift.book, "shift": shift.id}
    for place, who in enumerate(people[2:18]):
        at = EARLY + place * SECOND
        assert isinstance(await join_waiting(db, volunteer=who, **where, now=at), Waiting)

    async def change(places: int, *, actor: Actor | None = None, now: datetime = EARLY) -> object:
        return await change_places(
            db, seal=SEAL, actor=actor or organizer(team), **where, places=places, now=now
        )

    with pytest.raises(NotFoundError):
        await change(5, actor=organizer(await world.organization()))
    # The second who waits has no time then.
    at_once = await asyncio.gather(change(14), change(14))
    twelve = (people[2], *people[4:15])
    assert sorted(len(each.promoted) for each in at_once) == [0, 12]  # type: ignore[attr-defined]
    assert PlacesChanged(twelve) in at_once
    async with db.read() as conn:
        told = await outbox.list_newest(conn, seal=SEAL, limit=50)
    assert len(told) == 12
    refused = [
        (13, EARLY, PlacesRefusal.TAKEN),
        (0, EARLY, PlacesRefusal.NUMBER),
        (15, NINE + timedelta(days=1), PlacesRefusal.OVER),
    ]
    for places, now, reason in refused:
        assert await change(places, now=now) == PlacesRefused(reason)
    # Once it has begun nobody is called in.
    assert await change(16, now=NINE + SECOND) == PlacesChanged(())
    assert await owner.fetchval("select places from shift where id = $1", shift.id) == 16


def organizer(*teams: OrganizationId) -> Actor:
    return Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=teams)


async def test_everybody_on_a_shift_is_told_and_who_stayed_away_is_noted_at_closing(
    db: Database, world: World, people: list[VolunteerId], owner: asyncpg.Connection
) -> None:
    team = await world.organization()
    (silent,) = await world.volunteers()
    shift = await world.shift(organization=team, signed_up=[*people[:3], silent])
    empty = await world.shift(organization=team)

    async def tell(actor: Actor, text: str = "改在东门集合", number: int = shift.id) -> object:
        return await send_message(
            db, seal=SEAL, actor=actor, shift_book=BOOK, shift=number, text=text, now=EARLY
        )

    with pytest.raises(NotFoundError):
        await tell(organizer())
    with pytest.raises(NotPermittedError):
        await tell(Actor(uuid4(), frozenset({Role.OFFICER})))
    assert await tell(organizer(team), " \n ") == MessageRefused(MessageRefusal.TEXT_LENGTH)
    assert await tell(organizer(team), "字" * 201) == MessageRefused(MessageRefusal.TEXT_LENGTH)
    assert await tell(organizer(team), number=empty.id) == MessageRefused(MessageRefusal.NOBODY)
    assert await tell(organizer(team)) == MessageQueued(3)
    async with db.read() as conn:
        told = await outbox.list_newest(conn, seal=SEAL, limit=9)
    assert {each.text for each in told} == {"【时间银行】“敬老服务”：改在东门集合"}
    assert sorted(each.phone for each in told) == [f"1391234{n:04}" for n in range(3)]
    for turn in range(1, 5):
        await send_message(
            db,
            seal=SEAL,
            actor=organizer(team),
            shift_book=BOOK,
            shift=shift.id,
            text="再说一次",
            now=EARLY + turn * SECOND,
        )
    assert await tell(organizer(team)) == MessageRefused(MessageRefusal.TOO_MANY)

    await owner.execute(
        "insert into attendance (book_id, volunteer_id, shift_book, shift_id, arrived_at,"
        " arrival_measured) values ($1, $2, $1, $3, $4, true)",
        BOOK,
        people[0].id,
        shift.id,
        NINE,
    )
    await owner.execute(
        "update signup set withdrawn_at = $1 where volunteer_id = $2", NINE, people[1].id
    )
    ends = NINE + timedelta(hours=3)
    await close_shift(
        db, actor=organizer(team), shift_book=BOOK, shift=shift.id, departures=None, now=ends
    )
    missed = await owner.fetch(
        "select volunteer_id, missed_at from signup where missed_at is not null order by 1"
    )
    assert [tuple(row) for row in missed] == [(people[2].id, ends), (silent.id, ends)]
