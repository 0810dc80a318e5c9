"""Signs what the books hold, so that nobody can show two people two histories.

A checkpoint is signed only after the tree was made again from the stored hashes: from the newest
signed size to the book's head. A book that was changed below a signed size is never signed again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from timebank.db import Database
from timebank.ledger import accounts, journal, log
from timebank.services.errors import NotFoundError
from timebank.trust import signer as signing
from timebank.trust.checkpoint import Checkpoint, read_checkpoint
from timebank.trust.note import NoteMalformedError, VerifierKey
from timebank.trust.signer import SignatureMissingError, Signer

SECONDS_BETWEEN = 1.0
"""How long an entry waits for its signed checkpoint at most, where the server keeps up."""

_log = logging.getLogger("timebank")


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a deployment's logs, one log for each book.

    Attributes:
        name: What the logs are named by, such as `time.example.org`.
    """

    signer: Signer
    name: str

    def of(self, book: int) -> VerifierKey:
        """Return the public half under the name of a book's log, which is the log's origin."""
        return signing.verifier_key(self.signer, name=f"{self.name}/{book}")


async def sign_checkpoint(
    db: Database, *, key: LogKey, book: int, now: datetime
) -> Checkpoint | None:
    """Sign a book's head, or return None if it has not grown or another process is signing it.

    Raises:
        LogInconsistentError: What is stored is not what was signed before; nothing is signed.
    """
    public = key.of(book)
    async with db.write() as conn:
        if not await log.try_lock(conn, book=book):
            return None
        signed = await log.find_newest_checkpoint(conn, book=book)
        if signed is not None:
            check_signed(signed, key=public)

        grown = await log.replay(conn, book=book, signed=signed)

        if grown is None:
            return None
        made = Checkpoint(public.name, grown.size, grown.root)
        note = signing.sign_note(key.signer, name=public.name, text=str(made))
        await log.append_checkpoint(
            conn, book=book, checkpoint=log.Checkpoint(made.size, made.root, str(note), now)
        )
    return made


def check_signed(signed: log.Checkpoint, *, key: VerifierKey) -> None:
    """Check that a stored checkpoint is what its note says, and that the key has signed it.

    Raises:
        LogInconsistentError: It is not.
    """
    try:
        read = read_checkpoint(signing.open_note(signed.note, key))
    except (NoteMalformedError, SignatureMissingError):
        raise log.LogInconsistentError(
            f"the checkpoint at {signed.size} of {key.name} is not signed by its key"
        ) from None
    if read != Checkpoint(key.name, signed.size, signed.root):
        raise log.LogInconsistentError(
            f"the checkpoint at {signed.size} of {key.name} says something else than its note"
        )


async def find_unsigned(db: Database, *, key: LogKey, book: int) -> list[str]:
    """Return what is wrong with the notes of a book's checkpoints. Shape: empty where all hold."""
    wrong: list[str] = []
    public, above = key.of(book), 0
    async with db.read() as conn:
        while page := await log.list_checkpoints(conn, book=book, above=above):
            for each in page:
                try:
                    check_signed(each, key=public)
                except log.LogInconsistentError as error:
                    wrong.append(str(error))
            above = page[-1].size
    return wrong


async def keep_signed(
    db: Database, *, key: LogKey, now: Callable[[], datetime], stopped: asyncio.Event
) -> None:
    """Sign every book that grew, once a second, until stopped.

    A book that cannot be signed is reported once, and the others go on.
    """
    reported: dict[int, str] = {}
    while not stopped.is_set():
        try:
            await sign_grown(db, key=key, now=now(), reported=reported)
        except Exception:
            # Signing comes back with the database; entries are sealed without it.
            _log.exception("checkpoints could not be signed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), SECONDS_BETWEEN)


async def sign_grown(db: Database, *, key: LogKey, now: datetime, reported: dict[int, str]) -> None:
    """Sign every book that grew; what cannot be signed is noted in `reported` and logged once."""
    async with db.read() as conn:
        grown = await log.list_grown_books(conn)
    for book in grown:
        try:
            await sign_checkpoint(db, key=key, book=book, now=now)
            reported.pop(book, None)
        except log.LogInconsistentError as error:
            if reported.get(book) != str(error):
                _log.critical("the log of book %s is NOT signed: %s", book, error)
            reported[book] = str(error)


async def erase_volunteer(db: Database, *, book: int, volunteer: int, now: datetime) -> int:
    """Erase the secrets of a volunteer's accounts and return how many there were.

    From then on nobody can show, or test a guess, which leaves of the log are theirs; every
    checkpoint and every proof of others stays what it was. Proofs given out before stay valid.

    Raises:
        NotFoundError: There is no such book.
    """
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        owned = await accounts.list_accounts_of(conn, book=book, volunteer=volunteer)
        erased = await log.erase_secrets(
            conn, book=book, accounts=[each.id for each in owned], last_seq=head.seq, now=now
        )
    return len(erased)
