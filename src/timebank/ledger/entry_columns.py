"""The entries of a batch column by column: as the tree commits to them, and as `COPY` takes them.

A long list is written in this form, whoever posts it: a column is one array, a table one binary
`COPY`, and nothing is made a value of the database driver on the way.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
from numpy.typing import NDArray

from timebank.domain.period import Month
from timebank.domain.transfer import Transfer
from timebank.ledger import binary_copy
from timebank.trust import leaf, leaf_columns, merkle

Integers = NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TRANSFER = [
    ("book_id", ">i4"),
    ("seq", ">i8"),
    ("recorded_at", ">i8"),
    ("key", "V16"),
    ("kind", ">i2"),
    ("unit", ">i2"),
    ("debit", ">i8"),
    ("credit", ">i8"),
    ("amount", ">i8"),
    ("effective_at", ">i8"),
    ("volunteer", ">i8"),
    ("assurance", ">i2"),
    ("measured", ">i2"),
    ("activity_book", ">i4"),
    ("activity", ">i8"),
    ("shift", ">i8"),
    ("field", ">i2"),
    ("place", ">i8"),
    ("reverses", ">i8"),
]
"""The journal's columns."""

_BIT = {
    "volunteer": leaf.THERE_VOLUNTEER,
    "assurance": leaf.THERE_SERVICE,
    "measured": leaf.THERE_SERVICE,
    "activity_book": leaf.THERE_ACTIVITY_BOOK,
    "activity": leaf.THERE_ACTIVITY,
    "shift": leaf.THERE_SHIFT,
    "field": leaf.THERE_SERVICE,
    "place": leaf.THERE_SERVICE,
    "reverses": leaf.THERE_REVERSES,
}
"""The bit that says whether a column is there."""

_STATE = [
    ("book_id", ">i4"),
    ("account", ">i8"),
    ("batch", ">i8"),
    ("debits", ">i8"),
    ("credits", ">i8"),
]
"""Without the places, whose length differs."""


def rows_of(
    transfers: Sequence[Transfer], *, book: int, first_seq: int, recorded_at: datetime
) -> leaf_columns.Columns | None:
    """Return the rows of consecutive entries.

    Shape: None where a value is there in some of them and not in others.

    Cost: about one microsecond a transfer.
    """
    keys, *plain, instants, volunteers, services, reversed_ = zip(*transfers, strict=True)
    columns = dict(zip(("kind", "unit", "debit", "credit", "amount"), plain, strict=True))
    there = leaf.THERE_SERVICE
    if None in services:
        if any(services):
            return None
        there = 0
    else:
        service_columns = zip(*services, strict=True)
        names = ("assurance", "measured", "activity_book", "activity", "shift", "field", "place")
        columns |= dict(zip(names, service_columns, strict=True))
    columns |= {"volunteer": volunteers, "reverses": reversed_}
    for name in ("volunteer", "activity_book", "activity", "shift", "reverses"):
        column = columns.get(name, (None,))
        if None not in column:
            there |= _BIT[name]
        elif column.count(None) == len(column):
            columns.pop(name, None)
        else:
            return None
    rows = leaf_columns.blank_rows(
        len(transfers), book=book, first_seq=first_seq, recorded_at=recorded_at
    )
    rows["key"] = np.frombuffer(b"".join(map(attrgetter("bytes"), keys)), "V16")
    known = {each: microseconds_of(each) for each in set(instants)}
    rows["effective_at"] = np.fromiter(map(known.__getitem__, instants), np.int64, len(rows))
    rows["there"] = there
    for name, column in columns.items():
        rows[name] = np.fromiter(column, np.int64, len(rows))
    return rows


