"""The volunteer's pages: what I have, what is today, what I can join, what I did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.attendance import EARLY_MAX, LATE_MAX
from timebank.domain.period import Period, day_start
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.signup import SignedUp, Withdrawn
from timebank.domain.volunteer_number import format_number
from timebank.http.identity import PUBLIC
from timebank.http.providers import CountyScope, Db, Kit, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.policy.evaluation import RuleResult
from timebank.policy.explain import Explanation
from timebank.queries import activities
from timebank.queries import volunteer as own
from timebank.queries.activities import ActivityDetail, UpcomingShift
from timebank.queries.grants import list_granted
from timebank.queries.volunteer import OwnShift
from timebank.services import scheduling
from timebank.services.errors import NotFoundError
from timebank.store.regions import list_children
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, own_name, show, translate_of
from timebank.web.honours import judge, newest_of_each
from timebank.web.parts import Choice, Evidence, EvidenceShares, Link
from timebank.web.policy_words import level_title, need_words, own_words

_DAYS_SHOWN = 7
"""Days offered as tabs: a week ahead is what people plan."""

_SHIFTS_SHOWN = 50
"""Shifts on one page of activities."""

_RECORDS_AT_HOME = 3
_YEARS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStar:
    """The ring on the home page.

    Attributes:
        percent: How full the ring is, 0 to 100, rounded down so that only a reached star is full.
        stars: Stars held today.
        title: The star to come, such as `三星志愿者`.
        missing: Exactly what is missing, such as `86 小时 40 分`.
        have: What counts so far.
        need: The threshold.
        by: The last day on which it can be reached; empty when there is none.
    """

    percent: int
    stars: int
    title: str
    missing: str
    have: str
    need: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayShift:
    """Today's shift with its one button.

    Attributes:
        state: Where the volunteer stands, which picks colour and icon.
        hint: What to do next, one sentence.
    """

    activity: str
    time: str
    place: str
    state: Literal["upcoming", "open", "arrived", "left"]
    hint: str
    action_label: str
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """One service in short."""

    activity: str
    day: str
    duration: str
    evidence: Evidence
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """Something the volunteer can use now.

    Attributes:
        detail: What it gives and until when.
    """

    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """What `volunteer/home.html` shows.

    Attributes:
        hours: This year's time as `(number, unit)` pairs.
        life_total: All time ever, in words.
        next_star: None when every star is held or no policy grants stars.
        today: None when there is no shift today.
        upcoming: Later shifts the volunteer is signed up for: time as label.
        records: The newest three.
    """

    name: str
    number: str
    year: str
    hours: Sequence[tuple[str, str]]
    life_total: str
    next_star: NextStar | None
    today: TodayShift | None
    upcoming: Sequence[tuple[str, Link]]
    records: Sequence[RecordLine]
    benefits: Sequence[Benefit]
    activities_url: str
    records_url: str
    honours_url: str


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
    town: str
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
    place: str
    places: str
    filled_percent: int
    state: Literal["open", "full", "signed_up", "arrived", "left", "ended", "cancelled"]
    action_url: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `volunteer/activity.html` shows.

    Attributes:
        description: Paragraphs.
        error: Why the last sign-up or withdrawal was refused; empty for none.
        way_out: What to do about it; empty for none.
    """

    title: str
    organization: str
    field: str
    town: str
    place: str
    description: Sequence[str]
    shifts: Sequence[ActivityShift]
    activities_url: str
    error: str = ""
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One service with its proof.

    Attributes:
        day: Such as `11月22日 周六`.
        duration: What was credited; with a minus sign for a reversal.
        arrived: How and when the beginning was set, such as `13:58 扫码`.
        left: The same for the end.
        grade: The stored grade in words, such as `A2`.
        entry: The ledger entry's number.
        recorded: When it was written.
        correction: What a later entry changed; empty when nothing did.
        report_url: Where an error is reported; empty when the time for it is over.
    """

    activity: str
    day: str
    duration: str
    evidence: Evidence
    field: str
    organization: str
    person_in_charge: str
    place: str
    time: str
    arrived: str
    left: str
    grade: str
    entry: str
    recorded: str
    correction: str
    report_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMonth:
    """The services of one month, newest first."""

    label: str
    total: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsPage:
    """What `volunteer/records.html` shows.

    Attributes:
        hours: The year's time as `(number, unit)` pairs.
        services: How many services, in words.
    """

    year: str
    years: Sequence[Link]
    hours: Sequence[tuple[str, str]]
    services: str
    life_total: str
    shares: EvidenceShares
    months: Sequence[RecordMonth]
    activities_url: str


@get("/me", rule=Act.SEE_OWN_RECORDS)
async def show_home(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show this year's hours, the next star, today's shift, the newest records."""
    language = language_of(request)
    _ = translate_of(request)
    today = words.local_day(now)
    midnight = day_start(today, zone=words.ZONE)
    async with kit.db.read() as conn:
        hours = await own.own_hours(conn, volunteer=volunteer, year=today.year)
        shifts = await own.list_own_shifts(conn, volunteer=volunteer, since=midnight)
        records = await own.list_own_records(conn, volunteer=volunteer, limit=_RECORDS_AT_HOME)
        judged = await judge(conn, volunteer=volunteer, on=today)
        granted = await list_granted(conn, volunteer=volunteer)
    now_at = [each for each in shifts if words.local_day(each.starts_at) <= today]
    going_on = [each for each in now_at if not each.is_cancelled]
    by_rule = {(result.pack.id, result.rule.id): result for result, _explained in judged}
    return show(
        request,
        "volunteer/home.html",
        HomePage(
            name=await own_name(request, kit),
            number=format_number(volunteer.book, volunteer.id),
            year=str(today.year),
            hours=words.duration_parts(hours.year, language=language),
            life_total=words.duration(hours.lifetime, language=language),
            next_star=_next_star(judged, language=language, _=_),
            today=_today(going_on, now=now, _=_),
            upcoming=[
                (
                    words.span(each.starts_at, each.ends_at, now=now, language=language),
                    Link(label=each.title, url=_activity_url(each.shift_book, each.activity)),
                )
                for each in shifts
                if words.local_day(each.starts_at) > today and not each.is_cancelled
            ][:5],
            records=[
                RecordLine(
                    activity=each.title or _("往年服务"),
                    day=words.day(
                        words.local_day(each.effective_at), today=today, language=language
                    ),
                    duration=words.duration(each.minutes, language=language),
                    evidence=each.evidence.value,
                    url=f"/me/records?year={words.local_day(each.effective_at).year}",
                )
                for each in records
            ],
            benefits=[
                Benefit(
                    title=level_title(by_rule[each.pack, each.rule], each.tier, language),
                    detail=""
                    if (note := by_rule[each.pack, each.rule].rule.note) is None
                    else own_words(note, language),
                    url="/me/honours",
                )
                for each in newest_of_each(granted)
                if (each.pack, each.rule) in by_rule
            ],
            activities_url="/activities",
            records_url="/me/records",
            honours_url="/me/honours",
        ),
    )


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
    scope = _town_scope(county_scope, town)
    service_field = field_of(field)
    today = words.local_day(now)
    chosen = _parse_day(day)
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
    kept = urlencode(
        {
            "field": service_field.code if service_field else "",
            "town": str(scope.region) if scope != county_scope else "",
        }
    )
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
            fields=[
                Choice(value="", label=_("全部领域"), is_selected=service_field is None),
                *(
                    Choice(
                        value=each.code,
                        label=_(f"service_field.{each.code}"),
                        is_selected=each is service_field,
                    )
                    for each in ServiceField
                ),
            ],
            towns=[
                Choice(value="", label=_("全县"), is_selected=scope == county_scope),
                *(
                    Choice(
                        value=str(each.code),
                        label=each.name,
                        is_selected=each.code == scope.region,
                    )
                    for each in towns
                ),
            ],
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
        ),
    )


