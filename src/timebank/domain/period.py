"""Half-open spans of time, and days, months and years as people in a zone live them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of a local calendar.

    Attributes:
        number: The year times 100 plus the month, such as 202403.
    """

    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number % 100 <= 12:
            raise ValueError(f"not a month: {self.number}")

    @classmethod
    def of(cls, instant: datetime, *, zone: ZoneInfo) -> "Month":
        """Return the month in which an instant falls for people in a zone."""
        local = instant.astimezone(zone)
        return cls(local.year * 100 + local.month)

    def next(self) -> "Month":
        """Return the month after this one."""
        year, month = divmod(self.number, 100)
        return Month((year + 1) * 100 + 1) if month == 12 else Month(self.number + 1)

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.number // 100, self.number % 100, 1)

    def period(self, *, zone: ZoneInfo) -> "Period":
        """Return the instants of the month as people in a zone live it."""
        return Period.of_days(self.first_day, self.next().first_day, zone=zone)


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period needs instants with a zone")
        if self.end < self.start:
            raise ValueError("a period ends before it starts")

    @classmethod
    def of_days(cls, first: date, after_last: date, *, zone: ZoneInfo) -> "Period":
        """Return the span from the first day up to, and without, the day after the last."""
        return cls(day_start(first, zone=zone), day_start(after_last, zone=zone))

    @classmethod
    def of_year(cls, year: int, *, zone: ZoneInfo) -> "Period":
        """Return a calendar year as people in a zone live it."""
        return cls.of_days(date(year, 1, 1), date(year + 1, 1, 1), zone=zone)

    def months(self, *, zone: ZoneInfo) -> tuple[Month, ...]:
        """Return the months that the period touches, in order."""
        if self.end == self.start:
            return ()
        month = Month.of(self.start, zone=zone)
        last = Month.of(self.end - timedelta(microseconds=1), zone=zone)
        found = [month]
        while month < last:
            month = month.next()
            found.append(month)
        return tuple(found)


def day_start(day: date, *, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(instant: datetime, *, zone: ZoneInfo) -> date:
    """Return the day that people in a zone call the day of an instant."""
    return instant.astimezone(zone).date()
