"""Who could sit on a panel, and to whom they are close."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Role
from timebank.domain.region import Level, enclosing
from timebank.domain.scope import Scope
from timebank.domain.selecting import Lot, Tie
from timebank.ledger import tables as ledger
from timebank.store import tables as store


@dataclass(frozen=True, slots=True)
class Official:
    """An officer of a county, or of a division within it or above it.

    Attributes:
        name_sealed: For `Seal.open`; None where none is known.
        region: The division that they see.
    """

    person: UUID
    name_sealed: bytes | None
    region: int


async def list_officials(conn: AsyncConnection, *, scope: Scope) -> list[Official]:
    """Return the officers of a county, of its towns and villages, and of what it lies in.

    Shape: one item per person, the highest division first.
    """
    a, p = store.appointment.c, store.person.c
    codes = scope.codes
    within: ColumnElement[bool] = or_(
        and_(a.region >= codes.start, a.region < codes.stop),
        a.region.in_([enclosing(scope.region, each) for each in (Level.CITY, Level.PROVINCE)]),
    )
    rows = await conn.execute(
        select(a.person_id, p.name_sealed, a.region)
        .join_from(store.appointment, store.person, p.id == a.person_id)
        .where(a.role == Role.OFFICER.value, a.until_at.is_(None), within)
        # A higher division has the smaller code.
        .order_by(a.region, a.from_at, a.person_id)
    )
    found: dict[UUID, Official] = {}
    for person, name, region in rows:
        found.setdefault(person, Official(person, name, region))
    return list(found.values())


async def list_ties(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    members: Collection[UUID],
    lots: Collection[Lot],
    since: datetime,
) -> dict[tuple[UUID, int], Tie]:
    """Return on which lots members may not vote, and why: the closest of several reasons.

    Who acts for somebody with consent is close to them; who runs an organization is close to those
    who served for it since an instant.

    Shape: one item per member and lot that are close.

    Raises:
        ValueError: The book lies outside the scope.
    """
    if not scope.covers(book * 1_000_000):
        raise ValueError("the book lies outside the scope")
    lot_of = {each.volunteer: each.number for each in lots}
    v, c = store.volunteer.c, store.consent.c
    found: dict[tuple[UUID, int], Tie] = {}
    for member, volunteer in await _served_for(
        conn, book=book, members=members, volunteers=lot_of, since=since
    ):
        found[member, lot_of[volunteer]] = Tie.ORGANIZATION
    people = await conn.execute(
        select(v.id, v.person_id).where(
            v.book_id == book, v.id.in_(lot_of), v.person_id.is_not(None)
        )
    )
    persons: dict[int, UUID] = {volunteer: person for volunteer, person in people}  # noqa: C416
    mine = await conn.execute(
        select(c.helper, c.volunteer_id).where(
            c.book_id == book, c.volunteer_id.in_(lot_of), c.helper.in_(members)
        )
    )
    for helper, volunteer in mine:
        found[helper, lot_of[volunteer]] = Tie.HELPER
    theirs = await conn.execute(
        select(v.person_id, c.helper)
        .join_from(
            store.consent,
            store.volunteer,
            and_(v.book_id == c.book_id, v.id == c.volunteer_id),
        )
        .where(v.person_id.in_(members), c.helper.in_([*persons.values()]))
    )
    volunteer_of = {person: volunteer for volunteer, person in persons.items()}
    for member, helper in theirs:
        found[member, lot_of[volunteer_of[helper]]] = Tie.HELPER
    for volunteer, person in persons.items():
        if person in members:
            found[person, lot_of[volunteer]] = Tie.SELF
    return found


async def _served_for(
    conn: AsyncConnection,
    *,
    book: int,
    members: Collection[UUID],
    volunteers: Collection[int],
    since: datetime,
) -> list[tuple[UUID, int]]:
    """Return members with the volunteers who served for an organization of theirs."""
    a, t, y = store.appointment.c, ledger.transfer.c, store.activity.c
    rows = await conn.execute(
        select(a.person_id, t.volunteer)
        .join_from(
            store.appointment,
            store.activity,
            and_(y.book_id == a.book_id, y.organization_id == a.organization_id),
        )
        .join(
            ledger.transfer,
            and_(t.activity_book == y.book_id, t.activity == y.id),
        )
        .where(
            a.role == Role.ORGANIZER.value,
            a.person_id.in_(members),
            or_(a.until_at.is_(None), a.until_at >= since),
            t.book_id == book,
            t.volunteer.in_(volunteers),
            t.effective_at >= since,
        )
        .distinct()
    )
    return [(member, volunteer) for member, volunteer in rows]
