"""Pools are opened, filled and carried over: budgets and stocks that cannot go below zero.

A pool has three accounts of its unit: what is left, what is set aside for approved grants, what was
paid out. Only the first is ever asked whether there is enough, and the journal itself refuses what
it does not hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor
from timebank.domain.pool import (
    FUND_MAX,
    TITLE_LENGTH_MAX,
    Pool,
    PoolRefusal,
    PoolRefused,
    WhenOut,
)
from timebank.domain.posting import Posted, PostingRefused
from timebank.domain.region import county_code
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.domain.writing import cleaned_line
from timebank.ledger import accounts, balances, entitlements, journal
from timebank.ledger.journal import Head
from timebank.policy.grant import Every
from timebank.policy.pool import Pool as RulePool
from timebank.policy.rule import Pack
from timebank.policy.window import add_months
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import audit_events, numbering
from timebank.store import pools as pool_store

_CODE = re.compile(r"[a-z0-9][a-z0-9._/+-]{1,79}")


@dataclass(frozen=True, slots=True)
class PoolAccounts:
    """The accounts of one pool, by number."""

    left: int
    committed: int
    paid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPool:
    """A pool to open.

    Attributes:
        unit: Code of what it holds: `fen`, or an item such as `goods:rice`.
        amount: What it is filled with; 0 for nothing yet.
    """

    code: str
    title: str
    title_en: str
    owner: str
    unit: str
    when_out: WhenOut
    from_on: date
    until_on: date | None
    amount: int


async def open_pool(
    db: Database, *, actor: Actor | None, book: int, new: NewPool, now: datetime
) -> Pool | PoolRefused:
    """Open a pool and fill it. No actor is the operator's command line.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The county is not the actor's, or has no book.
    """
    _check_may_fund(actor, book=book)
    refusal = _refusal(new)
    if refusal is not None:
        return PoolRefused(refusal)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        if await pool_store.list_by_code(conn, book=book, codes=[new.code]):
            return PoolRefused(PoolRefusal.CODE_TAKEN)
        person = None if actor is None else actor.person
        pool = await open_in(conn, head=head, new=new, person=person, now=now)
        if new.amount:
            await fund_in(
                conn,
                head=head,
                pool=pool,
                amount=new.amount,
                named=("opening",),
                now=now,
            )
        await audit_events.insert_audit_events(
            conn, at=now, person=person, act="open_pool", subjects=[f"pool/{book}/{pool.id}"]
        )
    return pool


async def fund_pool(
    db: Database, *, actor: Actor | None, book: int, pool: int, amount: int, now: datetime
) -> int | PoolRefused:
    """Put more into a pool, and return the entry. No actor is the operator's command line.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such pool in the actor's county.
    """
    _check_may_fund(actor, book=book)
    if not 0 < amount <= FUND_MAX:
        return PoolRefused(PoolRefusal.AMOUNT_OUT_OF_RANGE)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        found = (await pool_store.list_by_id(conn, book=book, ids=[pool])).get(pool)
        if head is None or found is None:
            raise NotFoundError
        seq = await fund_in(
            conn, head=head, pool=found, amount=amount, named=(head.seq + 1,), now=now
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=None if actor is None else actor.person,
            act="fund_pool",
            subjects=[f"pool/{book}/{pool}", f"entry/{book}/{seq}"],
        )
    return seq


async def open_in(
    conn: AsyncConnection, *, head: Head, new: NewPool, person: UUID | None, now: datetime
) -> Pool:
    """Open a pool with its accounts; the caller holds the book's lock."""
    (number,) = await numbering.take_numbers(conn, book=head.book, noun="pool")
    units = await accounts.register_units(conn, codes=[new.unit])
    pool = Pool(
        book=head.book,
        id=number,
        code=new.code,
        title=cleaned_line(new.title),
        title_en=cleaned_line(new.title_en),
        owner=cleaned_line(new.owner),
        unit=units[new.unit],
        when_out=new.when_out,
        from_on=new.from_on,
        until_on=new.until_on,
    )
    await pool_store.insert_pool(conn, pool=pool, person=person, now=now)
    await pool_accounts(conn, head=head, pools=[pool], now=now)
    return pool


