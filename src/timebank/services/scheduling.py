"""Organizations publish activities with shifts; volunteers take places in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.activity import (
    ActivityPublished,
    ActivityRefused,
    CancellationRefused,
    Cancelled,
    NewActivity,
    NewShift,
    ShiftsAdded,
    decide_activity,
    decide_cancellation,
    decide_shifts,
)
from timebank.domain.actor import Actor, OrganizationId, VolunteerId
from timebank.domain.organization import NAME_LENGTH_MAX, OrganizationKind
from timebank.domain.region import county_of
from timebank.domain.shift_message import DAY, MessageRefusal, decide_message
from timebank.domain.signup import (
    SignedUp,
    SignupFacts,
    SignupRefused,
    Waiting,
    WaitingEnded,
    WaitingRefused,
    WithdrawalRefused,
    Withdrawn,
    decide_signup,
    decide_waiting,
    decide_withdrawal,
)
from timebank.domain.writing import cleaned_line, cleaned_paragraphs
from timebank.ledger import journal
from timebank.services import promotion
from timebank.services.errors import ConflictError, NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import (
    activities,
    audit_events,
    numbering,
    organizations,
    outbox,
    regions,
    shift_messages,
    signups,
    volunteers,
    waiting,
)
from timebank.store.activities import Activity, Shift
from timebank.store.organizations import Organization
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class MessageQueued:
    """The message waits for the gateway.

    Attributes:
        people: For how many.
    """

    people: int


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """Nobody is told anything."""

    reason: MessageRefusal


async def open_organization(
    db: Database, *, name: str, kind: OrganizationKind, region: int, by: UUID | None, now: datetime
) -> OrganizationId:
    """Open an organization in the county of its division; the same again is the same one.

    `by` is None for the operator's command line.

    Raises:
        ValueError: The name is empty or too long.
        ConflictError: Another kind of organization, or one elsewhere, has the name, or somebody
            else opened one of that name meanwhile.
    """
    book, name = county_of(region), cleaned_line(name)
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise ValueError("an organization has a name")
    async with db.write() as conn:
        known = await organizations.list_by_name(conn, book=book, names=[name])
        if name in known:
            found = await organizations.find_organization(conn, organization=known[name])
            if found is None or (found.kind, found.region) != (kind, region):
                raise ConflictError
            return found.id
        # The numbering's row is the lock of the name, too.
        (number,) = await numbering.take_numbers(conn, book=book, noun="organization")
        if await organizations.list_by_name(conn, book=book, names=[name]):
            raise ConflictError
        organization = OrganizationId(book, number)
        await organizations.insert_organizations(
            conn, organizations=[Organization(organization, name, kind, region, now)]
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=by,
            act="open_organization",
            subjects=[f"organization/{book}/{number}"],
        )
    return organization


async def publish_activity(
    db: Database,
    *,
    actor: Actor,
    organization: OrganizationId,
    activity: NewActivity,
    shifts: Sequence[NewShift],
    now: datetime,
) -> ActivityPublished | ActivityRefused:
    """Publish an activity with its shifts; more shifts can be added later.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: The actor organizes for others.
    """
    check_organizes(actor, organization)
    book = organization.book
    cleaned = replace(
        activity,
        title=cleaned_line(activity.title),
        content=cleaned_paragraphs(activity.content),
        address=cleaned_line(activity.address),
        in_charge=cleaned_line(activity.in_charge),
    )
    async with db.write() as conn:
        place = await regions.find_region(conn, code=cleaned.region)

        refused = decide_activity(cleaned, shifts, is_region_known=place is not None, now=now)

        if refused is not None:
            return refused
        (number,) = await numbering.take_numbers(conn, book=book, noun="activity")
        await activities.insert_activities(
            conn,
            activities=[
                Activity(
                    organization=organization,
                    id=number,
                    title=cleaned.title,
                    field=cleaned.field,
                    content=cleaned.content,
                    address=cleaned.address,
                    region=cleaned.region,
                    in_charge=cleaned.in_charge,
                    forgotten=cleaned.forgotten,
                    risks=cleaned.risks,
                    created_by=actor.person,
                    created_at=now,
                )
            ],
        )
        added = await _insert_shifts(conn, organization, activity=number, shifts=shifts)
        await _audit(conn, actor, "publish_activity", [f"activity/{book}/{number}"], now)
    return ActivityPublished(book, number, added)


async def add_shifts(
    db: Database,
    *,
    actor: Actor,
    book: int,
    activity: int,
    shifts: Sequence[NewShift],
    now: datetime,
) -> ShiftsAdded | ActivityRefused:
    """Add shifts to an activity.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such activity, or it is not the actor's.
    """
    async with db.write() as conn:
        found = await activities.find_locked_activity(conn, book=book, activity=activity)
        organization, cancelled_at = found or (None, None)
        check_organizes(actor, organization)

        refused = decide_shifts(shifts, is_cancelled=cancelled_at is not None, now=now)

        if refused is not None:
            return refused
        if organization is None:
            raise NotFoundError
        added = await _insert_shifts(conn, organization, activity=activity, shifts=shifts)
        await _audit(conn, actor, "add_shifts", [f"shift/{book}/{each}" for each in added], now)
    return ShiftsAdded(added)


async def cancel_shift(
    db: Database, *, actor: Actor, shift_book: int, shift: int, now: datetime
) -> Cancelled | CancellationRefused:
    """Call a shift off. One that was called off stays so since then.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.write() as conn:
        await _lock_books(conn, shift_book=shift_book, shifts=[shift])
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        if found.cancelled_at is not None:
            return Cancelled(found.cancelled_at)
        arrivals = await signups.count_arrivals(conn, shift_book=shift_book, shifts=[shift])

        reason = decide_cancellation(is_closed=found.closed_at is not None, arrivals=arrivals)

        if reason is not None:
            return CancellationRefused(reason)
        await activities.set_shifts_cancelled(conn, book=shift_book, shifts=[shift], at=now)
        await _audit(conn, actor, "cancel_shift", [f"shift/{shift_book}/{shift}"], now)
    return Cancelled(now)


