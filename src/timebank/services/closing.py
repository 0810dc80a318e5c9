"""The organizer closes a shift and settles who came and never scanned out."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.attendance import ScanFacts
from timebank.domain.closing import (
    AlreadyClosed,
    Closed,
    ClosingHeld,
    ClosingRefusal,
    ClosingRefused,
    Departure,
    DepartureRefusal,
    decide_closing,
    decide_departure,
    decide_forgotten,
)
from timebank.domain.posting import PostingRefused
from timebank.domain.second_person import (
    ApprovalRefusal,
    ApprovalRefused,
    Entry,
    Held,
    HeldEntry,
    HeldKind,
    HeldPerson,
)
from timebank.domain.transfer import Unit
from timebank.ledger import accounts, journal
from timebank.ledger.journal import Head
from timebank.services.errors import NotFoundError
from timebank.services.second_person import check_submits, pass_or_hold
from timebank.store import activities, attendance, audit_events, signups
from timebank.store.activities import Shift
from timebank.store.attendance import Stay

SUBJECT = "shift/"
"""Before the number of a shift: the subject of a held closing."""


async def close_shift(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    departures: Mapping[VolunteerId, datetime] | None,
    now: datetime,
    waived: Collection[VolunteerId] = (),
    approval: int | None = None,
) -> Closed | AlreadyClosed | ClosingHeld | ClosingRefused | ApprovalRefused:
    """Close a shift, with a departure for some of those who came and never left.

    Departures above the county's limit wait for a second person, who closes with the same ones and
    with the number of the held entry as `approval`.

    Of the others the activity's own rule decides; for whom the organizer waived it, no time is
    credited. Who gets no minutes stays listed. Closing again changes nothing. A
    departure that cannot be keeps the shift open, so that it can be set right; an organizer's own
    does not: it is left to a colleague before closing.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.

    Cost: per book of the volunteers, one statement to lock, two to read and those of one batch.
    """
    asked = departures or {}
    async with db.write() as conn:
        # The books' locks come first, in order: no scan of this shift is between two statements.
        heads: dict[int, Head] = {}
        for book in await signups.list_books(conn, shift_book=shift_book, shifts=[shift]):
            head = await journal.find_locked_head(conn, book=book)
            if head is not None:
                heads[book] = head
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        await check_submits(
            conn, actor=actor, organization=found.organization if found else None, approval=approval
        )
        if found is None:
            raise NotFoundError
        if found.closed_at is not None:
            return AlreadyClosed(found.closed_at)
        arrivals = await signups.count_arrivals(conn, shift_book=shift_book, shifts=[shift])
        present = await signups.list_present(conn, shift_book=shift_book, shift=shift)
        rest = [each.volunteer for each in present if each.volunteer not in asked]
        facts = await _list_facts(
            conn, heads, [*asked, *rest], shift_book=shift_book, shift=shift, now=now
        )

        reason = decide_closing(
            is_cancelled=found.cancelled_at is not None,
            arrivals=arrivals,
            ends_at=found.ends_at,
            now=now,
        )
        if reason is not None:
            return ClosingRefused(reason, {})
        own = {each.volunteer for each in present if each.person == actor.person}
        settled: dict[VolunteerId, Departure] = {}
        refused: dict[VolunteerId, DepartureRefusal] = {}
        for volunteer, at in asked.items():
            is_own = volunteer in own or volunteer == actor.volunteer
            decision = decide_departure(facts.get(volunteer), is_own=is_own, at=at)
            if isinstance(decision, Departure):
                settled[volunteer] = decision
            else:
                refused[volunteer] = decision
        for volunteer in rest:
            ruled = decide_forgotten(
                facts.get(volunteer),
                forgotten=found.forgotten,
                is_own=volunteer in own or volunteer == actor.volunteer,
                # Whom a first person gave no departure, the second one approves without.
                is_waived=volunteer in waived or approval is not None,
            )
            if isinstance(ruled, Departure):
                settled[volunteer] = ruled
            elif ruled is DepartureRefusal.UNDECIDED:
                refused[volunteer] = ruled
        if any(each.is_correctable for each in refused.values()):
            return ClosingRefused(ClosingRefusal.DEPARTURES, refused)

        if approval is not None and DepartureRefusal.OWN_HOURS in refused.values():
            return ApprovalRefused(ApprovalRefusal.OWN_HOURS)
        passed = await pass_or_hold(
            conn,
            entry=_entry(found, settled),
            actor=actor,
            approval=approval,
            now=now,
        )
        if isinstance(passed, Held):
            return ClosingHeld(passed.number)
        if isinstance(passed, ApprovalRefused):
            return passed

        await _settle(conn, heads, settled, facts, now=now)
        await activities.set_shift_closed(conn, book=shift_book, shift=shift, at=now)
        await signups.set_missed(conn, shift_book=shift_book, shift=shift, at=now)
        subject = f"shift/{shift_book}/{shift}"
        await audit_events.insert_audit_events(
            conn, at=now, person=actor.person, act="close_shift", subjects=[subject]
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="set_departure",
            subjects=[f"{subject}/volunteer/{each.book}/{each.id}" for each in settled],
        )
    return Closed(
        at=now,
        credited={volunteer: each.credit.amount for volunteer, each in settled.items()},
        refused=refused,
        unsettled=tuple(each.volunteer for each in present if each.volunteer not in settled),
    )


async def approve_closing(
    db: Database, *, actor: Actor, held: HeldEntry, now: datetime
) -> Closed | AlreadyClosed | ClosingHeld | ClosingRefused | ApprovalRefused:
    """Close a shift with the departures that a first person submitted.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: It lies outside what the actor may see.
    """
    if held.shift is None:
        raise AssertionError("a held closing without its shift")
    return await close_shift(
        db,
        actor=actor,
        shift_book=held.book,
        shift=held.shift,
        departures={each.volunteer: each.until for each in held.people},
        now=now,
        approval=held.number,
    )


def _entry(shift: Shift, settled: Mapping[VolunteerId, Departure]) -> Entry:
    return Entry(
        kind=HeldKind.CLOSING,
        book=shift.book,
        subject=f"{SUBJECT}{shift.id}",
        organization=shift.organization,
        shift=shift.id,
        people=tuple(
            HeldPerson(volunteer, each.credit.effective_at, each.at, each.credit.amount)
            for volunteer, each in settled.items()
        ),
    )


async def _list_facts(
    conn: AsyncConnection,
    heads: Mapping[int, Head],
    asked: Sequence[VolunteerId],
    *,
    shift_book: int,
    shift: int,
    now: datetime,
) -> dict[VolunteerId, ScanFacts]:
    by_book: dict[int, list[Stay]] = defaultdict(list)
    for volunteer in asked:
        by_book[volunteer.book].append(Stay(volunteer.id, shift_book, shift))
    facts: dict[VolunteerId, ScanFacts] = {}
    for book, head in heads.items():
        if book not in by_book:
            continue
        issuing = await accounts.issuing_account(conn, head=head, unit=Unit.MINUTES, now=now)
        found = await attendance.list_scan_facts(
            conn, book=book, issuing_account=issuing, stays=by_book[book], zone=head.zone
        )
        facts.update((VolunteerId(book, stay.volunteer), each) for stay, each in found.items())
    return facts


async def _settle(
    conn: AsyncConnection,
    heads: Mapping[int, Head],
    settled: Mapping[VolunteerId, Departure],
    facts: Mapping[VolunteerId, ScanFacts],
    *,
    now: datetime,
) -> None:
    by_book: dict[int, list[VolunteerId]] = defaultdict(list)
    for volunteer in settled:
        by_book[volunteer.book].append(volunteer)
    for book, volunteers in by_book.items():
        await attendance.record_stays(
            conn,
            book=book,
            stays=[
                facts[each]._replace(
                    left_at=settled[each].at,
                    departure_measured=False,
                    departure_grade=settled[each].grade,
                )
                for each in volunteers
            ],
        )
        outcomes = await journal.append(
            conn, head=heads[book], transfers=[settled[each].credit for each in volunteers], now=now
        )
        for outcome in outcomes:
            if isinstance(outcome, PostingRefused):
                raise AssertionError(f"a decided credit was refused: {outcome.reason}")
