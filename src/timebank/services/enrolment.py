"""People become volunteers, organizers and officers."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import OrganizationId, PartnerId, Role, VolunteerId
from timebank.domain.enrolment import (
    Enrolled,
    EnrolmentRefusal,
    EnrolmentRefused,
    Moved,
    MoveRefused,
    NewVolunteer,
    decide_enrolment,
    decide_move,
)
from timebank.domain.period import local_day
from timebank.domain.phone import parse_phone
from timebank.domain.region import county_of
from timebank.domain.transfer import AccountKind, Unit
from timebank.domain.writing import cleaned_line
from timebank.ledger import accounts, journal
from timebank.ledger.journal import Head
from timebank.services.errors import ConflictError, NotFoundError
from timebank.store import appointments, audit_events, numbering, people, regions, volunteers
from timebank.store.appointments import Appointment
from timebank.store.people import Person
from timebank.store.seal import Seal
from timebank.store.volunteers import Volunteer


async def ensure_person(
    db: Database, *, seal: Seal, phone: str, name: str | None, now: datetime
) -> UUID:
    """Return the person of a phone number, made if there is none. A known name stays.

    Raises:
        ValueError: It is no mainland mobile number.
    """
    number = _phone(phone)
    async with db.write() as conn:
        return await people.ensure_person(conn, seal=seal, phone=number, name=name, now=now)


async def enrol_volunteer(
    db: Database, *, seal: Seal, person: UUID, name: str, village: int, now: datetime
) -> Enrolled | EnrolmentRefused:
    """Register a person as a volunteer of the county of their village, with their account.

    Raises:
        NotFoundError: There is no such person.
    """
    book, name = county_of(village), cleaned_line(name)
    async with db.write() as conn:
        # The person's lock comes first: two counties cannot enrol one person at once.
        if not await people.lock_person(conn, person=person):
            raise NotFoundError
        home = await regions.find_region(conn, code=village)
        head = await journal.find_locked_head(conn, book=book)

        reason = decide_enrolment(
            name=name,
            village_level=None if home is None else home.level,
            is_open=head is not None,
            is_enrolled=await volunteers.is_volunteer(conn, person=person, book=book),
        )

        if reason is not None:
            return EnrolmentRefused(reason)
        if head is None:
            return EnrolmentRefused(EnrolmentRefusal.COUNTY_NOT_OPEN)
        await people.set_name(conn, seal=seal, person=person, name=name)
        (volunteer,) = await insert_volunteers(
            conn, head=head, enrolments=[(person, None, village, now)], now=now
        )
    return Enrolled(volunteer)


async def enrol_volunteers(
    db: Database, *, seal: Seal, book: int, people: Sequence[NewVolunteer], now: datetime
) -> list[VolunteerId]:
    """Register a list of volunteers whom another system knows, such as a district's history.

    A reference that is known is that volunteer; nothing is written for them. A phone number that
    is already another volunteer's, as in families, is not given to a second one.

    Shape: one volunteer per item, in their order.

    Raises:
        NotFoundError: The county's book is not open.
        ValueError: A village of another county, or no mainland mobile number.
        ConflictError: Somebody else enrolled the same references meanwhile.

    Cost: about twenty statements, whatever the length of the list.
    """
    first_of: dict[str, NewVolunteer] = {}
    for each in people:
        if county_of(each.village) != book:
            raise ValueError("a volunteer is enrolled in the county where they live")
        first_of.setdefault(each.reference, each)
    async with db.write() as conn:
        known = await volunteers.list_by_reference(conn, book=book, references=list(first_of))
        missing = {
            reference: each for reference, each in first_of.items() if reference not in known
        }
        if missing:
            persons = await _insert_people(
                conn, seal=seal, book=book, missing=list(missing.values()), now=now
            )
        # Only now the book's lock, which every scan of the county waits for.
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        if missing:
            if await volunteers.list_by_reference(conn, book=book, references=list(missing)):
                raise ConflictError
            enrolments = [
                (person, each.reference, each.village, each.enrolled_at)
                for person, each in zip(persons, missing.values(), strict=True)
            ]
            added = await insert_volunteers(conn, head=head, enrolments=enrolments, now=now)
            known.update(zip(missing, added, strict=True))
    return [known[each.reference] for each in people]


async def move_home(
    db: Database, *, volunteer: VolunteerId, village: int, from_on: date, now: datetime
) -> Moved | MoveRefused:
    """Record that a volunteer lives in another village of the same county from a day on.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
            raise NotFoundError
        home = await regions.find_region(conn, code=village)
        newest = await volunteers.find_newest_move(conn, volunteer=volunteer)

        decision = decide_move(
            book=volunteer.book,
            village=village,
            village_level=None if home is None else home.level,
            newest_from_on=newest or from_on,
            from_on=from_on,
        )

        if isinstance(decision, Moved):
            await volunteers.set_home(
                conn, volunteer=volunteer, region=village, from_on=from_on, now=now
            )
    return decision


