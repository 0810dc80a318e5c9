"""Objections to records and what happened in them; nothing here is ever changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.objection import ObjectionReason, Step, StepKind
from timebank.store import tables
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class Objection:
    """A volunteer's objection to a record.

    Attributes:
        seq: The entry that it is about.
        minutes: What the volunteer says is right; None where nothing was said.
        organization: Who answers first; None: the district.
    """

    volunteer: VolunteerId
    id: int
    seq: int
    reason: ObjectionReason
    minutes: int | None
    organization: OrganizationId | None


async def insert_objection(conn: AsyncConnection, *, objection: Objection) -> None:
    """Add an objection."""
    organization = objection.organization
    await conn.execute(
        insert(tables.objection).values(
            book_id=objection.volunteer.book,
            id=objection.id,
            volunteer_id=objection.volunteer.id,
            seq=objection.seq,
            reason=objection.reason.value,
            minutes=objection.minutes,
            organization_book=None if organization is None else organization.book,
            organization_id=None if organization is None else organization.id,
        )
    )


async def find_objection(conn: AsyncConnection, *, book: int, objection: int) -> Objection | None:
    """Return an objection, or None."""
    c = tables.objection.c
    row = (
        await conn.execute(
            select(
                c.volunteer_id,
                c.seq,
                c.reason,
                c.minutes,
                c.organization_book,
                c.organization_id,
            ).where(c.book_id == book, c.id == objection)
        )
    ).first()
    if row is None:
        return None
    volunteer, seq, reason, minutes, organization_book, organization = row
    return Objection(
        VolunteerId(book, volunteer),
        objection,
        seq,
        ObjectionReason(reason),
        minutes,
        None
        if organization_book is None or organization is None
        else OrganizationId(organization_book, organization),
    )


async def is_raised(conn: AsyncConnection, *, volunteer: VolunteerId, seq: int) -> bool:
    """Say whether a volunteer has objected to an entry, or to what it stands instead of."""
    o, s = tables.objection, tables.objection_step
    found = await conn.scalar(
        select(o.c.id)
        .join_from(o, s, (s.c.book_id == o.c.book_id) & (s.c.objection_id == o.c.id))
        .where(
            o.c.book_id == volunteer.book,
            o.c.volunteer_id == volunteer.id,
            or_(o.c.seq == seq, s.c.replacement == seq),
        )
        .limit(1)
    )
    return found is not None


async def list_steps(conn: AsyncConnection, *, book: int, objection: int) -> list[Step]:
    """Return what happened in an objection, in order."""
    c = tables.objection_step.c
    rows = await conn.execute(
        select(c.kind, c.person_id, c.at, c.replacement)
        .where(c.book_id == book, c.objection_id == objection)
        .order_by(c.step)
    )
    return [Step(StepKind(kind), *rest) for kind, *rest in rows]


async def insert_step(
    conn: AsyncConnection,
    *,
    seal: Seal,
    book: int,
    objection: int,
    step: int,
    kind: StepKind,
    person: UUID,
    text: str,
    at: datetime,
    evidence: str | None = None,
    posted: Sequence[int] = (),
) -> None:
    """Add a step with what was written; `posted` is a reversal and what stands instead."""
    reversal, replacement = (*posted, None, None)[:2]
    await conn.execute(
        insert(tables.objection_step).values(
            book_id=book,
            objection_id=objection,
            step=step,
            kind=kind.value,
            person_id=person,
            at=at,
            evidence=evidence,
            reversal=reversal,
            replacement=replacement,
        )
    )
    await conn.execute(
        insert(tables.objection_text).values(
            book_id=book, objection_id=objection, step=step, text_sealed=seal.seal(text)
        )
    )
