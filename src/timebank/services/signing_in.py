"""Signing in with a phone number and a one-time code, and signing out."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.phone import parse_phone
from timebank.domain.sign_in import (
    CODE_LIFETIME,
    SIGN_IN_LIFETIME,
    CodeAccepted,
    CodeDue,
    SignInRefusal,
    SignInRefused,
    decide_code_request,
    decide_sign_in,
    plain_code,
    token_hash_of,
)
from timebank.store import outbox, people, signins
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code is on its way.

    Attributes:
        phone: The number it was sent to, as 11 digits.
    """

    phone: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The token now stands for this person."""

    person: UUID
    expires_at: datetime


async def request_code(
    db: Database, *, seal: Seal, phone: str, code: str, now: datetime
) -> CodeSent | SignInRefused:
    """Send a one-time code to a phone number.

    Does the same whether or not the number is somebody's: it never looks. `phone` is as it was
    typed; `code` is six random digits, made at the edge.
    """
    number = parse_phone(phone)
    if number is None:
        return SignInRefused(SignInRefusal.PHONE_INVALID)
    phone_mac = people.phone_mac_of(seal, number)

    async with db.write() as conn:
        before = await signins.lock_code(conn, phone_mac=phone_mac)

        decision = decide_code_request(before, code_mac=_code_mac(seal, number, code), now=now)

        match decision:
            case CodeDue(facts):
                await signins.set_code(conn, phone_mac=phone_mac, facts=facts)
                await outbox.insert_message(
                    conn, seal=seal, phone=number, text=_message(code), now=now
                )
                return CodeSent(number, facts.expires_at)
            case SignInRefused():
                return decision
            case _:
                assert_never(decision)


async def sign_in(
    db: Database, *, seal: Seal, phone: str, code: str, token: bytes, now: datetime
) -> SignedIn | SignInRefused:
    """Sign in with the newest code of a phone number; the first time, this makes the person.

    A wrong answer is counted, a right one uses the code up. `phone` and `code` are as they were
    typed; `token` is at least 32 random bytes, made at the edge, of which the SHA-256 is stored.
    """
    number = parse_phone(phone)
    if number is None:
        return SignInRefused(SignInRefusal.PHONE_INVALID)
    phone_mac = people.phone_mac_of(seal, number)

    async with db.write() as conn:
        facts = await signins.find_locked_code(conn, phone_mac=phone_mac)

        answer_mac = _code_mac(seal, number, plain_code(code))
        decision = decide_sign_in(facts, answer_mac=answer_mac, now=now)

        match decision:
            case CodeAccepted(used):
                await signins.set_code(conn, phone_mac=phone_mac, facts=used)
                person = await people.ensure_person(
                    conn, seal=seal, phone=number, name=None, now=now
                )
                return await _insert_sign_in(conn, person=person, token=token, now=now)
            case SignInRefused(_, counted):
                if counted is not None:
                    await signins.set_code(conn, phone_mac=phone_mac, facts=counted)
                return decision
            case _:
                assert_never(decision)


async def sign_in_as(db: Database, *, person: UUID, token: bytes, now: datetime) -> SignedIn:
    """Sign in as a person without a code; the edge allows this in the demo only."""
    async with db.write() as conn:
        return await _insert_sign_in(conn, person=person, token=token, now=now)


async def sign_out(db: Database, *, token_hash: bytes, now: datetime) -> None:
    """End a sign-in. One that has ended, or never was, stays as it is."""
    async with db.write() as conn:
        await signins.set_ended(conn, token_hash=token_hash, now=now)


async def _insert_sign_in(
    conn: AsyncConnection, *, person: UUID, token: bytes, now: datetime
) -> SignedIn:
    expires_at = now + SIGN_IN_LIFETIME
    await signins.insert_sign_in(
        conn, token_hash=token_hash_of(token), person=person, now=now, expires_at=expires_at
    )
    return SignedIn(person, expires_at)


def _code_mac(seal: Seal, phone: str, code: str) -> bytes:
    return seal.mac(f"code:{phone}:{code}")


def _message(code: str) -> str:
    minutes = CODE_LIFETIME.seconds // 60
    return f"【时间银行】验证码 {code}，{minutes} 分钟内有效，用于登录。请不要告诉任何人。"
