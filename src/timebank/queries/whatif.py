"""What a what-if stands on: everybody's months in a scope, and who those people are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import kept_of
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.ledger import tables as ledger
from timebank.policy.cube import last_day, month_number
from timebank.policy.ground import Ground
from timebank.policy.rule import Pack
from timebank.policy.timeline import is_in_cube, uses_of
from timebank.queries.cube import read_cube
from timebank.queries.facts import population_facts
from timebank.store import tables as store

_KEPT_MAX = 2
"""Grounds that a process keeps: of a whole county one takes some hundred megabytes."""


async def read_ground(
    conn: AsyncConnection, *, scope: Scope, packs: Sequence[Pack], on: date
) -> Ground | None:
    """Return what scenarios about everybody who lives in a scope stand on; None: no such book.

    Months count that were over on a day. What this process made of the same state is given again.

    Cost: one statement when nothing is new; else those of `read_cube` and of `population_facts`.
    """
    book = county_of(scope.region)
    head = (
        await conn.execute(
            select(ledger.book.c.seq, ledger.book.c.zone).where(ledger.book.c.id == book)
        )
    ).first()
    if head is None:
        return None
    month = month_number(on)
    ended = on if on == last_day(month) else last_day(month - 1)
    uses = uses_of(packs)
    kept: dict[object, Ground] = kept_of(conn).setdefault("whatif", {})  # type: ignore[assignment]
    name = (book, scope.region, head.seq, ended, uses)
    found = kept.get(name)
    if found is None:
        keys = [use.key(on=ended) for use in uses if not is_in_cube(use)]
        population = await population_facts(conn, scope=scope, book=book, keys=keys)
        if population is None:
            return None
        cube = await read_cube(
            conn, scope=scope, book=book, zone=ZoneInfo(head.zone), through=ended
        )
        found = Ground(head.seq, ended, cube, population.columns)
        while len(kept) >= _KEPT_MAX:
            del kept[next(iter(kept))]
        kept[name] = found
    return found


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """One person as an office may be shown them.

    Attributes:
        name_sealed: For `Seal.open`, to be shown masked; None where none is known.
    """

    volunteer: int
    home: int
    name_sealed: bytes | None


async def list_people(
    conn: AsyncConnection, *, scope: Scope, volunteers: Collection[int]
) -> dict[int, NamedPerson]:
    """Return those of some people who live in a scope, by number.

    Shape: nobody who lives elsewhere.
    """
    v, p, r = store.volunteer, store.person, store.residence
    codes = scope.codes
    rows = await conn.execute(
        select(v.c.id, r.c.region, p.c.name_sealed)
        .ext(distinct_on(v.c.id))
        .select_from(v)
        .join(r, (r.c.book_id == v.c.book_id) & (r.c.volunteer_id == v.c.id))
        .outerjoin(p, p.c.id == v.c.person_id)
        .where(v.c.book_id == county_of(scope.region), v.c.id.in_(list(volunteers)))
        .order_by(v.c.id, r.c.from_on.desc())
    )
    return {row[0]: NamedPerson(*row) for row in rows if row[1] in codes}
