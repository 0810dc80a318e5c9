"""Rows as PostgreSQL's binary `COPY` takes and gives them, without touching each value.

Source: PostgreSQL documentation, COPY, "Binary Format".
"""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

CopiedColumns = Sequence[tuple[str, str]]
"""Columns of a table, each with its form as NumPy names it."""

EPOCH = (datetime(2000, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
    microseconds=1
)
"""The server counts microseconds from 2000; everybody else from 1970."""

_BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = struct.pack(">i", -1)

_ARRAY = struct.Struct(">iiiIii")
"""An array begins with its length, dimensions, nulls, type, items and the first one's number."""

_INT4, _INT4_BYTES = 23, 4
_ITEM = np.dtype([("length", ">i4"), ("value", ">i4")])


def names(columns: CopiedColumns) -> list[str]:
    """Return the names of columns."""
    return [name for name, _ in columns]


def records(
    columns: CopiedColumns, count: int, values: Mapping[str, object], *, more: int = 0
) -> NDArray[Any]:
    """Return rows of columns none of which is null; `more` behind these are left to the caller."""
    made = np.empty(count, _record_type(columns))
    made["columns"] = len(columns) + more
    for name, form in columns:
        made[f"{name} length"] = np.dtype(form).itemsize
        made[name] = values[name]
    return made


def _record_type(columns: CopiedColumns) -> np.dtype[Any]:
    fields = [("columns", ">i2")]
    for name, form in columns:
        fields += [(f"{name} length", ">i4"), (name, form)]
    return np.dtype(fields)


def with_arrays(
    rows: NDArray[Any], *, items: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[bytes]:
    """Yield rows that end with an array of integers each: the next `counts` of `items`.

    Rows with equally many come together, for then they are equally long.
    """
    begins = np.cumsum(counts) - counts
    for count in np.unique(counts).tolist():
        chosen = np.flatnonzero(counts == count)
        made = np.empty(
            len(chosen),
            [
                ("row", f"V{rows.itemsize}"),
                ("array", f"V{_ARRAY.size}"),
                ("items", _ITEM, (count,)),
            ],
        )
        made["row"] = rows[chosen].view(f"V{rows.itemsize}")
        length = _ARRAY.size - _INT4_BYTES + count * _ITEM.itemsize
        made["array"] = np.void(_ARRAY.pack(length, 1, 0, _INT4, count, 1))
        made["items"]["length"] = _INT4_BYTES
        made["items"]["value"] = items[begins[chosen][:, None] + np.arange(count)]
        yield made.tobytes()


def with_null(rows: NDArray[Any]) -> Iterator[bytes]:
    """Yield rows that end with a null."""
    for row in rows.view(f"V{rows.dtype.itemsize}").tolist():
        yield row + _NULL


async def copy(
    driver: asyncpg.Connection, table: str, *, columns: Sequence[str], pieces: Sequence[bytes]
) -> None:
    """Copy rows into a table. Cost: one statement."""
    await driver.copy_to_table(
        table,
        source=io.BytesIO(b"".join([_BEGIN, *pieces, _END])),
        columns=columns,
        format="binary",
    )


async def read(
    driver: asyncpg.Connection, query: str, *values: object, columns: CopiedColumns
) -> NDArray[Any]:
    """Return the rows of a query, none of whose values is null, as records of its columns.

    Raises:
        ValueError: A value is null, or a column has another form.
    """
    content = io.BytesIO()
    await driver.copy_from_query(query, *values, output=content, format="binary")
    found = np.frombuffer(content.getbuffer()[len(_BEGIN) : -len(_END)], _record_type(columns))
    for name, form in columns:
        if (found[f"{name} length"] != np.dtype(form).itemsize).any():
            raise ValueError(f"{name} is null somewhere, or of another form")
    return found
