"""How grants of one person go together: groups of rules, resolved before money is touched."""

from dataclasses import dataclass
from enum import StrEnum

from timebank.policy.bilingual import Bilingual
from timebank.policy.grant import Every
from timebank.policy.parameter import Citation, Parameter


class StackMode(StrEnum):
    """What somebody gets who meets several rules of a group in one period."""

    SUM = "sum"
    """All of it."""
    HIGHEST = "highest"
    """The largest one, once in the period."""
    CHOOSE_ONE = "choose_one"
    """The one that the person chooses, once in the period; without a choice, the default."""
    TOP_UP = "top_up"
    """The largest one less what the group already paid in the period."""
    CAP = "cap"
    """All of it, up to a total in the period; the last one is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules whose grants go together in one way.

    Attributes:
        every: Over what the group is resolved; what was given in the same period counts.
        default: Of `choose_one`: the rule that is taken while the person has not chosen; empty
            where nothing is given until then.
        cap: Of `cap`: a dated total; else None.
        excludes: Other groups: whoever was given something of one in the period gets nothing of
            the other. Always named on both sides once the pack is read.
    """

    id: str
    title: Bilingual
    cite: Citation
    mode: StackMode
    every: Every
    default: str = ""
    cap: Parameter | None = None
    excludes: frozenset[str] = frozenset()
