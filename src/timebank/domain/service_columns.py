"""Many rows of a district's service history at once.

What a cell means is decided in `service_row` and nowhere else: a cell that was never seen is read
there, with its row; one that was, is looked up. A year of services has few different cells.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from timebank.domain.service_row import (
    TEXT_LENGTH_MAX,
    Cell,
    CellRefused,
    Column,
    RowReader,
    ServiceRow,
    Work,
)

_CACHE_MAX = 500_000
"""How many different cells of a column are remembered; then the memory starts again."""

_UNREAD = " " * (TEXT_LENGTH_MAX + 1)
"""Stands for a record that was not looked at: longer than any."""


class ServiceColumns(NamedTuple):
    """Services as a file tells them, one list for each attribute of a `ServiceRow`.

    Attributes:
        evidence: Assurance and measured ends.
    """

    lines: list[int]
    volunteers: list[str]
    records: list[str]
    works: list[Work]
    starts_at: list[datetime]
    minutes: list[int]
    evidence: list[tuple[int, int]]

    @classmethod
    def empty(cls) -> "ServiceColumns":
        """Return columns without rows."""
        return cls([], [], [], [], [], [], [])

    def extend(self, other: "ServiceColumns") -> None:
        """Add the rows of others below these."""
        self.lines.extend(other.lines)
        self.volunteers.extend(other.volunteers)
        self.records.extend(other.records)
        self.works.extend(other.works)
        self.starts_at.extend(other.starts_at)
        self.minutes.extend(other.minutes)
        self.evidence.extend(other.evidence)

    def row(self, place: int) -> ServiceRow:
        """Return the row at a place, counted from 0."""
        return ServiceRow(
            self.lines[place],
            self.volunteers[place],
            self.records[place],
            self.works[place],
            self.starts_at[place],
            self.minutes[place],
            *self.evidence[place],
        )

    def only(self, places: Sequence[int]) -> "ServiceColumns":
        """Return the rows at some places."""
        return ServiceColumns(
            [self.lines[each] for each in places],
            [self.volunteers[each] for each in places],
            [self.records[each] for each in places],
            [self.works[each] for each in places],
            [self.starts_at[each] for each in places],
            [self.minutes[each] for each in places],
            [self.evidence[each] for each in places],
        )


class ColumnReader:
    """Reads rows of one file, many at a time, as its `RowReader` reads each.

    Args:
        reader: Understands what was not seen before.
    """

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        at = reader.columns
        self._record = at.get(Column.RECORD)
        self._places: tuple[tuple[int, ...], ...] = (
            (at[Column.VOLUNTEER],),
            (at[Column.ORGANIZATION], at[Column.ACTIVITY], at[Column.FIELD], at[Column.PLACE]),
            (at[Column.START],),
            (at.get(Column.MINUTES, at.get(Column.HOURS, 0)),),
            (at[Column.EVIDENCE],) if reader.is_evidence_read else (),
        )
        self._seen: tuple[dict[Hashable, object], ...] = tuple({} for _ in self._places)

    def read(
        self, lines: Sequence[int], rows: Sequence[Sequence[Cell]]
    ) -> tuple[ServiceColumns, list[CellRefused]]:
        """Return the services of rows, and every cell that stands in the way of one.

        Shape: the services in order of the rows, without those that were refused.
        """
        refused: list[CellRefused] = []
        if set(map(len, rows)) - {self._reader.cells}:
            lines, rows = self._only_even(lines, rows, refused)
        cells = list(zip(*rows, strict=True)) or [()] * self._reader.cells
        keys = [_keys_of([cells[each] for each in places], len(rows)) for places in self._places]
        found: list[list[Any]] = [
            list(map(seen.get, column)) for seen, column in zip(self._seen, keys, strict=True)
        ]
        if not all(map(all, found)):
            for place in self._first_seen(keys, found):
                read = self._reader.read(lines[place], rows[place])
                if isinstance(read, ServiceRow):
                    self._remember(keys, place, read)
            found = [
                answers if all(answers) else list(map(seen.get, column))
                for answers, seen, column in zip(found, self._seen, keys, strict=True)
            ]
        records = [""] * len(rows) if self._record is None else _texts(cells[self._record])
        dropped: set[int] = set()
        for place in _unsure(found, records):
            read = self._reader.read(lines[place], rows[place])
            if not isinstance(read, ServiceRow):
                refused += read
                dropped.add(place)
                continue
            records[place] = read.record
            for answers, value in zip(found, _values(read), strict=True):
                answers[place] = value
        columns = ServiceColumns(list(lines), found[0], records, *found[1:])
        if dropped:
            columns = columns.only([each for each in range(len(rows)) if each not in dropped])
        return columns, refused

    def _first_seen(
        self, keys: Sequence[Sequence[Hashable]], found: Sequence[Sequence[object]]
    ) -> list[int]:
        """Return the first place of every cell that was not seen before, in their order."""
        places: set[int] = set()
        for seen, column, answers in zip(self._seen, keys, found, strict=True):
            new = set() if all(answers) else set(column) - seen.keys()
            for place, key in enumerate(column if new else ()):
                if key in new:
                    places.add(place)
                    new.discard(key)
        return sorted(places)

    def _remember(self, keys: Sequence[Sequence[Hashable]], place: int, row: ServiceRow) -> None:
        for seen, column, value in zip(self._seen, keys, _values(row), strict=True):
            if len(seen) >= _CACHE_MAX:
                seen.clear()
            seen[column[place]] = value

    def _only_even(
        self, lines: Sequence[int], rows: Sequence[Sequence[Cell]], refused: list[CellRefused]
    ) -> tuple[list[int], list[Sequence[Cell]]]:
        """Return the rows that have the cells of the header, without empty ones behind them."""
        width = self._reader.cells
        kept: list[tuple[int, Sequence[Cell]]] = []
        for line, cells in zip(lines, rows, strict=True):
            if len(cells) >= width and not any(cells[width:]):
                kept.append((line, cells[:width]))
                continue
            read = self._reader.read(line, cells)
            assert not isinstance(read, ServiceRow)  # noqa: S101 the reader wants them even
            refused += read
        return [line for line, _ in kept], [cells for _, cells in kept]


def _values(row: ServiceRow) -> tuple[object, ...]:
    """Return what the cells of a row mean, those apart that differ in every row."""
    evidence = (row.assurance, row.measured)
    return row.volunteer, row.work, row.start_at, row.minutes, evidence


def _keys_of(columns: Sequence[Sequence[Cell]], count: int) -> list[Hashable]:
    """Return what tells cells apart, one key per row. To a dictionary 1, 1.0 and True are one."""
    if not all(set(map(type, column)) <= {str} for column in columns):
        columns = [[(type(cell), cell) for cell in column] for column in columns]
    if len(columns) == 1:
        return list(columns[0])
    return list(zip(*columns, strict=True)) or [()] * count


def _texts(column: Sequence[Cell]) -> list[str]:
    """Return cells as text, or one text too long for a record where only the reader can tell."""
    if set(map(type, column)) <= {str}:
        return list(map(str.strip, column))  # type: ignore[arg-type]
    return [cell.strip() if isinstance(cell, str) else _UNREAD for cell in column]


def _unsure(found: Sequence[Sequence[object]], records: Sequence[str]) -> list[int]:
    """Return the places of rows that hold a cell which was not looked up."""
    if all(map(all, found)) and max(map(len, records), default=0) <= TEXT_LENGTH_MAX:
        return []
    return [
        place
        for place, (record, *values) in enumerate(zip(records, *found, strict=True))
        if len(record) > TEXT_LENGTH_MAX or not all(values)
    ]
