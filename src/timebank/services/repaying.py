"""Officers note what volunteers gave back, or that a debt is given up; another one confirms it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.region import county_code
from timebank.domain.repayment import (
    Repayment,
    RepaymentKind,
    RepaymentRefused,
    decide_confirming,
    decide_noting,
)
from timebank.domain.transfer import Unit
from timebank.domain.writing import cleaned_paragraphs
from timebank.ledger import journal
from timebank.services.agreeing import serve_waiting
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.settling import Source, find_owed, settle
from timebank.store import audit_events, numbering, repayments, volunteers

_SOURCES = {RepaymentKind.CASH: Source.CASH, RepaymentKind.FORGIVEN: Source.FORGIVEN}


@dataclass(frozen=True, slots=True)
class Settled:
    """The debt is less now.

    Attributes:
        seq: The entry.
    """

    seq: int


@dataclass(frozen=True, slots=True)
class SentBack:
    """Whoever noted it was wrong; the debt is as it was."""


async def note_repayment(
    db: Database,
    *,
    actor: Actor,
    book: int,
    volunteer: int,
    unit: int,
    kind: RepaymentKind,
    amount: int,
    note: str,
    now: datetime,
) -> Repayment | RepaymentRefused:
    """Note that somebody gave back what they owed, or that it is given up; it moves nothing yet.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The county is not the actor's.
    """
    _check(actor, book=book)
    cleaned = cleaned_paragraphs(note)
    async with db.write() as conn:
        if await journal.find_locked_head(conn, book=book) is None:
            raise NotFoundError
        owed = await find_owed(conn, book=book, volunteer=volunteer, unit=unit)
        waiting = await repayments.sum_waiting(conn, book=book, volunteer=volunteer, unit=unit)

        refusal = decide_noting(
            kind,
            amount=amount,
            note=cleaned,
            is_money=unit == Unit.FEN,
            is_own=await _is_own(conn, actor, book, volunteer),
            owed=owed.whole - waiting,
        )

        if refusal is not None:
            return RepaymentRefused(refusal)
        (number,) = await numbering.take_numbers(conn, book=book, noun="repayment")
        noted = Repayment(
            book=book,
            id=number,
            volunteer=volunteer,
            unit=unit,
            kind=kind,
            amount=amount,
            note=cleaned,
            noted_by=actor.person,
            noted_at=now,
        )
        await repayments.insert_repayment(conn, repayment=noted)
        await _audit(conn, actor.person, "note_repayment", noted, now)
    return noted


async def confirm_repayment(
    db: Database, *, actor: Actor, book: int, number: int, is_right: bool, now: datetime
) -> Settled | SentBack | RepaymentRefused:
    """Confirm what another officer noted, and settle the debt; or say that it is wrong.

    What a pool had set aside for it is there again where something came back, and whoever waits for
    the pool is served.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such note in the actor's county.
    """
    _check(actor, book=book)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        noted = await repayments.find_repayment(conn, book=book, number=number)
        if head is None or noted is None:
            raise NotFoundError
        owed = await find_owed(conn, book=book, volunteer=noted.volunteer, unit=noted.unit)

        refusal = decide_confirming(
            noted,
            person=actor.person,
            is_own=await _is_own(conn, actor, book, noted.volunteer),
            owed=owed.whole if is_right else noted.amount,
        )

        if refusal is not None:
            return RepaymentRefused(refusal)
        seq: int | None = None
        if is_right:
            seq, back = await settle(
                conn,
                head=head,
                volunteer=noted.volunteer,
                unit=noted.unit,
                amount=noted.amount,
                source=_SOURCES[noted.kind],
                named=("repayment", number),
                person=actor.person,
                note=noted.note,
                now=now,
            )
            for pool in sorted(back):
                await serve_waiting(conn, head=head, pool=pool, now=now)
        await repayments.insert_decision(
            conn, repayment=noted, is_confirmed=is_right, seq=seq, person=actor.person, now=now
        )
        await _audit(conn, actor.person, "confirm_repayment", noted, now)
    return SentBack() if seq is None else Settled(seq)


def _check(actor: Actor, *, book: int) -> None:
    if not actor.may(Act.APPROVE_GRANTS):
        raise NotPermittedError
    if actor.scope is None or not actor.scope.covers(county_code(book)):
        raise NotFoundError


async def _is_own(conn: AsyncConnection, actor: Actor, book: int, volunteer: int) -> bool:
    own = VolunteerId(book, volunteer)
    persons = await volunteers.persons_of(conn, volunteers=[own])
    return persons.get(own) == actor.person


async def _audit(
    conn: AsyncConnection, person: UUID, act: str, repayment: Repayment, now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=person,
        act=act,
        subjects=[f"repayment/{repayment.book}/{repayment.id}"],
    )
