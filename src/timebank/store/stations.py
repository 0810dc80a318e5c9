"""Stations of a county, and what is counted of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.station import Figure, Tier
from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place where service is offered.

    Attributes:
        closed_on: First day without it; None while it is open.
    """

    name: str
    tier: Tier
    region: int
    opened_on: date
    closed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFigure:
    """A count of a station on a day."""

    station: int
    figure: Figure
    as_of: date
    count: int
    source: str


async def list_stations(conn: AsyncConnection, *, book: int) -> dict[int, Station]:
    """Return the stations of a book by number."""
    c = tables.station.c
    rows = await conn.execute(
        select(c.id, c.name, c.tier, c.region, c.opened_on, c.closed_on).where(c.book_id == book)
    )
    return {
        number: Station(
            name=name, tier=Tier(tier), region=region, opened_on=opened_on, closed_on=closed_on
        )
        for number, name, tier, region, opened_on, closed_on in rows
    }


async def insert_stations(
    conn: AsyncConnection, *, book: int, stations: Mapping[int, Station], now: datetime
) -> None:
    """Add stations by number."""
    rows = [_row(book, number, each, now) for number, each in stations.items()]
    if rows:
        await conn.execute(insert(tables.station), rows)


async def set_station(
    conn: AsyncConnection, *, book: int, number: int, station: Station, now: datetime
) -> None:
    """Record that a station is otherwise than was known."""
    c = tables.station.c
    await conn.execute(
        update(tables.station)
        .where(c.book_id == book, c.id == number)
        .values(_row(book, number, station, now))
    )


async def append_figures(
    conn: AsyncConnection, *, book: int, figures: Sequence[StationFigure], now: datetime
) -> int:
    """Record counts and return how many were new; another count of the same takes its place."""
    c = tables.station_figure.c
    rows = await conn.execute(
        select(c.station_id, c.figure, c.as_of, c.number, c.count, c.source)
        .ext(distinct_on(c.station_id, c.figure, c.as_of))
        .where(c.book_id == book)
        .order_by(c.station_id, c.figure, c.as_of, c.number.desc())
    )
    known = {tuple(row[:3]): (row[3], tuple(row[4:])) for row in rows}
    new = []
    for each in figures:
        number, said = known.get((each.station, each.figure.value, each.as_of), (0, ()))
        if said != (each.count, each.source):
            new.append(
                {
                    "book_id": book,
                    "station_id": each.station,
                    "figure": each.figure.value,
                    "as_of": each.as_of,
                    "number": number + 1,
                    "count": each.count,
                    "source": each.source,
                    "recorded_at": now,
                }
            )
    if new:
        await conn.execute(insert(tables.station_figure), new)
    return len(new)


def _row(book: int, number: int, station: Station, now: datetime) -> dict[str, object]:
    return {
        "book_id": book,
        "id": number,
        "name": station.name,
        "tier": station.tier.value,
        "region": station.region,
        "opened_on": station.opened_on,
        "closed_on": station.closed_on,
        "recorded_at": now,
    }
