"""Scans become attendance and minutes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from timebank.db import Connection, Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import (
    Arrived,
    Left,
    Refused,
    ScanDecision,
    ScanFacts,
    ScanRefusal,
    decide_scan,
)
from timebank.domain.evidence import WALL_READING, DeviceStanding, ScanEvidence
from timebank.domain.period import local_day
from timebank.domain.posting import PostingOutcome, PostingRefused
from timebank.domain.qr import Scan
from timebank.ledger import journal
from timebank.store import attendance, audit_events, clearances, devices, flags
from timebank.store.attendance import Stay
from timebank.store.flags import FlaggedScan


class ScanRequest(NamedTuple):
    """A proved scan and whose arrival or departure it is.

    Attributes:
        evidence: How it was made; whose device signed it is decided here.
        device: The key whose signature was checked; None where no device signed.
        by: The organizer who saw the volunteer; None where nobody did.
    """

    volunteer: VolunteerId
    scan: Scan
    evidence: ScanEvidence = WALL_READING
    device: bytes | None = None
    by: UUID | None = None


class RecordedScan(NamedTuple):
    """What became of a scan.

    Attributes:
        seq: The ledger entry that credits the stay; None unless it is a departure.
    """

    decision: ScanDecision
    seq: int | None = None


async def record_scans(
    db: Database, *, requests: Sequence[ScanRequest], now: datetime
) -> list[RecordedScan]:
    """Record a list of scans, each on what those before it left. A repeated scan changes nothing.

    Shape: one result per request, in their order. Every result holds after the commit only, and
    this function returns after it.

    Cost: one transaction per book; its statements do not depend on the number of scans: one to
    lock, one to read, one for attendance and, with departures, those of one batch; one more each
    where devices signed, where flags are raised and where an organizer saw people.
    """
    results: dict[int, RecordedScan] = {}
    by_book: dict[int, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        by_book[request.volunteer.book].append(place)
    for book, places in by_book.items():
        recorded = await _record_in_book(
            db, book=book, requests=[requests[place] for place in places], now=now
        )
        results.update(zip(places, recorded, strict=True))
    return [results[place] for place in range(len(requests))]


async def _record_in_book(
    db: Database, *, book: int, requests: Sequence[ScanRequest], now: datetime
) -> list[RecordedScan]:
    async with db.post() as conn:
        # The book's lock comes first: it orders this list against every other writer's.
        head = await journal.find_locked_head(conn, book=book)
        if head is None or head.minutes_issuing is None:
            return [RecordedScan(Refused(ScanRefusal.NOT_A_VOLUNTEER))] * len(requests)
        holders = await _list_holders(conn, requests)
        stays = [_stay(request) for request in requests]
        facts = await attendance.list_scan_facts(
            conn,
            book=book,
            issuing_account=head.minutes_issuing,
            stays=stays,
            zone=head.zone,
        )

        risky = [stay for stay, each in facts.items() if each.risks]
        if risky:
            missing = await clearances.list_missing_of(conn, book=book, stays=risky)
            for stay in risky:
                facts[stay] = facts[stay]._replace(is_cleared=not missing.get(stay))
        siblings = _siblings(facts)
        decisions = []
        for stay, request in zip(stays, requests, strict=True):
            decision = _decide(facts, stay, request, holders)
            decisions.append(decision)
            if stay in siblings and not isinstance(decision, Refused):
                _tell_siblings(facts, siblings[stay], of=stay, decision=decision, zone=head.zone)

        changed = {
            stay: facts[stay]
            for stay, decision in zip(stays, decisions, strict=True)
            if not isinstance(decision, Refused)
        }
        stayed = attendance.recording(book=book, stays=list(changed.values())) if changed else None
        credits_ = [decision.credit for decision in decisions if isinstance(decision, Left)]
        outcomes = iter(
            await journal.append(conn, head=head, transfers=credits_, now=now, beside=stayed)
        )
        if changed:
            await _keep_evidence(conn, book, requests, decisions)
        recorded = []
        for decision in decisions:
            seq = _seq_of(next(outcomes)) if isinstance(decision, Left) else None
            recorded.append(RecordedScan(decision, seq))
    return recorded


def _siblings(facts: Mapping[Stay, ScanFacts]) -> dict[Stay, list[Stay]]:
    """Return for each stay the others of the same volunteer in the list; mostly nobody has any."""
    if len({stay.volunteer for stay in facts}) == len(facts):
        return {}
    by_volunteer: dict[int, list[Stay]] = defaultdict(list)
    for stay in facts:
        by_volunteer[stay.volunteer].append(stay)
    return {
        stay: [each for each in stays if each != stay]
        for stays in by_volunteer.values()
        if len(stays) > 1
        for stay in stays
    }


def _tell_siblings(
    facts: dict[Stay, ScanFacts],
    others: Sequence[Stay],
    *,
    of: Stay,
    decision: Arrived | Left,
    zone: str,
) -> None:
    """Let the other stays of a volunteer in the list know where they were and what is credited."""
    known = facts[of]
    if known.arrived_at is None:
        raise AssertionError("a stay that was recorded has an arrival")
    until = min(known.left_at or known.ends_at, known.ends_at)
    days = ZoneInfo(zone)
    served_on = local_day(max(known.arrived_at, known.starts_at), zone=days)
    for stay in others:
        other = facts[stay]
        credited = (
            decision.credit.amount
            if isinstance(decision, Left) and local_day(other.starts_at, zone=days) == served_on
            else 0
        )
        facts[stay] = other._replace(
            elsewhere=(
                *(each for each in other.elsewhere if each[0] != known.arrived_at),
                (known.arrived_at, until),
            ),
            day_minutes=other.day_minutes + credited,
        )


def _seq_of(outcome: PostingOutcome) -> int:
    if isinstance(outcome, PostingRefused):
        raise AssertionError(f"a decided credit was refused: {outcome.reason}")
    return outcome.seq


def _stay(request: ScanRequest) -> Stay:
    return Stay(request.volunteer.id, request.scan.shift_book, request.scan.shift)


def _decide(
    facts: dict[Stay, ScanFacts],
    stay: Stay,
    request: ScanRequest,
    holders: Mapping[bytes, VolunteerId],
) -> ScanDecision:
    """Decide one scan and bring the facts up to date for those that follow it in the list."""
    known = facts.get(stay)
    if known is None:
        return Refused(ScanRefusal.SHIFT_NOT_FOUND)
    evidence = _evidence(request, holders)
    decision = decide_scan(
        known, direction=request.scan.direction, now=request.scan.at, evidence=evidence
    )
    match decision:
        case Arrived(at, grade):
            facts[stay] = known._replace(
                arrived_at=at, arrival_measured=evidence.is_measured, arrival_grade=grade
            )
        case Left(at, _, grade):
            facts[stay] = known._replace(
                left_at=at, departure_measured=evidence.is_measured, departure_grade=grade
            )
        case Refused():
            pass
        case _:
            assert_never(decision)
    return decision


def _evidence(request: ScanRequest, holders: Mapping[bytes, VolunteerId]) -> ScanEvidence:
    """Return the evidence with whose device it was."""
    holder = None if request.device is None else holders.get(request.device)
    if holder is None:
        return request.evidence
    is_own = holder == request.volunteer
    return request.evidence._replace(device=DeviceStanding.OWN if is_own else DeviceStanding.OTHERS)


async def _list_holders(
    conn: Connection, requests: Sequence[ScanRequest]
) -> Mapping[bytes, VolunteerId]:
    named = {request.device for request in requests if request.device is not None}
    return await devices.list_holders(conn, ids=sorted(named)) if named else {}


async def _keep_evidence(
    conn: Connection,
    book: int,
    requests: Sequence[ScanRequest],
    decisions: Sequence[ScanDecision],
) -> None:
    """Keep the flags that were raised, and who was seen by an organizer."""
    raised: list[FlaggedScan] = []
    seen: dict[tuple[UUID, datetime], list[Stay]] = defaultdict(list)
    for request, decision in zip(requests, decisions, strict=True):
        if isinstance(decision, Refused):
            continue
        scan = request.scan
        raised += [
            FlaggedScan(
                request.volunteer, scan.shift_book, scan.shift, scan.direction, flag, scan.at
            )
            for flag in decision.flags
        ]
        if request.by is not None:
            seen[request.by, scan.at].append(_stay(request))
    await flags.insert_flags(conn, flags=raised)
    for (by, at), stays in seen.items():
        await attendance.set_confirmed(conn, book=book, stays=stays, by=by, at=at)
        await audit_events.insert_audit_events(
            conn,
            at=at,
            person=by,
            act="scan_person",
            subjects=[
                f"shift/{each.shift_book}/{each.shift}/volunteer/{book}/{each.volunteer}"
                for each in stays
            ],
        )