def microseconds_of(at: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def seal(
    rows: leaf_columns.Columns,
    *,
    debit_secrets: leaf_columns.Columns,
    credit_secrets: leaf_columns.Columns,
    edge: bytes,
) -> tuple[bytes, bytes]:
    """Return the commitments of rows, and the edge of the tree with their leaves."""
    commitments = leaf_columns.commitments_of(
        rows, debit_secrets=debit_secrets, credit_secrets=credit_secrets
    )
    hashes = leaf_columns.leaf_hashes(rows, commitments)
    return commitments, merkle.extend(edge, int(rows["seq"][0]) - 1, hashes)


async def copy_entries(driver: asyncpg.Connection, rows: leaf_columns.Columns) -> None:
    """Write rows into the journal. Cost: one `COPY`."""
    there = int(rows["there"][0])
    columns = [(name, form) for name, form in _TRANSFER if there & _BIT.get(name, there)]
    values = {name: rows[name] for name, _ in columns if name != "book_id"}
    for instant in ("recorded_at", "effective_at"):
        values[instant] = rows[instant] - binary_copy.EPOCH
    made = binary_copy.records(columns, len(rows), {"book_id": rows["book"], **values})
    await binary_copy.copy(
        driver, "transfer", columns=binary_copy.names(columns), pieces=[made.tobytes()]
    )


async def copy_states(
    driver: asyncpg.Connection,
    *,
    book: int,
    batch: int,
    listing: Sequence[Integers],
    places: Integers,
    counts: Integers,
    others: Sequence[Integers],
) -> None:
    """Append the states of the accounts that a batch touched. Cost: one `COPY`.

    Args:
        driver: Where to write.
        book: Whose accounts.
        batch: Which batch.
        listing: Accounts, ascending, debits and credits of those whose states list their entries,
        places: the places of which in the batch lie in the same order,
        counts: so many of each.
        others: Accounts, debits and credits of those that are too busy to list theirs.
    """

    def states(columns: Sequence[Integers]) -> NDArray[Any]:
        accounts, debits, credits_ = columns
        values = {"account": accounts, "debits": debits, "credits": credits_}
        values |= {"book_id": book, "batch": batch}  # type: ignore[dict-item]
        return binary_copy.records(_STATE, len(accounts), values, more=1)

    await binary_copy.copy(
        driver,
        "account_state",
        columns=[*binary_copy.names(_STATE), "places"],
        pieces=[
            *binary_copy.with_arrays(states(listing), items=places, counts=counts),
            *binary_copy.with_null(states(others)),
        ],
    )


def sums_by_month(
    *,
    effective_at: Integers,
    volunteers: Integers,
    assurance: Integers,
    measured: Integers,
    minutes: Integers,
    sign: int,
    zone: ZoneInfo,
) -> list[list[int]]:
    """Return what services add to the roll-up, or take off with -1, in the order of its key.

    Shape: months, volunteers, assurance, measured, minutes and services, one of each per key.
    """
    months = _months_of(effective_at, zone)
    # One number orders the four, for month and evidence are small.
    keys = (months << 43) + (volunteers << 4) + (assurance << 2) + measured
    order = np.argsort(keys, kind="stable")
    _, begins, counts = np.unique(keys[order], return_index=True, return_counts=True)
    first = order[begins]
    return [
        months[first].tolist(),
        volunteers[first].tolist(),
        assurance[first].tolist(),
        measured[first].tolist(),
        (sign * np.add.reduceat(minutes[order], begins)).tolist(),
        (sign * counts).tolist(),
    ]


def _months_of(instants: Integers, zone: ZoneInfo) -> Integers:
    """Return the month of each instant where people live by a zone."""
    last = int(instants.max())
    month = Month.of(_EPOCH + timedelta(microseconds=int(instants.min())), zone=zone)
    numbers, ends = [month.number], [microseconds_of(month.period(zone=zone).end)]
    while ends[-1] <= last:
        month = month.next()
        numbers.append(month.number)
        ends.append(microseconds_of(month.period(zone=zone).end))
    return np.array(numbers, np.int64)[np.searchsorted(ends, instants, side="right")]
