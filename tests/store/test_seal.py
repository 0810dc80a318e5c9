"""What is sealed opens with its key alone, and a phone number is found only by who has the key."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.store.seal import Seal, SealBrokenError

SEAL = Seal(b"k" * 32)
OTHER = Seal(b"l" * 32)


@given(st.text())
def test_what_is_sealed_opens_again_and_never_looks_the_same(text: str) -> None:
    sealed = SEAL.seal(text)
    assert SEAL.open(sealed) == text
    assert SEAL.seal(text) != sealed


def test_another_key_fails_loudly() -> None:
    with pytest.raises(SealBrokenError):
        OTHER.open(SEAL.seal("张三"))


@pytest.mark.parametrize("place", range(0, 34, 3))
def test_a_changed_byte_fails_loudly(place: int) -> None:
    sealed = bytearray(SEAL.seal("张三"))
    sealed[place] ^= 1
    with pytest.raises(SealBrokenError):
        SEAL.open(bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"n" * 12, b"\x02" * 40])
def test_what_was_never_sealed_fails_loudly(sealed: bytes) -> None:
    with pytest.raises(SealBrokenError):
        SEAL.open(sealed)


def test_a_hash_is_the_same_for_the_same_text_and_key_only() -> None:
    assert SEAL.mac("phone:13800000001") == Seal(b"k" * 32).mac("phone:13800000001")
    assert SEAL.mac("phone:13800000001") != SEAL.mac("phone:13800000002")
    assert SEAL.mac("phone:13800000001") != OTHER.mac("phone:13800000001")


def test_the_hash_is_what_the_standard_library_makes_of_the_same_definitions() -> None:
    # HKDF-Expand of RFC 5869 with one block makes the key, HMAC-SHA-256 of RFC 2104 the hash.
    key = hmac.new(b"k" * 32, b"timebank find v1\x01", hashlib.sha256).digest()
    assert SEAL.mac("a") == hmac.new(key, b"a", hashlib.sha256).digest()


def test_a_short_master_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")
