"""Packs that a county writes: every saved state, and what was done with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.draft import DraftAct
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class ActOn:
    """One thing that was done with a draft.

    Attributes:
        citation: On what grounds; why, when sent back.
    """

    person: UUID
    citation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """One saved state of a pack.

    Attributes:
        digest: SHA-256 of the files, hexadecimal.
        follows: The state that it was made of; None for a first one.
        is_followed: Another state was made of it.
    """

    digest: str
    pack_id: str
    title: str
    files: Mapping[str, str]
    follows: str | None
    saved_by: UUID
    saved_at: datetime
    acts: Mapping[DraftAct, ActOn]
    is_followed: bool


async def insert_draft(
    conn: AsyncConnection,
    *,
    book: int,
    digest: str,
    pack_id: str,
    title: str,
    files: bytes,
    follows: str | None,
    person: UUID,
    now: datetime,
) -> None:
    """Keep a state; one that is kept already stays as it is. Cost: one statement."""
    await conn.execute(
        insert(tables.pack_draft)
        .values(
            book_id=book,
            digest=digest,
            pack_id=pack_id,
            title=title,
            files=files,
            follows=follows,
            saved_by=person,
            saved_at=now,
        )
        .on_conflict_do_nothing()
    )


async def insert_act(
    conn: AsyncConnection,
    *,
    book: int,
    digest: str,
    act: DraftAct,
    person: UUID,
    citation: str,
    now: datetime,
) -> bool:
    """Keep what was done; False where it was done before. Cost: one statement."""
    found = await conn.execute(
        insert(tables.pack_act)
        .values(
            book_id=book,
            digest=digest,
            act=act.value,
            person=person,
            citation=citation,
            at=now,
        )
        .on_conflict_do_nothing()
    )
    return found.rowcount == 1


async def list_drafts(
    conn: AsyncConnection, *, book: int, digest: str | None = None
) -> list[Draft]:
    """Return every saved state, newest first; `digest` leaves one. Cost: two statements."""
    d, a = tables.pack_draft.c, tables.pack_act.c
    acts: dict[str, dict[DraftAct, ActOn]] = {}
    for row in await conn.execute(
        select(a.digest, a.act, a.person, a.citation, a.at).where(a.book_id == book)
    ):
        acts.setdefault(row[0], {})[DraftAct(row[1])] = ActOn(*row[2:])
    rows = (
        await conn.execute(
            select(d.digest, d.pack_id, d.title, d.files, d.follows, d.saved_by, d.saved_at)
            .where(d.book_id == book)
            .order_by(d.saved_at.desc(), d.digest)
        )
    ).all()
    followed = {row[4] for row in rows}
    return [
        Draft(
            digest=row[0],
            pack_id=row[1],
            title=row[2],
            files=json.loads(row[3]),
            follows=row[4],
            saved_by=row[5],
            saved_at=row[6],
            acts=acts.get(row[0], {}),
            is_followed=row[0] in followed,
        )
        for row in rows
        if digest is None or row[0] == digest
    ]


async def list_enacted(conn: AsyncConnection, *, book: int) -> list[bytes]:
    """Return the files of every enacted state, the oldest first. Cost: one statement."""
    d, a = tables.pack_draft, tables.pack_act
    found = await conn.scalars(
        select(d.c.files)
        .join(a, (a.c.book_id == d.c.book_id) & (a.c.digest == d.c.digest))
        .where(d.c.book_id == book, a.c.act == DraftAct.ENACTED.value)
        .order_by(a.c.at, d.c.digest)
    )
    return list(found)
