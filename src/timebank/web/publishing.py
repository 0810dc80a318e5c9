"""Publishing: a new activity, and shifts for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.db import Database
from timebank.domain.activity import (
    ActivityPublished,
    ActivityRefusal,
    ActivityRefused,
    Forgotten,
    NewActivity,
    NewShift,
)
from timebank.domain.actor import Act, OrganizationId
from timebank.domain.clearance import Risk, risks_of
from timebank.domain.recurrence import Repeat, repeated
from timebank.domain.region import Level, county_code
from timebank.domain.service_field import ServiceField, field_of
from timebank.http.providers import (
    Db,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import OrganizedActivity, OrganizedShift
from timebank.services import scheduling
from timebank.services.errors import NotFoundError
from timebank.store.regions import list_subtree
from timebank.store.working_days import is_working_day
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import (
    ShiftState,
    activity_url,
    shift_url,
    state_of,
)
from timebank.web.parts import Choice, ChoiceGroup, Field
from timebank.web.typed import (
    BookInPath,
    NumberInPath,
    ShortText,
    local_instant,
    typed_count,
    typed_day,
    typed_time,
    typed_village,
)


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
    forgotten: Sequence[Choice]
    risks: Sequence[Choice]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftForm:
    """A new shift.

    Attributes:
        action_url: Where `day`, `starts`, `ends`, `places`, `repeat`, `times`, `skips` go.
        day: ISO date, as the browser's date field has it.
        starts: `HH:MM`.
        places: A whole number.
        repeats: How it comes again.
        times: How often it is held, the first time included.
        skips: Days that public holidays turned round are passed over.
    """

    action_url: str
    day: Field
    starts: Field
    ends: Field
    places: Field
    repeats: Sequence[Choice]
    times: Field
    skips: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShiftLine:
    """One shift of the organizer's activity."""

    day: str
    time: str
    state: ShiftState
    signed_up: int
    places: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `organizer/activity.html` shows."""

    title: str
    service_field: str
    place: str
    description: Sequence[str]
    shifts: Sequence[ActivityShiftLine]
    form: ShiftForm
    day_url: str


class ActivityForm(msgspec.Struct):
    """What is published."""

    title: ShortText = ""
    service_field: ShortText = ""
    village: ShortText = ""
    place: ShortText = ""
    in_charge: ShortText = ""
    forgotten: ShortText = ""
    risk_dangerous: ShortText = ""
    risk_foreign: ShortText = ""
    risk_over_a_month: ShortText = ""
    risk_large_event: ShortText = ""
    risk_outside_province: ShortText = ""
    risk_rescue: ShortText = ""
    description: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class ShiftFormData(msgspec.Struct):
    """One more shift."""

    day: ShortText = ""
    starts: ShortText = ""
    ends: ShortText = ""
    places: ShortText = ""
    repeat: ShortText = "none"
    times: ShortText = "1"
    skips: ShortText = ""


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
    village = typed_village(data.village)
    errors = {
        "service_field": "" if field else _("请选择服务领域"),
        "village": "" if village else _("请选择村或社区"),
    }
    if field is not None and village is not None:
        outcome = await scheduling.publish_activity(
            db,
            actor=actor,
            organization=organizations[0],
            activity=NewActivity(
                title=data.title,
                field=field,
                content=data.description,
                address=data.place,
                region=village,
                in_charge=data.in_charge,
                forgotten=_forgotten(data.forgotten),
                risks=_risks(data),
            ),
            shifts=(),
            now=now,
        )
        if isinstance(outcome, ActivityPublished):
            return Redirect(
                f"{activity_url(outcome.book, outcome.activity)}?done=published", status_code=303
            )
        for reason in outcome.reasons:
            errors[_FIELD_OF.get(reason, "")] = _(reason.value)
    return await _show_new_activity(
        request, db, organizations[0].book, form=data, errors=errors, status=422
    )


@get("/organizer/activities/{book:int}/{activity:int}", rule=Act.RUN_ACTIVITIES)
async def show_own_activity(
    request: TimebankRequest,
    book: BookInPath,
    activity: NumberInPath,
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
    book: BookInPath,
    activity: NumberInPath,
    data: URLEncodedBody[ShiftFormData],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Add a shift to one's own activity; one that ends before it starts ends the next day."""
    _ = translate_of(request)
    on, starts, ends = typed_day(data.day), typed_time(data.starts), typed_time(data.ends)
    places = typed_count(data.places)
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
            shifts=repeated(
                NewShift(
                    starts_at=local_instant(on, starts),
                    ends_at=local_instant(last_day, ends),
                    places=places,
                ),
                repeat=_repeat(data.repeat),
                times=max(typed_count(data.times), 1),
                zone=words.ZONE,
                is_working_day=is_working_day if data.skips == "yes" else None,
            ),
            now=now,
        )
        if not isinstance(outcome, ActivityRefused):
            return Redirect(f"{activity_url(book, activity)}?done=shift_added", status_code=303)
        for reason in outcome.reasons:
            errors[_FIELD_OF.get(reason, "")] = _(reason.value)
    return await _show_activity(
        request, db, organizations, book, activity, form=data, errors=errors, now=now, status=422
    )


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


