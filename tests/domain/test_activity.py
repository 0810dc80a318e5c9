"""What can be published: each row breaks one rule, in the order of the enum."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from timebank.domain.activity import (
    ActivityRefusal,
    ActivityRefused,
    NewActivity,
    NewShift,
    decide_activity,
    decide_cancellation,
    decide_shifts,
)
from timebank.domain.service_field import ServiceField

NOW = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACTIVITY = NewActivity(
    title="敬老",
    field=ServiceField.ELDER_CARE,
    content="陪",
    address="村口",
    region=330424101001,
    in_charge="王",
)
SHIFT = NewShift(starts_at=NOW, ends_at=NOW + HOUR, places=1)

GOOD = [
    (ACTIVITY, [SHIFT]),
    (ACTIVITY, []),
    (ACTIVITY, [SHIFT] * 100),
    (
        replace(
            ACTIVITY, title="敬" * 60, content="陪" * 2_000, address="村" * 100, in_charge="王" * 50
        ),
        [],
    ),
    (ACTIVITY, [replace(SHIFT, ends_at=NOW + 16 * HOUR, places=5_000)]),
    (ACTIVITY, [replace(SHIFT, ends_at=NOW + timedelta(minutes=10))]),
    (ACTIVITY, [replace(SHIFT, starts_at=NOW - HOUR)]),
    (
        ACTIVITY,
        [
            replace(
                SHIFT,
                starts_at=NOW + timedelta(days=366),
                ends_at=NOW + timedelta(days=366, hours=1),
            )
        ],
    ),
]


@pytest.mark.parametrize(("activity", "shifts"), GOOD)
def test_the_limits_themselves_are_accepted(activity: NewActivity, shifts: list[NewShift]) -> None:
    assert decide_activity(activity, shifts, is_region_known=True, now=NOW) is None


FAR = NOW + timedelta(days=366, seconds=1)
ROWS = [
    (replace(ACTIVITY, title="敬"), [], "activity.title_length"),
    (replace(ACTIVITY, title="敬" * 61), [], "activity.title_length"),
    (replace(ACTIVITY, content=""), [], "activity.content_length"),
    (replace(ACTIVITY, content="陪" * 2_001), [], "activity.content_length"),
    (replace(ACTIVITY, address="村"), [], "activity.address_length"),
    (replace(ACTIVITY, address="村" * 101), [], "activity.address_length"),
    (replace(ACTIVITY, in_charge=""), [], "activity.in_charge_length"),
    (replace(ACTIVITY, in_charge="王" * 51), [], "activity.in_charge_length"),
    (ACTIVITY, [SHIFT] * 101, "activity.too_many_shifts"),
    (ACTIVITY, [SHIFT, replace(SHIFT, ends_at=NOW)], "activity.shift_span"),
    (ACTIVITY, [replace(SHIFT, ends_at=NOW + timedelta(seconds=599))], "activity.shift_span"),
    (
        ACTIVITY,
        [replace(SHIFT, ends_at=NOW + 16 * HOUR + timedelta(seconds=1))],
        "activity.shift_span",
    ),
    (ACTIVITY, [replace(SHIFT, places=0)], "activity.shift_places"),
    (ACTIVITY, [replace(SHIFT, places=5_001)], "activity.shift_places"),
    (
        ACTIVITY,
        [replace(SHIFT, starts_at=NOW - HOUR - timedelta(seconds=1))],
        "activity.shift_past",
    ),
    (ACTIVITY, [replace(SHIFT, starts_at=FAR, ends_at=FAR + HOUR)], "activity.shift_too_far"),
]


@pytest.mark.parametrize(("activity", "shifts", "reason"), ROWS)
def test_each_rule_refuses(activity: NewActivity, shifts: list[NewShift], reason: str) -> None:
    refused = decide_activity(activity, shifts, is_region_known=True, now=NOW)
    assert refused == ActivityRefused((ActivityRefusal(reason),))


def test_everything_that_is_wrong_is_named_in_order() -> None:
    nothing = replace(ACTIVITY, title="", content="", address="", in_charge="")
    wrong = [replace(SHIFT, starts_at=NOW - 9 * HOUR, ends_at=NOW - 9 * HOUR, places=0)] * 101

    refused = decide_activity(nothing, wrong, is_region_known=False, now=NOW)

    assert refused == ActivityRefused(
        tuple(
            each
            for each in ActivityRefusal
            if each not in (ActivityRefusal.CANCELLED, ActivityRefusal.SHIFT_TOO_FAR)
        )
    )
    assert decide_shifts(wrong, is_cancelled=True, now=NOW) == ActivityRefused(
        (
            ActivityRefusal.CANCELLED,
            ActivityRefusal.TOO_MANY_SHIFTS,
            ActivityRefusal.SHIFT_SPAN,
            ActivityRefusal.SHIFT_PLACES,
            ActivityRefusal.SHIFT_PAST,
        )
    )


@pytest.mark.parametrize(
    ("is_closed", "arrivals", "reason"),
    [
        (True, 1, "cancellation.closed"),
        (False, 1, "cancellation.somebody_arrived"),
        (False, 0, None),
    ],
)
def test_a_shift_is_called_off_while_nobody_has_come(
    is_closed: bool, arrivals: int, reason: str | None
) -> None:
    assert decide_cancellation(is_closed=is_closed, arrivals=arrivals) == reason
