"""The facts that policies may name, for one person or as columns for everybody.

For one person they are counted from their own entries; for everybody whole months come from the
roll-up and the days at the ends of a window from the journal, so both are exact to the day.

Every fact has two clocks: the day it is asked for, and the entry as of which it was known. What was
written after that entry is taken off again, so that an old decision can be made again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain import region
from timebank.domain.actor import VolunteerId
from timebank.domain.period import day_start, local_day
from timebank.domain.posting import Entry
from timebank.domain.region import Level
from timebank.domain.scope import Scope, scope_of_book
from timebank.ledger import balances
from timebank.ledger import tables as ledger
from timebank.policy import plugins
from timebank.policy.columns import Column, to_column, value_at
from timebank.policy.cube import Cube
from timebank.policy.fact import FactKey, Value
from timebank.queries.circumstances import NAMES, circumstances
from timebank.queries.cube import read_cube, read_own_cube
from timebank.store import tables as store

_ENTRIES_MAX = 100_000
"""More services than any life holds: a person's entries are read whole."""


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody in a book, in ascending order, with what was asked about them.

    Attributes:
        as_of: Entries 1 to `as_of` were counted.
        volunteers: Numbers of the volunteers.
        columns: One entry per volunteer, in that order.
    """

    as_of: int
    volunteers: NDArray[np.int64]
    columns: Mapping[FactKey, Column]


async def person_facts(
    conn: AsyncConnection,
    *,
    volunteer: VolunteerId,
    keys: Iterable[FactKey],
    as_of: int | None = None,
) -> dict[FactKey, Value | None] | None:
    """Return what is known of one volunteer for each key, or None where there is no such person.

    Known as of entry `as_of`, or now.

    Shape: one item per key; None is unknown.

    Cost: six statements, and those of `circumstances`; the work grows with the person's own
    entries.
    """
    v, b = store.volunteer.c, ledger.book.c
    row = (
        await conn.execute(
            select(v.minutes_account, _registered_at().label("registered_at"), b.zone)
            .join_from(store.volunteer, ledger.book, b.id == v.book_id)
            .where(v.book_id == volunteer.book, v.id == volunteer.id)
        )
    ).first()
    if row is None:
        return None
    zone = ZoneInfo(row.zone)
    lines = await balances.statement(
        conn,
        book=volunteer.book,
        account=row.minutes_account,
        lines_max=_ENTRIES_MAX,
        as_of=as_of,
    )
    homes = await _homes(conn, book=volunteer.book, only=volunteer.id, as_of=as_of)
    grants = await _grants(conn, book=volunteer.book, zone=zone, only=volunteer.id, as_of=as_of)
    enrolled_on = local_day(row.registered_at, zone=zone)
    served: list[_Served | _Brought] = [
        _Served.of(line.entry, sign=1 if line.signed_amount > 0 else -1, zone=zone)
        for line in lines
    ]
    served += await _brought(conn, volunteer=volunteer, zone=zone, as_of=as_of)
    asked = list(keys)
    besides = await circumstances(
        conn,
        scope=scope_of_book(volunteer.book),
        book=volunteer.book,
        keys=asked,
        zone=zone,
        as_of=as_of,
        only=volunteer.id,
    )
    outside: dict[FactKey, Column] = {}
    if last := _asked_outside(asked):
        cube = await read_own_cube(conn, volunteer=volunteer, zone=zone, through=last)
        outside = _outside(cube, asked)
    rates = await _rates(conn, book=volunteer.book, keys=asked, zone=zone, as_of=as_of)
    return {
        key: value_at(outside[key], 0, key=key)
        if key in outside
        else rates[key].get(_town_on(homes.get(volunteer.id, []), key))
        if key in rates
        else besides.fact(volunteer.id, key)
        if key.name in NAMES
        else _person_fact(
            key,
            served=[each for each in served if each.counts_for(key)],
            homes=homes.get(volunteer.id, []),
            grants=grants.get(volunteer.id, []),
            enrolled_on=enrolled_on,
        )
        for key in asked
    }


async def population_facts(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    keys: Iterable[FactKey],
    as_of: int | None = None,
) -> Population | None:
    """Return what is known of every volunteer of a book who lives in a scope; None: no such book.

    Known as of entry `as_of`, or now. Who volunteers, and where they live, is told as it is now.

    Cost: one statement per window, grade and field, over the roll-up; a window that begins or ends
    within a month also reads the journal once, and so does a field of service. As of an earlier
    entry, what came after it is read too.
    """
    b, v = ledger.book.c, store.volunteer.c
    head = (await conn.execute(select(b.seq, b.zone).where(b.id == book))).first()
    if head is None:
        return None
    zone = ZoneInfo(head.zone)
    rows = (
        await conn.execute(
            select(v.id, _registered_at().label("registered_at"))
            .where(v.book_id == book, v.ended_at.is_(None))
            .order_by(v.id)
        )
    ).all()
    homes = await _homes(conn, book=book)
    if as_of is not None and as_of > head.seq:
        raise ValueError(f"the book ends at entry {head.seq}")
    grants = await _grants(conn, book=book, zone=zone, as_of=as_of)
    kept = [row for row in rows if row.id in homes and scope.covers(homes[row.id][-1][1])]
    volunteers = np.array([row.id for row in kept], dtype=np.int64)
    enrolled = [local_day(row.registered_at, zone=zone) for row in kept]
    columns: dict[FactKey, Column] = {}
    sums: dict[FactKey, dict[str, Column]] = {}
    asked = list(keys)
    outside: dict[FactKey, Column] = {}
    if last := _asked_outside(asked):
        cube = await read_cube(conn, scope=scope, book=book, zone=zone, through=last)
        outside = _outside(cube, asked)
    besides = await circumstances(conn, scope=scope, book=book, keys=asked, zone=zone, as_of=as_of)
    rates = await _rates(conn, book=book, keys=asked, zone=zone, as_of=as_of)
    for key in asked:
        if key in outside:
            columns[key] = outside[key]
            continue
        if key in rates:
            towns = [_town_on(homes.get(row.id, []), key) for row in kept]
            columns[key] = to_column([rates[key].get(town) for town in towns], kind=key.spec.type)
            continue
        if key.name in ("minutes", "services"):
            window = replace(key, name="minutes")
            if window not in sums:
                sums[window] = await _served_columns(
                    conn, book=book, key=key, zone=zone, volunteers=volunteers, as_of=as_of
                )
            columns[key] = sums[window][key.name]
            continue
        values = [
            besides.fact(row.id, key)
            if key.name in NAMES
            else _person_fact(
                key,
                served=[],
                homes=homes.get(row.id, []),
                grants=grants.get(row.id, []),
                enrolled_on=enrolled_on,
            )
            for row, enrolled_on in zip(kept, enrolled, strict=True)
        ]
        columns[key] = to_column(values, kind=key.spec.type)
    return Population(head.seq if as_of is None else as_of, volunteers, columns)


def _asked_outside(keys: Iterable[FactKey]) -> date | None:
    """Return the last day that a plug-in is asked about; None where none is."""
    days = [key.until - timedelta(days=1) for key in keys if plugins.taken().provider(key.name)]
    return max(days, default=None)


def _outside(cube: Cube, keys: Iterable[FactKey]) -> dict[FactKey, Column]:
    """Return the facts that plug-ins answer, in the order of the cube."""
    found: dict[FactKey, Column] = {}
    for key in keys:
        provider = plugins.taken().provider(key.name)
        if provider is not None:
            on = key.until - timedelta(days=1)
            found[key] = provider.column(key=key, on=on, ledger=cube.until(on))
    return found


@dataclass(frozen=True, slots=True)
class _Served:
    on: date
    minutes: int
    services: int
    assurance: int
    category: int

    @classmethod
    def of(cls, entry: Entry, *, sign: int, zone: ZoneInfo) -> "_Served":
        transfer = entry.transfer
        return cls(
            on=local_day(transfer.effective_at, zone=zone),
            minutes=sign * transfer.amount,
            services=sign if transfer.service is not None else 0,
            assurance=-1 if transfer.service is None else transfer.service.assurance,
            category=0 if transfer.service is None else transfer.service.field,
        )

    def counts_for(self, key: FactKey) -> bool:
        return (
            (key.since is None or key.since <= self.on)
            and self.on < key.until
            and self.assurance >= key.assurance_min
            and key.category in (0, self.category)
        )


@dataclass(frozen=True, slots=True)
class _Brought:
    """A month of service from another county's book.

    It counts where the whole month lies in a window, and in a window that ends later in the month
    than the volunteer came: by then all of it was served. In which fields it was served is not
    brought along, so it counts for none.
    """

    month: int
    brought_on: date
    minutes: int
    services: int
    assurance: int

    def counts_for(self, key: FactKey) -> bool:
        last = _month(key.until)
        return (
            (key.since is None or self.month >= _first_whole_month(key.since))
            and (self.month < last or (self.month == last and self.brought_on < key.until))
            and self.assurance >= key.assurance_min
            and not key.category
        )


def _person_fact(
    key: FactKey,
    *,
    served: "list[_Served | _Brought]",
    homes: list[tuple[date, int]],
    grants: list[tuple[date, str]],
    enrolled_on: date,
) -> Value | None:
    match key.name:
        case "minutes":
            return sum(each.minutes for each in served)
        case "services":
            return sum(each.services for each in served)
        case "registered_on":
            return enrolled_on if enrolled_on < key.until else None
        case "registered_days":
            days = (key.until - timedelta(days=1) - enrolled_on).days
            return days if days >= 0 else None
        case "region":
            return _home_on(homes, key)
        case "has_grant":
            return any(
                rule == key.rule and (key.since is None or key.since <= on) and on < key.until
                for on, rule in grants
            )
        case _:
            # No register of ours answers it: not known, never "no".
            return None


def _home_on(homes: Sequence[tuple[date, int]], key: FactKey) -> int | None:
    return next((home for since, home in reversed(homes) if since < key.until), None)


def _town_on(homes: Sequence[tuple[date, int]], key: FactKey) -> int | None:
    """Return the town of somebody's home; None where that is not known."""
    home = _home_on(homes, key)
    if home is None or region.level_of(home) not in (Level.TOWN, Level.VILLAGE):
        return None
    return region.enclosing(home, Level.TOWN)