def _repeat(text: str) -> Repeat:
    """Return what was chosen; what is no choice is once."""
    return next((each for each in Repeat if each.value == text), Repeat.NONE)


def _as_before(form: ShiftFormData, shifts: Sequence[OrganizedShift]) -> ShiftFormData:
    """Return an empty form with the hours and places of the newest shift: most come again alike."""
    if form.starts or form.ends or not shifts:
        return form
    newest = max(shifts, key=attrgetter("starts_at"))
    return ShiftFormData(
        day=form.day,
        starts=words.clock(newest.starts_at),
        ends=words.clock(newest.ends_at),
        places=str(newest.places),
        repeat=form.repeat,
        times=form.times,
        skips=form.skips,
    )


def _risks(form: ActivityForm) -> Risk:
    return risks_of(each.code for each in Risk if getattr(form, f"risk_{each.code}"))


def _forgotten(text: str) -> Forgotten:
    """Return what was chosen; what is no choice is the one that credits nothing."""
    return next((each for each in Forgotten if each.value == text), Forgotten.ZERO)


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
            forgotten=[
                Choice(
                    value=each.value,
                    label=_(f"forgotten.{each.value}"),
                    is_selected=each is _forgotten(form.forgotten),
                )
                for each in Forgotten
            ],
            risks=[
                Choice(
                    value=f"risk_{each.code}",
                    label=_(f"risk.{each.code}"),
                    is_selected=each in _risks(form),
                )
                for each in Risk
            ],
            error=errors.get("", ""),
        ),
        status=status,
    )


def _soonest_first(shifts: Sequence[OrganizedShift], *, now: datetime) -> list[OrganizedShift]:
    """Return what is to come, by start, before what is over, newest first."""
    to_come = [each for each in shifts if each.ends_at > now]
    over = [each for each in shifts if each.ends_at <= now]
    by_start = attrgetter("starts_at")
    return sorted(to_come, key=by_start) + sorted(over, key=by_start, reverse=True)


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
    form = _as_before(form, shifts)
    return show(
        request,
        "organizer/activity.html",
        ActivityPage(
            title=found.title,
            service_field=_(f"service_field.{found.field.code}"),
            place=words.address(found.town, found.address),
            description=[line for line in found.content.splitlines() if line.strip()],
            shifts=[
                ActivityShiftLine(
                    day=words.day(words.local_day(each.starts_at), today=today, language=language),
                    time=words.times(each.starts_at, each.ends_at),
                    state=state_of(each, now=now),
                    signed_up=each.signed_up,
                    places=each.places,
                    url=shift_url(each),
                )
                for each in _soonest_first(shifts, now=now)
            ],
            form=ShiftForm(
                action_url=f"{activity_url(book, activity)}/shifts",
                day=Field(value=form.day, error=errors.get("day", "")),
                starts=Field(value=form.starts, error=errors.get("starts", "")),
                ends=Field(value=form.ends, error=errors.get("ends", "")),
                places=Field(value=form.places, error=errors.get("places", "")),
                repeats=[
                    Choice(
                        value=each.value,
                        label=_(f"repeat.{each.value}"),
                        is_selected=each.value == form.repeat,
                    )
                    for each in Repeat
                ],
                times=Field(value=form.times),
                skips=form.skips == "yes",
                error=errors.get("", ""),
            ),
            day_url="/organizer",
        ),
        status=status,
    )
