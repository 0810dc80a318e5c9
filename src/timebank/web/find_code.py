"""The volunteer's camera for the code on the wall, and the digits beside it as the last resort."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.attendance import EARLY_MAX, LATE_MAX
from timebank.domain.qr import Scan, make_receipt
from timebank.domain.short_code import ShortCodeRefusal
from timebank.http.identity import PUBLIC
from timebank.http.providers import Kit, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.queries import volunteer as own
from timebank.services.short_code import prove_short_code
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Field
from timebank.web.scan import receive
from timebank.web.typed import ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class FindCodePage:
    """What `scan/find_code.html` shows.

    Attributes:
        shifts: Own ones that take scans now, to type the digits for; empty for who has none.
        is_signed_in: Digits can be typed by who is signed in; a camera needs nobody.
    """

    shifts: Sequence[Choice]
    digits: Field
    digits_url: str
    is_signed_in: bool


class DigitsForm(msgspec.Struct):
    """What was typed from the wall."""

    shift: ShortText = ""
    digits: Annotated[str, msgspec.Meta(max_length=20)] = ""


@get("/scan/camera", rule=PUBLIC)
async def show_camera(request: TimebankRequest, kit: Kitted, now: Now) -> Response[Any]:
    """Show the camera that reads the code on the wall."""
    volunteer = None if request.user is None else request.user.volunteer
    return await _show(request, kit, volunteer, now=now)


@post("/scan/digits", rule=Act.SCAN, status_code=200)
async def create_typed_receipt(
    request: TimebankRequest,
    data: URLEncodedBody[DigitsForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take the typed digits for a scan: from here on it is confirmed like one."""
    _ = translate_of(request)
    book, _dash, number = data.shift.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (book, number)):
        return await _show(request, kit, volunteer, error=_("请选一场"), status=422, now=now)
    outcome = await prove_short_code(
        kit.db,
        volunteer=volunteer,
        shift_book=int(book),
        shift=int(number),
        text=data.digits,
        master_key=kit.master_key,
        now=now,
    )
    if isinstance(outcome, Scan):
        receipt = make_receipt(outcome, master_key=kit.master_key, nonce=secrets.token_bytes(8))
        return receive(kit, receipt)
    status = 429 if outcome is ShortCodeRefusal.TOO_MANY_TRIES else 422
    return await _show(request, kit, volunteer, error=_(outcome.value), status=status, now=now)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId | None,
    *,
    now: datetime,
    error: str = "",
    status: int = 200,
) -> Response[Any]:
    language = language_of(request)
    shifts: list[Choice] = []
    if volunteer is not None:
        async with kit.db.read() as conn:
            found = await own.list_own_shifts(conn, volunteer=volunteer, since=now - LATE_MAX)
        shifts = [
            Choice(
                value=f"{each.shift_book}-{each.shift}",
                label=f"{each.title} · "
                + words.span(each.starts_at, each.ends_at, now=now, language=language),
            )
            for each in found
            if each.starts_at - EARLY_MAX <= now
            and each.closed_at is None
            and not each.is_cancelled
        ]
    return show(
        request,
        "scan/find_code.html",
        FindCodePage(
            shifts=shifts,
            digits=Field(error=error),
            digits_url="/scan/digits",
            is_signed_in=request.user is not None,
        ),
        status=status,
        has_camera=True,
    )
