"""The pages of a scan: what was read, signing in if needed, and what came of it.

The first request with a code is the scan: it is timed, answered with a receipt in a cookie, and
everything after it (signing in, confirming) takes as long as it takes.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.assurance import Assurance, Measured, evidence_of
from timebank.domain.attendance import LATE_MAX, Arrived, Direction, Left, Refused, ScanRefusal
from timebank.domain.device_key import binding_challenge
from timebank.domain.qr import RECEIPT_LIFETIME, Scan, make_receipt, read_code, read_receipt
from timebank.http.device_proof import DeviceProof, check_proof, evidence_of_scan
from timebank.http.errors import SCAN_STATUS
from timebank.http.identity import PUBLIC
from timebank.http.providers import Kit, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.queries import scanned_shift
from timebank.queries import volunteer as own
from timebank.services.checkin import RecordedScan, ScanRequest
from timebank.web import format as words
from timebank.web.frame import home_of, language_of, own_name, show, translate_of
from timebank.web.parts import Evidence, Field, SignInForm

RECEIPT_COOKIE = "timebank_receipt"
"""Binds a receipt to the browser that scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPage:
    """What `scan/confirm.html` shows after the code was read.

    Attributes:
        purpose: What the code on the wall was for.
        scanned_at: The time that will count, such as `09:02`.
        kept_until: Until when that time is kept, such as `09:12`.
        action_url: Where `receipt` is posted.
        receipt: The signed receipt of the scan.
        volunteer_name: Who will be checked in; empty when nobody is signed in.
        sign_in: Asked for first when nobody is signed in, else None.
        bind_url: Where the phone binds itself to whoever is signed in.
        challenge: What the phone signs to do so; empty when nobody is signed in.
        point: Latitude, longitude and metres for the phone to compare itself with; None where it
            is not asked.
    """

    purpose: Literal["arrive", "leave"]
    activity: str
    organization: str
    time: str
    place: str
    scanned_at: str
    kept_until: str
    action_url: str
    receipt: str
    volunteer_name: str
    sign_in: SignInForm | None
    bind_url: str
    challenge: str
    point: tuple[float, float, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """What `scan/result.html` shows, to be read at arm's length.

    Attributes:
        outcome: What the scan did.
        scanned_at: The time that counted, such as `09:02`.
        credited: The time as `(number, unit)` pairs; empty unless left.
        credited_from: When the credited time begins; empty unless left.
        credited_to: When it ends; empty unless left.
        evidence: How the credited time is evidenced; None unless left.
        entry: The ledger entry's number; empty unless left.
        year_total: All hours of the year with this one; empty unless left.
        leave_hint: When to scan again, for an arrival; else empty.
        code: The refusal's stable code; empty unless refused.
        reason: The refusal as a sentence; empty unless refused.
        way_out: What to do about it; empty unless refused.
        action_label: The way on.
    """

    outcome: Literal["arrived", "left", "refused"]
    volunteer_name: str
    activity: str
    time: str
    place: str
    scanned_at: str
    credited: Sequence[tuple[str, str]]
    credited_from: str
    credited_to: str
    evidence: Evidence | None
    entry: str
    year_total: str
    leave_hint: str
    code: str
    reason: str
    way_out: str
    action_label: str
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredPage:
    """What `scan/expired.html` shows when the code or the receipt is no longer good.

    Attributes:
        seen_at: When it was opened, such as `09:02`.
        code: `scan.expired_code`, `scan.forged_code` or `scan.foreign_code`.
    """

    seen_at: str
    code: str
    reason: str
    way_out: str
    home_url: str


class ConfirmForm(msgspec.Struct):
    """What the confirming button posts; the phone fills in the rest where it can."""

    receipt: Annotated[str, msgspec.Meta(max_length=100)] = ""
    kind: Annotated[str, msgspec.Meta(max_length=1)] = ""
    key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    signature: Annotated[str, msgspec.Meta(max_length=120)] = ""
    place: Annotated[str, msgspec.Meta(max_length=10)] = ""


@get("/c/{code:str}", rule=PUBLIC)
async def create_receipt(
    request: TimebankRequest, code: FromPath[str], kit: Kitted, now: Now
) -> Response[Any]:
    """Take the reading of a code: this request is the scan."""
    scan = read_code(code, master_key=kit.master_key, now=now)
    if isinstance(scan, ScanRefusal):
        return _show_expired(request, scan, now=now)
    receipt = make_receipt(scan, master_key=kit.master_key, nonce=secrets.token_bytes(8))
    return receive(kit, receipt)


def receive(kit: Kit, receipt: str) -> Response[Any]:
    """Go on to the confirmation with a receipt in a cookie."""
    return Redirect(
        "/scan",
        status_code=303,
        cookies=[
            Cookie(
                key=RECEIPT_COOKIE,
                value=receipt,
                # Signing in looks at it too: who stands before a wall is counted with it.
                path="/",
                max_age=int(RECEIPT_LIFETIME.total_seconds()),
                httponly=True,
                secure=kit.is_secure,
                samesite="lax",
            )
        ],
    )


@get("/scan", rule=PUBLIC)
async def show_confirmation(request: TimebankRequest, kit: Kitted, now: Now) -> Response[Any]:
    """Show what was scanned, with one button; who is not signed in does that first, untimed."""
    receipt = request.cookies.get(RECEIPT_COOKIE, "")
    scan = read_receipt(receipt, master_key=kit.master_key, now=now)
    if isinstance(scan, ScanRefusal):
        return _show_expired(request, scan, now=now)
    async with kit.db.read() as conn:
        shift = await scanned_shift.find_scanned_shift(conn, scan=scan)
    if shift is None:
        return _show_expired(request, ScanRefusal.SHIFT_NOT_FOUND, now=now)
    actor = request.user
    if actor is not None and actor.volunteer is None:
        return Redirect("/enrol?return_to=/scan", status_code=303)
    language = language_of(request)
    return show(
        request,
        "scan/confirm.html",
        ConfirmPage(
            purpose=_purpose(scan.direction),
            activity=shift.activity,
            organization=shift.organization,
            time=words.span(shift.starts_at, shift.ends_at, now=now, language=language),
            place=shift.address,
            scanned_at=words.clock(scan.at),
            kept_until=words.clock(scan.at + RECEIPT_LIFETIME),
            action_url="/scan",
            receipt=receipt,
            volunteer_name="" if actor is None else await own_name(request, kit),
            sign_in=None
            if actor is not None
            else SignInForm(
                step="phone",
                action_url="/sign-in/codes",
                return_to="/scan",
                phone=Field(),
                code=Field(),
            ),
            bind_url="/me/device",
            challenge=""
            if request.auth is None
            else binding_challenge(master_key=kit.master_key, token_hash=request.auth),
            point=None if shift.point is None else astuple(shift.point),
        ),
    )


@post("/scan", rule=Act.SCAN, status_code=200)
async def create_checkin(
    request: TimebankRequest,
    data: URLEncodedBody[ConfirmForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record the scan that the receipt stands for, and show what it did."""
    held = request.cookies.get(RECEIPT_COOKIE, "")
    if not hmac.compare_digest(held.encode(), data.receipt.encode()):
        return _show_expired(request, ScanRefusal.EXPIRED_CODE, now=now)
    scan = read_receipt(data.receipt, master_key=kit.master_key, now=now)
    if isinstance(scan, ScanRefusal):
        return _show_expired(request, scan, now=now)
    proof = DeviceProof(
        kind=int(data.kind) if data.kind.isdecimal() else 0,
        key=data.key,
        signature=data.signature,
        place=data.place,
    )
    evidence, device = check_proof(proof, receipt=data.receipt, evidence=evidence_of_scan(scan))
    recorded = await kit.desk.record(ScanRequest(volunteer, scan, evidence, device))
    return await _show_result(request, kit, volunteer, scan, recorded, now=now)


async def _show_result(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    scan: Scan,
    recorded: RecordedScan,
    *,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    year = words.local_day(now).year
    async with kit.db.read() as conn:
        shift = await scanned_shift.find_scanned_shift(conn, scan=scan)
        hours = await own.own_hours(conn, volunteer=volunteer, year=year)
    if shift is None:
        return _show_expired(request, ScanRefusal.SHIFT_NOT_FOUND, now=now)
    page = ResultPage(
        outcome="refused",
        volunteer_name=await own_name(request, kit),
        activity=shift.activity,
        time=words.span(shift.starts_at, shift.ends_at, now=now, language=language),
        place=shift.address,
        scanned_at=words.clock(scan.at),
        credited=(),
        credited_from="",
        credited_to="",
        evidence=None,
        entry="",
        year_total="",
        leave_hint="",
        code="",
        reason="",
        way_out="",
        action_label=_("回到首页"),
        action_url="/me",
    )
    status = 200
    match recorded.decision:
        case Arrived():
            page = replace(
                page,
                outcome="arrived",
                leave_hint=_(
                    "离开时请再扫一次签退码，最晚 {time}",
                    time=words.clock(shift.ends_at + LATE_MAX),
                ),
            )
        case Left(at=at, credit=credit):
            service = credit.service
            page = replace(
                page,
                outcome="left",
                credited=words.duration_parts(credit.amount, language=language),
                credited_from=words.clock(credit.effective_at),
                credited_to=words.clock(min(at, shift.ends_at)),
                evidence=None
                if service is None
                else evidence_of(Assurance(service.assurance), Measured(service.measured)).value,
                entry=words.count(recorded.seq or 0),
                year_total=words.duration(hours.year, language=language),
                action_label=_("看我的记录"),
                action_url="/me/records",
            )
        case Refused(reason):
            status = SCAN_STATUS[reason]
            page = replace(
                page, code=reason.value, reason=_(reason.value), way_out=_(f"{reason.value}.hint")
            )
            if reason is ScanRefusal.NOT_SIGNED_UP:
                page = replace(
                    page,
                    action_label=_("去报名"),
                    action_url=f"/activities/{scan.shift_book}/{shift.activity_id}",
                )
        case _:
            assert_never(recorded.decision)
    return show(request, "scan/result.html", page, status=status)


def _show_expired(request: TimebankRequest, reason: ScanRefusal, *, now: datetime) -> Response[Any]:
    _ = translate_of(request)
    return show(
        request,
        "scan/expired.html",
        ExpiredPage(
            seen_at=words.clock(now),
            code=reason.value,
            reason=_(reason.value),
            way_out=_(f"{reason.value}.hint"),
            home_url=home_of(request.user),
        ),
        status=SCAN_STATUS[reason],
    )


def _purpose(direction: Direction) -> Literal["arrive", "leave"]:
    return "arrive" if direction is Direction.ARRIVE else "leave"
