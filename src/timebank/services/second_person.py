"""What every use case that credits by somebody's word asks before it writes.

`pass_or_hold` is called inside the use case's own transaction: the entry passes, or it is held and
nothing else is written, or the second person's agreement is recorded in the commit that credits.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId
from timebank.domain.period import local_day
from timebank.domain.second_person import (
    REASON_LENGTH_MAX,
    ApprovalRefusal,
    ApprovalRefused,
    Entry,
    Held,
    HeldEntry,
    Passed,
    SentBack,
    decide_approval,
    needs_second_person,
)
from timebank.domain.writing import cleaned_paragraphs
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.permission import check_may_approve, check_organizes
from timebank.store import audit_events, held_entries, organizations, thresholds, volunteers


async def check_submits(
    conn: AsyncConnection,
    *,
    actor: Actor,
    organization: OrganizationId | None,
    approval: int | None,
) -> None:
    """Check that an actor may enter hours for an organization, or agree to what another entered.

    Raises:
        NotPermittedError: The actor's roles do not permit it.
        NotFoundError: It lies outside what the actor may see.
    """
    if approval is None:
        check_organizes(actor, organization)
        return
    found = (
        None
        if organization is None
        else await organizations.find_organization(conn, organization=organization)
    )
    if found is None:
        raise NotFoundError
    check_may_approve(actor, found.id, region=found.region)


async def pass_or_hold(
    conn: AsyncConnection, *, entry: Entry, actor: Actor, approval: int | None, now: datetime
) -> Passed | Held | ApprovalRefused:
    """Decide whether hours by somebody's word are credited now; `check_submits` came before.

    Without an approval an entry above the county's limit of the day is held, and one that waited
    for the same subject gives way to it. With the number of a held entry its second person agrees.

    Raises:
        NotFoundError: No such entry was held for this subject.
    """
    if approval is None:
        today = local_day(now, zone=ZoneInfo(ZONE))
        values = await thresholds.find_values(conn, book=entry.book, on=today)
        if not needs_second_person(
            minutes=entry.minutes, people=len(entry.volunteers), thresholds=values
        ):
            return Passed()
        number = await held_entries.insert_held(
            conn, entry=entry, submitted_by=actor.person, now=now
        )
        await _audit(conn, actor, "hold_entry", book=entry.book, number=number, now=now)
        return Held(entry.book, number)

    held = await held_entries.find_locked_held(conn, book=entry.book, number=approval)
    if held is None or (held.kind, held.subject) != (entry.kind, entry.subject):
        raise NotFoundError
    persons = await volunteers.list_persons(conn, volunteers=entry.volunteers)
    is_own = actor.volunteer in entry.volunteers or actor.person in persons

    refusal = decide_approval(held, entry, actor=actor, holds_own_hours=is_own)

    if refusal is not None:
        return ApprovalRefused(refusal)
    await held_entries.set_decided(
        conn, held=held, by=actor.person, is_approved=True, reason=None, now=now
    )
    await _audit(conn, actor, "approve_entry", book=held.book, number=held.number, now=now)
    return Passed()


async def send_back(
    db: Database, *, actor: Actor, book: int, number: int, reason: str, now: datetime
) -> SentBack | ApprovalRefused:
    """Send a held entry back to who submitted it, with the reason; nothing is credited.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it lies outside what the actor may see.
    """
    reason = cleaned_paragraphs(reason)
    async with db.write() as conn:
        held = await held_entries.find_locked_held(conn, book=book, number=number)
        await check_submits(
            conn,
            actor=actor,
            organization=None if held is None else held.organization,
            approval=number,
        )
        if held is None:
            raise NotFoundError

        refusal = decide_approval(held, None, actor=actor, holds_own_hours=False)
        if refusal is None and not 1 <= len(reason) <= REASON_LENGTH_MAX:
            refusal = ApprovalRefusal.REASON_LENGTH

        if refusal is not None:
            return ApprovalRefused(refusal)
        await held_entries.set_decided(
            conn, held=held, by=actor.person, is_approved=False, reason=reason, now=now
        )
        await _audit(conn, actor, "send_back_entry", book=book, number=number, now=now)
    return SentBack(now)


async def find_held(db: Database, *, actor: Actor, book: int, number: int) -> HeldEntry:
    """Return a held entry that an actor may see.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it lies outside what the actor may see.
    """
    async with db.read() as conn:
        held = await held_entries.find_held(conn, book=book, number=number)
        await check_submits(
            conn,
            actor=actor,
            organization=None if held is None else held.organization,
            approval=number,
        )
    if held is None:
        raise NotFoundError
    return held


async def _audit(
    conn: AsyncConnection, actor: Actor, act: str, *, book: int, number: int, now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn, at=now, person=actor.person, act=act, subjects=[f"held_entry/{book}/{number}"]
    )
