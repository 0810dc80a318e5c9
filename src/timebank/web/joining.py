"""Finding a shift and taking a place in it, or giving it back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.clearance import PaperworkRefused, Requirement, Risk, required
from timebank.domain.period import Period, day_start
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.signup import SignedUp, Waiting, Withdrawn
from timebank.http.identity import PUBLIC
from timebank.http.providers import (
    CountyScope,
    Kit,
    Kitted,
    Now,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import activities
from timebank.queries.activities import ActivityDetail, UpcomingShift
from timebank.services import clearing, scheduling
from timebank.services.errors import NotFoundError
from timebank.store.clearances import list_missing_for
from timebank.store.regions import Region, list_children
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice
from timebank.web.typed import (
    NUMBER_MAX,
    BookInPath,
    NumberInPath,
    typed_day,
)

_DIGITS_MAX = 18
"""Longest number in a link to more: the database takes every one of them."""

_DAYS_SHOWN = 7
"""Days offered as tabs: a week ahead is what people plan."""


_SHIFTS_SHOWN = 50
"""Shifts on one page of activities."""


ActivityShiftState: TypeAlias = Literal[
    "open", "full", "waiting", "signed_up", "arrived", "left", "missed", "ended", "cancelled"
]
"""How a volunteer stands to a shift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTab:
    """One day of the strip above the list.

    Attributes:
        count: Shifts that day.
    """

    label: str
    weekday: str
    url: str
    count: int
    is_selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftCard:
    """One shift that can be opened.

    Attributes:
        places: Such as `还有 6 个名额`.
        state: Whether and how one can still join.
    """

    activity: str
    url: str
    time: str
    duration: str
    place: str
    field: str
    organization: str
    places: str
    state: Literal["open", "full", "signed_up", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftDay:
    """The shifts of one day, by start."""

    label: str
    shifts: Sequence[ShiftCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitiesPage:
    """What `volunteer/activities.html` shows.

    Attributes:
        action_url: Where the filter is sent by GET (`field`, `town`, `day` hidden).
        day: The selected day as sent in the query; empty for every day.
        found: How many, as a sentence.
        more_url: The next page; empty on the last.
        clear_url: Without any filter; empty when there is none.
        month_url: The same as a month.
    """

    action_url: str
    day: str
    days: Sequence[DayTab]
    fields: Sequence[Choice]
    towns: Sequence[Choice]
    found: str
    groups: Sequence[ShiftDay]
    more_url: str
    clear_url: str
    month_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShift:
    """One shift of an activity with what the volunteer may do.

    Attributes:
        filled_percent: How full it is, 0 to 100.
        places: Such as `14 / 20 人`.
        action_url: Where signing up or withdrawing is posted; empty when neither is possible.
        note: Why not, or what to know; empty for nothing.
    """

    day: str
    time: str
    duration: str
    places: str
    filled_percent: int
    state: ActivityShiftState
    action_url: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that must be there before somebody may serve.

    Attributes:
        how: How to provide it; empty where it is there, or for who is not signed in.
    """

    title: str
    is_met: bool
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `volunteer/activity.html` shows.

    Attributes:
        description: Paragraphs.
        forgotten: What becomes of who forgets to scan out, a sentence.
        risks: What the activity is, where it is anything.
        needs: What must be there before serving.
        agreement_url: Where the agreement is posted; empty where none is missing.
        error: Why the last sign-up or withdrawal was refused; empty for none.
        way_out: What to do about it; empty for none.
    """

    title: str
    organization: str
    field: str
    place: str
    description: Sequence[str]
    forgotten: str
    risks: Sequence[str]
    needs: Sequence[Need]
    agreement_url: str
    shifts: Sequence[ActivityShift]
    activities_url: str
    error: str = ""
    way_out: str = ""


@get("/activities", rule=PUBLIC)
async def show_activities(
    request: TimebankRequest,
    county_scope: CountyScope,
    kit: Kitted,
    now: Now,
    field: Annotated[str, QueryParameter(max_length=40)] = "",
    town: Annotated[str, QueryParameter(max_length=12)] = "",
    day: Annotated[str, QueryParameter(max_length=10)] = "",
    after: Annotated[str, QueryParameter(max_length=60)] = "",
) -> Response[Any]:
    """Show the shifts that one can join, by day, with filters."""
    language = language_of(request)
    _ = translate_of(request)
    volunteer = None if request.user is None else request.user.volunteer
    scope = town_scope(county_scope, town)
    service_field = field_of(field)
    today = words.local_day(now)
    chosen = typed_day(day)
    async with kit.db.read() as conn:
        found = await activities.list_upcoming(
            conn,
            scope=scope,
            volunteer=volunteer,
            now=now,
            field=service_field,
            period=None
            if chosen is None
            else Period.of_days(chosen, chosen + timedelta(days=1), zone=words.ZONE),
            after=_parse_after(after),
            limit=_SHIFTS_SHOWN + 1,
        )
        counts = await activities.count_upcoming(
            conn,
            scope=scope,
            zone=ZoneInfo(words.ZONE.key),
            now=now,
            until=day_start(today + timedelta(days=_DAYS_SHOWN), zone=words.ZONE),
            field=service_field,
        )
        towns = await list_children(conn, code=county_scope.region)
    shown = found[:_SHIFTS_SHOWN]
    kept = filter_query(service_field, scope=scope, county=county_scope)
    last = shown[-1] if len(found) > _SHIFTS_SHOWN else None
    groups = groupby(shown, key=lambda each: words.local_day(each.starts_at))
    return show(
        request,
        "volunteer/activities.html",
        ActivitiesPage(
            action_url="/activities",
            day="" if chosen is None else chosen.isoformat(),
            days=[
                DayTab(
                    label=str(each.day),
                    weekday=words.day(each, today=today, language=language)
                    if each == today
                    else words.weekday(each, language=language),
                    url=f"/activities?{kept}" + ("" if each == chosen else f"&day={each}"),
                    count=counts.get(each, 0),
                    is_selected=each == chosen,
                )
                for each in (today + timedelta(days=ahead) for ahead in range(_DAYS_SHOWN))
            ],
            fields=field_choices(service_field, _),
            towns=town_choices(towns, scope=scope, county=county_scope, _=_),
            found=_("找到 {count} 场", count=len(shown)),
            groups=[
                ShiftDay(
                    label=words.day(on, today=today, language=language),
                    shifts=[_card(each, language=language, _=_) for each in shifts],
                )
                for on, shifts in groups
            ],
            more_url="" if last is None else f"/activities?{kept}&day={day}&after={_after(last)}",
            clear_url="/activities" if service_field or scope != county_scope or chosen else "",
            month_url=f"/activities/month?{kept}"
            + ("" if chosen is None else f"&month={chosen:%Y-%m}"),
        ),
    )


@get("/activities/{book:int}/{activity:int}", rule=PUBLIC)
async def show_activity(
    request: TimebankRequest, book: BookInPath, activity: NumberInPath, kit: Kitted, now: Now
) -> Response[Any]:
    """Show one activity with its shifts."""
    return await _show_activity(request, kit, book, activity, now=now)


@post("/shifts/{book:int}/{shift:int}/signup", rule=Act.SIGN_UP, status_code=200)
async def create_signup(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1, le=NUMBER_MAX)],
) -> Response[Any]:
    """Take a place in a shift."""
    outcome = await scheduling.sign_up(
        kit.db, volunteer=volunteer, shift_book=book, shift=shift, now=now
    )
    if isinstance(outcome, SignedUp):
        return Redirect(f"{_activity_url(book, activity)}?done=signed_up", status_code=303)
    return await _show_activity(request, kit, book, activity, now=now, refusal=outcome.reason.value)


