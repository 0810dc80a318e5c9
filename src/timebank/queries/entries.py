"""Entries of a book for a program that keeps a copy: page after page, each the same for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.ledger import export
from timebank.ledger.balances import find_head_seq
from timebank.ledger.export import ReadEntry


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """A page of a book.

    Attributes:
        head: The newest entry of the book.
        entries: In their order; fewer than asked for only where the book ends.
    """

    book: int
    after: int
    head: int
    entries: Sequence[ReadEntry]

    @property
    def last(self) -> int:
        """The last entry of the page, which the next page follows."""
        return self.entries[-1].seq if self.entries else self.after


async def list_entries(
    conn: AsyncConnection, *, scope: Scope, book: int, after: int, limit: int
) -> EntriesPage | None:
    """Return the entries of a book that follow one; None unless all of its county is in the scope.

    Cost: two statements.
    """
    head = await find_head_seq(conn, book=book) if scope.covers(county_code(book)) else None
    if head is None:
        return None
    entries = await export.list_entries(conn, book=book, after=after, limit=limit)
    return EntriesPage(book, after, head, entries)
