"""The office's page of what rates mean: what ships, what it decided itself, and a form for more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.db import Database
from timebank.domain.actor import Act
from timebank.domain.assurance import Assurance, Evidence
from timebank.domain.definition import (
    AgeBand,
    Definition,
    DefinitionRefusal,
    DefinitionRefused,
    Denominator,
    own_name,
)
from timebank.domain.scope import Scope
from timebank.domain.window import WindowKind, window_of
from timebank.http.providers import (
    Db,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.services.defining import decide_definitions
from timebank.services.errors import NotFoundError
from timebank.store.definitions import list_decided, list_definitions
from timebank.store.regions import find_region
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Field
from timebank.web.publication_words import definition_sentence
from timebank.web.typed import ShortText, typed_day

_WINDOWS = (
    WindowKind.YEAR,
    WindowKind.TWELVE_MONTHS,
    WindowKind.QUARTER,
    WindowKind.MONTH,
    WindowKind.EVER,
)
"""A campaign has days of its own, which a definition does not know."""

_SOURCE_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionCard:
    """One value of a definition.

    Attributes:
        place: The division that decided it; empty for one that ships.
    """

    id: str
    name: str
    sentence: str
    since: str
    source: str
    digest: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionsPage:
    """What `district/definitions.html` shows.

    Attributes:
        prefix: What every stable name of this division begins with.
        decide_url: Where the form is posted; empty for who may not decide.
    """

    region: str
    cards: Sequence[DefinitionCard]
    decide_url: str
    prefix: str
    slug: Field
    zh: Field
    en: Field
    windows: Sequence[Choice]
    minutes_above: Field
    services_min: Field
    evidence: Sequence[Choice]
    denominators: Sequence[Choice]
    first_age: Field
    last_age: Field
    valid_from: Field
    source: Field
    source_max: int
    error: str = ""


class DefinitionForm(msgspec.Struct):
    """A definition as the office typed it."""

    slug: ShortText = ""
    zh: ShortText = ""
    en: ShortText = ""
    window: ShortText = WindowKind.YEAR.value
    minutes_above: ShortText = "0"
    services_min: ShortText = "0"
    scanned: ShortText = ""
    confirmed: ShortText = ""
    declared: ShortText = ""
    denominator: ShortText = Denominator.RESIDENTS.value
    first_age: ShortText = ""
    last_age: ShortText = ""
    valid_from: ShortText = ""
    source: Annotated[str, msgspec.Meta(max_length=_SOURCE_MAX)] = ""

    @property
    def evidence(self) -> frozenset[Evidence]:
        """The classes that were ticked."""
        return frozenset(each for each in Evidence if getattr(self, each.value))


@get("/district/definitions", rule=Act.SEE_REPORTS)
async def show_definitions(
    request: TimebankRequest, actor: SignedInActor, office_scope: OfficeScope, db: Db, now: Now
) -> Response[Any]:
    """Show what rates mean here, and the form for another meaning."""
    today = words.local_day(now)
    form = DefinitionForm(
        scanned="yes", confirmed="yes", declared="yes", valid_from=today.isoformat()
    )
    page = await _page(
        request,
        db,
        office_scope,
        form,
        may_decide=actor.may(Act.PUBLISH_REPORTS),
        today=today,
    )
    return show(request, "district/definitions.html", page)


@post("/district/definitions", rule=Act.PUBLISH_REPORTS, status_code=200)
async def create_definition(
    request: TimebankRequest,
    data: URLEncodedBody[DefinitionForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Keep what the office decided a rate to mean."""
    today = words.local_day(now)
    read = _read(data, region=office_scope.region)
    refused = DefinitionRefusal.MALFORMED
    if read is not None:
        outcome = await decide_definitions(
            kit.db, scope=office_scope, asked=[read], today=today, person=actor.person, now=now
        )
        if not isinstance(outcome, DefinitionRefused):
            return Redirect("/district/definitions?done=definition_decided", status_code=303)
        refused = outcome.reason
    page = await _page(
        request, kit.db, office_scope, data, may_decide=True, today=today, refused=refused
    )
    return show(request, "district/definitions.html", page, status=422)


