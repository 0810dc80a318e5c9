"""Printed cards: which were given out, and which are good."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.store import tables


async def list_good(
    conn: AsyncConnection, *, cards: Sequence[tuple[VolunteerId, int]]
) -> set[tuple[VolunteerId, int]]:
    """Return those of the cards that were given out and not revoked.

    Cost: one statement; none for no card.
    """
    if not cards:
        return set()
    c = tables.card.c
    rows = await conn.execute(
        select(c.book_id, c.volunteer_id, c.card).where(
            tuple_(c.book_id, c.volunteer_id, c.card).in_(
                [(volunteer.book, volunteer.id, card) for volunteer, card in cards]
            ),
            c.revoked_at.is_(None),
        )
    )
    return {(VolunteerId(book, number), card) for book, number, card in rows}


async def list_good_of(
    conn: AsyncConnection, *, volunteers: Sequence[VolunteerId]
) -> dict[VolunteerId, tuple[int, datetime]]:
    """Return number and day of issue of each volunteer's good card, where there is one.

    Cost: one statement; none for nobody.
    """
    if not volunteers:
        return {}
    c = tables.card.c
    rows = await conn.execute(
        select(c.book_id, c.volunteer_id, c.card, c.issued_at)
        .where(
            tuple_(c.book_id, c.volunteer_id).in_([(v.book, v.id) for v in volunteers]),
            c.revoked_at.is_(None),
        )
        .order_by(c.card)
    )
    return {VolunteerId(book, number): (card, at) for book, number, card, at in rows}


async def insert_cards(
    conn: AsyncConnection, *, volunteers: Sequence[VolunteerId], by: UUID | None, now: datetime
) -> dict[VolunteerId, int]:
    """Give each volunteer a card, numbered after their others, and return the numbers.

    The caller holds the volunteers' locks: two at once would take one number.

    Cost: two statements.
    """
    if not volunteers:
        return {}
    c = tables.card.c
    rows = await conn.execute(
        select(c.book_id, c.volunteer_id, func.max(c.card))
        .where(tuple_(c.book_id, c.volunteer_id).in_([(v.book, v.id) for v in volunteers]))
        .group_by(c.book_id, c.volunteer_id)
    )
    newest = {VolunteerId(book, number): card for book, number, card in rows}
    given = {each: newest.get(each, 0) + 1 for each in volunteers}
    await conn.execute(
        insert(tables.card),
        [
            {
                "book_id": each.book,
                "volunteer_id": each.id,
                "card": number,
                "issued_at": now,
                "issued_by": by,
            }
            for each, number in given.items()
        ],
    )
    return given


async def set_revoked(
    conn: AsyncConnection, *, volunteer: VolunteerId, by: UUID | None, now: datetime
) -> int:
    """Revoke every good card of a volunteer and return how many that were."""
    c = tables.card.c
    revoked = await conn.execute(
        update(tables.card)
        .where(
            c.book_id == volunteer.book,
            c.volunteer_id == volunteer.id,
            c.revoked_at.is_(None),
        )
        .values(revoked_at=now, revoked_by=by)
    )
    return revoked.rowcount
