"""`POST /api/checkins`: a receipt becomes an arrival or a departure.

A bare ASGI route: at the door of a large event this is the one request that many phones make in
the same minute, and routing, parsing and validation of the framework cost more than the scan.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, assert_never

import msgspec

from timebank.domain.actor import Act
from timebank.domain.attendance import Arrived, Left, Refused, ScanRefusal
from timebank.domain.evidence import WALL_READING
from timebank.domain.qr import read_receipt
from timebank.http.device_proof import DeviceProof, check_proof
from timebank.http.errors import SCAN_STATUS, HttpError, error_of
from timebank.http.providers import Kit
from timebank.http.security import RAW_HEADERS
from timebank.services.checkin import RecordedScan, ScanRequest

PATH = "/api/checkins"

BODY_BYTES_MAX = 2_048
"""A receipt has 66 characters, a phone's proof 300; anything longer is not a check-in."""

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_NO_STORE = (b"cache-control", b"no-store")

_log = logging.getLogger("timebank")

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class _CheckinRequest(msgspec.Struct, forbid_unknown_fields=True):
    receipt: str
    device: DeviceProof | None = None


class CheckinResponse(msgspec.Struct):
    """What a check-in did.

    Attributes:
        state: `arrived` or `left`.
        minutes_credited: 0 for an arrival.
        entry: The ledger entry that credits a departure; None for an arrival.
    """

    state: str
    minutes_credited: int
    entry: int | None


_read_body = msgspec.json.Decoder(_CheckinRequest).decode
_write_body = msgspec.json.Encoder().encode


async def create_checkin(kit: Kit, scope: Any, receive: Receive, send: Send) -> None:
    """Record a scan for the signed-in volunteer; answered after the commit that holds it."""
    try:
        status, body = await _answer(kit, scope, receive)
    except Exception as exception:
        error = error_of(exception)
        if error is HttpError.DEFECT:
            _log.error("defect at %s %s", scope["method"], PATH, exc_info=exception)
        status, body = error.status, _problem(error.value, error.status)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                _JSON if status < 400 else _PROBLEM,
                _NO_STORE,
                (b"content-length", b"%d" % len(body)),
                *RAW_HEADERS,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _answer(kit: Kit, scope: Any, receive: Receive) -> tuple[int, bytes]:
    if scope["method"] != "POST":
        return _failed(HttpError.METHOD_NOT_ALLOWED)
    if _is_cross_site(scope["headers"]):
        return _failed(HttpError.FORBIDDEN)
    signed_in = await kit.identity.find(scope["headers"])
    if signed_in is None:
        return _failed(HttpError.NOT_SIGNED_IN)
    if not signed_in.actor.may(Act.SCAN) or signed_in.actor.volunteer is None:
        return _refused(ScanRefusal.NOT_A_VOLUNTEER)

    content = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return _failed(HttpError.BAD_REQUEST)
        content += message.get("body", b"")
        if len(content) > BODY_BYTES_MAX:
            return _failed(HttpError.TOO_LARGE)
        if not message.get("more_body"):
            break
    try:
        data = _read_body(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _failed(HttpError.BAD_REQUEST)

    scan = read_receipt(data.receipt, master_key=kit.master_key, now=kit.now())
    if isinstance(scan, ScanRefusal):
        return _refused(scan)
    volunteer = signed_in.actor.volunteer
    if data.device is None:
        return _present(await kit.desk.record(ScanRequest(volunteer, scan)))
    evidence, device = check_proof(data.device, receipt=data.receipt, evidence=WALL_READING)
    return _present(await kit.desk.record(ScanRequest(volunteer, scan, evidence, device)))


def _present(recorded: RecordedScan) -> tuple[int, bytes]:
    match recorded.decision:
        case Arrived():
            return 200, _write_body(CheckinResponse("arrived", 0, None))
        case Left(credit=credit):
            return 200, _write_body(CheckinResponse("left", credit.amount, recorded.seq))
        case Refused(reason):
            return _refused(reason)
        case _:
            assert_never(recorded.decision)


def _is_cross_site(headers: list[tuple[bytes, bytes]]) -> bool:
    # Browsers always send it and scripts cannot set it; other clients have no cookie to abuse.
    for name, value in headers:
        if name == b"sec-fetch-site":
            return value not in (b"same-origin", b"none")
    return False


def _refused(reason: ScanRefusal) -> tuple[int, bytes]:
    status = SCAN_STATUS[reason]
    return status, _problem(reason.value, status)


def _failed(error: HttpError) -> tuple[int, bytes]:
    return error.status, _problem(error.value, error.status)


def _problem(code: str, status: int) -> bytes:
    return _write_body({"type": "about:blank", "status": status, "code": code})
