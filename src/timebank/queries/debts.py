"""What volunteers owe: taken back after it was used, and not repaid."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind
from timebank.ledger import balances
from timebank.ledger import tables as ledger
from timebank.store import tables as store


@dataclass(frozen=True, slots=True)
class DebtLine:
    """What one volunteer owes of one unit.

    Attributes:
        item: Code of the unit, such as `fen` or `pass:film`.
        owed: How much of it; above zero.
        name_sealed: For `Seal.open`; None where none is known.
    """

    book: int
    volunteer: int
    unit: int
    item: str
    owed: int
    account: int
    name_sealed: bytes | None = None


async def list_debts(conn: AsyncConnection, *, scope: Scope, limit: int = 500) -> list[DebtLine]:
    """Return who owes something in the counties of a division, the largest debt of a unit first."""
    a = ledger.account.c
    codes = scope.codes
    rows = await conn.execute(
        _debts()
        .where(a.book_id.between(county_of(codes.start), county_of(codes.stop - 1)))
        .limit(limit)
    )
    return [DebtLine(*row) for row in rows]


async def list_own_debts(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[DebtLine]:
    """Return what a volunteer owes."""
    a = ledger.account.c
    rows = await conn.execute(_debts().where(a.book_id == volunteer.book, a.owner == volunteer.id))
    return [DebtLine(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry of what somebody owes.

    Attributes:
        amount: Above zero where they owe more, below where it became less.
        other: Where it came from, or went.
    """

    at: datetime
    seq: int
    amount: int
    other: AccountKind


async def list_movements(
    conn: AsyncConnection, *, volunteer: VolunteerId, debt: DebtLine
) -> list[Movement]:
    """Return how a volunteer's debt came to be what it is, newest first.

    Raises:
        ValueError: The debt is somebody else's.
    """
    if (debt.book, debt.volunteer) != volunteer:
        raise ValueError("the debt is somebody else's")
    lines = await balances.statement(conn, book=debt.book, account=debt.account)
    a = ledger.account.c
    others = {
        line.entry.seq: line.entry.transfer.debit
        if line.signed_amount > 0
        else line.entry.transfer.credit
        for line in lines
    }
    kinds = {
        number: AccountKind(kind)
        for number, kind in await conn.execute(
            select(a.id, a.kind).where(a.book_id == debt.book, a.id.in_(set(others.values())))
        )
    }
    return [
        Movement(
            line.recorded_at, line.entry.seq, -line.signed_amount, kinds[others[line.entry.seq]]
        )
        for line in lines
    ]


def _debts() -> Select[Any]:
    a, s, u = ledger.account.c, ledger.account_state.c, ledger.unit.c
    v, p = store.volunteer.c, store.person.c
    newest = (
        select((s.debits - s.credits).label("owed"))
        .where(s.book_id == a.book_id, s.account == a.id)
        .order_by(s.batch.desc())
        .limit(1)
        .lateral("newest")
    )
    return (
        select(a.book_id, a.owner, a.unit, u.code, newest.c.owed, a.id, p.name_sealed)
        .select_from(
            ledger.account.join(newest, true())
            .join(ledger.unit, u.id == a.unit)
            .outerjoin(store.volunteer, and_(v.book_id == a.book_id, v.id == a.owner))
            .outerjoin(store.person, p.id == v.person_id)
        )
        .where(a.kind == AccountKind.RECEIVABLE.value, newest.c.owed > 0)
        .order_by(a.book_id, a.unit, newest.c.owed.desc(), a.owner)
    )
