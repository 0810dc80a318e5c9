"""What a process remembers of accounts is what stands in the book, whoever else wrote meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, spend

from timebank.db import Database, kept_of
from timebank.domain.posting import Posted, PostingRefusal, PostingRefused
from timebank.ledger import journal, log
from timebank.ledger.memory import Memory


@pytest.fixture
async def elsewhere(book: OpenBook, database_url: str) -> AsyncIterator[OpenBook]:
    """The same book in another process, which remembers for itself."""
    database = Database(database_url, role="timebank_app", pool_size=1)
    yield replace(book, db=database)
    await database.close()


async def remembered(book: OpenBook) -> Memory:
    async with book.db.post() as driver:
        memories = kept_of(driver)["accounts"]
    assert isinstance(memories, dict)
    memory = memories[BOOK]
    assert isinstance(memory, Memory)
    return memory


async def test_an_account_is_remembered_until_somebody_else_posts(
    book: OpenBook, elsewhere: OpenBook
) -> None:
    await book.post(spend("given", book.credits_issuing, book.purse, 100))
    assert (await remembered(book)).accounts[book.purse].credits == 100

    assert await elsewhere.post(spend("spent", book.purse, book.debt, 70)) == [
        PostingRefused(PostingRefusal.EXCEEDS_BOUND)
    ]
    assert await elsewhere.post(spend("spent", book.purse, book.credits_issuing, 70)) == [Posted(2)]
    # Out of memory it would still have 100.
    assert await book.post(spend("again", book.purse, book.credits_issuing, 31)) == [
        PostingRefused(PostingRefusal.EXCEEDS_BOUND)
    ]
    assert await book.post(spend("rest", book.purse, book.credits_issuing, 30)) == [Posted(3)]
    assert await elsewhere.post(spend("more", book.purse, book.credits_issuing, 1)) == [
        PostingRefused(PostingRefusal.EXCEEDS_BOUND)
    ]
    assert await book.broken_rules() == []


async def test_what_was_never_committed_is_not_remembered(book: OpenBook) -> None:
    await book.post(spend("given", book.credits_issuing, book.purse, 100))

    async def spend_and_fail() -> None:
        async with book.db.post() as driver:
            head = await journal.find_locked_head(driver, book=book.id)
            assert head is not None
            spent = spend("spent", book.purse, book.credits_issuing, 100)
            await journal.append(driver, head=head, transfers=[spent], now=NINE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await spend_and_fail()

    assert await book.post(
        spend("other", book.purse, book.credits_issuing, 60),
        spend("too much", book.purse, book.credits_issuing, 41),
        spend("rest", book.purse, book.credits_issuing, 40),
    ) == [Posted(2), PostingRefused(PostingRefusal.EXCEEDS_BOUND), Posted(3)]
    assert await book.broken_rules() == []


async def test_a_secret_that_was_erased_elsewhere_is_not_used_again(
    book: OpenBook, elsewhere: OpenBook, owner: asyncpg.Connection
) -> None:
    await book.post(book.service("before"))
    secret = (await remembered(book)).accounts[book.first].secret

    async with elsewhere.db.write() as conn:
        await conn.execute(text("select 1"))
        head = await journal.find_locked_head(conn, book=book.id)
        assert head is not None
        erased = await log.erase_secrets(
            conn, book=book.id, accounts=[book.first], last_seq=head.seq, now=NINE
        )
    assert erased == [book.first]
    await book.post(book.service("after"))

    stored = await owner.fetchval(
        "select secret from account_secret where book_id = $1 and account = $2", BOOK, book.first
    )
    assert stored is not None
    assert stored != secret
    async with book.db.read() as conn:
        opened = [await log.open_entry(conn, book=book.id, seq=seq) for seq in (1, 2)]
    assert [each is not None and each.salt is not None for each in opened] == [True, True]
    assert await book.broken_rules() == []
