"""A year's course on a world small enough to count by hand, with something taken back."""

from datetime import UTC, date, datetime

import asyncpg
from tests.factories import BOOK, VILLAGE, World

from timebank.db import Database
from timebank.domain.definition import Definition
from timebank.domain.metric import Breakdown
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.domain.window import Window
from timebank.ledger import audit, journal
from timebank.queries.course import Course, DayPoint, MonthPoint, read_course
from timebank.queries.numbers import read_numbers
from timebank.services.correction import reverse_transfer
from timebank.services.folding import store_sums, warm_reports
from timebank.services.founding import found_county
from timebank.store.definitions import RESIDENTS_ANY_HOUR, find_definition

NOW = datetime(2024, 5, 1, tzinfo=UTC)
COUNTY = Scope(BOOK * 1_000_000)
OTHER_TOWN = 330424102000

SERVED = [
    # volunteer, day, minutes, assurance, measured
    (1, date(2024, 1, 10), 60, 1, 3),
    (2, date(2024, 1, 10), 30, 0, 0),
    (1, date(2024, 2, 3), 60, 1, 3),
    (3, date(2024, 2, 3), 60, 1, 1),
    (3, date(2024, 4, 30), 90, 1, 3),
    (2, date(2024, 3, 1), 45, 1, 3),
    (1, date(2023, 12, 31), 500, 1, 3),
]


async def post(db: Database) -> None:
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        await journal.append(
            conn,
            head=head,
            transfers=[
                Transfer(
                    service_key(
                        at := datetime(day.year, day.month, day.day, 4, tzinfo=UTC), number
                    ),
                    TransferKind.SERVICE,
                    Unit.MINUTES,
                    1,
                    1 + volunteer,
                    minutes,
                    at,
                    volunteer,
                    Service(assurance, measured, BOOK, 1, None, 1, VILLAGE),
                )
                for number, (volunteer, day, minutes, assurance, measured) in enumerate(SERVED)
            ],
            now=NOW,
        )


async def cohorts(
    db: Database, definition: Definition = RESIDENTS_ANY_HOUR, *, as_of: int | None = None
) -> dict[str, tuple[int | None, ...]]:
    async with db.read() as conn:
        found = await read_numbers(
            conn,
            scope=COUNTY,
            metrics=["cohort_size", "cohort_active", "cohort_retention"],
            definition=definition,
            window=Window.of_campaign(date(2024, 1, 1), date(2024, 4, 30)),
            by=Breakdown.COHORT,
            as_of=as_of,
        )
    assert found is not None
    return {row.key: row.values for row in found.rows}


async def test_months_days_and_who_came_back_are_counted_and_follow_the_book(
    db: Database, world: World
) -> None:
    await found_county(db, book=BOOK, now=datetime(2023, 1, 1, tzinfo=UTC))
    await world.volunteers(4)
    await post(db)

    async with db.read() as conn:
        course = await read_course(
            conn, scope=COUNTY, definition=RESIDENTS_ANY_HOUR, year=2024, last_month=4
        )
    assert course is not None
    assert course.months == (
        MonthPoint(1, 2, 2, 2, (60, 0, 30)),
        MonthPoint(2, 2, 3, 2, (60, 60, 0)),
        MonthPoint(3, 1, 3, 1, (45, 0, 0)),
        MonthPoint(4, 1, 3, 1, (90, 0, 0)),
    )
    assert course.days[0] == DayPoint(date(2024, 1, 10), 2, 90)
    assert course.days[-1] == DayPoint(date(2024, 4, 30), 1, 90)
    told = await cohorts(db)
    assert told == {
        "2024-01+0": (2, 2, 10_000),
        "2024-01+1": (2, 1, 5_000),
        "2024-01+2": (2, 1, 5_000),
        "2024-01+3": (2, 0, 0),
        "2024-02+0": (1, 1, 10_000),
        "2024-02+1": (1, 0, 0),
        "2024-02+2": (1, 1, 10_000),
    }

    # By scanned hours alone the second volunteer comes in March for the first time.
    scanned = find_definition("active-rate.residents.scanned", on=date(2024, 12, 31))
    assert scanned is not None
    async with db.read() as conn:
        strict = await read_course(conn, scope=COUNTY, definition=scanned, year=2024, last_month=4)
        elsewhere = await read_course(
            conn, scope=Scope(OTHER_TOWN), definition=RESIDENTS_ANY_HOUR, year=2024
        )
    assert strict is not None
    assert [each.active for each in strict.months] == [1, 1, 1, 1]
    assert [key for key in await cohorts(db, scanned) if key.endswith("+0")] == [
        "2024-01+0",
        "2024-03+0",
        "2024-04+0",
    ]
    assert elsewhere is not None
    assert not elsewhere.days

    # Taken back: what was kept between the two looks is mended, not counted anew.
    await reverse_transfer(db, actor=None, book=BOOK, seq=5, reason="代签", now=NOW)
    async with db.read() as conn:
        after = await read_course(
            conn, scope=COUNTY, definition=RESIDENTS_ANY_HOUR, year=2024, last_month=4
        )
    assert after is not None
    assert after.months[3] == MonthPoint(4, 0, 3, 0, (0, 0, 0))
    assert after.days == course.days[:-1]
    assert await cohorts(db) == told | {"2024-02+2": (1, 0, 0)}
    assert await cohorts(db, as_of=7) == told


async def test_a_server_that_was_just_started_goes_on_from_stored_sums(
    db: Database, database_url: str, world: World, owner: asyncpg.Connection
) -> None:
    await found_county(db, book=BOOK, now=datetime(2023, 1, 1, tzinfo=UTC))
    await world.volunteers(4)
    await post(db)

    async def ask(known: Database) -> Course | None:
        async with known.read() as conn:
            return await read_course(conn, scope=COUNTY, definition=RESIDENTS_ANY_HOUR, year=2024)

    await warm_reports(db, book=BOOK, today=NOW.date())
    assert await store_sums(db, book=BOOK) == 3
    assert await store_sums(db, book=BOOK) == 0
    await reverse_transfer(db, actor=None, book=BOOK, seq=5, reason="代签", now=NOW)
    told = await ask(db)
    assert told is not None
    assert [each.active_to_date for each in told.months] == [2, *[3] * 11]
    started = Database(database_url, role="timebank_app")
    assert await ask(started) == told
    await started.close()

    # What is stored is made of the journal: the audit makes it again and sees what was changed.
    async with db.write() as conn:
        assert await audit.find_broken(conn, book=BOOK, rule="audit.report_sums_differ") is None
    await owner.execute("update report_state set seq = 4 where first_day = 19723")
    async with db.write() as conn:
        found = await audit.find_broken(conn, book=BOOK, rule="audit.report_sums_differ")
    assert found is not None
    assert found.examples == ("year 2024 as of entry 4",)
