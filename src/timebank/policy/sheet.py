"""Reading decision tables: their keys from TOML, their rows from CSV, cell by cell.

A table is checked like a drawing: each column is cut where any of its cells begins or ends, which
makes small boxes; every box is counted once for each row that covers it. Two rows on one box
overlap; a box between two covered ones that no row covers is a gap.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise, product
from math import prod

from timebank.domain import region
from timebank.policy.condition import NODES_MAX, Op, Unknown, number_of
from timebank.policy.document import NUMBER_MAX, Item
from timebank.policy.fact import FactType, FactUse
from timebank.policy.form import NAME, Form, Notes
from timebank.policy.grammar import CITED, LATER_USE, USE, Reading, is_value_of, read_use
from timebank.policy.parameter import Need
from timebank.policy.problem import Problem, ProblemCode
from timebank.policy.table import Hit, Row, Table, TableVersion, Test

TABLE = frozenset({"id", "hit", "key", "dated"})
"""The keys of a table."""

ROWS_MAX = 200
"""Most rows of a table: each is a condition of the pack."""

COLUMNS_MAX = 20
"""Most columns of a table."""

CELL_MAX = 200
"""Characters of a cell: a list of a few divisions."""

BOXES_MAX = 20_000
"""Most boxes that a table is cut into for its check: read in a twentieth of a second."""

_KEY = USE | frozenset({"column", "op", "unknown"})
_VERSION = frozenset({"from", "file", "rows"}) | CITED
_WHOLE = re.compile(r"0|[1-9][0-9]*")
_RANGE = re.compile(r"(.*?)\.\.(.*)")
_YES_NO = {"yes": True, "no": False, "是": True, "否": False}
_LOWEST, _HIGHEST = -(1 << 62), 1 << 62


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a CSV file or of rows in a pack.

    Attributes:
        rows: Line and cells of each row that is not blank, the heading first.
    """

    file: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(data: bytes, *, file: str) -> Sheet | Problem:
    """Return the cells of a CSV file: UTF-8, commas, quotes where needed, one row a line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(file, data.count(b"\n", 0, error.start) + 1, ProblemCode.NOT_TEXT)
    lines = text.splitlines()
    if len(lines) > ROWS_MAX * 10:
        return Problem(file, ROWS_MAX * 10, ProblemCode.TOO_MANY, f"{ROWS_MAX * 10} lines")
    reader = csv.reader(lines, strict=True)
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                rows.append((reader.line_num, stripped))
            if len(cells) > COLUMNS_MAX * 5 or any(len(cell) > CELL_MAX for cell in stripped):
                return Problem(file, reader.line_num, ProblemCode.TOO_MANY, "cells or characters")
    except csv.Error as error:
        return Problem(file, reader.line_num, ProblemCode.SYNTAX, str(error))
    if not rows:
        return Problem(file, 0, ProblemCode.EMPTY, file)
    return Sheet(file, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Key:
    """A column that asks.

    Attributes:
        form: How its cells are written: `==`, `range` or `within`.
    """

    column: str
    use: FactUse
    form: str
    unknown: Unknown


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell of a key column says.

    Attributes:
        spans: Half-open spans of what it covers, as numbers.
    """

    tests: tuple[Test, ...]
    spans: tuple[tuple[int, int], ...]


