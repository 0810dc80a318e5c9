"""An entry is taken back once, by whoever answers for it, with a reason that stays.

What is right is posted in its place in the same act, and what was spent meanwhile is owed.
"""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from tests.factories import BOOK, NINE, TOWN, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.correction import (
    Corrected,
    Correction,
    CorrectionRefusal,
    CorrectionRefused,
    Reversed,
)
from timebank.domain.posting import Posted
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, Unit, service_key
from timebank.ledger import accounts, audit, balances, journal
from timebank.queries import volunteer as own
from timebank.queries.active_rate import active_rates
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.correction import correct_service, reverse_transfer
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.founding import found_county

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


async def correct(
    db: Database, actor: Actor | None = None, *, seq: int = 1, **changes: object
) -> Corrected | CorrectionRefused:
    return await correct_service(
        db,
        actor=actor,
        book=BOOK,
        seq=seq,
        reason="签退过早",
        evidence=str(changes.pop("evidence", "签到表 2024-17")),
        correction=Correction(**changes),  # type: ignore[arg-type]
        now=LATER,
    )


async def unbroken(db: Database) -> bool:
    async with db.read() as conn:
        return all(
            [await audit.find_broken(conn, book=BOOK, rule=rule) is None for rule in audit.RULES]
        )


async def test_a_correction_shows_both_with_who_why_and_evidence(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    actor = organizer(team)

    assert await correct(db, actor, minutes=90) == Corrected(2, 3)

    row = dict(await owner.fetchrow("select * from reversal_reason"))
    assert row == {
        "book_id": BOOK,
        "seq": 2,
        "person": actor.person,
        "reason": "签退过早",
        "evidence": "签到表 2024-17",
        "replacement": 3,
    }
    async with db.read() as conn:
        records = await own.list_own_records(conn, volunteer=VolunteerId(BOOK, 1))
    assert [(each.seq, each.minutes, each.reverses, each.replaces) for each in records] == [
        (3, 90, None, 1),
        (2, -60, 1, None),
        (1, 60, None, None),
    ]
    assert {(each.reason, each.evidence_note) for each in records} == {
        ("签退过早", "签到表 2024-17")
    }
    # The time was set by a person now: no end of it is measured any more.
    assert [each.measured for each in records] == [0, 3, 3]
    assert await owner.fetchval("select count(*) from batch") == 2
    assert await unbroken(db)


async def test_rollups_and_reports_follow_a_correction_into_another_month_and_field(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    await found_county(db, book=BOOK, now=LATER)

    assert await correct(
        db,
        minutes=45,
        field=ServiceField.TRAFFIC,
        started_at=NINE - timedelta(days=80),
    ) == Corrected(2, 3)

    months = await owner.fetch(
        "select month, minutes, services from volunteer_month where services > 0"
    )
    assert [tuple(row) for row in months] == [(202312, 45, 1)]
    assert await owner.fetchval("select field from transfer where seq = 3") == 11
    async with db.read() as conn:
        this_year = await active_rates(conn, scope=COUNTY, year=2024)
    assert this_year is not None
    assert (this_year.rows[0].active, this_year.rows[0].minutes) == (0, 0)
    assert await unbroken(db)


async def test_another_field_alone_leaves_the_time_measured(
    db: Database, team: OrganizationId
) -> None:
    await correct(db, field=ServiceField.TRAFFIC)

    async with db.read() as conn:
        entry = await balances.find_entry(conn, book=BOOK, seq=3)
    assert entry is not None
    assert entry.transfer.service is not None
    assert (entry.transfer.service.measured, entry.transfer.service.field) == (3, 11)


async def test_a_replacement_can_be_corrected_again(db: Database, team: OrganizationId) -> None:
    assert await correct(db, minutes=90) == Corrected(2, 3)
    assert await correct(db, minutes=80) == CorrectionRefused(CorrectionRefusal.ALREADY_REVERSED)
    assert await correct(db, seq=3, minutes=80) == Corrected(4, 5)

    async with db.read() as conn:
        held = await balances.balance(conn, book=BOOK, account=2)
    assert held.held == 80


async def test_ten_simultaneous_corrections_correct_once(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    outcomes = await asyncio.gather(*(correct(db, minutes=61 + n) for n in range(10)))

    assert outcomes.count(CorrectionRefused(CorrectionRefusal.ALREADY_REVERSED)) == 9
    assert await owner.fetchval("select count(*) from transfer") == 3
    assert await unbroken(db)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"minutes": 0, "evidence": "x"}, CorrectionRefusal.EVIDENCE_LENGTH),
        ({"minutes": 0}, CorrectionRefusal.MINUTES_OUT_OF_RANGE),
        (
            {"minutes": 961, "started_at": LATER + timedelta(1)},
            CorrectionRefusal.MINUTES_OUT_OF_RANGE,
        ),
        ({"started_at": LATER + timedelta(seconds=1)}, CorrectionRefusal.NOT_YET_HAPPENED),
        ({}, CorrectionRefusal.NOTHING_CHANGED),
        ({"minutes": 60, "field": ServiceField.ELDER_CARE}, CorrectionRefusal.NOTHING_CHANGED),
    ],
)
async def test_a_correction_is_refused(
    db: Database,
    team: OrganizationId,
    owner: asyncpg.Connection,
    changes: dict[str, object],
    refusal: CorrectionRefusal,
) -> None:
    assert await correct(db, **changes) == CorrectionRefused(refusal)  # type: ignore[arg-type]
    assert await owner.fetchval("select count(*) from transfer") == 1


