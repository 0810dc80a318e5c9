"""Division codes: what they name, how high, what lies below them, and who may see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.region import Level, county_of, enclosing, level_of, parse_code, subtree
from timebank.domain.scope import Scope

ZHEJIANG, JIAXING, HAIYAN = 330000000000, 330400000000, 330424000000
TOWN, VILLAGE = 330424101000, 330424101001


@pytest.mark.parametrize(
    ("text", "code", "level"),
    [
        ("33", ZHEJIANG, Level.PROVINCE),
        ("330000", ZHEJIANG, Level.PROVINCE),
        ("3304", JIAXING, Level.CITY),
        ("330424", HAIYAN, Level.COUNTY),
        ("330424101", TOWN, Level.TOWN),
        ("330424101001", VILLAGE, Level.VILLAGE),
    ],
)
def test_a_code_names_a_division_of_a_level(text: str, code: int, level: Level) -> None:
    assert parse_code(text) == code
    assert level_of(code) is level


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "330",
        "33042",
        "3304241",
        "03",
        "3304240000000",
        "33 04",
        "-33",
        "３３",
        "³³",
        "33a",
    ],
)
def test_other_texts_name_none(text: str) -> None:
    with pytest.raises(ValueError, match="division code"):
        parse_code(text)


def test_a_division_spans_all_below_it_and_nothing_beside_it() -> None:
    for upper in (ZHEJIANG, JIAXING, HAIYAN, TOWN):
        assert upper in subtree(upper)
        assert VILLAGE in subtree(upper)
    assert list(subtree(VILLAGE)) == [VILLAGE]
    assert HAIYAN not in subtree(TOWN)
    assert 330425000000 not in subtree(HAIYAN)
    assert 330424102000 not in subtree(TOWN)


def test_a_division_lies_in_one_of_every_level_above_it() -> None:
    assert enclosing(VILLAGE, Level.VILLAGE) == VILLAGE
    assert enclosing(VILLAGE, Level.TOWN) == TOWN
    assert enclosing(VILLAGE, Level.COUNTY) == HAIYAN
    assert enclosing(VILLAGE, Level.PROVINCE) == ZHEJIANG
    assert enclosing(HAIYAN, Level.TOWN) == HAIYAN


def test_a_county_is_the_book_of_all_its_villages() -> None:
    assert {county_of(code) for code in (HAIYAN, TOWN, VILLAGE)} == {330424}


@given(st.integers(11_0000_000000, 82_9999_999999))
def test_a_code_lies_in_its_own_subtree_and_in_its_countys(code: int) -> None:
    assert code in subtree(code)
    if level_of(code) in (Level.COUNTY, Level.TOWN, Level.VILLAGE):
        assert code in subtree(county_of(code) * 1_000_000)


def test_a_scope_is_narrowed_and_never_widened() -> None:
    scope = Scope(HAIYAN)
    assert scope.narrowed(TOWN) == Scope(TOWN)
    assert scope.narrowed(HAIYAN) == scope
    assert scope.narrowed(JIAXING) is None
    assert scope.narrowed(330421000000) is None
    assert scope.covers(VILLAGE)
    assert not scope.covers(JIAXING)
