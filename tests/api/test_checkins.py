"""`POST /api/checkins`: a receipt becomes an arrival or a departure, or is refused with its code."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import httpx
import pytest
from tests.factories import BOOK, KEY, NINE, ShiftId, World
from tests.phone import Phone

from timebank.api import checkins
from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.device_key import KeyKind, binding_message
from timebank.domain.qr import Scan, make_receipt
from timebank.http.afterwards import Afterwards
from timebank.http.desk import Desk
from timebank.http.headline import Headline
from timebank.http.identity import Identity
from timebank.http.providers import Kit
from timebank.services import signing_in
from timebank.services.device_binding import bind_device
from timebank.store.seal import Seal


class Clock:
    """A clock that stands where a test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock(NINE)


@pytest.fixture
async def client(db: Database, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    kit = Kit(
        db=db,
        desk=Desk(db, now=clock),
        identity=Identity(db, now=clock),
        headline=Headline(db, now=clock),
        afterwards=Afterwards(db, now=clock),
        seal=Seal(KEY),
        master_key=KEY,
        now=clock,
        url="http://timebank.test",
        book=BOOK,
        is_demo=False,
        is_secure=False,
    )

    async def app(scope, receive, send) -> None:
        await checkins.create_checkin(kit, scope, receive, send)

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://timebank.test") as found:
        yield found


async def sign_in(db: Database, world: World, volunteer: VolunteerId) -> dict[str, str]:
    """Return the headers of a signed-in volunteer."""
    token = secrets.token_urlsafe(32)
    person = await world.person_of(volunteer)
    await signing_in.sign_in_as(db, person=person, token=token.encode(), now=NINE)
    return {"cookie": f"timebank_sign_in={token}"}


def receipt(shift: ShiftId, direction: Direction, at: datetime) -> dict[str, str]:
    scan = Scan(shift.book, shift.id, direction, at)
    return {"receipt": make_receipt(scan, master_key=KEY, nonce=b"12345678")}


async def test_a_stay_is_credited_over_http(
    db: Database, world: World, client: httpx.AsyncClient, clock: Clock
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(signed_up=[volunteer])
    headers = await sign_in(db, world, volunteer)

    arrived = await client.post(
        "/api/checkins", json=receipt(shift, Direction.ARRIVE, NINE), headers=headers
    )
    clock.at = NINE + timedelta(hours=2)
    left = await client.post(
        "/api/checkins", json=receipt(shift, Direction.LEAVE, clock.at), headers=headers
    )

    assert (arrived.status_code, arrived.json()) == (
        200,
        {"state": "arrived", "minutes_credited": 0, "entry": None},
    )
    assert (left.status_code, left.json()) == (
        200,
        {"state": "left", "minutes_credited": 120, "entry": 1},
    )


async def test_twenty_simultaneous_requests_credit_once(
    db: Database,
    world: World,
    client: httpx.AsyncClient,
    clock: Clock,
    owner: asyncpg.Connection,
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(signed_up=[volunteer])
    headers = await sign_in(db, world, volunteer)
    await client.post("/api/checkins", json=receipt(shift, Direction.ARRIVE, NINE), headers=headers)
    clock.at = NINE + timedelta(hours=1)
    leave = receipt(shift, Direction.LEAVE, clock.at)

    answers = await asyncio.gather(
        *(client.post("/api/checkins", json=leave, headers=headers) for _ in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert await owner.fetchval("select count(*) from transfer") == 1


@pytest.mark.parametrize("kind", KeyKind)
async def test_two_accounts_on_one_phone_the_second_is_declared_and_flagged(
    db: Database,
    world: World,
    client: httpx.AsyncClient,
    clock: Clock,
    owner: asyncpg.Connection,
    kind: KeyKind,
) -> None:
    first, second, forger = await world.volunteers(3)
    shift = await world.shift(signed_up=[first, second, forger])
    phone = Phone(kind)
    for volunteer in (first, second, forger):
        headers = await sign_in(db, world, volunteer)
        if volunteer == first:
            person = await owner.fetchval("select person_id from volunteer where id = $1", first.id)
            await bind_device(
                db,
                person=person,
                key=phone.key,
                challenge="",
                signature=phone.sign(binding_message("")),
                now=NINE,
            )
        for direction, hours in ((Direction.ARRIVE, 0), (Direction.LEAVE, 1)):
            clock.at = NINE + timedelta(hours=hours)
            body = receipt(shift, direction, clock.at)
            signed_for = "another receipt" if volunteer == forger else body["receipt"]
            answer = await client.post(
                "/api/checkins", json=body | {"device": phone.proof(signed_for)}, headers=headers
            )
            assert answer.status_code == 200

    grades = await owner.fetch("select volunteer, assurance from transfer order by seq")
    assert [tuple(row) for row in grades] == [(first.id, 2), (second.id, 0), (forger.id, 1)]
    flags = await owner.fetch("select distinct volunteer_id, flag from scan_flag order by 1")
    assert [tuple(row) for row in flags] == [
        (second.id, "flag.shared_device"),
        (forger.id, "flag.unproved_device"),
    ]


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("not signed in", 401, "error.401"),
        ("another site", 403, "error.403"),
        ("GET", 405, "error.405"),
        ("no JSON", 400, "error.400"),
        ("an unknown member", 400, "error.400"),
        ("10 MB", 413, "error.413"),
        ("no receipt of ours", 400, "scan.foreign_code"),
        ("a forged receipt", 403, "scan.forged_code"),
        ("an old receipt", 410, "scan.expired_code"),
        ("an unknown shift", 404, "scan.shift_not_found"),
        ("a closed shift", 409, "scan.shift_closed"),
        ("no signup", 409, "scan.not_signed_up"),
    ],
)
async def test_each_refusal_has_its_code_and_writes_nothing(
    db: Database,
    world: World,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    case: str,
    status: int,
    code: str,
) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift(
        signed_up=[] if case == "no signup" else [volunteer],
        closed_at=NINE if case == "a closed shift" else None,
    )
    if case == "an unknown shift":
        shift = ShiftId(shift.book, 999)
    headers = {} if case == "not signed in" else await sign_in(db, world, volunteer)
    at = NINE - timedelta(minutes=11) if case == "an old receipt" else NINE
    body: dict[str, str] = receipt(shift, Direction.ARRIVE, at)
    if case == "a forged receipt":
        text = body["receipt"]
        body = {"receipt": text[:10] + ("A" if text[10] != "A" else "B") + text[11:]}
    if case == "no receipt of ours":
        body = {"receipt": "hello"}
    if case == "an unknown member":
        body["minutes"] = "900"
    if case == "another site":
        headers["sec-fetch-site"] = "cross-site"

    if case == "GET":
        answer = await client.get("/api/checkins", headers=headers)
    elif case == "no JSON":
        answer = await client.post("/api/checkins", content=b"{", headers=headers)
    elif case == "10 MB":
        answer = await client.post("/api/checkins", content=b"x" * 10**7, headers=headers)
    else:
        answer = await client.post("/api/checkins", json=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await owner.fetchval("select count(*) from attendance") == 0
    assert await owner.fetchval("select count(*) from transfer") == 0
