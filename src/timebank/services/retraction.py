"""The organizer takes a wrong reading back before the shift is closed; nothing is lost by it."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.attendance import Direction, stay_key
from timebank.domain.posting import PostingRefused, reversal_of
from timebank.domain.retraction import (
    REASON,
    Retracted,
    RetractionRefusal,
    RetractionRefused,
    decide_retraction,
)
from timebank.domain.transfer import Unit, service_key
from timebank.ledger import accounts, balances, corrections, journal
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import activities, attendance, audit_events, retractions
from timebank.store.attendance import Stay


async def retract_scan(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    volunteer: VolunteerId,
    now: datetime,
) -> Retracted | RetractionRefused:
    """Take back the newest end of a stay: the departure with its credit, else the arrival.

    What was read stays on record as it was, with who took it back; the credit is taken back by a
    linked reversal.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift or book, or the shift is not the actor's.
    """
    stay = Stay(volunteer.id, shift_book, shift)
    async with db.write() as conn:
        # The book's lock comes first, as for a scan: none is between two statements.
        head = await journal.find_locked_head(conn, book=volunteer.book)
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        if head is None:
            raise NotFoundError
        issuing = await accounts.issuing_account(conn, head=head, unit=Unit.MINUTES, now=now)
        known = await attendance.list_scan_facts(
            conn, book=volunteer.book, issuing_account=issuing, stays=[stay], zone=head.zone
        )
        facts = known.get(stay)

        decision = decide_retraction(facts)

        if facts is None or isinstance(decision, RetractionRefused):
            return decision
        seq: int | None = None
        if decision.direction is Direction.LEAVE:
            key = stay_key(
                starts_at=facts.starts_at,
                book=volunteer.book,
                volunteer=volunteer.id,
                shift_book=shift_book,
                shift=shift,
                retracted=facts.retracted,
            )
            entry = await balances.find_entry_by_key(conn, book=volunteer.book, key=key)
            if entry is None or entry.is_reversed:
                return RetractionRefused(RetractionRefusal.CORRECTED)
            reversal = reversal_of(
                entry,
                key=service_key(entry.transfer.effective_at, "reversal", volunteer.book, entry.seq),
            )
            (outcome,) = await journal.append(conn, head=head, transfers=[reversal], now=now)
            if isinstance(outcome, PostingRefused):
                raise AssertionError(f"a decided reversal was refused: {outcome.reason}")
            seq = outcome.seq
            await corrections.append_reason(
                conn, book=volunteer.book, seq=seq, person=actor.person, reason=REASON
            )
        await retractions.retract(
            conn,
            book=volunteer.book,
            stay=stay,
            direction=decision.direction,
            by=actor.person,
            reversal_seq=seq,
            now=now,
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="retract_scan",
            subjects=[f"shift/{shift_book}/{shift}/volunteer/{volunteer.book}/{volunteer.id}"],
        )
    return decision
