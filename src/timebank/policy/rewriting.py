"""Changing a file of a pack in one place, and leaving every other sign of it as it stands.

A form changes what it shows: comments, order, blank lines and the way numbers are laid out are the
author's, and stay. What is taken away goes with the comment that stands directly above it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from timebank.policy.document import Mark, read_marks

Plain = object
"""A value as plain Python: text, whole number, yes or no, day, list or table of these."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_REST = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")
_COMMA = re.compile(r"[ \t]*+,")


def set_values(text: str, values: Mapping[tuple[str, ...], Plain]) -> str:
    """Return a file's text with other values at some paths; paths that it does not have do nothing.

    Raises:
        ValueError: The text cannot be read.
    """
    marks = [each for each in _layout(text).marks if each.path in values and not each.is_heading]
    for mark in sorted(marks, key=lambda each: -each.value_start):
        text = text[: mark.value_start] + value_text(values[mark.path]) + text[mark.end :]
    return text


def remove_value(text: str, path: Sequence[str]) -> str:
    """Return a file's text without what stands at a path, and without what is empty then.

    Raises:
        ValueError: The text cannot be read.
    """
    gone = tuple(path)
    layout = _layout(text)
    if not gone or not layout.under(gone):
        return text
    while len(gone) > 1 and _is_alone(layout, gone):
        gone = gone[:-1]
    for start, end in sorted(_spans(text, layout, gone), reverse=True):
        text = text[:start] + text[end:]
    return text.lstrip("\n")


def add_value(text: str, path: Sequence[str], value: Plain) -> str:
    """Return a file's text with a value more: the last of the list at a path, or under a new key.

    Where the list or table that it belongs to is not there, nothing is added; a new list or table
    at the top of the file begins with it.

    Raises:
        ValueError: The text cannot be read.
    """
    to = tuple(path)
    layout = _layout(text)
    values = {each.path: place for place, each in enumerate(layout.marks) if not each.is_heading}
    if to in values:
        is_list = text[layout.marks[values[to]].value_start] == "["
        return _with_element(text, layout, values[to], value) if is_list else text
    has_headings = any(
        each.is_heading and each.path[:-1] == to and each.path[-1].isdigit()
        for each in layout.marks
    )
    if has_headings or len(to) == 1 or (to[0] == "param" and len(to) == 2):
        return _with_block(text, layout, to, value)
    if any(each.is_heading and each.path == to for each in layout.marks):
        return text
    holder = values.get(to[:-1])
    if holder is not None:
        is_table = text[layout.marks[holder].value_start] == "{"
        return _with_inline_key(text, layout, holder, to[-1], value) if is_table else text
    return _with_line(text, layout, to, value)


def value_text(value: Plain) -> str:
    """Return a value as a file writes it; a list of several tables has a line for each."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dict():
            inner = ", ".join(
                f"{key_text(str(name))} = {value_text(each)}" for name, each in value.items()
            )
            return f"{{ {inner} }}" if inner else "{}"
        case [dict(), dict(), *_]:
            return "[\n" + "".join(f"  {value_text(each)},\n" for each in value) + "]"
        case list() | tuple():
            return "[" + ", ".join(value_text(each) for each in value) + "]"
        case _:
            raise ValueError(f"{value!r} does not stand in a pack")


def key_text(name: str) -> str:
    """Return a key as a file writes it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything in a file stands.

    Attributes:
        holders: Of each value that stands in another: the place of that in `marks`.
    """

    marks: tuple[Mark, ...]
    holders: Mapping[int, int]

    def under(self, path: tuple[str, ...]) -> list[int]:
        """Return the places of what stands at a path or below it."""
        return [place for place, each in enumerate(self.marks) if each.path[: len(path)] == path]

    def held_by(self, holder: int | None) -> list[Mark]:
        """Return what stands directly in a value; None: what stands on lines of tables."""
        return [
            each
            for place, each in enumerate(self.marks)
            if not each.is_heading and self.holders.get(place) == holder
        ]

    def block(self, heading: Mark) -> tuple[int, int]:
        """Return from where to where a heading and all that follows it stands."""
        later = (each.start for each in self.marks if each.is_heading)
        return heading.start, min((each for each in later if each > heading.start), default=_END)


_END = 1 << 62


def _layout(text: str) -> _Layout:
    marks = read_marks(text)
    if marks is None:
        raise ValueError("only a file that can be read is changed in one place")
    holders: dict[int, int] = {}
    open_now: list[int] = []
    values = [place for place, each in enumerate(marks) if not each.is_heading]
    for place in sorted(values, key=lambda each: (marks[each].value_start, -marks[each].end)):
        while open_now and marks[open_now[-1]].end <= marks[place].start:
            open_now.pop()
        if open_now:
            holders[place] = open_now[-1]
        open_now.append(place)
    return _Layout(marks, holders)


def _is_alone(layout: _Layout, path: tuple[str, ...]) -> bool:
    """Return whether nothing else stands in the list or table that something stands in."""
    above = path[:-1]
    paths = (layout.marks[place].path for place in layout.under(above))
    return {each[len(above)] for each in paths if len(each) > len(above)} == {path[-1]}


def _spans(text: str, layout: _Layout, gone: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield what has to be cut out for a path to be gone: headings with all that follows, lines."""
    under = layout.under(gone)
    blocks = [layout.block(layout.marks[each]) for each in under if layout.marks[each].is_heading]
    for start, end in blocks:
        yield _with_comments(text, start), _before_comments(text, min(end, len(text)))
    for place in under:
        mark = layout.marks[place]
        is_inside = layout.holders.get(place) in under
        in_block = any(start < mark.start < end for start, end in blocks)
        if not mark.is_heading and not is_inside and not in_block:
            yield _cut(text, layout, place)


