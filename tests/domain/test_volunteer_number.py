"""A volunteer's public number shows when it was mistyped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.volunteer_number import format_number, parse_number

BOOKS = st.integers(100_000, 999_999)
VOLUNTEERS = st.integers(1, 99_999_999)


def test_a_number_has_county_number_and_check_digit() -> None:
    assert parse_number(format_number(330424, 1234)) == (330424, 1234)
    assert format_number(330424, 1234)[:-1] == "33042400001234"


def test_the_check_digit_is_that_of_the_published_example() -> None:
    # The example that accompanies the algorithm everywhere: 572 has the check digit 4.
    from timebank.domain.volunteer_number import _check_digit

    assert _check_digit("572") == 4


@given(BOOKS, VOLUNTEERS)
def test_every_single_wrong_digit_is_found(book: int, volunteer: int) -> None:
    number = format_number(book, volunteer)
    for place, digit in enumerate(number):
        for wrong in "0123456789":
            if wrong != digit:
                assert parse_number(number[:place] + wrong + number[place + 1 :]) is None


@given(BOOKS, VOLUNTEERS)
def test_every_swap_of_neighbours_is_found(book: int, volunteer: int) -> None:
    number = format_number(book, volunteer)
    for place in range(len(number) - 1):
        left, right = number[place], number[place + 1]
        if left != right:
            assert parse_number(number[:place] + right + left + number[place + 2 :]) is None


@given(st.text(max_size=20) | st.text("0123456789", min_size=14, max_size=16))
def test_any_other_text_is_read_without_a_failure(text: str) -> None:
    parsed = parse_number(text)
    assert parsed is None or len(text) == 15


@pytest.mark.parametrize(
    "text", ["", "33042400001234", "３３０４２４００００１２３４０", " 3304240000123"]
)
def test_texts_of_another_shape_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize("volunteer", [0, -1, 100_000_000])
def test_a_number_that_does_not_fit_is_a_defect(volunteer: int) -> None:
    with pytest.raises(ValueError, match="volunteer number"):
        format_number(330424, volunteer)
