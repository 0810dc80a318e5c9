"""The nearest reason is the one that a person can change with the least effort, and by when."""

from dataclasses import replace
from datetime import date

import pytest
from tests.policy import samples
from tests.policy.test_packs import BY_ID

from timebank.domain import region
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.explain import Explanation, explain
from timebank.policy.fact import FactUnit, Value
from timebank.policy.rule import Verdict
from timebank.policy.wording import case_words, quantity, sentence, trace

ON = date(2024, 6, 15)
M = '{ fact = "minutes", window = "calendar_year", op = ">=", value = 6000 }'
S = '{ fact = "services", window = "lifetime", op = ">=", value = 10 }'
T = '{ fact = "star", op = ">=", value = 3 }'
C = '{ fact = "bad_credit", window = "months(36)", op = "==", value = false }'
R = '{ fact = "region", op = "within", value = "330424" }'
HERE, AWAY = region.parse_code("330424001001"), region.parse_code("330281001001")


def explained(when: str, *, on: date = ON, valid: str = "", **facts: Value | None) -> Explanation:
    rules = samples.rule(when).replace("from = 2023-01-01 }", f"from = 2023-01-01{valid} }}")
    pack = samples.read(rules=rules, params="")
    known = {key: facts[key.name] for key in facts_needed([pack], on=on)}
    (result,) = evaluate_person([pack], known, on=on)
    return explain(result)


ROWS: list[tuple[str, dict[str, Value | None], str, str, list[str]]] = [
    # when                       facts | in one sentence, in both languages | what else stands in the way
    (M, {"minutes": 780},
     "87 h more by 31 December", "还差 87 小时，12 月 31 日前", []),
    (M, {"minutes": 5999},
     "1 min more by 31 December", "还差 1 分钟，12 月 31 日前", []),
    (M, {"minutes": 6000}, "met", "已达到", []),
    (S, {"services": 9}, "1 service more", "还差 1 次服务", []),
    (T, {"star": 0}, "3 stars more", "还差 3 星", []),
    (C, {"bad_credit": None}, "to be found out: bad credit record", "需要核实：失信记录", []),
    (C, {"bad_credit": True}, "condition not met: bad credit record", "条件不符：失信记录", []),
    (R, {"region": AWAY}, "condition not met: home", "条件不符：居住地", []),
    # What can be raised comes first, then what is to be found out, then what nobody can change.
    (f"{{ all = [{R}, {C}, {M}] }}", {"minutes": 780, "bad_credit": None, "region": AWAY},
     "87 h more by 31 December", "还差 87 小时，12 月 31 日前", ["bad_credit", "region"]),
    # Then the smallest gap in proportion: 1 of 10 services is less than 1,000 of 6,000 minutes.
    (f"{{ all = [{M}, {S}] }}", {"minutes": 5000, "services": 9},
     "1 service more", "还差 1 次服务", ["minutes"]),
    # Of several ways the nearest; the other way is no hindrance.
    (f"{{ any = [{M}, {S}] }}", {"minutes": 5000, "services": 9}, "1 service more", "还差 1 次服务", []),
    (f"{{ any = [{{ all = [{S}, {R}] }}, {M}] }}", {"minutes": 780, "services": 9, "region": AWAY},
     "87 h more by 31 December", "还差 87 小时，12 月 31 日前", []),
    # What is met already, and what an `any` does not need, is never named.
    (f"{{ all = [{{ any = [{S}, {T}] }}, {M}] }}", {"minutes": 780, "services": 9, "star": 3},
     "87 h more by 31 December", "还差 87 小时，12 月 31 日前", []),
    (f"{{ at_least = 2, of = [{M}, {S}, {T}] }}", {"minutes": 780, "services": 9, "star": 3},
     "1 service more", "还差 1 次服务", []),
    (f"{{ at_least = 3, of = [{M}, {S}, {T}] }}", {"minutes": 780, "services": 9, "star": 3},
     "1 service more", "还差 1 次服务", ["minutes"]),
    # While nothing is refused, only what is unknown is asked for.
    (f"{{ all = [{S}, {C}] }}", {"services": 10, "bad_credit": None},
     "to be found out: bad credit record", "需要核实：失信记录", []),
    (f"{{ any = [{S}, {C}] }}", {"services": 9, "bad_credit": None},
     "to be found out: bad credit record", "需要核实：失信记录", []),
    # Under a `not`, serving more helps where too little was the point, and nothing else does.
    (f"{{ not = {M.replace('>=', '<')} }}", {"minutes": 780},
     "87 h more by 31 December", "还差 87 小时，12 月 31 日前", []),
    (f"{{ not = {M} }}", {"minutes": 6000}, "condition not met: time served", "条件不符：服务时间", []),
    (f"{{ not = {{ any = [{C}, {S}] }} }}", {"bad_credit": True, "services": 10},
     "condition not met: services", "条件不符：服务次数", []),
    (f"{{ not = {{ all = [{C}, {S}] }} }}", {"bad_credit": False, "services": 10},
     "condition not met: bad credit record", "条件不符：失信记录", []),
]  # fmt: skip


