"""What becomes of a list of transfers: one outcome each, refusals in the order of the enum."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from tests.factories import NINE
from tests.ledger.book import SERVICE, OpenBook, key, open_book, rows, spend

from timebank.domain.posting import (
    AlreadyPosted,
    Posted,
    PostingRefusal,
    PostingRefused,
    reversal_of,
)
from timebank.domain.transfer import AMOUNT_MAX, Transfer, TransferKind, Unit
from timebank.ledger import balances, journal

NOWHERE = 999

# Each row also meets a later condition, so that precedence is tested too. The book holds: entry 1,
# a service of an hour to the first volunteer; entry 2, another, reversed by entry 3; entry 4, 100
# credits in the purse; entry 5, 50 credits taken from the account that must not be given more.
ROWS: list[tuple[str, Callable[[OpenBook], Transfer], str]] = [
    # what                                    | the transfer                    | refusal
    ("a key taken by another amount, of none",
        lambda b: b.service("one", 0), "posting.key_reused"),
    ("a key taken by another day, to nowhere",
        lambda b: b.service("one", at=NINE + timedelta(days=1))._replace(credit=NOWHERE), "posting.key_reused"),
    ("nothing, to itself",
        lambda b: b.service("n", 0)._replace(credit=b.issuing), "posting.amount_out_of_range"),
    ("less than nothing, to itself",
        lambda b: b.service("n", -1)._replace(credit=b.issuing), "posting.amount_out_of_range"),
    ("more than a reader can hold exactly, to itself",
        lambda b: b.service("n", AMOUNT_MAX + 1)._replace(credit=b.issuing), "posting.amount_out_of_range"),
    ("an account to itself that does not exist",
        lambda b: b.service("n")._replace(debit=NOWHERE, credit=NOWHERE), "posting.accounts_equal"),
    ("to nowhere, in another unit",
        lambda b: b.service("n")._replace(credit=NOWHERE, unit=Unit.FEN), "posting.account_unknown"),
    ("from nowhere, in another unit",
        lambda b: b.service("n")._replace(debit=NOWHERE, unit=Unit.FEN), "posting.account_unknown"),
    ("minutes named as credits, reversing nothing",
        lambda b: b.service("n")._replace(unit=Unit.CREDITS, reverses=77), "posting.unit_mismatch"),
    ("minutes into a purse of credits, beyond its bound",
        lambda b: b.service("n")._replace(debit=b.purse, amount=999), "posting.unit_mismatch"),
    ("a reversal of an entry that is not there, beyond the bound",
        lambda b: spend("n", b.purse, b.credits_issuing, 999)._replace(kind=TransferKind.REVERSAL, reverses=77), "posting.reverses_nothing"),
    ("a reversal that names no entry, beyond the bound",
        lambda b: spend("n", b.purse, b.credits_issuing, 999)._replace(kind=TransferKind.REVERSAL), "posting.reverses_nothing"),
    ("a reversal of part of a reversed entry",
        lambda b: _taken_back(b, 2)._replace(amount=59), "posting.reversal_mismatch"),
    ("a reversed entry taken back in the wrong direction",
        lambda b: b.service("two")._replace(key=key("n"), kind=TransferKind.REVERSAL, reverses=2), "posting.reversal_mismatch"),
    ("a reversed entry taken back on another day",
        lambda b: _taken_back(b, 2)._replace(effective_at=NINE + timedelta(days=40)), "posting.reversal_mismatch"),
    ("a reversed entry taken back from another place",
        lambda b: _taken_back(b, 2)._replace(service=SERVICE._replace(place=1)), "posting.reversal_mismatch"),
    ("a service that names what it reverses",
        lambda b: _taken_back(b, 2)._replace(kind=TransferKind.SERVICE), "posting.reversal_mismatch"),
    ("a reversal taken back itself",
        lambda b: b.service("n")._replace(kind=TransferKind.REVERSAL, reverses=3), "posting.reversal_mismatch"),
    ("an entry taken back twice",
        lambda b: _taken_back(b, 2), "posting.already_reversed"),
    ("more than the purse holds, by one",
        lambda b: spend("n", b.purse, b.credits_issuing, 101), "posting.exceeds_bound"),
    ("more than was taken, by one",
        lambda b: spend("n", b.credits_issuing, b.debt, 51), "posting.exceeds_bound"),

    ("the same again", lambda b: b.service("one"), "entry 1"),
    ("the largest amount", lambda b: b.service("n", AMOUNT_MAX), "posted"),
    ("an entry taken back whole", lambda b: _taken_back(b, 1), "posted"),
    ("all that the purse holds", lambda b: spend("n", b.purse, b.credits_issuing, 100), "posted"),
    ("all that was taken", lambda b: spend("n", b.credits_issuing, b.debt, 50), "posted"),
]  # fmt: skip


def _taken_back(book: OpenBook, seq: int) -> Transfer:
    name = {1: "one", 2: "two"}[seq]
    return book.service(name)._replace(
        key=key("n"),
        kind=TransferKind.REVERSAL,
        debit=book.first,
        credit=book.issuing,
        reverses=seq,
    )


def _prepared(book: OpenBook) -> list[list[Transfer]]:
    return [
        [book.service("one"), book.service("two")],
        [
            _taken_back(book, 2)._replace(key=key("taken back")),
            spend("given", book.credits_issuing, book.purse, 100),
            spend("taken", book.debt, book.credits_issuing, 50),
        ],
    ]


async def test_each_transfer_has_the_outcome_of_the_table(book: OpenBook) -> None:
    for transfers in _prepared(book):
        await book.post_list(transfers)

    found = {what: await _outcome(book, make(book)) for what, make, _ in ROWS}

    assert found == {what: outcome for what, _, outcome in ROWS}


class RolledBackError(Exception):
    pass


async def _outcome(book: OpenBook, transfer: Transfer) -> str:
    """Every row meets the same book: what it posts is rolled back."""
    with contextlib.suppress(RolledBackError):
        async with book.db.write() as conn:
            head = await journal.find_locked_head(conn, book=book.id)
            assert head is not None
            (outcome,) = await journal.append(conn, head=head, transfers=[transfer], now=NINE)
            raise RolledBackError
    match outcome:
        case PostingRefused(reason):
            return reason.value
        case AlreadyPosted(seq):
            return f"entry {seq}"
        case Posted(seq):
            return "posted" if seq == 6 else f"posted as {seq}"


def test_the_table_has_every_refusal_in_the_order_of_the_enum() -> None:
    refusals = [outcome for _, _, outcome in ROWS if outcome.startswith("posting.")]
    # What one linked transfer does to another has tests of its own, in test_linked.py.
    alone = [each.value for each in PostingRefusal if each is not PostingRefusal.LINKED_FAILED]
    assert list(dict.fromkeys(refusals)) == alone


async def test_a_refused_transfer_leaves_the_others_of_its_list(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    outcomes = await book.post(
        book.service("a"), book.service("b", 0), book.service("c"), book.service("d")
    )

    assert outcomes == [
        Posted(1),
        PostingRefused(PostingRefusal.AMOUNT_OUT_OF_RANGE),
        Posted(2),
        Posted(3),
    ]
    assert await rows(owner, "select batch, first_seq, last_seq from batch") == [(1, 1, 3)]


async def test_a_list_of_which_nothing_posts_writes_nothing(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await book.post(book.service("a"))

    assert await book.post() == []
    assert await book.post(book.service("a"), book.service("b", 0)) == [
        AlreadyPosted(1),
        PostingRefused(PostingRefusal.AMOUNT_OUT_OF_RANGE),
    ]

    assert await rows(owner, "select seq, batch from book") == [(1, 1)]
    assert await owner.fetchval("select count(*) from batch") == 1


async def test_a_list_beyond_the_longest_is_a_defect(book: OpenBook) -> None:
    with pytest.raises(ValueError, match="8000"):
        await book.post_list([book.service("a")] * (journal.BATCH_MAX + 1))


async def test_reversing_leaves_nothing_of_a_service(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await book.post(book.service("a"), book.service("b", 30))
    entry = await book.entry(1)

    assert await book.post(reversal_of(entry, key=key("back"))) == [Posted(3)]

    assert await book.held(book.first) == 30
    assert (await book.entry(1)) == replace(entry, is_reversed=True)
    assert await rows(owner, "select month, minutes, services from volunteer_month") == [
        (202403, 30, 1)
    ]
    assert await book.broken_rules() == []


async def test_a_reversal_is_not_taken_back(book: OpenBook) -> None:
    await book.post(book.service("a"))
    await book.post(reversal_of(await book.entry(1), key=key("back")))

    with pytest.raises(ValueError, match="reversal"):
        reversal_of(await book.entry(2), key=key("back again"))


async def test_an_entry_is_taken_back_once_within_a_list(book: OpenBook) -> None:
    await book.post(book.service("a"))
    entry = await book.entry(1)

    outcomes = await book.post(*(reversal_of(entry, key=key(n)) for n in range(2)))

    assert outcomes == [Posted(2), PostingRefused(PostingRefusal.ALREADY_REVERSED)]


async def test_the_rollup_counts_by_the_month_that_people_live_in(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    # Midnight of 1 March in Haiyan is 16:00 of the day before in UTC.
    midnight = NINE.replace(month=2, day=29, hour=16)
    await book.post(
        book.service("a", 10, at=midnight - timedelta(microseconds=1)),
        book.service("b", 20, at=midnight),
        book.service("c", 40, at=midnight),
    )

    assert await rows(
        owner, "select month, minutes, services from volunteer_month order by month"
    ) == [(202402, 10, 1), (202403, 60, 2)]


async def test_a_batch_is_never_recorded_before_the_one_that_precedes_it(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await book.post(book.service("a"), now=NINE)
    await book.post(book.service("b"), now=NINE - timedelta(seconds=5))

    assert await rows(owner, "select recorded_at from batch") == [(NINE,), (NINE,)]
    assert await book.broken_rules() == []


async def test_a_statement_lists_an_account_newest_first(book: OpenBook) -> None:
    await book.post(book.service("a", 60), book.service("other", volunteer=2))
    await book.post(book.service("b", 30), now=NINE + timedelta(hours=1))
    await book.post(reversal_of(await book.entry(1), key=key("back")))

    async with book.db.read() as conn:
        lines = await balances.statement(conn, book=book.id, account=book.first)
        older = await balances.statement(
            conn, book=book.id, account=book.first, before_seq=4, lines_max=1
        )
        nobody = await balances.statement(conn, book=book.id, account=book.debt)

    assert [
        (line.entry.seq, line.signed_amount, line.reversed_by, line.recorded_at) for line in lines
    ] == [
        (4, -60, None, NINE + timedelta(hours=1)),
        (3, 30, None, NINE + timedelta(hours=1)),
        (1, 60, 4, NINE),
    ]
    assert [line.entry.transfer for line in lines][1:] == [
        book.service("b", 30),
        book.service("a", 60),
    ]
    assert [line.entry.seq for line in older] == [3]
    assert nobody == []


async def test_books_do_not_know_each_other(book: OpenBook) -> None:
    other = await open_book(book.db, book=330421)
    await book.post(book.service("a"))
    await other.post(other.service("a", 15))

    assert (await book.held(book.first), await other.held(other.first)) == (60, 15)
    assert await book.broken_rules() == await other.broken_rules() == []
