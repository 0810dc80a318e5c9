"""A volunteer objects, the organizer answers, somebody else of the district decides; all of it stays."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, TOWN, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.correction import Correction, CorrectionRefusal, CorrectionRefused
from timebank.domain.objection import (
    Answer,
    AnswerRefusal,
    AppealRefusal,
    ObjectionReason,
    ObjectionRefusal,
    ObjectionRefused,
    Raised,
    StepKind,
    Stepped,
)
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.ledger import audit
from timebank.queries import objections as queue
from timebank.queries import volunteer as own
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.correction import correct_service
from timebank.services.enrolment import appoint
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.objecting import (
    answer_objection,
    appeal,
    decide_on_appeal,
    raise_objection,
)
from timebank.store.seal import Seal

SEAL = Seal(KEY)
LATER = NINE + timedelta(days=2)
COUNTY = Scope(BOOK * 1_000_000)
RIGHT = Answer(
    correction=Correction(minutes=150), text="签到表上是两个半小时", evidence="签到表 17"
)
DECLINED = Answer(text="签到表上就是一小时", evidence="签到表 17")


@dataclass(frozen=True)
class Case:
    volunteer: VolunteerId
    person: UUID
    team: OrganizationId
    organizer: Actor


@pytest.fixture
async def case(db: Database, world: World) -> Case:
    """A volunteer with an hour in entry 1, and the organizer of the team that recorded it."""
    volunteer, colleague = await world.volunteers(2)
    person = await world.person_of(volunteer)
    team = await world.organization()
    organizer = await world.person_of(colleague)
    await appoint(db, person=organizer, role=Role.ORGANIZER, organization=team, by=None, now=NINE)
    shift = await world.shift(organization=team, signed_up=[volunteer])
    for direction, at in ((Direction.ARRIVE, NINE), (Direction.LEAVE, NINE + timedelta(hours=1))):
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)
    return Case(
        volunteer,
        person,
        team,
        Actor(organizer, frozenset({Role.ORGANIZER}), organizations=(team,)),
    )


def officer(scope: Scope = COUNTY, role: Role = Role.OFFICER, **more: object) -> Actor:
    return Actor(uuid4(), frozenset({role}), scope=scope, **more)  # type: ignore[arg-type]


async def object_to(
    db: Database,
    case: Case,
    *,
    seq: int = 1,
    volunteer: VolunteerId | None = None,
    now: datetime = LATER,
) -> Raised | ObjectionRefused:
    return await raise_objection(
        db,
        seal=SEAL,
        person=case.person,
        volunteer=volunteer or case.volunteer,
        seq=seq,
        reason=ObjectionReason.MINUTES,
        minutes=150,
        text="我待了两个半小时",
        now=now,
    )


async def answer(
    db: Database, actor: Actor, said: Answer = DECLINED, *, book: int = BOOK, now: datetime = LATER
) -> Stepped | ObjectionRefused:
    return await answer_objection(
        db, seal=SEAL, actor=actor, book=book, objection=1, answer=said, now=now
    )


async def go_on(
    db: Database, case: Case, *, volunteer: VolunteerId | None = None, now: datetime = LATER
) -> Stepped | ObjectionRefused:
    return await appeal(
        db,
        seal=SEAL,
        person=case.person,
        volunteer=volunteer or case.volunteer,
        objection=1,
        text="签到表是别人补的",
        now=now,
    )


async def decide(
    db: Database, actor: Actor, said: Answer = RIGHT, now: datetime = LATER
) -> Stepped | ObjectionRefused:
    return await decide_on_appeal(
        db, seal=SEAL, actor=actor, book=BOOK, objection=1, answer=said, now=now
    )


async def check_book(db: Database) -> None:
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_from_the_report_over_the_refusal_to_the_decision_of_somebody_else(
    db: Database, case: Case, owner: asyncpg.Connection
) -> None:
    assert await object_to(db, case) == Raised(1)
    assert await answer(db, case.organizer) == Stepped(StepKind.DECLINED)
    assert await go_on(db, case) == Stepped(StepKind.APPEALED)

    second = officer()
    assert await decide(db, second) == Stepped(StepKind.UPHELD, 3)

    async with db.read() as conn:
        records = await own.list_own_records(conn, volunteer=case.volunteer)
        (mine,) = await queue.list_own_objections(conn, volunteer=case.volunteer)
        assert [mine] == await queue.list_organized_objections(conn, organizations=[case.team])
        assert [mine] == await queue.list_district_objections(conn, scope=COUNTY)
    assert [(each.seq, each.minutes, each.reverses, each.replaces) for each in records] == [
        (3, 150, None, 1),
        (2, -60, 1, None),
        (1, 60, None, None),
    ]
    assert {each.evidence_note for each in records} == {"签到表 17"}
    assert [(each.kind, each.person, each.replacement) for each in mine.steps] == [
        (StepKind.RAISED, case.person, None),
        (StepKind.DECLINED, case.organizer.person, None),
        (StepKind.APPEALED, case.person, None),
        (StepKind.UPHELD, second.person, 3),
    ]
    assert [SEAL.open(each.text_sealed or b"") for each in mine.steps] == [
        "我待了两个半小时",
        DECLINED.text,
        "签到表是别人补的",
        RIGHT.text,
    ]
    assert (mine.wanted, mine.minutes, mine.standing) == (150, 60, 3)
    assert await decide(db, officer()) == ObjectionRefused(AnswerRefusal.ALREADY_ANSWERED)
    assert await object_to(db, case, seq=3) == ObjectionRefused(ObjectionRefusal.ALREADY_RAISED)
    await check_book(db)

    # What happened cannot be changed, what was written can be erased.
    for table in ("objection", "objection_step"):
        for right in ("update", "delete"):
            assert not await owner.fetchval(
                "select has_table_privilege('timebank_app', $1, $2)", table, right
            )
    await owner.execute("delete from objection_text")
    async with db.read() as conn:
        (mine,) = await queue.list_own_objections(conn, volunteer=case.volunteer)
    assert [each.text_sealed for each in mine.steps] == [None] * 4


async def test_who_answered_is_told_apart_from_who_may(
    db: Database, world: World, case: Case, owner: asyncpg.Connection
) -> None:
    """Wrong scope, somebody else's record, one's own hours, one's own answer."""
    (stranger,) = await world.volunteers()
    other_team = await world.organization()
    with pytest.raises(NotFoundError):
        await object_to(db, case, volunteer=stranger)
    with pytest.raises(NotFoundError):
        await object_to(db, case, seq=9)
    await object_to(db, case)
    for nobody in (
        Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(other_team,)),
        officer(Scope(TOWN)),
        officer(Scope(330402_000000)),
    ):
        with pytest.raises(NotFoundError):
            await answer(db, nobody)
    for nobody in (officer(role=Role.AUDITOR), Actor(case.person, frozenset({Role.VOLUNTEER}))):
        with pytest.raises(NotPermittedError):
            await answer(db, nobody)
    with pytest.raises(NotFoundError):
        await answer(db, case.organizer, book=330402)
    with pytest.raises(NotFoundError):
        await go_on(db, case, volunteer=stranger)

    own_hours = Actor(
        case.person,
        frozenset({Role.ORGANIZER, Role.OFFICER}),
        organizations=(case.team,),
        scope=COUNTY,
    )
    refused = {
        AnswerRefusal.OWN_HOURS: await answer(db, own_hours, RIGHT),
        AnswerRefusal.NOT_YET_DUE: await answer(db, officer(), RIGHT),
        AnswerRefusal.NOT_APPEALED: await decide(db, officer()),
        AppealRefusal.NOTHING_TO_APPEAL: await go_on(db, case),
        ObjectionRefusal.ALREADY_RAISED: await object_to(db, case),
    }
    assert refused == {reason: ObjectionRefused(reason) for reason in refused}
    assert await owner.fetchval("select count(*) from objection_step") == 1

    both = Actor(
        case.organizer.person,
        frozenset({Role.ORGANIZER, Role.OFFICER}),
        organizations=(case.team,),
        scope=COUNTY,
    )
    colleague = officer(organizations=(case.team,))
    assert await answer(db, both) == Stepped(StepKind.DECLINED)
    await go_on(db, case)
    refused = {
        AnswerRefusal.OWN_HOURS: await decide(db, own_hours),
        AnswerRefusal.SAME_PERSON: await decide(db, both),
        AnswerRefusal.OWN_ORGANIZATION: await decide(db, colleague),
        CorrectionRefusal.NOTHING_CHANGED: await decide(
            db, officer(), Answer(correction=Correction(minutes=60), text="照旧", evidence="表 1")
        ),
    }
    assert refused == {reason: ObjectionRefused(reason) for reason in refused}
    with pytest.raises(NotFoundError):
        await decide(db, officer(Scope(TOWN)))
    assert await owner.fetchval("select count(*) from objection_step") == 3
    assert await owner.fetchval("select count(*) from transfer") == 1


