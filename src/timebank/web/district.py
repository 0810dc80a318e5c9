"""The district office's pages of the active rate: how high it is, and where it comes from."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from timebank.db import Database
from timebank.domain.actor import Act
from timebank.domain.definition import Definition
from timebank.domain.metric import ActiveRate, Residents
from timebank.domain.region import Level
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.http import spreadsheet
from timebank.http.providers import (
    Db,
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries.active_rate import ActiveRateReport, active_rates
from timebank.queries.numbers import read_numbers
from timebank.services.errors import NotFoundError
from timebank.store.definitions import ACTIVE_RATE, list_definitions_of
from timebank.store.regions import list_path
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.district_frame import (
    DistrictHead,
    chosen_definition,
    district_head,
    narrowed,
    view_url,
)
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import EvidenceShares
from timebank.web.publication_words import definition_sentence, is_of_residents, rate_words
from timebank.web.tile_map import place_tiles

_LIVE_SECONDS = 1.0
"""Between two looks at the book: nobody reads a number faster."""

_LIVE_LOOKS = 10
"""Of one answer: a server that stops waits no longer for it, and the reader asks again."""

_LIVE_RETRY_MS = 500

_YEARS_BACK_MAX = 3
"""How many complete years are looked through for one with any service."""

_SLICE_PARTS = 100
"""Fewer volunteers than one resident in so many: the small demo, a slice of a county's year."""

_BAR_PERCENT_MAX = 98
"""How much of its cell the longest bar takes: its outline must not be cut."""

_STEPS = 5
"""Colour steps of the tile map: more are not told apart."""

_Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]
_Definition = Annotated[str | None, QueryParameter(max_length=100)]
_Region = Annotated[str | None, QueryParameter(max_length=12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """One region below the one shown.

    Attributes:
        url: Its own page; empty when there is nothing below.
        rank: Among the rows whose rate is known; empty otherwise.
        rate: Per ten thousand, such as `1,576`; empty when residents are not known.
        scanned_width: Percent of the cell, whole; the three together draw the rate, split
            by how the hours are evidenced.
        hours: In words.
    """

    name: str
    url: str
    rank: str
    residents: str
    registered: str
    active: str
    rate: str
    rate_percent: str
    hours: str
    shares: EvidenceShares
    scanned_width: int
    confirmed_width: int
    declared_width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTile:
    """One region on the tile map.

    Attributes:
        column: From 0 at the west.
        row: From 0 at the north.
        step: The colour step, 1 to 5; 0 when the rate is not known.
        label: At most six hanzi, printed in the tile.
    """

    label: str
    column: int
    row: int
    step: int
    rate: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TileStep:
    """One colour of the legend with the rates it stands for."""

    step: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """What `district/overview.html` shows.

    Attributes:
        rate_unit: Such as `/ 万人`; empty where the rate carries its own.
        rate: Per ten thousand, such as `1,576`; empty when residents are not known.
        definition: The whole definition as one sentence.
        definition_name: Its name and first day, such as `活跃率定义 · 2024-01-01 起`.
        residents_source: Where the population comes from, with its date.
        as_of: The last entry that was counted, such as `3,700,412`.
        trend: Against the year before, in words; empty when that is not known.
        trend_direction: Which way.
        is_partial: The year is still going on.
        is_empty: Nobody who lives here served in the year.
        sample: What is real in a demo's numbers; empty outside the demo.
        level: What the rows are, such as `镇(街道)`.
        tiles: Empty below the town.
        tiles_note: What a tile's place means.
        columns: How wide the tile map is.
        live_url: Where the newest numbers come from; empty for a year that is over.
        csv_url: Empty by another definition than the usual one, which the file is made by.
    """

    region: str
    head: DistrictHead
    year: str
    rate: str
    rate_unit: str
    rate_head: str
    rate_percent: str
    active: str
    registered: str
    residents: str
    residents_source: str
    definition: str
    definition_name: str
    as_of: str
    trend: str
    trend_direction: Literal["up", "down", "level", ""]
    is_partial: bool
    is_empty: bool
    sample: str
    hours: str
    shares: EvidenceShares
    level: str
    rows: Sequence[RegionRow]
    tiles: Sequence[RegionTile]
    tiles_note: str
    columns: int
    tile_rows: int
    legend: Sequence[TileStep]
    live_url: str
    csv_url: str
    xlsx_url: str
    programs_url: str


@get("/district", rule=Act.SEE_REPORTS)
async def show_overview(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    region: _Region = None,
    year: _Year = None,
    definition: _Definition = None,
) -> Response[Any]:
    """Show the active rate of a division and of those right below it."""
    scope = narrowed(office_scope, region)
    today = words.local_day(now)
    async with kit.db.read() as conn:
        known = await list_definitions_of(conn, region=scope.region)
        chosen = chosen_definition(known, definition, on=today)
        if year is None:
            report = await newest_report(
                lambda each: active_rates(conn, scope=scope, year=each, definition=chosen),
                this_year=today.year,
            )
        else:
            report = await active_rates(conn, scope=scope, year=year, definition=chosen)
        if report is None:
            raise NotFoundError
        window = Window.of_year(report.year).until(today).a_year_before()
        before = await read_numbers(
            conn, scope=scope, metrics=["active_rate"], definition=chosen, window=window
        )
        path = await list_path(conn, code=scope.region)
    return show(
        request,
        "district/overview.html",
        _overview(
            report,
            before=None if before is None else before.rows[0].values[0],
            path=[(each.name, each.code) for each in path if office_scope.covers(each.code)],
            this_year=today.year,
            known=known,
            may_give_tokens=actor.may(Act.GIVE_TOKENS),
            sample=sample_words(kit, report, translate_of(request)),
            language=language_of(request),
            _=translate_of(request),
        ),
    )


@get("/district/live", rule=Act.SEE_REPORTS)
async def show_live(
    request: TimebankRequest,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    region: _Region = None,
    definition: _Definition = None,
) -> ServerSentEvent:
    """Send this year's numbers of a division as they change, for some seconds; readers ask again.

    No connection to the database is held between two looks.
    """
    scope = narrowed(office_scope, region)
    today = words.local_day(now)
    async with kit.db.read() as conn:
        known = await list_definitions_of(conn, region=scope.region)
    chosen = chosen_definition(known, definition, on=today)
    language = language_of(request)

    async def numbers() -> AsyncIterator[ServerSentEventMessage]:
        said = ""
        for _look in range(_LIVE_LOOKS):
            async with kit.db.read() as conn:
                report = await active_rates(conn, scope=scope, year=today.year, definition=chosen)
            if report is None:
                return
            newest = json.dumps(_live(report, language=language), ensure_ascii=False)
            if newest != said:
                said = newest
                yield ServerSentEventMessage(data=said, retry=_LIVE_RETRY_MS)
            await asyncio.sleep(_LIVE_SECONDS)

    return ServerSentEvent(numbers())


def _live(report: ActiveRateReport, *, language: Language) -> dict[str, str]:
    """Return what the page shows large, by the name that its places carry."""
    top = report.rows[0]
    shares = _shares(top)
    return {
        "rate": rate_words(top.rate, report.definition.said()),
        "percent": _percent_words(top, report.definition),
        "active": words.count(top.active),
        "registered": words.count(top.registered),
        "hours": words.hours(top.minutes, language=language),
        "seq": words.count(report.as_of.seq),
        "scanned": shares.scanned,
        "confirmed": shares.confirmed,
        "declared": shares.declared,
    }


@get("/district/active-rate.csv", rule=Act.SEE_REPORTS)
async def show_csv(
    office_scope: OfficeScope,
    db: Db,
    now: Now,
    year: _Year = None,
    region: _Region = None,
    definition: _Definition = None,
) -> Response[bytes]:
    """Send the report of a subtree as CSV."""
    report = await _report(
        db, narrowed(office_scope, region), year, definition, on=words.local_day(now)
    )
    return _file(
        spreadsheet.active_rate_csv(report), name=_file_name(report, "csv"), media_type="text/csv"
    )


@get("/district/active-rate.xlsx", rule=Act.SEE_REPORTS)
async def show_xlsx(
    office_scope: OfficeScope,
    db: Db,
    now: Now,
    year: _Year = None,
    region: _Region = None,
    definition: _Definition = None,
) -> Response[bytes]:
    """Send the report of a subtree as a workbook."""
    report = await _report(
        db, narrowed(office_scope, region), year, definition, on=words.local_day(now)
    )
    return _file(
        spreadsheet.active_rate_xlsx(report),
        name=_file_name(report, "xlsx"),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


async def newest_report(
    find: Callable[[int], Awaitable[ActiveRateReport | None]], *, this_year: int
) -> ActiveRateReport | None:
    """Return the report of the last complete year with any service, else of the year going on.

    `find` returns the report of a year.

    Cost: one report per year looked at, at most four.
    """
    for year in range(this_year - 1, this_year - _YEARS_BACK_MAX - 1, -1):
        report = await find(year)
        if report is None or report.rows[0].active:
            return report
    return await find(this_year)


def sample_words(kit: Kit, report: ActiveRateReport, _: Translate) -> str:
    """Return what is real in the demo's numbers and what is not; empty outside the demo."""
    if not kit.is_demo:
        return ""
    top = report.rows[0]
    residents = 0 if top.residents is None else top.residents.count
    if top.registered * _SLICE_PARTS < residents:
        return _(
            "样本：区划和人口是真的，志愿者和服务是虚构的，约为实际规模的百分之一，数字因此小。"
        )
    return _("样本：区划、常住人口和总数是真的，志愿者和每一次服务是虚构的。")


async def _report(
    db: Database, scope: Scope, year: int | None, definition: str | None, *, on: date
) -> ActiveRateReport:
    if year is None:
        raise NotFoundError
    async with db.read() as conn:
        known = await list_definitions_of(conn, region=scope.region)
        chosen = chosen_definition(known, definition, on=on)
        report = await active_rates(conn, scope=scope, year=year, definition=chosen)
    if report is None:
        raise NotFoundError
    return report


def _file(content: bytes, *, name: str, media_type: str) -> Response[bytes]:
    return Response(
        content,
        media_type=media_type,
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


def _file_name(report: ActiveRateReport, suffix: str) -> str:
    name = "active-rate" if report.definition.id == ACTIVE_RATE else report.definition.id
    return f"{name}-{report.rows[0].region}-{report.year}-entry-{report.as_of.seq}.{suffix}"


def _overview(
    report: ActiveRateReport,
    *,
    before: int | None,
    path: Sequence[tuple[str, int]],
    this_year: int,
    known: Sequence[Definition],
    may_give_tokens: bool,
    sample: str,
    language: Language,
    _: Translate,
) -> OverviewPage:
    top, definition = report.rows[0], report.definition
    below = [row for row in report.rows if row.parent == top.region]
    rated = sorted(
        below,
        key=lambda row: (-rate if (rate := row.rate) is not None else 1, row.region),
    )
    longest = max((row.rate or 0 for row in below), default=0) or 1
    levels = _level_names(_)
    downloads = f"region={top.region}&year={report.year}"
    if definition.id != ACTIVE_RATE:
        downloads += f"&definition={definition.id}"
    trend, direction = _trend(
        top.rate,
        before,
        is_same_day=report.year == this_year,
        definition=definition,
        _=_,
    )
    layout = place_tiles([row.region for row in below]) if top.level != Level.TOWN else None
    rates = [rate for row in below if (rate := row.rate) is not None]
    bounds = _bounds(rates)
    return OverviewPage(
        region=top.name,
        head=district_head(
            "overview",
            path=path,
            year=report.year,
            this_year=this_year,
            definition=definition,
            known=known,
            language=language,
            _=_,
        ),
        year=str(report.year),
        rate=rate_words(top.rate, definition.said()),
        rate_percent=_percent_words(top, definition),
        active=words.count(top.active),
        registered=words.count(top.registered),
        residents=_residents_words(top.residents),
        residents_source=_source_words(top.residents, language, _),
        rate_unit=_("/ 万人") if is_of_residents(definition.said()) else "",
        rate_head=_("每万人") if is_of_residents(definition.said()) else _("活跃率"),
        definition=definition_sentence(
            definition.said(), Window.of_year(report.year), language=language, _=_
        ),
        definition_name=definition.name[language],
        as_of=words.count(report.as_of.seq),
        trend=trend,
        trend_direction=direction,
        is_partial=report.year == this_year,
        is_empty=not top.minutes,
        sample=sample,
        hours=words.hours(top.minutes, language=language),
        shares=_shares(top),
        level=levels.get(below[0].level, "") if below else "",
        rows=[
            _row(
                row,
                definition,
                rank=str(place) if row.rate is not None else "",
                longest=longest,
                year=report.year,
                has_below=row.level != Level.VILLAGE,
                language=language,
            )
            for place, row in enumerate(rated, start=1)
        ],
        tiles=[]
        if layout is None
        else [
            RegionTile(
                label=row.name[:6],
                column=layout.places[row.region][0],
                row=layout.places[row.region][1],
                step=_step(row.rate, bounds),
                rate=rate_words(row.rate, definition.said()),
                url=view_url(
                    "overview", region=row.region, year=report.year, definition=definition
                ),
            )
            for row in below
        ],
        tiles_note=""
        if layout is None
        else _("方块按大致方位摆放，大小不代表面积。")
        if layout.is_compass
        else _("方块按代码顺序摆放，位置和大小都不代表地理。"),
        columns=0 if layout is None else layout.columns,
        tile_rows=0 if layout is None else layout.rows,
        legend=_legend(
            bounds, highest=max(rates, default=0), has_unknown=len(rates) < len(below), _=_
        ),
        live_url=""
        if report.year != this_year
        else f"/district/live?region={top.region}&definition={definition.id}",
        csv_url=f"/district/active-rate.csv?{downloads}",
        xlsx_url=f"/district/active-rate.xlsx?{downloads}",
        programs_url="/district/programs" if may_give_tokens else "",
    )


def _row(
    row: ActiveRate,
    definition: Definition,
    *,
    rank: str,
    longest: int,
    year: int,
    has_below: bool,
    language: Language,
) -> RegionRow:
    width = (row.rate or 0) * _BAR_PERCENT_MAX // longest
    shares = words.shares((row.minutes_scanned, row.minutes_confirmed, row.minutes_declared))
    scanned, confirmed = width * shares[0] // 100, width * shares[1] // 100
    return RegionRow(
        name=row.name,
        url=view_url("overview", region=row.region, year=year, definition=definition)
        if has_below
        else "",
        rank=rank,
        residents=_residents_words(row.residents),
        registered=words.count(row.registered),
        active=words.count(row.active),
        rate=rate_words(row.rate, definition.said()),
        rate_percent=_percent_words(row, definition),
        hours=words.hours(row.minutes, language=language),
        shares=_shares(row),
        scanned_width=scanned,
        confirmed_width=confirmed,
        declared_width=width - scanned - confirmed,
    )


def _percent_words(row: ActiveRate, definition: Definition) -> str:
    whole = row.whole
    if not whole or not is_of_residents(definition.said()):
        return ""
    return words.percent(row.active, whole)


def _residents_words(residents: Residents | None) -> str:
    if residents is None:
        return ""
    return ("≈ " if residents.is_estimate else "") + words.count(residents.count)


def _source_words(residents: Residents | None, language: Language, _: Translate) -> str:
    if residents is None:
        return ""
    return _(
        "{source}（{day}）",
        source=residents.source,
        day=words.full_day(residents.as_of, language=language),
    )


def _shares(row: ActiveRate) -> EvidenceShares:
    return evidence_shares((row.minutes_scanned, row.minutes_confirmed, row.minutes_declared))


def _trend(
    rate: int | None, before: int | None, *, is_same_day: bool, definition: Definition, _: Translate
) -> tuple[str, Literal["up", "down", "level", ""]]:
    if not rate or not before:
        return "", ""
    change = rate - before
    number = rate_words(abs(change), definition.said())
    if not change:
        return (_("和上年同日一样") if is_same_day else _("和上年一样")), "level"
    if change > 0:
        words_ = _("比上年同日多 {number}") if is_same_day else _("比上年多 {number}")
    else:
        words_ = _("比上年同日少 {number}") if is_same_day else _("比上年少 {number}")
    return words_.format(number=number), "up" if change > 0 else "down"


def _level_names(_: Translate) -> dict[str, str]:
    return {
        Level.CITY: _("市"),
        Level.COUNTY: _("县（市、区）"),
        Level.TOWN: _("镇（街道）"),
        Level.VILLAGE: _("村（社区）"),
    }


def _bounds(rates: Sequence[int]) -> list[int]:
    """Return the lower bounds of the colour steps, equally wide, from the lowest rate up.

    Shape: five at most, fewer where the rates are fewer whole numbers; none above the highest rate.
    """
    if not rates:
        return []
    lowest, highest = min(rates), max(rates)
    width = -(-(highest - lowest + 1) // _STEPS)
    return list(range(lowest, highest + 1, width))


def _step(rate: int | None, bounds: Sequence[int]) -> int:
    return 0 if rate is None else sum(rate >= bound for bound in bounds)


def _legend(
    bounds: Sequence[int], *, highest: int, has_unknown: bool, _: Translate
) -> list[TileStep]:
    ends = [*(bound - 1 for bound in bounds[1:]), highest]
    steps = [
        TileStep(
            step=place,
            label=words.count(first)
            if first == last
            else f"{words.count(first)}–{words.count(last)}",
        )
        for place, (first, last) in enumerate(zip(bounds, ends, strict=False), start=1)
    ]
    return [*steps, TileStep(step=0, label=_("不知道"))] if has_unknown else steps
