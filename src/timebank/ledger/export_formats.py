"""How a book is written for hledger, for beancount, as CSV and as Parquet.

What an account was given is above zero and what was taken from it below: a volunteer's assets grow
as they serve, and the issuing account, an equity, shrinks by the same.

Source: hledger 1.25 manual, "Journal format"; beancount 3 language syntax; RFC 4180 for CSV.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, BinaryIO

from timebank.domain.transfer import AccountKind, TransferKind, Unit
from timebank.ledger.export import ReadAccount, ReadBook, ReadEntry, ReadUnit

FORMATS = ("hledger", "beancount", "csv", "parquet")

_COMMODITIES = {Unit.MINUTES: "MIN", Unit.CREDITS: "CREDIT", Unit.POINTS: "POINT", Unit.FEN: "FEN"}

_ROOTS = {
    AccountKind.ISSUING: "Equity:Issuing",
    AccountKind.VOLUNTEER: "Assets:Volunteer",
    AccountKind.POOL: "Assets:Pool",
    AccountKind.CLEARING: "Equity:Clearing",
    AccountKind.RECEIVABLE: "Liabilities:Receivable",
}

_DEEDS = {kind.value: kind.name.lower() for kind in TransferKind}


class LibraryMissingError(Exception):
    """A format needs a library that is not installed."""


def commodity(unit: int) -> str:
    """Return a unit's name in both plain-text formats; registered units by number, as `U100`."""
    return _COMMODITIES[Unit(unit)] if unit in _COMMODITIES else f"U{unit}"


def account_name(kind: int, owner: int, unit: int) -> str:
    """Return an account's name in both plain-text formats, such as `Assets:Volunteer:12:MIN`."""
    root = _ROOTS[AccountKind(kind)]
    return f"{root}:{owner}:{commodity(unit)}" if owner else f"{root}:{commodity(unit)}"


def _sides(entry: ReadEntry) -> tuple[str, str]:
    """Return the accounts that the entry gave to and took from."""
    return (
        account_name(entry.credit_kind, entry.credit_owner, entry.unit),
        account_name(entry.debit_kind, entry.debit_owner, entry.unit),
    )


class HledgerWriter:
    """A journal for `hledger check --strict`, which `ledger` reads too.

    Accounts and commodities are declared, and what each account holds is asserted at the end.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._book: ReadBook | None = None

    def begin(self, book: ReadBook, units: Sequence[ReadUnit]) -> None:
        """Write the commodities."""
        self._book = book
        self._write(
            f"; The time bank's book {book.book}, entries 1 to {book.seq}, days of {book.zone.key}",
            *(f"commodity 1. {_quoted(each.unit)}  ; {each.code}" for each in units),
        )

    def open_accounts(self, accounts: Sequence[ReadAccount]) -> None:
        """Write one `account` line each."""
        self._write(*(f"account {account_name(*each[:3])}" for each in accounts))

    def write_entries(self, entries: Sequence[ReadEntry]) -> None:
        """Write one transaction each, its number as the code."""
        if self._book is None:
            raise AssertionError("the book was not begun")
        zone = self._book.zone
        lines = []
        for each in entries:
            given, taken = _sides(each)
            deed = _DEEDS[each.kind]
            if each.reverses is not None:
                deed += f" of {each.reverses}"
            unit = _quoted(each.unit)
            day = each.effective_at.astimezone(zone).date()
            told = f"key {each.key}, recorded {each.recorded_at.isoformat()}"
            lines += [
                "",
                f"{day} ({each.seq}) {deed}  ; {told}",
                f"    {given}  {each.amount} {unit}",
                f"    {taken}  -{each.amount} {unit}",
            ]
        self._write(*lines)

    def assert_balances(self, accounts: Sequence[ReadAccount]) -> None:
        """Write a posting of nothing each, on the latest day, with its balance asserted."""
        if self._book is None:
            raise AssertionError("the book was not begun")
        lines = []
        for each in accounts:
            unit = _quoted(each.unit)
            lines += [
                "",
                f"{self._book.last_on} balance after entry {self._book.seq}",
                f"    {account_name(*each[:3])}  0 {unit} = {each.held} {unit}",
            ]
        self._write(*lines)

    def end(self) -> None:
        """Nothing is left."""

    def _write(self, *lines: str) -> None:
        if lines:
            self._output.write(("\n".join(lines) + "\n").encode())


class BeancountWriter:
    """A ledger for `bean-check`: accounts opened with their unit, balances asserted at the end."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._book: ReadBook | None = None

    def begin(self, book: ReadBook, units: Sequence[ReadUnit]) -> None:
        """Write the title and the commodities."""
        self._book = book
        self._write(
            f'option "title" "The time bank\'s book {book.book}, entries 1 to {book.seq}"',
            f'option "operating_currency" "{commodity(Unit.MINUTES)}"',
            *(
                f'{book.first_on} commodity {commodity(each.unit)}\n  code: "{each.code}"'
                for each in units
            ),
        )

    def open_accounts(self, accounts: Sequence[ReadAccount]) -> None:
        """Write one `open` each, on the earliest day."""
        if self._book is None:
            raise AssertionError("the book was not begun")
        day = self._book.first_on
        self._write(
            *(f"{day} open {account_name(*each[:3])} {commodity(each.unit)}" for each in accounts)
        )

    def write_entries(self, entries: Sequence[ReadEntry]) -> None:
        """Write one transaction each, linked by its number, and a reversal by both."""
        if self._book is None:
            raise AssertionError("the book was not begun")
        zone = self._book.zone
        lines = []
        for each in entries:
            given, taken = _sides(each)
            links = f"^e{each.seq}"
            if each.reverses is not None:
                links += f" ^e{each.reverses}"
            unit = commodity(each.unit)
            lines += [
                "",
                f'{each.effective_at.astimezone(zone):%Y-%m-%d} * "{_DEEDS[each.kind]}" {links}',
                f'  key: "{each.key}"',
                f"  {given}  {each.amount} {unit}",
                f"  {taken}  -{each.amount} {unit}",
            ]
        self._write(*lines)

    def assert_balances(self, accounts: Sequence[ReadAccount]) -> None:
        """Write one `balance` each; it holds at the start of its day, so on the day after."""
        if self._book is None:
            raise AssertionError("the book was not begun")
        day = self._book.last_on + timedelta(days=1)
        self._write(
            *(
                f"{day} balance {account_name(*each[:3])}  {each.held} {commodity(each.unit)}"
                for each in accounts
            )
        )

    def end(self) -> None:
        """Nothing is left."""

    def _write(self, *lines: str) -> None:
        if lines:
            self._output.write(("\n".join(lines) + "\n").encode())


