"""Signing in with a phone number and a one-time code: how long, how often, how many tries.

Whoever guesses has five tries at a million codes, and ten codes a day: one chance in 20,000 a day
for one phone number, whose owner gets every one of those messages.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

CODE_DIGITS = 6
"""Length of a code: short enough to keep in mind between two screens."""

CODE_LIFETIME = timedelta(minutes=10)
"""How long a code is accepted: a slow message on a slow network arrives within it."""

TRIES_MAX = 5
"""How many wrong answers a phone number has until the newest code expires."""

RESEND_AFTER = timedelta(seconds=60)
"""How soon another code can be sent: messages cost money and cross on the way."""

CODES_MAX = 10
"""How many codes one phone number is sent in `CODES_WINDOW`."""

CODES_WINDOW = timedelta(hours=24)
"""How long codes are counted, from the first one on."""

SIGN_IN_LIFETIME = timedelta(days=30)
"""How long a sign-in lasts: a weekly volunteer signs in once a month at most."""


class SignInRefusal(StrEnum):
    """Why no code was sent or nobody was signed in, in order of precedence."""

    PHONE_INVALID = "sign_in.phone_invalid"
    TOO_MANY_TRIES = "sign_in.too_many_tries"
    TOO_SOON = "sign_in.too_soon"
    TOO_MANY_CODES = "sign_in.too_many_codes"
    CODE_EXPIRED = "sign_in.code_expired"
    CODE_WRONG = "sign_in.code_wrong"


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """The newest code of a phone number.

    Attributes:
        code_mac: Keyed hash of the code; the code itself is nowhere.
        tries: Wrong answers; a new code inherits those of one that has not expired.
        counted_from: When the first of the counted codes was sent.
        codes: How many were sent since then.
    """

    code_mac: bytes
    sent_at: datetime
    expires_at: datetime
    tries: int
    counted_from: datetime
    codes: int


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """No code is sent, nobody is signed in.

    Attributes:
        counted: What is to be remembered of a wrong answer; None when nothing is.
    """

    reason: SignInRefusal
    counted: CodeFacts | None = None


@dataclass(frozen=True, slots=True)
class CodeDue:
    """A code is to be sent, with what is to be remembered of it."""

    facts: CodeFacts


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """The answer is right.

    Attributes:
        used: What is to be remembered: the code is used up, the codes of the day still count.
    """

    used: CodeFacts


def decide_code_request(
    before: CodeFacts | None, *, code_mac: bytes, now: datetime
) -> CodeDue | SignInRefused:
    """Decide whether a phone number is sent a code. Knows nothing of whose number it is."""
    tries, counted_from, codes = 0, now, 0
    if before is not None:
        if now < before.expires_at:
            tries = before.tries
        if now < before.counted_from + CODES_WINDOW:
            counted_from, codes = before.counted_from, before.codes
        if tries >= TRIES_MAX:
            return SignInRefused(SignInRefusal.TOO_MANY_TRIES)
        if now < before.sent_at + RESEND_AFTER:
            return SignInRefused(SignInRefusal.TOO_SOON)
        if codes >= CODES_MAX:
            return SignInRefused(SignInRefusal.TOO_MANY_CODES)
    return CodeDue(
        CodeFacts(
            code_mac=code_mac,
            sent_at=now,
            expires_at=now + CODE_LIFETIME,
            tries=tries,
            counted_from=counted_from,
            codes=codes + 1,
        )
    )


def decide_sign_in(
    facts: CodeFacts | None, *, answer_mac: bytes, now: datetime
) -> CodeAccepted | SignInRefused:
    """Decide whether an answer signs in. A number that was sent nothing is like an expired code."""
    if facts is not None and now < facts.expires_at and facts.tries >= TRIES_MAX:
        return SignInRefused(SignInRefusal.TOO_MANY_TRIES)
    if facts is None or now >= facts.expires_at:
        return SignInRefused(SignInRefusal.CODE_EXPIRED)
    if not hmac.compare_digest(facts.code_mac, answer_mac):
        counted = replace(facts, tries=facts.tries + 1)
        return SignInRefused(SignInRefusal.CODE_WRONG, counted)
    return CodeAccepted(replace(facts, expires_at=now, tries=0))


def plain_code(text: str) -> str:
    """Return a typed code without spaces and with plain digits."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def token_hash_of(token: bytes) -> bytes:
    """Return what is stored of a sign-in's token: whoever reads the database cannot sign in."""
    return hashlib.sha256(token).digest()
