"""What officers noted of debts, and what others said about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.repayment import Repayment, RepaymentKind
from timebank.store import tables

_r = tables.repayment.c
_d = tables.repayment_decision.c


async def insert_repayment(conn: AsyncConnection, *, repayment: Repayment) -> None:
    """Keep what somebody noted."""
    await conn.execute(
        insert(tables.repayment).values(
            book_id=repayment.book,
            id=repayment.id,
            volunteer=repayment.volunteer,
            unit=repayment.unit,
            kind=repayment.kind.value,
            amount=repayment.amount,
            note=repayment.note,
            noted_by=repayment.noted_by,
            noted_at=repayment.noted_at,
        )
    )


async def insert_decision(
    conn: AsyncConnection,
    *,
    repayment: Repayment,
    is_confirmed: bool,
    seq: int | None,
    person: UUID,
    now: datetime,
) -> None:
    """Keep what another officer said; of a note once."""
    await conn.execute(
        insert(tables.repayment_decision).values(
            book_id=repayment.book,
            repayment=repayment.id,
            is_confirmed=is_confirmed,
            seq=seq,
            person=person,
            at=now,
        )
    )


async def find_repayment(conn: AsyncConnection, *, book: int, number: int) -> Repayment | None:
    """Return what was noted, or None."""
    row = (await conn.execute(_select().where(_r.book_id == book, _r.id == number))).first()
    return None if row is None else _repayment(row)


async def list_repayments(
    conn: AsyncConnection, *, book: int, volunteer: int | None = None, limit: int = 500
) -> list[Repayment]:
    """Return what was noted in a book, or of one volunteer, newest first."""
    query = _select().where(_r.book_id == book).order_by(_r.id.desc()).limit(limit)
    if volunteer is not None:
        query = query.where(_r.volunteer == volunteer)
    return [_repayment(row) for row in await conn.execute(query)]


async def sum_waiting(conn: AsyncConnection, *, book: int, volunteer: int, unit: int) -> int:
    """Return how much of a volunteer's debt was noted and waits to be confirmed."""
    decided = select(_d.at).where(_d.book_id == _r.book_id, _d.repayment == _r.id)
    whole: int | None = await conn.scalar(
        select(func.sum(_r.amount).cast(BigInteger)).where(
            _r.book_id == book, _r.volunteer == volunteer, _r.unit == unit, ~decided.exists()
        )
    )
    return whole or 0


def _select() -> Select[Any]:
    return select(tables.repayment, _d.is_confirmed).outerjoin(
        tables.repayment_decision, (_d.book_id == _r.book_id) & (_d.repayment == _r.id)
    )


def _repayment(row: Row[Any]) -> Repayment:
    return Repayment(
        book=row.book_id,
        id=row.id,
        volunteer=row.volunteer,
        unit=row.unit,
        kind=RepaymentKind(row.kind),
        amount=row.amount,
        note=row.note,
        noted_by=row.noted_by,
        noted_at=row.noted_at,
        is_confirmed=row.is_confirmed,
    )
