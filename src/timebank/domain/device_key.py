"""The key of a volunteer's phone: made there, never leaving it, bound to one person.

The browser makes the key and cannot give it away; the server knows the public half. Who loses the
phone loses the key: the organizer who sees them lets the binding go, and the next phone is bound.

Source: W3C Web Cryptography API, `extractable: false`; SEC 1, section 2.3.3 (points); RFC 8032.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from uuid import UUID

SIGNATURE_BYTES = 64
"""Of both kinds: r and s of 32 bytes each, or R and S."""

_UNCOMPRESSED = b"\x04"


class KeyKind(IntEnum):
    """Which signatures a key makes."""

    P256 = 1
    """ECDSA with SHA-256 on P-256: every browser of the last ten years."""
    ED25519 = 2
    """Where the browser offers it: Chrome 137, Firefox 129, Safari 17 and newer."""


_PUBLIC_BYTES = {KeyKind.P256: 65, KeyKind.ED25519: 32}


class DeviceRefusal(StrEnum):
    """Why a phone was not bound, in order of precedence."""

    MALFORMED_KEY = "device.malformed_key"
    UNPROVED = "device.unproved"
    BOUND_TO_ANOTHER = "device.bound_to_another"
    ANOTHER_BOUND = "device.another_bound"


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """The public half of a phone's key.

    Attributes:
        public: An uncompressed point (65 bytes), or 32 bytes for Ed25519.
    """

    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        if len(self.public) != _PUBLIC_BYTES[self.kind]:
            raise ValueError("a public key of another length")

    @property
    def id(self) -> bytes:
        """The SHA-256 that names the key wherever it is kept."""
        return hashlib.sha256(bytes([self.kind]) + self.public).digest()


@dataclass(frozen=True, slots=True)
class Bound:
    """The phone is the person's own from now on."""


@dataclass(frozen=True, slots=True)
class AlreadyBound:
    """It was before; nothing is written."""


@dataclass(frozen=True, slots=True)
class BindingRefused:
    """Nothing is written."""

    reason: DeviceRefusal


def parse_device_key(kind: int, public: str) -> DeviceKey | None:
    """Return the key that a browser names, or None where it cannot be one."""
    data = read_base64url(public)
    if data is None or kind not in tuple(KeyKind):
        return None
    known = KeyKind(kind)
    if len(data) != _PUBLIC_BYTES[known]:
        return None
    if known is KeyKind.P256 and not data.startswith(_UNCOMPRESSED):
        return None
    return DeviceKey(known, data)


def decide_binding(
    *, person: UUID, key_id: bytes, holder: UUID | None, own: bytes | None
) -> Bound | AlreadyBound | BindingRefused:
    """Decide whether a phone becomes a person's own.

    Args:
        person: Who asks.
        key_id: The key of the phone they hold.
        holder: Whose phone it is now; None where it is nobody's.
        own: The key of the phone that is theirs now; None where none is.
    """
    if holder is not None and holder != person:
        return BindingRefused(DeviceRefusal.BOUND_TO_ANOTHER)
    if holder == person:
        return AlreadyBound()
    if own is not None and own != key_id:
        return BindingRefused(DeviceRefusal.ANOTHER_BOUND)
    return Bound()


def binding_challenge(*, master_key: bytes, token_hash: bytes) -> str:
    """Return what a phone signs to be bound: it belongs to one sign-in and needs no storage."""
    purpose = b"timebank device challenge v1"
    return hmac.digest(master_key, purpose + token_hash, "sha256").hex()


def binding_message(challenge: str) -> bytes:
    """Return the bytes that a phone signs to prove that it holds the key."""
    return b"timebank device v1\n" + challenge.encode()


def scan_message(*, receipt: str, place: str) -> bytes:
    """Return the bytes that a phone signs to say: this reading was made here, on me."""
    return b"timebank scan v1\n" + receipt.encode() + b"\n" + place.encode()


def read_base64url(text: str) -> bytes | None:
    """Return the bytes of an unpadded base64url text, or None where it is none."""
    if not text.isascii() or "+" in text or "/" in text or "=" in text or len(text) > 256:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
