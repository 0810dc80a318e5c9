"""A slip for somebody whom the organizer sees and who has no place in the shift.

The code that was read may be gone by the time the organizer has asked them; the slip keeps who it
was and when. It says whether a code told so, or the organizer's word.

Source: HMAC, RFC 2104.
"""

import base64
import hmac
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from timebank.domain.actor import VolunteerId
from timebank.domain.device_key import read_base64url
from timebank.domain.signup import (
    SignedUp,
    SignupFacts,
    SignupRefusal,
    SignupRefused,
    decide_signup,
)

SLIP_LIFETIME = timedelta(minutes=10)
"""How long the organizer may take to ask somebody whether they stay."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAC_BYTES = 16
_BODY = struct.Struct(">BIIIIQ")


@dataclass(frozen=True, slots=True)
class WalkUp:
    """Somebody who came without a place.

    Attributes:
        at: When they were read or looked up: their arrival.
        is_measured: A code named them; else the organizer did.
    """

    shift_book: int
    shift: int
    volunteer: VolunteerId
    at: datetime
    is_measured: bool


def make_slip(walk_up: WalkUp, *, master_key: bytes) -> str:
    """Return the signed text that stands for a walk-up until they are registered."""
    body = _BODY.pack(
        1 << 1 | walk_up.is_measured,
        walk_up.shift_book,
        walk_up.shift,
        walk_up.volunteer.book,
        walk_up.volunteer.id,
        (walk_up.at - _EPOCH) // timedelta(microseconds=1),
    )
    return base64.urlsafe_b64encode(body + _mac(master_key, body)).rstrip(b"=").decode()


def read_slip(text: str, *, master_key: bytes, now: datetime) -> WalkUp | None:
    """Return the walk-up that a slip stands for; None where it is not ours, or too old."""
    data = read_base64url(text) or b""
    body, mac = data[: _BODY.size], data[_BODY.size :]
    if len(mac) != _MAC_BYTES or not hmac.compare_digest(mac, _mac(master_key, body)):
        return None
    # The MAC holds, so this server wrote the slip; only its age is open.
    head, shift_book, shift, book, number, microseconds = _BODY.unpack(body)
    at = _EPOCH + timedelta(microseconds=microseconds)
    if now - at > SLIP_LIFETIME:
        return None
    return WalkUp(shift_book, shift, VolunteerId(book, number), at, bool(head & 1))


def decide_walk_up(facts: SignupFacts | None, *, now: datetime) -> SignedUp | SignupRefused:
    """Decide whether somebody who came gets a place: the organizer may go over the number.

    Who holds a place already keeps it.
    """
    if facts is not None:
        facts = replace(facts, places=facts.taken + 1)
    decision = decide_signup(facts, now=now)
    if decision == SignupRefused(SignupRefusal.ALREADY_SIGNED_UP):
        return SignedUp(now)
    return decision


def _mac(master_key: bytes, body: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank walk-up v1" + body, "sha256")[:_MAC_BYTES]
