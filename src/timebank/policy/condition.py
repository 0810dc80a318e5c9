"""Conditions: four shapes over leaves, three outcomes, and the reason of every leaf.

The grammar is closed: all, any, not, at least n, and a leaf that compares one fact. There are no
loops, no texts to build, no clock, so a condition's cost is its number of nodes.

Unknown follows Kleene's logic: a part that is unknown matters only where it could still decide.
A leaf says what its own unknown means: `ask` (the default) keeps it unknown, `deny` counts it as
unmet, `ignore` leaves the leaf out, as if it had not been written. A condition of which everything
was left out is unknown: nothing was shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never

from timebank.domain import region
from timebank.policy.fact import CHOICE_PLACES, FactKey, Facts, FactType, FactUse, Value
from timebank.policy.parameter import Citation, Need, Parameter

DEPTH_MAX = 8
"""Nodes from the top of a condition to its lowest leaf."""

NODES_MAX = 500
"""Nodes in one pack's conditions, levels counted."""

LIST_MAX = 5_000
"""Values behind `in` and `within`: more villages than any city has."""


class Op(StrEnum):
    """How a leaf compares what a person has with what is needed."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    EQUAL = "=="
    DIFFERENT = "!="
    IN = "in"
    WITHIN = "within"
    """A division equal to, or below, one of those named."""


OPS: dict[FactType, frozenset[Op]] = {
    FactType.NUMBER: frozenset(Op) - {Op.WITHIN},
    FactType.DAY: frozenset(Op) - {Op.WITHIN},
    FactType.YES_NO: frozenset({Op.EQUAL, Op.DIFFERENT}),
    FactType.REGION: frozenset({Op.EQUAL, Op.DIFFERENT, Op.IN, Op.WITHIN}),
    FactType.CHOICE: frozenset(Op) - {Op.WITHIN},
}
"""Which comparisons make sense for a fact."""

OPPOSITE: dict[Op, Op] = {
    Op.AT_LEAST: Op.BELOW,
    Op.ABOVE: Op.AT_MOST,
    Op.AT_MOST: Op.ABOVE,
    Op.BELOW: Op.AT_LEAST,
    Op.EQUAL: Op.DIFFERENT,
    Op.DIFFERENT: Op.EQUAL,
}
"""What holds exactly when the other does not; lists have none in the grammar."""


class Unknown(StrEnum):
    """What an unknown fact means to a leaf."""

    ASK = "ask"
    DENY = "deny"
    IGNORE = "ignore"


class Outcome(StrEnum):
    """What a condition comes to. IGNORED is seen inside a condition only, never as its answer."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A comparison of one fact.

    Attributes:
        node: Stable name within the pack, such as `film/when.all.0`.
        index: Of a parameter that is a list of levels: which one; else None.
    """

    node: str
    use: FactUse
    op: Op
    parameter: Parameter
    index: int | None = None
    unknown: Unknown = Unknown.ASK

    def need(self, *, on: date) -> Need:
        """Return what is needed on a day."""
        value = self.parameter.on(on).value
        if self.index is None:
            return value
        if not isinstance(value, tuple):
            raise ValueError(f"{self.node}: levels need a list")
        return value[self.index]

    def cite(self, *, on: date) -> Citation:
        """Return whose word the needed value is on a day."""
        return self.parameter.on(on).cite


@dataclass(frozen=True, slots=True)
class All:
    """Every part must be met."""

    node: str
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part is enough."""

    node: str
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many of the parts are enough."""

    node: str
    count: int
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not be met."""

    node: str
    part: "Condition"


Condition = All | AnyOf | AtLeast | Not | Leaf


@dataclass(frozen=True, slots=True)
class Reason:
    """What one leaf came to, with everything needed to say why.

    Attributes:
        have: None when the fact is unknown.
        outcome: Of the leaf itself, before any `not` around it.
        gap: How much more is needed for a number, negative for too much; None where a difference
            of numbers is not the point.
        is_negated: An odd number of `not` stands around it: it helps by being unmet.
    """

    node: str
    key: FactKey
    use: FactUse
    op: Op
    need: Need
    have: Value | None
    outcome: Outcome
    gap: int | None
    cite: Citation
    is_negated: bool

    def as_record(self) -> dict[str, object]:
        """Return the reason as plain values, ready for JSON, for a stored decision."""
        record: dict[str, object] = {
            "node": self.node,
            "fact": self.key.name,
            "since": None if self.key.since is None else self.key.since.isoformat(),
            "until": self.key.until.isoformat(),
            "assurance_min": int(self.key.assurance_min),
            "rule": self.key.rule,
            "op": self.op.value,
            "need": _plain(self.need),
            "have": _plain(self.have),
            "outcome": self.outcome.value,
            "gap": self.gap,
            "cite": str(self.cite),
            "source": self.cite.source.value,
            "negated": self.is_negated,
        }
        named = (
            ("category", self.key.category),
            ("region", self.key.region),
            ("register", self.key.register),
            ("origin", self.key.spec.origin),
        )
        return record | {name: value for name, value in named if value}