async def _rates(
    conn: AsyncConnection,
    *,
    book: int,
    keys: Iterable[FactKey],
    zone: ZoneInfo,
    as_of: int | None,
) -> dict[FactKey, dict[int | None, int]]:
    """Return, by town, how many of 10,000 residents served: whole people, rounded down.

    Shape: towns whose population is known; nothing where no key asks.

    Cost: two statements, and for each key those of its window and one for the populations.
    """
    asked = [key for key in keys if key.name == "rate_10k"]
    if not asked:
        return {}
    v, r = store.volunteer.c, store.residents.c
    ids = list(await conn.scalars(select(v.id).where(v.book_id == book).order_by(v.id)))
    volunteers = np.array(ids, dtype=np.int64)
    homes = await _homes(conn, book=book, as_of=as_of)
    inside = region.subtree(region.county_code(book))
    found: dict[FactKey, dict[int | None, int]] = {}
    for key in asked:
        of_time = replace(key, name="minutes")
        sums = await _served_columns(
            conn, book=book, key=of_time, zone=zone, volunteers=volunteers, as_of=as_of
        )
        active = Counter(
            _town_on(homes.get(ids[row], []), key)
            for row in np.flatnonzero(sums["minutes"][0] > 0).tolist()
        )
        populations = await conn.execute(
            select(r.region, r.count)
            .where(r.region >= inside.start, r.region < inside.stop, r.as_of < key.until)
            .ext(distinct_on(r.region))
            .order_by(r.region, r.as_of.desc(), r.is_estimate, r.source)
        )
        found[key] = {
            code: active[code] * 10_000 // count
            for code, count in populations
            if count and region.level_of(code) is Level.TOWN
        }
    return found


