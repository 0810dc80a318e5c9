"""A window counts whole local days up to the day itself, and knows when it closes."""

from datetime import date

import pytest

from timebank.policy.window import add_months, parse_window

ROWS = [
    # window                           on            since         until         closes on
    ("lifetime",                       "2024-06-15", None,         "2024-06-16", None),
    ("calendar_year",                  "2024-06-15", "2024-01-01", "2024-06-16", "2024-12-31"),
    ("calendar_year",                  "2024-01-01", "2024-01-01", "2024-01-02", "2024-12-31"),
    ("calendar_year",                  "2024-12-31", "2024-01-01", "2025-01-01", "2024-12-31"),
    ("school_year",                    "2024-06-15", "2023-09-01", "2024-06-16", "2024-08-31"),
    ("school_year",                    "2024-09-01", "2024-09-01", "2024-09-02", "2025-08-31"),
    ("months(1)",                      "2024-02-29", "2024-02-01", "2024-03-01", None),
    ("months(12)",                     "2024-06-15", "2023-06-16", "2024-06-16", None),
    ("months(1)",                      "2024-03-30", "2024-02-29", "2024-03-31", None),
    ("between(2024-03-01,2024-03-31)", "2024-02-01", "2024-03-01", "2024-03-01", "2024-03-31"),
    ("between(2024-03-01,2024-03-31)", "2024-03-10", "2024-03-01", "2024-03-11", "2024-03-31"),
    ("between(2024-03-01,2024-03-31)", "2024-09-01", "2024-03-01", "2024-04-01", "2024-03-31"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "on", "since", "until", "closes_on"), ROWS)
def test_window(text: str, on: str, since: str | None, until: str, closes_on: str | None) -> None:
    window = parse_window(text)

    assert window is not None
    assert str(window) == text
    day = date.fromisoformat(on)
    found_since, found_until = window.days(on=day)
    assert (found_since and found_since.isoformat(), found_until.isoformat()) == (since, until)
    found_closes_on = window.closes_on(on=day)
    assert (found_closes_on and found_closes_on.isoformat()) == closes_on


@pytest.mark.parametrize(
    "text",
    ["", "year", "months()", "months(0)", "months(601)", "months(-1)", "months(1) ", "term",
     "between(2024-03-31,2024-03-01)", "between(2024-02-30,2024-03-01)", "between(2024-03-01)"],
)  # fmt: skip
def test_what_is_no_window_is_none(text: str) -> None:
    assert parse_window(text) is None


def test_a_month_added_to_the_last_day_stays_within_the_month() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 2, 29), -12) == date(2023, 2, 28)
    assert add_months(date(2024, 11, 30), 3) == date(2025, 2, 28)
    assert add_months(date(2, 1, 1), -600) == date.min
