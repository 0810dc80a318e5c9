"""What the office's pages of numbers share: the place, the year, the definition, the view."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from timebank.domain import region as divisions
from timebank.domain.definition import Definition, definition_on
from timebank.domain.scope import Scope
from timebank.domain.window import WindowKind
from timebank.services.errors import NotFoundError
from timebank.store.definitions import ACTIVE_RATE
from timebank.web.catalog import Language, Translate
from timebank.web.parts import Link

_YEARS_SHOWN = 3
"""How many years the switch offers: this one, the last complete one, and one to compare with."""

VIEWS = (
    ("overview", "/district"),
    ("course", "/district/course"),
    ("compare", "/district/compare"),
)
"""The views of the numbers, in the order of their tabs."""


TEMPLATES = (
    "district/overview.html",
    "district/course.html",
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


def view_url(view: str, *, region: int, year: int, definition: Definition) -> str:
    """Return the address of a view; what is usual is left out."""
    query: dict[str, object] = {"region": region, "year": year}
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
) -> DistrictHead:
    """Return the head of a view of a division, given with those above it."""
    name, region = path[-1]
    labels = {"overview": _("概况"), "course": _("走势"), "compare": _("比较")}
    return DistrictHead(
        region=name,
        crumbs=[
            Link(
                label=label,
                url=view_url(view, region=code, year=year, definition=definition),
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
                url=view_url(view, region=region, year=year, definition=each),
                is_current=each.id == definition.id,
            )
            for each in offered_definitions(known, on=date(this_year, 12, 31))
            if each.window is WindowKind.YEAR
        ],
    )