def read_table(form: Form, reading: Reading, sheets: Mapping[str, Sheet]) -> Table | None:
    """Return a table with all its versions, or None when something about it was noted."""
    table_id = form.name("id")
    hit = form.choice("hit", Hit, default=Hit.UNIQUE)
    keys = _read_keys(form, reading)
    versions: list[TableVersion] = []
    version_forms = list(form.forms("dated", known=_VERSION))
    for each in version_forms:
        from_on, cite = each.day("from"), reading.citation(each, table_id or "table")
        sheet = _sheet_of(each, sheets, reading)
        if from_on is None or cite is None or sheet is None or keys is None or hit is None:
            continue
        if versions and from_on <= versions[-1].from_on:
            each.note(ProblemCode.DATES, table_id or "table", "from")
            continue
        rows = _read_rows(
            sheet, keys, hit, Notes(sheet.file or each.notes.file, each.notes.problems)
        )
        if rows is None:
            continue
        if versions:
            last = versions[-1]
            before = from_on - timedelta(days=1)
            versions[-1] = TableVersion(last.from_on, before, last.cite, last.rows)
            if tuple(rows[0].gives) != tuple(last.rows[0].gives):
                each.note(ProblemCode.TABLE_SHAPE, table_id or "table", "from")
                continue
        reading.nodes += sum(max(len(row.tests), 1) for row in rows)
        versions.append(TableVersion(from_on, None, cite, rows))
    if reading.nodes > NODES_MAX:
        form.note(ProblemCode.TOO_MANY, f"{NODES_MAX} nodes in one pack", "id")
        return None
    if table_id is None or hit is None or not versions or len(versions) < len(version_forms):
        return None
    return Table(table_id, hit, tuple(versions))


def _read_keys(form: Form, reading: Reading) -> list[_Key] | None:
    forms = list(form.forms("key", known=_KEY, later=LATER_USE))
    found: list[_Key] = []
    for each in forms:
        column, use = each.name("column"), read_use(each, reading)
        op = each.text("op")
        unknown = each.choice("unknown", Unknown, default=Unknown.ASK)
        if column is None or use is None or op is None or unknown is None:
            continue
        if op not in _FORMS[use.spec.type]:
            each.note(ProblemCode.UNKNOWN_OPERATOR, op, "op")
            continue
        if unknown is not Unknown.ASK:
            # Of a row that is passed over because something is unknown, nobody would hear.
            each.note(ProblemCode.WRONG_VALUE, unknown.value, "unknown")
            continue
        unit = use.spec.unit
        if unit is not None and column != unit and not column.endswith(f"_{unit}"):
            each.note(ProblemCode.UNIT, column, "column")
            continue
        found.append(_Key(column, use, op, unknown))
    return found if found and len(found) == len(forms) else None


_FORMS: dict[FactType, frozenset[str]] = {
    FactType.NUMBER: frozenset({"==", "range"}),
    FactType.DAY: frozenset({"==", "range"}),
    FactType.YES_NO: frozenset({"=="}),
    FactType.CHOICE: frozenset({"=="}),
    FactType.REGION: frozenset({"within"}),
}


def _sheet_of(form: Form, sheets: Mapping[str, Sheet], reading: Reading) -> Sheet | None:
    if ("file" in form.fields) == ("rows" in form.fields):
        form.note(ProblemCode.MISSING_KEY, "file")
        return None
    if "file" in form.fields:
        name = form.name("file")
        if name is None:
            return None
        path = f"tables/{name}.csv"
        reading.used_parts.add(path)
        if path not in sheets:
            form.note(ProblemCode.UNKNOWN_TABLE, path, "file")
            return None
        return sheets[path]
    rows: list[tuple[int, tuple[str, ...]]] = []
    for item in _items(form.fields["rows"]):
        cells = tuple(cell.value for cell in _items(item) if isinstance(cell.value, str))
        if not cells or len(cells) < len(_items(item)):
            form.note(ProblemCode.WRONG_TYPE, "rows", "rows")
            return None
        rows.append((item.line, cells))
    if not rows:
        form.note(ProblemCode.EMPTY, "rows", "rows")
        return None
    return Sheet("", tuple(rows))


def _items(item: Item) -> list[Item]:
    return item.value if isinstance(item.value, list) else []


