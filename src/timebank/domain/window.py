"""The days that a number is counted over: a year, a quarter, a campaign, everything up to a day."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from timebank.domain.period import Period

EARLIEST = date(1900, 1, 1)
"""Before any service: where a window begins that has no first day."""

_TEXTS = re.compile(
    r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>\d{2}))?"
    r"|(?P<first>\d{4}-\d{2}-\d{2})?\.\.(?P<last>\d{4}-\d{2}-\d{2})"
    r"|12m\.\.(?P<rolling>\d{4}-\d{2}-\d{2})"
)


class WindowKind(StrEnum):
    """How long a window is."""

    YEAR = "year"
    """A calendar year."""
    QUARTER = "quarter"
    MONTH = "month"
    TWELVE_MONTHS = "twelve_months"
    """The year that ends with a day."""
    CAMPAIGN = "campaign"
    """From a named first day to a named last one."""
    EVER = "ever"
    """Everything up to a day."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days that a number is counted over, as people in the book's zone live them.

    Attributes:
        first_on: The first day; `EARLIEST` where everything counts up to the last.
        last_on: The last day, which counts.
    """

    kind: WindowKind
    first_on: date
    last_on: date

    def __post_init__(self) -> None:
        if self.last_on < self.first_on:
            raise ValueError("a window ends before it begins")

    @classmethod
    def of_year(cls, year: int) -> "Window":
        """Return a calendar year."""
        return cls(WindowKind.YEAR, date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def of_quarter(cls, year: int, quarter: int) -> "Window":
        """Return a quarter, 1 to 4."""
        first = date(year, 3 * quarter - 2, 1)
        return cls(WindowKind.QUARTER, first, _later(first, months=3) - timedelta(days=1))

    @classmethod
    def of_month(cls, year: int, month: int) -> "Window":
        """Return a month, 1 to 12."""
        first = date(year, month, 1)
        return cls(WindowKind.MONTH, first, _later(first, months=1) - timedelta(days=1))

    @classmethod
    def of_twelve_months(cls, last_on: date) -> "Window":
        """Return the year that ends with a day."""
        after = last_on + timedelta(days=1)
        return cls(WindowKind.TWELVE_MONTHS, _later(after, months=-12), last_on)

    @classmethod
    def of_campaign(cls, first_on: date, last_on: date) -> "Window":
        """Return the days of a campaign."""
        return cls(WindowKind.CAMPAIGN, first_on, last_on)

    @classmethod
    def ever(cls, last_on: date) -> "Window":
        """Return everything up to a day."""
        return cls(WindowKind.EVER, EARLIEST, last_on)

    def period(self, *, zone: ZoneInfo) -> Period:
        """Return the instants of the window for people in a zone."""
        return Period.of_days(self.first_on, self.last_on + timedelta(days=1), zone=zone)

    @property
    def is_of_whole_months(self) -> bool:
        """Whether it begins with a month's first day and ends with a month's last."""
        return self.first_on.day == 1 and (self.last_on + timedelta(days=1)).day == 1

    def months_and_edges(self) -> tuple[range, list[tuple[date, date]]]:
        """Return the whole months of the window, counted from year 0, and the days beside them.

        Shape: the edges are at most two spans of days, both ends included; none is a whole month.
        """
        after = self.last_on + timedelta(days=1)
        first = _month_number(self.first_on) + (self.first_on.day > 1)
        last = _month_number(after)
        if last <= first:
            return range(0), _cut(self.first_on, self.last_on)
        edges = []
        if self.first_on.day > 1:
            edges.append((self.first_on, _first_of(first) - timedelta(days=1)))
        if after.day > 1:
            edges.append((_first_of(last), self.last_on))
        return range(first, last), edges

    def covers(self, day: date) -> bool:
        """Return whether a day lies in the window."""
        return self.first_on <= day <= self.last_on

    def a_year_before(self) -> "Window":
        """Return the same days of the year before; what counts everything ends a year earlier."""
        if self.kind is WindowKind.EVER:
            return Window.ever(_later(self.last_on, months=-12))
        first = _later(self.first_on, months=-12)
        after = _later(self.last_on + timedelta(days=1), months=-12)
        return Window(self.kind, first, after - timedelta(days=1))

    def until(self, day: date) -> "Window":
        """Return the window up to a day: a year that still goes on, to compare with the last."""
        if not self.covers(day) or day == self.last_on:
            return self
        kind = self.kind if self.kind is WindowKind.EVER else WindowKind.CAMPAIGN
        return Window(kind, self.first_on, day)

    def __str__(self) -> str:
        """Return the text that `parse_window` reads, such as `2024`, `2024-Q3` or `2024-03`."""
        match self.kind:
            case WindowKind.YEAR:
                return f"{self.first_on.year}"
            case WindowKind.QUARTER:
                return f"{self.first_on.year}-Q{(self.first_on.month + 2) // 3}"
            case WindowKind.MONTH:
                return f"{self.first_on:%Y-%m}"
            case WindowKind.TWELVE_MONTHS:
                return f"12m..{self.last_on}"
            case WindowKind.CAMPAIGN:
                return f"{self.first_on}..{self.last_on}"
            case WindowKind.EVER:
                return f"..{self.last_on}"


def window_of(kind: WindowKind, *, on: date) -> Window:
    """Return the window of a kind that a day lies in, or that ends with it.

    Raises:
        ValueError: A campaign has days of its own.
    """
    match kind:
        case WindowKind.YEAR:
            return Window.of_year(on.year)
        case WindowKind.QUARTER:
            return Window.of_quarter(on.year, (on.month + 2) // 3)
        case WindowKind.MONTH:
            return Window.of_month(on.year, on.month)
        case WindowKind.TWELVE_MONTHS:
            return Window.of_twelve_months(on)
        case WindowKind.EVER:
            return Window.ever(on)
        case WindowKind.CAMPAIGN:
            raise ValueError("a campaign has days of its own")


def parse_window(text: str) -> Window:
    """Return the window that a text names: `2024`, `2024-Q3`, `2024-03`, `12m..2024-06-30`.

    A campaign is `2024-03-01..2024-03-31`, everything up to a day `..2024-12-31`.

    Raises:
        ValueError: It names none.
    """
    found = _TEXTS.fullmatch(text)
    if found is None:
        raise ValueError("not a window")
    if found["rolling"]:
        return Window.of_twelve_months(date.fromisoformat(found["rolling"]))
    if found["last"]:
        last = date.fromisoformat(found["last"])
        if found["first"] is None:
            return Window.ever(last)
        return Window.of_campaign(date.fromisoformat(found["first"]), last)
    year = int(found["year"])
    if found["quarter"]:
        return Window.of_quarter(year, int(found["quarter"]))
    if found["month"]:
        return Window.of_month(year, int(found["month"]))
    return Window.of_year(year)


def _cut(first: date, last: date) -> list[tuple[date, date]]:
    """Return days without a whole month among them, cut where one month ends."""
    if _month_number(first) == _month_number(last):
        return [(first, last)]
    middle = _first_of(_month_number(last))
    return [(first, middle - timedelta(days=1)), (middle, last)]


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _later(first: date, *, months: int) -> date:
    """Return the same day some months later, or the month's last day where it has none such."""
    whole = first.year * 12 + first.month - 1 + months
    year, month = divmod(whole, 12)
    after_month = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(
        date(year, month + 1, 1) + timedelta(days=first.day - 1), after_month - timedelta(days=1)
    )
