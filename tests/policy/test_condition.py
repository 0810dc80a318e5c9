"""A condition has three outcomes; an unknown part matters only where it could still decide."""

from datetime import date

import pytest
from tests.policy.samples import constant, leaf

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
    evaluate,
)
from timebank.policy.fact import FactKey, FactUse, Value
from timebank.policy.window import WindowKind

ON = date(2024, 6, 15)


def outcome_of(condition: Condition, **facts: Value | None) -> Outcome:
    known = {use.key(on=ON): facts[use.name] for use in USES}
    return evaluate(condition, known, on=ON).outcome


M = leaf("minutes", Op.AT_LEAST, 100)
S = leaf("services", Op.AT_LEAST, 10)
C = leaf("bad_credit", Op.EQUAL, value=False)
USES = [M.use, S.use, C.use]


def ignoring(part: Leaf) -> Leaf:
    return Leaf(part.node, part.use, part.op, part.parameter, unknown=Unknown.IGNORE)


def denying(part: Leaf) -> Leaf:
    return Leaf(part.node, part.use, part.op, part.parameter, unknown=Unknown.DENY)


ROWS: list[tuple[Condition, int | None, int | None, bool | None, str]] = [
    # condition                                  minutes services bad credit | outcome
    (M,                                          100,  0,    None,  "met"),
    (M,                                          99,   0,    None,  "unmet"),
    (M,                                          None, 0,    None,  "unknown"),
    (denying(M),                                 None, 0,    None,  "unmet"),
    (ignoring(M),                                None, 0,    None,  "unknown"),
    (Not("n", M),                                100,  0,    None,  "unmet"),
    (Not("n", M),                                99,   0,    None,  "met"),
    (Not("n", M),                                None, 0,    None,  "unknown"),
    (Not("n", Not("n", M)),                      100,  0,    None,  "met"),

    (All("n", (M, S, C)),                        100,  10,   False, "met"),
    (All("n", (M, S, C)),                        100,  10,   None,  "unknown"),
    (All("n", (M, S, C)),                        99,   10,   None,  "unmet"),
    (All("n", (M, S, C)),                        100,  10,   True,  "unmet"),
    (All("n", (M, S, ignoring(C))),              100,  10,   None,  "met"),
    (All("n", (M, S, ignoring(C))),              100,  10,   True,  "unmet"),
    (All("n", (M, S, denying(C))),               100,  10,   None,  "unmet"),
    (All("n", (ignoring(C), ignoring(M))),       None, 10,   None,  "unknown"),

    (AnyOf("n", (M, S, C)),                      99,   10,   None,  "met"),
    (AnyOf("n", (M, S, C)),                      99,   9,    None,  "unknown"),
    (AnyOf("n", (M, S, C)),                      99,   9,    True,  "unmet"),
    (AnyOf("n", (M, S, ignoring(C))),            99,   9,    None,  "unmet"),

    (AtLeast("n", 2, (M, S, C)),                 100,  10,   None,  "met"),
    (AtLeast("n", 2, (M, S, C)),                 100,  9,    None,  "unknown"),
    (AtLeast("n", 2, (M, S, C)),                 99,   9,    None,  "unmet"),
    (AtLeast("n", 2, (M, S, C)),                 100,  9,    True,  "unmet"),
    (AtLeast("n", 2, (M, S, ignoring(C))),       100,  9,    None,  "unmet"),
    (Not("n", AnyOf("n", (ignoring(C), M))),     99,   9,    None,  "met"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "minutes", "services", "bad_credit", "outcome"), ROWS)
def test_outcome(
    condition: Condition, minutes: int, services: int, bad_credit: bool | None, outcome: str
) -> None:
    found = outcome_of(condition, minutes=minutes, services=services, bad_credit=bad_credit)

    assert found.value == outcome


OPS: list[tuple[str, Op, object, Value, bool]] = [
    # fact             op            need                       have           | holds
    ("minutes",        Op.AT_LEAST,  100,                       100,             True),
    ("minutes",        Op.ABOVE,     100,                       100,             False),
    ("minutes",        Op.ABOVE,     100,                       101,             True),
    ("minutes",        Op.AT_MOST,   100,                       100,             True),
    ("minutes",        Op.BELOW,     100,                       100,             False),
    ("minutes",        Op.EQUAL,     100,                       100,             True),
    ("minutes",        Op.DIFFERENT, 100,                       100,             False),
    ("star",           Op.IN,        (1, 3),                    3,               True),
    ("star",           Op.IN,        (1, 3),                    2,               False),
    ("registered_on",  Op.BELOW,     date(2024, 1, 1),          date(2023, 12, 31), True),
    ("registered_on",  Op.AT_LEAST,  date(2024, 1, 1),          date(2023, 12, 31), False),
    ("region",         Op.EQUAL,     "330424",                  330424000000,    True),
    ("region",         Op.EQUAL,     "330424",                  330424001001,    False),
    ("region",         Op.WITHIN,    "330424",                  330424001001,    True),
    ("region",         Op.WITHIN,    "330424001",               330424002001,    False),
    ("region",         Op.WITHIN,    ("330424001", "3302"),     330281001001,    True),
    ("region",         Op.IN,        ("330424001", "330424002"), 330424002000,   True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "op", "need", "have", "holds"), OPS)
def test_comparison(name: str, op: Op, need: object, have: Value, holds: bool) -> None:
    window = WindowKind.LIFETIME if name == "minutes" else None
    condition = leaf(name, op, need, window=window)  # type: ignore[arg-type]
    key = condition.use.key(on=ON)

    assert (evaluate(condition, {key: have}, on=ON).outcome is Outcome.MET) == holds


def test_a_reason_says_what_was_needed_what_is_there_and_by_whose_word() -> None:
    condition = Not("x", All("x.not", (leaf("minutes", Op.AT_LEAST, 100, node="x.not.all.0"), C)))
    key = M.use.key(on=ON)
    judged = evaluate(condition, {key: 40, C.use.key(on=ON): None}, on=ON)

    first, second = judged.reasons
    assert first.as_record() == {
        "node": "x.not.all.0", "fact": "minutes", "since": None, "until": "2024-06-16",
        "assurance_min": 0, "rule": "", "op": ">=", "need": 100, "have": 40, "outcome": "unmet",
        "gap": None, "cite": "d3 art. 1", "source": "text", "negated": True,
    }  # fmt: skip
    assert (second.have, second.outcome, second.gap) == (None, Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    ("op", "have", "gap"),
    [(Op.AT_LEAST, 40, 60), (Op.ABOVE, 100, 1), (Op.EQUAL, 40, 60), (Op.AT_MOST, 130, -30),
     (Op.BELOW, 100, -1), (Op.AT_LEAST, 100, None)],
)  # fmt: skip
def test_a_gap_is_what_is_missing_and_negative_for_too_much(
    op: Op, have: int, gap: int | None
) -> None:
    condition = leaf("minutes", op, 100)
    (reason,) = evaluate(condition, {condition.use.key(on=ON): have}, on=ON).reasons

    assert reason.gap == gap


def test_a_fact_that_was_not_supplied_is_a_defect_not_an_unknown() -> None:
    with pytest.raises(ValueError, match="not supplied"):
        evaluate(M, {}, on=ON)


def test_a_key_names_days_and_evidence_exactly() -> None:
    use = FactUse(
        "minutes", leaf("minutes", Op.EQUAL, 1, window=WindowKind.CALENDAR_YEAR).use.window
    )

    assert use.key(on=ON) == FactKey("minutes", date(2024, 1, 1), date(2024, 6, 16))
    assert constant(3).on(date.min).value == 3
