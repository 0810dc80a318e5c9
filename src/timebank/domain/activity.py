"""What can be published, and what can be called off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from timebank.domain.clearance import NO_RISK, Risk
from timebank.domain.service_field import ServiceField

TITLE_LENGTH_MIN = 2
TITLE_LENGTH_MAX = 60
"""Between these a title says something and fits on two lines of a phone."""

CONTENT_LENGTH_MAX = 2_000
"""The longest description: two screens of a phone."""

ADDRESS_LENGTH_MIN = 2
ADDRESS_LENGTH_MAX = 100
"""Between these words can say where to go."""

IN_CHARGE_LENGTH_MAX = 50
"""The longest name of the person in charge, which every service record must have."""

SPAN_MAX = timedelta(hours=16)
"""The longest shift: beyond it nobody serves, and a forgotten departure would credit a night."""

SPAN_MIN = timedelta(minutes=10)
"""The shortest shift: below it arriving and leaving are one act."""

PLACES_MAX = 5_000
"""The most volunteers of one shift: the largest events split into posts of less."""

STARTED_MAX = timedelta(hours=1)
"""How long ago a new shift may have started: whoever forgot to publish it can still open the door,
and nobody can invent last week's."""

AHEAD_MAX = timedelta(days=366)
"""How far ahead a shift may start: a yearly event fits, a mistyped year does not."""

SHIFTS_MAX = 100
"""How many shifts are added at once: every day of a season."""


class Forgotten(StrEnum):
    """What becomes of who came and never scanned out; published with the activity.

    Whatever it says, the organizer can set a departure that they saw.
    """

    ZERO = "zero"
    """No time is credited."""
    END_OF_SHIFT = "end_of_shift"
    """The time is credited up to the end of the shift."""
    REVIEW = "review"
    """The organizer decides on each person before the shift can be closed."""


class ActivityRefusal(StrEnum):
    """Why nothing was published, in order of precedence."""

    CANCELLED = "activity.cancelled"
    TITLE_LENGTH = "activity.title_length"
    CONTENT_LENGTH = "activity.content_length"
    ADDRESS_LENGTH = "activity.address_length"
    IN_CHARGE_LENGTH = "activity.in_charge_length"
    REGION_UNKNOWN = "activity.region_unknown"
    TOO_MANY_SHIFTS = "activity.too_many_shifts"
    SHIFT_SPAN = "activity.shift_span"
    SHIFT_PLACES = "activity.shift_places"
    SHIFT_PAST = "activity.shift_past"
    SHIFT_TOO_FAR = "activity.shift_too_far"


class CancellationRefusal(StrEnum):
    """Why something goes on, in order of precedence."""

    CLOSED = "cancellation.closed"
    SOMEBODY_ARRIVED = "cancellation.somebody_arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity:
    """An activity before it is published.

    Attributes:
        content: What volunteers do, in paragraphs.
        address: Where, in words.
        region: Code of the division where it is done.
        in_charge: The person in charge, as the public may read it.
        forgotten: What becomes of a forgotten departure.
        risks: What decides which papers are needed to take part.
    """

    title: str
    field: ServiceField
    content: str
    address: str
    region: int
    in_charge: str
    forgotten: Forgotten = Forgotten.ZERO
    risks: Risk = NO_RISK


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShift:
    """A shift before it is published."""

    starts_at: datetime
    ends_at: datetime
    places: int


@dataclass(frozen=True, slots=True)
class ActivityPublished:
    """Volunteers can sign up.

    Attributes:
        activity: Its number in the organization's book.
        shifts: The numbers of its shifts, in the order in which they were given.
    """

    book: int
    activity: int
    shifts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShiftsAdded:
    """Volunteers can sign up for these too, in the order in which they were given."""

    shifts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ActivityRefused:
    """Nothing is written.

    Attributes:
        reasons: Everything that is wrong, each once, in order of precedence: a form shows them all.
    """

    reasons: tuple[ActivityRefusal, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It is called off, since `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CancellationRefused:
    """It goes on."""

    reason: CancellationRefusal


def decide_activity(
    activity: NewActivity, shifts: Sequence[NewShift], *, is_region_known: bool, now: datetime
) -> ActivityRefused | None:
    """Decide whether an activity can be published with its shifts; its text has been cleaned."""
    checks = {
        ActivityRefusal.TITLE_LENGTH: TITLE_LENGTH_MIN <= len(activity.title) <= TITLE_LENGTH_MAX,
        ActivityRefusal.CONTENT_LENGTH: 1 <= len(activity.content) <= CONTENT_LENGTH_MAX,
        ActivityRefusal.ADDRESS_LENGTH: (
            ADDRESS_LENGTH_MIN <= len(activity.address) <= ADDRESS_LENGTH_MAX
        ),
        ActivityRefusal.IN_CHARGE_LENGTH: 1 <= len(activity.in_charge) <= IN_CHARGE_LENGTH_MAX,
        ActivityRefusal.REGION_UNKNOWN: is_region_known,
    }
    return _refused({**checks, **_shift_checks(shifts, now=now)})


def decide_shifts(
    shifts: Sequence[NewShift], *, is_cancelled: bool, now: datetime
) -> ActivityRefused | None:
    """Decide whether shifts can be added to an activity."""
    return _refused({ActivityRefusal.CANCELLED: not is_cancelled, **_shift_checks(shifts, now=now)})


def decide_cancellation(*, is_closed: bool, arrivals: int) -> CancellationRefusal | None:
    """Return why a shift cannot be called off, or None.

    Where somebody has come, service was done: such a shift is closed, not called off.
    """
    if is_closed:
        return CancellationRefusal.CLOSED
    if arrivals:
        return CancellationRefusal.SOMEBODY_ARRIVED
    return None


def _shift_checks(shifts: Sequence[NewShift], *, now: datetime) -> dict[ActivityRefusal, bool]:
    return {
        ActivityRefusal.TOO_MANY_SHIFTS: len(shifts) <= SHIFTS_MAX,
        ActivityRefusal.SHIFT_SPAN: all(
            SPAN_MIN <= each.ends_at - each.starts_at <= SPAN_MAX for each in shifts
        ),
        ActivityRefusal.SHIFT_PLACES: all(1 <= each.places <= PLACES_MAX for each in shifts),
        ActivityRefusal.SHIFT_PAST: all(each.starts_at >= now - STARTED_MAX for each in shifts),
        ActivityRefusal.SHIFT_TOO_FAR: all(each.starts_at <= now + AHEAD_MAX for each in shifts),
    }


def _refused(checks: dict[ActivityRefusal, bool]) -> ActivityRefused | None:
    reasons = tuple(reason for reason in ActivityRefusal if not checks.get(reason, True))
    return ActivityRefused(reasons) if reasons else None