@pytest.mark.parametrize(("when", "facts", "english", "chinese", "others"), ROWS)
def test_nearest(
    when: str, facts: dict[str, Value | None], english: str, chinese: str, others: list[str]
) -> None:
    explanation = explained(when, **facts)

    assert sentence(explanation, language="en") == english
    assert sentence(explanation, language="zh") == chinese
    assert [reason.key.name for reason in explanation.others] == others


def test_an_explanation_has_its_parts() -> None:
    explanation = explained(M, minutes=780)

    assert explanation.verdict is Verdict.NOT_GRANTED
    assert (explanation.gap, explanation.unit) == (5220, FactUnit.MINUTES)
    assert explanation.by == date(2024, 12, 31)
    assert explanation.nearest is not None
    assert (explanation.nearest.have, explanation.nearest.need) == (780, 6000)
    assert explanation.reasons == (explanation.nearest,)


def test_the_day_is_the_rules_last_when_that_comes_before_the_years() -> None:
    assert explained(M, minutes=780, valid=", through = 2024-09-30").by == date(2024, 9, 30)
    assert explained(S, services=1, valid=", through = 2025-02-28").by == date(2025, 2, 28)
    between = M.replace("calendar_year", "between(2024-06-01,2024-06-30)")
    assert explained(between, minutes=780).by == date(2024, 6, 30)


def test_a_day_in_another_year_is_told_with_its_year() -> None:
    explanation = explained(S, services=8, valid=", through = 2025-02-28")

    assert sentence(explanation, language="en") == "2 services more by 28 February 2025"
    assert sentence(explanation, language="zh") == "还差 2 次服务，2025 年 2 月 28 日前"


def star(minutes: int) -> Explanation:
    pack = BY_ID["cn.stars"]
    facts = dict.fromkeys(facts_needed([pack], on=ON), minutes)
    (result,) = evaluate_person([pack], facts, on=ON)
    return explain(result)


LEVELS = [
    # minutes level next gap
    (0,      None, 1,    6_000),
    (5_999,  None, 1,    1),
    (6_000,  1,    2,    12_000),
    (89_999, 4,    5,    1),
    (90_000, 5,    None, None),
]  # fmt: skip


@pytest.mark.parametrize(("minutes", "level", "next_level", "gap"), LEVELS)
def test_the_next_level_and_what_it_needs(
    minutes: int, level: int | None, next_level: int | None, gap: int | None
) -> None:
    explanation = star(minutes)

    assert (explanation.level and explanation.level.number) == level
    assert (explanation.next_level and explanation.next_level.number) == next_level
    assert explanation.gap == gap
    assert explanation.by is None


def test_a_rule_out_of_force_has_nothing_to_explain() -> None:
    explanation = explained(M, on=date(2022, 12, 31))

    assert (explanation.verdict, explanation.reasons) == (Verdict.NOT_IN_FORCE, ())
    assert sentence(explanation, language="en") == "not in force"


def test_minutes_are_told_in_hours_and_never_rounded() -> None:
    assert [quantity(each, FactUnit.MINUTES, language="en") for each in (0, 59, 60, 61, 6000)] == [
        "0 min", "59 min", "1 h", "1 h 1 min", "100 h",
    ]  # fmt: skip
    assert quantity(90, FactUnit.MINUTES, language="zh") == "1 小时 30 分钟"


def test_a_trace_has_a_line_per_leaf_with_its_source() -> None:
    pack = samples.read()
    keys = facts_needed([pack], on=ON)
    facts = {key: 12_000 if key.name == "minutes" else None for key in keys}
    (result,) = evaluate_person([pack], facts, on=ON)

    assert trace(result).splitlines() == [
        "Film pass: not met; 100 h more by 31 December",
        "  film/when.all.0: time served (this year) ≥ 300 h; 200 h: not met [d3 art. 4]",
        "  film/when.all.1: bad credit record (last 36 months) = no; ?: not known [d3 art. 7(2)]",
    ]
    assert (
        trace(replace(result), language="zh").splitlines()[0]
        == "观影: 未达到; 还差 100 小时，12 月 31 日前"
    )


def test_a_case_is_told_in_words() -> None:
    first = BY_ID["cn.zj.haiyan.courtesies"].cases[0]

    assert case_words(first, language="en") == "time served (this year, A1+): 120 h; stars: 3 stars"
    assert case_words(first, language="zh") == "服务时间 (本年度, A1+): 120 小时; 星级: 3 星"
