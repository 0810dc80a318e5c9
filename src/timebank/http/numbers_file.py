"""Numbers as a file, for whoever asks and for whoever is sent them."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from timebank.http import spreadsheet
from timebank.http.file_format import Format
from timebank.ledger.export_formats import LibraryMissingError
from timebank.queries.numbers import Numbers, Row


def numbers_file(numbers: Numbers, asked: Format) -> bytes:
    """Return numbers in a form, with what they were made of.

    Raises:
        LibraryMissingError: The form needs a library that is not installed.
    """
    match asked:
        case Format.JSON:
            return json.dumps(_as_json(numbers), ensure_ascii=False).encode()
        case Format.CSV:
            # A table of its own: what it was made of stands in each row.
            about = {name: _text(value) for name, value in _about(numbers).items()}
            return spreadsheet.to_csv(
                [
                    (*_columns(numbers), *about),
                    *((*row, *about.values()) for row in _rows(numbers)),
                ]
            )
        case Format.XLSX:
            sheets: dict[str, Iterable[Sequence[spreadsheet.Cell]]] = {
                "numbers": [_columns(numbers), *_rows(numbers)],
                "about": [(name, _text(value)) for name, value in _about(numbers).items()],
            }
            return spreadsheet.to_xlsx(sheets)
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


_TEXTS = ("region", "name", "level", "key", "residents_as_of")


def _columns(numbers: Numbers) -> tuple[str, ...]:
    return (
        "region",
        "name",
        "level",
        "key",
        "residents",
        "residents_as_of",
        "residents_is_estimate",
        *(each.name for each in numbers.metrics),
    )


def _values(row: Row) -> tuple[str | int | None, ...]:
    found = row.residents
    return (
        str(row.region),
        row.name,
        row.level,
        row.key,
        None if found is None else found.count,
        None if found is None else found.as_of.isoformat(),
        None if found is None else int(found.is_estimate),
        *row.values,
    )


def _rows(numbers: Numbers) -> list[tuple[str | int, ...]]:
    """Return rows for a sheet, in which a number that there is none of is an empty cell."""
    return [tuple("" if each is None else each for each in _values(row)) for row in numbers.rows]


def _text(value: object) -> str:
    """Return what numbers were made of as the text of a cell."""
    if isinstance(value, Mapping):
        return "; ".join(f"{book}:{seq}" for book, seq in value.items())
    return ",".join(value) if isinstance(value, list) else str(value)


def _as_parquet(numbers: Numbers) -> bytes:
    try:
        # An optional library without types, asked for by this format alone.
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise LibraryMissingError("pyarrow") from None
    rows = [_values(row) for row in numbers.rows]
    schema = arrow.schema(
        [(each, arrow.string() if each in _TEXTS else arrow.int64()) for each in _columns(numbers)],
        metadata={key: _text(value) for key, value in _about(numbers).items()},
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
