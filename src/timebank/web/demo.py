"""What only the demo has: one-tap sign-in and scan, the outbox on a page, every component once."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.attendance import Direction
from timebank.domain.qr import make_code
from timebank.domain.sign_in import CODE_DIGITS
from timebank.http.identity import PUBLIC
from timebank.http.providers import Kitted, Now, TimebankRequest
from timebank.services import demo, signing_in
from timebank.store import outbox, people
from timebank.web import format as words
from timebank.web.code_picture import code_picture
from timebank.web.frame import (
    language_of,
    show,
)
from timebank.web.icons import NAMES
from timebank.web.parts import CodePicture
from timebank.web.sign_in import enter
from timebank.web.typed import ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One text that the demo would have sent to a phone.

    Attributes:
        code: The one-time code in it, shown large; empty when it carries none.
    """

    to: str
    at: str
    text: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPage:
    """What `public/outbox.html` shows, newest first."""

    messages: Sequence[OutboxMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsPage:
    """What `public/components.html` shows: every component once, for development and tests.

    Attributes:
        code: Any code, to look at its drawing.
        icons: The names of the kept icons.
    """

    code: CodePicture
    icons: Sequence[str]


class DemoForm(msgspec.Struct):
    """Whom to be in the demo."""

    actor: ShortText = ""


class DemoScanForm(msgspec.Struct):
    """Which code to take as scanned in the demo."""

    book: Annotated[int, msgspec.Meta(ge=0, le=999_999)]
    shift: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    purpose: Direction


_DEMO_PHONES = {
    "volunteer": demo.VOLUNTEER_PHONE,
    "organizer": demo.ORGANIZER_PHONE,
    "officer": demo.OFFICER_PHONE,
    "partner": demo.PARTNER_PHONE,
}


@get("/outbox", rule=PUBLIC)
async def show_outbox(request: TimebankRequest, kit: Kitted, now: Now) -> Response[Any]:
    """Show the texts that the demo would have sent."""
    if not kit.is_demo:
        raise NotFoundException
    language = language_of(request)
    async with kit.db.read() as conn:
        newest = await outbox.list_newest(conn, seal=kit.seal, limit=20)
    return show(
        request,
        "public/outbox.html",
        OutboxPage(
            messages=[
                OutboxMessage(
                    to=words.masked_phone(message.phone),
                    at=words.instant(message.queued_at, now=now, language=language),
                    text=message.text,
                    code=_code_in(message.text),
                )
                for message in newest
            ]
        ),
    )


@post("/demo/sign-ins", rule=PUBLIC)
async def create_demo_sign_in(
    data: URLEncodedBody[DemoForm], kit: Kitted, now: Now
) -> Response[Any]:
    """Sign in as one of the demo's people with one tap; there is no such door outside the demo."""
    phone = _DEMO_PHONES.get(data.actor)
    if not kit.is_demo or phone is None:
        raise NotFoundException
    async with kit.db.read() as conn:
        person = await people.find_person_by_phone(conn, seal=kit.seal, phone=phone)
    if person is None:
        raise NotFoundException
    token = secrets.token_urlsafe(32)
    await signing_in.sign_in_as(kit.db, person=person, token=token.encode(), now=now)
    return enter(kit, token=token, url="/home")


@post("/demo/scans", rule=PUBLIC)
async def create_demo_scan(
    data: URLEncodedBody[DemoScanForm], kit: Kitted, now: Now
) -> Response[Any]:
    """Go on as if the code on a shift's wall had been scanned, for who has no phone at hand."""
    if not kit.is_demo:
        raise NotFoundException
    code = make_code(
        master_key=kit.master_key,
        shift_book=data.book,
        shift=data.shift,
        direction=data.purpose,
        now=now,
    )
    return Redirect(f"/c/{code}", status_code=303)


@get("/_components", rule=PUBLIC)
async def show_components(request: TimebankRequest, kit: Kitted) -> Response[Any]:
    """Show every component once; in the demo only."""
    if not kit.is_demo:
        raise NotFoundException
    return show(
        request,
        "public/components.html",
        ComponentsPage(code=code_picture(kit.url), icons=NAMES),
    )


def _code_in(text: str) -> str:
    found = re.search(rf"\d{{{CODE_DIGITS}}}", text)
    return "" if found is None else found.group()
