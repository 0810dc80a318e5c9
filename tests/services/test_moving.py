"""A volunteer takes everything along to another county; both books balance, nothing is rewritten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql import insert
from tests.factories import BOOK, NINE, VILLAGE, World
from tests.services.test_benefits import COUNTY, partner, read, redeem, run
from tests.services.test_purse import nanjing
from tests.services.test_reconsidering import say

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.correction import Corrected, Correction, Reversed
from timebank.domain.entitlement import Standing, State
from timebank.domain.moving import MovedToCounty, MovingRefusal, MovingRefused
from timebank.domain.posting import Posted
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, Unit, service_key
from timebank.domain.voucher import Redeemed, Voucher
from timebank.ledger import accounts, audit, balances, entitlements, journal
from timebank.policy.fact import FactKey
from timebank.queries import facts, grants
from timebank.queries import volunteer as own
from timebank.queries.active_rate import active_rates
from timebank.services import expiring
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.correction import correct_service, reverse_transfer
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.services.granting import grant_policies, shipped_packs
from timebank.services.moving import complete_moves, move_to_county
from timebank.store import tables, volunteers

AWAY = 330402
AWAY_VILLAGE = 330402001001
THIRD = 330421
THIRD_VILLAGE = 330421001001
MOVED = datetime(2024, 9, 10, 4, tzinfo=UTC)
END = date(2025, 1, 1)
LIFETIME = FactKey("minutes", None, END, 0)


@dataclass(slots=True)
class Mover:
    """One person with a hundred hours from March 2024 on, and what became of them."""

    db: Database
    world: World
    volunteer: VolunteerId
    now: datetime = MOVED

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    async def serve(self, *, hours: int, at: datetime = NINE) -> None:
        shift = await self.world.shift(starts_at=at, hours=hours, signed_up=[self.volunteer])
        for direction, instant in (
            (Direction.ARRIVE, at),
            (Direction.LEAVE, at + timedelta(hours=hours)),
        ):
            scan = Scan(shift.book, shift.id, direction, instant)
            await record_scans(self.db, requests=[ScanRequest(self.volunteer, scan)], now=instant)

    async def move(self, village: int = AWAY_VILLAGE) -> VolunteerId:
        outcome = await move_to_county(
            self.db, volunteer=self.volunteer, village=village, person=None, now=self.tick()
        )
        assert isinstance(outcome, MovedToCounty)
        self.volunteer = outcome.volunteer
        return outcome.volunteer

    async def held(
        self, volunteer: VolunteerId, unit: int = Unit.MINUTES, kind: AccountKind | None = None
    ) -> int:
        async with self.db.read() as conn:
            found = await accounts.find_accounts(
                conn,
                book=volunteer.book,
                unit=unit,
                kind=kind or AccountKind.VOLUNTEER,
                owners=[volunteer.id],
            )
            if not found:
                return 0
            return (
                await balances.balance(conn, book=volunteer.book, account=found[volunteer.id])
            ).held

    async def fact(self, key: FactKey = LIFETIME) -> object:
        """A fact for one person, which must be what it is for everybody at once."""
        async with self.db.read() as conn:
            alone = await facts.person_facts(conn, volunteer=self.volunteer, keys=[key])
            everybody = await facts.population_facts(
                conn,
                scope=Scope(self.volunteer.book * 1_000_000),
                book=self.volunteer.book,
                keys=[key],
            )
        assert alone is not None
        assert everybody is not None
        (place,) = [n for n, each in enumerate(everybody.volunteers) if each == self.volunteer.id]
        values, _ = everybody.columns[key]
        if not isinstance(alone[key], date):
            assert values[place] == alone[key]
        return alone[key]

    async def rate(self, book: int, year: int = 2024) -> tuple[int, int, int]:
        async with self.db.read() as conn:
            found = await active_rates(conn, scope=Scope(book * 1_000_000), year=year)
        assert found is not None
        return found.rows[0].registered, found.rows[0].active, found.rows[0].minutes

    async def broken(self) -> list[str]:
        found = []
        async with self.db.read() as conn:
            for book in (BOOK, AWAY, THIRD):
                for rule in audit.RULES:
                    finding = await audit.find_broken(conn, book=book, rule=rule)
                    if finding is not None:
                        found.append(f"{book} {rule} {finding.examples}")
        return found

    async def post_credits(self, *amounts: int) -> list[int]:
        """Give credits to the volunteer, or spend them where the amount is below zero."""
        volunteer = self.volunteer
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=volunteer.book)
            assert head is not None
            unit = Unit.CREDITS
            issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=NINE)
            purse = (
                await accounts.ensure_accounts(
                    conn,
                    head=head,
                    unit=unit,
                    kind=AccountKind.VOLUNTEER,
                    owners=[volunteer.id],
                    now=NINE,
                    is_debit_bounded=True,
                )
            )[volunteer.id]
            outcomes = await journal.append(
                conn,
                head=head,
                transfers=[
                    Transfer(
                        service_key(NINE, self.tick(), place),
                        TransferKind.ADJUSTMENT,
                        unit,
                        *((issuing, purse) if amount > 0 else (purse, issuing)),
                        abs(amount),
                        NINE,
                        volunteer.id,
                    )
                    for place, amount in enumerate(amounts)
                ],
                now=self.now,
            )
        assert all(isinstance(each, Posted) for each in outcomes)
        return [each.seq for each in outcomes]  # type: ignore[union-attr]


@pytest.fixture
async def mover(db: Database, world: World) -> Mover:
    for book, village in ((BOOK, VILLAGE), (AWAY, AWAY_VILLAGE), (THIRD, THIRD_VILLAGE)):
        await found_county(db, book=book, now=NINE)
        async with db.write() as conn:
            await conn.execute(
                insert(tables.region)
                .values(code=village, name="村", level="village", parent=book * 1_000_000)
                .on_conflict_do_nothing()
            )
    (volunteer,) = await world.volunteers()
    await world.person_of(volunteer)
    mover = Mover(db, world, volunteer)
    for day in range(10):
        await mover.serve(hours=10, at=NINE + timedelta(days=10 * day))
    return mover


async def test_everything_moves_and_nothing_is_rewritten(
    mover: Mover, owner: asyncpg.Connection
) -> None:
    old = mover.volunteer
    await mover.post_credits(50, -20)
    history = await owner.fetch("select * from transfer where book_id = $1 order by seq", BOOK)
    rollup = await owner.fetch("select * from volunteer_month order by month")

    new = await mover.move()

    assert new == VolunteerId(AWAY, 1)
    assert (await mover.held(old), await mover.held(new)) == (0, 6_000)
    assert await mover.held(old, Unit.CREDITS) == 0
    assert await mover.held(new, Unit.CREDITS) == 30
    after = await owner.fetch("select * from transfer where book_id = $1 order by seq", BOOK)
    assert after[: len(history)] == history
    assert await owner.fetch("select * from volunteer_month order by month") == rollup
    halves = await owner.fetch("select key, book_id from transfer where kind = 5 order by 1, 2")
    assert [row["book_id"] for row in halves] == [BOOK, AWAY] * 2 or len(halves) == 4
    assert len({row["key"] for row in halves}) == 2
    ended = await owner.fetchval("select ended_at from volunteer where book_id = $1", BOOK)
    assert ended == mover.now
    assert (
        await owner.fetchval("select region from residence where book_id = $1", AWAY)
        == AWAY_VILLAGE
    )
    assert await mover.broken() == []


async def test_the_bounds_of_a_purse_move_with_it(mover: Mover) -> None:
    await mover.post_credits(50)
    await mover.move()

    with pytest.raises(AssertionError):
        await mover.post_credits(-51)
    await mover.post_credits(-50)
    assert await mover.broken() == []


async def test_moving_again_and_at_once_moves_once(mover: Mover, owner: asyncpg.Connection) -> None:
    old = mover.volunteer

    async def move() -> object:
        return await move_to_county(
            mover.db, volunteer=old, village=AWAY_VILLAGE, person=None, now=MOVED
        )

    outcomes = await asyncio.gather(*(move() for _ in range(6)))

    assert outcomes == [MovedToCounty(VolunteerId(AWAY, 1))] * 6
    assert await move() == outcomes[0]
    assert await owner.fetchval("select count(*) from transfer where kind = 5") == 2
    assert await owner.fetchval("select count(*) from volunteer") == 2
    assert await mover.broken() == []
    with pytest.raises(NotFoundError):
        await move_to_county(mover.db, volunteer=old, village=THIRD_VILLAGE, person=None, now=MOVED)


@pytest.mark.parametrize("by", ["the same command", "completing all"])
async def test_a_move_interrupted_between_the_books_is_completed(
    mover: Mover, owner: asyncpg.Connection, by: str
) -> None:
    """The other book is held by somebody, and the mover's process is gone before it is free."""
    old = mover.volunteer
    await mover.post_credits(50)
    async with owner.transaction():
        await owner.execute("select 1 from book where id = $1 for update", AWAY)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mover.move(), 1.5)

    # It is in neither book, but on its way, and the audit knows that.
    assert await mover.held(old) == 0
    assert await owner.fetchval("select count(*) from transfer where book_id = $1", AWAY) == 0
    assert await owner.fetchval("select arrived_at from carriage") is None
    assert await mover.broken() == []

    if by == "completing all":
        assert await complete_moves(mover.db, now=mover.tick()) == 1
        assert await complete_moves(mover.db, now=mover.tick()) == 0
    new = await mover.move()

    assert (await mover.held(new), await mover.held(new, Unit.CREDITS)) == (6_000, 50)
    assert await owner.fetchval("select count(*) from transfer where kind = 5") == 4
    assert await mover.broken() == []


