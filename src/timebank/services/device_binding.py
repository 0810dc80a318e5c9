"""A phone is bound to one person; the organizer who sees the person lets a lost one go."""

from datetime import datetime
from uuid import UUID

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.device_key import (
    AlreadyBound,
    BindingRefused,
    Bound,
    DeviceKey,
    DeviceRefusal,
    binding_message,
    decide_binding,
)
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, devices, people, signups, volunteers
from timebank.trust.device_signature import is_signed


async def bind_device(
    db: Database,
    *,
    person: UUID,
    key: DeviceKey | None,
    challenge: str,
    signature: bytes,
    now: datetime,
) -> Bound | AlreadyBound | BindingRefused:
    """Bind a phone to the person who holds it, once; the phone proves that it has the key.

    `key` is None where what the browser sent cannot be one.
    """
    if key is None:
        return BindingRefused(DeviceRefusal.MALFORMED_KEY)
    if not is_signed(key, message=binding_message(challenge), signature=signature):
        return BindingRefused(DeviceRefusal.UNPROVED)
    async with db.write() as conn:
        # The person's lock orders two phones of one person; of two people with one phone, the
        # unique index lets one through.
        await people.lock_person(conn, person=person)
        own = await devices.find_own(conn, person=person)
        holder = await devices.find_holder(conn, id_=key.id)

        decision = decide_binding(
            person=person, key_id=key.id, holder=holder, own=None if own is None else own.id
        )

        if isinstance(decision, Bound) and not await devices.insert_key(
            conn, key=key, person=person, now=now
        ):
            return BindingRefused(DeviceRefusal.BOUND_TO_ANOTHER)
    return decision


async def release_device(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    volunteer: VolunteerId,
    now: datetime,
) -> bool:
    """Let the binding of a volunteer's phone go, so that their next phone is bound.

    The organizer of a shift that the volunteer takes part in does it, never for themself. Return
    whether a phone was bound.

    Raises:
        NotPermittedError: The actor is no organizer, or is the volunteer.
        NotFoundError: The shift is not the actor's, or the volunteer has no part in it.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if not await signups.has_place(
            conn, volunteer=volunteer, shift_book=shift_book, shift=shift
        ):
            raise NotFoundError
        held = await volunteers.find_volunteer(conn, volunteer=volunteer)
        person = None if held is None else held.person
        if person is None:
            return False
        if person == actor.person:
            raise NotPermittedError
        released = await devices.set_ended(conn, person=person, by=actor.person, now=now)
        if released:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=actor.person,
                act="release_device",
                subjects=[f"volunteer/{volunteer.book}/{volunteer.id}"],
            )
    return released
