"""The log of privileged acts: who did what to what, when."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables


async def insert_audit_events(
    conn: AsyncConnection, *, at: datetime, person: UUID | None, act: str, subjects: Iterable[str]
) -> None:
    """Record that a person did something to each subject, which is named by number.

    `person` is None for the operator's command line, `act` a stable name such as `cancel_shift`,
    a subject such as `shift/330424/17`.
    """
    rows = [
        {"id": uuid4(), "at": at, "person_id": person, "act": act, "subject": subject}
        for subject in subjects
    ]
    if rows:
        await conn.execute(insert(tables.audit_event), rows)


async def find_first_at(conn: AsyncConnection, *, act: str, subject: str) -> datetime | None:
    """Return when an act was first done to a subject, or None. Reads the whole log."""
    c = tables.audit_event.c
    at: datetime | None = await conn.scalar(
        select(func.min(c.at)).where(c.act == act, c.subject == subject)
    )
    return at