def _read_rows(
    sheet: Sheet, keys: Sequence[_Key], hit: Hit, notes: Notes
) -> tuple[Row, ...] | None:
    (heading_line, heading), *body = sheet.rows
    by_column = {key.column: key for key in keys}
    gives = [name for name in heading if name not in by_column]
    is_named = all(NAME.fullmatch(name) for name in heading)
    if (
        not is_named
        or len(set(heading)) < len(heading)
        or len(heading) > COLUMNS_MAX
        or not set(by_column) <= set(heading)
        or not gives
    ):
        notes.note(ProblemCode.TABLE_SHAPE, ",".join(heading), heading_line)
        return None
    if not body or len(body) > ROWS_MAX:
        notes.note(
            ProblemCode.TOO_MANY if body else ProblemCode.EMPTY, f"{ROWS_MAX} rows", heading_line
        )
        return None
    rows: list[Row] = []
    boxes: list[tuple[int, tuple[_Cell, ...]]] = []
    for number, (line, cells) in enumerate(body, start=1):
        if len(cells) != len(heading):
            notes.note(ProblemCode.TABLE_SHAPE, ",".join(cells), line)
            continue
        by_name = dict(zip(heading, cells, strict=True))
        asked = [_read_cell(by_name[key.column], key, notes, line) for key in keys]
        given = {name: _read_number(by_name[name], name, notes, line) for name in gives}
        whole = [cell for cell in asked if cell is not None]
        numbers = {name: value for name, value in given.items() if value is not None}
        if len(whole) == len(asked) and len(numbers) == len(given):
            tests = tuple(test for cell in whole for test in cell.tests)
            if not tests:
                notes.note(ProblemCode.EMPTY, f"row {number}", line)
                continue
            rows.append(Row(number, tests, numbers))
            boxes.append((line, tuple(whole)))
    if len(rows) < len(body):
        return None
    return tuple(rows) if _is_sound(boxes, keys, hit, notes) else None


def _read_number(text: str, column: str, notes: Notes, line: int) -> int | None:
    if text == "":
        return 0
    if not _WHOLE.fullmatch(text):
        is_float = re.fullmatch(r"[0-9]+\.[0-9]+", text) is not None
        code = ProblemCode.FLOAT if is_float else ProblemCode.NUMBER_FORM
        notes.note(code, f"{column} = {text}", line)
        return None
    if len(text) > len(str(NUMBER_MAX)) or int(text) > NUMBER_MAX:
        notes.note(ProblemCode.NUMBER_RANGE, f"{column} = {text}", line)
        return None
    return int(text)


def _read_cell(text: str, key: _Key, notes: Notes, line: int) -> _Cell | None:
    """Return what a key's cell says; `*` for anything."""
    if text == "*":
        return _Cell((), ((_LOWEST, _HIGHEST),))
    found: _Cell | None
    match key.form:
        case "range":
            found = _read_range(text, key)
        case "within":
            found = _read_divisions(text, key)
        case _:
            found = _read_words(text, key)
    if found is None:
        notes.note(ProblemCode.WRONG_VALUE, f"{key.column} = {text}", line)
    return found


def _read_range(text: str, key: _Key) -> _Cell | None:
    parts = _RANGE.fullmatch(text)
    if parts is None:
        value = _single(text, key)
        if value is None:
            return None
        number = number_of(value)
        return _Cell((_test(key, Op.EQUAL, value),), ((number, number + 1),))
    low = _single(parts[1], key) if parts[1] else None
    high = _single(parts[2], key) if parts[2] else None
    if (low is None) != (not parts[1]) or (high is None) != (not parts[2]):
        return None
    start = _LOWEST if low is None else number_of(low)
    stop = _HIGHEST if high is None else number_of(high)
    if start >= stop or (low is None and high is None):
        return None
    tests = [] if low is None else [_test(key, Op.AT_LEAST, low)]
    if high is not None:
        tests.append(_test(key, Op.BELOW, high))
    return _Cell(tuple(tests), ((start, stop),))


def _read_divisions(text: str, key: _Key) -> _Cell | None:
    codes = text.split("|")
    if not all(is_value_of(FactType.REGION, code) for code in codes):
        return None
    spans = [region.subtree(region.parse_code(code)) for code in codes]
    return _Cell(
        (_test(key, Op.WITHIN, tuple(codes)),), tuple((span.start, span.stop) for span in spans)
    )


def _read_words(text: str, key: _Key) -> _Cell | None:
    values = [_single(word, key) for word in text.split("|")]
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return None
    spans = tuple((number_of(value), number_of(value) + 1) for value in found)
    if len(found) == 1:
        return _Cell((_test(key, Op.EQUAL, found[0]),), spans)
    if key.use.spec.type is FactType.YES_NO:
        return None
    return _Cell((_test(key, Op.IN, tuple(found)),), spans)


