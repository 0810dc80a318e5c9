"""Grants as each side looks at them: the volunteer, the office, the public, the partner."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, case, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import PartnerId, VolunteerId
from timebank.domain.entitlement import Standing, State, StepKind
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, TransferKind, Unit
from timebank.ledger import entitlement_tables as granted
from timebank.ledger import tables as ledger
from timebank.ledger.entitlements import read_standing
from timebank.store import tables as store


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant and where it stands.

    Attributes:
        item: Code of what it is counted in, such as `pass:film`.
        name_sealed: The volunteer's name, for `Seal.open`; None where none is known.
        note: What was said with its newest step; empty for most.
    """

    standing: Standing
    item: str
    name_sealed: bytes | None = None
    note: str = ""


async def list_own_grants(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[GrantLine]:
    """Return all grants of a volunteer, newest first, with the words of the newest step."""
    e = granted.entitlement.c
    rows = await conn.execute(
        _lines(is_named=False)
        .where(e.book_id == volunteer.book, e.volunteer == volunteer.id)
        .order_by(e.id.desc())
    )
    return [_line(row) for row in rows.mappings()]


async def find_own_grant(
    conn: AsyncConnection, *, volunteer: VolunteerId, number: int
) -> GrantLine | None:
    """Return one grant of a volunteer, or None where it is not theirs."""
    e = granted.entitlement.c
    row = (
        (
            await conn.execute(
                _lines(is_named=False).where(
                    e.book_id == volunteer.book,
                    e.volunteer == volunteer.id,
                    e.id == number,
                )
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else _line(row)


async def list_grants(
    conn: AsyncConnection, *, scope: Scope, states: Collection[State], limit: int
) -> list[GrantLine]:
    """Return the grants within a division's counties that stand in some states, oldest first."""
    s = granted.entitlement_state.c
    rows = await conn.execute(
        _lines(is_named=True)
        .where(_books(scope, s.book_id), s.state.in_([each.value for each in states]))
        .order_by(s.book_id, s.entitlement)
        .limit(limit)
    )
    return [_line(row) for row in rows.mappings()]


async def count_by_state(conn: AsyncConnection, *, scope: Scope) -> dict[State, int]:
    """Return how many grants stand in each state.

    Shape: one item per state that any is in.
    """
    s = granted.entitlement_state.c
    rows = await conn.execute(
        select(s.state, func.count()).where(_books(scope, s.book_id)).group_by(s.state)
    )
    return {State(state): count for state, count in rows}


@dataclass(frozen=True, slots=True)
class PoolLine:
    """A pool and what became of it, in its unit.

    Attributes:
        item: Code of what it holds, such as `fen` or `goods:rice`.
        budget: All that was put into it.
        left: What may still be promised.
        committed: Set aside, or with volunteers and not used.
        paid: Paid out or used.
        proposed: Waiting for an office; not set aside yet.
        owed: Used, taken back, and not repaid.
        waiting: Grants that wait for it.
    """

    book: int
    id: int
    code: str
    title: str
    title_en: str
    owner: str
    item: str
    when_out: str
    from_on: date
    until_on: date | None
    budget: int
    left: int
    committed: int
    paid: int
    proposed: int
    owed: int
    waiting: int


async def list_pools(conn: AsyncConnection, *, scope: Scope) -> list[PoolLine]:
    """Return the pools of a division's counties, newest first."""
    p, u = store.pool.c, ledger.unit.c
    e, s = granted.entitlement.c, granted.entitlement_state.c
    sums = (
        select(
            e.book_id,
            e.pool,
            _sum(e.amount, s.state.in_(_PROPOSED)).label("proposed"),
            func.count().filter(s.state == State.WAITING.value).label("waiting"),
            _sum(s.left, s.state.in_(_HELD)).label("held"),
        )
        .join_from(
            granted.entitlement,
            granted.entitlement_state,
            and_(s.book_id == e.book_id, s.entitlement == e.id),
        )
        .where(e.pool.is_not(None), _books(scope, e.book_id))
        .group_by(e.book_id, e.pool)
        .subquery()
    )
    rows = (
        await conn.execute(
            select(store.pool, u.code.label("item"), sums.c.proposed, sums.c.waiting, sums.c.held)
            .join_from(store.pool, ledger.unit, u.id == p.unit)
            .outerjoin(sums, and_(sums.c.book_id == p.book_id, sums.c.pool == p.id))
            .where(_books(scope, p.book_id))
            .order_by(p.book_id, p.id.desc())
        )
    ).all()
    balances = await _pool_balances(conn, scope=scope)
    lines = []
    for row in rows:
        budget, left = balances.get((row.book_id, row.id, AccountKind.POOL), (0, 0))
        _given, committed = balances.get((row.book_id, row.id, AccountKind.COMMITTED), (0, 0))
        with_people = row.held or 0
        lines.append(
            PoolLine(
                book=row.book_id,
                id=row.id,
                code=row.code,
                title=row.title,
                title_en=row.title_en,
                owner=row.owner,
                item=row.item,
                when_out=row.when_out,
                from_on=row.from_on,
                until_on=row.until_on,
                budget=budget,
                left=left,
                committed=with_people,
                paid=budget - left - committed - with_people,
                proposed=row.proposed or 0,
                owed=committed,
                waiting=row.waiting or 0,
            )
        )
    return lines


async def _pool_balances(
    conn: AsyncConnection, *, scope: Scope
) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Return of each pool's accounts what was put in from outside, and what they hold.

    Shape: one item per book, pool and kind of account.
    """
    a, s, t = ledger.account.c, ledger.account_state.c, ledger.transfer.c
    newest = (
        select(s.debits, s.credits)
        .where(s.book_id == a.book_id, s.account == a.id)
        .order_by(s.batch.desc())
        .limit(1)
        .lateral()
    )
    # By the batches that touched the account: a pool has few entries, its book millions.
    touched, b = ledger.account_state.alias("touched").c, ledger.batch.c
    at = func.unnest(touched.places).table_valued("place", name="at").render_derived()
    budget = (
        select(
            func.coalesce(func.sum(case((t.credit == a.id, t.amount), else_=-t.amount)), 0).cast(
                BigInteger
            )
        )
        .select_from(touched.book_id.table)
        .join(ledger.batch, and_(b.book_id == touched.book_id, b.batch == touched.batch))
        .join(at, true())
        .join(
            ledger.transfer, and_(t.book_id == touched.book_id, t.seq == b.first_seq + at.c.place)
        )
        .where(
            touched.book_id == a.book_id,
            touched.account == a.id,
            t.kind == TransferKind.BUDGET.value,
        )
        .scalar_subquery()
    )
    rows = await conn.execute(
        select(
            a.book_id,
            a.owner,
            a.kind,
            budget,
            func.coalesce(newest.c.credits - newest.c.debits, 0),
        )
        .select_from(ledger.account.outerjoin(newest, true()))
        .where(
            _books(scope, a.book_id),
            a.kind.in_([AccountKind.POOL.value, AccountKind.COMMITTED.value]),
        )
    )
    return {(book, pool, kind): (put, held) for book, pool, kind, put, held in rows}


@dataclass(frozen=True, slots=True)
class Redemption:
    """One use that a partner redeemed.

    Attributes:
        is_returned: It was taken back afterwards.
    """

    at: datetime
    partner: int
    entitlement: int
    use: int
    item: str
    pack: str
    rule: str
    amount: int
    is_returned: bool


async def list_redemptions(
    conn: AsyncConnection, *, partner: PartnerId, since: datetime, until: datetime
) -> list[Redemption]:
    """Return what a partner redeemed in a span, newest first."""
    p = granted.entitlement_step.c
    rows = await conn.execute(
        _redemptions()
        .where(
            p.book_id == partner.book,
            p.partner == partner.id,
            p.at >= since,
            p.at < until,
        )
        .order_by(p.at.desc(), p.entitlement)
    )
    return [Redemption(*row) for row in rows]


async def list_settled(
    conn: AsyncConnection, *, scope: Scope, since: datetime, until: datetime
) -> list[Redemption]:
    """Return what the partners of a county redeemed in a span and did not take back, oldest first.

    Shape: at most one item per use.
    """
    p = granted.entitlement_step.c
    rows = await conn.execute(
        _redemptions()
        .where(
            p.book_id == county_of(scope.region),
            p.partner.is_not(None),
            p.at >= since,
            p.at < until,
        )
        .order_by(p.partner, p.at, p.entitlement)
    )
    return [found for row in rows if not (found := Redemption(*row)).is_returned]


_PROPOSED = [
    each.value for each in (State.PROPOSED, State.PUBLICISED, State.ENDORSED, State.CHOOSING)
]
_HELD = [State.ISSUED.value, State.QUESTIONED.value]


def _redemptions() -> Select[Any]:
    e, p, u = granted.entitlement.c, granted.entitlement_step.c, ledger.unit.c
    back = granted.entitlement_step.alias("back").c
    return (
        select(
            p.at,
            p.partner,
            p.entitlement,
            p.use,
            u.code,
            e.pack,
            e.rule,
            p.amount,
            select(back.number)
            .where(
                back.book_id == p.book_id,
                back.entitlement == p.entitlement,
                back.kind == StepKind.RETURNED.value,
                back.note == cast(p.use, Text),
            )
            .exists(),
        )
        .join_from(
            granted.entitlement_step,
            granted.entitlement,
            and_(e.book_id == p.book_id, e.id == p.entitlement),
        )
        .join(ledger.unit, u.id == e.unit)
        .where(p.kind == StepKind.USED.value)
    )


def _lines(*, is_named: bool) -> Select[Any]:
    e, s, u = granted.entitlement.c, granted.entitlement_state.c, ledger.unit.c
    p = granted.entitlement_step.c
    v, person = store.volunteer.c, store.person.c
    note = (
        select(p.note)
        .where(p.book_id == s.book_id, p.entitlement == s.entitlement, p.number == s.steps)
        .scalar_subquery()
        .label("note")
    )
    columns: Sequence[ColumnElement[Any]] = [
        *granted.entitlement.c,
        s.state,
        s.left,
        s.uses,
        s.steps,
        s.due_on,
        u.code.label("item"),
        note,
    ]
    query = (
        select(*columns)
        .join_from(
            granted.entitlement,
            granted.entitlement_state,
            and_(s.book_id == e.book_id, s.entitlement == e.id),
        )
        .join(ledger.unit, u.id == e.unit)
    )
    if not is_named:
        return query
    return (
        query.add_columns(person.name_sealed)
        .outerjoin(store.volunteer, and_(v.book_id == e.book_id, v.id == e.volunteer))
        .outerjoin(store.person, person.id == v.person_id)
    )


def _line(row: Any) -> GrantLine:
    return GrantLine(read_standing(row), row["item"], row.get("name_sealed"), row["note"] or "")


def _books(scope: Scope, column: Any) -> ColumnElement[bool]:
    """Return whether a book lies within a division; a town's is its county's."""
    codes = scope.codes
    found: ColumnElement[bool] = and_(
        column >= county_of(codes.start), column <= county_of(codes.stop - 1)
    )
    return found


def _sum(amount: ColumnElement[int], condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(amount).filter(condition), 0).cast(BigInteger)


async def list_shops(
    conn: AsyncConnection, *, volunteer: VolunteerId, item: str, on: date
) -> list[tuple[str, str]]:
    """Return name and address of the partners who take an item in a volunteer's county on a day."""
    p, i = store.partner.c, store.partner_item.c
    newest = (
        select(i.fen_each)
        .where(i.book_id == p.book_id, i.partner_id == p.id, i.item == item, i.from_on <= on)
        .order_by(i.from_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await conn.execute(
        select(p.name, p.address)
        .where(p.book_id == volunteer.book, p.ended_at.is_(None), newest.is_not(None))
        .order_by(p.id)
    )
    return [(name, address) for name, address in rows]


async def list_payable(conn: AsyncConnection, *, scope: Scope, limit: int) -> list[GrantLine]:
    """Return the issued money of a division's counties that was not paid, oldest first."""
    e, s = granted.entitlement.c, granted.entitlement_state.c
    rows = await conn.execute(
        _lines(is_named=True)
        .where(
            _books(scope, s.book_id),
            s.state == State.ISSUED.value,
            s.left > 0,
            e.unit == Unit.FEN.value,
        )
        .order_by(s.book_id, s.entitlement)
        .limit(limit)
    )
    return [_line(row) for row in rows.mappings()]
