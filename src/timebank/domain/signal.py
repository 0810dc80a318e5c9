"""Odd patterns in what was recorded, for a reviewer: what was seen, and from where on it counts.

A signal is a question, never a verdict: it blocks nobody, takes nothing back, and each has its
innocent explanations, which the page says beside it. Queries measure, this module decides.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.threshold import Threshold

REASON_LENGTH_MAX = 500
"""The longest reason of a review: what was checked, and what came of it."""


class SignalKind(StrEnum):
    """What is looked for: first at organizers, then at volunteers."""

    NO_DEPARTURES = "signal.no_departures"
    FULL_TIME = "signal.full_time"
    AFTERWARDS = "signal.afterwards"
    ENTERED_LATE = "signal.entered_late"
    BURST = "signal.burst"
    SAME_SET = "signal.same_set"
    OWN_HOURS = "signal.own_hours"
    SAME_PAIR = "signal.same_pair"
    SHARED_DEVICE = "signal.shared_device"
    TWO_PLACES = "signal.two_places"
    TWO_CODES = "signal.two_codes"
    LONG_DAY = "signal.long_day"
    FAST_TRAVEL = "signal.fast_travel"


_OFTEN_RIGHT = dict.fromkeys(SignalKind, 10) | {
    SignalKind.NO_DEPARTURES: 5,
    SignalKind.FULL_TIME: 2,
    SignalKind.ENTERED_LATE: 7,
}
"""Of ten signals of a kind so many point at something wrong, in the frauds and the honest year that
`benchmarks/fraud.py --full` makes up: a large session whose code broke looks like an invented one,
and a reviewer who has an hour should not spend it there first."""


class ReviewOutcome(StrEnum):
    """What a reviewer makes of a signal."""

    DISMISSED = "dismissed"
    CHECKING = "checking"
    CORRECTED = "corrected"
    FRAUD = "fraud"
    """Somebody meant to deceive: grants whose rules say so are asked about."""


class ReviewRefusal(StrEnum):
    """Why a review was not recorded, in order of precedence."""

    NOT_FOUND = "review.not_found"
    REASON_LENGTH = "review.reason_length"
    OWN_HOURS = "review.own_hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a query counted of one subject.

    Attributes:
        subject: By kind and number: `shift/330424/17`, `organization/…`, `volunteer/…`.
        organization: Number of who organized; None where it is about several.
        people: How many were credited, or came.
        times: How often it was seen.
        minutes: Credited, all together.
        value: What else the kind counts, in its own unit: days, percent, minutes.
        percent: Which part of the organization's shifts of the period looks the same, of the
            activity's sessions had just these people, of somebody's own entries is by hand.
        seqs: Some of the entries in the book, oldest first; empty where a shift is the evidence.
    """

    kind: SignalKind
    book: int
    subject: str
    organization: int | None = None
    people: int = 0
    times: int = 0
    minutes: int = 0
    value: int = 0
    percent: int = 0
    since: datetime | None = None
    until: datetime | None = None
    seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a reviewer decided about a subject, with what had been counted then."""

    kind: SignalKind
    subject: str
    outcome: ReviewOutcome
    reason: str
    people: int
    times: int
    minutes: int
    reviewed_at: datetime


_Counted = Callable[[Measure], int]

CONDITIONS: Mapping[SignalKind, tuple[tuple[_Counted, Threshold], ...]] = {
    SignalKind.NO_DEPARTURES: (
        (lambda seen: seen.people, Threshold.NO_DEPARTURES_PEOPLE),
        (lambda seen: seen.percent, Threshold.NO_DEPARTURES_PERCENT),
    ),
    SignalKind.FULL_TIME: (
        (lambda seen: seen.people, Threshold.FULL_TIME_PEOPLE),
        (lambda seen: seen.percent, Threshold.FULL_TIME_PERCENT),
    ),
    SignalKind.AFTERWARDS: ((lambda seen: seen.people, Threshold.AFTERWARDS_PEOPLE),),
    SignalKind.ENTERED_LATE: (
        (lambda seen: seen.people, Threshold.LATE_PEOPLE),
        (lambda seen: seen.value, Threshold.LATE_DAYS),
    ),
    SignalKind.BURST: (
        (lambda seen: seen.value, Threshold.BURST_PERCENT),
        (lambda seen: seen.people, Threshold.LATE_PEOPLE),
    ),
    SignalKind.SAME_SET: (
        (lambda seen: seen.people, Threshold.SAME_SET_PEOPLE),
        (lambda seen: seen.times, Threshold.SAME_SET_TIMES),
        (lambda seen: seen.percent, Threshold.SAME_SET_PERCENT),
    ),
    SignalKind.OWN_HOURS: (
        (lambda seen: seen.times, Threshold.OWN_HOURS_TIMES),
        (lambda seen: seen.percent, Threshold.OWN_HOURS_PERCENT),
    ),
    SignalKind.SAME_PAIR: ((lambda seen: seen.times, Threshold.SAME_PAIR_TIMES),),
    SignalKind.SHARED_DEVICE: ((lambda seen: seen.people, Threshold.SHARED_DEVICE_PEOPLE),),
    SignalKind.TWO_PLACES: ((lambda seen: seen.value, Threshold.TWO_PLACES_MINUTES),),
    SignalKind.TWO_CODES: ((lambda seen: seen.value, Threshold.TWO_CODES_MINUTES),),
    SignalKind.LONG_DAY: ((lambda seen: seen.value - 1, Threshold.DAY_MINUTES),),
    SignalKind.FAST_TRAVEL: ((lambda seen: seen.times, Threshold.TRAVEL_TIMES),),
}
"""What must be reached for a signal, every line of it; a long day must be longer than the number.
"""

OF_A_CROWD = frozenset({SignalKind.NO_DEPARTURES, SignalKind.FULL_TIME})
"""Kinds that are a signal for a crowd alone, however seldom they are seen at the organization."""


def is_signal(seen: Measure, thresholds: Mapping[Threshold, int]) -> bool:
    """Return whether what was counted is worth a reviewer's look."""
    if seen.kind in OF_A_CROWD and seen.people >= thresholds[Threshold.CROWD_PEOPLE]:
        return True
    return all(count(seen) >= thresholds[needed] for count, needed in CONDITIONS[seen.kind])


