"""What a shift did for others: how many people and households it reached, as somebody counted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

COUNT_MAX = 1_000_000
"""Nobody reaches more people in a shift."""


class ReachRefusal(StrEnum):
    """Why a count is not kept, in order of precedence."""

    CANCELLED = "reach.cancelled"
    """Nothing was done."""
    NOT_OVER = "reach.not_over"
    """What was reached is counted afterwards."""
    NOTHING = "reach.nothing"
    """Neither people nor households: who counted nothing writes nothing."""
    MALFORMED = "reach.malformed"
    """No whole number, below zero, or more than anybody reaches."""


@dataclass(frozen=True, slots=True)
class ReachRefused:
    """The count is not kept."""

    reason: ReachRefusal


@dataclass(frozen=True, slots=True)
class ReachCounted:
    """What was reached.

    Attributes:
        people: Person-times served; None where nobody counted.
        households: Household visits; None where nobody counted.
    """

    people: int | None
    households: int | None


def decide_reach(
    people: str,
    households: str,
    *,
    ends_at: datetime,
    is_cancelled: bool,
    now: datetime,
) -> ReachCounted | ReachRefused:
    """Decide what two fields of a form say of a shift; an empty one means that nobody counted."""
    if is_cancelled:
        return ReachRefused(ReachRefusal.CANCELLED)
    if now < ends_at:
        return ReachRefused(ReachRefusal.NOT_OVER)
    typed = (people.strip(), households.strip())
    if not any(typed):
        return ReachRefused(ReachRefusal.NOTHING)
    if not all(each == "" or (each.isascii() and each.isdigit()) for each in typed):
        return ReachRefused(ReachRefusal.MALFORMED)
    if any(len(each) > 7 or int(each or 0) > COUNT_MAX for each in typed):
        return ReachRefused(ReachRefusal.MALFORMED)
    counted = [int(each) if each else None for each in typed]
    return ReachCounted(*counted)
