"""The pages anybody may see: what this is, signing in, enrolling, and what went wrong."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.enrolment import Enrolled
from timebank.domain.phone import parse_phone
from timebank.domain.sign_in import CODE_DIGITS, SIGN_IN_LIFETIME
from timebank.http.identity import COOKIE, PUBLIC, SIGNED_IN
from timebank.http.providers import CountyScope, Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.queries.active_rate import active_rates
from timebank.services import demo, enrolment, signing_in
from timebank.store import outbox, people, regions
from timebank.web import format as words
from timebank.web.assets import load_assets
from timebank.web.code_picture import code_picture
from timebank.web.frame import (
    LANGUAGE_COOKIE,
    TYPE_COOKIE,
    home_of,
    language_of,
    local_path,
    show,
    translate_of,
)
from timebank.web.icons import NAMES
from timebank.web.parts import Choice, ChoiceGroup, CodePicture, Field, SignInForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One of the three ways in.

    Attributes:
        role: Which words and icon the door carries.
        url: Where the door leads; in the demo, where its one-tap sign-in is posted.
        demo_actor: The value posted as `actor` in the demo; empty makes the door a plain link.
        demo_name: Whom the demo signs in as, such as `志愿者 A`.
    """

    role: Literal["volunteer", "organizer", "officer"]
    url: str
    demo_actor: str = ""
    demo_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPage:
    """What `public/landing.html` shows.

    Attributes:
        region: The county, such as `海盐县`.
        year: The year of the number.
        rate: Active people per ten thousand residents, such as `1,576`; empty when residents are
            not known.
        rate_percent: The same as percent, such as `15.8 %`.
        hours: All hours of the year in short form, such as `1,139 万`.
        entries: The newest entry of the ledger, such as `3,700,412`.
        residents_source: Where the population comes from, with its date.
        doors: Volunteer, organizer, officer.
        phone_url: The address a phone can open; empty when this machine has none.
        phone_code: The same as a code to scan; None when there is no address.
    """

    region: str
    year: str
    rate: str
    rate_percent: str
    active: str
    residents: str
    residents_source: str
    hours: str
    entries: str
    doors: Sequence[Door]
    phone_url: str
    phone_code: CodePicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """What `public/sign_in.html` shows.

    Attributes:
        enrol_url: For somebody who is not yet a volunteer.
    """

    form: SignInForm
    enrol_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage:
    """What `public/enrol.html` shows.

    Attributes:
        action_url: Where `name`, `village` and `consent` are posted.
        phone_masked: The number that was just proved.
        towns: The villages of each town, by town.
        is_consent_given: The box stays ticked when the form is shown again.
    """

    action_url: str
    return_to: str
    phone_masked: str
    name: Field
    towns: Sequence[ChoiceGroup]
    village_error: str
    is_consent_given: bool
    consent_error: str


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
class ErrorPage:
    """What `public/error.html` shows: what happened, a way on, a small code for support.

    Attributes:
        status: The HTTP status, which picks the picture.
        title: What happened, one short sentence.
        hint: What to do now, one sentence.
        action_label: The way on.
        code: The stable code, small, such as `http.not_found`.
        reference: What support may ask for; empty for none.
    """

    status: int
    title: str
    hint: str
    action_label: str
    action_url: str
    code: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsPage:
    """What `public/components.html` shows: every component once, for development and tests.

    Attributes:
        code: Any code, to look at its drawing.
        icons: The names of the kept icons.
    """

    code: CodePicture
    icons: Sequence[str]


PREFERENCE_SECONDS = 400 * 24 * 3600
"""How long a browser keeps language and type size: the longest that browsers allow."""

_FEW_CODES = RateLimitConfig(rate_limit=("minute", 20))
"""One address may ask for so many codes: a village hall shares one, a script wants more."""

_ShortText = Annotated[str, msgspec.Meta(max_length=200)]


