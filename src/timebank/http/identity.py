"""Who is signed in: the cookie's token becomes an actor, and every handler states who may call it.

Identity and scope come from here and never from a URL.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from timebank.db import Database
from timebank.domain.access_token import hash_of
from timebank.domain.actor import Act, Actor
from timebank.domain.period import local_day
from timebank.domain.sign_in import token_hash_of
from timebank.http.gathering import Gathering
from timebank.services.founding import ZONE
from timebank.store import access_tokens, signins

COOKIE = "timebank_sign_in"
"""Holds the token of a sign-in; its SHA-256 is all that is stored."""

PROGRAMS = "/api/"
"""Where tokens of programs are taken: nowhere else."""

_COOKIE_BYTES = COOKIE.encode()

REMEMBERED = timedelta(seconds=30)
"""How long a process trusts what it read of a sign-in: a sign-out elsewhere takes this long."""

REMEMBERED_MAX = 50_000
"""How many sign-ins a process remembers, about 500 bytes each."""

LOOKUPS_MAX = 1_000
"""Longest list of sign-ins that one statement looks up."""

WAITING_MAX = 20_000
"""How many look-ups may queue: beyond it a caller is told to come again."""

PUBLIC: Final = "public"
"""Rule of a handler that anybody may call."""

SIGNED_IN: Final = "signed-in"
"""Rule of a handler that anybody with a sign-in may call."""


class NotSignedInError(Exception):
    """The handler needs somebody signed in."""


class ForbiddenError(Exception):
    """Whoever is signed in may not do this."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in as a request carries it."""

    actor: Actor
    token_hash: bytes


def read_token(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the sign-in token among a request's raw headers, or None.

    The product writes its cookies without quotes or escapes, so they are read without any.
    Source: RFC 6265, section 4.2.1, `cookie-string`.
    """
    for name, value in headers:
        if name == b"cookie":
            for pair in value.split(b";"):
                key, _, token = pair.partition(b"=")
                if key.strip() == _COOKIE_BYTES:
                    return token.strip()
    return None


def read_bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the token that a program names itself with, or None.

    Source: RFC 6750, section 2.1.
    """
    for name, value in headers:
        scheme, _, token = value.partition(b" ")
        if name == b"authorization" and scheme.lower() == b"bearer":
            return token.strip().decode("latin-1")
    return None


class Identity:
    """Finds the actor of a token, remembering answers for a short while.

    Concurrent look-ups share one statement, so that a crowd at a door needs one connection.
    """

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now
        self._remembered: OrderedDict[bytes, tuple[datetime, Actor | None]] = OrderedDict()
        self._lookups = Gathering(self._look_up, list_max=LOOKUPS_MAX, waiting_max=WAITING_MAX)

    def find_actor(
        self, token: bytes, answer: Callable[[Actor | None, Exception | None], None]
    ) -> None:
        """Tell whose token it is, now or when the look-up is done.

        Raises:
            CrowdedError: Too many look-ups wait already; `answer` is told nothing.
        """
        token_hash, now = token_hash_of(token), self._now()
        remembered = self._remembered.get(token_hash)
        if remembered is not None and now - remembered[0] < REMEMBERED:
            answer(remembered[1], None)
            return

        def remember(actor: Actor | None, error: Exception | None) -> None:
            if error is None:
                self._remember(token_hash, actor, now)
            answer(actor, error)

        self._lookups.hand_in(token_hash, remember)

    async def find(self, headers: Iterable[tuple[bytes, bytes]]) -> SignedIn | None:
        """Return who signed a request in, or None. Cost: a statement where not remembered."""
        token = read_token(headers)
        if token is None:
            return None
        token_hash = token_hash_of(token)
        actor = await self._find_actor(token_hash)
        return None if actor is None else SignedIn(actor, token_hash)

    async def find_program(self, token: str) -> Actor | None:
        """Return who a program with a token is, or None. Cost: one statement."""
        token_hash = hash_of(token)
        if token_hash is None:
            return None
        now = self._now()
        today = local_day(now, zone=ZoneInfo(ZONE))
        async with self._db.read() as conn:
            return await access_tokens.find_program(
                conn, token_hash=token_hash, today=today, now=now
            )

    def forget(self, token_hash: bytes) -> None:
        """Read a sign-in anew next time: it ended, or its person's roles changed."""
        self._remembered.pop(token_hash, None)

    async def _find_actor(self, token_hash: bytes) -> Actor | None:
        now = self._now()
        remembered = self._remembered.get(token_hash)
        if remembered is not None and now - remembered[0] < REMEMBERED:
            return remembered[1]
        actor = await self._lookups.put(token_hash)
        self._remember(token_hash, actor, now)
        return actor

    def _remember(self, token_hash: bytes, actor: Actor | None, now: datetime) -> None:
        self._remembered[token_hash] = (now, actor)
        self._remembered.move_to_end(token_hash)
        while len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)

    async def _look_up(self, token_hashes: list[bytes]) -> list[Actor | None]:
        async with self._db.glance() as conn:
            actors = await signins.list_actors(conn, token_hashes=token_hashes, now=self._now())
        return [actors.get(token_hash) for token_hash in token_hashes]


class Identify(ASGIMiddleware):
    """Gives every request its `user` (an `Actor` or None) and `auth` (the token's hash or None)."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Look the sign-in, or a program's token, up and go on."""
        bearer = read_bearer(scope["headers"]) if scope["path"].startswith(PROGRAMS) else None
        if bearer is not None:
            # A program that names itself is nobody else: no cookie speaks for it.
            scope["user"] = await self._identity.find_program(bearer)
            scope["auth"] = None
            await next_app(scope, receive, send)
            return
        found = await self._identity.find(scope["headers"])
        scope["user"] = None if found is None else found.actor
        scope["auth"] = None if found is None else found.token_hash
        await next_app(scope, receive, send)


def permit(
    connection: ASGIConnection[Any, Actor | None, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let a request through only as far as its handler's rule says; no rule lets nobody through.

    OPTIONS is the framework's own: it tells the methods of an address and nothing else.

    Raises:
        NotSignedInError: Somebody must sign in first.
        ForbiddenError: The actor's roles do not permit it.
    """
    rule = handler.opt.get("rule")
    if rule == PUBLIC or connection.scope.get("method") == "OPTIONS":
        return
    if connection.user is None:
        raise NotSignedInError
    if rule == SIGNED_IN:
        return
    if not (isinstance(rule, Act) and connection.user.may(rule)):
        raise ForbiddenError
