"""The only writer of transfers.

It takes a list and writes one batch: the transfers, the states of the accounts they touch, the
roll-ups and the growth of the tree, in the commit of its caller. The number of statements does not
depend on the list. Below Core on purpose: Core costs four to six times the driver here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from secrets import token_bytes
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Connection, Statement, array_text, driver_of
from timebank.domain.period import Month
from timebank.domain.posting import (
    AccountState,
    Entry,
    Facts,
    Plan,
    PostingOutcome,
    decide_postings,
    recorded_after,
)
from timebank.domain.transfer import AccountKind, Service, Transfer, Unit
from timebank.ledger import entry_columns
from timebank.ledger.memory import Memory, RememberedAccount, memory_of
from timebank.trust import leaf, leaf_columns, merkle

BATCH_MAX = 8_000
"""Longest list of one batch: beyond it nothing gets cheaper, and the book's lock is held longer."""

_COPY_MIN = 120
"""From this length on `COPY` beats one statement over arrays."""

TRANSFER_COLUMNS = (
    "key",
    "kind",
    "unit",
    "debit",
    "credit",
    "amount",
    "effective_at",
    "volunteer",
    "assurance",
    "measured",
    "activity_book",
    "activity",
    "shift",
    "field",
    "place",
    "reverses",
)

_COLUMNS = ", ".join(TRANSFER_COLUMNS)

_LOCK = f"""
    select b.zone, b.seq, b.batch, b.accounts, b.recorded_at, a.id, b.edge, b.erasures
    from book b left join account a
        on a.book_id = b.id and a.kind = {AccountKind.ISSUING} and a.owner = 0
        and a.unit = {Unit.MINUTES}
    where b.id = $1 for update of b
"""  # noqa: S608 kind and unit are constants

_ACCOUNTS_AND_KNOWN = """
    select null::bigint, a.id, a.kind, a.unit, coalesce(s.debits, 0), coalesce(s.credits, 0),
        a.is_debit_bounded, a.is_credit_bounded,
        (select secret from account_secret where book_id = $1 and account = named.id)
    from unnest($2::text::bigint[]) as named(id)
    join account a on a.book_id = $1 and a.id = named.id
    left join lateral (
        select debits, credits from account_state
        where book_id = $1 and account = named.id
        order by batch desc limit 1
    ) s on true
    union all
    select seq, null, null, null, null, null, null, null, null
    from transfer where book_id = $1 and key = any($3::uuid[])
        and exists (select from transfer where book_id = $1 and key between $4 and $5)
"""
"""Keys are in time order: mostly none of the book lies between a list's first and last: one
descent of the index instead of one for each key."""

_ENTRIES = """
    select t.seq, {columns}, exists (
        select from transfer r where r.book_id = $1 and r.reverses = t.seq
    )
    from transfer t where t.book_id = $1 and t.seq = any($2::bigint[])
""".format(columns=", ".join(f"t.{name}" for name in TRANSFER_COLUMNS))  # noqa: S608

_INSTANT = """
    timestamptz 'epoch' + effective_at / 1000000 * interval '1 second'
        + effective_at % 1000000 * interval '1 microsecond'
"""
"""Of microseconds since 1970. Seconds apart: the server multiplies intervals by floating numbers,
which hold both parts exactly."""

