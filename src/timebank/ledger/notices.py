"""What is made known beside the entries, and the heads of it that were signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.ledger import notice_tables, tables
from timebank.ledger.log import Checkpoint, LogInconsistentError
from timebank.trust import merkle
from timebank.trust.notice import Notice, NoticeKind, canonical


@dataclass(frozen=True, slots=True)
class NoticeTree:
    """All notices of a book, with the hashes of their leaves."""

    notices: Sequence[Notice]
    hashes: Sequence[bytes]

    def root(self, size: int) -> bytes:
        """Return the root over the first notices."""
        return merkle.root_of(merkle.extend(b"", 0, self.hashes[:size]))


async def append_notice(
    conn: AsyncConnection,
    *,
    book: int,
    kind: NoticeKind,
    body: Mapping[str, str | int | None],
    now: datetime,
) -> None:
    """Make something known. The book is locked until the transaction ends.

    Cost: three statements.
    """
    b, n = tables.book.c, notice_tables.notice.c
    await conn.execute(select(b.id).where(b.id == book).with_for_update())
    newest = (
        await conn.execute(
            select(n.number, n.recorded_at)
            .where(n.book_id == book)
            .order_by(n.number.desc())
            .limit(1)
        )
    ).first()
    number, before = (0, now) if newest is None else tuple(newest)
    await conn.execute(
        insert(notice_tables.notice).values(
            book_id=book,
            number=number + 1,
            kind=kind.value,
            body=canonical(body),
            recorded_at=max(now, before),
        )
    )


async def ensure_notice(
    conn: AsyncConnection,
    *,
    book: int,
    kind: NoticeKind,
    body: Mapping[str, str | int | None],
    now: datetime,
) -> None:
    """Make something known that was not yet. Cost: one statement, and those of `append_notice`."""
    n = notice_tables.notice.c
    known = await conn.scalar(
        select(n.number).where(n.book_id == book, n.kind == kind.value, n.body == canonical(body))
    )
    if known is None:
        await append_notice(conn, book=book, kind=kind, body=body, now=now)


async def list_notices(
    conn: AsyncConnection, *, book: int, kinds: Sequence[NoticeKind] = tuple(NoticeKind)
) -> list[Notice]:
    """Return the notices of a book, oldest first. There are some dozens a year."""
    n = notice_tables.notice.c
    rows = await conn.execute(
        select(n.number, n.kind, n.body, n.recorded_at)
        .where(n.book_id == book, n.kind.in_([each.value for each in kinds]))
        .order_by(n.number)
    )
    return [Notice(row[0], NoticeKind(row[1]), row[2], row[3]) for row in rows]


async def read_tree(conn: AsyncConnection, *, book: int, signed: Checkpoint | None) -> NoticeTree:
    """Return the notices of a book, proved to have grown out of what was signed.

    Raises:
        LogInconsistentError: They have not.
    """
    found = await list_notices(conn, book=book)
    hashes = [merkle.leaf_hash(each.leaf(book=book)) for each in found]
    tree = NoticeTree(found, hashes)
    if [each.number for each in found] != list(range(1, len(found) + 1)):
        raise LogInconsistentError(f"a notice of book {book} is missing")
    if signed is not None and (len(found) < signed.size or tree.root(signed.size) != signed.root):
        raise LogInconsistentError(f"notices 1 to {signed.size} of book {book} are not as signed")
    return tree


async def count_notices(conn: AsyncConnection, *, book: int) -> int:
    """Return how many notices a book has."""
    n = notice_tables.notice.c
    newest = await conn.scalar(select(func.max(n.number)).where(n.book_id == book))
    return newest or 0


async def list_checkpoints(conn: AsyncConnection, *, book: int) -> list[Checkpoint]:
    """Return the signed heads of a book's notices, smallest first."""
    c = notice_tables.notice_checkpoint.c
    rows = await conn.execute(
        select(c.size, c.root, c.note, c.signed_at).where(c.book_id == book).order_by(c.size)
    )
    return [Checkpoint(*tuple(row)) for row in rows]


async def find_newest_checkpoint(conn: AsyncConnection, *, book: int) -> Checkpoint | None:
    """Return the newest signed head of a book's notices, or None."""
    c = notice_tables.notice_checkpoint.c
    row = (
        await conn.execute(
            select(c.size, c.root, c.note, c.signed_at)
            .where(c.book_id == book)
            .order_by(c.size.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else Checkpoint(*tuple(row))


async def append_checkpoint(conn: AsyncConnection, *, book: int, checkpoint: Checkpoint) -> None:
    """Store a head of the notices that was just signed."""
    await conn.execute(
        insert(notice_tables.notice_checkpoint).values(
            book_id=book,
            size=checkpoint.size,
            root=checkpoint.root,
            note=checkpoint.note,
            signed_at=checkpoint.signed_at,
        )
    )
