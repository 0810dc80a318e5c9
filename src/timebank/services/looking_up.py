"""The organizer looks somebody up who stands before them without phone or card."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.phone import parse_phone
from timebank.domain.volunteer_number import parse_number
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, people, volunteers
from timebank.store.seal import Seal


async def look_up_volunteer(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    text: str,
    seal: Seal,
    now: datetime,
) -> VolunteerId | None:
    """Return the volunteer of a 15-digit number or a phone number; None where nobody is.

    Each that finds somebody is written to the audit log: a number tells who is a volunteer.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    typed = "".join(text.split())
    number, phone = parse_number(typed), parse_phone(typed)
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        volunteer: VolunteerId | None = None
        if number is not None:
            known = await volunteers.find_volunteer(conn, volunteer=VolunteerId(*number))
            volunteer = known.id if known is not None and known.ended_at is None else None
        elif phone is not None:
            person = await people.find_person_by_phone(conn, seal=seal, phone=phone)
            if person is not None:
                volunteer = await volunteers.find_active_of(conn, person=person)
        if volunteer is not None:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="look_up_volunteer",
                subjects=[f"volunteer/{volunteer.book}/{volunteer.id}"],
            )
    return volunteer
