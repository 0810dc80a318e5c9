"""Opening books, units and accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.transfer import UNIT_REGISTERED_MIN, AccountKind, Unit
from timebank.ledger import tables
from timebank.ledger.journal import Head

_OPEN = """
    insert into account
        (book_id, id, unit, kind, owner, is_debit_bounded, is_credit_bounded, opened_at)
    select $1, $2 + n - 1, $3, $4, owner, $5, $6, $7
    from unnest($8::bigint[]) with ordinality as o(owner, n)
"""


async def open_book(conn: AsyncConnection, *, book: int, zone: str, now: datetime) -> bool:
    """Open a county's book with its issuing account for minutes; False where it was open.

    Cost: five statements at most.
    """
    await conn.execute(
        insert(tables.unit)
        .values([{"id": unit.value, "code": unit.name.lower()} for unit in Unit])
        .on_conflict_do_nothing()
    )
    opened = await conn.execute(
        insert(tables.book)
        .values(id=book, zone=zone, opened_at=now)
        .on_conflict_do_nothing()
        .returning(tables.book.c.id)
    )
    if opened.first() is None:
        return False
    head = Head(book=book, zone=zone, seq=0, batch=0, accounts=0, recorded_at=None)
    await open_accounts(
        conn, head=head, unit=Unit.MINUTES, kind=AccountKind.ISSUING, owners=[0], now=now
    )
    return True


async def open_accounts(
    conn: AsyncConnection,
    *,
    head: Head,
    unit: int,
    kind: AccountKind,
    owners: Sequence[int],
    now: datetime,
    is_debit_bounded: bool = False,
    is_credit_bounded: bool = False,
) -> range:
    """Open an account for each owner and return their numbers, in the owners' order.

    The caller holds the book's lock, of which `head` is the proof; `head` is brought up to date.

    Raises:
        asyncpg.UniqueViolationError: An owner has such an account already.
    """
    opened = range(head.accounts + 1, head.accounts + 1 + len(owners))
    await conn.execute(
        tables.book.update().where(tables.book.c.id == head.book).values(accounts=opened.stop - 1)
    )
    driver = await driver_of(conn)
    await driver.execute(
        _OPEN,
        head.book,
        opened.start,
        unit,
        kind,
        is_debit_bounded,
        is_credit_bounded,
        now,
        list(owners),
    )
    head.accounts = opened.stop - 1
    return opened


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account it is and what it may hold.

    Attributes:
        owner: Volunteer, pool, or the book cleared with; 0 for the book itself.
        is_debit_bounded: It can spend only what it was given.
    """

    id: int
    unit: int
    kind: AccountKind
    owner: int
    is_debit_bounded: bool


async def find_account(conn: AsyncConnection, *, book: int, account: int) -> Account | None:
    """Return one account of a book, or None."""
    c = tables.account.c
    row = (
        await conn.execute(
            select(c.id, c.unit, c.kind, c.owner, c.is_debit_bounded).where(
                c.book_id == book, c.id == account
            )
        )
    ).first()
    return None if row is None else _account(row)


async def list_accounts_of(conn: AsyncConnection, *, book: int, volunteer: int) -> list[Account]:
    """Return the accounts of a volunteer, receivables included, in their order."""
    c = tables.account.c
    rows = await conn.execute(
        select(c.id, c.unit, c.kind, c.owner, c.is_debit_bounded)
        .where(
            c.book_id == book,
            c.kind.in_([AccountKind.VOLUNTEER, AccountKind.RECEIVABLE]),
            c.owner == volunteer,
        )
        .order_by(c.id)
    )
    return [_account(row) for row in rows]


def _account(row: Row[int, int, int, int, bool]) -> Account:
    return Account(row[0], row[1], AccountKind(row[2]), row[3], row[4])


async def find_accounts(
    conn: AsyncConnection, *, book: int, unit: int, kind: AccountKind, owners: Sequence[int]
) -> dict[int, int]:
    """Return the account of each owner that has one.

    Shape: one item per owner with an account, by owner.
    """
    c = tables.account.c
    rows = await conn.execute(
        select(c.owner, c.id).where(
            c.book_id == book, c.unit == unit, c.kind == kind, c.owner.in_(owners)
        )
    )
    return {owner: account for owner, account in rows}  # noqa: C416 rows are not pairs to mypy


async def ensure_accounts(
    conn: AsyncConnection,
    *,
    head: Head,
    unit: int,
    kind: AccountKind,
    owners: Sequence[int],
    now: datetime,
    is_debit_bounded: bool = False,
    is_credit_bounded: bool = False,
) -> dict[int, int]:
    """Return the account of each owner, opening those that are missing.

    The caller holds the book's lock; `head` is brought up to date. The bounds are those of what is
    opened.

    Shape: one item per owner, by owner.

    Cost: one statement, three where any is missing.
    """
    found = await find_accounts(conn, book=head.book, unit=unit, kind=kind, owners=owners)
    missing = [owner for owner in owners if owner not in found]
    if missing:
        opened = await open_accounts(
            conn,
            head=head,
            unit=unit,
            kind=kind,
            owners=missing,
            now=now,
            is_debit_bounded=is_debit_bounded,
            is_credit_bounded=is_credit_bounded,
        )
        found.update(zip(missing, opened, strict=True))
    return found


async def issuing_account(conn: AsyncConnection, *, head: Head, unit: int, now: datetime) -> int:
    """Return the account of the book itself from which a unit is issued, opened where absent.

    The caller holds the book's lock.

    Cost: none for minutes, whose account is opened with the book; else those of `ensure_accounts`.
    """
    if unit == Unit.MINUTES and head.minutes_issuing is not None:
        return head.minutes_issuing
    kind = AccountKind.ISSUING
    found = await find_accounts(conn, book=head.book, unit=unit, kind=kind, owners=[0])
    if 0 in found:
        return found[0]
    return (await open_accounts(conn, head=head, unit=unit, kind=kind, owners=[0], now=now))[0]


async def register_units(conn: AsyncConnection, *, codes: Sequence[str]) -> dict[str, int]:
    """Return the number of each registered unit, giving new ones the next free numbers.

    Shape: one item per code.
    """
    c = tables.unit.c
    rows = await conn.execute(select(c.code, c.id).where(c.code.in_(codes)))
    found = {code: unit for code, unit in rows}  # noqa: C416
    missing = [code for code in codes if code not in found]
    if missing:
        newest = await conn.scalar(select(func.max(c.id)))
        first = max(UNIT_REGISTERED_MIN, (newest or 0) + 1)
        numbered = {code: first + place for place, code in enumerate(missing)}
        await conn.execute(
            tables.unit.insert(), [{"id": unit, "code": code} for code, unit in numbered.items()]
        )
        found.update(numbered)
    return found


async def find_unit_code(conn: AsyncConnection, *, unit: int) -> str | None:
    """Return the stable name of a unit, such as `pass:film`, or None."""
    c = tables.unit.c
    code: str | None = await conn.scalar(select(c.code).where(c.id == unit))
    return code