_WRITE = f"""
    with moved as (
        update book set seq = $3, batch = $4, recorded_at = $5, edge = $33
        where id = $1 and seq = $2 - 1
        returning 1
    ), sealed as (
        insert into batch (book_id, batch, first_seq, last_seq, recorded_at, commitments)
        select $1, $4, $2, $3, $5, $32 from moved
    ), secrets_made as (
        insert into account_secret (book_id, account, secret)
        select $1, account, secret
        from unnest($34::text::bigint[], $35::bytea[]) as made(account, secret)
    ), posted as (
        insert into transfer (book_id, seq, recorded_at, {_COLUMNS})
        select $1, $2 + n - 1, $5, {_COLUMNS.replace("effective_at", _INSTANT)}
        from unnest(
            $6::uuid[], $7::text::smallint[], $8::text::smallint[], $9::text::bigint[],
            $10::text::bigint[], $11::text::bigint[], $12::text::bigint[], $13::text::bigint[],
            $14::text::smallint[], $15::text::smallint[], $16::text::int[], $17::text::bigint[],
            $18::text::bigint[], $19::text::smallint[], $20::text::bigint[], $21::text::bigint[]
        ) with ordinality as item({_COLUMNS}, n)
    ), stated as (
        insert into account_state (book_id, account, batch, debits, credits, places)
        select $1, account, $4, debits, credits, places::int[]
        from unnest($22::text::bigint[], $23::text::bigint[], $24::text::bigint[], $25::text[])
            as state(account, debits, credits, places)
    ), by_month as (
        insert into volunteer_month as m
            (book_id, month, volunteer, assurance, measured, minutes, services)
        select $1, month, volunteer, assurance, measured, minutes, services
        from unnest(
            $26::text::int[], $27::text::bigint[], $28::text::smallint[], $29::text::smallint[],
            $30::text::bigint[], $31::text::int[]
        ) as served(month, volunteer, assurance, measured, minutes, services)
        on conflict (book_id, month, volunteer, assurance, measured) do update
        set minutes = m.minutes + excluded.minutes, services = m.services + excluded.services
    )
    select count(*) from moved
"""  # noqa: S608 the columns are constants

ROLL_UP = """
    insert into volunteer_month as m
        (book_id, month, volunteer, assurance, measured, minutes, services)
    select $1, month, volunteer, assurance, measured, minutes, services from unnest(
        $2::text::int[], $3::text::bigint[], $4::text::smallint[], $5::text::smallint[],
        $6::text::bigint[], $7::text::int[]
    ) as served(month, volunteer, assurance, measured, minutes, services)
    on conflict (book_id, month, volunteer, assurance, measured) do update
    set minutes = m.minutes + excluded.minutes, services = m.services + excluded.services
"""
"""What a long list adds to the months, in a statement of its own."""

_WRITE_PARAMETERS = 35

_NEVER = datetime(1, 1, 1, tzinfo=UTC)

_NO_ENTRIES = [[], *["{}"] * (len(TRANSFER_COLUMNS) - 1)]
_NO_STATES = ["{}", "{}", "{}", []]
"""Of a list that was copied."""

_NO_SERVICE = (None, None, None, None, None, None, None)


@dataclass(slots=True)
class Head:
    """A book whose row this transaction has locked.

    Attributes:
        zone: IANA name of the zone whose months the roll-up counts.
        seq: The newest entry, 0 in an empty book.
        recorded_at: When the newest batch was recorded; None in an empty book.
        minutes_issuing: The account that minutes are issued from; None before it is opened.
        edge: The right edge of the tree over the entries.
        erasures: How often secrets were erased.
    """

    book: int
    zone: str
    seq: int
    batch: int
    accounts: int
    recorded_at: datetime | None
    minutes_issuing: int | None = None
    edge: bytes = b""
    erasures: int = 0


async def find_locked_head(conn: Connection, *, book: int) -> Head | None:
    """Lock a book until the transaction ends and return its head, or None where there is none.

    Cost: one statement. Whoever else writes to the book waits.
    """
    if isinstance(conn, AsyncConnection):
        # Through SQLAlchemy, which begins the transaction with its first statement.
        found = (await conn.exec_driver_sql(_LOCK, (book,))).first()
        return None if found is None else Head(book, *tuple(found))
    row = await conn.fetchrow(_LOCK, book)
    return None if row is None else Head(book, *row)


