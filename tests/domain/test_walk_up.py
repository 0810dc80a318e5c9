"""A slip keeps who stood at the door, and whom the organizer lets in."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories import NINE
from tests.phone import base64url

from timebank.domain.actor import VolunteerId
from timebank.domain.device_key import read_base64url
from timebank.domain.signup import SignedUp, SignupFacts, SignupRefusal, SignupRefused
from timebank.domain.walk_up import WalkUp, decide_walk_up, make_slip, read_slip

KEY = bytes(range(32))
HERE = WalkUp(330424, 9, VolunteerId(330421, 5), NINE + timedelta(microseconds=1), True)

FACTS = SignupFacts(
    ends_at=NINE + timedelta(hours=3),
    is_cancelled=False,
    is_closed=False,
    is_signed_up=False,
    has_arrived=False,
    places=5,
    taken=5,
    is_overlapping=False,
)


@pytest.mark.parametrize("is_measured", [True, False])
def test_a_slip_is_read_back_for_ten_minutes(is_measured: bool) -> None:
    here = replace(HERE, is_measured=is_measured)
    slip = make_slip(here, master_key=KEY)
    assert read_slip(slip, master_key=KEY, now=NINE + timedelta(minutes=10)) == here
    assert read_slip(slip, master_key=KEY, now=NINE + timedelta(minutes=11)) is None
    assert read_slip(slip, master_key=KEY[::-1], now=NINE) is None


def test_no_changed_slip_is_read() -> None:
    data = read_base64url(make_slip(HERE, master_key=KEY))
    assert data is not None
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert read_slip(base64url(changed), master_key=KEY, now=NINE) is None
    for text in ("", "A" * 44, "not a slip"):
        assert read_slip(text, master_key=KEY, now=NINE) is None


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (None, SignupRefused(SignupRefusal.SHIFT_NOT_FOUND)),
        (replace(FACTS, is_cancelled=True), SignupRefused(SignupRefusal.SHIFT_CANCELLED)),
        (replace(FACTS, is_closed=True), SignupRefused(SignupRefusal.SHIFT_CLOSED)),
        (replace(FACTS, is_overlapping=True), SignupRefused(SignupRefusal.OVERLAPS)),
        (replace(FACTS, is_signed_up=True), SignedUp(NINE)),
        (FACTS, SignedUp(NINE)),
    ],
)
def test_who_came_gets_a_place_over_the_number(
    facts: SignupFacts | None, outcome: SignedUp | SignupRefused
) -> None:
    assert decide_walk_up(facts, now=NINE) == outcome