async def test_stars_hold_and_are_not_given_twice(mover: Mover, owner: asyncpg.Connection) -> None:
    async def grant(book: int) -> int:
        run = await grant_policies(
            mover.db,
            scope=Scope(book * 1_000_000),
            packs=shipped_packs(),
            on=date(2024, 12, 31),
            person=None,
            now=mover.tick(),
        )
        return sum(each.granted for each in run.rules if each.pack == "cn.stars")

    assert await grant(BOOK) == 1
    honour = await owner.fetchval("select unit from transfer where kind = 3 limit 1")
    star = FactKey("has_grant", None, END, 0, rule="cn.stars/stars")
    assert await mover.fact(star) is True

    async def granted() -> list[grants.Granted]:
        async with mover.db.read() as conn:
            return await grants.list_granted(conn, volunteer=mover.volunteer)

    held = await granted()
    assert [each.rule for each in held if each.pack == "cn.stars"] == ["stars"]

    new = await mover.move()

    # Whatever was granted is shown as it was, with its reasons.
    assert sorted(await granted(), key=lambda each: each.seq) == sorted(
        held, key=lambda each: each.seq
    )
    assert await mover.held(new, honour) == 1
    assert await mover.fact(star) is True
    assert await mover.fact() == 6_000
    assert await grant(AWAY) == 0
    assert await mover.held(new, honour) == 1
    assert await mover.broken() == []


