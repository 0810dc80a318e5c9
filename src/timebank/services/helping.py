"""Consent is given and taken back; a helper acts under it, and every act is written down twice.

Once in the log of privileged acts, under the helper's name with the volunteer as its subject, and
once where the volunteer reads it.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.helping import (
    Consent,
    ConsentForm,
    ConsentRecorded,
    ConsentRefused,
    HelpScope,
    NewConsent,
    decide_consent,
    permitted,
)
from timebank.domain.period import local_day
from timebank.domain.phone import parse_phone
from timebank.domain.signup import SignedUp, SignupRefused, WithdrawalRefused, Withdrawn
from timebank.services import scheduling
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.founding import ZONE
from timebank.store import audit_events, consents, numbering, people, volunteers
from timebank.store.seal import Seal


async def record_consent(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    consent: NewConsent,
    helper_phone: str,
    has_form: bool,
    now: datetime,
) -> ConsentRecorded | ConsentRefused:
    """Record a volunteer's consent that somebody acts for them.

    The volunteer gives it themself, or an organizer of the county records it from a signed paper.
    A helper whose phone number nobody has used yet finds it when they first sign in with it.

    Raises:
        NotPermittedError: The actor is neither the volunteer nor an organizer.
        NotFoundError: The organizer works in another county.
    """
    volunteer = consent.volunteer
    if consent.form is ConsentForm.OWN:
        if actor.volunteer != volunteer:
            raise NotPermittedError
    else:
        if not actor.may(Act.RUN_ACTIVITIES):
            raise NotPermittedError
        if volunteer.book not in {each.book for each in actor.organizations}:
            raise NotFoundError
    number = parse_phone(helper_phone)
    async with db.write() as conn:
        is_known = await volunteers.lock_volunteer(conn, volunteer=volunteer)
        named = await volunteers.list_named(conn, volunteers=[volunteer])
        helper = (
            None
            if number is None
            else await people.find_person_by_phone(conn, seal=seal, phone=number)
        )

        refusal = decide_consent(
            consent,
            person=named[volunteer].person if is_known else None,
            helper=helper,
            has_phone=number is not None,
            by=actor.person,
            has_form=has_form,
            today=local_day(now, zone=ZoneInfo(ZONE)),
        )

        if refusal is not None or number is None:
            if refusal is None:
                raise AssertionError("consent without a phone number was not refused")
            return ConsentRefused(refusal)
        if helper is None:
            helper = await people.ensure_person(conn, seal=seal, phone=number, name=None, now=now)
        (taken,) = await numbering.take_numbers(conn, book=volunteer.book, noun="consent")
        await consents.insert_consent(
            conn, number=taken, consent=consent, helper=helper, by=actor.person, now=now
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="record_consent",
            subjects=[_subject(volunteer, taken)],
        )
    return ConsentRecorded(taken)


async def revoke_consent(
    db: Database, *, actor: Actor, book: int, number: int, now: datetime
) -> None:
    """Take consent back: the volunteer, the helper or whoever recorded it may, at any time.

    Raises:
        NotFoundError: There is no such consent, or it is not the actor's to take back.
    """
    async with db.write() as conn:
        found = await consents.find_locked_consent(conn, book=book, number=number)
        if found is None or not (
            actor.volunteer == found.volunteer or actor.person in (found.helper, found.recorded_by)
        ):
            raise NotFoundError
        if found.revoked_at is not None:
            return
        await consents.set_revoked(conn, consent=found, by=actor.person, now=now)
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="revoke_consent",
            subjects=[_subject(found.volunteer, number)],
        )


async def sign_up_for(
    db: Database,
    *,
    actor: Actor,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    now: datetime,
) -> SignedUp | SignupRefused:
    """Take a place in a shift for the volunteer whom the actor helps.

    The attempt is written down before it is made: whatever is done, is known.

    Raises:
        NotFoundError: No consent permits it.
    """
    await _note(db, actor, volunteer, HelpScope.SIGN_UP, "sign_up", (shift_book, shift), now=now)
    return await scheduling.sign_up(
        db, volunteer=volunteer, shift_book=shift_book, shift=shift, now=now
    )


async def withdraw_for(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    now: datetime,
) -> Withdrawn | WithdrawalRefused:
    """Give back the place of the volunteer whom the actor helps; written down before, too.

    Raises:
        NotFoundError: No consent permits it.
    """
    await _note(db, actor, volunteer, HelpScope.SIGN_UP, "withdraw", (shift_book, shift), now=now)
    return await scheduling.withdraw(
        db, seal=seal, volunteer=volunteer, shift_book=shift_book, shift=shift, now=now
    )


async def look_up_for(db: Database, *, actor: Actor, volunteer: VolunteerId, now: datetime) -> None:
    """Write down that a helper looks at the records of the volunteer whom they help.

    Raises:
        NotFoundError: No consent permits it.
    """
    await _note(db, actor, volunteer, HelpScope.SEE_RECORDS, "look_up", None, now=now)


async def _note(
    db: Database,
    actor: Actor,
    volunteer: VolunteerId,
    scope: HelpScope,
    act: str,
    shift: tuple[int, int] | None,
    *,
    now: datetime,
) -> None:
    async with db.write() as conn:
        consent = await _find_permitted(conn, actor.person, volunteer, scope, now=now)
        await consents.insert_act(conn, consent=consent, act=act, shift=shift, now=now)
        where = "" if shift is None else f"/shift/{shift[0]}/{shift[1]}"
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act=f"{act}_for",
            subjects=[_subject(volunteer, consent.number) + where],
        )


async def _find_permitted(
    conn: AsyncConnection,
    helper: UUID,
    volunteer: VolunteerId,
    scope: HelpScope,
    *,
    now: datetime,
) -> Consent:
    given = await consents.list_of_volunteer(conn, volunteer=volunteer)
    held = [each for each in given if each.helper == helper]
    consent = permitted(held, scope, on=local_day(now, zone=ZoneInfo(ZONE)))
    if consent is None:
        raise NotFoundError
    return consent


def _subject(volunteer: VolunteerId, consent: int) -> str:
    return f"consent/{volunteer.book}/{consent}/volunteer/{volunteer.book}/{volunteer.id}"
