"""Shifts come again at the same hours on the clock, and pass over turned days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from timebank.domain.activity import SHIFTS_MAX, NewShift
from timebank.domain.recurrence import Repeat, repeated
from timebank.store.working_days import is_working_day

ZONE = ZoneInfo("Asia/Shanghai")


def first(day: str, hour: int = 9) -> NewShift:
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).replace(hour=hour)
    at = at.astimezone(UTC)
    return NewShift(starts_at=at, ends_at=at + timedelta(hours=3), places=8)


def days(shifts: list[NewShift]) -> list[str]:
    assert {each.ends_at - each.starts_at for each in shifts} == {timedelta(hours=3)}
    assert {each.starts_at.astimezone(ZONE).hour for each in shifts} == {9}
    return [f"{each.starts_at.astimezone(ZONE):%m-%d}" for each in shifts]


@pytest.mark.parametrize(
    ("day", "repeat", "times", "found"),
    [
        ("2024-03-02", Repeat.NONE, 5, ["03-02"]),
        ("2024-02-28", Repeat.DAILY, 3, ["02-28", "02-29", "03-01"]),
        ("2024-03-02", Repeat.WEEKLY, 3, ["03-02", "03-09", "03-16"]),
        ("2024-12-21", Repeat.FORTNIGHTLY, 3, ["12-21", "01-04", "01-18"]),
        ("2024-03-09", Repeat.MONTHLY, 4, ["03-09", "04-13", "05-11", "06-08"]),
        ("2024-03-30", Repeat.MONTHLY, 3, ["03-30", "06-29", "08-31"]),
    ],
)
def test_a_shift_comes_again(day: str, repeat: Repeat, times: int, found: list[str]) -> None:
    assert days(repeated(first(day), repeat=repeat, times=times, zone=ZONE)) == found


def test_holidays_and_the_days_that_make_up_for_them_are_passed_over() -> None:
    # 2024: Qingming 4–6 April (Thursday to Saturday), Sunday 7 April makes up for it.
    found = repeated(
        first("2024-04-03"),
        repeat=Repeat.DAILY,
        times=4,
        zone=ZONE,
        is_working_day=is_working_day,
    )
    assert days(found) == ["04-03", "04-06", "04-08", "04-09"]


def test_the_clock_stays_where_the_zone_turns_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = datetime(2024, 3, 29, 9, 0, tzinfo=berlin).astimezone(UTC)
    shift = NewShift(starts_at=at, ends_at=at + timedelta(hours=1), places=1)
    found = repeated(shift, repeat=Repeat.DAILY, times=4, zone=berlin)
    assert [each.starts_at.astimezone(berlin).hour for each in found] == [9] * 4


def test_too_many_are_left_to_be_refused() -> None:
    found = repeated(first("2024-03-02"), repeat=Repeat.DAILY, times=10**6, zone=ZONE)
    assert len(found) == SHIFTS_MAX + 1