async def append(
    conn: Connection,
    *,
    head: Head,
    transfers: Sequence[Transfer],
    now: datetime,
    linked: Sequence[range] = (),
    beside: Statement | None = None,
) -> list[PostingOutcome]:
    """Post a list as one batch, each transfer on what those before it left.

    The transfers at the places of one range of `linked` post together or not at all; the ranges
    ascend and do not overlap.

    The caller holds the book's lock, of which `head` is the proof; `head` is brought up to date.
    `beside` is another room's statement that is to be written with the batch; it is written
    whatever becomes of the list.

    Shape: one outcome per transfer, in their order.

    Raises:
        ValueError: The list is longer than `BATCH_MAX`, or the ranges do not fit it.

    Cost: one statement to read (two with reversals or known keys) and one to write, with two
    `COPY` where the list is long; none to write where nothing posts.
    """
    if len(transfers) > BATCH_MAX:
        raise ValueError(f"a batch holds at most {BATCH_MAX} transfers")
    if not transfers and beside is None:
        return []
    driver = await driver_of(conn)
    if not transfers:
        await _write_alone(driver, beside)
        return []

    memory = memory_of(conn, book=head.book, seq=head.seq, edge=head.edge, erasures=head.erasures)
    facts, found = await _read_facts(driver, head, memory, transfers)

    plan = decide_postings(transfers, facts, linked=linked)

    if plan.posted:
        left, secrets_made = _left(plan, facts.accounts, found)
        await _write(driver, head, plan, left, secrets_made, now, beside)
        memory.take(left, seq=head.seq, edge=head.edge, erasures=head.erasures)
    else:
        await _write_alone(driver, beside)
    return plan.outcomes


async def _write_alone(driver: asyncpg.Connection, beside: Statement | None) -> None:
    if beside is not None:
        await driver.execute(beside.sql, *beside.arguments)


async def _read_facts(
    driver: asyncpg.Connection, head: Head, memory: Memory, transfers: Sequence[Transfer]
) -> tuple[Facts, dict[int, RememberedAccount]]:
    """Return what is known of a list, and the accounts that it names."""
    book = head.book
    keys = [t.key for t in transfers]
    by_number = attrgetter("int")
    named = {t.debit for t in transfers} | {t.credit for t in transfers}
    remembered = memory.accounts
    found = {each: remembered[each] for each in named if each in remembered}
    known: list[int] = []
    for (
        seq,
        number,
        kind,
        unit,
        *sums,
        is_debit_bounded,
        is_credit_bounded,
        secret,
    ) in await driver.fetch(
        _ACCOUNTS_AND_KNOWN,
        book,
        array_text(sorted(named - found.keys())),
        keys,
        min(keys, key=by_number),
        max(keys, key=by_number),
    ):
        if seq is not None:
            known.append(seq)
            continue
        debits, credits_ = sums
        is_listing = kind != AccountKind.ISSUING
        found[number] = RememberedAccount(
            unit, debits, credits_, is_debit_bounded, is_credit_bounded, is_listing, secret
        )

    reversed_ = [t.reverses for t in transfers if t.reverses is not None]
    entries: dict[int, Entry] = {}
    if known or reversed_:
        for row in await driver.fetch(_ENTRIES, book, known + reversed_):
            entries[row[0]] = Entry(row[0], read_transfer(row), is_reversed=row[-1])
    facts = Facts(
        last_seq=head.seq,
        # The decision changes them, and what it decides may never be committed.
        accounts={number: AccountState(*each[:5]) for number, each in found.items()},
        known={entries[seq].transfer.key: entries[seq] for seq in known},
        reversible=entries,
    )
    return facts, found


def read_transfer(row: asyncpg.Record | RowMapping) -> Transfer:
    """Return the transfer that a journal row with `TRANSFER_COLUMNS` holds."""
    return Transfer(
        key=row["key"],
        kind=row["kind"],
        unit=row["unit"],
        debit=row["debit"],
        credit=row["credit"],
        amount=row["amount"],
        effective_at=row["effective_at"],
        volunteer=row["volunteer"],
        service=None
        if row["assurance"] is None
        else Service(
            assurance=row["assurance"],
            measured=row["measured"],
            activity_book=row["activity_book"],
            activity=row["activity"],
            shift=row["shift"],
            field=row["field"],
            place=row["place"],
        ),
        reverses=row["reverses"],
    )


