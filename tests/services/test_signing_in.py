"""A code signs in once, its tries are bounded, and nothing tells whose number it is."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, TOWN, World

from timebank.db import Database
from timebank.domain.actor import OrganizationId, Role
from timebank.domain.scope import Scope
from timebank.domain.sign_in import (
    CODES_MAX,
    CODES_WINDOW,
    RESEND_AFTER,
    SIGN_IN_LIFETIME,
    TRIES_MAX,
    SignInRefusal,
    SignInRefused,
    token_hash_of,
)
from timebank.services.signing_in import (
    CodeSent,
    SignedIn,
    request_code,
    sign_in,
    sign_in_as,
    sign_out,
)
from timebank.store import outbox, signins, tables
from timebank.store.seal import Seal

NOON = datetime(2024, 3, 2, 4, 0, tzinfo=UTC)
PHONE = "13800000001"
TOKEN = b"t" * 32
SEAL = Seal(KEY)


async def ask(
    db: Database, code: str = "246802", at: datetime = NOON, phone: str = PHONE
) -> object:
    return await request_code(db, seal=SEAL, phone=phone, code=code, now=at)


async def answer(
    db: Database,
    code: str = "246802",
    at: datetime = NOON,
    phone: str = PHONE,
    token: bytes = TOKEN,
) -> SignedIn | SignInRefusal:
    outcome = await sign_in(db, seal=SEAL, phone=phone, code=code, token=token, now=at)
    return outcome.reason if isinstance(outcome, SignInRefused) else outcome


async def test_the_first_sign_in_makes_the_person_and_the_second_finds_it(
    db: Database, owner: asyncpg.Connection
) -> None:
    assert await ask(db, phone="+86 138-0000-0001") == CodeSent(PHONE, NOON + timedelta(minutes=10))
    first = await answer(db, code=" 246 802")
    assert isinstance(first, SignedIn)
    assert first.expires_at == NOON + SIGN_IN_LIFETIME

    later = NOON + timedelta(hours=1)
    await ask(db, "000000", later)
    second = await answer(db, "000000", later, token=b"u" * 32)

    assert isinstance(second, SignedIn)
    assert second.person == first.person
    assert await owner.fetchval("select count(*) from person") == 1


async def test_nothing_is_stored_in_clear(db: Database, owner: asyncpg.Connection) -> None:
    await ask(db)
    await answer(db)

    for table in ("person", "outbox", "one_time_code", "sign_in"):
        stored = await owner.fetchval(f"select string_agg(t::text, ' ') from {table} t")
        for secret in (PHONE, "246802"):
            assert secret not in stored
            assert secret.encode().hex() not in stored
        assert TOKEN.hex() not in stored
    async with db.read() as conn:
        (message,) = await outbox.list_newest(conn, seal=SEAL, limit=10)
    assert (message.phone, message.sent_at) == (PHONE, None)
    assert "246802" in message.text


async def test_a_code_signs_in_once_whoever_is_faster(db: Database) -> None:
    await ask(db)

    outcomes = await asyncio.gather(
        *(answer(db, token=bytes([number]) * 32) for number in range(10))
    )

    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert outcomes.count(SignInRefusal.CODE_EXPIRED) == 9


async def test_guessing_ends_after_five_tries_even_when_they_are_simultaneous(
    db: Database,
) -> None:
    await ask(db)

    guesses = await asyncio.gather(*(answer(db, f"{number:06}") for number in range(20)))

    assert guesses.count(SignInRefusal.CODE_WRONG) == TRIES_MAX
    assert guesses.count(SignInRefusal.TOO_MANY_TRIES) == 20 - TRIES_MAX
    assert await answer(db) is SignInRefusal.TOO_MANY_TRIES


async def test_a_new_code_does_not_give_new_tries(db: Database) -> None:
    await ask(db)
    for number in range(3):
        await answer(db, f"{number:06}")
    again = NOON + RESEND_AFTER
    await ask(db, at=again)

    assert [await answer(db, f"{number:06}", again) for number in range(3)] == [
        SignInRefusal.CODE_WRONG,
        SignInRefusal.CODE_WRONG,
        SignInRefusal.TOO_MANY_TRIES,
    ]
    assert await ask(db, at=again + RESEND_AFTER) == SignInRefused(SignInRefusal.TOO_MANY_TRIES)


async def test_a_number_gets_ten_codes_a_day(db: Database) -> None:
    sent = [await ask(db, at=NOON + RESEND_AFTER * number) for number in range(CODES_MAX + 1)]

    assert all(isinstance(each, CodeSent) for each in sent[:-1])
    assert sent[-1] == SignInRefused(SignInRefusal.TOO_MANY_CODES)
    assert isinstance(await ask(db, at=NOON + CODES_WINDOW), CodeSent)


async def test_two_first_requests_send_one_code(db: Database, owner: asyncpg.Connection) -> None:
    outcomes = await asyncio.gather(*(ask(db) for _ in range(5)))

    assert sum(isinstance(outcome, CodeSent) for outcome in outcomes) == 1
    assert await owner.fetchval("select count(*) from outbox") == 1


@pytest.mark.parametrize(
    ("phone", "code", "after", "reason"),
    [
        ("12345", "246802", 0, SignInRefusal.PHONE_INVALID),
        ("13800000002", "246802", 0, SignInRefusal.CODE_EXPIRED),
        (PHONE, "246802", 600, SignInRefusal.CODE_EXPIRED),
        (PHONE, "246803", 599, SignInRefusal.CODE_WRONG),
    ],
)
async def test_an_answer_is_refused(
    db: Database, owner: asyncpg.Connection, phone: str, code: str, after: int, reason: str
) -> None:
    await ask(db)

    assert await answer(db, code, NOON + timedelta(seconds=after), phone) == reason
    assert await owner.fetchval("select count(*) from person") == 0
    assert await owner.fetchval("select count(*) from sign_in") == 0


async def test_a_sign_in_ends_by_itself_or_by_signing_out(db: Database) -> None:
    await ask(db)
    signed_in = await answer(db)
    assert isinstance(signed_in, SignedIn)

    async with db.glance() as conn:
        found = await signins.find_actor(conn, token_hash=token_hash_of(TOKEN), now=NOON)
        late = await signins.find_actor(
            conn, token_hash=token_hash_of(TOKEN), now=NOON + SIGN_IN_LIFETIME
        )
    assert found is not None
    assert (found.person, found.roles, found.volunteer) == (signed_in.person, frozenset(), None)
    assert late is None

    await sign_out(db, token_hash=token_hash_of(TOKEN), now=NOON)
    async with db.glance() as conn:
        assert await signins.find_actor(conn, token_hash=token_hash_of(TOKEN), now=NOON) is None


async def test_an_actor_is_what_the_person_is_now(db: Database, world: World) -> None:
    (volunteer,) = await world.volunteers()
    team, past = [await world.organization() for _ in range(2)]
    person = UUID(int=7)
    ends = NOON - timedelta(days=1)
    async with db.write() as conn:
        c = tables.volunteer.c
        await conn.execute(
            tables.volunteer.update().where(c.id == volunteer.id).values(person_id=person)
        )
        rows = [
            (Role.ORGANIZER, team, None, None),
            (Role.ORGANIZER, past, None, ends),
            (Role.OFFICER, None, TOWN, None),
        ]
        await conn.execute(
            insert(tables.appointment),
            [
                {
                    "person_id": person,
                    "role": role,
                    "book_id": organization.book if organization else None,
                    "organization_id": organization.id if organization else None,
                    "region": region,
                    "from_at": NOON - timedelta(days=9),
                    "until_at": until_at,
                }
                for role, organization, region, until_at in rows
            ],
        )
    await sign_in_as(db, person=person, token=TOKEN, now=NOON)

    async with db.glance() as conn:
        actor = await signins.find_actor(conn, token_hash=token_hash_of(TOKEN), now=NOON)

    assert actor is not None
    assert actor.roles == {Role.VOLUNTEER, Role.ORGANIZER, Role.OFFICER}
    assert actor.volunteer == volunteer
    assert actor.organizations == (OrganizationId(BOOK, team.id),)
    assert actor.scope == Scope(TOWN)
