"""How many of those who are eligible win, and which."""

from dataclasses import dataclass
from enum import StrEnum

from timebank.domain.region import Level as Division
from timebank.policy.fact import FactUse
from timebank.policy.parameter import Parameter


class SelectMode(StrEnum):
    """The ways of choosing among the eligible."""

    EACH = "each"
    """All of them."""
    TOP_N = "top_n"
    """The first n by some facts."""
    LOTTERY = "lottery"
    """n, drawn by a seed that is published after the list is fixed."""
    PLUGIN = "plugin"
    """The first n in the order of a selector from outside."""
    PANEL = "panel"
    """n that people vote for; the engine only makes the shortlist and keeps what was decided."""


class Order(StrEnum):
    """Which end of a fact comes first."""

    MOST = "most"
    LEAST = "least"


class Ties(StrEnum):
    """What happens to equals at the last place."""

    ORDER = "order"
    """The total order decides: who was eligible first, then the salted hash."""
    ALL = "all"
    """All equals win, also when that is more than n."""
    NONE = "none"
    """None of the equals wins, also when that is fewer than n."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A fact by which people are ranked; unknown comes last."""

    use: FactUse
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who of the eligible wins.

    Attributes:
        by: What people are ranked by, first things first; empty for `each` and `lottery`.
        winners: A dated number of winners; None for `each`.
        shortlist: Of `panel`: a dated number of people shown to it; else None.
        per: So many in every division of this level; None for so many in all.
        ties: Of `top_n`, and of the shortlist of `panel`.
        seed: Of `lottery`: where the seed is published, in words; else empty.
        selector: Of `plugin`: its name; else empty. It is told the facts of `by` and makes an
            order of its own of them.
    """

    mode: SelectMode = SelectMode.EACH
    by: tuple[Criterion, ...] = ()
    winners: Parameter | None = None
    shortlist: Parameter | None = None
    per: Division | None = None
    ties: Ties = Ties.ORDER
    seed: str = ""
    selector: str = ""


EACH = Selection()
"""Everybody who is eligible wins: what a rule says that says nothing."""
