"""Scans become attendance and minutes: once each, whoever asks and however often."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest
from tests.factories import BOOK, NINE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Arrived, Direction, Left, Refused, ScanRefusal
from timebank.domain.qr import Scan
from timebank.ledger import audit, balances
from timebank.services.checkin import RecordedScan, ScanRequest, record_scans


def request(
    volunteer: VolunteerId, shift: ShiftId, direction: Direction, at: datetime
) -> ScanRequest:
    return ScanRequest(volunteer, Scan(shift.book, shift.id, direction, at))


async def scan_one(
    db: Database, volunteer: VolunteerId, shift: ShiftId, direction: Direction, at: datetime
) -> RecordedScan:
    (result,) = await record_scans(db, requests=[request(volunteer, shift, direction, at)], now=at)
    return result


async def test_arrival_and_departure_credit_the_stay(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(signed_up=[volunteer])

    arrived = await scan_one(db, volunteer, shift, Direction.ARRIVE, NINE)
    left = await scan_one(
        db, volunteer, shift, Direction.LEAVE, NINE + timedelta(hours=2, seconds=59)
    )

    assert arrived.decision == Arrived(NINE)
    assert isinstance(left.decision, Left)
    assert (left.decision.credit.amount, left.seq) == (120, 1)
    row = await owner.fetchrow("select * from transfer")
    assert (row["amount"], row["measured"], row["assurance"], row["volunteer"]) == (
        120,
        3,
        1,
        volunteer.id,
    )
    async with db.read() as conn:
        account = row["credit"]
        assert (await balances.balance(conn, book=BOOK, account=account)).held == 120
        (line,) = await balances.statement(conn, book=BOOK, account=account)
        assert (line.signed_amount, line.entry.seq) == (120, 1)
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_twenty_simultaneous_scans_credit_once(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(signed_up=[volunteer])
    await scan_one(db, volunteer, shift, Direction.ARRIVE, NINE)

    at = NINE + timedelta(hours=1)
    results = await asyncio.gather(
        *(scan_one(db, volunteer, shift, Direction.LEAVE, at) for _ in range(20))
    )

    assert sum(isinstance(result.decision, Left) for result in results) == 1
    assert sum(result.decision == Refused(ScanRefusal.ALREADY_LEFT) for result in results) == 19
    assert await owner.fetchval("select count(*) from transfer") == 1


async def test_a_list_is_decided_in_order(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    first, second = await world.volunteers(2)
    shift = await world.shift(signed_up=[first, second])
    later = NINE + timedelta(hours=1)

    results = await record_scans(
        db,
        requests=[
            request(first, shift, Direction.ARRIVE, NINE),
            request(first, shift, Direction.ARRIVE, NINE),
            request(second, shift, Direction.LEAVE, later),
            request(first, shift, Direction.LEAVE, later),
        ],
        now=later,
    )

    assert [type(result.decision) for result in results] == [Arrived, Refused, Refused, Left]
    assert await owner.fetchval("select sum(minutes) from volunteer_month") == 60


@pytest.mark.parametrize("count", [2, 200])
async def test_the_number_of_statements_does_not_depend_on_the_list(
    db: Database, world: World, owner: asyncpg.Connection, count: int
) -> None:
    volunteers = await world.volunteers(count)
    shift = await world.shift(signed_up=volunteers, places=count)
    await record_scans(
        db, requests=[request(each, shift, Direction.ARRIVE, NINE) for each in volunteers], now=NINE
    )
    statements: list[str] = []
    async with db.post() as driver:
        driver.add_query_logger(lambda record: statements.append(record.query))
    later = NINE + timedelta(hours=1)
    first, *others = [request(each, shift, Direction.LEAVE, later) for each in volunteers]
    await record_scans(db, requests=[first], now=later)
    # The driver has now asked once for the types it did not know.
    statements.clear()

    await record_scans(db, requests=others, now=later)

    # To begin, to lock, two to read, one to write, to commit.
    assert len(statements) == 6, statements


async def test_a_person_is_in_one_place_and_a_day_has_its_limit(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    """Across organizations and counties, also within one uploaded list."""
    volunteer, other = await world.volunteers(2)
    both = [volunteer, other]
    morning = await world.shift(hours=2, signed_up=both)
    abroad = await world.shift(book=330481, hours=4, signed_up=both)
    late = await world.shift(starts_at=NINE + timedelta(hours=3), hours=3, signed_up=both)
    await owner.execute(
        "insert into threshold values ($1, 'threshold.credit_day_minutes', '2024-01-01', now(), 200, '', null)",
        BOOK,
    )

    def at(minutes: int) -> datetime:
        return NINE + timedelta(minutes=minutes)

    deeds = [
        (morning, Direction.ARRIVE, 0),
        (abroad, Direction.ARRIVE, 10),  # still in the morning's
        (morning, Direction.LEAVE, 60),
        (abroad, Direction.ARRIVE, 60),
        (late, Direction.ARRIVE, 170),  # still abroad
        (abroad, Direction.LEAVE, 180),
        (late, Direction.ARRIVE, 180),
        (late, Direction.LEAVE, 300),  # 60 + 120 before, of 200
    ]
    expected = [
        None,
        ScanRefusal.ELSEWHERE,
        60,
        None,
        ScanRefusal.ELSEWHERE,
        120,
        None,
        20,
    ]

    def outcome(result: RecordedScan) -> object:
        match result.decision:
            case Refused(reason):
                return reason
            case Left(_, credit):
                return credit.amount
        return None

    one_by_one = [
        outcome(await scan_one(db, volunteer, shift, direction, at(minutes)))
        for shift, direction, minutes in deeds
    ]
    uploaded = await record_scans(
        db,
        requests=[
            request(other, shift, direction, at(minutes)) for shift, direction, minutes in deeds
        ],
        now=at(400),
    )

    assert one_by_one == expected
    assert [outcome(each) for each in uploaded] == expected
    again = await world.shift(starts_at=at(360), hours=1, signed_up=[volunteer])
    await scan_one(db, volunteer, again, Direction.ARRIVE, at(360))
    full = await scan_one(db, volunteer, again, Direction.LEAVE, at(400))
    assert full.decision == Refused(ScanRefusal.DAY_FULL)
