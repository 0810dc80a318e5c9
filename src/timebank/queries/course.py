"""How a year went: month by month, day by day, and who came back after they first served.

Months and cohorts are of people whose home is in the scope; days are of services done there.
What a book comes to is counted once, and mended for those whom new entries touch.
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
from timebank.ledger.columns import BookColumns
from timebank.ledger.year_sums import GRADES, MEASURED, YearSums, month_of_days, span_of_year
from timebank.queries.people import Register
from timebank.queries.snapshot import BOOKS_AT_ONCE, YEAR, Snapshot, State

_MONTHS = 12
_COUNTS_MAX = 240
"""Counts that a process keeps, of about a megabyte each in a large county."""

_TOUCHED_MAX = 5_000
"""Beyond so many new entries it is quicker to count everybody again."""

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
class Course:
    """How a year went in a division.

    Attributes:
        months: January first, up to the last month asked for.
        days: Those with services, in order.
    """

    as_of_books: tuple[AsOf, ...]
    year: int
    months: tuple[MonthPoint, ...]
    days: tuple[DayPoint, ...]


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
    counts = await count_courses(snapshot=snapshot, definition=definition, year=year)
    return _course(snapshot, counts, year=year, last_month=last_month)


async def count_courses(
    *, snapshot: Snapshot, definition: Definition, year: int
) -> "list[BookCourse]":
    """Return how a year went in each book of a snapshot, by home and by place.

    Cost: nothing where nothing is new; else the entries that are new, and a look-up for each
    volunteer whom they touch.
    """
    kept = _kept_of(snapshot.conn)

    def key(state: State) -> object:
        return state.book, state.counters, state.until, year, definition.hash

    found = {}
    missing = []
    for each in snapshot.states:
        known = kept.get(key(each))
        if known is not None and known[0] == each.seq:
            found[each] = known[1]
            kept.move_to_end(key(each))
        else:
            missing.append(each)
    if missing:
        books, people = await snapshot.learn(missing)
        for each in missing:
            book = books[each.book]
            register = await snapshot.list_register(
                people[each.book], each, Window.of_year(year), definition
            )
            sums = await snapshot.sum_year(each, book, year)
            # From here on nothing waits: the next request changes the sums.
            known = kept.get(key(each))
            counted = None
            if known is not None:
                counted = _count_on(known, sums, register, definition, book=book, upto=each.seq)
            found[each] = counted or _count(sums, register, definition)
            if known is None or known[0] < each.seq:
                kept[key(each)] = each.seq, found[each]
                kept.move_to_end(key(each))
            if len(snapshot.states) > BOOKS_AT_ONCE:
                book.forget(YEAR)
    while len(kept) > _COUNTS_MAX:
        kept.popitem(last=False)
    return [found[each] for each in snapshot.states]


@dataclass(frozen=True, slots=True)
class BookCourse:
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
    days: NDArray[np.int32]


def _course(
    snapshot: Snapshot, counts: Sequence[BookCourse], *, year: int, last_month: int
) -> Course:
    scope, first = snapshot.scope.codes, date(year, 1, 1)
    month_of = month_of_days(year)
    active = np.zeros((2, _MONTHS), np.int64)
    days = np.zeros((2, len(Evidence), len(month_of)), np.int64)
    for each in counts:
        here = (each.homes >= scope.start) & (each.homes < scope.stop)
        active += each.active[:, here].sum(axis=1)
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
    )


def _count(sums: YearSums, register: Register, definition: Definition) -> BookCourse:
    """Count the people of a book, who are told apart by number, by month and home."""
    settled = register.settled
    volunteer, *columns = sums.rows()
    known = volunteer < settled.size
    tally = _tally(
        (volunteer[known], *(each[known] for each in columns)),
        _home_of(register),
        definition,
        homes=len(settled.homes),
    )
    return BookCourse(settled.homes, *tally, *_days(sums))


def _count_on(
    before: tuple[int, BookCourse],
    sums: YearSums,
    register: Register,
    definition: Definition,
    *,
    book: BookColumns,
    upto: int,
) -> BookCourse | None:
    """Return what is counted from what was counted as of an earlier entry.

    Only whom the entries since then touch is counted again; None where that cannot be told.
    """
    seq, former = before
    blocks = None
    if upto > seq:
        blocks = book.fresh_between(span_of_year(sums.year), after=seq, upto=upto)
    if blocks is None or sum(len(block.seq) for block in blocks) > _TOUCHED_MAX:
        return None
    if not blocks:
        return former
    entries = [
        np.stack(
            (
                block.volunteer,
                month_of_days(sums.year)[block.day - span_of_year(sums.year).first],
                block.grade,
                -block.minutes,
                -np.sign(block.minutes),
            )
        ).astype(np.int64)
        for block in blocks
    ]
    settled = register.settled
    since = np.hstack(entries)
    touched = np.unique(since[0])
    touched = touched[touched < settled.size]
    since = since[:, since[0] < settled.size]
    since[0] = np.searchsorted(touched, since[0])
    now = np.stack(sums.of(touched))
    home = _home_of(register)[touched]
    counts = [
        _tally(rows, home, definition, homes=len(settled.homes))
        for rows in (now, np.hstack((now, since)))
    ]
    active, cohorts = (
        whole + new - old
        for whole, new, old in zip((former.active, former.cohorts), *counts, strict=True)
    )
    return BookCourse(settled.homes, active, cohorts, *_days(sums))


def _home_of(register: Register) -> Numbers:
    """Return the place of the home of each volunteer; of who does not count, the one behind all."""
    settled = register.settled
    lives_here = (settled.home >= 0) & register.is_counted
    return np.where(lives_here, settled.home, len(settled.homes))


def _tally(
    rows: Sequence[Numbers] | Numbers, home: Numbers, definition: Definition, *, homes: int
) -> tuple[Numbers, Numbers]:
    """Count people by month and home: who was active, and who came back.

    `rows` are those of a year, each by a volunteer's place in `home`. What is taken back has rows
    below zero.

    Shape: as `BookCourse` has them.
    """
    size = len(home)
    volunteer, month, grade, minutes, services = rows
    counts = np.array([definition.counts(*divmod(each, MEASURED)) for each in range(GRADES)])
    chosen = counts[grade]
    at = month[chosen] * size + volunteer[chosen]
    # Whole numbers add up exactly in a double below 2**53.
    by_month = [
        np.bincount(at, weights=column[chosen], minlength=_MONTHS * size).reshape(_MONTHS, size)
        for column in (minutes, services)
    ]
    lives_here = home < homes

    def is_active(m: Doubles, s: Doubles) -> NDArray[np.bool_]:
        who: NDArray[np.bool_] = (m > definition.minutes_above) & (s >= definition.services_min)
        return who & lives_here

    active = np.zeros((2, homes, _MONTHS), np.int64)
    cohorts = np.zeros((homes, _MONTHS, _MONTHS), np.int64)
    came_in = np.full(size, -1, np.int64)
    so_far = [np.zeros(size), np.zeros(size)]
    for each in range(_MONTHS):
        for whole, part in zip(so_far, by_month, strict=True):
            whole += part[each]
        now = np.flatnonzero(is_active(by_month[0][each], by_month[1][each]))
        came_in[now[came_in[now] < 0]] = each
        active[0, :, each] = np.bincount(home[now], minlength=homes)
        to_date = np.flatnonzero(is_active(so_far[0], so_far[1]))
        active[1, :, each] = np.bincount(home[to_date], minlength=homes)
        group = home[now] * _MONTHS + came_in[now]
        cohorts[:, :, each] = np.bincount(group, minlength=homes * _MONTHS).reshape(homes, _MONTHS)
    return active, cohorts


def _days(sums: YearSums) -> tuple[Numbers, NDArray[np.int32]]:
    places, days = sums.days()
    return places, days.astype(np.int32)


def _kept_of(conn: AsyncConnection) -> OrderedDict[object, tuple[int, BookCourse]]:
    found = kept_of(conn).setdefault("course", OrderedDict())
    if not isinstance(found, OrderedDict):
        raise TypeError("something else is kept there")
    return found
