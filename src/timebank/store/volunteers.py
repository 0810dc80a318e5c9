"""Volunteers of a county's book and where they live."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, cast, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.actor import VolunteerId
from timebank.store import tables
from timebank.store.numbering import take_numbers

_REFERENCES = """
    select v.reference, v.id from unnest($2::text[]) as named(reference)
    join volunteer v on v.book_id = $1 and v.reference = named.reference
"""

_CREDITABLE = """
    select v.id, v.reference, v.minutes_account, v.ended_at
    from volunteer v where v.book_id = $1 and v.id = any($2::bigint[])
    union all
    select v.id, v.reference, v.minutes_account, v.ended_at
    from unnest($3::text[]) as named(reference)
    join volunteer v on v.book_id = $1 and v.reference = named.reference
"""


@dataclass(frozen=True, slots=True)
class Creditable:
    """What must be known of a volunteer to credit service to them.

    Attributes:
        ended_at: When they left this book; None while they are in it.
    """

    id: int
    reference: str | None
    minutes_account: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Named:
    """Who a volunteer is.

    Attributes:
        person: None after erasure.
        name_sealed: For `Seal.open`; None where no name is known.
    """

    person: UUID | None
    name_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A registered person in the book of the county where they live.

    Attributes:
        person: None after erasure.
        reference: Number in the system that the record was imported from.
        minutes_account: The account that holds their served minutes.
        ended_at: When they left this book; None while they are in it.
        registered_at: When they first enrolled, in whatever book; None: `enrolled_at`.
    """

    id: VolunteerId
    person: UUID | None
    reference: str | None
    minutes_account: int
    enrolled_at: datetime
    ended_at: datetime | None = None
    registered_at: datetime | None = None


async def find_volunteer(conn: AsyncConnection, *, volunteer: VolunteerId) -> Volunteer | None:
    """Return a volunteer, or None."""
    c = tables.volunteer.c
    row = (
        await conn.execute(
            select(
                c.person_id,
                c.reference,
                c.minutes_account,
                c.enrolled_at,
                c.ended_at,
                c.registered_at,
            ).where(c.book_id == volunteer.book, c.id == volunteer.id)
        )
    ).first()
    return None if row is None else Volunteer(volunteer, *row)


async def lock_volunteer(conn: AsyncConnection, *, volunteer: VolunteerId) -> bool:
    """Lock a volunteer's row until the transaction ends; False where none is in the book."""
    c = tables.volunteer.c
    found = await conn.scalar(
        select(c.id)
        .where(c.book_id == volunteer.book, c.id == volunteer.id, c.ended_at.is_(None))
        .with_for_update()
    )
    return found is not None


async def persons_of(
    conn: AsyncConnection, *, volunteers: Sequence[VolunteerId]
) -> dict[VolunteerId, UUID]:
    """Return the person of each volunteer; who has none any more is not there.

    Cost: one statement; none for nobody.
    """
    if not volunteers:
        return {}
    c = tables.volunteer.c
    rows = await conn.execute(
        select(c.book_id, c.id, c.person_id).where(
            tuple_(c.book_id, c.id).in_([(each.book, each.id) for each in volunteers]),
            c.person_id.is_not(None),
        )
    )
    return {VolunteerId(book, number): person for book, number, person in rows}


async def find_volunteer_of(
    conn: AsyncConnection, *, person: UUID, book: int
) -> VolunteerId | None:
    """Return the volunteer that a person is, or was, in a book."""
    c = tables.volunteer.c
    number: int | None = await conn.scalar(
        select(c.id).where(c.person_id == person, c.book_id == book)
    )
    return None if number is None else VolunteerId(book, number)


async def list_former(
    conn: AsyncConnection, *, volunteer: VolunteerId
) -> list[tuple[VolunteerId, str]]:
    """Return who somebody was in the counties that they left, with the names of the counties."""
    now = tables.volunteer.alias("now")
    c, own, r = tables.volunteer.c, now.c, tables.region.c
    rows = await conn.execute(
        select(c.book_id, c.id, r.name)
        .join_from(tables.volunteer, now, c.person_id == own.person_id)
        .outerjoin(tables.region, r.code == cast(c.book_id, BigInteger) * 1_000_000)
        .where(
            own.book_id == volunteer.book,
            own.id == volunteer.id,
            c.ended_at.is_not(None),
            c.book_id != volunteer.book,
        )
        .order_by(c.ended_at.desc(), c.book_id)
    )
    return [(VolunteerId(book, number), name or str(book)) for book, number, name in rows]


