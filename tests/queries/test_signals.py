"""What the signals count, each in a world small enough to count by hand, beside what is innocent."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, NINE, VILLAGE, ZONE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.assurance import Evidence
from timebank.domain.period import Period
from timebank.domain.sample import CheckResult, SampleRefusal, SampleRefused, Stratum, draw
from timebank.domain.scope import Scope
from timebank.domain.signal import ReviewOutcome, ReviewRefusal, SignalKind
from timebank.domain.threshold import Threshold, ThresholdRefusal, ThresholdSetting
from timebank.domain.transfer import AccountKind, Service, Transfer, TransferKind, Unit, service_key
from timebank.ledger import accounts, journal
from timebank.queries.review_queue import ReviewQueue, find_queue, find_queues
from timebank.services import reviewing
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.sealing import LogKey, sign_checkpoint
from timebank.store import samples, tables
from timebank.trust.signer import Ed25519Signer

COUNTY = Scope(330424000000)
OTHER_TOWN = Scope(330424102000)
PREFECTURE = Scope(330400000000)
SHANGHAI = ZoneInfo(ZONE)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
YEAR_ENDS = date(2025, 1, 2)
_deeds = count()


async def credit(
    db: Database,
    world_shift: ShiftId,
    people: Sequence[VolunteerId],
    *,
    at: datetime = NINE,
    minutes: int = 180,
    measured: int = 1,
    recorded_at: datetime | None = None,
    place: int = VILLAGE,
) -> None:
    """Credit people for a shift, as a closing or a scan does."""
    now = recorded_at or at + timedelta(minutes=minutes)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        issuing = await accounts.issuing_account(conn, head=head, unit=Unit.MINUTES, now=now)
        activity = await conn.scalar(
            tables.shift.select()
            .with_only_columns(tables.shift.c.activity_id)
            .where(tables.shift.c.book_id == BOOK, tables.shift.c.id == world_shift.id)
        )
        owned = await accounts.find_accounts(
            conn,
            book=BOOK,
            unit=Unit.MINUTES,
            kind=AccountKind.VOLUNTEER,
            owners=[each.id for each in people],
        )
        await journal.append(
            conn,
            head=head,
            transfers=[
                Transfer(
                    key=service_key(at, next(_deeds)),
                    kind=TransferKind.SERVICE,
                    unit=Unit.MINUTES,
                    debit=issuing,
                    credit=owned[each.id],
                    amount=minutes,
                    effective_at=at,
                    volunteer=each.id,
                    service=Service(
                        1 if measured else 0, measured, BOOK, activity, world_shift.id, 1, place
                    ),
                )
                for each in people
            ],
            now=now,
        )


async def look(db: Database, scope: Scope = COUNTY, period: Period = YEAR) -> ReviewQueue:
    async with db.read() as conn:
        return await find_queue(conn, scope=scope, book=BOOK, period=period, zone=SHANGHAI)


def kinds(queue: ReviewQueue) -> dict[SignalKind, list[str]]:
    found: dict[SignalKind, list[str]] = {}
    for seen, _ in queue.waiting:
        found.setdefault(seen.kind, []).append(seen.subject)
    return found


async def attend(
    db: Database,
    shift: ShiftId,
    people: Sequence[VolunteerId],
    *,
    left_by_code: int,
    apart_minutes: int = 0,
) -> None:
    """Everybody came by code; so many left by code, the others by the organizer's word."""
    async with db.write() as conn:
        await conn.execute(
            insert(tables.attendance),
            [
                {
                    "book_id": each.book,
                    "volunteer_id": each.id,
                    "shift_book": shift.book,
                    "shift_id": shift.id,
                    "arrived_at": NINE + place * timedelta(minutes=apart_minutes),
                    "arrival_measured": True,
                    "left_at": NINE + 3 * HOUR,
                    "departure_measured": place < left_by_code,
                }
                for place, each in enumerate(people)
            ],
        )


