"""Giving tokens to programs, and taking them back."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.access_token import (
    PREFIX,
    SECRET_BYTES,
    AccessToken,
    TokenRefused,
    decide_token,
    hash_of,
)
from timebank.domain.actor import Act, Actor
from timebank.domain.period import local_day
from timebank.domain.writing import cleaned_line
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.founding import ZONE
from timebank.store import access_tokens, audit_events


@dataclass(frozen=True, slots=True)
class TokenGiven:
    """A token was made.

    Attributes:
        secret: The token itself, to be shown now and never again.
    """

    token: AccessToken
    secret: str


async def give_token(
    db: Database,
    *,
    actor: Actor,
    label: str,
    region: int,
    acts: frozenset[Act],
    last_on: date,
    now: datetime,
) -> TokenGiven | TokenRefused:
    """Make a token for a program that the actor answers for.

    Raises:
        NotPermittedError: The actor may give no tokens.
    """
    if not actor.may(Act.GIVE_TOKENS) or actor.scope is None:
        raise NotPermittedError
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token_hash = hash_of(secret)
    assert token_hash is not None  # noqa: S101 made a line above
    today = local_day(now, zone=ZoneInfo(ZONE))
    async with db.write() as conn:
        refused = decide_token(
            label=label,
            region=region,
            acts=acts,
            last_on=last_on,
            today=today,
            scope=actor.scope,
            in_use=await access_tokens.count_tokens(conn, person=actor.person, today=today),
        )
        if refused is not None:
            return refused
        token = AccessToken(
            id=uuid4(),
            label=cleaned_line(label),
            region=region,
            acts=acts,
            created_at=now,
            last_on=last_on,
        )
        await access_tokens.insert_token(
            conn, token=token, token_hash=token_hash, person=actor.person
        )
        await audit_events.insert_audit_events(
            conn, at=now, person=actor.person, act="give_token", subjects=[f"token/{token.id}"]
        )
    return TokenGiven(token, secret)


async def end_token(db: Database, *, actor: Actor, token: UUID, now: datetime) -> None:
    """Take a token back; the program is refused from then on.

    Raises:
        NotPermittedError: The actor may give no tokens.
        NotFoundError: The actor has no such token in use.
    """
    if not actor.may(Act.GIVE_TOKENS):
        raise NotPermittedError
    async with db.write() as conn:
        if not await access_tokens.set_token_ended(conn, person=actor.person, token=token, now=now):
            raise NotFoundError
        await audit_events.insert_audit_events(
            conn, at=now, person=actor.person, act="end_token", subjects=[f"token/{token}"]
        )
