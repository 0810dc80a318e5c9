"""The definitions that ship with the product, read from its data when they are first needed."""

from datetime import date
from functools import cache
from importlib.resources import files

from timebank.domain.definition import Definition, definition_on, parse_definitions

ACTIVE_RATE = "active-rate.residents.any-hour"
"""The definition by which a rate is told where nobody names one."""


@cache
def list_definitions() -> tuple[Definition, ...]:
    """Return every value of every definition, in the order of the file.

    Raises:
        DefinitionError: The file that ships is broken.
    """
    return parse_definitions((files("timebank") / "data" / "definitions.toml").read_text("utf-8"))


def find_definition(name: str = ACTIVE_RATE, *, on: date) -> Definition | None:
    """Return what a name means on a day, or None."""
    return definition_on(list_definitions(), name, on=on)


def _default() -> Definition:
    found = find_definition(on=date.max)
    if found is None:
        raise AssertionError(f"no definition ships as {ACTIVE_RATE}")
    return found


RESIDENTS_ANY_HOUR = _default()
"""Any recorded service above zero in the calendar year, less reversals, per 10,000 residents."""
