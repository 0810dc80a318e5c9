"""What a shift asks for follows from what it is; what is missing is named, the first first."""

from datetime import date

import pytest

from timebank.domain.clearance import (
    ASKED,
    NO_RISK,
    ClearanceFacts,
    Requirement,
    Risk,
    list_missing,
    of_age_from,
    risks_of,
)

ALL = Risk.DANGEROUS | Risk.RESCUE
ROWS = [
    # risks, minor, consent, agreed, insured, trained | missing
    (NO_RISK, None, False, False, False, False, ""),
    (NO_RISK, False, False, False, False, False, ""),
    (NO_RISK, True, False, True, True, True, "consent"),
    (NO_RISK, True, True, False, False, False, ""),
    (ALL, True, False, False, False, False, "adult consent agreement insurance training"),
    (ALL, None, True, False, False, False, "age agreement insurance training"),
    (Risk.RESCUE, True, True, True, True, True, "adult"),
    (Risk.RESCUE, False, False, False, True, False, "training"),
    (Risk.DANGEROUS, True, True, True, True, True, ""),
    (Risk.DANGEROUS, False, False, True, False, True, "insurance"),
    (Risk.FOREIGN, None, False, False, False, False, "agreement"),
    (Risk.OVER_A_MONTH, None, False, False, False, False, "agreement"),
    (Risk.LARGE_EVENT, False, False, True, False, False, ""),
    (Risk.OUTSIDE_PROVINCE, False, False, False, False, False, "agreement insurance"),
]


@pytest.mark.parametrize(
    ("risks", "is_minor", "consent", "agreed", "insured", "trained", "missing"), ROWS
)
def test_what_is_missing(
    risks: Risk,
    is_minor: bool | None,
    consent: bool,
    agreed: bool,
    insured: bool,
    trained: bool,
    missing: str,
) -> None:
    facts = ClearanceFacts(risks, is_minor, consent, agreed, insured, trained)
    assert " ".join(list_missing(facts)) == missing


def test_every_risk_asks_for_something_and_every_requirement_is_asked_for() -> None:
    assert list(ASKED) == list(Risk)
    assert frozenset().union(*ASKED.values()) == set(Requirement) - {Requirement.CONSENT}


def test_risks_are_read_by_their_codes() -> None:
    assert risks_of(each.code for each in Risk) == Risk(63)
    assert risks_of(["rescue", "no such", ""]) is Risk.RESCUE


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2008, 1, date(2026, 2, 1)),
        (2008, 11, date(2026, 12, 1)),
        (2008, 12, date(2027, 1, 1)),
    ],
)
def test_a_minor_is_of_age_in_the_month_after_the_birthday(
    year: int, month: int, day: date
) -> None:
    assert of_age_from(year, month) == day
