"""A shift of one's own organization: who signed up, came and left, and closing it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

from litestar import Response, get, post
from litestar.response import Redirect

from timebank.domain.activity import Forgotten
from timebank.domain.actor import Act, OrganizationId, VolunteerId
from timebank.domain.attendance import LATE_MAX
from timebank.domain.closing import AlreadyClosed, Closed, ClosingHeld, ClosingRefused
from timebank.domain.second_person import ApprovalRefused, HeldKind
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import Attendee as Attending
from timebank.queries.organizer import OrganizedShift
from timebank.services import closing
from timebank.services.errors import NotFoundError
from timebank.store import held_entries, offline_readings
from timebank.store.offline_readings import KeptReading
from timebank.store.seal import Seal
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.deadline import Deadline, late_words, record_deadline
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import (
    ShiftState,
    activity_url,
    masked,
    parse_volunteer,
    shift_url,
    state_of,
    takes_scans,
    volunteer_key,
)
from timebank.web.parts import Evidence, Field
from timebank.web.typed import (
    BookInPath,
    NumberInPath,
    local_instant,
    typed_time,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPresence:
    """Somebody who came and has no departure: the first thing to settle when closing.

    Attributes:
        signup_id: Posted as part of the field's name, `left_at.<signup_id>`.
        left_at: `HH:MM`; empty leaves it to the rule of the activity.
        is_waived: No time is credited whatever the rule; posted as `waived.<signup_id>`.
    """

    signup_id: str
    name: str
    arrived_at: str
    left_at: Field
    is_waived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """One person of the shift.

    Attributes:
        name: Masked, such as `王*芳`.
        duration: What is credited; empty while nothing is.
        evidence: None while nothing is credited.
    """

    name: str
    number: str
    state: Literal["expected", "here", "left", "absent", "withdrawn"]
    arrived_at: str
    left_at: str
    duration: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPage:
    """What `organizer/shift.html` shows.

    Attributes:
        code_url: The code page; empty when no code can be shown any more.
        door_url: Where the organizer reads people's codes.
        paper_url: Where a signed list is printed and entered.
        offline_url: Where the shift is taken along; empty when it takes no scans any more.
        uploads: What was read without network, in words; empty for nothing.
        warnings: Walk-ups, overlaps and the like, one sentence each.
        can_waive: The rule credits something, or asks: the organizer may say that nothing is.
        rule: What becomes of those without a departure, a sentence.
        close_url: Where the closing is posted; empty when it cannot be closed now.
        deadline: Until when it is to be closed; None before its end and once it is closed.
        closed: When and by whom it was closed; empty when it is not.
        late: By how much it was closed too late; empty when it was not.
        total: All credited time, in words.
        held: What waits for a second person, in words; empty for nothing.
        places_url: Where the number of places is changed; empty once the shift is over.
    """

    activity: str
    activity_url: str
    day_url: str
    time: str
    place: str
    state: ShiftState
    places: int
    signed_up: int
    arrived: int
    left: int
    code_url: str
    door_url: str
    paper_url: str
    offline_url: str
    uploads: str
    uploads_url: str
    open_presences: Sequence[OpenPresence]
    can_waive: bool
    rule: str
    warnings: Sequence[str]
    people: Sequence[Attendee]
    close_url: str
    deadline: Deadline | None
    closed: str
    late: str
    total: str
    error: str = ""
    held: str = ""
    held_url: str = ""
    messages_url: str = ""
    places_url: str = ""
    reach_url: str = ""


@get("/organizer/shifts/{book:int}/{shift:int}", rule=Act.RUN_ACTIVITIES)
async def show_shift(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show who signed up, came and left, and what to settle before closing."""
    return await _show_shift(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/closure", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_closure(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Close a shift, with the departures that the organizer saw."""
    form = await request.form()
    typed = {
        name.removeprefix("left_at."): str(value)
        for name, value in form.items()
        if name.startswith("left_at.") and value
    }
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    if found is None:
        raise NotFoundError
    departures: dict[VolunteerId, datetime] = {}
    waived = {
        each
        for name in form
        if name.startswith("waived.")
        and name.removeprefix("waived.") not in typed
        and (each := parse_volunteer(name.removeprefix("waived."))) is not None
    }
    errors: dict[str, str] = {}
    _ = translate_of(request)
    for signup_id, clock in typed.items():
        volunteer, at = parse_volunteer(signup_id), typed_time(clock)
        if volunteer is None or at is None:
            errors[signup_id] = _("请写成 14:30 这样的时间")
            continue
        departures[volunteer] = _within(found, at)
    if not errors:
        outcome = await closing.close_shift(
            kit.db,
            actor=actor,
            shift_book=book,
            shift=shift,
            departures=departures,
            waived=waived,
            now=now,
        )
        match outcome:
            case Closed() | AlreadyClosed():
                return Redirect(f"{shift_url(found)}?done=closed", status_code=303)
            case ClosingHeld():
                return Redirect(f"{shift_url(found)}?done=held", status_code=303)
            case ApprovalRefused():
                raise AssertionError("an approval was refused where none was given")
            case ClosingRefused(reason, people):
                errors = {volunteer_key(each): _(why.value) for each, why in people.items()}
                return await _show_shift(
                    request,
                    kit,
                    organizations,
                    book,
                    shift,
                    typed=typed,
                    waived=waived,
                    errors=errors,
                    error=_(reason.value),
                    now=now,
                    status=409,
                )
    return await _show_shift(
        request,
        kit,
        organizations,
        book,
        shift,
        typed=typed,
        waived=waived,
        errors=errors,
        now=now,
        status=422,
    )


async def _show_shift(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    now: datetime,
    typed: dict[str, str] | None = None,
    waived: Collection[VolunteerId] = (),
    errors: dict[str, str] | None = None,
    error: str = "",
    status: int = 200,
) -> Response[Any]:
    typed, errors = typed or {}, errors or {}
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        people = await organizer.list_attendees(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        held = await held_entries.find_waiting(
            conn, book=book, kind=HeldKind.CLOSING, subject=f"{closing.SUBJECT}{shift}"
        )
        late = await offline_readings.list_of_shift(conn, shift_book=book, shift=shift)
    state = state_of(found, now=now)
    credited = sum(each.minutes or 0 for each in people)
    return show(
        request,
        "organizer/shift.html",
        ShiftPage(
            activity=found.title,
            activity_url=activity_url(found.shift_book, found.activity),
            day_url=f"/organizer?day={words.local_day(found.starts_at)}",
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            state=state,
            places=found.places,
            signed_up=found.signed_up,
            arrived=found.arrived,
            left=found.left,
            code_url=f"{shift_url(found)}/code" if takes_scans(found, now=now) else "",
            door_url=f"{shift_url(found)}/door",
            paper_url=f"{shift_url(found)}/paper",
            offline_url=f"/organizer/offline#take={book}-{shift}"
            if found.cancelled_at is None
            and found.closed_at is None
            and now <= found.ends_at + LATE_MAX
            else "",
            uploads=_uploads_words(late, _),
            uploads_url=f"{shift_url(found)}/uploads",
            open_presences=[
                OpenPresence(
                    signup_id=volunteer_key(each.volunteer),
                    name=masked(each.name_sealed, kit.seal, each.volunteer, _),
                    arrived_at=words.clock(each.arrived_at),
                    left_at=Field(
                        value=typed.get(volunteer_key(each.volunteer), ""),
                        error=errors.get(volunteer_key(each.volunteer), ""),
                    ),
                    is_waived=each.volunteer in waived,
                )
                for each in people
                if each.arrived_at is not None and each.left_at is None
            ],
            can_waive=found.forgotten is not Forgotten.ZERO,
            rule=_(f"forgotten_rule.{found.forgotten.value}"),
            warnings=[],
            people=[
                _attendee(each, found, kit.seal, now=now, language=language, _=_) for each in people
            ],
            close_url=f"{shift_url(found)}/closure" if state == "ended" else "",
            deadline=record_deadline(found.ends_at, now=now, language=language, _=_)
            if state == "ended"
            else None,
            closed=""
            if found.closed_at is None
            else _(
                "{time} 已结束，不再接受扫码",
                time=words.instant(found.closed_at, now=now, language=language),
            ),
            late="" if found.closed_at is None else late_words(found.ends_at, found.closed_at, _),
            total=words.duration(credited, language=language) if credited else "",
            error=error,
            held=""
            if held is None
            else _(
                "{time}提交的 {count} 人、{duration}，要另一位组织者或区县同意后才记入。",
                time=words.instant(held.submitted_at, now=now, language=language),
                count=len(held.people),
                duration=words.duration(held.minutes, language=language),
            ),
            messages_url=f"{shift_url(found)}/messages",
            places_url=f"{shift_url(found)}/places" if state in ("upcoming", "running") else "",
            reach_url=f"{shift_url(found)}/reach" if state in ("ended", "closed") else "",
            held_url="" if held is None else f"/organizer/approvals/{book}/{held.number}",
        ),
        status=status,
    )


def _uploads_words(late: Sequence[KeptReading], _: Translate) -> str:
    if not late:
        return ""
    told = _("{count} 条是离线读到、后来上传的", count=len(late))
    conflicts = sum(
        each.settled_at is None
        and (each.outcome is None or each.outcome.is_conflict or each.outcome.flag is not None)
        for each in late
    )
    return told + (_("，其中 {count} 条要您看一看", count=conflicts) if conflicts else "")


def _attendee(
    person: Attending,
    shift: OrganizedShift,
    seal: Seal,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> Attendee:
    return Attendee(
        name=masked(person.name_sealed, seal, person.volunteer, _),
        number=format_number(person.volunteer.book, person.volunteer.id),
        state=_presence(person, shift, now=now),
        arrived_at="" if person.arrived_at is None else words.clock(person.arrived_at),
        left_at="" if person.left_at is None else words.clock(person.left_at),
        duration=""
        if person.minutes is None
        else words.duration(person.minutes, language=language),
        evidence=None if person.evidence is None else person.evidence.value,
    )


def _presence(
    person: Attending, shift: OrganizedShift, *, now: datetime
) -> Literal["expected", "here", "left", "absent", "withdrawn"]:
    if person.left_at is not None:
        return "left"
    if person.arrived_at is not None:
        return "here"
    if person.withdrawn_at is not None:
        return "withdrawn"
    return "absent" if shift.ends_at <= now or shift.closed_at is not None else "expected"


def _within(shift: OrganizedShift, clock: time) -> datetime:
    """Return the instant within a shift that a time of day means: past midnight is the next day."""
    first = words.local_day(shift.starts_at)
    at = local_instant(first, clock)
    return at if at >= shift.starts_at else local_instant(first + timedelta(days=1), clock)