async def list_named(
    conn: AsyncConnection, *, volunteers: Sequence[VolunteerId]
) -> dict[VolunteerId, Named]:
    """Return who volunteers are; whoever is not in their book is not in the answer.

    Cost: one statement.
    """
    if not volunteers:
        return {}
    v, p = tables.volunteer, tables.person
    rows = await conn.execute(
        select(v.c.book_id, v.c.id, v.c.person_id, p.c.name_sealed)
        .outerjoin_from(v, p, p.c.id == v.c.person_id)
        .where(tuple_(v.c.book_id, v.c.id).in_([(each.book, each.id) for each in volunteers]))
    )
    return {VolunteerId(book, number): Named(*rest) for book, number, *rest in rows}


async def list_by_person(
    conn: AsyncConnection, *, persons: Sequence[UUID]
) -> dict[UUID, VolunteerId]:
    """Return the volunteers that persons are now, wherever they live. Cost: one statement."""
    if not persons:
        return {}
    c = tables.volunteer.c
    rows = await conn.execute(
        select(c.person_id, c.book_id, c.id).where(c.person_id.in_(persons), c.ended_at.is_(None))
    )
    return {person: VolunteerId(book, number) for person, book, number in rows}


async def find_active_of(conn: AsyncConnection, *, person: UUID) -> VolunteerId | None:
    """Return the volunteer that a person is now, in whatever book."""
    c = tables.volunteer.c
    row = (
        await conn.execute(
            select(c.book_id, c.id).where(c.person_id == person, c.ended_at.is_(None)).limit(1)
        )
    ).first()
    return None if row is None else VolunteerId(*row)


async def set_ended(conn: AsyncConnection, *, volunteer: VolunteerId, ended_at: datetime) -> None:
    """Record that a volunteer left a book."""
    c = tables.volunteer.c
    await conn.execute(
        update(tables.volunteer)
        .where(c.book_id == volunteer.book, c.id == volunteer.id)
        .values(ended_at=ended_at)
    )
    await _note_change(conn, volunteer)


async def set_returned(conn: AsyncConnection, *, volunteer: VolunteerId, now: datetime) -> None:
    """Record that a volunteer who had left a book came back to it; how long they were away stays.

    Cost: three statements.
    """
    number = await _note_change(conn, volunteer)
    c = tables.volunteer.c
    is_away = (c.book_id == volunteer.book, c.id == volunteer.id, c.ended_at.is_not(None))
    await conn.execute(
        insert(tables.absence).from_select(
            ["book_id", "volunteer_id", "number", "ended_at", "returned_at"],
            select(c.book_id, c.id, literal(number), c.ended_at, literal(now)).where(*is_away),
        )
    )
    await conn.execute(update(tables.volunteer).where(*is_away).values(ended_at=None))


async def set_registered(
    conn: AsyncConnection, *, volunteer: VolunteerId, registered_at: datetime
) -> None:
    """Record when a volunteer first enrolled, in whatever book."""
    c = tables.volunteer.c
    await conn.execute(
        update(tables.volunteer)
        .where(c.book_id == volunteer.book, c.id == volunteer.id)
        .values(registered_at=registered_at)
    )


async def list_by_reference(
    conn: AsyncConnection, *, book: int, references: Sequence[str]
) -> dict[str, VolunteerId]:
    """Return the volunteers that have a reference.

    Shape: one item per reference that is known, by reference.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(_REFERENCES, book, references)
    return {reference: VolunteerId(book, number) for reference, number in rows}


async def list_creditable(
    conn: AsyncConnection, *, book: int, numbers: Sequence[int], references: Sequence[str]
) -> list[Creditable]:
    """Return the volunteers of a book that have one of the numbers or references, in any order.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(_CREDITABLE, book, numbers, references)
    return [Creditable(*row) for row in rows]


