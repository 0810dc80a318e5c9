"""A file of services, read into what one commit takes at a time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from timebank.domain.service_columns import ColumnReader, ServiceColumns
from timebank.domain.service_row import CellRefused, Places, RowReader, record_keys
from timebank.services import service_file
from timebank.services.service_file import Header, ImportFileError, Part, Progress


@dataclass(slots=True)
class Batch:
    """Some rows of a file, read but not yet looked up in the book.

    Attributes:
        keys: Of the deed of each row that has a record number, 16 bytes; else empty.
        lines: How many rows they were, refused ones included.
    """

    columns: ServiceColumns = field(default_factory=ServiceColumns.empty)
    keys: list[bytes] = field(default_factory=list)
    refused: list[CellRefused] = field(default_factory=list)
    lines: int = 0
    progress: Progress = field(default_factory=lambda: Progress(0, 0))


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read against.

    Attributes:
        lines_max: Longest batch.
        is_evidence_trusted: The column of evidence is believed.
    """

    book: int
    zone: ZoneInfo
    places: Places
    now: datetime
    lines_max: int
    is_evidence_trusted: bool

    def batches(self, header: Header, parts: Iterable[Part]) -> Iterator[Batch]:
        """Yield the rows of a file, the header apart, in batches."""
        reader = ColumnReader(
            RowReader(
                columns=header.columns,
                cells=header.cells,
                places=self.places,
                zone=self.zone,
                now=self.now,
                is_evidence_trusted=self.is_evidence_trusted,
            )
        )
        batch = Batch()
        for part in parts:
            if batch.lines + len(part.rows) > self.lines_max:
                yield batch
                batch = Batch()
            columns, refused = reader.read(part.numbers, part.rows)
            batch.columns.extend(columns)
            batch.keys += _record_keys(self.book, columns.records)
            batch.refused += refused
            batch.lines += len(part.rows)
            batch.progress = part.progress
        if batch.lines:
            batch.progress = Progress(batch.progress.whole, batch.progress.whole)
            yield batch


def _record_keys(book: int, records: Sequence[str]) -> list[bytes]:
    if all(records):
        return record_keys(book, records)
    numbered = iter(record_keys(book, filter(None, records)))
    return [next(numbered) if record else b"" for record in records]


@contextmanager
def opened(path: Path, reading: Reading) -> Iterator[tuple[Header, Iterator[Batch]]]:
    """Open a file and yield its header and, as they are asked for, its batches.

    Raises:
        ImportFileError: The file as a whole cannot be read.
    """
    with service_file.opened(path) as source:
        if source.first is None:
            raise ImportFileError(code="file.empty", sentence="The file is empty.")
        header = service_file.read_header(source.first)
        yield header, reading.batches(header, source.parts)
