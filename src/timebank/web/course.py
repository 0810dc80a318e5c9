"""The office's page of a year's course: months, days, who came back, and what people noted."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.db import Database
from timebank.domain.actor import Act
from timebank.domain.annotation import TEXT_MAX
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import Breakdown, rate_per_10k
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries.course import Course, DayPoint, read_course
from timebank.queries.numbers import Numbers, Row, read_numbers
from timebank.services.annotation import annotate, take_back_annotation
from timebank.services.errors import NotFoundError
from timebank.store import annotations, people
from timebank.store.annotations import Annotation
from timebank.store.definitions import list_definitions_of
from timebank.store.regions import find_residents_aged, list_path
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.district_frame import (
    DistrictHead,
    chosen_definition,
    district_head,
    narrowed,
    newest_year,
)
from timebank.web.frame import language_of, show, translate_of
from timebank.web.groups import file_links, until_last_month
from timebank.web.parts import Field, Link
from timebank.web.typed import typed_day

_STEPS = 5
"""Colour steps of the calendar: more are not told apart."""

_COHORTS_SHOWN = 6
"""Curves that can be told apart; the table has them all."""

_COHORT_MIN = 5
"""Fewer people than this make no curve, and would be recognizable."""

_COHORT_METRICS = ("cohort_size", "cohort_retention")

_Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]
_Text = Annotated[str | None, QueryParameter(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number of a table behind a chart.

    Attributes:
        value: As the chart takes it; empty where there is none.
        text: As it is read.
    """

    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table behind a chart.

    Attributes:
        mark: What was noted there; empty for nothing.
    """

    label: str
    cells: Sequence[Cell]
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart and the table that it is drawn from.

    Attributes:
        series: The names of its curves: the heads of the columns.
        unit: What the values are, such as `%`.
        is_against: The second curve is what the first is compared with.
        files: Where its numbers are taken along; empty for none.
    """

    title: str
    note: str
    axis: str
    series: Sequence[str]
    unit: str
    lines: Sequence[Line]
    is_against: bool = False
    files: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBar:
    """A month's hours by evidence: widths in whole percent of the highest month."""

    label: str
    hours: str
    scanned: int
    confirmed: int
    declared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """A day in the calendar.

    Attributes:
        column: 0 on Mondays.
        row: The week of the month, from 0.
        step: 0 for no service, to 5.
        label: Such as `3月2日 周六：51 人次`.
        is_noted: Somebody noted something there.
    """

    column: int
    row: int
    step: int
    label: str
    is_noted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """A month of the calendar."""

    label: str
    total: str
    rows: int
    days: Sequence[DayCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was noted beside a day.

    Attributes:
        take_back_url: Where it can be taken back; empty for who may not.
    """

    day: str
    text: str
    who: str
    when: str
    place: str
    take_back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePage:
    """What `district/course.html` shows.

    Attributes:
        calendar_lines: The days as a table: a line for each day, a cell for each month.
        annotate_url: Where a note is posted; empty for who may not.
    """

    head: DistrictHead
    is_empty: bool
    as_of: str
    rate: Chart
    cohorts: Chart
    bars: Sequence[MonthBar]
    calendar: Sequence[CalendarMonth]
    calendar_steps: Sequence[str]
    calendar_lines: Sequence[Line]
    notes: Sequence[Note]
    annotate_url: str
    day: Field
    text: Field
    text_max: int


class NoteForm(msgspec.Struct):
    """A note as it was typed."""

    day: Annotated[str, msgspec.Meta(max_length=20)] = ""
    text: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/district/course", rule=Act.SEE_REPORTS)
async def show_course(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    region: _Text = None,
    year: _Year = None,
    definition: _Text = None,
) -> Response[Any]:
    """Show how a year went in a division."""
    scope = narrowed(office_scope, region)
    page = await _page(
        request,
        kit,
        office_scope=office_scope,
        scope=scope,
        year=year,
        definition=definition,
        may_note=actor.may(Act.PUBLISH_REPORTS),
        now=now,
    )
    return show(request, "district/course.html", page)


@post("/district/notes/{region:str}", rule=Act.PUBLISH_REPORTS, status_code=200)
async def create_note(
    request: TimebankRequest,
    region: FromPath[str],
    data: URLEncodedBody[NoteForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Note something beside a day."""
    scope = narrowed(office_scope, region)
    day, today = typed_day(data.day), words.local_day(now)
    refusal = await annotate(
        kit.db,
        scope=scope,
        on_day=day,
        text=data.text,
        today=today,
        person=actor.person,
        now=now,
    )
    year = (day or today).year
    if refusal is None:
        return Redirect(
            f"/district/course?region={scope.region}&year={year}&done=noted", status_code=303
        )
    _ = translate_of(request)
    is_of_day = refusal.value.startswith("annotation.day")
    page = await _page(
        request,
        kit,
        office_scope=office_scope,
        scope=scope,
        year=min(year, today.year),
        definition=None,
        may_note=True,
        now=now,
        day=Field(value=data.day, error=_(refusal) if is_of_day else ""),
        text=Field(value=data.text, error="" if is_of_day else _(refusal)),
    )
    return show(request, "district/course.html", page, status=422)


@post("/district/notes/{region:str}/{number:uuid}/take-back", rule=Act.PUBLISH_REPORTS)
async def create_note_taken_back(
    region: FromPath[str],
    number: FromPath[UUID],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take a note back; it stays in the store."""
    scope = narrowed(office_scope, region)
    await take_back_annotation(kit.db, scope=scope, number=number, person=actor.person, now=now)
    return Redirect(f"/district/course?region={scope.region}", status_code=303)


async def _page(
    request: TimebankRequest,
    kit: Kit,
    *,
    office_scope: Scope,
    scope: Scope,
    year: int | None,
    definition: str | None,
    may_note: bool,
    now: datetime,
    day: Field | None = None,
    text: Field | None = None,
) -> CoursePage:
    language, _ = language_of(request), translate_of(request)
    today = words.local_day(now)
    async with kit.db.read() as conn:
        path = await list_path(conn, code=scope.region)
        known = await list_definitions_of(conn, region=scope.region)
        chosen = chosen_definition(known, definition, on=today)
        if year is None:
            year = await newest_year(conn, scope, chosen, this_year=today.year)
        last_month = 12 if year != today.year else today.month
        window = Window.of_year(year)
        course = await read_course(
            conn, scope=scope, definition=chosen, year=year, last_month=last_month
        )
        before = await read_course(conn, scope=scope, definition=chosen, year=year - 1)
        complete = until_last_month(year, today)
        cohorts = None
        if complete is not None:
            cohorts = await read_numbers(
                conn,
                scope=scope,
                metrics=_COHORT_METRICS,
                definition=chosen,
                window=complete,
                by=Breakdown.COHORT,
            )
        top = await read_numbers(
            conn, scope=scope, metrics=["registered"], definition=chosen, window=window
        )
        aged = None
        if chosen.ages is not None:
            aged = await find_residents_aged(
                conn, region=scope.region, ages=chosen.ages, on=window.last_on
            )
        noted = await annotations.list_annotations(
            conn,
            book=county_of(scope.region),
            codes=scope.codes,
            first_on=window.first_on,
            last_on=window.last_on,
        )
    if not path or top is None:
        raise NotFoundError
    who = await _names(kit.db, kit, {each.written_by for each in noted})
    places = {each.code: each.name for each in path}
    whole = _whole(top.rows[0].residents, top.rows[0].values[0] or 0, chosen, aged=aged)
    days = {each.day: each for each in course.days} if course else {}
    bounds = _bounds([each.services for each in days.values()])
    return CoursePage(
        head=district_head(
            "course",
            path=[(each.name, each.code) for each in path if office_scope.covers(each.code)],
            year=year,
            this_year=today.year,
            definition=chosen,
            known=known,
            language=language,
            _=_,
        ),
        is_empty=course is not None and not course.days,
        as_of="" if course is None else words.count(course.as_of_books[0].seq),
        rate=_rate_chart(course, before, noted, whole, chosen, language=language, _=_),
        cohorts=_cohort_chart(
            cohorts,
            files=[]
            if complete is None
            else file_links("cohort", region=scope.region, definition=chosen, window=complete),
            language=language,
            _=_,
        ),
        bars=_bars(course, language=language),
        calendar=_calendar(
            year, days, {each.on_day for each in noted}, bounds, language=language, _=_
        ),
        calendar_steps=_step_words(bounds, days.values()),
        calendar_lines=_calendar_lines(year, days),
        notes=[
            Note(
                day=words.full_day(each.on_day, language=language),
                text=each.text,
                who=who.get(each.written_by, ""),
                when=words.full_day(words.local_day(each.written_at), language=language),
                place=places.get(each.region, ""),
                take_back_url=f"/district/notes/{each.region}/{each.id}/take-back"
                if may_note and scope.covers(each.region)
                else "",
            )
            for each in noted
        ],
        annotate_url=f"/district/notes/{scope.region}" if may_note else "",
        day=day or Field(value=min(today, window.last_on).isoformat()),
        text=text or Field(),
        text_max=TEXT_MAX,
    )


def _whole(
    residents: Any, registered: int, definition: Definition, *, aged: int | None
) -> int | None:
    if definition.denominator is Denominator.REGISTERED:
        return registered or None
    if definition.denominator is Denominator.RESIDENTS_AGED:
        return aged
    return None if residents is None else residents.count


async def _names(db: Database, kit: Kit, persons: set[UUID]) -> dict[UUID, str]:
    found = {}
    async with db.read() as conn:
        for person in persons:
            known = await people.find_person(conn, seal=kit.seal, person=person)
            if known is not None:
                found[person] = (
                    words.masked_name(known.name)
                    if known.name
                    else words.masked_phone(known.phone or "")
                )
    return found


def _rate_chart(
    course: Course | None,
    before: Course | None,
    noted: Sequence[Annotation],
    whole: int | None,
    definition: Definition,
    *,
    language: Language,
    _: Translate,
) -> Chart:
    year = course.year if course else 0
    earlier = {each.month: each for each in before.months} if before and before.days else {}
    later = {each.month: each for each in course.months} if course else {}
    marks: dict[int, list[str]] = {}
    for each in noted:
        marks.setdefault(each.on_day.month, []).append(each.text)

    def cell(active: int | None) -> Cell:
        if active is None:
            return Cell(value="", text="–")
        if whole is None:
            return Cell(value=str(active), text=words.count(active))
        rate = rate_per_10k(active, whole) or 0
        if definition.per == 10_000:
            return Cell(value=str(rate), text=words.count(rate))
        return Cell(value=str(rate / 100), text=words.percent(rate, 10_000))

    series = [_("{year} 年", year=year)]
    if earlier:
        series.append(_("{year} 年", year=year - 1))
    return Chart(
        title=_("活跃率一年里怎样长上来"),
        note=_("从一月一日到每月底，按同一口径算；虚线是上一年。")
        if earlier
        else _("从一月一日到每月底，按同一口径算。"),
        is_against=bool(earlier),
        axis=_("月份"),
        series=series,
        unit=_("人") if whole is None else _("/ 万人") if definition.per == 10_000 else "%",
        lines=[
            Line(
                label=_month_word(month, language),
                cells=[
                    cell(later[month].active_to_date if month in later else None),
                    *([cell(earlier[month].active_to_date)] if earlier else []),
                ],
                mark=_("；").join(marks.get(month, [])),
            )
            for month in range(1, 13)
            if month in later or month in earlier
        ],
    )


def _cohort_chart(
    found: Numbers | None, *, files: Sequence[Link], language: Language, _: Translate
) -> Chart:
    of: dict[int, list[Row]] = {}
    for row in found.rows if found else ():
        of.setdefault(int(row.key[5:7]), []).append(row)
    sizes = {month: rows[0].values[0] or 0 for month, rows in of.items()}
    large = sorted(
        (each for each in of if sizes[each] >= _COHORT_MIN), key=lambda each: -sizes[each]
    )
    shown = sorted(large[:_COHORTS_SHOWN])

    def cell(month: int, later: int) -> Cell:
        share = of[month][later].values[1] if later < len(of[month]) else None
        if share is None:
            return Cell(value="", text="–")
        return Cell(value=str(share / 100), text=words.percent(share, 10_000))

    return Chart(
        title=_("第一次来的人后来还来吗"),
        note=_(
            "按当年第一次服务的月份分组：以后每个完整的月里还服务的人占这一组的比例。各组不能相加。"
        ),
        axis=_("之后第几个月"),
        series=[
            _(
                "{month}（{count} 人）",
                month=_month_word(each, language),
                count=words.count(sizes[each]),
            )
            for each in shown
        ],
        unit="%",
        lines=[
            Line(label=str(later), cells=[cell(month, later) for month in shown])
            for later in range(max((len(of[each]) for each in shown), default=0))
        ],
        files=files,
    )


def _bars(course: Course | None, *, language: Language) -> list[MonthBar]:
    if course is None:
        return []
    highest = max((sum(each.minutes) for each in course.months), default=0) or 1
    bars = []
    for each in course.months:
        scanned, confirmed, declared = each.minutes
        ends = [
            part * 100 // highest
            for part in (scanned, scanned + confirmed, scanned + confirmed + declared)
        ]
        bars.append(
            MonthBar(
                label=_month_word(each.month, language),
                hours=words.hours(sum(each.minutes), language=language),
                scanned=ends[0],
                confirmed=ends[1] - ends[0],
                declared=ends[2] - ends[1],
            )
        )
    return bars


def _calendar(
    year: int,
    days: dict[date, DayPoint],
    noted: set[date],
    bounds: Sequence[int],
    *,
    language: Language,
    _: Translate,
) -> list[CalendarMonth]:
    months = []
    for month in range(1, 13):
        first = date(year, month, 1)
        cells, day, total = [], first, 0
        while day.month == month:
            services = days[day].services if day in days else 0
            total += services
            cells.append(
                DayCell(
                    column=day.weekday(),
                    row=(day.day - 1 + first.weekday()) // 7,
                    step=sum(services >= bound for bound in bounds) if services else 0,
                    label=_(
                        "{day} {weekday}：{count} 人次",
                        day=words.full_day(day, language=language),
                        weekday=words.weekday(day, language=language),
                        count=words.count(services),
                    ),
                    is_noted=day in noted,
                )
            )
            day += timedelta(days=1)
        months.append(
            CalendarMonth(
                label=_month_word(month, language),
                total=words.count(total),
                rows=cells[-1].row + 1,
                days=cells,
            )
        )
    return months


def _calendar_lines(year: int, days: dict[date, DayPoint]) -> list[Line]:
    def cell(month: int, day: int) -> Cell:
        if day > monthrange(year, month)[1]:
            return Cell(value="", text="")
        found = days.get(date(year, month, day))
        services = found.services if found else 0
        return Cell(value=str(services), text=words.count(services))

    return [
        Line(label=str(day), cells=[cell(month, day) for month in range(1, 13)])
        for day in range(1, 32)
    ]


def _bounds(counts: Sequence[int]) -> list[int]:
    """Return the lower bounds of the colour steps: each holds as many days as the others, about."""
    ordered = sorted(each for each in counts if each)
    if not ordered:
        return []
    return sorted({ordered[len(ordered) * step // _STEPS] for step in range(_STEPS)})


def _step_words(bounds: Sequence[int], days: Any) -> list[str]:
    if not bounds:
        return []
    highest = max((each.services for each in days), default=0)
    ends = [*(bound - 1 for bound in bounds[1:]), highest]
    return [
        words.count(first) if first == last else f"{words.count(first)}–{words.count(last)}"
        for first, last in zip(bounds, ends, strict=True)
    ]


def _month_word(month: int, language: Language) -> str:
    text = words.month(2000, month, language=language)
    return text.removeprefix("2000年") if language == "zh" else text.removesuffix(" 2000")
