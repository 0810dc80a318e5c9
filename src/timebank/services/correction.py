"""Entries are taken back by a linked reversal, with who and why; nothing is changed or deleted."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.correction import (
    Corrected,
    Correction,
    CorrectionRefusal,
    CorrectionRefused,
    Reversed,
    decide_correction,
    decide_reversal,
)
from timebank.domain.entitlement import Standing
from timebank.domain.posting import Entry, PostingRefusal, PostingRefused, reversal_of
from timebank.domain.region import parse_code
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.domain.writing import cleaned_line, cleaned_paragraphs
from timebank.ledger import accounts, balances, corrections, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services import moving, taking_back
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import activities, audit_events, volunteers


async def reverse_transfer(
    db: Database, *, actor: Actor | None, book: int, seq: int, reason: str, now: datetime
) -> Reversed | CorrectionRefused:
    """Take an entry back, once; the reversal is effective when the entry was.

    An organizer may take back what was credited for their own organization's activities, an officer
    whatever is in the book of a county they see; no actor is the operator's command line.

    What a volunteer has spent already becomes a receivable: an account of its own, which shows what
    they must give back, and which later grants of the unit settle.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it is not the actor's to take back.
    """
    async with db.write() as conn:
        outcome, moved = await correct_in(
            conn, actor=actor, book=book, seq=seq, correction=None, reason=reason, now=now
        )
    if moved is not None:
        await moving.complete_move(db, volunteer=moved, now=now)
    if isinstance(outcome, Corrected):
        raise AssertionError("a reversal put something in the place of what it took back")
    return outcome


async def correct_service(
    db: Database,
    *,
    actor: Actor | None,
    book: int,
    seq: int,
    correction: Correction,
    reason: str,
    evidence: str,
    now: datetime,
) -> Corrected | CorrectionRefused:
    """Take a service entry back and post what is right in its place, as one linked act.

    Both stay in the statement, with who, why and the evidence; roll-ups and reports follow. Who may
    do it and what becomes of spent credits: as in `reverse_transfer`.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it is not the actor's to correct.
    """
    async with db.write() as conn:
        outcome, moved = await correct_in(
            conn,
            actor=actor,
            book=book,
            seq=seq,
            correction=correction,
            reason=reason,
            evidence=evidence,
            now=now,
        )
    if moved is not None:
        await moving.complete_move(db, volunteer=moved, now=now)
    if isinstance(outcome, Reversed):
        raise AssertionError("a correction put nothing in the place of what it took back")
    return outcome


async def correct_in(
    conn: AsyncConnection,
    *,
    actor: Actor | None,
    book: int,
    seq: int,
    correction: Correction | None,
    reason: str,
    evidence: str | None = None,
    now: datetime,
) -> tuple[Reversed | Corrected | CorrectionRefused, VolunteerId | None]:
    """Take an entry back, and post what is right in its place where there is a correction.

    For use cases that own the transaction and do more in it. The second value is a volunteer whom
    the change is to follow to another book, with `moving.complete_move`, after the commit.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it is not the actor's.
    """
    cleaned = cleaned_paragraphs(reason)
    proof = None if evidence is None else cleaned_line(evidence)
    head, entry = await _find_entry(conn, actor, book=book, seq=seq)
    is_own = await _is_own(conn, actor, book=book, entry=entry)

    decision: Transfer | CorrectionRefusal | None
    if correction is None:
        decision = decide_reversal(entry, reason=cleaned, is_own=is_own)
    else:
        started_at = correction.started_at or entry.transfer.effective_at
        decision = decide_correction(
            entry,
            correction,
            reason=cleaned,
            evidence=proof or "",
            key=service_key(started_at, "replacement", book, seq),
            now=now,
            is_own=is_own,
        )

    if isinstance(decision, CorrectionRefusal):
        return CorrectionRefused(decision), None
    posted = await _post(
        conn,
        head=head,
        entry=entry,
        replacement=decision,
        person=None if actor is None else actor.person,
        reason=cleaned,
        now=now,
    )
    if isinstance(posted, CorrectionRefused):
        return posted, None
    await _keep_reason(
        conn,
        actor,
        act="reverse_transfer" if decision is None else "correct_service",
        book=book,
        seq=seq,
        posted=posted,
        reason=cleaned,
        evidence=proof,
        now=now,
    )
    moved = await _send_after(conn, head=head, entry=entry, now=now)
    return (Reversed(posted[0]) if decision is None else Corrected(*posted)), moved


async def _is_own(conn: AsyncConnection, actor: Actor | None, *, book: int, entry: Entry) -> bool:
    """Say whether the actor is the volunteer of an entry, by whatever number of theirs."""
    if actor is None or entry.transfer.volunteer is None:
        return False
    of = await volunteers.find_volunteer(
        conn, volunteer=VolunteerId(book, entry.transfer.volunteer)
    )
    return of is not None and of.person == actor.person


async def _find_entry(
    conn: AsyncConnection, actor: Actor | None, *, book: int, seq: int
) -> tuple[Head, Entry]:
    head = await journal.find_locked_head(conn, book=book)
    entry = await balances.find_entry(conn, book=book, seq=seq)
    await _check_may_reverse(conn, actor, book=book, entry=entry)
    if head is None or entry is None:
        raise NotFoundError
    return head, entry


async def _post(
    conn: AsyncConnection,
    *,
    head: Head,
    entry: Entry,
    replacement: Transfer | None,
    person: UUID | None,
    reason: str,
    now: datetime,
) -> tuple[int, ...] | CorrectionRefused:
    """Post the reversal and the replacement together; return their numbers, in that order."""
    key = service_key(entry.transfer.effective_at, "reversal", head.book, entry.seq)
    act = [reversal_of(entry, key=key)]
    if replacement is not None:
        act.append(replacement)
    standing = (
        await entitlements.find_by_entry(conn, book=head.book, seq=entry.seq)
        if entry.transfer.kind == TransferKind.GRANT
        else None
    )
    cover = await _cover(conn, head=head, entry=entry, standing=standing, now=now)
    transfers = [*cover, *act]
    outcomes = await journal.append(
        conn, head=head, transfers=transfers, linked=[range(len(transfers))], now=now
    )
    seqs = []
    for outcome in outcomes:
        if isinstance(outcome, PostingRefused):
            if PostingRefused(PostingRefusal.EXCEEDS_BOUND) in outcomes:
                return CorrectionRefused(CorrectionRefusal.SPENT)
            raise AssertionError(f"a decided correction was refused: {outcome.reason}")
        seqs.append(outcome.seq)
    if standing is not None:
        await taking_back.note_reversed(
            conn,
            head=head,
            standing=standing,
            seq=seqs[len(cover)],
            person=person,
            reason=reason,
            now=now,
        )
    return tuple(seqs[len(cover) :])


async def _cover(
    conn: AsyncConnection,
    *,
    head: Head,
    entry: Entry,
    standing: Standing | None,
    now: datetime,
) -> Sequence[Transfer]:
    """Return what fills a volunteer's bounded account to what is taken back from it, or nothing."""
    transfer = entry.transfer
    if standing is not None:
        # What other grants left in the account is not this one's to take.
        missing = transfer.amount - standing.left
        return await taking_back.cover_of(conn, head=head, entry=entry, missing=missing, now=now)
    purse = await accounts.find_account(conn, book=head.book, account=transfer.credit)
    if purse is None or not purse.is_debit_bounded or purse.kind is not AccountKind.VOLUNTEER:
        return ()
    held = await balances.balance(conn, book=head.book, account=purse.id)
    missing = transfer.amount - held.held
    return await taking_back.cover_of(conn, head=head, entry=entry, missing=missing, now=now)


async def _send_after(
    conn: AsyncConnection, *, head: Head, entry: Entry, now: datetime
) -> VolunteerId | None:
    """Let what changed follow a volunteer who moved away; None where nobody did."""
    if entry.transfer.volunteer is None:
        return None
    volunteer = VolunteerId(head.book, entry.transfer.volunteer)
    return (
        volunteer if await moving.send_rest(conn, head=head, volunteer=volunteer, now=now) else None
    )


async def _keep_reason(
    conn: AsyncConnection,
    actor: Actor | None,
    *,
    act: str,
    book: int,
    seq: int,
    posted: Sequence[int],
    reason: str,
    evidence: str | None = None,
    now: datetime,
) -> None:
    person: UUID | None = None if actor is None else actor.person
    reversal, *replacement = posted
    await corrections.append_reason(
        conn,
        book=book,
        seq=reversal,
        person=person,
        reason=reason,
        evidence=evidence,
        replacement=replacement[0] if replacement else None,
    )
    await audit_events.insert_audit_events(
        conn, at=now, person=person, act=act, subjects=[f"entry/{book}/{seq}"]
    )


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
