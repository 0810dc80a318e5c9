"""Whether a book holds an entry, told to anybody who asks: by its number, or by its proof.

Whoever asks by number learns when an entry was recorded, and nothing else; whoever has a proof
already knows the entry.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from timebank import verify_log
from timebank.db import Database
from timebank.domain.transfer import Transfer
from timebank.domain.verification import VerificationRefusal
from timebank.ledger import balances, log
from timebank.services import sealing
from timebank.trust import leaf, merkle
from timebank.trust.note import NoteMalformedError
from timebank.trust.tlog_proof import read_proof
from timebank.verify_log import NotProvenError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that is under a signed root, and was compared with the book as it is now.

    Attributes:
        origin: The log.
        size: How many entries are under the root.
        entry: What the proof says; None where only the number was given.
        is_reversed: A later entry took it back.
    """

    book: int
    seq: int
    recorded_at: datetime
    origin: str
    size: int
    root: bytes
    signed_at: datetime | None
    entry: Transfer | None
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class NotProven:
    """What does not hold."""

    reason: VerificationRefusal


async def verify_number(db: Database, *, book: int, seq: int) -> Proven | NotProven:
    """Prove from what is stored that a book's newest signed head covers an entry.

    Cost: about a dozen statements.
    """
    async with db.read() as conn:
        signed = await log.find_newest_checkpoint(conn, book=book)
        if signed is None:
            return NotProven(VerificationRefusal.NO_LOG)
        entry = await balances.find_entry(conn, book=book, seq=seq)
        if entry is None:
            return NotProven(VerificationRefusal.NO_ENTRY)
        if signed.size < seq:
            return NotProven(VerificationRefusal.NOT_SIGNED_YET)
        keys = await sealing.list_keys(conn, book=book)
        try:
            head = verify_log.open_checkpoint(signed.note, *(str(each.key) for each in keys))
        except NotProvenError:
            return NotProven(VerificationRefusal.FOREIGN_KEY)
        held = await log.read_leaf(conn, book=book, seq=seq, size=head.size)
        hashes = await log.prove_inclusion(conn, book=book, seq=seq, size=head.size)
    if not merkle.is_included(
        merkle.leaf_hash(held), index=seq - 1, size=head.size, proof=hashes, root=head.root
    ):
        return NotProven(VerificationRefusal.LOG_DIFFERS)
    return Proven(
        book,
        seq,
        leaf.recorded_at_of(held),
        head.origin,
        head.size,
        head.root,
        signed.signed_at,
        None,
        entry.is_reversed,
    )


async def verify_proof(db: Database, *, text: str) -> Proven | NotProven:
    """Verify a proof by the keys of the book that it names, and compare it with the book.

    The proof is checked by the program that strangers use, which knows nothing of ours.

    Cost: four statements.
    """
    try:
        read = read_proof(text)
        row = leaf.decode_row((read.extra or b"")[leaf.SECRET_BYTES :])
    except (NoteMalformedError, leaf.RowMalformedError):
        return NotProven(VerificationRefusal.MALFORMED)
    book, seq = row.book, row.seq
    async with db.read() as conn:
        keys = [str(each.key) for each in await sealing.list_keys(conn, book=book)]
        stored = await log.open_entry(conn, book=book, seq=seq)
        entry = await balances.find_entry(conn, book=book, seq=seq)
    if not keys:
        return NotProven(VerificationRefusal.FOREIGN_KEY)
    try:
        head = verify_log.open_checkpoint(read.checkpoint, *keys)
    except NotProvenError:
        return NotProven(VerificationRefusal.FOREIGN_KEY)
    try:
        verify_log.verify_proof(text, *keys)
    except NotProvenError:
        return NotProven(VerificationRefusal.NOT_INCLUDED)
    if stored is None or entry is None or stored.row != (read.extra or b"")[leaf.SECRET_BYTES :]:
        return NotProven(VerificationRefusal.BOOK_DIFFERS)
    return Proven(
        book,
        seq,
        row.recorded_at,
        head.origin,
        head.size,
        head.root,
        None,
        row.transfer,
        entry.is_reversed,
    )
