"""Making the example that a pack lacks: somebody for whom a changed rule would come to another end.

The people tried are those of the pack's own examples and one who meets every condition, each with
one fact at, just below and just above a number, or unknown, on the days around every date. The
first one of whom the pack and the changed pack say different things becomes the example.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

from timebank.domain.service_field import ServiceField
from timebank.policy.allocation import Award
from timebank.policy.check import case_outcomes, found_in, is_noticed, run_cases
from timebank.policy.condition import All, AnyOf, AtLeast, Condition, Leaf, Not, Op, as_list
from timebank.policy.fact import FACTS, FactType, FactUse, Value
from timebank.policy.grant import PerUnit
from timebank.policy.rewriting import Plain
from timebank.policy.rule import (
    Case,
    CaseFact,
    Expectation,
    Pack,
    Rule,
    Scenario,
    ScenarioPerson,
    Verdict,
)
from timebank.policy.scenario import awards_of

TRIES_MAX = 3_000
"""People looked at for one example; most are found among the first ten."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Example:
    """What has to be added so that a change is noticed.

    Attributes:
        table: The `[[case]]` or `[[scenario]]` as plain values, without its name.
        kind: Which of the two it is.
        sheets: Of a scenario: its files by name.
        on: The day it is about.
    """

    kind: str
    table: Mapping[str, Plain]
    sheets: Mapping[str, str]
    on: date


def example_for(
    pack: Pack, mutant: Pack, touched: frozenset[str] | None, *, name: str
) -> Example | None:
    """Return an example that the pack keeps and the changed pack does not; None if none is found.

    `pack` and `mutant` have the rules of `check.with_terms`; `name` is for the files of a scenario.

    Cost: `TRIES_MAX` evaluations of the rules touched, at worst.
    """
    rules = [rule for rule in pack.rules if touched is None or rule.id in touched]
    if not rules:
        return _scenario_for(pack, mutant, name=name)
    for rule in rules:
        changed = mutant.rule(rule.id)
        for case in islice(_people(pack, rule, changed), TRIES_MAX):
            one = case_outcomes(pack, case, {rule.id})[rule.id]
            two = case_outcomes(mutant, case, {rule.id})[rule.id]
            said = found_in(one)
            if said == found_in(two) or not case.person:
                continue
            word, _, detail = said.partition(": ")
            expect = (Expectation(rule.id, Verdict(word), detail),)
            kept = replace(case, expect=expect)
            alone = replace(pack, rules=_own(pack), cases=(kept,), scenarios=())
            other = replace(mutant, cases=(kept,), scenarios=())
            if not run_cases(alone) and is_noticed(other, touched):
                return Example("case", case_table(kept), {}, case.on)
    return None


def _own(pack: Pack) -> tuple[Rule, ...]:
    return tuple(rule for rule in pack.rules if "/" not in rule.id)


def case_table(case: Case) -> dict[str, Plain]:
    """Return a case as a file writes it, without its name."""
    person: dict[str, Plain] = {}
    for fact in case.person:
        words = " ".join(_words(fact))
        value = _written(fact)
        inner = person.get(fact.name)
        if not words:
            person[fact.name] = value
        elif isinstance(inner, dict):
            inner[words] = value
        else:
            person[fact.name] = {words: value}
    expect = {
        each.rule_id: f"{each.verdict.value}: {each.detail}" if each.detail else each.verdict.value
        for each in case.expect
    }
    return {"on": case.on, "person": person, "expect": expect}


def _words(fact: CaseFact) -> Iterator[str]:
    if fact.window:
        yield fact.window
    if fact.assurance_min is not None:
        yield f"A{fact.assurance_min}"
    if fact.category:
        yield ServiceField(fact.category).code
    if fact.region:
        yield str(fact.region)
    if fact.register:
        yield fact.register
    if fact.rule:
        yield fact.rule


def _written(fact: CaseFact) -> Plain:
    spec = FACTS[fact.name]
    if spec.type is FactType.CHOICE:
        return spec.choices[int(fact.value)] if isinstance(fact.value, int) else ""
    return str(fact.value) if spec.type is FactType.REGION else fact.value


