"""A person and their account come together, once, however often they are sent."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import insert, text
from tests.factories import BOOK, KEY, NINE, TOWN, VILLAGE, World

from timebank.db import Database, driver_of
from timebank.domain.actor import OrganizationId, Role, VolunteerId
from timebank.domain.enrolment import (
    Enrolled,
    EnrolmentRefused,
    Moved,
    MoveRefusal,
    MoveRefused,
    NewVolunteer,
)
from timebank.domain.sign_in import token_hash_of
from timebank.ledger import audit
from timebank.services.enrolment import (
    appoint,
    dismiss,
    enrol_volunteer,
    enrol_volunteers,
    ensure_person,
    move_home,
)
from timebank.services.errors import NotFoundError
from timebank.services.signing_in import sign_in_as
from timebank.store import people, signins, tables
from timebank.store.seal import Seal, SealBrokenError

SEAL = Seal(KEY)
OTHER_VILLAGE = VILLAGE + 1
ABROAD = 330402001001
LATE_EVENING = datetime(2024, 3, 2, 17, 0, tzinfo=UTC)
"""One in the morning of the third, in Haiyan."""


@pytest.fixture
async def villages(db: Database, world: World) -> None:
    await world.open_book()
    async with db.write() as conn:
        await conn.execute(
            insert(tables.region),
            [
                {"code": TOWN, "name": "镇", "level": "town"},
                *(
                    {"code": code, "name": "村", "level": "village"}
                    for code in (VILLAGE, OTHER_VILLAGE, ABROAD)
                ),
            ],
        )


async def make_person(db: Database, phone: str = "13800000001") -> UUID:
    return await ensure_person(db, seal=SEAL, phone=phone, name=None, now=NINE)


async def enrol(
    db: Database, person: UUID, *, name: str = "张三", village: int = VILLAGE
) -> Enrolled | EnrolmentRefused:
    return await enrol_volunteer(
        db, seal=SEAL, person=person, name=name, village=village, now=LATE_EVENING
    )


async def test_enrolling_makes_the_volunteer_the_account_and_the_home(
    db: Database, villages: None, owner: asyncpg.Connection
) -> None:
    person = await make_person(db)

    assert await enrol(db, person, name=" 张三 ") == Enrolled(VolunteerId(BOOK, 1))

    account = await owner.fetchrow(
        "select a.* from volunteer v join account a on (a.book_id, a.id) = (v.book_id, v.minutes_account)"
    )
    assert (account["unit"], account["kind"], account["owner"]) == (1, 2, 1)
    home = await owner.fetchrow("select * from residence")
    assert (home["region"], home["from_on"]) == (VILLAGE, date(2024, 3, 3))
    async with db.read() as conn:
        found = await people.find_person(conn, seal=SEAL, person=person)
        with pytest.raises(SealBrokenError):
            await people.find_person(conn, seal=Seal(b"x" * 32), person=person)
    assert found == people.Person(person, "13800000001", "张三")


@pytest.mark.parametrize(
    ("name", "village", "reason"),
    [
        (" ", TOWN, "enrolment.name_length"),
        ("张" * 51, TOWN, "enrolment.name_length"),
        ("张三", TOWN, "enrolment.village_unknown"),
        ("张三", VILLAGE + 7, "enrolment.village_unknown"),
        ("张三", ABROAD, "enrolment.county_not_open"),
        ("张三", VILLAGE, "enrolment.already_enrolled"),
    ],
)
async def test_an_enrolment_is_refused(
    db: Database, villages: None, owner: asyncpg.Connection, name: str, village: int, reason: str
) -> None:
    person = await make_person(db)
    await enrol(db, person)

    outcome = await enrol(db, person, name=name, village=village)

    assert isinstance(outcome, EnrolmentRefused)
    assert outcome.reason == reason
    assert await owner.fetchval("select count(*) from volunteer") == 1


async def test_ten_simultaneous_enrolments_make_one_volunteer(
    db: Database, villages: None, owner: asyncpg.Connection
) -> None:
    person = await make_person(db)

    outcomes = await asyncio.gather(*(enrol(db, person) for _ in range(10)))

    assert sum(isinstance(outcome, Enrolled) for outcome in outcomes) == 1
    assert await owner.fetchval("select count(*) from account where kind = 2") == 1


async def test_nobody_is_enrolled_who_does_not_exist(db: Database, villages: None) -> None:
    with pytest.raises(NotFoundError):
        await enrol(db, uuid4())


def newcomer(number: int, *, phone: str | None = None, name: str | None = None) -> NewVolunteer:
    return NewVolunteer(
        reference=f"H{number}", name=name, phone=phone, village=VILLAGE, enrolled_at=LATE_EVENING
    )


async def enrol_all(db: Database, newcomers: list[NewVolunteer]) -> list[VolunteerId]:
    return await enrol_volunteers(db, seal=SEAL, book=BOOK, people=newcomers, now=NINE)


async def test_a_reference_is_one_volunteer_for_ever(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    await world.open_book()
    first = await enrol_all(db, [newcomer(1), newcomer(2), newcomer(1)])
    again = await enrol_all(db, [newcomer(2), newcomer(3), newcomer(1)])

    assert [each.id for each in first] == [1, 2, 1]
    assert [each.id for each in again] == [2, 3, 1]
    for table in ("volunteer", "person", "residence"):
        assert await owner.fetchval(f"select count(*) from {table}") == 3
    assert await owner.fetchval("select accounts from book") == 4
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_who_signed_in_before_is_recognised_by_phone_and_a_family_shares_none(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    await world.open_book()
    person = await make_person(db, "13800000001")

    await enrol_all(
        db,
        [
            newcomer(1, phone="138 0000 0001", name="张三"),
            newcomer(2, phone="13800000001", name="张四"),
            newcomer(3, phone="13800000002", name="李五"),
        ],
    )
    await enrol_all(db, [newcomer(4, phone="13800000002", name="李六")])

    rows = await owner.fetch(
        "select v.reference, p.* from volunteer v join person p on p.id = v.person_id"
        " order by v.reference"
    )
    assert [SEAL.open(row["name_sealed"]) for row in rows] == ["张三", "张四", "李五", "李六"]
    assert [row["phone_mac"] is not None for row in rows] == [True, False, True, False]
    assert rows[0]["id"] == person


async def test_a_foreign_village_and_a_closed_county_are_refused(
    db: Database, world: World
) -> None:
    with pytest.raises(ValueError, match="county"):
        await enrol_all(db, [replace(newcomer(1), village=ABROAD)])
    with pytest.raises(NotFoundError):
        await enrol_all(db, [newcomer(1)])


async def test_five_thousand_people_cost_as_many_statements_as_ten(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    await world.open_book()
    statements: list[str] = []
    async with db.write() as conn:
        await conn.execute(text("select 1"))
        driver = await driver_of(conn)
        driver.add_query_logger(lambda record: statements.append(record.query))
    counts = []
    for size, offset in ((10, 0), (10, 100), (5_000, 1_000)):
        statements.clear()
        await enrol_all(
            db,
            [
                newcomer(number, phone=f"139{number:08}", name="李四")
                for number in range(offset, offset + size)
            ],
        )
        counts.append(len(statements))

    assert counts[1] == counts[2] <= 20, statements


async def test_a_volunteer_moves_within_the_county(
    db: Database, villages: None, owner: asyncpg.Connection
) -> None:
    enrolled = await enrol(db, await make_person(db))
    assert isinstance(enrolled, Enrolled)

    async def move(village: int, from_on: date) -> Moved | MoveRefused:
        return await move_home(
            db, volunteer=enrolled.volunteer, village=village, from_on=from_on, now=NINE
        )

    april = date(2024, 4, 1)
    assert await move(VILLAGE + 7, april) == MoveRefused(MoveRefusal.VILLAGE_UNKNOWN)
    assert await move(ABROAD, april) == MoveRefused(MoveRefusal.OTHER_COUNTY)
    assert await move(OTHER_VILLAGE, date(2024, 3, 2)) == MoveRefused(MoveRefusal.TOO_EARLY)
    assert await move(OTHER_VILLAGE, april) == Moved(OTHER_VILLAGE, april)
    assert await move(VILLAGE, april) == Moved(VILLAGE, april)
    assert await owner.fetchval("select count(*) from residence") == 2


async def test_roles_begin_and_end_and_are_written_down(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    await world.open_book()
    team = await world.organization()
    person, administrator = await make_person(db), uuid4()

    async def roles_at(token: bytes) -> tuple[set[str], int | None]:
        await sign_in_as(db, person=person, token=token, now=NINE)
        async with db.glance() as conn:
            actor = await signins.find_actor(conn, token_hash=token_hash_of(token), now=NINE)
        assert actor is not None
        return {role.value for role in actor.roles}, actor.scope and actor.scope.region

    for _ in range(2):
        await appoint(
            db, person=person, role=Role.ORGANIZER, organization=team, by=administrator, now=NINE
        )
    await appoint(db, person=person, role=Role.OFFICER, region=TOWN, by=None, now=NINE)
    await appoint(db, person=person, role=Role.OFFICER, region=VILLAGE, by=None, now=NINE)
    assert await roles_at(b"1") == ({"role.organizer", "role.officer"}, VILLAGE)

    await dismiss(
        db, person=person, role=Role.ORGANIZER, organization=team, by=administrator, now=NINE
    )
    assert await roles_at(b"2") == ({"role.officer"}, VILLAGE)
    with pytest.raises(NotFoundError):
        await dismiss(db, person=person, role=Role.ORGANIZER, organization=team, by=None, now=NINE)

    acts = [row["act"] for row in await owner.fetch("select act from audit_event order by act")]
    assert acts == ["appoint"] * 3 + ["dismiss"]


@pytest.mark.parametrize(
    ("role", "organization", "region"),
    [
        (Role.VOLUNTEER, None, None),
        (Role.ORGANIZER, None, None),
        (Role.OFFICER, None, None),
        (Role.ADMINISTRATOR, None, TOWN),
        (Role.OFFICER, OrganizationId(BOOK, 1), TOWN),
    ],
)
async def test_a_role_is_held_where_it_can_be(
    db: Database, role: Role, organization: OrganizationId | None, region: int | None
) -> None:
    with pytest.raises(ValueError, match="a"):
        await appoint(
            db,
            person=uuid4(),
            role=role,
            organization=organization,
            region=region,
            by=None,
            now=NINE,
        )
