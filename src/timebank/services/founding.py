"""A county comes into being: its divisions, its population, its book."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from timebank.db import Database
from timebank.domain.metric import Residents
from timebank.domain.population import share_out, village_weight
from timebank.domain.region import Level, county_of, subtree
from timebank.ledger import accounts
from timebank.services.errors import NotFoundError
from timebank.store import regions
from timebank.store.regions import Region

ZONE = "Asia/Shanghai"
"""The one legal time of the country whose divisions ship with the product."""

ESTIMATE_SUFFIX = "，按村和社区加权均摊的估算"
"""Follows a source where a figure was derived from it by `share_out`, not counted."""


@dataclass(frozen=True, slots=True)
class CountyFounded:
    """A county whose book is open.

    Attributes:
        is_new: False where the book was open before.
    """

    book: int
    name: str
    is_new: bool


async def found_county(db: Database, *, book: int, now: datetime) -> CountyFounded:
    """Load the divisions and populations that ship with the product and open a county's book.

    Safe to run again: what is known stays as it is.

    Raises:
        NotFoundError: No county with that code ships with the product.
    """
    shipped = _read_regions()
    county = next(
        (each for each in shipped if county_of(each.code) == book and each.level is Level.COUNTY),
        None,
    )
    if county is None:
        raise NotFoundError
    residents = _with_estimates(_read_residents(), shipped)

    async with db.write() as conn:
        await regions.insert_regions(conn, regions=shipped)
        await regions.insert_residents(conn, residents=residents)
        is_new = await accounts.open_book(conn, book=book, zone=ZONE, now=now)
    return CountyFounded(book, county.name, is_new)


@cache
def _read_regions() -> tuple[Region, ...]:
    return tuple(
        Region(
            code=int(row["code"]),
            name=row["name"],
            level=Level(row["level"]),
            parent=int(row["parent_code"]) if row["parent_code"] else None,
        )
        for row in _read("regions_zhejiang.csv")
    )


def _read_residents() -> dict[int, Residents]:
    return {
        int(row["code"]): Residents(
            count=int(row["count"]),
            as_of=date.fromisoformat(row["as_of"]),
            source=row["source"],
            is_estimate=False,
        )
        for row in _read("residents.csv")
    }


def _read(name: str) -> list[dict[str, str]]:
    content = (files("timebank") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(content.splitlines()))


def _with_estimates(
    counted: dict[int, Residents], shipped: Sequence[Region]
) -> dict[int, Residents]:
    """Return the counted populations with estimates for the towns and villages of the counties."""
    found = dict(counted)
    for county, residents in counted.items():
        codes = subtree(county)
        below = [each for each in shipped if each.code in codes]
        shares = share_out(
            residents.count,
            {each.code: village_weight(each.name) for each in below if each.level is Level.VILLAGE},
        )
        towns = dict.fromkeys((each.code for each in below if each.level is Level.TOWN), 0)
        for each in below:
            if each.level is Level.VILLAGE and each.parent is not None:
                towns[each.parent] += shares[each.code]
        estimate = replace(residents, source=residents.source + ESTIMATE_SUFFIX, is_estimate=True)
        for code, count in sorted((shares | towns).items()):
            found.setdefault(code, replace(estimate, count=count))
    return found