def _left(
    plan: Plan, states: Mapping[int, AccountState], found: Mapping[int, RememberedAccount]
) -> tuple[dict[int, RememberedAccount], list[tuple[int, bytes]]]:
    """Return the accounts that a batch touches as it leaves them, and the secrets made for it."""
    left: dict[int, RememberedAccount] = {}
    made: list[tuple[int, bytes]] = []
    for number in plan.touched:
        state, before = states[number], found[number]
        secret = before.secret
        if secret is None:
            secret = token_bytes(leaf.SECRET_BYTES)
            made.append((number, secret))
        sums = (state.debits, state.credits)
        left[number] = RememberedAccount(before.unit, *sums, *before[3:6], secret)
    return left, made


async def _write(
    driver: asyncpg.Connection,
    head: Head,
    plan: Plan,
    accounts: Mapping[int, RememberedAccount],
    secrets_made: Sequence[tuple[int, bytes]],
    now: datetime,
    beside: Statement | None,
) -> None:
    book, batch = head.book, head.batch + 1
    last_seq = head.seq + len(plan.posted)
    recorded_at = recorded_after(head.recorded_at, now)
    entries: Sequence[object] = _NO_ENTRIES
    states: Sequence[object] = _NO_STATES
    served: Sequence[Sequence[int]]
    rows = None
    if len(plan.posted) >= _COPY_MIN:
        rows = entry_columns.rows_of(
            plan.posted, book=book, first_seq=plan.first_seq, recorded_at=recorded_at
        )
    if rows is None:
        commitments, edge = _seal(head, plan, accounts, recorded_at)
        entries, states = _entry_arguments(plan.posted), _state_arguments(plan, accounts)
        served = _columns(_rollup(plan.posted, ZoneInfo(head.zone)), 6)
    else:
        # The server takes the rows while they are sealed here.
        sealing = asyncio.create_task(
            asyncio.to_thread(_seal_columns, rows, plan.posted, accounts, head.edge)
        )
        try:
            await entry_columns.copy_entries(driver, rows)
            await _copy_states(driver, book, batch, plan, accounts)
        finally:
            await asyncio.wait([sealing])
        commitments, edge = sealing.result()
        served = _rollup_of_columns(rows, ZoneInfo(head.zone))
    made_for, made = _columns(secrets_made, 2)
    moved = await driver.fetchval(
        _WRITE if beside is None else _write_beside(beside.sql),
        book,
        plan.first_seq,
        last_seq,
        batch,
        recorded_at,
        *entries,
        *states,
        *map(array_text, served),
        commitments,
        edge,
        array_text(made_for),
        made,
        *(() if beside is None else beside.arguments),
    )
    if not moved:
        raise AssertionError("the book moved under its lock")

    head.seq, head.batch, head.recorded_at, head.edge = last_seq, batch, recorded_at, edge


def _entry_arguments(posted: Sequence[Transfer]) -> list[object]:
    """Return entries as parameters, one for each of `TRANSFER_COLUMNS`."""
    rows = [(*t[:8], *(t.service or _NO_SERVICE), t.reverses) for t in posted]
    keys, *values = zip(*rows, strict=True)
    at = TRANSFER_COLUMNS.index("effective_at") - 1
    values[at] = tuple(map(entry_columns.microseconds_of, values[at]))
    return [keys, *map(array_text, values)]


def _state_arguments(plan: Plan, accounts: Mapping[int, RememberedAccount]) -> list[object]:
    """Return the states that a batch leaves as parameters, in the order of their key."""
    numbers = sorted(plan.touched)
    left = [accounts[number] for number in numbers]
    return [
        array_text(numbers),
        array_text([each.debits for each in left]),
        array_text([each.credits for each in left]),
        [
            array_text(plan.touched[number]) if each.is_listing else None
            for number, each in zip(numbers, left, strict=True)
        ],
    ]


