"""The text in a code on the wall, the receipt of a scan, and how both are proved genuine.

A code shows one window of ten seconds of server time and needs no storage: any process can make it
and any process can prove it. The first request that brings a code gets a signed receipt; signing
in and confirming come after it, untimed.

Source: HMAC, RFC 2104; key derivation, HKDF-Expand of RFC 5869 with one block.
"""

import base64
import binascii
import hmac
import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from timebank.domain.attendance import Direction, ScanRefusal

WINDOW_SECONDS = 10
"""How long one code is shown: a faster code mostly punishes slow phones."""

GRACE_SECONDS = 3
"""How much longer a code is accepted: focusing, reading and a slow network."""

RECEIPT_LIFETIME = timedelta(minutes=10)
"""How long a scan may wait to be confirmed: a first sign-in with a text message fits."""

CLOCK_SLACK = timedelta(minutes=2)
"""How far the clock of a phone without network may be from the code that it saw."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 1
_TYPED = 0x80
"""Bit of a receipt's first byte: the short code was typed."""

_MAC_BYTES = 8
_CODE = struct.Struct(">BIII")
_SHIFT = struct.Struct(">II")
_RECEIPT = struct.Struct(">BIIQ8s")
_DIRECTIONS = (Direction.ARRIVE, Direction.LEAVE)


class Scan(NamedTuple):
    """A proved reading of a code.

    Attributes:
        at: The server's time of the reading.
        is_typed: The short code beside it was typed instead.
    """

    shift_book: int
    shift: int
    direction: Direction
    at: datetime
    is_typed: bool = False


def make_code(
    *, master_key: bytes, shift_book: int, shift: int, direction: Direction, now: datetime
) -> str:
    """Return the text to show at `now`: 28 characters that are safe in a link."""
    body = _code_body(shift_book, shift, direction, _window(now))
    return _encode(body + _code_mac(master_key, body))


def seconds_left(now: datetime) -> int:
    """Return how long the code of `now` is still shown, 1 to `WINDOW_SECONDS`."""
    return WINDOW_SECONDS - int(now.timestamp()) % WINDOW_SECONDS


def read_code(text: str, *, master_key: bytes, now: datetime) -> Scan | ScanRefusal:
    """Return the scan that a code's text proves, or why it proves none."""
    body, mac = _split(text, _CODE.size)
    if len(mac) != _MAC_BYTES:
        return ScanRefusal.FOREIGN_CODE
    head, shift_book, shift, window = _CODE.unpack(body)
    if head >> 1 != _VERSION:
        return ScanRefusal.FOREIGN_CODE
    if not hmac.compare_digest(mac, _code_mac(master_key, body)):
        return ScanRefusal.FORGED_CODE
    # The MAC holds, so this server wrote the text; only its age is open.
    shown_from = window * WINDOW_SECONDS
    if not shown_from <= now.timestamp() < shown_from + WINDOW_SECONDS + GRACE_SECONDS:
        return ScanRefusal.EXPIRED_CODE
    return Scan(shift_book, shift, _DIRECTIONS[head & 1], now)


def read_seen_code(text: str, *, master_key: bytes) -> Scan | ScanRefusal:
    """Return the scan of a code that was seen without network, at the time when it was shown.

    However old it is: nobody can hold a code before it is shown, and what the phone's clock says
    is compared by `is_seen_in_time`.
    """
    body, mac = _split(text, _CODE.size)
    if len(mac) != _MAC_BYTES:
        return ScanRefusal.FOREIGN_CODE
    head, shift_book, shift, window = _CODE.unpack(body)
    if head >> 1 != _VERSION:
        return ScanRefusal.FOREIGN_CODE
    if not hmac.compare_digest(mac, _code_mac(master_key, body)):
        return ScanRefusal.FORGED_CODE
    shown_at = _EPOCH + timedelta(seconds=window * WINDOW_SECONDS)
    return Scan(shift_book, shift, _DIRECTIONS[head & 1], shown_at)


def is_seen_in_time(shown_at: datetime, *, seen_at: datetime) -> bool:
    """Say whether a phone's clock agrees with the code that it says it saw."""
    shown_for = timedelta(seconds=WINDOW_SECONDS + GRACE_SECONDS)
    return shown_at - CLOCK_SLACK <= seen_at < shown_at + shown_for + CLOCK_SLACK


def code_key(*, master_key: bytes, shift_book: int, shift: int) -> bytes:
    """Return the key that makes the codes of one shift: whoever has it can show them."""
    return _key_of(master_key, _SHIFT.pack(shift_book, shift))


def make_receipt(scan: Scan, *, master_key: bytes, nonce: bytes) -> str:
    """Return the signed text that stands for a scan until it is confirmed.

    Raises:
        ValueError: The nonce has not 8 bytes.
    """
    if len(nonce) != 8:
        raise ValueError("a receipt needs a nonce of 8 bytes")
    body = _RECEIPT.pack(
        _VERSION << 1 | _DIRECTIONS.index(scan.direction) | (_TYPED if scan.is_typed else 0),
        scan.shift_book,
        scan.shift,
        (scan.at - _EPOCH) // timedelta(microseconds=1),
        nonce,
    )
    return _encode(body + _receipt_mac(master_key, body))


def read_receipt(text: str, *, master_key: bytes, now: datetime) -> Scan | ScanRefusal:
    """Return the scan that a receipt stands for, or why it stands for none."""
    body, mac = _split(text, _RECEIPT.size)
    if len(mac) != _MAC_BYTES:
        return ScanRefusal.FOREIGN_CODE
    head, shift_book, shift, microseconds, _ = _RECEIPT.unpack(body)
    if (head & ~_TYPED) >> 1 != _VERSION:
        return ScanRefusal.FOREIGN_CODE
    if not hmac.compare_digest(mac, _receipt_mac(master_key, body)):
        return ScanRefusal.FORGED_CODE
    at = _EPOCH + timedelta(microseconds=microseconds)
    if now - at > RECEIPT_LIFETIME:
        return ScanRefusal.EXPIRED_CODE
    return Scan(shift_book, shift, _DIRECTIONS[head & 1], at, bool(head & _TYPED))


def _window(now: datetime) -> int:
    return int(now.timestamp()) // WINDOW_SECONDS


def _code_body(shift_book: int, shift: int, direction: Direction, window: int) -> bytes:
    return _CODE.pack(_VERSION << 1 | _DIRECTIONS.index(direction), shift_book, shift, window)


def _code_mac(master_key: bytes, body: bytes) -> bytes:
    # One key per shift: whoever learns one shift's key can show codes of that shift only.
    return hmac.digest(_key_of(master_key, body[1:9]), body, "sha256")[:_MAC_BYTES]


def _key_of(master_key: bytes, shift: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank code key v1" + shift + b"\x01", "sha256")


def _receipt_mac(master_key: bytes, body: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank receipt v1" + body, "sha256")[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _split(text: str, body_bytes: int) -> tuple[bytes, bytes]:
    """Return body and MAC; an empty MAC where the text is not one of ours at all."""
    size = body_bytes + _MAC_BYTES
    # The decoder takes "+" and "/" too; a scan has one text, or its receipt could be sent as two.
    if len(text) != (size * 4 + 2) // 3 or not text.isascii() or "+" in text or "/" in text:
        return b"", b""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b"", b""
    return data[:body_bytes], data[body_bytes:]
