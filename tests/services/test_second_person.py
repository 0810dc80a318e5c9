"""Hours by one person's word above the county's limit wait, whole, for a second person."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.factories import BOOK, NINE, TOWN, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.closing import AlreadyClosed, Closed, ClosingHeld
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.domain.second_person import ApprovalRefusal, ApprovalRefused, SentBack
from timebank.ledger import audit
from timebank.services.approving import approve
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.closing import close_shift
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.second_person import send_back

ENDS = NINE + timedelta(hours=3)
MANY = 11
"""One more than a county's default."""


def organizer(team: OrganizationId, volunteer: VolunteerId | None = None) -> Actor:
    return Actor(uuid4(), frozenset({Role.ORGANIZER}), volunteer=volunteer, organizations=(team,))


def officer(region: int) -> Actor:
    return Actor(uuid4(), frozenset({Role.OFFICER}), scope=Scope(region))


async def arrive(db: Database, volunteers: list[VolunteerId], shift: ShiftId) -> None:
    scan = Scan(shift.book, shift.id, Direction.ARRIVE, NINE)
    await record_scans(db, requests=[ScanRequest(each, scan) for each in volunteers], now=NINE)


async def close(
    db: Database, actor: Actor, shift: ShiftId, people: list[VolunteerId], hours: int = 2
) -> object:
    return await close_shift(
        db,
        actor=actor,
        shift_book=shift.book,
        shift=shift.id,
        departures=dict.fromkeys(people, NINE + timedelta(hours=hours)),
        now=ENDS,
    )


async def test_what_one_person_cannot_credit_alone_a_second_one_credits_once(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(MANY)
    team, others = await world.organization(), await world.organization()
    shift = await world.shift(organization=team, signed_up=people)
    await arrive(db, people, shift)
    first = organizer(team)

    held = await close(db, first, shift, people, hours=1)
    assert held == ClosingHeld(1)
    # A second submission takes the first one's place: what is agreed to is what was asked last.
    held = await close(db, first, shift, people)
    assert held == ClosingHeld(2)
    before = await owner.fetchrow(
        "select (select count(*) from transfer), (select count(*) from shift where closed_at is not"
        " null), (select count(*) from attendance where left_at is not null)"
    )
    assert tuple(before) == (0, 0, 0)

    async def asked(actor: Actor, number: int = 2) -> object:
        return await approve(db, actor=actor, book=BOOK, number=number, now=ENDS)

    refused = [
        (first, ApprovalRefusal.OWN_ENTRY),
        (organizer(team, volunteer=people[3]), ApprovalRefusal.OWN_HOURS),
    ]
    for actor, reason in refused:
        assert await asked(actor) == ApprovalRefused(reason)
    assert await asked(organizer(team), number=1) == ApprovalRefused(
        ApprovalRefusal.ALREADY_DECIDED
    )
    for stranger in (organizer(others), officer(330424102000)):
        with pytest.raises(NotFoundError):
            await asked(stranger)
        with pytest.raises(NotFoundError):
            await send_back(db, actor=stranger, book=BOOK, number=2, reason="不对", now=ENDS)
    with pytest.raises(NotFoundError):
        await asked(organizer(team), number=3)
    for role in (Role.VOLUNTEER, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(NotPermittedError):
            await asked(Actor(uuid4(), frozenset({role}), scope=Scope(TOWN)))
    assert await owner.fetchval("select count(*) from transfer") == 0

    # Ten who agree at once credit once.
    agreeing = [officer(TOWN) if i % 2 else organizer(team) for i in range(10)]
    outcomes = await asyncio.gather(*(asked(each) for each in agreeing))
    closed = [each for each in outcomes if isinstance(each, Closed)]
    assert len(closed) == 1
    assert set(closed[0].credited.values()) == {120}
    assert all(
        isinstance(each, Closed | AlreadyClosed)
        or each == ApprovalRefused(ApprovalRefusal.ALREADY_DECIDED)
        for each in outcomes
    )
    assert await owner.fetchval("select count(*) from transfer") == MANY
    second = await owner.fetchrow("select * from held_entry where id = 2")
    assert second["is_approved"]
    assert second["decided_by"] != second["submitted_by"]
    acts = await owner.fetch("select act, count(*) from audit_event group by act")
    assert dict(map(tuple, acts))["approve_entry"] == 1
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_what_is_sent_back_credits_nobody_and_can_be_submitted_again(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(MANY)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=people)
    await arrive(db, people, shift)
    first, second = organizer(team), organizer(team)
    await close(db, first, shift, people)

    async def back(actor: Actor, reason: str) -> object:
        return await send_back(db, actor=actor, book=BOOK, number=1, reason=reason, now=ENDS)

    assert await back(first, "不对") == ApprovalRefused(ApprovalRefusal.OWN_ENTRY)
    assert await back(second, " \n ") == ApprovalRefused(ApprovalRefusal.REASON_LENGTH)
    assert await back(second, "人数和签到表不符") == SentBack(ENDS)
    assert await back(second, "再退一次") == ApprovalRefused(ApprovalRefusal.ALREADY_DECIDED)
    assert await approve(db, actor=second, book=BOOK, number=1, now=ENDS) == ApprovalRefused(
        ApprovalRefusal.ALREADY_DECIDED
    )
    assert await owner.fetchval("select count(*) from transfer") == 0
    # Within the limit nobody else is needed.
    closed = await close(db, first, shift, people[:10])
    assert isinstance(closed, Closed)
    assert await owner.fetchval("select count(*) from transfer") == 10


async def test_a_county_sets_its_own_limit_from_a_day_on(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(3)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=people)
    await arrive(db, people, shift)
    await owner.execute(
        "insert into threshold (book_id, name, from_on, set_at, value, source)"
        " values ($1, 'threshold.second_person_people', '2024-03-02', now(), 2, '示例办法')",
        BOOK,
    )
    assert isinstance(await close(db, organizer(team), shift, people), ClosingHeld)
