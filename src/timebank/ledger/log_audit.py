"""Compares what the log committed to with what the journal says: one pass, constant memory."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.ledger import log, tables
from timebank.ledger.journal import TRANSFER_COLUMNS, read_transfer
from timebank.trust import leaf, merkle, tile

_PAGE_ROWS = 2_000
"""Entries that are read at once."""

_ENTRIES = """
    select t.seq, t.recorded_at, {columns}, d.secret as debit_secret, c.secret as credit_secret,
        exists (
            select from erasure e where e.book_id = t.book_id
            and e.account in (t.debit, t.credit) and e.last_seq >= t.seq
        ) as is_erased
    from transfer t
    left join account_secret d on d.book_id = t.book_id and d.account = t.debit
    left join account_secret c on c.book_id = t.book_id and c.account = t.credit
    where t.book_id = $1 order by t.seq
""".format(columns=", ".join(f"t.{name}" for name in TRANSFER_COLUMNS))  # noqa: S608

_COMMITMENTS = """
    select first_seq, commitments from batch where book_id = $1 order by batch
"""

_TILES = """
    select t.level, t.number, t.root, b.first_seq, b.last_seq
    from tile t left join batch b on b.book_id = t.book_id and b.batch = t.batch
    where t.book_id = $1 and (t.level, t.number) in (
        select * from unnest($2::smallint[], $3::bigint[])
    )
"""

_TILES_PER_LEVEL = "select level, count(*) from tile where book_id = $1 group by level"


async def find_differing_leaves(conn: AsyncConnection, book: int) -> AsyncIterator[str]:
    """Yield each entry that is not what the log committed to.

    Entries of an account whose secret was erased cannot be compared, and are not; those whose
    secret is missing without a record of that are.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    committed = _commitments(driver, book)
    async for row in driver.cursor(_ENTRIES, book, prefetch=_PAGE_ROWS):
        seq = row["seq"]
        expected = await anext(committed, None)
        while expected is not None and expected[0] < seq:
            yield f"entry {expected[0]} is committed but missing"
            expected = await anext(committed, None)
        if expected is None or expected[0] != seq:
            yield f"entry {seq} is not committed"
        elif row["is_erased"]:
            continue
        elif row["debit_secret"] is None or row["credit_secret"] is None:
            yield f"entry {seq}: a secret is missing and was not erased"
        elif _commitment(row, book=book) != expected[1]:
            yield f"entry {seq}"
    async for seq, _ in committed:
        yield f"entry {seq} is committed but missing"


async def _commitments(driver: asyncpg.Connection, book: int) -> AsyncIterator[tuple[int, bytes]]:
    async for first_seq, commitments in driver.cursor(_COMMITMENTS, book, prefetch=4):
        for seq, each in enumerate(merkle.split(commitments), first_seq):
            yield seq, each


def _commitment(row: asyncpg.Record, *, book: int) -> bytes:
    (made,) = leaf.commit_batch(
        [read_transfer(row)],
        book=book,
        first_seq=row["seq"],
        recorded_at=row["recorded_at"],
        secrets=[(row["debit_secret"], row["credit_secret"])],
    )
    return made


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
