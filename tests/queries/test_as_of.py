"""A report of an earlier state is the same report next year, byte for byte."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.factories import BOOK, NINE, VILLAGE, World

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.as_of import AsOfAsked, UnknownStateError
from timebank.domain.metric import METRICS, Breakdown
from timebank.domain.posting import Posted, reversal_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.domain.window import Window
from timebank.ledger import balances, journal
from timebank.queries.active_rate import active_rates
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services.enrolment import move_home
from timebank.services.founding import found_county
from timebank.store import profiles, volunteers
from timebank.store.definitions import RESIDENTS_ANY_HOUR

START = datetime(2024, 6, 1, tzinfo=UTC)
COUNTY = BOOK * 1_000_000
OTHER_VILLAGE = 330424102200


@dataclass(slots=True)
class County:
    """A county whose clock moves by a minute with each deed."""

    db: Database
    now: datetime = START
    issuing: int = 1
    deeds: int = 0
    printed: dict[int, str] = field(default_factory=dict)
    looks: dict[datetime, str] = field(default_factory=dict)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        self.deeds += 1
        return self.now

    async def post(self, *make: Callable[[], Transfer], book: int = BOOK) -> None:
        now = self.tick()
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=book)
            assert head is not None
            outcomes = await journal.append(
                conn, head=head, transfers=[each() for each in make], now=now
            )
        assert all(isinstance(outcome, Posted) for outcome in outcomes)

    def service(
        self, volunteer: int, minutes: int, at: datetime, *, evidence: tuple[int, int] = (1, 3)
    ) -> Callable[[], Transfer]:
        def make() -> Transfer:
            self.deeds += 1
            return Transfer(
                service_key(at, self.deeds),
                TransferKind.SERVICE,
                Unit.MINUTES,
                self.issuing,
                1 + volunteer,
                minutes,
                at,
                volunteer,
                Service(*evidence, BOOK, 1, None, 1, VILLAGE),
            )

        return make

    async def take_back(self, seq: int) -> None:
        async with self.db.read() as conn:
            entry = await balances.find_entry(conn, book=BOOK, seq=seq)
        assert entry is not None
        self.deeds += 1
        back = reversal_of(entry, key=service_key(self.now, "back", self.deeds))
        await self.post(lambda: back)

    async def report(self, as_of: AsOfAsked | None = None, *, year: int = 2024) -> str:
        async with self.db.read() as conn:
            found = await active_rates(conn, scope=Scope(COUNTY), year=year, as_of=as_of)
        assert found is not None
        return json.dumps(found.as_json(), ensure_ascii=False) + found.as_table()

    async def print(self) -> None:
        """Print the newest report and keep it with its entry and with the instant."""
        async with self.db.read() as conn:
            seq = await balances.find_head_seq(conn, book=BOOK)
        assert seq is not None
        self.printed[seq] = await self.report()
        self.looks[self.tick()] = self.printed[seq]


@pytest.fixture
async def county(db: Database) -> County:
    await found_county(db, book=BOOK, now=START)
    return County(db)


async def test_every_report_that_was_printed_can_be_printed_again(
    county: County, world: World
) -> None:
    """Worth its seconds: entries, reversals, enrolments, homes and departures follow each report."""
    people = await world.volunteers(6)
    chance = random.Random(7)
    await county.print()
    for turn in range(14):
        # Reports of the year before and after must not get in each other's way.
        at = NINE + timedelta(days=chance.choice([-70, 0, 0, 0, 30, 400]))
        await county.post(
            *(
                county.service(
                    chance.randint(1, 6),
                    chance.randint(1, 90),
                    at,
                    evidence=chance.choice([(0, 0), (1, 3), (3, 2)]),
                )
                for _ in range(chance.randint(1, 5))
            )
        )
        await county.print()
        if turn % 4 == 1:
            await county.take_back(max(county.printed))
            await county.print()
        if turn == 6:
            await move_home(
                county.db,
                volunteer=people[0],
                village=OTHER_VILLAGE,
                from_on=date(2024, 6, 1),
                now=county.tick(),
            )
            # The same entry as before: only the instant tells these two apart.
            await county.print()

    assert len(set(county.printed.values())) > 12
    for seq, page in county.printed.items():
        assert await county.report(seq) == page, seq
    for instant, page in county.looks.items():
        assert await county.report(instant) == page, instant


async def test_people_who_come_and_go_later_do_not_change_a_report(
    county: County, world: World, owner
) -> None:
    first, second = await world.volunteers(2)
    await county.post(county.service(first.id, 60, NINE), county.service(second.id, 30, NINE))
    await county.print()
    await county.post(county.service(first.id, 5, NINE))
    # One leaves, and one is enrolled with a day of the past, as an import does it.
    await owner.execute("update volunteer set ended_at = $1 where id = 2", county.tick())
    (late,) = await world.volunteers(1)
    await owner.execute("update account set opened_at = $1 where id = 4", county.tick())

    assert await county.report(2) == county.printed[2]
    assert await county.report() != county.printed[2]
    assert late == VolunteerId(BOOK, 3)


async def test_what_is_told_otherwise_later_changes_no_number_but_those_that_say_so(
    county: County, database_url: str, world: World, owner
) -> None:
    """Every metric by every breakdown, before and after all that can be told anew was."""
    first, second, _third = await world.volunteers(3)
    await county.post(*(county.service(each, 60, NINE) for each in (1, 2, 3)))
    moved_on = date(2024, 6, 1)
    await move_home(
        county.db, volunteer=first, village=OTHER_VILLAGE, from_on=moved_on, now=county.tick()
    )
    async with county.db.write() as conn:
        await volunteers.set_ended(conn, volunteer=second, ended_at=county.tick())
    await tell(county, first, birth_year=1950)
    asked: dict[datetime | int, dict[tuple[str, Breakdown], Numbers]] = {}
    asked[county.tick()] = {}
    await county.post(county.service(1, 5, NINE))
    asked[3] = {}
    for state, found in asked.items():
        found.update(await every_number(county, state))
    year = found["active", Breakdown.REGION].rows
    assert {row.region: row.values for row in year}[OTHER_VILLAGE] == (1,)

    await move_home(
        county.db, volunteer=first, village=VILLAGE, from_on=moved_on, now=county.tick()
    )
    async with county.db.write() as conn:
        await volunteers.set_returned(conn, volunteer=second, now=county.tick())
    await tell(county, first, birth_year=2010)
    await owner.execute("update shift set cancelled_at = now()")
    await owner.execute(
        "insert into residents values ($1, '2024-03-01', 'told late', 7, false)", COUNTY
    )
    await owner.execute(
        "update numbering set last = last + 1 where book_id = 0 and noun = 'division_change'"
    )

    changed = set()
    stranger = Database(database_url, role="timebank_app")
    for reader in (county.db, stranger):
        for state, found in asked.items():
            for key, again in (await every_number(replace(county, db=reader), state)).items():
                named = found[key].not_repeatable
                if values(again) != values(found[key]):
                    changed.add(key[0])
                    assert key[0] in named, (key, state)
    await stranger.close()
    assert changed >= {"active_rate", "registered_rate", "active"}
    async with county.db.read() as conn:
        now = await read_numbers(
            conn,
            scope=Scope(COUNTY),
            metrics=["registered"],
            definition=RESIDENTS_ANY_HOUR,
            window=Window.of_year(2024),
        )
    assert now is not None
    assert now.rows[0].values == (3,)
    assert found["registered", Breakdown.REGION].rows[0].values == (2,)


def values(numbers: Numbers) -> list[tuple[int, str, tuple[int | None, ...]]]:
    """The numbers; the population beside them is the one that is known now."""
    return [(row.region, row.key, row.values) for row in numbers.rows]


async def tell(county: County, volunteer: VolunteerId, *, birth_year: int) -> None:
    async with county.db.write() as conn:
        await profiles.set_profiles(
            conn,
            book=BOOK,
            profiles=[
                profiles.Profile(
                    volunteer=volunteer.id,
                    from_on=date(2024, 1, 1),
                    birth_year=birth_year,
                    is_party_member=False,
                    is_social_worker=False,
                )
            ],
            now=county.tick(),
        )


async def every_number(county: County, state: AsOfAsked) -> dict[tuple[str, Breakdown], Numbers]:
    found = {}
    for by in Breakdown:
        for metric in METRICS.values():
            if by in metric.breakdowns and by is not Breakdown.MONTH:
                async with county.db.read() as conn:
                    numbers = await read_numbers(
                        conn,
                        scope=Scope(COUNTY),
                        metrics=[metric.name],
                        definition=RESIDENTS_ANY_HOUR,
                        window=Window.of_year(2024),
                        by=by,
                        as_of=state,
                    )
                assert numbers is not None
                found[metric.name, by] = numbers
    return found


async def test_an_entry_within_a_batch_is_a_state_too(county: County, world: World) -> None:
    await world.volunteers(2)
    await county.post(*(county.service(1, 10 + n, NINE) for n in range(6)))

    totals = []
    for seq in range(7):
        async with county.db.read() as conn:
            found = await active_rates(conn, scope=Scope(COUNTY), year=2024, as_of=seq)
        assert found is not None
        assert found.as_of.seq == seq
        totals.append(found.rows[0].minutes)
    assert totals == [0, 10, 21, 33, 46, 60, 75]


async def test_an_instant_is_a_state_of_every_book_of_a_city(county: County, world: World) -> None:
    await found_county(county.db, book=330421, now=START)
    await world.volunteers(1)
    await world.volunteers(1, book=330421, village=330421001001)
    await county.post(county.service(1, 60, NINE))
    between = county.tick()
    await county.post(county.service(1, 30, NINE), book=330421)
    await county.post(county.service(1, 15, NINE))

    async with county.db.read() as conn:
        found = await active_rates(conn, scope=Scope(330400000000), year=2024, as_of=between)
        assert found is not None
        assert [(each.book, each.seq) for each in found.as_of_books] == [(330421, 0), (BOOK, 1)]
        assert found.rows[0].minutes == 60
        with pytest.raises(UnknownStateError, match="entry"):
            await active_rates(conn, scope=Scope(330400000000), year=2024, as_of=1)


async def test_an_entry_that_is_not_there_yet_is_no_state(county: County, world: World) -> None:
    await world.volunteers(1)
    for asked in (1, -1):
        with pytest.raises(UnknownStateError, match="entry"):
            await county.report(asked)
