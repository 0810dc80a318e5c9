"""A helper acts with consent, within it, until it ends, and every act is known to both."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, OPENED, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.helping import (
    ConsentForm,
    ConsentRecorded,
    ConsentRefusal,
    ConsentRefused,
    HelpScope,
    NewConsent,
)
from timebank.domain.signup import SignedUp, Withdrawn
from timebank.services.enrolment import ensure_person
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.helping import (
    look_up_for,
    record_consent,
    revoke_consent,
    sign_up_for,
    withdraw_for,
)
from timebank.store import consents
from timebank.store.seal import Seal

SEAL = Seal(KEY)
NOW = NINE - timedelta(days=1)
TODAY = date(2024, 3, 1)
BOTH = frozenset(HelpScope)
PHONE = "13800000000"


def new(
    volunteer: VolunteerId,
    *,
    scopes: frozenset[HelpScope] = BOTH,
    until_on: date = TODAY,
    form: ConsentForm = ConsentForm.OWN,
) -> NewConsent:
    return NewConsent(volunteer=volunteer, scopes=scopes, until_on=until_on, form=form)


async def test_a_helper_acts_within_consent_and_every_act_is_written_for_both(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    person = await world.person_of(volunteer)
    shift = await world.shift(organization=await world.organization())
    helper = await ensure_person(db, seal=SEAL, phone=PHONE, name="示例", now=OPENED)
    own = Actor(person, frozenset({Role.VOLUNTEER}), volunteer=volunteer)
    acting = Actor(helper, frozenset())
    where = {"volunteer": volunteer, "shift_book": shift.book, "shift": shift.id, "now": NOW}

    with pytest.raises(NotFoundError):
        await sign_up_for(db, actor=acting, **where)
    given = await record_consent(
        db,
        seal=SEAL,
        actor=own,
        consent=new(volunteer, scopes=frozenset({HelpScope.SIGN_UP})),
        helper_phone="+86 138 0000 0000",
        has_form=True,
        now=NOW,
    )
    assert given == ConsentRecorded(1)

    assert isinstance(await sign_up_for(db, actor=acting, **where), SignedUp)
    assert isinstance(await withdraw_for(db, seal=SEAL, actor=acting, **where), Withdrawn)
    with pytest.raises(NotFoundError):
        await look_up_for(db, actor=acting, volunteer=volunteer, now=NOW)
    stranger = Actor(uuid4(), frozenset({Role.ORGANIZER}))
    for actor, at in ((stranger, NOW), (acting, NOW + timedelta(days=1))):
        with pytest.raises(NotFoundError):
            await sign_up_for(db, actor=actor, **(where | {"now": at}))
    with pytest.raises(NotFoundError):
        await revoke_consent(db, actor=stranger, book=BOOK, number=1, now=NOW)
    for actor in (own, acting):
        await revoke_consent(db, actor=actor, book=BOOK, number=1, now=NOW)
    with pytest.raises(NotFoundError):
        await sign_up_for(db, actor=acting, **where)

    subject = f"consent/{BOOK}/1/volunteer/{BOOK}/{volunteer.id}"
    logged = await owner.fetch("select act, person_id, subject from audit_event")
    assert {tuple(row) for row in logged} >= {
        ("record_consent", person, subject),
        ("sign_up_for", helper, f"{subject}/shift/{BOOK}/{shift.id}"),
        ("withdraw_for", helper, f"{subject}/shift/{BOOK}/{shift.id}"),
        ("revoke_consent", person, subject),
    }
    async with db.read() as conn:
        acts = await consents.list_acts(conn, book=BOOK, consents=[1])
    assert sorted(each.act for each in acts) == ["sign_up", "withdraw"]


async def test_consent_is_refused_where_it_would_be_none(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    await world.person_of(volunteer)
    team = await world.organization()
    helper = await ensure_person(db, seal=SEAL, phone=PHONE, name=None, now=OPENED)
    worker = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))

    async def record(
        consent: NewConsent,
        *,
        actor: Actor = worker,
        phone: str = PHONE,
        has_form: bool = True,
    ) -> object:
        return await record_consent(
            db,
            seal=SEAL,
            actor=actor,
            consent=consent,
            helper_phone=phone,
            has_form=has_form,
            now=NOW,
        )

    def signed(**changes: object) -> NewConsent:
        return new(volunteer, **({"form": ConsentForm.SIGNED} | changes))  # type: ignore[arg-type]

    def helping(person: UUID, *organizations: OrganizationId) -> Actor:
        return Actor(person, frozenset({Role.ORGANIZER}), organizations=organizations)

    nobody = VolunteerId(BOOK, 999)
    refused = [
        await record(new(nobody, form=ConsentForm.SIGNED)),
        await record(signed(), phone="139"),
        await record(signed(), actor=helping(helper, team)),
        await record(signed(scopes=frozenset())),
        await record(signed(until_on=TODAY - timedelta(days=1))),
        await record(signed(until_on=TODAY + timedelta(days=367))),
        await record(signed(), has_form=False),
    ]
    assert refused == [
        ConsentRefused(reason)
        for reason in (
            ConsentRefusal.VOLUNTEER_UNKNOWN,
            ConsentRefusal.PHONE,
            ConsentRefusal.RECORDED_BY_HELPER,
            ConsentRefusal.NO_SCOPE,
            ConsentRefusal.UNTIL,
            ConsentRefusal.UNTIL,
            ConsentRefusal.NO_FORM,
        )
    ]
    with pytest.raises(NotPermittedError):
        await record(new(volunteer))
    with pytest.raises(NotPermittedError):
        await record(signed(), actor=Actor(uuid4(), frozenset({Role.VOLUNTEER})))
    with pytest.raises(NotFoundError):
        await record(signed(), actor=helping(uuid4(), OrganizationId(330481, 1)))
    assert await owner.fetchval("select count(*) from consent") == 0
    assert await record(signed()) == ConsentRecorded(1)
    # A number that nobody has used is answered like one that is: who signs in with it is the helper.
    known = await owner.fetchval("select count(*) from person")
    assert await record(signed(), phone="13900000000", has_form=False) == refused[-1]
    assert await owner.fetchval("select count(*) from person") == known
    assert await record(signed(), phone="13900000000") == ConsentRecorded(2)
    later = await ensure_person(db, seal=SEAL, phone="13900000000", name="示例", now=NOW)
    assert await owner.fetchval("select helper from consent where id = 2") == later
