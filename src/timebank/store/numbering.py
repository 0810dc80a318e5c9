"""Numbers for the things of a book, given without gaps by one row per kind."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables


async def take_numbers(conn: AsyncConnection, *, book: int, noun: str, count: int = 1) -> range:
    """Return the next numbers of a kind of thing; whoever else takes some waits for the commit.

    Cost: one statement.
    """
    c = tables.numbering.c
    statement = (
        insert(tables.numbering)
        .values(book_id=book, noun=noun, last=count)
        .on_conflict_do_update(index_elements=[c.book_id, c.noun], set_={"last": c.last + count})
        .returning(c.last)
    )
    last: int = (await conn.execute(statement)).scalar_one()
    return range(last - count + 1, last + 1)
