"""What rules come to for one person, and what is to be asked about people beforehand.

Packs are evaluated together, in the order given: a rule that provides a fact is evaluated before
the rules that use it. The fact `star` is the highest level whose condition is met on the day by
the rule that provides it, whether or not an office has confirmed it yet; it is unknown when that
rule is not in force, or when a higher level cannot be decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from timebank.policy.condition import AnyOf, Judged, Outcome, evaluate
from timebank.policy.extension import count_of
from timebank.policy.fact import FactKey, Facts, FactUse, Value
from timebank.policy.grant import (
    Approver,
    Dimension,
    Every,
    Fixed,
    Grant,
    GrantKind,
    Made,
    Offer,
    PerUnit,
)
from timebank.policy.rule import Pack, Rule, Status, Step, Verdict
from timebank.policy.selection import Criterion
from timebank.policy.table import Hit


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
        steps: Lowest level first, or row by row; empty when the rule is not in force.
        ranks: What the person has of each fact that the rule's selection ranks by.
        pool_ranks: What the person has of each fact that the rule's pool ranks by.
    """

    pack: Pack
    rule: Rule
    on: date
    verdict: Verdict
    level: int
    steps: tuple[StepResult, ...]
    ranks: tuple[Value | None, ...] = ()
    pool_ranks: tuple[Value | None, ...] = ()

    @property
    def met(self) -> tuple[StepResult, ...]:
        """Return the steps that are met."""
        return tuple(each for each in self.steps if each.judged.outcome is Outcome.MET)

    @property
    def is_due(self) -> bool:
        """Return whether an office may run the rule on the day."""
        return self.rule.schedule.is_due(on=self.on)

    @property
    def gives(self) -> "tuple[Proposal, ...]":
        """Return what is given if it is due and nothing else stands in the way.

        Every level met gives its own; of a table's rows, what its hit policy makes of them.
        """
        met = self.met
        if self.rule.table is None or len(met) < 2:
            return tuple(Proposal(each.offer, each.judged) for each in met)
        match self.rule.table.hit:
            case Hit.SUM:
                parts = tuple(each.judged for each in met)
                whole = AnyOf(f"{self.rule.id}/table", tuple(each.condition for each in parts))
                offer = replace(met[0].offer, count=sum(each.offer.count for each in met))
                return (Proposal(offer, Judged(whole, Outcome.MET, parts)),)
            case Hit.UNIQUE | Hit.FIRST | Hit.MAX:
                best = max(met, key=lambda each: each.offer.count)
                return (Proposal(best.offer, best.judged),)


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


def terms_rules(pack: Pack) -> tuple[Rule, ...]:
    """Return who may use and who may receive credits and points, as rules that give nothing.

    Their ids are `<credit>/use` and `<credit>/receive`; they are judged like any other rule, for
    the holder and for the receiver. Terms that everybody meets have none.
    """
    return tuple(
        Rule(
            id=f"{terms.id}/{name}",
            title=terms.title,
            note=terms.note,
            dimension=Dimension.ECONOMIC,
            cite=terms.cite,
            valid=terms.valid,
            when=condition,
            tiers=None,
            provides="",
            grant=Grant(GrantKind.HONOUR, name, Fixed(1), None),
            every=Every.LIFETIME,
            approver=Approver.COUNTY,
        )
        for terms in pack.credits
        for name, condition in (("use", terms.use), ("receive", terms.receive))
        if condition is not None
    )


def uses(packs: Sequence[Pack], *, on: date) -> dict[FactKey, FactUse]:
    """Return the facts that the packs' rules in force on a day ask for, as rules name them."""
    return {
        use.key(on=on): use
        for pack, rule in ordered_rules(packs)
        if on in rule.valid
        for use in pack.uses(rule)
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
    """Return the grants to make, in the order of evaluation; enacted packs and due rules only.

    Every level met is a grant of its own, so that the office which confirms the lower levels need
    not wait for the one that confirms the highest. Grants already made are not known here: their
    `offer.key_parts` tell. Neither are other people: `allocation.allocate` says who of them wins.
    """
    return tuple(
        each
        for result in results
        if result.pack.status is Status.ENACTED and result.is_due
        for each in result.gives
    )


def level_of(outcomes: Sequence[Outcome]) -> int:
    """Return the highest level met, of outcomes from the lowest level up; 0 when none is."""
    return max(
        (number for number, each in enumerate(outcomes, start=1) if each is Outcome.MET), default=0
    )


def _evaluate_rule(pack: Pack, rule: Rule, facts: Facts, on: date) -> RuleResult:
    steps = tuple(
        StepResult(
            step, evaluate(step.condition, facts, on=on), _offer(pack, rule, step, facts, on)
        )
        for step in rule.steps_on(on)
    )
    outcomes = [each.judged.outcome for each in steps]
    level = 0 if rule.tiers is None else level_of(outcomes)
    if on not in rule.valid:
        verdict = Verdict.NOT_IN_FORCE
    elif Outcome.MET in outcomes:
        verdict = Verdict.GRANTED
    elif Outcome.UNKNOWN in outcomes:
        verdict = Verdict.MISSING
    else:
        verdict = Verdict.NOT_GRANTED
    return RuleResult(
        pack=pack,
        rule=rule,
        on=on,
        verdict=verdict,
        level=level,
        steps=steps,
        ranks=_values(rule.select.by, facts, on) if steps else (),
        pool_ranks=_values(pack.ranks(rule), facts, on) if steps else (),
    )


def _offer(pack: Pack, rule: Rule, step: Step, facts: Facts, on: date) -> Offer:
    offer = pack.offer(rule, step, on=on)
    amount = rule.grant.amount
    if isinstance(amount, PerUnit):
        known = facts[amount.use.key(on=on)]
        count = amount.count(known, on=on) if isinstance(known, int) else 0
        return replace(offer, count=count)
    if isinstance(amount, Made):
        have = [facts[use.key(on=on)] for use in amount.uses]
        numbers = amount.numbers_on(on)
        return replace(offer, count=count_of(amount.maker, facts=have, numbers=numbers, on=on))
    return offer


def _values(by: Sequence[Criterion], facts: Facts, on: date) -> tuple[Value | None, ...]:
    return tuple(facts[criterion.use.key(on=on)] for criterion in by)


def _provided(result: RuleResult) -> int | None:
    """Return the level as a fact; None when it, or a higher one, cannot be decided."""
    above = result.steps[result.level :]
    if not result.steps or any(each.judged.outcome is Outcome.UNKNOWN for each in above):
        return None
    return result.level
