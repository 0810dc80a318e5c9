"""The pass of a tablet at the door: it takes scans for one shift, and nothing else.

Source: HMAC, RFC 2104.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from timebank.domain.device_key import read_base64url

_MAC_BYTES = 16
_BODY = struct.Struct(">BIII")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class KioskPass:
    """What a tablet may do, and until when.

    Attributes:
        until: The shift takes no scans after it; whole seconds.
    """

    shift_book: int
    shift: int
    until: datetime


def make_pass(kiosk: KioskPass, *, master_key: bytes) -> str:
    """Return the signed text that a tablet keeps."""
    until = int(kiosk.until.timestamp())
    body = _BODY.pack(_VERSION, kiosk.shift_book, kiosk.shift, until)
    return base64.urlsafe_b64encode(body + _mac(master_key, body)).rstrip(b"=").decode()


def read_pass(text: str, *, master_key: bytes, now: datetime) -> KioskPass | None:
    """Return what a pass permits; None where it is not ours, or has ended."""
    data = read_base64url(text) or b""
    body, mac = data[: _BODY.size], data[_BODY.size :]
    if len(mac) != _MAC_BYTES or not hmac.compare_digest(mac, _mac(master_key, body)):
        return None
    _version, shift_book, shift, until = _BODY.unpack(body)
    kiosk = KioskPass(shift_book, shift, datetime.fromtimestamp(until, UTC))
    return kiosk if now <= kiosk.until else None


def _mac(master_key: bytes, body: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank kiosk v1" + body, "sha256")[:_MAC_BYTES]
