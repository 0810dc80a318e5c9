"""The organizer's pages: the day's shifts, the code on the wall, who came, closing, publishing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.db import Database
from timebank.domain.activity import (
    ActivityPublished,
    ActivityRefusal,
    ActivityRefused,
    NewActivity,
    NewShift,
)
from timebank.domain.actor import Act, OrganizationId, VolunteerId
from timebank.domain.attendance import EARLY_MAX, LATE_MAX, Direction
from timebank.domain.closing import AlreadyClosed, Closed, ClosingRefused
from timebank.domain.period import Period
from timebank.domain.qr import make_code, seconds_left
from timebank.domain.region import Level, county_code
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Db,
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import Attendee as Attending
from timebank.queries.organizer import OrganizedActivity, OrganizedShift
from timebank.services import closing, scheduling
from timebank.services.errors import NotFoundError
from timebank.store.regions import list_subtree
from timebank.store.seal import Seal
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.code_picture import code_picture
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.parts import Choice, ChoiceGroup, CodePicture, Evidence, Field, Link

_TICK_HOURS = 3
"""Every third hour is labelled: more do not fit a phone."""

_FRAGMENT_MS_MAX = 3_000
"""The wall asks this often, so that a name appears while its owner still looks."""

_ShortText = Annotated[str, msgspec.Meta(max_length=200)]
_Purpose = Annotated[str, QueryParameter(max_length=6)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineTick:
    """One hour of the timeline.

    Attributes:
        percent: Where it stands, 0 to 100 from the left.
    """

    label: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShift:
    """One shift on the day's timeline.

    Attributes:
        start_percent: Where its bar begins, 0 to 100.
        width_percent: How long its bar is, at least 1.
        left: People who have scanned out.
        exceptions: What needs attention, one sentence; empty for nothing.
        code_url: The code page; empty when no code can be shown any more.
    """

    activity: str
    time: str
    place: str
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    signed_up: int
    arrived: int
    left: int
    start_percent: int
    width_percent: int
    exceptions: str
    url: str
    code_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """What `organizer/day.html` shows.

    Attributes:
        now_percent: Where the present stands on the timeline; None on another day.
        next_shifts: Later shifts: time and link, for a day without any.
        waiting: Shifts that are over and not closed: time and link.
    """

    organization: str
    day: str
    previous_url: str
    next_url: str
    today_url: str
    ticks: Sequence[TimelineTick]
    now_percent: int | None
    shifts: Sequence[DayShift]
    next_shifts: Sequence[tuple[str, Link]]
    waiting: Sequence[tuple[str, Link]]
    activity_new_url: str
    activities: Sequence[Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityNewPage:
    """What `organizer/activity_new.html` shows, again with what was typed when refused.

    Attributes:
        action_url: Where `title`, `service_field`, `village`, `place`, `description` are posted.
        error: Why the whole was refused; empty for none.
    """

    action_url: str
    cancel_url: str
    title: Field
    service_fields: Sequence[Choice]
    service_field_error: str
    towns: Sequence[ChoiceGroup]
    village_error: str
    place: Field
    in_charge: Field
    description: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftForm:
    """A new shift.

    Attributes:
        action_url: Where `day`, `starts`, `ends`, `places` are posted.
        day: ISO date, as the browser's date field has it.
        starts: `HH:MM`.
        places: A whole number.
    """

    action_url: str
    day: Field
    starts: Field
    ends: Field
    places: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShiftLine:
    """One shift of the organizer's activity."""

    day: str
    time: str
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    signed_up: int
    places: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `organizer/activity.html` shows."""

    title: str
    service_field: str
    town: str
    place: str
    description: Sequence[str]
    shifts: Sequence[ActivityShiftLine]
    form: ShiftForm
    day_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPresence:
    """Somebody who came and has no departure: the first thing to settle when closing.

    Attributes:
        signup_id: Posted as part of the field's name, `left_at.<signup_id>`.
        left_at: `HH:MM`; empty leaves the time uncredited.
    """

    signup_id: str
    name: str
    arrived_at: str
    left_at: Field


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
        warnings: Walk-ups, overlaps and the like, one sentence each.
        close_url: Where the closing is posted; empty when it cannot be closed now.
        due: The last day to close, in words; empty when closed.
        closed: When and by whom it was closed; empty when it is not.
        total: All credited time, in words.
    """

    activity: str
    activity_url: str
    day_url: str
    time: str
    place: str
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    places: int
    signed_up: int
    arrived: int
    left: int
    code_url: str
    open_presences: Sequence[OpenPresence]
    warnings: Sequence[str]
    people: Sequence[Attendee]
    close_url: str
    due: str
    closed: str
    total: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFragment:
    """What `organizer/_code.html` shows: all that changes on the code page.

    Attributes:
        picture: The code of the present window; None when the shift takes no scans.
        refresh_ms: Milliseconds until the next window.
        server_ms: The server's clock, Unix milliseconds, to show the drift of this screen.
        latest: `(masked name, time)`, newest first, five at most.
        closed: Why there is no code; empty when there is one.
    """

    picture: CodePicture | None
    refresh_ms: int
    server_ms: int
    signed_up: int
    arrived: int
    left: int
    latest: Sequence[tuple[str, str]]
    closed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """What `organizer/code.html` shows on the wall.

    Attributes:
        fragment_url: Answers with `organizer/_code.html` alone, for the same purpose.
        refresh_seconds: How often the page renews itself without scripts.
    """

    activity: str
    time: str
    place: str
    purpose: Literal["arrive", "leave"]
    arrive_url: str
    leave_url: str
    shift_url: str
    fragment_url: str
    refresh_seconds: int
    code: CodeFragment


