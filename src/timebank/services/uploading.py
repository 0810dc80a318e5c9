"""Readings that were made without network arrive: each is kept as it came and recorded once.

They are kept in a commit of their own before anything is decided, so that whatever goes wrong
afterwards, the next attempt finds them. What an organizer read is a fact: it is recorded where the
books allow it, and where they do not, it stays on the shift's page until somebody has looked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.attendance import Arrived, Left, Refused, ScanRefusal
from timebank.domain.evidence import Means, ScanEvidence
from timebank.domain.offline_kit import (
    READINGS_MAX,
    Kit,
    Reading,
    UploadFlag,
    UploadRefusal,
    decide_age,
    is_signed_by_kit,
    out_of_order,
    reading_key,
)
from timebank.domain.personal_code import (
    LATE_SLACK_SECONDS,
    PersonalCodeRefusal,
    read_personal_code,
)
from timebank.domain.qr import Scan, is_seen_in_time, read_seen_code
from timebank.domain.signup import SignedUp, SignupRefusal
from timebank.domain.volunteer_number import parse_number
from timebank.domain.walk_up import decide_walk_up
from timebank.queries import organizer
from timebank.services.checkin import RecordedScan, ScanRequest, record_scans
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.services.person_scan import NamedPerson, name_people
from timebank.store import activities, audit_events, offline_readings, signups, volunteers
from timebank.store.offline_readings import KeptReading, ReadingOutcome

_KNOWN = (ScanRefusal.ALREADY_ARRIVED, ScanRefusal.ALREADY_LEFT)
"""What was recorded before by whatever way: nothing is lost, and nobody needs to look."""


@dataclass(frozen=True, slots=True)
class SentReading:
    """A reading as a device sends it."""

    reading: Reading
    mac: bytes


@dataclass(frozen=True, slots=True)
class SeenCode:
    """A code on the wall that a volunteer's phone saw without network.

    Attributes:
        reading: Its `at` is what the phone estimates; its code the text that was seen.
        device: The key whose signature was checked; None where no phone signed.
        evidence: How it was made.
    """

    reading: Reading
    device: bytes | None
    evidence: ScanEvidence


async def upload_readings(
    db: Database,
    *,
    actor: Actor,
    kit_text: str,
    kit: Kit,
    sent: Sequence[SentReading],
    master_key: bytes,
    now: datetime,
) -> dict[bytes, ReadingOutcome]:
    """Record what an organizer's device read without network, each reading once however often sent.

    Who had no place gets one: they were there. A reading that the books refuse is kept as a
    conflict of the shift. Only a reading that the device did not sign is not kept.

    Shape: one outcome per reading, by nonce.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: The kit is not the actor's, or the shift is not any more.
        ValueError: More than `READINGS_MAX` at once.

    Cost: a constant number of statements, one more for each reading that is new.
    """
    if len(sent) > READINGS_MAX:
        raise ValueError("readings come in lists of a bounded length")
    if kit.person != actor.person:
        raise NotFoundError
    await check_own_shift(db, actor, shift_book=kit.shift_book, shift=kit.shift)
    key = reading_key(kit_text, master_key=master_key)
    outcomes = {
        each.reading.nonce: _conflict(UploadRefusal.FORGED)
        for each in sent
        if not is_signed_by_kit(each.reading, mac=each.mac, key=key)
    }
    proved = [each.reading for each in sent if each.reading.nonce not in outcomes]
    kept, answered = await _keep(
        db, shift_book=kit.shift_book, shift=kit.shift, readings=proved, actor=actor,
        device=kit.nonce, now=now,
    )  # fmt: skip
    outcomes |= answered
    if not kept:
        return outcomes

    async with db.read() as conn:
        counted = await offline_readings.list_of_device(
            conn, shift_book=kit.shift_book, sent_by=actor.person, device=kit.nonce
        )
        moved = out_of_order(counted)
        codes = [
            read_personal_code(
                each.code, master_key=master_key, now=each.at, slack_seconds=LATE_SLACK_SECONDS
            )
            for each in kept
        ]
        people = dict(
            zip(
                [each.nonce for each in kept],
                await name_people(conn, codes, by=actor.person),
                strict=True,
            )
        )
        typed = {each.nonce: parse_number(each.named) for each in kept if not each.code}
        own = await volunteers.persons_of(
            conn, volunteers=[VolunteerId(*each) for each in typed.values() if each is not None]
        )

    requests: dict[bytes, ScanRequest] = {}
    for reading in kept:
        refusal = decide_age(reading.at, now=now)
        named = people[reading.nonce]
        device, is_measured = None, True
        if not reading.code:
            number = typed[reading.nonce]
            volunteer = None if number is None else VolunteerId(*number)
            is_own = volunteer is not None and own.get(volunteer) == actor.person
            is_measured = False
        elif isinstance(named, NamedPerson):
            volunteer, device, is_own = named.volunteer, named.device, named.is_own
        else:
            volunteer, is_own = None, False
        if refusal is not None:
            outcomes[reading.nonce] = _conflict(refusal, volunteer)
        elif isinstance(named, PersonalCodeRefusal) and reading.code:
            outcomes[reading.nonce] = _conflict(named)
        elif volunteer is None:
            outcomes[reading.nonce] = _conflict(UploadRefusal.NOBODY_NAMED)
        elif is_own:
            outcomes[reading.nonce] = _conflict(ScanRefusal.OWN_CODE, volunteer)
        else:
            requests[reading.nonce] = ScanRequest(
                volunteer,
                Scan(kit.shift_book, kit.shift, reading.direction, reading.at),
                ScanEvidence(Means.ORGANIZER, is_late=True, is_measured=is_measured),
                device,
                actor.person,
            )
    turned_away = await _admit(db, actor=actor, requests=requests.values(), now=now)
    flags = {each.nonce: UploadFlag.CLOCK_MOVED for each in kept if each.number in moved}
    outcomes |= await _record(
        db, shift_book=kit.shift_book, requests=requests, flags=flags,
        turned_away=turned_away, decided=outcomes, now=now,
    )  # fmt: skip
    return outcomes


async def upload_seen_codes(
    db: Database,
    *,
    actor: Actor,
    volunteer: VolunteerId,
    seen: Sequence[SeenCode],
    master_key: bytes,
    now: datetime,
) -> dict[bytes, ReadingOutcome]:
    """Record the codes that a volunteer's own phone saw on the wall without network.

    The code says when it was shown; the phone's clock must agree with it to a minute or two, and
    what one phone counted later must have been shown later. Graded A1 at most, until the organizer
    confirms.

    Shape: one outcome per code, by nonce.

    Raises:
        ValueError: More than `READINGS_MAX` at once.
    """
    if len(seen) > READINGS_MAX:
        raise ValueError("readings come in lists of a bounded length")
    outcomes: dict[bytes, ReadingOutcome] = {}
    by_book: dict[int, list[tuple[SeenCode, Scan]]] = {}
    for each in seen:
        scan = read_seen_code(each.reading.code, master_key=master_key)
        if isinstance(scan, Scan):
            by_book.setdefault(scan.shift_book, []).append((each, scan))
        else:
            # Not ours: there is no shift on whose page it could stand.
            outcomes[each.reading.nonce] = _conflict(scan, volunteer)
    for book, found in by_book.items():
        kept: list[Reading] = []
        for shift in sorted({scan.shift for _, scan in found}):
            readings = [
                Reading(
                    each.reading.nonce,
                    each.reading.number,
                    scan.at,
                    scan.direction,
                    each.reading.code,
                    "",
                )
                for each, scan in found
                if scan.shift == shift
            ]
            new, answered = await _keep(
                db, shift_book=book, shift=shift, readings=readings, actor=actor,
                device=None, now=now,
            )  # fmt: skip
            kept += new
            outcomes |= answered
        async with db.read() as conn:
            counted = await offline_readings.list_of_device(
                conn, shift_book=book, sent_by=actor.person, device=None
            )
        moved = out_of_order(counted)
        known = {each.reading.nonce: (each, scan) for each, scan in found}
        requests: dict[bytes, ScanRequest] = {}
        for reading in kept:
            each, scan = known[reading.nonce]
            refusal = decide_age(reading.at, now=now)
            if refusal is None and reading.number in moved:
                refusal = UploadRefusal.OUT_OF_ORDER
            if refusal is None and not is_seen_in_time(scan.at, seen_at=each.reading.at):
                refusal = UploadRefusal.WINDOW_MISMATCH
            if refusal is not None:
                outcomes[reading.nonce] = _conflict(refusal, volunteer)
                continue
            requests[reading.nonce] = ScanRequest(
                volunteer, scan, each.evidence._replace(is_late=True), each.device
            )
        outcomes |= await _record(
            db, shift_book=book, requests=requests, flags={}, turned_away={},
            decided=outcomes, now=now,
        )  # fmt: skip
    return outcomes


async def settle_conflicts(
    db: Database, *, actor: Actor, shift_book: int, shift: int, now: datetime
) -> int:
    """Record that an organizer has looked at what could not be recorded; return how many.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        settled = await offline_readings.set_settled(
            conn, shift_book=shift_book, shift=shift, by=actor.person, now=now
        )
        if settled:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="settle_offline",
                subjects=[f"shift/{shift_book}/{shift}"],
            )
    return settled


