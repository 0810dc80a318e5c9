"""One service entry of a county, what was taken back of it and what stands in its place."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind
from timebank.ledger import balances
from timebank.ledger import tables as ledger
from timebank.queries import signals
from timebank.queries.signals import EvidenceEntry


@dataclass(frozen=True, slots=True)
class TakenBack:
    """How an entry was taken back.

    Attributes:
        seq: The reversal.
        proof: What proves it; None where nothing was put in its place.
        replacement: The entry that stands in its place, if any.
    """

    seq: int
    at: datetime
    reason: str
    proof: str | None
    replacement: int | None


@dataclass(frozen=True, slots=True)
class OfficeEntry:
    """A service entry as an office looks at it.

    Attributes:
        corrects: The entry in whose place this one stands, if any.
        taken_back: None while it stands.
        owed: What the volunteer must give back, by unit.
    """

    entry: EvidenceEntry
    corrects: int | None
    taken_back: TakenBack | None
    owed: dict[int, int]


async def find_entry(
    conn: AsyncConnection, *, scope: Scope, book: int, seq: int
) -> OfficeEntry | None:
    """Return a service entry of a county that lies in the scope, by its number, or None.

    What was served outside the scope is not there, as on every page of an office.

    Cost: three statements, and one for each unit that the volunteer owes.
    """
    if not scope.covers(county_code(book)):
        return None
    found = await signals.list_entries(conn, scope=scope, book=book, seqs=[seq])
    if not found:
        return None
    t, r = ledger.transfer.alias("taken_back"), ledger.reversal_reason
    why = r.alias("why")
    former = (
        await conn.execute(
            select(t.c.reverses)
            .join_from(r, t, and_(t.c.book_id == r.c.book_id, t.c.seq == r.c.seq))
            .where(r.c.book_id == book, r.c.replacement == seq)
        )
    ).scalar_one_or_none()
    row = (
        await conn.execute(
            select(
                t.c.seq,
                t.c.recorded_at,
                func.coalesce(why.c.reason, ""),
                why.c.evidence,
                why.c.replacement,
            )
            .select_from(t)
            .outerjoin(why, and_(why.c.book_id == t.c.book_id, why.c.seq == t.c.seq))
            .where(t.c.book_id == book, t.c.reverses == seq)
        )
    ).first()
    return OfficeEntry(
        found[0],
        former,
        None if row is None else TakenBack(*row),
        await _owed(conn, found[0].volunteer),
    )


async def _owed(conn: AsyncConnection, volunteer: VolunteerId) -> dict[int, int]:
    a = ledger.account.c
    rows = await conn.execute(
        select(a.unit, a.id).where(
            a.book_id == volunteer.book,
            a.kind == AccountKind.RECEIVABLE,
            a.owner == volunteer.id,
        )
    )
    owed = {
        unit: -(await balances.balance(conn, book=volunteer.book, account=account)).held
        for unit, account in rows.all()
    }
    return {unit: amount for unit, amount in owed.items() if amount > 0}