class ActivityForm(msgspec.Struct):
    """What is published."""

    title: _ShortText = ""
    service_field: _ShortText = ""
    village: _ShortText = ""
    place: _ShortText = ""
    in_charge: _ShortText = ""
    description: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class ShiftFormData(msgspec.Struct):
    """One more shift."""

    day: _ShortText = ""
    starts: _ShortText = ""
    ends: _ShortText = ""
    places: _ShortText = ""


@get("/organizer", rule=Act.RUN_ACTIVITIES)
async def show_day(
    request: TimebankRequest,
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
    day: Annotated[str, QueryParameter(max_length=10)] = "",
) -> Response[Any]:
    """Show a day's shifts as a timeline, and what waits to be closed."""
    language = language_of(request)
    _ = translate_of(request)
    today = words.local_day(now)
    on = _parse_day(day) or today
    span = Period.of_days(on, on + timedelta(days=1), zone=words.ZONE)
    async with db.read() as conn:
        shifts = await organizer.list_day_shifts(conn, organizations=organizations, period=span)
        unclosed = await organizer.list_unclosed_shifts(conn, organizations=organizations, now=now)
        following = await organizer.list_next_shifts(
            conn, organizations=organizations, after=max(now, span.end)
        )
        published = await organizer.list_activities(conn, organizations=organizations, now=now)
    return show(
        request,
        "organizer/day.html",
        DayPage(
            organization="、".join(dict.fromkeys(each.organization for each in published)),
            day=words.day(on, today=today, language=language),
            previous_url=f"/organizer?day={on - timedelta(days=1)}",
            next_url=f"/organizer?day={on + timedelta(days=1)}",
            today_url="" if on == today else "/organizer",
            ticks=[
                TimelineTick(label=f"{hour}:00", percent=hour * 100 // 24)
                for hour in range(0, 24, _TICK_HOURS)
            ],
            now_percent=_percent_of_day(now, span) if on == today else None,
            shifts=[_day_shift(each, span=span, now=now, _=_) for each in shifts],
            next_shifts=[
                (
                    words.span(each.starts_at, each.ends_at, now=now, language=language),
                    Link(label=each.title, url=_shift_url(each)),
                )
                for each in following
            ],
            waiting=[
                (
                    words.span(each.starts_at, each.ends_at, now=now, language=language),
                    Link(label=each.title, url=_shift_url(each)),
                )
                for each in unclosed
            ],
            activity_new_url="/organizer/activities/new",
            activities=[
                Link(label=each.title, url=_activity_url(each.book, each.activity))
                for each in published
            ],
        ),
    )


@get("/organizer/activities/new", rule=Act.RUN_ACTIVITIES)
async def show_new_activity(
    request: TimebankRequest, organizations: OwnOrganizations, db: Db
) -> Response[Any]:
    """Show the form that publishes an activity."""
    return await _show_new_activity(request, db, organizations[0].book, form=ActivityForm())


@post("/organizer/activities", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_activity(
    request: TimebankRequest,
    data: URLEncodedBody[ActivityForm],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Publish an activity and go on to its shifts."""
    _ = translate_of(request)
    field = field_of(data.service_field)
    is_village = data.village.isascii() and data.village.isdigit() and len(data.village) == 12
    errors = {
        "service_field": "" if field else _("请选择服务领域"),
        "village": "" if is_village else _("请选择村或社区"),
    }
    if field is not None and is_village:
        outcome = await scheduling.publish_activity(
            db,
            actor=actor,
            organization=organizations[0],
            activity=NewActivity(
                title=data.title,
                field=field,
                content=data.description,
                address=data.place,
                region=int(data.village),
                in_charge=data.in_charge,
            ),
            shifts=(),
            now=now,
        )
        if isinstance(outcome, ActivityPublished):
            return Redirect(
                f"{_activity_url(outcome.book, outcome.activity)}?done=published", status_code=303
            )
        for reason in outcome.reasons:
            errors[_FIELD_OF.get(reason, "")] = _(reason.value)
    return await _show_new_activity(
        request, db, organizations[0].book, form=data, errors=errors, status=422
    )


@get("/organizer/activities/{book:int}/{activity:int}", rule=Act.RUN_ACTIVITIES)
async def show_own_activity(
    request: TimebankRequest,
    book: FromPath[int],
    activity: FromPath[int],
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Show one's own activity with its shifts and the form that adds one."""
    form = ShiftFormData(day=words.local_day(now).isoformat(), places="20")
    return await _show_activity(request, db, organizations, book, activity, form=form, now=now)


@post(
    "/organizer/activities/{book:int}/{activity:int}/shifts",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_shift(
    request: TimebankRequest,
    book: FromPath[int],
    activity: FromPath[int],
    data: URLEncodedBody[ShiftFormData],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Add a shift to one's own activity; one that ends before it starts ends the next day."""
    _ = translate_of(request)
    on, starts, ends = _parse_day(data.day), _parse_time(data.starts), _parse_time(data.ends)
    places = int(data.places) if data.places.isascii() and data.places.isdigit() else 0
    errors = {
        "day": "" if on else _("请填日期"),
        "starts": "" if starts else _("请填开始时间"),
        "ends": "" if ends else _("请填结束时间"),
    }
    if on is not None and starts is not None and ends is not None:
        last_day = on if ends > starts else on + timedelta(days=1)
        outcome = await scheduling.add_shifts(
            db,
            actor=actor,
            book=book,
            activity=activity,
            shifts=[
                NewShift(starts_at=_at(on, starts), ends_at=_at(last_day, ends), places=places)
            ],
            now=now,
        )
        if not isinstance(outcome, ActivityRefused):
            return Redirect(f"{_activity_url(book, activity)}?done=shift_added", status_code=303)
        for reason in outcome.reasons:
            errors[_FIELD_OF.get(reason, "")] = _(reason.value)
    return await _show_activity(
        request, db, organizations, book, activity, form=data, errors=errors, now=now, status=422
    )


@get("/organizer/shifts/{book:int}/{shift:int}", rule=Act.RUN_ACTIVITIES)
async def show_shift(
    request: TimebankRequest,
    book: FromPath[int],
    shift: FromPath[int],
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show who signed up, came and left, and what to settle before closing."""
    return await _show_shift(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/closure", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_closure(
    request: TimebankRequest,
    book: FromPath[int],
    shift: FromPath[int],
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
    errors: dict[str, str] = {}
    _ = translate_of(request)
    for signup_id, clock in typed.items():
        volunteer, at = _parse_volunteer(signup_id), _parse_time(clock)
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
            now=now,
        )
        match outcome:
            case Closed() | AlreadyClosed():
                return Redirect(f"{_shift_url(found)}?done=closed", status_code=303)
            case ClosingRefused(reason, people):
                errors = {_signup_id(each): _(why.value) for each, why in people.items()}
                return await _show_shift(
                    request,
                    kit,
                    organizations,
                    book,
                    shift,
                    typed=typed,
                    errors=errors,
                    error=_(reason.value),
                    now=now,
                    status=409,
                )
    return await _show_shift(
        request, kit, organizations, book, shift, typed=typed, errors=errors, now=now, status=422
    )


@get("/organizer/shifts/{book:int}/{shift:int}/code", rule=Act.RUN_ACTIVITIES)
async def show_code(
    request: TimebankRequest,
    book: FromPath[int],
    shift: FromPath[int],
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    purpose: _Purpose = "",
) -> Response[Any]:
    """Show the code on the wall."""
    found, fragment = await _fragment(
        request, kit, organizations, book, shift, purpose=purpose, now=now
    )
    direction = _direction(found, purpose, now=now)
    language = language_of(request)
    url = f"{_shift_url(found)}/code"
    return show(
        request,
        "organizer/code.html",
        CodePage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            purpose=direction.value,
            arrive_url=f"{url}?purpose=arrive",
            leave_url=f"{url}?purpose=leave",
            shift_url=_shift_url(found),
            fragment_url=f"{url}/fragment?purpose={direction.value}",
            refresh_seconds=seconds_left(now),
            code=fragment,
        ),
    )


@get("/organizer/shifts/{book:int}/{shift:int}/code/fragment", rule=Act.RUN_ACTIVITIES)
async def show_code_fragment(
    request: TimebankRequest,
    book: FromPath[int],
    shift: FromPath[int],
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    purpose: _Purpose = "",
) -> Response[Any]:
    """Show all that changes on the wall: the code of this window, the counts, the last names."""
    _found, fragment = await _fragment(
        request, kit, organizations, book, shift, purpose=purpose, now=now
    )
    return show_part(request, "organizer/_code.html", code=fragment)


_FIELD_OF = {
    ActivityRefusal.TITLE_LENGTH: "title",
    ActivityRefusal.CONTENT_LENGTH: "description",
    ActivityRefusal.ADDRESS_LENGTH: "place",
    ActivityRefusal.IN_CHARGE_LENGTH: "in_charge",
    ActivityRefusal.REGION_UNKNOWN: "village",
    ActivityRefusal.SHIFT_SPAN: "ends",
    ActivityRefusal.SHIFT_PLACES: "places",
    ActivityRefusal.SHIFT_PAST: "starts",
    ActivityRefusal.SHIFT_TOO_FAR: "day",
}
"""Beside which field of a form a refusal is shown; the others stand above the form."""


async def _show_new_activity(
    request: TimebankRequest,
    db: Database,
    book: int,
    *,
    form: ActivityForm,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    errors = errors or {}
    _ = translate_of(request)
    async with db.read() as conn:
        divided = await list_subtree(conn, code=county_code(book))
    return show(
        request,
        "organizer/activity_new.html",
        ActivityNewPage(
            action_url="/organizer/activities",
            cancel_url="/organizer",
            title=Field(value=form.title, error=errors.get("title", "")),
            service_fields=[
                Choice(value="", label=_("请选择"), is_selected=not form.service_field),
                *(
                    Choice(
                        value=each.code,
                        label=_(f"service_field.{each.code}"),
                        is_selected=each.code == form.service_field,
                    )
                    for each in ServiceField
                ),
            ],
            service_field_error=errors.get("service_field", ""),
            towns=[
                ChoiceGroup(
                    label=town.name,
                    choices=[
                        Choice(
                            value=str(each.code),
                            label=each.name,
                            is_selected=str(each.code) == form.village,
                        )
                        for each in divided
                        if each.parent == town.code
                    ],
                )
                for town in divided
                if town.level is Level.TOWN
            ],
            village_error=errors.get("village", ""),
            place=Field(value=form.place, error=errors.get("place", "")),
            in_charge=Field(value=form.in_charge, error=errors.get("in_charge", "")),
            description=Field(value=form.description, error=errors.get("description", "")),
            error=errors.get("", ""),
        ),
        status=status,
    )


async def _show_activity(
    request: TimebankRequest,
    db: Database,
    organizations: Sequence[OrganizationId],
    book: int,
    activity: int,
    *,
    form: ShiftFormData,
    now: datetime,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    errors = errors or {}
    _ = translate_of(request)
    language = language_of(request)
    async with db.read() as conn:
        found: OrganizedActivity | None = await organizer.find_activity(
            conn, organizations=organizations, book=book, activity=activity, now=now
        )
        if found is None:
            raise NotFoundError
        shifts = await organizer.list_activity_shifts(
            conn, organizations=organizations, book=book, activity=activity
        )
    today = words.local_day(now)
    return show(
        request,
        "organizer/activity.html",
        ActivityPage(
            title=found.title,
            service_field=_(f"service_field.{found.field.code}"),
            town=found.town or "",
            place=found.address,
            description=[line for line in found.content.splitlines() if line.strip()],
            shifts=[
                ActivityShiftLine(
                    day=words.day(words.local_day(each.starts_at), today=today, language=language),
                    time=words.times(each.starts_at, each.ends_at),
                    state=_state(each, now=now),
                    signed_up=each.signed_up,
                    places=each.places,
                    url=_shift_url(each),
                )
                for each in shifts
            ],
            form=ShiftForm(
                action_url=f"{_activity_url(book, activity)}/shifts",
                day=Field(value=form.day, error=errors.get("day", "")),
                starts=Field(value=form.starts, error=errors.get("starts", "")),
                ends=Field(value=form.ends, error=errors.get("ends", "")),
                places=Field(value=form.places, error=errors.get("places", "")),
                error=errors.get("", ""),
            ),
            day_url="/organizer",
        ),
        status=status,
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
    state = _state(found, now=now)
    credited = sum(each.minutes or 0 for each in people)
    return show(
        request,
        "organizer/shift.html",
        ShiftPage(
            activity=found.title,
            activity_url=_activity_url(found.shift_book, found.activity),
            day_url=f"/organizer?day={words.local_day(found.starts_at)}",
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            state=state,
            places=found.places,
            signed_up=found.signed_up,
            arrived=found.arrived,
            left=found.left,
            code_url=f"{_shift_url(found)}/code" if _takes_scans(found, now=now) else "",
            open_presences=[
                OpenPresence(
                    signup_id=_signup_id(each.volunteer),
                    name=_masked(each.name_sealed, kit.seal, each.volunteer),
                    arrived_at=words.clock(each.arrived_at),
                    left_at=Field(
                        value=typed.get(_signup_id(each.volunteer), ""),
                        error=errors.get(_signup_id(each.volunteer), ""),
                    ),
                )
                for each in people
                if each.arrived_at is not None and each.left_at is None
            ],
            warnings=[],
            people=[
                _attendee(each, found, kit.seal, now=now, language=language) for each in people
            ],
            close_url=f"{_shift_url(found)}/closure" if state == "ended" else "",
            due="",
            closed=""
            if found.closed_at is None
            else _(
                "{time}已结束，不再接受扫码",
                time=words.instant(found.closed_at, now=now, language=language),
            ),
            total=words.duration(credited, language=language) if credited else "",
            error=error,
        ),
        status=status,
    )


async def _fragment(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    purpose: str,
    now: datetime,
) -> tuple[OrganizedShift, CodeFragment]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        latest = await organizer.list_latest_scans(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    picture = None
    if _takes_scans(found, now=now):
        code = make_code(
            master_key=kit.master_key,
            shift_book=found.shift_book,
            shift=found.shift,
            direction=_direction(found, purpose, now=now),
            now=now,
        )
        picture = code_picture(f"{kit.url}/c/{code}", is_projected=True)
    until_next = seconds_left(now) * 1_000 - now.microsecond // 1_000
    return found, CodeFragment(
        picture=picture,
        refresh_ms=min(until_next, _FRAGMENT_MS_MAX),
        server_ms=int(now.timestamp() * 1_000),
        signed_up=found.signed_up,
        arrived=found.arrived,
        left=found.left,
        latest=[
            (_masked(each.name_sealed, kit.seal, None), words.clock(each.at)) for each in latest
        ],
        closed="" if picture is not None else _closed_words(found, now=now, _=_),
    )


def _day_shift(shift: OrganizedShift, *, span: Period, now: datetime, _: Translate) -> DayShift:
    start = _percent_of_day(max(shift.starts_at, span.start), span)
    end = _percent_of_day(min(shift.ends_at, span.end), span)
    here = shift.arrived - shift.left
    state = _state(shift, now=now)
    return DayShift(
        activity=shift.title,
        time=words.times(shift.starts_at, shift.ends_at),
        place=shift.address,
        state=state,
        signed_up=shift.signed_up,
        arrived=shift.arrived,
        left=shift.left,
        start_percent=start,
        width_percent=max(1, end - start),
        exceptions=_("{count} 人没有签退", count=here) if state == "ended" and here else "",
        url=_shift_url(shift),
        code_url=f"{_shift_url(shift)}/code" if _takes_scans(shift, now=now) else "",
    )


def _attendee(
    person: Attending, shift: OrganizedShift, seal: Seal, *, now: datetime, language: Language
) -> Attendee:
    return Attendee(
        name=_masked(person.name_sealed, seal, person.volunteer),
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


def _state(
    shift: OrganizedShift, *, now: datetime
) -> Literal["upcoming", "running", "ended", "closed", "cancelled"]:
    if shift.cancelled_at is not None:
        return "cancelled"
    if shift.closed_at is not None:
        return "closed"
    if now < shift.starts_at:
        return "upcoming"
    return "running" if now < shift.ends_at else "ended"


def _takes_scans(shift: OrganizedShift, *, now: datetime) -> bool:
    return (
        shift.cancelled_at is None
        and shift.closed_at is None
        and shift.starts_at - EARLY_MAX <= now <= shift.ends_at + LATE_MAX
    )


def _closed_words(shift: OrganizedShift, *, now: datetime, _: Translate) -> str:
    if shift.cancelled_at is not None:
        return _("这场取消了")
    if now < shift.starts_at - EARLY_MAX:
        return _("{time} 起显示签到码", time=words.clock(shift.starts_at - EARLY_MAX))
    return _("这一场已结束，不再显示签到码")


def _direction(shift: OrganizedShift, purpose: str, *, now: datetime) -> Direction:
    """Return which end the wall measures: the one chosen, else arrivals until half-time."""
    if purpose in (Direction.ARRIVE.value, Direction.LEAVE.value):
        return Direction(purpose)
    middle = shift.starts_at + (shift.ends_at - shift.starts_at) / 2
    return Direction.ARRIVE if now < middle else Direction.LEAVE


def _masked(name_sealed: bytes | None, seal: Seal, volunteer: VolunteerId | None) -> str:
    if name_sealed is not None:
        return words.masked_name(seal.open(name_sealed))
    return "" if volunteer is None else f"№ {volunteer.id}"


def _signup_id(volunteer: VolunteerId) -> str:
    return f"{volunteer.book}-{volunteer.id}"


def _parse_volunteer(signup_id: str) -> VolunteerId | None:
    book, _dash, number = signup_id.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (book, number)):
        return None
    return VolunteerId(int(book), int(number))


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _parse_time(text: str) -> time | None:
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=words.ZONE).astimezone(UTC)


def _within(shift: OrganizedShift, clock: time) -> datetime:
    """Return the instant within a shift that a time of day means: past midnight is the next day."""
    first = words.local_day(shift.starts_at)
    at = _at(first, clock)
    return at if at >= shift.starts_at else _at(first + timedelta(days=1), clock)


def _percent_of_day(at: datetime, span: Period) -> int:
    return int((at - span.start) / (span.end - span.start) * 100)


def _activity_url(book: int, activity: int) -> str:
    return f"/organizer/activities/{book}/{activity}"


def _shift_url(shift: OrganizedShift) -> str:
    return f"/organizer/shifts/{shift.shift_book}/{shift.shift}"
