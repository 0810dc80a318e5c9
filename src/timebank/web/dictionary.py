"""The data dictionary: what every column of the open interface means, for people and for programs.

Source: SDMX 3.0, section 2, for the roles of columns: dimension, measure, attribute.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from litestar import Response, get

from timebank.domain.metric import METRICS, Breakdown, Metric
from timebank.http.identity import PUBLIC
from timebank.http.providers import TimebankRequest
from timebank.store.definitions import list_definitions
from timebank.web import format as words
from timebank.web.catalog import LANGUAGES, Language, translator
from timebank.web.frame import language_of, show

ColumnRole = Literal["dimension", "measure", "attribute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryColumn:
    """One column.

    Attributes:
        role: A dimension says what the row is about, a measure is a number, an attribute says how
            numbers were made.
        kind: How it is written.
        unit: Of a measure; empty otherwise.
        adding: How a whole follows from its parts; empty where that is no question.
        over_time: How a year follows from its months; empty where that is no question.
        undefined: When there is no number; empty where that is no question.
        breakdowns: By what it can be asked for, as codes.
    """

    name: str
    role: ColumnRole
    kind: str
    unit: str
    meaning: str
    adding: str
    over_time: str = ""
    undefined: str = ""
    breakdowns: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryTable:
    """One table of the interface and the address it is read from."""

    title: str
    address: str
    columns: Sequence[DictionaryColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryDefinition:
    """One value of a definition."""

    id: str
    name: str
    since: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryPage:
    """What `public/dictionary.html` shows."""

    tables: Sequence[DictionaryTable]
    definitions: Sequence[DictionaryDefinition]
    json_url: str


@get("/dictionary", rule=PUBLIC)
async def show_dictionary(request: TimebankRequest) -> Response[Any]:
    """Show what every column means."""
    return show(request, "public/dictionary.html", _page(language_of(request)))


@get("/dictionary.json", rule=PUBLIC)
async def show_dictionary_json() -> dict[str, Any]:
    """Return the dictionary for a program, in every language."""
    return {language: asdict(_page(language)) for language in LANGUAGES}


_ENTRY_COLUMNS: Sequence[tuple[str, ColumnRole, str]] = (
    ("seq", "dimension", "integer"),
    ("key", "dimension", "uuid"),
    ("kind", "dimension", "code"),
    ("unit", "dimension", "code"),
    ("credit", "dimension", "code"),
    ("debit", "dimension", "code"),
    ("amount", "measure", "integer"),
    ("effective_at", "dimension", "instant"),
    ("recorded_at", "attribute", "instant"),
    ("volunteer", "dimension", "integer"),
    ("assurance", "attribute", "code"),
    ("measured", "attribute", "code"),
    ("activity_book", "dimension", "integer"),
    ("activity", "dimension", "integer"),
    ("shift", "dimension", "integer"),
    ("field", "dimension", "code"),
    ("place", "dimension", "code"),
    ("reverses", "attribute", "integer"),
)
"""The columns of entries in their order; a test holds them to what is sent."""

_ROW_COLUMNS: Sequence[tuple[str, ColumnRole, str]] = (
    ("region", "dimension", "code"),
    ("name", "attribute", "text"),
    ("level", "attribute", "code"),
    ("key", "dimension", "text"),
    ("residents", "attribute", "integer"),
    ("residents_as_of", "attribute", "date"),
    ("residents_is_estimate", "attribute", "boolean"),
    ("definition", "attribute", "code"),
    ("definition_valid_from", "attribute", "date"),
    ("definition_hash", "attribute", "text"),
    ("window", "dimension", "text"),
    ("by", "dimension", "code"),
    ("as_of", "attribute", "integer"),
    ("not_repeatable", "attribute", "text"),
)


def _page(language: Language) -> DictionaryPage:
    _ = translator(language)

    def column(table: str, name: str, role: ColumnRole, kind: str) -> DictionaryColumn:
        return DictionaryColumn(
            name=name,
            role=role,
            kind=_(f"column.kind.{kind}"),
            unit="",
            meaning=_(f"column.{table}.{name}"),
            adding="",
        )

    def measure(metric: Metric) -> DictionaryColumn:
        return DictionaryColumn(
            name=metric.name,
            role="measure",
            kind=_("column.kind.integer"),
            unit=_(f"metric.unit.{metric.unit.value}"),
            meaning=_(metric.sentence),
            adding=_(f"column.adding.{metric.over_regions.value}"),
            over_time=_(f"column.over_time.{metric.over_time.value}"),
            undefined=_(f"metric.undefined.{metric.undefined.value}"),
            breakdowns=[each.value for each in Breakdown if each in metric.breakdowns],
        )

    return DictionaryPage(
        tables=[
            DictionaryTable(
                title=_("各项数字"),
                address="/api/numbers",
                columns=[
                    *(column("numbers", *each) for each in _ROW_COLUMNS),
                    *(measure(each) for each in METRICS.values()),
                ],
            ),
            DictionaryTable(
                title=_("账本里的记录"),
                address="/api/entries",
                columns=[column("entries", *each) for each in _ENTRY_COLUMNS],
            ),
        ],
        definitions=[
            DictionaryDefinition(
                id=each.id,
                name=each.name[language],
                since=words.full_day(each.valid_from, language=language),
                source=each.source,
                digest=each.hash[:16],
            )
            for each in list_definitions()
        ],
        json_url="/dictionary.json",
    )
