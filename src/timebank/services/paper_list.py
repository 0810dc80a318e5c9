"""A list that people signed with a pen becomes records, with the checks of any other record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.assurance import Assurance
from timebank.domain.closing import Departure
from timebank.domain.paper_list import (
    LINES_MAX,
    PaperFacts,
    PaperLine,
    PaperRefusal,
    decide_line,
    repeated,
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
from timebank.domain.volunteer_number import format_number
from timebank.ledger import accounts, journal
from timebank.ledger.journal import Head
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.services.second_person import check_submits, pass_or_hold
from timebank.store import (
    activities,
    attendance,
    audit_events,
    clearances,
    paper_lines,
    signups,
    volunteers,
)
from timebank.store.activities import Shift
from timebank.store.attendance import Stay
from timebank.store.paper_lines import EnteredLine


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """What became of a line, or would become of it.

    Attributes:
        minutes: What is credited; 0 where nothing is.
        refusal: Why nothing is; None where something is.
    """

    line: PaperLine
    minutes: int
    refusal: PaperRefusal | None


@dataclass(frozen=True, slots=True)
class PaperList:
    """A list after its entry, or as it would be entered.

    Attributes:
        lines: One per line that was given, in their order.
        is_entered: False for a preview: nothing is written.
    """

    lines: Sequence[DecidedLine]
    is_entered: bool

    @property
    def credited(self) -> int:
        """How many lines are credited."""
        return sum(each.refusal is None for each in self.lines)


@dataclass(frozen=True, slots=True)
class PaperHeld:
    """Nothing is credited yet: the list waits for a second person, under this number."""

    number: int


async def enter_paper_list(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    lines: Sequence[PaperLine],
    is_preview: bool,
    now: datetime,
    approval: HeldEntry | None = None,
) -> PaperList | PaperHeld | ApprovalRefused:
    """Enter the lines of a signed list that stand; the others are returned with what is wrong.

    Lines above the county's limit wait for a second person, who enters the same ones with the held
    entry as `approval`.

    Who had not signed up takes a place with it: whoever came was there, full or not. Entered again,
    a line is refused as recorded. A preview decides the same and writes nothing.

    Raises:
        NotPermittedError: The actor is no organizer, nor an officer who agrees.
        NotFoundError: There is no such shift, or it is not the actor's.
        ValueError: The list is longer than `LINES_MAX`.

    Cost: per book of the volunteers, one statement to lock, six to read and those of one batch.
    """
    if len(lines) > LINES_MAX:
        raise ValueError("a list this long is entered in parts")
    named = [each.volunteer for each in lines if each.volunteer is not None]
    async with db.write() as conn:
        # The books' locks come first, in order: no scan of this shift is between two statements.
        heads: dict[int, Head] = {}
        for book in sorted({each.book for each in named}):
            head = await journal.find_locked_head(conn, book=book)
            if head is not None:
                heads[book] = head
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        await check_submits(
            conn,
            actor=actor,
            organization=found.organization if found else None,
            approval=None if approval is None else approval.number,
        )
        if found is None:
            raise NotFoundError
        facts = await _list_facts(
            conn, heads, lines, actor=actor, shift_book=shift_book, shift=shift, now=now
        )

        decisions = [
            decide_line(line, each, now=now) for line, each in zip(lines, facts, strict=True)
        ]

        if not is_preview:
            if approval is not None and PaperRefusal.OWN_HOURS in decisions:
                return ApprovalRefused(ApprovalRefusal.OWN_HOURS)
            passed = await pass_or_hold(
                conn,
                entry=_entry(found, lines, decisions),
                actor=actor,
                approval=None if approval is None else approval.number,
                now=now,
            )
            if isinstance(passed, Held):
                return PaperHeld(passed.number)
            if isinstance(passed, ApprovalRefused):
                return passed
            by = actor.person if approval is None else approval.submitted_by
            await _record(conn, heads, lines, decisions, facts, by=by, now=now)
    return PaperList(
        [
            DecidedLine(line, decision.credit.amount, None)
            if isinstance(decision, Departure)
            else DecidedLine(line, 0, decision)
            for line, decision in zip(lines, decisions, strict=True)
        ],
        is_entered=not is_preview,
    )


async def approve_paper_list(
    db: Database, *, actor: Actor, held: HeldEntry, now: datetime
) -> PaperList | PaperHeld | ApprovalRefused:
    """Enter the list that a first person submitted; the record names that person.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: It lies outside what the actor may see.
    """
    if held.shift is None:
        raise AssertionError("a held list without its shift")
    return await enter_paper_list(
        db,
        actor=actor,
        shift_book=held.book,
        shift=held.shift,
        lines=[
            PaperLine(
                format_number(each.volunteer.book, each.volunteer.id),
                each.volunteer,
                each.since,
                each.until,
            )
            for each in held.people
        ],
        is_preview=False,
        now=now,
        approval=held,
    )


def _entry(
    shift: Shift, lines: Sequence[PaperLine], decisions: Sequence[Departure | PaperRefusal]
) -> Entry:
    return Entry(
        kind=HeldKind.PAPER,
        book=shift.book,
        subject=f"shift/{shift.id}",
        organization=shift.organization,
        shift=shift.id,
        people=tuple(
            HeldPerson(
                line.volunteer, decision.credit.effective_at, decision.at, decision.credit.amount
            )
            for line, decision in zip(lines, decisions, strict=True)
            if line.volunteer is not None and isinstance(decision, Departure)
        ),
    )


async def note_printed(
    db: Database, *, actor: Actor, shift_book: int, shift: int, now: datetime
) -> None:
    """Write down that somebody printed the list of a shift, which holds names in full.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: There is no such shift, or it is not the actor's.
    """
    async with db.write() as conn:
        found = await activities.find_locked_shift(conn, shift_book=shift_book, shift=shift)
        check_organizes(actor, found.organization if found else None)
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=actor.person,
            act="print_sheet",
            subjects=[f"shift/{shift_book}/{shift}"],
        )


async def _list_facts(
    conn: AsyncConnection,
    heads: Mapping[int, Head],
    lines: Sequence[PaperLine],
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    now: datetime,
) -> list[PaperFacts | None]:
    by_book: dict[int, list[PaperLine]] = defaultdict(list)
    for line in lines:
        if line.volunteer is not None and line.volunteer.book in heads:
            by_book[line.volunteer.book].append(line)
    known: dict[VolunteerId, PaperFacts] = {}
    for book, of_book in by_book.items():
        issuing = await accounts.issuing_account(conn, head=heads[book], unit=Unit.MINUTES, now=now)
        numbers = [line.volunteer.id for line in of_book if line.volunteer is not None]
        scans = await attendance.list_scan_facts(
            conn,
            book=book,
            issuing_account=issuing,
            stays=[Stay(number, shift_book, shift) for number in numbers],
            zone=heads[book].zone,
        )
        people = await volunteers.list_named(
            conn, volunteers=[VolunteerId(book, number) for number in numbers]
        )
        elsewhere = await paper_lines.list_elsewhere(
            conn,
            book=book,
            stays=[
                (line.volunteer.id, line.arrived_at, line.left_at)
                for line in of_book
                if line.volunteer and line.arrived_at and line.left_at
            ],
            shift_book=shift_book,
            shift=shift,
        )
        missing = await clearances.list_missing_of(conn, book=book, stays=list(scans))
        for stay, scan in scans.items():
            volunteer = VolunteerId(book, stay.volunteer)
            named = people.get(volunteer)
            known[volunteer] = PaperFacts(
                scan,
                is_own=volunteer == actor.volunteer
                or (named is not None and named.person == actor.person),
                is_repeated=False,
                is_elsewhere=stay.volunteer in elsewhere,
                missing=missing.get(stay, ()),
            )
    again = repeated(line.volunteer for line in lines)
    facts: list[PaperFacts | None] = []
    for line, is_repeated in zip(lines, again, strict=True):
        each = None if line.volunteer is None else known.get(line.volunteer)
        facts.append(each if each is None else replace(each, is_repeated=is_repeated))
    return facts


async def _record(
    conn: AsyncConnection,
    heads: Mapping[int, Head],
    lines: Sequence[PaperLine],
    decisions: Sequence[Departure | PaperRefusal],
    facts: Sequence[PaperFacts | None],
    *,
    by: UUID,
    now: datetime,
) -> None:
    entered: list[EnteredLine] = []
    by_book: dict[int, list[tuple[PaperLine, Departure, PaperFacts]]] = defaultdict(list)
    for number, (line, decision, each) in enumerate(zip(lines, decisions, facts, strict=True), 1):
        if line.volunteer is None or each is None or not isinstance(decision, Departure):
            continue
        by_book[line.volunteer.book].append((line, decision, each))
        entered.append(EnteredLine(line.volunteer, number, by, now))
        if not each.scan.is_signed_up:
            await signups.set_signed_up(
                conn,
                volunteer=line.volunteer,
                shift_book=each.scan.shift_book,
                shift=each.scan.shift,
                at=now,
            )
    for book, of_book in by_book.items():
        await attendance.record_stays(
            conn,
            book=book,
            stays=[
                each.scan._replace(
                    arrived_at=line.arrived_at,
                    arrival_measured=False,
                    arrival_grade=Assurance.A0,
                    left_at=decision.at,
                    departure_measured=False,
                    departure_grade=decision.grade,
                )
                for line, decision, each in of_book
            ],
        )
        outcomes = await journal.append(
            conn,
            head=heads[book],
            transfers=[decision.credit for _, decision, _ in of_book],
            now=now,
        )
        for outcome in outcomes:
            if isinstance(outcome, PostingRefused):
                raise AssertionError(f"a decided credit was refused: {outcome.reason}")
    if not entered:
        return
    scan = next(each for each in facts if each is not None).scan
    await paper_lines.insert_lines(
        conn, shift_book=scan.shift_book, shift=scan.shift, lines=entered
    )
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=by,
        act="enter_paper",
        subjects=[
            f"shift/{scan.shift_book}/{scan.shift}/volunteer/{each.volunteer.book}"
            f"/{each.volunteer.id}"
            for each in entered
        ],
    )
