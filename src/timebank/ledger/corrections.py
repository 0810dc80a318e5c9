"""Who took an entry back, and why."""

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.ledger import tables


async def append_reason(
    conn: AsyncConnection, *, book: int, seq: int, person: UUID | None, reason: str
) -> None:
    """Record why entry `seq` takes another one back; no person for the operator's command line."""
    await conn.execute(
        insert(tables.reversal_reason).values(book_id=book, seq=seq, person=person, reason=reason)
    )
