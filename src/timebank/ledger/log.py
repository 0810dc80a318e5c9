"""The transparency log of a book: what was committed, what was signed, and how to prove it.

Batches hold the commitments; leaves and hashes are made from them, never stored. Full tiles keep
their roots, so that the way from an entry to a signed root reads two or three tiles and no more.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy import func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.ledger import notice_tables, tables
from timebank.ledger.journal import TRANSFER_COLUMNS, read_transfer
from timebank.trust import leaf, merkle, tile

_LOCK_CLASS = 6962
"""Names our advisory locks among those of one database."""

_PAGE_BATCHES = 16
_PAGE_ENTRIES = 65_536
"""Batches, and entries of them, that are read at once: at most 2 MB of commitments."""

_BATCHES = """
    select batch, first_seq, last_seq, recorded_at, substring(
        commitments from 32 * (greatest(first_seq, $4) - first_seq)::int + 1
        for 32 * greatest(least(last_seq, $5) - greatest(first_seq, $4) + 1, 0)::int
    )
    from batch where book_id = $1 and batch >= $2 order by batch limit $3
"""

_COMMITMENTS = """
    select first_seq, recorded_at, substring(
        commitments from 32 * (greatest(first_seq, $4) - first_seq)::int + 1
        for 32 * (least(last_seq, $5) - greatest(first_seq, $4) + 1)::int
    )
    from batch
    where book_id = $1 and batch between $2 and $3 and last_seq >= $4 and first_seq <= $5
    order by batch
"""

_ROW = """
    select t.recorded_at, {columns}, d.secret as debit_secret, c.secret as credit_secret
    from transfer t
    left join account_secret d on d.book_id = t.book_id and d.account = t.debit
    left join account_secret c on c.book_id = t.book_id and c.account = t.credit
    where t.book_id = $1 and t.seq = $2
""".format(columns=", ".join(f"t.{name}" for name in TRANSFER_COLUMNS))  # noqa: S608

_ERASE = """
    with gone as (
        delete from account_secret where book_id = $1 and account = any($2::bigint[])
        returning account
    ), counted as (
        update book set erasures = erasures + 1 where id = $1
    )
    insert into erasure (book_id, account, last_seq, erased_at)
    select $1, account, $3, $4 from gone returning account
"""


class LogInconsistentError(Exception):
    """What is stored is not what was signed, or does not fit together. Nothing may be signed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head that was signed.

    Attributes:
        size: Entries 1 to `size` are under the root.
        note: The signed note.
    """

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class CommittedBatch:
    """What the tree holds of a batch, from its first entry on."""

    batch: int
    first_seq: int
    recorded_at: datetime
    commitments: list[bytes]


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with what opens its commitment.

    Attributes:
        salt: None once the secret of one of its accounts was erased.
    """

    row: bytes
    salt: bytes | None


async def list_grown_books(conn: AsyncConnection) -> list[int]:
    """Return the books with entries or notices that no checkpoint covers. Cost: one statement."""
    b, c = tables.book.c, tables.checkpoint.c
    n, m = notice_tables.notice.c, notice_tables.notice_checkpoint.c
    signed = select(func.coalesce(func.max(c.size), 0)).where(c.book_id == b.id).scalar_subquery()
    told = select(func.coalesce(func.max(n.number), 0)).where(n.book_id == b.id).scalar_subquery()
    shown = select(func.coalesce(func.max(m.size), 0)).where(m.book_id == b.id).scalar_subquery()
    grown = or_(b.seq > signed, told > shown)
    return list(await conn.scalars(select(b.id).where(grown).order_by(b.id)))


async def find_root(conn: AsyncConnection, *, book: int) -> bytes:
    """Return the root over all entries of a book, as it is now; of nothing where it is empty."""
    b = tables.book.c
    edge = await conn.scalar(select(b.edge).where(b.id == book))
    return merkle.root_of(edge or b"")


async def try_lock(conn: AsyncConnection, *, book: int) -> bool:
    """Take the right to sign for a book until the transaction ends; False if another has it.

    Posting goes on meanwhile: this is not the book's lock.
    """
    taken: bool | None = await conn.scalar(
        text("select pg_try_advisory_xact_lock(:class, :book)"),
        {"class": _LOCK_CLASS, "book": book},
    )
    return bool(taken)


