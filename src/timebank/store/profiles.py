"""What volunteers are besides, for counting by age and role; and the training they had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.actor import VolunteerId
from timebank.store import tables
from timebank.store.numbering import take_numbers

_PROFILES = """
    insert into profile as p (
        book_id, volunteer_id, from_on, birth_year, is_party_member, is_social_worker, recorded_at
    )
    select $1, volunteer, from_on, birth_year, is_party_member, is_social_worker, $2
    from unnest($3::bigint[], $4::date[], $5::smallint[], $6::boolean[], $7::boolean[])
        as said(volunteer, from_on, birth_year, is_party_member, is_social_worker)
    on conflict (book_id, volunteer_id, from_on) do update
    set birth_year = excluded.birth_year, is_party_member = excluded.is_party_member,
        is_social_worker = excluded.is_social_worker, recorded_at = excluded.recorded_at
    where (p.birth_year, p.is_party_member, p.is_social_worker)
        is distinct from (excluded.birth_year, excluded.is_party_member, excluded.is_social_worker)
    returning 1
"""

_COPY = text(
    """
    insert into profile (
        book_id, volunteer_id, from_on, birth_year, is_party_member, is_social_worker, recorded_at
    )
    select :to_book, :to_volunteer, from_on, birth_year, is_party_member, is_social_worker, :now
    from profile where book_id = :book and volunteer_id = :volunteer
    on conflict do nothing
    """
)

_TRAININGS = """
    insert into training as t (
        book_id, volunteer_id, held_on, title, provider, minutes, recorded_at
    )
    select $1, volunteer, held_on, title, provider, minutes, $2
    from unnest($3::bigint[], $4::date[], $5::text[], $6::text[], $7::int[])
        as said(volunteer, held_on, title, provider, minutes)
    on conflict (book_id, volunteer_id, held_on, title) do update
    set provider = excluded.provider, minutes = excluded.minutes, recorded_at = excluded.recorded_at
    where (t.provider, t.minutes) is distinct from (excluded.provider, excluded.minutes)
    returning 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a volunteer is from a day on.

    Attributes:
        birth_year: None where nobody said it.
    """

    volunteer: int
    from_on: date
    birth_year: int | None
    is_party_member: bool
    is_social_worker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Training that a volunteer had on a day."""

    volunteer: int
    held_on: date
    title: str
    provider: str
    minutes: int


async def set_profiles(
    conn: AsyncConnection, *, book: int, profiles: Sequence[Profile], now: datetime
) -> int:
    """Record profiles and return how many were new; of the same day the last one said counts.

    Cost: two statements.
    """
    await take_numbers(conn, book=book, noun="volunteer_change")
    driver = await driver_of(conn)
    written = await driver.fetch(
        _PROFILES,
        book,
        now,
        [each.volunteer for each in profiles],
        [each.from_on for each in profiles],
        [each.birth_year for each in profiles],
        [each.is_party_member for each in profiles],
        [each.is_social_worker for each in profiles],
    )
    return len(written)


async def set_trainings(
    conn: AsyncConnection, *, book: int, trainings: Sequence[Training], now: datetime
) -> int:
    """Record training and return how much was new; the same again is corrected.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    written = await driver.fetch(
        _TRAININGS,
        book,
        now,
        [each.volunteer for each in trainings],
        [each.held_on for each in trainings],
        [each.title for each in trainings],
        [each.provider for each in trainings],
        [each.minutes for each in trainings],
    )
    return len(written)


async def delete_profiles(conn: AsyncConnection, *, volunteer: VolunteerId) -> None:
    """Forget for good what a volunteer is besides."""
    c = tables.profile.c
    await conn.execute(
        delete(tables.profile).where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
    )
    await take_numbers(conn, book=volunteer.book, noun="volunteer_change")


async def copy_profiles(
    conn: AsyncConnection, *, volunteer: VolunteerId, to: VolunteerId, now: datetime
) -> None:
    """Keep what somebody is for who they are in another county; what is told there goes first."""
    await conn.execute(
        _COPY,
        {
            "to_book": to.book,
            "to_volunteer": to.id,
            "book": volunteer.book,
            "volunteer": volunteer.id,
            "now": now,
        },
    )
