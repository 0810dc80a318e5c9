"""What handlers may ask for, as named aliases declared once.

Nothing here holds a connection: whoever needs one opens it in a block of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from timebank.db import Database
from timebank.domain import region
from timebank.domain.actor import Actor, OrganizationId, VolunteerId
from timebank.domain.scope import Scope
from timebank.http.afterwards import Afterwards
from timebank.http.desk import Desk
from timebank.http.headline import Headline
from timebank.http.identity import ForbiddenError, Identity
from timebank.services.sealing import LogKey
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class Kit:
    """What a running application is made of.

    Attributes:
        url: Where the public reaches the product, without a slash at the end.
        book: The county that the landing page speaks of.
        is_demo: One tap signs in, and the outbox is open to everybody.
        is_secure: Cookies are sent over HTTPS only.
        log_key: Returns the key that signs the books' heads now; None where another program signs.
    """

    db: Database
    desk: Desk
    identity: Identity
    headline: Headline
    afterwards: Afterwards
    seal: Seal
    master_key: bytes
    now: Callable[[], datetime]
    url: str
    book: int
    is_demo: bool
    is_secure: bool
    log_key: Callable[[], LogKey] | None = None


TimebankRequest: TypeAlias = Request[Actor | None, bytes | None, State]
"""A request whose sign-in was looked up."""

Kitted: TypeAlias = NamedDependency[Kit]
Db: TypeAlias = NamedDependency[Database]
Now: TypeAlias = NamedDependency[datetime]
SignedInActor: TypeAlias = NamedDependency[Actor]
OwnVolunteer: TypeAlias = NamedDependency[VolunteerId]
OwnOrganizations: TypeAlias = NamedDependency[tuple[OrganizationId, ...]]
OfficeScope: TypeAlias = NamedDependency[Scope]
CountyScope: TypeAlias = NamedDependency[Scope]


def _kit(state: State) -> Kit:
    kit: Kit = state.kit
    return kit


def _db(state: State) -> Database:
    return _kit(state).db


def _now(state: State) -> datetime:
    return _kit(state).now()


def _actor(request: Request[Any, Any, Any]) -> Actor:
    actor: Actor | None = request.user
    if actor is None:
        raise ForbiddenError
    return actor


def _volunteer(request: Request[Any, Any, Any]) -> VolunteerId:
    volunteer = _actor(request).volunteer
    if volunteer is None:
        raise ForbiddenError
    return volunteer


def _organizations(request: Request[Any, Any, Any]) -> tuple[OrganizationId, ...]:
    return _actor(request).organizations


def _county_scope(request: Request[Any, Any, Any], state: State) -> Scope:
    """Return the county whose public pages are looked at: one's own, else the product's."""
    actor: Actor | None = request.user
    volunteer = None if actor is None else actor.volunteer
    return Scope(region.county_code(_kit(state).book if volunteer is None else volunteer.book))


def _office_scope(request: Request[Any, Any, Any]) -> Scope:
    scope = _actor(request).scope
    if scope is None:
        raise ForbiddenError
    return scope


DEPENDENCIES = {
    "kit": Provide(_kit, sync_to_thread=False),
    "db": Provide(_db, sync_to_thread=False),
    "now": Provide(_now, sync_to_thread=False),
    "actor": Provide(_actor, sync_to_thread=False),
    "volunteer": Provide(_volunteer, sync_to_thread=False),
    "organizations": Provide(_organizations, sync_to_thread=False),
    "office_scope": Provide(_office_scope, sync_to_thread=False),
    "county_scope": Provide(_county_scope, sync_to_thread=False),
}
"""Every dependency by the name under which a handler asks for it."""