async def cancel_activity(
    db: Database, *, actor: Actor, book: int, activity: int, now: datetime
) -> Cancelled | CancellationRefused:
    """Call an activity off with every shift of it that is not closed.

    What was credited in its closed shifts stays.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such activity, or it is not the actor's.
    """
    async with db.write() as conn:
        shifts = await activities.list_open_shifts(conn, book=book, activity=activity)
        await _lock_books(conn, shift_book=book, shifts=shifts)
        found = await activities.find_locked_activity(conn, book=book, activity=activity)
        organization, cancelled_at = found or (None, None)
        check_organizes(actor, organization)
        if cancelled_at is not None:
            return Cancelled(cancelled_at)
        # The activity's lock holds off new shifts.
        shifts = await activities.list_locked_open_shifts(conn, book=book, activity=activity)
        arrivals = await signups.count_arrivals(conn, shift_book=book, shifts=shifts)

        reason = decide_cancellation(is_closed=False, arrivals=arrivals)

        if reason is not None:
            return CancellationRefused(reason)
        await activities.set_shifts_cancelled(conn, book=book, shifts=shifts, at=now)
        await activities.set_activity_cancelled(conn, book=book, activity=activity, at=now)
        await _audit(conn, actor, "cancel_activity", [f"activity/{book}/{activity}"], now)
    return Cancelled(now)


async def sign_up(
    db: Database, *, volunteer: VolunteerId, shift_book: int, shift: int, now: datetime
) -> SignedUp | SignupRefused:
    """Take a place in a shift for a volunteer. Of the last place, one of many gets it.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        facts = await _find_facts(conn, volunteer, shift_book=shift_book, shift=shift)

        decision = decide_signup(facts, now=now)

        if isinstance(decision, SignedUp):
            await signups.set_signed_up(
                conn, volunteer=volunteer, shift_book=shift_book, shift=shift, at=now
            )
            await waiting.set_ended(
                conn,
                volunteer=volunteer,
                shift_book=shift_book,
                shift=shift,
                is_promoted=False,
                at=now,
            )
    return decision


async def join_waiting(
    db: Database, *, volunteer: VolunteerId, shift_book: int, shift: int, now: datetime
) -> Waiting | WaitingRefused:
    """Wait for a place in a full shift; who came first gets the first that becomes free.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
            raise NotFoundError
        # The shift's lock orders this against the last place and against who gives one back.
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        facts = (
            None
            if found is None
            else await signups.find_facts(conn, volunteer=volunteer, shift=found)
        )
        is_waiting = await waiting.is_waiting(
            conn, volunteer=volunteer, shift_book=shift_book, shift=shift
        )
        count = await waiting.count_waiting(conn, shift_book=shift_book, shift=shift)

        decision = decide_waiting(
            facts,
            is_waiting=is_waiting,
            waiting=count,
            starts_at=None if found is None else found.starts_at,
            now=now,
        )

        if isinstance(decision, Waiting):
            await waiting.set_waiting(
                conn, volunteer=volunteer, shift_book=shift_book, shift=shift, at=now
            )
    return decision


