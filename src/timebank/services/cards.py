"""Printed personal cards are given out, revoked and given out again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, audit_events, cards, signups, volunteers

CARDS_MAX = 100
"""How many cards are printed at once: ten sheets of paper."""


async def issue_own_card(
    db: Database, *, actor: Actor, volunteer: VolunteerId, now: datetime, is_lost: bool
) -> int:
    """Return the number of a volunteer's good card, given out if there is none.

    A lost card is revoked first, so that whoever finds it finds a piece of paper.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
            raise NotFoundError
        if is_lost:
            await _revoke(conn, actor, volunteer, now=now)
        found = await _issue(conn, actor, [volunteer], now=now)
    return found[volunteer]


async def issue_cards(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    people: Sequence[VolunteerId],
    now: datetime,
) -> dict[VolunteerId, int]:
    """Return the numbers of the good cards of people of a shift, given out where there is none.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: The shift is not the actor's, or somebody has no part in it.
        ValueError: More than `CARDS_MAX` at once.
    """
    if len(people) > CARDS_MAX:
        raise ValueError("cards are printed in parts")
    async with db.write() as conn:
        await _check_people(conn, actor, shift_book=shift_book, shift=shift, people=people)
        return await _issue(conn, actor, people, now=now)


async def revoke_card(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    volunteer: VolunteerId,
    now: datetime,
) -> bool:
    """Revoke the card of somebody of a shift; return whether there was one.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: The shift is not the actor's, or the volunteer has no part in it.
    """
    async with db.write() as conn:
        await _check_people(conn, actor, shift_book=shift_book, shift=shift, people=[volunteer])
        return await _revoke(conn, actor, volunteer, now=now)


async def _check_people(
    conn: AsyncConnection,
    actor: Actor,
    *,
    shift_book: int,
    shift: int,
    people: Sequence[VolunteerId],
) -> None:
    """Check that people have part in an own shift, and lock them, in order."""
    found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
    check_organizes(actor, found.organization if found else None)
    for each in sorted(set(people), key=lambda each: (each.book, each.id)):
        has_part = await signups.has_place(conn, volunteer=each, shift_book=shift_book, shift=shift)
        if not has_part or not await volunteers.lock_volunteer(conn, volunteer=each):
            raise NotFoundError


async def _issue(
    conn: AsyncConnection, actor: Actor, people: Sequence[VolunteerId], *, now: datetime
) -> dict[VolunteerId, int]:
    good = await cards.list_good_of(conn, volunteers=people)
    missing = [each for each in dict.fromkeys(people) if each not in good]
    issued = await cards.insert_cards(conn, volunteers=missing, by=actor.person, now=now)
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=actor.person,
        act="issue_card",
        subjects=[f"volunteer/{each.book}/{each.id}" for each in issued],
    )
    return {each: number for each, (number, _) in good.items()} | issued


async def _revoke(
    conn: AsyncConnection, actor: Actor, volunteer: VolunteerId, *, now: datetime
) -> bool:
    revoked = await cards.set_revoked(conn, volunteer=volunteer, by=actor.person, now=now)
    if revoked:
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="revoke_card",
            subjects=[f"volunteer/{volunteer.book}/{volunteer.id}"],
        )
    return revoked > 0