class CsvWriter:
    """One row an entry, with a head; instants in ISO 8601, what is absent left empty."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def begin(self, book: ReadBook, units: Sequence[ReadUnit]) -> None:  # noqa: ARG002
        """Write the head."""
        self.write_head()

    def write_head(self) -> None:
        """Write the names of the columns."""
        self._write([COLUMNS])

    def open_accounts(self, accounts: Sequence[ReadAccount]) -> None:
        """Accounts are named by the rows."""

    def write_entries(self, entries: Sequence[ReadEntry]) -> None:
        """Write one row each."""
        self._write(
            [
                [
                    value.isoformat() if isinstance(value, datetime) else value
                    for value in values_of(each)
                ]
                for each in entries
            ]
        )

    def assert_balances(self, accounts: Sequence[ReadAccount]) -> None:
        """Balances are what the rows come to."""

    def end(self) -> None:
        """Nothing is left."""

    def _write(self, rows: Sequence[Sequence[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        self._output.write(text.getvalue().encode())


class ParquetWriter:
    """One row an entry, typed, one group of rows for each part.

    Raises:
        LibraryMissingError: PyArrow is not installed (`pip install timebank[parquet]`).
    """

    def __init__(self, output: BinaryIO) -> None:
        try:
            # An optional library without types, asked for by this format alone.
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            raise LibraryMissingError("pyarrow") from None
        self._schema = _schema(self._arrow)
        self._writer = parquet.ParquetWriter(output, self._schema, compression="zstd")
        self._waiting: list[tuple[object, ...]] = []

    def begin(self, book: ReadBook, units: Sequence[ReadUnit]) -> None:
        """Units are named by the rows."""

    def open_accounts(self, accounts: Sequence[ReadAccount]) -> None:
        """Accounts are named by the rows."""

    def write_entries(self, entries: Sequence[ReadEntry]) -> None:
        """Write rows, a group at a time."""
        self._waiting += [values_of(each) for each in entries]
        if len(self._waiting) >= _GROUP:
            self._flush()

    def assert_balances(self, accounts: Sequence[ReadAccount]) -> None:
        """Balances are what the rows come to."""

    def end(self) -> None:
        """Write the last group and the file's foot."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            columns = [
                self._arrow.array(column, field.type)
                for column, field in zip(
                    zip(*self._waiting, strict=True), self._schema, strict=True
                )
            ]
            self._writer.write_table(self._arrow.table(columns, schema=self._schema))
            self._waiting = []


_GROUP = 50_000
"""Rows of one Parquet group: columns of that length compress well, and fit any memory."""

COLUMNS = (
    "seq",
    "key",
    "kind",
    "unit",
    "credit",
    "debit",
    "amount",
    "effective_at",
    "recorded_at",
    "volunteer",
    "assurance",
    "measured",
    "activity_book",
    "activity",
    "shift",
    "field",
    "place",
    "reverses",
)
"""What is written of an entry in a format of rows, in this order."""


def values_of(entry: ReadEntry) -> tuple[object, ...]:
    """Return an entry as a row.

    Shape: that of `COLUMNS`.
    """
    return (
        entry.seq,
        str(entry.key),
        _DEEDS[entry.kind],
        commodity(entry.unit),
        *_sides(entry),
        entry.amount,
        entry.effective_at,
        entry.recorded_at,
        *entry[11:],
    )


def _schema(arrow: Any) -> Any:
    texts = {"key", "kind", "unit", "credit", "debit"}

    def kind(name: str) -> object:
        if name in texts:
            return arrow.string()
        return arrow.timestamp("us", tz="UTC") if name.endswith("_at") else arrow.int64()

    return arrow.schema([(name, kind(name)) for name in COLUMNS])


def _quoted(unit: int) -> str:
    name = commodity(unit)
    return name if name.isalpha() else f'"{name}"'
