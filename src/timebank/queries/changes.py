"""What was written about a period after an entry: why a published number would be another now."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.period import Period
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.ledger.tables import reversal_reason, transfer

REASONS_MAX = 12
"""How many reasons are named; the others are counted together."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why entries were taken back.

    Attributes:
        text: As it was written; empty where none was given.
    """

    text: str
    entries: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries about a period that came after an entry.

    Attributes:
        late: Services that were recorded later, less what replaced something taken back.
        taken_back: Services that were taken back, each with its reason.
        reasons: By how many entries, most first, at most `REASONS_MAX`.
    """

    late: int
    late_minutes: int
    taken_back: int
    taken_back_minutes: int
    reasons: tuple[Reason, ...]


async def changes_since(
    conn: AsyncConnection, *, scope: Scope, seq: int, period: Period
) -> Changes:
    """Return what the county's book holds about a period after entry `seq`.

    Cost: two statements over the entries after it.
    """
    t, r = transfer.c, reversal_reason.c
    book = county_of(scope.region)
    is_of_period = (
        t.book_id == book,
        t.seq > seq,
        t.volunteer.is_not(None),
        t.assurance.is_not(None),
        t.effective_at >= period.start,
        t.effective_at < period.end,
    )
    is_back = t.reverses.is_not(None)
    sums = (
        await conn.execute(
            select(
                func.count().filter(~is_back),
                func.coalesce(func.sum(t.amount).filter(~is_back), 0),
                func.count().filter(is_back),
                func.coalesce(func.sum(t.amount).filter(is_back), 0),
            ).where(*is_of_period)
        )
    ).one()
    if not sums[2]:
        return Changes(int(sums[0]), int(sums[1]), 0, 0, ())
    text = func.coalesce(r.reason, "")
    rows = await conn.execute(
        select(text, func.count(), func.sum(t.amount))
        .join_from(
            transfer,
            reversal_reason,
            (r.book_id == t.book_id) & (r.seq == t.seq),
            isouter=True,
        )
        .where(*is_of_period, is_back)
        .group_by(text)
        .order_by(func.count().desc(), text)
        .limit(REASONS_MAX)
    )
    return Changes(
        int(sums[0]),
        int(sums[1]),
        int(sums[2]),
        int(sums[3]),
        tuple(Reason(words, count, int(minutes)) for words, count, minutes in rows),
    )
