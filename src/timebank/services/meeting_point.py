"""The organizer sets where an activity meets, standing there."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor
from timebank.domain.meeting_point import MeetingPoint
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, meeting_points


async def set_meeting_point(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    point: MeetingPoint | None,
    now: datetime,
) -> None:
    """Set where the activity of a shift meets; None forgets it, and nobody is asked any more.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        await meeting_points.set_point(
            conn, book=shift_book, activity=found.activity, point=point, by=actor.person, now=now
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="set_meeting_point",
            subjects=[f"activity/{shift_book}/{found.activity}"],
        )
