"""How many sign-in codes are sent, and tried: few to one address, many to people before a wall.

A village hall has one address for everybody in it. Whoever holds the receipt of a scan stands
before a wall: they are counted with its shift and not with the address. What one phone number is
sent, and how often it may guess, is limited besides (`domain/sign_in.py`).
"""

from typing import Any

from litestar import Request
from litestar.middleware.rate_limit import RateLimitConfig

from timebank.domain.attendance import ScanRefusal
from timebank.domain.qr import Scan, read_receipt
from timebank.http.providers import Kit
from timebank.web.scan import RECEIPT_COOKIE

CODES_FROM_ADDRESS = 20
"""Requests a minute from one address: a family or an office at once, a script wants more."""

CODES_AT_SHIFT = 600
"""Requests a minute of each step at one shift: the largest crowd that comes in within a minute."""


def _scan_of(request: Request[Any, Any, Any]) -> Scan | None:
    kit: Kit = request.app.state.kit
    receipt = request.cookies.get(RECEIPT_COOKIE, "")
    scan = read_receipt(receipt, master_key=kit.master_key, now=kit.now())
    return None if isinstance(scan, ScanRefusal) else scan


def _has_scanned(request: Request[Any, Any, Any]) -> bool:
    return _scan_of(request) is not None


def _has_not_scanned(request: Request[Any, Any, Any]) -> bool:
    return _scan_of(request) is None


def _shift_of(request: Request[Any, Any, Any]) -> str:
    scan = _scan_of(request)
    return "" if scan is None else f"{request.url.path}:{scan.shift_book}/{scan.shift}"


CODE_LIMIT = [
    RateLimitConfig(
        rate_limit=("minute", CODES_FROM_ADDRESS), check_throttle_handler=_has_not_scanned
    ).middleware,
    RateLimitConfig(
        rate_limit=("minute", CODES_AT_SHIFT),
        identifier_for_request=_shift_of,
        check_throttle_handler=_has_scanned,
    ).middleware,
]
"""What the two steps of signing in pass through."""
