"""What every report is made of: the books of a scope, each at one state, and the divisions there.

A snapshot is opened once for a report. It asks one statement for the heads of the books and for
the counters of what else can change; what this process knows already is read no second time.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import is_anew, kept_of
from timebank.domain.as_of import AsOf, AsOfAsked, UnknownStateError
from timebank.domain.assurance import Evidence
from timebank.domain.definition import AgeBand, Definition
from timebank.domain.metric import Residents
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind
from timebank.ledger import balances
from timebank.ledger.columns import BookColumns, Columns, Span, columns_of, day_number
from timebank.ledger.year_sums import YearSums, span_of_year
from timebank.queries.people import BookPeople, Register, Settled, Traits, people_of
from timebank.queries.sums import VolunteerSums
from timebank.store.tables import activity
from timebank.store.tables import region as regions
from timebank.store.tables import residents as populations
from timebank.store.tables import residents_aged as aged_populations

_COUNTED_MAX = 4_000
"""Results that a process keeps, of a few kilobytes each: some for every county of a province."""

_DIVISIONS_MAX = 200

YEAR = "year"
"""Under which the sums of years are kept and stored."""

VOLUNTEERS = "volunteers"
"""Under which the sums of everybody over a window are kept."""

BOOKS_AT_ONCE = 12
"""Of more counties than this nothing is kept but what was counted: sums are some megabytes each."""

_TOUCHED_MAX = 5_000
"""Beyond so many it is quicker to count everybody again."""

_SPANS = (10_000_000_000, 100_000_000, 1_000_000, 1_000, 1)

_HEADS = text(
    """
    select b.id, b.seq, b.zone, coalesce(newest.last, 0), coalesce(changed.last, 0),
        coalesce((select last from numbering where book_id = 0 and noun = 'division_change'), 0)
    from book b
    left join numbering newest on newest.book_id = b.id and newest.noun = 'volunteer'
    left join numbering changed on changed.book_id = b.id and changed.noun = 'volunteer_change'
    where b.id between :first and :last
    order by b.id
    """
)


_GRADES = """
    select grade, string_agg(int8send(volunteer), ''), string_agg(int8send(minutes), ''),
        string_agg(int8send(services), '')
    from (
        select assurance * 4 + measured as grade, volunteer, sum(minutes)::bigint as minutes,
            sum(services)::bigint as services
        from volunteer_month where book_id = :book and {which}
        group by 1, 2
    ) each
    group by 1
"""
_ROLLUP = text(_GRADES.format(which="month <= :last"))
_TOUCHED = text(
    _GRADES.format(
        which="month = any(cast(:months as int[]))"
        " and volunteer = any(cast(:volunteers as bigint[]))"
    )
)
"""Months are named, so that the key finds each of a volunteer's."""


@dataclass(frozen=True, slots=True)
class Division:
    """A division with its population, None where no source knows it."""

    region: int
    name: str
    level: str
    parent: int | None
    residents: Residents | None


