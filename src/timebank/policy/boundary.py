"""People at the edge of every number: one short, just there, one beyond; made, not written.

They are the people of the pack's own cases with one fact changed. Each is judged twice, alone and
in columns, and an edge at which nothing changes for anybody decides nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from timebank.policy.check import with_terms
from timebank.policy.columns import evaluate_population, to_column
from timebank.policy.condition import Leaf, Outcome, leaves, number_of
from timebank.policy.evaluation import RuleResult, evaluate_person, facts_needed, uses
from timebank.policy.fact import FactKey, FactType, Value
from timebank.policy.rule import Case, Pack, Rule, Verdict


@dataclass(frozen=True, slots=True)
class Boundary:
    """What happens around one number of one leaf from one day on.

    Attributes:
        found: What people come to who have one less, the number itself, one more.
        decides: Whether these differ, for the people of one case at least.
        is_same_in_columns: Whether both evaluators said the same of everybody tried.
    """

    rule_id: str
    node: str
    on: date
    values: tuple[Value, ...]
    found: tuple[str, ...]
    decides: bool
    is_same_in_columns: bool

    def __str__(self) -> str:
        """Return the boundary as a line for a terminal."""
        pairs = ", ".join(
            f"{value}: {came}" for value, came in zip(self.values, self.found, strict=True)
        )
        return f"{self.node} on {self.on}: {pairs}"


def boundaries(pack: Pack) -> tuple[Boundary, ...]:
    """Return one boundary for every number, day and choice that a leaf compares with.

    Shape: by rule, leaf and first day of the number; those of rules without a case are left out.
    """
    whole = with_terms(pack)
    return tuple(
        found
        for rule in whole.rules
        for leaf, on in _edges(rule)
        if (found := _boundary(whole, rule, leaf, on)) is not None
    )


def _edges(rule: Rule) -> Iterator[tuple[Leaf, date]]:
    seen: set[tuple[str, date]] = set()
    for step in rule.steps:
        for leaf in leaves(step.condition):
            if leaf.use.spec.type in (FactType.YES_NO, FactType.REGION):
                continue
            for dated in leaf.parameter.values:
                on = max(dated.from_on, rule.valid.from_on)
                if step.version is not None:
                    on = max(on, step.version.from_on)
                is_current = leaf.parameter.on(on) is dated
                if on not in rule.valid or not is_current or (leaf.node, on) in seen:
                    continue
                if step.version is not None and on not in step.version:
                    continue
                if isinstance(leaf.need(on=on), tuple):
                    continue
                seen.add((leaf.node, on))
                yield leaf, on


def _boundary(pack: Pack, rule: Rule, leaf: Leaf, on: date) -> Boundary | None:
    some = replace(
        pack, rules=tuple(each for each in pack.rules if each.provides or each.id == rule.id)
    )
    key = leaf.use.key(on=on)
    if key not in facts_needed([some], on=on):
        return None
    need = leaf.need(on=on)
    values = tuple(_around(need if not isinstance(need, str) else number_of(need), leaf))
    kept: tuple[str, ...] = ()
    is_same = True
    for case in pack.cases:
        if all(each.rule_id != rule.id for each in case.expect):
            continue
        facts = _facts(some, case, on)
        people = [{**facts, key: value} for value in values]
        found = tuple(_come_to(some, rule, person, on) for person in people)
        is_same = is_same and _is_same_in_columns(some, people, on)
        if not kept or len(set(found)) > len(set(kept)):
            kept = found
    if not kept:
        return None
    decides = len(set(kept)) > 1
    return Boundary(rule.id, leaf.node, on, values, kept, decides, is_same)


def _around(need: object, leaf: Leaf) -> Iterator[Value]:
    match need:
        case date():
            yield from (need + timedelta(days=days) for days in (-1, 0, 1))
        case int():
            last = len(leaf.use.spec.choices) - 1
            for value in (need - 1, need, need + 1):
                if not leaf.use.spec.choices or 0 <= value <= last:
                    yield value
        case _:
            raise ValueError(f"{leaf.node}: one value is compared with")


def _facts(pack: Pack, case: Case, on: date) -> dict[FactKey, Value | None]:
    asked = facts_needed([pack], on=on)
    return {key: case.find(use) for key, use in uses([pack], on=on).items() if key in asked}


def _result(pack: Pack, rule: Rule, facts: Mapping[FactKey, Value | None], on: date) -> RuleResult:
    results = evaluate_person([pack], facts, on=on)
    return next(each for each in results if each.rule.id == rule.id)


def _come_to(pack: Pack, rule: Rule, facts: Mapping[FactKey, Value | None], on: date) -> str:
    result = _result(pack, rule, facts, on)
    if result.verdict is not Verdict.GRANTED:
        return result.verdict.value
    return f"{result.verdict.value} {result.level or result.gives[-1].offer.count}"


def _is_same_in_columns(pack: Pack, people: list[dict[FactKey, Value | None]], on: date) -> bool:
    keys = facts_needed([pack], on=on)
    columns = {
        key: to_column([person[key] for person in people], kind=key.spec.type) for key in keys
    }
    found = evaluate_population([pack], columns, people=len(people), on=on)
    for row, person in enumerate(people):
        for one, everybody in zip(evaluate_person([pack], person, on=on), found, strict=True):
            for step, column in zip(one.steps, everybody.steps, strict=True):
                masks = (column.outcomes.met[row], column.outcomes.unknown[row])
                outcome = step.judged.outcome
                if masks != (outcome is Outcome.MET, outcome is Outcome.UNKNOWN):
                    return False
                if outcome is Outcome.MET and step.offer != column.offer_at(row):
                    return False
    return True