async def appoint(
    db: Database,
    *,
    person: UUID,
    role: Role,
    organization: OrganizationId | None = None,
    region: int | None = None,
    partner: PartnerId | None = None,
    by: UUID | None,
    now: datetime,
) -> None:
    """Give a person a role; one they have stays as it is.

    A person sees one division: a new one as officer or auditor ends the former.

    `by` is None for the operator's command line.

    Raises:
        NotFoundError: There is no such person.
        ValueError: The role and where it is held do not fit.
    """
    _check_appointment(role, organization, region, partner)
    appointment = Appointment(person, role, organization, region, partner)
    async with db.write() as conn:
        if not await people.lock_person(conn, person=person):
            raise NotFoundError
        if await appointments.is_appointed(conn, appointment=appointment):
            return
        if region is not None:
            await appointments.set_regions_ended(conn, person=person, now=now)
        await appointments.insert_appointment(conn, appointment=appointment, now=now)
        await audit_events.insert_audit_events(
            conn, at=now, person=by, act="appoint", subjects=[_subject(appointment)]
        )


async def dismiss(
    db: Database,
    *,
    person: UUID,
    role: Role,
    organization: OrganizationId | None = None,
    region: int | None = None,
    by: UUID | None,
    now: datetime,
) -> None:
    """Take a role from a person; `by` is None for the operator's command line.

    Raises:
        NotFoundError: They do not hold it.
    """
    appointment = Appointment(person, role, organization, region)
    async with db.write() as conn:
        if not await appointments.set_appointment_ended(conn, appointment=appointment, now=now):
            raise NotFoundError
        await audit_events.insert_audit_events(
            conn, at=now, person=by, act="dismiss", subjects=[_subject(appointment)]
        )


async def _insert_people(
    conn: AsyncConnection,
    *,
    seal: Seal,
    book: int,
    missing: Sequence[NewVolunteer],
    now: datetime,
) -> list[UUID]:
    """Return a person for each new volunteer, in their order, found by phone or made."""
    phones = [None if each.phone is None else _phone(each.phone) for each in missing]
    asked = list({phone for phone in phones if phone is not None})
    somebodys = await people.list_locked_by_phone(conn, seal=seal, phones=asked)
    taken = await volunteers.list_persons_enrolled(
        conn, persons=list(somebodys.values()), book=book
    )

    persons: list[UUID] = []
    made: list[Person] = []
    named: dict[UUID, str] = {}
    given: set[str] = set()
    for each, phone in zip(missing, phones, strict=True):
        found = None if phone is None or phone in given else somebodys.get(phone)
        if phone is not None and found is not None and found not in taken:
            given.add(phone)
            persons.append(found)
            if each.name is not None:
                named[found] = cleaned_line(each.name)
            continue
        is_free = phone is not None and phone not in given and phone not in somebodys
        if phone is not None and is_free:
            given.add(phone)
        name = None if each.name is None else cleaned_line(each.name)
        person = Person(uuid4(), phone if is_free else None, name)
        made.append(person)
        persons.append(person.id)

    added = await people.insert_people(conn, seal=seal, people=made, now=now)
    if len(added) < len(made):
        raise ConflictError
    if named:
        await people.set_missing_names(conn, seal=seal, names=named)
    return persons


async def insert_volunteers(
    conn: AsyncConnection,
    *,
    head: Head,
    enrolments: Sequence[tuple[UUID | None, str | None, int, datetime]],
    now: datetime,
) -> list[VolunteerId]:
    """Add volunteers as `(person, reference, village, enrolled_at)` under the book's lock.

    For use cases that hold the lock and have decided.

    Shape: one volunteer per item, in their order.
    """
    numbers = await numbering.take_numbers(
        conn, book=head.book, noun="volunteer", count=len(enrolments)
    )
    opened = await accounts.open_accounts(
        conn,
        head=head,
        unit=Unit.MINUTES,
        kind=AccountKind.VOLUNTEER,
        owners=numbers,
        now=now,
    )
    ids = [VolunteerId(head.book, number) for number in numbers]
    await volunteers.insert_volunteers(
        conn,
        volunteers=[
            Volunteer(each, person, reference, account, enrolled_at)
            for each, account, (person, reference, _, enrolled_at) in zip(
                ids, opened, enrolments, strict=True
            )
        ],
    )
    zone = ZoneInfo(head.zone)
    await volunteers.insert_residences(
        conn,
        homes=[
            (each, village, local_day(enrolled_at, zone=zone))
            for each, (_, _, village, enrolled_at) in zip(ids, enrolments, strict=True)
        ],
    )
    return ids


def _phone(text: str) -> str:
    number = parse_phone(text)
    if number is None:
        raise ValueError("not a mainland mobile number")
    return number


def _check_appointment(
    role: Role,
    organization: OrganizationId | None,
    region: int | None,
    partner: PartnerId | None,
) -> None:
    needs_region = role in (Role.OFFICER, Role.AUDITOR)
    if role is Role.VOLUNTEER:
        raise ValueError("a volunteer is enrolled, not appointed")
    if (role is Role.ORGANIZER) != (organization is not None):
        raise ValueError("an organizer, and nobody else, has an organization")
    if needs_region != (region is not None):
        raise ValueError("an officer or auditor, and nobody else, has a division")
    if (role is Role.PARTNER) != (partner is not None):
        raise ValueError("a partner, and nobody else, has a shop")


def _subject(appointment: Appointment) -> str:
    organization, partner = appointment.organization, appointment.partner
    where = f"region/{appointment.region}"
    if organization is not None:
        where = f"organization/{organization.book}/{organization.id}"
    elif partner is not None:
        where = f"partner/{partner.book}/{partner.id}"
    return f"person/{appointment.person}/{appointment.role.value}/{where}"