async def test_facts_count_what_was_brought_by_the_month(mover: Mover) -> None:
    await mover.serve(hours=2, at=MOVED - timedelta(hours=4))
    await mover.move()

    def window(since: date | None, until: date, grade: int = 0) -> FactKey:
        return FactKey("minutes", since, until, grade)

    # Ten hours on 2, 12 and 22 March, and every ten days on to 30 May; two on 10 September.
    assert await mover.fact(window(None, date(2024, 4, 1))) == 1_800
    assert await mover.fact(window(date(2024, 3, 1), date(2024, 4, 1))) == 1_800
    # A month that lies in the window in part is not counted: its days stayed in the other book.
    assert await mover.fact(window(date(2024, 3, 2), date(2024, 5, 1))) == 1_800
    assert await mover.fact(window(None, date(2024, 9, 10))) == 6_000
    # By the day after the move all of the month was served.
    assert await mover.fact(window(None, date(2024, 9, 11))) == 6_120
    assert await mover.fact(window(None, END, 2)) == 0
    assert await mover.fact(FactKey("services", None, END, 0)) == 11
    assert await mover.fact(FactKey("registered_on", None, END, 0)) == date(2024, 1, 1)
    await mover.serve(hours=1, at=MOVED + timedelta(days=1))
    assert await mover.fact(window(None, END)) == 6_180
    async with mover.db.read() as conn:
        hours = await own.own_hours(conn, volunteer=mover.volunteer, year=2024)
    assert (hours.year, hours.lifetime, hours.lifetime_services) == (60, 6_180, 12)


