"""Signs what the books hold, so that nobody can show two people two histories.

A checkpoint is signed only after the tree was made again from the stored hashes: from the newest
signed size to the book's head. A book that was changed below a signed size is never signed again.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.ledger import accounts, journal, log, notices
from timebank.services.errors import NotFoundError
from timebank.store import attestations, profiles
from timebank.trust import signer as signing
from timebank.trust.checkpoint import Checkpoint, read_checkpoint
from timebank.trust.note import NoteMalformedError, VerifierKey, read_verifier_key
from timebank.trust.notice import NoticeKind, origin_of
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

    def of_notices(self, book: int) -> VerifierKey:
        """Return the public half under the name of the notices that go with a book's log."""
        return signing.verifier_key(self.signer, name=origin_of(f"{self.name}/{book}"))


@dataclass(frozen=True, slots=True)
class DatedKey:
    """A public key of a log, and from when on it signs.

    Attributes:
        since: Heads of more than `since` entries are signed by it.
    """

    since: int
    key: VerifierKey


class KeyReplacedError(log.LogInconsistentError):
    """The key is not, or no longer, the one that signs for the book."""


async def sign_checkpoint(
    db: Database, *, key: LogKey, book: int, now: datetime
) -> Checkpoint | None:
    """Sign a book's head, or return None if it has not grown or another process is signing it.

    Notices are signed with it.

    Raises:
        LogInconsistentError: What is stored is not what was signed before; nothing is signed.
        KeyReplacedError: Another key signs for the book; nothing is signed.
    """
    async with db.write() as conn:
        if not await log.try_lock(conn, book=book):
            return None
        return await _sign(conn, key=key, book=book, now=now)


async def sign_head(
    db: Database, *, key: LogKey, book: int, now: datetime
) -> log.Checkpoint | None:
    """Return a signed checkpoint that covers every entry committed so far: for a publication.

    Entries that are committed meanwhile may be covered too. None: the book has no entries.

    Raises:
        LogInconsistentError: What is stored is not what was signed before; nothing is signed.
        KeyReplacedError: Another key signs for the book; nothing is signed.

    Cost: about two microseconds for each entry since the newest checkpoint, a second's at most
    where the product runs.
    """
    async with db.write() as conn:
        await log.lock(conn, book=book)
        await _sign(conn, key=key, book=book, now=now)
        return await log.find_newest_checkpoint(conn, book=book)


async def _sign(
    conn: AsyncConnection, *, key: LogKey, book: int, now: datetime
) -> Checkpoint | None:
    public = key.of(book)
    signed = await log.find_newest_checkpoint(conn, book=book)
    keys = await list_keys(conn, book=book)
    if not keys:
        await _append_key(conn, book=book, key=public, replaced=None, since=0, now=now)
        keys = [DatedKey(0, public)]
    if keys[-1].key != public:
        raise KeyReplacedError(f"{keys[-1].key} signs for book {book}, not {public}")
    if signed is not None:
        check_signed(signed, key=key_at(keys, size=signed.size))

    grown = await log.replay(conn, book=book, signed=signed)

    await _sign_notices(conn, key=key, book=book, now=now)
    if grown is None:
        return None
    made = Checkpoint(public.name, grown.size, grown.root)
    note = signing.sign_note(key.signer, name=public.name, text=str(made))
    await log.append_checkpoint(
        conn, book=book, checkpoint=log.Checkpoint(made.size, made.root, str(note), now)
    )
    return made


async def _sign_notices(
    conn: AsyncConnection, *, key: LogKey, book: int, now: datetime, also: Signer | None = None
) -> None:
    signed = await notices.find_newest_checkpoint(conn, book=book)
    count = await notices.count_notices(conn, book=book)
    if signed is not None and signed.size == count:
        return
    tree = await notices.read_tree(conn, book=book, signed=signed)
    public = key.of_notices(book)
    made = Checkpoint(public.name, count, tree.root(count))
    note = signing.sign_note(key.signer, name=public.name, text=str(made), also=also)
    await notices.append_checkpoint(
        conn, book=book, checkpoint=log.Checkpoint(count, made.root, str(note), now)
    )


