"""What the office's pages of numbers share: the place, the year, the definition, the view."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain import region as divisions
from timebank.domain.definition import Definition, definition_on
from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind, parse_window
from timebank.queries.course import read_course
from timebank.services.errors import NotFoundError
from timebank.store.definitions import ACTIVE_RATE
from timebank.web.catalog import Language, Translate
from timebank.web.parts import Choice, Link
from timebank.web.publication_words import window_words

_YEARS_SHOWN = 3
"""How many years the switch offers: this one, the last complete one, and one to compare with."""

_YEARS_BACK_MAX = 3
"""How many complete years are looked through for one with any service."""

_YEARS_OFFERED = 5
_QUARTERS_OFFERED = 8
_MONTHS_OFFERED = 12

VIEWS = (
    ("overview", "/district"),
    ("course", "/district/course"),
    ("groups", "/district/groups"),
    ("compare", "/district/compare"),
)
"""The views of the numbers, in the order of their tabs."""


TEMPLATES = (
    "district/overview.html",
    "district/course.html",
    "district/groups.html",
    "district/compare.html",
    "district/publications.html",
)
"""Of these views, and of what is published from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictHead:
    """What stands above every view of the numbers.

    Attributes:
        crumbs: From the actor's own region down to this one; the last is current.
        definitions: Every definition of a year, the chosen one current.
    """

    region: str
    crumbs: Sequence[Link]
    views: Sequence[Link]
    years: Sequence[Link]
    year: str
    definition: str
    definitions: Sequence[Link]


def narrowed(office_scope: Scope, region: str | None) -> Scope:
    """Return the part of an office's scope that an address names.

    Raises:
        NotFoundError: It lies outside, or is no division.
    """
    if region is None:
        return office_scope
    try:
        scope = office_scope.narrowed(divisions.parse_code(region))
    except ValueError:
        scope = None
    if scope is None:
        raise NotFoundError
    return scope


def chosen_definition(known: Iterable[Definition], name: str | None, *, on: date) -> Definition:
    """Return one of the known definitions by its name, the usual one without a name.

    Raises:
        NotFoundError: Nothing is defined so.
    """
    found = definition_on(known, name or ACTIVE_RATE, on=on)
    if found is None:
        raise NotFoundError
    return found


def offered_definitions(known: Sequence[Definition], *, on: date) -> list[Definition]:
    """Return what each known definition says on a day."""
    names = dict.fromkeys(each.id for each in known)
    found = (definition_on(known, name, on=on) for name in names)
    return [each for each in found if each is not None]


async def newest_year(
    conn: AsyncConnection, scope: Scope, definition: Definition, *, this_year: int
) -> int:
    """Return the last complete year with any service, else the one going on."""
    for year in range(this_year - 1, this_year - 1 - _YEARS_BACK_MAX, -1):
        course = await read_course(conn, scope=scope, definition=definition, year=year)
        if course is not None and course.days:
            return year
    return this_year


def asked_window(period: str | None, first: str | None, last: str | None) -> Window | None:
    """Return the period that an address names, or the days of a form; None where it names none.

    Raises:
        NotFoundError: It is no period.
    """
    try:
        if first and last:
            one, other = sorted((date.fromisoformat(first), date.fromisoformat(last)))
            return Window.of_campaign(one, other)
        return parse_window(period) if period else None
    except ValueError:
        raise NotFoundError from None


def offered_windows(today: date, chosen: Window) -> list[Window]:
    """Return the periods that are offered, newest first, the chosen one always among them."""
    years = [Window.of_year(today.year - back) for back in range(_YEARS_OFFERED)]
    quarter = today.year * 4 + (today.month - 1) // 3
    quarters = [
        Window.of_quarter((quarter - back) // 4, (quarter - back) % 4 + 1)
        for back in range(_QUARTERS_OFFERED)
    ]
    month = today.year * 12 + today.month - 1
    months = [
        Window.of_month((month - back) // 12, (month - back) % 12 + 1)
        for back in range(_MONTHS_OFFERED)
    ]
    offered = [*years, Window.of_twelve_months(today), Window.ever(today), *quarters, *months]
    return offered if chosen in offered else [chosen, *offered]


def period_choices(
    today: date, chosen: Window, *, language: Language, _: Translate
) -> list[Choice]:
    """Return the periods that a form offers."""
    return [
        Choice(
            value=str(each),
            label=window_words(each, language=language, _=_),
            is_selected=each == chosen,
        )
        for each in offered_windows(today, chosen)
    ]


def view_url(
    view: str,
    *,
    region: int,
    year: int,
    definition: Definition,
    more: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the address of a view; what is usual is left out."""
    query: dict[str, object] = {"region": region, "year": year, **more}
    if definition.id != ACTIVE_RATE:
        query["definition"] = definition.id
    return f"{dict(VIEWS)[view]}?{urlencode(query)}"


def district_head(
    view: str,
    *,
    path: Sequence[tuple[str, int]],
    year: int,
    this_year: int,
    definition: Definition,
    known: Sequence[Definition],
    language: Language,
    _: Translate,
    more: Mapping[str, str] = MappingProxyType({}),
) -> DistrictHead:
    """Return the head of a view of a division, given with those above it.

    `more` is what else the view is asked with, and stays when place or definition change.
    """
    name, region = path[-1]
    labels = {
        "overview": _("概况"),
        "course": _("走势"),
        "groups": _("分组"),
        "compare": _("比较"),
    }
    return DistrictHead(
        region=name,
        crumbs=[
            Link(
                label=label,
                url=view_url(view, region=code, year=year, definition=definition, more=more),
                is_current=code == region,
            )
            for label, code in path
        ],
        views=[
            Link(
                label=labels[each],
                url=view_url(each, region=region, year=year, definition=definition),
                is_current=each == view,
            )
            for each, _url in VIEWS
        ],
        years=[
            Link(
                label=str(each),
                url=view_url(view, region=region, year=each, definition=definition),
                is_current=each == year,
            )
            for each in sorted({year, *range(this_year - _YEARS_SHOWN + 1, this_year + 1)})
        ],
        year=str(year),
        definition=definition.name[language],
        definitions=[
            Link(
                label=each.name[language],
                url=view_url(view, region=region, year=year, definition=each, more=more),
                is_current=each.id == definition.id,
            )
            for each in offered_definitions(known, on=date(this_year, 12, 31))
            if each.window is WindowKind.YEAR
        ],
    )
