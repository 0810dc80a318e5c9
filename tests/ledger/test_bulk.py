"""A history posted in columns is the history that would have been posted one by one."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.factories import BOOK, NINE, VILLAGE
from tests.ledger.book import OpenBook, key

from timebank.db import Database
from timebank.domain.posting import AlreadyPosted, Posted, PostingOutcome, PostingRefused
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit
from timebank.ledger import bulk, entry_columns, journal
from timebank.ledger.bulk import History, HistoryOutcome

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRITTEN = {
    "book": "id",
    "batch": "batch",
    "transfer": "seq",
    "account_state": "account, batch",
    "volunteer_month": "month, volunteer, assurance, measured",
    "account_secret": "account",
}


def columns_of(transfers: Sequence[Transfer], *, issuing: int) -> History:
    services = [each.service or Service(0, 0, None, 0, None, 0, 0) for each in transfers]

    def integers(values: Sequence[int]) -> entry_columns.Integers:
        return np.array(values, np.int64)

    return History(
        keys=np.frombuffer(b"".join(each.key.bytes for each in transfers), "V16"),
        issuing=issuing,
        accounts=integers([each.credit for each in transfers]),
        minutes=integers([each.amount for each in transfers]),
        effective_at=integers(
            [(each.effective_at - EPOCH) // timedelta(microseconds=1) for each in transfers]
        ),
        volunteers=integers([each.volunteer or 0 for each in transfers]),
        assurance=integers([each.assurance for each in services]),
        measured=integers([each.measured for each in services]),
        activity_book=BOOK,
        activities=integers([each.activity or 0 for each in services]),
        fields=integers([each.field for each in services]),
        places=integers([each.place for each in services]),
    )


def draw(book: OpenBook, chance: random.Random, *, count: int) -> list[Transfer]:
    """Services of two volunteers; some repeat others, some cannot be posted."""
    drawn: list[Transfer] = []
    for number in range(count):
        volunteer = chance.choice([1, 2])
        service = Service(
            chance.choice([0, 1, 3]), chance.randint(0, 3), BOOK, number % 7, None, 5, VILLAGE
        )
        drawn.append(
            Transfer(
                key(("history", number)),
                TransferKind.SERVICE,
                Unit.MINUTES,
                book.issuing,
                book.first if volunteer == 1 else book.second,
                chance.choice([1, 60, 90, 959]),
                # Around the turn of a month and a year where the people live.
                datetime(2023, 12, 31, 15, 55, tzinfo=UTC) + timedelta(minutes=number),
                volunteer,
                service,
            )
        )
        before = chance.choice(drawn)
        match chance.randint(0, 9):
            case 0:
                drawn[-1] = before
            case 1:
                drawn[-1] = before._replace(amount=before.amount + 1)
            case 2:
                wrong = [("amount", 0), ("amount", 2**53 + 1), ("credit", 99)]
                wrong += [("credit", book.issuing), ("credit", book.credits_issuing)]
                drawn[-1] = drawn[-1]._replace(**dict([chance.choice(wrong)]))
    return drawn


async def written(conn: AsyncConnection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: [tuple(row) for row in await conn.execute(text(f"select * from {table} order by {order}"))]
        for table, order in WRITTEN.items()
    }  # fmt: skip


def outcomes_of(found: HistoryOutcome) -> list[PostingOutcome]:
    return [
        PostingRefused(found.refused[place])
        if place in found.refused
        else (Posted if is_new else AlreadyPosted)(seq)
        for place, (seq, is_new) in enumerate(
            zip(found.seqs.tolist(), found.is_new.tolist(), strict=True)
        )
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_columns_and_rows_write_the_same_book(
    book: OpenBook, owner: asyncpg.Connection, seed: int
) -> None:
    chance = random.Random(seed)
    accounts = [book.issuing, book.first, book.second]
    await owner.executemany(
        "insert into account_secret values ($1, $2, $3)",
        [(BOOK, account, chance.randbytes(32)) for account in accounts],
    )
    transfers = draw(book, chance, count=chance.choice([1, 40, 700]))
    before = [each for each in transfers if chance.random() < 0.2]
    await book.post_list(before)
    async with book.db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        savepoint = await conn.begin_nested()
        by_rows = await journal.append(conn, head=head, transfers=transfers, now=NINE)
        rows = await written(conn)
        await savepoint.rollback()
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        history = columns_of(transfers, issuing=book.issuing)
        by_columns = await bulk.append_history(conn, head=head, history=history, now=NINE)
        columns = await written(conn)
        after = await journal.find_locked_head(conn, book=BOOK)

    assert outcomes_of(by_columns) == by_rows
    assert columns == rows
    assert head == after
    assert await book.broken_rules() == []


async def test_accounts_get_their_secrets_with_their_first_history(book: OpenBook) -> None:
    chance = random.Random(7)
    for turn in range(2):
        transfers = [
            each._replace(key=key((turn, place)))
            for place, each in enumerate(draw(book, chance, count=300))
            if each.credit in (book.first, book.second) and 0 < each.amount < 1000
        ]
        async with book.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            found = await bulk.append_history(
                conn, head=head, history=columns_of(transfers, issuing=book.issuing), now=NINE
            )
        assert found.is_new.all()
    assert await book.broken_rules() == []
    assert await book.held(book.first) + await book.held(book.second) == -await book.held(
        book.issuing
    )


async def test_what_columns_cannot_post_is_refused_as_a_whole(book: OpenBook, db: Database) -> None:
    bounded = [book.service(1)._replace(credit=book.purse)]
    many = [book.service(2)] * (bulk.HISTORY_MAX + 1)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        for transfers in (bounded, many):
            with pytest.raises(ValueError, match=r"bounded|at most"):
                await bulk.append_history(
                    conn, head=head, history=columns_of(transfers, issuing=book.issuing), now=NINE
                )
        none = await bulk.append_history(
            conn, head=head, history=columns_of([], issuing=book.issuing), now=NINE
        )
    assert (len(none.seqs), none.refused) == (0, {})
    assert head.seq == 0
