"""One phone is one person's, and one person has one phone; only the organizer lets a binding go."""

from uuid import UUID

import pytest
from tests.phone import Phone, base64url

from timebank.domain.device_key import (
    AlreadyBound,
    BindingRefused,
    Bound,
    DeviceKey,
    DeviceRefusal,
    KeyKind,
    binding_challenge,
    decide_binding,
    parse_device_key,
)
from timebank.trust.device_signature import is_signed

BROWSER_KEY = (
    "BBkJSU1SVY0OiJ0d3jq67F80h0UAQ3eGy7-s7z3cL6IjAntlyXd_-zkNTVo7aSih1YkJHOmhjxMFAWqW32d-uIM"
)
BROWSER_SIGNATURE = (
    "6a98660a03e3fde69a6f875bb84e8ebe392986e87da1659fed6513caf2801712"
    "d094fcbb1d53b587110f99a1dd63600d171ccc36b2ea88b006b68a5585054f19"
)

ME, OTHER = UUID(int=1), UUID(int=2)
PHONE, OLD = b"new phone", b"old phone"


@pytest.mark.parametrize(
    ("holder", "own", "outcome"),
    [
        (OTHER, OLD, BindingRefused(DeviceRefusal.BOUND_TO_ANOTHER)),
        (OTHER, None, BindingRefused(DeviceRefusal.BOUND_TO_ANOTHER)),
        (None, OLD, BindingRefused(DeviceRefusal.ANOTHER_BOUND)),
        (ME, PHONE, AlreadyBound()),
        (None, None, Bound()),
    ],
)
def test_who_may_bind_a_phone(holder: UUID | None, own: bytes | None, outcome: object) -> None:
    assert decide_binding(person=ME, key_id=PHONE, holder=holder, own=own) == outcome


@pytest.mark.parametrize("kind", KeyKind)
def test_a_phones_signature_fits_its_own_words_only(kind: KeyKind) -> None:
    phone, other = Phone(kind), Phone(kind)
    signature = phone.sign(b"words")

    assert is_signed(phone.key, message=b"words", signature=signature)
    assert not is_signed(phone.key, message=b"other words", signature=signature)
    assert not is_signed(other.key, message=b"words", signature=signature)
    assert not is_signed(phone.key, message=b"words", signature=signature[:-1])
    assert not is_signed(phone.key, message=b"words", signature=bytes(64))


def test_a_signature_made_by_a_browser_fits() -> None:
    # Chromium 156: crypto.subtle.sign({name: "ECDSA", hash: "SHA-256"}, …, "timebank device v1\nc0ffee").
    key = parse_device_key(1, BROWSER_KEY)
    assert key is not None
    message = b"timebank device v1\nc0ffee"
    assert is_signed(key, message=message, signature=bytes.fromhex(BROWSER_SIGNATURE))


@pytest.mark.parametrize(
    ("kind", "public"),
    [
        (0, "A" * 87),
        (3, "A" * 43),
        (1, base64url(b"\x04" + bytes(63))),
        (1, base64url(b"\x05" + bytes(64))),
        (2, base64url(bytes(33))),
        (2, "not base64url!" + "A" * 29),
        (2, "+" * 43),
        (2, ""),
    ],
)
def test_what_cannot_be_a_key_is_none(kind: int, public: str) -> None:
    assert parse_device_key(kind, public) is None


def test_a_point_off_the_curve_signs_nothing() -> None:
    key = DeviceKey(KeyKind.P256, b"\x04" + bytes([1]) * 64)
    assert not is_signed(key, message=b"", signature=bytes([1]) * 64)


def test_a_challenge_belongs_to_one_sign_in() -> None:
    challenges = {
        binding_challenge(master_key=master, token_hash=token)
        for master in (b"m" * 32, b"n" * 32)
        for token in (b"one", b"two")
    }
    assert len(challenges) == 4
