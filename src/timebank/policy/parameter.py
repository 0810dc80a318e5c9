"""Numbers with dates: what a rule compares with, since when, by whose word."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from timebank.policy.bilingual import Bilingual
from timebank.policy.fact import Value

Need = Value | str | tuple[Value | str, ...]
"""What a condition compares with: one value, or several for `in`, `within` and levels.

A text is a division's code as the pack writes it, such as 330424.
"""


class Source(StrEnum):
    """How a figure was come by; shown wherever the figure is shown."""

    TEXT = "text"
    """Read in the instrument itself."""
    SECONDARY = "secondary"
    """Read in a page about the instrument."""
    ASSUMED = "assumed"
    """Ours, until the text is found; to be replaced by a new dated value."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule or a figure stands.

    Attributes:
        instrument: The id of an instrument of the pack.
        place: The article in it; empty only for an assumed figure.
    """

    instrument: str
    place: str
    source: Source

    def __str__(self) -> str:
        """Return the citation as the pack writes it."""
        return f"{self.instrument} {self.place}".rstrip()


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value from its first day until the next value's.

    Attributes:
        note: Words for the reader about this figure.
    """

    from_on: date
    value: Need
    cite: Citation
    note: Bilingual | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that changes by date.

    Attributes:
        name: Empty for a value written in the condition itself.
        values: By first day, ascending; never empty.
    """

    name: str
    values: tuple[DatedValue, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a parameter needs a value")
        if any(later.from_on <= earlier.from_on for earlier, later in pairwise(self.values)):
            raise ValueError("a parameter's values follow one another by date")

    def on(self, day: date) -> DatedValue:
        """Return the value in force on a day.

        Raises:
            ValueError: No value was in force yet. Reading a pack proves that this cannot happen
                while a rule that uses the parameter is valid.
        """
        for dated in reversed(self.values):
            if dated.from_on <= day:
                return dated
        raise ValueError(f"parameter {self.name or 'value'} has no value on {day}")
