"""Which roles people hold, where and since when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, PartnerId, Role
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role that a person holds.

    Attributes:
        organization: For an organizer; else None.
        region: The division that an officer or auditor sees; else None.
        partner: For a partner, their shop; else None.
    """

    person: UUID
    role: Role
    organization: OrganizationId | None = None
    region: int | None = None
    partner: PartnerId | None = None


async def is_appointed(conn: AsyncConnection, *, appointment: Appointment) -> bool:
    """Return whether an appointment is in force."""
    found = await conn.scalar(select(1).where(*_is(appointment)).limit(1))
    return found is not None


async def insert_appointment(
    conn: AsyncConnection, *, appointment: Appointment, now: datetime
) -> None:
    """Record an appointment from now on."""
    organization, partner = appointment.organization, appointment.partner
    within = organization or partner
    await conn.execute(
        insert(tables.appointment).values(
            person_id=appointment.person,
            role=appointment.role,
            book_id=within.book if within else None,
            organization_id=organization.id if organization else None,
            region=appointment.region,
            partner_id=partner.id if partner else None,
            from_at=now,
        )
    )


async def set_appointment_ended(
    conn: AsyncConnection, *, appointment: Appointment, now: datetime
) -> bool:
    """End an appointment; False where it was not in force."""
    ended = await conn.execute(
        update(tables.appointment).where(*_is(appointment)).values(until_at=now)
    )
    return ended.rowcount > 0


async def set_regions_ended(conn: AsyncConnection, *, person: UUID, now: datetime) -> None:
    """End whatever appointments give a person a division to see."""
    c = tables.appointment.c
    await conn.execute(
        update(tables.appointment)
        .where(c.person_id == person, c.region.is_not(None), c.until_at.is_(None))
        .values(until_at=now)
    )


async def has_organizer(conn: AsyncConnection, *, organization: OrganizationId) -> bool:
    """Return whether anybody organizes for an organization now."""
    c = tables.appointment.c
    found = await conn.scalar(
        select(1)
        .where(
            c.role == Role.ORGANIZER.value,
            c.book_id == organization.book,
            c.organization_id == organization.id,
            c.until_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


def _is(appointment: Appointment) -> tuple[ColumnElement[bool], ...]:
    c = tables.appointment.c
    organization, partner = appointment.organization, appointment.partner
    within = organization or partner
    return (
        c.person_id == appointment.person,
        c.role == appointment.role.value,
        c.book_id.is_not_distinct_from(within.book if within else None),
        c.organization_id.is_not_distinct_from(organization.id if organization else None),
        c.region.is_not_distinct_from(appointment.region),
        c.partner_id.is_not_distinct_from(partner.id if partner else None),
        c.until_at.is_(None),
    )
