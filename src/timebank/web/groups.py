"""The office's page of what a division's numbers are made of: by field, by whom, and by place.

Each part is a breakdown and some metrics of the registry; the bars are drawn from the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from timebank.domain.actor import Act
from timebank.domain.definition import Definition
from timebank.domain.metric import AGE_BANDS, METRICS, Breakdown, MetricUnit
from timebank.domain.region import Level, level_of
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.http import spreadsheet
from timebank.http.providers import Db, Kitted, Now, OfficeScope, TimebankRequest
from timebank.queries.numbers import Numbers, Row, Value, read_numbers
from timebank.services.errors import NotFoundError
from timebank.store.definitions import ACTIVE_RATE, list_definitions_of
from timebank.store.regions import list_path
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.district_frame import (
    DistrictHead,
    asked_window,
    chosen_definition,
    district_head,
    narrowed,
    newest_year,
    period_choices,
    view_url,
)
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, EvidenceShares, Link
from timebank.web.publication_words import definition_sentence, window_words

_MINUTES = ("minutes_scanned", "minutes_confirmed", "minutes_declared")
_LINES_MAX = 60
"""Rows that are shown; a file has them all."""

_BAR_PERCENT_MAX = 98
"""How much of its cell the longest bar takes: its outline must not be cut."""

_Text = Annotated[str | None, QueryParameter(max_length=100)]
_Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]


@dataclass(frozen=True, slots=True)
class Part:
    """One way to take a number apart.

    Attributes:
        metrics: The columns; the first one is what the bars show.
        has_evidence: The rows have minutes of their own, by evidence.
        is_ordered: The rows come in an order of their own, and not by size.
    """

    by: Breakdown
    metrics: tuple[str, ...]
    has_evidence: bool = False
    is_ordered: bool = False


PARTS = {
    "field": Part(
        Breakdown.FIELD,
        ("services", "active", "minutes", "people_served", "households_served"),
        has_evidence=True,
    ),
    "organization": Part(
        Breakdown.ORGANIZATION,
        ("services", "active", "minutes", "activities", "fill_rate"),
        has_evidence=True,
    ),
    "age": Part(
        Breakdown.AGE,
        ("active", "registered", "services", "minutes"),
        has_evidence=True,
        is_ordered=True,
    ),
    "role": Part(
        Breakdown.ROLE,
        ("active", "registered", "services", "minutes"),
        has_evidence=True,
        is_ordered=True,
    ),
    "newcomers": Part(
        Breakdown.REGION, ("new_active", "returning_active", "active", "retention_rate")
    ),
    "reach": Part(
        Breakdown.REGION,
        (
            "services_here",
            "people_served",
            "households_served",
            "activities",
            "shifts",
            "fill_rate",
        ),
    ),
    "stations": Part(
        Breakdown.REGION,
        (
            "workers",
            "centers",
            "stations",
            "rooms",
            "station_coverage",
            "residents_per_worker",
            "care_per_worker",
        ),
    ),
    "training": Part(Breakdown.REGION, ("training_minutes", "trained")),
    "cohort": Part(
        Breakdown.COHORT, ("cohort_retention", "cohort_active", "cohort_size"), is_ordered=True
    ),
}
"""Every part, in the order of the page. Cohorts are drawn as curves, on the page of a year."""

_SHOWN = tuple(name for name in PARTS if name != "cohort")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """One row.

    Attributes:
        url: Its own page; empty where there is none.
        cells: One for each column.
        scanned_width: Percent of the cell, whole; the three together draw the first column, split
            by how the hours are evidenced. Without evidence only the first is drawn.
        shares: None where the row has no evidence of its own.
        is_whole: It is the division itself.
    """

    name: str
    url: str
    cells: Sequence[str]
    scanned_width: int
    confirmed_width: int
    declared_width: int
    shares: EvidenceShares | None
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsPage:
    """What `district/groups.html` shows.

    Attributes:
        note: How the rows add up.
        shares: The evidence of all hours of the division in the period.
        has_evidence: The bars are split by evidence.
        meanings: What each column counts.
        more: How many rows only the files have; empty for none.
    """

    head: DistrictHead
    title: str
    parts: Sequence[Link]
    part: str
    region: str
    definition: str
    definition_id: str
    sentence: str
    note: str
    period: str
    periods: Sequence[Choice]
    shares: EvidenceShares
    has_evidence: bool
    axis: str
    heads: Sequence[str]
    lines: Sequence[GroupLine]
    meanings: Sequence[tuple[str, str]]
    more: str
    as_of: str
    files: Sequence[Link]


@get("/district/groups", rule=Act.SEE_REPORTS)
async def show_groups(
    request: TimebankRequest,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    by: _Text = None,
    region: _Text = None,
    year: _Year = None,
    definition: _Text = None,
    period: _Text = None,
    first: _Text = None,
    last: _Text = None,
) -> Response[Any]:
    """Show what the numbers of a division are made of."""
    language, _ = language_of(request), translate_of(request)
    scope, today = narrowed(office_scope, region), words.local_day(now)
    name = by or _SHOWN[0]
    if name not in offered_parts(scope):
        raise NotFoundError
    async with kit.db.read() as conn:
        known = await list_definitions_of(conn, region=scope.region)
        chosen = chosen_definition(known, definition, on=today)
        window = asked_window(period, first, last)
        if window is None:
            year = year or await newest_year(conn, scope, chosen, this_year=today.year)
            window = Window.of_year(year)
        path = await list_path(conn, code=scope.region)
        whole = await read_numbers(
            conn, scope=scope, metrics=_MINUTES, definition=chosen, window=window
        )
        found = await read_numbers(
            conn,
            scope=scope,
            metrics=_asked(PARTS[name]),
            definition=chosen,
            window=window,
            by=PARTS[name].by,
        )
    if found is None or whole is None or not path:
        raise NotFoundError
    rows = _rows(found, PARTS[name])
    return show(
        request,
        "district/groups.html",
        GroupsPage(
            head=district_head(
                "groups",
                path=[(each.name, each.code) for each in path if office_scope.covers(each.code)],
                year=window.last_on.year,
                this_year=today.year,
                definition=chosen,
                known=known,
                language=language,
                _=_,
                more={"by": name, "period": str(window)},
            ),
            title=_(
                "{region} {period}：{part}",
                region=path[-1].name,
                period=window_words(window, language=language, _=_),
                part=_(f"part.{name}"),
            ),
            parts=[
                Link(
                    label=_(f"part.{each}"),
                    url=groups_url(each, region=scope.region, definition=chosen, window=window),
                    is_current=each == name,
                )
                for each in offered_parts(scope)
            ],
            part=name,
            region=str(scope.region),
            definition=chosen.name[language],
            definition_id=chosen.id,
            sentence=definition_sentence(chosen.said(), window, language=language, _=_),
            note=_(f"part.{name}.note"),
            period=window_words(window, language=language, _=_),
            periods=period_choices(today, window, language=language, _=_),
            shares=evidence_shares(_evidence(whole, whole.rows[0])),
            has_evidence=PARTS[name].has_evidence,
            axis=_(f"part.{name}.axis"),
            heads=[_(METRICS[each].label) for each in PARTS[name].metrics],
            lines=_lines(found, rows[:_LINES_MAX], PARTS[name], language=language, _=_),
            meanings=[
                (_(METRICS[each].label), _(METRICS[each].sentence)) for each in PARTS[name].metrics
            ],
            more=words.count(len(rows) - _LINES_MAX) if len(rows) > _LINES_MAX else "",
            as_of=words.count(found.as_of_books[0].seq),
            files=file_links(name, region=scope.region, definition=chosen, window=window),
        ),
    )


@get("/district/groups/{file:str}", rule=Act.SEE_REPORTS)
async def show_groups_file(
    request: TimebankRequest,
    file: FromPath[str],
    office_scope: OfficeScope,
    db: Db,
    now: Now,
    period: _Text = None,
    region: _Text = None,
    definition: _Text = None,
) -> Response[bytes]:
    """Send a part as a table, such as `field.csv`, with what it was made of."""
    name, _dot, form = file.partition(".")
    scope, window = narrowed(office_scope, region), asked_window(period, None, None)
    if name not in {*offered_parts(scope), "cohort"} or form not in _MEDIA or window is None:
        raise NotFoundError
    async with db.read() as conn:
        known = await list_definitions_of(conn, region=scope.region)
        chosen = chosen_definition(known, definition, on=words.local_day(now))
        try:
            found = await read_numbers(
                conn,
                scope=scope,
                metrics=_asked(PARTS[name]),
                definition=chosen,
                window=window,
                by=PARTS[name].by,
            )
        except ValueError:
            raise NotFoundError from None
    if found is None:
        raise NotFoundError
    table, about = _table(found, name, _=translate_of(request))
    if form == "csv":
        made_of = [each[1] for each in about]
        heads = (*table[0], *(each[0] for each in about))
        content = spreadsheet.to_csv([heads, *((*row, *made_of) for row in table[1:])])
    else:
        content = spreadsheet.to_xlsx({"1": table, "2": about})
    title = f"{name}-{scope.region}-{window}-entry-{found.as_of_books[0].seq}.{form}"
    return Response(
        content,
        media_type=_MEDIA[form],
        headers={
            "content-disposition": f'attachment; filename="{title}"',
            "cache-control": "no-store",
        },
    )


_MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def offered_parts(scope: Scope) -> tuple[str, ...]:
    """Return the parts that a division has: organizations are those of one county's book."""
    if level_of(scope.region) in (Level.PROVINCE, Level.CITY):
        return tuple(each for each in _SHOWN if each != "organization")
    return _SHOWN


