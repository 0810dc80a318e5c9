"""Entries are taken back by a linked reversal, with who and why; nothing is changed or deleted."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor
from timebank.domain.correction import (
    CorrectionRefusal,
    CorrectionRefused,
    Reversed,
    decide_reversal,
)
from timebank.domain.posting import Entry, PostingRefusal, PostingRefused, reversal_of
from timebank.domain.region import parse_code
from timebank.domain.transfer import service_key
from timebank.domain.writing import cleaned_paragraphs
from timebank.ledger import balances, corrections, journal
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import activities, audit_events


async def reverse_transfer(
    db: Database, *, actor: Actor | None, book: int, seq: int, reason: str, now: datetime
) -> Reversed | CorrectionRefused:
    """Take an entry back, once; the reversal is effective when the entry was.

    An organizer may take back what was credited for their own organization's activities, an officer
    whatever is in the book of a county they see; no actor is the operator's command line.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it is not the actor's to take back.
    """
    cleaned = cleaned_paragraphs(reason)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        entry = await balances.find_entry(conn, book=book, seq=seq)
        await _check_may_reverse(conn, actor, book=book, entry=entry)
        if head is None or entry is None:
            raise NotFoundError

        refusal = decide_reversal(entry, reason=cleaned)

        if refusal is not None:
            return CorrectionRefused(refusal)
        key = service_key(entry.transfer.effective_at, "reversal", book, seq)
        (outcome,) = await journal.append(
            conn, head=head, transfers=[reversal_of(entry, key=key)], now=now
        )
        if isinstance(outcome, PostingRefused):
            if outcome.reason is PostingRefusal.EXCEEDS_BOUND:
                return CorrectionRefused(CorrectionRefusal.SPENT)
            raise AssertionError(f"a decided reversal was refused: {outcome.reason}")
        person = None if actor is None else actor.person
        await corrections.append_reason(
            conn, book=book, seq=outcome.seq, person=person, reason=cleaned
        )
        await audit_events.insert_audit_events(
            conn, at=now, person=person, act="reverse_transfer", subjects=[f"entry/{book}/{seq}"]
        )
    return Reversed(outcome.seq)


async def _check_may_reverse(
    conn: AsyncConnection, actor: Actor | None, *, book: int, entry: Entry | None
) -> None:
    if actor is None:
        return
    if not (actor.may(Act.RUN_ACTIVITIES) or actor.may(Act.RUN_POLICIES)):
        raise NotPermittedError
    sees_county = actor.scope is not None and actor.scope.covers(parse_code(str(book)))
    if actor.may(Act.RUN_POLICIES) and sees_county:
        return
    service = entry.transfer.service if entry is not None else None
    if service is None or service.activity_book is None or service.activity is None:
        raise NotFoundError
    organization = await activities.find_organization_of(
        conn, book=service.activity_book, activity=service.activity
    )
    if not actor.may(Act.RUN_ACTIVITIES) or organization not in actor.organizations:
        raise NotFoundError
