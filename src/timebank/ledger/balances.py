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

_NEWEST_BATCH = """
    with recursive halved(low, high) as (
        select 0::bigint, batch from book where id = :book
        union all
        select
            case when {holds} then m.batch else low end,
            case when {holds} then high else m.batch - 1 end
        from halved
        join batch m on m.book_id = :book and m.batch = (low + high + 1) / 2
        where low < high
    )
    select low from halved where low = high
"""
"""The newest batch for which a condition holds that holds for all before it, by halving: as many
descents of the key as the number of batches has bits, and no index that every commit would pay."""

_SEQ_AT = text(
    "select coalesce("  # noqa: S608 the condition is a constant
    "(select last_seq from batch where book_id = :book and batch = newest.low), 0)"
    f" from ({_NEWEST_BATCH.format(holds='m.recorded_at <= :instant')}) newest"
)

_NEXT_RECORDED_AT = text(
    "select recorded_at from batch where book_id = :book and batch = 1 + "  # noqa: S608 as above
    f"({_NEWEST_BATCH.format(holds='m.last_seq <= :seq')})"
)

_STATEMENT = text(
    """
    select t.seq, t.recorded_at, {columns},
        (
            select r.seq from transfer r
            where r.book_id = :book and r.reverses = t.seq and r.seq <= :as_of
        ) as reversed_by
    from (
        select b.first_seq + place as seq
        from account_state s
        join batch b on b.book_id = s.book_id and b.batch = s.batch
        cross join unnest(s.places) as place
        where s.book_id = :book and s.account = :account and b.first_seq + place < :before
            and b.first_seq + place <= :as_of
        order by s.batch desc, place desc
        limit :lines_max
    ) entry
    join transfer t on t.book_id = :book and t.seq = entry.seq
    order by t.seq desc
    """.format(columns=", ".join(f"t.{name}" for name in TRANSFER_COLUMNS))  # noqa: S608
)


_END = 2**62
"""Behind every entry."""


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


async def seq_at(conn: AsyncConnection, *, book: int, instant: datetime) -> int:
    """Return the newest entry that was recorded by an instant, 0 where there was none.

    Asked of an instant that is over, the answer never changes: no batch is recorded before one that
    precedes it.

    Cost: one statement; one index descent for each time that the book's batches can be halved.
    """
    seq: int | None = await conn.scalar(_SEQ_AT, {"book": book, "instant": instant})
    return seq or 0


async def find_next_recorded_at(conn: AsyncConnection, *, book: int, seq: int) -> datetime | None:
    """Return when the first entry after `seq` was recorded, None where there is none.

    Cost: as `seq_at`.
    """
    instant: datetime | None = await conn.scalar(_NEXT_RECORDED_AT, {"book": book, "seq": seq})
    return instant


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
    as_of: int | None = None,
) -> list[StatementLine]:
    """Return an account's entries, newest first, as of entry `as_of` or now.

    What was taken back after entry `as_of` stands. Not for issuing accounts, which have nearly
    every entry of the book.

    Shape: at most `lines_max` lines, all older than entry `before_seq`.

    Cost: one statement; its work grows with the batches that touched the account.
    """
    rows = await conn.execute(
        _STATEMENT,
        {
            "book": book,
            "account": account,
            "before": _END if before_seq is None else before_seq,
            "as_of": _END if as_of is None else as_of,
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


async def find_entry_by_key(conn: AsyncConnection, *, book: int, key: UUID) -> Entry | None:
    """Return the entry that a key names, or None."""
    c = tables.transfer.c
    seq: int | None = await conn.scalar(select(c.seq).where(c.book_id == book, c.key == key))
    return None if seq is None else await find_entry(conn, book=book, seq=seq)


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