async def _homes(
    conn: AsyncConnection, *, book: int, only: int | None = None, as_of: int | None = None
) -> dict[int, list[tuple[date, int]]]:
    """Return each volunteer's homes, oldest first."""
    r = store.residence.c
    query = select(r.volunteer_id, r.from_on, r.region).where(r.book_id == book)
    if only is not None:
        query = query.where(r.volunteer_id == only)
    after = None
    if as_of is not None:
        after = await balances.find_next_recorded_at(conn, book=book, seq=as_of)
    told: Executable = query
    if after is not None:
        # What was told otherwise since then stood then.
        f = store.residence_former.c
        former = select(f.volunteer_id, f.from_on, f.region).where(
            f.book_id == book,
            or_(f.recorded_at.is_(None), f.recorded_at < after),
            f.replaced_at >= after,
        )
        if only is not None:
            former = former.where(f.volunteer_id == only)
        told = query.where(or_(r.recorded_at.is_(None), r.recorded_at < after)).union_all(former)
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for volunteer, from_on, home in await conn.execute(told):
        found[volunteer].append((from_on, home))
    for homes in found.values():
        homes.sort()
    return found


async def _grants(
    conn: AsyncConnection,
    *,
    book: int,
    zone: ZoneInfo,
    only: int | None = None,
    as_of: int | None = None,
) -> dict[int, list[tuple[date, str]]]:
    """Return the local day and the `pack/rule` of each volunteer's grants that stand."""
    d, t = ledger.decision.c, ledger.transfer.c
    taken_back = ledger.transfer.alias("taken_back").c
    back = select(taken_back.seq).where(taken_back.book_id == book, taken_back.reverses == d.seq)
    if as_of is not None:
        back = back.where(taken_back.seq <= as_of)
    query = (
        select(d.volunteer, t.effective_at, d.pack, d.rule)
        .join_from(ledger.decision, ledger.transfer, and_(t.book_id == d.book_id, t.seq == d.seq))
        .where(d.book_id == book, ~back.exists())
    )
    if as_of is not None:
        query = query.where(d.seq <= as_of)
    if only is not None:
        query = query.where(d.volunteer == only)
    g = ledger.carried_grant.c
    brought = select(g.volunteer, g.effective_at, g.pack, g.rule).where(
        g.book_id == book, g.is_standing
    )
    if only is not None:
        brought = brought.where(g.volunteer == only)
    found: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for volunteer, at, pack, rule in await conn.execute(union_all(query, brought)):
        found[volunteer].append((local_day(at, zone=zone), f"{pack}/{rule}"))
    return found


