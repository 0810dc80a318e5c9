"""Sign-ins, the actor behind one, and one-time codes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Actor, OrganizationId, PartnerId, Role, VolunteerId
from timebank.domain.scope import Scope
from timebank.domain.sign_in import CodeFacts
from timebank.store import tables

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_ACTORS = """
    select s.token_hash, s.person_id, v.book_id, v.id,
        p.role, p.book_id, p.organization_id, p.region, p.partner_id
    from sign_in s
    left join volunteer v on v.person_id = s.person_id and v.ended_at is null
    left join appointment p on p.person_id = s.person_id
        and p.from_at <= $2 and (p.until_at is null or p.until_at > $2)
    where s.token_hash = any($1::bytea[]) and s.ended_at is null and s.expires_at > $2
    order by p.from_at
"""

_VOLUNTEER_ONLY = frozenset({Role.VOLUNTEER})


async def find_actor(
    driver: asyncpg.Connection, *, token_hash: bytes, now: datetime
) -> Actor | None:
    """Return who a sign-in belongs to and what they are at `now`; None when it has ended.

    Cost: one statement.
    """
    return (await list_actors(driver, token_hashes=[token_hash], now=now)).get(token_hash)


async def list_actors(
    driver: asyncpg.Connection, *, token_hashes: Sequence[bytes], now: datetime
) -> dict[bytes, Actor]:
    """Return who each sign-in belongs to and what they are at `now`.

    Shape: one item per sign-in that has not ended, by the hash of its token.

    Cost: one statement.
    """
    actors: dict[bytes, Actor] = {}
    appointed: dict[bytes, list[asyncpg.Record]] = defaultdict(list)
    for row in await driver.fetch(_ACTORS, token_hashes, now):
        token_hash, person, book, number, role = row[:5]
        if role is None and number is not None:
            # Nearly everybody at a door.
            volunteer = VolunteerId(book, number)
            actors[token_hash] = Actor(person, _VOLUNTEER_ONLY, volunteer)
        else:
            appointed[token_hash].append(row)
    for token_hash, rows in appointed.items():
        actors[token_hash] = _actor(rows)
    return actors


def _actor(rows: Sequence[asyncpg.Record]) -> Actor:
    """Return the actor of one sign-in, of whose appointments there is a row each."""
    roles: set[Role] = set()
    organizations: dict[OrganizationId, None] = {}
    volunteer: VolunteerId | None = None
    scope: Scope | None = None
    partner: PartnerId | None = None
    for row in rows:
        _, person, volunteer_book, number, role, book, organization, region, shop = row
        if number is not None:
            volunteer = VolunteerId(volunteer_book, number)
            roles.add(Role.VOLUNTEER)
        if role is not None:
            roles.add(Role(role))
        if organization is not None:
            organizations[OrganizationId(book, organization)] = None
        if region is not None:
            scope = Scope(region)
        if shop is not None:
            partner = PartnerId(book, shop)
    return Actor(
        person=person,
        roles=frozenset(roles),
        volunteer=volunteer,
        organizations=tuple(organizations),
        scope=scope,
        partner=partner,
    )


async def insert_sign_in(
    conn: AsyncConnection, *, token_hash: bytes, person: UUID, now: datetime, expires_at: datetime
) -> None:
    """Record that a person signed in."""
    await conn.execute(
        insert(tables.sign_in).values(
            token_hash=token_hash, person_id=person, signed_in_at=now, expires_at=expires_at
        )
    )


async def set_ended(conn: AsyncConnection, *, token_hash: bytes, now: datetime) -> None:
    """End a sign-in; one that has ended stays as it is."""
    c = tables.sign_in.c
    await conn.execute(
        update(tables.sign_in)
        .where(c.token_hash == token_hash, c.ended_at.is_(None))
        .values(ended_at=now)
    )


async def lock_code(conn: AsyncConnection, *, phone_mac: bytes) -> CodeFacts | None:
    """Lock a phone number's newest code until the transaction ends; None when there is none.

    The number is locked even when it has no code yet: two first requests send one code.
    """
    c = tables.one_time_code.c
    row = (
        await conn.execute(
            upsert(tables.one_time_code)
            .values(
                phone_mac=phone_mac,
                code_mac=b"",
                sent_at=_NEVER,
                expires_at=_NEVER,
                tries=0,
                counted_from=_NEVER,
                codes=0,
            )
            .on_conflict_do_update(index_elements=[c.phone_mac], set_={"phone_mac": phone_mac})
            .returning(c.code_mac, c.sent_at, c.expires_at, c.tries, c.counted_from, c.codes)
        )
    ).one()
    return CodeFacts(*row) if row.code_mac else None


async def find_locked_code(conn: AsyncConnection, *, phone_mac: bytes) -> CodeFacts | None:
    """Return a phone number's newest code and lock it; None, and no lock, when there is none."""
    c = tables.one_time_code.c
    row = (
        await conn.execute(
            select(c.code_mac, c.sent_at, c.expires_at, c.tries, c.counted_from, c.codes)
            .where(c.phone_mac == phone_mac)
            .with_for_update()
        )
    ).first()
    return CodeFacts(*row) if row is not None and row.code_mac else None


async def set_code(conn: AsyncConnection, *, phone_mac: bytes, facts: CodeFacts) -> None:
    """Remember what was sent to a locked phone number."""
    await conn.execute(
        update(tables.one_time_code)
        .where(tables.one_time_code.c.phone_mac == phone_mac)
        .values(
            code_mac=facts.code_mac,
            sent_at=facts.sent_at,
            expires_at=facts.expires_at,
            tries=facts.tries,
            counted_from=facts.counted_from,
            codes=facts.codes,
        )
    )
