"""Every number, three ways: by the engine of reports, by SQL over the raw journal, and by DuckDB."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import duckdb
import pytest
from sqlalchemy import insert, update
from tests.factories import BOOK, ZONE, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance, Evidence
from timebank.domain.definition import AgeBand, Definition, Denominator
from timebank.domain.metric import METRICS, Breakdown
from timebank.domain.period import day_start
from timebank.domain.posting import Posted, reversal_of
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.domain.window import Window, parse_window
from timebank.ledger import audit, balances, columns, journal
from timebank.queries import snapshot
from timebank.queries.active_rate import active_rates
from timebank.queries.course import Course, read_course
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services import folding
from timebank.services.enrolment import move_home
from timebank.services.folding import fold_book, store_sums
from timebank.services.founding import found_county
from timebank.store import profiles, tables
from timebank.store.definitions import RESIDENTS_ANY_HOUR, list_definitions
from timebank.store.profiles import Profile

NOW = datetime(2025, 2, 1, tzinfo=UTC)
COUNTY = BOOK * 1_000_000
TOWN = 330424101000
VILLAGES = (330424101003, 330424101200, 330424102001, 330424102200)
OF_PEOPLE = (
    "registered",
    "active",
    "services",
    "minutes_scanned",
    "minutes_confirmed",
    "minutes_declared",
)
STRICT = replace(
    RESIDENTS_ANY_HOUR,
    id="strict",
    minutes_above=90,
    services_min=2,
    assurance_min=Assurance.A1,
    evidence=frozenset({Evidence.SCANNED, Evidence.CONFIRMED}),
)
DEFINITIONS = (
    RESIDENTS_ANY_HOUR,
    STRICT,
    *(each for each in list_definitions() if each.denominator is Denominator.REGISTERED),
)
COURSES = (RESIDENTS_ANY_HOUR, STRICT)
WINDOWS = tuple(
    map(
        parse_window,
        (
            "2024",
            "2023",
            "2024-Q2",
            "2024-03",
            "12m..2024-06-30",
            "2024-02-10..2024-03-09",
            "..2024-05-15",
        ),
    )
)

RAW = """
    with home as (
        select v.id, (
            select region from residence r where r.volunteer_id = v.id
                and from_on <= {last} order by from_on desc limit 1
        ) as region
        from volunteer v
        where v.enrolled_at < {end} and (v.ended_at is null or v.ended_at >= {end})
    ), entry as (
        select volunteer, field, {day} as day, assurance, measured,
            case when reverses is null then amount else -amount end as minutes,
            case when reverses is null then 1 else -1 end as services
        from transfer
    ), served as (
        select volunteer, {group} as part, sum(services) as services,
            sum(case when {counts} then minutes else 0 end) as counted,
            sum(case when {counts} then services else 0 end) as times,
            sum(case when assurance > 0 and measured = 3 then minutes else 0 end) as scanned,
            sum(case when assurance > 0 and measured <> 3 then minutes else 0 end) as confirmed,
            sum(case when assurance = 0 then minutes else 0 end) as declared
        from entry where day between {first} and {last} group by 1, 2
    )
    select {key}, count(distinct h.id),
        sum(case when counted > {minutes} and times >= {times} then 1 else 0 end),
        coalesce(sum(services), 0), coalesce(sum(scanned), 0), coalesce(sum(confirmed), 0),
        coalesce(sum(declared), 0)
    from {from_} group by 1 order by 1
