"""The same conditions over a whole population at once; the only module that knows NumPy.

A column is a fact of every person: values, and a mask of where they are known. What the values
are where the mask is false does not matter. Results equal those of `condition.evaluate` person by
person, unknowns included; a property test holds the two together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from timebank.domain import region
from timebank.policy.allocation import Claim
from timebank.policy.condition import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    Leaf,
    Not,
    Op,
    Reason,
    Unknown,
    as_list,
    leaf_reason,
    number_of,
)
from timebank.policy.evaluation import ordered_rules
from timebank.policy.extension import counts_of
from timebank.policy.fact import FactKey, FactType, FactUse, Value
from timebank.policy.grant import Made, Offer, PerUnit
from timebank.policy.parameter import Citation, Need
from timebank.policy.rule import Pack, Rule, Status, Step
from timebank.policy.selection import Criterion
from timebank.policy.table import Hit

Mask = NDArray[np.bool_]

Column = tuple[NDArray[np.int64] | NDArray[np.bool_], Mask]
"""Values and where they are known.

int64 for numbers and 12-digit division codes, bool for yes and no, and int64 proleptic ordinals
(`date.toordinal()`) for days.
"""

Columns = Mapping[FactKey, Column]
"""What is known of everybody. Every column has one entry per person, in one common order."""


@dataclass(frozen=True, slots=True)
class LeafColumn:
    """What a leaf compares for everybody: enough to give any person's reason at once."""

    leaf: Leaf
    key: FactKey
    need: Need
    cite: Citation
    is_negated: bool
    column: Column

    def reason(self, row: int) -> Reason:
        """Return one person's reason, equal to the one that `condition.evaluate` gives."""
        return leaf_reason(
            self.leaf,
            value_at(self.column, row, key=self.key),
            key=self.key,
            need=self.need,
            cite=self.cite,
            is_negated=self.is_negated,
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a condition comes to for everybody.

    Where none of the three holds, the condition was left out (`Outcome.IGNORED`).
    """

    met: Mask
    unmet: Mask
    unknown: Mask


@dataclass(frozen=True, slots=True)
class StepColumns:
    """What one step of a rule comes to for everybody.

    Attributes:
        outcomes: Every person is in exactly one of the three.
        offer: What it gives where it is met; its count is 0 where `counts` says it by person.
        counts: How many each person is given; None where `offer` says it for all.
    """

    step: Step
    outcomes: Outcomes
    leaves: tuple[LeafColumn, ...]
    offer: Offer
    counts: NDArray[np.int64] | None = None
    _offers: dict[int, Offer] = field(default_factory=dict, repr=False, compare=False)

    def offer_at(self, row: int) -> Offer:
        """Return what one person is given where it is met; who is given as much shares it."""
        if self.counts is None:
            return self.offer
        count = int(self.counts[row])
        found = self._offers.get(count)
        if found is None:
            found = self._offers[count] = replace(self.offer, count=count)
        return found

    def count_at(self, row: int) -> int:
        """Return how many one person is given where it is met."""
        return self.offer.count if self.counts is None else int(self.counts[row])

    def reasons(self, row: int) -> tuple[Reason, ...]:
        """Return one person's reasons, one per leaf, in the order of the rule."""
        return tuple(each.reason(row) for each in self.leaves)

    def rows_met(self) -> NDArray[np.intp]:
        """Return who meets it, ascending."""
        return np.flatnonzero(self.outcomes.met)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleColumns:
    """What a rule comes to for everybody on a day.

    Attributes:
        level: The highest level met; 0 where none is, and for a rule without levels.
        steps: Lowest level first, or row by row; empty when the rule is not in force.
        ranks: Each fact that the rule's selection ranks by.
        pool_ranks: Each fact that the rule's pool ranks by.
    """

    pack: Pack
    rule: Rule
    on: date
    level: NDArray[np.int64]
    steps: tuple[StepColumns, ...]
    ranks: tuple[Column, ...] = ()
    pool_ranks: tuple[Column, ...] = ()

    @property
    def may_grant(self) -> bool:
        """Return whether what is met may be granted: an enacted pack's rule that is due."""
        return self.pack.status is Status.ENACTED and self.rule.schedule.is_due(on=self.on)

    @property
    def met(self) -> Mask:
        """Return where any step is met."""
        return self._anywhere(lambda outcomes: outcomes.met)

    @property
    def unknown(self) -> Mask:
        """Return where no step is met and one is unknown: asked for, not refused."""
        return self._anywhere(lambda outcomes: outcomes.unknown) & ~self.met

    def _anywhere(self, pick: Callable[[Outcomes], Mask]) -> Mask:
        found: Mask = np.zeros(len(self.level), dtype=np.bool_)
        for step in self.steps:
            found |= pick(step.outcomes)
        return found

    def gives(self) -> "Iterator[Given]":
        """Yield what is given if it is due and nothing else stands in the way, step by step.

        Equal, person by person, to `RuleResult.gives`.
        """
        hit = None if self.rule.table is None else self.rule.table.hit
        if hit is None or len(self.steps) < 2:
            for step in self.steps:
                steps = (step,)
                for row in step.rows_met().tolist():
                    yield Given(row, step.offer_at(row), steps)
            return
        met: dict[int, list[StepColumns]] = {}
        for step in self.steps:
            for row in step.rows_met().tolist():
                met.setdefault(row, []).append(step)
        for row in sorted(met):
            found = met[row]
            best = max(found, key=lambda step: step.count_at(row))
            if hit is Hit.SUM and len(found) > 1:
                whole = sum(step.count_at(row) for step in found)
                yield Given(row, replace(found[0].offer, count=whole), tuple(found))
            else:
                yield Given(row, best.offer_at(row), (best,))


@dataclass(frozen=True, slots=True)
class Given:
    """What one person is given by one rule.

    Attributes:
        row: The person's place in the columns.
        steps: What was met for it.
    """

    row: int
    offer: Offer
    steps: tuple[StepColumns, ...]

    def reasons(self) -> tuple[Reason, ...]:
        """Return one reason per leaf of what was met."""
        return tuple(reason for step in self.steps for reason in step.reasons(self.row))


def evaluate_population(
    packs: Sequence[Pack], columns: Columns, *, people: int, on: date
) -> tuple[RuleColumns, ...]:
    """Return what every rule of some packs comes to for everybody on a day.

    Shape: one result per rule, in the order of evaluation.

    Raises:
        ValueError: A column of `evaluation.facts_needed` was not supplied, or is not of the length.
    """
    known = dict(columns)
    leaf_outcomes: dict[_Compared, Outcomes] = {}
    results: list[RuleColumns] = []
    for pack, rule in ordered_rules(packs):
        steps = tuple(
            StepColumns(
                step,
                _settled(_evaluate(step.condition, known, people, on, leaf_outcomes)),
                tuple(_leaf_columns(step.condition, known, people, on, is_negated=False)),
                pack.offer(rule, step, on=on),
                _counts(rule, known, people, on),
            )
            for step in rule.steps_on(on)
        )
        level = np.zeros(people, dtype=np.int64)
        if rule.tiers is not None:
            for each in steps:
                level[each.outcomes.met] = each.step.number
        results.append(
            RuleColumns(
                pack=pack,
                rule=rule,
                on=on,
                level=level,
                steps=steps,
                ranks=_ranks(rule.select.by, known, on) if steps else (),
                pool_ranks=_ranks(pack.ranks(rule), known, on) if steps else (),
            )
        )
        if rule.provides:
            is_known = np.full(people, bool(steps))
            for each in steps:
                is_known &= ~(each.outcomes.unknown & (each.step.number > level))
            known[FactUse(rule.provides).key(on=on)] = (level, is_known)
    return tuple(results)


def claims_of(
    results: Sequence[RuleColumns],
    *,
    people: NDArray[np.int64],
    homes: Column,
    since: Mapping[tuple[int, str, str], date] = MappingProxyType({}),
) -> Iterator[tuple[Claim, Given]]:
    """Yield what everybody is eligible for on the day, for `allocation.allocate`, with its reasons.

    Only rules that may grant are asked. `people` are the persons' numbers and `homes` their
    divisions, in the order of the columns; `since` says, by person, pack and rule, who has been
    eligible from an earlier day.
    """
    home_of = [
        home if is_known else None
        for home, is_known in zip(homes[0].tolist(), homes[1].tolist(), strict=True)
    ]
    numbers = people.tolist()
    for result in results:
        if not result.may_grant:
            continue
        ranks = [(use.use.key(on=result.on), column) for use, column in _ranked_by(result)]
        split = len(result.ranks)
        first_on, pack_id, rule_id = result.on, result.pack.id, result.rule.id
        values: tuple[Value | None, ...] = ()
        for given in result.gives():
            row = given.row
            person = numbers[row]
            if ranks:
                values = tuple(value_at(column, row, key=key) for key, column in ranks)
            if since:
                first_on = since.get((person, pack_id, rule_id), result.on)
            claim = Claim(
                person=person,
                offer=given.offer,
                eligible_since=first_on,
                home=home_of[row],
                ranks=values[:split],
                pool_ranks=values[split:],
            )
            yield claim, given


def _ranked_by(result: RuleColumns) -> Iterator[tuple[Criterion, Column]]:
    by = (*result.rule.select.by, *result.pack.ranks(result.rule))
    if result.steps:
        yield from zip(by, (*result.ranks, *result.pool_ranks), strict=True)


def _ranks(by: Sequence[Criterion], columns: Columns, on: date) -> tuple[Column, ...]:
    return tuple(columns[criterion.use.key(on=on)] for criterion in by)


def _counts(rule: Rule, columns: Columns, people: int, on: date) -> NDArray[np.int64] | None:
    amount = rule.grant.amount
    if isinstance(amount, Made):
        return counts_of(
            amount.maker,
            facts=[columns[use.key(on=on)] for use in amount.uses],
            numbers=amount.numbers_on(on),
            on=on,
            people=people,
        )
    if not isinstance(amount, PerUnit):
        return None
    given, block = amount.pair(on=on)
    values, is_known = columns[amount.use.key(on=on)]
    counts: NDArray[np.int64] = np.where(is_known, np.maximum(values, 0) // block * given, 0)
    return counts


def evaluate(condition: Condition, columns: Columns, *, people: int, on: date) -> Outcomes:
    """Return what a condition comes to for everybody on a day.

    Raises:
        ValueError: A column was not supplied, or is not of the length.
    """
    return _settled(_evaluate(condition, columns, people, on, {}))


_Compared = tuple[FactUse, Op, Need, Unknown]
"""What a leaf compares: rules that ask the same share the answer."""


def _settled(found: Outcomes) -> Outcomes:
    left_out = ~(found.met | found.unmet | found.unknown)
    return Outcomes(found.met, found.unmet, found.unknown | left_out)


def value_at(column: Column, row: int, *, key: FactKey) -> Value | None:
    """Return one person's fact as the scalar evaluation takes it."""
    values, is_known = column
    if not is_known[row]:
        return None
    match key.spec.type:
        case FactType.YES_NO:
            return bool(values[row])
        case FactType.DAY:
            return date.fromordinal(int(values[row]))
        case FactType.NUMBER | FactType.REGION | FactType.CHOICE:
            return int(values[row])


def facts_at(columns: Columns, row: int) -> dict[FactKey, Value | None]:
    """Return what is known of one person, for `evaluation.evaluate_person`."""
    return {key: value_at(column, row, key=key) for key, column in columns.items()}


def to_column(values: Sequence[Value | None], *, kind: FactType) -> Column:
    """Return the column of some people's values; None becomes unknown."""
    is_known = np.array([value is not None for value in values], dtype=np.bool_)
    if kind is FactType.YES_NO:
        return np.array([bool(value) for value in values], dtype=np.bool_), is_known
    numbers = [
        value.toordinal() if isinstance(value, date) else int(value or 0) for value in values
    ]
    return np.array(numbers, dtype=np.int64), is_known


def _leaf_columns(
    condition: Condition, columns: Columns, people: int, on: date, *, is_negated: bool
) -> Iterator[LeafColumn]:
    match condition:
        case Leaf():
            key = condition.use.key(on=on)
            need, cite = condition.need(on=on), condition.cite(on=on)
            column = _column(condition, columns, people, key)
            yield LeafColumn(condition, key, need, cite, is_negated, column)
        case Not(_, part):
            yield from _leaf_columns(part, columns, people, on, is_negated=not is_negated)
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            for part in parts:
                yield from _leaf_columns(part, columns, people, on, is_negated=is_negated)
        case _:
            assert_never(condition)


def _column(leaf: Leaf, columns: Columns, people: int, key: FactKey) -> Column:
    if key not in columns:
        raise ValueError(f"{leaf.node}: the fact {key} was not supplied")
    values, is_known = columns[key]
    if values.shape != (people,) or is_known.shape != (people,):
        raise ValueError(f"{leaf.node}: a column is not of the length {people}")
    return values, is_known


def _evaluate(
    condition: Condition,
    columns: Columns,
    people: int,
    on: date,
    leaf_outcomes: dict[_Compared, Outcomes],
) -> Outcomes:
    match condition:
        case Leaf():
            compared = (condition.use, condition.op, condition.need(on=on), condition.unknown)
            if compared not in leaf_outcomes:
                leaf_outcomes[compared] = _leaf_outcomes(condition, columns, people, on)
            return leaf_outcomes[compared]
        case Not(_, part):
            found = _evaluate(part, columns, people, on, leaf_outcomes)
            return Outcomes(found.unmet, found.met, found.unknown)
        case All(_, parts):
            met, unmet, unknown = _any_of(parts, columns, people, on, leaf_outcomes)
            return Outcomes(met & ~unmet & ~unknown, unmet, unknown & ~unmet)
        case AnyOf(_, parts):
            met, unmet, unknown = _any_of(parts, columns, people, on, leaf_outcomes)
            return Outcomes(met, unmet & ~met & ~unknown, unknown & ~met)
        case AtLeast(_, count, parts):
            met_count = np.zeros(people, dtype=np.int16)
            unknown_count = np.zeros(people, dtype=np.int16)
            is_counted = np.zeros(people, dtype=np.bool_)
            for part in parts:
                found = _evaluate(part, columns, people, on, leaf_outcomes)
                met_count += found.met
                unknown_count += found.unknown
                is_counted |= found.met | found.unmet | found.unknown
            met = met_count >= count
            unknown = ~met & (met_count + unknown_count >= count)
            return Outcomes(met, is_counted & ~met & ~unknown, unknown)
        case _:
            assert_never(condition)


def _leaf_outcomes(leaf: Leaf, columns: Columns, people: int, on: date) -> Outcomes:
    values, is_known = _column(leaf, columns, people, leaf.use.key(on=on))
    holds = compare_columns(leaf.op, values, leaf.need(on=on))
    met, unmet, unknown = holds & is_known, ~holds & is_known, ~is_known
    match leaf.unknown:
        case Unknown.ASK:
            return Outcomes(met, unmet, unknown)
        case Unknown.DENY:
            return Outcomes(met, unmet | unknown, np.zeros(people, dtype=np.bool_))
        case Unknown.IGNORE:
            return Outcomes(met, unmet, np.zeros(people, dtype=np.bool_))


def _any_of(
    parts: Sequence[Condition],
    columns: Columns,
    people: int,
    on: date,
    leaf_outcomes: dict[_Compared, Outcomes],
) -> tuple[Mask, Mask, Mask]:
    """Return where any part is met, where any is unmet, where any is unknown."""
    met = np.zeros(people, dtype=np.bool_)
    unmet = np.zeros(people, dtype=np.bool_)
    unknown = np.zeros(people, dtype=np.bool_)
    for part in parts:
        found = _evaluate(part, columns, people, on, leaf_outcomes)
        met |= found.met
        unmet |= found.unmet
        unknown |= found.unknown
    return met, unmet, unknown


def compare_columns(op: Op, values: NDArray[np.int64] | NDArray[np.bool_], need: Need) -> Mask:
    """Return where a comparison holds, as `condition.compare` does for one value."""
    numbers = np.array([number_of(each) for each in as_list(need)], dtype=np.int64)
    first = numbers[0]
    holds: Mask
    match op:
        case Op.AT_LEAST:
            holds = values >= first
        case Op.ABOVE:
            holds = values > first
        case Op.AT_MOST:
            holds = values <= first
        case Op.BELOW:
            holds = values < first
        case Op.EQUAL:
            holds = values == first
        case Op.DIFFERENT:
            holds = values != first
        case Op.IN:
            holds = np.isin(values, numbers)
        case Op.WITHIN:
            # Divisions nest or are apart, so of all that start at or below a code, the farthest
            # end decides.
            starts = np.sort(numbers)
            stops = np.maximum.accumulate([region.subtree(int(each)).stop for each in starts])
            place = np.searchsorted(starts, values, side="right") - 1
            holds = (place >= 0) & (values < stops[place])
        case _:
            assert_never(op)
    return holds