def _cut(text: str, layout: _Layout, place: int) -> tuple[int, int]:
    """Return from where to where a value with its key and its comma goes."""
    mark, holder = layout.marks[place], layout.holders.get(place)
    line = _line_start(text, mark.start)
    if holder is None:
        return _with_comments(text, line), _line_end(text, mark.end)
    siblings = [each for each in layout.held_by(holder) if each is not mark]
    if not text[line : mark.start].strip():
        # On a line of its own it goes with its comma, its comment, and the comments above it.
        comma = _COMMA.match(text, mark.end)
        end = _line_end(text, mark.end if comma is None else comma.end())
        if text[end - 1 : end] == "\n":
            return _with_comments(text, line), end
    later = [each.start for each in siblings if each.start > mark.start]
    if later:
        return mark.start, min(later)
    return max((each.end for each in siblings), default=mark.start), mark.end


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the next line begins, if but a comment is left of this one; else `at`."""
    found = _REST.match(text, at)
    return at if found is None else found.end()


def _with_comments(text: str, at: int) -> int:
    """Return where the comment begins that stands directly above a line; else the line itself."""
    start = _line_start(text, at)
    while start and text[_line_start(text, start - 1) : start].lstrip(" \t").startswith("#"):
        start = _line_start(text, start - 1)
    return start


def _before_comments(text: str, end: int) -> int:
    """Return where the next table begins: its comment is its own."""
    return end if end == len(text) else _with_comments(text, end)


def _with_element(text: str, layout: _Layout, whole: int, value: Plain) -> str:
    mark, written = layout.marks[whole], value_text(value)
    elements = layout.held_by(whole)
    if not elements:
        return text[: mark.value_start] + f"[{written}]" + text[mark.end :]
    last = elements[-1]
    lead = text[_line_start(text, last.start) : last.start]
    comma = _COMMA.match(text, last.end)
    after = last.end if comma is None else comma.end()
    line_end = _line_end(text, after)
    if lead.strip() or line_end == after or line_end > mark.end:
        if comma is not None:
            return text[:after] + f" {written}" + text[after:]
        return text[: last.end] + f", {written}" + text[last.end :]
    joined = text[: last.end] + "," + text[after:line_end]
    return f"{joined}{lead}{written},\n" + text[line_end:]


def _with_inline_key(text: str, layout: _Layout, holder: int, name: str, value: Plain) -> str:
    mark, pair = layout.marks[holder], f"{key_text(name)} = {value_text(value)}"
    last = max((each.end for each in layout.held_by(holder)), default=None)
    if last is None:
        return text[: mark.value_start] + f"{{ {pair} }}" + text[mark.end :]
    return text[:last] + f", {pair}" + text[last:]


def _with_line(text: str, layout: _Layout, to: tuple[str, ...], value: Plain) -> str:
    """Return the text with a key more in a table that has lines: after its last own line."""
    above, name = to[:-1], to[-1]
    heading = next((each for each in layout.marks if each.is_heading and each.path == above), None)
    own = [each for each in layout.held_by(None) if each.path[: len(above)] == above]
    if heading is not None:
        start, stop = layout.block(heading)
        own = [each for each in own if start < each.start < stop]
    if heading is None and not own:
        return text
    last = max([each.end for each in own] + ([] if heading is None else [heading.end]))
    end = _line_end(text, last)
    lead = ""
    if heading is None and above:
        # A table made of dotted keys, such as `when.all = [...]`, goes on in the same way.
        written = text[own[-1].start : own[-1].value_start].rpartition("=")[0].strip()
        deeper = len(own[-1].path) - len(above)
        lead = "".join(f"{each.strip()}." for each in written.split(".")[:-deeper])
    line = f"{lead}{key_text(name)} = {value_text(value)}\n"
    return text[:end] + ("" if text[:end].endswith("\n") else "\n") + line + text[end:]


def _with_block(text: str, layout: _Layout, to: tuple[str, ...], value: Plain) -> str:
    """Return the text with a new `[[table]]` after the last of its kind, or at the end."""
    if not isinstance(value, dict):
        return text
    same = [
        layout.block(layout.marks[place])[1]
        for place in layout.under(to)
        if layout.marks[place].is_heading
    ]
    name = ".".join(key_text(each) for each in to if not each.isdigit())
    pairs = [f"{key_text(str(key))} = {value_text(each)}" for key, each in value.items()]
    block = "\n".join([f"[[{name}]]", *pairs]) + "\n"
    end = _before_comments(text, min(max(same, default=_END), len(text)))
    before, after = text[:end].rstrip("\n"), text[end:]
    return (f"{before}\n\n" if before else "") + block + (f"\n{after}" if after else "")
