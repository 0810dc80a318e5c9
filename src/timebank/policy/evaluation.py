"""What rules come to for one person, and what is to be asked about people beforehand.

Packs are evaluated together, in the order given: a rule that provides a fact is evaluated before
the rules that use it. The fact `star` is the highest level whose condition is met on the day by
the rule that provides it, whether or not an office has confirmed it yet; it is unknown when that
rule is not in force, or when a higher level cannot be decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from timebank.policy.condition import Judged, Outcome, evaluate
from timebank.policy.fact import FactKey, Facts, FactUse, Value
from timebank.policy.grant import Offer
from timebank.policy.rule import Pack, Rule, Status, Step, Verdict


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step of a rule comes to.

    Attributes:
        offer: What it gives when met.
    """

    step: Step
    judged: Judged
    offer: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What a rule comes to for one person on a day.

    Attributes:
        level: The highest level met; 0 when none is, and for a rule without levels.
        steps: Lowest level first; empty when the rule is not in force.
    """

    pack: Pack
    rule: Rule
    on: date
    verdict: Verdict
    level: int
    steps: tuple[StepResult, ...]

    @property
    def met(self) -> tuple[StepResult, ...]:
        """Return the steps that are met; each gives its own grant once."""
        return tuple(each for each in self.steps if each.judged.outcome is Outcome.MET)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A grant that a person is to be made, with the reasons.

    Attributes:
        judged: What was met; `judged.reasons` has one reason per leaf.
    """

    offer: Offer
    judged: Judged


def ordered_rules(packs: Sequence[Pack]) -> list[tuple[Pack, Rule]]:
    """Return all rules in the order of evaluation: those that provide a fact first.

    Raises:
        ValueError: Two rules provide the same fact, two packs have the same id, or a rule that
            provides a fact uses a provided one.
    """
    rules = [(pack, rule) for pack in packs for rule in pack.rules]
    provided = [rule.provides for _, rule in rules if rule.provides]
    if len(set(provided)) < len(provided):
        raise ValueError("two rules provide the same fact")
    if len({pack.id for pack in packs}) < len(packs):
        raise ValueError("two packs have the same id")
    for _, rule in rules:
        if rule.provides and any(leaf.use.name in provided for leaf in rule.leaves()):
            raise ValueError(f"{rule.id} provides a fact and uses a provided one")
    return sorted(rules, key=lambda pair: not pair[1].provides)


def uses(packs: Sequence[Pack], *, on: date) -> dict[FactKey, FactUse]:
    """Return the facts that the packs' rules in force on a day ask for, as rules name them."""
    return {
        leaf.use.key(on=on): leaf.use
        for _, rule in ordered_rules(packs)
        if on in rule.valid
        for leaf in rule.leaves()
    }


def facts_needed(packs: Sequence[Pack], *, on: date) -> frozenset[FactKey]:
    """Return the facts that a query must supply to evaluate packs together on a day.

    Facts that one of the packs provides are left out.
    """
    provided = {rule.provides for pack in packs for rule in pack.rules}
    return frozenset(key for key in uses(packs, on=on) if key.name not in provided)


def evaluate_person(packs: Sequence[Pack], facts: Facts, *, on: date) -> tuple[RuleResult, ...]:
    """Return what every rule of some packs comes to for one person on a day.

    Shape: one result per rule, in the order of evaluation; also for rules not in force, for drafts
    and for repealed packs (only `proposals` asks whether a pack may grant).

    Raises:
        ValueError: A fact of `facts_needed` was not supplied, not even as unknown.
    """
    known: dict[FactKey, Value | None] = dict(facts)
    results: list[RuleResult] = []
    for pack, rule in ordered_rules(packs):
        result = _evaluate_rule(pack, rule, known, on)
        results.append(result)
        if rule.provides:
            known[FactUse(rule.provides).key(on=on)] = _provided(result)
    return tuple(results)


def proposals(results: Sequence[RuleResult]) -> tuple[Proposal, ...]:
    """Return the grants to make, in the order of evaluation; enacted packs only.

    Every level met is a grant of its own, so that the office which confirms the lower levels need
    not wait for the one that confirms the highest. Grants already made are not known here: their
    `offer.key_parts` tell.
    """
    return tuple(
        Proposal(each.offer, each.judged)
        for result in results
        if result.pack.status is Status.ENACTED
        for each in result.met
    )


def level_of(outcomes: Sequence[Outcome]) -> int:
    """Return the highest level met, of outcomes from the lowest level up; 0 when none is."""
    return max(
        (number for number, each in enumerate(outcomes, start=1) if each is Outcome.MET), default=0
    )


def _evaluate_rule(pack: Pack, rule: Rule, facts: Facts, on: date) -> RuleResult:
    steps: tuple[StepResult, ...] = ()
    level = 0
    verdict = Verdict.NOT_IN_FORCE
    if on in rule.valid:
        steps = tuple(
            StepResult(step, evaluate(step.condition, facts, on=on), pack.offer(rule, step, on=on))
            for step in rule.steps
        )
        outcomes = [each.judged.outcome for each in steps]
        level = 0 if rule.tiers is None else level_of(outcomes)
        if Outcome.MET in outcomes:
            verdict = Verdict.GRANTED
        elif Outcome.UNKNOWN in outcomes:
            verdict = Verdict.MISSING
        else:
            verdict = Verdict.NOT_GRANTED
    return RuleResult(pack=pack, rule=rule, on=on, verdict=verdict, level=level, steps=steps)


def _provided(result: RuleResult) -> int | None:
    """Return the level as a fact; None when it, or a higher one, cannot be decided."""
    above = result.steps[result.level :]
    if not result.steps or any(each.judged.outcome is Outcome.UNKNOWN for each in above):
        return None
    return result.level
