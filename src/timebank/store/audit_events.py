"""The log of privileged acts: who did what to what, when."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Connection, run
from timebank.store import tables

_INSERT = """
    insert into audit_event (id, at, person_id, act, subject)
    select gen_random_uuid(), $1, $2, $3, subject from unnest($4::text[]) as subject
"""


async def insert_audit_events(
    conn: Connection, *, at: datetime, person: UUID | None, act: str, subjects: Iterable[str]
) -> None:
    """Record that a person did something to each subject, which is named by number.

    `person` is None for the operator's command line, `act` a stable name such as `cancel_shift`,
    a subject such as `shift/330424/17`.
    """
    rows = list(subjects)
    if rows:
        await run(conn, _INSERT, at, person, act, rows)


async def find_first_at(conn: AsyncConnection, *, act: str, subject: str) -> datetime | None:
    """Return when an act was first done to a subject, or None. Reads the whole log."""
    c = tables.audit_event.c
    at: datetime | None = await conn.scalar(
        select(func.min(c.at)).where(c.act == act, c.subject == subject)
    )
    return at
