"""The page on the wall: the code of this window, the counts, the last names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.actor import Act, OrganizationId
from timebank.domain.attendance import EARLY_MAX
from timebank.domain.qr import make_code, seconds_left
from timebank.domain.short_code import make_short_code
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import OrganizedShift
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.code_picture import code_picture
from timebank.web.frame import is_open_to_phones, language_of, show, show_part, translate_of
from timebank.web.organized_shift import (
    direction_of,
    masked,
    shift_url,
    takes_scans,
)
from timebank.web.parts import CodePicture
from timebank.web.typed import BookInPath, NumberInPath

_FRAGMENT_MS_MAX = 3_000
"""The wall asks this often, so that a name appears while its owner still looks."""


_Purpose = Annotated[str, QueryParameter(max_length=6)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFragment:
    """What `organizer/_code.html` shows: all that changes on the code page.

    Attributes:
        picture: The code of the present window; None when the shift takes no scans.
        refresh_ms: Milliseconds until the next window.
        server_ms: The server's clock, Unix milliseconds, to show the drift of this screen.
        latest: `(masked name, time)`, newest first, five at most.
        digits: The short code for who has no camera, in two groups; empty without a code.
        closed: Why there is no code; empty when there is one.
    """

    picture: CodePicture | None
    refresh_ms: int
    server_ms: int
    signed_up: int
    arrived: int
    left: int
    latest: Sequence[tuple[str, str]]
    digits: str
    closed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """What `organizer/code.html` shows on the wall.

    Attributes:
        fragment_url: Answers with `organizer/_code.html` alone, for the same purpose.
        refresh_seconds: How often the page renews itself without scripts.
        is_for_this_machine: The code holds an address that phones cannot open, as a demo may.
    """

    activity: str
    time: str
    place: str
    purpose: Literal["arrive", "leave"]
    arrive_url: str
    leave_url: str
    shift_url: str
    door_url: str
    fragment_url: str
    refresh_seconds: int
    is_for_this_machine: bool
    code: CodeFragment


@get("/organizer/shifts/{book:int}/{shift:int}/code", rule=Act.RUN_ACTIVITIES)
async def show_code(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    purpose: _Purpose = "",
) -> Response[Any]:
    """Show the code on the wall."""
    found, fragment = await _fragment(
        request, kit, organizations, book, shift, purpose=purpose, now=now
    )
    direction = direction_of(found, purpose, now=now)
    language = language_of(request)
    url = f"{shift_url(found)}/code"
    return show(
        request,
        "organizer/code.html",
        CodePage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            purpose=direction.value,
            arrive_url=f"{url}?purpose=arrive",
            leave_url=f"{url}?purpose=leave",
            shift_url=shift_url(found),
            door_url=f"{shift_url(found)}/door?purpose={direction.value}",
            fragment_url=f"{url}/fragment?purpose={direction.value}",
            refresh_seconds=seconds_left(now),
            is_for_this_machine=kit.is_demo and not is_open_to_phones(kit.url),
            code=fragment,
        ),
    )


@get("/organizer/shifts/{book:int}/{shift:int}/code/fragment", rule=Act.RUN_ACTIVITIES)
async def show_code_fragment(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    purpose: _Purpose = "",
) -> Response[Any]:
    """Show all that changes on the wall: the code of this window, the counts, the last names."""
    _found, fragment = await _fragment(
        request, kit, organizations, book, shift, purpose=purpose, now=now
    )
    return show_part(request, "organizer/_code.html", code=fragment)


async def _fragment(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    purpose: str,
    now: datetime,
) -> tuple[OrganizedShift, CodeFragment]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        latest = await organizer.list_latest_scans(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    picture, digits = None, ""
    if takes_scans(found, now=now):
        direction = direction_of(found, purpose, now=now)
        code = make_code(
            master_key=kit.master_key,
            shift_book=found.shift_book,
            shift=found.shift,
            direction=direction,
            now=now,
        )
        digits = make_short_code(
            master_key=kit.master_key,
            shift_book=found.shift_book,
            shift=found.shift,
            direction=direction,
            now=now,
        )
        picture = code_picture(f"{kit.url}/c/{code}", is_projected=True)
    until_next = seconds_left(now) * 1_000 - now.microsecond // 1_000
    return found, CodeFragment(
        picture=picture,
        refresh_ms=min(until_next, _FRAGMENT_MS_MAX),
        server_ms=int(now.timestamp() * 1_000),
        signed_up=found.signed_up,
        arrived=found.arrived,
        left=found.left,
        latest=[
            (masked(each.name_sealed, kit.seal, each.volunteer, _), words.clock(each.at))
            for each in latest
        ],
        digits=f"{digits[:3]} {digits[3:]}".strip(),
        closed="" if picture is not None else _closed_words(found, now=now, _=_),
    )


def _closed_words(shift: OrganizedShift, *, now: datetime, _: Translate) -> str:
    if shift.cancelled_at is not None:
        return _("这场取消了")
    if now < shift.starts_at - EARLY_MAX:
        return _("{time} 起显示签到码", time=words.clock(shift.starts_at - EARLY_MAX))
    return _("这一场已结束，不再显示签到码")
