"""A district's file of services, some rows at a time: CSV in UTF-8 or GB18030, or Excel."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from timebank.domain.service_row import REQUIRED, Cell, Column, column_of

_CHUNK_BYTES = 1 << 20
_ROWS_AT_ONCE = 1_024
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ENCODINGS = ("utf-8", "gb18030")
"""Tried in this order: text in GB18030 is hardly ever valid UTF-8, the reverse is common."""


class ImportFileError(Exception):
    """The file as a whole cannot be read; nothing was imported of what was not read.

    Attributes:
        code: Stable name, such as `file.column_missing`.
        sentence: What is wrong and what to do.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a file was read, in bytes or rows."""

    done: int
    whole: int


Line = tuple[int, Sequence[Cell], Progress]
"""Number in the file from 1, cells, and how far it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file, empty ones left out.

    Attributes:
        numbers: Of each row in the file, from 1.
        progress: How far the file is with them.
    """

    numbers: Sequence[int]
    rows: Sequence[Sequence[Cell]]
    progress: Progress


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An open file.

    Attributes:
        first: The first row that is not empty; None where all are.
        parts: What follows it.
    """

    first: Sequence[Cell] | None
    parts: Iterator[Part]


@dataclass(frozen=True, slots=True)
class Header:
    """What the first row says.

    Attributes:
        columns: Where each column stands, from 0.
        cells: How many cells the row has.
        ignored: Headers that name no column.
    """

    columns: dict[Column, int]
    cells: int
    ignored: tuple[str, ...]


@contextmanager
def opened(path: Path) -> Iterator[SourceFile]:
    """Open a file and yield it.

    Raises:
        ImportFileError: It is neither an Excel workbook nor text, or there is no such file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ImportFileError(
            code="file.unreadable", sentence=f"{path}: {error.strerror}."
        ) from None
    if start == b"PK\x03\x04":
        yield from _opened_xlsx(path)
    else:
        yield from _opened_csv(path)


def parts_of(lines: Iterable[Line]) -> Iterator[Part]:
    """Yield rows some at a time."""
    coming = iter(lines)
    while some := list(islice(coming, _ROWS_AT_ONCE)):
        numbers, rows, progress = zip(*some, strict=True)
        yield Part(numbers, rows, progress[-1])


def read_header(cells: Sequence[Cell]) -> Header:
    """Return what the header row says.

    Raises:
        ImportFileError: A column is missing, or named twice.
    """
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    columns: dict[Column, int] = {}
    for place, name in enumerate(names):
        column = column_of(name)
        if column is None:
            continue
        if column in columns:
            raise ImportFileError(
                code="file.column_twice", sentence=f"Two columns are the {column.value}."
            )
        columns[column] = place
    missing = [column.value for column in REQUIRED if column not in columns]
    if Column.MINUTES not in columns and Column.HOURS not in columns:
        missing.append(f"{Column.MINUTES.value} or {Column.HOURS.value}")
    if missing:
        raise ImportFileError(
            code="file.column_missing",
            sentence=f"The first row names no column for: {', '.join(missing)}.",
        )
    ignored = tuple(name for name in names if column_of(name) is None)
    return Header(columns, len(names), ignored)


def _opened_csv(path: Path) -> Iterator[SourceFile]:
    encoding = _encoding_of(path)
    whole = path.stat().st_size
    with path.open("rb") as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, newline="")
        reader = csv.reader(text, strict=True)

        def next_rows(count: int) -> list[list[str]]:
            try:
                return list(islice(reader, count))
            except csv.Error as error:
                raise ImportFileError(
                    code="file.csv_malformed", sentence=f"Line {reader.line_num}: {error}."
                ) from None

        def parts(count: int) -> Iterator[Part]:
            done = reader.line_num
            while rows := next_rows(count):
                numbers: Sequence[int] = range(done + 1, done + 1 + len(rows))
                if reader.line_num != done + len(rows):
                    numbers = _numbers(rows, done + 1)
                done = reader.line_num
                if not all(map(any, rows)):
                    filled = [place for place, cells in enumerate(rows) if any(cells)]
                    numbers = [numbers[place] for place in filled]
                    rows = [rows[place] for place in filled]
                if rows:
                    yield Part(numbers, rows, Progress(binary.tell(), whole))

        first = next(parts(1), None)
        yield SourceFile(None if first is None else first.rows[0], parts(_ROWS_AT_ONCE))


def _numbers(rows: Iterable[Sequence[str]], number: int) -> list[int]:
    """Return where rows begin of which some cells hold line breaks."""
    found = []
    for cells in rows:
        found.append(number)
        number += 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in cells)
    return found


def _encoding_of(path: Path) -> str:
    """Return the encoding of a text file by its mark, or the first in which all of it is valid."""
    with path.open("rb") as file:
        if file.read(3) == codecs.BOM_UTF8:
            return "utf-8-sig"
        for encoding in _ENCODINGS:
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                while chunk := file.read(_CHUNK_BYTES):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    raise ImportFileError(
        code="file.encoding", sentence="The text is neither UTF-8 nor GB18030; save it as UTF-8."
    )


def _opened_xlsx(path: Path) -> Iterator[SourceFile]:
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ImportFileError(
            code="file.xlsx_malformed", sentence="The file is no Excel workbook."
        ) from error
    try:
        sheet = workbook.worksheets[0]
        whole = sheet.max_row or 0
        sheet.reset_dimensions()

        def lines() -> Iterator[Line]:
            width = 0
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                # Blank cells at the end of a row may be absent from the file, or be there.
                row = list(cells)
                while row and row[-1] is None:
                    row.pop()
                if not row:
                    continue
                width = width or len(row)
                yield number, row + [None] * (width - len(row)), Progress(number, whole)

        coming = lines()
        first = next(coming, None)
        yield SourceFile(None if first is None else first[1], parts_of(coming))
    finally:
        workbook.close()
