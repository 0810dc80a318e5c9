"""What a scan means: the facts, the refusals, the decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from timebank.domain.assurance import Assurance, Measured, grade_stay
from timebank.domain.evidence import (
    WALL_READING,
    ScanEvidence,
    ScanFlag,
    flags_of,
    grade_end,
)
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key

EARLY_MAX = timedelta(minutes=30)
"""How long before a shift starts an arrival is accepted: doors open before the work does."""

LATE_MAX = timedelta(minutes=60)
"""How long after a shift ends a departure is accepted: tidying up and the queue at the door."""

STAY_MINUTES_MIN = 1
"""The shortest stay that is credited: below it there is nothing to record."""


class Direction(StrEnum):
    """Which end of the stay a code measures."""

    ARRIVE = "arrive"
    LEAVE = "leave"


class ScanRefusal(StrEnum):
    """Why a scan did nothing, in order of precedence: the code, the shift, the stay."""

    FOREIGN_CODE = "scan.foreign_code"
    FORGED_CODE = "scan.forged_code"
    EXPIRED_CODE = "scan.expired_code"
    SHIFT_NOT_FOUND = "scan.shift_not_found"
    NOT_A_VOLUNTEER = "scan.not_a_volunteer"
    OWN_CODE = "scan.own_code"
    SHIFT_CANCELLED = "scan.shift_cancelled"
    ALREADY_LEFT = "scan.already_left"
    SHIFT_CLOSED = "scan.shift_closed"
    NOT_SIGNED_UP = "scan.not_signed_up"
    NOT_CLEARED = "scan.not_cleared"
    ALREADY_ARRIVED = "scan.already_arrived"
    NOT_ARRIVED = "scan.not_arrived"
    TOO_EARLY = "scan.too_early"
    TOO_LATE = "scan.too_late"
    ELSEWHERE = "scan.elsewhere"
    STAY_TOO_SHORT = "scan.stay_too_short"
    DAY_FULL = "scan.day_full"


class ScanFacts(NamedTuple):
    """What must be known to decide one scan.

    A named tuple and not a dataclass: at a door thousands are made each second, each of them twice.

    Attributes:
        book: The volunteer's own book, where the minutes go.
        shift_book: The book of the county that organizes.
        field: Number of the service field.
        place: Division code of where the service is done.
        is_cancelled: The shift or its activity was called off.
        closed_at: When the organizer closed the shift; None while it is open.
        is_signed_up: The volunteer holds a place in the shift.
        arrived_at: None before the arrival was scanned.
        left_at: None before the departure was scanned.
        arrival_measured: False where the organizer set the arrival by hand.
        arrival_grade: Of the arrival; A3 also where the organizer confirmed the person since.
        departure_measured: Of the departure that is decided here.
        departure_grade: Of the departure that is decided here.
        retracted: Departures of this stay that were taken back.
        risks: What the activity is (`Risk`); asks for papers where it is anything.
        is_cleared: What must be there before somebody may serve is.
        elsewhere: When the volunteer was in other shifts about that time, from and to; to the end
            of the shift where no departure is recorded.
        day_minutes: Credited in other shifts that day.
        day_minutes_max: What the volunteer's county credits for one day at most; None: no limit.
        issuing_account: Where the minutes of the volunteer's book come from.
        minutes_account: The volunteer's own.
    """

    book: int
    volunteer: int
    shift_book: int
    shift: int
    activity: int
    field: int
    place: int
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool
    closed_at: datetime | None
    is_signed_up: bool
    arrived_at: datetime | None
    left_at: datetime | None
    arrival_measured: bool
    issuing_account: int
    minutes_account: int
    arrival_grade: Assurance = Assurance.A1
    departure_measured: bool = False
    departure_grade: Assurance = Assurance.A0
    retracted: int = 0
    risks: int = 0
    is_cleared: bool = True
    elsewhere: tuple[tuple[datetime, datetime], ...] = ()
    day_minutes: int = 0
    day_minutes_max: int | None = None


class Arrived(NamedTuple):
    """The arrival is recorded."""

    at: datetime
    grade: Assurance = Assurance.A1
    flags: tuple[ScanFlag, ...] = ()


class Left(NamedTuple):
    """The departure is recorded and the stay credited.

    Attributes:
        grade: Of the departure alone; the stay's is in its credit.
    """

    at: datetime
    credit: Transfer
    grade: Assurance = Assurance.A1
    flags: tuple[ScanFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is recorded."""

    reason: ScanRefusal


ScanDecision = Arrived | Left | Refused


