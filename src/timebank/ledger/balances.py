"""Balances and statements, now and as of any entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.posting import Entry
from timebank.ledger import tables
from timebank.ledger.journal import TRANSFER_COLUMNS, read_transfer

_KNOWN_KEYS = "select key from transfer where book_id = $1 and key = any($2::uuid[])"

_STATEMENT = text(
    """
    select t.seq, t.recorded_at, {columns},
        (
            select r.seq from transfer r where r.book_id = :book and r.reverses = t.seq
        ) as reversed_by
    from (
        select b.first_seq + place as seq
        from account_state s
        join batch b on b.book_id = s.book_id and b.batch = s.batch
        cross join unnest(s.places) as place
        where s.book_id = :book and s.account = :account and b.first_seq + place < :before
        order by s.batch desc, place desc
        limit :lines_max
    ) entry
    join transfer t on t.book_id = :book and t.seq = entry.seq
    order by t.seq desc
    """.format(columns=", ".join(f"t.{name}" for name in TRANSFER_COLUMNS))  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds.

    Units: those of the account.
    """

    debits: int
    credits: int

    @property
    def held(self) -> int:
        """What was given less what was taken."""
        return self.credits - self.debits


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry of an account.

    Attributes:
        signed_amount: Above zero where the account was given, below where it was taken from.
        reversed_by: `seq` of the entry that takes this one back, or None.
    """

    entry: Entry
    recorded_at: datetime
    signed_amount: int
    reversed_by: int | None


async def find_head_seq(conn: AsyncConnection, *, book: int) -> int | None:
    """Return the number of a book's newest entry, 0 in an empty book, None where there is none."""
    seq: int | None = await conn.scalar(select(tables.book.c.seq).where(tables.book.c.id == book))
    return seq


async def balance(
    conn: AsyncConnection, *, book: int, account: int, as_of: int | None = None
) -> Balance:
    """Return an account's two sums, as of entry `as_of` or now.

    An entry that no batch ends at is answered as of the batch before it, plus the entries between.

    Cost: one statement, one index descent; as of the middle of a batch, one more.
    """
    s, b = tables.account_state.c, tables.batch.c
    newest = (
        select(s.debits, s.credits, b.last_seq)
        .join_from(
            tables.account_state,
            tables.batch,
            (b.book_id == s.book_id) & (b.batch == s.batch),
        )
        .where(s.book_id == book, s.account == account)
        .order_by(s.batch.desc())
        .limit(1)
    )
    if as_of is None:
        row = (await conn.execute(newest)).first()
        return Balance(0, 0) if row is None else Balance(row[0], row[1])
    row = (await conn.execute(newest.where(b.last_seq <= as_of))).first()
    debits, credits_, settled = (0, 0, 0) if row is None else tuple(row)
    started = (
        select(func.max(b.first_seq)).where(b.book_id == book, b.first_seq <= as_of)
    ).scalar_subquery()
    t = tables.transfer.c
    rest = await conn.execute(
        select(
            func.coalesce(func.sum(t.amount).filter(t.debit == account), 0),
            func.coalesce(func.sum(t.amount).filter(t.credit == account), 0),
        ).where(
            t.book_id == book,
            t.seq >= started,
            t.seq > settled,
            t.seq <= as_of,
            (t.debit == account) | (t.credit == account),
        )
    )
    more_debits, more_credits = rest.one()
    return Balance(debits + int(more_debits), credits_ + int(more_credits))


async def statement(
    conn: AsyncConnection,
    *,
    book: int,
    account: int,
    before_seq: int | None = None,
    lines_max: int = 100,
) -> list[StatementLine]:
    """Return an account's entries, newest first.

    Not for issuing accounts, which have nearly every entry of the book.

    Shape: at most `lines_max` lines, all older than entry `before_seq`.

    Cost: one statement; its work grows with the batches that touched the account.
    """
    rows = await conn.execute(
        _STATEMENT,
        {
            "book": book,
            "account": account,
            "before": 2**62 if before_seq is None else before_seq,
            "lines_max": lines_max,
        },
    )
    lines = []
    for row in rows.mappings():
        transfer = read_transfer(row)
        is_given = transfer.credit == account
        lines.append(
            StatementLine(
                entry=Entry(row["seq"], transfer, is_reversed=row["reversed_by"] is not None),
                recorded_at=row["recorded_at"],
                signed_amount=transfer.amount if is_given else -transfer.amount,
                reversed_by=row["reversed_by"],
            )
        )
    return lines


async def find_entry(conn: AsyncConnection, *, book: int, seq: int) -> Entry | None:
    """Return one entry of a book, or None."""
    t = tables.transfer
    taken_back = t.alias("taken_back")
    row = (
        (
            await conn.execute(
                select(
                    *(t.c[name] for name in TRANSFER_COLUMNS),
                    select(taken_back.c.seq)
                    .where(taken_back.c.book_id == book, taken_back.c.reverses == seq)
                    .exists()
                    .label("is_reversed"),
                ).where(t.c.book_id == book, t.c.seq == seq)
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    return Entry(seq, read_transfer(row), is_reversed=row["is_reversed"])


async def list_known_keys(conn: AsyncConnection, *, book: int, keys: Sequence[UUID]) -> set[UUID]:
    """Return those of the keys that name an entry of the book. Cost: two statements."""
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(_KNOWN_KEYS, book, keys)
    return {row[0] for row in rows}


async def find_zone(conn: AsyncConnection, *, book: int) -> str | None:
    """Return the IANA name of a book's zone, or None where the book is not open."""
    zone: str | None = await conn.scalar(select(tables.book.c.zone).where(tables.book.c.id == book))
    return zone
