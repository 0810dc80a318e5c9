"""Trying a pack before it counts: its cases, the leaves they reach, the numbers they would miss.

Cases are single people; scenarios are several people, their groups, selections and pools.
"""

from collections.abc import Collection, Iterator
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
    as_list,
    leaves,
    number_of,
)
from timebank.policy.evaluation import (
    RuleResult,
    evaluate_person,
    facts_needed,
    terms_rules,
    uses,
)
from timebank.policy.explain import explain
from timebank.policy.fact import CERTIFICATE_LEVELS, FactUse
from timebank.policy.grant import Cell, Dated, Expiry, Fixed, Made, PerUnit
from timebank.policy.parameter import Need, Parameter
from timebank.policy.pool import Pool
from timebank.policy.rule import Case, Expectation, Pack, Rule, Verdict
from timebank.policy.scenario import run_scenarios
from timebank.policy.selection import EACH, Order, SelectMode
from timebank.policy.stacking import Group, StackMode
from timebank.policy.table import Row, Table, TableVersion, Test
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
        (case, case_outcomes(pack, case, {rule.id})[rule.id])
        for case in pack.cases
        if any(expectation.rule_id == rule.id for expectation in case.expect)
    )


def run_cases(pack: Pack) -> tuple[CaseFailure, ...]:
    """Return the promises of a pack's cases that its rules do not keep.

    After the colon of an expectation may stand: of `granted`, the level reached, or what is given,
    such as `12 film until 2025-02-28`; of `not granted` and `missing`, the fact that is nearest, or
    the sentence about it in either language.
    """
    return tuple(_failures(with_terms(pack), only=None))


def with_terms(pack: Pack) -> Pack:
    """Return a pack whose rules include who may use and receive its credits and points."""
    return replace(pack, rules=(*pack.rules, *terms_rules(pack)))


def _failures(pack: Pack, *, only: frozenset[str] | None) -> Iterator[CaseFailure]:
    """Yield what is not kept of the promises about some rules, or about all."""
    for case in pack.cases:
        asked = {
            expectation.rule_id
            for expectation in case.expect
            if only is None or expectation.rule_id in only
        }
        if not asked:
            continue
        results = case_outcomes(pack, case, asked)
        for expectation in case.expect:
            if expectation.rule_id not in asked:
                continue
            result = results[expectation.rule_id]
            if not _keeps(result, expectation):
                yield CaseFailure(
                    case.name,
                    case.line,
                    expectation.rule_id,
                    _written(expectation),
                    found_in(result),
                    trace(result),
                )


def found_in(result: RuleResult) -> str:
    """Return a result as a case would promise it."""
    if result.verdict is Verdict.GRANTED:
        if result.level:
            return f"granted: {result.level}"
        return f"granted: {result.gives[0].offer}"
    if result.verdict is Verdict.NOT_IN_FORCE:
        return result.verdict.value
    return f"{result.verdict.value}: {sentence(explain(result), language='en')}"


def unseen_outcomes(pack: Pack) -> tuple[str, ...]:
    """Return which leaves the cases never reach with which outcome, such as `film/when.0: unmet`.

    Shape: by rule, leaf and outcome; empty when every leaf was seen met, unmet and, where its fact
    can be unknown and the leaf asks for it, unknown.
    """
    pack = with_terms(pack)
    seen: set[tuple[str, Outcome]] = set()
    for case in pack.cases:
        for result in case_outcomes(pack, case, {each.rule_id for each in case.expect}).values():
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
    return tuple(words for words, is_noticed in tried_mutants(pack) if not is_noticed)


def tried_mutants(pack: Pack) -> tuple[tuple[str, bool], ...]:
    """Return every change to the pack in words, and whether a case or scenario notices it.

    Raises:
        ValueError: The pack does not keep its own cases, so every change would seem noticed.

    Cost: of each change, the cases about the rules it touches, until one notices.
    """
    if run_cases(pack) or run_scenarios(pack):
        raise ValueError("the pack does not keep its own cases")
    return tuple(
        (words, is_noticed(mutant, touched)) for words, mutant, touched in mutants(with_terms(pack))
    )