@post("/shifts/{book:int}/{shift:int}/withdrawal", rule=Act.SIGN_UP, status_code=200)
async def create_withdrawal(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1, le=NUMBER_MAX)],
) -> Response[Any]:
    """Give a place back."""
    outcome = await scheduling.withdraw(
        kit.db, seal=kit.seal, volunteer=volunteer, shift_book=book, shift=shift, now=now
    )
    if isinstance(outcome, Withdrawn):
        return Redirect(f"{_activity_url(book, activity)}?done=withdrawn", status_code=303)
    return await _show_activity(request, kit, book, activity, now=now, refusal=outcome.reason.value)


@post("/shifts/{book:int}/{shift:int}/waiting", rule=Act.SIGN_UP, status_code=200)
async def create_waiting(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1, le=NUMBER_MAX)],
) -> Response[Any]:
    """Wait for a place in a full shift."""
    outcome = await scheduling.join_waiting(
        kit.db, volunteer=volunteer, shift_book=book, shift=shift, now=now
    )
    if isinstance(outcome, Waiting):
        return Redirect(f"{_activity_url(book, activity)}?done=waiting", status_code=303)
    return await _show_activity(request, kit, book, activity, now=now, refusal=outcome.reason.value)


@post("/shifts/{book:int}/{shift:int}/waiting/end", rule=Act.SIGN_UP, status_code=200)
async def create_waiting_end(
    book: BookInPath,
    shift: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1, le=NUMBER_MAX)],
) -> Response[Any]:
    """Wait no longer."""
    await scheduling.leave_waiting(
        kit.db, volunteer=volunteer, shift_book=book, shift=shift, now=now
    )
    return Redirect(f"{_activity_url(book, activity)}?done=waiting_ended", status_code=303)