def _registered_at() -> ColumnElement[datetime]:
    v = store.volunteer.c
    return func.coalesce(v.registered_at, v.enrolled_at)


async def _brought(
    conn: AsyncConnection, *, volunteer: VolunteerId, zone: ZoneInfo, as_of: int | None
) -> list[_Brought]:
    o, t = ledger.opening_month.c, ledger.transfer.c
    query = (
        select(o.month, t.effective_at, o.minutes, o.services, o.assurance)
        .join_from(
            ledger.opening_month, ledger.transfer, and_(t.book_id == o.book_id, t.seq == o.seq)
        )
        .where(
            o.book_id == volunteer.book,
            o.volunteer == volunteer.id,
            # Those of this book are in its own roll-up.
            o.served_book != o.book_id,
        )
    )
    if as_of is not None:
        query = query.where(o.seq <= as_of)
    rows = await conn.execute(query)
    return [
        _Brought(month, local_day(at, zone=zone), minutes, services, assurance)
        for month, at, minutes, services, assurance in rows
    ]


async def _served_columns(
    conn: AsyncConnection,
    *,
    book: int,
    key: FactKey,
    zone: ZoneInfo,
    volunteers: NDArray[np.int64],
    as_of: int | None,
) -> dict[str, Column]:
    if key.category:
        queries = [_days(book=book, key=key, zone=zone, spans=[(key.since, key.until)])]
    else:
        queries = [
            _whole_months(book=book, key=key),
            _brought_months(book=book, key=key, zone=zone, as_of=as_of),
            *_ragged_ends(book=book, key=key, zone=zone),
        ]
    if as_of is not None:
        later = [(key.since, key.until)]
        queries.append(_days(book=book, key=key, zone=zone, spans=later, off_after=as_of))
    parts = union_all(*queries).subquery()
    rows = (
        await conn.execute(
            select(
                parts.c.volunteer,
                func.sum(parts.c.minutes).cast(BigInteger),
                func.sum(parts.c.services).cast(BigInteger),
            ).group_by(parts.c.volunteer)
        )
    ).all()
    is_known = np.ones(len(volunteers), dtype=np.bool_)
    minutes = np.zeros(len(volunteers), dtype=np.int64)
    services = np.zeros(len(volunteers), dtype=np.int64)
    if rows and len(volunteers):
        served = np.array(rows, dtype=np.int64)
        places = np.searchsorted(volunteers, served[:, 0])
        inside = places < len(volunteers)
        inside[inside] = volunteers[places[inside]] == served[inside, 0]
        minutes[places[inside]] = served[inside, 1]
        services[places[inside]] = served[inside, 2]
    return {"minutes": (minutes, is_known), "services": (services, is_known)}