@get("/activities/{book:int}/{activity:int}", rule=PUBLIC)
async def show_activity(
    request: TimebankRequest, book: FromPath[int], activity: FromPath[int], kit: Kitted, now: Now
) -> Response[Any]:
    """Show one activity with its shifts."""
    return await _show_activity(request, kit, book, activity, now=now)


@post("/shifts/{book:int}/{shift:int}/signup", rule=Act.SIGN_UP, status_code=200)
async def create_signup(
    request: TimebankRequest,
    book: FromPath[int],
    shift: FromPath[int],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1)],
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
    book: FromPath[int],
    shift: FromPath[int],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
    activity: Annotated[int, QueryParameter(ge=1)],
) -> Response[Any]:
    """Give a place back."""
    outcome = await scheduling.withdraw(
        kit.db, volunteer=volunteer, shift_book=book, shift=shift, now=now
    )
    if isinstance(outcome, Withdrawn):
        return Redirect(f"{_activity_url(book, activity)}?done=withdrawn", status_code=303)
    return await _show_activity(request, kit, book, activity, now=now, refusal=outcome.reason.value)


@get("/me/records", rule=Act.SEE_OWN_RECORDS)
async def show_records(
    request: TimebankRequest,
    volunteer: OwnVolunteer,
    db: Db,
    now: Now,
    year: Annotated[int | None, QueryParameter(ge=1980, le=2200)] = None,
) -> Response[Any]:
    """Show a year's records by month, each with its proof."""
    language = language_of(request)
    _ = translate_of(request)
    today = words.local_day(now)
    async with db.read() as conn:
        years = await own.list_own_years(conn, volunteer=volunteer)
        shown = year or max([*years, today.year])
        hours = await own.own_hours(conn, volunteer=volunteer, year=shown)
        records = await own.list_own_records(
            conn, volunteer=volunteer, period=Period.of_year(shown, zone=words.ZONE)
        )
    months = groupby(records, key=lambda each: words.local_day(each.effective_at).month)
    return show(
        request,
        "volunteer/records.html",
        RecordsPage(
            year=str(shown),
            years=[
                Link(label=str(each), url=f"/me/records?year={each}", is_current=each == shown)
                for each in sorted({*years, today.year, shown}, reverse=True)[:_YEARS_MAX]
            ],
            hours=words.duration_parts(hours.year, language=language),
            services=_("{count} 次服务", count=words.count(hours.services)),
            life_total=words.duration(hours.lifetime, language=language),
            shares=evidence_shares((hours.scanned, hours.confirmed, hours.declared)),
            months=[
                _month(shown, month, list(lines), now=now, language=language, _=_)
                for month, lines in months
            ],
            activities_url="/activities",
        ),
    )


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
    return show(
        request,
        "volunteer/activity.html",
        ActivityPage(
            title=found.title,
            organization=found.organization,
            field=_(f"service_field.{found.field.code}"),
            town=found.town or "",
            place=found.address,
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
    actions = {"open": f"{url}/signup", "signed_up": f"{url}/withdrawal"}
    action = actions.get(state, "")
    notes = {
        "full": _("名额满了，有人取消时会空出来"),
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
        place=activity.address,
        places=_("{taken} / {places} 人", taken=shift.taken, places=shift.places),
        filled_percent=min(100, shift.taken * 100 // shift.places),
        state=state,
        action_url=f"{action}?activity={activity.activity}" if action else "",
        note=notes.get(state, ""),
    )


def _shift_state(
    activity: ActivityDetail, shift: activities.ActivityShift, *, now: datetime
) -> Literal["open", "full", "signed_up", "arrived", "left", "ended", "cancelled"]:
    if shift.left_at is not None:
        return "left"
    if shift.arrived_at is not None:
        return "arrived"
    if shift.is_cancelled or activity.cancelled_at is not None:
        return "cancelled"
    if shift.closed_at is not None or shift.ends_at <= now:
        return "ended"
    if shift.is_signed_up:
        return "signed_up"
    return "full" if shift.taken >= shift.places else "open"


def _card(shift: UpcomingShift, *, language: Language, _: Translate) -> ShiftCard:
    left = shift.places - shift.taken
    minutes = (shift.ends_at - shift.starts_at) // timedelta(minutes=1)
    return ShiftCard(
        activity=shift.title,
        url=_activity_url(shift.shift_book, shift.activity),
        time=words.times(shift.starts_at, shift.ends_at),
        duration=words.duration(minutes, language=language),
        place=shift.address,
        town=shift.town or "",
        field=_(f"service_field.{shift.field.code}"),
        organization=shift.organization,
        places=_("还有 {count} 个名额", count=left) if left > 0 else _("名额满了"),
        state="signed_up" if shift.is_signed_up else "open" if left > 0 else "full",
    )


def _next_star(
    judged: Sequence[tuple[RuleResult, Explanation]], *, language: Language, _: Translate
) -> NextStar | None:
    for result, explained in judged:
        level, nearest = explained.next_level, explained.nearest
        if result.rule.provides != "star" or level is None or nearest is None:
            continue
        have, need = nearest.have, nearest.need
        if not isinstance(have, int) or not isinstance(need, int) or explained.gap is None:
            continue
        return NextStar(
            percent=min(99, have * 100 // need),
            stars=result.level,
            title=own_words(level.title, language),
            missing=words.duration(explained.gap, language=language),
            have=need_words(nearest.use, have, language=language, _=_),
            need=need_words(nearest.use, need, language=language, _=_),
            by="" if explained.by is None else words.full_day(explained.by, language=language),
        )
    return None


def _today(shifts: Sequence[OwnShift], *, now: datetime, _: Translate) -> TodayShift | None:
    """Return the shift to act on: the one attended, else the next, else the last that was left."""
    ordered = sorted(
        shifts,
        key=lambda each: (
            each.left_at is not None,
            each.arrived_at is None,
            each.ends_at + LATE_MAX < now,
            each.starts_at,
        ),
    )
    if not ordered:
        return None
    shift = ordered[0]
    if shift.left_at is not None:
        state, hint = "left", _("今天的服务已记好，{time} 签退", time=words.clock(shift.left_at))
    elif shift.arrived_at is not None:
        state, hint = (
            "arrived",
            _("{time} 已签到，离开时扫签退码", time=words.clock(shift.arrived_at)),
        )
    elif now < shift.starts_at - EARLY_MAX:
        state, hint = (
            "upcoming",
            _("{time} 起可以扫码签到", time=words.clock(shift.starts_at - EARLY_MAX)),
        )
    else:
        state, hint = "open", _("到现场用相机扫屏幕上的签到码")
    return TodayShift(
        activity=shift.title,
        time=words.times(shift.starts_at, shift.ends_at),
        place=shift.address,
        state=state,  # type: ignore[arg-type]
        hint=hint,
        action_label=_("看记录") if state == "left" else _("看活动"),
        action_url="/me/records"
        if state == "left"
        else _activity_url(shift.shift_book, shift.activity),
    )


def _month(
    year: int,
    month: int,
    records: Sequence[own.Record],
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> RecordMonth:
    return RecordMonth(
        label=words.month(year, month, language=language),
        total=words.duration(sum(each.minutes for each in records), language=language),
        records=[_record(each, now=now, language=language, _=_) for each in records],
    )


def _record(record: own.Record, *, now: datetime, language: Language, _: Translate) -> Record:
    today = words.local_day(now)
    correction = ""
    if record.reversed_by is not None:
        correction = _(
            "这一条已由第 {entry} 条冲正：{reason}",
            entry=words.count(record.reversed_by),
            reason=record.reason or "",
        )
    elif record.reverses is not None:
        correction = _(
            "冲正第 {entry} 条：{reason}",
            entry=words.count(record.reverses),
            reason=record.reason or "",
        )
    starts_at, ends_at = record.shift_starts_at, record.shift_ends_at
    return Record(
        activity=record.title or _("往年服务"),
        day=words.day(words.local_day(record.effective_at), today=today, language=language),
        duration=words.duration(record.minutes, language=language),
        evidence=record.evidence.value,
        field=_(f"service_field.{record.field.code}"),
        organization=record.organization or "",
        person_in_charge=record.in_charge or "",
        place="".join(part for part in (record.town, record.place) if part)
        + (f" · {record.address}" if record.address else ""),
        time=words.clock(record.effective_at)
        if starts_at is None or ends_at is None
        else words.times(starts_at, ends_at),
        arrived=_end_words(record.arrived_at, record.arrival_measured, _),
        left=_end_words(record.left_at, record.departure_measured, _),
        grade=record.assurance.name,
        entry=words.count(record.seq),
        recorded=words.instant(record.recorded_at, now=now, language=language),
        correction=correction,
        report_url="",
    )


def _end_words(at: datetime | None, is_measured: bool | None, _: Translate) -> str:
    if at is None:
        return ""
    clock = words.clock(at)
    return _("{time} 扫码", time=clock) if is_measured else _("{time} 组织者填写", time=clock)


def _activity_url(book: int, activity: int) -> str:
    return f"/activities/{book}/{activity}"


def _town_scope(county: Scope, town: str) -> Scope:
    try:
        return county.narrowed(divisions.parse_code(town)) or county
    except ValueError:
        return county


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _after(shift: UpcomingShift) -> str:
    return f"{int(shift.starts_at.timestamp())}-{shift.shift_book}-{shift.shift}"


def _parse_after(text: str) -> tuple[datetime, int, int] | None:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    seconds, book, shift = map(int, parts)
    return (datetime.fromtimestamp(min(seconds, 2**33), UTC), book, shift)