async def fund_in(
    conn: AsyncConnection,
    *,
    head: Head,
    pool: Pool,
    amount: int,
    named: tuple[object, ...],
    now: datetime,
    source: int | None = None,
) -> int:
    """Put an amount into a pool, from the issuing account or from account `source`.

    `named` tells one filling from the next.
    """
    own = (await pool_accounts(conn, head=head, pools=[pool], now=now))[pool.id]
    debit = source
    if debit is None:
        debit = await accounts.issuing_account(conn, head=head, unit=pool.unit, now=now)
    (outcome,) = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                key=service_key(now, "budget", head.book, pool.id, *named),
                kind=TransferKind.BUDGET,
                unit=pool.unit,
                debit=debit,
                credit=own.left,
                amount=amount,
                effective_at=now,
            )
        ],
        now=now,
    )
    if isinstance(outcome, PostingRefused):
        raise AssertionError(f"a filling was refused: {outcome.reason}")
    return outcome.seq


async def pool_accounts(
    conn: AsyncConnection, *, head: Head, pools: Sequence[Pool], now: datetime
) -> dict[int, PoolAccounts]:
    """Return the accounts of pools, opening what is missing; the caller holds the book's lock.

    Shape: one item per pool.
    """
    found: dict[int, PoolAccounts] = {}
    for pool in pools:
        numbers = []
        for kind in (AccountKind.POOL, AccountKind.COMMITTED, AccountKind.PAID):
            opened = await accounts.ensure_accounts(
                conn,
                head=head,
                unit=pool.unit,
                kind=kind,
                owners=[pool.id],
                now=now,
                # A pool cannot promise more than it holds: this is where that is held.
                is_debit_bounded=True,
            )
            numbers.append(opened[pool.id])
        found[pool.id] = PoolAccounts(*numbers)
    return found


async def release(
    conn: AsyncConnection,
    *,
    head: Head,
    pool: Pool,
    amount: int,
    named: tuple[object, ...],
    now: datetime,
) -> int:
    """Give back to a pool what was set aside and is not needed; return the entry."""
    own = (await pool_accounts(conn, head=head, pools=[pool], now=now))[pool.id]
    (outcome,) = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                key=service_key(now, "release", head.book, pool.id, *named),
                kind=TransferKind.RELEASE,
                unit=pool.unit,
                debit=own.committed,
                credit=own.left,
                amount=amount,
                effective_at=now,
            )
        ],
        now=now,
    )
    if not isinstance(outcome, Posted):
        raise AssertionError(f"a release was not posted: {outcome}")
    return outcome.seq


async def left_in(conn: AsyncConnection, *, head: Head, pool: Pool, now: datetime) -> int:
    """Return what a pool holds and has not set aside; the caller holds the book's lock."""
    own = (await pool_accounts(conn, head=head, pools=[pool], now=now))[pool.id]
    return (await balances.balance(conn, book=head.book, account=own.left)).held


def pool_code(pack: Pack, pool: RulePool, *, on: date) -> str:
    """Return the code of a pack's pool in the period of a day."""
    return f"{pack.id}/{pool.id}/{pool.every.period_key(on=on)}"


async def find_available(
    conn: AsyncConnection, *, book: int, packs: Sequence[Pack], on: date
) -> dict[str, int]:
    """Return what may still be promised of each pool that packs name, by `pack/pool`.

    That is what the pool of the day's period holds, or will open with, less what is proposed and
    waits for an office. Where somebody waits for the pool itself nothing is left: nobody overtakes.
    """
    available: dict[str, int] = {}
    for pack in packs:
        for pool in pack.pools:
            code = pool_code(pack, pool, on=on)
            opened = (await pool_store.list_by_code(conn, book=book, codes=[code])).get(code)
            if opened is None:
                before = await _before(conn, book=book, pack=pack, pool=pool, on=on)
                left = 0 if before is None else await _held(conn, before)
                available[f"{pack.id}/{pool.id}"] = pool.opening(on=on, left=left)
                continue
            held = await _held(conn, opened)
            promised, is_waited_for = await entitlements.sum_promised(
                conn, book=book, pool=opened.id
            )
            available[f"{pack.id}/{pool.id}"] = 0 if is_waited_for else max(held - promised, 0)
    return available