def _plain(value: Need | None) -> object:
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return [_plain(each) for each in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition's node with its outcome, and the same for its parts.

    Attributes:
        reason: Of a leaf; None elsewhere.
    """

    condition: Condition
    outcome: Outcome
    parts: "tuple[Judged, ...]" = ()
    reason: Reason | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Return one reason per leaf, in the order of the rule."""
        if self.reason is not None:
            return (self.reason,)
        return tuple(reason for part in self.parts for reason in part.reasons)


def evaluate(condition: Condition, facts: Facts, *, on: date) -> Judged:
    """Return what a condition comes to for one person on a day, with one reason per leaf.

    Raises:
        ValueError: A fact that the condition asks for was not supplied, not even as unknown.
    """
    judged = _judge(condition, facts, on, is_negated=False)
    if judged.outcome is Outcome.IGNORED:
        return Judged(condition, Outcome.UNKNOWN, judged.parts, judged.reason)
    return judged


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the leaves in the order of the rule."""
    match condition:
        case Leaf():
            yield condition
        case Not(_, part):
            yield from leaves(part)
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            for part in parts:
                yield from leaves(part)
        case _:
            assert_never(condition)


def combine(condition: All | AnyOf | AtLeast, outcomes: list[Outcome]) -> Outcome:
    """Return what the outcomes of a node's parts come to."""
    counted = [outcome for outcome in outcomes if outcome is not Outcome.IGNORED]
    if not counted:
        return Outcome.IGNORED
    enough = enough_of(condition, len(counted))
    met = counted.count(Outcome.MET)
    if met >= enough:
        return Outcome.MET
    if met + counted.count(Outcome.UNKNOWN) >= enough:
        return Outcome.UNKNOWN
    return Outcome.UNMET


def enough_of(condition: All | AnyOf | AtLeast, counted: int) -> int:
    """Return how many of the counted parts must be met."""
    match condition:
        case All():
            return counted
        case AnyOf():
            return 1
        case AtLeast():
            return condition.count


def opposite(outcome: Outcome) -> Outcome:
    """Return what `not` makes of an outcome."""
    match outcome:
        case Outcome.MET:
            return Outcome.UNMET
        case Outcome.UNMET:
            return Outcome.MET
        case Outcome.UNKNOWN | Outcome.IGNORED:
            return outcome


def leaf_reason(
    leaf: Leaf, have: Value | None, *, key: FactKey, need: Need, cite: Citation, is_negated: bool
) -> Reason:
    """Return what a leaf comes to for what a person has."""
    if have is None:
        outcome = {
            Unknown.ASK: Outcome.UNKNOWN,
            Unknown.DENY: Outcome.UNMET,
            Unknown.IGNORE: Outcome.IGNORED,
        }[leaf.unknown]
    else:
        outcome = Outcome.MET if compare(leaf.op, have, need) else Outcome.UNMET
    blocking = Outcome.MET if is_negated else Outcome.UNMET
    gap = None
    if have is not None and outcome is blocking and leaf.use.spec.type is FactType.NUMBER:
        gap = _gap(OPPOSITE.get(leaf.op, leaf.op) if is_negated else leaf.op, have, need)
    return Reason(leaf.node, key, leaf.use, leaf.op, need, have, outcome, gap, cite, is_negated)


def compare(op: Op, have: Value, need: Need) -> bool:
    """Return whether a comparison holds. Divisions compare by code."""
    match op:
        case Op.AT_LEAST:
            return number_of(have) >= number_of(need)
        case Op.ABOVE:
            return number_of(have) > number_of(need)
        case Op.AT_MOST:
            return number_of(have) <= number_of(need)
        case Op.BELOW:
            return number_of(have) < number_of(need)
        case Op.EQUAL:
            return number_of(have) == number_of(need)
        case Op.DIFFERENT:
            return number_of(have) != number_of(need)
        case Op.IN:
            return number_of(have) in [number_of(each) for each in as_list(need)]
        case Op.WITHIN:
            return any(number_of(have) in region.subtree(number_of(each)) for each in as_list(need))
        case _:
            assert_never(op)


def as_list(need: Need) -> tuple[Value | str, ...]:
    """Return the values of a list, or one value as a list of one."""
    return need if isinstance(need, tuple) else (need,)


def number_of(value: Need) -> int:
    """Return one value as the number that it is compared by.

    A day's ordinal, a division's code, the place of a choice.
    """
    match value:
        case date():
            return value.toordinal()
        case str():
            place = CHOICE_PLACES.get(value)
            return region.parse_code(value) if place is None else place
        case int():
            return int(value)
        case _:
            raise ValueError("a list where one value is compared")


def _gap(op: Op, have: Value, need: Need) -> int | None:
    if op in (Op.IN, Op.WITHIN, Op.DIFFERENT):
        return None
    difference = number_of(need) - number_of(have)
    match op:
        case Op.ABOVE:
            return difference + 1
        case Op.BELOW:
            return difference - 1
        case _:
            return difference


def _judge(condition: Condition, facts: Facts, on: date, *, is_negated: bool) -> Judged:
    match condition:
        case Leaf():
            key = condition.use.key(on=on)
            if key not in facts:
                raise ValueError(f"{condition.node}: the fact {key} was not supplied")
            reason = leaf_reason(
                condition,
                facts[key],
                key=key,
                need=condition.need(on=on),
                cite=condition.cite(on=on),
                is_negated=is_negated,
            )
            return Judged(condition, reason.outcome, reason=reason)
        case Not(_, part):
            judged = _judge(part, facts, on, is_negated=not is_negated)
            return Judged(condition, opposite(judged.outcome), (judged,))
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            found = tuple(_judge(part, facts, on, is_negated=is_negated) for part in parts)
            outcome = combine(condition, [each.outcome for each in found])
            return Judged(condition, outcome, found)
        case _:
            assert_never(condition)
