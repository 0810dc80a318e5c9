"""What a pack is once it was read: instruments, parameters, tables, pools, rules, cases."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import All, Condition, Leaf, Op, as_list, leaves
from timebank.policy.credit import CreditTerms
from timebank.policy.fact import FactUse, Value
from timebank.policy.grant import (
    Approver,
    Cell,
    Dated,
    Dimension,
    Every,
    Fixed,
    Grant,
    GrantKind,
    Limit,
    Made,
    Offer,
    PerUnit,
)
from timebank.policy.parameter import Citation, Parameter
from timebank.policy.pool import Pool
from timebank.policy.revocation import KEPT, Revocation
from timebank.policy.schedule import DAILY, Schedule
from timebank.policy.selection import EACH, Criterion, Selection
from timebank.policy.stacking import Group
from timebank.policy.table import Table, TableVersion
from timebank.policy.tier import Level, Tiers
from timebank.policy.validity import Validity

__all__ = [
    "Case",
    "CaseFact",
    "Expectation",
    "Instrument",
    "Pack",
    "Rule",
    "Scenario",
    "ScenarioPerson",
    "ScenarioResult",
    "Status",
    "Step",
    "Validity",
    "Verdict",
]


class Status(StrEnum):
    """Where a pack stands. Only an enacted one grants; a draft may be tried."""

    DRAFT = "draft"
    ENACTED = "enacted"
    REPEALED = "repealed"


class Verdict(StrEnum):
    """What a rule comes to for a person."""

    GRANTED = "granted"
    NOT_GRANTED = "not granted"
    MISSING = "missing"
    """A fact is unknown: it is asked for, not refused."""
    NOT_IN_FORCE = "not in force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A legal text, or a page about one, that the pack's figures are taken from.

    Attributes:
        number: As printed on the text, such as 民函〔2012〕340号; empty if it has none.
        issued_on: None if it is not known.
        note: What was and was not read of it.
    """

    id: str
    title: Bilingual
    issuer: Bilingual
    number: str
    issued_on: date | None
    url: str
    note: Bilingual | None


