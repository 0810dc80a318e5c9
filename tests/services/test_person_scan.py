"""The organizer reads people, names them, takes back what was wrong, and looks who is there."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import KEY, NINE, ShiftId, World
from tests.phone import Phone

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Arrived, Direction, Left, Refused, ScanRefusal
from timebank.domain.device_key import binding_message
from timebank.domain.personal_code import (
    PersonalCodeRefusal,
    make_card_code,
    make_phone_code,
    make_sign_in_code,
    phone_code_message,
)
from timebank.domain.retraction import Retracted, RetractionRefusal, RetractionRefused
from timebank.domain.signup import SignupRefusal, SignupRefused
from timebank.domain.walk_up import WalkUp
from timebank.ledger import audit
from timebank.services.device_binding import bind_device
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.person_scan import (
    NobodyRead,
    PersonRead,
    PersonReading,
    admit_walk_up,
    record_kiosk_scans,
    record_named_arrival,
    record_person_scans,
)
from timebank.services.retraction import retract_scan
from timebank.services.spot_check import confirm_presence, count_heads
from timebank.store import cards

HOUR = timedelta(hours=1)


def phone_code(phone: Phone, volunteer: VolunteerId, at: datetime) -> str:
    signature = phone.sign(phone_code_message(volunteer=volunteer, now=at))
    return make_phone_code(volunteer=volunteer, now=at, signature=signature)


async def give_phone(db: Database, person: UUID) -> Phone:
    phone = Phone()
    await bind_device(
        db,
        person=person,
        key=phone.key,
        challenge="",
        signature=phone.sign(binding_message("")),
        now=NINE,
    )
    return phone


async def give_card(db: Database, volunteer: VolunteerId) -> str:
    async with db.write() as conn:
        given = await cards.insert_cards(conn, volunteers=[volunteer], by=None, now=NINE)
    return make_card_code(master_key=KEY, volunteer=volunteer, card=given[volunteer])


def organizer_of(organization: OrganizationId, *, person: UUID | None = None) -> Actor:
    return Actor(person or uuid4(), frozenset({Role.ORGANIZER}), organizations=(organization,))


async def test_a_shift_at_the_door(db: Database, world: World, owner: asyncpg.Connection) -> None:
    """Phone, card and code of the server; a walk-up; a wrong reading; a spot check; the grades."""
    volunteers = await world.volunteers(6)
    phoned, carded, plain, walked, named, own = volunteers
    organization = await world.organization()
    shift = await world.shift(
        organization=organization, signed_up=[phoned, carded, plain, named, own], places=5
    )
    phone = await give_phone(db, await world.person_of(phoned))
    card = await give_card(db, carded)
    actor = organizer_of(organization, person=await world.person_of(own))

    async def read(
        texts: list[str], direction: Direction, at: datetime
    ) -> list[PersonRead | NobodyRead]:
        return await record_person_scans(
            db,
            actor=actor,
            shift_book=shift.book,
            shift=shift.id,
            readings=[PersonReading(text, direction, at) for text in texts],
            master_key=KEY,
            now=at,
        )

    def sign_in_code(volunteer: VolunteerId, at: datetime) -> str:
        return make_sign_in_code(master_key=KEY, volunteer=volunteer, now=at)

    came = await read(
        [
            phone_code(phone, phoned, NINE),
            card,
            sign_in_code(plain, NINE),
            sign_in_code(walked, NINE),
            sign_in_code(own, NINE),
            phone_code(Phone(), phoned, NINE),
            phone_code(phone, plain, NINE),
            sign_in_code(plain, NINE - HOUR),
            "hello",
        ],
        Direction.ARRIVE,
        NINE,
    )
    assert [shown(each) for each in came] == [
        "Arrived",
        "Arrived",
        "Arrived",
        ScanRefusal.NOT_SIGNED_UP,
        ScanRefusal.OWN_CODE,
        PersonalCodeRefusal.FORGED,
        PersonalCodeRefusal.NO_DEVICE,
        PersonalCodeRefusal.EXPIRED,
        PersonalCodeRefusal.FOREIGN,
    ]

    # Full as it is, whoever stands there is let in, once.
    walk_up = WalkUp(shift.book, shift.id, walked, NINE, is_measured=True)
    for expected in ("Arrived", ScanRefusal.ALREADY_ARRIVED):
        admitted = await admit_walk_up(db, actor=actor, walk_up=walk_up, now=NINE)
        assert not isinstance(admitted, SignupRefused)
        assert shown(PersonRead(walked, admitted)) == expected
    by_name = await record_named_arrival(
        db, actor=actor, shift_book=shift.book, shift=shift.id, volunteer=named, now=NINE
    )
    assert isinstance(by_name.decision, Arrived)
    assert await world_present(owner, shift) == 5

    # The wrong one was sent home, and came again later.
    async def retract(volunteer: VolunteerId, at: datetime) -> Retracted | RetractionRefused:
        return await retract_scan(
            db, actor=actor, shift_book=shift.book, shift=shift.id, volunteer=volunteer, now=at
        )

    assert await retract(plain, NINE + HOUR / 2) == Retracted(Direction.ARRIVE, NINE)
    assert await retract(plain, NINE + HOUR / 2) == RetractionRefused(RetractionRefusal.NOT_THERE)
    (again,) = await read([sign_in_code(plain, NINE + HOUR)], Direction.ARRIVE, NINE + HOUR)
    assert shown(again) == "Arrived"

    # A departure read too early is taken back with its credit, and read again.
    early, late = NINE + HOUR, NINE + 2 * HOUR
    (left,) = await read([phone_code(phone, phoned, early)], Direction.LEAVE, early)
    assert shown(left) == "Left 60"
    assert await retract(phoned, early) == Retracted(Direction.LEAVE, early)
    codes = [phone_code(phone, phoned, late), card]
    assert [shown(each) for each in await read(codes, Direction.LEAVE, late)] == [
        "Left 120",
        "Left 120",
    ]

    counted = await count_heads(
        db, actor=actor, shift_book=shift.book, shift=shift.id, counted=2, now=late
    )
    assert counted == 3
    entries = await owner.fetch(
        "select volunteer, kind, amount, assurance, measured from transfer order by seq"
    )
    assert [tuple(row) for row in entries] == [
        (phoned.id, 1, 60, 3, 3),
        (phoned.id, 2, 60, 3, 3),
        (phoned.id, 1, 120, 3, 3),
        (carded.id, 1, 120, 3, 3),
    ]
    kept = await owner.fetch(
        "select volunteer_id, left_at, reversal_seq from retraction order by 1"
    )
    assert [tuple(row) for row in kept] == [(phoned.id, early, 2), (plain.id, None, None)]
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=shift.book, rule=rule) is None

    await owner.execute("update shift set closed_at = $1", late)
    assert await retract(carded, late) == RetractionRefused(RetractionRefusal.SHIFT_CLOSED)


async def test_nobody_stands_at_anothers_door_or_vouches_for_themself(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteer, own = await world.volunteers(2)
    organization = await world.organization()
    shift = await world.shift(organization=organization, signed_up=[volunteer, own])
    person = await world.person_of(own)
    stranger = organizer_of(OrganizationId(organization.book, 99))
    nobody = Actor(uuid4(), frozenset({Role.VOLUNTEER}))
    actor = organizer_of(organization, person=person)
    at = {"shift_book": shift.book, "shift": shift.id, "now": NINE}
    code = make_sign_in_code(master_key=KEY, volunteer=volunteer, now=NINE)
    readings = [PersonReading(code, Direction.ARRIVE, NINE)]
    walk_up = WalkUp(shift.book, shift.id, volunteer, NINE, is_measured=True)

    for who, error in ((stranger, NotFoundError), (nobody, NotPermittedError)):
        with pytest.raises(error):
            await record_person_scans(db, actor=who, readings=readings, master_key=KEY, **at)
        with pytest.raises(error):
            await record_named_arrival(db, actor=who, volunteer=volunteer, **at)
        with pytest.raises(error):
            await admit_walk_up(db, actor=who, walk_up=walk_up, now=NINE)
        with pytest.raises(error):
            await retract_scan(db, actor=who, volunteer=volunteer, **at)
        with pytest.raises(error):
            await count_heads(db, actor=who, counted=3, **at)
        with pytest.raises(error):
            await confirm_presence(db, actor=who, volunteer=volunteer, **at)
    themself = await record_named_arrival(db, actor=actor, volunteer=own, **at)
    assert themself.decision == Refused(ScanRefusal.OWN_CODE)
    mine = WalkUp(shift.book, shift.id, own, NINE, is_measured=False)
    admitted = await admit_walk_up(db, actor=actor, walk_up=mine, now=NINE)
    assert shown(PersonRead(own, admitted)) == ScanRefusal.OWN_CODE  # type: ignore[arg-type]
    assert await owner.fetchval("select count(*) from attendance") == 0

    await owner.execute("update shift set cancelled_at = $1", NINE)
    late = WalkUp(shift.book, shift.id, volunteer, NINE, is_measured=True)
    refused = await admit_walk_up(db, actor=actor, walk_up=late, now=NINE)
    assert refused == SignupRefused(SignupRefusal.SHIFT_CANCELLED)


async def test_a_tablet_that_nobody_watches_vouches_for_nobody(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    phoned, plain, carded, seen = volunteers = await world.volunteers(4)
    organization = await world.organization()
    shift = await world.shift(organization=organization, signed_up=volunteers)
    phone = await give_phone(db, await world.person_of(phoned))
    card, seen_card = await give_card(db, carded), await give_card(db, seen)
    for direction, at in ((Direction.ARRIVE, NINE), (Direction.LEAVE, NINE + HOUR)):
        texts = [
            phone_code(phone, phoned, at),
            make_sign_in_code(master_key=KEY, volunteer=plain, now=at),
            card,
            seen_card,
        ]
        await record_kiosk_scans(
            db,
            shift_book=shift.book,
            shift=shift.id,
            readings=[PersonReading(text, direction, at) for text in texts],
            master_key=KEY,
            now=at,
        )
        if direction is Direction.ARRIVE:
            await confirm_presence(
                db,
                actor=organizer_of(organization),
                shift_book=shift.book,
                shift=shift.id,
                volunteer=seen,
                now=NINE + HOUR / 2,
            )
    grades = await owner.fetch("select volunteer, assurance from transfer order by volunteer")
    assert [row["assurance"] for row in grades] == [2, 1, 0, 3]

    async with db.write() as conn:
        assert await cards.set_revoked(conn, volunteer=carded, by=None, now=NINE) == 1
    (lost,) = await record_kiosk_scans(
        db,
        shift_book=shift.book,
        shift=shift.id,
        readings=[PersonReading(card, Direction.ARRIVE, NINE)],
        master_key=KEY,
        now=NINE,
    )
    assert lost == NobodyRead(PersonalCodeRefusal.REVOKED)


async def world_present(owner: asyncpg.Connection, shift: ShiftId) -> int:
    count: int = await owner.fetchval(
        "select count(*) from attendance where shift_id = $1 and left_at is null", shift.id
    )
    return count


def shown(result: PersonRead | NobodyRead) -> str:
    if isinstance(result, NobodyRead):
        return result.reason
    match result.recorded.decision:
        case Refused(reason):
            return reason
        case Left(credit=credit):
            return f"Left {credit.amount}"
        case decision:
            return type(decision).__name__
