"""A tablet at the door that nobody watches: it takes codes for one shift, and can do nothing else.

Setting it up signs the organizer out of it: whoever leaves the page finds the public ones.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.attendance import LATE_MAX, Direction
from timebank.domain.kiosk import KioskPass, make_pass, read_pass
from timebank.domain.qr import Scan
from timebank.http.identity import COOKIE, PUBLIC, ForbiddenError
from timebank.http.providers import Kit, Kitted, Now, OwnOrganizations, TimebankRequest
from timebank.queries import organizer
from timebank.queries.scanned_shift import find_scanned_shift
from timebank.services import person_scan, signing_in
from timebank.services.errors import NotFoundError
from timebank.services.person_scan import NobodyRead, PersonReading
from timebank.web import format as words
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.organized_shift import shift_url, takes_scans
from timebank.web.read_person import code_in, read_decision, refused_read
from timebank.web.typed import BookInPath, NumberInPath

KIOSK_COOKIE = "timebank_kiosk"
"""Holds the pass of a tablet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskSetUpPage:
    """What `organizer/kiosk.html` shows before a tablet is left alone.

    Attributes:
        begin_url: Where beginning is posted; empty when the shift takes no scans.
        until: Until when it runs by itself.
    """

    activity: str
    door_url: str
    begin_url: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskPage:
    """What `public/kiosk.html` shows on the tablet."""

    activity: str
    time: str
    purpose: Literal["arrive", "leave"]
    base_url: str
    end_url: str


class KioskForm(msgspec.Struct):
    """What the tablet read."""

    code: Annotated[str, msgspec.Meta(max_length=300)] = ""
    purpose: Annotated[str, msgspec.Meta(max_length=6)] = ""


@get("/organizer/shifts/{book:int}/{shift:int}/kiosk", rule=Act.RUN_ACTIVITIES)
async def show_kiosk_set_up(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Say what a tablet at the door does, before it is left alone."""
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    if found is None:
        raise NotFoundError
    url = shift_url(found)
    return show(
        request,
        "organizer/kiosk.html",
        KioskSetUpPage(
            activity=found.title,
            door_url=f"{url}/door",
            begin_url=f"{url}/kiosk" if takes_scans(found, now=now) else "",
            until=words.clock(found.ends_at + LATE_MAX),
        ),
    )


@post("/organizer/shifts/{book:int}/{shift:int}/kiosk", rule=Act.RUN_ACTIVITIES)
async def create_kiosk(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Make this browser a tablet for one shift, and sign the organizer out of it."""
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    if found is None or not takes_scans(found, now=now):
        raise NotFoundError
    until = found.ends_at + LATE_MAX
    kiosk = make_pass(KioskPass(book, shift, until), master_key=kit.master_key)
    if request.auth is not None:
        await signing_in.sign_out(kit.db, token_hash=request.auth, now=now)
        kit.identity.forget(request.auth)
    response: Response[Any] = Redirect(
        "/kiosk",
        status_code=303,
        cookies=[
            Cookie(
                key=KIOSK_COOKIE,
                value=kiosk,
                path="/kiosk",
                max_age=int((until - now).total_seconds()),
                httponly=True,
                secure=kit.is_secure,
                samesite="strict",
            )
        ],
    )
    response.delete_cookie(COOKIE)
    return response


@get("/kiosk", rule=PUBLIC)
async def show_kiosk(request: TimebankRequest, kit: Kitted, now: Now) -> Response[Any]:
    """Show the tablet's page."""
    kiosk = _pass(request, kit, now=now)
    async with kit.db.read() as conn:
        shift = await find_scanned_shift(
            conn, scan=Scan(kiosk.shift_book, kiosk.shift, Direction.ARRIVE, now)
        )
    if shift is None:
        raise NotFoundError
    middle = shift.starts_at + (shift.ends_at - shift.starts_at) / 2
    return show(
        request,
        "public/kiosk.html",
        KioskPage(
            activity=shift.activity,
            time=words.span(shift.starts_at, shift.ends_at, now=now, language=language_of(request)),
            purpose="arrive" if now < middle else "leave",
            base_url="/kiosk",
            end_url="/kiosk/end",
        ),
        has_camera=True,
    )


@post("/kiosk/scans", rule=PUBLIC, status_code=200)
async def create_kiosk_scan(
    request: TimebankRequest, data: URLEncodedBody[KioskForm], kit: Kitted, now: Now
) -> Response[Any]:
    """Record who showed a code to the tablet."""
    kiosk = _pass(request, kit, now=now)
    _ = translate_of(request)
    is_leaving = data.purpose == Direction.LEAVE.value
    direction = Direction.LEAVE if is_leaving else Direction.ARRIVE
    (result,) = await person_scan.record_kiosk_scans(
        kit.db,
        shift_book=kiosk.shift_book,
        shift=kiosk.shift,
        readings=[PersonReading(code_in(data.code), direction, now)],
        master_key=kit.master_key,
        now=now,
    )
    if isinstance(result, NobodyRead):
        reason = result.reason.value
        read = refused_read(_(reason), code=reason, now=now)
    else:
        read = await read_decision(kit, result.volunteer, result.recorded.decision, now=now, _=_)
    return show_part(request, "organizer/_read.html", read=read, base_url="")


@post("/kiosk/end", rule=PUBLIC)
async def create_kiosk_end() -> Response[Any]:
    """Make the tablet an ordinary browser again; who organizes signs in."""
    response: Response[Any] = Redirect("/sign-in", status_code=303)
    response.delete_cookie(KIOSK_COOKIE, path="/kiosk")
    return response


def _pass(request: TimebankRequest, kit: Kit, *, now: Any) -> KioskPass:
    text = request.cookies.get(KIOSK_COOKIE, "")
    kiosk = read_pass(text, master_key=kit.master_key, now=now)
    if kiosk is None:
        raise ForbiddenError
    return kiosk
