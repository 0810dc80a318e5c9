"""Windows: the days that a number is counted over."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.window import Window, WindowKind, parse_window, window_of


@pytest.mark.parametrize(
    ("text", "kind", "first", "last"),
    [
        ("2024", WindowKind.YEAR, date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-Q1", WindowKind.QUARTER, date(2024, 1, 1), date(2024, 3, 31)),
        ("2024-Q4", WindowKind.QUARTER, date(2024, 10, 1), date(2024, 12, 31)),
        ("2024-02", WindowKind.MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12", WindowKind.MONTH, date(2023, 12, 1), date(2023, 12, 31)),
        ("12m..2024-02-29", WindowKind.TWELVE_MONTHS, date(2023, 3, 1), date(2024, 2, 29)),
        ("12m..2024-12-31", WindowKind.TWELVE_MONTHS, date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-03-05..2024-03-05", WindowKind.CAMPAIGN, date(2024, 3, 5), date(2024, 3, 5)),
        ("..2024-12-31", WindowKind.EVER, date(1900, 1, 1), date(2024, 12, 31)),
    ],
)
def test_a_text_names_a_window_and_a_window_its_text(
    text: str, kind: WindowKind, first: date, last: date
) -> None:
    window = parse_window(text)
    assert (window.kind, window.first_on, window.last_on) == (kind, first, last)
    assert str(window) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-Q5",
        "2024-13",
        "2024-3",
        "2024-03-05",
        "2024-03-05..",
        "2024-02-30..2024-03-01",
    ],
)
def test_another_text_names_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the calendar's own words, or ours
        parse_window(text)


def test_a_window_that_ends_before_it_begins_is_none() -> None:
    with pytest.raises(ValueError, match="ends before"):
        parse_window("2024-03-05..2024-03-04")


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2024", "2023"),
        ("2024-Q1", "2023-Q1"),
        ("2024-02", "2023-02"),
        ("12m..2024-02-29", "12m..2023-02-28"),
        ("2024-02-01..2024-02-29", "2023-02-01..2023-02-28"),
        ("..2024-12-31", "..2023-12-31"),
    ],
)
def test_a_year_before(text: str, before: str) -> None:
    assert str(parse_window(text).a_year_before()) == before


def test_a_year_that_goes_on_is_compared_up_to_the_same_day() -> None:
    year = Window.of_year(2024).until(date(2024, 2, 29))
    assert str(year) == "2024-01-01..2024-02-29"
    assert str(year.a_year_before()) == "2023-01-01..2023-02-28"
    assert Window.of_year(2023).until(date(2024, 2, 29)) == Window.of_year(2023)


@given(
    st.dates(date(1950, 1, 1), date(2150, 12, 31)),
    st.sampled_from([each for each in WindowKind if each is not WindowKind.CAMPAIGN]),
)
def test_every_day_has_its_window(on: date, kind: WindowKind) -> None:
    window = window_of(kind, on=on)
    assert window.covers(on)
    assert parse_window(str(window)) == window
    assert window.a_year_before().last_on < window.last_on
