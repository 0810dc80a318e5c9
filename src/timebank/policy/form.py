"""Taking typed fields out of a pack's tables, noting whatever is wrong and going on."""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import TypeVar

from timebank.policy.bilingual import Bilingual
from timebank.policy.document import Fields, Item
from timebank.policy.problem import Problem, ProblemCode

TEXT_MAX = 2_000
"""Longest text in a pack, in characters: a page's paragraph."""

PROBLEMS_MAX = 500
"""Problems told of one pack; whoever has mended these reads it again."""

Choice = TypeVar("Choice", bound=StrEnum)

ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""Ids of packs and instruments."""

NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}")
"""Ids of rules, items and parameters."""


class Notes:
    """The problems of one file, collected into a list that all files of the pack share."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems

    def note(self, code: ProblemCode, subject: str, line: int) -> None:
        """Note a problem, unless too many have been noted to be of use."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(self.file, line, code, subject[:80]))


class Form:
    """A table whose keys are a closed list.

    Each method returns None when the field is absent or wrong; what is wrong, and what is absent
    though `required`, has been noted by then.
    """

    def __init__(
        self,
        fields: Fields,
        notes: Notes,
        line: int,
        *,
        known: frozenset[str],
        later: frozenset[str] = frozenset(),
    ) -> None:
        self.fields = fields
        self.notes = notes
        self.line = line
        for name, item in fields.items():
            if name in later:
                notes.note(ProblemCode.LATER, name, item.line)
            elif name not in known:
                notes.note(ProblemCode.UNKNOWN_KEY, name, item.line)

    def line_of(self, name: str) -> int:
        """Return the line of a field, or of the table if the field is absent."""
        item = self.fields.get(name)
        return self.line if item is None else item.line

    def note(self, code: ProblemCode, subject: str, name: str = "") -> None:
        """Note a problem at a field's line."""
        self.notes.note(code, subject, self.line_of(name))

    def item(self, name: str, *, required: bool = True) -> Item | None:
        """Return a field as it stands."""
        item = self.fields.get(name)
        if item is None and required:
            self.note(ProblemCode.MISSING_KEY, name)
        return item

    def text(self, name: str, *, required: bool = True) -> str | None:
        """Return a text that is neither empty nor endless."""
        item = self.item(name, required=required)
        if item is None:
            return None
        if not isinstance(item.value, str):
            self.note(ProblemCode.WRONG_TYPE, name, name)
        elif not item.value.strip():
            self.note(ProblemCode.EMPTY, name, name)
        elif len(item.value) > TEXT_MAX:
            self.note(ProblemCode.TOO_MANY, f"{TEXT_MAX} characters in {name}", name)
        else:
            return item.value
        return None

    def name(self, name: str, shape: re.Pattern[str] = NAME) -> str | None:
        """Return an id."""
        text = self.text(name)
        if text is not None and not shape.fullmatch(text):
            self.note(ProblemCode.WRONG_VALUE, text, name)
            return None
        return text

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """Return a whole number between two bounds, both included."""
        item = self.item(name)
        if item is None:
            return None
        if isinstance(item.value, bool) or not isinstance(item.value, int):
            self.note(ProblemCode.WRONG_TYPE, name, name)
            return None
        if not low <= item.value <= high:
            self.note(ProblemCode.NUMBER_RANGE, name, name)
            return None
        return item.value

    def day(self, name: str, *, required: bool = True) -> date | None:
        """Return a local day."""
        item = self.item(name, required=required)
        if item is None:
            return None
        if not isinstance(item.value, date):
            self.note(ProblemCode.WRONG_TYPE, name, name)
            return None
        return item.value

    def choice(
        self, name: str, kind: type[Choice], *, default: Choice | None = None
    ) -> Choice | None:
        """Return a member of a closed list; without a default the field is required."""
        if default is not None and name not in self.fields:
            return default
        text = self.text(name)
        if text is None:
            return None
        try:
            return kind(text)
        except ValueError:
            self.note(ProblemCode.WRONG_VALUE, text, name)
            return None

    def bilingual(self, name: str, *, required: bool = True) -> Bilingual | None:
        """Return a text in both languages, each of them required."""
        form = self.form(name, known=frozenset({"zh", "en"}), required=required)
        if form is None:
            return None
        zh, en = form.text("zh"), form.text("en")
        return None if zh is None or en is None else Bilingual(zh, en)

    def form(
        self,
        name: str,
        *,
        known: frozenset[str],
        later: frozenset[str] = frozenset(),
        required: bool = True,
    ) -> "Form | None":
        """Return a table."""
        item = self.item(name, required=required)
        if item is None:
            return None
        if not isinstance(item.value, dict):
            self.note(ProblemCode.WRONG_TYPE, name, name)
            return None
        return Form(item.value, self.notes, item.line, known=known, later=later)

    def forms(
        self,
        name: str,
        *,
        known: frozenset[str],
        later: frozenset[str] = frozenset(),
        required: bool = True,
    ) -> "Iterator[Form]":
        """Yield the tables of a list."""
        item = self.item(name, required=required)
        if item is None:
            return
        if not isinstance(item.value, list):
            self.note(ProblemCode.WRONG_TYPE, name, name)
            return
        if required and not item.value:
            self.note(ProblemCode.EMPTY, name, name)
        for row in item.value:
            if isinstance(row.value, dict):
                yield Form(row.value, self.notes, row.line, known=known, later=later)
            else:
                self.notes.note(ProblemCode.WRONG_TYPE, name, row.line)
