"""How many places a shift has, changed after it was published."""

from dataclasses import replace
from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.places import PlacesChanged, PlacesRefused, decide_places
from timebank.services import promotion
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, signups
from timebank.store.seal import Seal


async def change_places(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    shift_book: int,
    shift: int,
    places: int,
    now: datetime,
) -> PlacesChanged | PlacesRefused:
    """Change the number of places; before the shift begins, new ones go to those who wait.

    Who gets one is told in the same commit. Nobody loses a place.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
        ConflictError: The waiting list moved faster than it could be followed.
    """
    async with db.read() as conn:
        taken = await signups.count_places_taken(conn, shift_book=shift_book, shift=shift)
    return await promotion.following(
        lambda ahead: _change(
            db,
            seal=seal,
            actor=actor,
            shift_book=shift_book,
            shift=shift,
            places=places,
            ahead=ahead,
            now=now,
        ),
        free=max(1, places - taken),
    )


async def _change(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    shift_book: int,
    shift: int,
    places: int,
    ahead: int,
    now: datetime,
) -> PlacesChanged | PlacesRefused:
    async with db.write() as conn:
        locked = await promotion.lock_next(conn, shift_book=shift_book, shift=shift, ahead=ahead)
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        taken = await signups.count_places_taken(conn, shift_book=shift_book, shift=shift)

        refusal = decide_places(
            places,
            taken=taken,
            is_cancelled=found.cancelled_at is not None,
            is_over=found.closed_at is not None or now >= found.ends_at,
        )

        if refusal is not None:
            return PlacesRefused(refusal)
        if places == found.places:
            return PlacesChanged(())
        await activities.set_places(conn, book=shift_book, shift=shift, places=places)
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="change_places",
            subjects=[f"shift/{shift_book}/{shift}"],
        )
        promoted: list[VolunteerId] = []
        while now < found.starts_at and taken + len(promoted) < places:
            following = await promotion.promote(
                conn, replace(found, places=places), seal=seal, locked=locked, now=now
            )
            if following is None:
                break
            promoted.append(following)
    return PlacesChanged(tuple(promoted))
