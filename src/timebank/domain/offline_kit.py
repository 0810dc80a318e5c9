"""What an organizer's device takes along to where there is no network, and what it brings back.

The device gets two keys of one shift, wrapped for a key that it cannot give away: one shows the
rotating codes, the other signs what it reads. Both are derived, so nothing of a kit is stored here;
whoever holds one can do what an organizer of that shift can do, and for that shift only.

Source: HMAC, RFC 2104; RSA-OAEP, RFC 8017, section 7.1.
"""

import base64
import hmac
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.domain.attendance import Direction
from timebank.domain.device_key import read_base64url

UPLOAD_MAX = timedelta(hours=72)
"""How long after a reading it may be sent: a weekend in the hills and the way home."""

AHEAD_MAX = timedelta(minutes=2)
"""How far a reading may lie in the future: a device estimates the server's time."""

READINGS_MAX = 100
"""How many readings are sent at once; a device sends the next hundred after the answer."""

NONCE_BYTES = 16
"""Names a reading wherever it is sent again."""

BACK_MAX = timedelta(seconds=2)
"""How far a device's clock may step back between two readings before somebody should look."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 1
_MAC_BYTES = 16
_BODY = struct.Struct(">BIIQ16s8s")


class UploadRefusal(StrEnum):
    """Why a reading made without network recorded nothing, in order of precedence."""

    FORGED = "upload.forged"
    NONCE_REUSED = "upload.nonce_reused"
    IN_FUTURE = "upload.in_future"
    TOO_LATE = "upload.too_late"
    OUT_OF_ORDER = "upload.out_of_order"
    WINDOW_MISMATCH = "upload.window_mismatch"
    NOBODY_NAMED = "upload.nobody_named"


class UploadFlag(StrEnum):
    """What somebody should look at although the reading was recorded."""

    CLOCK_MOVED = "flag.clock_moved"


@dataclass(frozen=True, slots=True)
class Kit:
    """The right to read people for one shift, as it was given out.

    Attributes:
        person: The organizer who took it along.
        nonce: 8 bytes that tell two kits of one person and shift apart.
    """

    shift_book: int
    shift: int
    person: UUID
    issued_at: datetime
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading that a kit signed.

    Attributes:
        number: Counted by the device, from 1.
        at: By the device's estimate of the server's time, to the millisecond.
        code: What was read from a phone or a card; empty where somebody was named.
        named: The volunteer's number that the organizer typed; empty where a code was read.
    """

    nonce: bytes
    number: int
    at: datetime
    direction: Direction
    code: str
    named: str


def make_kit(kit: Kit, *, master_key: bytes) -> str:
    """Return the text that stands for a kit.

    Raises:
        ValueError: The nonce has not 8 bytes.
    """
    if len(kit.nonce) != 8:
        raise ValueError("a kit needs a nonce of 8 bytes")
    body = _BODY.pack(
        _VERSION,
        kit.shift_book,
        kit.shift,
        int(kit.issued_at.timestamp()),
        kit.person.bytes,
        kit.nonce,
    )
    return encode(body + _mac(master_key, body))


def read_kit(text: str, *, master_key: bytes) -> Kit | None:
    """Return the kit that a text stands for, or None where we made no such text."""
    data = read_base64url(text) or b""
    body, mac = data[: _BODY.size], data[_BODY.size :]
    if len(body) != _BODY.size or not hmac.compare_digest(mac, _mac(master_key, body)):
        return None
    _, shift_book, shift, seconds, person, nonce = _BODY.unpack(body)
    return Kit(shift_book, shift, UUID(bytes=person), _EPOCH + timedelta(seconds=seconds), nonce)


def reading_key(kit_text: str, *, master_key: bytes) -> bytes:
    """Return the key with which the device that holds a kit signs its readings."""
    return hmac.digest(master_key, b"timebank offline key v1" + kit_text.encode(), "sha256")


def reading_message(reading: Reading) -> bytes:
    """Return the bytes that a device signs for one reading."""
    lines = (
        "timebank offline reading v1",
        encode(reading.nonce),
        str(reading.number),
        str(milliseconds(reading.at)),
        reading.direction.value,
        reading.code,
        reading.named,
    )
    return "\n".join(lines).encode()


def is_signed_by_kit(reading: Reading, *, mac: bytes, key: bytes) -> bool:
    """Say whether the device that holds a kit signed a reading."""
    return hmac.compare_digest(mac, hmac.digest(key, reading_message(reading), "sha256"))


def decide_age(at: datetime, *, now: datetime) -> UploadRefusal | None:
    """Return why a reading comes too early or too late, or None."""
    if at > now + AHEAD_MAX:
        return UploadRefusal.IN_FUTURE
    if now - at > UPLOAD_MAX:
        return UploadRefusal.TOO_LATE
    return None


def out_of_order(readings: Iterable[tuple[int, datetime]]) -> set[int]:
    """Return the numbers of readings that lie before one that the device counted earlier.

    A device's own count goes up by one whatever happens to its clock.
    """
    found: set[int] = set()
    newest: datetime | None = None
    for number, at in sorted(readings):
        if newest is not None and at < newest - BACK_MAX:
            found.add(number)
        newest = at if newest is None else max(newest, at)
    return found


def milliseconds(at: datetime) -> int:
    """Return an instant as Unix milliseconds, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant_of(unix_milliseconds: int) -> datetime:
    """Return the instant of Unix milliseconds.

    Raises:
        OverflowError: No calendar of ours reaches there.
    """
    return _EPOCH + timedelta(milliseconds=unix_milliseconds)


def encode(data: bytes) -> str:
    """Return bytes as unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _mac(master_key: bytes, body: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank offline kit v1" + body, "sha256")[:_MAC_BYTES]
