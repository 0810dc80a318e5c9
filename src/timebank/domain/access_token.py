"""Tokens for programs: what one may read, of which division, until when.

A token is shown once, when it is made; its SHA-256 is all that is kept. It never gives more
person who made it has: it ends with their appointment.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.domain.actor import Act
from timebank.domain.scope import Scope
from timebank.domain.writing import cleaned_line

PREFIX = "tbk_"
"""How every token begins, so that a search for leaked secrets finds it."""

SECRET_BYTES = 32
"""Random bytes of a token: not to be guessed."""

ACTS = (Act.SEE_REPORTS, Act.PULL_ENTRIES)
"""What a program can be permitted."""

LABEL_LENGTH_MAX = 60
"""Longest name of a token, in characters."""

LIFETIME_MAX = timedelta(days=366)
"""Whoever runs the program must say once a year that it is still needed."""

TOKENS_MAX = 20
"""How many tokens of one person can be in use."""

_TEXTS = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class TokenRefusal(StrEnum):
    """Why no token was made, in order of precedence."""

    LABEL_LENGTH = "token.label_length"
    NO_ACTS = "token.no_acts"
    REGION_OUTSIDE = "token.region_outside"
    LAST_DAY = "token.last_day"
    TOO_MANY = "token.too_many"


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """No token was made."""

    reason: TokenRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What is known of a token; never the token itself.

    Attributes:
        region: Division code; the program sees it and everything below.
        last_on: The last local day on which it works.
    """

    id: UUID
    label: str
    region: int
    acts: frozenset[Act]
    created_at: datetime
    last_on: date


def decide_token(
    *,
    label: str,
    region: int,
    acts: frozenset[Act],
    last_on: date,
    today: date,
    scope: Scope,
    in_use: int,
) -> TokenRefused | None:
    """Decide whether somebody who sees `scope`, and has so many `in_use`, may make a token.

    None where they may.
    """
    if not 1 <= len(cleaned_line(label)) <= LABEL_LENGTH_MAX:
        return TokenRefused(TokenRefusal.LABEL_LENGTH)
    if not acts or not acts <= frozenset(ACTS):
        return TokenRefused(TokenRefusal.NO_ACTS)
    if not scope.covers(region):
        return TokenRefused(TokenRefusal.REGION_OUTSIDE)
    if not today <= last_on <= today + LIFETIME_MAX:
        return TokenRefused(TokenRefusal.LAST_DAY)
    if in_use >= TOKENS_MAX:
        return TokenRefused(TokenRefusal.TOO_MANY)
    return None


def hash_of(token: str) -> bytes | None:
    """Return what is stored of a token; None for a text that can be none."""
    return hashlib.sha256(token.encode()).digest() if _TEXTS.fullmatch(token) else None
