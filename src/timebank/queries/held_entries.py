"""Entries that wait for a second person, as those see them who may be that person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, false, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.second_person import HeldEntry, HeldKind
from timebank.store import tables as store


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A held entry in short.

    Attributes:
        title: Of the activity whose shift it is about; None where it is about no shift.
        people: How many would be credited.
        name_sealed: Of who submitted it; None where no name is known.
        is_approved: None while it waits.
    """

    book: int
    number: int
    kind: HeldKind
    organization: str
    title: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    minutes: int
    people: int
    submitted_by: UUID
    submitted_at: datetime
    name_sealed: bytes | None
    decided_at: datetime | None
    is_approved: bool | None
    reason: str | None


async def list_held(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    scope: Scope | None,
    limit: int = 50,
) -> list[HeldLine]:
    """Return the entries of one's organizations, or of those at home in one's division.

    Shape: those that wait first, longest first; then the decided, newest first.

    Cost: one statement.
    """
    e = store.held_entry.c
    rows = await conn.execute(
        _lines(organizations, scope)
        .order_by(
            e.decided_at.is_not(None),
            e.decided_at.desc(),
            e.submitted_at,
        )
        .limit(limit)
    )
    return [_line(row) for row in rows]


async def find_held(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    scope: Scope | None,
    book: int,
    number: int,
) -> HeldLine | None:
    """Return one such entry, or None where it is not there for whoever asks."""
    e = store.held_entry.c
    row = (
        await conn.execute(_lines(organizations, scope).where(e.book_id == book, e.id == number))
    ).first()
    return None if row is None else _line(row)


async def list_names(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    scope: Scope | None,
    held: HeldEntry,
) -> dict[VolunteerId, bytes]:
    """Return the sealed names of the people of an entry that whoever asks may see.

    Shape: only those of whom a name is known.
    """
    if (
        await find_held(
            conn, organizations=organizations, scope=scope, book=held.book, number=held.number
        )
        is None
    ):
        return {}
    v, p = store.volunteer.c, store.person.c
    rows = await conn.execute(
        select(v.book_id, v.id, p.name_sealed)
        .join_from(store.volunteer, store.person, p.id == v.person_id)
        .where(
            tuple_(v.book_id, v.id).in_([(each.book, each.id) for each in held.volunteers]),
            p.name_sealed.is_not(None),
        )
    )
    return {VolunteerId(book_id, number): name for book_id, number, name in rows}


def _lines(organizations: Sequence[OrganizationId], scope: Scope | None) -> Any:
    e, o, p = store.held_entry.c, store.organization.c, store.person.c
    h, a = store.shift.c, store.activity.c
    return (
        select(
            e.book_id.label("book"),
            e.id.label("number"),
            e.kind,
            o.name.label("organization"),
            a.title,
            h.starts_at,
            h.ends_at,
            e.minutes,
            e.people,
            e.submitted_by,
            e.submitted_at,
            p.name_sealed,
            e.decided_at,
            e.is_approved,
            e.reason,
        )
        .join_from(
            store.held_entry,
            store.organization,
            and_(o.book_id == e.book_id, o.id == e.organization_id),
        )
        .outerjoin(
            store.shift,
            and_(h.book_id == e.book_id, h.id == e.shift_id),
        )
        .outerjoin(store.activity, and_(a.book_id == h.book_id, a.id == h.activity_id))
        .outerjoin(store.person, p.id == e.submitted_by)
        .where(_is_for(organizations, scope))
    )


def _is_for(organizations: Sequence[OrganizationId], scope: Scope | None) -> ColumnElement[bool]:
    e, o = store.held_entry.c, store.organization.c
    own = tuple_(e.book_id, e.organization_id).in_([(each.book, each.id) for each in organizations])
    if scope is None:
        return own
    codes = scope.codes
    above = and_(
        e.book_id.between(county_of(codes.start), county_of(codes.stop - 1)),
        o.region.between(codes.start, codes.stop - 1),
    )
    return or_(own if organizations else false(), above)


def _line(row: Row[Any]) -> HeldLine:
    return HeldLine(**row._asdict() | {"kind": HeldKind(row.kind)})
