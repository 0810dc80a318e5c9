"""Compares what the log committed to with what the journal says: one pass, constant memory.

Entries come by binary `COPY` and are hashed in columns while the server reads the next ones.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.ledger import binary_copy, log, tables
from timebank.trust import leaf, leaf_columns, merkle, tile

_PAGE_ENTRIES = 65_536
"""Entries that are read at once: about 20 MB."""

_COPIED = [
    ("seq", ">i8"),
    ("recorded_at", ">i8"),
    ("key", "V16"),
    ("kind", ">i2"),
    ("unit", ">i2"),
    ("debit", ">i8"),
    ("credit", ">i8"),
    ("amount", ">i8"),
    ("effective_at", ">i8"),
    ("there", ">i2"),
    ("volunteer", ">i8"),
    ("assurance", ">i2"),
    ("measured", ">i2"),
    ("activity_book", ">i4"),
    ("activity", ">i8"),
    ("shift", ">i8"),
    ("field", ">i2"),
    ("place", ">i8"),
    ("reverses", ">i8"),
]
"""An entry without nulls: what is absent is zero, as in the row that is hashed."""

_ENTRIES = f"""
    select seq, recorded_at, key, kind, unit, debit, credit, amount, effective_at,
        ((volunteer is not null)::int * {leaf.THERE_VOLUNTEER}
            + (assurance is not null)::int * {leaf.THERE_SERVICE}
            + (activity_book is not null)::int * {leaf.THERE_ACTIVITY_BOOK}
            + (activity is not null)::int * {leaf.THERE_ACTIVITY}
            + (shift is not null)::int * {leaf.THERE_SHIFT}
            + (reverses is not null)::int * {leaf.THERE_REVERSES})::smallint,
        coalesce(volunteer, 0), coalesce(assurance, 0::smallint), coalesce(measured, 0::smallint),
        coalesce(activity_book, 0), coalesce(activity, 0), coalesce(shift, 0),
        coalesce(field, 0::smallint), coalesce(place, 0), coalesce(reverses, 0)
    from transfer where book_id = $1 and seq between $2 and $3 order by seq
"""  # noqa: S608 the bits are constants

_BATCHES = "select batch, first_seq, last_seq from batch where book_id = $1 order by batch"

_COMMITMENTS = """
    select string_agg(commitments, '' order by batch) from batch
    where book_id = $1 and batch between $2 and $3
"""

_UNCOMMITTED = """
    select seq from transfer where book_id = $1 and seq between $2 and $3 order by seq
"""

_SECRETS = "select account, secret from account_secret where book_id = $1 order by account"

_ERASURES = "select account, max(last_seq) from erasure where book_id = $1 group by account"

_SEQ_MAX = 2**63 - 1

_TILES = """
    select t.level, t.number, t.root, b.first_seq, b.last_seq
    from tile t left join batch b on b.book_id = t.book_id and b.batch = t.batch
    where t.book_id = $1 and (t.level, t.number) in (
        select * from unnest($2::smallint[], $3::bigint[])
    )
"""

_TILES_PER_LEVEL = "select level, count(*) from tile where book_id = $1 group by level"


@dataclass(frozen=True, slots=True)
class _Secrets:
    """The secrets of a book's accounts, ascending by account, and those that were erased.

    Attributes:
        values: Records of 32 bytes.
        erased: The newest entry, by account, of which the secret is gone.
    """

    accounts: NDArray[np.int64]
    values: leaf_columns.Columns
    erased: dict[int, int]

    def of(self, accounts: NDArray[np.int64]) -> tuple[leaf_columns.Columns, NDArray[np.bool_]]:
        """Return the secrets of accounts, and which are there."""
        if not len(self.accounts):
            return np.zeros(len(accounts), "V32"), np.zeros(len(accounts), np.bool_)
        places = np.searchsorted(self.accounts, accounts).clip(max=len(self.accounts) - 1)
        return self.values[places], self.accounts[places] == accounts

    def is_erased(self, seqs: NDArray[np.int64], accounts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which entries had a secret of these accounts that was erased."""
        found = np.zeros(len(seqs), np.bool_)
        for place in np.flatnonzero(np.isin(accounts, list(self.erased))).tolist():
            found[place] = seqs[place] <= self.erased[int(accounts[place])]
        return found


@dataclass(frozen=True, slots=True)
class _Committed:
    """Commitments of consecutive entries, 32 bytes each."""

    first_seq: int
    commitments: bytes


