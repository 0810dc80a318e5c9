"""The spans of days that a fact may be counted over.

A window is resolved for a day `on` to local days from `since` up to, and without, `until`. Nothing
after `on` counts, so that a past decision can be made again from the same window.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

MONTHS_MAX = 600
"""Longest rolling window, in months: fifty years is a life of service."""


class WindowKind(StrEnum):
    """The shapes of a window."""

    LIFETIME = "lifetime"
    CALENDAR_YEAR = "calendar_year"
    SCHOOL_YEAR = "school_year"
    """From 1 September to 31 August."""
    MONTHS = "months"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class Window:
    """One window as a rule writes it.

    Attributes:
        months: Of `months(n)`: how many, ending with the day itself.
        first_on: Of `between(d1, d2)`: the first day.
        last_on: Of `between(d1, d2)`: the last day, included.
    """

    kind: WindowKind
    months: int = 0
    first_on: date | None = None
    last_on: date | None = None

    def __str__(self) -> str:
        """Return the window as it is written in a rule."""
        match self.kind:
            case WindowKind.MONTHS:
                return f"months({self.months})"
            case WindowKind.BETWEEN:
                return f"between({self.first_on},{self.last_on})"
            case WindowKind.LIFETIME | WindowKind.CALENDAR_YEAR | WindowKind.SCHOOL_YEAR:
                return self.kind.value

    def days(self, *, on: date) -> tuple[date | None, date]:
        """Return the first day (None: no earliest) and the day after the last day that counts.

        An empty window has both equal.
        """
        until = on + timedelta(days=1)
        match self.kind:
            case WindowKind.LIFETIME:
                return None, until
            case WindowKind.CALENDAR_YEAR:
                return date(on.year, 1, 1), until
            case WindowKind.SCHOOL_YEAR:
                return school_year_start(on), until
            case WindowKind.MONTHS:
                return add_months(until, -self.months), until
            case WindowKind.BETWEEN:
                if self.first_on is None or self.last_on is None:
                    raise ValueError("a window between two days needs both")
                until = min(until, self.last_on + timedelta(days=1))
                return self.first_on, max(self.first_on, until)

    def closes_on(self, *, on: date) -> date | None:
        """Return the last day on which something may still be added for this window.

        None for a window without an end of its own: a lifetime, or a span that moves along.
        """
        match self.kind:
            case WindowKind.CALENDAR_YEAR:
                return date(on.year, 12, 31)
            case WindowKind.SCHOOL_YEAR:
                return date(school_year_start(on).year + 1, 8, 31)
            case WindowKind.BETWEEN:
                return self.last_on
            case WindowKind.LIFETIME | WindowKind.MONTHS:
                return None


def school_year_start(on: date) -> date:
    """Return the first day of the school year that a day lies in.

    Source: school years in China begin on 1 September.
    """
    return date(on.year if on.month >= 9 else on.year - 1, 9, 1)


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or that month's last day if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return date.min if months < 0 else date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_MONTHS = re.compile(r"months\(([1-9][0-9]{0,2})\)")
_BETWEEN = re.compile(r"between\(([0-9]{4}-[0-9]{2}-[0-9]{2}), ?([0-9]{4}-[0-9]{2}-[0-9]{2})\)")


def parse_window(text: str) -> Window | None:
    """Return the window that a rule's text names, or None if it names none."""
    if text in (WindowKind.LIFETIME, WindowKind.CALENDAR_YEAR, WindowKind.SCHOOL_YEAR):
        return Window(WindowKind(text))
    if found := _MONTHS.fullmatch(text):
        months = int(found[1])
        return Window(WindowKind.MONTHS, months=months) if months <= MONTHS_MAX else None
    if found := _BETWEEN.fullmatch(text):
        try:
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
        except ValueError:
            return None
        if first <= last < date.max:
            return Window(WindowKind.BETWEEN, first_on=first, last_on=last)
    return None
