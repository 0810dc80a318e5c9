"""The volunteer's own code, for an organizer or a tablet to read; what its link shows others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from timebank.domain.actor import Act
from timebank.domain.attendance import EARLY_MAX, LATE_MAX
from timebank.domain.device_key import binding_challenge
from timebank.domain.period import Period
from timebank.domain.personal_code import (
    PERSONAL_WINDOW_SECONDS,
    make_sign_in_code,
    personal_seconds_left,
)
from timebank.domain.volunteer_number import format_number
from timebank.http.identity import PUBLIC, NotSignedInError
from timebank.http.providers import Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.queries import organizer
from timebank.web import format as words
from timebank.web.code_picture import code_picture
from timebank.web.frame import home_of, language_of, own_name, show, translate_of
from timebank.web.organized_shift import shift_url, takes_scans
from timebank.web.parts import CodePicture, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCodePage:
    """What `volunteer/own_code.html` shows.

    Attributes:
        code: Made by the server, for who cannot make their own.
        seconds_left: How long it is shown.
        server_ms: The server's clock, Unix milliseconds: the phone counts from it.
        url: What codes are links to.
        challenge: What the phone signs to be bound.
    """

    name: str
    number: str
    book: int
    volunteer: int
    code: CodePicture
    seconds_left: int
    window_seconds: int
    server_ms: int
    url: str
    bind_url: str
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLinkPage:
    """What `public/person_link.html` shows to whoever opened a personal code as a link.

    Attributes:
        shifts: The organizer's own that take scans now: label, and where the code is posted.
        code: What was opened; posted along.
    """

    is_organizer: bool
    shifts: Sequence[Link]
    code: str
    home_url: str


@get("/me/code", rule=Act.SCAN)
async def show_own_code(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the signed-in volunteer's own code."""
    if request.auth is None:
        raise NotSignedInError
    code = make_sign_in_code(master_key=kit.master_key, volunteer=volunteer, now=now)
    return show(
        request,
        "volunteer/own_code.html",
        OwnCodePage(
            name=await own_name(request, kit),
            number=format_number(volunteer.book, volunteer.id),
            book=volunteer.book,
            volunteer=volunteer.id,
            code=code_picture(f"{kit.url}/p/{code}"),
            seconds_left=personal_seconds_left(now),
            window_seconds=PERSONAL_WINDOW_SECONDS,
            server_ms=int(now.timestamp() * 1_000),
            url=kit.url,
            bind_url="/me/device",
            challenge=binding_challenge(master_key=kit.master_key, token_hash=request.auth),
        ),
    )


@get("/p/{code:str}", rule=PUBLIC)
async def show_person_link(
    request: TimebankRequest, code: FromPath[str], kit: Kitted, now: Now
) -> Response[Any]:
    """Show where a personal code can be recorded, to an organizer; to others, what it is for.

    A phone's own camera opens it: an organizer needs no camera on a page.
    """
    actor = request.user
    _ = translate_of(request)
    language = language_of(request)
    shifts: list[Link] = []
    is_organizer = actor is not None and actor.may(Act.RUN_ACTIVITIES)
    if actor is not None and is_organizer:
        around = Period(now - LATE_MAX, now + EARLY_MAX)
        async with kit.db.read() as conn:
            found = await organizer.list_day_shifts(
                conn, organizations=actor.organizations, period=around
            )
        shifts = [
            Link(
                label=f"{each.title} · "
                + words.span(each.starts_at, each.ends_at, now=now, language=language),
                url=f"{shift_url(each)}/door/scans",
            )
            for each in found
            if takes_scans(each, now=now)
        ]
    return show(
        request,
        "public/person_link.html",
        PersonLinkPage(
            is_organizer=is_organizer, shifts=shifts, code=code[:200], home_url=home_of(actor)
        ),
    )
