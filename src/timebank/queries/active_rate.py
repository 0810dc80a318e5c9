"""Active volunteers per ten thousand residents: one report for page, file and API alike.

It reads the roll-up by year and the newest homes, so that its cost grows with the people of the
county and not with its history.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.as_of import AsOfAsked, UnknownStateError
from timebank.domain.assurance import Assurance, Measured
from timebank.domain.metric import (
    RESIDENTS_ANY_HOUR,
    ActiveRate,
    ActiveRateDefinition,
    Residents,
    rate_per_10k,
)
from timebank.domain.period import Period
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Unit
from timebank.ledger import balances
from timebank.ledger.tables import account, opening_month, transfer, volunteer_year
from timebank.ledger.tables import book as books
from timebank.store.tables import region as regions
from timebank.store.tables import residence, volunteer
from timebank.store.tables import residents as populations

_SPANS = (10_000_000_000, 100_000_000, 1_000_000, 1_000, 1)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state of a book that a number was made of: its entries 1 to `seq`."""

    book: int
    seq: int


@dataclass(frozen=True, slots=True)
class ActiveRateReport:
    """The active rate of every division of a subtree.

    Attributes:
        as_of_books: One per book in the scope, in their order; never empty.
        rows: One per division, in the order of codes: every parent before its children.
    """

    definition: ActiveRateDefinition
    year: int
    as_of_books: tuple[AsOf, ...]
    rows: tuple[ActiveRate, ...]

    @property
    def as_of(self) -> AsOf:
        """The book of the county; above the county the first one in the scope."""
        return self.as_of_books[0]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values; `as_of` is a list above the county only."""
        as_of = [{"book": each.book, "seq": each.seq} for each in self.as_of_books]
        return {
            "definition": {
                "id": self.definition.id,
                "valid_from": self.definition.valid_from.isoformat(),
                "year": self.year,
                "minutes_above": self.definition.minutes_above,
                "assurance_min": self.definition.assurance_min.name,
                "home": self.definition.home,
                "denominator": self.definition.denominator,
                "per": self.definition.per,
                "source": self.definition.source,
            },
            "as_of": as_of[0] if len(as_of) == 1 else as_of,
            "rows": [_row_json(row) for row in self.rows],
        }

    def as_table(self) -> str:
        """Return the report as text in columns; hours are rounded down to whole hours."""
        as_of = ", ".join(f"{each.book}:{each.seq}" for each in self.as_of_books)
        lines: list[tuple[str, ...]] = [
            ("区划", "名称", "常住人口", "注册", "活跃", "每万人", "小时", "扫码", "确认", "补录")
        ]
        for row in self.rows:
            rate = rate_per_10k(row.active, row.residents.count if row.residents else None)
            lines.append(
                (
                    str(row.region),
                    _DEPTH.get(row.level, 0) * "  " + row.name,
                    _population(row.residents),
                    f"{row.registered:,}",
                    f"{row.active:,}",
                    "未知" if rate is None else f"{rate:,}",
                    f"{row.minutes // 60:,}",
                    *(_share(part, row.minutes) for part in _parts(row)),
                )
            )
        widths = [max(_width(line[place]) for line in lines) for place in range(len(lines[0]))]
        body = [
            "  ".join(
                _padded(cell, widths[place], is_left=place < 2) for place, cell in enumerate(line)
            ).rstrip()
            for line in lines
        ]
        sources = sorted({row.residents.source for row in self.rows if row.residents})
        return "\n".join(
            [
                f"{self.year}  {self.definition.id}  as of {as_of}",
                *body,
                *(f"人口来源: {each}" for each in sources),
                "~ 估算",
                "",
            ]
        )


_DEPTH = {"city": 1, "county": 0, "town": 1, "village": 2}


async def active_rates(
    conn: AsyncConnection,
    *,
    scope: Scope,
    year: int,
    definition: ActiveRateDefinition = RESIDENTS_ANY_HOUR,
    as_of: AsOfAsked | None = None,
) -> ActiveRateReport | None:
    """Return the active rate of a division and of everything below it, in a calendar year.

    As of entry `as_of` of the scope's book, or of the newest entry of each book at that instant, or
    now. A report of an earlier state counts its entries alone, and people and homes as they were
    known at the instant, or when the next entry was recorded: whatever is written later, it stays
    the same report. Populations are those that are known now: each has its date and source.

    A volunteer is registered where their home is on the last day of the year, if they had enrolled
    by then and not left; and active there when the definition says so. A home that is known by its
    town or county only counts there and above. Every other number is of those volunteers too.

    Shape: one row per division of the scope, also where nobody is registered; None where the scope
    is no known division or no book is open in it.

    Raises:
        UnknownStateError: Entry `as_of` is not in the book yet, or the scope has several books.

    Cost: three statements; the roll-up rows of the year and the volunteers of the books are read
    once each. As of an earlier entry, two short statements more for each book, and the journal is
    read from its start to that entry or from that entry to its end, whichever is shorter.
    """
    heads = await _list_heads(conn, scope)
    if not heads:
        return None
    states = await _list_states(conn, heads, as_of)
    zone = ZoneInfo(heads[0][2])
    found = await _list_divisions(conn, scope, last_day=date(year, 12, 31))
    if not found or found[0].region != scope.region:
        return None

    sums = await _sum_by_home(
        conn,
        states=states,
        year=year,
        window=Period.of_year(year, zone=zone),
        definition=definition,
    )

    totals = {each.region: [0, 0, 0, 0, 0] for each in found}
    for home, *numbers in sums:
        for code in {home // span * span for span in _SPANS}:
            if code in totals:
                totals[code] = [a + b for a, b in zip(totals[code], numbers, strict=True)]
    return ActiveRateReport(
        definition=definition,
        year=year,
        as_of_books=tuple(AsOf(each.book, each.seq) for each in states),
        rows=tuple(
            ActiveRate(
                region=each.region,
                name=each.name,
                level=each.level,
                parent=each.parent,
                residents=each.residents,
                registered=totals[each.region][0],
                active=totals[each.region][1],
                minutes_scanned=totals[each.region][2],
                minutes_confirmed=totals[each.region][3],
                minutes_declared=totals[each.region][4],
            )
            for each in found
        ),
    )


@dataclass(frozen=True, slots=True)
class _Division:
    region: int
    name: str
    level: str
    parent: int | None
    residents: Residents | None


@dataclass(frozen=True, slots=True)
class _State:
    """A book as of an entry.

    Attributes:
        head: Its newest entry.
        until: People and homes that were recorded before this count; None: all do.
    """

    book: int
    seq: int
    head: int
    until: datetime | None


async def _list_states(
    conn: AsyncConnection, heads: list[tuple[int, int, str]], as_of: AsOfAsked | None
) -> list[_State]:
    if isinstance(as_of, int) and (len(heads) > 1 or not 0 <= as_of <= heads[0][1]):
        raise UnknownStateError("no such entry in the one book of the scope")
    states = []
    for book, head, _ in heads:
        match as_of:
            case None:
                seq, until = head, None
            case int():
                seq = as_of
                until = await balances.find_next_recorded_at(conn, book=book, seq=seq)
            case _:
                seq = await balances.seq_at(conn, book=book, instant=as_of)
                until = as_of + timedelta(microseconds=1)
        states.append(_State(book, seq, head, until))
    return states


async def _list_heads(conn: AsyncConnection, scope: Scope) -> list[tuple[int, int, str]]:
    codes = scope.codes
    rows = await conn.execute(
        select(books.c.id, books.c.seq, books.c.zone)
        .where(books.c.id.between(county_of(codes.start), county_of(codes.stop - 1)))
        .order_by(books.c.id)
    )
    return [(number, seq, zone) for number, seq, zone in rows]


async def _list_divisions(
    conn: AsyncConnection, scope: Scope, *, last_day: date
) -> list[_Division]:
    p, r = populations.c, regions.c
    codes = scope.codes
    newest = (
        select(p.region, p.count, p.as_of, p.source, p.is_estimate)
        .ext(distinct_on(p.region))
        .where(p.region >= codes.start, p.region < codes.stop, p.as_of <= last_day)
        # A counted figure goes before an estimate of the same day.
        .order_by(p.region, p.as_of.desc(), p.is_estimate, p.source)
        .subquery()
    )
    n = newest.c
    rows = await conn.execute(
        select(r.code, r.name, r.level, r.parent, n.count, n.as_of, n.source, n.is_estimate)
        .join_from(regions, newest, n.region == r.code, isouter=True)
        .where(r.code >= codes.start, r.code < codes.stop)
        .order_by(r.code)
    )
    return [
        _Division(
            code,
            name,
            level,
            parent,
            None if count is None else Residents(count, as_of, source, is_estimate),
        )
        for code, name, level, parent, count, as_of, source, is_estimate in rows
    ]


async def _sum_by_home(
    conn: AsyncConnection,
    *,
    states: list[_State],
    year: int,
    window: Period,
    definition: ActiveRateDefinition,
) -> list[tuple[int, int, int, int, int, int]]:
    """Return `(home, registered, active, scanned, confirmed, declared)` for each home.

    Homes outside the scope too: to leave them out here costs more than it saves, for a filter on
    the newest home makes the planner expect a handful of rows and look each of them up.
    """
    h, v = residence.c, volunteer.c
    books_ = [each.book for each in states]
    earlier = [(each.book, each.until) for each in states if each.until is not None]
    # Backwards through the primary key: the newest home comes first, and nothing is sorted.
    home = (
        select(h.book_id, h.volunteer_id, h.region)
        .ext(distinct_on(h.book_id, h.volunteer_id))
        .where(h.book_id.in_(books_), h.from_on <= date(year, 12, 31))
        .where(
            *(
                or_(h.book_id != book, h.recorded_at.is_(None), h.recorded_at < until)
                for book, until in earlier
            )
        )
        .order_by(h.book_id.desc(), h.volunteer_id.desc(), h.from_on.desc())
        .subquery()
    )
    # Few are not registered on the last day, so that leaving them out beats joining all others.
    is_not_registered = (
        select(v.id)
        .where(
            v.book_id.in_(books_),
            v.book_id == home.c.book_id,
            v.id == home.c.volunteer_id,
            or_(
                v.enrolled_at >= window.end,
                and_(
                    v.ended_at < window.end,
                    *(or_(v.book_id != book, v.ended_at < until) for book, until in earlier),
                ),
                *(
                    and_(v.book_id == book, v.id.in_(_opened_since(book, until)))
                    for book, until in earlier
                ),
            ),
        )
        .exists()
    )
    y = _entries(states, year=year, window=window).c
    is_declared = y.assurance == Assurance.A0.value
    is_scanned = y.measured == Measured.BOTH.value
    served = (
        select(
            y.book_id,
            y.volunteer,
            _sum(y.minutes, y.assurance >= definition.assurance_min.value).label("counted"),
            _sum(y.minutes, ~is_declared, is_scanned).label("scanned"),
            _sum(y.minutes, ~is_declared, ~is_scanned).label("confirmed"),
            _sum(y.minutes, is_declared).label("declared"),
        )
        .group_by(y.book_id, y.volunteer)
        .subquery()
    )
    s = served.c
    rows = await conn.execute(
        select(
            home.c.region,
            func.count(),
            func.count().filter(s.counted > definition.minutes_above),
            _sum(s.scanned),
            _sum(s.confirmed),
            _sum(s.declared),
        )
        .join_from(
            home,
            served,
            (s.book_id == home.c.book_id) & (s.volunteer == home.c.volunteer_id),
            isouter=True,
        )
        .where(~is_not_registered)
        .group_by(home.c.region)
    )
    return [tuple(row) for row in rows]


def _opened_since(book: int, until: datetime) -> Select[tuple[int]]:
    """Return who has had an account for minutes since an instant only, as it is opened with them.

    Read once for the whole report: asked for each volunteer it would cost more than all the rest.
    """
    a = account.c
    return select(a.owner).where(
        a.book_id == book,
        a.kind == AccountKind.VOLUNTEER,
        a.unit == Unit.MINUTES,
        a.opened_at >= until,
    )


def _entries(states: list[_State], *, year: int, window: Period) -> Subquery:
    """Return minutes of the year by volunteer and evidence, in as many rows as it takes.

    Books at their newest entry, and earlier ones that are near it, from the roll-up; of the latter
    what came after is taken off. Of all others the journal is read from its start.
    """
    y, t, o = volunteer_year.c, transfer.c, opening_month.c
    near = [each for each in states if each.head - each.seq <= each.seq]
    signed = case((t.reverses.is_(None), t.amount), else_=-t.amount)

    def journal(span: ColumnElement[bool], amount: ColumnElement[int], book: int) -> Select[Any]:
        return select(t.book_id, t.volunteer, t.assurance, t.measured, amount).where(
            t.book_id == book,
            span,
            t.volunteer.is_not(None),
            t.assurance.is_not(None),
            t.effective_at >= window.start,
            t.effective_at < window.end,
        )

    return union_all(
        select(y.book_id, y.volunteer, y.assurance, y.measured, y.minutes).where(
            y.book_id.in_([each.book for each in near]), y.year == year
        ),
        # What people brought from the county where they lived before: they left its report.
        select(o.book_id, o.volunteer, o.assurance, o.measured, o.minutes).where(
            o.book_id.in_([each.book for each in states]),
            o.served_book != o.book_id,
            o.month.between(year * 100 + 1, year * 100 + 12),
            *(or_(o.book_id != each.book, o.seq <= each.seq) for each in states if each.until),
        ),
        *(
            journal(t.seq > each.seq, -signed, each.book)
            if each in near
            else journal(t.seq <= each.seq, signed, each.book)
            for each in states
            if each.seq < each.head
        ),
    ).subquery()


def _sum(column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    # Whole numbers add up exactly in a double below 2**53, which is the most that one amount may
    # be, and twice as fast as in the numeric that PostgreSQL takes for the sum of a bigint.
    total = func.sum(cast(column, Double))
    return cast(func.coalesce(total.filter(*conditions) if conditions else total, 0), BigInteger)


def _row_json(row: ActiveRate) -> dict[str, Any]:
    residents = row.residents
    return {
        "region": str(row.region),
        "name": row.name,
        "level": row.level,
        "residents": None if residents is None else residents.count,
        "residents_source": None if residents is None else _source(residents),
        "registered": row.registered,
        "active": row.active,
        "rate_per_10k": rate_per_10k(row.active, None if residents is None else residents.count),
        "minutes_scanned": row.minutes_scanned,
        "minutes_confirmed": row.minutes_confirmed,
        "minutes_declared": row.minutes_declared,
    }


def _parts(row: ActiveRate) -> tuple[int, int, int]:
    return row.minutes_scanned, row.minutes_confirmed, row.minutes_declared


def _source(residents: Residents) -> str:
    """Say where a population comes from, of which day, and whether it is an estimate from that."""
    return f"{residents.source}（{residents.as_of}{'，估算' if residents.is_estimate else ''}）"


def _population(residents: Residents | None) -> str:
    if residents is None:
        return "未知"
    return ("~" if residents.is_estimate else "") + f"{residents.count:,}"


def _share(part: int, whole: int) -> str:
    """Return a part in whole percent, rounded half up."""
    return "-" if whole <= 0 else f"{(200 * part + whole) // (2 * whole)}%"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, width: int, *, is_left: bool) -> str:
    blank = " " * (width - _width(text))
    return text + blank if is_left else blank + text