@dataclass(frozen=True, slots=True)
class Step:
    """What must be met for one thing to be given: the rule, one of its levels, or a row.

    Attributes:
        row: Of a rule with a table: the row's number, from 1; else 0.
        gives: Of a row: its number in the rule's column; else 0.
        version: Of a row: the version of the table; None elsewhere.
    """

    level: Level | None
    condition: Condition
    row: int = 0
    gives: int = 0
    version: TableVersion | None = None

    @property
    def number(self) -> int:
        """Return the level's number, or 0 for a rule without levels."""
        return 0 if self.level is None else self.level.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One benefit or honour, and who is given it.

    Attributes:
        when: None for a rule that has levels or a table only.
        table: None for most; else the rows are further conditions, and say how much.
        provides: The fact that the highest level met becomes for other rules; empty for most.
        every: Within which period one person is given it once.
        approver: Of a rule without levels; each level names its own.
        publicise_days: How long the names hang out before the office may approve; 0 for not.
        approvals: How many people must approve: 1, or 2, as for all money.
        schedule: From when in a month or year it may be run.
        limits: Further bounds, beside once in `every`.
        group: Id of the group it stacks in; empty for none.
        select: Who of the eligible wins.
        revoke: What takes it back.
        priority: Of rules that share a pool or a group, the lower number comes first; then the
            order of the pack.
        steps: What can be met: lowest level first, or row by row of every version.
    """

    id: str
    title: Bilingual
    note: Bilingual | None
    dimension: Dimension
    cite: Citation
    valid: Validity
    when: Condition | None
    tiers: Tiers | None
    provides: str
    grant: Grant
    every: Every
    approver: Approver
    table: Table | None = None
    publicise_days: int = 0
    approvals: int = 1
    schedule: Schedule = DAILY
    limits: tuple[Limit, ...] = ()
    group: str = ""
    select: Selection = EACH
    revoke: Revocation = KEPT
    priority: int = 0
    steps: tuple[Step, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self._steps()))

    def _steps(self) -> Iterator[Step]:
        if self.tiers is not None:
            for level in self.tiers.levels:
                yield Step(level, self.tiers.condition(level, rule_id=self.id, when=self.when))
        elif self.table is not None:
            column = self.grant.amount.column if isinstance(self.grant.amount, Cell) else ""
            for version, row, condition in self.table.conditions(
                rule_id=self.id, column=column, when=self.when
            ):
                yield Step(None, condition, row.number, row.gives[column], version)
        else:
            parts: tuple[Condition, ...] = () if self.when is None else (self.when,)
            if isinstance(self.grant.amount, PerUnit):
                # Whoever has not one full block is given nothing, and is told how much is short.
                amount = self.grant.amount
                block = Leaf(f"{self.id}/grant.per", amount.use, Op.AT_LEAST, amount.rate, index=1)
                parts = (*parts, block)
            if not parts:
                raise ValueError(f"{self.id}: a rule needs a condition, levels or a table")
            yield Step(None, parts[0] if len(parts) == 1 else All(f"{self.id}/all", parts))

    def steps_on(self, day: date) -> tuple[Step, ...]:
        """Return what can be met on a day: none when the rule is not in force."""
        if day not in self.valid:
            return ()
        return tuple(each for each in self.steps if each.version is None or day in each.version)

    def count_of(self, step: Step, *, on: date) -> int:
        """Return how many a step gives on a day; 0 where it differs by person."""
        match self.grant.amount:
            case Fixed(count):
                return count
            case Dated(parameter):
                values = as_list(parameter.on(on).value)
                value = values[max(step.number, 1) - 1]
                if not isinstance(value, int):
                    raise ValueError(f"{self.id}: an amount is a whole number")
                return value
            case Cell():
                return step.gives
            case PerUnit() | Made():
                return 0

    def leaves(self) -> "Iterator[Leaf]":
        """Yield every leaf that the rule may ask for, those of levels and rows included."""
        for step in self.steps:
            yield from leaves(step.condition)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case promises about a rule.

    Attributes:
        detail: What stands after the colon; empty if nothing does. See `check.run_cases`.
    """

    rule_id: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class CaseFact:
    """What a case says about its person.

    Attributes:
        assurance_min: The lowest grade that the figure is for; None for any.
        category, region, register: As in `FactKey`.
    """

    name: str
    window: str
    assurance_min: int | None
    rule: str
    value: Value
    category: int = 0
    region: int = 0
    register: str = ""


def find_said(said: "tuple[CaseFact, ...]", use: FactUse) -> Value | None:
    """Return what is said about a fact; None when nothing is."""
    window = "" if use.window is None else str(use.window)
    wanted = (use.name, window, use.rule, use.category, use.region, use.register)
    found = {
        fact.assurance_min: fact.value
        for fact in said
        if (fact.name, fact.window, fact.rule, fact.category, fact.region, fact.register) == wanted
    }
    return found.get(int(use.assurance_min), found.get(None))


@dataclass(frozen=True, slots=True)
class Case:
    """An example that the pack promises to keep, told in a sentence."""

    name: str
    on: date
    person: tuple[CaseFact, ...]
    expect: tuple[Expectation, ...]
    line: int

    def find(self, use: FactUse) -> Value | None:
        """Return what the case says about a fact; None when it says nothing."""
        return find_said(self.person, use)


