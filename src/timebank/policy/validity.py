"""The days on which something is in force."""

from dataclasses import dataclass
from datetime import date

from timebank.policy.extension import holds


@dataclass(frozen=True, slots=True)
class Validity:
    """The days on which a rule is in force, both included.

    Attributes:
        through: None for a rule without an end.
        calendar: A calendar from outside, of which only the days count; empty for every day.
    """

    from_on: date
    through: date | None
    calendar: str = ""

    def __contains__(self, day: date) -> bool:
        """Return whether the rule is in force on a day."""
        is_between = self.from_on <= day and (self.through is None or day <= self.through)
        return is_between and (not self.calendar or holds(self.calendar, on=day))
