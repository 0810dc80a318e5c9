"""Minors and danger: what is missing is named, can be provided, and never by oneself."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Arrived, Direction, Refused, ScanRefusal
from timebank.domain.clearance import (
    ConsentKind,
    PaperworkRefusal,
    PaperworkRefused,
    Recorded,
    Risk,
)
from timebank.domain.paper_list import PaperLine, PaperRefusal
from timebank.domain.qr import Scan
from timebank.domain.signup import SignedUp, SignupRefusal, SignupRefused
from timebank.services import clearing
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.paper_list import PaperList, enter_paper_list
from timebank.services.scheduling import sign_up
from timebank.store.seal import Seal

SEAL = Seal(KEY)
BEFORE = NINE - timedelta(days=3)
TODAY = date(2024, 2, 28)
DAY = date(2024, 3, 2)


async def joined(db: Database, volunteer: VolunteerId, shift: ShiftId) -> SignupRefusal | None:
    found = await sign_up(
        db, volunteer=volunteer, shift_book=shift.book, shift=shift.id, now=BEFORE
    )
    match found:
        case SignupRefused(reason):
            return reason
        case SignedUp():
            return None


async def on_paper(
    db: Database, actor: Actor, volunteer: VolunteerId, shift: ShiftId
) -> PaperRefusal | None:
    """Say what a signed list of the shift's first hour would be refused for."""
    hour = NINE + timedelta(hours=1)
    found = await enter_paper_list(
        db,
        actor=actor,
        shift_book=shift.book,
        shift=shift.id,
        lines=[PaperLine("7", volunteer, NINE, hour)],
        is_preview=True,
        now=hour,
    )
    assert isinstance(found, PaperList)
    return found.lines[0].refusal


async def consent(
    db: Database,
    actor: Actor,
    volunteer: VolunteerId,
    *,
    phone: str = "13900000001",
    now: datetime = BEFORE,
) -> Recorded | PaperworkRefused:
    return await clearing.record_consent(
        db,
        seal=SEAL,
        actor=actor,
        volunteer=volunteer,
        guardian="王大明",
        phone=phone,
        how=ConsentKind.SIGNED_FORM,
        today=TODAY,
        now=now,
    )


async def insure(
    db: Database, actor: Actor, volunteer: VolunteerId, first: date = DAY, last: date = DAY
) -> Recorded | PaperworkRefused:
    return await clearing.record_policy(
        db,
        seal=SEAL,
        actor=actor,
        volunteer=volunteer,
        number="PICC-2024-0001",
        from_on=first,
        until_on=last,
        now=BEFORE,
    )


async def train(
    db: Database, actor: Actor, volunteer: VolunteerId, team: OrganizationId, on: date = TODAY
) -> Recorded | PaperworkRefused:
    return await clearing.record_training(
        db,
        actor=actor,
        volunteer=volunteer,
        organization=team,
        course="水上安全",
        minutes=120,
        trained_on=on,
        today=TODAY,
        now=BEFORE,
    )


async def agree(
    db: Database, person: UUID, volunteer: VolunteerId, activity: int = 1
) -> Recorded | PaperworkRefused:
    return await clearing.agree(
        db,
        person=person,
        volunteer=volunteer,
        activity_book=BOOK,
        activity=activity,
        today=TODAY,
        seal=SEAL,
        now=BEFORE,
    )


async def declare(
    db: Database, person: UUID, birth: tuple[int, int] | None
) -> Recorded | PaperworkRefused:
    return await clearing.declare_age(db, person=person, birth=birth, today=TODAY, now=BEFORE)


