"""An organizer's device takes along what it needs to work without network."""

import secrets
from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor
from timebank.domain.attendance import LATE_MAX
from timebank.domain.offline_kit import Kit
from timebank.services.errors import ConflictError, NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events


async def issue_kit(
    db: Database, *, actor: Actor, shift_book: int, shift: int, now: datetime
) -> Kit:
    """Give out the right to read people for a shift without network, and write it down.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
        ConflictError: The shift takes no scans any more.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        is_over = found.closed_at is not None or now > found.ends_at + LATE_MAX
        if found.cancelled_at is not None or is_over:
            raise ConflictError
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="take_offline",
            subjects=[f"shift/{shift_book}/{shift}"],
        )
    return Kit(shift_book, shift, actor.person, now.replace(microsecond=0), secrets.token_bytes(8))