def _people(pack: Pack, rule: Rule, changed: Rule) -> Iterator[Case]:
    """Yield people in whom a rule and the changed rule may differ, the likeliest first."""
    days = _days(rule, changed)
    own = [case for case in pack.cases if any(each.rule_id == rule.id for each in case.expect)]
    bases: list[tuple[tuple[CaseFact, ...], date]] = [
        (tuple(_meeting(rule, day, level)), day)
        for day in days
        for level in range(max(len(rule.steps), 1))
    ]
    bases += [(case.person, day) for case in own for day in dict.fromkeys([case.on, *days])]
    for person, day in bases:
        yield _somebody(person, day)
    for person, day in bases:
        for use in _uses(rule, changed):
            for said in _around(use, rule, changed, day):
                yield _somebody((*_without(person, use), *said), day)


def _somebody(person: Iterable[CaseFact], day: date) -> Case:
    return Case("", day, tuple(person), (), 0)


def _days(rule: Rule, changed: Rule) -> list[date]:
    """Return the days around every date that decides, those on which the rule is in force first."""
    found: dict[date, None] = {}
    for each in (rule, changed):
        for day in (each.valid.from_on, each.valid.through):
            if day is not None:
                found |= dict.fromkeys((day, day + _DAY, day - _DAY))
        for leaf in each.leaves():
            for dated in leaf.parameter.values:
                if dated.from_on >= each.valid.from_on:
                    found |= dict.fromkeys((dated.from_on, dated.from_on - _DAY))
        for step in each.steps:
            if step.version is not None:
                found |= dict.fromkeys((step.version.from_on, step.version.from_on - _DAY))
    return sorted(found, key=lambda day: (day not in rule.valid, day))


def _uses(rule: Rule, changed: Rule) -> list[FactUse]:
    found = dict.fromkeys(leaf.use for each in (rule, changed) for leaf in each.leaves())
    for each in (rule, changed):
        if isinstance(each.grant.amount, PerUnit):
            found[each.grant.amount.use] = None
    return list(found)


def _fact(use: FactUse, value: Value, *, is_graded: bool = False) -> CaseFact:
    return CaseFact(
        use.name,
        "" if use.window is None else str(use.window),
        int(use.assurance_min) if is_graded else None,
        use.rule,
        value,
        use.category,
        use.region,
        use.register,
    )


def _without(person: Sequence[CaseFact], use: FactUse) -> Iterator[CaseFact]:
    gone = _fact(use, 0)
    for each in person:
        if replace(each, value=0, assurance_min=None) != gone:
            yield each


def _around(use: FactUse, rule: Rule, changed: Rule, day: date) -> Iterator[tuple[CaseFact, ...]]:
    """Yield what may be said of a fact: around every number it is compared with, or nothing."""
    values: dict[Value, None] = {}
    for leaf in (*rule.leaves(), *changed.leaves()):
        if (leaf.use.name, leaf.use.window) == (use.name, use.window):
            for need in as_list(leaf.need(on=max(day, leaf.parameter.values[0].from_on))):
                values |= dict.fromkeys(_near(use, need))
    for value in values:
        yield (_fact(use, value),)
        if use.spec.has_assurance:
            # Enough with this evidence, and nothing with better; which grade counts then shows.
            for grade in range(4):
                yield tuple(
                    replace(_fact(use, value if each <= grade else 0), assurance_min=each)
                    for each in range(4)
                )
    if not use.spec.is_always_known:
        yield ()


def _near(use: FactUse, need: object) -> Iterator[Value]:
    spec = use.spec
    match need:
        case bool():
            yield from (True, False)
        case date():
            yield from (need, need - _DAY, need + _DAY)
        case int():
            yield from (each for each in (need, need - 1, need + 1) if each >= 0)
        case str() if spec.choices:
            place = spec.choices.index(need)
            yield from (
                each for each in (place, place - 1, place + 1) if 0 <= each < len(spec.choices)
            )
        case str() if spec.type is FactType.REGION:
            yield int(need.ljust(12, "0"))
        case _:
            return


def _meeting(rule: Rule, day: date, level: int) -> Iterator[CaseFact]:
    """Yield what must be said of somebody who meets every condition of a rule's step."""
    if level >= len(rule.steps):
        return
    said: dict[FactUse, CaseFact] = {}
    for leaf, is_wanted in _leaves(rule.steps[level].condition, is_wanted=True):
        value = _value(leaf, day, is_wanted=is_wanted)
        if value is not None:
            said[leaf.use] = _fact(leaf.use, value)
    yield from said.values()


