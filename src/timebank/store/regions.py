"""Administrative divisions and their dated populations."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.definition import AgeBand
from timebank.domain.metric import Residents
from timebank.domain.region import Level, subtree
from timebank.store import tables
from timebank.store.numbering import take_numbers

_INSERT = """
    insert into region (code, name, level, parent)
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
    on conflict (code) do nothing
"""

_INSERT_RESIDENTS = """
    insert into residents (region, as_of, source, count, is_estimate)
    select * from unnest($1::bigint[], $2::date[], $3::text[], $4::bigint[], $5::boolean[])
    on conflict (region, as_of, source) do nothing
"""

_SPANS = (10_000_000_000, 100_000_000, 1_000_000, 1_000, 1)


@dataclass(frozen=True, slots=True)
class Region:
    """An administrative division.

    Attributes:
        code: 12 digits.
        parent: None for a province.
    """

    code: int
    name: str
    level: Level
    parent: int | None


async def find_region(conn: AsyncConnection, *, code: int) -> Region | None:
    """Return a division, or None."""
    found = await _list(conn, tables.region.c.code == code)
    return found[0] if found else None


async def list_subtree(conn: AsyncConnection, *, code: int) -> list[Region]:
    """Return a division and everything below it.

    Shape: in the order of codes, which puts every parent before its children.
    """
    codes = subtree(code)
    c = tables.region.c.code
    return await _list(conn, (c >= codes.start) & (c < codes.stop))


async def list_codes(conn: AsyncConnection) -> frozenset[int]:
    """Return the code of every division that is known."""
    return frozenset((await conn.execute(select(tables.region.c.code))).scalars())


async def list_regions(conn: AsyncConnection, *, codes: Collection[int]) -> list[Region]:
    """Return the divisions of some codes, in their order; unknown ones are left out."""
    return await _list(conn, tables.region.c.code.in_(codes)) if codes else []


async def list_children(conn: AsyncConnection, *, code: int) -> list[Region]:
    """Return the divisions right below one, in the order of their codes."""
    return await _list(conn, tables.region.c.parent == code)


async def list_path(conn: AsyncConnection, *, code: int) -> list[Region]:
    """Return a division with those that contain it, the province first; empty where unknown."""
    codes = {code // span * span for span in _SPANS}
    path = await _list(conn, tables.region.c.code.in_(codes))
    return path if path and path[-1].code == code else []


async def find_residents(conn: AsyncConnection, *, code: int, on: date) -> Residents | None:
    """Return the newest population known of a division on a day, counted before estimated."""
    c = tables.residents.c
    rows = await conn.execute(
        select(c.count, c.as_of, c.source, c.is_estimate)
        .where(c.region == code, c.as_of <= on)
        .order_by(c.as_of.desc(), c.is_estimate, c.source)
        .limit(1)
    )
    row = rows.first()
    return None if row is None else Residents(*row)


async def insert_regions(conn: AsyncConnection, *, regions: Sequence[Region]) -> None:
    """Add divisions; one that is known stays as it is. Cost: two statements."""
    await _note_change(conn)
    driver = await driver_of(conn)
    await driver.execute(
        _INSERT,
        [each.code for each in regions],
        [each.name for each in regions],
        [each.level.value for each in regions],
        [each.parent for each in regions],
    )


async def insert_residents(conn: AsyncConnection, *, residents: dict[int, Residents]) -> None:
    """Add populations by division; one of the same day and source stays. Cost: two statements."""
    await _note_change(conn)
    driver = await driver_of(conn)
    await driver.execute(
        _INSERT_RESIDENTS,
        list(residents),
        [each.as_of for each in residents.values()],
        [each.source for each in residents.values()],
        [each.count for each in residents.values()],
        [each.is_estimate for each in residents.values()],
    )


async def append_residents(
    conn: AsyncConnection, *, residents: Sequence[tuple[int, AgeBand | None, Residents]]
) -> int:
    """Add populations, of everybody or of an age band; return how many were new.

    One of the same day, source and ages stays: what was published by it was counted by it. Another
    count needs another source. Cost: three statements.
    """
    await _note_change(conn)
    whole = [(code, each) for code, ages, each in residents if ages is None]
    aged = [(code, ages, each) for code, ages, each in residents if ages is not None]
    written = 0
    if whole:
        added = await conn.execute(
            insert(tables.residents)
            .values(
                [
                    {
                        "region": code,
                        "as_of": each.as_of,
                        "source": each.source,
                        "count": each.count,
                        "is_estimate": each.is_estimate,
                    }
                    for code, each in whole
                ]
            )
            .on_conflict_do_nothing()
            .returning(tables.residents.c.region)
        )
        written += len(added.all())
    if aged:
        added = await conn.execute(
            insert(tables.residents_aged)
            .values(
                [
                    {
                        "region": code,
                        "as_of": each.as_of,
                        "source": each.source,
                        "first_age": ages.first,
                        "last_age": ages.last,
                        "count": each.count,
                        "is_estimate": each.is_estimate,
                    }
                    for code, ages, each in aged
                ]
            )
            .on_conflict_do_nothing()
            .returning(tables.residents_aged.c.region)
        )
        written += len(added.all())
    return written


async def find_residents_aged(
    conn: AsyncConnection, *, region: int, ages: AgeBand, on: date
) -> int | None:
    """Return how many of some ages live in a division, by the newest source of a day; or None."""
    c = tables.residents_aged.c
    count: int | None = await conn.scalar(
        select(c.count)
        .where(c.region == region, c.first_age == ages.first, c.last_age == ages.last)
        .where(c.as_of <= on)
        .order_by(c.as_of.desc(), c.is_estimate, c.source)
        .limit(1)
    )
    return count


async def _note_change(conn: AsyncConnection) -> None:
    """Count that divisions or populations changed, which are every book's."""
    await take_numbers(conn, book=0, noun="division_change")


async def _list(conn: AsyncConnection, condition: ColumnElement[bool]) -> list[Region]:
    c = tables.region.c
    rows = await conn.execute(
        select(c.code, c.name, c.level, c.parent).where(condition).order_by(c.code)
    )
    return [Region(code, name, Level(level), parent) for code, name, level, parent in rows]