def is_noticed(mutant: Pack, touched: frozenset[str] | None) -> bool:
    """Return whether a case or scenario of a changed pack shows the change."""
    if any(True for _ in _failures(mutant, only=touched)):
        return True
    rules = tuple(rule for rule in mutant.rules if "/" not in rule.id)
    return bool(run_scenarios(replace(mutant, rules=rules)))


def mutants(pack: Pack) -> Iterator[tuple[str, Pack, frozenset[str] | None]]:
    """Yield packs that differ in one number, day, operator, leaf, cell or mode.

    Shape: what was changed, the pack, and the rules that can tell; None for all.
    """
    for parameter in pack.parameters:
        for words, changed in _changed_parameters(parameter):
            rules = tuple(_with_parameter(rule, changed) for rule in pack.rules)
            touched = {
                after.id for before, after in zip(pack.rules, rules, strict=True) if before != after
            }
            pools = tuple(
                replace(pool, amount=changed) if pool.amount.name == changed.name else pool
                for pool in pack.pools
            )
            groups = tuple(
                replace(group, cap=changed)
                if group.cap is not None and group.cap.name == changed.name
                else group
                for group in pack.groups
            )
            if not touched and groups == pack.groups and not _is_less(words, pools, pack.pools):
                continue
            mutant = replace(pack, rules=rules, pools=pools, groups=groups)
            yield f"{parameter.name} {words}", mutant, _readers(pack, touched)
    for position, rule in enumerate(pack.rules):
        for words, changed_rule in _changed_rules(rule):
            rules = (*pack.rules[:position], changed_rule, *pack.rules[position + 1 :])
            yield f"{rule.id}: {words}", replace(pack, rules=rules), _readers(pack, {rule.id})
    for place, group in enumerate(pack.groups):
        for words, changed_group in _changed_groups(group):
            groups = (*pack.groups[:place], changed_group, *pack.groups[place + 1 :])
            yield f"{group.id}: {words}", replace(pack, groups=groups), frozenset()


def _is_less(words: str, pools: tuple[Pool, ...], before: tuple[Pool, ...]) -> bool:
    """Return whether a pool's amount became one less.

    One more is not tried: a pool that nobody overtakes in does not show a single fen that is left.
    """
    return (
        any(
            len(pool.amount.values) == len(old.amount.values)
            and pool.amount != old.amount
            and sum(number_of(each.value) for each in pool.amount.values)
            < sum(number_of(each.value) for each in old.amount.values)
            for pool, old in zip(pools, before, strict=True)
        )
        and "became from" not in words
    )


def _readers(pack: Pack, touched: Collection[str]) -> frozenset[str] | None:
    """Return the rules whose results a change of some can reach; None for all."""
    if any(rule.provides for rule in pack.rules if rule.id in touched):
        return None
    return frozenset(touched)


def case_outcomes(pack: Pack, case: Case, rule_ids: Collection[str]) -> dict[str, RuleResult]:
    """Return what some rules come to in a case, evaluated with those that provide facts."""
    some = replace(
        pack, rules=tuple(each for each in pack.rules if each.provides or each.id in rule_ids)
    )
    asked = facts_needed([some], on=case.on)
    facts = {key: case.find(use) for key, use in uses([some], on=case.on).items() if key in asked}
    return {result.rule.id: result for result in evaluate_person([some], facts, on=case.on)}


def _written(expectation: Expectation) -> str:
    detail = f": {expectation.detail}" if expectation.detail else ""
    return f"{expectation.verdict.value}{detail}"


