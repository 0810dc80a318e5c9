"""A personal code names its volunteer for half a minute, a card until it is revoked."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.actor import VolunteerId
from timebank.domain.personal_code import (
    CardCode,
    PersonalCodeRefusal,
    PhoneCode,
    SignInCode,
    make_card_code,
    make_phone_code,
    make_sign_in_code,
    personal_seconds_left,
    phone_code_message,
    read_personal_code,
)

KEY = bytes(range(32))
ME = VolunteerId(330424, 5)
SHOWN = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
SIGNATURE = bytes(range(64))

SIGN_IN = make_sign_in_code(master_key=KEY, volunteer=ME, now=SHOWN)
CARD = make_card_code(master_key=KEY, volunteer=ME, card=2)
PHONE = make_phone_code(volunteer=ME, now=SHOWN, signature=SIGNATURE)


def read(text: str, *, after: float = 0, key: bytes = KEY) -> object:
    return read_personal_code(text, master_key=key, now=SHOWN + timedelta(seconds=after))


def test_codes_are_those_that_another_tool_makes() -> None:
    # openssl dgst -sha256 -mac HMAC, xxd and base64 from the layout in the module's docstring.
    assert (SIGN_IN, CARD) == (
        "BQAFCrgAAAAFA2VqeMWOg3pnuh0W",
        "BgAFCrgAAAAFAAAAAm3j6cyApEQU",
    )


def test_each_kind_names_its_volunteer() -> None:
    assert read(SIGN_IN) == SignInCode(ME)
    assert read(CARD) == CardCode(ME, 2)
    message = phone_code_message(volunteer=ME, now=SHOWN)
    assert read(PHONE) == PhoneCode(ME, message, SIGNATURE)
    assert message.startswith(b"timebank personal code v1")


@pytest.mark.parametrize(
    ("after", "is_accepted"),
    [(-5.1, False), (-5, True), (0, True), (29.9, True), (44.9, True), (45, False), (3600, False)],
)
def test_a_rotating_code_is_accepted_for_its_window_and_a_little_around(
    after: float, is_accepted: bool
) -> None:
    for text in (SIGN_IN, PHONE):
        assert (read(text, after=after) is PersonalCodeRefusal.EXPIRED) != is_accepted
    assert read(CARD, after=after) == CardCode(ME, 2)


def test_every_flipped_bit_of_what_the_server_made_is_refused() -> None:
    for text in (SIGN_IN, CARD):
        data = base64.urlsafe_b64decode(text)
        for place in range(len(data)):
            for bit in range(8):
                changed = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
                answer = read(base64.urlsafe_b64encode(changed).decode())
                assert answer in (PersonalCodeRefusal.FORGED, PersonalCodeRefusal.FOREIGN)


def test_another_servers_code_is_forged_here() -> None:
    assert read(SIGN_IN, key=KEY[::-1]) is PersonalCodeRefusal.FORGED
    assert read(CARD, key=KEY[::-1]) is PersonalCodeRefusal.FORGED


def test_a_code_changes_every_half_minute() -> None:
    shown = [
        make_sign_in_code(master_key=KEY, volunteer=ME, now=SHOWN + timedelta(seconds=second))
        for second in (0, 29, 30)
    ]
    assert shown[0] == shown[1] != shown[2]
    assert [personal_seconds_left(SHOWN + timedelta(seconds=each)) for each in (0, 29, 30)] == [30, 1, 30]  # fmt: skip


def test_a_signature_has_its_length() -> None:
    with pytest.raises(ValueError, match="64"):
        make_phone_code(volunteer=ME, now=SHOWN, signature=b"short")


@given(st.text(max_size=120) | st.text("AZaz09-_", min_size=28, max_size=28))
def test_no_text_is_accepted_or_breaks_the_reader(text: str) -> None:
    assert isinstance(read(text), PersonalCodeRefusal)
