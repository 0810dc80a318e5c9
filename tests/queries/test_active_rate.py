"""The active rate on a county small enough to count by hand, and against a recount of the journal."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import insert, update
from tests.factories import BOOK, NINE, TOWN, VILLAGE, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.as_of import AsOf
from timebank.domain.assurance import Assurance
from timebank.domain.metric import ActiveRate, rate_per_10k
from timebank.domain.posting import Posted, reversal_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit
from timebank.ledger import balances, journal
from timebank.queries.active_rate import ActiveRateReport, active_rates
from timebank.services.founding import found_county
from timebank.store import tables
from timebank.store.definitions import RESIDENTS_ANY_HOUR

NOW = datetime(2025, 2, 1, tzinfo=UTC)
COUNTY = BOOK * 1_000_000
HOME = 330424101003
OTHER_TOWN = 330424102000
OTHER_VILLAGE = 330424102200


async def post(
    db: Database,
    volunteer: VolunteerId,
    minutes: int,
    *,
    at: datetime = NINE,
    assurance: int = 1,
    measured: int = 3,
) -> int:
    """Post one service and return its entry."""
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=volunteer.book)
        assert head is not None
        transfer = Transfer(
            key=UUID(int=head.seq + 1),
            kind=TransferKind.SERVICE,
            unit=Unit.MINUTES,
            debit=1,
            credit=1 + volunteer.id,
            amount=minutes,
            effective_at=at,
            volunteer=volunteer.id,
            service=Service(assurance, measured, volunteer.book, 1, None, 1, VILLAGE),
        )
        (outcome,) = await journal.append(conn, head=head, transfers=[transfer], now=NOW)
    assert isinstance(outcome, Posted)
    return outcome.seq


async def take_back(db: Database, *, book: int, seq: int) -> None:
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        entry = await balances.find_entry(conn, book=book, seq=seq)
        assert head is not None
        assert entry is not None
        taken = reversal_of(entry, key=UUID(int=head.seq + 1))
        (outcome,) = await journal.append(conn, head=head, transfers=[taken], now=NOW)
    assert isinstance(outcome, Posted)


async def move(db: Database, volunteer: VolunteerId, *, village: int, on: date) -> None:
    async with db.write() as conn:
        await conn.execute(
            insert(tables.residence).values(
                book_id=volunteer.book, volunteer_id=volunteer.id, from_on=on, region=village
            )
        )


async def report(db: Database, region: int = COUNTY, **options: object) -> ActiveRateReport:
    async with db.read() as conn:
        found = await active_rates(conn, scope=Scope(region), **({"year": 2024} | options))  # type: ignore[arg-type]
    assert found is not None
    return found


def row_of(found: ActiveRateReport, region: int) -> ActiveRate:
    return next(row for row in found.rows if row.region == region)


def counts(found: ActiveRateReport, region: int) -> tuple[int, ...]:
    row = row_of(found, region)
    return (
        row.registered,
        row.active,
        row.minutes_scanned,
        row.minutes_confirmed,
        row.minutes_declared,
    )


async def test_a_county_counted_by_hand(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NOW)
    scanned, mixed, taken, moved, idle, late, gone = await world.volunteers(7, village=HOME)
    (of_town,) = await world.volunteers(1, village=TOWN)
    await post(db, scanned, 100)
    await post(db, mixed, 60, measured=2)
    await post(db, mixed, 30, assurance=0, measured=0)
    await take_back(db, book=BOOK, seq=await post(db, taken, 50))
    await post(db, moved, 40)
    await move(db, moved, village=OTHER_VILLAGE, on=date(2024, 12, 31))
    await post(db, idle, 500, at=datetime(2024, 12, 31, 16, tzinfo=UTC))  # 2025 in Haiyan
    await post(db, late, 70)
    await post(db, gone, 80)
    await post(db, of_town, 20)
    c = tables.volunteer.c
    async with db.write() as conn:
        await conn.execute(
            update(tables.volunteer)
            .where(c.id == late.id)
            .values(enrolled_at=datetime(2025, 1, 1, tzinfo=UTC))
        )
        await conn.execute(
            update(tables.volunteer)
            .where(c.id == gone.id)
            .values(ended_at=datetime(2024, 12, 1, tzinfo=UTC))
        )

    found = await report(db)

    assert counts(found, HOME) == (4, 2, 100, 60, 30)
    assert counts(found, TOWN) == (5, 3, 120, 60, 30)
    assert counts(found, OTHER_VILLAGE) == (1, 1, 40, 0, 0)
    assert counts(found, OTHER_TOWN) == (1, 1, 40, 0, 0)
    assert counts(found, COUNTY) == (6, 4, 160, 60, 30)
    assert found.as_of == AsOf(BOOK, 10)
    assert counts(await report(db, year=2025), COUNTY) == (7, 1, 500, 0, 0)
    assert counts(await report(db, year=2023), COUNTY) == (0, 0, 0, 0, 0)


async def test_there_is_a_row_for_every_division_below_parents_first(
    db: Database, world: World
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    codes = [row.region for row in (await report(db)).rows]
    assert (len(codes), codes) == (132, sorted(codes))
    assert [row.region for row in (await report(db, VILLAGE + 2)).rows] == [VILLAGE + 2]
    assert len((await report(db, TOWN)).rows) == 13


async def test_a_definition_decides_what_counts(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NOW)
    first, second = await world.volunteers(2)
    await post(db, first, 90, assurance=0, measured=0)
    await post(db, second, 60)
    strict = replace(RESIDENTS_ANY_HOUR, id="strict", assurance_min=Assurance.A1)
    hour = replace(RESIDENTS_ANY_HOUR, id="hour", minutes_above=60)
    assert row_of(await report(db), COUNTY).active == 2
    assert row_of(await report(db, definition=strict), COUNTY).active == 1
    assert row_of(await report(db, definition=hour), COUNTY).active == 1
    assert row_of(await report(db, definition=strict), COUNTY).minutes_declared == 90


async def test_a_population_that_is_not_known_is_not_known(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NOW)
    await found_county(db, book=330421, now=NOW)
    await world.volunteers(3)
    away = (await world.volunteers(1, book=330421, village=330421001001))[0]
    await post(db, away, 60)

    city = await report(db, 330400000000)
    assert [(each.book, each.seq) for each in city.as_of_books] == [(330421, 1), (BOOK, 0)]
    assert counts(city, 330400000000) == (4, 1, 60, 0, 0)
    assert counts(city, COUNTY) == (3, 0, 0, 0, 0)
    for region in (330400000000, 330421000000):
        assert row_of(city, region).residents is None
    body = city.as_json()
    assert isinstance(body["as_of"], list)
    assert body["rows"][0]["residents"] is None
    assert body["rows"][0]["rate_per_10k"] is None
    assert "未知" in city.as_table()


async def test_populations_are_those_of_their_day_and_counted_before_estimated(
    db: Database, owner: asyncpg.Connection, world: World
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    await owner.executemany(
        "insert into residents values ($1, $2, $3, $4, $5)",
        [
            (TOWN, date(2024, 12, 31), "estimate", 20_000, True),
            (TOWN, date(2024, 12, 31), "register", 19_000, False),
            (TOWN, date(2025, 12, 31), "register", 18_000, False),
        ],
    )
    for year, expected in ((2023, True), (2024, 19_000), (2025, 18_000)):
        residents = row_of(await report(db, year=year), TOWN).residents
        assert residents is not None
        assert expected in (residents.count, residents.is_estimate)


async def test_no_report_without_a_book_or_a_division(db: Database, world: World) -> None:
    async with db.read() as conn:
        assert await active_rates(conn, scope=Scope(COUNTY), year=2024) is None
    await world.open_book()
    async with db.read() as conn:
        assert await active_rates(conn, scope=Scope(COUNTY), year=2024) is None
    await found_county(db, book=BOOK, now=NOW)
    async with db.read() as conn:
        assert await active_rates(conn, scope=Scope(330424999999), year=2024) is None
        assert await active_rates(conn, scope=Scope(330421000000), year=2024) is None


RECOUNT = """
    with home as (
        select v.id, (
            select region from residence r where r.book_id = v.book_id and r.volunteer_id = v.id
                and from_on <= make_date($1, 12, 31) order by from_on desc limit 1
        ) as region
        from volunteer v where v.enrolled_at < make_date($1 + 1, 1, 1)::timestamp at time zone 'Asia/Shanghai'
            and (v.ended_at is null
                or v.ended_at >= make_date($1 + 1, 1, 1)::timestamp at time zone 'Asia/Shanghai')
    ), served as (
        select volunteer,
            case when assurance = 0 then 3 when measured = 3 then 1 else 2 end as class,
            case when reverses is null then amount else -amount end as minutes
        from transfer
        where extract(year from effective_at at time zone 'Asia/Shanghai') = $1
    ), person as (
        select h.region, h.id, coalesce(sum(minutes), 0) as minutes,
            coalesce(sum(minutes) filter (where class = 1), 0) as scanned,
            coalesce(sum(minutes) filter (where class = 2), 0) as confirmed,
            coalesce(sum(minutes) filter (where class = 3), 0) as declared
        from home h left join served s on s.volunteer = h.id group by 1, 2
    )
    select g.code, count(p.id)::int, (count(p.id) filter (where p.minutes > 0))::int,
        coalesce(sum(scanned), 0)::int, coalesce(sum(confirmed), 0)::int, coalesce(sum(declared), 0)::int
    from region g left join person p on case g.level
        when 'county' then p.region / 1000000 = g.code / 1000000
        when 'town' then p.region / 1000 = g.code / 1000 else p.region = g.code end
    where g.code / 1000000 = 330424 group by g.code order by g.code
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_report_is_a_recount_of_the_journal(
    db: Database, owner: asyncpg.Connection, world: World, seed: int
) -> None:
    """Random histories over three years, with moves, reversals, late and ended volunteers."""
    draw = random.Random(seed)
    await found_county(db, book=BOOK, now=NOW)
    villages = [
        row[0]
        for row in await owner.fetch(
            "select code from region where code / 1000000 = 330424 order by 1"
        )
    ]
    people = []
    for _ in range(12):
        people += await world.volunteers(
            draw.randint(1, 3), village=draw.choice(villages), since=date(2021, 1, 1)
        )
    new_year = datetime(2022, 12, 31, 16, tzinfo=UTC)
    for each in people:
        if draw.random() < 0.4:
            await move(
                db,
                each,
                village=draw.choice(villages),
                on=date(2022, 12, 30) + timedelta(days=draw.randint(0, 800)),
            )
        if draw.random() < 0.3:
            await owner.execute(
                "update volunteer set ended_at = $1 where id = $2",
                new_year + timedelta(days=365 * draw.randint(0, 2)),
                each.id,
            )
        enrolled = new_year - timedelta(days=draw.randint(-700, 700))
        await owner.execute(
            "update volunteer set enrolled_at = $1 where id = $2", enrolled, each.id
        )
    posted = []
    for _ in range(120):
        if posted and draw.random() < 0.25:
            await take_back(db, book=BOOK, seq=posted.pop(draw.randrange(len(posted))))
            continue
        at = new_year + timedelta(
            hours=draw.choice([-1, 0, 24 * 365 - 1, 24 * 365, draw.randint(0, 24 * 900)])
        )
        assurance = draw.randint(0, 3)
        measured = 0 if assurance == 0 else draw.randint(0, 3)
        posted.append(
            await post(
                db,
                draw.choice(people),
                draw.randint(1, 300),
                at=at,
                assurance=assurance,
                measured=measured,
            )
        )

    for year in (2022, 2023, 2024, 2025):
        rows = await owner.fetch(RECOUNT, year)
        found = await report(db, year=year)
        assert [(row.region, *counts(found, row.region)) for row in found.rows] == [
            tuple(row) for row in rows
        ]


async def test_json_has_every_number_and_its_definition(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NOW)
    (volunteer,) = await world.volunteers(1)
    await post(db, volunteer, 60)
    body = (await report(db)).as_json()
    assert body["as_of"] == {"book": BOOK, "seq": 1}
    assert body["definition"]["id"] == "active-rate.residents.any-hour"
    assert {key: body["rows"][0][key] for key in body["rows"][0]} == {
        "region": "330424000000",
        "name": "海盐县",
        "level": "county",
        "residents": 456_775,
        "residents_source": "第七次全国人口普查（2020-11-01）",
        "registered": 1,
        "active": 1,
        "rate_per_10k": 0,
        "minutes_scanned": 60,
        "minutes_confirmed": 0,
        "minutes_declared": 0,
    }


def test_the_published_figures_of_haiyan_give_its_published_rate() -> None:
    assert rate_per_10k(72_000, 456_775) == 1_576