async def ensure_rule_pool(
    conn: AsyncConnection,
    *,
    head: Head,
    pack: Pack,
    pool: RulePool,
    unit: str,
    on: date,
    now: datetime,
) -> Pool:
    """Return the pool of a pack in the period of a day, opened and filled as the pack says.

    The caller holds the book's lock. What is carried over comes out of the period before.

    Raises:
        ValueError: The pool holds another unit: one pool is one budget, or one kind of thing.
    """
    code = pool_code(pack, pool, on=on)
    known = (await pool_store.list_by_code(conn, book=head.book, codes=[code])).get(code)
    if known is not None:
        units = await accounts.register_units(conn, codes=[unit])
        if known.unit != units[unit]:
            raise ValueError(f"{code} does not hold {unit}")
        return known
    first_on, last_on = _days_of(pool.every, on=on)
    opened = await open_in(
        conn,
        head=head,
        new=NewPool(
            code=code,
            title=pool.title.zh,
            title_en=pool.title.en,
            owner=pool.owner.zh,
            unit=unit,
            when_out=WhenOut(pool.exhausted.value),
            from_on=first_on,
            until_on=last_on,
            amount=0,
        ),
        person=None,
        now=now,
    )
    before = await _before(conn, book=head.book, pack=pack, pool=pool, on=on)
    left = 0 if before is None else await _held(conn, before)
    fresh = pool.opening(on=on)
    carried = pool.opening(on=on, left=left) - fresh
    if fresh:
        await fund_in(conn, head=head, pool=opened, amount=fresh, named=("opening",), now=now)
    if carried and before is not None:
        source = (await pool_accounts(conn, head=head, pools=[before], now=now))[before.id].left
        await fund_in(
            conn,
            head=head,
            pool=opened,
            amount=carried,
            named=("carried",),
            now=now,
            source=source,
        )
    return opened


async def _before(
    conn: AsyncConnection, *, book: int, pack: Pack, pool: RulePool, on: date
) -> Pool | None:
    """Return the pool of the period before, or None where there was none."""
    if pool.every is Every.LIFETIME:
        return None
    code = pool_code(pack, pool, on=pool.every.first_day(on=on) - timedelta(days=1))
    return (await pool_store.list_by_code(conn, book=book, codes=[code])).get(code)


async def _held(conn: AsyncConnection, pool: Pool) -> int:
    found = await accounts.find_accounts(
        conn, book=pool.book, unit=pool.unit, kind=AccountKind.POOL, owners=[pool.id]
    )
    if pool.id not in found:
        return 0
    return (await balances.balance(conn, book=pool.book, account=found[pool.id])).held


def _days_of(every: Every, *, on: date) -> tuple[date, date | None]:
    """Return the first and the last day of the period of a day."""
    first = every.first_day(on=on)
    match every:
        case Every.LIFETIME:
            return _ALWAYS, None
        case Every.CALENDAR_MONTH:
            return first, add_months(first, 1) - timedelta(days=1)
        case Every.CALENDAR_YEAR | Every.SCHOOL_YEAR:
            return first, add_months(first, 12) - timedelta(days=1)


_ALWAYS = date(2000, 1, 1)
"""The first day of a pool that is filled once: before anything was granted."""


def _check_may_fund(actor: Actor | None, *, book: int) -> None:
    if actor is None:
        return
    if not actor.may(Act.RUN_POLICIES):
        raise NotPermittedError
    if actor.scope is None or not actor.scope.covers(county_code(book)):
        raise NotFoundError


def _refusal(new: NewPool) -> PoolRefusal | None:
    if not _CODE.fullmatch(new.code):
        return PoolRefusal.CODE_MALFORMED
    if not 1 <= len(cleaned_line(new.title)) <= TITLE_LENGTH_MAX:
        return PoolRefusal.TITLE_LENGTH
    if new.until_on is not None and new.until_on < new.from_on:
        return PoolRefusal.DAYS_REVERSED
    if not 0 <= new.amount <= FUND_MAX:
        return PoolRefusal.AMOUNT_OUT_OF_RANGE
    return None


async def find_by_code(conn: AsyncConnection, *, book: int, code: str) -> Pool | None:
    """Return the pool of a code, or None."""
    return (await pool_store.list_by_code(conn, book=book, codes=[code])).get(code)
