"""A volunteer's place in a shift: who gets one, and who can give it back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.actor import VolunteerId
from timebank.domain.clearance import Requirement

WAITING_MAX = 500
"""The longest waiting list: whoever is further back only hopes."""


class SignupRefusal(StrEnum):
    """Why nobody was signed up, in order of precedence."""

    SHIFT_NOT_FOUND = "signup.shift_not_found"
    SHIFT_CANCELLED = "signup.shift_cancelled"
    SHIFT_CLOSED = "signup.shift_closed"
    SHIFT_ENDED = "signup.shift_ended"
    ALREADY_SIGNED_UP = "signup.already_signed_up"
    FULL = "signup.full"
    OVERLAPS = "signup.overlaps"
    MINOR_IN_RESCUE = "signup.minor_in_rescue"
    AGE_UNKNOWN = "signup.age_unknown"
    NO_CONSENT = "signup.no_consent"
    NO_AGREEMENT = "signup.no_agreement"
    NO_INSURANCE = "signup.no_insurance"
    NO_TRAINING = "signup.no_training"


class WaitingRefusal(StrEnum):
    """Why nobody was put on the waiting list, in order of precedence."""

    NOT_OPEN = "waiting.not_open"
    ALREADY_SIGNED_UP = "waiting.already_signed_up"
    ALREADY_WAITING = "waiting.already_waiting"
    PLACES_LEFT = "waiting.places_left"
    STARTED = "waiting.started"
    TOO_MANY = "waiting.too_many"


class WithdrawalRefusal(StrEnum):
    """Why a volunteer keeps their place, in order of precedence."""

    NOT_SIGNED_UP = "withdrawal.not_signed_up"
    ALREADY_ARRIVED = "withdrawal.already_arrived"
    SHIFT_ENDED = "withdrawal.shift_ended"


@dataclass(frozen=True, slots=True)
class SignupFacts:
    """What must be known to decide on a place.

    Attributes:
        is_cancelled: The shift or its activity was called off.
        is_signed_up: The volunteer holds a place already.
        has_arrived: The volunteer's arrival is recorded.
        taken: Places held by anybody.
        is_overlapping: The volunteer holds a place in another shift at the same time.
        missing: What must be there before they may serve and is not, the first one first.
    """

    ends_at: datetime
    is_cancelled: bool
    is_closed: bool
    is_signed_up: bool
    has_arrived: bool
    places: int
    taken: int
    is_overlapping: bool
    missing: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The volunteer holds a place."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SignupRefused:
    """Nothing is written."""

    reason: SignupRefusal


@dataclass(frozen=True, slots=True)
class Waiting:
    """The volunteer gets the next place that becomes free.

    Attributes:
        place: 1 for who is next.
    """

    at: datetime
    place: int


@dataclass(frozen=True, slots=True)
class WaitingRefused:
    """Nothing is written."""

    reason: WaitingRefusal


@dataclass(frozen=True, slots=True)
class WaitingEnded:
    """The volunteer waits no longer."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The place is free again, or another's.

    Attributes:
        promoted: Who waited and holds it now; None where nobody could take it.
    """

    at: datetime
    promoted: VolunteerId | None = None


@dataclass(frozen=True, slots=True)
class WithdrawalRefused:
    """Nothing is written."""

    reason: WithdrawalRefusal


_MISSING = {
    Requirement.ADULT: SignupRefusal.MINOR_IN_RESCUE,
    Requirement.AGE: SignupRefusal.AGE_UNKNOWN,
    Requirement.CONSENT: SignupRefusal.NO_CONSENT,
    Requirement.AGREEMENT: SignupRefusal.NO_AGREEMENT,
    Requirement.INSURANCE: SignupRefusal.NO_INSURANCE,
    Requirement.TRAINING: SignupRefusal.NO_TRAINING,
}


def decide_signup(facts: SignupFacts | None, *, now: datetime) -> SignedUp | SignupRefused:
    """Decide whether a volunteer gets a place; a shift that nobody may see has no facts."""
    if facts is None:
        return SignupRefused(SignupRefusal.SHIFT_NOT_FOUND)
    if facts.is_cancelled:
        return SignupRefused(SignupRefusal.SHIFT_CANCELLED)
    if facts.is_closed:
        return SignupRefused(SignupRefusal.SHIFT_CLOSED)
    if now >= facts.ends_at:
        return SignupRefused(SignupRefusal.SHIFT_ENDED)
    if facts.is_signed_up:
        return SignupRefused(SignupRefusal.ALREADY_SIGNED_UP)
    if facts.taken >= facts.places:
        return SignupRefused(SignupRefusal.FULL)
    if facts.is_overlapping:
        return SignupRefused(SignupRefusal.OVERLAPS)
    if facts.missing:
        return SignupRefused(_MISSING[facts.missing[0]])
    return SignedUp(now)


def decide_waiting(
    facts: SignupFacts | None,
    *,
    is_waiting: bool,
    waiting: int,
    starts_at: datetime | None,
    now: datetime,
) -> Waiting | WaitingRefused:
    """Decide whether a volunteer can wait for a place: in a full shift that has not begun.

    Whether they are free then is asked when a place is.
    """
    if facts is None or facts.is_cancelled or facts.is_closed or starts_at is None:
        return WaitingRefused(WaitingRefusal.NOT_OPEN)
    if facts.is_signed_up:
        return WaitingRefused(WaitingRefusal.ALREADY_SIGNED_UP)
    if is_waiting:
        return WaitingRefused(WaitingRefusal.ALREADY_WAITING)
    if facts.taken < facts.places:
        return WaitingRefused(WaitingRefusal.PLACES_LEFT)
    if now >= starts_at:
        return WaitingRefused(WaitingRefusal.STARTED)
    if waiting >= WAITING_MAX:
        return WaitingRefused(WaitingRefusal.TOO_MANY)
    return Waiting(now, waiting + 1)


def decide_withdrawal(facts: SignupFacts | None, *, now: datetime) -> Withdrawn | WithdrawalRefused:
    """Decide whether a volunteer can give a place back: until they have come or it is over."""
    if facts is None or not facts.is_signed_up:
        return WithdrawalRefused(WithdrawalRefusal.NOT_SIGNED_UP)
    if facts.has_arrived:
        return WithdrawalRefused(WithdrawalRefusal.ALREADY_ARRIVED)
    if now >= facts.ends_at:
        return WithdrawalRefused(WithdrawalRefusal.SHIFT_ENDED)
    return Withdrawn(now)
