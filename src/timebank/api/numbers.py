"""`GET /api/numbers`: any metric of any division, by any definition, over any days."""

import io
import json
from importlib import import_module
from typing import Annotated, Any

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

from timebank.api.format import Format, parse_format
from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.as_of import UnknownStateError, parse_as_of
from timebank.domain.metric import METRICS, Breakdown
from timebank.domain.window import Window, parse_window
from timebank.http import conditional, spreadsheet
from timebank.http.providers import Db, OfficeScope, TimebankRequest
from timebank.ledger.export_formats import LibraryMissingError
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services.errors import NotFoundError
from timebank.store.definitions import find_definition

METRICS_MAX = 20
"""How many metrics one request may name."""

_TEXT = QueryParameter(max_length=60)


@get("/numbers", rule=Act.SEE_REPORTS, summary="Metrics of divisions, by a named definition")
async def show_numbers(
    request: TimebankRequest,
    office_scope: OfficeScope,
    db: Db,
    metrics: Annotated[str, QueryParameter(max_length=600)],
    window: Annotated[str, _TEXT],
    definition: Annotated[str, _TEXT] = "active-rate.residents.any-hour",
    by: Annotated[str, _TEXT] = Breakdown.REGION,
    region: Annotated[str | None, QueryParameter(max_length=12)] = None,
    as_of: Annotated[str | None, _TEXT] = None,
    media: Annotated[str, QueryParameter(name="format", max_length=10)] = Format.JSON,
) -> Response[Any]:
    """Return metrics, separated by commas, of a division and of all below it.

    `window` is such as `2024`, `2024-Q3`, `2024-03`, `12m..2024-06-30` or
    `2024-03-01..2024-03-31`. `as_of` is the number of an entry, or an instant with its zone: the
    numbers as they were then. What each metric counts is in `/dictionary`. A number that there is
    none of is null, never 0.
    """
    asked = parse_format(media)
    days = _window(window)
    names = metrics.split(",")
    if len(names) > METRICS_MAX or len(set(names)) < len(names) or not set(names) <= set(METRICS):
        raise ValidationException(f"metrics are some of {', '.join(METRICS)}")
    try:
        rows_by = Breakdown(by)
        state = None if as_of is None else parse_as_of(as_of)
        scope = (
            office_scope if region is None else office_scope.narrowed(divisions.parse_code(region))
        )
    except ValueError:
        raise ValidationException("by, as_of or region is not understood") from None
    meant = find_definition(definition, on=days.last_on)
    if scope is None or meant is None:
        raise NotFoundError
    try:
        async with db.read() as conn:
            found = await read_numbers(
                conn,
                scope=scope,
                metrics=names,
                definition=meant,
                window=days,
                by=rows_by,
                as_of=state,
            )
    except UnknownStateError:
        raise NotFoundError from None
    except ValueError as error:
        raise ValidationException(str(error)) from None
    if found is None:
        raise NotFoundError
    return conditional.answer(request, _written(found, asked), media_type=asked.media_type)


def _window(text: str) -> Window:
    try:
        return parse_window(text)
    except ValueError:
        raise ValidationException("window is such as 2024, 2024-Q3, 2024-03") from None


def _written(numbers: Numbers, asked: Format) -> bytes:
    match asked:
        case Format.JSON:
            return json.dumps(_as_json(numbers), ensure_ascii=False).encode()
        case Format.CSV:
            return spreadsheet.to_csv([_columns(numbers), *_rows(numbers)])
        case Format.XLSX:
            about = [(key, str(value)) for key, value in _about(numbers).items()]
            return spreadsheet.to_xlsx(
                {"numbers": [_columns(numbers), *_rows(numbers)], "about": about}
            )
        case Format.PARQUET:
            return _as_parquet(numbers)


def _about(numbers: Numbers) -> dict[str, object]:
    """Return what the numbers were made of: with it they can be made again."""
    return {
        "definition": numbers.definition.id,
        "definition_valid_from": numbers.definition.valid_from.isoformat(),
        "definition_hash": numbers.definition.hash,
        "window": str(numbers.window),
        "by": numbers.by.value,
        "as_of": {str(each.book): each.seq for each in numbers.as_of_books},
    }


def _as_json(numbers: Numbers) -> dict[str, object]:
    return {
        **_about(numbers),
        "metrics": [{"name": each.name, "unit": each.unit.value} for each in numbers.metrics],
        "rows": [
            {
                "region": str(row.region),
                "name": row.name,
                "level": row.level,
                "key": row.key,
                "residents": None if row.residents is None else row.residents.count,
                "residents_as_of": None
                if row.residents is None
                else row.residents.as_of.isoformat(),
                "residents_is_estimate": None
                if row.residents is None
                else row.residents.is_estimate,
                "values": {
                    metric.name: value
                    for metric, value in zip(numbers.metrics, row.values, strict=True)
                },
            }
            for row in numbers.rows
        ],
    }


def _columns(numbers: Numbers) -> tuple[str, ...]:
    return ("region", "name", "level", "key", *(each.name for each in numbers.metrics))


def _rows(numbers: Numbers) -> list[tuple[str | int, ...]]:
    """Return rows for a sheet, in which a number that there is none of is an empty cell."""
    return [
        (
            str(row.region),
            row.name,
            row.level,
            row.key,
            *("" if value is None else value for value in row.values),
        )
        for row in numbers.rows
    ]


def _as_parquet(numbers: Numbers) -> bytes:
    try:
        # An optional library without types, asked for by this format alone.
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise LibraryMissingError("pyarrow") from None
    rows = [(str(row.region), row.name, row.level, row.key, *row.values) for row in numbers.rows]
    texts = ("region", "name", "level", "key")
    schema = arrow.schema(
        [(each, arrow.string() if each in texts else arrow.int64()) for each in _columns(numbers)],
        metadata={key: str(value) for key, value in _about(numbers).items()},
    )
    columns = [
        arrow.array(column, field.type)
        for column, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    output = io.BytesIO()
    parquet.write_table(arrow.table(columns, schema=schema), output, compression="zstd")
    return output.getvalue()
