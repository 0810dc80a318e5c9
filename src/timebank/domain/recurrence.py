"""Shifts that come again: the same hours on later days, as people on the spot read the clock."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from timebank.domain.activity import SHIFTS_MAX, NewShift
from timebank.domain.period import local_day
from timebank.domain.working_day import IsWorkingDay

_WEEK = timedelta(days=7)
_MONTHS_MAX = 2 * SHIFTS_MAX
"""Months looked through at most: a fifth Saturday comes every third month or so."""


class Repeat(StrEnum):
    """How a shift comes again."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    """On the same weekday of the same week of the month, such as each second Saturday."""


def repeated(
    first: NewShift,
    *,
    repeat: Repeat,
    times: int,
    zone: ZoneInfo,
    is_working_day: IsWorkingDay | None = None,
) -> list[NewShift]:
    """Return a shift and its repetitions, each at the first one's hours on the clock.

    Days that the calendar of public holidays turned round are passed over where it is given: a
    weekday off, a weekend day that makes up for one. What is not announced yet is not passed over.

    Shape: `times` shifts by start, the first one first, fewer where the months end; at most one
    more than can be published, so that too many are refused and not cut.
    """
    starts = first.starts_at.astimezone(zone)
    span = first.ends_at - first.starts_at
    found: list[NewShift] = []
    for day in _days(local_day(first.starts_at, zone=zone), repeat):
        if len(found) >= min(times, SHIFTS_MAX + 1):
            break
        if is_working_day is not None and _is_turned(day, is_working_day):
            continue
        at = datetime.combine(day, starts.timetz()).astimezone(first.starts_at.tzinfo)
        found.append(replace(first, starts_at=at, ends_at=at + span))
    return found


def _is_turned(day: date, is_working_day: IsWorkingDay) -> bool:
    works = is_working_day(day)
    return works is not None and works is not (day.weekday() < 5)


def _days(first: date, repeat: Repeat) -> Iterator[date]:
    if repeat is Repeat.NONE:
        yield first
        return
    if repeat is Repeat.MONTHLY:
        yield from _monthly(first)
        return
    step = {Repeat.DAILY: _WEEK / 7, Repeat.WEEKLY: _WEEK, Repeat.FORTNIGHTLY: 2 * _WEEK}[repeat]
    # A holiday of days, and no more, may lie between two: the bound is never met by what is shown.
    for turn in range(_MONTHS_MAX * 31):
        yield first + turn * step


def _monthly(first: date) -> Iterator[date]:
    week = (first.day - 1) // 7
    for turn in range(_MONTHS_MAX):
        year, month = divmod(first.year * 12 + first.month - 1 + turn, 12)
        begins = date(year, month + 1, 1)
        day = 1 + (first.weekday() - begins.weekday()) % 7 + 7 * week
        if day <= monthrange(year, month + 1)[1]:
            yield begins.replace(day=day)
