"""Trying a pack before it counts: its cases, the leaves they reach, the numbers they would miss."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never

from timebank.domain.assurance import Assurance
from timebank.policy.condition import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    Leaf,
    Not,
    Op,
    Outcome,
    Unknown,
    leaves,
)
from timebank.policy.evaluation import RuleResult, evaluate_person, facts_needed, uses
from timebank.policy.explain import explain
from timebank.policy.fact import FactUse
from timebank.policy.grant import Expiry, Fixed
from timebank.policy.parameter import Need, Parameter
from timebank.policy.rule import Case, Expectation, Pack, Rule, Validity, Verdict
from timebank.policy.wording import sentence, trace

_SOFTER = {
    Op.AT_LEAST: Op.ABOVE,
    Op.ABOVE: Op.AT_LEAST,
    Op.AT_MOST: Op.BELOW,
    Op.BELOW: Op.AT_MOST,
    Op.EQUAL: Op.DIFFERENT,
    Op.DIFFERENT: Op.EQUAL,
}
"""The operator most easily mistaken for another."""

_DAY = timedelta(days=1)

_COMMAS = {ord("，"): ",", ord(" "): None}
"""Authors may write the Chinese or the plain comma, and spaces as they like."""


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """A promise that the rules do not keep.

    Attributes:
        promised: The expectation as the case writes it.
        found: What came instead, written in the same way.
        trace: The rule's result, one line per leaf.
    """

    case: str
    line: int
    rule_id: str
    promised: str
    found: str
    trace: str

    def __str__(self) -> str:
        """Return the failure as lines for a terminal."""
        differs = f"{self.rule_id}: promised {self.promised!r}, found {self.found!r}"
        return f"cases.toml:{self.line}: {self.case}\n  {differs}\n{self.trace}"


def case_results(pack: Pack, rule: Rule) -> tuple[tuple[Case, RuleResult], ...]:
    """Return what a rule comes to in each case of its pack that promises something about it.

    Shape: one pair per case, in the order of the file.
    """
    return tuple(
        (case, _results(pack, case)[rule.id])
        for case in pack.cases
        if any(expectation.rule_id == rule.id for expectation in case.expect)
    )


def run_cases(pack: Pack) -> tuple[CaseFailure, ...]:
    """Return the promises of a pack's cases that its rules do not keep.

    After the colon of an expectation may stand: of `granted`, the level reached, or what is given,
    such as `12 film until 2025-02-28`; of `not granted` and `missing`, the fact that is nearest, or
    the sentence about it in either language.
    """
    failures: list[CaseFailure] = []
    for case in pack.cases:
        results = _results(pack, case)
        for expectation in case.expect:
            result = results[expectation.rule_id]
            if _keeps(result, expectation):
                continue
            failures.append(
                CaseFailure(
                    case.name,
                    case.line,
                    expectation.rule_id,
                    _written(expectation),
                    found_in(result),
                    trace(result),
                )
            )
    return tuple(failures)


def found_in(result: RuleResult) -> str:
    """Return a result as a case would promise it."""
    if result.verdict is Verdict.GRANTED:
        if result.level:
            return f"granted: {result.level}"
        return f"granted: {result.met[0].offer}"
    if result.verdict is Verdict.NOT_IN_FORCE:
        return result.verdict.value
    return f"{result.verdict.value}: {sentence(explain(result), language='en')}"


def unseen_outcomes(pack: Pack) -> tuple[str, ...]:
    """Return which leaves the cases never reach with which outcome, such as `film/when.0: unmet`.

    Shape: by rule, leaf and outcome; empty when every leaf was seen met, unmet and, where its fact
    can be unknown and the leaf asks for it, unknown.
    """
    seen: set[tuple[str, Outcome]] = set()
    for case in pack.cases:
        for result in _results(pack, case).values():
            seen |= {
                (reason.node, reason.outcome)
                for each in result.steps
                for reason in each.judged.reasons
            }
    wanted: list[str] = []
    for rule in pack.rules:
        for step in rule.steps:
            for leaf in leaves(step.condition):
                outcomes = [Outcome.MET, Outcome.UNMET]
                if not leaf.use.spec.is_always_known and leaf.unknown is Unknown.ASK:
                    outcomes.append(Outcome.UNKNOWN)
                wanted.extend(
                    f"{leaf.node}: {outcome.value}"
                    for outcome in outcomes
                    if (leaf.node, outcome) not in seen
                )
    return tuple(dict.fromkeys(wanted))


def surviving_mutants(pack: Pack) -> tuple[str, ...]:
    """Return the changes to the pack that none of its cases would notice, in words.

    Every number and day is moved by one both ways, every operator is replaced by the one it is most
    easily mistaken for, every leaf is left out where others remain, and so on; see `mutants`.

    Raises:
        ValueError: The pack does not keep its own cases, so every change would seem noticed.

    Cost: all cases once for every change.
    """
    if run_cases(pack):
        raise ValueError("the pack does not keep its own cases")
    return tuple(words for words, mutant in mutants(pack) if not run_cases(mutant))


def mutants(pack: Pack) -> Iterator[tuple[str, Pack]]:
    """Yield packs that differ in one number, day, operator or leaf, each with what was changed."""
    for parameter in pack.parameters:
        for words, changed in _changed_parameters(parameter):
            rules = tuple(_with_parameter(rule, changed) for rule in pack.rules)
            yield f"{parameter.name} {words}", replace(pack, rules=rules)
    for position, rule in enumerate(pack.rules):
        for words, changed_rule in _changed_rules(rule):
            rules = (*pack.rules[:position], changed_rule, *pack.rules[position + 1 :])
            yield f"{rule.id}: {words}", replace(pack, rules=rules)


def _results(pack: Pack, case: Case) -> dict[str, RuleResult]:
    asked = facts_needed([pack], on=case.on)
    facts = {key: case.find(use) for key, use in uses([pack], on=case.on).items() if key in asked}
    return {result.rule.id: result for result in evaluate_person([pack], facts, on=case.on)}


def _written(expectation: Expectation) -> str:
    detail = f": {expectation.detail}" if expectation.detail else ""
    return f"{expectation.verdict.value}{detail}"


def _keeps(result: RuleResult, expectation: Expectation) -> bool:
    if result.verdict is not expectation.verdict:
        return False
    if not expectation.detail:
        return True
    if result.verdict is Verdict.GRANTED:
        said = {str(result.level)} if result.level else {str(result.met[0].offer)}
    else:
        explanation = explain(result)
        said = {sentence(explanation, language=language) for language in ("zh", "en")}
        if explanation.nearest is not None:
            said.add(explanation.nearest.key.name)
    return expectation.detail.translate(_COMMAS) in {words.translate(_COMMAS) for words in said}


def _changed_parameters(parameter: Parameter) -> Iterator[tuple[str, Parameter]]:
    for position, dated in enumerate(parameter.values):
        before, after = parameter.values[:position], parameter.values[position + 1 :]
        for value in _near(dated.value):
            changed = replace(dated, value=value)
            yield (
                f"from {dated.from_on}: {dated.value} became {value}",
                Parameter(parameter.name, (*before, changed, *after)),
            )
        if not before:
            # The first day of the first value decides nothing: rules begin on it or after it.
            continue
        for day in (dated.from_on - _DAY, dated.from_on + _DAY):
            if before[-1].from_on < day and (not after or day < after[0].from_on):
                changed = replace(dated, from_on=day)
                yield (
                    f"from {dated.from_on} became from {day}",
                    Parameter(parameter.name, (*before, changed, *after)),
                )


def _near(value: Need) -> Iterator[Need]:
    """Yield what a value could have been by one slip."""
    match value:
        case bool():
            yield not value
        case int():
            yield value - 1
            yield value + 1
        case date():
            yield value - _DAY
            yield value + _DAY
        case tuple() if all(isinstance(each, int) for each in value):
            for position, each in enumerate(value):
                for near in _near(each):
                    yield (*value[:position], _single(near), *value[position + 1 :])
        case tuple() if len(value) > 1:
            for position in range(len(value)):
                yield (*value[:position], *value[position + 1 :])
        case _:
            return


def _single(value: Need) -> int:
    if not isinstance(value, int):
        raise AssertionError("one number beside another is a number")
    return value


def _with_parameter(rule: Rule, parameter: Parameter) -> Rule:
    tiers = rule.tiers
    if tiers is not None and tiers.parameter.name == parameter.name:
        tiers = replace(tiers, parameter=parameter)
    when = None if rule.when is None else _with_parameter_in(rule.when, parameter)
    return replace(rule, when=when, tiers=tiers)


def _with_parameter_in(condition: Condition, parameter: Parameter) -> Condition:
    match condition:
        case Leaf():
            is_meant = condition.parameter.name == parameter.name
            return replace(condition, parameter=parameter) if is_meant else condition
        case Not(node, part):
            return Not(node, _with_parameter_in(part, parameter))
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            changed = tuple(_with_parameter_in(part, parameter) for part in parts)
            return replace(condition, parts=changed)
        case _:
            assert_never(condition)


def _changed_rules(rule: Rule) -> Iterator[tuple[str, Rule]]:
    if rule.when is not None:
        for words, when in _changed_conditions(rule.when):
            yield words, replace(rule, when=when)
    if rule.tiers is not None:
        for words, use in _changed_uses(rule.tiers.use):
            yield words, replace(rule, tiers=replace(rule.tiers, use=use))
    valid = rule.valid
    for day in (valid.from_on - _DAY, valid.from_on + _DAY):
        stretched = rule
        for leaf in rule.leaves():
            stretched = _with_parameter(stretched, _stretched(leaf.parameter, to=day))
        yield f"valid from {day}", replace(stretched, valid=Validity(day, valid.through))
    if valid.through is not None:
        for day in (valid.through - _DAY, valid.through + _DAY):
            yield f"valid through {day}", replace(rule, valid=Validity(valid.from_on, day))
    if rule.tiers is None:
        if isinstance(rule.grant.amount, Fixed):
            count = rule.grant.amount.count
            for other in {max(count - 1, 1), count + 1} - {count}:
                yield (
                    f"gives {other}",
                    replace(rule, grant=replace(rule.grant, amount=Fixed(other))),
                )
        for expiry in _changed_expiries(rule.grant.expiry):
            yield f"expires {expiry}", replace(rule, grant=replace(rule.grant, expiry=expiry))


def _stretched(parameter: Parameter, *, to: date) -> Parameter:
    """Return a parameter that has its first value from a day on, if not earlier."""
    first, *later = parameter.values
    return Parameter(parameter.name, (replace(first, from_on=min(first.from_on, to)), *later))


def _changed_expiries(expiry: Expiry | None) -> Iterator[Expiry | None]:
    if expiry is None:
        yield Expiry(from_year_end=True)
        return
    yield None
    yield replace(expiry, from_year_end=not expiry.from_year_end)
    yield replace(expiry, months=expiry.months + 1)
    yield replace(expiry, days=expiry.days + 1)


def _changed_conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    match condition:
        case Leaf():
            yield from _changed_leaves(condition)
        case Not(node, part):
            yield f"{node}: the not left out", part
            for words, changed in _changed_conditions(part):
                yield words, Not(node, changed)
        case All(node, parts) | AnyOf(node, parts) | AtLeast(node, _, parts):
            for position, part in enumerate(parts):
                before, after = parts[:position], parts[position + 1 :]
                for words, changed in _changed_conditions(part):
                    yield words, replace(condition, parts=(*before, changed, *after))
                if len(parts) > 1:
                    yield f"{part.node}: left out", replace(condition, parts=(*before, *after))
            match condition:
                case All() if len(parts) > 1:
                    yield f"{node}: any instead of all", AnyOf(node, parts)
                case AnyOf() if len(parts) > 1:
                    yield f"{node}: all instead of any", All(node, parts)
                case AtLeast():
                    for count in (condition.count - 1, condition.count + 1):
                        yield f"{node}: at least {count}", replace(condition, count=count)
                case _:
                    pass


def _changed_leaves(leaf: Leaf) -> Iterator[tuple[str, Condition]]:
    if leaf.op in _SOFTER:
        other = _SOFTER[leaf.op]
        yield f"{leaf.node}: {leaf.op} became {other}", replace(leaf, op=other)
    if not leaf.parameter.name:
        (only,) = leaf.parameter.values
        for value in _near(only.value):
            changed = Parameter("", (replace(only, value=value),))
            yield f"{leaf.node}: {only.value} became {value}", replace(leaf, parameter=changed)
    for words, use in _changed_uses(leaf.use):
        yield f"{leaf.node}: {words}", replace(leaf, use=use)
    if not leaf.use.spec.is_always_known:
        for unknown in Unknown:
            if unknown is not leaf.unknown:
                yield f"{leaf.node}: unknown = {unknown}", replace(leaf, unknown=unknown)


def _changed_uses(use: FactUse) -> Iterator[tuple[str, FactUse]]:
    if use.spec.has_assurance:
        for grade in Assurance:
            if abs(grade - use.assurance_min) == 1:
                yield f"evidence from {grade.name}", replace(use, assurance_min=grade)
