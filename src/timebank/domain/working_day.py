"""The clocks that count working days: until when something is to be done, and what came too late.

A working day is what the State Council's yearly notice makes it: Monday to Friday without the
holidays, and the weekend days that make up for them. Beyond what was announced nobody knows, and
nothing here guesses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

IsWorkingDay: TypeAlias = Callable[[date], bool | None]
"""Says whether people work on a day; None where that has not been announced."""

RECORD_DAYS = 10
"""Working days after an activity within which its service is recorded.
Source: Ministry of Civil Affairs, Order 67 (2021), article 11."""

RECORD_SPAN_MIN = timedelta(days=RECORD_DAYS)
"""Ten working days take ten days at least: what ended after that is not late by any calendar."""

ANSWER_DAYS = 10
"""Working days within which an objection is answered, and an appeal decided: as long as the law
gives for the record itself."""

APPEAL_DAYS = 10
"""Working days after an answer within which one can appeal against it."""

_DAYS_MAX = 60
"""The longest a clock looks ahead or back, in days: no run of ten working days takes as long."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """How much time is left.

    Attributes:
        due_on: The last day; None where the calendar is not announced so far.
        left: Working days after today up to and with the last day: 0 on the last day itself, below
            zero as many working days later; None where that is not known.
    """

    due_on: date | None
    left: int | None

    @property
    def is_over(self) -> bool:
        """Whether the last day has passed for sure."""
        return self.left is not None and self.left < 0


def due_on(since: date, *, days: int, is_working_day: IsWorkingDay) -> date | None:
    """Return the last of so many working days after a day; None where not all are known."""
    on, counted = since, 0
    for _ in range(_DAYS_MAX):
        on += _DAY
        works = is_working_day(on)
        if works is None:
            return None
        counted += works
        if counted == days:
            return on
    return None


def clock_of(since: date, *, today: date, days: int, is_working_day: IsWorkingDay) -> Clock:
    """Return the clock that began on a day and gives so many working days after it."""
    due = due_on(since, days=days, is_working_day=is_working_day)
    if due is None:
        return Clock(None, None)
    if due >= today:
        return Clock(due, _working_days(today, due, is_working_day))
    late = _working_days(due, today, is_working_day)
    # Over a weekend no working day has passed, and still the last day is over.
    return Clock(due, None if late is None else -max(late, 1))


def days_late(since: date, on: date, *, days: int, is_working_day: IsWorkingDay) -> int | None:
    """Return by how many calendar days something was done too late; 0 in time, None not known.

    Units: calendar days after the last day.
    """
    due = due_on(since, days=days, is_working_day=is_working_day)
    return None if due is None else max((on - due).days, 0)


def _working_days(after: date, until: date, is_working_day: IsWorkingDay) -> int | None:
    counted, on = 0, after
    while on < until:
        on += _DAY
        works = is_working_day(on)
        if works is None:
            return None
        counted += works
    return counted