async def find_differing_leaves(conn: AsyncConnection, book: int) -> AsyncIterator[str]:
    """Yield each entry that is not what the log committed to.

    Entries of an account whose secret was erased cannot be compared, and are not; those whose
    secret is missing without a record of that are.

    Cost: about four microseconds an entry on two processors; 60 bytes of memory an account.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    secrets = await _read_secrets(driver, book)
    comparing: asyncio.Task[list[str]] | None = None
    next_seq = 1
    async for committed in _committed(driver, book):
        async for broken in _uncommitted(driver, book, next_seq, committed.first_seq - 1):
            yield broken
        count = len(committed.commitments) // merkle.HASH_BYTES
        next_seq = committed.first_seq + count
        for first in range(0, count, _PAGE_ENTRIES):
            part = committed.commitments[
                first * merkle.HASH_BYTES : (first + _PAGE_ENTRIES) * merkle.HASH_BYTES
            ]
            first_seq = committed.first_seq + first
            rows = await _read_rows(driver, book, first_seq, len(part) // merkle.HASH_BYTES)
            # The entries before these were compared meanwhile.
            for broken in [] if comparing is None else await comparing:
                yield broken
            comparing = asyncio.create_task(
                asyncio.to_thread(_differing, rows, first_seq, part, secrets)
            )
    for broken in [] if comparing is None else await comparing:
        yield broken
    async for broken in _uncommitted(driver, book, next_seq, _SEQ_MAX):
        yield broken


async def _read_secrets(driver: asyncpg.Connection, book: int) -> _Secrets:
    rows = await driver.fetch(_SECRETS, book)
    return _Secrets(
        np.array([account for account, _ in rows], np.int64),
        leaf_columns.records_of(b"".join([secret for _, secret in rows])),
        {account: last_seq for account, last_seq in await driver.fetch(_ERASURES, book)},  # noqa: C416
    )


async def _committed(driver: asyncpg.Connection, book: int) -> AsyncIterator[_Committed]:
    """Yield what the batches hold, batches that join together up to a page."""
    first_batch, last_batch, first_seq, last_seq = 0, 0, 0, 0
    async for batch, begin, end in driver.cursor(_BATCHES, book, prefetch=2_000):
        if first_batch and (begin != last_seq + 1 or end - first_seq >= _PAGE_ENTRIES):
            yield await _joined(driver, book, first_batch, last_batch, first_seq)
            first_batch = 0
        if not first_batch:
            first_batch, first_seq = batch, begin
        last_batch, last_seq = batch, end
    if first_batch:
        yield await _joined(driver, book, first_batch, last_batch, first_seq)


async def _joined(
    driver: asyncpg.Connection, book: int, first_batch: int, last_batch: int, first_seq: int
) -> _Committed:
    held = await driver.fetchval(_COMMITMENTS, book, first_batch, last_batch)
    return _Committed(first_seq, held or b"")


async def _uncommitted(
    driver: asyncpg.Connection, book: int, first_seq: int, last_seq: int
) -> AsyncIterator[str]:
    if first_seq <= last_seq:
        async for (seq,) in driver.cursor(_UNCOMMITTED, book, first_seq, last_seq):
            yield f"entry {seq} is not committed"


async def _read_rows(
    driver: asyncpg.Connection, book: int, first_seq: int, count: int
) -> leaf_columns.Columns:
    """Return the entries of a range in the form that is hashed."""
    copied = await binary_copy.read(
        driver, _ENTRIES, book, first_seq, first_seq + count - 1, columns=_COPIED
    )
    rows = np.zeros(len(copied), leaf_columns.ROW)
    rows["length"] = leaf_columns.ROW.itemsize - 2
    rows["version"], rows["leaf_kind"], rows["book"] = leaf.VERSION, leaf.ENTRY, book
    for name, _ in _COPIED:
        rows[name] = copied[name]
    for instant in ("recorded_at", "effective_at"):
        rows[instant] = copied[instant] + binary_copy.EPOCH
    return rows


def _differing(
    rows: leaf_columns.Columns, first_seq: int, commitments: bytes, secrets: _Secrets
) -> list[str]:
    """Return what is wrong with the entries of a range."""
    expected = leaf_columns.records_of(commitments)
    seqs = rows["seq"].astype(np.int64)
    lost = np.setdiff1d(np.arange(first_seq, first_seq + len(expected)), seqs)
    found = [f"entry {seq} is committed but missing" for seq in lost.tolist()]
    debits, credits_ = rows["debit"].astype(np.int64), rows["credit"].astype(np.int64)
    debit_secrets, has_debit = secrets.of(debits)
    credit_secrets, has_credit = secrets.of(credits_)
    is_erased = secrets.is_erased(seqs, debits) | secrets.is_erased(seqs, credits_)
    is_open = has_debit & has_credit & ~is_erased
    made = leaf_columns.records_of(
        leaf_columns.commitments_of(
            rows[is_open],
            debit_secrets=debit_secrets[is_open],
            credit_secrets=credit_secrets[is_open],
        )
    )
    compared = seqs[is_open]
    differing = compared[made != expected[compared - first_seq]]
    found += [f"entry {seq}" for seq in differing.tolist()]
    unknown = seqs[~(has_debit & has_credit) & ~is_erased]
    return found + [
        f"entry {seq}: a secret is missing and was not erased" for seq in unknown.tolist()
    ]


async def find_differing_trees(conn: AsyncConnection, book: int) -> AsyncIterator[str]:
    """Yield each stored tile, checkpoint and head that is not what the commitments make it."""
    await conn.execute(select(1))
    b = tables.book.c
    row = (await conn.execute(select(b.seq, b.edge).where(b.id == book))).first()
    size, edge = (0, b"") if row is None else tuple(row)
    signed = await log.find_newest_checkpoint(conn, book=book)
    signed_size = 0 if signed is None else signed.size
    driver = await driver_of(conn)
    growth = tile.Growth()
    checkpoints = _checkpoints(conn, book)
    next_one = await anext(checkpoints, None)
    try:
        async for batch in log.stream_batches(conn, book=book, size=size):
            hashes = log.hashes_of(batch, book=book)
            while hashes:
                stop = len(hashes) if next_one is None else next_one.size - growth.size
                part, hashes = hashes[:stop], hashes[stop:]
                filled = [each for each in growth.add(part) if _is_signed(each.tile, signed_size)]
                for broken in await _differing_tiles(driver, book, filled):
                    yield broken
                while next_one is not None and next_one.size == growth.size:
                    if next_one.root != merkle.root_of(growth.edge):
                        yield f"the checkpoint at {next_one.size}"
                    next_one = await anext(checkpoints, None)
    except (log.LogInconsistentError, ValueError) as error:
        yield str(error)
        return
    while next_one is not None:
        yield f"the checkpoint at {next_one.size} is beyond the newest entry"
        next_one = await anext(checkpoints, None)
    if growth.edge != edge:
        yield f"the head at {size}"
    expected = {
        level: signed_size >> tile.LEVEL_HEIGHT * (level + 1)
        for level in range(8)
        if signed_size >> tile.LEVEL_HEIGHT * (level + 1)
    }
    stored = {level: count for level, count in await driver.fetch(_TILES_PER_LEVEL, book)}  # noqa: C416
    if stored != expected:
        yield f"tiles by level are {stored}, not {expected}"


async def _checkpoints(conn: AsyncConnection, book: int) -> AsyncIterator[log.Checkpoint]:
    above = 0
    while page := await log.list_checkpoints(conn, book=book, above=above):
        for each in page:
            yield each
        above = page[-1].size


def _is_signed(each: tile.Tile, size: int) -> bool:
    return each.number < size >> tile.LEVEL_HEIGHT * (each.level + 1)


async def _differing_tiles(
    driver: asyncpg.Connection, book: int, filled: Sequence[tile.Filled]
) -> list[str]:
    if not filled:
        return []
    tiles = [each.tile for each in filled]
    stored = {
        (level, number): (root, first_seq, last_seq)
        for level, number, root, first_seq, last_seq in await driver.fetch(
            _TILES, book, [each.level for each in tiles], [each.number for each in tiles]
        )
    }
    broken = []
    for each in filled:
        level, number, _ = each.tile
        root, first_seq, last_seq = stored.get((level, number), (None, None, None))
        begins = number * tile.WIDTH + 1
        if root is None:
            broken.append(f"{each.tile.path} is missing")
        elif root != each.root:
            broken.append(each.tile.path)
        elif level == 0 and not (first_seq is not None and first_seq <= begins <= last_seq):
            broken.append(f"{each.tile.path} begins in another batch")
    return broken