async def lock(conn: AsyncConnection, *, book: int) -> None:
    """Take the right to sign for a book until the transaction ends, after whoever has it."""
    await conn.execute(
        text("select pg_advisory_xact_lock(:class, :book)"), {"class": _LOCK_CLASS, "book": book}
    )


async def find_newest_checkpoint(conn: AsyncConnection, *, book: int) -> Checkpoint | None:
    """Return the newest checkpoint of a book, or None where nothing was signed yet."""
    c = tables.checkpoint.c
    row = (
        await conn.execute(
            select(c.size, c.root, c.note, c.signed_at)
            .where(c.book_id == book)
            .order_by(c.size.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else Checkpoint(*tuple(row))


async def list_checkpoints(
    conn: AsyncConnection, *, book: int, above: int = 0, rows_max: int = 1_000
) -> list[Checkpoint]:
    """Return a book's checkpoints of more than `above` entries, smallest first."""
    c = tables.checkpoint.c
    rows = await conn.execute(
        select(c.size, c.root, c.note, c.signed_at)
        .where(c.book_id == book, c.size > above)
        .order_by(c.size)
        .limit(rows_max)
    )
    return [Checkpoint(*tuple(row)) for row in rows]


async def find_checkpoint_since(
    conn: AsyncConnection, *, book: int, above: int, since: datetime
) -> Checkpoint | None:
    """Return the first checkpoint of more than `above` entries that was signed since an instant."""
    c = tables.checkpoint.c
    row = (
        await conn.execute(
            select(c.size, c.root, c.note, c.signed_at)
            .where(c.book_id == book, c.size > above, c.signed_at >= since)
            .order_by(c.size)
            .limit(1)
        )
    ).first()
    return None if row is None else Checkpoint(*tuple(row))


async def stream_batches(
    conn: AsyncConnection, *, book: int, first_batch: int = 1, above: int = 0, size: int
) -> AsyncIterator[CommittedBatch]:
    """Yield what the tree holds of entries above `above` up to `size`, in order.

    Args:
        conn: Where to read.
        book: Whose tree.
        first_batch: A batch in which, or before which, the first of them is.
        above: The entry before the first of them.
        size: The last of them.

    Raises:
        LogInconsistentError: A batch is missing.

    Cost: one statement for each 16 batches or 65,536 entries; constant memory. Others get their
    turn in between.
    """
    driver = await driver_of(conn)
    next_seq = above + 1
    while next_seq <= size:
        stop = min(next_seq + _PAGE_ENTRIES - 1, size)
        page = await driver.fetch(_BATCHES, book, first_batch, _PAGE_BATCHES, next_seq, stop)
        if not page:
            raise LogInconsistentError(f"entry {next_seq} of book {book} is in no batch")
        for batch, first_seq, last_seq, recorded_at, commitments in page:
            if last_seq < next_seq:
                first_batch = batch + 1
                continue
            if first_seq > next_seq:
                raise LogInconsistentError(f"entry {next_seq} of book {book} is in no batch")
            part = merkle.split(commitments)
            if len(part) != min(last_seq, stop) - next_seq + 1:
                raise LogInconsistentError(f"batch {batch} of book {book} is not complete")
            yield CommittedBatch(batch, next_seq, recorded_at, part)
            next_seq += len(part)
            first_batch = batch + (next_seq > last_seq)
            await asyncio.sleep(0)
            if next_seq > stop:
                break


def hashes_of(batch: CommittedBatch, *, book: int) -> list[bytes]:
    """Return the leaf hashes of a batch."""
    return leaf.hashes_of(
        batch.commitments, book=book, first_seq=batch.first_seq, recorded_at=batch.recorded_at
    )


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree that was proved to have grown out of what was signed."""

    size: int
    root: bytes


async def replay(conn: AsyncConnection, *, book: int, signed: Checkpoint | None) -> Grown | None:
    """Prove that a book's tree grew out of what was signed, and store the tiles that it filled.

    The tree of the signed size is made from the stored hashes and must have the signed root; every
    leaf since is appended to it and must lead to the edge that the newest batch left.

    Shape: None if the book has not grown.

    Raises:
        LogInconsistentError: One of the two does not hold, or the book became shorter.

    Cost: about two microseconds for each entry since.
    """
    b = tables.book.c
    row = (await conn.execute(select(b.seq, b.edge).where(b.id == book))).first()
    if row is None:
        raise LogInconsistentError(f"there is no book {book}")
    seq, edge = row
    size = 0 if signed is None else signed.size
    if seq < size:
        raise LogInconsistentError(f"book {book} ends at entry {seq}; {size} were signed")

    growth, begun_in = await _tree_at(conn, book=book, size=size)
    if signed is not None and merkle.root_of(growth.edge) != signed.root:
        raise LogInconsistentError(f"entries 1 to {size} of book {book} are not what was signed")

    async for batch in stream_batches(conn, book=book, first_batch=begun_in, above=size, size=seq):
        filled: list[dict[str, object]] = []
        hashes = hashes_of(batch, book=book)
        while hashes:
            room = tile.WIDTH - growth.size % tile.WIDTH
            if room == tile.WIDTH:
                begun_in = batch.batch
            filled += [
                {
                    "book_id": book,
                    "level": full.tile.level,
                    "number": full.tile.number,
                    "root": full.root,
                    "batch": None if full.tile.level else begun_in,
                }
                for full in growth.add(hashes[:room])
            ]
            hashes = hashes[room:]
        if filled:
            await conn.execute(insert(tables.tile), filled)
    if growth.edge != edge:
        raise LogInconsistentError(f"the batches of book {book} do not lead to its head")
    return None if seq == size else Grown(seq, merkle.root_of(edge))


async def append_checkpoint(conn: AsyncConnection, *, book: int, checkpoint: Checkpoint) -> None:
    """Store a checkpoint that was just signed."""
    await conn.execute(
        insert(tables.checkpoint).values(
            book_id=book,
            size=checkpoint.size,
            root=checkpoint.root,
            note=checkpoint.note,
            signed_at=checkpoint.signed_at,
        )
    )


async def prove_inclusion(conn: AsyncConnection, *, book: int, seq: int, size: int) -> list[bytes]:
    """Return the hashes from an entry up to the root of a signed size.

    Cost: one statement for each tile on the way, about twice the number of levels.
    """
    ranges = merkle.inclusion_ranges(seq - 1, size)
    return await _prove(conn, book=book, ranges=ranges, size=size)


async def prove_consistency(conn: AsyncConnection, *, book: int, old: int, new: int) -> list[bytes]:
    """Return the hashes that show that one signed size grew into another."""
    ranges = merkle.consistency_ranges(old, new)
    return await _prove(conn, book=book, ranges=ranges, size=new)


async def _prove(
    conn: AsyncConnection, *, book: int, ranges: Sequence[merkle.Range], size: int
) -> list[bytes]:
    await conn.execute(select(1))
    nodes = [node for each in ranges for node in merkle.subtrees(*each)]
    held = {
        needed: await read_tile(conn, book=book, needed=needed)
        for needed in dict.fromkeys(tile.tile_holding(node, size=size) for node in nodes)
    }
    return merkle.prove(
        ranges, lambda node: tile.hash_in(held[tile.tile_holding(node, size=size)], node)
    )


async def _tree_at(conn: AsyncConnection, *, book: int, size: int) -> tuple[tile.Growth, int]:
    """Return the tree of a size, and the batch in which its partial tile of level 0 begins."""
    partial: list[list[bytes]] = []
    level, rest = 0, size
    while rest:
        number, width = divmod(rest, tile.WIDTH)
        needed = tile.Tile(level, number, width)
        partial.append(
            merkle.split(await read_tile(conn, book=book, needed=needed)) if width else []
        )
        level, rest = level + 1, number
    return tile.Growth(size, partial), await _find_begin(conn, book=book, number=size // tile.WIDTH)


async def read_tile(conn: AsyncConnection, *, book: int, needed: tile.Tile) -> bytes:
    """Return the hashes of a tile of a size that was signed.

    Raises:
        LogInconsistentError: It is not stored as a whole.

    Cost: three statements at level 0, one above.
    """
    level, number, width = needed
    if level:
        t = tables.tile.c
        first = number * tile.WIDTH
        roots = await conn.scalars(
            select(t.root)
            .where(t.book_id == book, t.level == level - 1)
            .where(t.number.between(first, first + width - 1))
            .order_by(t.number)
        )
        hashes = b"".join(roots)
        if len(hashes) != width * merkle.HASH_BYTES:
            raise LogInconsistentError(f"{needed.path} of book {book} is not complete")
        return hashes
    leaves = await read_leaves(conn, book=book, number=number, width=width)
    return b"".join(map(merkle.leaf_hash, leaves))


async def read_leaves(conn: AsyncConnection, *, book: int, number: int, width: int) -> list[bytes]:
    """Return the first leaves of a tile of level 0, of a size that was signed.

    Raises:
        LogInconsistentError: They are not all stored.

    Cost: three statements.
    """
    begin = await _find_begin(conn, book=book, number=number)
    driver = await driver_of(conn)
    first_seq = number * tile.WIDTH + 1
    # 256 entries are in at most 256 batches.
    rows = await driver.fetch(
        _COMMITMENTS, book, begin, begin + tile.WIDTH, first_seq, first_seq + width - 1
    )
    leaves = [
        each
        for batch_first, recorded_at, commitments in rows
        for each in leaf.leaves_of(
            merkle.split(commitments),
            book=book,
            first_seq=max(batch_first, first_seq),
            recorded_at=recorded_at,
        )
    ]
    if len(leaves) != width:
        raise LogInconsistentError(
            f"entries {first_seq} to {first_seq + width - 1} of book {book} are not complete"
        )
    return leaves


async def read_leaf(conn: AsyncConnection, *, book: int, seq: int, size: int) -> bytes:
    """Return the leaf of an entry of a size that was signed.

    Raises:
        LogInconsistentError: It is not stored.
    """
    number, place = divmod(seq - 1, tile.WIDTH)
    width = min(tile.WIDTH, size - number * tile.WIDTH)
    return (await read_leaves(conn, book=book, number=number, width=width))[place]


async def _find_begin(conn: AsyncConnection, *, book: int, number: int) -> int:
    """Return the batch in which a tile of level 0 begins, or one before if it is still empty."""
    t, b = tables.tile.c, tables.batch.c
    before: int | None = await conn.scalar(
        select(t.batch)
        .where(t.book_id == book, t.level == 0, t.number.in_([number - 1, number]))
        .order_by(t.number.desc())
        .limit(1)
    )
    if before is None and number:
        raise LogInconsistentError(f"book {book} lacks the tile before {number}")
    begun: int | None = await conn.scalar(
        select(b.batch)
        .where(b.book_id == book, b.batch >= (before or 1), b.last_seq > number * tile.WIDTH)
        .order_by(b.batch)
        .limit(1)
    )
    return begun or before or 1


async def open_entry(conn: AsyncConnection, *, book: int, seq: int) -> OpenedEntry | None:
    """Return an entry with what opens its commitment, or None where there is none."""
    await conn.execute(select(1))
    driver = await driver_of(conn)
    row = await driver.fetchrow(_ROW, book, seq)
    return None if row is None else _opened(row, book=book, seq=seq)


def _opened(row: asyncpg.Record, *, book: int, seq: int) -> OpenedEntry:
    debit, credit = row["debit_secret"], row["credit_secret"]
    return OpenedEntry(
        leaf.encode_row(
            book=book, seq=seq, recorded_at=row["recorded_at"], transfer=read_transfer(row)
        ),
        None
        if debit is None or credit is None
        else leaf.salt(book=book, seq=seq, debit_secret=debit, credit_secret=credit),
    )


async def erase_secrets(
    conn: AsyncConnection, *, book: int, accounts: Sequence[int], last_seq: int, now: datetime
) -> list[int]:
    """Erase the secrets of accounts; what they had until entry `last_seq` cannot be opened again.

    The caller holds the book's lock, so that no entry is committed meanwhile. An account that gets
    an entry later gets a new secret with it.

    Shape: the accounts that had a secret.
    """
    driver = await driver_of(conn)
    rows = await driver.fetch(_ERASE, book, list(accounts), last_seq, now)
    return sorted(row[0] for row in rows)
