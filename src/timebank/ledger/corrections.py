"""Who took an entry back, why, and what stands in its place."""

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.ledger import tables


async def append_reason(
    conn: AsyncConnection,
    *,
    book: int,
    seq: int,
    person: UUID | None,
    reason: str,
    evidence: str | None = None,
    replacement: int | None = None,
) -> None:
    """Record why entry `seq` takes another one back; no person for the operator's command line.

    Entry `replacement` stands in the place of what was taken back; None where nothing does.
    """
    await conn.execute(
        insert(tables.reversal_reason).values(
            book_id=book,
            seq=seq,
            person=person,
            reason=reason,
            evidence=evidence,
            replacement=replacement,
        )
    )
