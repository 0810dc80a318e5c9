"""Tokens of programs, and who a program is."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.access_token import AccessToken
from timebank.domain.actor import Act, Actor, Role
from timebank.domain.scope import Scope
from timebank.store import tables

_ANSWERING = (Role.OFFICER, Role.AUDITOR)
"""Whose appointment keeps the tokens working that they made."""


async def insert_token(
    conn: AsyncConnection, *, token: AccessToken, token_hash: bytes, person: UUID
) -> None:
    """Record a token that `person` made."""
    await conn.execute(
        insert(tables.access_token).values(
            token_hash=token_hash,
            id=token.id,
            label=token.label,
            region=token.region,
            acts=sorted(token.acts),
            created_by=person,
            created_at=token.created_at,
            last_on=token.last_on,
        )
    )


async def set_token_ended(
    conn: AsyncConnection, *, person: UUID, token: UUID, now: datetime
) -> bool:
    """End a token that `person` made; False where there is none in use."""
    c = tables.access_token.c
    ended = await conn.execute(
        update(tables.access_token)
        .where(c.id == token, c.created_by == person, c.ended_at.is_(None))
        .values(ended_at=now)
    )
    return ended.rowcount > 0


async def list_tokens(conn: AsyncConnection, *, person: UUID, today: date) -> list[AccessToken]:
    """Return the tokens of a person that work, the newest first."""
    c = tables.access_token.c
    rows = await conn.execute(
        select(c.id, c.label, c.region, c.acts, c.created_at, c.last_on)
        .where(c.created_by == person, c.ended_at.is_(None), c.last_on >= today)
        .order_by(c.created_at.desc(), c.id)
    )
    return [
        AccessToken(
            id=row.id,
            label=row.label,
            region=row.region,
            acts=frozenset(map(Act, row.acts)),
            created_at=row.created_at,
            last_on=row.last_on,
        )
        for row in rows
    ]


async def count_tokens(conn: AsyncConnection, *, person: UUID, today: date) -> int:
    """Count the tokens of a person that work; two who count at once wait for each other."""
    await conn.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"access_token {person}", 0)))
    )
    return len(await list_tokens(conn, person=person, today=today))


async def find_program(
    conn: AsyncConnection, *, token_hash: bytes, today: date, now: datetime
) -> Actor | None:
    """Return who a program with a token is; None where the token does not work any more.

    It works while whoever made it holds an appointment over its division. Cost: one statement.
    """
    t, p = tables.access_token.c, tables.appointment.c
    rows = await conn.execute(
        select(t.region, t.acts, t.created_by, p.region.label("appointed"))
        .join(tables.appointment, p.person_id == t.created_by)
        .where(
            t.token_hash == token_hash,
            t.ended_at.is_(None),
            t.last_on >= today,
            p.role.in_(_ANSWERING),
            p.region.is_not(None),
            p.from_at <= now,
            p.until_at.is_(None) | (p.until_at > now),
        )
    )
    for row in rows:
        if Scope(row.appointed).covers(row.region):
            return Actor(
                person=row.created_by,
                roles=frozenset({Role.PROGRAM}),
                scope=Scope(row.region),
                acts=frozenset(map(Act, row.acts)),
            )
    return None
