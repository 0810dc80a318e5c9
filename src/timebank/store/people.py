"""Who people are: phone numbers and names, sealed; what they are appointed to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, in clear.

    Attributes:
        phone: 11 digits; None where unknown or erased.
        name: None before they gave one, or after erasure.
    """

    id: UUID
    phone: str | None
    name: str | None


def phone_mac_of(seal: Seal, phone: str) -> bytes:
    """Return the hash by which a phone number's person is found."""
    return seal.mac(f"phone:{phone}")


async def ensure_person(
    conn: AsyncConnection, *, seal: Seal, phone: str, name: str | None, now: datetime
) -> UUID:
    """Return the person of a phone number, made if there is none. A known name stays.

    Cost: one statement.
    """
    c = tables.person.c
    given = upsert(tables.person).values(
        id=uuid4(),
        phone_mac=phone_mac_of(seal, phone),
        phone_sealed=seal.seal(phone),
        name_sealed=None if name is None else seal.seal(name),
        created_at=now,
    )
    kept = given.on_conflict_do_update(
        index_elements=[c.phone_mac],
        set_={"name_sealed": func.coalesce(c.name_sealed, given.excluded.name_sealed)},
    ).returning(c.id)
    person: UUID = (await conn.execute(kept)).scalar_one()
    return person


async def find_person(conn: AsyncConnection, *, seal: Seal, person: UUID) -> Person | None:
    """Return who somebody is, or None."""
    c = tables.person.c
    row = (await conn.execute(select(c.phone_sealed, c.name_sealed).where(c.id == person))).first()
    if row is None:
        return None
    phone, name = (None if sealed is None else seal.open(sealed) for sealed in row)
    return Person(person, phone, name)