async def _copy_states(
    driver: asyncpg.Connection,
    book: int,
    batch: int,
    plan: Plan,
    accounts: Mapping[int, RememberedAccount],
) -> None:
    listing = sorted(number for number in plan.touched if accounts[number].is_listing)
    others = [number for number in plan.touched if not accounts[number].is_listing]

    def states(numbers: Sequence[int]) -> list[entry_columns.Integers]:
        rows = [(number, *accounts[number][1:3]) for number in numbers]
        return list(np.array(rows, np.int64).reshape(-1, 3).T)

    places = [plan.touched[number] for number in listing]
    await entry_columns.copy_states(
        driver,
        book=book,
        batch=batch,
        listing=states(listing),
        places=np.array(list(chain.from_iterable(places)), np.int64),
        counts=np.array(list(map(len, places)), np.int64),
        others=states(others),
    )


@lru_cache(maxsize=8)
def _write_beside(sql: str) -> str:
    statement = Statement(sql, ()).after(_WRITE_PARAMETERS)
    return _WRITE.replace("with moved as", f"with beside as ({statement}), moved as", 1)


def _seal(
    head: Head, plan: Plan, accounts: Mapping[int, RememberedAccount], recorded_at: datetime
) -> tuple[bytes, bytes]:
    """Return a batch's commitments, and the edge of the tree with their leaves."""
    secret_of = {account: each.secret or b"" for account, each in accounts.items()}
    commitments = leaf.commit_batch(
        plan.posted,
        book=head.book,
        first_seq=plan.first_seq,
        recorded_at=recorded_at,
        secrets=[(secret_of[t.debit], secret_of[t.credit]) for t in plan.posted],
    )
    hashes = leaf.hashes_of(
        commitments, book=head.book, first_seq=plan.first_seq, recorded_at=recorded_at
    )
    return b"".join(commitments), merkle.extend(head.edge, head.seq, hashes)


def _seal_columns(
    rows: leaf_columns.Columns,
    posted: Sequence[Transfer],
    accounts: Mapping[int, RememberedAccount],
    edge: bytes,
) -> tuple[bytes, bytes]:
    secret_of = {account: each.secret or b"" for account, each in accounts.items()}
    return entry_columns.seal(
        rows,
        debit_secrets=leaf_columns.records_of(b"".join([secret_of[t.debit] for t in posted])),
        credit_secrets=leaf_columns.records_of(b"".join([secret_of[t.credit] for t in posted])),
        edge=edge,
    )


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) or [()] * count


def _rollup(
    posted: Sequence[Transfer], zone: ZoneInfo
) -> list[tuple[int, int, int, int, int, int]]:
    """Return what a batch adds to the roll-up, in the order of its key.

    Shape: one `(month, volunteer, assurance, measured, minutes, services)` per key touched.
    """
    sums: dict[tuple[int, int, int, int], list[int]] = {}
    month, first, until = 0, _NEVER, _NEVER
    for transfer in posted:
        service = transfer.service
        if service is None or transfer.volunteer is None:
            continue
        if not first <= transfer.effective_at < until:
            # Mostly in the month of the one before: two comparisons instead of a zone's rules.
            its_month = Month.of(transfer.effective_at, zone=zone)
            lived = its_month.period(zone=zone)
            month, first, until = its_month.number, lived.start, lived.end
        key = (month, transfer.volunteer, service.assurance, service.measured)
        sign = 1 if transfer.reverses is None else -1
        added = sums.get(key)
        if added is None:
            added = sums[key] = [0, 0]
        added[0] += sign * transfer.amount
        added[1] += sign
    return [(*key, minutes, services) for key, (minutes, services) in sorted(sums.items())]


def _rollup_of_columns(rows: leaf_columns.Columns, zone: ZoneInfo) -> list[list[int]]:
    """Return the same of rows, as columns."""
    there = int(rows["there"][0])
    if not (there & leaf.THERE_SERVICE and there & leaf.THERE_VOLUNTEER):
        return [[]] * 6
    return entry_columns.sums_by_month(
        **{
            name: rows[of].astype(np.int64)
            for name, of in (
                ("effective_at", "effective_at"),
                ("volunteers", "volunteer"),
                ("assurance", "assurance"),
                ("measured", "measured"),
                ("minutes", "amount"),
            )
        },
        sign=-1 if there & leaf.THERE_REVERSES else 1,
        zone=zone,
    )