def _keeps(result: RuleResult, expectation: Expectation) -> bool:
    if result.verdict is not expectation.verdict:
        return False
    if not expectation.detail:
        return True
    if result.verdict is Verdict.GRANTED:
        said = {str(result.gives[-1].offer)}
        if result.level:
            said.add(str(result.level))
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
            if parameter.name.endswith("rate") and not all(
                number_of(each) > 0 for each in as_list(value)
            ):
                continue
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
        case str() if value in CERTIFICATE_LEVELS:
            place = CERTIFICATE_LEVELS.index(value)
            yield from CERTIFICATE_LEVELS[max(place - 1, 0) : place]
            yield from CERTIFICATE_LEVELS[place + 1 : place + 2]
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
    """Return the rule with a parameter of the same name in place of its own, wherever it stands."""

    def taken(own: Parameter) -> Parameter:
        return parameter if own.name == parameter.name else own

    tiers = rule.tiers
    if tiers is not None:
        tiers = replace(tiers, parameter=taken(tiers.parameter))
    amount = rule.grant.amount
    match amount:
        case Dated(own):
            amount = Dated(taken(own))
        case PerUnit(use, own):
            amount = PerUnit(use, taken(own))
        case Made(maker, uses, numbers) if numbers is not None:
            amount = Made(maker, uses, taken(numbers))
        case _:
            pass
    select = rule.select
    if select.winners is not None:
        shortlist = None if select.shortlist is None else taken(select.shortlist)
        select = replace(select, winners=taken(select.winners), shortlist=shortlist)
    return replace(
        rule,
        when=None if rule.when is None else _with_parameter_in(rule.when, parameter),
        tiers=tiers,
        grant=replace(rule.grant, amount=amount),
        select=select,
        limits=tuple(replace(limit, most=taken(limit.most)) for limit in rule.limits),
    )


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
        is_alone = isinstance(rule.when, Leaf) and len(rule.steps) == 1
        is_alone = is_alone and rule.steps[0].condition is rule.when
        for words, when in _changed_conditions(rule.when):
            if not (is_alone and isinstance(when, Leaf) and when.unknown is Unknown.IGNORE):
                # Of a condition of which everything is left out nothing is known either.
                yield words, replace(rule, when=when)
        if rule.tiers is not None or rule.table is not None:
            yield f"{rule.when.node}: left out", replace(rule, when=None)
    if rule.tiers is not None:
        for words, use in _changed_uses(rule.tiers.use):
            yield words, replace(rule, tiers=replace(rule.tiers, use=use))
    if rule.table is not None and isinstance(rule.grant.amount, Cell):
        for words, table in _changed_tables(rule.table, rule.grant.amount.column):
            yield words, replace(rule, table=table)
    if isinstance(rule.grant.amount, PerUnit):
        for words, use in _changed_uses(rule.grant.amount.use):
            amount = replace(rule.grant.amount, use=use)
            yield words, replace(rule, grant=replace(rule.grant, amount=amount))
    if isinstance(rule.grant.amount, Made):
        made = rule.grant.amount
        for place, own in enumerate(made.uses):
            for words, use in _changed_uses(own):
                uses = (*made.uses[:place], use, *made.uses[place + 1 :])
                yield (
                    words,
                    replace(rule, grant=replace(rule.grant, amount=replace(made, uses=uses))),
                )
    valid = rule.valid
    for day in (valid.from_on - _DAY, valid.from_on + _DAY):
        yield f"valid from {day}", _valid_from(rule, day)
    if valid.through is not None:
        for day in (valid.through - _DAY, valid.through + _DAY):
            if valid.from_on <= day:
                yield f"valid through {day}", replace(rule, valid=replace(valid, through=day))
    if rule.tiers is None and "/" not in rule.id:
        if isinstance(rule.grant.amount, Fixed):
            count = rule.grant.amount.count
            for other in sorted({max(count - 1, 1), count + 1} - {count}):
                grant = replace(rule.grant, amount=Fixed(other))
                yield f"gives {other}", replace(rule, grant=grant)
        for expiry in _changed_expiries(rule.grant.expiry):
            yield f"expires {expiry}", replace(rule, grant=replace(rule.grant, expiry=expiry))
    yield from _changed_selections(rule)