async def is_volunteer(conn: AsyncConnection, *, person: UUID, book: int) -> bool:
    """Return whether a person is a volunteer anywhere, or ever was one of this book."""
    c = tables.volunteer.c
    found = await conn.scalar(
        select(c.id)
        .where(c.person_id == person, c.ended_at.is_(None) | (c.book_id == book))
        .limit(1)
    )
    return found is not None


async def list_persons(conn: AsyncConnection, *, volunteers: Iterable[VolunteerId]) -> set[UUID]:
    """Return who volunteers are, whichever book they are in; the erased are left out."""
    c = tables.volunteer.c
    rows = await conn.execute(
        select(c.person_id).where(
            tuple_(c.book_id, c.id).in_([(each.book, each.id) for each in volunteers]),
            c.person_id.is_not(None),
        )
    )
    return set(rows.scalars())


async def list_persons_enrolled(
    conn: AsyncConnection, *, persons: Sequence[UUID], book: int
) -> set[UUID]:
    """Return which persons are volunteers anywhere, or ever were of this book.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(
        "select person_id from volunteer"
        " where person_id = any($1::uuid[]) and (ended_at is null or book_id = $2)",
        persons,
        book,
    )
    return {row[0] for row in rows}


async def insert_volunteers(conn: AsyncConnection, *, volunteers: Iterable[Volunteer]) -> None:
    """Add volunteers. The transaction has begun. Cost: one `COPY`."""
    driver = await driver_of(conn)
    await driver.copy_records_to_table(
        "volunteer",
        columns=("book_id", "id", "person_id", "reference", "minutes_account", "enrolled_at"),
        records=[
            (
                each.id.book,
                each.id.id,
                each.person,
                each.reference,
                each.minutes_account,
                each.enrolled_at,
            )
            for each in volunteers
        ],
    )


async def insert_residences(
    conn: AsyncConnection, *, homes: Iterable[tuple[VolunteerId, int, date]]
) -> None:
    """Record first homes as `(volunteer, region, first day)`. The transaction has begun.

    Cost: one `COPY`.
    """
    driver = await driver_of(conn)
    await driver.copy_records_to_table(
        "residence",
        columns=("book_id", "volunteer_id", "region", "from_on"),
        records=[(each.book, each.id, region, from_on) for each, region, from_on in homes],
    )


async def find_newest_move(conn: AsyncConnection, *, volunteer: VolunteerId) -> date | None:
    """Return the first day of a volunteer's newest home, or None."""
    c = tables.residence.c
    day: date | None = await conn.scalar(
        select(c.from_on)
        .where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
        .order_by(c.from_on.desc())
        .limit(1)
    )
    return day


async def set_home(
    conn: AsyncConnection, *, volunteer: VolunteerId, region: int, from_on: date, now: datetime
) -> None:
    """Record where a volunteer lives from a day on; another one of the same day is kept as former.

    Cost: three statements.
    """
    number = await _note_change(conn, volunteer)
    c = tables.residence.c
    await conn.execute(
        insert(tables.residence_former).from_select(
            [
                "book_id",
                "volunteer_id",
                "number",
                "from_on",
                "region",
                "recorded_at",
                "replaced_at",
            ],
            select(
                c.book_id,
                c.volunteer_id,
                literal(number),
                c.from_on,
                c.region,
                c.recorded_at,
                literal(now),
            ).where(
                c.book_id == volunteer.book, c.volunteer_id == volunteer.id, c.from_on == from_on
            ),
        )
    )
    home = {"region": region, "recorded_at": now}
    await conn.execute(
        upsert(tables.residence)
        .values(book_id=volunteer.book, volunteer_id=volunteer.id, from_on=from_on, **home)
        .on_conflict_do_update(index_elements=[c.book_id, c.volunteer_id, c.from_on], set_=home)
    )


async def _note_change(conn: AsyncConnection, volunteer: VolunteerId) -> int:
    """Count in the book that somebody moved, left or came back: what is known is read again."""
    (number,) = await take_numbers(conn, book=volunteer.book, noun="volunteer_change")
    return number
