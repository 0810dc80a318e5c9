"""The days on which something is in force."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """The days on which a rule is in force, both included.

    Attributes:
        through: None for a rule without an end.
    """

    from_on: date
    through: date | None

    def __contains__(self, day: date) -> bool:
        """Return whether the rule is in force on a day."""
        return self.from_on <= day and (self.through is None or day <= self.through)
