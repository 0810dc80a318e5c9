"""Levels: one fact against an ascending list of numbers."""

from dataclasses import dataclass
from enum import StrEnum

from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import All, Condition, Leaf, Op
from timebank.policy.fact import FactUse
from timebank.policy.grant import Approver
from timebank.policy.parameter import Parameter


class Downgrade(StrEnum):
    """What takes a level away."""

    NEVER = "never"
    """Nothing: what was granted stays granted."""
    YEARLY = "yearly"
    """The end of the year: a level is given for a year, and earned again in the next."""
    ON_CORRECTION = "on_correction"
    """A correction of the record that it was decided on, and nothing else."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step.

    Attributes:
        number: From 1.
    """

    number: int
    title: Bilingual
    approver: Approver


@dataclass(frozen=True, slots=True)
class Tiers:
    """The levels of a rule, lowest first.

    Attributes:
        parameter: One ascending number per level, on every date.
    """

    use: FactUse
    parameter: Parameter
    downgrade: Downgrade
    levels: tuple[Level, ...]

    def condition(self, level: Level, *, rule_id: str, when: Condition | None) -> Condition:
        """Return what a level asks for: its number, and the rule's own condition if it has one."""
        leaf = Leaf(
            node=f"{rule_id}/tiers.{level.number}",
            use=self.use,
            op=Op.AT_LEAST,
            parameter=self.parameter,
            index=level.number - 1,
        )
        if when is None:
            return leaf
        return All(f"{rule_id}/tiers.{level.number}.all", (when, leaf))