def groups_url(part: str, *, region: int, definition: Definition, window: Window) -> str:
    """Return the address of a part."""
    return view_url(
        "groups",
        region=region,
        year=window.last_on.year,
        definition=definition,
        more={"by": part, "period": str(window)},
    )


def file_links(part: str, *, region: int, definition: Definition, window: Window) -> list[Link]:
    """Return where the table of a part is taken along."""
    query: dict[str, object] = {"region": region, "period": str(window)}
    if definition.id != ACTIVE_RATE:
        query["definition"] = definition.id
    return [
        Link(label=form.upper(), url=f"/district/groups/{part}.{form}?{urlencode(query)}")
        for form in _MEDIA
    ]


def _asked(part: Part) -> list[str]:
    return list(dict.fromkeys((*part.metrics, *(_MINUTES if part.has_evidence else ()))))


def _rows(found: Numbers, part: Part) -> list[Row]:
    """Return the rows in the order in which they are shown.

    By region these are the division and those right below it.
    """
    rows = list(found.rows)
    if part.by is Breakdown.REGION:
        top = rows[0]
        below = [row for row in rows[1:] if row.parent == top.region]
        return [top, *sorted(below, key=lambda row: -_length(row))]
    if part.is_ordered:
        return rows
    return sorted(rows, key=lambda row: -_length(row))


