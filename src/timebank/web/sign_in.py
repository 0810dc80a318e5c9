"""Signing in with a code sent to a phone, and signing out."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.phone import parse_phone
from timebank.domain.sign_in import CODE_DIGITS, SIGN_IN_LIFETIME
from timebank.http.identity import COOKIE, PUBLIC, SIGNED_IN
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.services import signing_in
from timebank.web import format as words
from timebank.web.code_limit import CODE_LIMIT
from timebank.web.frame import (
    home_of,
    local_path,
    show,
    translate_of,
)
from timebank.web.parts import Field, SignInForm
from timebank.web.typed import ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """What `public/sign_in.html` shows.

    Attributes:
        enrol_url: For somebody who is not yet a volunteer.
    """

    form: SignInForm
    enrol_url: str


class PhoneForm(msgspec.Struct):
    """The first step of signing in."""

    phone: ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CodeForm(msgspec.Struct):
    """The second step of signing in."""

    phone: ShortText = ""
    code: ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/sign-in", rule=PUBLIC)
async def show_sign_in(
    request: TimebankRequest, return_to: FromQuery[str | None] = None
) -> Response[Any]:
    """Show the first step of signing in."""
    if request.user is not None:
        return Redirect(local_path(return_to, fallback=home_of(request.user)), status_code=303)
    return _show_phone_step(request, return_to=local_path(return_to, fallback=""))


@post("/sign-in/codes", rule=PUBLIC, status_code=200, middleware=CODE_LIMIT)
async def create_code(
    request: TimebankRequest, data: URLEncodedBody[PhoneForm], kit: Kitted, now: Now
) -> Response[Any]:
    """Send a one-time code and show the second step."""
    return_to = local_path(data.return_to, fallback="")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    sent = await signing_in.request_code(
        kit.db, seal=kit.seal, phone=data.phone, code=code, now=now
    )
    if isinstance(sent, signing_in.CodeSent):
        return _show_code_step(request, phone=sent.phone, return_to=return_to)
    return _show_phone_step(
        request,
        return_to=return_to,
        phone=data.phone,
        error=translate_of(request)(sent.reason.value),
        status=422,
    )


@post("/sign-in", rule=PUBLIC, status_code=200, middleware=CODE_LIMIT)
async def create_sign_in(
    request: TimebankRequest, data: URLEncodedBody[CodeForm], kit: Kitted, now: Now
) -> Response[Any]:
    """Sign in with a one-time code and go on to where one wanted to go."""
    return_to = local_path(data.return_to, fallback="")
    token = secrets.token_urlsafe(32)
    signed_in = await signing_in.sign_in(
        kit.db, seal=kit.seal, phone=data.phone, code=data.code, token=token.encode(), now=now
    )
    if isinstance(signed_in, signing_in.SignedIn):
        return enter(kit, token=token, url=return_to or "/home")
    phone = parse_phone(data.phone)
    _ = translate_of(request)
    if phone is None:
        return _show_phone_step(
            request,
            return_to=return_to,
            phone=data.phone,
            error=_(signed_in.reason.value),
            status=422,
        )
    return _show_code_step(
        request, phone=phone, return_to=return_to, error=_(signed_in.reason.value), status=422
    )


@get("/home", rule=SIGNED_IN)
async def show_home(actor: SignedInActor) -> Response[Any]:
    """Go to somebody's own first page."""
    return Redirect(home_of(actor), status_code=303)


@post("/sign-out", rule=SIGNED_IN)
async def create_sign_out(request: TimebankRequest, kit: Kitted, now: Now) -> Response[Any]:
    """End the sign-in."""
    if request.auth is not None:
        await signing_in.sign_out(kit.db, token_hash=request.auth, now=now)
        kit.identity.forget(request.auth)
    return Redirect("/", status_code=303, cookies=[_sign_in_cookie(kit, token="", max_age=0)])


def _show_phone_step(
    request: TimebankRequest,
    *,
    return_to: str,
    phone: str = "",
    error: str = "",
    status: int = 200,
) -> Response[Any]:
    form = SignInForm(
        step="phone",
        action_url="/sign-in/codes",
        return_to=return_to,
        phone=Field(value=phone, error=error),
        code=Field(),
    )
    page = SignInPage(form=form, enrol_url="/enrol")
    return show(request, "public/sign_in.html", page, status=status)


def _show_code_step(
    request: TimebankRequest, *, phone: str, return_to: str, error: str = "", status: int = 200
) -> Response[Any]:
    form = SignInForm(
        step="code",
        action_url="/sign-in",
        return_to=return_to,
        phone=Field(value=phone),
        code=Field(error=error),
        phone_masked=words.masked_phone(phone),
        restart_url=f"/sign-in?return_to={quote(return_to)}" if return_to else "/sign-in",
    )
    page = SignInPage(form=form, enrol_url="/enrol")
    return show(request, "public/sign_in.html", page, status=status)


def enter(kit: Kit, *, token: str, url: str) -> Response[Any]:
    """Go on to a page with the cookie of a fresh sign-in."""
    cookie = _sign_in_cookie(kit, token=token, max_age=int(SIGN_IN_LIFETIME.total_seconds()))
    return Redirect(url, status_code=303, cookies=[cookie])


def _sign_in_cookie(kit: Kit, *, token: str, max_age: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=token,
        path="/",
        max_age=max_age,
        httponly=True,
        secure=kit.is_secure,
        samesite="lax",
    )