"""


def question(
    window: Window, definition: Definition, *, is_duck: bool, by: Breakdown = Breakdown.REGION
) -> str:
    """The same question in the words of PostgreSQL and of DuckDB."""
    end = window.last_on + timedelta(days=1)
    classes = {
        Evidence.SCANNED: "(assurance > 0 and measured = 3)",
        Evidence.CONFIRMED: "(assurance > 0 and measured <> 3)",
        Evidence.DECLARED: "(assurance = 0)",
    }
    counted = " or ".join(classes[each] for each in sorted(definition.evidence))
    is_by_field = by is Breakdown.FIELD
    return RAW.format(
        day="cast(effective_at + interval 8 hour as date)"
        if is_duck
        else "(effective_at at time zone 'Asia/Shanghai')::date",
        first=f"date '{window.first_on}'",
        last=f"date '{window.last_on}'",
        # Haiyan lives eight hours ahead, all year round since 1992.
        end=f"timestamp '{end - timedelta(days=1)} 16:00:00'"
        + ("" if is_duck else " at time zone 'UTC'"),
        group="field" if is_by_field else "0",
        counts=f"(assurance >= {definition.assurance_min.value} and ({counted}))",
        minutes=definition.minutes_above,
        times=definition.services_min,
        key="s.part" if is_by_field else "g.code",
        from_="home h join served s on s.volunteer = h.id"
        if is_by_field
        else "region g left join home h on case g.level when 'county' then h.region // 1000000 = g.code // 1000000"
        " when 'town' then h.region // 1000 = g.code // 1000 else h.region = g.code end"
        " left join served s on s.volunteer = h.id where g.code // 1000000 = 330424".replace(
            "//", "//" if is_duck else "/"
        ),
    )


async def told_by_duckdb(owner: asyncpg.Connection) -> duckdb.DuckDBPyConnection:
    """Give DuckDB every raw row."""
    rival = duckdb.connect()
    wanted = {
        "volunteer": ("id int", "enrolled_at timestamp", "ended_at timestamp"),
        "residence": ("volunteer_id int", "from_on date", "region bigint"),
        "region": ("code bigint", "level text"),
        "transfer": (
            "volunteer int",
            "effective_at timestamp",
            "assurance int",
            "measured int",
            "field int",
            "amount int",
            "reverses bigint",
        ),
    }
    for table, described in wanted.items():
        names = [each.split()[0] for each in described]
        chosen = ", ".join(
            f"{name} at time zone 'UTC' as {name}" if name.endswith("_at") else name
            for name in names
        )
        where = "where code / 1000000 = 330424" if table == "region" else ""
        rows = [tuple(row) for row in await owner.fetch(f"select {chosen} from {table} {where}")]
        rival.execute(f"create table {table} ({', '.join(described)})")
        if rows:
            rival.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", rows)
    return rival


class History:
    """A county whose people serve, move and leave, and whose entries are taken back, at random."""

    def __init__(self, db: Database, world: World, seed: int) -> None:
        self.db, self.world = db, world
        self.draw = random.Random(seed)
        self.people: list[VolunteerId] = []
        self.standing: list[int] = []
        self.deeds = 0

    def start(self) -> datetime:
        """An instant of three years, often near midnight of a month's end in Haiyan."""
        if self.draw.random() < 0.3:
            edge = date(2024, self.draw.choice([1, 3, 7]), 1)
            midnight = day_start(edge, zone=ZoneInfo(ZONE))
            return midnight - timedelta(minutes=self.draw.choice([0, 1]))
        return datetime(2022, 6, 1, tzinfo=UTC) + timedelta(
            minutes=self.draw.randint(0, 60 * 24 * 900)
        )

    async def grow(self, services: int, *, is_quiet: bool) -> None:
        """Post a list of services and take some back; unless quiet, enrol some and move one."""
        for _ in range(0 if is_quiet else 3):
            self.people += await self.world.volunteers(
                self.draw.randint(1, 4), village=self.draw.choice(VILLAGES), since=date(2021, 1, 1)
            )
        transfers = [self.service(self.draw.choice(self.people)) for _ in range(services)]
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            for at in range(len(self.standing) // 4):
                entry = await balances.find_entry(
                    conn, book=BOOK, seq=self.standing.pop(self.draw.randrange(len(self.standing)))
                )
                assert entry is not None
                self.deeds += 1
                transfers.append(reversal_of(entry, key=service_key(NOW, "back", self.deeds, at)))
            self.draw.shuffle(transfers)
            outcomes = await journal.append(conn, head=head, transfers=transfers, now=NOW)
            for transfer, outcome in zip(transfers, outcomes, strict=True):
                assert isinstance(outcome, Posted)
                if transfer.reverses is None:
                    self.standing.append(outcome.seq)
        if is_quiet:
            return
        await move_home(
            self.db,
            volunteer=self.draw.choice(self.people),
            village=self.draw.choice(VILLAGES),
            from_on=date(2024, 1, 1) + timedelta(days=self.draw.randint(0, 300) + self.deeds),
            now=NOW,
        )

    def service(self, volunteer: VolunteerId) -> Transfer:
        self.deeds += 1
        assurance = self.draw.randint(0, 3)
        return Transfer(
            service_key(NOW, self.deeds),
            TransferKind.SERVICE,
            Unit.MINUTES,
            1,
            1 + volunteer.id,
            self.draw.randint(1, 300),
            self.start(),
            volunteer.id,
            Service(
                assurance,
                0 if assurance == 0 else self.draw.randint(0, 3),
                BOOK,
                self.draw.randint(1, 5),
                self.draw.choice([None, 7, 8]),
                self.draw.randint(1, 4),
                self.draw.choice(VILLAGES),
            ),
        )


async def ask(
    db: Database,
    window: Window,
    definition: Definition = RESIDENTS_ANY_HOUR,
    *,
    metrics: Sequence[str] = OF_PEOPLE,
    region: int = COUNTY,
    **options: Any,
) -> Numbers:
    async with db.read() as conn:
        found = await read_numbers(
            conn,
            scope=Scope(region),
            metrics=metrics,
            definition=definition,
            window=window,
            **options,
        )
    assert found is not None
    return found


async def course(db: Database, definition: Definition) -> tuple[Course | None, Numbers]:
    async with db.read() as conn:
        found = await read_course(conn, scope=Scope(COUNTY), definition=definition, year=2024)
    cohorts = ("cohort_size", "cohort_active", "cohort_retention")
    year = Window.of_year(2024)
    return found, await ask(db, year, definition, metrics=cohorts, by=Breakdown.COHORT)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_engine_the_raw_journal_and_duckdb_agree(
    db: Database,
    database_url: str,
    owner: asyncpg.Connection,
    world: World,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever was kept before, stored as columns or read anew: the same numbers."""
    monkeypatch.setattr(columns, "SEGMENT_ENTRIES", 32)
    monkeypatch.setattr(folding, "_STALE_MIN", 1)
    await found_county(db, book=BOOK, now=NOW)
    history = History(db, world, seed)
    stranger = Database(database_url, role="timebank_app")
    frugal = Database(database_url, role="timebank_app")
    frozen: dict[int, list[Numbers]] = {}
    for turn in range(4):
        await history.grow(60, is_quiet=turn in (1, 3))
        if turn == 1:
            assert await fold_book(db, book=BOOK) > 2
        rival = await told_by_duckdb(owner)
        for window in WINDOWS:
            for definition in DEFINITIONS if turn > 1 else DEFINITIONS[1:2]:
                raw = [
                    tuple(map(int, row))
                    for row in await owner.fetch(question(window, definition, is_duck=False))
                ]
                duck = rival.execute(question(window, definition, is_duck=True)).fetchall()
                assert raw == [tuple(map(int, row)) for row in duck]
                found = await ask(db, window, definition)
                assert [(row.region, *row.values) for row in found.rows] == raw, (
                    window,
                    definition.id,
                )
        by_field = [name for name in OF_PEOPLE if name != "registered"]
        for window in WINDOWS[:3]:
            for definition in (RESIDENTS_ANY_HOUR, STRICT) if turn > 1 else ():
                raw = await owner.fetch(
                    question(window, definition, is_duck=False, by=Breakdown.FIELD)
                )
                found = await ask(db, window, definition, metrics=by_field, by=Breakdown.FIELD)
                assert [(row.key, *row.values) for row in found.rows] == [
                    (ServiceField(row[0]).code, *map(int, row[2:])) for row in raw
                ]
        head = (await ask(db, WINDOWS[0])).as_of_books[0].seq
        frozen[head] = [await ask(db, window, STRICT) for window in WINDOWS]
        # Another process, which knew the book earlier, and one that begins with what is stored,
        # which is a turn old: sums of years, and the entries since.
        assert [await ask(stranger, window, STRICT) for window in WINDOWS] == frozen[head]
        # One that keeps nothing but what was counted, as of a whole province.
        with monkeypatch.context() as patched:
            patched.setattr(snapshot, "BOOKS_AT_ONCE", 0)
            assert [await ask(frugal, window, STRICT) for window in WINDOWS] == frozen[head]
        restarted = Database(database_url, role="timebank_app")
        # What is mended after new entries is what a count of everybody comes to.
        courses = [[await course(each, which) for which in COURSES] for each in (db, restarted)]
        assert courses[0] == courses[1]
        assert [await ask(restarted, window, STRICT) for window in WINDOWS] == frozen[head]
        await restarted.close()
        assert await store_sums(db, book=BOOK) >= (turn != 3)
    await stranger.close()
    await frugal.close()
    async with db.write() as conn:
        for rule in ("audit.report_segment_differs", "audit.report_sums_differ"):
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None

    # The roll-up, the months of the year and the days of it come to the year's own numbers.
    year = Window.of_year(2024)
    whole = (await ask(db, year)).rows[0]
    months = await ask(db, year, by=Breakdown.MONTH)
    assert [row.key for row in months.rows] == [f"2024-{month:02}" for month in range(1, 13)]
    assert sum(row.values[2] or 0 for row in months.rows) == whole.values[2]
    by_day = await ask(db, year, metrics=OF_PEOPLE[2:], by=Breakdown.DAY)
    rolled = await owner.fetchrow(
        "select sum(services), sum(minutes) from volunteer_month where month / 100 = 2024"
    )
    assert rolled is not None
    assert sum(row.values[0] or 0 for row in by_day.rows) == rolled[0]
    assert sum(sum(row.values[1:]) for row in by_day.rows) == rolled[1]  # type: ignore[arg-type]

    # What was as of an entry is the same after all that followed it, in every process.
    newcomer = Database(database_url, role="timebank_app")
    for reader in (db, newcomer):
        for seq in (5, 33, 64, 65, max(frozen)):
            was = (
                await owner.fetchrow(
                    "select coalesce(sum(case when reverses is null then amount else -amount end), 0) from transfer"
                    " where seq <= $1 and effective_at >= '2023-12-31T16:00Z' and effective_at < '2024-12-31T16:00Z'",
                    seq,
                )
            )[0]
            days = await ask(reader, year, metrics=OF_PEOPLE[3:], by=Breakdown.DAY, as_of=seq)
            assert sum(sum(row.values) for row in days.rows) == was  # type: ignore[arg-type]
    await newcomer.close()


async def test_segments_are_read_whose_days_a_window_touches(
    db: Database, database_url: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service a day, a segment a month: a day too few at either end would be seen."""
    monkeypatch.setattr(columns, "SEGMENT_ENTRIES", 30)
    await found_county(db, book=BOOK, now=NOW)
    history = History(db, world, 1)
    (volunteer,) = await world.volunteers(1, village=VILLAGES[0])
    first = date(2024, 3, 1)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        services = [
            history.service(volunteer)._replace(
                amount=1 + place,
                effective_at=day_start(first + timedelta(days=place), zone=ZoneInfo(ZONE)),
            )
            for place in range(100)
        ]
        await journal.append(conn, head=head, transfers=services, now=NOW)
    assert await fold_book(db, book=BOOK) == 3
    for begin, end in (
        (0, 29),
        (29, 30),
        (30, 59),
        (60, 60),
        (59, 60),
        (89, 90),
        (90, 99),
        (28, 91),
    ):
        window = Window.of_campaign(first + timedelta(days=begin), first + timedelta(days=end))
        stranger = Database(database_url, role="timebank_app")
        for reader in (db, stranger):
            found = await ask(reader, window, metrics=("services", "minutes"))
            assert found.rows[0].values == (end - begin + 1, sum(range(begin + 1, end + 2))), window
        await stranger.close()


async def test_ages_roles_newness_and_what_is_done_here(
    db: Database, owner: asyncpg.Connection, world: World
) -> None:
    await found_county(db, book=BOOK, now=NOW)
    old, young, both, _silent = await world.volunteers(
        4, village=VILLAGES[0], since=date(2021, 1, 1)
    )
    await owner.execute("update volunteer set enrolled_at = '2021-01-01T00:00Z'")
    history = History(db, world, 1)
    organization = await world.organization()
    shift = await world.shift(organization=organization, places=4)
    async with db.write() as conn:
        await conn.execute(insert(tables.numbering).values(book_id=BOOK, noun="x", last=1))
        await conn.execute(update(tables.activity).values(region=VILLAGES[1]))
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        await journal.append(
            conn,
            head=head,
            transfers=[
                history.service(each)._replace(
                    amount=60,
                    effective_at=at,
                    service=Service(
                        1, 3, BOOK, 1, number, ServiceField.ELDER_CARE.value, VILLAGES[1]
                    ),
                )
                for each, at, number in (
                    (old, datetime(2023, 3, 1, tzinfo=UTC), None),
                    (young, datetime(2023, 3, 1, tzinfo=UTC), None),
                    (old, datetime(2024, 3, 2, tzinfo=UTC), shift.id),
                    (both, datetime(2024, 3, 2, tzinfo=UTC), shift.id),
                    (both, datetime(2024, 3, 3, tzinfo=UTC), None),
                )
            ],
            now=NOW,
        )
        await profiles.set_profiles(
            conn,
            book=BOOK,
            profiles=[
                Profile(
                    volunteer=each.id,
                    from_on=from_on,
                    birth_year=year,
                    is_party_member=party,
                    is_social_worker=work,
                )
                for each, from_on, year, party, work in (
                    (old, date(2020, 1, 1), 1950, False, False),
                    (young, date(2020, 1, 1), 2007, False, True),
                    (both, date(2020, 1, 1), None, True, False),
                    (both, date(2024, 6, 1), None, True, True),
                    (both, date(2025, 1, 1), None, False, False),
                )
            ],
            now=NOW,
        )
        await owner.execute(
            "insert into residents_aged values ($1, '2024-01-01', 'x', 60, 150, 4, false)", COUNTY
        )

    year = Window.of_year(2024)
    names = ("registered", "active", "services", "minutes", "active_rate")
    ages = await ask(db, year, metrics=names, by=Breakdown.AGE)
    assert {row.key: row.values for row in ages.rows} == {
        "0-17": (1, 0, 0, 0, None),
        "18-34": (0, 0, 0, 0, None),
        "35-59": (0, 0, 0, 0, None),
        "60-150": (1, 1, 1, 60, None),
        "unknown": (2, 1, 2, 120, None),
    }
    roles = await ask(db, year, metrics=names[:4], by=Breakdown.ROLE)
    assert {row.key: row.values for row in roles.rows} == {
        "volunteer": (1, 1, 1, 60),
        "party_member": (0, 0, 0, 0),
        "social_worker": (1, 0, 0, 0),
        "both": (1, 1, 2, 120),
        "unknown": (1, 0, 0, 0),
    }
    elders = replace(
        RESIDENTS_ANY_HOUR, id="e", denominator=Denominator.RESIDENTS_AGED, ages=AgeBand(60, 150)
    )
    assert (await ask(db, year, elders, metrics=("active", "active_rate"))).rows[0].values == (
        1,
        2_500,
    )
    found = await ask(db, year, metrics=("new_active", "returning_active", "retention_rate"))
    assert found.rows[0].values == (1, 1, 5_000)
    march = await ask(
        db, Window.of_month(2024, 3), metrics=("new_active", "returning_active", "retention_rate")
    )
    assert march.rows[0].values == (1, 1, 5_000)
    ever = await ask(
        db, Window.ever(date(2024, 12, 31)), metrics=("active", "new_active", "retention_rate")
    )
    assert ever.rows[0].values == (3, 3, 10_000)

    here = (
        "services_here",
        "sessions",
        "activities",
        "shifts",
        "places",
        "places_filled",
        "fill_rate",
        "people_served",
    )
    found = await ask(db, year, metrics=here)
    assert found.rows[0].values == (3, 2, 1, 1, 4, 2, 5_000, None)
    values = {row.region: row.values for row in found.rows}
    assert values[VILLAGES[0]] == (0, 0, 0, 0, 0, 0, None, None)
    assert values[VILLAGES[1]] == values[TOWN] == values[COUNTY]
    by = await ask(db, year, metrics=(*here, "active"), by=Breakdown.ORGANIZATION)
    assert [(row.key, row.name, row.values) for row in by.rows] == [
        ("1", "示例志愿服务队 1", (*values[COUNTY], 2))
    ]
    # Below the county only who lives there, and what is done there.
    by = await ask(
        db, year, metrics=("active", "services_here"), by=Breakdown.FIELD, region=VILLAGES[0]
    )
    assert [row.values for row in by.rows] == [(2, 0)]


async def test_what_cannot_be_asked(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NOW)
    year = Window.of_year(2024)
    with pytest.raises(KeyError):
        await ask(db, year, metrics=("none",))
    with pytest.raises(ValueError, match="stations has no rows by field"):
        await ask(db, year, metrics=("stations",), by=Breakdown.FIELD)
    with pytest.raises(ValueError, match="by county"):
        await ask(db, year, metrics=("services",), by=Breakdown.DAY, region=TOWN)
    for window in ("2024-Q2", "12m..2024-06-30", "..2024-12-31", "2024-01-01..2024-03-30"):
        with pytest.raises(ValueError, match="from January on"):
            await ask(db, parse_window(window), metrics=("cohort_retention",), by=Breakdown.COHORT)
    with pytest.raises(ValueError, match="no months"):
        await ask(db, Window.ever(date(2024, 12, 31)), by=Breakdown.MONTH)
    # Every metric by everything that it says it can be broken down by.
    for by in Breakdown:
        names = [each.name for each in METRICS.values() if by in each.breakdowns]
        assert {len(row.values) for row in (await ask(db, year, metrics=names, by=by)).rows} <= {
            len(names)
        }
    async with db.read() as conn:
        assert await active_rates(conn, scope=Scope(330999000000), year=2024) is None
