"""Who gets a place and who can give it back: each refused row also meets later conditions."""

from datetime import UTC, datetime, timedelta

import pytest

from timebank.domain.clearance import Requirement
from timebank.domain.signup import (
    SignedUp,
    SignupFacts,
    SignupRefusal,
    SignupRefused,
    WithdrawalRefusal,
    WithdrawalRefused,
    Withdrawn,
    decide_signup,
    decide_withdrawal,
)

ENDS = datetime(2024, 3, 2, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

SIGNUPS = [
    # cancelled closed over   signed taken overlaps | outcome
    (True, True, True, True, 5, True, "signup.shift_cancelled"),
    (False, True, True, True, 5, True, "signup.shift_closed"),
    (False, False, True, True, 5, True, "signup.shift_ended"),
    (False, False, False, True, 5, True, "signup.already_signed_up"),
    (False, False, False, False, 5, True, "signup.full"),
    (False, False, False, False, 6, True, "signup.full"),
    (False, False, False, False, 4, True, "signup.overlaps"),
    (False, False, False, False, 4, False, None),
]


@pytest.mark.parametrize(
    ("cancelled", "closed", "over", "signed", "taken", "overlaps", "reason"), SIGNUPS
)
def test_a_place_is_given_or_refused(
    cancelled: bool,
    closed: bool,
    over: bool,
    signed: bool,
    taken: int,
    overlaps: bool,
    reason: str | None,
) -> None:
    now = ENDS if over else ENDS - SECOND
    facts = SignupFacts(
        ends_at=ENDS,
        is_cancelled=cancelled,
        is_closed=closed,
        is_signed_up=signed,
        has_arrived=False,
        places=5,
        taken=taken,
        is_overlapping=overlaps,
    )
    expected = SignedUp(now) if reason is None else SignupRefused(SignupRefusal(reason))
    assert decide_signup(facts, now=now) == expected


def test_what_is_not_there_cannot_be_joined_or_left() -> None:
    assert decide_signup(None, now=ENDS) == SignupRefused(SignupRefusal.SHIFT_NOT_FOUND)
    assert decide_withdrawal(None, now=ENDS) == WithdrawalRefused(WithdrawalRefusal.NOT_SIGNED_UP)


WITHDRAWALS = [
    # signed arrived over | outcome
    (False, True, True, "withdrawal.not_signed_up"),
    (True, True, True, "withdrawal.already_arrived"),
    (True, False, True, "withdrawal.shift_ended"),
    (True, False, False, None),
]


@pytest.mark.parametrize(("signed", "arrived", "over", "reason"), WITHDRAWALS)
def test_a_place_is_given_back_or_kept(
    signed: bool, arrived: bool, over: bool, reason: str | None
) -> None:
    now = ENDS if over else ENDS - SECOND
    facts = SignupFacts(
        ends_at=ENDS,
        is_cancelled=False,
        is_closed=False,
        is_signed_up=signed,
        has_arrived=arrived,
        places=5,
        taken=1,
        is_overlapping=False,
    )
    expected = Withdrawn(now) if reason is None else WithdrawalRefused(WithdrawalRefusal(reason))
    assert decide_withdrawal(facts, now=now) == expected


@pytest.mark.parametrize("requirement", Requirement)
def test_what_is_missing_first_is_named(requirement: Requirement) -> None:
    facts = SignupFacts(
        ends_at=ENDS,
        is_cancelled=False,
        is_closed=False,
        is_signed_up=False,
        has_arrived=False,
        places=5,
        taken=0,
        is_overlapping=False,
        missing=(requirement, Requirement.TRAINING),
    )
    found = decide_signup(facts, now=ENDS - SECOND)
    assert isinstance(found, SignupRefused)
    assert requirement.value.removeprefix("adult") in found.reason.value