def is_reviewed(seen: Measure, review: Review | None) -> bool:
    """Return whether a review answers a signal: until more is counted than was seen then."""
    return review is not None and (
        review.people >= seen.people
        and review.times >= seen.times
        and review.minutes >= seen.minutes
    )


def queue(
    measures: Iterable[Measure],
    *,
    thresholds: Mapping[Threshold, int],
    reviews: Mapping[tuple[SignalKind, str], Review],
) -> list[tuple[Measure, Review | None]]:
    """Return what a reviewer should look at, with what was decided of the same subject before.

    Shape: the most minutes that are likely to be wrong first, then by kind and subject; what is
    settled is left out, what is being checked stays.
    """
    found: list[tuple[Measure, Review | None]] = []
    for seen in measures:
        review = reviews.get((seen.kind, seen.subject))
        is_settled = (
            review is not None
            and review.outcome is not ReviewOutcome.CHECKING
            and is_reviewed(seen, review)
        )
        if is_signal(seen, thresholds) and not is_settled:
            found.append((seen, review))
    order = list(SignalKind)
    return sorted(
        found,
        key=lambda each: (
            -stake(each[0]),
            order.index(each[0].kind),
            each[0].subject,
        ),
    )


def stake(seen: Measure) -> int:
    """Return how many minutes of a signal are likely to be wrong, in tenths of minutes."""
    return seen.minutes * _OFTEN_RIGHT[seen.kind]


def decide_review(seen: Measure | None, *, reason: str, is_own: bool) -> ReviewRefusal | None:
    """Return why a review cannot be recorded, or None; a reviewer never judges their own hours."""
    if seen is None:
        return ReviewRefusal.NOT_FOUND
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        return ReviewRefusal.REASON_LENGTH
    if is_own:
        return ReviewRefusal.OWN_HOURS
    return None
