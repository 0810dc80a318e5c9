"""Makes what is stored for reports again from the journal, and says where it differs."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.ledger import columns
from timebank.ledger.columns import Columns
from timebank.ledger.year_sums import YearSums

_STATES = text(
    """
    select s.noun, s.first_day, s.last_day, s.seq, s.content, b.zone,
        extract(year from date '1970-01-01' + s.first_day)::int as year
    from report_state s join book b on b.id = s.book_id
    where s.book_id = :book order by 1, 2, 3
    """
)


async def find_differing_segments(conn: AsyncConnection, book: int) -> AsyncIterator[str]:
    """Yield each stored segment that is not what its entries make.

    Cost: about half a second for each of 65,536 entries.
    """
    numbers = (await conn.execute(columns.STORED_NUMBERS, {"book": book})).scalars().all()
    for number in numbers:
        asked = columns.segment_asked(book=book, number=number)
        if (await conn.execute(columns.SEGMENT_DIFFERS, asked)).scalar_one():
            yield f"segment {number}"


async def find_differing_states(conn: AsyncConnection, book: int) -> AsyncIterator[str]:
    """Yield each stored state that is not what entries 1 to its own make.

    Cost: that of the entries of its days.
    """
    for row in (await conn.execute(_STATES, {"book": book})).all():
        known = Columns()
        books = await known.catch_up(conn, [(book, row.seq, row.zone)])
        works = books[book].works
        made = await known.fold(
            conn,
            book=books[book],
            key=row.noun,
            span=columns.Span(row.first_day, row.last_day),
            upto=row.seq,
            make=lambda works=works, year=row.year: YearSums(works, year),  # type: ignore[misc]
        )
        if made.packed() != row.content:
            yield f"{row.noun} {row.year} as of entry {row.seq}"
