"""Organizations of a county."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId
from timebank.domain.organization import OrganizationKind
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class Organization:
    """Somebody who organizes service."""

    id: OrganizationId
    name: str
    kind: OrganizationKind
    region: int
    opened_at: datetime


async def insert_organizations(
    conn: AsyncConnection, *, organizations: Iterable[Organization]
) -> None:
    """Add organizations. Cost: one statement."""
    rows = [
        {
            "book_id": each.id.book,
            "id": each.id.id,
            "name": each.name,
            "kind": each.kind.value,
            "region": each.region,
            "opened_at": each.opened_at,
        }
        for each in organizations
    ]
    if rows:
        await conn.execute(insert(tables.organization), rows)


async def find_organization(
    conn: AsyncConnection, *, organization: OrganizationId
) -> Organization | None:
    """Return an organization, or None."""
    c = tables.organization.c
    row = (
        await conn.execute(
            select(c.name, c.kind, c.region, c.opened_at).where(
                c.book_id == organization.book, c.id == organization.id
            )
        )
    ).first()
    if row is None:
        return None
    return Organization(organization, row[0], OrganizationKind(row[1]), row[2], row[3])


async def list_by_name(
    conn: AsyncConnection, *, book: int, names: Sequence[str]
) -> dict[str, OrganizationId]:
    """Return the organizations that have a name.

    Shape: one item per name that is known, by name.
    """
    c = tables.organization.c
    rows = await conn.execute(select(c.name, c.id).where(c.book_id == book, c.name.in_(names)))
    return {name: OrganizationId(book, number) for name, number in rows}