def _read(form: DefinitionForm, *, region: int) -> Definition | None:
    """Return the definition of a form; None where something is no number, day or choice."""
    try:
        denominator = Denominator(form.denominator)
        is_aged = denominator is Denominator.RESIDENTS_AGED
        return Definition(
            id=own_name(region, form.slug.strip()),
            valid_from=date.fromisoformat(form.valid_from),
            name={"zh": form.zh.strip(), "en": form.en.strip()},
            window=WindowKind(form.window),
            minutes_above=_number(form.minutes_above),
            services_min=_number(form.services_min),
            assurance_min=Assurance.A1 if form.evidence == {Evidence.SCANNED} else Assurance.A0,
            evidence=form.evidence,
            denominator=denominator,
            ages=AgeBand(_number(form.first_age), _number(form.last_age)) if is_aged else None,
            per=100 if denominator is Denominator.REGISTERED else 10_000,
            source=form.source.strip() or "?",
        )
    except ValueError:
        return None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ValueError("no whole number")
    return int(text)


async def _page(
    request: TimebankRequest,
    db: Database,
    scope: Scope,
    form: DefinitionForm,
    *,
    may_decide: bool,
    today: date,
    refused: DefinitionRefusal | None = None,
) -> DefinitionsPage:
    language, _ = language_of(request), translate_of(request)
    async with db.read() as conn:
        region = await find_region(conn, code=scope.region)
        decided = await list_decided(conn, region=scope.region)
        places = {each.region: await find_region(conn, code=each.region) for each in decided}
    if region is None:
        raise NotFoundError
    sentence = "" if refused is None else _(refused)

    def error_of(*reasons: DefinitionRefusal) -> str:
        return sentence if refused in reasons else ""

    def card(definition: Definition, place: str) -> DefinitionCard:
        return DefinitionCard(
            id=definition.id,
            name=definition.name[language],
            sentence=definition_sentence(
                definition.said(), window_of(definition.window, on=today), language=language, _=_
            ),
            since=words.full_day(definition.valid_from, language=language),
            source=definition.source,
            digest=definition.hash[:16],
            place=place,
        )

    named = {code: "" if each is None else each.name for code, each in places.items()}
    return DefinitionsPage(
        region=region.name,
        cards=[
            *(card(each.definition, named[each.region]) for each in decided),
            *(card(each, "") for each in list_definitions()),
        ],
        decide_url="/district/definitions" if may_decide else "",
        prefix=own_name(scope.region, ""),
        slug=Field(value=form.slug, error=error_of(DefinitionRefusal.NAME_MALFORMED)),
        zh=Field(value=form.zh, error=error_of(DefinitionRefusal.NAME_MISSING)),
        en=Field(value=form.en),
        windows=[
            Choice(
                value=each.value,
                label=_(f"definition.window.{each.value}"),
                is_selected=each.value == form.window,
            )
            for each in _WINDOWS
        ],
        minutes_above=Field(value=form.minutes_above),
        services_min=Field(value=form.services_min),
        evidence=[
            Choice(
                value=each.value,
                label=_(f"evidence.{each.value}"),
                is_selected=each in form.evidence,
            )
            for each in Evidence
        ],
        denominators=[
            Choice(
                value=each.value,
                label=_(f"definition.of.{each.value}"),
                is_selected=each.value == form.denominator,
            )
            for each in Denominator
        ],
        first_age=Field(value=form.first_age),
        last_age=Field(value=form.last_age),
        valid_from=Field(
            value=form.valid_from if typed_day(form.valid_from) else today.isoformat(),
            error=error_of(
                DefinitionRefusal.NOT_LATER,
                DefinitionRefusal.TOO_EARLY,
                DefinitionRefusal.TOO_LATE,
            ),
        ),
        source=Field(value=form.source, error=error_of(DefinitionRefusal.NO_SOURCE)),
        source_max=_SOURCE_MAX,
        error=error_of(DefinitionRefusal.MALFORMED),
    )
