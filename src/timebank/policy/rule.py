"""What a pack is once it was read: instruments, parameters, rules, cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import Condition, Leaf, leaves
from timebank.policy.fact import FactUse, Value
from timebank.policy.grant import Approver, Dimension, Every, Grant, Offer
from timebank.policy.parameter import Citation, Parameter
from timebank.policy.tier import Level, Tiers


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
class Validity:
    """The days on which a rule is in force, both included.

    Attributes:
        through: None for a rule without an end.
    """

    from_on: date
    through: date | None

    def __contains__(self, day: date) -> bool:
        """Return whether the rule is in force on a day."""
        return self.from_on <= day and (self.through is None or day <= self.through)


@dataclass(frozen=True, slots=True)
class Step:
    """What must be met for one thing to be given: the rule itself, or one of its levels."""

    level: Level | None
    condition: Condition

    @property
    def number(self) -> int:
        """Return the level's number, or 0 for a rule without levels."""
        return 0 if self.level is None else self.level.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One benefit or honour, and who is given it.

    Attributes:
        when: None for a rule that has levels only.
        provides: The fact that the highest level met becomes for other rules; empty for most.
        approver: Of a rule without levels; each level names its own.
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

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return what can be met, lowest level first."""
        if self.tiers is None:
            if self.when is None:
                raise ValueError(f"{self.id}: a rule needs a condition or levels")
            return (Step(None, self.when),)
        return tuple(
            Step(level, self.tiers.condition(level, rule_id=self.id, when=self.when))
            for level in self.tiers.levels
        )

    def leaves(self) -> "Iterator[Leaf]":
        """Yield every leaf that the rule may ask for, those of its levels included."""
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
    """

    name: str
    window: str
    assurance_min: int | None
    rule: str
    value: Value


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
        window = "" if use.window is None else str(use.window)
        found = {
            fact.assurance_min: fact.value
            for fact in self.person
            if (fact.name, fact.window, fact.rule) == (use.name, window, use.rule)
        }
        return found.get(int(use.assurance_min), found.get(None))


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

    def offer(self, rule: Rule, step: Step, *, on: date) -> Offer:
        """Return what a step of a rule gives on a day."""
        expiry = rule.grant.expiry
        return Offer(
            pack_id=self.id,
            pack_version=self.version,
            pack_hash=self.hash,
            rule_id=rule.id,
            level=step.number,
            period_key=rule.every.period_key(on=on),
            on=on,
            grant=rule.grant,
            expires_on=None if expiry is None else expiry.last_day(on=on),
            approver=rule.approver if step.level is None else step.level.approver,
        )
