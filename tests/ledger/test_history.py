"""A book at any past entry is what a replay of its entries gives."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.factories import NINE
from tests.ledger.book import OpenBook, key, open_book, spend

from timebank.db import Database
from timebank.domain.posting import (
    AlreadyPosted,
    Posted,
    PostingOutcome,
    PostingRefusal,
    PostingRefused,
    reversal_of,
)
from timebank.domain.transfer import Transfer, TransferKind
from timebank.ledger import balances


async def test_a_balance_as_of_every_entry_equals_a_replay(book: OpenBook) -> None:
    chance = random.Random(4)
    name = 0
    for length in [1, 5, 3, 12, 1, 2, 9]:
        batch = []
        for _ in range(length):
            name += 1
            amount = chance.randint(1, 90)
            if chance.random() < 0.6:
                batch.append(book.service(name, amount, volunteer=chance.randint(1, 2)))
            else:
                accounts = [book.credits_issuing, book.purse]
                chance.shuffle(accounts)
                batch.append(spend(name, accounts[0], accounts[1], amount))
        await book.post_list(batch)

    async with book.db.read() as conn:
        newest = await balances.find_head_seq(conn, book=book.id)
    assert newest is not None
    replay: dict[int, int] = defaultdict(int)
    accounts = [book.issuing, book.first, book.second, book.credits_issuing, book.purse, book.debt]
    for seq in range(newest + 1):
        if seq:
            transfer = (await book.entry(seq)).transfer
            replay[transfer.debit] -= transfer.amount
            replay[transfer.credit] += transfer.amount
        for account in accounts:
            assert await book.held(account, as_of=seq) == replay[account], (seq, account)
    for account in accounts:
        assert await book.held(account) == await book.held(account, as_of=newest + 9)


async def test_an_instant_names_the_newest_entry_recorded_by_then(book: OpenBook) -> None:
    recorded = [NINE]
    newest = [0]
    for turn, length in enumerate([2, 1, 4, 1, 1, 3, 1, 2, 1]):
        # Some batches are recorded at one instant: the last of them counts.
        recorded.append(NINE + timedelta(seconds=turn // 2))
        await book.post_list([book.service((turn, n)) for n in range(length)], now=recorded[-1])
        newest.append(newest[-1] + length)

    async with book.db.read() as conn:
        for tick in range(-2, 12):
            instant = NINE + timedelta(seconds=tick / 2)
            expected = max(
                seq for at, seq in zip(recorded, newest, strict=True) if at <= instant or not seq
            )
            assert await balances.seq_at(conn, book=book.id, instant=instant) == expected
        for seq in range(newest[-1]):
            batch = next(n for n, last in enumerate(newest) if last > seq)
            found = await balances.find_next_recorded_at(conn, book=book.id, seq=seq)
            assert found == recorded[batch], seq
        assert await balances.find_next_recorded_at(conn, book=book.id, seq=newest[-1]) is None
        assert await balances.seq_at(conn, book=999_999, instant=NINE) == 0


async def test_a_statement_as_of_an_entry_is_what_it_was(book: OpenBook) -> None:
    async def read(**options: int) -> list[balances.StatementLine]:
        async with book.db.read() as conn:
            return await balances.statement(conn, book=book.id, account=book.first, **options)

    then: list[list[balances.StatementLine]] = [[]]
    for n in range(5):
        await book.post(book.service(n, 10 + n), book.service(("other", n), volunteer=2))
        then += [await read()] * 2
    for seq in (1, 5):
        await book.post(reversal_of(await book.entry(seq), key=key(("back", seq))))
        then.append(await read())
    await book.post_list([book.service(("late", n)) for n in range(30)])

    assert [await read(as_of=seq) for seq in range(len(then))] == then
    assert [line.entry.seq for line in await read(as_of=8, before_seq=7, lines_max=2)] == [5, 3]


class Model:
    """A ledger in memory: the entries and nothing derived from them."""

    def __init__(self, units: dict[int, int], bounded: dict[int, int]) -> None:
        self.entries: list[Transfer] = []
        self.units = units
        self.bounded = bounded
        """By account: 1 where it must not fall below zero, -1 where it must not rise above."""

    def held(self, account: int, *, as_of: int | None = None) -> int:
        entries = self.entries[:as_of]
        return sum(e.amount for e in entries if e.credit == account) - sum(
            e.amount for e in entries if e.debit == account
        )

    def post(
        self, transfers: Sequence[Transfer], linked: Sequence[range] = ()
    ) -> list[PostingOutcome]:
        before = len(self.entries)
        outcomes: list[PostingOutcome] = []
        while (place := len(outcomes)) < len(transfers):
            size = next((len(group) for group in linked if group.start == place), 0) or 1
            kept = list(self.entries)
            found = [self._post(each, before) for each in transfers[place : place + size]]
            fresh = [
                isinstance(each, (Posted, AlreadyPosted)) and each.seq > len(kept) for each in found
            ]
            if any(fresh) and not all(fresh):
                self.entries = kept
                failed = PostingRefused(PostingRefusal.LINKED_FAILED)
                found = [failed if was else each for was, each in zip(fresh, found, strict=True)]
            outcomes += found
        return outcomes

    def _post(self, transfer: Transfer, before: int) -> PostingOutcome:
        for seq, entry in enumerate(self.entries, 1):
            if entry.key == transfer.key:
                return (
                    AlreadyPosted(seq)
                    if entry == transfer
                    else PostingRefused(PostingRefusal.KEY_REUSED)
                )
        reason = self._refusal(transfer, before)
        if reason:
            return PostingRefused(reason)
        self.entries.append(transfer)
        if not all(
            self.held(account) * sign >= 0
            for account, sign in self.bounded.items()
            if account in (transfer.debit, transfer.credit)
        ):
            self.entries.pop()
            return PostingRefused(PostingRefusal.EXCEEDS_BOUND)
        return Posted(len(self.entries))

    def _refusal(self, transfer: Transfer, before: int) -> PostingRefusal | None:
        if transfer.amount < 1:
            return PostingRefusal.AMOUNT_OUT_OF_RANGE
        if transfer.debit == transfer.credit:
            return PostingRefusal.ACCOUNTS_EQUAL
        units = {self.units.get(transfer.debit), self.units.get(transfer.credit)}
        if None in units:
            return PostingRefusal.ACCOUNT_UNKNOWN
        if units != {transfer.unit}:
            return PostingRefusal.UNIT_MISMATCH
        if transfer.reverses is None:
            return None
        if not 1 <= transfer.reverses <= before:
            return PostingRefusal.REVERSES_NOTHING
        entry = self.entries[transfer.reverses - 1]
        if entry.kind == TransferKind.REVERSAL or transfer.amount != entry.amount:
            return PostingRefusal.REVERSAL_MISMATCH
        if any(e.reverses == transfer.reverses for e in self.entries):
            return PostingRefusal.ALREADY_REVERSED
        return None


NAMES = st.integers(0, 40)
AMOUNTS = st.integers(0, 40)
SIZES = st.lists(st.integers(0, 4), max_size=4)
ITEMS = st.lists(st.tuples(NAMES, st.integers(1, 7), st.integers(1, 7), AMOUNTS), max_size=6)


class Posting(RuleBasedStateMachine):
    """Any sequence of lists, retries and reversals, against the model, in a book of its own."""

    runner: asyncio.Runner
    db: Database
    books = iter(range(100_000, 999_999))

    def __init__(self) -> None:
        super().__init__()
        self.book = book = self.runner.run(open_book(self.db, book=next(self.books)))
        units = dict.fromkeys([book.issuing, book.first, book.second], 1)
        units |= dict.fromkeys([book.credits_issuing, book.purse, book.debt], 2)
        self.model = Model(units, {book.purse: 1, book.debt: -1})

    def post(self, transfers: Sequence[Transfer], sizes: Sequence[int] = ()) -> None:
        """The first transfers in linked ranges of these sizes, those of a range of none alone."""
        linked, start = [], 0
        for size in sizes:
            stop = min(start + max(size, 1), len(transfers))
            if size and stop > start:
                linked.append(range(start, stop))
            start = stop
        expected = self.model.post(transfers, linked)
        assert self.runner.run(self.book.post_list(transfers, linked=linked)) == expected

    @rule(items=ITEMS, sizes=SIZES)
    def move(self, items: list[tuple[int, int, int, int]], sizes: list[int]) -> None:
        # The unit is the debit's: most pairs of accounts agree, some do not, the seventh is none.
        unit = self.model.units
        self.post([spend(n, d, c, amount, unit.get(d, 1)) for n, d, c, amount in items], sizes)

    @rule(
        names=st.lists(NAMES, max_size=5),
        volunteer=st.integers(1, 2),
        amount=AMOUNTS,
        sizes=SIZES,
    )
    def serve(self, names: list[int], volunteer: int, amount: int, sizes: list[int]) -> None:
        self.post([self.book.service(("s", n), amount, volunteer=volunteer) for n in names], sizes)

    @rule(amount=AMOUNTS, spends=st.lists(AMOUNTS, max_size=4), name=NAMES, sizes=SIZES)
    def give_and_spend(self, amount: int, spends: list[int], name: int, sizes: list[int]) -> None:
        book = self.book
        given = spend(("g", name), book.credits_issuing, book.purse, amount)
        spent = [spend(("t", name, n), book.purse, book.debt, a) for n, a in enumerate(spends)]
        self.post([given, *spent], sizes)

    @rule(
        seqs=st.lists(st.integers(1, 30), max_size=3),
        wrong_by=st.sampled_from([0, 0, 0, 1]),
        sizes=SIZES,
    )
    def reverse(self, seqs: list[int], wrong_by: int, sizes: list[int]) -> None:
        transfers = []
        for seq in seqs:
            if seq > len(self.model.entries):
                continue
            entry = self.runner.run(self.book.entry(seq))
            if entry.transfer.kind != TransferKind.REVERSAL:
                back = reversal_of(entry, key=key(("r", seq, len(self.model.entries) // 9)))
                transfers.append(back._replace(amount=back.amount + wrong_by))
        self.post(transfers, sizes)

    @rule(account=st.integers(1, 7), as_of=st.integers(0, 40))
    def look_back(self, account: int, as_of: int) -> None:
        held = self.runner.run(self.book.held(account, as_of=as_of))
        assert held == self.model.held(account, as_of=as_of)

    @rule(account=st.sampled_from([2, 3, 5, 6]), before=st.integers(1, 40))
    def read_a_statement(self, account: int, before: int) -> None:
        async def read() -> list[balances.StatementLine]:
            async with self.db.read() as conn:
                return await balances.statement(
                    conn, book=self.book.id, account=account, before_seq=before, lines_max=9
                )

        expected = [
            (seq, entry)
            for seq, entry in enumerate(self.model.entries, 1)
            if seq < before and account in (entry.debit, entry.credit)
        ]
        lines = [(line.entry.seq, line.entry.transfer) for line in self.runner.run(read())]
        assert lines == expected[:-10:-1]

    @invariant()
    def nothing_is_out_of_balance(self) -> None:
        assert sum(self.model.held(account) for account in self.model.units) == 0

    def teardown(self) -> None:
        for account in self.model.units:
            assert self.runner.run(self.book.held(account)) == self.model.held(account)
        assert self.runner.run(self.book.broken_rules()) == []


def test_any_history_agrees_with_a_ledger_in_memory(database_url: str) -> None:
    """Worth its seconds: it tries combinations that nobody thought of, and audits each."""
    with asyncio.Runner() as runner:
        Posting.runner = runner
        Posting.db = Database(database_url, role="timebank_app", pool_size=1)
        try:
            run_state_machine_as_test(
                Posting,
                settings=settings(
                    max_examples=60,
                    stateful_step_count=15,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(Posting.db.close())


def test_the_model_agrees_on_what_it_is_asked_first() -> None:
    """The judge is judged: a model that says yes to everything would prove nothing."""
    model = Model({1: 1, 2: 1}, {2: 1})
    deed = spend("a", 1, 2, 10, unit=1)
    assert model.post([deed, deed, spend("b", 2, 1, 11, unit=1)]) == [
        Posted(1),
        AlreadyPosted(1),
        PostingRefused(PostingRefusal.EXCEEDS_BOUND),
    ]
    assert (model.held(1), model.held(2), model.held(2, as_of=0)) == (-10, 10, 0)
