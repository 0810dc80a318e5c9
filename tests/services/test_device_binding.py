"""A phone is bound once, to one person; readings made on it say so, and others' are flagged."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import NINE, ShiftId, World
from tests.phone import Phone

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Arrived, Direction, Left
from timebank.domain.device_key import (
    AlreadyBound,
    BindingRefused,
    Bound,
    DeviceRefusal,
    binding_message,
)
from timebank.domain.evidence import WALL_READING, Means, ScanEvidence, ScanFlag, Whereabouts
from timebank.domain.qr import Scan
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.device_binding import bind_device, release_device
from timebank.services.errors import NotFoundError, NotPermittedError

HOUR = timedelta(hours=1)


async def bind(db: Database, person: UUID, phone: Phone) -> object:
    return await bind_device(
        db,
        person=person,
        key=phone.key,
        challenge="c0ffee",
        signature=phone.sign(binding_message("c0ffee")),
        now=NINE,
    )


async def stay(
    db: Database,
    volunteer: VolunteerId,
    shift: ShiftId,
    phone: Phone | None,
    *,
    arrive: ScanEvidence = WALL_READING,
    leave: ScanEvidence = WALL_READING,
    by: UUID | None = None,
) -> tuple[object, object]:
    """Come and go with a phone whose signatures were checked."""
    decisions = []
    for direction, at, evidence in (
        (Direction.ARRIVE, NINE, arrive),
        (Direction.LEAVE, NINE + HOUR, leave),
    ):
        device = None if phone is None else phone.key.id
        seen_by = by if evidence.means is Means.ORGANIZER else None
        request = ScanRequest(
            volunteer, Scan(shift.book, shift.id, direction, at), evidence, device, seen_by
        )
        (recorded,) = await record_scans(db, requests=[request], now=at)
        decisions.append(recorded.decision)
    return decisions[0], decisions[1]


async def test_a_phone_is_one_persons_and_a_person_has_one_phone(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer, other) = await world.volunteers(2)
    me, somebody = await world.person_of(volunteer), await world.person_of(other)
    mine, second, forged = Phone(), Phone(), Phone()

    refused = await bind_device(
        db, person=me, key=forged.key, challenge="c0ffee", signature=bytes(64), now=NINE
    )
    assert refused == BindingRefused(DeviceRefusal.UNPROVED)
    unread = await bind_device(
        db, person=me, key=None, challenge="c0ffee", signature=bytes(64), now=NINE
    )
    assert unread == BindingRefused(DeviceRefusal.MALFORMED_KEY)
    answers = await asyncio.gather(*(bind(db, each, mine) for each in [me] * 5 + [somebody] * 5))
    assert answers.count(Bound()) == 1
    loser = somebody if Bound() in answers[:5] else me
    winner = me if loser == somebody else somebody
    assert await bind(db, winner, mine) == AlreadyBound()
    assert await bind(db, winner, second) == BindingRefused(DeviceRefusal.ANOTHER_BOUND)
    assert await bind(db, loser, mine) == BindingRefused(DeviceRefusal.BOUND_TO_ANOTHER)
    assert await owner.fetchval("select count(*) from device_key") == 1


async def test_only_the_organizer_of_a_shift_lets_a_lost_phone_go(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteer, stranger, own = await world.volunteers(3)
    organization = await world.organization()
    shift = await world.shift(organization=organization, signed_up=[volunteer, own])
    person, lost, fresh = await world.person_of(volunteer), Phone(), Phone()
    organizer = organizer_of(organization, person=await world.person_of(own))
    await bind(db, person, lost)

    async def release(actor: Actor, whose: VolunteerId) -> bool:
        return await release_device(
            db, actor=actor, shift_book=shift.book, shift=shift.id, volunteer=whose, now=NINE + HOUR
        )

    with pytest.raises(NotFoundError):
        await release(organizer_of(OrganizationId(organization.book, 99)), volunteer)
    with pytest.raises(NotFoundError):
        await release(organizer, stranger)
    with pytest.raises(NotPermittedError):
        await release(organizer, own)
    with pytest.raises(NotPermittedError):
        await release(Actor(person, frozenset({Role.VOLUNTEER}), volunteer), volunteer)
    assert await release(organizer, volunteer)
    assert not await release(organizer, volunteer)
    assert await bind(db, person, fresh) == Bound()
    acts = await owner.fetch("select act, person_id from audit_event")
    assert [tuple(row) for row in acts] == [("release_device", organizer.person)]


async def test_the_grade_of_a_stay_follows_the_phone_and_the_organizers_eyes(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteers = await world.volunteers(6)
    bound, shared, plain, outside, vouched, carded = volunteers
    shift = await world.shift(signed_up=volunteers)
    phone = Phone()
    await bind(db, await world.person_of(bound), phone)
    seen, card = ScanEvidence(Means.ORGANIZER), ScanEvidence(Means.CARD)
    afar = WALL_READING._replace(place=Whereabouts.OUTSIDE)
    organizer = uuid4()

    decisions = {
        bound: await stay(db, bound, shift, phone),
        shared: await stay(db, shared, shift, phone),
        plain: await stay(db, plain, shift, Phone()),
        outside: await stay(db, outside, shift, None, leave=afar),
        vouched: await stay(db, vouched, shift, phone, leave=seen, by=organizer),
        carded: await stay(db, carded, shift, None, arrive=card),
    }

    assert all(isinstance(arrived, Arrived) for arrived, _ in decisions.values())
    assert all(isinstance(left, Left) for _, left in decisions.values())
    rows = await owner.fetch("select volunteer, assurance, measured from transfer order by seq")
    assert [tuple(row) for row in rows] == [
        (bound.id, 2, 3),
        (shared.id, 0, 3),
        (plain.id, 1, 3),
        (outside.id, 1, 3),
        (vouched.id, 3, 3),
        (carded.id, 0, 3),
    ]
    ends = await owner.fetch(
        "select arrival_grade, departure_grade, confirmed_by from attendance order by volunteer_id"
    )
    assert [tuple(row) for row in ends] == [
        (2, 2, None),
        (0, 0, None),
        (1, 1, None),
        (1, 1, None),
        (0, 3, organizer),
        (0, 1, None),
    ]
    flags = await owner.fetch("select volunteer_id, direction, flag from scan_flag order by 1, 2")
    assert [tuple(row) for row in flags] == [
        (shared.id, "arrive", ScanFlag.SHARED_DEVICE),
        (shared.id, "leave", ScanFlag.SHARED_DEVICE),
        (outside.id, "leave", ScanFlag.ELSEWHERE),
        (vouched.id, "arrive", ScanFlag.SHARED_DEVICE),
    ]
    minutes = await owner.fetch(
        "select assurance, sum(minutes)::int as minutes from volunteer_month group by 1 order by 1"
    )
    assert [tuple(row) for row in minutes] == [(0, 120), (1, 120), (2, 60), (3, 60)]


def organizer_of(organization: OrganizationId, *, person: UUID | None = None) -> Actor:
    return Actor(person or uuid4(), frozenset({Role.ORGANIZER}), organizations=(organization,))
