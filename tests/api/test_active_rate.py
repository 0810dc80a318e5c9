"""`GET /api/reports/active-rate`: the report now, and as it was at an entry or an instant."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, NINE, OPENED, World

from timebank.app import build_kit, create_app
from timebank.db import Database
from timebank.domain.actor import Role
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.http.identity import COOKIE
from timebank.services import signing_in
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.enrolment import appoint
from timebank.services.founding import found_county
from timebank.store import tables

OFFICER = UUID(int=7)
LATER = NINE + timedelta(days=3)


@pytest.fixture
async def ask(
    db: Database, database_url: str, world: World
) -> AsyncIterator[Callable[[str], Awaitable[httpx.Response]]]:
    """Asks as an officer of a county in which one hour was served, and then another."""
    await found_county(db, book=BOOK, now=OPENED)
    (volunteer,) = await world.volunteers()
    for starts_at in (NINE, NINE + timedelta(days=1)):
        shift = await world.shift(starts_at=starts_at, signed_up=[volunteer])
        for direction, at in (
            (Direction.ARRIVE, starts_at),
            (Direction.LEAVE, starts_at + timedelta(hours=1)),
        ):
            scan = Scan(shift.book, shift.id, direction, at)
            await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=at)
    async with db.write() as conn:
        await conn.execute(insert(tables.person).values(id=OFFICER, created_at=OPENED))
    region = BOOK * 1_000_000
    await appoint(db, person=OFFICER, role=Role.OFFICER, region=region, by=None, now=OPENED)
    token = secrets.token_urlsafe(32)
    await signing_in.sign_in_as(db, person=OFFICER, token=token.encode(), now=NINE)

    kit = build_kit(
        database_url=database_url,
        master_key=KEY,
        url="https://timebank.test",
        book=BOOK,
        is_demo=False,
        now=lambda: LATER,
    )
    transport = httpx.ASGITransport(app=create_app(kit))
    async with httpx.AsyncClient(
        transport=transport, base_url=kit.url, cookies={COOKIE: token}
    ) as client:

        async def get(query: str) -> httpx.Response:
            return await client.get(f"/api/reports/active-rate?year=2024{query}")

        yield get
    await kit.db.close()


@pytest.mark.parametrize(
    ("query", "seq", "minutes"),
    [
        ("", 2, 120),
        ("&as_of=2", 2, 120),
        ("&as_of=1", 1, 60),
        ("&as_of=0", 0, 0),
        ("&as_of=2024-03-02T10:00:00%2B08:00", 1, 60),
        ("&as_of=2024-03-02T09:59:59%2B08:00", 0, 0),
        ("&as_of=2030-01-01T00:00:00Z", 2, 120),
    ],
)
async def test_the_report_as_it_was(
    ask: Callable[[str], Awaitable[httpx.Response]], query: str, seq: int, minutes: int
) -> None:
    answer = await ask(query)

    assert answer.status_code == 200
    body = answer.json()
    assert body["as_of"] == {"book": BOOK, "seq": seq}
    assert body["rows"][0]["minutes_scanned"] == minutes


@pytest.mark.parametrize("as_of", ["3", "-1", "2024-03-02", "2024-03-02T10:00:00", "now", ""])
async def test_a_state_that_never_was(
    ask: Callable[[str], Awaitable[httpx.Response]], as_of: str
) -> None:
    answer = await ask(f"&as_of={as_of}")

    assert (answer.status_code, answer.json()["code"]) == (404, "error.404")