async def check_own_shift(db: Database, actor: Actor, *, shift_book: int, shift: int) -> None:
    """Check that a shift is one of the actor's own.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=actor.organizations, shift_book=shift_book, shift=shift
        )
    check_organizes(actor, found.organization_id if found else None)


async def _keep(
    db: Database,
    *,
    shift_book: int,
    shift: int,
    readings: Sequence[Reading],
    actor: Actor,
    device: bytes | None,
    now: datetime,
) -> tuple[list[Reading], dict[bytes, ReadingOutcome]]:
    """Keep readings; return those that are open, in the device's order, and what others became."""
    async with db.write() as conn:
        new = await offline_readings.insert_readings(
            conn,
            shift_book=shift_book,
            shift=shift,
            readings=readings,
            sent_by=actor.person,
            device=device,
            now=now,
        )
        if new:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="upload_readings",
                subjects=[f"shift/{shift_book}/{shift}"],
            )
        known = await offline_readings.list_by_nonce(
            conn, shift_book=shift_book, nonces=[each.nonce for each in readings]
        )
    opened: list[Reading] = []
    answered: dict[bytes, ReadingOutcome] = {}
    for reading in readings:
        kept = known[reading.nonce]
        if not _is_same(kept, reading, shift=shift, actor=actor):
            answered[reading.nonce] = _conflict(UploadRefusal.NONCE_REUSED)
        elif kept.outcome is None:
            opened.append(reading)
        else:
            answered[reading.nonce] = kept.outcome
    return sorted(opened, key=lambda each: each.number), answered


