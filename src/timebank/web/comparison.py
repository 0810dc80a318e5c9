"""The office's page of two numbers side by side: any two periods, divisions or definitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.actor import Act
from timebank.domain.definition import Definition
from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind
from timebank.http.providers import Kitted, Now, OfficeScope, TimebankRequest
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services.errors import NotFoundError
from timebank.store.definitions import list_definitions_of
from timebank.store.regions import list_children, list_path
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.district_frame import (
    DistrictHead,
    asked_window,
    chosen_definition,
    district_head,
    narrowed,
    newest_year,
    offered_definitions,
    period_choices,
)
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, EvidenceShares
from timebank.web.publication_words import (
    definition_sentence,
    is_of_residents,
    rate_words,
    residents_words,
    window_words,
)

_METRICS = (
    "active_rate",
    "active",
    "registered",
    "services",
    "minutes",
    "minutes_scanned",
    "minutes_confirmed",
    "minutes_declared",
)

_Text = Annotated[str | None, QueryParameter(max_length=100)]
_Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side of the comparison is of."""

    regions: Sequence[Choice]
    periods: Sequence[Choice]
    definitions: Sequence[Choice]
    title: str
    period: str
    definition: str
    sentence: str
    shares: EvidenceShares


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """One number on both sides.

    Attributes:
        change: How far the left is above the right; empty where that says nothing.
        is_main: The number that the page is about.
    """

    name: str
    left: str
    right: str
    change: str
    is_main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPage:
    """What `district/compare.html` shows.

    Attributes:
        caution: Why the two are not like for like, one sentence; empty where they are.
    """

    head: DistrictHead
    left: Side
    right: Side
    lines: Sequence[ComparedLine]
    caution: str
    as_of: str


@get("/district/compare", rule=Act.SEE_REPORTS)
async def show_comparison(
    request: TimebankRequest,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    region: _Text = None,
    year: _Year = None,
    definition: _Text = None,
    period: _Text = None,
    region_b: _Text = None,
    period_b: _Text = None,
    definition_b: _Text = None,
    first: _Text = None,
    last: _Text = None,
    first_b: _Text = None,
    last_b: _Text = None,
) -> Response[Any]:
    """Show two numbers side by side; without a right side, the same of the year before."""
    language, _ = language_of(request), translate_of(request)
    today = words.local_day(now)
    left_scope = narrowed(office_scope, region)
    right_scope = narrowed(office_scope, region_b) if region_b else left_scope
    left_window = asked_window(period, first, last)
    right_window = asked_window(period_b, first_b, last_b)
    async with kit.db.read() as conn:
        path = await list_path(conn, code=left_scope.region)
        known = await list_definitions_of(conn, region=left_scope.region)
        left_definition = chosen_definition(known, definition, on=today)
        right_definition = (
            chosen_definition(known, definition_b, on=today) if definition_b else left_definition
        )
        if left_window is None:
            left_window = Window.of_year(
                year or await newest_year(conn, left_scope, left_definition, this_year=today.year)
            )
        right_window = right_window or left_window.a_year_before()
        sides = [
            await read_numbers(conn, scope=scope, metrics=_METRICS, definition=which, window=window)
            for scope, which, window in (
                (left_scope, left_definition, left_window),
                (right_scope, right_definition, right_window),
            )
        ]
        own = await list_path(conn, code=office_scope.region)
        offered = [
            (each.code, each.name)
            for each in [
                own[-1],
                *await list_children(conn, code=office_scope.region),
                *(each for each in path if each.code not in {office_scope.region}),
                *(
                    await list_children(conn, code=left_scope.region)
                    if left_scope.region != office_scope.region
                    else []
                ),
            ]
            if office_scope.covers(each.code)
        ]
        right_path = await list_path(conn, code=right_scope.region)
    left, right = sides
    if left is None or right is None or not path or not right_path:
        raise NotFoundError
    offered += [(right_path[-1].code, right_path[-1].name)]
    regions = dict(offered)
    return show(
        request,
        "district/compare.html",
        ComparisonPage(
            head=district_head(
                "compare",
                path=[(each.name, each.code) for each in path if office_scope.covers(each.code)],
                year=left_window.last_on.year,
                this_year=today.year,
                definition=left_definition,
                known=known,
                language=language,
                _=_,
            ),
            left=_side(left, left_scope, regions, known, today=today, language=language, _=_),
            right=_side(right, right_scope, regions, known, today=today, language=language, _=_),
            lines=_lines(left, right, language=language, _=_),
            caution=_caution(left, right, today=today, _=_),
            as_of=words.count(left.as_of_books[0].seq),
        ),
    )