async def test_each_missing_thing_is_named_until_all_is_there(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    person = await world.person_of(volunteer)
    team, others = await world.organization(), await world.organization()
    actor = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))
    shift = await world.shift(organization=team, risks=Risk.DANGEROUS)

    assert await on_paper(db, actor, volunteer, shift) is PaperRefusal.AGE_UNKNOWN
    assert await joined(db, volunteer, shift) is SignupRefusal.AGE_UNKNOWN
    assert await declare(db, person, (2010, 5)) == Recorded(person, BEFORE)
    assert await declare(db, person, None) == PaperworkRefused(PaperworkRefusal.AGE_FIXED)
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_CONSENT
    assert await agree(db, person, volunteer) == PaperworkRefused(PaperworkRefusal.CONSENT_FIRST)
    assert await consent(db, actor, volunteer) == Recorded(actor.person, BEFORE)
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_AGREEMENT
    assert await agree(db, person, volunteer) == Recorded(person, BEFORE)
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_INSURANCE
    await insure(db, actor, volunteer, DAY + timedelta(days=1), DAY + timedelta(days=9))
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_INSURANCE
    await insure(db, actor, volunteer)
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_TRAINING
    other = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(others,))
    await train(db, other, volunteer, others)
    assert await joined(db, volunteer, shift) is SignupRefusal.NO_TRAINING
    assert await on_paper(db, actor, volunteer, shift) is PaperRefusal.NO_TRAINING
    await train(db, actor, volunteer, team, on=TODAY - timedelta(days=1))
    assert await joined(db, volunteer, shift) is None
    assert await on_paper(db, actor, volunteer, shift) is None

    # Nobody reads a name, a phone or a policy's number in the tables; training is no service.
    sealed = await owner.fetchrow(
        "select c.*, i.number_sealed from guardian_consent c, insurance i limit 1"
    )
    for clear in ("王大明", "13900000001", "PICC"):
        assert all(
            clear.encode() not in value for value in sealed.values() if isinstance(value, bytes)
        )
    assert await owner.fetchval("select sum(minutes) from training") == 240
    assert await owner.fetchval("select count(*) from transfer") == 0

    # A consent that was withdrawn stops at the door, too.
    await clearing.end_consent(db, actor=actor, volunteer=volunteer, now=BEFORE)
    (result,) = await record_scans(
        db,
        requests=[ScanRequest(volunteer, Scan(BOOK, shift.id, Direction.ARRIVE, NINE))],
        now=NINE,
    )
    assert result.decision == Refused(ScanRefusal.NOT_CLEARED)
    await consent(db, actor, volunteer, now=NINE)
    (result,) = await record_scans(
        db,
        requests=[ScanRequest(volunteer, Scan(BOOK, shift.id, Direction.ARRIVE, NINE))],
        now=NINE,
    )
    assert isinstance(result.decision, Arrived)

    rescue = await world.shift(
        organization=team, starts_at=NINE + timedelta(days=1), risks=Risk.RESCUE
    )
    assert await joined(db, volunteer, rescue) is SignupRefusal.MINOR_IN_RESCUE


async def test_papers_are_recorded_by_others_and_only_by_organizers(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    volunteer, adult = await world.volunteers(2)
    person, grown = await world.person_of(volunteer), await world.person_of(adult)
    team, foreign = await world.organization(), await world.organization()
    await declare(db, person, (2010, 5))
    await declare(db, grown, None)
    me = Actor(person, frozenset({Role.ORGANIZER}), volunteer=volunteer, organizations=(team,))
    actor = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))
    own = PaperworkRefused(PaperworkRefusal.OWN)
    assert [
        await consent(db, me, volunteer),
        await insure(db, me, volunteer),
        await train(db, me, volunteer, team),
    ] == [own] * 3
    for nobody in (
        Actor(person, frozenset({Role.VOLUNTEER}), volunteer=volunteer),
        Actor(uuid4(), frozenset({Role.OFFICER})),
    ):
        with pytest.raises(NotPermittedError):
            await insure(db, nobody, volunteer)
    with pytest.raises(NotFoundError):
        await train(db, actor, volunteer, foreign)
    with pytest.raises(NotFoundError):
        await insure(db, actor, VolunteerId(BOOK, 99))
    with pytest.raises(NotFoundError):
        await clearing.end_consent(db, actor=actor, volunteer=adult, now=BEFORE)
    with pytest.raises(NotFoundError):
        await agree(db, person, volunteer, activity=99)

    assert [
        await consent(db, actor, adult),
        await consent(db, actor, volunteer, phone="12345"),
        await insure(db, actor, adult, DAY, DAY - timedelta(days=1)),
        await insure(db, actor, adult, DAY, DAY + timedelta(days=2000)),
        await train(db, actor, adult, team, on=TODAY + timedelta(days=1)),
        await declare(db, uuid4(), (2030, 1)),
        await declare(db, uuid4(), (2010, 13)),
    ] == [
        PaperworkRefused(reason)
        for reason in (
            PaperworkRefusal.NOT_A_MINOR,
            PaperworkRefusal.GUARDIAN_PHONE,
            PaperworkRefusal.DAYS,
            PaperworkRefusal.DAYS,
            PaperworkRefusal.NOT_YET,
            PaperworkRefusal.MONTH,
            PaperworkRefusal.MONTH,
        )
    ]
    for table in ("guardian_consent", "insurance", "training", "agreement"):
        assert await owner.fetchval(f"select count(*) from {table}") == 0