def _is_same(kept: KeptReading, reading: Reading, *, shift: int, actor: Actor) -> bool:
    return (kept.reading, kept.shift, kept.sent_by) == (reading, shift, actor.person)


async def _admit(
    db: Database, *, actor: Actor, requests: Iterable[ScanRequest], now: datetime
) -> dict[VolunteerId, SignupRefusal]:
    """Give a place to everybody who was read and has none; return who got none, and why."""
    first: dict[VolunteerId, ScanRequest] = {}
    for request in requests:
        first.setdefault(request.volunteer, request)
    refused: dict[VolunteerId, SignupRefusal] = {}
    for volunteer, request in first.items():
        shift_book, shift = request.scan.shift_book, request.scan.shift
        async with db.read() as conn:
            if await signups.has_place(
                conn, volunteer=volunteer, shift_book=shift_book, shift=shift
            ):
                continue
        async with db.write() as conn:
            if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
                continue
            found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
            if found is None:
                raise NotFoundError
            facts = await signups.find_facts(conn, volunteer=volunteer, shift=found)

            # They came while the shift ran, whenever that becomes known here.
            decision = decide_walk_up(facts, now=request.scan.at)

            if not isinstance(decision, SignedUp):
                refused[volunteer] = decision.reason
                continue
            await signups.set_signed_up(
                conn, volunteer=volunteer, shift_book=shift_book, shift=shift, at=now
            )
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="admit_walk_up",
                subjects=[f"shift/{shift_book}/{shift}/volunteer/{volunteer.book}/{volunteer.id}"],
            )
    return refused


async def _record(
    db: Database,
    *,
    shift_book: int,
    requests: Mapping[bytes, ScanRequest],
    flags: Mapping[bytes, UploadFlag],
    turned_away: Mapping[VolunteerId, SignupRefusal],
    decided: Mapping[bytes, ReadingOutcome],
    now: datetime,
) -> dict[bytes, ReadingOutcome]:
    """Record scans in the order of the device, and write down what became of each."""
    recorded = await record_scans(db, requests=list(requests.values()), now=now)
    found = {
        nonce: _outcome(result, request.volunteer, flags.get(nonce), turned_away)
        for (nonce, request), result in zip(requests.items(), recorded, strict=True)
    }
    async with db.write() as conn:
        await offline_readings.set_outcomes(
            conn, shift_book=shift_book, outcomes={**decided, **found}
        )
    return found


def _outcome(
    recorded: RecordedScan,
    volunteer: VolunteerId,
    flag: UploadFlag | None,
    turned_away: Mapping[VolunteerId, SignupRefusal],
) -> ReadingOutcome:
    match recorded.decision:
        case Arrived():
            code, is_conflict = "arrived", False
        case Left():
            code, is_conflict = "left", False
        case Refused(reason) if reason in _KNOWN:
            code, is_conflict = "known", False
        case Refused(ScanRefusal.NOT_SIGNED_UP) if volunteer in turned_away:
            code, is_conflict = turned_away[volunteer].value, True
        case Refused(reason):
            code, is_conflict = reason.value, True
        case _:
            assert_never(recorded.decision)
    return ReadingOutcome(
        code=code,
        is_conflict=is_conflict,
        flag=None if flag is None else flag.value,
        volunteer=volunteer,
    )


def _conflict(
    reason: UploadRefusal | PersonalCodeRefusal | ScanRefusal,
    volunteer: VolunteerId | None = None,
) -> ReadingOutcome:
    return ReadingOutcome(code=reason.value, is_conflict=True, volunteer=volunteer)
