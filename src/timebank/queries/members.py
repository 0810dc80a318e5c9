"""Whom an organization knows: the people who signed up for its shifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.store import tables as store

MEMBERS_MAX = 60
"""People listed: those of the last shifts; others are found by their number."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who signed up for a shift of the organization, and did not withdraw.

    Attributes:
        name_sealed: For `Seal.open`, to be shown masked; None where none is known.
    """

    volunteer: VolunteerId
    name_sealed: bytes | None
    came_at: datetime


async def list_members(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    only: VolunteerId | None = None,
) -> list[Member]:
    """Return who signed up for shifts of some organizations, those of the last shift first.

    Shape: empty without organizations; `only` leaves one person, also one of long ago.
    """
    a, h, s, v, p = store.activity, store.shift, store.signup, store.volunteer, store.person
    if not organizations:
        return []
    came_at = func.max(h.c.starts_at).label("came_at")
    query = (
        select(v.c.book_id, v.c.id, p.c.name_sealed, came_at)
        .join_from(s, h, and_(h.c.book_id == s.c.shift_book, h.c.id == s.c.shift_id))
        .join(a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(v, and_(v.c.book_id == s.c.book_id, v.c.id == s.c.volunteer_id))
        .outerjoin(p, p.c.id == v.c.person_id)
        .where(
            v.c.ended_at.is_(None),
            s.c.withdrawn_at.is_(None),
            or_(
                *(
                    and_(a.c.book_id == each.book, a.c.organization_id == each.id)
                    for each in organizations
                )
            ),
        )
        .group_by(v.c.book_id, v.c.id, p.c.name_sealed)
        .order_by(came_at.desc(), v.c.book_id, v.c.id)
        .limit(MEMBERS_MAX)
    )
    if only is not None:
        query = query.where(v.c.book_id == only.book, v.c.id == only.id)
    rows = await conn.execute(query)
    return [Member(VolunteerId(row[0], row[1]), row[2], row[3]) for row in rows]