async def list_keys(conn: AsyncConnection, *, book: int) -> list[DatedKey]:
    """Return every key that ever signed for a book, oldest first. Shape: none before the first."""
    bodies = [
        json.loads(each.body)
        for each in await notices.list_notices(conn, book=book, kinds=[NoticeKind.KEY])
    ]
    return [DatedKey(body["since"], read_verifier_key(body["vkey"])) for body in bodies]


def key_at(keys: Sequence[DatedKey], *, size: int) -> VerifierKey:
    """Return the key that signs the head of a size."""
    return next(each.key for each in reversed(keys) if each.since < size or each is keys[0])


async def rotate_key(db: Database, *, old: LogKey, new: LogKey, book: int, now: datetime) -> bool:
    """Let a new key sign for a book from now on; False if it does already.

    The newest head is signed by the old key first. The notice of the change is under a head that
    both have signed: whoever trusts the old key learns the new one from it. Heads that were signed
    before stay signed by the old key.

    Raises:
        LogInconsistentError: What is stored is not what was signed before; nothing is changed.
        KeyReplacedError: Neither of the two signs for the book.
    """
    async with db.write() as conn:
        await log.lock(conn, book=book)
        keys = await list_keys(conn, book=book)
        if keys and keys[-1].key == new.of(book):
            return False
        await _sign(conn, key=old, book=book, now=now)
        signed = await log.find_newest_checkpoint(conn, book=book)
        await _append_key(
            conn,
            book=book,
            key=new.of(book),
            replaced=old.of(book),
            since=0 if signed is None else signed.size,
            now=now,
        )
        await _sign_notices(conn, key=new, book=book, now=now, also=old.signer)
    return True


async def _append_key(
    conn: AsyncConnection,
    *,
    book: int,
    key: VerifierKey,
    replaced: VerifierKey | None,
    since: int,
    now: datetime,
) -> None:
    body = {
        "replaces": None if replaced is None else str(replaced),
        "since": since,
        "vkey": str(key),
    }
    await notices.append_notice(conn, book=book, kind=NoticeKind.KEY, body=body, now=now)


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
    """Return what is wrong with the notes of a book's checkpoints, and with its notices.

    Shape: empty where all hold.
    """
    wrong: list[str] = []
    above = 0
    async with db.read() as conn:
        keys = await list_keys(conn, book=book) or [DatedKey(0, key.of(book))]
        if keys[-1].key != key.of(book):
            wrong.append(f"{keys[-1].key} signs for book {book}, not {key.of(book)}")
        while page := await log.list_checkpoints(conn, book=book, above=above):
            for each in page:
                try:
                    check_signed(each, key=key_at(keys, size=each.size))
                except log.LogInconsistentError as error:
                    wrong.append(str(error))
            above = page[-1].size
        signed = None
        try:
            for signed in await notices.list_checkpoints(conn, book=book):
                tree = await notices.read_tree(conn, book=book, signed=signed)
                told = [each for each in tree.notices[: signed.size] if each.kind is NoticeKind.KEY]
                newest = read_verifier_key(json.loads(told[-1].body)["vkey"])
                check_signed(signed, key=replace(newest, name=origin_of(newest.name)))
        except log.LogInconsistentError as error:
            wrong.append(str(error))
    return wrong


async def keep_signed(
    db: Database,
    *,
    key: Callable[[], LogKey],
    now: Callable[[], datetime],
    stopped: asyncio.Event,
) -> None:
    """Sign every book that grew, once a second, until stopped.

    The key is asked for each time, so that a new one signs without a restart. A book that cannot be
    signed is reported once, and the others go on.
    """
    reported: dict[int, str] = {}
    while not stopped.is_set():
        try:
            await sign_grown(db, key=key(), now=now(), reported=reported)
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
        await profiles.delete_profiles(conn, volunteer=VolunteerId(book, volunteer))
        await attestations.delete_attestations(conn, volunteer=VolunteerId(book, volunteer))
        owned = await accounts.list_accounts_of(conn, book=book, volunteer=volunteer)
        erased = await log.erase_secrets(
            conn, book=book, accounts=[each.id for each in owned], last_seq=head.seq, now=now
        )
        if erased:
            # Made known without saying whose: a missing secret must not pass for a loss.
            await notices.append_notice(
                conn,
                book=book,
                kind=NoticeKind.ERASURE,
                body={"entries": head.seq, "secrets": len(erased)},
                now=now,
            )
    return len(erased)