def _length(row: Row) -> int:
    return row.values[0] or 0


def _lines(
    found: Numbers, rows: Sequence[Row], part: Part, *, language: Language, _: Translate
) -> list[GroupLine]:
    is_by_region = part.by is Breakdown.REGION
    longest = max((_length(row) for row in rows[is_by_region:]), default=0) or 1
    lines = []
    for place, row in enumerate(rows):
        is_whole = is_by_region and place == 0
        width = 0 if is_whole else _length(row) * _BAR_PERCENT_MAX // longest
        shares = words.shares(_evidence(found, row)) if part.has_evidence else (100, 0, 0)
        scanned, confirmed = width * shares[0] // 100, width * shares[1] // 100
        has_below = is_by_region and not is_whole and row.level != Level.VILLAGE
        lines.append(
            GroupLine(
                name=_row_name(row, part.by, _),
                url=groups_url(
                    _name_of(part),
                    region=row.region,
                    definition=found.definition,
                    window=found.window,
                )
                if has_below
                else "",
                cells=[
                    _value_words(each, row.values[at], language=language, _=_)
                    for at, each in enumerate(part.metrics)
                ],
                scanned_width=scanned,
                confirmed_width=confirmed,
                declared_width=width - scanned - confirmed,
                shares=evidence_shares(_evidence(found, row)) if part.has_evidence else None,
                is_whole=is_whole,
            )
        )
    return lines


def _name_of(part: Part) -> str:
    return next(name for name, each in PARTS.items() if each is part)


def _evidence(found: Numbers, row: Row) -> tuple[int, int, int]:
    scanned, confirmed, declared = (max(found.value(row, each) or 0, 0) for each in _MINUTES)
    return scanned, confirmed, declared


def _row_name(row: Row, by: Breakdown, _: Translate) -> str:
    match by:
        case Breakdown.FIELD:
            return _(f"service_field.{row.key}")
        case Breakdown.ORGANIZATION:
            return row.name or _("外县的组织，或没有写明")
        case Breakdown.AGE:
            if row.key == "unknown":
                return _("没有说年龄")
            first, _dash, last = row.key.partition("-")
            if int(last) == AGE_BANDS[-1][1]:
                return _("{age} 岁以上", age=first)
            return _("{first}–{last} 岁", first=first, last=last)
        case Breakdown.ROLE:
            return _(f"standing.{row.key}")
        case _:
            return row.key or row.name


def _value_words(name: str, value: Value, *, language: Language, _: Translate) -> str:
    if value is None:
        return _("不知道")
    match METRICS[name].unit:
        case MetricUnit.MINUTES:
            return words.hours(value, language=language)
        case MetricUnit.PER_10K:
            return words.percent(value, 10_000)
        case _:
            return words.count(value)


def _table(
    found: Numbers, name: str, *, _: Translate
) -> tuple[list[Sequence[spreadsheet.Cell]], list[tuple[str, str]]]:
    """Return a part as a table of plain numbers, and what it was made of."""
    part, metrics = PARTS[name], _asked(PARTS[name])
    unknown = _("不知道")
    heads = [
        _("行政区划代码"),
        _(f"part.{name}.axis"),
        *(
            _(
                "{metric}（{unit}）",
                metric=_(METRICS[each].label),
                unit=_(f"metric.unit.{METRICS[each].unit.value}"),
            )
            for each in metrics
        ),
    ]
    rows = [
        (
            str(row.region),
            _row_name(row, part.by, _),
            *(unknown if value is None else value for value in row.values),
        )
        for row in (found.rows if part.by is Breakdown.REGION else _rows(found, part))
    ]
    definition = found.definition
    about = [
        (_("时间"), str(found.window)),
        (_("口径"), definition.id),
        (_("口径生效日期"), definition.valid_from.isoformat()),
        (_("口径指纹"), definition.hash),
        (
            _("截至账本"),
            "; ".join(f"{each.book}:{each.seq}" for each in found.as_of_books),
        ),
    ]
    return [heads, *rows], about


def until_last_month(year: int, today: date) -> Window | None:
    """Return the complete months of a year from January on; None where there is none yet."""
    if year < today.year:
        return Window.of_year(year)
    if year > today.year or today.month == 1:
        return None
    month = Window.of_month(year, today.month - 1)
    return Window.of_campaign(date(year, 1, 1), month.last_on)
