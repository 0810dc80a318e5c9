"""One deed is one entry and a bound is a bound, however many write at once and however."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, open_book, rows, spend

from timebank.db import Database
from timebank.domain.posting import AlreadyPosted, Posted, PostingRefusal, PostingRefused
from timebank.domain.transfer import Transfer
from timebank.ledger import journal

EXCEEDS = PostingRefused(PostingRefusal.EXCEEDS_BOUND)


async def test_the_same_key_twice_in_one_list_is_one_entry(book: OpenBook) -> None:
    assert await book.post(book.service("a"), book.service("b"), book.service("a")) == [
        Posted(1),
        Posted(2),
        AlreadyPosted(1),
    ]


async def test_the_same_key_with_other_content_in_one_list_is_refused(book: OpenBook) -> None:
    assert await book.post(book.service("a", 60), book.service("a", 61), book.service("a", 60)) == [
        Posted(1),
        PostingRefused(PostingRefusal.KEY_REUSED),
        AlreadyPosted(1),
    ]


async def test_a_list_sent_ten_times_at_once_posts_once(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    deeds = [book.service(n, n + 1) for n in range(40)]
    orders = [deeds[n:] + deeds[:n] for n in range(10)]

    answers = await asyncio.gather(*(book.post_list(order) for order in orders))

    seqs = [
        {transfer.key: outcome for transfer, outcome in zip(order, answer, strict=True)}
        for order, answer in zip(orders, answers, strict=True)
    ]
    for deed in deeds:
        outcomes = [each[deed.key] for each in seqs]
        assert sum(isinstance(outcome, Posted) for outcome in outcomes) == 1
        assert len({outcome.seq for outcome in outcomes}) == 1  # type: ignore[union-attr]
    assert await owner.fetchval("select count(*) from transfer") == 40
    assert await book.held(book.first) == sum(range(1, 41))
    assert await book.broken_rules() == []


PROCESS = """
import asyncio, sys
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook
from timebank.db import Database
from timebank.domain.posting import Posted

async def main(url, *accounts):
    db = Database(url, role="timebank_app", pool_size=4)
    book = OpenBook(db, BOOK, *map(int, accounts))
    answers = await asyncio.gather(
        *(book.post(*(book.service((n, m)) for m in range(5))) for n in range(20))
    )
    print(sum(isinstance(each, Posted) for answer in answers for each in answer))
    await db.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_that_post_the_same_deeds_post_each_once(
    book: OpenBook, database_url: str, owner: asyncpg.Connection
) -> None:
    """Worth its second: other tests share one event loop, this shares nothing but the server."""
    root = Path(__file__).parents[2]
    accounts = (book.issuing, book.first, book.second, book.credits_issuing, book.purse, book.debt)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROCESS,
            database_url,
            *map(str, accounts),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(2)
    ]
    answers = [(await process.communicate())[0] for process in processes]

    assert sum(int(answer) for answer in answers) == 100
    assert await owner.fetchval("select count(*) from transfer") == 100
    assert await book.broken_rules() == []


async def test_the_third_of_five_spends_that_does_not_fit_is_refused_alone(book: OpenBook) -> None:
    await book.post(spend("given", book.credits_issuing, book.purse, 100))

    outcomes = await book.post(
        *(
            spend(n, book.purse, book.credits_issuing, amount)
            for n, amount in enumerate([30, 30, 50, 30, 10])
        )
    )

    assert outcomes == [Posted(2), Posted(3), EXCEEDS, Posted(4), Posted(5)]
    assert await book.held(book.purse) == 0


async def test_what_a_list_gives_the_same_list_can_spend(book: OpenBook) -> None:
    outcomes = await book.post(
        spend("early", book.purse, book.credits_issuing, 10),
        spend("given", book.credits_issuing, book.purse, 10),
        spend("late", book.purse, book.credits_issuing, 10),
    )

    assert outcomes == [EXCEEDS, Posted(1), Posted(2)]


async def test_twenty_simultaneous_spends_stop_at_the_bound(book: OpenBook) -> None:
    await book.post(spend("given", book.credits_issuing, book.purse, 100))

    answers = await asyncio.gather(
        *(book.post(spend(n, book.purse, book.credits_issuing, 30)) for n in range(20))
    )

    assert sum(answer != [EXCEEDS] for answer in answers) == 3
    assert await book.held(book.purse) == 10
    assert await book.broken_rules() == []


