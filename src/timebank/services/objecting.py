"""Objections to records: raised by the volunteer, answered by who recorded, heard by the district.

Everything here happens under the lock of the volunteer's book, so two answers never meet.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, OrganizationId, VolunteerId
from timebank.domain.correction import Corrected, CorrectionRefused, Reversed
from timebank.domain.objection import (
    Answer,
    AnswerRefusal,
    ObjectionReason,
    ObjectionRefused,
    Party,
    Raised,
    Step,
    StepKind,
    Stepped,
    decide_answer,
    decide_appeal,
    decide_hearing,
    decide_objection,
    stand_of,
    standing_entry,
)
from timebank.domain.period import local_day
from timebank.domain.region import parse_code
from timebank.domain.working_day import ANSWER_DAYS, APPEAL_DAYS, clock_of
from timebank.domain.writing import cleaned_line, cleaned_paragraphs
from timebank.ledger import balances, journal
from timebank.ledger.journal import Head
from timebank.services import correction, moving
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import (
    activities,
    appointments,
    audit_events,
    numbering,
    objections,
    outbox,
    people,
    volunteers,
)
from timebank.store.objections import Objection
from timebank.store.seal import Seal
from timebank.store.working_days import is_working_day

_MESSAGES = {
    StepKind.CORRECTED: "您报告的记录已更正，新旧两条都在“我的记录”里。",
    StepKind.TAKEN_BACK: "您报告的记录已冲正，在“我的记录”里看得到。",
    StepKind.DECLINED: "组织者核对后认为记录没有错，理由在“我的记录”里；十个工作日内可以申诉。",
    StepKind.UPHELD: "申诉成立，记录已更正，新旧两条都在“我的记录”里。",
    StepKind.DISMISSED: "申诉没有成立，理由在“我的记录”里。",
}
"""What a volunteer is told when somebody has answered; without names, hours or reasons."""


async def raise_objection(
    db: Database,
    *,
    seal: Seal,
    person: UUID,
    volunteer: VolunteerId,
    seq: int,
    reason: ObjectionReason,
    minutes: int | None,
    text: str,
    now: datetime,
) -> Raised | ObjectionRefused:
    """Say that one's own record is wrong; the answer's clock begins.

    Raises:
        NotFoundError: There is no such record, or it is somebody else's.
    """
    cleaned = cleaned_paragraphs(text)
    proposed = minutes if reason is ObjectionReason.MINUTES else None
    async with db.write() as conn:
        await _lock(conn, book=volunteer.book)
        entry = await balances.find_entry(conn, book=volunteer.book, seq=seq)
        if entry is None or entry.transfer.volunteer != volunteer.id:
            raise NotFoundError

        refusal = decide_objection(
            entry,
            reason=reason,
            minutes=proposed,
            text=cleaned,
            is_raised=await objections.is_raised(conn, volunteer=volunteer, seq=seq),
        )

        if refusal is not None:
            return ObjectionRefused(refusal)
        (number,) = await numbering.take_numbers(conn, book=volunteer.book, noun="objection")
        service = entry.transfer.service
        objection = Objection(
            volunteer,
            number,
            seq,
            reason,
            proposed,
            None
            if service is None
            else await _answering(conn, book=service.activity_book, activity=service.activity),
        )
        await objections.insert_objection(conn, objection=objection)
        await objections.insert_step(
            conn,
            seal=seal,
            book=volunteer.book,
            objection=number,
            step=1,
            kind=StepKind.RAISED,
            person=person,
            text=cleaned,
            at=now,
        )
    return Raised(number)


async def appeal(
    db: Database,
    *,
    seal: Seal,
    person: UUID,
    volunteer: VolunteerId,
    objection: int,
    text: str,
    now: datetime,
) -> Stepped | ObjectionRefused:
    """Ask the district to hear one's objection: against an answer, or against none in time.

    Raises:
        NotFoundError: There is no such objection, or it is somebody else's.
    """
    cleaned = cleaned_paragraphs(text)
    async with db.write() as conn:
        head = await _lock(conn, book=volunteer.book)
        found, steps = await _find(conn, book=volunteer.book, objection=objection)
        if found.volunteer != volunteer:
            raise NotFoundError

        refusal = decide_appeal(
            steps,
            is_answer_over=_is_over(head, steps[0].at, days=ANSWER_DAYS, now=now),
            is_appeal_over=_is_over(head, steps[-1].at, days=APPEAL_DAYS, now=now),
            text=cleaned,
        )

        if refusal is not None:
            return ObjectionRefused(refusal)
        await objections.insert_step(
            conn,
            seal=seal,
            book=volunteer.book,
            objection=objection,
            step=len(steps) + 1,
            kind=StepKind.APPEALED,
            person=person,
            text=cleaned,
            at=now,
        )
    return Stepped(StepKind.APPEALED)


async def answer_objection(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    book: int,
    objection: int,
    answer: Answer,
    now: datetime,
) -> Stepped | ObjectionRefused:
    """Answer an objection, with evidence: correct the record, take it back, or decline.

    The organization that recorded answers. The district answers where there is none, and where the
    organization let its clock run out.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such objection, or it is not the actor's to answer.
    """
    answer = _cleaned(answer)
    async with db.write() as conn:
        head = await _lock(conn, book=book)
        found, steps = await _find(conn, book=book, objection=objection)
        is_organizer = actor.may(Act.RUN_ACTIVITIES) and found.organization in actor.organizations
        if not is_organizer:
            _check_hears(actor, book)

        decision = decide_answer(
            steps,
            answer,
            reason=found.reason,
            person=actor.person,
            is_own=await _is_own(conn, actor, found.volunteer),
        )

        if isinstance(decision, AnswerRefusal):
            return ObjectionRefused(decision)
        stand = stand_of(steps, is_organized=found.organization is not None)
        is_over = _is_over(head, steps[-1].at, days=ANSWER_DAYS, now=now)
        if not is_organizer and stand.party is Party.ORGANIZER and not is_over:
            return ObjectionRefused(AnswerRefusal.NOT_YET_DUE)
        outcome, moved = await _conclude(conn, seal, actor, found, steps, answer, decision, now=now)
    if moved is not None:
        await moving.complete_move(db, volunteer=moved, now=now)
    return outcome


async def decide_on_appeal(
    db: Database,
    *,
    seal: Seal,
    actor: Actor,
    book: int,
    objection: int,
    answer: Answer,
    now: datetime,
) -> Stepped | ObjectionRefused:
    """Decide an appeal for the district, with evidence; never whoever answered before.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such objection, or it is of another county.
    """
    answer = _cleaned(answer)
    async with db.write() as conn:
        await _lock(conn, book=book)
        found, steps = await _find(conn, book=book, objection=objection)
        _check_hears(actor, book)

        decision = decide_hearing(
            steps,
            answer,
            reason=found.reason,
            person=actor.person,
            is_own=await _is_own(conn, actor, found.volunteer),
            is_of_organization=found.organization in actor.organizations,
        )

        if isinstance(decision, AnswerRefusal):
            return ObjectionRefused(decision)
        outcome, moved = await _conclude(conn, seal, actor, found, steps, answer, decision, now=now)
    if moved is not None:
        await moving.complete_move(db, volunteer=moved, now=now)
    return outcome


async def _conclude(
    conn: AsyncConnection,
    seal: Seal,
    actor: Actor,
    found: Objection,
    steps: Sequence[Step],
    answer: Answer,
    decision: StepKind,
    *,
    now: datetime,
) -> tuple[Stepped | ObjectionRefused, VolunteerId | None]:
    """Write what was decided, and post the correction in the same transaction."""
    book = found.volunteer.book
    posted: tuple[int, ...] = ()
    moved: VolunteerId | None = None
    if not answer.is_declining:
        corrected, moved = await correction.correct_in(
            conn,
            actor=actor,
            book=book,
            seq=standing_entry(found.seq, steps),
            correction=answer.correction,
            reason=answer.text,
            evidence=answer.evidence,
            now=now,
        )
        match corrected:
            case CorrectionRefused(reason):
                return ObjectionRefused(reason), None
            case Corrected(reversal, replacement):
                posted = (reversal, replacement)
            case Reversed(seq):
                posted = (seq,)
    await objections.insert_step(
        conn,
        seal=seal,
        book=book,
        objection=found.id,
        step=len(steps) + 1,
        kind=decision,
        person=actor.person,
        text=answer.text,
        at=now,
        evidence=answer.evidence,
        posted=posted,
    )
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=actor.person,
        act="answer_objection",
        subjects=[f"objection/{book}/{found.id}/{decision.value}"],
    )
    await _tell(conn, seal, found.volunteer, _MESSAGES[decision], now=now)
    return Stepped(decision, posted[1] if len(posted) > 1 else None), moved


async def _lock(conn: AsyncConnection, *, book: int) -> Head:
    head = await journal.find_locked_head(conn, book=book)
    if head is None:
        raise NotFoundError
    return head


async def _find(
    conn: AsyncConnection, *, book: int, objection: int
) -> tuple[Objection, list[Step]]:
    found = await objections.find_objection(conn, book=book, objection=objection)
    if found is None:
        raise NotFoundError
    return found, await objections.list_steps(conn, book=book, objection=objection)


async def _answering(
    conn: AsyncConnection, *, book: int | None, activity: int | None
) -> OrganizationId | None:
    """Return the organization that answers for an activity; None where nobody can for it."""
    if book is None or activity is None:
        return None
    organization = await activities.find_organization_of(conn, book=book, activity=activity)
    if organization is None or not await appointments.has_organizer(
        conn, organization=organization
    ):
        return None
    return organization


async def _is_own(conn: AsyncConnection, actor: Actor, volunteer: VolunteerId) -> bool:
    of = await volunteers.find_volunteer(conn, volunteer=volunteer)
    return of is not None and of.person == actor.person


async def _tell(
    conn: AsyncConnection, seal: Seal, volunteer: VolunteerId, text: str, *, now: datetime
) -> None:
    """Queue a message to a volunteer whose number is known."""
    of = await volunteers.find_volunteer(conn, volunteer=volunteer)
    if of is None or of.person is None:
        return
    person = await people.find_person(conn, seal=seal, person=of.person)
    if person is not None and person.phone is not None:
        await outbox.insert_message(
            conn, seal=seal, phone=person.phone, text=f"【时间银行】{text}", now=now
        )


def _check_hears(actor: Actor, book: int) -> None:
    """Check that an actor hears the appeals of a county.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: The county is another officer's, or the activity another organizer's.
    """
    if not (actor.may(Act.HEAR_APPEALS) or actor.may(Act.RUN_ACTIVITIES)):
        raise NotPermittedError
    sees = actor.scope is not None and actor.scope.covers(parse_code(str(book)))
    if not (actor.may(Act.HEAR_APPEALS) and sees):
        raise NotFoundError


def _is_over(head: Head, since: datetime, *, days: int, now: datetime) -> bool:
    zone = ZoneInfo(head.zone)
    return clock_of(
        local_day(since, zone=zone),
        today=local_day(now, zone=zone),
        days=days,
        is_working_day=is_working_day,
    ).is_over


def _cleaned(answer: Answer) -> Answer:
    return Answer(
        correction=answer.correction,
        is_taking_back=answer.is_taking_back,
        text=cleaned_paragraphs(answer.text),
        evidence=cleaned_line(answer.evidence),
    )
