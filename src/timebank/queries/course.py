"""How a year went: month by month, day by day, and who came back after they first served.

Months and cohorts are of people whose home is in the scope; days are of services done there.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import kept_of
from timebank.domain.as_of import AsOf
from timebank.domain.assurance import Evidence
from timebank.domain.definition import Definition
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.ledger.year_sums import GRADES, MEASURED, YearSums, month_of_days
from timebank.queries.people import Register
from timebank.queries.snapshot import BOOKS_AT_ONCE, YEAR, Snapshot

_MONTHS = 12
_COUNTS_MAX = 1_000
"""Counts that a process keeps, of some hundred kilobytes each."""

Numbers = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MonthPoint:
    """A month of a year.

    Attributes:
        active: People who were active in the month alone.
        active_to_date: People who were active from the first day of the year to the month's last.
        minutes: Served in the division in the month, by class of evidence, as `Evidence` orders.
    """

    month: int
    active: int
    active_to_date: int
    services: int
    minutes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DayPoint:
    """A day on which somebody served in the division."""

    day: date
    services: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """People who served in a month for the first time in the year.

    Attributes:
        retained: How many of them served in that month, in the next one, and so on.
    """

    month: int
    retained: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many they were."""
        return self.retained[0] if self.retained else 0


@dataclass(frozen=True, slots=True)
class Course:
    """How a year went in a division.

    Attributes:
        months: January first, up to the last month asked for.
        days: Those with services, in order.
        cohorts: By first month; months in which nobody came for the first time are left out.
    """

    as_of_books: tuple[AsOf, ...]
    year: int
    months: tuple[MonthPoint, ...]
    days: tuple[DayPoint, ...]
    cohorts: tuple[Cohort, ...]


async def read_course(
    conn: AsyncConnection,
    *,
    scope: Scope,
    definition: Definition,
    year: int,
    last_month: int = _MONTHS,
) -> Course | None:
    """Return how a year went in a division, up to a month.

    Somebody is active in a month by the definition's evidence and thresholds, taken of that month
    alone, and to date by those of the year so far.

    None where the scope has no book.

    Cost: for each book nothing where nothing is new; else the entries that are new, and some
    milliseconds.
    """
    snapshot = await Snapshot.open(conn, scope=scope, as_of=None)
    if snapshot is None:
        return None
    kept = _kept_of(conn)
    keys = {
        each: (each.book, each.seq, each.counters, year, definition.hash)
        for each in snapshot.states
    }
    found = {each: kept.get(key) for each, key in keys.items()}
    missing = [each for each, counted in found.items() if counted is None]
    if missing:
        books, people = await snapshot.learn(missing)
        for each in missing:
            sums = await snapshot.sum_year(each, books[each.book], year)
            register = await snapshot.list_register(
                people[each.book], each, Window.of_year(year), definition
            )
            found[each] = _count(sums, register, definition)
            if len(snapshot.states) > BOOKS_AT_ONCE:
                books[each.book].forget(YEAR)
    counts = []
    for each, counted in found.items():
        if counted is not None:
            kept[keys[each]] = counted
            kept.move_to_end(keys[each])
            counts.append(counted)
    while len(kept) > _COUNTS_MAX:
        kept.popitem(last=False)
    return _course(snapshot, counts, year=year, last_month=last_month)


@dataclass(frozen=True, slots=True)
class _BookCourse:
    """How a year went in one book, by home and by place.

    Attributes:
        homes: Division codes, in order.
        active: Shape: `(2, homes, 12)`: in the month alone; from the year's first day on.
        cohorts: Shape: `(homes, 12, 12)`: the month of the first service, a later month.
        days: The sums of the year, for its places; read, never changed.
    """

    homes: Numbers
    active: Numbers
    cohorts: Numbers
    places: Numbers
    days: Numbers


def _course(
    snapshot: Snapshot, counts: Sequence[_BookCourse], *, year: int, last_month: int
) -> Course:
    scope, first = snapshot.scope.codes, date(year, 1, 1)
    month_of = month_of_days(year)
    active = np.zeros((2, _MONTHS), np.int64)
    cohorts = np.zeros((_MONTHS, _MONTHS), np.int64)
    days = np.zeros((2, len(Evidence), len(month_of)), np.int64)
    for each in counts:
        here = (each.homes >= scope.start) & (each.homes < scope.stop)
        active += each.active[:, here].sum(axis=1)
        cohorts += each.cohorts[here].sum(axis=0)
        there = (each.places >= scope.start) & (each.places < scope.stop)
        days += each.days[:, there].sum(axis=1)
    services, whole = days[0].sum(axis=0), days[1].sum(axis=0)
    return Course(
        as_of_books=snapshot.as_of,
        year=year,
        months=tuple(
            MonthPoint(
                month + 1,
                int(active[0, month]),
                int(active[1, month]),
                int(services[month_of == month].sum()),
                tuple(days[1][:, month_of == month].sum(axis=1).tolist()),
            )
            for month in range(last_month)
        ),
        days=tuple(
            DayPoint(first + timedelta(days=day), int(services[day]), int(whole[day]))
            for day in np.flatnonzero(services).tolist()
        ),
        cohorts=tuple(
            Cohort(month + 1, tuple(cohorts[month, month:last_month].tolist()))
            for month in range(last_month)
            if cohorts[month, month]
        ),
    )


def _count(sums: YearSums, register: Register, definition: Definition) -> _BookCourse:
    """Count the people of a book, who are told apart by number, by month and home."""
    settled = register.settled
    size, count = settled.size, len(settled.homes)
    volunteer, month, grade, minutes, services = sums.rows()
    counts = np.array([definition.counts(*divmod(each, MEASURED)) for each in range(GRADES)])
    rows = counts[grade] & (volunteer < size)
    at = month[rows] * size + volunteer[rows]
    # Whole numbers add up exactly in a double below 2**53.
    by_month = [
        np.bincount(at, weights=column[rows], minlength=_MONTHS * size).reshape(_MONTHS, size)
        for column in (minutes, services)
    ]
    lives_here = (settled.home >= 0) & register.is_counted
    home = np.where(lives_here, settled.home, count)

    def is_active(m: Doubles, s: Doubles) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = (m > definition.minutes_above) & (s >= definition.services_min)
        return chosen & lives_here

    active = np.zeros((2, count, _MONTHS), np.int64)
    cohorts = np.zeros((count, _MONTHS, _MONTHS), np.int64)
    came_in = np.full(size, -1, np.int64)
    so_far = [np.zeros(size), np.zeros(size)]
    for each in range(_MONTHS):
        for whole, part in zip(so_far, by_month, strict=True):
            whole += part[each]
        now = np.flatnonzero(is_active(by_month[0][each], by_month[1][each]))
        came_in[now[came_in[now] < 0]] = each
        active[0, :, each] = np.bincount(home[now], minlength=count)
        to_date = np.flatnonzero(is_active(so_far[0], so_far[1]))
        active[1, :, each] = np.bincount(home[to_date], minlength=count)
        group = home[now] * _MONTHS + came_in[now]
        cohorts[:, :, each] = np.bincount(group, minlength=count * _MONTHS).reshape(count, _MONTHS)
    places, days = sums.days()
    return _BookCourse(settled.homes, active, cohorts, places, days)


def _kept_of(conn: AsyncConnection) -> OrderedDict[object, _BookCourse]:
    found = kept_of(conn).setdefault("course", OrderedDict())
    if not isinstance(found, OrderedDict):
        raise TypeError("something else is kept there")
    return found