async def test_many_writers_on_many_books_leave_each_whole(db: Database) -> None:
    """Sixty lists over six books at once, each sent twice: books do not wait for one another."""
    books = [await open_book(db, book=330_400 + n) for n in range(6)]

    def deeds(turn: int) -> list[Transfer]:
        book = books[turn % 6]
        return [
            *(book.service((turn, n), turn + n + 1) for n in range(turn % 4)),
            spend((turn, "given"), book.credits_issuing, book.purse, 10),
            spend((turn, "spent"), book.purse, book.credits_issuing, 10),
        ]

    answers = await asyncio.gather(
        *(books[turn % 6].post_list(deeds(turn % 60)) for turn in range(120))
    )

    for turn in range(60):
        pair = [[each.seq for each in answers[n]] for n in (turn, turn + 60)]  # type: ignore[union-attr]
        assert pair[0] == pair[1]
    for number, book in enumerate(books):
        minutes = sum(turn + n + 1 for turn in range(number, 60, 6) for n in range(turn % 4))
        assert await book.held(book.first) == minutes
        assert await book.held(book.purse) == 0
        assert await book.broken_rules() == []


async def test_a_writer_whose_head_is_stale_is_stopped(book: OpenBook) -> None:
    async with book.db.write() as conn:
        stale = await journal.find_locked_head(conn, book=BOOK)
    await book.post(book.service("a"))
    assert stale is not None

    async def post_on_it() -> None:
        async with book.db.write() as conn:
            await journal.find_locked_head(conn, book=BOOK)
            await journal.append(conn, head=stale, transfers=[book.service("b")], now=NINE)

    with pytest.raises((AssertionError, asyncpg.UniqueViolationError)):
        await post_on_it()
    assert await book.held(book.first) == 60
    assert await book.broken_rules() == []


async def test_batches_number_their_entries_without_gaps(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    async def post_and_fail(name: int) -> None:
        async with book.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            lost = [book.service(("lost", name))]
            assert len(await journal.append(conn, head=head, transfers=lost, now=NINE)) == 1
            raise RuntimeError

    async def failing(name: int) -> None:
        with pytest.raises(RuntimeError):
            await post_and_fail(name)

    await asyncio.gather(
        *(book.post_list([book.service((n, m)) for m in range(n + 1)]) for n in range(8)),
        *(failing(n) for n in range(8)),
    )

    assert await rows(owner, "select seq from transfer order by seq") == [
        (seq,) for seq in range(1, 37)
    ]
    spans = await rows(owner, "select batch, first_seq, last_seq from batch order by batch")
    assert [batch for batch, _, _ in spans] == list(range(1, 9))
    assert [first for _, first, _ in spans] == [
        1,
        *(int(str(last)) + 1 for _, _, last in spans[:-1]),
    ]
    assert await rows(owner, "select seq, batch from book") == [(36, 8)]


async def test_a_long_list_is_copied_and_stored_as_a_short_one_is(
    book: OpenBook, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await open_book(book.db, book=330421)
    amounts = range(1, 601)
    assert min(amounts) < journal._COPY_MIN <= len(amounts)

    async def post(into: OpenBook) -> None:
        first, *later = (into.service(n, n, volunteer=1 + n % 2) for n in amounts)
        await into.post(first)
        await into.post(
            *later,
            spend("given", into.credits_issuing, into.purse, 5),
            spend("too much", into.purse, into.credits_issuing, 6),
        )

    await post(book)
    monkeypatch.setattr(journal, "_COPY_MIN", 10_000)
    await post(other)

    for table in ("transfer", "account_state", "batch", "volunteer_month"):
        # Commitments are salted, so those of equal entries differ.
        columns = "book_id, batch, first_seq, last_seq, recorded_at" if table == "batch" else "*"
        query = f"select {columns} from {table} where book_id = $1 order by 1, 2, 3"
        copied = [row[1:] for row in await rows(owner, query, book.id)]
        assert copied == [row[1:] for row in await rows(owner, query, other.id)], table
        assert copied
    assert await book.broken_rules() == await other.broken_rules() == []
