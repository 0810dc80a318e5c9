"""What the tree holds of many entries at once: the same forms as in `leaf`, column by column.

A record type stands for each form, byte by byte, so that a column is written or read in one step
and only the hashes are made one at a time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timebank.trust import leaf
from timebank.trust.merkle import HASH_BYTES

Columns = NDArray[Any]
"""One column, or the records that several make."""

_HEADER = [
    ("version", "u1"),
    ("leaf_kind", "u1"),
    ("book", ">u4"),
    ("seq", ">i8"),
    ("recorded_at", ">i8"),
]

ROW = np.dtype(
    [
        ("length", ">u2"),
        *_HEADER,
        ("key", "V16"),
        ("kind", ">i2"),
        ("unit", ">i2"),
        ("debit", ">i8"),
        ("credit", ">i8"),
        ("amount", ">i8"),
        ("effective_at", ">i8"),
        ("there", "u1"),
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
)
"""A row of the journal in its one binary form; instants in microseconds since 1970."""

_SALTED = np.dtype([("prefix", "S16"), ("debit", "V32"), ("credit", "V32"), ("place", ">u4, >i8")])
_COMMITTED = np.dtype([("salt", "V32"), ("row", ROW)])
_LEAF = np.dtype([("prefix", "u1"), *_HEADER, ("commitment", "V32")])

_AT_ONCE = 16_384
"""Entries whose forms are made at once: some megabytes, whatever the length of the list."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def blank_rows(count: int, *, book: int, first_seq: int, recorded_at: datetime) -> Columns:
    """Return rows of consecutive entries of a batch, of which everything else is still zero."""
    rows = np.zeros(count, ROW)
    rows["length"] = ROW.itemsize - 2
    rows["version"] = leaf.VERSION
    rows["leaf_kind"] = leaf.ENTRY
    rows["book"] = book
    rows["seq"] = np.arange(first_seq, first_seq + count)
    rows["recorded_at"] = (recorded_at - _EPOCH) // timedelta(microseconds=1)
    return rows


def commitments_of(rows: Columns, *, debit_secrets: Columns, credit_secrets: Columns) -> bytes:
    """Return the commitments of rows, 32 bytes each, in their order.

    `debit_secrets` and `credit_secrets` are records of 32 bytes, one per row.

    Cost: about one microsecond a row, nearly all of it the two hashes.
    """
    made: list[bytes] = []
    for span in _spans(len(rows)):
        part = rows[span]
        salted = np.empty(len(part), _SALTED)
        salted["prefix"] = leaf.SALT_PREFIX
        salted["debit"] = debit_secrets[span]
        salted["credit"] = credit_secrets[span]
        salted["place"]["f0"] = part["book"]
        salted["place"]["f1"] = part["seq"]
        committed = np.empty(len(part), _COMMITTED)
        committed["salt"] = np.frombuffer(_hashes(salted), "V32")
        committed["row"] = part
        made.append(_hashes(committed))
    return b"".join(made)


def leaf_hashes(rows: Columns, commitments: bytes) -> list[bytes]:
    """Return the leaf hashes of rows with these commitments."""
    held = np.frombuffer(commitments, "V32")
    made: list[bytes] = []
    for span in _spans(len(rows)):
        part = rows[span]
        leaves = np.zeros(len(part), _LEAF)
        for name, _ in _HEADER:
            leaves[name] = part[name]
        leaves["commitment"] = held[span]
        made += [sha256(each).digest() for each in _listed(leaves)]
    return made


def _hashes(records: Columns) -> bytes:
    return b"".join([sha256(each).digest() for each in _listed(records)])


def _listed(records: Columns) -> list[bytes]:
    found: list[bytes] = records.view(f"V{records.dtype.itemsize}").tolist()
    return found


def _spans(count: int) -> Iterator[slice]:
    for first in range(0, count, _AT_ONCE):
        yield slice(first, first + _AT_ONCE)


def records_of(hashes: bytes) -> Columns:
    """Return a run of 32-byte values as records."""
    return np.frombuffer(hashes, f"V{HASH_BYTES}")