async def test_only_who_answers_for_a_service_corrects_it(
    db: Database, world: World, team: OrganizationId
) -> None:
    with pytest.raises(NotFoundError):
        await correct(db, organizer(await world.organization()), minutes=50)
    with pytest.raises(NotPermittedError):
        await correct(db, officer(COUNTY, Role.AUDITOR), minutes=50)


class Purse:
    """A volunteer's credits, which cannot be spent twice."""

    def __init__(self, db: Database, volunteer: int) -> None:
        self.db = db
        self.volunteer = volunteer

    async def post(self, name: str, amount: int) -> int:
        """Grant credits, or spend them where the amount is below zero."""
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            issuing = await accounts.issuing_account(conn, head=head, unit=Unit.CREDITS, now=NINE)
            purse = (
                await accounts.ensure_accounts(
                    conn,
                    head=head,
                    unit=Unit.CREDITS,
                    kind=AccountKind.VOLUNTEER,
                    owners=[self.volunteer],
                    now=NINE,
                    is_debit_bounded=True,
                )
            )[self.volunteer]
            debit, credit = (issuing, purse) if amount > 0 else (purse, issuing)
            transfer = Transfer(
                service_key(NINE, name),
                TransferKind.GRANT if amount > 0 else TransferKind.ADJUSTMENT,
                Unit.CREDITS,
                debit,
                credit,
                abs(amount),
                NINE,
                volunteer=self.volunteer,
            )
            (outcome,) = await journal.append(conn, head=head, transfers=[transfer], now=NINE)
            assert isinstance(outcome, Posted)
            return outcome.seq

    async def held(self, kind: AccountKind) -> int | None:
        async with self.db.read() as conn:
            found = await accounts.find_accounts(
                conn, book=BOOK, unit=Unit.CREDITS, kind=kind, owners=[self.volunteer]
            )
            if self.volunteer not in found:
                return None
            return (await balances.balance(conn, book=BOOK, account=found[self.volunteer])).held


async def test_what_was_spent_already_is_owed_and_never_a_hidden_negative(
    db: Database, team: OrganizationId, owner: asyncpg.Connection
) -> None:
    purse = Purse(db, 1)
    granted = await purse.post("granted", 100)
    await purse.post("spent", -70)

    assert await take_back(db, officer(COUNTY), seq=granted) == Reversed(granted + 3)

    assert await purse.held(AccountKind.VOLUNTEER) == 0
    assert await purse.held(AccountKind.RECEIVABLE) == -70
    assert await owner.fetchval("select seq from reversal_reason") == granted + 3
    assert await unbroken(db)


async def test_what_is_not_spent_leaves_no_receivable(db: Database, team: OrganizationId) -> None:
    purse = Purse(db, 1)
    granted = await purse.post("granted", 100)

    await take_back(db, officer(COUNTY), seq=granted)

    assert await purse.held(AccountKind.VOLUNTEER) == 0
    assert await purse.held(AccountKind.RECEIVABLE) is None
