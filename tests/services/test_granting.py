"""Policies grant ledger entries with their reasons; running twice grants once."""

import asyncio
import json
from datetime import date, timedelta

import asyncpg
from tests.factories import BOOK, NINE, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.ledger import audit
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.explain import explain
from timebank.queries import facts, grants
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.granting import GrantRun, grant_policies, shipped_packs

COUNTY = Scope(BOOK * 1_000_000)
ON = date(2024, 12, 31)
STARS = ("cn.stars", "stars")


async def serve(db: Database, world: World, volunteer: VolunteerId, *, hours: int) -> None:
    """Record days of twelve hours, and the rest."""
    for day in range(0, hours, 12):
        starts_at = NINE + timedelta(days=day // 12)
        stay = min(12, hours - day)
        shift = await world.shift(starts_at=starts_at, hours=stay, signed_up=[volunteer])
        for direction, at in (
            (Direction.ARRIVE, starts_at),
            (Direction.LEAVE, starts_at + timedelta(hours=stay)),
        ):
            scan = Scan(shift.book, shift.id, direction, at)
            await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)


async def grant(db: Database, *, on: date = ON) -> GrantRun:
    return await grant_policies(
        db,
        scope=COUNTY,
        packs=shipped_packs(),
        on=on,
        person=None,
        now=NINE + timedelta(days=400),
    )


async def test_one_hundred_hours_are_a_star_once(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteer, other = await world.volunteers(2)
    await serve(db, world, volunteer, hours=100)
    await serve(db, world, other, hours=99)

    first = await grant(db)
    second = await grant(db, on=ON + timedelta(days=1))

    stars = {run.rule: run for run in first.rules}["stars"]
    assert (stars.granted, stars.already) == (1, 0)
    stars = {run.rule: run for run in second.rules}["stars"]
    assert (stars.granted, stars.already) == (0, 1)
    async with db.read() as conn:
        granted = await grants.list_granted(conn, volunteer=volunteer)
        assert [(each.pack, each.rule, each.tier) for each in granted if each.rule == "stars"] == [
            (*STARS, 1)
        ]
        assert await grants.list_granted(conn, volunteer=other) == []
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None
    (reason,) = json.loads(
        await owner.fetchval("select reasons from decision where rule = 'stars'")
    )
    assert (reason["need"], reason["have"], reason["outcome"]) == (6000, 6000, "met")
    # Which rules were in force is in a log of its own, once for each pack.
    told = [json.loads(row[0]) for row in await owner.fetch("select body from notice")]
    assert {each["hash"] for each in told} == {
        row[0] for row in await owner.fetch("select hash from pack")
    }
    assert STARS[0] in [each["pack"] for each in told]


async def test_simultaneous_runs_grant_once(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    await serve(db, world, volunteer, hours=100)

    runs = await asyncio.gather(*(grant(db) for _ in range(4)))

    per_rule = [{run.rule: run.granted for run in each.rules} for each in runs]
    assert sum(each["stars"] for each in per_rule) == 1
    assert await owner.fetchval("select count(*) from decision where rule = 'stars'") == 1


async def test_one_person_and_everybody_are_told_the_same(db: Database, world: World) -> None:
    volunteer, idle = await world.volunteers(2)
    await serve(db, world, volunteer, hours=30)
    packs = shipped_packs()
    # In the middle of March: the window ends within a month that the roll-up holds whole.
    for on in (date(2024, 3, 3), date(2024, 3, 31), ON):
        keys = facts_needed(packs, on=on)
        async with db.read() as conn:
            everybody = await facts.population_facts(conn, scope=COUNTY, book=BOOK, keys=keys)
            assert everybody is not None
            for row, each in enumerate((volunteer, idle)):
                alone = await facts.person_facts(conn, volunteer=each, keys=keys)
                assert alone is not None
                for key in keys:
                    values, is_known = everybody.columns[key]
                    assert (alone[key] is not None) == is_known[row], key
                    if is_known[row] and key.name in ("minutes", "services"):
                        assert alone[key] == values[row], (on, key)


async def test_what_is_missing_is_told_to_the_minute(db: Database, world: World) -> None:
    (volunteer,) = await world.volunteers()
    await serve(db, world, volunteer, hours=13)
    packs = shipped_packs()
    async with db.read() as conn:
        known = await facts.person_facts(conn, volunteer=volunteer, keys=facts_needed(packs, on=ON))
    assert known is not None

    results = {each.rule.id: each for each in evaluate_person(packs, known, on=ON)}

    stars = explain(results["stars"])
    assert (stars.gap, stars.by) == ((100 - 13) * 60, None)
    film = explain(results["film"])
    assert film.by == date(2024, 12, 31)
