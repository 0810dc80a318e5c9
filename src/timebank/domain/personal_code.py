"""The code that a volunteer shows: rotating on the own phone, or printed on a card.

A phone signs its code with its own key, so that it also works without network; the server makes one
for a browser without keys. A printed card does not rotate: it proves a person only to somebody who
looks at that person.

Source: HMAC, RFC 2104. The layout: one byte of version and kind, the book, the volunteer, then the
window or the number of the card, four bytes each; then 64 bytes of signature or 8 of MAC.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.actor import VolunteerId
from timebank.domain.device_key import SIGNATURE_BYTES, read_base64url

PERSONAL_WINDOW_SECONDS = 30
"""How long one personal code is shown: time to raise the phone and be read."""

PERSONAL_GRACE_SECONDS = 15
"""How much longer it is accepted: a queue, a slow camera."""

PERSONAL_AHEAD_SECONDS = 5
"""How early it is accepted: a phone knows the server's time to a few seconds only."""

LATE_SLACK_SECONDS = 600
"""How far apart two phones without network may be: neither has asked anybody for the time."""

_VERSION = 1
_MAC_BYTES = 8
_BODY = struct.Struct(">BIII")
_DEVICE, _SERVER, _CARD = 0, 1, 2


class PersonalCodeRefusal(StrEnum):
    """Why a code names nobody, in order of precedence."""

    FOREIGN = "personal_code.foreign"
    FORGED = "personal_code.forged"
    EXPIRED = "personal_code.expired"
    NO_DEVICE = "personal_code.no_device"
    REVOKED = "personal_code.revoked"


@dataclass(frozen=True, slots=True)
class PhoneCode:
    """A code that a phone signed; whether with the bound key is open until it is checked.

    Attributes:
        message: The bytes that were signed.
    """

    volunteer: VolunteerId
    message: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignInCode:
    """A code that the server made for somebody signed in; proved."""

    volunteer: VolunteerId


@dataclass(frozen=True, slots=True)
class CardCode:
    """A printed card; proved, but it may have been revoked since.

    Attributes:
        card: The number of the card among the volunteer's own, from 1.
    """

    volunteer: VolunteerId
    card: int


PersonalCode = PhoneCode | SignInCode | CardCode


def phone_code_message(*, volunteer: VolunteerId, now: datetime) -> bytes:
    """Return the bytes that a phone signs for its code of this window."""
    return _signed(_body(_DEVICE, volunteer, _window(now)))


def make_phone_code(*, volunteer: VolunteerId, now: datetime, signature: bytes) -> str:
    """Return the text of a phone's code; the page's script makes the same.

    Raises:
        ValueError: The signature has not 64 bytes.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("a signature has 64 bytes")
    return _encode(_body(_DEVICE, volunteer, _window(now)) + signature)


def make_sign_in_code(*, master_key: bytes, volunteer: VolunteerId, now: datetime) -> str:
    """Return the text of the code of this window for a browser without keys: 28 characters."""
    body = _body(_SERVER, volunteer, _window(now))
    return _encode(body + _mac(master_key, body))


def make_card_code(*, master_key: bytes, volunteer: VolunteerId, card: int) -> str:
    """Return the text that is printed on a card: 28 characters, the same for ever."""
    body = _body(_CARD, volunteer, card)
    return _encode(body + _mac(master_key, body))


def personal_seconds_left(now: datetime) -> int:
    """Return how long the code of `now` is still shown, 1 to `PERSONAL_WINDOW_SECONDS`."""
    return PERSONAL_WINDOW_SECONDS - int(now.timestamp()) % PERSONAL_WINDOW_SECONDS


def read_personal_code(
    text: str, *, master_key: bytes, now: datetime, slack_seconds: int = 0
) -> PersonalCode | PersonalCodeRefusal:
    """Return whom a code names, or why it names nobody.

    `slack_seconds` is how much older or newer than usual a rotating code may be: for readings that
    were made without network.

    A phone's signature is left to be checked with the phone's key, a card to be looked up.
    """
    data = read_base64url(text) or b""
    if len(data) < _BODY.size:
        return PersonalCodeRefusal.FOREIGN
    body, proof = data[: _BODY.size], data[_BODY.size :]
    head, book, number, last = _BODY.unpack(body)
    kind = head & 3
    proof_bytes = SIGNATURE_BYTES if kind == _DEVICE else _MAC_BYTES
    if head >> 2 != _VERSION or kind > _CARD or len(proof) != proof_bytes:
        return PersonalCodeRefusal.FOREIGN
    if kind != _DEVICE and not hmac.compare_digest(proof, _mac(master_key, body)):
        return PersonalCodeRefusal.FORGED
    volunteer = VolunteerId(book, number)
    if kind == _CARD:
        return CardCode(volunteer, last)
    shown_from = last * PERSONAL_WINDOW_SECONDS
    shown_to = shown_from + PERSONAL_WINDOW_SECONDS + PERSONAL_GRACE_SECONDS
    accepted_from = shown_from - PERSONAL_AHEAD_SECONDS - slack_seconds
    if not accepted_from <= now.timestamp() < shown_to + slack_seconds:
        return PersonalCodeRefusal.EXPIRED
    if kind == _SERVER:
        return SignInCode(volunteer)
    return PhoneCode(volunteer, _signed(body), proof)


def _body(kind: int, volunteer: VolunteerId, last: int) -> bytes:
    return _BODY.pack(_VERSION << 2 | kind, volunteer.book, volunteer.id, last)


def _window(now: datetime) -> int:
    return int(now.timestamp()) // PERSONAL_WINDOW_SECONDS


def _signed(body: bytes) -> bytes:
    return b"timebank personal code v1" + body


def _mac(master_key: bytes, body: bytes) -> bytes:
    # The kind is in the body: a card's MAC is no rotating code's.
    return hmac.digest(master_key, b"timebank personal code key v1" + body, "sha256")[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
