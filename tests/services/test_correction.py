"""An entry is taken back once, by whoever answers for it, with a reason that stays."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.factories import BOOK, NINE, TOWN, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role
from timebank.domain.attendance import Direction
from timebank.domain.correction import CorrectionRefusal, CorrectionRefused, Reversed
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.ledger import audit
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.correction import reverse_transfer
from timebank.services.errors import NotFoundError, NotPermittedError

LATER = NINE + timedelta(days=9)
COUNTY = Scope(BOOK * 1_000_000)


def organizer(*organizations: OrganizationId) -> Actor:
    return Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=organizations)


def officer(scope: Scope, role: Role = Role.OFFICER) -> Actor:
    return Actor(uuid4(), frozenset({role}), scope=scope)


@pytest.fixture
async def team(db: Database, world: World) -> OrganizationId:
    """An organization for which one volunteer has served an hour: entry 1."""
    (volunteer,) = await world.volunteers()
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[volunteer])
    for direction, at in ((Direction.ARRIVE, NINE), (Direction.LEAVE, NINE + timedelta(hours=1))):
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)
    return team


async def take_back(
    db: Database, actor: Actor | None, *, seq: int = 1, reason: str = "场次登记有误"
) -> Reversed | CorrectionRefused:
    return await reverse_transfer(db, actor=actor, book=BOOK, seq=seq, reason=reason, now=LATER)


async def test_a_reversal_says_who_and_why(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    actor = organizer(team)

    assert await take_back(db, actor, reason=" 场次登记有误\x00 ") == Reversed(2)

    row = await owner.fetchrow("select * from reversal_reason")
    assert (row["seq"], row["person"], row["reason"]) == (2, actor.person, "场次登记有误")
    assert await owner.fetchval("select sum(minutes) from volunteer_month") == 0
    assert await owner.fetchval("select act from audit_event") == "reverse_transfer"
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_ten_simultaneous_reversals_take_back_once(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    outcomes = await asyncio.gather(*(take_back(db, None) for _ in range(10)))

    assert outcomes.count(Reversed(2)) == 1
    assert outcomes.count(CorrectionRefused(CorrectionRefusal.ALREADY_REVERSED)) == 9
    assert await owner.fetchval("select count(*) from transfer") == 2


@pytest.mark.parametrize(
    ("seq", "reason", "refusal"),
    [
        (2, "。", CorrectionRefusal.REASON_LENGTH),
        (1, "x" * 501, CorrectionRefusal.REASON_LENGTH),
        (2, "再改回来", CorrectionRefusal.IS_REVERSAL),
        (1, "再撤一次", CorrectionRefusal.ALREADY_REVERSED),
    ],
)
async def test_an_entry_stands(
    db: Database, team: OrganizationId, seq: int, reason: str, refusal: CorrectionRefusal
) -> None:
    await take_back(db, None)

    assert await take_back(db, None, seq=seq, reason=reason) == CorrectionRefused(refusal)


async def test_only_who_answers_for_an_entry_takes_it_back(
    db: Database, world: World, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    foreign = await world.organization()

    for actor in (organizer(foreign), officer(Scope(TOWN)), officer(Scope(330402_000000))):
        with pytest.raises(NotFoundError):
            await take_back(db, actor)
    for actor in (officer(COUNTY, Role.AUDITOR), Actor(uuid4(), frozenset({Role.VOLUNTEER}))):
        with pytest.raises(NotPermittedError):
            await take_back(db, actor)
    for nobody in (None, officer(COUNTY), organizer(team)):
        with pytest.raises(NotFoundError):
            await take_back(db, nobody, seq=9)
    assert await owner.fetchval("select count(*) from transfer") == 1

    assert await take_back(db, officer(COUNTY)) == Reversed(2)
