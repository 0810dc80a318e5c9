"""A pack's cases are kept or the failure says why; a number that no case would miss is named."""

import pytest
from tests.policy import samples

from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes

GOOD = """\
[[case]]
name = "Two hundred hours are enough from July 2024"
on = 2024-07-01
person = { minutes = { calendar_year = 12000 }, bad_credit = { "months(36)" = false } }
expect = { film = "granted: 12 film" }

[[case]]
name = "One minute short"
on = 2024-08-01
person = { minutes = { calendar_year = 11999 }, bad_credit = { "months(36)" = false } }
expect = { film = "not granted: 1 min more by 31 December" }
"""


def test_kept_cases_are_silent() -> None:
    assert run_cases(samples.read(cases=GOOD)) == ()


def test_a_broken_promise_says_what_came_instead_and_why() -> None:
    (failure,) = run_cases(samples.read(cases=GOOD.replace("11999", "11400")))

    assert str(failure) == (
        "cases.toml:7: One minute short\n"
        "  film: promised 'not granted: 1 min more by 31 December', found 'not granted: 10 h more by 31 December'\n"
        "Film pass: not met; 10 h more by 31 December\n"
        "  film/when.all.0: time served (this year) ≥ 200 h; 190 h: not met [d3 art. 5]\n"
        "  film/when.all.1: bad credit record (last 36 months) = no; no: met [d3 art. 7(2)]"
    )


@pytest.mark.parametrize(
    ("promised", "is_kept"),
    [("granted", True), ("granted: 12 film", True), ("granted: 11 film", False), ("granted: 1", False),
     ("missing: bad_credit", False), ("not granted", False), ("not in force", False)],
)  # fmt: skip
def test_promises(promised: str, is_kept: bool) -> None:
    pack = samples.read(cases=GOOD.replace("granted: 12 film", promised))

    assert (not run_cases(pack)) == is_kept


def test_numbers_that_no_case_would_miss_are_named() -> None:
    assert surviving_mutants(samples.read(cases=GOOD)) == (
        "film_minutes from 2023-01-01: 18000 became 17999",
        "film_minutes from 2023-01-01: 18000 became 18001",
        "film_minutes from 2024-07-01 became from 2024-06-30",
        "film: film/when.all.0: evidence from A1",
        "film: film/when.all.1: unknown = deny",
        "film: film/when.all.1: unknown = ignore",
        "film: film/when.all.1: left out",
        "film: valid from 2022-12-31",
        "film: valid from 2023-01-02",
    )


def test_leaves_that_no_case_reaches_are_named() -> None:
    assert unseen_outcomes(samples.read(cases=GOOD)) == (
        "film/when.all.1: unmet",
        "film/when.all.1: unknown",
    )


def test_a_pack_that_breaks_its_promises_cannot_be_tried_on_changes() -> None:
    with pytest.raises(ValueError, match="own cases"):
        surviving_mutants(samples.read(cases=GOOD.replace("11999", "12000")))