async def test_each_pattern_is_found_and_what_is_innocent_beside_it_is_not(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(60)
    team, calm, own_team, late_team, burst_team = [await world.organization() for _ in range(5)]
    closed = NINE + 4 * HOUR

    async def held(organization: OrganizationId, at: datetime = NINE) -> ShiftId:
        return await world.shift(organization=organization, starts_at=at, closed_at=at + 4 * HOUR)

    # Nobody left by code; beside it one did, and five are too few.
    nobody, somebody, few = [await held(team), await held(calm), await held(calm)]
    await attend(db, nobody, people[:6], left_by_code=0)
    await attend(db, somebody, people[6:12], left_by_code=1)
    await attend(db, few, people[12:17], left_by_code=0)

    # Eight exactly full by hand; beside it one a minute short, and eight by code.
    full, short, coded = [await held(team), await held(calm), await held(calm)]
    await credit(db, full, people[:8], recorded_at=closed)
    await credit(db, short, people[8:15], recorded_at=closed)
    await credit(db, short, people[15:16], minutes=179, recorded_at=closed)
    await credit(db, coded, people[16:24], measured=3, recorded_at=closed)

    # Everybody signed up after it began and came at once; beside it one had before, and in a flood
    # they came one by one.
    rushed = await world.shift(organization=team, starts_at=NINE)
    mixed = await world.shift(organization=calm, starts_at=NINE, signed_up=people[30:31])
    flood = await world.shift(organization=calm, starts_at=NINE)
    for shift, joined in ((rushed, people[24:29]), (mixed, people[31:36]), (flood, people[17:22])):
        await owner.executemany(
            "insert into signup (book_id, volunteer_id, shift_book, shift_id, signed_up_at)"
            f" values ({BOOK}, $1, {BOOK}, {shift.id}, $2)",
            [(each.id, NINE + timedelta(minutes=5)) for each in joined],
        )
        await attend(db, shift, joined, left_by_code=4, apart_minutes=3 if shift == flood else 0)

    # An organizer's own hours by hand; beside it by code, another team's by hand, and an organizer
    # whose own hours are by code but once.
    own, coded_own = people[40], people[39]
    for each in (own, coded_own):
        await owner.execute(
            "insert into appointment (person_id, role, book_id, organization_id, from_at)"
            " values ($1, 'role.organizer', $2, $3, $4)",
            await world.person_of(each),
            BOOK,
            own_team.id,
            NINE - DAY,
        )
    await credit(db, await held(own_team), [own], at=NINE + DAY)
    await credit(db, await held(own_team), [own], at=NINE + 2 * DAY, measured=3)
    await credit(db, await held(calm), [own], at=NINE + 3 * DAY)
    for turn in range(4):
        at = NINE + 3 * DAY + 4 * (turn + 1) * HOUR
        await credit(db, await held(own_team), [coded_own], at=at, measured=3 if turn else 1)

    # In two places; beside it one right after the other, and an end by hand half an hour into the
    # next. Read in two places, if only for a minute. In two towns within minutes, twice.
    doubled, apart, rider = people[41], people[42], people[43]
    early, twice = people[56], people[57]
    at = NINE + 4 * DAY
    far = OTHER_TOWN.region + 1
    for shift in (await held(team), await held(calm)):
        await credit(db, shift, [doubled], at=at)
        at += HOUR
    at = NINE + 5 * DAY
    await credit(db, await held(team), [apart], at=at)
    await credit(db, await held(calm), [apart], at=at + 3 * HOUR)
    at = NINE + 6 * DAY
    for turn in range(3):
        place = far if turn % 2 else VILLAGE
        await credit(db, await held(calm), [rider], at=at, minutes=60, place=place)
        at += timedelta(minutes=65)
    for who, overlap, measured in ((early, 30, 1), (twice, 1, 3)):
        at = NINE + 6 * DAY + 8 * HOUR
        await credit(db, await held(team), [who], at=at, measured=measured)
        at += 3 * HOUR - timedelta(minutes=overlap)
        await credit(db, await held(calm), [who], at=at, measured=3)

    # Seventeen hours on one day; beside it sixteen.
    endless, tireless = people[44], people[45]
    midnight = datetime(2024, 3, 10, 16, 0, tzinfo=UTC)
    for who, hours in ((endless, 17), (tireless, 16)):
        shift = await held(calm)
        for hour in range(hours):
            await credit(
                db,
                shift,
                [who],
                at=midnight + hour * HOUR,
                minutes=60,
                recorded_at=midnight + 2 * DAY,
            )

    # The same five, five times; beside it three times, and five that change.
    for turn in range(5):
        at = NINE + (12 + turn) * DAY
        shift = await held(team, at)
        await credit(db, shift, people[50:55], at=at, minutes=60 + turn, measured=3)
        if turn < 3:
            await credit(db, await held(calm, at), people[55:60], at=at, minutes=61, measured=3)
        await credit(
            db,
            await held(calm, at),
            people[46 + turn % 2 : 51 + turn % 2],
            at=at + 8 * HOUR,
            minutes=7,
            measured=3,
        )

    # Entered 17 days after; beside it 15, and 17 for four.
    at = NINE + 20 * DAY
    await credit(db, await held(calm, at), people[30:35], at=at, recorded_at=at + 15 * DAY)
    for organization, crowd in ((late_team, people[:5]), (calm, people[5:9])):
        await credit(db, await held(organization, at), crowd, at=at, recorded_at=at + 17 * DAY)

    # Four times the usual before the target; beside it as always.
    target = datetime(2024, 12, 31, 16, 0, tzinfo=UTC)
    for week in range(14, 0, -1):
        at = target - timedelta(weeks=week) + HOUR
        for place, organization in enumerate((burst_team, calm)):
            minutes = 240 if week <= 2 and organization == burst_team else 60
            first = place * 20 + week
            crowd = people[first : first + 5]
            await credit(
                db,
                await held(organization, at),
                crowd,
                at=at + place * 12 * HOUR,
                minutes=minutes,
                recorded_at=at + DAY,
            )

    found = kinds(await look(db, period=Period(YEAR.start, target)))

    assert found.pop(SignalKind.TWO_PLACES) == [f"volunteer/{BOOK}/{doubled.id}"]
    assert found.pop(SignalKind.TWO_CODES) == [f"volunteer/{BOOK}/{twice.id}"]
    assert found.pop(SignalKind.FAST_TRAVEL) == [f"volunteer/{BOOK}/{rider.id}"]
    assert found.pop(SignalKind.LONG_DAY) == [f"volunteer/{BOOK}/{endless.id}"]
    assert found.pop(SignalKind.NO_DEPARTURES) == [f"shift/{BOOK}/{nobody.id}"]
    assert found.pop(SignalKind.FULL_TIME) == [f"shift/{BOOK}/{full.id}"]
    assert found.pop(SignalKind.AFTERWARDS) == [f"shift/{BOOK}/{rushed.id}"]
    own_hours = f"organization/{BOOK}/{own_team.id}/volunteer/{own.id}"
    assert found.pop(SignalKind.OWN_HOURS) == [own_hours]
    assert found.pop(SignalKind.ENTERED_LATE) == [f"organization/{BOOK}/{late_team.id}"]
    (set_of_five,) = found.pop(SignalKind.SAME_SET)
    assert set_of_five.startswith(f"organization/{BOOK}/{team.id}/")
    assert found.pop(SignalKind.BURST) == [f"organization/{BOOK}/{burst_team.id}/2024-12-31"]
    assert found == {}
    # Another town sees nothing of it, but what was done there; nor what was recorded elsewhen.
    assert kinds(await look(db, OTHER_TOWN)) == {}
    # The office above the counties sees what each of them sees.
    county = await look(db)
    async with db.read() as conn:
        above = await find_queues(conn, scope=PREFECTURE, period=YEAR, zone=SHANGHAI)
    assert above.waiting == county.waiting
    assert above.seen == county.seen
    assert kinds(await look(db, period=Period(YEAR.start, NINE))) == {}


OFFICER = Actor(uuid4(), frozenset({Role.OFFICER}), scope=COUNTY)
KEY_OF_LOG = LogKey(Ed25519Signer(KEY), "timebank.test")


async def test_a_review_settles_a_signal_until_more_is_seen_and_only_an_officer_reviews(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(9)
    team = await world.organization()
    shift = await world.shift(organization=team, closed_at=NINE + 4 * HOUR)
    await attend(db, shift, people[:8], left_by_code=0)
    ((seen, _),) = (await look(db)).waiting
    ends = YEAR.end + DAY

    async def review(
        actor: Actor,
        subject: str = seen.subject,
        reason: str = "电话核对过，码屏坏了",
        book: int = BOOK,
    ) -> object:
        return await reviewing.review_signal(
            db,
            actor=actor,
            book=book,
            period=YEAR,
            kind=seen.kind,
            subject=subject,
            outcome=ReviewOutcome.DISMISSED,
            reason=reason,
            now=ends,
        )

    for role in set(Role) - {Role.OFFICER}:
        with pytest.raises(NotPermittedError):
            await review(Actor(uuid4(), frozenset({role}), scope=COUNTY))
    with pytest.raises(NotFoundError):
        await review(OFFICER, book=330481)
    elsewhere = Actor(uuid4(), frozenset({Role.OFFICER}), scope=OTHER_TOWN)
    refused = [
        (await review(OFFICER, "shift/330424/999"), ReviewRefusal.NOT_FOUND),
        (await review(elsewhere), ReviewRefusal.NOT_FOUND),
        (await review(OFFICER, reason=" "), ReviewRefusal.REASON_LENGTH),
    ]
    assert [(each.reason, why) for each, why in refused] == [(why, why) for _, why in refused]
    assert await owner.fetchval("select count(*) from signal_review") == 0
    assert len((await look(db)).waiting) == 1

    assert await review(OFFICER) == reviewing.Reviewed(ends)
    assert (await look(db)).waiting == ()
    assert (await look(db)).flagged == ()
    acts = await owner.fetch("select act, person_id from audit_event")
    assert [tuple(each) for each in acts] == [("review_signal", OFFICER.person)]
    await attend(db, shift, people[8:], left_by_code=0)
    ((grown, before),) = (await look(db)).waiting
    assert (grown.people, before.reason if before else "") == (9, "电话核对过，码屏坏了")

    # A county's own number, from a day on, with its source; a town sets none.
    def number(value: int, on: date = YEAR_ENDS) -> ThresholdSetting:
        return ThresholdSetting(Threshold.NO_DEPARTURES_PEOPLE, on, value, "示例办法第 3 条")

    set_ = await reviewing.set_threshold(db, actor=OFFICER, book=BOOK, setting=number(10), now=ends)
    assert isinstance(set_, reviewing.ThresholdSet)
    assert (await look(db)).waiting, "what was before keeps its number"
    later = Period(YEAR.start, ends + DAY)
    assert (await look(db, period=later)).waiting == ()
    past = await reviewing.set_threshold(
        db, actor=OFFICER, book=BOOK, setting=number(1, NINE.date()), now=ends
    )
    assert past == reviewing.ThresholdRefused(ThresholdRefusal.PAST)
    with pytest.raises(NotFoundError):
        await reviewing.set_threshold(db, actor=elsewhere, book=BOOK, setting=number(1), now=ends)


async def test_a_sample_is_drawn_once_by_the_seed_of_the_log_checked_and_published(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(30)
    team, calm = [await world.organization() for _ in range(2)]
    shift = await world.shift(organization=team, closed_at=NINE + 4 * HOUR)
    other = await world.shift(organization=calm, closed_at=NINE + 4 * HOUR)
    await attend(db, shift, people[:6], left_by_code=0)
    await credit(db, shift, people[:6], minutes=170)
    await credit(db, other, people[6:20], measured=3)
    await credit(db, other, people[20:30], measured=0, minutes=100)
    first, after = date(2024, 3, 1), date(2024, 4, 1)
    now = datetime(2024, 4, 2, tzinfo=UTC)

    async def drawn(size: int = 12, actor: Actor = OFFICER, at: datetime = now) -> object:
        return await reviewing.draw_sample(
            db, actor=actor, book=BOOK, first_on=first, after_last_on=after, size=size, now=at
        )

    assert await drawn(at=NINE + DAY) == SampleRefused(SampleRefusal.PERIOD_OPEN)
    assert await drawn(0) == SampleRefused(SampleRefusal.SIZE)
    assert await drawn() == SampleRefused(SampleRefusal.NOT_SIGNED)
    with pytest.raises(NotPermittedError):
        await drawn(actor=Actor(uuid4(), frozenset({Role.AUDITOR}), scope=COUNTY))
    checkpoint = await sign_checkpoint(db, key=KEY_OF_LOG, book=BOOK, now=now)
    assert checkpoint is not None
    # Later entries and later checkpoints change nothing: the first one that covers the period is it.
    await credit(db, other, people[:1], at=now, minutes=5)
    await sign_checkpoint(db, key=KEY_OF_LOG, book=BOOK, now=now)

    both = await asyncio.gather(drawn(), drawn())
    assert SampleRefused(SampleRefusal.ALREADY_DRAWN) in both
    async with db.read() as conn:
        (sample,) = await samples.list_samples(conn, books=range(BOOK, BOOK + 1))
        # The office above the counties sees it too; another prefecture's does not.
        assert await samples.list_samples(conn, books=range(330401, 330500)) == [sample]
        assert await samples.list_samples(conn, books=range(330501, 330600)) == []
        items = await samples.list_items(conn, book=BOOK, number=sample.number)
    assert sample.seed == checkpoint.root.hex()
    assert (sample.after, sample.until_seq, sample.flagged) == (0, 30, (team.id,))
    flagged = Stratum(Evidence.CONFIRMED, True)
    kinds_of = dict.fromkeys(range(1, 7), flagged)
    kinds_of |= {seq: Stratum(Evidence.SCANNED, False) for seq in range(7, 21)}
    kinds_of |= {seq: Stratum(Evidence.DECLARED, False) for seq in range(21, 31)}
    again = draw(sample.seed, [(kind, seq) for seq, kind in kinds_of.items()], size=12)
    assert items == sorted(again, key=lambda each: each.seq)
    assert len(items) == 12

    async def note(seq: int, result: CheckResult, text: str = "", actor: Actor = OFFICER) -> object:
        return await reviewing.note_check(
            db,
            actor=actor,
            book=BOOK,
            number=sample.number,
            seq=seq,
            result=result,
            note=text,
            now=now,
        )

    async def publish() -> object:
        return await reviewing.publish_sample(
            db, actor=OFFICER, book=BOOK, number=sample.number, now=now
        )

    seqs = [each.seq for each in items]
    (missing, *_) = set(range(1, 31)) - set(seqs)
    with pytest.raises(NotFoundError):
        await note(missing, CheckResult.TRUE)
    with pytest.raises(NotFoundError):
        await note(seqs[0], CheckResult.TRUE, actor=Actor(uuid4(), OFFICER.roles, scope=OTHER_TOWN))
    assert await note(seqs[0], CheckResult.WRONG) == SampleRefused(SampleRefusal.NOTE_LENGTH)
    whose = await owner.fetchval("select volunteer from transfer where seq = $1", seqs[0])
    themself = Actor(uuid4(), OFFICER.roles, volunteer=VolunteerId(BOOK, whose), scope=COUNTY)
    assert await note(seqs[0], CheckResult.TRUE, actor=themself) == SampleRefused(
        SampleRefusal.OWN_HOURS
    )
    assert await publish() == SampleRefused(SampleRefusal.UNCHECKED)
    for seq in seqs:
        assert await note(seq, CheckResult.TRUE) == reviewing.Checked()
    assert await note(seqs[0], CheckResult.WRONG, "签到表上没有此人") == reviewing.Checked()
    assert await publish() == reviewing.SamplePublished(now)
    assert await publish() == reviewing.SamplePublished(now)
    assert await note(seqs[0], CheckResult.TRUE) == SampleRefused(SampleRefusal.PUBLISHED)
