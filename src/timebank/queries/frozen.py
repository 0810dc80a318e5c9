"""A report that is frozen: counted at one entry over one register, now and whenever it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.as_of import UnknownStateError
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import rate_per_10k
from timebank.domain.publication import PublishedRow
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.queries.people import Register
from timebank.queries.snapshot import Division, HomeCount, Snapshot, State, spread


@dataclass(frozen=True, slots=True)
class Ground:
    """What a report is counted over, besides the entries.

    Attributes:
        divisions: With their populations, every parent before its children.
        aged: How many of the definition's ages live in each of them, where it names ages.
    """

    register: Register
    divisions: Sequence[Division]
    aged: dict[int, int] | None


async def find_ground(
    conn: AsyncConnection,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
    until: datetime | None = None,
) -> Ground | None:
    """Return the people, divisions and populations of a scope of one book as this snapshot shows.

    `until` leaves out people and homes that were recorded later. None where the scope is no known
    division or its book is not open.
    """
    snapshot = await Snapshot.open(conn, scope=scope, as_of=None)
    divisions = [] if snapshot is None else await snapshot.list_divisions(window)
    if snapshot is None or not divisions:
        return None
    state = replace(_only(snapshot), until=until)
    _, people = await snapshot.learn([state])
    register = await snapshot.list_register(people[state.book], state, window, definition)
    aged = None
    if definition.ages is not None:
        found = await snapshot.list_residents_aged(window, definition.ages)
        aged = {region: residents.count for region, residents in found.items()}
    return Ground(register, divisions, aged)


async def count_frozen(
    conn: AsyncConnection,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
    seq: int,
    ground: Ground,
) -> tuple[PublishedRow, ...]:
    """Return the rows of a report of entries 1 to `seq`, whatever else is known by now.

    Raises:
        UnknownStateError: The book is gone, or has no such entry.
    """
    snapshot = await Snapshot.open(conn, scope=scope, as_of=None)
    if snapshot is None or _only(snapshot).head < seq:
        raise UnknownStateError("no such entry in the book of the scope")
    state = replace(_only(snapshot), seq=seq)
    books = await snapshot.columns.catch_up(conn, [(state.book, state.head, state.zone)])
    counted = await snapshot.count_register(
        ground.register, books[state.book], state, window, definition
    )
    return tuple(_rows(ground, counted, definition))


def _only(snapshot: Snapshot) -> State:
    (state,) = snapshot.states
    return state


def _rows(ground: Ground, counted: HomeCount, definition: Definition) -> list[PublishedRow]:
    columns = (counted.registered, counted.active, counted.services, *counted.minutes)
    totals = [spread(ground.divisions, [(counted.homes, numbers)]) for numbers in columns]
    rows = []
    for division in ground.divisions:
        registered, active, services, scanned, confirmed, declared = (
            total[division.region] for total in totals
        )
        match definition.denominator:
            case Denominator.RESIDENTS:
                whole = None if division.residents is None else division.residents.count
            case Denominator.REGISTERED:
                whole = registered
            case Denominator.RESIDENTS_AGED:
                whole = None if ground.aged is None else ground.aged.get(division.region)
        rows.append(
            PublishedRow(
                region=division.region,
                name=division.name,
                level=division.level,
                parent=division.parent,
                residents=division.residents,
                registered=registered,
                active=active,
                rate=rate_per_10k(active, whole),
                services=services,
                minutes_scanned=scanned,
                minutes_confirmed=confirmed,
                minutes_declared=declared,
                whole=whole,
            )
        )
    return rows
