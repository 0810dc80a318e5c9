"""The service entries of a book as columns, and what is summed of them, kept between requests.

Entries are read in order of `seq` and never change, so whatever was made of entries 1 to n is made
of entries 1 to m by adding those between. A process keeps what it has read and asks for what came
after; a whole segment of entries is read from `entry_segment`, where it stands as columns. What is
kept is exact: it names the entry up to which it was made, and a snapshot that is older, or asked
for as of an earlier entry, gets those after it taken off again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import is_anew, kept_of

SEGMENT_ENTRIES = 65_536
"""Entries of one segment: a year of a county is about fifty."""

_EPOCH = date(1970, 1, 1)
_READ_AT_ONCE = 16
"""Segments of one statement: about 40 MB on their way."""

_KEPT_BYTES_MAX = 256_000_000
"""Of segments that a process keeps; what was not used longest is read again when it is needed."""

_FOLDS_MAX = 240
"""Sums that a process keeps, each of some megabytes in a large county."""

_FRESH_BLOCKS_MAX = 32

_COLUMNS = """
    with entry as (
        select t.seq, t.volunteer, case when t.reverses is null then t.amount else -t.amount end
                as minutes,
            (t.effective_at at time zone {zone})::date - date '1970-01-01' as day,
            t.assurance * 4 + t.measured as grade, coalesce(t.shift, 0) as shift,
            dense_rank() over (order by t.activity_book, t.activity, t.field, t.place) - 1 as work,
            coalesce(t.activity_book, 0) as activity_book, coalesce(t.activity, 0) as activity,
            t.field, t.place
        from transfer t
        where t.book_id = {book} and t.seq > {after} and t.seq <= {upto}
            and t.assurance is not null and t.volunteer is not null
    )
    select min(day) as first_day, max(day) as last_day,
        coalesce(string_agg(int8send(seq), ''), '') as seq,
        coalesce(string_agg(int4send(volunteer::int), ''), '') as volunteer,
        coalesce(string_agg(int4send(day), ''), '') as day,
        coalesce(string_agg(int4send(minutes::int), ''), '') as minutes,
        coalesce(string_agg(int2send(grade::smallint), ''), '') as grade,
        coalesce(string_agg(int4send(work::int), ''), '') as work,
        coalesce(string_agg(int4send(shift::int), ''), '') as shift,
        coalesce((
            select string_agg(
                int4send(activity_book) || int8send(activity) || int2send(field) || int8send(place),
                '' order by work
            )
            from (select distinct work, activity_book, activity, field, place from entry) each
        ), '') as works
    from (select * from entry order by seq) ordered
"""
"""Rows in order of `seq`, each column one string of big-endian numbers: nothing is made a value of
this language on the way, and one number costs 50 ns."""

_IS_CARRIED = """
    exists (
        select from transfer t
        where t.book_id = span.book and t.seq > span.after and t.seq <= span.upto and t.kind = 5
    ) as is_carried
