"""What volunteers can have for their points or credits."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogItem:
    """One thing that is offered.

    Attributes:
        item: Code of the unit that is had, such as `pass:haircut`.
        price: For one, in `price_unit`.
        pool: Its stock; None: as many as are wanted.
    """

    book: int
    id: int
    item: str
    title: str
    title_en: str
    detail: str
    detail_en: str
    price_unit: int
    price: int
    valid_days: int
    pool: int | None
    from_on: date
    until_on: date | None


async def insert_item(
    conn: AsyncConnection, *, item: CatalogItem, person: UUID | None, now: datetime
) -> None:
    """Offer something."""
    await conn.execute(
        insert(tables.catalog_item).values(
            book_id=item.book,
            id=item.id,
            item=item.item,
            title=item.title,
            title_en=item.title_en,
            detail=item.detail,
            detail_en=item.detail_en,
            price_unit=item.price_unit,
            price=item.price,
            valid_days=item.valid_days,
            pool_id=item.pool,
            from_on=item.from_on,
            until_on=item.until_on,
            opened_at=now,
            opened_by=person,
        )
    )


async def list_items(conn: AsyncConnection, *, book: int, on: date) -> list[CatalogItem]:
    """Return what a county offers on a day, by number."""
    c = tables.catalog_item.c
    rows = await conn.execute(
        select(tables.catalog_item)
        .where(c.book_id == book, c.from_on <= on, or_(c.until_on.is_(None), c.until_on >= on))
        .order_by(c.id)
    )
    return [
        CatalogItem(
            book=row.book_id,
            id=row.id,
            item=row.item,
            title=row.title,
            title_en=row.title_en,
            detail=row.detail,
            detail_en=row.detail_en,
            price_unit=row.price_unit,
            price=row.price,
            valid_days=row.valid_days,
            pool=row.pool_id,
            from_on=row.from_on,
            until_on=row.until_on,
        )
        for row in rows
    ]
