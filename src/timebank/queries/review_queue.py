"""What waits for a reviewer: the signals of a period, less what was settled."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.period import Period, local_day
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.signal import Measure, Review, SignalKind, queue, stake
from timebank.ledger import tables as ledger
from timebank.queries import signals
from timebank.store import reviews, thresholds


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """The signals of a period, with what was decided of each before.

    Attributes:
        waiting: The most minutes first.
        seen: Everything that reaches the county's numbers, settled or not.
    """

    waiting: tuple[tuple[Measure, Review | None], ...]
    seen: tuple[Measure, ...]

    @property
    def flagged(self) -> tuple[int, ...]:
        """The organizations with an open signal, by number."""
        return tuple(
            sorted({each.organization for each, _ in self.waiting if each.organization is not None})
        )

    def find(self, kind: SignalKind, subject: str) -> tuple[Measure, Review | None] | None:
        """Return an open signal, or None."""
        for seen, review in self.waiting:
            if (seen.kind, seen.subject) == (kind, subject):
                return seen, review
        return None


async def find_queues(
    conn: AsyncConnection, *, scope: Scope, period: Period, zone: ZoneInfo
) -> ReviewQueue:
    """Return the signals of every county that a division holds, or of the county that holds it.

    Cost: that of `find_queue` for each of the counties that have a book, and one statement.
    """
    codes = scope.codes
    b = ledger.book.c
    books = await conn.execute(
        select(b.id)
        .where(b.id.between(county_of(codes.start), county_of(codes.stop - 1)))
        .order_by(b.id)
    )
    found = [
        await find_queue(conn, scope=scope, book=book, period=period, zone=zone)
        for book in books.scalars().all()
    ]
    waiting = [each for queue_ in found for each in queue_.waiting]
    return ReviewQueue(
        tuple(sorted(waiting, key=lambda each: -stake(each[0]))),
        tuple(seen for queue_ in found for seen in queue_.seen),
    )


async def find_queue(
    conn: AsyncConnection, *, scope: Scope, book: int, period: Period, zone: ZoneInfo
) -> ReviewQueue:
    """Return the signals of a division in what was recorded in a period.

    Cost: that of `list_measures` and two statements.
    """
    values = await thresholds.find_values(conn, book=book, on=local_day(period.end, zone=zone))
    measures = await signals.list_measures(
        conn, scope=scope, book=book, period=period, thresholds=values, zone=zone
    )
    reviewed = await reviews.list_newest(conn, book=book)
    return ReviewQueue(tuple(queue(measures, thresholds=values, reviews=reviewed)), tuple(measures))
