"""Packs are evaluated together, in one order; what is granted is named the same for ever."""

from dataclasses import replace
from datetime import date

import pytest
from tests.policy import samples
from tests.policy.test_packs import BY_ID, PACKS

from timebank.domain.assurance import Assurance
from timebank.policy.condition import Outcome
from timebank.policy.evaluation import (
    RuleResult,
    evaluate_person,
    facts_needed,
    ordered_rules,
    proposals,
)
from timebank.policy.fact import FactKey, Facts
from timebank.policy.rule import Status, Verdict

STARS, HAIYAN = BY_ID["cn.stars"], BY_ID["cn.zj.haiyan.courtesies"]
ON = date(2024, 6, 15)
LIFETIME = FactKey("minutes", None, date(2024, 6, 16))
YEAR = FactKey("minutes", date(2024, 1, 1), date(2024, 6, 16))
YEAR_A1 = replace(YEAR, assurance_min=Assurance.A1)
SERVICES = FactKey("services", date(2024, 1, 1), date(2024, 6, 16))
SERVICES_A1 = replace(SERVICES, assurance_min=Assurance.A1)
COUNTED = {YEAR, YEAR_A1, SERVICES, SERVICES_A1}
STAR = FactKey("star", None, date(2024, 6, 16))


def person(lifetime: int | None, year: int | None = 0, services: int | None = 0) -> Facts:
    return {
        LIFETIME: lifetime,
        YEAR: year,
        YEAR_A1: year,
        SERVICES: services,
        SERVICES_A1: services,
    }


def by_rule(results: tuple[RuleResult, ...]) -> dict[str, RuleResult]:
    return {result.rule.id: result for result in results}


def test_what_is_needed_is_named_to_the_day_and_the_grade() -> None:
    assert facts_needed([STARS], on=ON) == {LIFETIME}
    assert facts_needed([HAIYAN], on=ON) == {*COUNTED, STAR}
    assert facts_needed([HAIYAN, STARS], on=ON) == {LIFETIME, *COUNTED}
    assert facts_needed(PACKS, on=date(2013, 12, 16)) == frozenset()
    assert {key.name for key in facts_needed(PACKS, on=date(2023, 12, 31))} == {"minutes"}


def test_the_star_is_provided_whatever_the_order_of_the_packs() -> None:
    facts = person(lifetime=36_000, year=7_200)

    for packs in ([STARS, HAIYAN], [HAIYAN, STARS]):
        results = by_rule(evaluate_person(packs, facts, on=ON))
        assert (results["stars"].verdict, results["stars"].level) == (Verdict.GRANTED, 3)
        assert results["newspaper"].verdict is Verdict.GRANTED
        assert results["film"].verdict is Verdict.GRANTED
        assert results["school"].verdict is Verdict.NOT_GRANTED


def test_an_unknown_record_makes_the_star_unknown_not_zero() -> None:
    results = by_rule(evaluate_person(PACKS, person(lifetime=None, year=7_200), on=ON))

    assert results["stars"].verdict is Verdict.MISSING
    assert results["film"].verdict is Verdict.MISSING
    assert results["film"].steps[0].judged.reasons[1].outcome is Outcome.UNKNOWN


def test_a_star_from_outside_is_taken_when_no_pack_provides_it() -> None:
    facts = {YEAR: 6_000, YEAR_A1: 0, SERVICES: None, SERVICES_A1: None, STAR: 1}
    results = by_rule(evaluate_person([HAIYAN], facts, on=ON))

    assert results["film"].verdict is Verdict.GRANTED
    assert results["school"].verdict is Verdict.NOT_GRANTED


def test_every_level_met_is_a_grant_of_its_own_with_its_own_office() -> None:
    found = proposals(evaluate_person([STARS], person(lifetime=36_000), on=ON))

    assert [(each.offer.key_parts, each.offer.approver.value) for each in found] == [
        (("cn.stars", "stars", "1", "lifetime"), "county"),
        (("cn.stars", "stars", "2", "lifetime"), "county"),
        (("cn.stars", "stars", "3", "lifetime"), "city"),
    ]
    assert found[2].judged.reasons[0].as_record()["need"] == 36_000
    assert {each.offer.pack_hash for each in found} == {STARS.hash}


def test_the_next_year_is_another_period() -> None:
    keys = []
    for on in (ON, date(2024, 12, 31), date(2025, 1, 1)):
        facts = {
            key: 7_200 if key.name == "minutes" else 3 for key in facts_needed([HAIYAN], on=on)
        }
        found = proposals(evaluate_person([HAIYAN], facts, on=on))
        keys.append([each.offer.key_parts for each in found])

    assert (
        keys[0]
        == keys[1]
        == [
            ("cn.zj.haiyan.courtesies", name, "0", "2024")
            for name in ("newspaper", "film", "bus", "checkup", "concert")
        ]
    )
    assert [parts[3] for parts in keys[2]] == ["2025"] * 5


@pytest.mark.parametrize("status", [Status.DRAFT, Status.REPEALED])
def test_only_an_enacted_pack_grants(status: Status) -> None:
    results = evaluate_person([replace(STARS, status=status)], person(lifetime=90_000), on=ON)

    assert results[0].level == 5
    assert proposals(results) == ()


def test_a_rule_out_of_force_asks_nothing_and_gives_nothing() -> None:
    (result,) = evaluate_person([STARS], {}, on=date(2013, 12, 16))

    assert (result.verdict, result.level, result.steps) == (Verdict.NOT_IN_FORCE, 0, ())


def test_packs_that_contradict_each_other_are_a_defect() -> None:
    with pytest.raises(ValueError, match="same fact"):
        ordered_rules([STARS, replace(STARS, id="other")])
    with pytest.raises(ValueError, match="same id"):
        ordered_rules([HAIYAN, HAIYAN])


def test_a_grant_made_before_can_be_asked_for() -> None:
    when = '{ not = { fact = "has_grant", rule = "film", window = "months(12)", op = "==", value = true } }'
    pack = samples.read(rules=samples.rule(when), params="")
    (key,) = facts_needed([pack], on=ON)

    assert key == FactKey("has_grant", date(2023, 6, 16), date(2024, 6, 16), rule="sample/film")
    for has_grant, verdict in (
        (True, Verdict.NOT_GRANTED),
        (False, Verdict.GRANTED),
        (None, Verdict.MISSING),
    ):
        assert evaluate_person([pack], {key: has_grant}, on=ON)[0].verdict is verdict


def test_a_changed_number_holds_from_its_day() -> None:
    pack = samples.read()
    for on, verdict in (
        (date(2024, 6, 30), Verdict.NOT_GRANTED),
        (date(2024, 7, 1), Verdict.GRANTED),
    ):
        facts = {
            key: 12_000 if key.name == "minutes" else False for key in facts_needed([pack], on=on)
        }
        (result,) = evaluate_person([pack], facts, on=on)
        assert result.verdict is verdict
    assert str(result.steps[0].judged.reasons[0].cite) == "d3 art. 5"
