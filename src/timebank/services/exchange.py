"""Handing a book's services on to another platform, and comparing notes with it."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.exchange import Platform, Reconciliation, reconcile
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.ledger import balances, exchange
from timebank.services.errors import NotFoundError
from timebank.store import exchanges
from timebank.store.exchanges import Batch, Check


async def send_new(
    db: Database, *, scope: Scope, book: int, platform: Platform, now: datetime
) -> Batch | None:
    """Hand on what a book's entries changed since the last batch; None where that is nothing.

    The platform takes it before it is recorded as handed on: a fault in between hands the same
    records on again under the same name, which changes nothing.

    Raises:
        NotFoundError: The scope does not hold the whole county of such a book.
    """
    async with db.read() as conn:
        head = await balances.find_head_seq(conn, book=book)
        if head is None or not scope.covers(county_code(book)):
            raise NotFoundError
        after = await exchanges.find_last_sent(conn, book=book)
        if head == after:
            return None
        records = [
            record
            async for part in exchange.list_changed(conn, book=book, after=after, until=head)
            for record in part
        ]
    platform.send(records, batch=f"{book}-{after + 1}-{head}")
    batch = Batch(book, after + 1, head, len(records), now)
    async with db.write() as conn:
        await exchanges.insert_batch(conn, batch=batch)
    return batch


async def compare(
    db: Database, *, scope: Scope, book: int, platform: Platform, now: datetime
) -> Reconciliation:
    """Compare what was handed on of a book with what a platform holds, and record what came out.

    Raises:
        NotFoundError: The scope does not hold the whole county of such a book.
    """
    async with db.read() as conn:
        if await balances.find_head_seq(conn, book=book) is None or not scope.covers(
            county_code(book)
        ):
            raise NotFoundError
        last = await exchanges.find_last_sent(conn, book=book)
        sent = await exchange.find_standing(conn, book=book, until=last)
    found = reconcile(sent, platform.held())
    async with db.write() as conn:
        await exchanges.insert_check(conn, check=Check(book, now, last, found))
    return found
