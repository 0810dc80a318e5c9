"""The volunteer's first page: this year's hours, the next star, today's shift."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from litestar import Response, get

from timebank.domain.actor import Act
from timebank.domain.attendance import EARLY_MAX, LATE_MAX
from timebank.domain.period import day_start
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.policy.evaluation import RuleResult
from timebank.policy.explain import Explanation
from timebank.queries import volunteer as own
from timebank.queries.grants import list_granted
from timebank.queries.volunteer import OwnShift
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, own_name, show, translate_of
from timebank.web.honours import judge, newest_of_each
from timebank.web.parts import Evidence, Link
from timebank.web.policy_words import level_title, need_words, own_words

_RECORDS_AT_HOME = 3

_RING_PERCENT_MAX = 97
"""How full the ring is drawn at most before the star is reached: its gap must be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStar:
    """The ring on the home page.

    Attributes:
        percent: How full the ring is drawn, 0 to 97: only a reached star is full.
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
    """Today's shift and what to do now.

    Attributes:
        state: Where the volunteer stands, which picks colour and icon.
        hint: What is next, a few words.
        steps: How to do it with a phone, in order; empty where nothing is to be done now.
        demo_scan: Book, shift and purpose for taking the code as scanned, in the demo; else empty.
    """

    activity: str
    time: str
    place: str
    state: Literal["upcoming", "open", "arrived", "left"]
    hint: str
    steps: Sequence[str]
    demo_scan: Sequence[tuple[str, str]]
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
        star: The highest star granted, such as `一星级志愿者`; empty before the first.
        next_star: None when every star is held or no policy grants stars.
        today: None when there is no shift today.
        upcoming: Later shifts the volunteer is signed up for: time as label.
        records: The newest three.
        server_ms: The server's clock, Unix milliseconds: what a phone without network goes by.
    """

    name: str
    number: str
    year: str
    hours: Sequence[tuple[str, str]]
    life_total: str
    star: str
    next_star: NextStar | None
    today: TodayShift | None
    upcoming: Sequence[tuple[str, Link]]
    records: Sequence[RecordLine]
    benefits: Sequence[Benefit]
    activities_url: str
    records_url: str
    honours_url: str
    server_ms: int


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
    held = [each for each in newest_of_each(granted) if (each.pack, each.rule) in by_rule]
    return show(
        request,
        "volunteer/home.html",
        HomePage(
            server_ms=int(now.timestamp() * 1_000),
            name=await own_name(request, kit),
            number=format_number(volunteer.book, volunteer.id),
            year=str(today.year),
            hours=words.duration_parts(hours.year, language=language),
            life_total=words.duration(hours.lifetime, language=language),
            star=next(
                (
                    level_title(by_rule[each.pack, each.rule], each.tier, language)
                    for each in held
                    if by_rule[each.pack, each.rule].rule.provides == "star"
                ),
                "",
            ),
            next_star=_next_star(judged, language=language, _=_),
            today=_today(going_on, now=now, is_demo=kit.is_demo, _=_),
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
                for each in held
                if by_rule[each.pack, each.rule].rule.provides != "star"
            ],
            activities_url="/activities",
            records_url="/me/records",
            honours_url="/me/honours",
        ),
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
            percent=min(_RING_PERCENT_MAX, have * 100 // need),
            stars=result.level,
            title=own_words(level.title, language),
            missing=words.duration(explained.gap, language=language),
            have=need_words(nearest.use, have, language=language, _=_),
            need=need_words(nearest.use, need, language=language, _=_),
            by="" if explained.by is None else words.full_day(explained.by, language=language),
        )
    return None


def _today(
    shifts: Sequence[OwnShift], *, now: datetime, is_demo: bool, _: Translate
) -> TodayShift | None:
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
    state: Literal["upcoming", "open", "arrived", "left"] = "open"
    hint, steps = _("现在可以签到"), _arrival_steps(_)
    if shift.left_at is not None:
        state, steps = "left", []
        hint = _("{time} 签退，时间记好了", time=words.clock(shift.left_at))
    elif shift.arrived_at is not None:
        state, steps = "arrived", _departure_steps(_)
        hint = _("{time} 已签到", time=words.clock(shift.arrived_at))
    elif now < shift.starts_at - EARLY_MAX:
        state, steps = "upcoming", []
        hint = _("{time} 起可以扫码签到", time=words.clock(shift.starts_at - EARLY_MAX))
    return TodayShift(
        activity=shift.title,
        time=words.times(shift.starts_at, shift.ends_at),
        place=shift.address,
        state=state,
        hint=hint,
        steps=steps,
        demo_scan=[
            ("book", str(shift.shift_book)),
            ("shift", str(shift.shift)),
            ("purpose", "leave" if state == "arrived" else "arrive"),
        ]
        if is_demo and steps
        else [],
        action_label=_("看记录") if state == "left" else _("看活动"),
        action_url="/me/records"
        if state == "left"
        else _activity_url(shift.shift_book, shift.activity),
    )


def _arrival_steps(_: Translate) -> list[str]:
    return [
        _("走到组织者的屏幕前"),
        _("打开手机相机，对准屏幕上的码"),
        _("点开链接，按“签到”"),
    ]


def _departure_steps(_: Translate) -> list[str]:
    return [
        _("离开前，用手机相机对准“扫码签退”"),
        _("点开链接，按“签退”"),
    ]


def _activity_url(book: int, activity: int) -> str:
    return f"/activities/{book}/{activity}"
