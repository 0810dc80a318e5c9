"""The code on a voucher: shown by the volunteer, read once by a partner's phone.

It names the grant and which use of it this is, so that two partners who read the same picture ask
for the same use, and only one of them gets it. It rotates, so that a picture of it is worth nothing
a minute later. Below it stand digits for a partner whose camera does not work: the number of the
grant, the number of the use and six digits of proof.

Source: HMAC, RFC 2104; truncation as in HOTP, RFC 4226, section 5.3.
"""

import base64
import hmac
import re
import struct
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from timebank.domain.device_key import read_base64url

VOUCHER_WINDOW_SECONDS = 60
"""How long one code is shown: time to raise the phone, or to type the digits."""

VOUCHER_GRACE_SECONDS = 30
"""How much longer it is accepted: a queue, a slow camera, slow thumbs."""

TRIES_MAX = 5
"""Wrong digits allowed to one partner in a span."""

TRIES_SPAN = timedelta(minutes=10)
"""How long wrong digits are counted together."""

_VERSION = 1
_BODY = struct.Struct(">BIQII")
_MAC_BYTES = 10
_DIGITS = 6


class RedemptionRefusal(StrEnum):
    """Why a voucher is not redeemed, in order of precedence."""

    FOREIGN = "voucher.foreign"
    FORGED = "voucher.forged"
    TOO_MANY_TRIES = "voucher.too_many_tries"
    WRONG_DIGITS = "voucher.wrong_digits"
    STALE = "voucher.stale"
    UNKNOWN = "voucher.unknown"
    OTHER_COUNTY = "voucher.other_county"
    NOT_ACCEPTED = "voucher.not_accepted"
    OWN_VOUCHER = "voucher.own_voucher"
    ALREADY_REDEEMED = "voucher.already_redeemed"
    REVOKED = "voucher.revoked"
    QUESTIONED = "voucher.questioned"
    EXPIRED = "voucher.expired"
    NOTHING_LEFT = "voucher.nothing_left"


@dataclass(frozen=True, slots=True)
class Voucher:
    """A use of a grant that somebody asks for.

    Attributes:
        use: Which use of the grant it is, from 1.
    """

    book: int
    entitlement: int
    use: int


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The use is written down; `left` are what remain after it.

    Attributes:
        seq: The entry of the ledger.
    """

    voucher: Voucher
    seq: int
    left: int


@dataclass(frozen=True, slots=True)
class RedemptionRefused:
    """Nothing is written.

    Attributes:
        at: When the use was redeemed before; None elsewhere.
        partner: By which partner that was; None elsewhere.
    """

    reason: RedemptionRefusal
    at: datetime | None = None
    partner: int | None = None


def make_voucher_code(*, master_key: bytes, voucher: Voucher, now: datetime) -> str:
    """Return the text of the code of this window: 42 characters."""
    body = _body(voucher, _window(now))
    return base64.urlsafe_b64encode(body + _mac(master_key, body)).rstrip(b"=").decode()


def make_voucher_digits(*, master_key: bytes, voucher: Voucher, now: datetime) -> str:
    """Return what a partner types instead, such as `1207-3-482913`: grant, use, proof."""
    proof = _digits(master_key, voucher, _window(now))
    return f"{voucher.entitlement}-{voucher.use}-{proof}"


def seconds_left(now: datetime) -> int:
    """Return how long the code of `now` is still shown, 1 to `VOUCHER_WINDOW_SECONDS`."""
    return VOUCHER_WINDOW_SECONDS - int(now.timestamp()) % VOUCHER_WINDOW_SECONDS


def read_voucher_code(
    text: str, *, master_key: bytes, now: datetime
) -> Voucher | RedemptionRefusal:
    """Return which use a code names, or why it names none."""
    data = read_base64url(text) or b""
    if len(data) != _BODY.size + _MAC_BYTES:
        return RedemptionRefusal.FOREIGN
    body, proof = data[: _BODY.size], data[_BODY.size :]
    version, book, entitlement, use, window = _BODY.unpack(body)
    if version != _VERSION:
        return RedemptionRefusal.FOREIGN
    if not hmac.compare_digest(proof, _mac(master_key, body)):
        return RedemptionRefusal.FORGED
    if window not in _accepted(now):
        return RedemptionRefusal.STALE
    return Voucher(book, entitlement, use)


_TYPED = re.compile(r"(\d{1,15})-(\d{1,9})-(\d{6})")


def read_voucher_digits(
    text: str, *, book: int, master_key: bytes, now: datetime
) -> Voucher | RedemptionRefusal:
    """Return which use typed digits name in a partner's own county, or why they name none."""
    normal = unicodedata.normalize("NFKC", text)
    joined = re.sub(r"[\s–—_.,、，]+", "-", normal.strip())
    found = _TYPED.fullmatch(re.sub(r"-+", "-", joined))
    if found is None or not found[0].isascii():
        return RedemptionRefusal.WRONG_DIGITS
    voucher = Voucher(book, int(found[1]), int(found[2]))
    is_good = False
    for window in _accepted(now):
        is_good |= hmac.compare_digest(found[3], _digits(master_key, voucher, window))
    return voucher if is_good else RedemptionRefusal.WRONG_DIGITS


def _accepted(now: datetime) -> set[int]:
    seconds = int(now.timestamp())
    return {
        seconds // VOUCHER_WINDOW_SECONDS,
        (seconds - VOUCHER_GRACE_SECONDS) // VOUCHER_WINDOW_SECONDS,
    }


def _window(now: datetime) -> int:
    return int(now.timestamp()) // VOUCHER_WINDOW_SECONDS


def _body(voucher: Voucher, window: int) -> bytes:
    return _BODY.pack(_VERSION, voucher.book, voucher.entitlement, voucher.use, window)


def _mac(master_key: bytes, body: bytes) -> bytes:
    return hmac.digest(master_key, b"timebank voucher v1" + body, "sha256")[:_MAC_BYTES]


def _digits(master_key: bytes, voucher: Voucher, window: int) -> str:
    mac = hmac.digest(master_key, b"timebank voucher digits v1" + _body(voucher, window), "sha256")
    (number,) = struct.unpack_from(">I", mac, mac[-1] & 0xF)
    return f"{(number & 0x7FFF_FFFF) % 10**_DIGITS:0{_DIGITS}}"
