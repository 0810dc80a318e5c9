"""The organizer reads a volunteer's code, or names them: the same records as a scan of the wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.attendance import Direction, Refused, ScanRefusal
from timebank.domain.evidence import Means, ScanEvidence
from timebank.domain.personal_code import (
    CardCode,
    PersonalCode,
    PersonalCodeRefusal,
    PhoneCode,
    read_personal_code,
)
from timebank.domain.qr import Scan
from timebank.domain.signup import SignupRefused
from timebank.domain.walk_up import WalkUp, decide_walk_up
from timebank.queries import organizer
from timebank.services.checkin import RecordedScan, ScanRequest, record_scans
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, cards, devices, signups, volunteers
from timebank.trust.device_signature import is_signed


@dataclass(frozen=True, slots=True)
class PersonReading:
    """One reading of a volunteer's code.

    Attributes:
        text: What was read.
        at: When, by the server's time.
        is_late: Made without network and sent afterwards.
    """

    text: str
    direction: Direction
    at: datetime
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class PersonRead:
    """The code named somebody, and this became of it."""

    volunteer: VolunteerId
    recorded: RecordedScan


@dataclass(frozen=True, slots=True)
class NobodyRead:
    """The code names nobody; nothing is written."""

    reason: PersonalCodeRefusal


async def record_person_scans(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    readings: Sequence[PersonReading],
    master_key: bytes,
    now: datetime,
) -> list[PersonRead | NobodyRead]:
    """Record whom the organizer of a shift read. Nobody reads their own code.

    Shape: one result per reading, in their order.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.

    Cost: three statements to know the people, and those of `record_scans`.
    """
    await _check_own_shift(db, actor, shift_book=shift_book, shift=shift)
    return await _record(
        db,
        shift_book=shift_book,
        shift=shift,
        readings=readings,
        by=actor.person,
        master_key=master_key,
        now=now,
    )


async def record_kiosk_scans(
    db: Database,
    *,
    shift_book: int,
    shift: int,
    readings: Sequence[PersonReading],
    master_key: bytes,
    now: datetime,
) -> list[PersonRead | NobodyRead]:
    """Record who showed a code to the tablet at the door of a shift.

    The caller has proved that an organizer set the tablet up for this shift. Nobody looks at the
    people there: a rotating code counts as if its owner had read the wall, a card as declared.

    Shape: one result per reading, in their order.
    """
    return await _record(
        db,
        shift_book=shift_book,
        shift=shift,
        readings=readings,
        by=None,
        master_key=master_key,
        now=now,
    )


async def record_named_arrival(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    volunteer: VolunteerId,
    now: datetime,
) -> RecordedScan:
    """Record that somebody with a place has come, by the organizer's word; nobody names themself.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    await _check_own_shift(db, actor, shift_book=shift_book, shift=shift)
    return await _arrive(
        db, actor, WalkUp(shift_book, shift, volunteer, now, is_measured=False), now=now
    )


async def admit_walk_up(
    db: Database, *, actor: Actor, walk_up: WalkUp, now: datetime
) -> RecordedScan | SignupRefused:
    """Give somebody who came a place, over the number if need be, and record their arrival.

    Both is safe to run twice: who has a place keeps it, who has arrived stays so.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift or volunteer, or the shift is not the actor's.
    """
    shift_book, shift, volunteer = walk_up.shift_book, walk_up.shift, walk_up.volunteer
    async with db.write() as conn:
        if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
            raise NotFoundError
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        facts = await signups.find_facts(conn, volunteer=volunteer, shift=found)

        decision = decide_walk_up(facts, now=now)

        if isinstance(decision, SignupRefused):
            return decision
        if not facts.is_signed_up:
            await signups.set_signed_up(
                conn, volunteer=volunteer, shift_book=shift_book, shift=shift, at=now
            )
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="admit_walk_up",
                subjects=[_subject(walk_up)],
            )
    return await _arrive(db, actor, walk_up, now=now)