@dataclass(frozen=True, slots=True)
class ScenarioPerson:
    """One of several people in a scenario.

    Attributes:
        number: As the file writes it: the order of the file decides nothing.
        since: Since when they have been eligible; None for the scenario's day.
        home: A 12-digit code; None where it is not said.
        chose: Rules that they chose in groups where one is chosen.
        given: What they were given before in the same period, by rule.
        voted: Rules for which a panel voted for them; where it voted for nobody, it has not met.
    """

    number: int
    since: date | None
    home: int | None
    facts: tuple[CaseFact, ...]
    chose: tuple[str, ...]
    given: tuple[tuple[str, int], ...] = ()
    voted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What one person is to come to by one rule.

    Attributes:
        standing: A word of `allocation.Standing`.
        count: How many they are given now; 0 for nothing.
    """

    number: int
    rule_id: str
    standing: str
    count: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Several people, what the pools hold, and what each is to come to.

    Attributes:
        pools: What is there of each pool, by id; of others, what the period opens with.
        seed: What the salted hash and a lottery are made with, as text.
        results: What must come out; whoever is left out must come to nothing.
        file: Of the expected results, for failures.
    """

    name: str
    on: date
    pools: tuple[tuple[str, int], ...]
    seed: str
    people: tuple[ScenarioPerson, ...]
    results: tuple[ScenarioResult, ...]
    line: int
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One rule-maker's rules.

    Attributes:
        filing: The number under which the rules were filed; empty if none is known.
        hash: SHA-256 of `canonical`, hexadecimal. It covers everything that decides or is shown,
            and neither the status (the draft that was tried is what is enacted) nor the cases.
        canonical: The canonical form, UTF-8 JSON; `pack.read_stored_pack` reads it again.
        rules: In the order of the files and in them.
    """

    id: str
    version: str
    status: Status
    title: Bilingual
    issuer: Bilingual
    filing: str
    instruments: tuple[Instrument, ...]
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]
    canonical: bytes
    hash: str
    tables: tuple[Table, ...] = ()
    pools: tuple[Pool, ...] = ()
    groups: tuple[Group, ...] = ()
    credits: tuple[CreditTerms, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    def instrument(self, cite: Citation) -> Instrument:
        """Return the instrument that a citation of this pack names."""
        return next(each for each in self.instruments if each.id == cite.instrument)

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id.

        Raises:
            KeyError: The pack has no such rule.
        """
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def pool(self, pool_id: str) -> Pool:
        """Return a pool by its id.

        Raises:
            KeyError: The pack has no such pool.
        """
        for pool in self.pools:
            if pool.id == pool_id:
                return pool
        raise KeyError(pool_id)

    def group(self, group_id: str) -> Group:
        """Return a group by its id.

        Raises:
            KeyError: The pack has no such group.
        """
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)

    def uses(self, rule: Rule) -> Iterator[FactUse]:
        """Yield every fact that a rule is decided by: conditions, amounts and ranks."""
        for leaf in rule.leaves():
            yield leaf.use
        if isinstance(rule.grant.amount, PerUnit):
            yield rule.grant.amount.use
        if isinstance(rule.grant.amount, Made):
            yield from rule.grant.amount.uses
        for criterion in (*rule.select.by, *self.ranks(rule)):
            yield criterion.use

    def ranks(self, rule: Rule) -> tuple[Criterion, ...]:
        """Return by what a rule's pool ranks people when it runs out; empty for most."""
        return self.pool(rule.grant.pool).rank if rule.grant.pool else ()

    def offer(self, rule: Rule, step: Step, *, on: date) -> Offer:
        """Return what a step of a rule gives on a day; `count` is 0 where it differs by person.

        Credits and points last as long as their terms say, unless the rule says otherwise.
        """
        expiry = rule.grant.expiry
        if expiry is None and rule.grant.kind in (GrantKind.CREDITS, GrantKind.POINTS):
            expiry = next(each.expiry for each in self.credits if each.id == rule.grant.item)
        return Offer(
            pack_id=self.id,
            pack_version=self.version,
            pack_hash=self.hash,
            rule_id=rule.id,
            level=step.number,
            period_key=rule.every.period_key(on=on),
            on=on,
            grant=rule.grant,
            count=rule.count_of(step, on=on),
            expires_on=None if expiry is None else expiry.last_day(on=on),
            approver=rule.approver if step.level is None else step.level.approver,
            publicise_days=rule.publicise_days,
            approvals=rule.approvals,
        )