"""
"""Whether months were brought, or taken away, by some of the entries."""

_PARTS = "first_day, last_day, seq, volunteer, day, minutes, grade, work, shift, works"

_SPANS = text(
    f"""
    select span.book, span.after, span.upto, {_IS_CARRIED}, {_PARTS}
    from unnest(
        cast(:books as int[]), cast(:afters as bigint[]), cast(:uptos as bigint[]),
        cast(:zones as text[])
    ) as span(book, after, upto, zone)
    cross join lateral (
        {_COLUMNS.format(book="span.book", after="span.after", upto="span.upto", zone="span.zone")}
    ) c
    """  # noqa: S608 constants
)

_APPEND = text(
    f"""
    insert into entry_segment (book_id, number, {_PARTS})
    select :book, :number, {_PARTS} from (
        {
        _COLUMNS.format(
            book=":book",
            after="cast(:after as bigint)",
            upto="cast(:upto as bigint)",
            zone="(select zone from book where id = :book)",
        )
    }
    ) c
    on conflict do nothing
    """  # noqa: S608 constants
)

SEGMENT_DIFFERS = text(
    f"""
    select not exists (
        select {_PARTS} from entry_segment where book_id = :book and number = :number
        intersect
        select {_PARTS} from (
            {
        _COLUMNS.format(
            book=":book",
            after="cast(:after as bigint)",
            upto="cast(:upto as bigint)",
            zone="(select zone from book where id = :book)",
        )
    }
        ) c
    )
    """  # noqa: S608 constants
)
"""Whether a stored segment is not what its entries make."""

STORED_NUMBERS = text("select number from entry_segment where book_id = :book order by 1")

_STORED = text(
    """
    select book_id, number, first_day, last_day from entry_segment
    where book_id = any(cast(:books as int[])) order by 1, 2
    """
)

_SEGMENTS = text(
    f"""
    select number, {_PARTS} from entry_segment
    where book_id = :book and number = any(cast(:numbers as bigint[])) order by 1
    """  # noqa: S608 constants
)

_BROUGHT = text(
    """
    select book_id, seq, volunteer, month, assurance * 4 + measured, minutes, services
    from opening_month
    where book_id = any(cast(:books as int[])) and served_book <> book_id
    """
)

_STATE = text(
    """
    select seq, content from report_state
    where book_id = :book and noun = :noun and first_day = :first and last_day = :last
    """
)

_STATES = text(
    """
    select noun, first_day, last_day, seq from report_state where book_id = :book order by 1, 2, 3
    """
)

_KEEP_STATE = text(
    """
    insert into report_state (book_id, noun, first_day, last_day, seq, content)
    values (:book, :noun, :first, :last, :seq, :content)
    on conflict (book_id, noun, first_day, last_day) do update
    set seq = excluded.seq, content = excluded.content where report_state.seq < excluded.seq
    """
)

_COLUMN_NAMES = ("seq", "volunteer", "day", "minutes", "grade", "work", "shift")

_WORK = np.dtype([("book", ">i4"), ("activity", ">i8"), ("field", ">i2"), ("place", ">i8")])

Numbers = NDArray[np.int64]
Small = NDArray[np.int32]


class Work(NamedTuple):
    """What was done and where.

    Attributes:
        activity_book: 0 where it is unknown.
        activity: 0 where it is unknown.
    """

    activity_book: int
    activity: int
    field: int
    place: int


@dataclass(frozen=True, slots=True)
class Block:
    """Service entries, and reversals of such, in order of `seq`; the columns are never changed.

    Attributes:
        after: The entries are later than this one,
        upto: and not later than this one.
        first_day: Of the services, counted from 1970-01-01.
        minutes: Below zero where they are taken back.
        grade: Four times the assurance, and what was measured.
        work: Place in the book's list of works.
        shift: 0 where none is known.
    """

    after: int
    upto: int
    first_day: int
    last_day: int
    seq: Numbers
    volunteer: Small
    day: Small
    minutes: Small
    grade: NDArray[np.int8]
    work: Small
    shift: Small

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return len(self.seq) * 29

    def chosen(self, rows: "slice | NDArray[np.bool_]") -> Self:
        """Return some of its rows."""
        return type(self)(
            self.after,
            self.upto,
            self.first_day,
            self.last_day,
            *(getattr(self, name)[rows] for name in _COLUMN_NAMES),
        )

    def within(self, *, after: int, upto: int) -> Self:
        """Return the entries behind one and up to another."""
        if self.after >= after and self.upto <= upto:
            return self
        low, high = np.searchsorted(self.seq, (after, upto), side="right")
        return self.chosen(slice(low, high))

    def between(self, first_day: int, last_day: int) -> Self:
        """Return the entries of services on some days."""
        if first_day <= self.first_day and self.last_day <= last_day:
            return self
        return self.chosen((self.day >= first_day) & (self.day <= last_day))


@dataclass(frozen=True, slots=True)
class Brought:
    """Months of service that volunteers brought from other books, or took on with them.

    Attributes:
        first_day: Of the month, from 1970-01-01.
        last_day: Of the month.
    """

    seq: Numbers
    volunteer: Numbers
    first_day: Numbers
    last_day: Numbers
    grade: Numbers
    minutes: Numbers
    services: Numbers


class Fold(Protocol):
    """Something that is summed of entries in their order."""

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""

    def bring(self, brought: Brought, sign: int) -> None:
        """Count months that were brought."""

    def copy(self) -> Self:
        """Return another one that starts as this one is."""


_F = TypeVar("_F", bound=Fold)


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both included, counted from 1970-01-01."""

    first: int
    last: int


