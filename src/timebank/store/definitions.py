"""What rates mean: the definitions that ship with the product, and those that districts decided."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.definition import (
    Definition,
    definition_on,
    parse_definitions,
    read_definition,
)
from timebank.store import tables

ACTIVE_RATE = "active-rate.residents.any-hour"
"""The definition by which a rate is told where nobody names one."""

_SPANS = (10_000_000_000, 100_000_000, 1_000_000, 1_000, 1)


@dataclass(frozen=True, slots=True)
class DecidedDefinition:
    """A definition that a district decided.

    Attributes:
        region: The division that it holds in, and below.
    """

    region: int
    definition: Definition
    decided_at: datetime


@cache
def list_definitions() -> tuple[Definition, ...]:
    """Return every value of every definition that ships, in the order of the file.

    Raises:
        DefinitionError: The file that ships is broken.
    """
    return parse_definitions((files("timebank") / "data" / "definitions.toml").read_text("utf-8"))


def find_definition(name: str = ACTIVE_RATE, *, on: date) -> Definition | None:
    """Return what a name that ships means on a day, or None."""
    return definition_on(list_definitions(), name, on=on)


async def list_definitions_of(conn: AsyncConnection, *, region: int) -> tuple[Definition, ...]:
    """Return every value of every definition that holds in a division: shipped, then decided.

    Cost: one statement.
    """
    decided = await list_decided(conn, region=region)
    return (*list_definitions(), *(each.definition for each in decided))


async def list_decided(conn: AsyncConnection, *, region: int) -> list[DecidedDefinition]:
    """Return what was decided for a division and for those that contain it, the oldest first.

    Cost: one statement.
    """
    d = tables.rate_definition.c
    rows = await conn.execute(
        select(d.region, d.content, d.decided_at)
        .where(d.region.in_({region // span * span for span in _SPANS}))
        .order_by(d.region, d.name, d.valid_from)
    )
    return [
        DecidedDefinition(of, read_definition(json.loads(content)), decided_at)
        for of, content, decided_at in rows
    ]


async def insert_definitions(
    conn: AsyncConnection,
    *,
    region: int,
    definitions: Sequence[Definition],
    person: UUID | None,
    now: datetime,
) -> None:
    """Keep what an office decided. One statement."""
    await conn.execute(
        insert(tables.rate_definition),
        [
            {
                "region": region,
                "name": each.id,
                "valid_from": each.valid_from,
                "content": json.dumps(each.said(), ensure_ascii=False, sort_keys=True),
                "digest": each.hash,
                "decided_by": person,
                "decided_at": now,
            }
            for each in definitions
        ],
    )


def _default() -> Definition:
    found = find_definition(on=date.max)
    if found is None:
        raise AssertionError(f"no definition ships as {ACTIVE_RATE}")
    return found


RESIDENTS_ANY_HOUR = _default()
"""Any recorded service above zero in the calendar year, less reversals, per 10,000 residents."""
