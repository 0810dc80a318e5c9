"""A book's log, piece by piece, as those who ask for it over the network get it."""

from pathlib import Path

from timebank import verify_log
from timebank.db import Database
from timebank.ledger import log, notices
from timebank.services import sealing
from timebank.trust import tile

VERIFIER = Path(verify_log.__file__).read_bytes()
"""The program for strangers."""


async def find_head(db: Database, *, book: int) -> log.Checkpoint | None:
    """Return the newest signed head of a book with what it says, or None."""
    async with db.read() as conn:
        return await log.find_newest_checkpoint(conn, book=book)


async def find_checkpoint(db: Database, *, book: int) -> str | None:
    """Return the newest signed head of a book, or None."""
    signed = await find_head(db, book=book)
    return None if signed is None else signed.note


async def list_verifier_keys(db: Database, *, book: int) -> list[str]:
    """Return the keys of a book's log, the one that signs now first. Shape: none before it."""
    async with db.read() as conn:
        return [str(each.key) for each in reversed(await sealing.list_keys(conn, book=book))]


async def find_tile(db: Database, *, book: int, path: str) -> bytes | None:
    """Return a tile, or a bundle of leaves, by its path below `tile/`; None where there is none.

    What is not signed yet is not there yet. A tile may be narrower than it is by now.
    """
    wanted = tile.read_path(path)
    if wanted is None:
        return None
    async with db.read() as conn:
        signed = await log.find_newest_checkpoint(conn, book=book)
        if signed is None or not _is_there(wanted, signed.size):
            return None
        if wanted.level is not None:
            needed = tile.Tile(wanted.level, wanted.number, wanted.width)
            return await log.read_tile(conn, book=book, needed=needed)
        leaves = await log.read_leaves(conn, book=book, number=wanted.number, width=wanted.width)
    return tile.bundle_of(leaves)


async def find_notices_checkpoint(db: Database, *, book: int) -> str | None:
    """Return the newest signed head of a book's notices, or None."""
    async with db.read() as conn:
        signed = await notices.find_newest_checkpoint(conn, book=book)
    return None if signed is None else signed.note


async def find_notices_tile(db: Database, *, book: int, path: str) -> bytes | None:
    """Return a tile of the notices, or a bundle of them, by its path below `tile/`."""
    wanted = tile.read_path(path)
    if wanted is None:
        return None
    async with db.read() as conn:
        signed = await notices.find_newest_checkpoint(conn, book=book)
        if signed is None or not _is_there(wanted, signed.size):
            return None
        tree = await notices.read_tree(conn, book=book, signed=signed)
    first = wanted.number * tile.WIDTH
    if wanted.level is None:
        told = tree.notices[first : first + wanted.width]
        return tile.bundle_of([each.leaf(book=book) for each in told])
    growth = tile.Growth()
    filled = growth.add(tree.hashes[: signed.size])
    tiles = {(each.tile.level, each.tile.number): each.hashes for each in filled}
    tiles |= {(each.level, each.number): hashes for each, hashes in growth.partial_tiles}
    return b"".join(tiles[wanted.level, wanted.number][: wanted.width])


def _is_there(wanted: tile.Wanted, size: int) -> bool:
    hashes = size >> tile.LEVEL_HEIGHT * (wanted.level or 0)
    return wanted.number * tile.WIDTH + wanted.width <= hashes