async def test_reports_count_a_person_where_they_live_on_the_last_day(mover: Mover) -> None:
    assert (await mover.rate(BOOK), await mover.rate(AWAY)) == ((1, 1, 6_000), (0, 0, 0))
    seq = (await mover_seq(mover, BOOK), await mover_seq(mover, AWAY))

    await mover.move()

    assert (await mover.rate(BOOK), await mover.rate(AWAY)) == ((0, 0, 0), (1, 1, 6_000))
    assert await mover.rate(BOOK, 2025) == (0, 0, 0)
    assert await mover.rate(AWAY, 2025) == (1, 0, 0)
    # And the reports of the day before are what they were.
    async with mover.db.read() as conn:
        for book, as_of, expected in zip((BOOK, AWAY), seq, ((1, 6_000), (0, 0)), strict=True):
            found = await active_rates(conn, scope=Scope(book * 1_000_000), year=2024, as_of=as_of)
            assert found is not None
            assert (found.rows[0].registered, found.rows[0].minutes) == expected


async def mover_seq(mover: Mover, book: int) -> int:
    async with mover.db.read() as conn:
        seq = await balances.find_head_seq(conn, book=book)
    assert seq is not None
    return seq


async def test_a_life_in_three_counties_and_back_adds_up(
    mover: Mover, owner: asyncpg.Connection
) -> None:
    first = mover.volunteer
    places = [AWAY_VILLAGE, THIRD_VILLAGE, VILLAGE, AWAY_VILLAGE]
    seen = [first]
    for turn, village in enumerate(places):
        seen.append(await mover.move(village))
        await mover.serve(hours=1, at=mover.now + timedelta(days=turn + 1))
        mover.now += timedelta(days=turn + 3)
        assert await mover.fact() == 6_000 + 60 * (turn + 1)
        assert await mover.held(mover.volunteer) == 6_000 + 60 * (turn + 1)
        assert await mover.broken() == []

    # Who comes back is who they were.
    assert (seen[3], seen[4]) == (first, seen[1])
    assert [await mover.held(each) for each in seen[:3]] == [0, 6_240, 0]
    assert await owner.fetchval("select count(*) from volunteer where ended_at is null") == 1


async def test_a_correction_after_the_move_follows_to_where_the_volunteer_is(
    mover: Mover, owner: asyncpg.Connection
) -> None:
    old = mover.volunteer
    await mover.move()
    new = await mover.move(THIRD_VILLAGE)

    outcomes: Sequence[object] = [
        await reverse_transfer(
            mover.db, actor=None, book=BOOK, seq=1, reason="重复登记", now=mover.tick()
        ),
        await correct_service(
            mover.db,
            actor=None,
            book=BOOK,
            seq=2,
            correction=Correction(minutes=540, started_at=NINE - timedelta(days=40)),
            reason="时间有误",
            evidence="签到表 3",
            now=mover.tick(),
        ),
    ]

    assert [type(each) for each in outcomes] == [Reversed, Corrected]
    assert (await mover.held(old), await mover.held(new)) == (0, 6_000 - 600 - 60)
    assert await mover.fact() == 5_340
    assert await owner.fetchval("select count(*) from carriage where arrived_at is null") == 0
    assert await mover.broken() == []


async def test_a_late_record_in_the_former_book_is_sent_on(
    mover: Mover, owner: asyncpg.Connection
) -> None:
    """An import can bring services of the time before the move after it."""
    old = mover.volunteer
    new = await mover.move()
    async with mover.db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        entry = await balances.find_entry(conn, book=BOOK, seq=1)
        assert entry is not None
        late = entry.transfer._replace(key=service_key(NINE, "late"), amount=30)
        await journal.append(conn, head=head, transfers=[late], now=mover.tick())
    assert await mover.held(old) == 30

    assert await complete_moves(mover.db, now=mover.tick()) == 1
    assert await complete_moves(mover.db, now=mover.tick()) == 0

    assert (await mover.held(old), await mover.held(new)) == (0, 6_030)
    assert await mover.fact() == 6_030
    assert await mover.broken() == []


