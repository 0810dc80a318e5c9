"""The audit finds whatever was changed behind the application's back, and says which rule it broke."""

import asyncio
import random

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.factories import BOOK
from tests.ledger.book import OpenBook, key, spend

from timebank.db import Database
from timebank.domain.posting import reversal_of
from timebank.ledger import audit

SEQ, BATCH, ENTRY = (
    "audit.seq_has_gaps",
    "audit.batches_do_not_join",
    "audit.entry_outside_its_batch",
)
UNITS, REVERSAL, STATE = "audit.units_mixed", "audit.reversal_differs", "audit.state_differs"
BOUND = "audit.bound_exceeded"
OPENING, CLEARING = "audit.opening_differs", "audit.clearing_differs"
ROLLUP = "audit.rollup_differs"
LEAF, TREE = "audit.leaf_differs", "audit.tree_differs"
SEGMENT, SUMS = "audit.report_segment_differs", "audit.report_sums_differ"

# The book holds, in five batches: services 1 to 3; 4 gives 100 credits; 5 spends 30; 6 takes
# service 2 back; service 7.
TAMPERED: list[tuple[str, str, set[str]]] = [
    # what was done                        | how                                    | rules broken
    ("the newest entry removed",
        "delete from transfer where seq = 7", {SEQ, STATE, ROLLUP, LEAF}),
    ("an entry removed from the middle",
        "delete from transfer where seq = 3", {SEQ, STATE, ROLLUP, LEAF}),
    ("an entry added behind the newest",
        "insert into transfer (book_id, seq, key, kind, unit, debit, credit, amount, effective_at, recorded_at) select book_id, 8, gen_random_uuid(), 4, 1, 1, 2, 5, effective_at, recorded_at from transfer where seq = 1", {SEQ, LEAF}),
    ("the head moved back",
        "update book set seq = 6", {SEQ, BATCH, TREE}),
    ("a batch removed",
        "delete from batch where batch = 2", {BATCH, STATE, LEAF, TREE}),
    ("a batch recorded before the one that precedes it",
        "update batch set recorded_at = recorded_at - interval '1 day' where batch = 3; update transfer set recorded_at = recorded_at - interval '1 day' where seq = 5", {BATCH, LEAF, TREE}),
    ("the newest batch forgotten by the head",
        "update book set batch = 4", {BATCH}),
    ("an entry back-dated in the journal",
        "update transfer set recorded_at = recorded_at - interval '1 day' where seq = 1", {ENTRY, LEAF}),
    ("an entry given another unit",
        "update transfer set unit = 3 where seq = 4", {UNITS, LEAF}),
    ("an account given another unit",
        "update account set unit = 4 where id = 5", {UNITS}),
    ("an entry moved to an account that is not there",
        "update transfer set credit = 99 where seq = 7", {UNITS, STATE, LEAF}),
    ("a reversal of less than was given",
        "update transfer set amount = amount - 1 where seq = 6", {REVERSAL, STATE, ROLLUP, LEAF}),
    ("a reversal of another entry",
        "update transfer set reverses = 1 where seq = 6", {REVERSAL, LEAF}),
    ("a reversal with another activity",
        "update transfer set activity = activity + 1 where seq = 6", {REVERSAL, LEAF}),
    ("an amount raised",
        "update transfer set amount = 600 where seq = 1", {STATE, ROLLUP, LEAF}),
    ("an entry given to somebody else",
        "update transfer set credit = 3 where seq = 1", {STATE, LEAF}),
    ("a balance raised",
        "update account_state set credits = credits + 1 where account = 3 and batch = 4", {STATE}),
    ("a state removed",
        "delete from account_state where account = 3 and batch = 4", {STATE}),
    ("a state added",
        "insert into account_state values (330424, 6, 5, 0, 0, '{}')", {STATE}),
    ("an entry hidden from a statement",
        "update account_state set places = '{1}' where account = 3 and batch = 1", {STATE}),
    ("a volunteer's entries hidden like an issuing account's",
        "update account_state set places = null where account = 2 and batch = 1", {STATE}),
    ("a bound set after it was passed",
        "update account set is_debit_bounded = true where id = 1", {BOUND}),
    ("a spend that did not fit",
        "update transfer set amount = 130 where seq = 5; update account_state set debits = 130 where account = 5 and batch = 3; update account_state set credits = 130 where account = 4 and batch = 3", {BOUND, LEAF}),
    ("minutes added to the roll-up",
        "update volunteer_month set minutes = minutes + 60", {ROLLUP}),
    ("a volunteer's month removed",
        "delete from volunteer_month where volunteer = 2", {ROLLUP}),
    ("a month of service invented",
        "insert into volunteer_month values (330424, 202404, 2, 1, 3, 60, 1)", {ROLLUP}),
    ("better evidence claimed",
        "update volunteer_month set assurance = 3 where volunteer = 2", {ROLLUP}),
    ("a month of service brought from nowhere",
        "insert into opening_month values (330424, 2, 1, 330402, 202401, 1, 3, 60, 1)", {OPENING}),
    ("a claim on another book that it does not know",
        "insert into account values (330424, 7, 1, 4, 330424, false, false, now()); insert into account_state values (330424, 7, 5, 0, 60, '{}')", {STATE, CLEARING}),
    ("a commitment changed",
        "update batch set commitments = set_byte(commitments, 7, 7) where batch = 1", {LEAF, TREE}),
    ("two commitments in each other's place",
        "update batch set commitments = substring(commitments from 1 for 32) || substring(commitments from 65 for 32) || substring(commitments from 33 for 32) where batch = 1", {LEAF, TREE}),
    ("two entries in each other's place",
        "update transfer set seq = 100 where seq = 2; update transfer set seq = 2 where seq = 3; update transfer set seq = 3 where seq = 100", {REVERSAL, LEAF}),
    ("a bit of a secret, from which the salts are made",
        "update account_secret set secret = set_byte(secret, 31, get_byte(secret, 31) # 1) where account = 2", {LEAF}),
    ("a secret lost",
        "delete from account_secret where account = 2", {LEAF}),
    ("a root that nobody signed",
        "insert into checkpoint select id, 3, decode(repeat('00', 32), 'hex'), '', now() from book", {TREE}),
    ("a service moved to another month",
        "update transfer set effective_at = effective_at + interval '40 days' where seq = 7", {ROLLUP, LEAF}),
    ("a segment of columns that its entries do not make",
        "insert into entry_segment (book_id, number, seq, volunteer, day, minutes, grade, work, shift, works) select id, 0, '', '', '', '', '', '', '', '' from book", {SEGMENT}),
    ("a sum of a year that its entries do not make",
        "insert into report_state select id, 'year', 19723, 20088, 7, '' from book", {SUMS}),
]  # fmt: skip


