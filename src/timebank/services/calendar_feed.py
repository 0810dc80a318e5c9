"""Making and revoking the address under which a calendar program reads shifts."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId
from timebank.domain.sign_in import token_hash_of
from timebank.services.errors import NotFoundError
from timebank.services.permission import check_organizes
from timebank.store import calendar_feeds
from timebank.store.calendar_feeds import FeedOwner


async def make_feed(
    db: Database, *, actor: Actor, owner: FeedOwner, token: bytes, now: datetime
) -> None:
    """Make an address for one's own shifts, or those of one's organization; the last one ends.

    `token` is random and made at the edge; only its hash is kept.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: They are somebody else's shifts.
    """
    _check_owns(actor, owner)
    async with db.write() as conn:
        await calendar_feeds.set_ended(conn, owner=owner, made_by=actor.person, now=now)
        await calendar_feeds.insert_feed(
            conn, token_hash=token_hash_of(token), owner=owner, made_by=actor.person, now=now
        )


async def revoke_feed(db: Database, *, actor: Actor, owner: FeedOwner, now: datetime) -> None:
    """End the address that the actor made for these shifts; where there is none, nothing happens.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: They are somebody else's shifts.
    """
    _check_owns(actor, owner)
    async with db.write() as conn:
        await calendar_feeds.set_ended(conn, owner=owner, made_by=actor.person, now=now)


def _check_owns(actor: Actor, owner: FeedOwner) -> None:
    if isinstance(owner, OrganizationId):
        check_organizes(actor, owner)
    elif owner != actor.volunteer:
        raise NotFoundError
