"""Writes a log as files that any web server can serve, and proofs that anybody can check."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank import verify_log
from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.ledger import balances, log, notices
from timebank.services import log_reading, sealing
from timebank.services.errors import ConflictError, NotFoundError
from timebank.services.sealing import LogKey
from timebank.trust import leaf, merkle, tile
from timebank.trust.checkpoint import read_checkpoint
from timebank.trust.note import VerifierKey
from timebank.trust.tlog_proof import TlogProof

Progress = Callable[[int, int], None]
"""Is told how much of the whole is done."""


class EntryErasedError(Exception):
    """The entry is under the root, but the secret that opens it was erased."""


class NotSignedError(Exception):
    """No checkpoint covers the entry yet."""


@dataclass(frozen=True, slots=True)
class ExportedLog:
    """What was written.

    Attributes:
        folder: Where, one per book.
        size: How many entries are under its root.
    """

    folder: Path
    origin: str
    size: int


async def export_log(
    db: Database,
    *,
    book: int,
    folder: Path,
    vkey: str,
    progress: Progress = lambda _done, _whole: None,
) -> ExportedLog:
    """Write a book's log up to its newest checkpoint, as C2SP tlog-tiles lays it out.

    Nothing written tells whose entry is which. The verifier is written beside it.

    Raises:
        NotSignedError: The book has no checkpoint yet.
        LogInconsistentError: What is stored does not lead to the signed root.

    Cost: one pass; constant memory.
    """
    async with db.read() as conn:
        await conn.execute(text("select 1"))
        signed = await log.find_newest_checkpoint(conn, book=book)
        if signed is None:
            raise NotSignedError
        origin = read_checkpoint(signed.note.rpartition("\n\n")[0] + "\n").origin
        growth = tile.Growth()
        bundle: list[bytes] = []
        async for batch in log.stream_batches(conn, book=book, size=signed.size):
            leaves = leaf.leaves_of(
                batch.commitments,
                book=book,
                first_seq=batch.first_seq,
                recorded_at=batch.recorded_at,
            )
            for each in leaves:
                bundle.append(each)
                filled = growth.add([merkle.leaf_hash(each)])
                for full in filled:
                    _write(folder / full.tile.path, b"".join(full.hashes))
                if filled:
                    number = growth.size // tile.WIDTH - 1
                    _write_entries(folder, number, bundle)
                    bundle = []
            progress(growth.size, signed.size)
        if merkle.root_of(growth.edge) != signed.root:
            raise log.LogInconsistentError(f"the log of book {book} is not what was signed")
        for partial, hashes in growth.partial_tiles:
            _write(folder / partial.path, b"".join(hashes))
        if bundle:
            _write_entries(folder, growth.size // tile.WIDTH, bundle)
        vkeys = list(dict.fromkeys([vkey, *map(str, await _older_keys(conn, book=book))]))
        await _export_notices(conn, book=book, folder=folder / verify_log.NOTICES, vkeys=vkeys)
    _write(folder / "vkey", "".join(f"{each}\n" for each in vkeys).encode())
    _write(folder / "verify_log.py", log_reading.VERIFIER)
    # Last: whoever reads a checkpoint finds all that it covers.
    _write(folder / "checkpoint", signed.note.encode())
    return ExportedLog(folder, origin, signed.size)


async def _older_keys(conn: AsyncConnection, *, book: int) -> list[VerifierKey]:
    return [each.key for each in reversed(await sealing.list_keys(conn, book=book))]


async def _export_notices(
    conn: AsyncConnection, *, book: int, folder: Path, vkeys: Sequence[str]
) -> None:
    signed = await notices.find_newest_checkpoint(conn, book=book)
    if signed is None:
        return
    tree = await notices.read_tree(conn, book=book, signed=signed)
    leaves = [each.leaf(book=book) for each in tree.notices[: signed.size]]
    growth = tile.Growth()
    for full in growth.add(tree.hashes[: signed.size]):
        _write(folder / full.tile.path, b"".join(full.hashes))
    for partial, hashes in growth.partial_tiles:
        _write(folder / partial.path, b"".join(hashes))
    for first in range(0, signed.size, tile.WIDTH):
        _write_entries(folder, first // tile.WIDTH, leaves[first : first + tile.WIDTH])
    origin = read_checkpoint(signed.note.rpartition("\n\n")[0] + "\n").origin
    named = [verify_log.renamed(each, origin) for each in vkeys]
    _write(folder / "vkey", "".join(f"{each}\n" for each in named).encode())
    _write(folder / "checkpoint", signed.note.encode())


def _write_entries(folder: Path, number: int, leaves: Sequence[bytes]) -> None:
    path = folder / tile.entries_path(number, len(leaves))
    _write(path, tile.bundle_of(leaves))


def _write(path: Path, content: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)


async def prove_entry(db: Database, *, book: int, seq: int) -> TlogProof:
    """Return the proof that a book's newest checkpoint covers an entry, with what opens it.

    Whoever is shown it learns the entry, and can check it for ever without asking anybody.

    Raises:
        NotFoundError: There is no such entry.
        NotSignedError: It is not signed yet.
        EntryErasedError: It cannot be opened any more.

    Cost: about a dozen statements.
    """
    async with db.read() as conn:
        entry = await log.open_entry(conn, book=book, seq=seq)
        if entry is None:
            raise NotFoundError
        signed = await log.find_newest_checkpoint(conn, book=book)
        if signed is None or signed.size < seq:
            raise NotSignedError
        if entry.salt is None:
            raise EntryErasedError
        hashes = await log.prove_inclusion(conn, book=book, seq=seq, size=signed.size)
    return TlogProof(seq - 1, tuple(hashes), signed.note, extra=entry.salt + entry.row)


async def prove_own_entry(
    db: Database, *, volunteer: VolunteerId, seq: int, key: LogKey | None, now: datetime
) -> TlogProof:
    """Return the proof of an entry that belongs to a volunteer, signing the newest head if needed.

    Raises:
        NotFoundError: The volunteer has no such entry, or it cannot be opened any more.
        ConflictError: It is not signed yet, and the key is not here.
    """
    async with db.read() as conn:
        entry = await balances.find_entry(conn, book=volunteer.book, seq=seq)
    if entry is None or entry.transfer.volunteer != volunteer.id:
        raise NotFoundError
    try:
        try:
            return await prove_entry(db, book=volunteer.book, seq=seq)
        except NotSignedError:
            if key is None:
                raise ConflictError from None
            await sealing.sign_head(db, key=key, book=volunteer.book, now=now)
            return await prove_entry(db, book=volunteer.book, seq=seq)
    except EntryErasedError:
        raise NotFoundError from None
