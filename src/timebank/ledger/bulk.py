"""Writes a district's history: hundreds of thousands of services as one batch, in columns.

What it writes is what `journal.append` would have written of the same list, down to the commitments
and the tree's edge; a test holds the two together. Only the form differs: a column is one array, a
table is one binary `COPY`, and while the server takes the entries their leaves are hashed.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
from numpy.typing import NDArray

from timebank.db import Connection, array_text, driver_of
from timebank.domain.posting import PostingRefusal, recorded_after
from timebank.domain.transfer import (
    AMOUNT_MAX,
    AccountKind,
    Service,
    Transfer,
    TransferKind,
    Unit,
)
from timebank.ledger import binary_copy, entry_columns
from timebank.ledger.entry_columns import Integers
from timebank.ledger.journal import ROLL_UP, TRANSFER_COLUMNS, Head, read_transfer
from timebank.ledger.memory import Memory, RememberedAccount, memory_of
from timebank.trust import leaf, leaf_columns

HISTORY_MAX = 262_144
"""Longest list of one batch. Longer ones touch each account in fewer batches, which is what is dear
about history; the book's lock is held for a second or two, the commitments are 8 MB."""

_KNOWN_AT_ONCE = 8_000
"""Entries that are compared at once with what repeats them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ACCOUNTS = """
    select a.id, a.kind, a.unit, coalesce(s.debits, 0), coalesce(s.credits, 0),
        a.is_debit_bounded, a.is_credit_bounded,
        (select secret from account_secret where book_id = $1 and account = named.id)
    from unnest($2::bigint[]) as named(id)
    cross join lateral (
        select id, kind, unit, is_debit_bounded, is_credit_bounded
        from account where book_id = $1 and id = named.id limit 1
    ) a
    left join lateral (
        select debits, credits from account_state
        where book_id = $1 and account = named.id
        order by batch desc limit 1
    ) s on true
"""
# Each is looked up by itself: a join that was planned while a table was empty would read the whole
# of it for every account, since plans are made once.

_ANY_BETWEEN = """
    select exists (select from transfer where book_id = $1 and key between $2 and $3)
"""

_KNOWN = "select key, seq from transfer where book_id = $1 and key = any($2::uuid[])"

_ENTRIES = """
    select seq, {columns} from transfer where book_id = $1 and seq = any($2::bigint[])
""".format(columns=", ".join(TRANSFER_COLUMNS))  # noqa: S608 the columns are constants

_MOVE = """
    with moved as (
        update book set seq = $3, batch = $4, recorded_at = $5, edge = $7
        where id = $1 and seq = $2 - 1
        returning 1
    )
    insert into batch (book_id, batch, first_seq, last_seq, recorded_at, commitments)
    select $1, $4, $2, $3, $5, $6 from moved
    returning 1
"""

_COPIED_SECRET = [("book_id", ">i4"), ("account", ">i8"), ("secret", "V32")]

_THERE = leaf.THERE_VOLUNTEER | leaf.THERE_SERVICE | leaf.THERE_ACTIVITY_BOOK | leaf.THERE_ACTIVITY


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Services to post, column by column, in order of posting; all in minutes, from one account.

    Attributes:
        keys: Records of 16 bytes.
        issuing: The account that minutes are issued from.
        accounts: The accounts of minutes that are credited.
        effective_at: Microseconds since 1970.
        activity_book: The book that organized.
    """

    keys: leaf_columns.Columns
    issuing: int
    accounts: Integers
    minutes: Integers
    effective_at: Integers
    volunteers: Integers
    assurance: Integers
    measured: Integers
    activity_book: int
    activities: Integers
    fields: Integers
    places: Integers

    def __len__(self) -> int:
        return len(self.keys)

    def only(self, places: Integers) -> "History":
        """Return the services at some places."""
        if len(places) == len(self):
            return self
        return replace(
            self,
            **{
                each.name: getattr(self, each.name)[places]
                for each in fields(self)
                if isinstance(getattr(self, each.name), np.ndarray)
            },
        )

    def transfer(self, place: int) -> Transfer:
        """Return the transfer at a place, counted from 0."""
        return Transfer(
            UUID(bytes=self.keys[place].tobytes()),
            TransferKind.SERVICE.value,
            Unit.MINUTES.value,
            self.issuing,
            int(self.accounts[place]),
            int(self.minutes[place]),
            _EPOCH + timedelta(microseconds=int(self.effective_at[place])),
            int(self.volunteers[place]),
            Service(
                int(self.assurance[place]),
                int(self.measured[place]),
                self.activity_book,
                int(self.activities[place]),
                None,
                int(self.fields[place]),
                int(self.places[place]),
            ),
        )


