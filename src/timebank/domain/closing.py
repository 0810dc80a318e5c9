"""Closing a shift: who came and never left is settled by the organizer, but never by oneself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.activity import Forgotten
from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance, grade_stay
from timebank.domain.attendance import (
    STAY_MINUTES_MIN,
    ScanFacts,
    is_elsewhere,
    measured_ends,
    minutes_served,
    minutes_within_day,
    service_credit,
)
from timebank.domain.transfer import Transfer


class DepartureRefusal(StrEnum):
    """Why an organizer's departure credits nobody, in order of precedence."""

    NOT_ARRIVED = "closing.not_arrived"
    ALREADY_LEFT = "closing.already_left"
    OWN_HOURS = "closing.own_hours"
    OUTSIDE_STAY = "closing.outside_stay"
    ELSEWHERE = "closing.elsewhere"
    STAY_TOO_SHORT = "closing.stay_too_short"
    DAY_FULL = "closing.day_full"
    UNDECIDED = "closing.undecided"

    @property
    def is_correctable(self) -> bool:
        """Whether another departure would be accepted: then nothing is closed before it is."""
        return self in (
            DepartureRefusal.NOT_ARRIVED,
            DepartureRefusal.OUTSIDE_STAY,
            DepartureRefusal.ELSEWHERE,
            DepartureRefusal.STAY_TOO_SHORT,
            DepartureRefusal.UNDECIDED,
        )


class ClosingRefusal(StrEnum):
    """Why a shift stays open, in order of precedence."""

    CANCELLED = "closing.cancelled"
    NOT_ENDED = "closing.not_ended"
    DEPARTURES = "closing.departures"


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure that the organizer set, with its credit.

    Attributes:
        grade: Of the departure alone; the stay's is in its credit.
    """

    at: datetime
    credit: Transfer
    grade: Assurance


@dataclass(frozen=True, slots=True)
class Closed:
    """The shift takes no more scans.

    Attributes:
        credited: Minutes of those whose departure was set now.
        refused: Whose departure was set for nothing, and why.
        unsettled: Who came, has no departure and gets nothing, by book and number.
    """

    at: datetime
    credited: Mapping[VolunteerId, int]
    refused: Mapping[VolunteerId, DepartureRefusal]
    unsettled: tuple[VolunteerId, ...]


@dataclass(frozen=True, slots=True)
class AlreadyClosed:
    """The shift was closed before; nothing is written."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ClosingHeld:
    """Too much for one person's word: nothing is written but the request itself.

    Attributes:
        number: Of the held entry in the county's book.
    """

    number: int


@dataclass(frozen=True, slots=True)
class ClosingRefused:
    """Nothing is written.

    Attributes:
        people: With `DEPARTURES`: whose departure cannot be, and why.
    """

    reason: ClosingRefusal
    people: Mapping[VolunteerId, DepartureRefusal]


def decide_closing(
    *, is_cancelled: bool, arrivals: int, ends_at: datetime, now: datetime
) -> ClosingRefusal | None:
    """Return why a shift cannot be closed yet, or None."""
    if is_cancelled and not arrivals:
        return ClosingRefusal.CANCELLED
    if now < ends_at:
        return ClosingRefusal.NOT_ENDED
    return None


def decide_departure(
    facts: ScanFacts | None, *, is_own: bool, at: datetime
) -> Departure | DepartureRefusal:
    """Decide a departure that the organizer sets.

    It lies between the arrival and the end of the shift. Where the arrival was scanned, one end is
    measured: grade A1 at most, shown as confirmed. Where it was not, nothing is measured: grade A0,
    shown as declared. Whom the organizer confirmed in person stays A3. The minutes are counted as
    for a scan, rounded down.

    `facts` is None for who did not come; `is_own` says that the organizer is this volunteer.
    """
    if facts is None or facts.arrived_at is None:
        return DepartureRefusal.NOT_ARRIVED
    if facts.left_at is not None:
        return DepartureRefusal.ALREADY_LEFT
    if is_own:
        return DepartureRefusal.OWN_HOURS
    if not facts.arrived_at <= at <= facts.ends_at:
        return DepartureRefusal.OUTSIDE_STAY
    if is_elsewhere(facts, at=at):
        return DepartureRefusal.ELSEWHERE
    served = minutes_served(facts, left_at=at)
    if served < STAY_MINUTES_MIN:
        return DepartureRefusal.STAY_TOO_SHORT
    minutes = minutes_within_day(facts, served)
    if minutes < STAY_MINUTES_MIN:
        return DepartureRefusal.DAY_FULL
    grade = Assurance.A1 if facts.arrival_measured else Assurance.A0
    credit = service_credit(
        facts,
        minutes=minutes,
        measured=measured_ends(facts, is_departure_measured=False),
        assurance=grade_stay(facts.arrival_grade, grade),
    )
    return Departure(at, credit, grade)


def decide_forgotten(
    facts: ScanFacts | None, *, forgotten: Forgotten, is_own: bool, is_waived: bool
) -> Departure | DepartureRefusal | None:
    """Decide what becomes of who came and never left, where the organizer set no departure.

    As it was published with the activity, never as a guess: None credits nothing. `is_waived` says
    that the organizer decided so for this person. Nobody's own time is credited by the rule either.
    """
    if is_own:
        return DepartureRefusal.OWN_HOURS
    if is_waived or forgotten is Forgotten.ZERO:
        return None
    if forgotten is Forgotten.REVIEW:
        return DepartureRefusal.UNDECIDED
    decision = None if facts is None else decide_departure(facts, is_own=False, at=facts.ends_at)
    # Whoever came after the end has no time to credit: that keeps no shift open.
    return decision if isinstance(decision, Departure) else None
