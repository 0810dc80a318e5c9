"""Who people are: phone numbers and names, sealed; what they are appointed to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.store import tables
from timebank.store.seal import Seal

_INSERT = """
    insert into person (id, phone_mac, phone_sealed, name_sealed, created_at)
    select id, phone_mac, phone_sealed, name_sealed, $1
    from unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[])
        as given(id, phone_mac, phone_sealed, name_sealed)
    on conflict (phone_mac) do nothing returning id
"""

_BY_PHONE = """
    select phone_mac, id from person where phone_mac = any($1::bytea[]) order by id for update
"""

_NAMES = """
    update person p set name_sealed = given.name_sealed
    from unnest($1::uuid[], $2::bytea[]) as given(id, name_sealed)
    where p.id = given.id and p.name_sealed is null
"""


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


async def find_person_by_phone(conn: AsyncConnection, *, seal: Seal, phone: str) -> UUID | None:
    """Return the person of a phone number, or None."""
    c = tables.person.c
    person: UUID | None = await conn.scalar(
        select(c.id).where(c.phone_mac == phone_mac_of(seal, phone))
    )
    return person


async def lock_person(conn: AsyncConnection, *, person: UUID) -> bool:
    """Lock a person's row until the transaction ends; False where there is none."""
    c = tables.person.c
    found = await conn.scalar(select(c.id).where(c.id == person).with_for_update())
    return found is not None


async def set_name(conn: AsyncConnection, *, seal: Seal, person: UUID, name: str) -> None:
    """Remember a person's name."""
    await conn.execute(
        update(tables.person)
        .where(tables.person.c.id == person)
        .values(name_sealed=seal.seal(name))
    )


async def insert_people(
    conn: AsyncConnection, *, seal: Seal, people: Iterable[Person], now: datetime
) -> set[UUID]:
    """Add people and return those of them who were added: the others' phone is somebody's.

    Cost: two statements and a `COPY`.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    with_phone, without = [], []
    for each in people:
        name_sealed = None if each.name is None else seal.seal(each.name)
        if each.phone is None:
            without.append((each.id, name_sealed, now))
        else:
            mac = phone_mac_of(seal, each.phone)
            with_phone.append((each.id, mac, seal.seal(each.phone), name_sealed))
    added = {row[0] for row in without}
    if without:
        await driver.copy_records_to_table(
            "person", columns=("id", "name_sealed", "created_at"), records=without
        )
    if with_phone:
        # The order of the index: two loads at once wait for each other, they do not deadlock.
        with_phone.sort(key=lambda row: row[1])
        rows = await driver.fetch(_INSERT, now, *zip(*with_phone, strict=True))
        added.update(row[0] for row in rows)
    return added


async def list_locked_by_phone(
    conn: AsyncConnection, *, seal: Seal, phones: Sequence[str]
) -> dict[str, UUID]:
    """Return the person of each phone number that is somebody's, locked until the transaction ends.

    Cost: two statements.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    by_mac = {phone_mac_of(seal, phone): phone for phone in phones}
    rows = await driver.fetch(_BY_PHONE, list(by_mac))
    return {by_mac[mac]: person for mac, person in rows}


async def list_by_phone(
    conn: AsyncConnection, *, seal: Seal, phones: Sequence[str]
) -> dict[str, UUID]:
    """Return the person of each phone number that is somebody's. Cost: one statement."""
    if not phones:
        return {}
    c = tables.person.c
    by_mac = {phone_mac_of(seal, phone): phone for phone in phones}
    rows = await conn.execute(select(c.phone_mac, c.id).where(c.phone_mac.in_(list(by_mac))))
    return {by_mac[mac]: person for mac, person in rows}


async def set_missing_names(
    conn: AsyncConnection, *, seal: Seal, names: Mapping[UUID, str]
) -> None:
    """Remember the names of people of whom none is known. Cost: two statements."""
    await conn.execute(select(1))
    driver = await driver_of(conn)
    await driver.execute(_NAMES, list(names), [seal.seal(name) for name in names.values()])
