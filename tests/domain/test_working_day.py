"""Ten working days are counted as the State Council announced them; beyond that nobody knows."""

from datetime import date, timedelta

import pytest

from timebank.domain.working_day import RECORD_DAYS, Clock, clock_of, days_late, due_on
from timebank.store.working_days import is_working_day

# Source: State Council General Office, notices on holidays for 2024, 2025 and 2026.
ROWS = [
    # ended          last day        why
    (date(2024, 9, 20), date(2024, 10, 10), "29 Sep made up, 1 to 7 Oct off"),
    (date(2024, 3, 2), date(2024, 3, 15), "two plain weeks"),
    (date(2025, 1, 24), date(2025, 2, 13), "26 Jan and 8 Feb made up, 28 Jan to 4 Feb off"),
    (date(2026, 2, 12), date(2026, 3, 4), "14 and 28 Feb made up, 15 to 23 Feb off"),
    (date(2026, 4, 30), date(2026, 5, 18), "1 to 5 May off, 9 May made up"),
    (date(2026, 9, 18), date(2026, 10, 9), "20 Sep made up, 25 to 27 Sep and 1 to 7 Oct off"),
    (date(2026, 9, 30), date(2026, 10, 20), "1 to 7 Oct off, 10 Oct made up"),
    (date(2026, 12, 17), date(2026, 12, 31), "the last that is known"),
    (date(2026, 12, 18), None, "January 2027 is not announced"),
    (date(2027, 3, 1), None, "a year that nobody announced"),
]


@pytest.mark.parametrize(("ended", "last", "why"), ROWS)
def test_the_last_of_ten_working_days(ended: date, last: date | None, why: str) -> None:
    assert due_on(ended, days=RECORD_DAYS, is_working_day=is_working_day) == last, why


@pytest.mark.parametrize(
    ("today", "left"),
    [
        (date(2026, 9, 30), 10),
        (date(2026, 10, 7), 10),
        (date(2026, 10, 10), 7),
        (date(2026, 10, 19), 1),
        (date(2026, 10, 20), 0),
        (date(2026, 10, 21), -1),
        (date(2026, 10, 24), -3),
        (date(2026, 10, 26), -4),
    ],
)
def test_what_is_left_is_counted_in_working_days(today: date, left: int) -> None:
    clock = clock_of(
        date(2026, 9, 30), today=today, days=RECORD_DAYS, is_working_day=is_working_day
    )
    assert clock == Clock(date(2026, 10, 20), left)
    assert clock.is_over == (left < 0)


def test_the_day_after_the_last_one_is_late_also_on_a_weekend() -> None:
    clock = clock_of(
        date(2024, 3, 2), today=date(2024, 3, 16), days=10, is_working_day=is_working_day
    )
    assert clock == Clock(date(2024, 3, 15), -1)


def test_what_is_not_announced_is_not_known_and_never_over() -> None:
    clock = clock_of(
        date(2026, 12, 28), today=date(2027, 3, 1), days=10, is_working_day=is_working_day
    )
    assert clock == Clock(None, None)
    assert not clock.is_over
    assert (
        days_late(date(2026, 12, 28), date(2027, 3, 1), days=10, is_working_day=is_working_day)
        is None
    )


@pytest.mark.parametrize(("on", "late"), [(0, 0), (13, 0), (14, 1), (20, 7)])
def test_lateness_is_counted_from_the_last_day(on: int, late: int) -> None:
    ended = date(2024, 3, 2)
    found = days_late(ended, ended + timedelta(days=on), days=10, is_working_day=is_working_day)
    assert found == late