async def test_what_was_spent_and_taken_back_after_the_move_is_owed_in_the_new_book(
    mover: Mover,
) -> None:
    old = mover.volunteer
    (given,) = await mover.post_credits(50)
    await mover.post_credits(-20)
    new = await mover.move()

    outcome = await reverse_transfer(
        mover.db, actor=None, book=BOOK, seq=given, reason="发放有误", now=mover.tick()
    )

    assert isinstance(outcome, Reversed)
    assert await mover.held(old, Unit.CREDITS, AccountKind.RECEIVABLE) == 0
    assert await mover.held(new, Unit.CREDITS) == 30
    assert await mover.held(new, Unit.CREDITS, AccountKind.RECEIVABLE) == -50
    assert await mover.broken() == []


async def test_a_move_is_refused(mover: Mover, world: World) -> None:
    async def move(village: int) -> object:
        return await move_to_county(
            mover.db, volunteer=mover.volunteer, village=village, person=None, now=MOVED
        )

    async with mover.db.write() as conn:
        await conn.execute(
            insert(tables.region)
            .values(code=330411001001, name="村", level="village")
            .on_conflict_do_nothing()
        )
    assert await move(AWAY * 1_000_000) == MovingRefused(MovingRefusal.VILLAGE_UNKNOWN)
    assert await move(VILLAGE) == MovingRefused(MovingRefusal.SAME_COUNTY)
    assert await move(330411001001) == MovingRefused(MovingRefusal.COUNTY_NOT_OPEN)
    with pytest.raises(NotFoundError):
        await move_to_county(
            mover.db, volunteer=VolunteerId(BOOK, 9), village=VILLAGE, person=None, now=MOVED
        )


async def test_what_a_county_promised_stays_with_it_and_time_credits_go_along(
    mover: Mover, db: Database
) -> None:
    old = mover.volunteer
    film, coins = read(), nanjing()
    assert (await run(db, film)).rules[0].granted == 1
    on = date(2024, 5, 31)
    made = await grant_policies(
        db, scope=COUNTY, packs=[coins], on=on, person=None, now=NINE + timedelta(days=95)
    )
    assert sum(each.granted for each in made.rules) == 1
    await say(db, old, 1, days=60)

    async def own(volunteer: VolunteerId) -> dict[str, Standing]:
        async with db.read() as conn:
            found = await entitlements.list_of_volunteer(
                conn, book=volunteer.book, volunteer=volunteer.id
            )
        return {each.of.rule: each for each in found if each.state is not State.CARRIED}

    before = await own(old)
    new = await mover.move()

    # The film stays, usable; the credits are in the new book with their last day, once.
    here, there = await own(old), await own(new)
    assert {rule: each.left for rule, each in here.items()} == {"film": 3}
    (earned,) = [rule for rule in before if rule != "film"]
    assert {rule: each.left for rule, each in there.items()} == {earned: before[earned].left}
    assert there[earned].expires_on == before[earned].expires_on
    assert await mover.held(new, Unit.CREDITS) == before[earned].left
    assert await mover.held(old, Unit.CREDITS) == 0
    async with db.read() as conn:
        assert [each for each, _name in await volunteers.list_former(conn, volunteer=new)] == [old]
    redeemed = await redeem(db, await partner(db), Voucher(BOOK, here["film"].of.id, 1))
    assert isinstance(redeemed, Redeemed)
    # What other offices said is known in the new county, and nothing is earned twice.
    assert await mover.fact(FactKey("listed", None, END, 0, register="talents")) is True
    again = await grant_policies(
        db,
        scope=Scope(AWAY * 1_000_000),
        packs=[coins],
        on=on,
        person=None,
        now=mover.tick(),
    )
    assert sum(each.granted for each in again.rules) == 0

    # Each ends where it is; whoever comes back has what they brought.
    late = NINE + timedelta(days=4_000)
    assert await expiring.expire_grants(db, scope=COUNTY, now=NINE + timedelta(days=120)) == 1
    back = await mover.move(VILLAGE)
    assert back == old
    assert (await own(back))[earned].left == before[earned].left
    assert await own(new) == {}
    assert await expiring.expire_grants(db, scope=Scope(AWAY * 1_000_000), now=late) == 0
    assert await expiring.expire_grants(db, scope=COUNTY, now=late) == 1
    assert await mover.held(back, Unit.CREDITS) == 0
    assert await mover.broken() == []
