"""Numbers as a file, for whoever asks and for whoever is sent them."""

import io
import json
from importlib import import_module
from typing import Any

from timebank.http import spreadsheet
from timebank.http.file_format import Format
from timebank.ledger.export_formats import LibraryMissingError
from timebank.queries.numbers import Numbers


def numbers_file(numbers: Numbers, asked: Format) -> bytes:
    """Return numbers in a form, with what they were made of.

    Raises:
        LibraryMissingError: The form needs a library that is not installed.
    """
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
        "not_repeatable": list(numbers.not_repeatable),
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


def named_file(numbers: Numbers, form: str) -> tuple[bytes, str]:
    """Return numbers in a form that was named, and its media type.

    Raises:
        ValueError: There is no such form.
        LibraryMissingError: The form needs a library that is not installed.
    """
    asked = Format(form)
    return numbers_file(numbers, asked), asked.media_type
