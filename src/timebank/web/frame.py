"""The layout around every page, and the one way in which a page becomes an answer."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.utils.scope.state import ScopeState

from timebank.domain.actor import Actor, Role
from timebank.http.providers import Kit
from timebank.http.security import CAMERA_POLICY
from timebank.store import people
from timebank.web.catalog import LANGUAGES, Language, Translate, has_message, translator
from timebank.web.format import masked_name, masked_phone
from timebank.web.icons import NAMES, icon
from timebank.web.parts import Frame, NavigationItem
from timebank.web.rendering import build_environment

LANGUAGE_COOKIE = "timebank_language"
TYPE_COOKIE = "timebank_type"
CSRF_FIELD = "_csrf_token"

_NAVIGATION: dict[Role, tuple[tuple[str, str, str], ...]] = {
    Role.VOLUNTEER: (
        ("首页", "/me", "house"),
        ("活动", "/activities", "calendar-days"),
        ("记录", "/me/records", "list"),
        ("荣誉", "/me/honours", "award"),
        ("我的码", "/me/code", "qr-code"),
    ),
    Role.ORGANIZER: (
        ("今天", "/organizer", "calendar-days"),
        ("日历", "/organizer/calendar", "list"),
        ("发布活动", "/organizer/activities/new", "plus"),
        ("两人复核", "/organizer/approvals", "users"),
        ("更正申请", "/organizer/objections", "flag"),
    ),
    Role.OFFICER: (
        ("活跃率", "/district", "landmark"),
        ("公报", "/district/publications", "stamp"),
        ("政策", "/district/policies", "scroll-text"),
        ("核查", "/district/review", "search"),
        ("申诉", "/district/objections", "flag"),
    ),
    Role.PARTNER: (("核销", "/partner", "scan-line"),),
}
"""The main places of each role: label, address, icon. The first is its home."""

_UNDER = {
    "/district/grants": "/district/policies",
    "/district/pools": "/district/policies",
    "/district/partners": "/district/policies",
    "/district/debts": "/district/policies",
    "/district/selections": "/district/policies",
    "/me/benefits": "/me/honours",
    "/me/vouchers": "/me/honours",
    "/me/purse": "/me/honours",
    "/me/why": "/me/honours",
    "/help": "/me",
    "/district/samples": "/district/review",
    "/district/approvals": "/district/review",
    "/district/entries": "/district/review",
}
"""Pages that belong to a main place under whose address they do not lie."""


@cache
def _environment() -> Environment:
    return build_environment()


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Return the reader's language: the one chosen, else the first the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if chosen == language:
            return language
    asked = request.headers.get("accept-language", "").lower()
    return "en" if asked.startswith("en") else "zh"


def translate_of(request: Request[Any, Any, Any]) -> Translate:
    """Return `_` in the reader's language."""
    return translator(language_of(request))


def role_of(actor: Actor, path: str) -> Role | None:
    """Return in which of their roles somebody looks at a page, by where the page lives."""
    staff = {
        "/organizer": Role.ORGANIZER,
        "/district": Role.OFFICER,
        "/partner": Role.PARTNER,
    }
    for prefix, role in staff.items():
        if path.startswith(prefix) and role in actor.roles:
            return role
    return next((role for role in _NAVIGATION if role in actor.roles), None)


def home_of(actor: Actor | None) -> str:
    """Return somebody's own first page."""
    if actor is None:
        return "/"
    role = role_of(actor, "")
    return "/enrol" if role is None else _NAVIGATION[role][0][1]


def show(
    request: Request[Any, Any, Any],
    template: str,
    page: object,
    *,
    status: int = 200,
    has_camera: bool = False,
) -> Response[str]:
    """Return a page rendered in its layout, in the reader's language.

    A page with a camera may run the reader of codes, which is WebAssembly.
    """
    headers = {"cache-control": "no-store", "vary": "cookie, accept-language"}
    if has_camera:
        headers["content-security-policy"] = CAMERA_POLICY
    content = (
        _environment()
        .get_template(template)
        .render(page=page, frame=_frame(request), _=translate_of(request))
    )
    return Response(
        content,
        status_code=status,
        media_type=MediaType.HTML,
        headers=headers,
    )


def prepare(templates: Iterable[str]) -> None:
    """Read templates and icons before somebody waits for them."""
    icon(NAMES[0])
    for template in templates:
        _environment().get_template(template)


def show_part(request: Request[Any, Any, Any], template: str, **parts: object) -> Response[str]:
    """Return a piece of a page, for a script to put in its place."""
    content = _environment().get_template(template).render(_=translate_of(request), **parts)
    return Response(content, media_type=MediaType.HTML, headers={"cache-control": "no-store"})


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def _frame(request: Request[Any, Any, Any]) -> Frame:
    kit: Kit = request.app.state.kit
    _ = translate_of(request)
    actor: Actor | None = request.scope.get("user")
    path = request.url.path
    role = None if actor is None else role_of(actor, path)
    places = _NAVIGATION.get(role, ()) if role is not None else ()
    lies = next((place for under, place in _UNDER.items() if _is_at(path, under)), path)
    current = max(
        (url for _label, url, _icon in places if _is_at(lies, url)),
        key=len,
        default="",
    )
    token = ScopeState.from_scope(request.scope).csrf_token
    done = f"done.{request.query_params.get('done', '')}"
    return Frame(
        language=language_of(request),
        is_large=request.cookies.get(TYPE_COOKIE) == "large",
        site_name=_("志愿时间银行"),
        return_to=path + (f"?{request.url.query}" if request.url.query else ""),
        preference_url="/preferences",
        sign_out_url="/sign-out",
        sign_in_url="/sign-in",
        csrf_field=CSRF_FIELD,
        csrf_token=token if isinstance(token, str) else "",
        actor_name="" if actor is None else _(role or "role.person"),
        actor_role="" if actor is None else _(role or "role.person"),
        home_url=home_of(actor),
        navigation=[
            NavigationItem(label=_(label), url=url, icon=icon, is_current=url == current)
            for label, url, icon in places
        ],
        is_demo=kit.is_demo,
        outbox_url="/outbox",
        notice=_(done) if has_message("zh", done) else "",
    )


def local_path(text: str | None, *, fallback: str) -> str:
    """Return a path of this site to go on to; what could lead elsewhere becomes the fallback."""
    if (
        text is None
        or not text.startswith("/")
        or text.startswith("//")
        or "\\" in text
        or not text.isprintable()
        or len(text) > 500
    ):
        return fallback
    return text


def is_open_to_phones(url: str) -> bool:
    """Say whether other devices can open an address; they cannot where it names this machine."""
    return (urlsplit(url).hostname or "") not in ("127.0.0.1", "localhost", "::1")


async def own_name(request: Request[Any, Any, Any], kit: Kit) -> str:
    """Return the signed-in person's name as a shoulder-surfer may read it; empty where unknown."""
    actor: Actor | None = request.user
    if actor is None:
        return ""
    async with kit.db.read() as conn:
        person = await people.find_person(conn, seal=kit.seal, person=actor.person)
    if person is None:
        return ""
    return masked_name(person.name) if person.name else masked_phone(person.phone or "")
