"""Batches handed on to another platform, and comparisons with what it holds."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.exchange import Difference, DifferenceKind, Reconciliation
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class Batch:
    """What was handed on at once, from entry to entry."""

    book: int
    first_seq: int
    last_seq: int
    records: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison, and up to which entry the book had been handed on by then."""

    book: int
    checked_at: datetime
    last_seq: int
    found: Reconciliation


async def find_last_sent(conn: AsyncConnection, *, book: int) -> int:
    """Return the last entry of a book that was handed on; 0 for none."""
    c = tables.exchange_batch.c
    last = await conn.scalar(select(func.max(c.last_seq)).where(c.book_id == book))
    return last or 0


async def insert_batch(conn: AsyncConnection, *, batch: Batch) -> None:
    """Record that a batch was handed on."""
    await conn.execute(
        insert(tables.exchange_batch).values(
            book_id=batch.book,
            first_seq=batch.first_seq,
            last_seq=batch.last_seq,
            records=batch.records,
            sent_at=batch.sent_at,
        )
    )


async def list_batches(conn: AsyncConnection, *, book: int, limit: int) -> list[Batch]:
    """Return the newest batches of a book, the newest first."""
    c = tables.exchange_batch.c
    rows = await conn.execute(
        select(c.book_id, c.first_seq, c.last_seq, c.records, c.sent_at)
        .where(c.book_id == book)
        .order_by(c.last_seq.desc())
        .limit(limit)
    )
    return [Batch(*row) for row in rows]


async def insert_check(conn: AsyncConnection, *, check: Check) -> None:
    """Record a comparison."""
    found = check.found
    await conn.execute(
        insert(tables.exchange_check).values(
            book_id=check.book,
            checked_at=check.checked_at,
            last_seq=check.last_seq,
            sent=found.sent,
            held=found.held,
            equal=found.equal,
            missing=found.counts[DifferenceKind.MISSING],
            unknown=found.counts[DifferenceKind.UNKNOWN],
            different=found.counts[DifferenceKind.DIFFERENT],
            examples=json.dumps(
                [(each.kind, str(each.key), each.sent, each.held) for each in found.examples]
            ),
        )
    )


async def find_newest_check(conn: AsyncConnection, *, book: int) -> Check | None:
    """Return the newest comparison of a book, or None."""
    c = tables.exchange_check.c
    row = (
        await conn.execute(
            select(tables.exchange_check)
            .where(c.book_id == book)
            .order_by(c.checked_at.desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    found = Reconciliation(
        sent=row.sent,
        held=row.held,
        equal=row.equal,
        counts={
            DifferenceKind.MISSING: row.missing,
            DifferenceKind.UNKNOWN: row.unknown,
            DifferenceKind.DIFFERENT: row.different,
        },
        examples=tuple(
            Difference(DifferenceKind(kind), UUID(key), sent, held)
            for kind, key, sent, held in json.loads(row.examples)
        ),
    )
    return Check(book, row.checked_at, row.last_seq, found)
