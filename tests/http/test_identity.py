"""The sign-in token is found among whatever else a browser sends, and looked up together."""

import asyncio
import secrets

import pytest
from tests.factories import NINE, World

from timebank.db import Database
from timebank.http.identity import Identity, read_token
from timebank.services import signing_in


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([(b"cookie", b"timebank_sign_in=abc")], b"abc"),
        ([(b"cookie", b"timebank_csrf=x=y; timebank_sign_in=abc; lang=zh")], b"abc"),
        ([(b"cookie", b"lang=zh"), (b"cookie", b"timebank_sign_in=abc")], b"abc"),
        ([(b"cookie", b"not_timebank_sign_in=abc")], None),
        ([(b"cookie", b"lang=timebank_sign_in")], None),
        ([(b"cookie", b"=;;=\xff")], None),
        ([(b"x-cookie", b"timebank_sign_in=abc")], None),
        ([], None),
    ],
)
def test_the_token_is_read_from_the_cookie(
    headers: list[tuple[bytes, bytes]], token: bytes | None
) -> None:
    assert read_token(headers) == token


async def test_each_of_many_tokens_finds_its_own_person(db: Database, world: World) -> None:
    volunteers = await world.volunteers(5)
    tokens = [secrets.token_urlsafe(32).encode() for _ in volunteers]
    for volunteer, token in zip(volunteers, tokens, strict=True):
        person = await world.person_of(volunteer)
        await signing_in.sign_in_as(db, person=person, token=token, now=NINE)
    identity = Identity(db, now=lambda: NINE)

    found = await asyncio.gather(
        *(
            identity.find([(b"cookie", b"timebank_sign_in=" + token)])
            for token in [*tokens, b"unknown"]
        )
    )

    assert found.pop() is None
    assert [each and each.actor.volunteer for each in found] == volunteers