@dataclass(frozen=True, slots=True)
class HistoryOutcome:
    """What became of each service of a list.

    Attributes:
        seqs: The entry that it is; 0 where it was refused.
        is_new: It was posted now; where not, and not refused, it was posted before.
        refused: Why, by place.
    """

    seqs: Integers
    is_new: NDArray[np.bool_]
    refused: dict[int, PostingRefusal]


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The accounts that a list names, ascending; the issuing account among them.

    Attributes:
        known: As they are before the list.
        secrets: Records of 32 bytes; those that were just made are zero where they are unknown.
        missing: Which have no secret yet.
    """

    known: list[RememberedAccount]
    ids: Integers
    units: Integers
    debits: Integers
    credits: Integers
    secrets: leaf_columns.Columns
    missing: NDArray[np.bool_]


async def append_history(
    conn: Connection, *, head: Head, history: History, now: datetime
) -> HistoryOutcome:
    """Post services as one batch, each once.

    The caller holds the book's lock, of which `head` is the proof; `head` is brought up to date.

    Raises:
        ValueError: The list is longer than `HISTORY_MAX`, or an account that it names is bounded:
            what fits there depends on the order, which `journal.append` follows.

    Cost: four statements to read and write, three `COPY`; more where keys are known. About seven
    microseconds a service, of which half is the server's.
    """
    if len(history) > HISTORY_MAX:
        raise ValueError(f"a batch of history holds at most {HISTORY_MAX} services")
    if not len(history):
        return HistoryOutcome(np.empty(0, np.int64), np.empty(0, np.bool_), {})
    driver = await driver_of(conn)

    memory = memory_of(conn, book=head.book, seq=head.seq, edge=head.edge, erasures=head.erasures)
    accounts = await _read_accounts(driver, head, memory, history)
    known = await _find_known(driver, head, history)

    decision = _Decision(history, _refusals(history, accounts))
    async for place, seq, is_equal in _compare_known(driver, head, history, known):
        decision.settle_known(place, seq, is_equal=is_equal)
    outcome = decision.settle(first_seq=head.seq + 1)

    posted = np.flatnonzero(outcome.is_new)
    if len(posted):
        left = await _write(driver, head, history.only(posted), accounts, now)
        memory.take(left, seq=head.seq, edge=head.edge, erasures=head.erasures)
    return outcome


class _Decision:
    """What becomes of a list, of which no account is bounded: only keys make the order matter.

    Args:
        reasons: Why services would be refused, whatever their keys, by place.
    """

    def __init__(self, history: History, reasons: dict[int, PostingRefusal]) -> None:
        self._history = history
        self._reasons = reasons
        self._seqs = np.zeros(len(history), np.int64)
        self._settled: set[int] = set()

    def settle_known(self, place: int, seq: int, *, is_equal: bool) -> None:
        """Take down that the key of a service names entry `seq` of the book already."""
        self._settled.add(place)
        self._reasons.pop(place, None)
        if is_equal:
            self._seqs[place] = seq
        else:
            self._reasons[place] = PostingRefusal.KEY_REUSED

    def settle(self, *, first_seq: int) -> HistoryOutcome:
        """Number what posts, the first with `first_seq`, and give repetitions their number."""
        same_as: dict[int, int] = {}
        for places in self._repeated():
            first: int | None = None
            for place in places:
                if first is None:
                    first = None if place in self._reasons else place
                elif self._history.transfer(place) == self._history.transfer(first):
                    self._reasons.pop(place, None)
                    same_as[place] = first
                else:
                    self._reasons[place] = PostingRefusal.KEY_REUSED
        is_new = np.ones(len(self._history), np.bool_)
        is_new[[*self._reasons, *self._settled, *same_as]] = False
        count = int(np.count_nonzero(is_new))
        self._seqs[is_new] = np.arange(first_seq, first_seq + count)
        for place, first in same_as.items():
            self._seqs[place] = self._seqs[first]
        return HistoryOutcome(self._seqs, is_new, self._reasons)

    def _repeated(self) -> list[list[int]]:
        """The places of each key that several services of the list have, and the book has not."""
        keys = self._history.keys.tolist()
        if len(set(keys)) == len(keys):
            return []
        places: dict[bytes, list[int]] = {}
        for place, key in enumerate(keys):
            if place not in self._settled:
                places.setdefault(key, []).append(place)
        return [each for each in places.values() if len(each) > 1]


async def _read_accounts(
    driver: asyncpg.Connection, head: Head, memory: Memory, history: History
) -> _Accounts:
    named: list[int] = np.unique(np.append(history.accounts, history.issuing)).tolist()
    remembered = memory.accounts
    found = {number: remembered[number] for number in named if number in remembered}
    if len(found) < len(named):
        unknown = [number for number in named if number not in found]
        for number, kind, *rest, secret in await driver.fetch(_ACCOUNTS, head.book, unknown):
            unit, debits, credits_, is_debit_bounded, is_credit_bounded = rest
            is_listing = kind != AccountKind.ISSUING
            found[number] = RememberedAccount(
                unit, debits, credits_, is_debit_bounded, is_credit_bounded, is_listing, secret
            )
    if any(each.is_debit_bounded or each.is_credit_bounded for each in found.values()):
        raise ValueError("a list that names bounded accounts is posted by journal.append")
    ids = sorted(found)
    known = [found[number] for number in ids]
    blank = bytes(leaf.SECRET_BYTES)
    return _Accounts(
        known,
        np.array(ids, np.int64),
        np.array([each.unit for each in known], np.int64),
        np.array([each.debits for each in known], np.int64),
        np.array([each.credits for each in known], np.int64),
        leaf_columns.records_of(b"".join([each.secret or blank for each in known])).copy(),
        np.array([each.secret is None for each in known], np.bool_),
    )


def _refusals(history: History, accounts: _Accounts) -> dict[int, PostingRefusal]:
    """Return why services would be refused, whatever their keys, by place."""
    is_issuing_known = history.issuing in accounts.ids
    there = np.isin(history.accounts, accounts.ids) & is_issuing_known
    minutes = accounts.ids[accounts.units == Unit.MINUTES]
    fits = np.isin(history.accounts, minutes) & (history.issuing in minutes)
    found: dict[int, PostingRefusal] = {}
    for is_refused, reason in (
        (~fits, PostingRefusal.UNIT_MISMATCH),
        (~there, PostingRefusal.ACCOUNT_UNKNOWN),
        (history.accounts == history.issuing, PostingRefusal.ACCOUNTS_EQUAL),
        (
            (history.minutes <= 0) | (history.minutes > AMOUNT_MAX),
            PostingRefusal.AMOUNT_OUT_OF_RANGE,
        ),
    ):
        # From the last in precedence to the first, which stays.
        found |= dict.fromkeys(np.flatnonzero(is_refused).tolist(), reason)
    return found


async def _find_known(driver: asyncpg.Connection, head: Head, history: History) -> dict[int, int]:
    """Return the entries that hold a key of the list, by place in the list."""
    keys: list[bytes] = history.keys.tolist()
    first, last = UUID(bytes=min(keys)), UUID(bytes=max(keys))
    # Keys of one file lie together: mostly nothing of the book lies between them.
    if not await driver.fetchval(_ANY_BETWEEN, head.book, first, last):
        return {}
    seqs: dict[bytes, int] = {}
    for start in range(0, len(keys), _KNOWN_AT_ONCE):
        part = [UUID(bytes=each) for each in keys[start : start + _KNOWN_AT_ONCE]]
        for key, seq in await driver.fetch(_KNOWN, head.book, part):
            seqs[key.bytes] = seq
    return {place: seqs[key] for place, key in enumerate(keys) if key in seqs} if seqs else {}


async def _compare_known(
    driver: asyncpg.Connection, head: Head, history: History, known: dict[int, int]
) -> AsyncIterator[tuple[int, int, bool]]:
    """Yield each place whose key is known, with the entry, and whether they are the same."""
    places = list(known)
    for start in range(0, len(places), _KNOWN_AT_ONCE):
        part = places[start : start + _KNOWN_AT_ONCE]
        rows = await driver.fetch(_ENTRIES, head.book, [known[place] for place in part])
        entries = {row["seq"]: read_transfer(row) for row in rows}
        for place in part:
            seq = known[place]
            yield place, seq, entries[seq] == history.transfer(place)


async def _write(
    driver: asyncpg.Connection, head: Head, history: History, accounts: _Accounts, now: datetime
) -> dict[int, RememberedAccount]:
    """Write what posts. The server takes the entries while their leaves are hashed here.

    Shape: the accounts that are touched, as the batch leaves them.
    """
    first_seq, last_seq = head.seq + 1, head.seq + len(history)
    batch, recorded_at = head.batch + 1, recorded_after(head.recorded_at, now)
    credited = np.searchsorted(accounts.ids, history.accounts)
    touched = np.unique(np.append(credited, np.searchsorted(accounts.ids, history.issuing)))
    new = touched[accounts.missing[touched]]
    accounts.secrets[new] = leaf_columns.records_of(token_bytes(leaf.SECRET_BYTES * len(new)))
    rows = _rows(history, book=head.book, first_seq=first_seq, recorded_at=recorded_at)

    sealing = asyncio.create_task(
        asyncio.to_thread(_seal, rows, accounts, credited, history.issuing, head.edge)
    )
    try:
        await entry_columns.copy_entries(driver, rows)
        left = await _copy_states(driver, head.book, batch, history, accounts, credited)
        if len(new):
            values = {
                "book_id": head.book,
                "account": accounts.ids[new],
                "secret": accounts.secrets[new],
            }
            await binary_copy.copy(
                driver,
                "account_secret",
                columns=binary_copy.names(_COPIED_SECRET),
                pieces=[binary_copy.records(_COPIED_SECRET, len(new), values).tobytes()],
            )
        served = entry_columns.sums_by_month(
            effective_at=history.effective_at,
            volunteers=history.volunteers,
            assurance=history.assurance,
            measured=history.measured,
            minutes=history.minutes,
            sign=1,
            zone=ZoneInfo(head.zone),
        )
        await driver.execute(ROLL_UP, head.book, *map(array_text, served))
    finally:
        await asyncio.wait([sealing])
    commitments, edge = sealing.result()
    moved = await driver.fetchval(
        _MOVE, head.book, first_seq, last_seq, batch, recorded_at, commitments, edge
    )
    if not moved:
        raise AssertionError("the book moved under its lock")

    head.seq, head.batch, head.recorded_at, head.edge = last_seq, batch, recorded_at, edge
    return left


def _rows(
    history: History, *, book: int, first_seq: int, recorded_at: datetime
) -> leaf_columns.Columns:
    rows = leaf_columns.blank_rows(
        len(history), book=book, first_seq=first_seq, recorded_at=recorded_at
    )
    rows["key"] = history.keys
    rows["kind"] = TransferKind.SERVICE
    rows["unit"] = Unit.MINUTES
    rows["debit"] = history.issuing
    rows["credit"] = history.accounts
    rows["amount"] = history.minutes
    rows["effective_at"] = history.effective_at
    rows["there"] = _THERE
    rows["volunteer"] = history.volunteers
    rows["assurance"] = history.assurance
    rows["measured"] = history.measured
    rows["activity_book"] = history.activity_book
    rows["activity"] = history.activities
    rows["field"] = history.fields
    rows["place"] = history.places
    return rows


def _seal(
    rows: leaf_columns.Columns, accounts: _Accounts, credited: Integers, issuing: int, edge: bytes
) -> tuple[bytes, bytes]:
    """Return the commitments of rows, and the edge of the tree with their leaves."""
    (place,) = np.flatnonzero(accounts.ids == issuing)
    return entry_columns.seal(
        rows,
        debit_secrets=np.broadcast_to(accounts.secrets[place], len(rows)),
        credit_secrets=accounts.secrets[credited],
        edge=edge,
    )


async def _copy_states(
    driver: asyncpg.Connection,
    book: int,
    batch: int,
    history: History,
    accounts: _Accounts,
    credited: Integers,
) -> dict[int, RememberedAccount]:
    """Append the state of every account touched, with the places of its entries; return them."""
    order = np.argsort(credited, kind="stable")
    named, begins, counts = np.unique(credited[order], return_index=True, return_counts=True)
    place = int(np.searchsorted(accounts.ids, history.issuing))
    debits = int(accounts.debits[place] + history.minutes.sum())
    credits_ = accounts.credits[named] + np.add.reduceat(history.minutes[order], begins)
    await entry_columns.copy_states(
        driver,
        book=book,
        batch=batch,
        listing=(accounts.ids[named], accounts.debits[named], credits_),
        places=order,
        counts=counts,
        # The issuing account is too busy to list its entries.
        others=tuple(
            np.array([each], np.int64)
            for each in (history.issuing, debits, accounts.credits[place])
        ),
    )
    left: dict[int, RememberedAccount] = {}
    ids: list[int] = accounts.ids.tolist()
    for at, taken, given in (
        *zip(named.tolist(), accounts.debits[named].tolist(), credits_.tolist(), strict=True),
        (place, debits, int(accounts.credits[place])),
    ):
        before = accounts.known[at]
        left[ids[at]] = RememberedAccount(
            before.unit,
            taken,
            given,
            before.is_debit_bounded,
            before.is_credit_bounded,
            before.is_listing,
            before.secret or accounts.secrets[at].tobytes(),
        )
    return left
