"""What reviewers decided about signals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.signal import Measure, Review, ReviewOutcome, SignalKind
from timebank.store import tables


async def list_newest(conn: AsyncConnection, *, book: int) -> dict[tuple[SignalKind, str], Review]:
    """Return the newest review of each subject. Cost: one statement."""
    c = tables.signal_review.c
    rows = await conn.execute(
        select(c.kind, c.subject, c.outcome, c.reason, c.people, c.times, c.minutes, c.reviewed_at)
        .ext(distinct_on(c.kind, c.subject))
        .where(c.book_id == book, c.kind.in_([each.value for each in SignalKind]))
        .order_by(c.kind, c.subject, c.reviewed_at.desc())
    )
    return {
        (SignalKind(row.kind), row.subject): Review(
            kind=SignalKind(row.kind),
            subject=row.subject,
            outcome=ReviewOutcome(row.outcome),
            reason=row.reason,
            people=row.people,
            times=row.times,
            minutes=row.minutes,
            reviewed_at=row.reviewed_at,
        )
        for row in rows
    }


async def insert_review(
    conn: AsyncConnection,
    *,
    seen: Measure,
    outcome: ReviewOutcome,
    reason: str,
    by: UUID,
    now: datetime,
) -> None:
    """Record what was decided about a signal, with what was counted."""
    await conn.execute(
        insert(tables.signal_review).values(
            book_id=seen.book,
            kind=seen.kind.value,
            subject=seen.subject,
            reviewed_at=now,
            reviewed_by=by,
            outcome=outcome.value,
            reason=reason,
            people=seen.people,
            times=seen.times,
            minutes=seen.minutes,
        )
    )
