"""Builds the application from settings."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Litestar, Request, Response
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router
from sqlalchemy.exc import SQLAlchemyError

from timebank import api, web
from timebank.api import checkins
from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.plugin import PluginRefused
from timebank.http import clock
from timebank.http.afterwards import Afterwards
from timebank.http.desk import Desk
from timebank.http.errors import HttpError, answer_problem, error_of
from timebank.http.headline import Headline
from timebank.http.identity import PUBLIC, Identify, Identity, permit
from timebank.http.providers import DEPENDENCIES, Kit
from timebank.http.security import HEADERS
from timebank.policy import plugins
from timebank.services import founding
from timebank.services.carrier import AddressMalformedError, MailServer
from timebank.services.delivery import keep_delivered
from timebank.services.folding import keep_folded, warm_reports
from timebank.services.gateway import Gateway, SmtpGateway, WebhookGateway
from timebank.services.reminding import keep_reminded
from timebank.services.sealing import LogKey, keep_signed
from timebank.services.standing_reports import keep_sent
from timebank.settings import (
    Settings,
    SettingsError,
    read_gateway_key,
    read_log_key,
    read_master_key,
    read_settings,
)
from timebank.store.seal import Seal
from timebank.trust.signer import Ed25519Signer
from timebank.web import district_frame
from timebank.web.errors import answer_page
from timebank.web.frame import prepare
from timebank.web.numbers_paper import written

BODY_BYTES_MAX = 64 * 1024
"""The largest form: a page of text fits many times, a flood does not."""

GARBAGE_MIN = 50_000
"""New objects until the collector looks for rings: an answer makes hundreds, hardly ever a ring."""

APP_ROLE = "timebank_app"
"""The role whose privileges every connection of the application has."""

_log = logging.getLogger("timebank")


def build_kit(
    *,
    database_url: str,
    master_key: bytes,
    url: str,
    book: int,
    is_demo: bool,
    log_key: Callable[[], LogKey] | None = None,
    now: Callable[[], datetime] = clock.now,
) -> Kit:
    """Return what a running application is made of."""
    db = Database(database_url, role=APP_ROLE)
    return Kit(
        db=db,
        desk=Desk(db, now=now),
        identity=Identity(db, now=now),
        headline=Headline(db, now=now),
        afterwards=Afterwards(db, now=now),
        seal=Seal(master_key),
        master_key=master_key,
        now=now,
        url=url,
        book=book,
        is_demo=is_demo,
        is_secure=url.startswith("https://"),
        log_key=log_key,
    )


def create_app(
    kit: Kit, *, gateway: Gateway | None = None, mail: MailServer | None = None
) -> "Application":
    """Return the application: pages, API, the bare route of the scan, and the signing of logs.

    Without a key the entries are sealed all the same, and signed by whoever has it. Without a
    gateway messages stay in the outbox, which the demo shows. Without a mail server reports that go
    out by mail wait for one.
    """

    async def sign(stopped: asyncio.Event) -> None:
        if kit.log_key is not None:
            await keep_signed(kit.db, key=kit.log_key, now=kit.now, stopped=stopped)

    async def fold(stopped: asyncio.Event) -> None:
        await keep_folded(kit.db, book=kit.book, now=kit.now, stopped=stopped)

    async def deliver(stopped: asyncio.Event) -> None:
        if gateway is not None:
            await keep_delivered(
                kit.db, seal=kit.seal, gateway=gateway, now=kit.now, stopped=stopped
            )

    async def report(stopped: asyncio.Event) -> None:
        await keep_sent(
            kit.db, seal=kit.seal, mail=mail, write=written, now=kit.now, stopped=stopped
        )

    async def keep_in_mind(stopped: asyncio.Event) -> None:
        await keep_reminded(kit.db, seal=kit.seal, now=kit.now, stopped=stopped)

    litestar = Litestar(
        on_startup=[partial(_warm, kit)],
        lifespan=[_beside(each) for each in (sign, fold, deliver, report, keep_in_mind)],
        route_handlers=[
            Router("/", route_handlers=web.HANDLERS, include_in_schema=False),
            Router(
                "/api", route_handlers=api.HANDLERS, exception_handlers={Exception: _answer_api}
            ),
        ],
        state=State({"kit": kit}),
        dependencies=DEPENDENCIES,
        middleware=[Identify(kit.identity)],
        guards=[permit],
        csrf_config=CSRFConfig(
            secret=kit.master_key.hex(),
            cookie_name="timebank_csrf",
            cookie_httponly=True,
            cookie_secure=kit.is_secure,
            exclude=["^/api/"],
        ),
        exception_handlers={Exception: _answer_any},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title="timebank",
            version=version("timebank"),
            path="/api/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            # What the interface is, anybody may read; what it tells needs a token.
            openapi_router=Router("/api/schema", route_handlers=[], opt={"rule": PUBLIC}),
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"token": []}],
            use_handler_docstrings=True,
        ),
        on_shutdown=[kit.db.close],
        after_request=_harden,
        logging_config=None,
    )
    _require_rules(litestar)
    return Application(litestar, kit)


class Application:
    """The ASGI application: the scan's route first, everything else through the framework.

    Attributes:
        direct: What the product's own server asks without any message, by path.
        direct_headers: On every answer that it gets so.
    """

    def __init__(self, litestar: Litestar, kit: Kit) -> None:
        self.litestar = litestar
        self.kit = kit
        self.direct = {checkins.PATH.encode(): partial(checkins.record_checkin, kit)}
        self.direct_headers = checkins.DIRECT_HEADERS

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request; a HEAD is a GET whose answer has no body (RFC 9110, 9.3.2)."""
        if scope["type"] == "http" and scope["path"] == checkins.PATH:
            await checkins.create_checkin(self.kit, scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "HEAD":
            as_get: Any = {**scope, "method": "GET"}
            await self.litestar(as_get, receive, _without_body(send))
        else:
            await self.litestar(scope, receive, send)


async def _warm(kit: Kit) -> None:
    """Count what the office's pages open with before anybody is answered: half a second."""
    prepare(district_frame.TEMPLATES)
    try:
        await warm_reports(
            kit.db, book=kit.book, today=local_day(kit.now(), zone=ZoneInfo(founding.ZONE))
        )
    except (OSError, SQLAlchemyError):
        _log.exception("the first reports will take longer")


def _beside(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Return what keeps a piece of work going for as long as the application does."""

    @asynccontextmanager
    async def kept(_litestar: Litestar) -> AsyncIterator[None]:
        stopped = asyncio.Event()
        task = asyncio.create_task(work(stopped))
        try:
            yield
        finally:
            stopped.set()
            await task

    return kept


def _without_body(send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def send_head(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def build_gateway(settings: Settings) -> Gateway | None:
    """Return what sends messages; None where they stay in the outbox.

    Raises:
        SettingsError: The address or the key cannot be used.
    """
    url = settings.gateway_url
    if url is None:
        return None
    try:
        if url.startswith("smtp"):
            return SmtpGateway.of_url(url)
        return WebhookGateway(url, read_gateway_key(settings))
    except AddressMalformedError as error:
        raise SettingsError(
            code="settings.gateway_malformed", sentence=f"TIMEBANK_GATEWAY_URL: {error}."
        ) from None


def take_plugins(settings: Settings) -> None:
    """Take the plug-ins that the settings allow, before anything reads a pack.

    Raises:
        SettingsError: One of them cannot be taken; the code is a `PluginRefusal`.
    """
    if not settings.plugins or plugins.taken().offers:
        return
    found = plugins.take_plugins(settings.plugins)
    if isinstance(found, PluginRefused):
        raise SettingsError(code=found.reason.value, sentence=found.subject)


def build_mail(settings: Settings) -> MailServer | None:
    """Return the mail server that reports go out by, or None.

    Raises:
        SettingsError: Its address cannot be used.
    """
    if settings.mail_url is None:
        return None
    try:
        return MailServer.of_url(settings.mail_url)
    except AddressMalformedError as error:
        raise SettingsError(
            code="settings.mail_malformed", sentence=f"TIMEBANK_MAIL_URL: {error}."
        ) from None


def create_from_environment() -> Application:
    """Return the application that the environment describes; what a server process starts with."""
    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    take_plugins(settings)
    if settings.database_url is None or settings.url is None:
        raise RuntimeError("start the product with `timebank serve`")
    app = create_app(
        build_kit(
            database_url=settings.database_url,
            master_key=read_master_key(settings),
            url=settings.url,
            book=settings.book,
            is_demo=settings.is_demo,
            log_key=lambda: LogKey(Ed25519Signer(read_log_key(settings)), settings.log_name),
        ),
        gateway=build_gateway(settings),
        mail=build_mail(settings),
    )
    # What is loaded now stays: looking through it again and again is a third of a busy hour.
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)
    return app


def _require_rules(litestar: Litestar) -> None:
    for route in litestar.routes:
        for handler in getattr(route, "route_handlers", ()):
            is_ours = handler.fn.__module__.startswith("timebank.")
            if isinstance(handler, HTTPRouteHandler) and is_ours and "rule" not in handler.opt:
                raise RuntimeError(f"{handler} does not say who may call it")


def _harden(response: Response[Any]) -> Response[Any]:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _answer_api(request: Request[Any, Any, Any], exception: Exception) -> Response[Any]:
    _note(request, exception)
    return _harden(answer_problem(request, exception))


def _answer_any(request: Request[Any, Any, Any], exception: Exception) -> Response[Any]:
    if request.url.path.startswith("/api/"):
        return _answer_api(request, exception)
    _note(request, exception)
    return _harden(answer_page(request, exception))


def _note(request: Request[Any, Any, Any], exception: Exception) -> None:
    if error_of(exception) is HttpError.DEFECT and not (
        isinstance(exception, HTTPException) and exception.status_code < 500
    ):
        _log.error("defect at %s %s", request.method, request.url.path, exc_info=exception)
