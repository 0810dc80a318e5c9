"""Consents, agreements, policies and courses, and what is missing of them for a shift."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Connection, driver_of
from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.clearance import ClearanceFacts, ConsentKind, Requirement, Risk, list_missing
from timebank.store import tables
from timebank.store.seal import Seal

_FACTS = """
    select named.volunteer, named.shift_book, named.shift, a.risks,
        case when p.of_age_from is null then null else p.of_age_from > day.first end,
        exists (
            select from guardian_consent c
            where c.book_id = $1 and c.volunteer_id = named.volunteer and c.ended_at is null
        ),
        exists (
            select from agreement g
            where g.book_id = $1 and g.volunteer_id = named.volunteer
                and g.activity_book = a.book_id and g.activity_id = a.id
        ),
        exists (
            select from insurance i
            where i.book_id = $1 and i.volunteer_id = named.volunteer
                and i.from_on <= day.first and i.until_on >= day.last
        ),
        exists (
            select from training n
            where n.book_id = $1 and n.volunteer_id = named.volunteer
                and n.held_on <= day.first
                and (
                    (n.organization_book = a.book_id and n.organization_id = a.organization_id)
                    or n.provider = o.name
                )
        )
    from unnest($2::bigint[], $3::int[], $4::bigint[]) as named(volunteer, shift_book, shift)
    join volunteer v on v.book_id = $1 and v.id = named.volunteer
    join shift h on h.book_id = named.shift_book and h.id = named.shift
    join activity a on a.book_id = h.book_id and a.id = h.activity_id
    join organization o on o.book_id = a.book_id and o.id = a.organization_id
    cross join lateral (
        select (h.starts_at at time zone 'Asia/Shanghai')::date as first,
            ((h.ends_at - interval '1 microsecond') at time zone 'Asia/Shanghai')::date as last
    ) day
    left join person p on p.id = v.person_id
"""
"""Training of a register counts where it names the organization. Ages and policies count days of
the one zone that the country's law knows."""

_OF_AGE = date(1900, 1, 1)
"""Stored for who said that they are of age: of them no birthday is asked for."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A guardian's consent in clear.

    Attributes:
        ended_at: None while it holds.
    """

    guardian: str
    phone: str
    how: ConsentKind
    recorded_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Policy:
    """An insurance policy in clear, from its first to its last day."""

    number: str
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Training:
    """A finished course.

    Units: `minutes` of training, never of service.
    """

    course: str
    minutes: int
    trained_on: date
    organization: str


async def list_missing_of(
    conn: Connection, *, book: int, stays: Sequence[tuple[int, int, int]]
) -> Mapping[tuple[int, int, int], tuple[Requirement, ...]]:
    """Return what is missing for each `(volunteer, shift_book, shift)` of a book that exists.

    The transaction has begun. Cost: one statement.
    """
    driver = await driver_of(conn)
    rows = await driver.fetch(_FACTS, book, *(list(each) for each in zip(*stays, strict=True)))
    return {
        (row[0], row[1], row[2]): list_missing(ClearanceFacts(Risk(row[3]), *row[4:]))
        for row in rows
    }


async def list_missing_for(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int
) -> tuple[Requirement, ...]:
    """Return what a volunteer lacks for a shift. The transaction has begun."""
    stay = (volunteer.id, shift_book, shift)
    found = await list_missing_of(conn, book=volunteer.book, stays=[stay])
    return found.get(stay, ())


async def find_of_age_from(conn: AsyncConnection, *, person: UUID) -> date | None:
    """Return from when a person counts as of age; None where they have not said."""
    day: date | None = await conn.scalar(
        select(tables.person.c.of_age_from).where(tables.person.c.id == person)
    )
    return day


async def set_of_age_from(conn: AsyncConnection, *, person: UUID, day: date | None) -> None:
    """Record from when a person counts as of age; None: they say that they are."""
    await conn.execute(
        update(tables.person).where(tables.person.c.id == person).values(of_age_from=day or _OF_AGE)
    )


