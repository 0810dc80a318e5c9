"""Activities that imported history belongs to: nobody can sign up for them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of

_FIND = """
    select a.organization_id, a.title, a.field, a.region, min(a.id)
    from unnest($2::bigint[], $3::text[], $4::smallint[], $5::bigint[])
        as named(organization_id, title, field, region)
    join activity a on a.book_id = $1 and a.organization_id = named.organization_id
        and a.title = named.title and a.field = named.field and a.region = named.region
        and not a.is_listed
    group by 1, 2, 3, 4
"""

ActivityKey = tuple[int, str, int, int]
"""Organization, title, field and division: what makes two rows of history one activity."""


async def list_activities(
    conn: AsyncConnection, *, book: int, keys: Sequence[ActivityKey]
) -> dict[ActivityKey, int]:
    """Return the number of each activity of history that exists.

    Shape: one item per key that is known, by key.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(
        _FIND,
        book,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [key[3] for key in keys],
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}