async def test_silence_goes_to_the_district_when_the_clock_is_over(
    db: Database, case: Case
) -> None:
    await object_to(db, case)
    # Raised on Monday, 4 March 2024; the tenth working day is the 18th.
    assert await go_on(db, case, now=NINE + timedelta(days=16)) == ObjectionRefused(
        AppealRefusal.NOTHING_TO_APPEAL
    )
    over = NINE + timedelta(days=17)
    assert await answer(db, officer(), RIGHT, now=over) == Stepped(StepKind.CORRECTED, 3)
    assert await go_on(db, case, now=over + timedelta(days=30)) == ObjectionRefused(
        AppealRefusal.TOO_LATE
    )
    await check_book(db)


async def test_of_ten_simultaneous_answers_one_is_written(
    db: Database, case: Case, owner: asyncpg.Connection
) -> None:
    await object_to(db, case)
    outcomes = await asyncio.gather(*(answer(db, case.organizer, RIGHT) for _ in range(10)))

    assert outcomes.count(Stepped(StepKind.CORRECTED, 3)) == 1
    assert outcomes.count(ObjectionRefused(AnswerRefusal.ALREADY_ANSWERED)) == 9
    assert await owner.fetchval("select count(*) from transfer") == 3


async def test_nobody_corrects_their_own_hours_without_an_objection_either(
    db: Database, case: Case, owner: asyncpg.Connection
) -> None:
    for roles, more in (
        (Role.ORGANIZER, {"organizations": (case.team,)}),
        (Role.OFFICER, {"scope": COUNTY}),
    ):
        outcome = await correct_service(
            db,
            actor=Actor(case.person, frozenset({roles}), **more),  # type: ignore[arg-type]
            book=BOOK,
            seq=1,
            correction=Correction(minutes=600),
            reason="我多待了",
            evidence="我记得",
            now=LATER,
        )
        assert outcome == CorrectionRefused(CorrectionRefusal.OWN_HOURS)
    assert await owner.fetchval("select count(*) from transfer") == 1
