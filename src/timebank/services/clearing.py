"""What must be there before somebody may serve is recorded, with who saw it and when."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, OrganizationId, VolunteerId
from timebank.domain.clearance import (
    COURSE_LENGTH_MAX,
    GUARDIAN_LENGTH_MAX,
    INSURED_DAYS_MAX,
    NUMBER_LENGTH_MAX,
    NUMBER_LENGTH_MIN,
    TRAINING_MINUTES_MAX,
    ConsentKind,
    PaperworkRefusal,
    PaperworkRefused,
    Recorded,
    of_age_from,
)
from timebank.domain.phone import parse_phone
from timebank.domain.writing import cleaned_line
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import (
    activities,
    audit_events,
    clearances,
    numbering,
    organizations,
    volunteers,
)
from timebank.store.clearances import Policy
from timebank.store.seal import Seal

_AGE_YEARS_MAX = 120


async def declare_age(
    db: Database, *, person: UUID, birth: tuple[int, int] | None, today: date, now: datetime
) -> Recorded | PaperworkRefused:
    """Say how old one is: year and month of birth for a minor, None for who is of age.

    Said once: whoever is a minor cannot become of age by saying so.
    """
    day = None if birth is None else _parse_birth(birth, today)
    if birth is not None and day is None:
        return PaperworkRefused(PaperworkRefusal.MONTH)
    async with db.write() as conn:
        known = await clearances.find_of_age_from(conn, person=person)
        if known is not None and known > today:
            return PaperworkRefused(PaperworkRefusal.AGE_FIXED)
        await clearances.set_of_age_from(conn, person=person, day=day)
    return Recorded(person, now)


async def record_consent(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    volunteer: VolunteerId,
    guardian: str,
    phone: str,
    how: ConsentKind,
    today: date,
    now: datetime,
) -> Recorded | PaperworkRefused:
    """Record that a minor's guardian agrees, as the organizer saw or heard it.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such volunteer.
    """
    name, number = cleaned_line(guardian), parse_phone(phone)
    async with db.write() as conn:
        refusal, person = await _check(conn, actor, volunteer)
        if refusal is not None:
            return PaperworkRefused(refusal)
        known = None if person is None else await clearances.find_of_age_from(conn, person=person)
        if known is None or known <= today:
            return PaperworkRefused(PaperworkRefusal.NOT_A_MINOR)
        if not 1 <= len(name) <= GUARDIAN_LENGTH_MAX:
            return PaperworkRefused(PaperworkRefusal.GUARDIAN_NAME)
        if number is None:
            return PaperworkRefused(PaperworkRefusal.GUARDIAN_PHONE)
        await clearances.insert_consent(
            conn,
            seal=seal,
            volunteer=volunteer,
            guardian=name,
            phone=number,
            how=how,
            by=actor.person,
            now=now,
        )
        await _audit(conn, actor, "record_consent", volunteer, now)
    return Recorded(actor.person, now)


async def end_consent(
    db: Database, *, actor: Actor, volunteer: VolunteerId, now: datetime
) -> Recorded:
    """Record that a minor's guardian withdrew: from now on the minor signs up for nothing.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such volunteer, or no consent holds.
    """
    async with db.write() as conn:
        await _check(conn, actor, volunteer)
        if not await clearances.set_consents_ended(
            conn, volunteer=volunteer, by=actor.person, now=now
        ):
            raise NotFoundError
        await _audit(conn, actor, "end_consent", volunteer, now)
    return Recorded(actor.person, now)


async def record_policy(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    volunteer: VolunteerId,
    number: str,
    from_on: date,
    until_on: date,
    now: datetime,
) -> Recorded | PaperworkRefused:
    """Record an insurance policy that an organizer saw.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such volunteer.
    """
    cleaned = cleaned_line(number)
    async with db.write() as conn:
        refusal, _person = await _check(conn, actor, volunteer)
        if refusal is not None:
            return PaperworkRefused(refusal)
        if not NUMBER_LENGTH_MIN <= len(cleaned) <= NUMBER_LENGTH_MAX:
            return PaperworkRefused(PaperworkRefusal.NUMBER_LENGTH)
        if not timedelta(0) <= until_on - from_on <= timedelta(days=INSURED_DAYS_MAX):
            return PaperworkRefused(PaperworkRefusal.DAYS)
        (row,) = await numbering.take_numbers(conn, book=volunteer.book, noun="insurance")
        await clearances.insert_policy(
            conn,
            seal=seal,
            volunteer=volunteer,
            number=row,
            policy=Policy(cleaned, from_on, until_on),
            by=actor.person,
            now=now,
        )
        await _audit(conn, actor, "record_insurance", volunteer, now)
    return Recorded(actor.person, now)


async def record_training(
    db: Database,
    *,
    actor: Actor,
    volunteer: VolunteerId,
    organization: OrganizationId,
    course: str,
    minutes: int,
    trained_on: date,
    today: date,
    now: datetime,
) -> Recorded | PaperworkRefused:
    """Record a course that a volunteer finished; never as service.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such volunteer, or the actor organizes for others.

    Source: Order 67 (2021), article 7: training is recorded apart from service.
    """
    cleaned = cleaned_line(course)
    if organization not in actor.organizations:
        raise NotFoundError
    async with db.write() as conn:
        refusal, _person = await _check(conn, actor, volunteer)
        if refusal is not None:
            return PaperworkRefused(refusal)
        if not 1 <= len(cleaned) <= COURSE_LENGTH_MAX:
            return PaperworkRefused(PaperworkRefusal.COURSE_LENGTH)
        if not 1 <= minutes <= TRAINING_MINUTES_MAX:
            return PaperworkRefused(PaperworkRefusal.MINUTES)
        if trained_on > today:
            return PaperworkRefused(PaperworkRefusal.NOT_YET)
        teacher = await organizations.find_organization(conn, organization=organization)
        if teacher is None:
            raise NotFoundError
        await clearances.set_training(
            conn,
            volunteer=volunteer,
            organization=organization,
            provider=teacher.name,
            course=cleaned,
            minutes=minutes,
            trained_on=trained_on,
            by=actor.person,
            now=now,
        )
        await _audit(conn, actor, "record_training", volunteer, now)
    return Recorded(actor.person, now)


async def agree(
    db: Database,
    *,
    person: UUID,
    volunteer: VolunteerId,
    activity_book: int,
    activity: int,
    today: date,
    seal: Seal,
    now: datetime,
) -> Recorded | PaperworkRefused:
    """Agree in writing to serve in an activity; a minor only with a guardian's consent.

    Raises:
        NotFoundError: There is no such activity.
    """
    async with db.write() as conn:
        if (
            await activities.find_organization_of(conn, book=activity_book, activity=activity)
            is None
        ):
            raise NotFoundError
        known = await clearances.find_of_age_from(conn, person=person)
        if known is not None and known > today:
            consents = await clearances.list_consents(conn, seal=seal, volunteer=volunteer)
            if all(each.ended_at is not None for each in consents):
                return PaperworkRefused(PaperworkRefusal.CONSENT_FIRST)
        await clearances.insert_agreement(
            conn,
            volunteer=volunteer,
            activity_book=activity_book,
            activity=activity,
            by=person,
            now=now,
        )
    return Recorded(person, now)


async def _check(
    conn: AsyncConnection, actor: Actor, volunteer: VolunteerId
) -> tuple[PaperworkRefusal | None, UUID | None]:
    if not actor.may(Act.RUN_ACTIVITIES):
        raise NotPermittedError
    found = await volunteers.find_volunteer(conn, volunteer=volunteer)
    if found is None or found.ended_at is not None:
        raise NotFoundError
    is_own = found.person == actor.person or volunteer == actor.volunteer
    return (PaperworkRefusal.OWN if is_own else None), found.person


async def _audit(
    conn: AsyncConnection, actor: Actor, act: str, volunteer: VolunteerId, now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=actor.person,
        act=act,
        subjects=[f"volunteer/{volunteer.book}/{volunteer.id}"],
    )


def _parse_birth(birth: tuple[int, int], today: date) -> date | None:
    """Return from when somebody born in a year and month is of age; None where that cannot be."""
    year, month = birth
    if not (1 <= month <= 12 and today.year - _AGE_YEARS_MAX <= year):
        return None
    if (year, month) > (today.year, today.month):
        return None
    return of_age_from(year, month)