def _valid_from(rule: Rule, day: date) -> Rule:
    """Return the rule in force from another day, with a value on that day of all it needs."""
    stretched = rule
    named = [leaf.parameter for leaf in rule.leaves()]
    match rule.grant.amount:
        case Dated(parameter) | PerUnit(_, parameter):
            named.append(parameter)
        case Made(_, _, parameter) if parameter is not None:
            named.append(parameter)
        case _:
            pass
    for parameter in named:
        stretched = _with_parameter(stretched, _stretched(parameter, to=day))
    if stretched.table is not None:
        first, *later = stretched.table.versions
        first = replace(first, from_on=min(first.from_on, day))
        stretched = replace(stretched, table=replace(stretched.table, versions=(first, *later)))
    return replace(stretched, valid=replace(rule.valid, from_on=day))


def _changed_tables(table: Table, column: str) -> Iterator[tuple[str, Table]]:
    """Yield the table with one cell changed, one row left out, or a version begun a day off."""
    for place, version in enumerate(table.versions):
        before, after = table.versions[:place], table.versions[place + 1 :]

        def whole(
            rows: tuple[Row, ...],
            before: tuple[TableVersion, ...] = before,
            version: TableVersion = version,
            after: tuple[TableVersion, ...] = after,
        ) -> Table:
            return replace(table, versions=(*before, replace(version, rows=rows), *after))

        for number, row in enumerate(version.rows):
            above, below = version.rows[:number], version.rows[number + 1 :]
            if row.gives[column]:
                for value in (row.gives[column] - 1, row.gives[column] + 1):
                    changed = replace(row, gives={**row.gives, column: value})
                    words = f"row {row.number} {column}: {row.gives[column]} became {value}"
                    yield words, whole((*above, changed, *below))
                for words, tests in _changed_tests(row.tests):
                    changed = replace(row, tests=tests)
                    yield f"row {row.number} {words}", whole((*above, changed, *below))
                if len(version.rows) > 1:
                    yield f"row {row.number} left out", whole((*above, *below))
        if before:
            for day in (version.from_on - _DAY, version.from_on + _DAY):
                last = replace(before[-1], through=day - _DAY)
                moved = replace(version, from_on=day)
                versions = (*before[:-1], last, moved, *after)
                words = f"from {version.from_on} became from {day}"
                yield words, replace(table, versions=versions)


def _changed_tests(tests: tuple[Test, ...]) -> Iterator[tuple[str, tuple[Test, ...]]]:
    for place, test in enumerate(tests):
        for value in _near(test.value):
            words = f"{test.column}: {test.value} became {value}"
            yield words, (*tests[:place], replace(test, value=value), *tests[place + 1 :])
        if len(tests) > 1:
            yield f"{test.column}: left out", (*tests[:place], *tests[place + 1 :])


def _changed_selections(rule: Rule) -> Iterator[tuple[str, Rule]]:
    select = rule.select
    if select.mode is SelectMode.EACH or select.winners is None:
        return
    yield "everybody wins", replace(rule, select=EACH)
    # A selector from outside makes an order of its own of its facts.
    by_own = select.by if select.mode is not SelectMode.PLUGIN else ()
    for place, criterion in enumerate(by_own):
        other = Order.LEAST if criterion.order is Order.MOST else Order.MOST
        by = (*select.by[:place], replace(criterion, order=other), *select.by[place + 1 :])
        yield f"ranks by {other} {criterion.use.name}", replace(rule, select=replace(select, by=by))
    for value in _near_constant(select.winners):
        yield (
            f"winners {value.values[0].value}",
            replace(rule, select=replace(select, winners=value)),
        )
    if select.shortlist is not None:
        for value in _near_constant(select.shortlist):
            words = f"shortlist {value.values[0].value}"
            yield words, replace(rule, select=replace(select, shortlist=value))


def _near_constant(parameter: Parameter) -> Iterator[Parameter]:
    """Yield what a number without a name could have been; those with a name are changed once."""
    if not parameter.name:
        (only,) = parameter.values
        for value in _near(only.value):
            yield Parameter("", (replace(only, value=value),))


def _changed_groups(group: Group) -> Iterator[tuple[str, Group]]:
    if group.mode is not StackMode.SUM:
        yield "sum", replace(group, mode=StackMode.SUM, default="")
    if group.default:
        yield "no default", replace(group, default="")
    if group.excludes:
        yield "excludes nothing", replace(group, excludes=frozenset())


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