def _single(text: str, key: _Key) -> int | bool | date | str | None:
    match key.use.spec.type:
        case FactType.NUMBER:
            is_number = _WHOLE.fullmatch(text) and len(text) <= len(str(NUMBER_MAX))
            return int(text) if is_number else None
        case FactType.DAY:
            try:
                return date.fromisoformat(text)
            except ValueError:
                return None
        case FactType.YES_NO:
            return _YES_NO.get(text)
        case FactType.CHOICE:
            return text if text in key.use.spec.choices else None
        case FactType.REGION:
            return None


def _test(key: _Key, op: Op, value: Need) -> Test:
    return Test(key.column, key.use, op, value, key.unknown)


def _is_sound(
    boxes: Sequence[tuple[int, tuple[_Cell, ...]]],
    keys: Sequence[_Key],
    hit: Hit,
    notes: Notes,
) -> bool:
    """Return whether no two rows overlap and none is missing between them; note what is wrong."""
    if hit in (Hit.SUM, Hit.MAX):
        return True
    cuts = [_cuts(key, [cells[place] for _, cells in boxes]) for place, key in enumerate(keys)]
    if prod(len(each) - 1 for each in cuts) > BOXES_MAX:
        notes.note(ProblemCode.TOO_MANY, f"{BOXES_MAX} boxes in one table", boxes[0][0])
        return False
    covered: dict[tuple[int, ...], int] = {}
    for line, cells in boxes:
        inside = [
            [
                number
                for number, start in enumerate(cut[:-1])
                if any(low <= start < high for low, high in cell.spans)
            ]
            for cut, cell in zip(cuts, cells, strict=True)
        ]
        for box in product(*inside):
            if box in covered and hit is Hit.UNIQUE:
                notes.note(ProblemCode.TABLE_OVERLAP, _named(box, cuts, keys), line)
                return False
            covered.setdefault(box, line)
    for place, key in enumerate(keys):
        if key.form == "within" or (key.form == "==" and not key.use.spec.choices):
            continue
        for missing, line in _gaps(covered, place):
            notes.note(ProblemCode.TABLE_GAP, _named(missing, cuts, keys), line)
            return False
    return True


def _cuts(key: _Key, cells: Sequence[_Cell]) -> list[int]:
    points = {point for cell in cells for span in cell.spans for point in span}
    if key.use.spec.choices:
        points |= set(range(len(key.use.spec.choices) + 1))
    return sorted(points)


def _gaps(
    covered: Mapping[tuple[int, ...], int], place: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield boxes that are missing between two covered ones along a column, with a line."""
    lines: dict[tuple[int, ...], list[int]] = {}
    for box in covered:
        lines.setdefault((*box[:place], *box[place + 1 :]), []).append(box[place])
    for others, along in sorted(lines.items()):
        for first, second in pairwise(sorted(along)):
            if second > first + 1:
                after = (*others[:place], second, *others[place:])
                yield (*others[:place], first + 1, *others[place:]), covered[after]


def _named(box: Sequence[int], cuts: Sequence[Sequence[int]], keys: Sequence[_Key]) -> str:
    """Return a box in words, such as `level = senior, served_minutes = 6000..12000`."""
    return ", ".join(
        f"{key.column} = {_span_words(key, cut[number], cut[number + 1])}"
        for key, cut, number in zip(keys, cuts, box, strict=True)
    )


def _span_words(key: _Key, start: int, stop: int) -> str:
    if start == _LOWEST and stop == _HIGHEST:
        return "*"
    if key.use.spec.choices and 0 <= start < len(key.use.spec.choices):
        return key.use.spec.choices[start]
    if stop == start + 1:
        return _number_words(key, start)
    low = "" if start == _LOWEST else _number_words(key, start)
    high = "" if stop == _HIGHEST else _number_words(key, stop)
    return f"{low}..{high}"


def _number_words(key: _Key, number: int) -> str:
    match key.use.spec.type:
        case FactType.DAY:
            return date.fromordinal(number).isoformat()
        case FactType.YES_NO:
            return "yes" if number else "no"
        case _:
            return str(number)
