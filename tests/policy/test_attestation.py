"""What other offices say counts from its day, until its day, and never by its absence."""

from datetime import date

import pytest

from timebank.policy.attestation import Said, detail_of, fact_of, value_of
from timebank.policy.fact import FactKey, FactUse
from timebank.policy.window import parse_window

ON = date(2024, 6, 15)


def key(name: str, window: str = "", **more: object) -> FactKey:
    return FactUse(name, parse_window(window), **more).key(on=ON)  # type: ignore[arg-type]


def said(fact: str, value: int, since: str, until: str = "", detail: str = "") -> Said:
    through = date.fromisoformat(until) if until else None
    return Said(fact, detail, date.fromisoformat(since), through, value)


LEVEL = key("certificate_level")
WORKS = key("employed_in", region=640205000000)
CREDIT = key("bad_credit", "months(12)")
ROWS = [
    # what was said | key, fact
    ([],                                                                         LEVEL,  None),
    ([said("certificate_level", 2, "2024-06-15")],                               LEVEL,  2),
    ([said("certificate_level", 2, "2024-06-16")],                               LEVEL,  None),
    ([said("certificate_level", 2, "2020-01-01"), said("certificate_level", 3, "2024-01-01")], LEVEL, 3),
    ([said("certificate_level", 2, "2024-01-01"), said("certificate_level", 3, "2024-01-01")], LEVEL, 3),
    ([said("certificate_level", 2, "2020-01-01", "2024-06-14")],                 LEVEL,  None),
    ([said("employed_in", 1, "2020-01-01", detail="640205000000")],              WORKS,  True),
    ([said("employed_in", 0, "2020-01-01", detail="640205000000")],              WORKS,  False),
    ([said("employed_in", 1, "2020-01-01", detail="640202000000")],              WORKS,  None),
    ([said("bad_credit", 0, "2023-06-16")],                                      CREDIT, False),
    ([said("bad_credit", 0, "2023-06-17")],                                      CREDIT, None),
    ([said("bad_credit", 0, "2023-01-01", "2023-12-31"), said("bad_credit", 0, "2024-01-01")], CREDIT, False),
    ([said("bad_credit", 0, "2023-01-01", "2023-12-31"), said("bad_credit", 0, "2024-01-02")], CREDIT, None),
    ([said("bad_credit", 0, "2023-01-01"), said("bad_credit", 1, "2024-06-15")], CREDIT, True),
    ([said("bad_credit", 1, "2023-01-01", "2023-06-15")],                        CREDIT, None),
    ([said("bad_credit", 1, "2023-01-01", "2023-06-16")],                        CREDIT, True),
    ([said("bad_credit", 0, "1900-01-01")], key("bad_credit", "lifetime"),               False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "asked", "fact"), ROWS)
def test_what_was_said_comes_to(what: list[Said], asked: FactKey, fact: object) -> None:
    assert fact_of(what, asked) is fact or fact_of(what, asked) == fact
    assert type(fact_of(what, asked)) is type(fact)


WORDS = [
    # fact,               detail,         value      | value, or what is not understood
    ("certificate_level", "",             "senior",   3),
    ("certificate_level", "",             "社会工作师", 2),
    ("certificate_level", "640205",       "senior",   "detail"),
    ("certificate_level", "",             "yes",      "value"),
    ("employed_in",       "640205",       "是",        1),
    ("employed_in",       "Dawukou",      "是",        "detail"),
    ("listed",            "huli-talents", "no",       0),
    ("listed",            "",             "no",       "detail"),
    ("listed",            "Huli Talents", "no",       "detail"),
    ("minutes",           "",             "60",       "fact"),
    ("religion",          "",             "yes",      "fact"),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "detail", "text", "value"), WORDS)
def test_words_of_a_register(fact: str, detail: str, text: str, value: int | str) -> None:
    assert value_of(fact, detail, text) == value


def test_divisions_are_kept_with_all_their_digits() -> None:
    assert detail_of("employed_in", "640205") == "640205000000"
    assert detail_of("listed", "huli-talents") == "huli-talents"
