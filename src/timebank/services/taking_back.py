"""A grant is taken back, whole or in part; what was used already becomes a visible debt.

Whoever calls holds the book's lock.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.entitlement import Standing, StepKind, TakenBack
from timebank.domain.posting import Entry, Posted, reversal_of
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.ledger import accounts, balances, corrections, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services import pools
from timebank.store import pools as pool_store


async def take_back(
    conn: AsyncConnection,
    *,
    head: Head,
    standing: Standing,
    taken: TakenBack,
    person: UUID | None,
    reason: str,
    now: datetime,
) -> None:
    """Take back of an issued grant what was decided, and write the step.

    All of it is the reversal of its entry. A part is an entry of its own. What its pool had set
    aside and nobody used goes back into the pool; what was used goes back when it is repaid.
    """
    amount = taken.unused + taken.owed
    if amount == 0:
        standing.take(StepKind.CLEARED, at=now, person=person, note=reason)
        await entitlements.write_steps(conn, book=head.book, standings=[standing])
        return
    entry = await _issued(conn, head, standing)
    cover = await cover_of(conn, head=head, entry=entry, missing=taken.owed, now=now)
    if amount == standing.of.amount:
        key = service_key(entry.transfer.effective_at, "reversal", head.book, entry.seq)
        back = reversal_of(entry, key=key)
    else:
        back = entry.transfer._replace(
            key=service_key(now, "claw", head.book, standing.of.id, standing.steps + 1),
            kind=TransferKind.CLAW,
            debit=entry.transfer.credit,
            credit=entry.transfer.debit,
            amount=amount,
            effective_at=now,
        )
    transfers = [*cover, back]
    outcomes = await journal.append(
        conn, head=head, transfers=transfers, linked=[range(len(transfers))], now=now
    )
    last = outcomes[-1]
    if not isinstance(last, Posted):
        raise AssertionError(f"a decided clawback was refused: {outcomes}")
    if back.reverses is not None:
        await corrections.append_reason(
            conn, book=head.book, seq=last.seq, person=person, reason=reason
        )
    is_part = standing.left > taken.unused
    standing.take(
        StepKind.REDUCED if is_part else StepKind.REVOKED,
        at=now,
        person=person,
        seq=last.seq,
        amount=taken.unused if is_part else amount,
        note=reason,
    )
    await _release(conn, head=head, standing=standing, amount=taken.unused, seq=last.seq, now=now)
    await entitlements.write_steps(conn, book=head.book, standings=[standing])


async def note_reversed(
    conn: AsyncConnection,
    *,
    head: Head,
    standing: Standing,
    seq: int,
    person: UUID | None,
    reason: str,
    now: datetime,
) -> None:
    """Write down that the entry of a grant was taken back by entry `seq`, for whatever reason."""
    unused = standing.left
    standing.take(
        StepKind.REVOKED,
        at=now,
        person=person,
        seq=seq,
        amount=standing.of.amount,
        note=reason,
    )
    await _release(conn, head=head, standing=standing, amount=unused, seq=seq, now=now)
    await entitlements.write_steps(conn, book=head.book, standings=[standing])


async def cover_of(
    conn: AsyncConnection, *, head: Head, entry: Entry, missing: int, now: datetime
) -> list[Transfer]:
    """Return what fills a volunteer's account to what is taken back from it; none where enough.

    It comes from an account of what the volunteer owes, which later grants of the unit settle.
    """
    volunteer = entry.transfer.volunteer
    if missing <= 0 or volunteer is None:
        return []
    receivables = await accounts.ensure_accounts(
        conn,
        head=head,
        unit=entry.transfer.unit,
        kind=AccountKind.RECEIVABLE,
        owners=[volunteer],
        now=now,
        # It can be settled, never more than that.
        is_credit_bounded=True,
    )
    return [
        Transfer(
            key=service_key(entry.transfer.effective_at, "receivable", head.book, entry.seq),
            kind=TransferKind.ADJUSTMENT,
            unit=entry.transfer.unit,
            debit=receivables[volunteer],
            credit=entry.transfer.credit,
            amount=missing,
            effective_at=now,
            volunteer=volunteer,
        )
    ]


async def _issued(conn: AsyncConnection, head: Head, standing: Standing) -> Entry:
    seqs = await entitlements.list_entries(
        conn, book=head.book, ids=[standing.of.id], kind=StepKind.ISSUED
    )
    entry = await balances.find_entry(conn, book=head.book, seq=seqs[standing.of.id][-1])
    if entry is None:
        raise AssertionError("an issued grant has its entry")
    return entry


async def _release(
    conn: AsyncConnection, *, head: Head, standing: Standing, amount: int, seq: int, now: datetime
) -> None:
    if standing.of.pool is None or not amount:
        return
    found = await pool_store.list_by_id(conn, book=head.book, ids=[standing.of.pool])
    await pools.release(
        conn, head=head, pool=found[standing.of.pool], amount=amount, named=(seq,), now=now
    )
