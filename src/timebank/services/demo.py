"""The demo county: Haiyan with its published totals, and a day of its life around `now`.

The divisions, the number of residents and, at full scale, the totals of 2024 are real; every
volunteer, activity and scan is drawn. The history goes through the same reading, checking and
posting as a district's own file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.activity import ActivityPublished, NewActivity, NewShift, ShiftsAdded
from timebank.domain.actor import Actor, OrganizationId, Role
from timebank.domain.enrolment import NewVolunteer
from timebank.domain.period import day_start, local_day
from timebank.domain.region import county_code
from timebank.domain.service_field import ServiceField
from timebank.domain.service_row import CellRefused
from timebank.services import enrolment, importing, scheduling, service_file
from timebank.services.demo_benefits import open_benefits
from timebank.services.demo_objections import open_objections
from timebank.services.demo_registers import register_demo
from timebank.services.demo_signals import plant_signals
from timebank.services.demo_year import (
    HEADER,
    DemoCounty,
    DemoYear,
    YearPlan,
    draw_homes,
    plan_county,
)
from timebank.services.folding import fold_book
from timebank.services.founding import ZONE, found_county
from timebank.services.importing import ImportResult, ReportProgress
from timebank.store import activities, audit_events, numbering, organizations, regions, volunteers
from timebank.store.organizations import Organization
from timebank.store.seal import Seal

Scale = Literal["small", "full"]

BOOK = 330424
YEAR = 2024
VOLUNTEER_PHONE = "13800000001"
ORGANIZER_PHONE = "13800000002"
OFFICER_PHONE = "13800000003"
_TOWNS_PHONE = "13800000004"
PARTNER_PHONE = "13800000005"

PHONES: dict[str, str] = {
    "volunteer": VOLUNTEER_PHONE,
    "organizer": ORGANIZER_PHONE,
    "officer": OFFICER_PHONE,
    "partner": PARTNER_PHONE,
}
"""Whom one can be in the demo."""

_NAMES = {
    VOLUNTEER_PHONE: "演示志愿者",
    ORGANIZER_PHONE: "演示组织者",
    OFFICER_PHONE: "演示办公室",
    _TOWNS_PHONE: "演示镇街组织者",
}

_ACT = "build_demo"
_ENROL_AT_ONCE = 5_000
_OPENED = datetime(2016, 1, 1, tzinfo=UTC)
_ENROLLED_DAYS = 2_900
"""Enrolments are spread over this many days since 2016, so that all precede 2024."""

_NEXT_STAR_SERVICES = 33
"""Of 180 minutes each: 99 hours, one short of the first national star."""

_THIS_YEAR_SERVICES = 5
_THIS_YEAR_DAYS_MIN = 60
"""The small demo shows this year's service too, once the year is old enough for it."""

_ODD_ONES = range(200, 212)
"""Who takes part in what a reviewer should see, by place: nobody who has a part elsewhere."""