def _side(
    found: Numbers,
    scope: Scope,
    regions: dict[int, str],
    known: Sequence[Definition],
    *,
    today: date,
    language: Language,
    _: Translate,
) -> Side:
    top = found.rows[0]
    definition: Definition = found.definition
    return Side(
        regions=[
            Choice(value=str(code), label=name, is_selected=code == scope.region)
            for code, name in regions.items()
        ],
        periods=period_choices(today, found.window, language=language, _=_),
        definitions=[
            Choice(
                value=each.id,
                label=each.name[language],
                is_selected=each.id == definition.id,
            )
            for each in offered_definitions(known, on=today)
        ],
        title=top.name,
        period=window_words(found.window, language=language, _=_),
        definition=definition.name[language],
        sentence=definition_sentence(definition.said(), found.window, language=language, _=_),
        shares=evidence_shares(
            (
                found.value(top, "minutes_scanned") or 0,
                found.value(top, "minutes_confirmed") or 0,
                found.value(top, "minutes_declared") or 0,
            )
        ),
    )


def _lines(
    left: Numbers, right: Numbers, *, language: Language, _: Translate
) -> list[ComparedLine]:
    a, b = left.rows[0], right.rows[0]
    unknown = _("不知道")
    rates = [
        (found.value(row, "active_rate"), found.definition.said())
        for found, row in ((left, a), (right, b))
    ]

    def rate(at: int) -> str:
        value, said = rates[at]
        text = rate_words(value, said)
        return f"{text} {_('/ 万人')}" if text and is_of_residents(said) else text or unknown

    is_alike = rates[0][1]["per"] == rates[1][1]["per"]
    lines = [
        ComparedLine(
            name=_("活跃率"),
            left=rate(0),
            right=rate(1),
            change=_change(rates[0][0], rates[1][0], _) if is_alike else "",
            is_main=True,
        )
    ]
    for name, label in (
        ("active", _("活跃志愿者")),
        ("registered", _("注册志愿者")),
        ("services", _("服务人次")),
    ):
        x, y = left.value(a, name), right.value(b, name)
        lines.append(
            ComparedLine(
                name=label,
                left=words.count(x or 0),
                right=words.count(y or 0),
                change=_change(x, y, _),
            )
        )
    x, y = left.value(a, "minutes"), right.value(b, "minutes")
    lines.append(
        ComparedLine(
            name=_("服务时间"),
            left=words.hours(x or 0, language=language),
            right=words.hours(y or 0, language=language),
            change=_change(x, y, _),
        )
    )
    lines.append(
        ComparedLine(
            name=_("常住人口"),
            left=residents_words(a.residents) or unknown,
            right=residents_words(b.residents) or unknown,
            change="",
        )
    )
    return lines


def _change(left: int | None, right: int | None, _: Translate) -> str:
    """Return how far the left is above the right, in percent of the right."""
    if left is None or not right:
        return ""
    if left == right:
        return _("一样")
    share = words.percent(abs(left - right), right)
    return f"+{share}" if left > right else f"\N{MINUS SIGN}{share}"


def _caution(left: Numbers, right: Numbers, *, today: date, _: Translate) -> str:
    if left.definition.id != right.definition.id:
        return _("两边的口径不同：差别里有一部分是口径带来的。")
    if left.window.kind is not right.window.kind:
        return _("两边的时间长短不同：差别里有一部分是时间带来的。")
    if WindowKind.EVER not in (left.window.kind, right.window.kind) and (
        left.window.last_on >= today or right.window.last_on >= today
    ):
        return _("有一边还没有过完：差别里有一部分是日子还没到。")
    return ""