async def _arrive(db: Database, actor: Actor, walk_up: WalkUp, *, now: datetime) -> RecordedScan:
    async with db.read() as conn:
        people = await volunteers.persons_of(conn, volunteers=[walk_up.volunteer])
    if people.get(walk_up.volunteer) == actor.person:
        return RecordedScan(Refused(ScanRefusal.OWN_CODE))
    request = ScanRequest(
        walk_up.volunteer,
        Scan(walk_up.shift_book, walk_up.shift, Direction.ARRIVE, walk_up.at),
        ScanEvidence(Means.ORGANIZER, is_measured=walk_up.is_measured),
        by=actor.person,
    )
    (recorded,) = await record_scans(db, requests=[request], now=now)
    return recorded


async def _check_own_shift(db: Database, actor: Actor, *, shift_book: int, shift: int) -> None:
    async with db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=actor.organizations, shift_book=shift_book, shift=shift
        )
    check_organizes(actor, found.organization_id if found else None)


async def _record(
    db: Database,
    *,
    shift_book: int,
    shift: int,
    readings: Sequence[PersonReading],
    by: UUID | None,
    master_key: bytes,
    now: datetime,
) -> list[PersonRead | NobodyRead]:
    codes = [read_personal_code(each.text, master_key=master_key, now=each.at) for each in readings]
    async with db.read() as conn:
        named = await name_people(conn, codes, by=by)

    requests: list[ScanRequest] = []
    for reading, who in zip(readings, named, strict=True):
        if isinstance(who, NamedPerson) and not who.is_own:
            scan = Scan(shift_book, shift, reading.direction, reading.at)
            means = who.kiosk_means if by is None else Means.ORGANIZER
            evidence = ScanEvidence(means, is_late=reading.is_late)
            requests.append(ScanRequest(who.volunteer, scan, evidence, who.device, by))
    recorded = iter(await record_scans(db, requests=requests, now=now))

    results: list[PersonRead | NobodyRead] = []
    for who in named:
        if isinstance(who, PersonalCodeRefusal):
            results.append(NobodyRead(who))
        elif who.is_own:
            refused = RecordedScan(Refused(ScanRefusal.OWN_CODE))
            results.append(PersonRead(who.volunteer, refused))
        else:
            results.append(PersonRead(who.volunteer, next(recorded)))
    return results


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Whom a code names.

    Attributes:
        device: The key that signed the code; None where none did.
        is_own: It is whoever reads the code.
    """

    volunteer: VolunteerId
    kiosk_means: Means
    device: bytes | None
    is_own: bool


async def name_people(
    conn: AsyncConnection,
    codes: Sequence[PersonalCode | PersonalCodeRefusal],
    *,
    by: UUID | None,
) -> list[NamedPerson | PersonalCodeRefusal]:
    """Return whom codes name, after what a code alone does not prove: a signature, a good card.

    Shape: one item per code, in their order.

    Cost: three statements.
    """
    phones = [each.volunteer for each in codes if isinstance(each, PhoneCode)]
    printed = [(each.volunteer, each.card) for each in codes if isinstance(each, CardCode)]
    everybody = [each.volunteer for each in codes if not isinstance(each, PersonalCodeRefusal)]
    keys = await devices.list_keys_of(conn, volunteers=phones)
    good = await cards.list_good(conn, cards=printed)
    people = await volunteers.persons_of(conn, volunteers=everybody)

    named: list[NamedPerson | PersonalCodeRefusal] = []
    for code in codes:
        if isinstance(code, PersonalCodeRefusal):
            named.append(code)
            continue
        device, means = None, Means.KIOSK
        if isinstance(code, CardCode):
            means = Means.CARD
            if (code.volunteer, code.card) not in good:
                named.append(PersonalCodeRefusal.REVOKED)
                continue
        if isinstance(code, PhoneCode):
            key = keys.get(code.volunteer)
            if key is None:
                named.append(PersonalCodeRefusal.NO_DEVICE)
                continue
            if not is_signed(key, message=code.message, signature=code.signature):
                named.append(PersonalCodeRefusal.FORGED)
                continue
            device = key.id
        is_own = by is not None and people.get(code.volunteer) == by
        named.append(NamedPerson(code.volunteer, means, device, is_own))
    return named


def _subject(walk_up: WalkUp) -> str:
    who = walk_up.volunteer
    return f"shift/{walk_up.shift_book}/{walk_up.shift}/volunteer/{who.book}/{who.id}"