class PhoneForm(msgspec.Struct):
    """The first step of signing in."""

    phone: _ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CodeForm(msgspec.Struct):
    """The second step of signing in."""

    phone: _ShortText = ""
    code: _ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


class EnrolForm(msgspec.Struct):
    """Registering as a volunteer."""

    name: _ShortText = ""
    village: _ShortText = ""
    consent: _ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


class PreferenceForm(msgspec.Struct):
    """The switches of the layout; one of the two is given."""

    language: _ShortText = ""
    type: _ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


class DemoForm(msgspec.Struct):
    """Whom to be in the demo."""

    actor: _ShortText = ""


@get("/", rule=PUBLIC)
async def show_landing(
    request: TimebankRequest, county_scope: CountyScope, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what this is, the county's number, and three doors."""
    language = language_of(request)
    _ = translate_of(request)
    this_year = words.local_day(now).year
    async with kit.db.read() as conn:
        report = None
        for year in (this_year - 1, this_year):
            report = await active_rates(conn, scope=county_scope, year=year)
            if report is not None and report.rows[0].active:
                break
    county = None if report is None else report.rows[0]
    residents = None if county is None else county.residents
    host = urlsplit(kit.url).hostname or ""
    is_reachable = host not in ("127.0.0.1", "localhost", "::1")
    return show(
        request,
        "public/landing.html",
        LandingPage(
            region="" if county is None else county.name,
            year=str(this_year if report is None else report.year),
            rate=""
            if county is None or residents is None
            else words.rate_per_10k(county.active, residents.count),
            rate_percent=""
            if county is None or residents is None
            else words.percent(county.active, residents.count),
            hours=words.hours(0 if county is None else county.minutes, language=language),
            entries=words.count(0 if report is None else report.as_of.seq),
            active=words.count(0 if county is None else county.active),
            residents="" if residents is None else words.count(residents.count),
            residents_source="" if residents is None else residents.source,
            doors=[
                Door(
                    role=role,
                    url="/demo/sign-ins" if kit.is_demo else f"/sign-in?return_to={quote(url)}",
                    demo_actor=role if kit.is_demo else "",
                    demo_name=_(f"demo.{role}"),
                )
                for role, url in _DOORS.items()
            ],
            phone_url=kit.url if is_reachable else "",
            phone_code=code_picture(kit.url) if is_reachable else None,
        ),
    )


_DOORS: dict[Literal["volunteer", "organizer", "officer"], str] = {
    "volunteer": "/me",
    "organizer": "/organizer",
    "officer": "/district",
}


_DEMO_PHONES = {
    "volunteer": demo.VOLUNTEER_PHONE,
    "organizer": demo.ORGANIZER_PHONE,
    "officer": demo.OFFICER_PHONE,
}


@get("/sign-in", rule=PUBLIC)
async def show_sign_in(
    request: TimebankRequest, return_to: FromQuery[str | None] = None
) -> Response[Any]:
    """Show the first step of signing in."""
    if request.user is not None:
        return Redirect(local_path(return_to, fallback=home_of(request.user)), status_code=303)
    return _show_phone_step(request, return_to=local_path(return_to, fallback=""))


@post("/sign-in/codes", rule=PUBLIC, status_code=200, middleware=[_FEW_CODES.middleware])
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


@post("/sign-in", rule=PUBLIC, status_code=200, middleware=[_FEW_CODES.middleware])
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
        return _enter(kit, token=token, url=return_to or "/home")
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


@post("/preferences", rule=PUBLIC)
async def create_preference(data: URLEncodedBody[PreferenceForm], kit: Kitted) -> Response[Any]:
    """Keep the reader's language or type size in the browser."""
    cookies = [
        Cookie(
            key=name,
            value=value,
            path="/",
            max_age=PREFERENCE_SECONDS,
            httponly=True,
            secure=kit.is_secure,
            samesite="lax",
        )
        for name, value, known in (
            (LANGUAGE_COOKIE, data.language, ("zh", "en")),
            (TYPE_COOKIE, data.type, ("normal", "large")),
        )
        if value in known
    ]
    return Redirect(local_path(data.return_to, fallback="/"), status_code=303, cookies=cookies)


@get("/enrol", rule=SIGNED_IN)
async def show_enrolment(
    request: TimebankRequest,
    actor: SignedInActor,
    kit: Kitted,
    return_to: FromQuery[str | None] = None,
) -> Response[Any]:
    """Show the form that makes a volunteer of a person."""
    if actor.volunteer is not None:
        return Redirect(local_path(return_to, fallback="/me"), status_code=303)
    return await _show_enrolment(
        request, kit, person=actor.person, form=EnrolForm(return_to=return_to or "")
    )


@post("/enrol", rule=SIGNED_IN, status_code=200)
async def create_enrolment(
    request: TimebankRequest,
    data: URLEncodedBody[EnrolForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Register the signed-in person as a volunteer of the county where they live."""
    _ = translate_of(request)
    name = data.name.strip()
    is_village = data.village.isascii() and data.village.isdigit() and len(data.village) == 12
    errors = {
        "name": "" if 2 <= len(name) <= 30 else _("请写下您的姓名,两到三十个字"),
        "village": "" if is_village else _("请选择您住的村或社区"),
        "consent": "" if data.consent == "yes" else _("请先同意,我们才能为您记录服务时间"),
    }
    if any(errors.values()):
        return await _show_enrolment(
            request, kit, person=actor.person, form=data, errors=errors, status=422
        )
    enrolled = await enrolment.enrol_volunteer(
        kit.db, seal=kit.seal, person=actor.person, name=name, village=int(data.village), now=now
    )
    if isinstance(enrolled, Enrolled):
        if request.auth is not None:
            kit.identity.forget(request.auth)
        return Redirect(local_path(data.return_to, fallback="/me?done=enrolled"), status_code=303)
    errors["village"] = _(enrolled.reason.value)
    return await _show_enrolment(
        request, kit, person=actor.person, form=data, errors=errors, status=422
    )


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
    return _enter(kit, token=token, url="/home")


@get("/static/{name:str}", rule=PUBLIC)
async def show_asset(name: FromPath[str]) -> Response[bytes]:
    """Send a file whose address changes with its content."""
    asset = load_assets().by_name.get(name)
    if asset is None:
        raise NotFoundException
    return Response(
        asset.content,
        media_type=asset.media_type,
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )


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


async def _show_enrolment(
    request: TimebankRequest,
    kit: Kit,
    *,
    person: UUID,
    form: EnrolForm,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    errors = errors or {}
    async with kit.db.read() as conn:
        who = await people.find_person(conn, seal=kit.seal, person=person)
        divided = await regions.list_subtree(conn, code=divisions.county_code(kit.book))
    towns = [each for each in divided if each.level is divisions.Level.TOWN]
    return show(
        request,
        "public/enrol.html",
        EnrolPage(
            action_url="/enrol",
            return_to=local_path(form.return_to, fallback=""),
            phone_masked=words.masked_phone(who.phone or "") if who is not None else "",
            name=Field(value=form.name, error=errors.get("name", "")),
            towns=[
                ChoiceGroup(
                    label=town.name,
                    choices=[
                        Choice(
                            value=str(village.code),
                            label=village.name,
                            is_selected=str(village.code) == form.village,
                        )
                        for village in divided
                        if village.parent == town.code
                    ],
                )
                for town in towns
            ],
            village_error=errors.get("village", ""),
            is_consent_given=form.consent == "yes",
            consent_error=errors.get("consent", ""),
        ),
        status=status,
    )


def _enter(kit: Kit, *, token: str, url: str) -> Response[Any]:
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


def _code_in(text: str) -> str:
    found = re.search(rf"\d{{{CODE_DIGITS}}}", text)
    return "" if found is None else found.group()
