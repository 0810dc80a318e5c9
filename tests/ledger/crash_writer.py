"""Posts to some books until it is killed, and writes down what was acknowledged.

Run by test_crash.py: `python -m tests.ledger.crash_writer URL NAME SEED FILE BOOK…`. A line of the
file, `book key seq`, is written after the commit has been answered; a list whose answer was lost is
sent again, as any client would.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError
from tests.ledger.book import OpenBook, spend

from timebank.db import Database
from timebank.domain.posting import PostingRefused
from timebank.domain.transfer import Transfer
from timebank.ledger import journal

WRITERS = 6
"""At once in one process: enough to wait for one another's lock."""

LOST = (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
"""What a client sees when the server is gone: the answer is not known."""


async def main(url: str, name: str, seed: str, acknowledged: str, *books: str) -> None:
    database = Database(url, role="timebank_app", pool_size=WRITERS)
    descriptor = os.open(Path(acknowledged), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    await asyncio.gather(
        *(
            _write(database, descriptor, random.Random(f"{seed} {turn}"), (name, turn), books)
            for turn in range(WRITERS)
        )
    )


async def _write(
    database: Database,
    descriptor: int,
    chance: random.Random,
    name: tuple[object, ...],
    books: tuple[str, ...],
) -> None:
    turn = 0
    while True:
        turn += 1
        # The accounts of every book are numbered alike: tests.ledger.book opens them in one order.
        book = OpenBook(database, int(chance.choice(books)), 1, 2, 3, 4, 5, 6)
        transfers, linked = _deeds(book, chance, (*name, turn))
        while True:
            try:
                outcomes = await book.post_list(transfers, linked=linked)
            except LOST:
                await asyncio.sleep(0.05)
                continue
            break
        lines = [
            f"{book.id} {transfer.key} {outcome.seq}\n"
            for transfer, outcome in zip(transfers, outcomes, strict=True)
            if not isinstance(outcome, PostingRefused)
        ]
        os.write(descriptor, "".join(lines).encode())


def _deeds(
    book: OpenBook, chance: random.Random, name: tuple[object, ...]
) -> tuple[list[Transfer], list[range]]:
    """Services in short lists and in long ones that are copied, or credits given and spent."""
    choice = chance.random()
    if choice < 0.6:
        count = chance.choice([1, 1, 3, 20])
        return [book.service((*name, n), 1 + n, volunteer=1 + n % 2) for n in range(count)], []
    if choice < 0.7:
        assert journal._COPY_MIN <= 600
        return [book.service((*name, n), 1 + n % 90) for n in range(600)], []
    given = spend((*name, "g"), book.credits_issuing, book.purse, chance.randint(1, 20))
    spent = spend((*name, "s"), book.purse, book.credits_issuing, chance.randint(1, 25))
    return [given, spent], [range(2)] if chance.random() < 0.5 else []


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