async def _write_history(book: OpenBook) -> None:
    await book.post(
        book.service(1), book.service(2, 45, volunteer=2), book.service(3, 30, volunteer=2)
    )
    await book.post(spend(4, book.credits_issuing, book.purse, 100))
    await book.post(spend(5, book.purse, book.credits_issuing, 30))
    await book.post(reversal_of(await book.entry(2), key=key(6)))
    await book.post(book.service(7))


async def _broken(conn: AsyncConnection, book: int) -> set[str]:
    return {
        rule
        for rule in audit.RULES
        if await audit.find_broken(conn, book=book, rule=rule) is not None
    }


async def test_each_tampering_breaks_the_rules_of_the_table(
    book: OpenBook, as_owner: Database
) -> None:
    await _write_history(book)
    found = {}
    async with as_owner.write() as conn:
        await conn.execute(
            text("alter table transfer drop constraint ck_transfer_reverses_earlier")
        )
        assert await _broken(conn, BOOK) == set()
        for what, statements, _ in TAMPERED:
            savepoint = await conn.begin_nested()
            for statement in statements.split("; "):
                changed = await conn.execute(text(statement))
                assert changed.rowcount > 0, what
            found[what] = await _broken(conn, BOOK)
            await savepoint.rollback()
        assert await _broken(conn, BOOK) == set()

    assert found == {what: broken for what, _, broken in TAMPERED}


def test_no_rule_goes_untried() -> None:
    assert set().union(*(broken for _, _, broken in TAMPERED)) == set(audit.RULES)


async def test_a_finding_counts_all_and_names_some(book: OpenBook, as_owner: Database) -> None:
    await book.post_list([book.service(n) for n in range(30)])
    async with as_owner.write() as conn:
        await conn.execute(text("update transfer set unit = 3 where seq > 10"))
        finding = await audit.find_broken(conn, book=BOOK, rule=UNITS)

    assert finding is not None
    assert (finding.rule, finding.count) == (UNITS, 20)
    assert len(finding.examples) == audit.EXAMPLES_MAX
    assert all(example.startswith("entry ") for example in finding.examples)


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_many_writers_leave_is_clean(book: OpenBook, seed: int) -> None:
    chance = random.Random(seed)

    async def write(writer: int) -> None:
        for turn in range(6):
            name = (writer, turn)
            choice = chance.random()
            if choice < 0.2:
                await book.post_list([book.service((*name, n), n + 1) for n in range(500)])
            elif choice < 0.5:
                amounts = [chance.randint(1, 50) for _ in range(20)]
                pairs = [(book.credits_issuing, book.purse), (book.purse, book.credits_issuing)]
                await book.post(
                    *(spend((*name, n), *chance.choice(pairs), a) for n, a in enumerate(amounts))
                )
            elif choice < 0.7:
                async with book.db.read() as conn:
                    newest = await conn.scalar(text("select seq from book"))
                if newest:
                    entry = await book.entry(chance.randint(1, newest))
                    if entry.transfer.reverses is None:
                        await book.post(reversal_of(entry, key=key(("back", *name))))
            else:
                await book.post(book.service(name, chance.randint(0, 9), volunteer=1 + writer % 2))

    await asyncio.gather(*(write(writer) for writer in range(5)))

    assert await book.held(book.issuing) < 0
    assert await book.broken_rules() == []