def decide_scan(
    facts: ScanFacts,
    *,
    direction: Direction,
    now: datetime,
    evidence: ScanEvidence = WALL_READING,
) -> ScanDecision:
    """Decide what reading a code at `now` does; the code itself is proved elsewhere.

    Credited time runs from the later of arrival and shift start to the earlier of `now` and shift
    end, rounded down to whole minutes, up to what the county credits for one day. A person is in
    one place: whoever is still in another shift leaves that one first. Evidence grades what is
    recorded and refuses nothing.
    """
    if facts.is_cancelled:
        return Refused(ScanRefusal.SHIFT_CANCELLED)
    if facts.left_at is not None:
        return Refused(ScanRefusal.ALREADY_LEFT)
    if facts.closed_at is not None:
        return Refused(ScanRefusal.SHIFT_CLOSED)
    if not facts.is_signed_up:
        return Refused(ScanRefusal.NOT_SIGNED_UP)
    if direction is Direction.ARRIVE and facts.arrived_at is None and not facts.is_cleared:
        return Refused(ScanRefusal.NOT_CLEARED)
    if direction is Direction.ARRIVE and facts.arrived_at is not None:
        return Refused(ScanRefusal.ALREADY_ARRIVED)
    if direction is Direction.LEAVE and facts.arrived_at is None:
        return Refused(ScanRefusal.NOT_ARRIVED)
    if now < facts.starts_at - EARLY_MAX:
        return Refused(ScanRefusal.TOO_EARLY)
    if now > facts.ends_at + LATE_MAX:
        return Refused(ScanRefusal.TOO_LATE)

    if is_elsewhere(facts, at=now):
        return Refused(ScanRefusal.ELSEWHERE)

    grade, flags = grade_end(evidence), flags_of(evidence)
    if facts.arrived_at is None:
        return Arrived(now, grade, flags)

    served = minutes_served(facts, left_at=now)
    if served < STAY_MINUTES_MIN:
        return Refused(ScanRefusal.STAY_TOO_SHORT)
    minutes = minutes_within_day(facts, served)
    if minutes < STAY_MINUTES_MIN:
        return Refused(ScanRefusal.DAY_FULL)
    credit = service_credit(
        facts,
        minutes=minutes,
        measured=measured_ends(facts, is_departure_measured=evidence.is_measured),
        assurance=grade_stay(facts.arrival_grade, grade),
    )
    return Left(now, credit, grade, flags)


def measured_ends(facts: ScanFacts, *, is_departure_measured: bool) -> Measured:
    """Return which ends of a stay a code measured."""
    arrival = Measured.ARRIVAL if facts.arrival_measured else Measured.NEITHER
    departure = Measured.DEPARTURE if is_departure_measured else Measured.NEITHER
    return Measured(arrival | departure)


def minutes_served(facts: ScanFacts, *, left_at: datetime) -> int:
    """Return the whole minutes between arrival and departure that lie within the shift.

    Units: minutes, rounded down; below zero where the stay lies outside the shift.
    """
    if facts.arrived_at is None:
        return 0
    served_from = max(facts.arrived_at, facts.starts_at)
    return (min(left_at, facts.ends_at) - served_from) // timedelta(minutes=1)


def is_elsewhere(facts: ScanFacts, *, at: datetime) -> bool:
    """Say whether the volunteer was in another shift when they came, or during the stay until `at`.

    Of a stay, what counts lies within the shift: whoever scans out late may be in the next one.
    """
    if not facts.elsewhere:
        return False
    if facts.arrived_at is None:
        return any(since <= at < until for since, until in facts.elsewhere)
    served_to = min(at, facts.ends_at)
    return any(since < served_to and until > facts.arrived_at for since, until in facts.elsewhere)


def minutes_within_day(facts: ScanFacts, minutes: int) -> int:
    """Return how many minutes of a stay the county still credits for that day.

    Units: minutes; below one where the day is full.
    """
    if facts.day_minutes_max is None:
        return minutes
    return min(minutes, facts.day_minutes_max - facts.day_minutes)


def stay_key(
    *,
    starts_at: datetime,
    book: int,
    volunteer: int,
    shift_book: int,
    shift: int,
    retracted: int,
) -> UUID:
    """Return the key of a stay's credit, whoever ends it.

    After a departure was taken back with its credit, the next one is another deed.
    """
    again = (retracted,) if retracted else ()
    return service_key(starts_at, "service", book, volunteer, shift_book, shift, *again)


def service_credit(
    facts: ScanFacts, *, minutes: int, measured: Measured, assurance: Assurance
) -> Transfer:
    """Return the entry that credits a stay.

    Units: `minutes` in whole minutes, above zero.
    """
    served_from = max(facts.arrived_at or facts.starts_at, facts.starts_at)
    return Transfer(
        key=stay_key(
            starts_at=facts.starts_at,
            book=facts.book,
            volunteer=facts.volunteer,
            shift_book=facts.shift_book,
            shift=facts.shift,
            retracted=facts.retracted,
        ),
        kind=TransferKind.SERVICE,
        unit=Unit.MINUTES,
        debit=facts.issuing_account,
        credit=facts.minutes_account,
        amount=minutes,
        effective_at=served_from,
        volunteer=facts.volunteer,
        service=Service(
            assurance=assurance,
            measured=measured,
            activity_book=facts.shift_book,
            activity=facts.activity,
            shift=facts.shift,
            field=facts.field,
            place=facts.place,
        ),
    )
