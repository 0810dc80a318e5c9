"""`POST /api/checkins`: a receipt becomes an arrival or a departure.

A short way of its own: at the door of a large event this is the one request that many phones make
in the same minute, and routing, parsing and validation of the framework cost more than the scan.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, assert_never

import msgspec

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.attendance import Arrived, Left, Refused, ScanRefusal
from timebank.domain.qr import read_receipt
from timebank.http.device_proof import DeviceProof, check_proof, evidence_of_scan
from timebank.http.errors import SCAN_STATUS, HttpError, error_of
from timebank.http.identity import read_token
from timebank.http.protocol import DIRECT_BODY_BYTES_MAX, Headers, Respond
from timebank.http.providers import Kit
from timebank.http.security import RAW_HEADERS
from timebank.services.checkin import RecordedScan, ScanRequest

PATH = "/api/checkins"

DIRECT_HEADERS = ((b"cache-control", b"no-store"), *RAW_HEADERS)
"""On every answer of this route."""

_JSON = b"application/json"
_PROBLEM = b"application/problem+json"

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
_ARRIVED = _write_body(CheckinResponse("arrived", 0, None))


def record_checkin(kit: Kit, headers: Headers, content: bytes, respond: Respond) -> None:
    """Record a scan for the signed-in volunteer; `respond` is told after the commit that holds it.

    Steps that wait for the database call the next one: at a door each task and each turn of the
    loop between them would cost as much as the step.
    """
    checkin = _Checkin(kit, content, respond)
    try:
        checkin.begin(headers)
    except Exception as exception:
        checkin.fail(exception)


async def create_checkin(kit: Kit, scope: Any, receive: Receive, send: Send) -> None:
    """Record a scan that came through another server than the product's own, message by message."""
    answer: asyncio.Future[tuple[int, bytes, bytes]] = asyncio.get_running_loop().create_future()

    def respond(status: int, content_type: bytes, body: bytes) -> None:
        if not answer.done():
            answer.set_result((status, content_type, body))

    if scope["method"] == "POST":
        content = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            content += message.get("body", b"")
            if len(content) > DIRECT_BODY_BYTES_MAX or not message.get("more_body"):
                break
        record_checkin(kit, scope["headers"], content, respond)
    else:
        respond(*_failed(HttpError.METHOD_NOT_ALLOWED))
    status, content_type, body = await answer
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *DIRECT_HEADERS,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


class _Checkin:
    """One request on its way from step to step."""

    __slots__ = ("content", "kit", "respond")

    def __init__(self, kit: Kit, content: bytes, respond: Respond) -> None:
        self.kit = kit
        self.content = content
        self.respond = respond

    def begin(self, headers: Headers) -> None:
        if _is_cross_site(headers):
            self.respond(*_failed(HttpError.FORBIDDEN))
        elif (token := read_token(headers)) is None:
            self.respond(*_failed(HttpError.NOT_SIGNED_IN))
        else:
            self.kit.identity.find_actor(token, self.identified)

    def identified(self, actor: Actor | None, error: Exception | None) -> None:
        try:
            if error is not None:
                self.fail(error)
            elif actor is None:
                self.respond(*_failed(HttpError.NOT_SIGNED_IN))
            elif not actor.may(Act.SCAN) or actor.volunteer is None:
                self.respond(*_refused(ScanRefusal.NOT_A_VOLUNTEER))
            elif len(self.content) > DIRECT_BODY_BYTES_MAX:
                self.respond(*_failed(HttpError.TOO_LARGE))
            else:
                self.prove(actor.volunteer)
        except Exception as exception:
            self.fail(exception)

    def prove(self, volunteer: VolunteerId) -> None:
        try:
            data = _read_body(self.content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.respond(*_failed(HttpError.BAD_REQUEST))
            return
        kit = self.kit
        scan = read_receipt(data.receipt, master_key=kit.master_key, now=kit.now())
        if isinstance(scan, ScanRefusal):
            self.respond(*_refused(scan))
            return
        evidence = evidence_of_scan(scan)
        if data.device is None:
            request = ScanRequest(volunteer, scan, evidence)
        else:
            evidence, device = check_proof(data.device, receipt=data.receipt, evidence=evidence)
            request = ScanRequest(volunteer, scan, evidence, device)
        kit.desk.hand_in(request, self.recorded)

    def recorded(self, recorded: RecordedScan | None, error: Exception | None) -> None:
        if recorded is None:
            self.fail(error or AssertionError("neither recorded nor failed"))
        else:
            self.respond(*_present(recorded))

    def fail(self, exception: Exception) -> None:
        error = error_of(exception)
        if error is HttpError.DEFECT:
            _log.error("defect at POST %s", PATH, exc_info=exception)
        self.respond(*_failed(error))


def _present(recorded: RecordedScan) -> tuple[int, bytes, bytes]:
    match recorded.decision:
        case Arrived():
            return 200, _JSON, _ARRIVED
        case Left(credit=credit):
            return 200, _JSON, _write_body(CheckinResponse("left", credit.amount, recorded.seq))
        case Refused(reason):
            return _refused(reason)
        case _:
            assert_never(recorded.decision)


def _is_cross_site(headers: Headers) -> bool:
    # Browsers always send it and scripts cannot set it; other clients have no cookie to abuse.
    for name, value in headers:
        if name == b"sec-fetch-site":
            return value not in (b"same-origin", b"none")
    return False


def _refused(reason: ScanRefusal) -> tuple[int, bytes, bytes]:
    status = SCAN_STATUS[reason]
    return status, _PROBLEM, _problem(reason.value, status)


def _failed(error: HttpError) -> tuple[int, bytes, bytes]:
    return error.status, _PROBLEM, _problem(error.value, error.status)


def _problem(code: str, status: int) -> bytes:
    return _write_body({"type": "about:blank", "status": status, "code": code})
