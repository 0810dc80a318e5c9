"""From reasons to the nearest thing that a person can change.

The nearest reason is an opinion, so the full list always comes with it. Among what stands in the
way, what a person can still raise comes before what must first be found out, and that before what
nobody can change; then the smallest gap in proportion to the need; then the order of the rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from timebank.policy.condition import (
    AtLeast,
    Judged,
    Leaf,
    Not,
    Outcome,
    Reason,
    enough_of,
)
from timebank.policy.evaluation import RuleResult
from timebank.policy.fact import FactUnit
from timebank.policy.rule import Verdict
from timebank.policy.tier import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a rule came to what it did for a person, and what is next.

    Attributes:
        level: The highest level met; None for a rule without levels, or when none is met.
        next_level: The level that `nearest` is about; None for a rule without levels, or when all
            are met.
        nearest: What stands in the way and is nearest; None when nothing does, and out of force.
        gap: How much more of `unit` the nearest reason needs; None where it is not a number that
            a person can raise.
        by: The last day on which the gap can be closed; None when there is none.
        others: What else stands in the way, nearest first.
        reasons: Of the step in question, one per leaf, in the order of the rule.
    """

    verdict: Verdict
    on: date
    level: Level | None
    next_level: Level | None
    nearest: Reason | None
    gap: int | None
    unit: FactUnit | None
    by: date | None
    others: tuple[Reason, ...]
    reasons: tuple[Reason, ...]


def explain(result: RuleResult) -> Explanation:
    """Return the explanation of a rule's result: of the first step that is not met, or of all."""
    tiers = result.rule.tiers
    level = tiers.levels[result.level - 1] if tiers is not None and result.level else None
    ahead = [
        each for each in result.steps[result.level :] if each.judged.outcome is not Outcome.MET
    ]
    if result.rule.table is not None:
        # One row is enough; while none is met, the one that is nearest is told.
        ahead = [] if result.met else sorted(ahead, key=lambda each: _length(way_to(each.judged)))
    if not ahead:
        reasons = result.steps[-1].judged.reasons if result.steps else ()
        return Explanation(
            verdict=result.verdict,
            on=result.on,
            level=level,
            next_level=None,
            nearest=None,
            gap=None,
            unit=None,
            by=None,
            others=(),
            reasons=reasons,
        )
    step = ahead[0]
    way = way_to(step.judged)
    nearest = way[0] if way else None
    gap, unit, by = None, None, None
    if nearest is not None and _can_be_raised(nearest):
        gap, unit = nearest.gap, nearest.key.spec.unit
        window = nearest.use.window
        closes_on = None if window is None else window.closes_on(on=result.on)
        ends = [day for day in (closes_on, result.rule.valid.through) if day is not None]
        by = min(ends, default=None)
    return Explanation(
        verdict=result.verdict,
        on=result.on,
        level=level,
        next_level=step.step.level,
        nearest=nearest,
        gap=gap,
        unit=unit,
        by=by,
        others=way[1:],
        reasons=step.judged.reasons,
    )


def way_to(judged: Judged) -> tuple[Reason, ...]:
    """Return the leaves that must change for a condition to be met, nearest first.

    Where several ways lead there, the nearest. Empty when the condition is met.
    """
    return tuple(sorted(_way(judged, is_wanted=True), key=_distance))


def _way(judged: Judged, *, is_wanted: bool) -> list[Reason]:
    if judged.reason is not None:
        return [] if _is_done(judged, is_wanted=is_wanted) else [judged.reason]
    condition = judged.condition
    if isinstance(condition, Not):
        return _way(judged.parts[0], is_wanted=not is_wanted)
    if isinstance(condition, Leaf):
        raise AssertionError("a leaf has a reason")

    parts = [each for each in judged.parts if each.outcome is not Outcome.IGNORED]
    if not parts:
        return [reason for each in judged.parts for reason in each.reasons]
    needed = enough_of(condition, len(parts))
    if not is_wanted:
        needed = len(parts) - needed + 1
    pending = [each for each in parts if not _is_done(each, is_wanted=is_wanted)]
    missing = needed - (len(parts) - len(pending))
    if missing <= 0:
        return []
    if judged.outcome is Outcome.UNKNOWN:
        pending = [each for each in pending if each.outcome is Outcome.UNKNOWN]
    elif isinstance(condition, AtLeast) and missing > len(pending):
        # More is asked for than there is left to count: everything that can be done, is.
        missing = len(pending)
    ways = sorted((_way(each, is_wanted=is_wanted) for each in pending), key=_length)
    return [reason for way in ways[:missing] for reason in way]


def _is_done(judged: Judged, *, is_wanted: bool) -> bool:
    return judged.outcome is (Outcome.MET if is_wanted else Outcome.UNMET)


def _can_be_raised(reason: Reason) -> bool:
    return reason.gap is not None and reason.gap > 0 and reason.key.spec.can_grow


def _distance(reason: Reason) -> tuple[int, Fraction]:
    """Return how far off a leaf is; reasons of equal distance keep the order of the rule."""
    if reason.have is None:
        return 1, Fraction(0)
    if not _can_be_raised(reason):
        return 2, Fraction(0)
    need = reason.need if isinstance(reason.need, int) else 1
    return 0, Fraction(reason.gap or 0, max(abs(need), 1))


def _length(way: Sequence[Reason]) -> tuple[tuple[int, Fraction], int]:
    """Return how long a way is: its farthest leaf, then how many leaves it has."""
    return max((_distance(reason) for reason in way), default=(0, Fraction(0))), len(way)
