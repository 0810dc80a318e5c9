"""The organizer looks who is really there: counts heads, and confirms people by name."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.ledger import journal
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.permission import check_organizes
from timebank.store import activities, attendance, audit_events, head_counts, signups, volunteers
from timebank.store.attendance import Stay


async def count_heads(
    db: Database, *, actor: Actor, shift_book: int, shift: int, counted: int, now: datetime
) -> int:
    """Keep how many people the organizer counted, and return how many had checked in.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        here = await signups.list_present(conn, shift_book=shift_book, shift=shift)
        await head_counts.insert_head_count(
            conn,
            shift_book=shift_book,
            shift=shift,
            counted=counted,
            present=len(here),
            by=actor.person,
            now=now,
        )
    return len(here)


async def confirm_presence(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    volunteer: VolunteerId,
    now: datetime,
) -> None:
    """Record that the organizer saw somebody who is there; nobody confirms themself.

    Raises:
        NotPermittedError: The actor is no organizer, or is the volunteer.
        NotFoundError: The shift is not the actor's, or the volunteer is not there.
    """
    async with db.write() as conn:
        # The book's lock orders this against the scan of the departure.
        await journal.find_locked_head(conn, book=volunteer.book)
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        here = await signups.list_present(conn, shift_book=shift_book, shift=shift)
        if volunteer not in {each.volunteer for each in here}:
            raise NotFoundError
        people = await volunteers.persons_of(conn, volunteers=[volunteer])
        if people.get(volunteer) == actor.person:
            raise NotPermittedError
        await attendance.set_confirmed(
            conn,
            book=volunteer.book,
            stays=[Stay(volunteer.id, shift_book, shift)],
            by=actor.person,
            at=now,
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="confirm_presence",
            subjects=[f"shift/{shift_book}/{shift}/volunteer/{volunteer.book}/{volunteer.id}"],
        )