def _whole_months(*, book: int, key: FactKey) -> Select[tuple[int, int, int]]:
    m = ledger.volunteer_month.c
    query = select(m.volunteer, m.minutes, m.services).where(
        m.book_id == book, m.assurance >= key.assurance_min, m.month < _month(key.until)
    )
    if key.since is not None:
        query = query.where(m.month >= _first_whole_month(key.since))
    return query


def _brought_months(
    *, book: int, key: FactKey, zone: ZoneInfo, as_of: int | None
) -> Select[tuple[int, int, int]]:
    """Return what reads the months of other books, counted as `_Brought` says."""
    o, t = ledger.opening_month.c, ledger.transfer.c
    last = _month(key.until)
    query = (
        select(o.volunteer, o.minutes, o.services)
        .join_from(
            ledger.opening_month, ledger.transfer, and_(t.book_id == o.book_id, t.seq == o.seq)
        )
        .where(
            o.book_id == book,
            o.served_book != o.book_id,
            o.assurance >= key.assurance_min,
            or_(
                o.month < last,
                and_(o.month == last, t.effective_at < day_start(key.until, zone=zone)),
            ),
        )
    )
    if key.since is not None:
        query = query.where(o.month >= _first_whole_month(key.since))
    if as_of is not None:
        query = query.where(o.seq <= as_of)
    return query


def _ragged_ends(*, book: int, key: FactKey, zone: ZoneInfo) -> list[Select[tuple[int, int, int]]]:
    """Return what reads the days of a window that do not fill a month, none where all do."""
    spans: list[tuple[date | None, date]] = []
    start_of_last = key.until.replace(day=1)
    if key.since is not None and key.since.day != 1:
        spans.append((key.since, min(_next_month(key.since), key.until)))
    if start_of_last < key.until and (key.since is None or start_of_last >= key.since):
        spans.append((start_of_last, key.until))
    return [_days(book=book, key=key, zone=zone, spans=spans)] if spans else []


def _days(
    *,
    book: int,
    key: FactKey,
    zone: ZoneInfo,
    spans: Sequence[tuple[date | None, date]],
    off_after: int | None = None,
) -> Select[tuple[int, int, int]]:
    """Return what reads services of some days from the journal.

    With `off_after`, what takes off again what was written after that entry.
    """
    t = ledger.transfer.c
    on, off = (1, -1) if off_after is None else (-1, 1)
    sign: ColumnElement[int] = case((t.reverses.is_(None), literal(on)), else_=literal(off))
    minutes, services = (sign * t.amount).label("minutes"), sign.label("services")
    query = select(t.volunteer, minutes, services).where(
        t.book_id == book,
        t.volunteer.is_not(None),
        t.assurance >= key.assurance_min,
        or_(
            *(
                and_(
                    true() if first is None else t.effective_at >= day_start(first, zone=zone),
                    t.effective_at < day_start(after, zone=zone),
                )
                for first, after in spans
            )
        ),
    )
    if key.category:
        query = query.where(t.field == key.category)
    if off_after is not None:
        query = query.where(t.seq > off_after)
    return query


def _first_whole_month(since: date) -> int:
    return _month(since if since.day == 1 else _next_month(since))


def _month(day: date) -> int:
    return day.year * 100 + day.month


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