@dataclass(slots=True)
class _Kept:
    fold: Fold
    seq: int


class BookColumns:
    """What a process knows of one book's services.

    Attributes:
        seq: Entries 1 to `seq` are known.
        works: Every kind of work that was met, in the order in which it was.
    """

    def __init__(self, book: int, zone: str) -> None:
        self.book = book
        self.zone = zone
        self.seq = 0
        self._fresh_after = 0
        self.works: list[Work] = []
        self._work_of: dict[Work, int] = {}
        self._stored: list[tuple[int | None, int | None]] = []
        self._loaded: OrderedDict[int, Block] = OrderedDict()
        self._fresh: list[Block] = []
        self._brought: Brought = _no_months()
        self._folds: OrderedDict[object, _Kept] = OrderedDict()

    @property
    def stored_seq(self) -> int:
        """Entries up to this one stand in segments."""
        return len(self._stored) * SEGMENT_ENTRIES

    @property
    def fresh_rows(self) -> int:
        """Entries that are kept outside segments."""
        return sum(len(block.seq) for block in self._fresh)

    def take_stored(self, days: Sequence[tuple[int | None, int | None]]) -> None:
        """Learn which segments are stored, by their first and last day, unless more are known."""
        if len(days) < len(self._stored):
            return
        self._stored = list(days)
        end = self.stored_seq
        kept = (each.within(after=end, upto=2**62) for each in self._fresh if each.upto > end)
        self._fresh = list(kept)
        self._fresh_after = max(self._fresh_after, end)
        self.seq = max(self.seq, end)

    def start_at(self, seq: int) -> None:
        """Begin to know the book at its head: what came before is read when it is needed."""
        self.seq = self._fresh_after = max(self.seq, seq)

    def gap(self) -> tuple[int, int]:
        """Return behind and up to which entry entries stand in no segment and are not here."""
        return self.stored_seq, self._fresh_after

    def fill_gap(self, blocks: Sequence[Block]) -> None:
        """Learn the entries of the gap, or of its end."""
        if blocks and blocks[0].after >= self.stored_seq and blocks[-1].upto == self._fresh_after:
            self._fresh = [*(block for block in blocks if len(block.seq)), *self._fresh]
            self._fresh_after = blocks[0].after

    def take_fresh(self, block: Block) -> None:
        """Learn the entries that follow those that are known."""
        if block.after != self.seq:
            # Somebody else brought them meanwhile.
            block = block.within(after=self.seq, upto=block.upto)
        if block.upto <= self.seq:
            return
        self.seq = block.upto
        if len(block.seq):
            self._fresh.append(block)
        if len(self._fresh) > _FRESH_BLOCKS_MAX:
            self._fresh = [_joined(self._fresh)]

    def take_brought(self, brought: Brought) -> None:
        """Learn all months that were brought, unless more are known: they only grow."""
        if len(brought.seq) >= len(self._brought.seq):
            self._brought = brought

    def take_segments(self, blocks: Mapping[int, Block], *, bytes_max: int) -> None:
        """Learn stored segments, and let go of those that were not used longest."""
        self._loaded.update(blocks)
        held = sum(block.bytes for block in self._loaded.values())
        while held > bytes_max:
            held -= self._loaded.popitem(last=False)[1].bytes

    def segment(self, number: int) -> Block | None:
        """Return a stored segment that is here, or None."""
        found = self._loaded.get(number)
        if found is not None:
            self._loaded.move_to_end(number)
        return found

    def fresh(self) -> list[Block]:
        """Return the entries that are kept outside segments."""
        return list(self._fresh)

    def read(self, row: RowMapping, *, after: int, upto: int) -> Block:
        """Return the block that a row of columns holds."""
        local = np.frombuffer(_bytes(row["works"]), _WORK)
        numbers = np.array([self._number(Work(*each)) for each in local.tolist()], np.int32)
        return Block(
            after,
            upto,
            _int(row["first_day"]),
            _int(row["last_day"]),
            _column(row["seq"], ">i8", np.int64),
            _column(row["volunteer"], ">i4", np.int32),
            _column(row["day"], ">i4", np.int32),
            _column(row["minutes"], ">i4", np.int32),
            _column(row["grade"], ">i2", np.int8),
            numbers[_column(row["work"], ">i4", np.int32)] if len(numbers) else _EMPTY,
            _column(row["shift"], ">i4", np.int32),
        )

    def kept(self, key: object, span: Span, *, upto: int) -> Fold | None:
        """Return what is kept under a key, brought to an entry; None where it must be made.

        What is returned is read at once, or copied: the next request changes it.
        """
        found = self._folds.get(key)
        if found is None:
            return None
        self._folds.move_to_end(key)
        if found.seq == upto:
            return found.fold
        first, last = sorted((found.seq, upto))
        if (
            self.stored_seq <= first < self._fresh_after
            or first < self.stored_seq < self._fresh_after
        ):
            return None
        between: list[Block] = []
        for number in self.touched(span, upto=last):
            if (number + 1) * SEGMENT_ENTRIES > first:
                block = self.segment(number)
                if block is None:
                    return None
                between.append(block)
        is_newer = found.seq < upto
        fold = found.fold if is_newer else found.fold.copy()
        between += self._fresh
        add(fold, between, span, after=first, upto=last, sign=1 if is_newer else -1)
        fold.bring(self.brought(span, after=first, upto=last), 1 if is_newer else -1)
        if is_newer:
            found.seq = upto
        return fold

    def fresh_between(self, span: Span, *, after: int, upto: int) -> list[Block] | None:
        """Return the services on some days behind one entry and up to another.

        None where these entries are not all kept outside segments, or months were brought by them.
        """
        if after < self._fresh_after or len(self.brought(span, after=after, upto=upto).seq):
            return None
        rows = (
            block.within(after=after, upto=upto).between(span.first, span.last)
            for block in self._fresh
            if block.upto > after and block.after < upto
        )
        return [block for block in rows if len(block.seq)]

    def keep(self, key: object, fold: Fold, *, seq: int) -> None:
        """Keep a fold under a key, unless a newer one is kept."""
        found = self._folds.get(key)
        if found is None or found.seq < seq:
            self._folds[key] = _Kept(fold, seq)
        while len(self._folds) > _FOLDS_MAX:
            self._folds.popitem(last=False)

    def forget(self, key: str) -> None:
        """Let go of what is kept under a key; it is made again when it is needed."""
        for each in [each for each in self._folds if isinstance(each, tuple) and each[0] == key]:
            del self._folds[each]

    def spans_of(self, key: str) -> list[Span]:
        """Return the days over which something is kept under a key."""
        return [each[1] for each in self._folds if isinstance(each, tuple) and each[0] == key]

    def touched(self, span: Span, *, upto: int) -> list[int]:
        """Return the stored segments that may hold services on some days, up to an entry."""
        return [
            number
            for number, (first, last) in enumerate(self._stored)
            if first is not None
            and last is not None
            and first <= span.last
            and span.first <= last
            and number * SEGMENT_ENTRIES < upto
        ]

    def brought(self, span: Span, *, after: int, upto: int) -> Brought:
        """Return the whole months within some days that were brought by some entries."""
        b = self._brought
        rows = (b.seq > after) & (b.seq <= upto)
        rows &= (b.first_day >= span.first) & (b.last_day <= span.last)
        return Brought(
            b.seq[rows],
            b.volunteer[rows],
            b.first_day[rows],
            b.last_day[rows],
            b.grade[rows],
            b.minutes[rows],
            b.services[rows],
        )

    def _number(self, work: Work) -> int:
        number = self._work_of.get(work)
        if number is None:
            number = self._work_of[work] = len(self.works)
            self.works.append(work)
        return number


