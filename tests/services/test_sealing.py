"""Books are signed while the product runs, by one process at a time, and trouble is told once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.factories import BOOK, NINE
from tests.ledger.book import open_book
from tests.ledger.test_log import KEY, LOG_KEY

from timebank.db import Database
from timebank.ledger import log
from timebank.services import sealing
from timebank.services.errors import NotFoundError
from timebank.services.sealing import erase_volunteer, keep_signed, sign_grown
from timebank.trust.checkpoint import read_checkpoint
from timebank.trust.signer import open_note

OTHER = 330402


@pytest.fixture
async def owner_db(database_url: str) -> AsyncIterator[Database]:
    """A way in with the privileges that the application lacks, for tampering."""
    user = make_url(database_url).username
    assert user is not None
    database = Database(database_url, role=user, pool_size=1)
    yield database
    await database.close()


async def sizes(db: Database, book: int = BOOK) -> list[int]:
    async with db.read() as conn:
        return [each.size for each in await log.list_checkpoints(conn, book=book)]


async def test_a_book_is_signed_while_it_grows_until_stopped(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "SECONDS_BETWEEN", 0.02)
    book, other = await open_book(db), await open_book(db, book=OTHER)
    stopped = asyncio.Event()
    signing = asyncio.create_task(
        keep_signed(db, key=lambda: LOG_KEY, now=lambda: NINE, stopped=stopped)
    )
    for n in range(1, 4):
        await book.post(book.service(n))
        await other.post(other.service(n))
        async with asyncio.timeout(10):
            # Another task commits it: there is nothing here to be told by.
            while [(await sizes(db))[-1:], (await sizes(db, OTHER))[-1:]] != [[n], [n]]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    stopped.set()
    await asyncio.wait_for(signing, 5)

    assert await sizes(db) == [1, 2, 3]
    async with db.read() as conn:
        newest = await log.find_newest_checkpoint(conn, book=BOOK)
    assert newest is not None
    assert newest.signed_at == NINE
    assert read_checkpoint(open_note(newest.note, KEY)).size == 3


async def test_many_signers_sign_each_size_once(db: Database) -> None:
    book = await open_book(db)
    for n in range(5):
        await book.post(book.service(n))
        await asyncio.gather(
            *(sign_grown(db, key=LOG_KEY, now=NINE, reported={}) for _ in range(4))
        )
    assert await sizes(db) == [1, 2, 3, 4, 5]


async def test_signing_follows_writers_that_never_stop(db: Database) -> None:
    book = await open_book(db)
    done = asyncio.Event()

    async def write(writer: int) -> None:
        for turn in range(12):
            await book.post_list([book.service((writer, turn, n)) for n in range(40)])

    async def sign() -> None:
        while not done.is_set():
            await sign_grown(db, key=LOG_KEY, now=NINE, reported={})

    signing = asyncio.create_task(sign())
    await asyncio.gather(*(write(writer) for writer in range(3)))
    done.set()
    await signing
    await sign_grown(db, key=LOG_KEY, now=NINE, reported={})
    signed = await sizes(db)
    assert signed[-1] == 3 * 12 * 40
    assert len(signed) > 3
    assert await book.broken_rules() == []


async def test_a_book_that_cannot_be_signed_is_told_once_and_others_go_on(
    db: Database, owner_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    book, other = await open_book(db), await open_book(db, book=OTHER)
    await book.post(book.service(1))
    await other.post(other.service(1))
    async with owner_db.write() as conn:
        await conn.execute(
            text("update batch set recorded_at = :at where book_id = :book"),
            {"at": NINE + timedelta(seconds=1), "book": BOOK},
        )
    reported: dict[int, str] = {}
    with caplog.at_level(logging.CRITICAL, logger="timebank"):
        for _ in range(3):
            await sign_grown(db, key=LOG_KEY, now=NINE, reported=reported)
    assert len(caplog.records) == 1
    assert str(BOOK) in caplog.text
    assert (await sizes(db), await sizes(db, OTHER)) == ([], [1])


async def test_the_signer_outlives_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sealing, "SECONDS_BETWEEN", 0.01)
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:9/nowhere", role="timebank_app")
    stopped = asyncio.Event()
    signing = asyncio.create_task(
        keep_signed(away, key=lambda: LOG_KEY, now=lambda: NINE, stopped=stopped)
    )
    async with asyncio.timeout(10):
        while len(caplog.records) < 2:  # noqa: ASYNC110 a log record wakes nobody
            await asyncio.sleep(0.01)
    assert not signing.done()
    stopped.set()
    await signing
    await away.close()


async def test_there_is_nothing_to_erase_in_a_book_that_is_not_open(db: Database) -> None:
    with pytest.raises(NotFoundError):
        await erase_volunteer(db, book=BOOK, volunteer=1, now=NINE)