async def insert_consent(
    conn: AsyncConnection,
    *,
    seal: Seal,
    volunteer: VolunteerId,
    guardian: str,
    phone: str,
    how: ConsentKind,
    by: UUID,
    now: datetime,
) -> None:
    """Record that a guardian agrees."""
    await conn.execute(
        insert(tables.guardian_consent).values(
            book_id=volunteer.book,
            volunteer_id=volunteer.id,
            recorded_at=now,
            guardian_sealed=seal.seal(guardian),
            phone_sealed=seal.seal(phone),
            given_how=how.value,
            recorded_by=by,
        )
    )


async def set_consents_ended(
    conn: AsyncConnection, *, volunteer: VolunteerId, by: UUID, now: datetime
) -> bool:
    """Record that a guardian withdrew; False where no consent held."""
    c = tables.guardian_consent.c
    ended = await conn.execute(
        update(tables.guardian_consent)
        .where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id, c.ended_at.is_(None))
        .values(ended_at=now, ended_by=by)
    )
    return ended.rowcount > 0


async def insert_agreement(
    conn: AsyncConnection,
    *,
    volunteer: VolunteerId,
    activity_book: int,
    activity: int,
    by: UUID,
    now: datetime,
) -> None:
    """Record that a volunteer agreed for an activity; agreeing again changes nothing."""
    await conn.execute(
        upsert(tables.agreement)
        .values(
            book_id=volunteer.book,
            volunteer_id=volunteer.id,
            activity_book=activity_book,
            activity_id=activity,
            agreed_at=now,
            agreed_by=by,
        )
        .on_conflict_do_nothing()
    )


async def insert_policy(
    conn: AsyncConnection,
    *,
    seal: Seal,
    volunteer: VolunteerId,
    number: int,
    policy: Policy,
    by: UUID,
    now: datetime,
) -> None:
    """Record an insurance policy under a number of the book."""
    await conn.execute(
        insert(tables.insurance).values(
            book_id=volunteer.book,
            id=number,
            volunteer_id=volunteer.id,
            from_on=policy.from_on,
            until_on=policy.until_on,
            number_sealed=seal.seal(policy.number),
            recorded_by=by,
            recorded_at=now,
        )
    )


async def set_training(
    conn: AsyncConnection,
    *,
    volunteer: VolunteerId,
    organization: OrganizationId,
    provider: str,
    course: str,
    minutes: int,
    trained_on: date,
    by: UUID,
    now: datetime,
) -> None:
    """Record a finished course; the same course of the same day again corrects it."""
    c = tables.training.c
    said = {
        "provider": provider,
        "minutes": minutes,
        "organization_book": organization.book,
        "organization_id": organization.id,
        "recorded_by": by,
        "recorded_at": now,
    }
    await conn.execute(
        upsert(tables.training)
        .values(
            book_id=volunteer.book,
            volunteer_id=volunteer.id,
            held_on=trained_on,
            title=course,
            **said,
        )
        .on_conflict_do_update(
            index_elements=[c.book_id, c.volunteer_id, c.held_on, c.title], set_=said
        )
    )


async def list_consents(
    conn: AsyncConnection, *, seal: Seal, volunteer: VolunteerId
) -> list[Consent]:
    """Return the consents of a volunteer's guardians, newest first."""
    c = tables.guardian_consent.c
    rows = await conn.execute(
        select(c.guardian_sealed, c.phone_sealed, c.given_how, c.recorded_at, c.ended_at)
        .where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
        .order_by(c.recorded_at.desc())
    )
    return [
        Consent(seal.open(guardian), seal.open(phone), ConsentKind(how), *rest)
        for guardian, phone, how, *rest in rows
    ]


async def list_policies(
    conn: AsyncConnection, *, seal: Seal, volunteer: VolunteerId
) -> list[Policy]:
    """Return a volunteer's insurance policies, the one that lasts longest first."""
    c = tables.insurance.c
    rows = await conn.execute(
        select(c.number_sealed, c.from_on, c.until_on)
        .where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
        .order_by(c.until_on.desc(), c.id.desc())
    )
    return [Policy(seal.open(number), *rest) for number, *rest in rows]


async def list_trainings(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[Training]:
    """Return a volunteer's finished courses, newest first."""
    c = tables.training.c
    rows = await conn.execute(
        select(c.title, c.minutes, c.held_on, c.provider)
        .where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
        .order_by(c.held_on.desc(), c.title)
    )
    return [Training(*row) for row in rows]
