"""A county offers something for points or time credits, with its stock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.pool import WhenOut
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Unit
from timebank.ledger import journal
from timebank.services import pools
from timebank.services.errors import NotFoundError
from timebank.services.pools import NewPool
from timebank.store import audit_events, catalog, numbering
from timebank.store.catalog import CatalogItem

_DAYS_MAX = 3_650


async def offer_item(
    db: Database,
    *,
    scope: Scope,
    item: str,
    title: str,
    title_en: str,
    detail: str,
    detail_en: str,
    unit: str,
    price: int,
    valid_days: int,
    stock: int | None,
    now: datetime,
) -> int:
    """Offer something from today on and return its number; with a stock, no more than that.

    Raises:
        NotFoundError: The scope's county has no book.
        ValueError: What is offered has no kind, or a number is not above zero.
    """
    kind, _, name = item.partition(":")
    if kind not in ("pass", "goods", "place") or not name:
        raise ValueError("an item is pass:NAME, goods:NAME or place:NAME")
    if price < 1 or not 1 <= valid_days <= _DAYS_MAX or (stock is not None and stock < 1):
        raise ValueError("price, days and stock are above zero")
    book = county_of(scope.region)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        today = local_day(now, zone=ZoneInfo(head.zone))
        (number,) = await numbering.take_numbers(conn, book=book, noun="catalog_item")
        pool = None
        if stock is not None:
            opened = await pools.open_in(
                conn,
                head=head,
                new=NewPool(
                    code=f"catalog/{number}",
                    title=title,
                    title_en=title_en,
                    owner=title,
                    unit=item,
                    when_out=WhenOut.REFUSE,
                    from_on=today,
                    until_on=None,
                    amount=stock,
                ),
                person=None,
                now=now,
            )
            await pools.fund_in(
                conn, head=head, pool=opened, amount=stock, named=("opening",), now=now
            )
            pool = opened.id
        await catalog.insert_item(
            conn,
            item=CatalogItem(
                book=book,
                id=number,
                item=item,
                title=title,
                title_en=title_en,
                detail=detail,
                detail_en=detail_en,
                price_unit=Unit[unit.upper()],
                price=price,
                valid_days=valid_days,
                pool=pool,
                from_on=today,
                until_on=None,
            ),
            person=None,
            now=now,
        )
        await audit_events.insert_audit_events(
            conn, at=now, person=None, act="offer_item", subjects=[f"catalog/{book}/{number}"]
        )
    return number
