"""Running the scenarios of a pack: several people, their choices, and what the pools hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from timebank.policy.allocation import Award, Claim, Decided, Past, allocate
from timebank.policy.evaluation import evaluate_person, facts_needed, uses
from timebank.policy.rule import Pack, Scenario, ScenarioPerson, find_said


@dataclass(frozen=True, slots=True)
class ScenarioFailure:
    """A line of a scenario that does not come true.

    Attributes:
        promised: What the file says; `nothing` where it says nothing.
        found: What came instead, written in the same way.
    """

    scenario: str
    file: str
    line: int
    person: int
    rule_id: str
    promised: str
    found: str

    def __str__(self) -> str:
        """Return the failure as a line for a terminal."""
        return (
            f"{self.file}:{self.line}: {self.scenario}: person {self.person}, {self.rule_id}: "
            f"promised {self.promised!r}, found {self.found!r}"
        )


def run_scenarios(pack: Pack) -> tuple[ScenarioFailure, ...]:
    """Return the lines of a pack's scenarios that do not come true.

    Every award that the file names must be as it says, and whatever is given must be named.
    """
    return tuple(failure for each in pack.scenarios for failure in _failures(pack, each))


def awards_of(pack: Pack, scenario: Scenario) -> tuple[Award, ...]:
    """Return what everybody in a scenario comes to, as if the pack were enacted."""
    claims = [claim for person in scenario.people for claim in _claims(pack, scenario, person)]
    stated = dict(scenario.pools)
    available = {
        f"{pack.id}/{pool.id}": stated.get(pool.id, pool.opening(on=scenario.on))
        for pool in pack.pools
    }
    choices = {
        (person.number, f"{pack.id}/{rule.group}", group.every.period_key(on=scenario.on)): rule.id
        for person in scenario.people
        for rule in pack.rules
        if rule.id in person.chose and rule.group
        for group in (pack.group(rule.group),)
    }
    draws = {
        (f"{pack.id}/{rule.id}", rule.every.period_key(on=scenario.on)): scenario.seed
        for rule in pack.rules
    }
    voted = {
        rule: frozenset(person.number for person in scenario.people if rule.id in person.voted)
        for rule in pack.rules
        if any(rule.id in person.voted for person in scenario.people)
    }
    panels = {
        (f"{pack.id}/{rule.id}", rule.every.period_key(on=scenario.on)): people
        for rule, people in voted.items()
    }
    found = allocate(
        claims,
        packs=[pack],
        on=scenario.on,
        seed=scenario.seed.encode(),
        available=available,
        past=[
            Past(
                person=person.number,
                pack_id=pack.id,
                rule_id=rule_id,
                level=0,
                period_key="before",
                on=scenario.on,
                count=count,
                home=person.home,
            )
            for person in scenario.people
            for rule_id, count in person.given
        ],
        decided=Decided(choices=choices, draws=draws, panels=panels),
    )
    return found.awards


def _claims(pack: Pack, scenario: Scenario, person: ScenarioPerson) -> Iterator[Claim]:
    on = scenario.on
    asked = facts_needed([pack], on=on)
    facts = {
        key: find_said(person.facts, use)
        for key, use in uses([pack], on=on).items()
        if key in asked
    }
    for result in evaluate_person([pack], facts, on=on):
        if not result.is_due:
            continue
        for proposal in result.gives:
            yield Claim(
                person=person.number,
                offer=proposal.offer,
                eligible_since=person.since or on,
                home=person.home,
                ranks=result.ranks,
                pool_ranks=result.pool_ranks,
            )


def _failures(pack: Pack, scenario: Scenario) -> Iterator[ScenarioFailure]:
    awards: dict[tuple[int, str], Award] = {}
    for award in awards_of(pack, scenario):
        # Of a rule with levels, what is told is the highest.
        key = (award.claim.person, award.offer.rule_id)
        if key not in awards or awards[key].offer.level < award.offer.level:
            awards[key] = award
    for expected in scenario.results:
        found = awards.pop((expected.number, expected.rule_id), None)
        promised = f"{expected.standing} {expected.count}"
        came = "nothing" if found is None else f"{found.standing.value} {found.count}"
        if came != promised:
            yield ScenarioFailure(
                scenario.name, scenario.file, expected.line, expected.number, expected.rule_id,
                promised, came,
            )  # fmt: skip
    for (person, rule_id), award in sorted(awards.items()):
        if award.count:
            yield ScenarioFailure(
                scenario.name, scenario.file, 0, person, rule_id, "nothing",
                f"{award.standing.value} {award.count}",
            )  # fmt: skip
