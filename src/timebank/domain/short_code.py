"""Six digits beside the code on the wall, for who has no camera that works: the last resort.

It names no shift: whoever types it has chosen the shift already, among those they hold a place in.
It lives longer than the code, because thumbs are slow, and counts for less.

Source: HOTP's dynamic truncation, RFC 4226, section 5.3.
"""

import hmac
import struct
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan

SHORT_WINDOW_SECONDS = 60
"""How long six digits are shown."""

SHORT_GRACE_SECONDS = 30
"""How much longer they are accepted: reading them across a room and typing them."""

TRIES_MAX = 5
"""Wrong digits allowed in a span; with two codes good at a time, one guess in 100,000 succeeds."""

TRIES_SPAN = timedelta(minutes=10)
"""How long wrong digits are counted together."""

_DIGITS = 6


class ShortCodeRefusal(StrEnum):
    """Why typed digits were not taken, in order of precedence."""

    TOO_MANY_TRIES = "short_code.too_many_tries"
    WRONG = "short_code.wrong"


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong digits of a volunteer so far.

    Attributes:
        counted_from: The first of them.
    """

    counted_from: datetime
    count: int

    def at(self, now: datetime) -> int:
        """Return how many still count."""
        return self.count if now - self.counted_from < TRIES_SPAN else 0


def make_short_code(
    *, master_key: bytes, shift_book: int, shift: int, direction: Direction, now: datetime
) -> str:
    """Return the six digits to show at `now`."""
    window = int(now.timestamp()) // SHORT_WINDOW_SECONDS
    return _digits(master_key, shift_book, shift, direction, window)


def decide_short_code(
    text: str,
    *,
    tries: Tries | None,
    master_key: bytes,
    shift_book: int,
    shift: int,
    now: datetime,
) -> Scan | ShortCodeRefusal:
    """Return the scan that typed digits stand for, or why they stand for none.

    The digits tell the direction: those of an arrival and of a departure differ.
    """
    if tries is not None and tries.at(now) >= TRIES_MAX:
        return ShortCodeRefusal.TOO_MANY_TRIES
    typed = "".join(unicodedata.normalize("NFKC", text).split()).encode(errors="replace")
    seconds = int(now.timestamp())
    windows = {
        seconds // SHORT_WINDOW_SECONDS,
        (seconds - SHORT_GRACE_SECONDS) // SHORT_WINDOW_SECONDS,
    }
    found: Direction | None = None
    for window in windows:
        for direction in Direction:
            good = _digits(master_key, shift_book, shift, direction, window).encode()
            if hmac.compare_digest(typed, good):
                found = direction
    if found is None:
        return ShortCodeRefusal.WRONG
    return Scan(shift_book, shift, found, now, is_typed=True)


def _digits(
    master_key: bytes, shift_book: int, shift: int, direction: Direction, window: int
) -> str:
    purpose = b"timebank short code v1"
    body = struct.pack(">IIIB", shift_book, shift, window, direction is Direction.LEAVE)
    mac = hmac.digest(master_key, purpose + body, "sha256")
    offset = mac[-1] & 0xF
    (number,) = struct.unpack_from(">I", mac, offset)
    return f"{(number & 0x7FFF_FFFF) % 10**_DIGITS:0{_DIGITS}}"
