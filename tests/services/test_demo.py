"""The demo is the county in small: documented numbers, a day around now, and safe to run again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from timebank.db import Database
from timebank.domain.period import Period
from timebank.domain.scope import Scope
from timebank.domain.signal import SignalKind
from timebank.ledger import audit
from timebank.queries.active_rate import active_rates
from timebank.queries.review_queue import find_queue
from timebank.services import demo
from timebank.store.seal import Seal

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
SEAL = Seal(b"k" * 32)
TABLES = (
    "transfer",
    "volunteer",
    "person",
    "organization",
    "activity",
    "shift",
    "signup",
    "appointment",
    "audit_event",
)


async def build(
    db: Database, *, scale: demo.Scale = "small", now: datetime = NOW
) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    await demo.build_demo(
        db, seal=SEAL, scale=scale, now=now, progress=lambda done, whole: seen.append((done, whole))
    )
    return seen


async def sizes(owner: asyncpg.Connection) -> dict[str, int]:
    return {table: await owner.fetchval(f"select count(*) from {table}") for table in TABLES}


async def test_the_small_demo_is_a_hundredth_of_the_county_and_audits(
    db: Database, owner: asyncpg.Connection
) -> None:
    """Builds the slice once: several seconds, and the only proof that all of it fits together."""
    seen = await build(db)

    async with db.read() as conn:
        report = await active_rates(conn, scope=Scope(demo.BOOK * 1_000_000), year=2024)
        assert [
            await audit.find_broken(conn, book=demo.BOOK, rule=rule) for rule in audit.RULES
        ] == ([None] * len(audit.RULES))
    assert report is not None
    county = report.rows[0]
    assert (county.registered, county.active, county.minutes) == (1_400, 720, 6_834_000)
    assert report.as_json()["rows"][0]["rate_per_10k"] == 16
    assert min(county.minutes_scanned, county.minutes_confirmed, county.minutes_declared) > 0
    assert all(row.registered for row in report.rows)
    assert [done for done, _ in seen] == [*sorted(done for done, _ in seen[:-1]), 1]

    # One hour short of a hundred hours, signed up for a shift that is running.
    served = await owner.fetchval("select sum(minutes) from volunteer_month where volunteer = 1")
    running = await owner.fetchval(
        "select count(*) from signup join shift on id = shift_id"
        " where volunteer_id = 1 and starts_at <= $1 and ends_at > $1 and closed_at is null",
        NOW,
    )
    assert (served, running) == (99 * 60, 1)
    upcoming = await owner.fetchval("select count(*) from shift where starts_at > $1", NOW)
    assert upcoming > 10
    roles = await owner.fetch("select role, region from appointment order by role, region")
    assert ("role.officer", 330424000000) in [tuple(row) for row in roles]

    # The review has something to ask about, of each sort.
    async with db.read() as conn:
        queue = await find_queue(
            conn,
            scope=Scope(demo.BOOK * 1_000_000),
            book=demo.BOOK,
            period=Period(NOW - timedelta(days=30), NOW + timedelta(hours=1)),
            zone=ZoneInfo("Asia/Shanghai"),
        )
    assert {seen.kind for seen, _ in queue.waiting} >= {
        SignalKind.NO_DEPARTURES,
        SignalKind.FULL_TIME,
        SignalKind.AFTERWARDS,
        SignalKind.SHARED_DEVICE,
        SignalKind.TWO_PLACES,
        SignalKind.LONG_DAY,
    }
    assert len(queue.waiting) < 15

    before = await sizes(owner)
    await build(db)
    assert await sizes(owner) == before

    later = NOW + timedelta(days=30)
    await build(db, now=later)
    after = await sizes(owner)
    assert (after["transfer"], after["volunteer"], after["activity"]) == (
        before["transfer"],
        before["volunteer"],
        before["activity"],
    )
    assert after["shift"] > before["shift"]
    with pytest.raises(demo.DemoError) as failure:
        await build(db, scale="full")
    assert failure.value.code == "demo.other_scale"


class _KilledError(Exception):
    pass


async def test_a_build_that_was_killed_goes_on_where_it_was(
    db: Database, owner: asyncpg.Connection
) -> None:
    """Stops between two commits of the history, then runs again a day later."""

    def stop(done: int, whole: int) -> None:
        if done > whole // 2:
            raise _KilledError

    with pytest.raises(_KilledError):
        await demo.build_demo(db, seal=SEAL, scale="small", now=NOW, progress=stop)
    half = await owner.fetchval("select count(*) from transfer")
    await build(db, now=NOW + timedelta(days=1))
    whole = await owner.fetchval("select count(*) from transfer")
    assert 0 < half < whole
    assert (
        await owner.fetchval("select sum(minutes) from volunteer_month where month / 100 = 2024")
        == 6_834_000
    )
    assert whole == await owner.fetchval("select seq from book")


async def test_the_demo_needs_a_clock_after_its_year(db: Database) -> None:
    with pytest.raises(demo.DemoError) as failure:
        await build(db, now=datetime(2024, 6, 1, tzinfo=UTC))
    assert failure.value.code == "demo.too_early"
