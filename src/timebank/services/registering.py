"""A district's registers become rows of the store: a file whole, or not at all."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import OrganizationId
from timebank.domain.metric import Residents
from timebank.domain.organization import OrganizationKind
from timebank.domain.period import local_day
from timebank.domain.region import county_code
from timebank.domain.register_row import (
    Read,
    Register,
    RegisterRefusal,
    Row,
    RowRefused,
    Setting,
    find_columns,
    read_rows,
)
from timebank.domain.volunteer_number import parse_number
from timebank.policy.attestation import detail_of, value_of
from timebank.services import importing, service_file
from timebank.services.service_file import ImportFileError
from timebank.store import (
    activities,
    attestations,
    audit_events,
    history,
    numbering,
    organizations,
    profiles,
    reaches,
    regions,
    stations,
    volunteers,
)
from timebank.store.activities import Activity
from timebank.store.attestations import Attestation
from timebank.store.organizations import Organization
from timebank.store.profiles import Profile, Training
from timebank.store.reaches import Reach
from timebank.store.stations import Station, StationFigure

_ROWS_MAX = 500_000
"""The longest register: a profile of every volunteer of a large county."""


@dataclass(slots=True)
class RegisterResult:
    """What became of a register.

    Attributes:
        rows: Rows that are not empty, without the header.
        rows_written: Rows that said something new; 0 where any was refused.
        rows_known: Rows that said what was known.
        refused: Every cell that stands in the way.
    """

    file: str
    register: Register
    rows: int = 0
    rows_written: int = 0
    rows_known: int = 0
    refused: list[RowRefused] = field(default_factory=list)


async def import_register(
    db: Database, *, book: int, register: Register, path: Path, now: datetime
) -> RegisterResult:
    """Take a register from a file, CSV or Excel; where one row is refused, nothing is taken.

    The same file again changes nothing.

    Raises:
        NotFoundError: The county's book is not open.
        ImportFileError: The file as a whole cannot be read.
    """
    with service_file.opened(path) as source:
        if source.first is None:
            raise ImportFileError(code="file.empty", sentence="The file is empty.")
        header = source.first
        lines = [
            line for part in source.parts for line in zip(part.numbers, part.rows, strict=True)
        ]
    return await take_register(
        db, book=book, register=register, header=header, lines=lines, file=path.name, now=now
    )


async def take_register(
    db: Database,
    *,
    book: int,
    register: Register,
    header: Sequence[object],
    lines: Sequence[tuple[int, Sequence[object]]],
    file: str,
    now: datetime,
) -> RegisterResult:
    """Take rows that were read from a file, each with its line.

    Raises:
        NotFoundError: The county's book is not open.
        ImportFileError: The header names too few columns, or the file is too long.
    """
    if len(lines) > _ROWS_MAX:
        raise ImportFileError(
            code="file.too_long", sentence=f"The file has more than {_ROWS_MAX:,} rows."
        )
    try:
        columns = find_columns(register, header)
    except KeyError as error:
        raise ImportFileError(
            code="file.column_missing",
            sentence=f"The first row does not name the column {error.args[0]} once.",
        ) from None
    found = await importing.find_setting(db, book=book)
    setting = Setting(found.places, local_day(now, zone=found.zone))
    read = read_rows(register, lines, columns=columns, cells=len(header), setting=setting)
    result = RegisterResult(file, register, rows=len(lines), refused=list(read.refused))
    if result.refused:
        return result
    async with db.write() as conn:
        taken = await _TAKE[register](conn, _Taking(book, file, now), read)
        if isinstance(taken, int):
            result.rows_written, result.rows_known = taken, len(read.rows) - taken
            await audit_events.insert_audit_events(
                conn, at=now, person=None, act=f"take_{register}", subjects=[f"book/{book}/{file}"]
            )
        else:
            result.refused = taken
    return result


@dataclass(frozen=True, slots=True)
class _Taking:
    book: int
    file: str
    now: datetime


Taken = int | list[RowRefused]
"""How many rows said something new, or why none was taken."""


async def _take_sessions(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    known = await _resolve_activities(conn, taking, read)
    found = [
        Reach(
            activity=known[_activity_of(row)],
            held_on=_as(date, row["day"]),
            times=_as(int, row["times"]),
            people=_as_or_none(int, row["people"]),
            households=_as_or_none(int, row["households"]),
            source=taking.file,
        )
        for row in read.rows.values()
    ]
    return await reaches.append_reaches(
        conn, book=taking.book, reaches=found, by=None, now=taking.now
    )


async def _take_stations(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    known = await stations.list_stations(conn, book=taking.book)
    by_name = {each.name: number for number, each in known.items()}
    said = [
        Station(
            name=_as(str, row["name"]),
            tier=_as(Any, row["tier"]),
            region=_as(int, row["place"]),
            opened_on=_as(date, row["opened_on"]),
            closed_on=_as_or_none(date, row["closed_on"]),
        )
        for row in read.rows.values()
    ]
    new = [each for each in said if each.name not in by_name]
    other = {
        by_name[each.name]: each
        for each in said
        if each.name in by_name and known[by_name[each.name]] != each
    }
    if new:
        numbers = await numbering.take_numbers(
            conn, book=taking.book, noun="station", count=len(new)
        )
        await stations.insert_stations(
            conn,
            book=taking.book,
            stations=dict(zip(numbers, new, strict=True)),
            now=taking.now,
        )
    for number, station in other.items():
        await stations.set_station(
            conn, book=taking.book, number=number, station=station, now=taking.now
        )
    return len(new) + len(other)


async def _take_figures(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    known = await stations.list_stations(conn, book=taking.book)
    by_name = {each.name: number for number, each in known.items()}
    refused = [
        RowRefused(line, "station", RegisterRefusal.STATION_UNKNOWN, str(row["station"]))
        for line, row in read.rows.items()
        if row["station"] not in by_name
    ]
    if refused:
        return refused
    figures = [
        StationFigure(
            station=by_name[_as(str, row["station"])],
            figure=_as(Any, row["figure"]),
            as_of=_as(date, row["as_of"]),
            count=_as(int, row["count"]),
            source=_as(str, row["source"]),
        )
        for row in read.rows.values()
    ]
    return await stations.append_figures(conn, book=taking.book, figures=figures, now=taking.now)


async def _take_profiles(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    found = await _resolve_volunteers(conn, taking, read)
    if isinstance(found, list):
        return found
    return await profiles.set_profiles(
        conn,
        book=taking.book,
        profiles=[
            Profile(
                volunteer=found[line],
                from_on=_as(date, row["since"]),
                birth_year=_as_or_none(int, row["birth_year"]),
                is_party_member=_as(bool, row["party_member"]),
                is_social_worker=_as(bool, row["social_worker"]),
            )
            for line, row in read.rows.items()
        ],
        now=taking.now,
    )


async def _take_trainings(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    found = await _resolve_volunteers(conn, taking, read)
    if isinstance(found, list):
        return found
    return await profiles.set_trainings(
        conn,
        book=taking.book,
        trainings=[
            Training(
                volunteer=found[line],
                held_on=_as(date, row["day"]),
                title=_as(str, row["title"]),
                provider=_as(str, row["provider"]),
                minutes=_as(int, row["minutes"]),
            )
            for line, row in read.rows.items()
        ],
        now=taking.now,
    )


async def _take_residents(conn: AsyncConnection, _: _Taking, read: Read) -> Taken:
    return await regions.append_residents(
        conn,
        residents=[
            (
                _as(int, row["place"]),
                _as(Any, row["ages"]),
                Residents(
                    count=_as(int, row["count"]),
                    as_of=_as(date, row["as_of"]),
                    source=_as(str, row["source"]),
                    is_estimate=_as(bool, row["estimate"]),
                ),
            )
            for row in read.rows.values()
        ],
    )


async def _take_attestations(conn: AsyncConnection, taking: _Taking, read: Read) -> Taken:
    found = await _resolve_volunteers(conn, taking, read)
    if isinstance(found, list):
        return found
    said: list[Attestation] = []
    refused: list[RowRefused] = []
    for line, row in read.rows.items():
        fact, detail = _as(str, row["fact"]), _as(str, row["detail"])
        since, until = _as(date, row["since"]), _as_or_none(date, row["until"])
        text = _as(str, row["value"])
        value = value_of(fact, detail, text)
        if isinstance(value, str):
            word = {"fact": fact, "detail": detail, "value": text}[value]
            refused.append(RowRefused(line, value, RegisterRefusal.WORD_UNKNOWN, word))
        elif until is not None and until < since:
            refused.append(
                RowRefused(line, "until", RegisterRefusal.DAYS_DISORDERED, until.isoformat())
            )
        else:
            said.append(
                Attestation(
                    volunteer=found[line],
                    fact=fact,
                    detail=detail_of(fact, detail),
                    from_on=since,
                    through_on=until,
                    value=value,
                    source=_as(str, row["source"]),
                )
            )
    if refused:
        return refused
    return await attestations.insert_attestations(
        conn, book=taking.book, attestations=said, person=None, now=taking.now
    )


_TAKE: Mapping[Register, Callable[[AsyncConnection, _Taking, Read], Awaitable[Taken]]] = {
    Register.SESSIONS: _take_sessions,
    Register.STATIONS: _take_stations,
    Register.FIGURES: _take_figures,
    Register.PROFILES: _take_profiles,
    Register.TRAININGS: _take_trainings,
    Register.RESIDENTS: _take_residents,
    Register.ATTESTATIONS: _take_attestations,
}

_Work = tuple[str, str, int, int]


def _activity_of(row: Row) -> _Work:
    """Return organization, title, field and place: what makes two rows one activity."""
    return (
        _as(str, row["organization"]),
        _as(str, row["activity"]),
        int(_as(int, row["field"])),
        _as(int, row["place"]),
    )


async def _resolve_activities(
    conn: AsyncConnection, taking: _Taking, read: Read
) -> dict[_Work, int]:
    """Return the number of every activity that rows name; those of history are made if missing."""
    book = taking.book
    # The numbering's row is the lock of the names, too: two files make nothing twice.
    await numbering.take_numbers(conn, book=book, noun="reach")
    works = list(dict.fromkeys(_activity_of(row) for row in read.rows.values()))
    names = list(dict.fromkeys(work[0] for work in works))
    of = {
        name: found.id
        for name, found in (await organizations.list_by_name(conn, book=book, names=names)).items()
    }
    new_names = [name for name in names if name not in of]
    if new_names:
        numbers = await numbering.take_numbers(
            conn, book=book, noun="organization", count=len(new_names)
        )
        of.update(zip(new_names, numbers, strict=True))
        await organizations.insert_organizations(
            conn,
            organizations=[
                Organization(
                    OrganizationId(book, of[name]),
                    name,
                    OrganizationKind.TEAM,
                    county_code(book),
                    taking.now,
                )
                for name in new_names
            ],
        )
    keys = {work: (of[work[0]], work[1], work[2], work[3]) for work in works}
    known = await history.list_activities(conn, book=book, keys=list(keys.values()))
    new = [work for work in works if keys[work] not in known]
    if new:
        numbers = await numbering.take_numbers(conn, book=book, noun="activity", count=len(new))
        known.update(zip((keys[work] for work in new), numbers, strict=True))
        await activities.insert_activities(
            conn,
            activities=[
                Activity(
                    organization=OrganizationId(book, of[work[0]]),
                    id=known[keys[work]],
                    title=work[1],
                    field=work[2],
                    content="",
                    address="",
                    region=work[3],
                    in_charge="",
                    created_by=None,
                    created_at=taking.now,
                    is_listed=False,
                )
                for work in new
            ],
        )
    return {work: known[key] for work, key in keys.items()}


async def _resolve_volunteers(
    conn: AsyncConnection, taking: _Taking, read: Read
) -> dict[int, int] | list[RowRefused]:
    """Return the volunteer of each line, or the lines whose volunteer the book does not know."""
    named = {line: _as(str, row["volunteer"]) for line, row in read.rows.items()}
    numbers = {
        text: number[1]
        for text in set(named.values())
        if (number := parse_number(text)) is not None and number[0] == taking.book
    }
    known = await volunteers.list_creditable(
        conn,
        book=taking.book,
        numbers=list(numbers.values()),
        references=list(set(named.values())),
    )
    ids = {each.id for each in known}
    by_reference = {each.reference: each.id for each in known if each.reference is not None}
    found: dict[int, int] = {}
    refused = []
    for line, text in named.items():
        volunteer = by_reference.get(text) or numbers.get(text)
        if volunteer is None or volunteer not in ids:
            refused.append(RowRefused(line, "volunteer", RegisterRefusal.VOLUNTEER_UNKNOWN, text))
        else:
            found[line] = volunteer
    return refused or found


def _as(kind: Any, value: object) -> Any:
    """Return what a column's reader made; anything else would be a defect of the column."""
    if kind is not Any and not isinstance(value, kind):
        raise TypeError(f"not a {kind.__name__}")
    return value


def _as_or_none(kind: Any, value: object) -> Any:
    return None if value is None else _as(kind, value)
