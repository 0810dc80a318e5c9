"""Every outcome and every balance of a long random history is what a dozen lines of model say.

TIMEBANK_ORACLE_POSTINGS says how many transfers are tried; `scripts/nightly` tries a million.
"""

import os
import random
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from tests.factories import NINE
from tests.ledger.book import OpenBook, key, spend

from timebank.domain.posting import (
    AlreadyPosted,
    Posted,
    PostingOutcome,
    PostingRefusal,
    PostingRefused,
)
from timebank.domain.transfer import Transfer, TransferKind

POSTINGS = int(os.environ.get("TIMEBANK_ORACLE_POSTINGS", "6000"))
SEED = os.environ.get("TIMEBANK_ORACLE_SEED", "oracle")


@dataclass(slots=True)
class Model:
    """A ledger as anybody would write it down: no batches, no states, no SQL."""

    purse: int
    debt: int
    held: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    entries: list[Transfer] = field(default_factory=list)
    by_key: dict[UUID, int] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)

    def post(self, transfer: Transfer) -> PostingOutcome:
        seq = self.by_key.get(transfer.key)
        if seq is not None:
            is_same = self.entries[seq - 1] == transfer
            return AlreadyPosted(seq) if is_same else PostingRefused(PostingRefusal.KEY_REUSED)
        if transfer.amount < 1:
            return PostingRefused(PostingRefusal.AMOUNT_OUT_OF_RANGE)
        if transfer.debit == transfer.credit:
            return PostingRefused(PostingRefusal.ACCOUNTS_EQUAL)
        if transfer.reverses is not None and transfer.reverses in self.reversed:
            return PostingRefused(PostingRefusal.ALREADY_REVERSED)
        if transfer.debit == self.purse and self.held[self.purse] < transfer.amount:
            return PostingRefused(PostingRefusal.EXCEEDS_BOUND)
        if transfer.credit == self.debt and -self.held[self.debt] < transfer.amount:
            return PostingRefused(PostingRefusal.EXCEEDS_BOUND)
        self.held[transfer.debit] -= transfer.amount
        self.held[transfer.credit] += transfer.amount
        self.entries.append(transfer)
        self.by_key[transfer.key] = len(self.entries)
        if transfer.reverses is not None:
            self.reversed.add(transfer.reverses)
        return Posted(len(self.entries))


def draw(book: OpenBook, model: Model, chance: random.Random, name: object) -> Transfer:
    """A transfer that is mostly right."""
    choice = chance.random()
    if choice < 0.55:
        amount = chance.choice([0, *range(1, 480)])
        at = NINE + timedelta(hours=chance.randrange(20_000))
        return book.service(name, amount, at=at, volunteer=chance.choice([1, 2]))
    if choice < 0.85:
        purses = [book.credits_issuing, book.purse, book.debt]
        return spend(name, chance.choice(purses), chance.choice(purses), chance.randint(0, 60))
    if not model.entries:
        return book.service(name)
    seq = chance.randint(1, len(model.entries))
    before = model.entries[seq - 1]
    if choice < 0.90:
        return before
    if choice < 0.93 or before.reverses is not None:
        return before._replace(amount=before.amount + 1)
    return before._replace(
        key=key(name),
        kind=TransferKind.REVERSAL,
        debit=before.credit,
        credit=before.debit,
        reverses=seq,
    )


async def test_a_long_history_is_what_the_model_says(book: OpenBook) -> None:
    chance = random.Random(SEED)
    model = Model(book.purse, book.debt)
    done = 0
    while done < POSTINGS:
        length = min(chance.choice([1, 7, 100, 700, 8_000]), POSTINGS - done)
        # Drawn before any of them is posted: some take back, or repeat, what is in the book.
        transfers = [draw(book, model, chance, done + place) for place in range(length)]
        outcomes = await book.post_list(transfers, now=NINE + timedelta(seconds=done))
        assert outcomes == [model.post(each) for each in transfers]
        done += length
    for account in (book.issuing, book.first, book.second, book.purse, book.debt):
        assert await book.held(account) == model.held[account]
    assert await book.broken_rules() == []
    refused = POSTINGS - len(model.entries)
    sys.stdout.write(
        f"\n{POSTINGS:,} tried, {len(model.entries):,} entries, {refused:,} not posted\n"
    )
