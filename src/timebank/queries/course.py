"""How a year went: month by month, day by day, and who came back after they first served.

Months and cohorts are of people whose home is in the scope; days are of services done there.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import kept_of
from timebank.domain.as_of import AsOf
from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.definition import Definition
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.ledger.columns import Block, Brought, Work, day_number
from timebank.queries.snapshot import Snapshot, settle, span_of

BOOKS_MAX = 12
"""Of so many counties at most: each takes some megabytes for every year and definition."""

_GRADES = 16
_MEASURED = 4
_MONTHS = 12
_COURSES_MAX = 200


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

    None where the scope has no book, or more than `BOOKS_MAX`.

    Cost: nothing where nothing is new; else the entries that are new, and some milliseconds.
    """
    snapshot = await Snapshot.open(conn, scope=scope, as_of=None)
    if snapshot is None or len(snapshot.states) > BOOKS_MAX:
        return None
    kept = _kept_of(conn)
    key = (
        scope.region,
        definition.hash,
        year,
        last_month,
        tuple((each.book, each.seq, each.counters) for each in snapshot.states),
    )
    found = kept.get(key)
    if found is None:
        found = await _read(conn, snapshot, definition, year, last_month)
        kept[key] = found
        while len(kept) > _COURSES_MAX:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return found


async def _read(
    conn: AsyncConnection, snapshot: Snapshot, definition: Definition, year: int, last_month: int
) -> Course:
    window, scope = Window.of_year(year), snapshot.scope
    span = span_of(window)
    books, people = await snapshot.learn(snapshot.states)
    active = np.zeros((3, last_month), np.int64)
    cohorts = np.zeros((last_month, last_month), np.int64)
    days = np.zeros((2, len(Evidence), span.last - span.first + 1), np.int64)
    for state in snapshot.states:
        book = books[state.book]
        works = book.works
        fold = await snapshot.columns.fold(
            conn,
            book=book,
            key=("course", definition.hash),
            span=span,
            upto=state.seq,
            make=lambda works=works: YearFold(definition, works, year),  # type: ignore[misc]
        )
        settled = settle(people[state.book], state, window)
        covered = np.array([scope.covers(code) for code in settled.homes.tolist()], np.bool_)
        lives_here = settled.home >= 0
        if len(covered):
            lives_here &= covered[settled.home]
        _count_people(fold, definition, lives_here, active, cohorts)
        fold.add_days(scope, days)
    month_of = _month_of(year)
    minutes = [
        tuple(int(days[1, place, month_of == month].sum()) for place in range(len(Evidence)))
        for month in range(last_month)
    ]
    services = days[0].sum(axis=0)
    whole = days[1].sum(axis=0)
    first = window.first_on
    return Course(
        as_of_books=snapshot.as_of,
        year=year,
        months=tuple(
            MonthPoint(
                month + 1,
                int(active[0, month]),
                int(active[1, month]),
                int(services[month_of == month].sum()),
                minutes[month],
            )
            for month in range(last_month)
        ),
        days=tuple(
            DayPoint(first + timedelta(days=day), int(services[day]), int(whole[day]))
            for day in np.flatnonzero(services).tolist()
        ),
        cohorts=tuple(
            Cohort(month + 1, tuple(cohorts[month, month:].tolist()))
            for month in range(last_month)
            if cohorts[month, month]
        ),
    )


def _count_people(
    fold: "YearFold",
    definition: Definition,
    lives_here: NDArray[np.bool_],
    active: NDArray[np.int64],
    cohorts: NDArray[np.int64],
) -> None:
    """Add the people of a book to months and cohorts, who are told apart by number."""
    size = min(len(lives_here), fold.size)
    here = lives_here[:size]
    months = len(cohorts)
    minutes, services = fold.minutes[:, :size], fold.services[:, :size]

    def is_active(m: NDArray[np.int64], s: NDArray[np.int64]) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = (m > definition.minutes_above) & (s >= definition.services_min)
        return chosen & here

    in_month = [is_active(minutes[month], services[month]) for month in range(months)]
    been = np.zeros(size, np.bool_)
    so_far = np.zeros((2, size), np.int64)
    for month in range(months):
        so_far[0] += minutes[month]
        so_far[1] += services[month]
        active[0, month] += int(in_month[month].sum())
        active[1, month] += int(is_active(so_far[0], so_far[1]).sum())
        newcomers = in_month[month] & ~been
        been |= in_month[month]
        for later in range(month, months):
            cohorts[month, later] += int((newcomers & in_month[later]).sum())