class DemoError(Exception):
    """The demo cannot be built here.

    Attributes:
        code: Stable name of the failure.
        sentence: What is wrong and what to do.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    registered: int
    active: int
    services: int
    minutes: int


_SIZES: dict[Scale, _Size] = {
    # Source: the county's published figures for 2024; services from about 3.1 hours each.
    "full": _Size(registered=140_000, active=72_000, services=3_700_000, minutes=683_400_000),
    # A hundredth of it, over the same residents: its rate is a hundredth, too.
    "small": _Size(registered=1_400, active=720, services=37_000, minutes=6_834_000),
}

_THIS_YEAR = _Size(registered=1_400, active=400, services=8_000, minutes=1_478_000)
"""The small demo's service in a whole current year; less where the year is younger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """An activity with shifts around `now`.

    Attributes:
        starts_in: Since `now`, in hours, of a shift today; None for the days ahead only.
        days: Local days ahead on which it has a shift at `hour`.
    """

    organization: str
    title: str
    field: ServiceField
    content: str
    address: str
    region: int
    hours: int
    places: int
    days: tuple[int, ...]
    hour: int = 9
    starts_in: float | None = None


_ORGANIZER = "武原街道志愿服务队"
_LIVES = (
    _Live(
        organization=_ORGANIZER,
        title="路口文明劝导",
        field=ServiceField.TRAFFIC,
        content="在路口引导行人和非机动车，劝导不文明行为。请提前十分钟到岗，马甲由服务队提供。",
        address="武原街道主要路口，到点见服务队旗",
        region=330424001029,
        hours=3,
        places=30,
        days=(1, 2, 3),
        starts_in=-0.25,
    ),
    _Live(
        organization=_ORGANIZER,
        title="独居老人探访",
        field=ServiceField.ELDER_CARE,
        content="两人一组上门陪老人聊天，看看家里水电是否正常，记下老人的需要。",
        address="海沙社区居民活动室集合",
        region=330424001029,
        hours=2,
        places=12,
        days=(1, 4, 7),
        starts_in=4,
    ),
    _Live(
        organization=_ORGANIZER,
        title="长者食堂帮厨",
        field=ServiceField.ELDER_CARE,
        content="洗菜、分餐、送餐到桌。有健康证的志愿者可以进厨房。",
        address="社区长者食堂",
        region=330424001007,
        hours=3,
        places=8,
        days=(1, 2, 3, 4, 5),
        hour=10,
    ),
    _Live(
        organization="沈荡镇志愿服务队",
        title="河道清洁",
        field=ServiceField.ENVIRONMENT,
        content="沿河捡拾垃圾，登记排污口异样。穿防滑鞋，不下水。",
        address="沈荡镇永庆村文化礼堂集合",
        region=330424101200,
        hours=2,
        places=20,
        days=(2, 6),
        hour=8,
    ),
    _Live(
        organization="百步镇志愿服务队",
        title="四点半课堂",
        field=ServiceField.CHILD_CARE,
        content="放学后陪孩子写作业、读书，直到家长来接。",
        address="百步社区儿童之家",
        region=330424102001,
        hours=2,
        places=6,
        days=(1, 2, 3, 4),
        hour=16,
    ),
    _Live(
        organization="澉浦镇志愿服务队",
        title="海塘净滩",
        field=ServiceField.ENVIRONMENT,
        content="退潮后清理海塘外的漂浮垃圾，听从安全员指挥，涨潮前撤离。",
        address="澉浦镇澉东村海塘入口",
        region=330424105202,
        hours=3,
        places=40,
        days=(3, 10),
        hour=8,
    ),
    _Live(
        organization="通元镇志愿服务队",
        title="助农采收",
        field=ServiceField.RURAL,
        content="帮助人手不足的农户采收蔬果，自带水杯和草帽。",
        address="通元镇雪水港村村委会集合",
        region=330424106201,
        hours=4,
        places=25,
        days=(5, 12),
        hour=7,
    ),
    _Live(
        organization="西塘桥街道志愿服务队",
        title="平安夜巡",
        field=ServiceField.PUBLIC_SAFETY,
        content="三人一队巡查小区，提醒关好门窗，发现隐患及时报告。",
        address="西塘社区警务室集合",
        region=330424002005,
        hours=2,
        places=9,
        days=(0, 1, 2),
        hour=19,
    ),
)


async def build_demo(
    db: Database,
    *,
    seal: Seal,
    scale: Scale,
    now: datetime,
    progress: ReportProgress | None = None,
) -> None:
    """Build the demo county: `small` in seconds, `full` with the published totals of 2024.

    Safe to run again, also after it was killed: what is there stays, what is missing is added. On
    a later day it adds that day's shifts and nothing else.

    Raises:
        DemoError: The county holds the demo of another scale, or `now` lies before 2025.
    """
    zone = ZoneInfo(ZONE)
    if local_day(now, zone=zone).year <= YEAR:
        raise DemoError(code="demo.too_early", sentence=f"The clock stands before {YEAR + 1}.")
    report = progress or (lambda _done, _whole: None)
    await found_county(db, book=BOOK, now=now)
    async with db.read() as conn:
        built = {each for each in _SIZES if await _find_noted(conn, each, "built")}
        begun = {each: at for each in _SIZES if (at := await _find_noted(conn, each, "begun"))}
        below = await regions.list_subtree(conn, code=county_code(BOOK))
    # The small demo's doors open on a full county too.
    is_history_there = scale in built or "full" in built
    if not is_history_there and begun.keys() - {scale}:
        raise DemoError(
            code="demo.other_scale",
            sentence="This database holds a demo of another scale; set TIMEBANK_DATA to another"
            " folder.",
        )

    if not is_history_there:
        # A build that was killed goes on with the day on which it began.
        began = begun.get(scale, now)
        if scale not in begun:
            await _note(db, scale, "begun", now=now)
        county = plan_county(below)
        await _build_history(db, seal=seal, scale=scale, county=county, now=began, report=report)
        await register_demo(
            db,
            book=BOOK,
            county=county,
            below=below,
            references=[_reference(place) for place in range(_SIZES[scale].registered)],
            now=began,
        )
        await plant_signals(
            db,
            book=BOOK,
            organizer=await enrolment.ensure_person(
                db, seal=seal, phone=_TOWNS_PHONE, name=_NAMES[_TOWNS_PHONE], now=began
            ),
            references=[_reference(place) for place in _ODD_ONES],
            has_own_year=scale == "small" and _has_own_year(local_day(began, zone=zone)),
            now=began,
        )
    await _open_doors(db, seal=seal, now=now)
    await fold_book(db, book=BOOK)
    if not is_history_there:
        await _note(db, scale, "built", now=now)
    report(1, 1)


async def _build_history(
    db: Database,
    *,
    seal: Seal,
    scale: Scale,
    county: DemoCounty,
    now: datetime,
    report: ReportProgress,
) -> None:
    size = _SIZES[scale]
    zone = ZoneInfo(ZONE)
    async with db.read() as conn:
        residents = {
            village: found.count
            for village in county.villages
            if (found := await regions.find_residents(conn, code=village, on=date(YEAR, 12, 31)))
        }
    homes = draw_homes(county, residents, count=size.registered)
    references = [_reference(place) for place in range(size.registered)]
    plans = [
        YearPlan(
            first_on=date(YEAR, 1, 1),
            last_on=date(YEAR, 12, 31),
            active=size.active,
            services=size.services,
            minutes=size.minutes,
            fixed_services=_NEXT_STAR_SERVICES,
        )
    ]
    if scale == "small":
        plans = _with_this_year(plans[0], today=local_day(now, zone=zone))
    whole = size.registered + sum(plan.services for plan in plans)

    await _ensure_organizations(db, county=county)
    for first in range(0, size.registered, _ENROL_AT_ONCE):
        people = [
            NewVolunteer(
                reference=references[place],
                name=_NAMES[VOLUNTEER_PHONE] if place == 0 else None,
                phone=VOLUNTEER_PHONE if place == 0 else None,
                village=county.villages[homes[place]],
                enrolled_at=_OPENED
                + timedelta(minutes=place * _ENROLLED_DAYS * 1440 // size.registered),
            )
            for place in range(first, min(first + _ENROL_AT_ONCE, size.registered))
        ]
        await enrolment.enrol_volunteers(db, seal=seal, book=BOOK, people=people, now=now)
        report(first + len(people), whole)

    setting = await importing.find_setting(db, book=BOOK)
    before = size.registered
    for plan in plans:
        year = DemoYear(county, plan, homes=homes, references=references)
        await importing.import_rows(
            db,
            book=BOOK,
            header=HEADER,
            parts=service_file.parts_of(year.lines()),
            setting=setting,
            now=now,
            is_evidence_trusted=True,
            result=ImportResult(f"demo-{scale}-{plan.first_on.year}", is_dry_run=False),
            on_refused=_refuse_nothing,
            progress=_Shifted(report, before=before, whole=whole),
        )
        before += plan.services


@dataclass(frozen=True, slots=True)
class _Shifted:
    """Reports progress of a part as progress of the whole."""

    report: ReportProgress
    before: int
    whole: int

    def __call__(self, done: int, _: int) -> None:
        self.report(self.before + done, self.whole)


def _with_this_year(plan: YearPlan, *, today: date) -> list[YearPlan]:
    """Return the plan of 2024 and, where the year is old enough, that of the year so far."""
    first_on = date(today.year, 1, 1)
    days = (today - first_on).days
    if not _has_own_year(today):
        return [plan]
    return [
        YearPlan(
            first_on=plan.first_on,
            last_on=plan.last_on,
            active=plan.active,
            services=plan.services,
            minutes=plan.minutes,
            fixed_services=_NEXT_STAR_SERVICES - _THIS_YEAR_SERVICES,
        ),
        YearPlan(
            first_on=first_on,
            last_on=today - timedelta(days=1),
            active=_THIS_YEAR.active,
            services=_THIS_YEAR.services * days // 366,
            minutes=_THIS_YEAR.minutes * days // 366,
            fixed_services=_THIS_YEAR_SERVICES,
        ),
    ]


def _has_own_year(today: date) -> bool:
    return (today - date(today.year, 1, 1)).days >= _THIS_YEAR_DAYS_MIN


def _reference(place: int) -> str:
    """Return the number of a volunteer in the files, by their place from 0."""
    return f"HY{place + 1:07}"


def _refuse_nothing(refused: Sequence[CellRefused]) -> None:
    if refused:
        raise AssertionError(f"the demo's own row was refused: {refused[0]}")


async def _ensure_organizations(db: Database, *, county: DemoCounty) -> None:
    async with db.write() as conn:
        names = [each.name for each in county.organizations]
        known = await organizations.list_by_name(conn, book=BOOK, names=names)
        missing = [each for each in county.organizations if each.name not in known]
        if not missing:
            return
        numbers = await numbering.take_numbers(
            conn, book=BOOK, noun="organization", count=len(missing)
        )
        await organizations.insert_organizations(
            conn,
            organizations=[
                Organization(
                    OrganizationId(BOOK, number), each.name, each.kind, each.region, _OPENED
                )
                for number, each in zip(numbers, missing, strict=True)
            ],
        )


async def _open_doors(db: Database, *, seal: Seal, now: datetime) -> None:
    """Let the demo's people sign in, and give them shifts around `now`."""
    async with db.read() as conn:
        known = await organizations.list_by_name(
            conn, book=BOOK, names=list({each.organization for each in _LIVES})
        )
        enrolled = await volunteers.list_by_reference(
            conn, book=BOOK, references=[_reference(place) for place in range(len(_LIVES) * 6)]
        )
    actors = await _appoint(db, seal=seal, known=known, now=now)
    for place, live in enumerate(_LIVES):
        organization = known[live.organization]
        actor = actors[_ORGANIZER if live.organization == _ORGANIZER else ""]
        shifts = await _ensure_shifts(
            db, actor=actor, organization=organization, live=live, now=now
        )
        # A few others hold places already; the demo's volunteer holds one in the running shift.
        for guest in range(place * 6, place * 6 + min(6, live.places // 2)):
            await scheduling.sign_up(
                db,
                volunteer=enrolled[_reference(guest)],
                shift_book=BOOK,
                shift=shifts[0],
                now=now,
            )
    await open_benefits(
        db,
        seal=seal,
        book=BOOK,
        volunteer=enrolled[_reference(0)],
        partner_phone=PARTNER_PHONE,
        now=now,
    )
    for organizer in (actors[_ORGANIZER], actors[""]):
        await open_objections(
            db,
            seal=seal,
            organizer=organizer,
            candidates=[enrolled[each] for each in sorted(enrolled)],
            now=now,
        )


async def _appoint(
    db: Database, *, seal: Seal, known: dict[str, OrganizationId], now: datetime
) -> dict[str, Actor]:
    """Appoint the demo's people; return who runs the first organization, and the others'."""
    persons: dict[str, UUID] = {}
    for phone in (ORGANIZER_PHONE, OFFICER_PHONE, _TOWNS_PHONE):
        persons[phone] = await enrolment.ensure_person(
            db, seal=seal, phone=phone, name=_NAMES[phone], now=now
        )
    actors: dict[str, Actor] = {}
    for phone, key in ((ORGANIZER_PHONE, _ORGANIZER), (_TOWNS_PHONE, "")):
        run = tuple(
            organization
            for name, organization in sorted(known.items())
            if (name == _ORGANIZER) == (key == _ORGANIZER)
        )
        for organization in run:
            await enrolment.appoint(
                db,
                person=persons[phone],
                role=Role.ORGANIZER,
                organization=organization,
                by=None,
                now=now,
            )
        actors[key] = Actor(
            person=persons[phone], roles=frozenset({Role.ORGANIZER}), organizations=run
        )
    await enrolment.appoint(
        db,
        person=persons[OFFICER_PHONE],
        role=Role.OFFICER,
        region=county_code(BOOK),
        by=None,
        now=now,
    )
    return actors


async def _ensure_shifts(
    db: Database, *, actor: Actor, organization: OrganizationId, live: _Live, now: datetime
) -> tuple[int, ...]:
    """Return the shifts of a live activity from now on, publishing what is missing."""
    async with db.read() as conn:
        activity = await activities.find_listed(conn, organization=organization, title=live.title)
        coming = (
            []
            if activity is None
            else await activities.list_coming_shifts(conn, book=BOOK, activity=activity, now=now)
        )
    wanted = _wanted_shifts(live, now=now)
    # Only the shift that is on today grows old within a day; the others are renewed when all ended.
    is_running_wanted = live.starts_in is not None and live.starts_in < 0
    is_running = any(starts_at <= now for _, starts_at in coming)
    if coming and (is_running or not is_running_wanted):
        return tuple(number for number, _ in coming)
    if coming:
        wanted = wanted[:1]
    if activity is None:
        published = await scheduling.publish_activity(
            db,
            actor=actor,
            organization=organization,
            activity=NewActivity(
                title=live.title,
                field=live.field,
                content=live.content,
                address=live.address,
                region=live.region,
                in_charge="值班社工",
            ),
            shifts=wanted,
            now=now,
        )
        if not isinstance(published, ActivityPublished):
            raise AssertionError(f"the demo's own activity was refused: {published}")
        return published.shifts
    added = await scheduling.add_shifts(
        db, actor=actor, book=BOOK, activity=activity, shifts=wanted, now=now
    )
    if not isinstance(added, ShiftsAdded):
        raise AssertionError(f"the demo's own shifts were refused: {added}")
    return added.shifts


def _wanted_shifts(live: _Live, *, now: datetime) -> list[NewShift]:
    zone = ZoneInfo(ZONE)
    today = local_day(now, zone=zone)
    starts = []
    if live.starts_in is not None:
        at = now + timedelta(hours=live.starts_in)
        # What runs now runs at any hour, for the sake of trying; nothing else starts at night.
        if live.starts_in < 0 or 7 <= at.astimezone(zone).hour <= 19:
            starts.append(at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0))
    for ahead in live.days:
        at = day_start(today + timedelta(days=ahead), zone=zone) + timedelta(hours=live.hour)
        if at > now:
            starts.append(at)
    return [
        NewShift(starts_at=at, ends_at=at + timedelta(hours=live.hours), places=live.places)
        for at in starts
    ]


async def _find_noted(
    conn: AsyncConnection, scale: Scale, state: Literal["begun", "built"]
) -> datetime | None:
    return await audit_events.find_first_at(conn, act=_ACT, subject=_subject(scale, state))


async def _note(
    db: Database, scale: Scale, state: Literal["begun", "built"], *, now: datetime
) -> None:
    async with db.write() as conn:
        await audit_events.insert_audit_events(
            conn, at=now, person=None, act=_ACT, subjects=[_subject(scale, state)]
        )


def _subject(scale: Scale, state: str) -> str:
    return f"demo/{BOOK}/{scale}/{state}"
