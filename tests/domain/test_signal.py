"""From where on a count is a signal, and when a review answers it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from timebank.domain.signal import (
    CONDITIONS,
    OF_A_CROWD,
    Measure,
    Review,
    ReviewOutcome,
    SignalKind,
    decide_review,
    is_signal,
    queue,
)
from timebank.domain.threshold import DEFAULTS, Threshold

SEEN = Measure(
    kind=SignalKind.SAME_SET,
    book=330424,
    subject="organization/330424/1/abc",
    people=DEFAULTS[Threshold.SAME_SET_PEOPLE],
    times=DEFAULTS[Threshold.SAME_SET_TIMES],
    minutes=6_000,
    percent=DEFAULTS[Threshold.SAME_SET_PERCENT],
)
REVIEW = Review(
    kind=SEEN.kind,
    subject=SEEN.subject,
    outcome=ReviewOutcome.DISMISSED,
    reason="固定的六人小组，已核对签到表",
    people=SEEN.people,
    times=SEEN.times,
    minutes=SEEN.minutes,
    reviewed_at=datetime(2024, 3, 2, tzinfo=UTC),
)


def test_every_kind_has_its_conditions() -> None:
    assert list(CONDITIONS) == list(SignalKind)
    assert all(needed in DEFAULTS for rows in CONDITIONS.values() for _, needed in rows)


@pytest.mark.parametrize("kind", SignalKind)
def test_just_below_any_of_its_numbers_is_no_signal(kind: SignalKind) -> None:
    full = replace(SEEN, kind=kind, people=10_000, times=10_000, value=10_000, percent=10_000)
    assert is_signal(full, DEFAULTS)
    unheard_of = DEFAULTS | {Threshold.CROWD_PEOPLE: 10_001}
    for _, needed in CONDITIONS[kind]:
        assert not is_signal(full, unheard_of | {needed: 10_001})
    assert is_signal(full, unheard_of | dict.fromkeys(CONDITIONS_OF[kind], 9_999))
    crowded = DEFAULTS | dict.fromkeys(CONDITIONS_OF[kind], 10_001)
    assert is_signal(full, crowded) == (kind in OF_A_CROWD)


CONDITIONS_OF = {kind: [needed for _, needed in rows] for kind, rows in CONDITIONS.items()}


def test_a_day_of_just_the_hours_is_not_too_long() -> None:
    at = replace(SEEN, kind=SignalKind.LONG_DAY, value=DEFAULTS[Threshold.DAY_MINUTES])
    assert not is_signal(at, DEFAULTS)
    assert is_signal(replace(at, value=at.value + 1), DEFAULTS)


@pytest.mark.parametrize(
    ("outcome", "grown", "is_waiting"),
    [
        (ReviewOutcome.DISMISSED, {}, False),
        (ReviewOutcome.CORRECTED, {}, False),
        (ReviewOutcome.CHECKING, {}, True),
        (ReviewOutcome.DISMISSED, {"times": 6}, True),
        (ReviewOutcome.DISMISSED, {"people": 6}, True),
        (ReviewOutcome.DISMISSED, {"minutes": 6_001}, True),
        (ReviewOutcome.DISMISSED, {"minutes": 5_999}, False),
    ],
)
def test_what_is_settled_comes_back_when_more_is_seen(
    outcome: ReviewOutcome, grown: dict[str, int], is_waiting: bool
) -> None:
    seen = replace(SEEN, **grown)
    review = replace(REVIEW, outcome=outcome)
    found = queue([seen], thresholds=DEFAULTS, reviews={(seen.kind, seen.subject): review})
    assert found == ([(seen, review)] if is_waiting else [])


def test_the_queue_begins_with_the_most_minutes() -> None:
    most = replace(SEEN, subject="b", minutes=9_000)
    low = replace(SEEN, subject="c", people=1)
    found = queue([SEEN, low, most], thresholds=DEFAULTS, reviews={})
    assert found == [(most, None), (SEEN, None)]


@pytest.mark.parametrize(
    ("seen", "reason", "is_own", "outcome"),
    [
        (None, "", True, "review.not_found"),
        (SEEN, "", True, "review.reason_length"),
        (SEEN, "x" * 501, True, "review.reason_length"),
        (SEEN, "x", True, "review.own_hours"),
        (SEEN, "x", False, None),
    ],
)
def test_a_review_has_a_reason_and_is_not_about_oneself(
    seen: Measure | None, reason: str, is_own: bool, outcome: str | None
) -> None:
    found = decide_review(seen, reason=reason, is_own=is_own)
    assert (None if found is None else found.value) == outcome