@dataclass(frozen=True, slots=True)
class State:
    """A book as of an entry.

    Attributes:
        head: Its newest entry.
        counters: Of its people, as `BookPeople` has them.
        until: People and homes that were recorded before this count; None: all do.
    """

    book: int
    seq: int
    head: int
    zone: str
    counters: tuple[int, int]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HomeCount:
    """What is counted of the people of one book, for each home.

    Shape: every array has a place for each of `homes`.

    Attributes:
        homes: Division codes, in order.
        minutes: By class of evidence, in the order of `Evidence`.
    """

    homes: NDArray[np.int64]
    registered: NDArray[np.int64]
    active: NDArray[np.int64]
    services: NDArray[np.int64]
    minutes: tuple[NDArray[np.int64], ...]

    @property
    def all_minutes(self) -> NDArray[np.int64]:
        """Minutes of every evidence."""
        scanned, confirmed, declared = self.minutes
        return scanned + confirmed + declared


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The books of a scope, each at one state.

    Attributes:
        states: One per book, in their order; never empty.
        divisions_at: How often divisions or populations have changed.
    """

    conn: AsyncConnection
    scope: Scope
    states: tuple[State, ...]
    divisions_at: int

    @classmethod
    async def open(
        cls, conn: AsyncConnection, *, scope: Scope, as_of: AsOfAsked | None
    ) -> Self | None:
        """Return the books of a scope as of an entry, an instant, or now; None where none is open.

        Raises:
            UnknownStateError: Entry `as_of` is not there, or the scope has several books.

        Cost: one statement; as of an earlier state one or two short ones more for each book.
        """
        codes = scope.codes
        rows = (
            await conn.execute(
                _HEADS,
                {"first": county_of(codes.start), "last": county_of(codes.stop - 1)},
            )
        ).all()
        if not rows:
            return None
        if isinstance(as_of, int) and (len(rows) > 1 or not 0 <= as_of <= rows[0][1]):
            raise UnknownStateError("no such entry in the one book of the scope")
        states = []
        for book, head, zone, newest, changed, _ in rows:
            match as_of:
                case None:
                    seq, until = head, None
                case int():
                    seq = as_of
                    until = await balances.find_next_recorded_at(conn, book=book, seq=seq)
                case _:
                    seq = await balances.seq_at(conn, book=book, instant=as_of)
                    until = as_of + timedelta(microseconds=1)
            states.append(State(book, seq, head, zone, (newest, changed), until))
        return cls(conn, scope, tuple(states), rows[0][5])

    @property
    def kept(self) -> "Kept":
        """What this process keeps between requests."""
        return _kept_of(self.conn)

    @property
    def as_of(self) -> tuple[AsOf, ...]:
        """The states, as a report prints them."""
        return tuple(AsOf(each.book, each.seq) for each in self.states)

    @property
    def zone(self) -> ZoneInfo:
        """Whose days the windows have."""
        return ZoneInfo(self.states[0].zone)

    async def list_divisions(self, window: Window) -> list[Division]:
        """Return the divisions of the scope with their populations at the end of a window.

        Shape: in the order of codes, every parent before its children; empty where the scope is no
        known division.

        Cost: one statement where divisions or populations have changed, else nothing.
        """
        kept = _kept_of(self.conn).divisions
        key = (self.scope.region, window.last_on, self.divisions_at)
        found = kept.get(key)
        if found is None:
            found = await self._read_divisions(window)
        _keep(kept, key, found, most=_DIVISIONS_MAX)
        return found

    async def count_homes(self, window: Window, definition: Definition) -> list[HomeCount]:
        """Return what is counted of the people of each book, by home.

        Cost: nothing where nothing is new; else what `Columns.catch_up` and `People.catch_up` cost,
        and some milliseconds for each book in which something is.
        """
        kept = _kept_of(self.conn).counted
        keys = {
            each: (each.book, each.seq, each.counters, each.until, window, definition.hash)
            for each in self.states
        }
        found = {each: kept.get(key) for each, key in keys.items()}
        missing = [each for each, counted in found.items() if counted is None]
        if missing:
            books, people = await self.learn(missing)
            for each in missing:
                book, known = books[each.book], people[each.book]
                newest = (each.book, each.counters, each.until, window, definition.hash)
                before = self.kept.newest.get(newest)
                counted = None
                if before is not None and definition.ages is None:
                    counted = await self._count_on(before, book, known, each, window, definition)
                if counted is None:
                    counted = await self._count_homes(book, known, each, window, definition)
                found[each] = counted
                if len(self.states) > BOOKS_AT_ONCE:
                    for name in (YEAR, VOLUNTEERS):
                        book.forget(name)
                if before is None or before[0] < each.seq:
                    _keep(self.kept.newest, newest, (each.seq, counted), most=_COUNTED_MAX)
        for each, counted in found.items():
            if counted is not None:
                _keep(kept, keys[each], counted, most=_COUNTED_MAX)
        return [counted for counted in found.values() if counted is not None]

    async def sum_volunteers(
        self, state: State, book: BookColumns, window: Window
    ) -> VolunteerSums:
        """Return the sums of every volunteer over a window; they are read at once.

        Made the first time of the sums of the years that it touches and of the entries of months
        that it cuts, or of the roll-ups where it has no first day. As of an earlier state, and for
        whoever reads anew, of the entries alone.
        """
        start = None
        if state.seq == state.head and not is_anew(self.conn):
            if window.kind is not WindowKind.EVER:
                start = self._start_of_years(state, book, window)
            elif window.is_of_whole_months:
                start = self._start_of_rollup(state, book, window)
        return await self.columns.fold(
            self.conn,
            book=book,
            key=VOLUNTEERS,
            span=span_of(window),
            upto=state.seq,
            make=VolunteerSums,
            start=start,
        )

    async def sum_year(self, state: State, book: BookColumns, year: int) -> YearSums:
        """Return the sums of a year; they are read at once.

        Cost: of what is stored the entries since then; where nothing is, those of the year.
        """
        return await self.columns.fold(
            self.conn,
            book=book,
            key=YEAR,
            span=span_of_year(year),
            upto=state.seq,
            make=lambda: YearSums(book.works, year),
            restore=lambda content: YearSums.read(content, works=book.works, year=year),
        )

    def _start_of_years(
        self, state: State, book: BookColumns, window: Window
    ) -> Callable[[], Awaitable[VolunteerSums]]:
        months, edges = window.months_and_edges()

        async def start() -> VolunteerSums:
            sums = VolunteerSums()
            for year in sorted({month // 12 for month in months}):
                inside = [month % 12 for month in months if month // 12 == year]
                found = await self.sum_year(state, book, year)
                volunteer, month, grade, minutes, services = found.rows()
                chosen = (month >= min(inside)) & (month <= max(inside))
                for each in np.unique(grade[chosen]).tolist():
                    rows = chosen & (grade == each)
                    sums.start(each, volunteer[rows], minutes[rows], services[rows])
            for first, last in edges:
                cut = await self.columns.fold(
                    self.conn,
                    book=book,
                    key="edge",
                    span=Span(day_number(first), day_number(last)),
                    upto=state.seq,
                    make=VolunteerSums,
                )
                sums.take(cut)
            return sums

        return start

    def _start_of_rollup(
        self, state: State, book: BookColumns, window: Window
    ) -> Callable[[], Awaitable[VolunteerSums]]:
        last = window.last_on.year * 100 + window.last_on.month

        async def start() -> VolunteerSums:
            rows = await self.conn.execute(_ROLLUP, {"book": state.book, "last": last})
            sums = VolunteerSums()
            for grade, *columns in rows:
                sums.start(
                    grade, *(np.frombuffer(each, ">i8").astype(np.int64) for each in columns)
                )
            sums.bring(book.brought(span_of(window), after=0, upto=state.seq), 1)
            return sums

        return start

    async def learn(
        self, states: Sequence[State]
    ) -> tuple[dict[int, BookColumns], dict[int, BookPeople]]:
        """Return what this process knows of some books and of their people, brought to now."""
        books = await self.columns.catch_up(
            self.conn, [(each.book, each.head, each.zone) for each in states]
        )
        people = await people_of(self.conn).catch_up(
            self.conn, {each.book: each.counters for each in states}
        )
        return books, people

    @property
    def columns(self) -> Columns:
        """What this process knows of the books."""
        return columns_of(self.conn)

    async def _count_homes(
        self,
        book: BookColumns,
        people: BookPeople,
        state: State,
        window: Window,
        definition: Definition,
    ) -> HomeCount:
        register = await self.list_register(people, state, window, definition)
        return await self.count_register(register, book, state, window, definition)

    async def list_register(
        self, people: BookPeople, state: State, window: Window, definition: Definition
    ) -> Register:
        """Return whom a definition counts at the end of a window, and where."""
        settled = settle(people, state, window)
        is_counted = np.ones(settled.size, np.bool_)
        if definition.ages is not None:
            age = (await self.read_traits(state, people, window)).age
            is_counted = (age >= definition.ages.first) & (age <= definition.ages.last)
        return Register(settled, is_counted)

    async def count_register(
        self,
        register: Register,
        book: BookColumns,
        state: State,
        window: Window,
        definition: Definition,
    ) -> HomeCount:
        """Return what is counted of the people of a register, by home."""
        settled = register.settled
        size = settled.size
        sums = await self.sum_volunteers(state, book, window)
        active = sums.active(definition, size=size) & register.is_counted
        return HomeCount(
            homes=settled.homes,
            registered=settled.registered,
            active=settled.count(active),
            services=settled.sum(sums.services(size=size)),
            minutes=tuple(settled.sum(sums.minutes(each, size=size)) for each in Evidence),
        )

    async def _count_on(
        self,
        before: tuple[int, HomeCount],
        book: BookColumns,
        people: BookPeople,
        state: State,
        window: Window,
        definition: Definition,
    ) -> HomeCount | None:
        """Return what is counted by home, from what was counted as of an earlier entry.

        Only whom the entries since then touch is counted again; None where that cannot be told.
        """
        seq, former = before
        blocks = (
            book.fresh_between(span_of(window), after=seq, upto=state.seq)
            if state.seq > seq
            else None
        )
        if blocks is None or sum(len(block.seq) for block in blocks) > _TOUCHED_MAX:
            return None
        if not blocks:
            return former
        settled = settle(people, state, window)
        touched = np.unique(np.concatenate([block.volunteer for block in blocks])).astype(np.int64)
        is_kept = any(span == span_of(window) for span in book.spans_of(VOLUNTEERS))
        if window.kind is WindowKind.YEAR and not is_kept and state.seq == state.head:
            now = await self._read_touched(book, state, window, touched)
        else:
            now = (await self.sum_volunteers(state, book, window)).of(touched)
        was = now.copy()
        for block in blocks:
            place = np.searchsorted(touched, block.volunteer).astype(np.int32)
            was.add(replace(block, volunteer=place), -1)
        size = len(touched)
        home = np.full(size, -1, np.int32)
        is_known = touched < settled.size
        home[is_known] = settled.home[touched[is_known]]
        here = home >= 0

        def moved(old: NDArray[Any], new: NDArray[Any]) -> NDArray[np.int64]:
            by = np.zeros(len(settled.homes), np.int64)
            np.add.at(by, home[here], (new.astype(np.int64) - old.astype(np.int64))[here])
            return by

        return HomeCount(
            homes=former.homes,
            registered=former.registered,
            active=former.active
            + moved(was.active(definition, size=size), now.active(definition, size=size)),
            services=former.services + moved(was.services(size=size), now.services(size=size)),
            minutes=tuple(
                minutes + moved(was.minutes(each, size=size), now.minutes(each, size=size))
                for each, minutes in zip(Evidence, former.minutes, strict=True)
            ),
        )

    async def _read_touched(
        self, book: BookColumns, state: State, window: Window, touched: NDArray[np.int64]
    ) -> VolunteerSums:
        """Return the sums of some volunteers over a year, from the roll-up of the same commit."""
        first = window.first_on.year * 100 + 1
        rows = await self.conn.execute(
            _TOUCHED,
            {
                "book": book.book,
                "months": list(range(first, first + 12)),
                "volunteers": touched.tolist(),
            },
        )
        sums = VolunteerSums(len(touched))
        for grade, *columns in rows:
            volunteer, minutes, services = (
                np.frombuffer(each, ">i8").astype(np.int64) for each in columns
            )
            sums.start(grade, np.searchsorted(touched, volunteer), minutes, services)
        brought = book.brought(span_of(window), after=0, upto=state.seq)
        here = np.isin(brought.volunteer, touched)
        for each in np.unique(brought.grade[here]).tolist():
            rows_ = here & (brought.grade == each)
            place = np.searchsorted(touched, brought.volunteer[rows_])
            sums.start(each, place, brought.minutes[rows_], brought.services[rows_])
        return sums

    async def read_traits(self, state: State, people: BookPeople, window: Window) -> Traits:
        """Return what everybody is besides, at the end of a window."""
        profiles = await people_of(self.conn).profiles(self.conn, book=state.book, people=people)
        return people.traits(
            profiles,
            year=window.last_on.year,
            last_day=day_number(window.last_on),
            until=state.until,
        )

    async def learn_organizations(self, book: int) -> Mapping[int, int]:
        """Return whose each activity of a book is, which never changes. One statement."""
        known = self.kept.organizations.setdefault(book, {})
        a = activity.c
        rows = await self.conn.execute(
            select(a.id, a.organization_id).where(a.book_id == book, a.id > max(known, default=0))
        )
        known.update((number, organization) for number, organization in rows)
        return known

    async def list_residents_aged(self, window: Window, ages: AgeBand) -> dict[int, Residents]:
        """Return the populations of an age band at the end of a window, by division."""
        p, codes = aged_populations.c, self.scope.codes
        rows = await self.conn.execute(
            select(p.region, p.count, p.as_of, p.source, p.is_estimate)
            .ext(distinct_on(p.region))
            .where(p.region >= codes.start, p.region < codes.stop, p.as_of <= window.last_on)
            .where(p.first_age == ages.first, p.last_age == ages.last)
            .order_by(p.region, p.as_of.desc(), p.is_estimate, p.source)
        )
        return {region: Residents(*rest) for region, *rest in rows}

    async def _read_divisions(self, window: Window) -> list[Division]:
        p, r = populations.c, regions.c
        codes = self.scope.codes
        newest = (
            select(p.region, p.count, p.as_of, p.source, p.is_estimate)
            .ext(distinct_on(p.region))
            .where(p.region >= codes.start, p.region < codes.stop, p.as_of <= window.last_on)
            # A counted figure goes before an estimate of the same day.
            .order_by(p.region, p.as_of.desc(), p.is_estimate, p.source)
            .subquery()
        )
        n = newest.c
        rows = await self.conn.execute(
            select(r.code, r.name, r.level, r.parent, n.count, n.as_of, n.source, n.is_estimate)
            .join_from(regions, newest, n.region == r.code, isouter=True)
            .where(r.code >= codes.start, r.code < codes.stop)
            .order_by(r.code)
        )
        found = [
            Division(
                code,
                name,
                level,
                parent,
                None if count is None else Residents(count, as_of, source, is_estimate),
            )
            for code, name, level, parent, count, as_of, source, is_estimate in rows
        ]
        return found if found and found[0].region == self.scope.region else []


def settle(people: BookPeople, state: State, window: Window) -> Settled:
    """Return who was registered at the end of a window, and where they lived."""
    return people.settled(
        window.period(zone=ZoneInfo(state.zone)),
        last_day=day_number(window.last_on),
        until=state.until,
    )


def span_of(window: Window) -> Span:
    """Return the days of a window as columns count them."""
    return Span(day_number(window.first_on), day_number(window.last_on))


def spread(
    divisions: Sequence[Division], parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> dict[int, int]:
    """Return what numbers by lowest division come to in every division.

    `parts` are codes with their numbers. What lies outside the divisions is left out.

    Shape: one item for each division.
    """
    totals = dict.fromkeys((each.region for each in divisions), 0)
    for codes, numbers in parts:
        for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
            if not number:
                continue
            for whole in enclosing(code):
                if whole in totals:
                    totals[whole] += number
    return totals


@lru_cache(maxsize=50_000)
def enclosing(code: int) -> tuple[int, ...]:
    """Return the codes of a division and of those that contain it."""
    return tuple({code // span * span for span in _SPANS})


@dataclass(slots=True)
class Kept:
    """What is kept between requests.

    Attributes:
        newest: What was counted last, as of which entry, whatever the entry.
        organizations: By book: whose each activity is.
    """

    divisions: OrderedDict[object, list[Division]] = field(default_factory=OrderedDict)
    counted: OrderedDict[object, HomeCount] = field(default_factory=OrderedDict)
    newest: OrderedDict[object, tuple[int, HomeCount]] = field(default_factory=OrderedDict)
    organizations: dict[int, dict[int, int]] = field(default_factory=dict)


def _kept_of(conn: AsyncConnection) -> Kept:
    found = kept_of(conn).setdefault("snapshot", Kept())
    if not isinstance(found, Kept):
        raise TypeError("something else is kept there")
    return found


_V = TypeVar("_V")


def _keep(kept: OrderedDict[object, _V], key: object, value: _V, *, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