def _leaves(condition: Condition, *, is_wanted: bool) -> Iterator[tuple[Leaf, bool]]:
    match condition:
        case Leaf():
            yield condition, is_wanted
        case Not(_, part):
            yield from _leaves(part, is_wanted=not is_wanted)
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            for part in parts:
                yield from _leaves(part, is_wanted=is_wanted)


def _value(leaf: Leaf, day: date, *, is_wanted: bool) -> Value | None:
    need = as_list(leaf.need(on=max(day, leaf.parameter.values[0].from_on)))[0]
    near = list(_near(leaf.use, need))
    if not near:
        return None
    if leaf.use.spec.type is FactType.YES_NO:
        same = (leaf.op is Op.EQUAL) is is_wanted
        return bool(need) if same else not need
    below, above = near[1] if len(near) > 1 else near[0], near[-1]
    meets = {
        Op.ABOVE: above,
        Op.BELOW: below,
        Op.DIFFERENT: above,
    }
    misses = {Op.AT_LEAST: below, Op.AT_MOST: above, Op.EQUAL: above, Op.IN: above}
    return meets.get(leaf.op, near[0]) if is_wanted else misses.get(leaf.op, near[0])


def _scenario_for(pack: Pack, mutant: Pack, *, name: str) -> Example | None:
    """Return several awards of one person that a change of a group would make others."""
    groups = [one for one, two in zip(pack.groups, mutant.groups, strict=True) if one != two]
    for group in groups:
        of_group = [rule for rule in _own(pack) if rule.group == group.id]
        others = [rule for rule in _own(pack) if rule.group in group.excludes]
        for rules in (of_group, [*of_group[:1], *others[:1]]):
            days = sorted({day for rule in rules for day in _days(rule, rule) if day in rule.valid})
            for day in days:
                facts = [fact for rule in rules for fact in _meeting(rule, day, 0)]
                for chose in ((), tuple(rule.id for rule in rules[:1])):
                    made = _scenario(pack, facts, day, chose, name)
                    one, two = (
                        _lines(awards_of(replace(each, rules=_own(each)), made))
                        for each in (pack, mutant)
                    )
                    if one != two and one:
                        return _sheets(made, one, name)
    return None


def _scenario(
    pack: Pack, facts: Sequence[CaseFact], day: date, chose: tuple[str, ...], name: str
) -> Scenario:
    unlike = {replace(each, value=0): each for each in facts}
    highest = {
        key: max(
            (each for each in facts if replace(each, value=0) == key),
            key=lambda each: int(each.value) if isinstance(each.value, int) else 0,
        )
        for key in unlike
    }
    person = ScenarioPerson(1, None, None, tuple(highest.values()), chose)
    return Scenario(
        name=name,
        on=day,
        pools=tuple((pool.id, pool.opening(on=day)) for pool in pack.pools),
        seed="scenario",
        people=(person,),
        results=(),
        line=0,
        file="",
    )


def _lines(awards: Iterable[Award]) -> list[tuple[str, str, str, str]]:
    highest: dict[str, Award] = {}
    for award in awards:
        there = highest.get(award.offer.rule_id)
        if there is None or there.offer.level < award.offer.level:
            highest[award.offer.rule_id] = award
    return [
        (str(award.claim.person), rule, award.standing.value, str(award.count))
        for rule, award in highest.items()
    ]


def _sheets(made: Scenario, lines: Sequence[Sequence[str]], name: str) -> Example:
    (person,) = made.people
    columns = {" ".join([each.name, *_words(each)]): str(_written(each)) for each in person.facts}
    people = [("person", *columns, "chose"), ("1", *columns.values(), " ".join(person.chose))]
    expected = [("person", "rule", "standing", "count"), *lines]
    table = {"on": made.on, "people_csv": name, "expect_csv": f"{name}-expected"}
    sheets = {
        f"scenarios/{name}.csv": _csv(people),
        f"scenarios/{name}-expected.csv": _csv(expected),
    }
    return Example("scenario", table, sheets, made.on)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def _cell(text: str) -> str:
    return f'"{text}"' if "," in text else text