@dataclass(slots=True)
class Columns:
    """What a process knows of the books, and how it learns the rest."""

    books: dict[int, BookColumns] = field(default_factory=dict)

    async def catch_up(
        self, conn: AsyncConnection, heads: Iterable[tuple[int, int, str]]
    ) -> dict[int, BookColumns]:
        """Learn the entries of some books up to their heads, given as `(book, seq, zone)`.

        Cost: nothing where all is known; else at most three statements, and one more for each
        65,536 entries that are new.
        """
        asked = list(heads)
        strangers = [
            (book, seq, zone)
            for book, seq, zone in asked
            if book not in self.books or self.books[book].fresh_rows > 4 * SEGMENT_ENTRIES
        ]
        if strangers:
            await self._meet(conn, strangers)
        behind = [(book, seq) for book, seq, _ in asked if self.books[book].seq < seq]
        carried: set[int] = set()
        while behind:
            spans = [
                (known, known.seq, min(known.seq + SEGMENT_ENTRIES, seq))
                for known, seq in ((self.books[book], seq) for book, seq in behind)
            ]
            read = await self._read_spans(conn, spans)
            # Months are known before the entries that brought them: nobody counts these without.
            fresh = {
                known.book
                for (known, _, _), (_, is_carried) in zip(spans, read, strict=True)
                if is_carried
            }
            if fresh - carried:
                await self._read_brought(conn, sorted(fresh - carried))
                carried |= fresh
            for (known, _, _), (block, _) in zip(spans, read, strict=True):
                known.take_fresh(block)
            behind = [(book, seq) for book, seq in behind if self.books[book].seq < seq]
        return {book: self.books[book] for book, _, _ in asked}

    async def fold(
        self,
        conn: AsyncConnection,
        *,
        book: BookColumns,
        key: object,
        span: Span,
        upto: int,
        make: Callable[[], _F],
        start: Callable[[], Awaitable[_F]] | None = None,
        restore: Callable[[bytes], _F] | None = None,
    ) -> _F:
        """Return what is summed over some days of entries 1 to `upto`, kept or made.

        It is read at once: the next request changes it. `start` makes it without the entries; it
        is asked only at the newest state. `restore` makes it of the state that is stored under the
        key, which is then brought to the entry; whoever reads anew takes neither.

        Cost: nothing but the entries that are new; else the segments that are not known are read,
        and counted in a thread of their own.
        """
        found = book.kept((key, span), span, upto=upto)
        if found is not None:
            return found  # type: ignore[return-value]
        if start is not None:
            started = await start()
            book.keep((key, span), started, seq=upto)
            return started
        if restore is not None and not is_anew(conn):
            asked = {"book": book.book, "noun": key, "first": span.first, "last": span.last}
            stored = (await conn.execute(_STATE, asked)).first()
            if stored is not None and stored.seq <= upto:
                made = restore(_bytes(stored.content))
                await self._bring_on(conn, book, made, span, after=stored.seq, upto=upto)
                book.keep((key, span), made, seq=upto)
                return made
        return await self._make(conn, book=book, key=(key, span), span=span, upto=upto, made=make())

    async def _make(
        self,
        conn: AsyncConnection,
        *,
        book: BookColumns,
        key: object,
        span: Span,
        upto: int,
        made: _F,
    ) -> _F:
        numbers = book.touched(span, upto=upto)
        loose = await self._loose(conn, book, upto=upto)
        for first in range(0, len(numbers), _READ_AT_ONCE):
            blocks = await self._segments(conn, book, numbers[first : first + _READ_AT_ONCE])
            await asyncio.to_thread(add, made, blocks, span, after=0, upto=upto, sign=1)
        add(made, loose, span, after=0, upto=upto, sign=1)
        made.bring(book.brought(span, after=0, upto=upto), 1)
        if upto >= book.gap()[1]:
            book.keep(key, made, seq=upto)
        return made

    async def _bring_on(
        self,
        conn: AsyncConnection,
        book: BookColumns,
        made: Fold,
        span: Span,
        *,
        after: int,
        upto: int,
    ) -> None:
        """Count the entries behind one and up to another, read where they are not here."""
        stored = book.stored_seq
        numbers = [n for n in book.touched(span, upto=upto) if (n + 1) * SEGMENT_ENTRIES > after]
        loose = await self._loose(conn, book, after=after, upto=upto)
        for first in range(0, len(numbers), _READ_AT_ONCE):
            blocks = await self._segments(conn, book, numbers[first : first + _READ_AT_ONCE])
            await asyncio.to_thread(add, made, blocks, span, after=after, upto=upto, sign=1)
        add(made, loose, span, after=max(after, stored), upto=upto, sign=1)
        made.bring(book.brought(span, after=after, upto=upto), 1)

    async def _loose(
        self, conn: AsyncConnection, book: BookColumns, *, upto: int, after: int = 0
    ) -> list[Block]:
        """Return the entries behind one that stand in no segment, up to another at least.

        What stands in segments is what does when this is called, whatever is learned meanwhile.
        """
        start, end = book.gap()
        fresh = book.fresh()
        start = max(start, min(after, end))
        read = []
        for first in range(start, min(end, upto), SEGMENT_ENTRIES):
            last = min(first + SEGMENT_ENTRIES, end, upto)
            ((block, _),) = await self._read_spans(conn, [(book, first, last)])
            read.append(block)
        # As of an entry within the gap the rest of it was not read, and stays a gap.
        book.fill_gap(read)
        return [*read, *fresh]

    async def _segments(
        self, conn: AsyncConnection, book: BookColumns, numbers: Sequence[int]
    ) -> list[Block]:
        found = {number: book.segment(number) for number in numbers}
        missing = [number for number, block in found.items() if block is None]
        if missing:
            rows = await conn.execute(_SEGMENTS, {"book": book.book, "numbers": missing})
            read: dict[int, Block] = {}
            for row in rows.mappings():
                after = row["number"] * SEGMENT_ENTRIES
                read[row["number"]] = book.read(row, after=after, upto=after + SEGMENT_ENTRIES)
            for number in missing:
                # A snapshot from before it was stored has the same entries in the journal.
                if number not in read:
                    after = number * SEGMENT_ENTRIES
                    ((read[number], _),) = await self._read_spans(
                        conn, [(book, after, after + SEGMENT_ENTRIES)]
                    )
            book.take_segments(read, bytes_max=_KEPT_BYTES_MAX // len(self.books))
            found.update(read)
        return [block for block in found.values() if block is not None]

    async def _read_spans(
        self, conn: AsyncConnection, spans: Sequence[tuple[BookColumns, int, int]]
    ) -> list[tuple[Block, bool]]:
        """Return the entries of `(book, after, upto)`, and whether months were carried by them."""
        rows = await conn.execute(
            _SPANS,
            {
                "books": [book.book for book, _, _ in spans],
                "afters": [after for _, after, _ in spans],
                "uptos": [upto for _, _, upto in spans],
                "zones": [book.zone for book, _, _ in spans],
            },
        )
        found = {
            row["book"]: (
                self.books[row["book"]].read(row, after=row["after"], upto=row["upto"]),
                bool(row["is_carried"]),
            )
            for row in rows.mappings()
        }
        return [found[book.book] for book, _, _ in spans]

    async def _meet(self, conn: AsyncConnection, strangers: Sequence[tuple[int, int, str]]) -> None:
        """Learn which segments of some books are stored, and what months were brought to them.

        A book becomes known to others with all of it at once; who met it meanwhile, and perhaps
        read of it since, is left as they made it.
        """
        books = [book for book, _, _ in strangers]
        rows = await conn.execute(_STORED, {"books": books})
        days: dict[int, list[tuple[int | None, int | None]]] = {book: [] for book in books}
        for book, number, first, last in rows:
            # Segments are appended in order; what is missing before one would be a defect.
            if number == len(days[book]):
                days[book].append((first, last))
        months = await self._find_brought(conn, books)
        for book, seq, zone in strangers:
            known = self.books.get(book)
            if known is None:
                known = self.books[book] = BookColumns(book, zone)
                known.start_at(seq)
            known.take_stored(days[book])
            known.take_brought(months[book])

    async def _read_brought(self, conn: AsyncConnection, books: Sequence[int]) -> None:
        for book, months in (await self._find_brought(conn, books)).items():
            self.books[book].take_brought(months)

    async def _find_brought(
        self, conn: AsyncConnection, books: Sequence[int]
    ) -> dict[int, Brought]:
        rows = await conn.execute(_BROUGHT, {"books": list(books)})
        of: dict[int, list[tuple[int, ...]]] = {book: [] for book in books}
        for book, seq, volunteer, month, *rest in rows:
            year, place = divmod(month, 100)
            first = day_number(date(year, place, 1))
            after = day_number(date(year + place // 12, place % 12 + 1, 1))
            of[book].append((seq, volunteer, first, after - 1, *rest))
        return {
            book: Brought(*np.array(found, np.int64).T) if found else _no_months()
            for book, found in of.items()
        }


def columns_of(conn: AsyncConnection) -> Columns:
    """Return what this process knows of the books of the database that is read."""
    found = kept_of(conn).setdefault("columns", Columns())
    if not isinstance(found, Columns):
        raise TypeError("something else is kept there")
    return found


def add(
    fold: Fold, blocks: Iterable[Block], span: Span, *, after: int, upto: int, sign: int
) -> None:
    """Count the entries behind one and up to another of services on some days."""
    for block in blocks:
        if block.upto > after and block.after < upto:
            rows = block.within(after=after, upto=upto).between(span.first, span.last)
            if len(rows.seq):
                fold.add(rows, sign)


async def append_segment(conn: AsyncConnection, *, book: int, number: int) -> None:
    """Store one full segment of a book as columns; one that is stored stays. One statement."""
    await conn.execute(_APPEND, segment_asked(book=book, number=number))


def segment_asked(*, book: int, number: int) -> dict[str, int]:
    """Return what statements about one segment are asked with."""
    after = number * SEGMENT_ENTRIES
    return {"book": book, "number": number, "after": after, "upto": after + SEGMENT_ENTRIES}


async def list_states(conn: AsyncConnection, *, book: int) -> dict[tuple[str, Span], int]:
    """Return the entry that each stored state of a book is brought to. One statement."""
    rows = await conn.execute(_STATES, {"book": book})
    return {(noun, Span(first, last)): seq for noun, first, last, seq in rows}


async def keep_state(
    conn: AsyncConnection, *, book: int, noun: str, span: Span, seq: int, content: bytes
) -> None:
    """Store a state as of an entry, unless a newer one is stored. One statement."""
    await conn.execute(
        _KEEP_STATE,
        {
            "book": book,
            "noun": noun,
            "first": span.first,
            "last": span.last,
            "seq": seq,
            "content": content,
        },
    )


async def list_books(conn: AsyncConnection) -> list[int]:
    """Return the books that are open. One statement."""
    return list((await conn.execute(text("select id from book order by 1"))).scalars())


async def find_head(conn: AsyncConnection, *, book: int) -> int | None:
    """Return the newest entry of a book, None where there is no such book. One statement."""
    return (
        await conn.execute(text("select seq from book where id = :book"), {"book": book})
    ).scalar()


async def list_missing_segments(conn: AsyncConnection, *, book: int) -> range:
    """Return the numbers of the full segments that are not stored yet. One statement."""
    row = (
        await conn.execute(
            text(
                "select b.seq, (select coalesce(max(number) + 1, 0) from entry_segment s"
                " where s.book_id = b.id) from book b where b.id = :book"
            ),
            {"book": book},
        )
    ).first()
    return range(0) if row is None else range(row[1], row[0] // SEGMENT_ENTRIES)


def day_number(day: date) -> int:
    """Return a day counted from 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """Return the day that is counted from 1970-01-01."""
    return _EPOCH + timedelta(days=number)


_EMPTY: Small = np.empty(0, np.int32)


def _column(value: object, stored: str, kind: type) -> NDArray[Any]:
    return np.frombuffer(_bytes(value), stored).astype(kind)


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("not a column")
    return value


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _no_months() -> Brought:
    return Brought(*(np.empty(0, np.int64) for _ in range(7)))


def _joined(blocks: Sequence[Block]) -> Block:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(block, name) for block in blocks])

    return Block(
        blocks[0].after,
        blocks[-1].upto,
        min(block.first_day for block in blocks),
        max(block.last_day for block in blocks),
        *(
            joined(name)
            for name in ("seq", "volunteer", "day", "minutes", "grade", "work", "shift")
        ),
    )
