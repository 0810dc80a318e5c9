"""The pages anybody may see: what this is, the switches of the layout, files, what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from timebank.http.identity import PUBLIC
from timebank.http.providers import CountyScope, Kitted, Now, TimebankRequest
from timebank.web import format as words
from timebank.web.assets import load_assets
from timebank.web.code_picture import code_picture
from timebank.web.district import newest_report, sample_words
from timebank.web.frame import (
    LANGUAGE_COOKIE,
    TYPE_COOKIE,
    is_open_to_phones,
    language_of,
    local_path,
    show,
    translate_of,
)
from timebank.web.parts import CodePicture
from timebank.web.typed import ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One of the three ways in.

    Attributes:
        role: Which words and icon the door carries.
        url: Where the door leads; in the demo, where its one-tap sign-in is posted.
        demo_actor: The value posted as `actor` in the demo; empty makes the door a plain link.
        demo_name: Whom the demo signs in as, such as `演示志愿者`.
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
        is_partial: It is still going on.
        sample: What is real in a demo's numbers; empty outside the demo.
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
    is_partial: bool
    sample: str
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


PREFERENCE_SECONDS = 400 * 24 * 3600
"""How long a browser keeps language and type size: the longest that browsers allow."""


class PreferenceForm(msgspec.Struct):
    """The switches of the layout; one of the two is given."""

    language: ShortText = ""
    type: ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/", rule=PUBLIC)
async def show_landing(
    request: TimebankRequest, county_scope: CountyScope, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what this is, the county's number, and three doors."""
    language = language_of(request)
    _ = translate_of(request)
    this_year = words.local_day(now).year
    report = await newest_report(
        lambda year: kit.headline.find(scope=county_scope, year=year), this_year=this_year
    )
    county = None if report is None else report.rows[0]
    residents = None if county is None else county.residents
    is_reachable = is_open_to_phones(kit.url)
    return show(
        request,
        "public/landing.html",
        LandingPage(
            region="" if county is None else county.name,
            year=str(this_year if report is None else report.year),
            is_partial=report is None or report.year == this_year,
            sample="" if report is None else sample_words(kit, report, _),
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


@get("/static/{name:str}", rule=PUBLIC)
async def show_asset(request: TimebankRequest, name: FromPath[str]) -> Response[bytes]:
    """Send a file whose address changes with its content."""
    asset = load_assets().by_name.get(name)
    if asset is None:
        raise NotFoundException
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
    }
    content, encoding = asset.best_for(request.headers.get("accept-encoding", ""))
    if encoding:
        headers["content-encoding"] = encoding
    return Response(content, media_type=asset.media_type, headers=headers)
