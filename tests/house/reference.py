"""Makes the parts of docs/reference.md that the code knows best, and writes them between the marks.

Run by scripts/reference; the suite fails where the page and the code differ.
"""

import argparse
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from sqlalchemy import Column, Table

from timebank import cli, domain
from timebank.domain.actor import PERMITTED, Role
from timebank.http.errors import SCAN_STATUS, HttpError
from timebank.ledger import tables as ledger_tables
from timebank.policy.fact import FACTS
from timebank.store import tables as store_tables
from timebank.web.catalog import messages

PAGE = Path(__file__).parents[2] / "docs/reference.md"

SAME_EVERYWHERE = {
    "book_id": "the book of the county: its six-digit code",
    "volunteer": "number of a volunteer within the book",
    "volunteer_id": "number of a volunteer within the book",
    "organization_id": "number of an organization within the book",
    "activity_id": "number of an activity within the book",
    "shift_book": "the book of the county that organizes",
    "shift_id": "number of a shift within `shift_book`",
    "person_id": "the person, in the erasable store",
    "account": "number of an account within the book",
    "minutes_account": "the account of the volunteer's minutes",
    "unit": "what it holds: a row of `unit`",
    "region": "12-digit division code",
    "assurance": "grade of the evidence, 0 to 3",
    "measured": "bit 1: arrival, bit 2: departure was measured by a code",
}
"""Columns that mean the same in every table and need no comment."""


def tables() -> Iterator[str]:
    for heading, module in (("The ledger", ledger_tables), ("The store", store_tables)):
        yield f"### {heading}\n"
        for table in _tables_of(module):
            keys = ", ".join(f"`{column.name}`" for column in table.primary_key)
            can = "insert and select only" if table in module.APPEND_ONLY else "changes"
            if table in getattr(module, "ERASABLE", ()):
                can = "insert, select and delete"
            comment = f"{table.comment.rstrip('.')}. " if table.comment else ""
            yield f"#### `{table.name}`\n"
            yield f"{comment}Key: {keys or 'none'}. For the application: {can}.\n"
            yield "| column | type | meaning |\n| --- | --- | --- |"
            for column in table.c:
                kind = str(column.type).lower().replace("datetime", "instant") + (
                    ", may be null" if column.nullable else ""
                )
                yield f"| `{column.name}` | {kind} | {meaning(column)} |"
            yield ""


def _tables_of(module: ModuleType) -> list[Table]:
    return [each for each in vars(module).values() if isinstance(each, Table)]


def meaning(column: "Column[object]") -> str:
    """The comment, or what the name means everywhere."""
    if column.comment:
        return column.comment
    if column.name in SAME_EVERYWHERE:
        return SAME_EVERYWHERE[column.name]
    return column.name.removesuffix("_at").replace("_", " ")


def refusals() -> Iterator[str]:
    for enum in refusal_enums():
        yield f"### {enum.__name__}\n"
        yield f"{(enum.__doc__ or '').splitlines()[0]} (`{enum.__module__}`)\n"
        has_status = enum.__name__ == "ScanRefusal"
        yield (
            "| code | status | sentence |\n| --- | --- | --- |"
            if has_status
            else ("| code | sentence |\n| --- | --- |")
        )
        for each in enum:
            sentence = messages("en").get(each.value, "")
            status = f" {SCAN_STATUS[each]} |" if has_status else ""  # type: ignore[index]
            yield f"| `{each.value}` |{status} {sentence} |"
        yield ""


def refusal_enums() -> list[type[StrEnum]]:
    found = []
    for info in pkgutil.iter_modules(domain.__path__):
        module = importlib.import_module(f"timebank.domain.{info.name}")
        found += [
            each
            for name, each in vars(module).items()
            if name.endswith("Refusal") and each.__module__ == module.__name__
        ]
    return found


def errors() -> Iterator[str]:
    yield "| code | status | sentence |\n| --- | --- | --- |"
    for each in HttpError:
        yield f"| `{each.value}` | {each.status} | {messages('en').get(each.value, '')} |"


def facts() -> Iterator[str]:
    for name, spec in FACTS.items():
        windows = ", ".join(sorted(window.value for window in spec.windows)) or "the day itself"
        unit = f" of {spec.unit.value}" if spec.unit else ""
        yield f"### `{name}`\n"
        yield f"A {spec.type.value}{unit}; counted over: {windows}."
        if spec.has_assurance:
            yield "A rule may name the lowest grade of evidence that counts."
        if spec.has_category:
            yield "A rule may name one field of service (`category`) that counts."
        if spec.choices:
            yield f"One of, lowest first: {', '.join(spec.choices)}."
        if spec.has_region:
            yield "A rule names a division (`region`) with it."
        if spec.has_register:
            yield "A rule names a register (`register`) with it."
        if spec.is_external:
            yield "Somebody else says it, with a date and a source."
        yield f"Not known when: {spec.undefined}.\n"


def permissions() -> Iterator[str]:
    yield "| may | " + " | ".join(role.value.removeprefix("role.") for role in Role) + " |"
    yield "| --- |" + " --- |" * len(Role)
    for act, roles in PERMITTED.items():
        yield (
            f"| {act.value.replace('_', ' ')} | "
            + " | ".join("yes" if role in roles else "" for role in Role)
            + " |"
        )


def commands() -> Iterator[str]:
    (choices,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    for name, parser in choices.choices.items():
        yield f"### `timebank {name}`\n"
        about = parser.description or ""
        yield f"{about[:1].upper()}{about[1:]}.\n"
        rows = [action for action in parser._actions if action.dest != "help"]
        if rows:
            yield "| argument | meaning |\n| --- | --- |"
        for action in rows:
            words = "`" + ", ".join(action.option_strings or [action.dest.upper()]) + "`"
            notes = [action.help or ""]
            if action.choices:
                notes.append("one of " + ", ".join(f"`{each}`" for each in action.choices))
            if action.default not in (None, False, argparse.SUPPRESS):
                notes.append(f"default `{action.default}`")
            if action.required and action.option_strings:
                notes.append("required")
            yield f"| {words} | {'; '.join(note for note in notes if note)} |"
        yield ""


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "commands": commands,
    "permissions": permissions,
    "refusals": refusals,
    "errors": errors,
    "facts": facts,
    "tables": tables,
}


def rendered(page: str) -> str:
    """Return the page with every marked part made again."""
    for name, part in PARTS.items():
        marked = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if len(marked.findall(page)) != 1:
            raise ValueError(f"the page has not one place for {name}")
        made = "\n".join(part()).strip() + "\n"
        made = re.sub(r"\n{3,}", "\n\n", made)
        page = marked.sub(lambda match, made=made: f"{match[1]}\n{made}\n{match[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
