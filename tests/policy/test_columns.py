"""Columns and single persons come to the same, unknowns and reasons included."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.samples import leaf
from tests.policy.test_packs import PACKS

from timebank.domain.assurance import Assurance
from timebank.domain.region import subtree
from timebank.policy import columns
from timebank.policy.columns import evaluate_population, to_column
from timebank.policy.condition import (
    OPS,
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
    evaluate,
    leaves,
    number_of,
)
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.fact import FACTS, FactKey, FactType, Value
from timebank.policy.window import WindowKind

ON = date(2024, 6, 15)
VILLAGES = [330424001001, 330424002001, 330424001000, 330281001001, 110101001001]

VALUES: dict[FactType, st.SearchStrategy[Value]] = {
    FactType.NUMBER: st.integers(-2, 12),
    FactType.YES_NO: st.booleans(),
    FactType.DAY: st.integers(-3, 3).map(lambda days: ON + timedelta(days=days)),
    FactType.REGION: st.sampled_from(VILLAGES),
}
CODES = st.sampled_from(["33", "3304", "330424", "330424001", "330424001001", "110101001001"])


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> Condition:
    shape = (
        draw(st.sampled_from(["leaf", "leaf", "all", "any", "not", "at_least"]))
        if depth
        else "leaf"
    )
    if shape == "leaf":
        spec = draw(
            st.sampled_from(
                [
                    FACTS[name]
                    for name in ("minutes", "star", "bad_credit", "registered_on", "region")
                ]
            )
        )
        op = draw(st.sampled_from(sorted(OPS[spec.type])))
        single = CODES if spec.type is FactType.REGION else VALUES[spec.type]
        value = draw(
            st.lists(single, min_size=1, max_size=4).map(tuple)
            if op in (Op.IN, Op.WITHIN)
            else single
        )
        return leaf(
            spec.name, op, value,
            window=draw(st.sampled_from([WindowKind.LIFETIME, WindowKind.CALENDAR_YEAR])) if spec.windows else None,
            assurance_min=draw(st.sampled_from(Assurance)) if spec.has_assurance else Assurance.A0,
            unknown=draw(st.sampled_from(Unknown)),
        )  # fmt: skip
    if shape == "not":
        return Not("n", draw(conditions(depth - 1)))
    parts = tuple(draw(st.lists(conditions(depth - 1), min_size=1, max_size=4)))
    if shape == "at_least":
        return AtLeast("n", draw(st.integers(1, len(parts))), parts)
    return All("n", parts) if shape == "all" else AnyOf("n", parts)


@st.composite
def populations(draw: st.DrawFn, condition: Condition) -> list[dict[FactKey, Value | None]]:
    keys = sorted({each.use.key(on=ON) for each in leaves(condition)}, key=str)
    person = st.fixed_dictionaries({key: st.none() | VALUES[key.spec.type] for key in keys})
    return draw(st.lists(person, min_size=1, max_size=8))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_conditions_come_to_the_same_for_one_and_for_all(data: st.DataObject) -> None:
    condition = data.draw(conditions())
    people = data.draw(populations(condition))
    known = {
        key: to_column([person[key] for person in people], kind=key.spec.type) for key in people[0]
    }
    found = columns.evaluate(condition, known, people=len(people), on=ON)

    for row, person in enumerate(people):
        judged = evaluate(condition, person, on=ON)
        masks = (found.met[row], found.unmet[row], found.unknown[row])
        assert masks == tuple(
            judged.outcome is each for each in (Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN)
        )
        assert columns.facts_at(known, row) == person


def sql(condition: Condition, names: dict[FactKey, str]) -> str:
    """A condition as SQL: 2 met, 1 unknown, 0 unmet, null left out."""
    match condition:
        case Leaf():
            fact = names[condition.use.key(on=ON)]
            needs = [number_of(each) for each in as_list(condition.need(on=ON))]
            left_out = {Unknown.ASK: "1", Unknown.DENY: "0", Unknown.IGNORE: "null"}
            if condition.op is Op.WITHIN:
                spans = [subtree(code) for code in needs]
                holds = " or ".join(
                    f"{fact} >= {each.start} and {fact} < {each.stop}" for each in spans
                )
            elif condition.op is Op.IN:
                holds = f"{fact} in ({', '.join(map(str, needs))})"
            else:
                holds = f"{fact} {condition.op.value} {needs[0]}"
            unknown = left_out[condition.unknown]
            return f"(case when {fact} is null then {unknown} when {holds} then 2 else 0 end)"
        case Not(_, part):
            return f"(2 - {sql(part, names)})"
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            listed = "[" + ", ".join(f"{sql(part, names)}::int" for part in parts) + "]"
            if isinstance(condition, All):
                return f"list_min({listed})"
            if isinstance(condition, AnyOf):
                return f"list_max({listed})"
            # What the n-th best of those that count comes to; with fewer, it is not met.
            sorted_down = f"list_reverse_sort(list_filter({listed}, lambda x: x is not null))"
            nth = f"coalesce({sorted_down}[{condition.count}], 0)"
            return f"(case when list_max({listed}) is null then null else {nth} end)"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_database_is_of_the_same_opinion_about_random_conditions(data: st.DataObject) -> None:
    condition = data.draw(conditions())
    people = data.draw(populations(condition))
    names = {key: f"f{place}" for place, key in enumerate(people[0])}
    rows = ", ".join(
        "(" + ", ".join(
            "null::bigint" if person[key] is None else f"{number_of(person[key])}::bigint"
            for key in names
        ) + f", {place})"
        for place, person in enumerate(people)
    )  # fmt: skip
    asked = f"select coalesce({sql(condition, names)}, 1) from (values {rows}) as p({', '.join(names.values())}, place) order by place"
    opinion = [row[0] for row in duckdb.sql(asked).fetchall()]

    known = {
        key: to_column([person[key] for person in people], kind=key.spec.type) for key in people[0]
    }
    found = columns.evaluate(condition, known, people=len(people), on=ON)
    assert opinion == list(found.met * 2 + found.unknown * 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_shipped_packs_come_to_the_same_for_one_and_for_all(data: st.DataObject) -> None:
    on = data.draw(st.sampled_from([date(2013, 12, 16), date(2023, 12, 31), date(2024, 6, 15)]))
    packs = data.draw(
        st.permutations(PACKS).map(lambda packs: packs[: data.draw(st.integers(1, 2))])
    )
    keys = sorted(facts_needed(packs, on=on), key=str)
    person = st.fixed_dictionaries(
        {
            key: st.none() | st.sampled_from([0, 1, 2, 3, 5, 24, 5999, 6000, 7200, 36000, 90000])
            for key in keys
        }
    )
    people = data.draw(st.lists(person, min_size=1, max_size=6))
    known = {key: to_column([each[key] for each in people], kind=key.spec.type) for key in keys}
    found = evaluate_population(packs, known, people=len(people), on=on)

    for row, each in enumerate(people):
        results = evaluate_person(packs, each, on=on)
        for result, everybody in zip(results, found, strict=True):
            assert (result.rule, result.level) == (everybody.rule, everybody.level[row])
            for step, column in zip(result.steps, everybody.steps, strict=True):
                assert (step.judged.outcome is Outcome.MET) == column.outcomes.met[row]
                assert (step.judged.outcome is Outcome.UNKNOWN) == column.outcomes.unknown[row]
                assert step.offer == column.offer
                assert step.judged.reasons == column.reasons(row)


def test_shuffling_people_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    keys = sorted(facts_needed(PACKS, on=ON), key=str)
    known = {key: (rng.integers(0, 100_000, 500), rng.random(500) < 0.9) for key in keys}
    order = rng.permutation(500)
    shuffled = {key: (values[order], mask[order]) for key, (values, mask) in known.items()}

    before = evaluate_population(PACKS, known, people=500, on=ON)
    after = evaluate_population(PACKS, shuffled, people=500, on=ON)
    for one, other in zip(before, after, strict=True):
        for step, moved in zip(one.steps, other.steps, strict=True):
            assert sorted(order[moved.rows_met()]) == list(step.rows_met())


def test_a_column_that_is_missing_or_too_short_is_a_defect() -> None:
    condition = leaf("minutes", Op.AT_LEAST, 1)
    key = condition.use.key(on=ON)

    with pytest.raises(ValueError, match="not supplied"):
        columns.evaluate(condition, {}, people=1, on=ON)
    with pytest.raises(ValueError, match="length"):
        columns.evaluate(condition, {key: to_column([1], kind=FactType.NUMBER)}, people=2, on=ON)