class YearFold:
    """Minutes and services of a year: of every volunteer by month, of every place by day.

    Attributes:
        size: Volunteers 0 to `size - 1` have a place.
        minutes: Of the evidence that the definition counts. Shape: `(12, size)`.
    """

    def __init__(self, definition: Definition, works: Sequence[Work], year: int) -> None:
        self._definition = definition
        self._works = works
        self._year = year
        self._first = day_number(date(year, 1, 1))
        self._month_of = _month_of(year)
        self._counts = np.array(
            [definition.counts(*divmod(grade, _MEASURED)) for grade in range(_GRADES)]
        )
        self._place_of: dict[int, int] = {}
        self._place_of_work = np.zeros(0, np.int64)
        self._days = np.zeros((0, 2, len(Evidence), len(self._month_of)), np.int64)
        self.size = 0
        self.minutes = np.zeros((_MONTHS, 0), np.int64)
        self.services = np.zeros((_MONTHS, 0), np.int64)

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        self._grow(int(block.volunteer.max()) + 1)
        self._learn_places()
        day = block.day - self._first
        minutes = sign * block.minutes.astype(np.int64)
        services = sign * np.sign(block.minutes).astype(np.int64)
        rows = self._counts[block.grade]
        at = (self._month_of[day[rows]], block.volunteer[rows])
        np.add.at(self.minutes, at, minutes[rows])
        np.add.at(self.services, at, services[rows])
        place = self._place_of_work[block.work]
        evidence = _CLASS_OF[block.grade]
        np.add.at(self._days[:, 0], (place, evidence, day), services)
        np.add.at(self._days[:, 1], (place, evidence, day), minutes)

    def bring(self, brought: Brought, sign: int) -> None:
        """Count months that were brought from other books; their days and places are not known."""
        if not len(brought.seq):
            return
        self._grow(int(brought.volunteer.max()) + 1)
        rows = self._counts[brought.grade]
        at = (self._month_of[brought.first_day[rows] - self._first], brought.volunteer[rows])
        np.add.at(self.minutes, at, sign * brought.minutes[rows])
        np.add.at(self.services, at, sign * brought.services[rows])

    def copy(self) -> Self:
        """Return another one that starts as this one is."""
        other = type(self)(self._definition, self._works, self._year)
        other._place_of = dict(self._place_of)
        other._place_of_work = self._place_of_work
        other._days = self._days.copy()
        other.size = self.size
        other.minutes, other.services = self.minutes.copy(), self.services.copy()
        return other

    def add_days(self, scope: Scope, days: NDArray[np.int64]) -> None:
        """Add services and minutes of each day, of the places in a scope. Shape: as one place's."""
        here = [at for place, at in self._place_of.items() if scope.covers(place)]
        days += self._days[here].sum(axis=0)

    def _grow(self, size: int) -> None:
        if size > self.size:
            more = size + size // 64 + 64 - self.size
            self.size += more
            self.minutes = np.pad(self.minutes, ((0, 0), (0, more)))
            self.services = np.pad(self.services, ((0, 0), (0, more)))

    def _learn_places(self) -> None:
        known = len(self._place_of_work)
        if known == len(self._works):
            return
        fresh = [
            self._place_of.setdefault(work.place, len(self._place_of))
            for work in self._works[known:]
        ]
        self._place_of_work = np.concatenate((self._place_of_work, np.array(fresh, np.int64)))
        more = len(self._place_of) - len(self._days)
        self._days = np.pad(self._days, ((0, more), (0, 0), (0, 0), (0, 0)))


_CLASS_OF = np.array(
    [
        list(Evidence).index(
            evidence_of(Assurance(grade // _MEASURED), Measured(grade % _MEASURED))
        )
        for grade in range(_GRADES)
    ]
)
"""The class of evidence of each grade."""


def _month_of(year: int) -> NDArray[np.int64]:
    """Return the month of each day of a year, from 0."""
    first = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - first).days
    return np.array([(first + timedelta(days=day)).month - 1 for day in range(length)])


def _kept_of(conn: AsyncConnection) -> OrderedDict[object, Course]:
    found = kept_of(conn).setdefault("course", OrderedDict())
    if not isinstance(found, OrderedDict):
        raise TypeError("something else is kept there")
    return found