async def leave_waiting(
    db: Database, *, volunteer: VolunteerId, shift_book: int, shift: int, now: datetime
) -> WaitingEnded:
    """Wait no longer; whoever did not wait stays as they are."""
    async with db.write() as conn:
        await waiting.set_ended(
            conn,
            volunteer=volunteer,
            shift_book=shift_book,
            shift=shift,
            is_promoted=False,
            at=now,
        )
    return WaitingEnded()


async def withdraw(
    db: Database,
    *,
    seal: Seal,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    now: datetime,
) -> Withdrawn | WithdrawalRefused:
    """Give a volunteer's place back; before the shift begins the next who waits and can gets it.

    Who is promoted is told in the same commit. Of many who give places back at once, each place
    goes to another one, in the order of waiting.

    Raises:
        NotFoundError: There is no such volunteer.
        ConflictError: The waiting list moved faster than it could be followed.
    """
    return await promotion.following(
        lambda ahead: _withdraw(
            db,
            seal=seal,
            volunteer=volunteer,
            shift_book=shift_book,
            shift=shift,
            ahead=ahead,
            now=now,
        )
    )


async def _withdraw(
    db: Database,
    *,
    seal: Seal,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    ahead: int,
    now: datetime,
) -> Withdrawn | WithdrawalRefused:
    async with db.write() as conn:
        # The book's lock orders this against a scan of the arrival.
        await journal.find_locked_head(conn, book=volunteer.book)
        locked = await promotion.lock_next(
            conn, shift_book=shift_book, shift=shift, ahead=ahead, beside=volunteer
        )
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        facts = (
            None
            if found is None
            else await signups.find_facts(conn, volunteer=volunteer, shift=found)
        )

        decision = decide_withdrawal(facts, now=now)

        if not isinstance(decision, Withdrawn) or found is None:
            return decision
        await signups.set_withdrawn(
            conn, volunteer=volunteer, shift_book=shift_book, shift=shift, at=now
        )
        if now >= found.starts_at:
            return decision
        promoted = await promotion.promote(conn, found, seal=seal, locked=locked, now=now)
    return Withdrawn(now, promoted)


async def send_message(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    shift_book: int,
    shift: int,
    text: str,
    now: datetime,
) -> MessageQueued | MessageRefused:
    """Queue a message for everybody who holds a place in a shift.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    text = cleaned_line(text)
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if found is None:
            raise NotFoundError
        phones = await shift_messages.list_phones_sealed(conn, book=shift_book, shift=shift)
        sent = await shift_messages.count_since(conn, book=shift_book, shift=shift, since=now - DAY)

        refusal = decide_message(
            text=text,
            is_cancelled=found.cancelled_at is not None,
            sent=sent,
            people=len(phones),
        )

        if refusal is not None:
            return MessageRefused(refusal)
        title = await activities.find_title(conn, book=shift_book, activity=found.activity)
        await outbox.insert_messages(
            conn, seal=seal, phones_sealed=phones, text=f"【时间银行】“{title}”：{text}", now=now
        )
        await shift_messages.insert_message(
            conn,
            book=shift_book,
            shift=shift,
            by=actor.person,
            text=text,
            people=len(phones),
            now=now,
        )
        await _audit(conn, actor, "send_message", [f"shift/{shift_book}/{shift}"], now)
    return MessageQueued(len(phones))


async def _find_facts(
    conn: AsyncConnection, volunteer: VolunteerId, *, shift_book: int, shift: int
) -> SignupFacts | None:
    # The volunteer's lock orders their sign-ups for shifts that overlap, the shift's lock those of
    # everybody who wants a place in it. Always in this order.
    if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
        raise NotFoundError
    found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
    if found is None:
        return None
    return await signups.find_facts(conn, volunteer=volunteer, shift=found)


async def _lock_books(conn: AsyncConnection, *, shift_book: int, shifts: Sequence[int]) -> None:
    """Lock the books in which arrivals to shifts are recorded, in order, so that none slips in."""
    for book in await signups.list_books(conn, shift_book=shift_book, shifts=shifts):
        await journal.find_locked_head(conn, book=book)


async def _insert_shifts(
    conn: AsyncConnection,
    organization: OrganizationId,
    *,
    activity: int,
    shifts: Sequence[NewShift],
) -> tuple[int, ...]:
    if not shifts:
        return ()
    book = organization.book
    numbers = await numbering.take_numbers(conn, book=book, noun="shift", count=len(shifts))
    await activities.insert_shifts(
        conn,
        shifts=[
            Shift(
                book=book,
                id=number,
                activity=activity,
                organization=organization,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                places=each.places,
            )
            for number, each in zip(numbers, shifts, strict=True)
        ],
    )
    return tuple(numbers)


async def _audit(
    conn: AsyncConnection, actor: Actor, act: str, subjects: Sequence[str], now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn, at=now, person=actor.person, act=act, subjects=subjects
    )