@post("/activities/{book:int}/{activity:int}/agreement", rule=Act.SIGN_UP, status_code=200)
async def create_agreement(
    request: TimebankRequest,
    book: BookInPath,
    activity: NumberInPath,
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Agree in writing to serve in an activity."""
    outcome = await clearing.agree(
        kit.db,
        person=actor.person,
        volunteer=volunteer,
        activity_book=book,
        activity=activity,
        today=words.local_day(now),
        seal=kit.seal,
        now=now,
    )
    if isinstance(outcome, PaperworkRefused):
        return await _show_activity(
            request, kit, book, activity, now=now, refusal=outcome.reason.value
        )
    return Redirect(f"{_activity_url(book, activity)}?done=agreed", status_code=303)


async def _show_activity(
    request: TimebankRequest,
    kit: Kit,
    book: int,
    activity: int,
    *,
    now: datetime,
    refusal: str = "",
) -> Response[Any]:
    language = language_of(request)
    _ = translate_of(request)
    volunteer = None if request.user is None else request.user.volunteer
    async with kit.db.read() as conn:
        found = await activities.find_activity(
            conn, volunteer=volunteer, book=book, activity=activity
        )
        if found is None:
            raise NotFoundError
        shift = next((each for each in found.shifts if each.ends_at > now), None)
        missing = (
            ()
            if volunteer is None or shift is None
            else await list_missing_for(
                conn, volunteer=volunteer, shift_book=book, shift=shift.shift
            )
        )
    return show(
        request,
        "volunteer/activity.html",
        ActivityPage(
            title=found.title,
            organization=found.organization,
            field=_(f"service_field.{found.field.code}"),
            place=words.address(found.town, found.address),
            forgotten=_(f"forgotten.{found.forgotten.value}"),
            risks=[_(f"risk.{each.code}") for each in Risk if each in found.risks],
            needs=[
                Need(
                    title=_(f"requirement.{each.value}"),
                    is_met=each not in missing and volunteer is not None,
                    how=_(f"requirement.{each.value}.how") if each in missing else "",
                )
                for each in Requirement
                if each in missing or each in required(found.risks)
            ],
            agreement_url=f"{_activity_url(book, activity)}/agreement"
            if Requirement.AGREEMENT in missing
            else "",
            description=[line for line in found.content.splitlines() if line.strip()],
            shifts=[_shift(found, each, now=now, language=language, _=_) for each in found.shifts],
            activities_url="/activities",
            error=_(refusal) if refusal else "",
            way_out=_(f"{refusal}.hint") if refusal else "",
        ),
        status=409 if refusal else 200,
    )


def _shift(
    activity: ActivityDetail,
    shift: activities.ActivityShift,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> ActivityShift:
    state = _shift_state(activity, shift, now=now)
    url = f"/shifts/{activity.book}/{shift.shift}"
    actions = {
        "open": f"{url}/signup",
        "signed_up": f"{url}/withdrawal",
        "waiting": f"{url}/waiting/end",
        "full": f"{url}/waiting" if now < shift.starts_at else "",
    }
    action = actions.get(state, "")
    notes = {
        "full": _(
            "名额满了，{count} 人在候补；有人取消时按先后自动补上，发短信告诉您",
            count=shift.waiting,
        )
        if action
        else _("名额满了"),
        "waiting": _("候补第 {place} 位，有名额就自动报上并发短信", place=shift.waiting_place),
        "missed": _("这场您没有到，没有记时间"),
        "arrived": _("您已签到，离开时记得再扫一次"),
        "left": _("已签退，时数记好了"),
        "cancelled": _("这场取消了"),
    }
    minutes = (shift.ends_at - shift.starts_at) // timedelta(minutes=1)
    today = words.local_day(now)
    return ActivityShift(
        day=words.day(words.local_day(shift.starts_at), today=today, language=language),
        time=words.times(shift.starts_at, shift.ends_at),
        duration=words.duration(minutes, language=language),
        places=_("{taken} / {places} 人", taken=shift.taken, places=shift.places),
        filled_percent=min(100, shift.taken * 100 // shift.places),
        state=state,
        action_url=f"{action}?activity={activity.activity}" if action else "",
        note=notes.get(state, ""),
    )


def _shift_state(
    activity: ActivityDetail, shift: activities.ActivityShift, *, now: datetime
) -> ActivityShiftState:
    if shift.left_at is not None:
        return "left"
    if shift.arrived_at is not None:
        return "arrived"
    if shift.is_cancelled or activity.cancelled_at is not None:
        return "cancelled"
    if shift.missed_at is not None and shift.is_signed_up:
        return "missed"
    if shift.closed_at is not None or shift.ends_at <= now:
        return "ended"
    if shift.is_signed_up:
        return "signed_up"
    if shift.waiting_place is not None:
        return "waiting"
    return "full" if shift.taken >= shift.places else "open"


def _card(shift: UpcomingShift, *, language: Language, _: Translate) -> ShiftCard:
    left = shift.places - shift.taken
    minutes = (shift.ends_at - shift.starts_at) // timedelta(minutes=1)
    return ShiftCard(
        activity=shift.title,
        url=_activity_url(shift.shift_book, shift.activity),
        time=words.times(shift.starts_at, shift.ends_at),
        duration=words.duration(minutes, language=language),
        place=words.address(shift.town, shift.address),
        field=_(f"service_field.{shift.field.code}"),
        organization=shift.organization,
        places=_("还有 {count} 个名额", count=left) if left > 0 else _("名额满了"),
        state="signed_up" if shift.is_signed_up else "open" if left > 0 else "full",
    )


def _activity_url(book: int, activity: int) -> str:
    return f"/activities/{book}/{activity}"


def field_choices(chosen: ServiceField | None, _: Translate) -> list[Choice]:
    """Return the fields of a filter, all of them first."""
    return [
        Choice(value="", label=_("全部领域"), is_selected=chosen is None),
        *(
            Choice(
                value=each.code, label=_(f"service_field.{each.code}"), is_selected=each is chosen
            )
            for each in ServiceField
        ),
    ]


def town_choices(
    towns: Iterable[Region], *, scope: Scope, county: Scope, _: Translate
) -> list[Choice]:
    """Return the towns of a filter, the whole county first."""
    return [
        Choice(value="", label=_("全县"), is_selected=scope == county),
        *(
            Choice(value=str(each.code), label=each.name, is_selected=each.code == scope.region)
            for each in towns
        ),
    ]


def filter_query(field: ServiceField | None, *, scope: Scope, county: Scope) -> str:
    """Return the filter as it stands in an address."""
    return urlencode(
        {
            "field": field.code if field else "",
            "town": str(scope.region) if scope != county else "",
        }
    )


def town_scope(county: Scope, town: str) -> Scope:
    """Return the town that a filter names; the county where it names none of its own."""
    try:
        return county.narrowed(divisions.parse_code(town)) or county
    except ValueError:
        return county


def _after(shift: UpcomingShift) -> str:
    return f"{int(shift.starts_at.timestamp())}-{shift.shift_book}-{shift.shift}"


def _parse_after(text: str) -> tuple[datetime, int, int] | None:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    if any(len(part) > _DIGITS_MAX for part in parts):
        return None
    seconds, book, shift = map(int, parts)
    return (datetime.fromtimestamp(min(seconds, 2**32), UTC), min(book, 999_999), shift)
