"""Reading the TOML of a pack, with the line of every value.

The reader takes a strict part of TOML 1.0, and what it accepts means the same to any TOML reader.
Left out on purpose: floats, times of day, numbers in other bases, dates with times. The standard
library's reader is not used because it forgets lines, and because a hostile file makes it slow (a
key of 200,000 dots took all memory): here work is bounded by the limits below.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from timebank.policy.problem import Problem, ProblemCode

VALUES_MAX = 10_000
"""Values in one pack: far above any honest one, and read in a twentieth of a second."""

FLAWS_MAX = 100
"""Flaws told of one file; whoever has mended these reads it again."""

NESTING_MAX = 24
"""Brackets inside brackets: a condition of the greatest depth needs 18."""

TOKEN_MAX = 64
"""Characters of a number or a day."""

KEY_PARTS_MAX = 8
"""Parts of a dotted key."""

NUMBER_MAX = 10**15
"""Greatest absolute number: ten billion yuan in fen, and sums of it stay below 2**63."""


@dataclass(frozen=True, slots=True)
class Item:
    """A value and the line it begins on."""

    value: "int | bool | str | date | list[Item] | dict[str, Item]"
    line: int


Fields = dict[str, Item]


class Mark(NamedTuple):
    """Where a value or the heading of a table stands in a file's text.

    Attributes:
        path: From the top of the file, places in lists among its parts, such as
            `("rule", "0", "when", "all", "1")`.
        start: Of a heading its first bracket, of a key its first sign; of a place in a list, and
            so of every value without a key, the same as `value_start`.
        value_start, end: Where the value begins, and where it or the heading is over.
        is_heading: The heading of a table; else a value.
    """

    path: tuple[str, ...]
    start: int
    value_start: int
    end: int
    is_heading: bool


_BLANK = re.compile(r"[ \t]*+")
_SPACE = re.compile(r"(?:[ \t\n]++|#[^\n\x00-\x08\x0b-\x1f\x7f]*+)*+")
_REST = re.compile(r"[ \t]*+(?:#[^\n\x00-\x08\x0b-\x1f\x7f]*+)?(?:\n|\Z)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[^\n])*+)"')
_LITERAL = re.compile(r"'([^'\x00-\x08\x0a-\x1f\x7f]*+)'")
_BASIC_LINES = re.compile(r'"""\n?((?:[^"\\\x00-\x08\x0b-\x1f\x7f]++|\\(?s:.)|"(?!""))*+)"""(?!")')
_LITERAL_LINES = re.compile(r"'''\n?((?:[^'\x00-\x08\x0b-\x1f\x7f]++|'(?!''))*+)'''(?!')")
_ESCAPE = re.compile(r"\\(?:([btnfr\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([ \t]*\n[ \t\n]*)|)")
_BARE = re.compile(r"[0-9A-Za-z+\-_.:]+")
_WHOLE = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLOAT = re.compile(r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9_]+)?|inf|nan)")
_TIME = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt])?[0-9]{2}:[0-9]{2}.*")
_OTHER_BASE = re.compile(r"0[xob][0-9A-Fa-f_]+|[+-]?0[0-9_]+")
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class _StoppedError(Exception):
    """The rest of the file cannot be read; the problem is noted."""


class _Reader:
    def __init__(self, text: str, *, file: str, values_max: int) -> None:
        self.values_max = values_max
        self.path: tuple[str, ...] = ()
        self.marks: list[Mark] = []
        self.text = text
        self.file = file
        self.at = 0
        self.line = 1
        self.values = 0
        self.problems: list[Problem] = []
        # How a table came to be decides who may add to it: "implicit" (a header may still open
        # it), "open" (its section), "dotted" (dotted keys of its section), "closed" (inline).
        self.state: dict[int, str] = {}
        self.lists_of_tables: set[int] = set()

    def note(self, code: ProblemCode, subject: str = "", *, line: int | None = None) -> None:
        at = self.line if line is None else line
        self.problems.append(Problem(self.file, at, code, subject[:80]))

    def stopped(self, code: ProblemCode, subject: str = "") -> _StoppedError:
        self.note(code, subject)
        return _StoppedError()

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            end = found.end()
            if pattern is _SPACE:
                self.line += self.text.count("\n", self.at, end)
            self.at = end

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.at):
            raise self.stopped(ProblemCode.SYNTAX, f"expected {sign}")
        self.at += len(sign)

    def end_line(self) -> None:
        found = _REST.match(self.text, self.at)
        if found is None:
            raise self.stopped(ProblemCode.SYNTAX, "expected the end of the line")
        self.at = found.end()
        self.line += 1

    def document(self) -> Fields:
        root: Fields = {}
        self.state[id(root)] = "open"
        section = root
        while True:
            self.skip(_SPACE)
            if self.at >= len(self.text):
                return root
            if self.text.startswith("[[", self.at):
                section = self.header(root, is_list=True)
            elif self.peek() == "[":
                section = self.header(root, is_list=False)
            else:
                self.pair(section, depth=0)
            self.end_line()

    def count(self) -> None:
        self.values += 1
        if self.values > self.values_max:
            raise self.stopped(ProblemCode.TOO_MANY, f"{VALUES_MAX} values in one pack")
        if len(self.problems) >= FLAWS_MAX:
            raise _StoppedError

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.peek() in ('"', "'"):
                if self.text.startswith(('"""', "'''"), self.at):
                    raise self.stopped(ProblemCode.SYNTAX, "expected a key")
                parts.append(self.string())
            else:
                found = _BARE_KEY.match(self.text, self.at)
                if found is None:
                    raise self.stopped(ProblemCode.SYNTAX, "expected a key")
                parts.append(found.group())
                self.at = found.end()
            if len(parts) > KEY_PARTS_MAX:
                raise self.stopped(ProblemCode.TOO_DEEP, "a key of too many parts")
            self.skip(_BLANK)
            if self.peek() != ".":
                return parts
            self.at += 1

    def header(self, root: Fields, *, is_list: bool) -> Fields:
        self.count()
        start = self.at
        self.at += 2 if is_list else 1
        line = self.line
        *parents, last = self.key()
        self.expect("]]" if is_list else "]")

        table = root
        path: tuple[str, ...] = ()
        for part in parents:
            found = table.get(part)
            path = (*path, part)
            if found is None:
                table = self.add(table, part, "implicit", line)
            elif isinstance(found.value, dict) and self.state[id(found.value)] in (
                "implicit",
                "open",
            ):
                table = found.value
            elif isinstance(found.value, list) and id(found.value) in self.lists_of_tables:
                tail = found.value[-1].value
                if not isinstance(tail, dict):
                    raise AssertionError("lists_of_tables holds lists of tables only")
                path = (*path, str(len(found.value) - 1))
                table = tail
            else:
                raise self.stopped(ProblemCode.DUPLICATE_KEY, part)

        found = table.get(last)
        self.path = (*path, last)
        if is_list:
            before = found.value if found is not None else []
            self.path = (*self.path, str(len(before) if isinstance(before, list) else 0))
        self.marks.append(Mark(self.path, start, start, self.at, is_heading=True))
        if is_list:
            fresh: Fields = {}
            self.state[id(fresh)] = "open"
            if found is None:
                rows = [Item(fresh, line)]
                self.lists_of_tables.add(id(rows))
                table[last] = Item(rows, line)
            elif isinstance(found.value, list) and id(found.value) in self.lists_of_tables:
                found.value.append(Item(fresh, line))
            else:
                raise self.stopped(ProblemCode.DUPLICATE_KEY, last)
            return fresh
        if found is None:
            return self.add(table, last, "open", line)
        if isinstance(found.value, dict) and self.state[id(found.value)] == "implicit":
            self.state[id(found.value)] = "open"
            return found.value
        raise self.stopped(ProblemCode.DUPLICATE_KEY, last)

    def add(self, table: Fields, name: str, state: str, line: int) -> Fields:
        fresh: Fields = {}
        self.state[id(fresh)] = state
        table[name] = Item(fresh, line)
        return fresh

    def pair(self, table: Fields, *, depth: int) -> None:
        self.skip(_BLANK)
        line, start, path = self.line, self.at, self.path
        *parents, last = self.key()
        self.expect("=")
        self.skip(_BLANK)
        value_start = self.at
        self.path = (*path, *parents, last)
        item = Item(self.value(depth), line)
        self.marks.append(Mark(self.path, start, value_start, self.at, is_heading=False))
        self.path = path
        for part in parents:
            found = table.get(part)
            if found is None:
                table = self.add(table, part, "dotted", line)
            elif isinstance(found.value, dict) and self.state[id(found.value)] == "dotted":
                table = found.value
            else:
                raise self.stopped(ProblemCode.DUPLICATE_KEY, part)
        if last in table:
            raise self.stopped(ProblemCode.DUPLICATE_KEY, last)
        table[last] = item

    def value(self, depth: int) -> "int | bool | str | date | list[Item] | Fields":
        self.count()
        sign = self.peek()
        if sign in ("[", "{") and depth >= NESTING_MAX:
            raise self.stopped(ProblemCode.TOO_DEEP, f"{NESTING_MAX} brackets inside each other")
        match sign:
            case '"' | "'":
                return self.string()
            case "[":
                return self.array(depth + 1)
            case "{":
                return self.inline_table(depth + 1)
            case _:
                return self.scalar()

    def array(self, depth: int) -> list[Item]:
        self.at += 1
        items: list[Item] = []
        while True:
            self.skip(_SPACE)
            if self.peek() == "]":
                self.at += 1
                return items
            line, start, path = self.line, self.at, self.path
            self.path = (*path, str(len(items)))
            items.append(Item(self.value(depth), line))
            self.marks.append(Mark(self.path, start, start, self.at, is_heading=False))
            self.path = path
            self.skip(_SPACE)
            if self.peek() != "]":
                self.expect(",")

    def inline_table(self, depth: int) -> Fields:
        self.at += 1
        table: Fields = {}
        self.state[id(table)] = "closed"
        self.skip(_BLANK)
        if self.peek() == "}":
            self.at += 1
            return table
        while True:
            self.pair(table, depth=depth)
            self.skip(_BLANK)
            if self.peek() == "}":
                self.at += 1
                return table
            self.expect(",")

    def string(self) -> str:
        for mark, whole, is_literal in (
            ('"""', _BASIC_LINES, False),
            ("'''", _LITERAL_LINES, True),
            ('"', _BASIC, False),
            ("'", _LITERAL, True),
        ):
            if not self.text.startswith(mark, self.at):
                continue
            found = whole.match(self.text, self.at)
            if found is None:
                break
            self.line += self.text.count("\n", self.at, found.end())
            self.at = found.end()
            return found[1] if is_literal else _ESCAPE.sub(self.unescape, found[1])
        raise self.stopped(ProblemCode.SYNTAX, "a text that does not end, or holds a control sign")

    def unescape(self, found: re.Match[str]) -> str:
        short, four, eight, line_end = found.groups()
        if short:
            return _SHORT[short]
        if line_end:
            return ""
        number = int(four or eight or "110000", 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise self.stopped(ProblemCode.SYNTAX, "an unknown sign after a backslash")
        return chr(number)

    def scalar(self) -> int | bool | date:
        found = _BARE.match(self.text, self.at)
        if found is None:
            raise self.stopped(ProblemCode.SYNTAX, "expected a value")
        word = found.group()
        self.at = found.end()
        if word in ("true", "false"):
            return word == "true"
        if len(word) > TOKEN_MAX:
            raise self.stopped(ProblemCode.NUMBER_RANGE, word)
        if _WHOLE.fullmatch(word):
            if abs(int(word)) > NUMBER_MAX:
                self.note(ProblemCode.NUMBER_RANGE, word)
                return 0
            return int(word)
        if _DAY.fullmatch(word):
            try:
                return date.fromisoformat(word)
            except ValueError:
                self.note(ProblemCode.WRONG_VALUE, word)
                return date.min
        for shape, code in (
            (_TIME, ProblemCode.CLOCK_TIME),
            (_OTHER_BASE, ProblemCode.NUMBER_FORM),
            (_FLOAT, ProblemCode.FLOAT),
        ):
            if shape.fullmatch(word):
                self.note(code, word)
                return 0
        raise self.stopped(ProblemCode.SYNTAX, f"`{word[:40]}` is neither a number nor in quotes")


@dataclass(frozen=True, slots=True)
class Document:
    """What reading a file came to.

    Attributes:
        root: The top table; None when the reading ended early.
        values: How many values were read.
    """

    root: Fields | None
    problems: tuple[Problem, ...]
    values: int


def read_marks(text: str) -> tuple[Mark, ...] | None:
    """Return where everything stands in a file's text, in its order; None where it is broken.

    A mark of a value comes after those of what is inside it.
    """
    reader = _Reader(text, file="", values_max=VALUES_MAX)
    try:
        reader.document()
    except _StoppedError:
        return None
    return tuple(reader.marks)


def read_document(data: bytes, *, file: str, values_max: int = VALUES_MAX) -> Document:
    """Return the top table of a TOML file and what is wrong with it.

    What is wrong with a single number is noted and reading goes on; a broken structure ends the
    reading. A byte order mark is passed over.

    Cost: one pass, bounded by `values_max`.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Document(None, (Problem(file, line, ProblemCode.NOT_TEXT),), 0)
    reader = _Reader(text, file=file, values_max=values_max)
    try:
        root = reader.document()
    except _StoppedError:
        return Document(None, tuple(reader.problems), reader.values)
    return Document(root, tuple(reader.problems), reader.values)
