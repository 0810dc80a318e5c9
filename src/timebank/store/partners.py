"""Partners, what they take and at what price, and how often they typed wrong digits."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import PartnerId
from timebank.domain.partner import Partner
from timebank.domain.short_code import Tries
from timebank.store import tables


async def insert_partner(conn: AsyncConnection, *, partner: Partner, now: datetime) -> None:
    """Add a partner."""
    await conn.execute(
        insert(tables.partner).values(
            book_id=partner.id.book,
            id=partner.id.id,
            name=partner.name,
            address=partner.address,
            opened_at=now,
        )
    )


async def find_partner(conn: AsyncConnection, *, partner: PartnerId) -> Partner | None:
    """Return a partner, or None."""
    c = tables.partner.c
    row = (
        await conn.execute(
            select(tables.partner).where(c.book_id == partner.book, c.id == partner.id)
        )
    ).first()
    return None if row is None else _partner(row)


async def find_by_name(conn: AsyncConnection, *, book: int, name: str) -> Partner | None:
    """Return the partner of a name, or None."""
    c = tables.partner.c
    row = (
        await conn.execute(select(tables.partner).where(c.book_id == book, c.name == name))
    ).first()
    return None if row is None else _partner(row)


async def list_partners(conn: AsyncConnection, *, book: int) -> list[Partner]:
    """Return the partners of a county, by number."""
    c = tables.partner.c
    rows = await conn.execute(select(tables.partner).where(c.book_id == book).order_by(c.id))
    return [_partner(row) for row in rows]


async def set_price(
    conn: AsyncConnection,
    *,
    partner: PartnerId,
    item: str,
    from_on: date,
    fen_each: int | None,
    now: datetime,
) -> bool:
    """Keep what a partner is paid for an item from a day on; None: it is not taken any more.

    False where another price is kept for that day: a price is never changed afterwards.
    """
    added = await conn.execute(
        upsert(tables.partner_item)
        .values(
            book_id=partner.book,
            partner_id=partner.id,
            item=item,
            from_on=from_on,
            fen_each=fen_each,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(tables.partner_item.c.item)
    )
    return added.first() is not None


async def list_prices(
    conn: AsyncConnection, *, book: int, on: date, partner: int | None = None
) -> dict[tuple[int, str], int]:
    """Return what partners are paid for each item that they take on a day, in fen.

    Shape: one item per `(partner, item)`.
    """
    c = tables.partner_item.c
    query = select(c.partner_id, c.item, c.fen_each).where(c.book_id == book, c.from_on <= on)
    if partner is not None:
        query = query.where(c.partner_id == partner)
    prices: dict[tuple[int, str], int | None] = {}
    for shop, item, fen_each in await conn.execute(query.order_by(c.from_on)):
        prices[shop, item] = fen_each
    return {key: fen for key, fen in prices.items() if fen is not None}


async def find_tries(conn: AsyncConnection, *, partner: PartnerId) -> Tries | None:
    """Return the wrong digits that are kept, or None."""
    c = tables.partner_try.c
    row = (
        await conn.execute(
            select(c.counted_from, c.tries).where(
                c.book_id == partner.book, c.partner_id == partner.id
            )
        )
    ).first()
    return None if row is None else Tries(row.counted_from, row.tries)


async def set_tries(
    conn: AsyncConnection, *, partner: PartnerId, counted_from: datetime, count: int
) -> None:
    """Keep how many wrong digits there were since an instant."""
    c = tables.partner_try.c
    kept = {"counted_from": counted_from, "tries": count}
    await conn.execute(
        upsert(tables.partner_try)
        .values(book_id=partner.book, partner_id=partner.id, **kept)
        .on_conflict_do_update(index_elements=[c.book_id, c.partner_id], set_=kept)
    )


async def lock_partner(conn: AsyncConnection, *, partner: PartnerId) -> Partner | None:
    """Lock a partner until the transaction ends and return it, or None where there is none."""
    c = tables.partner.c
    row = (
        await conn.execute(
            select(tables.partner)
            .where(c.book_id == partner.book, c.id == partner.id)
            .with_for_update()
        )
    ).first()
    return None if row is None else _partner(row)


def _partner(row: Row[Any]) -> Partner:
    return Partner(
        id=PartnerId(row.book_id, row.id),
        name=row.name,
        address=row.address,
        ended_at=row.ended_at,
    )
