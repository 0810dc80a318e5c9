"""Programs with tokens: what they may read, in which forms, and when they are refused."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import openpyxl
import pyarrow.parquet
import pytest
from sqlalchemy import insert
from tests.factories import BOOK, KEY, NINE, OPENED, World

from timebank.app import build_kit, create_app
from timebank.db import Database
from timebank.domain.access_token import ACTS, TOKENS_MAX, TokenRefusal, TokenRefused
from timebank.domain.actor import Act, Actor, Role
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.http.identity import Identity
from timebank.services.access_tokens import TokenGiven, end_token, give_token
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.enrolment import appoint, dismiss
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.founding import found_county
from timebank.store import tables
from timebank.store.access_tokens import list_tokens

OFFICER = UUID(int=7)
LATER = NINE + timedelta(days=3)
COUNTY = county_code(BOOK)
ACTOR = Actor(OFFICER, frozenset({Role.OFFICER}), scope=Scope(COUNTY))


@pytest.fixture
async def client(db: Database, database_url: str, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Asks a product in whose county three volunteers served an hour each."""
    await found_county(db, book=BOOK, now=OPENED)
    volunteers = await world.volunteers(3)
    shift = await world.shift(signed_up=volunteers)
    for direction, at in ((Direction.ARRIVE, NINE), (Direction.LEAVE, NINE + timedelta(hours=1))):
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(each, scan) for each in volunteers], now=at)
    async with db.write() as conn:
        await conn.execute(insert(tables.person).values(id=OFFICER, created_at=OPENED))
    await appoint(db, person=OFFICER, role=Role.OFFICER, region=COUNTY, by=None, now=OPENED)
    kit = build_kit(
        database_url=database_url,
        master_key=KEY,
        url="https://timebank.test",
        book=BOOK,
        is_demo=False,
        now=lambda: LATER,
    )
    transport = httpx.ASGITransport(app=create_app(kit))
    async with httpx.AsyncClient(transport=transport, base_url=kit.url) as asking:
        yield asking
    await kit.db.close()


async def given(db: Database, *, region: int = COUNTY, acts: frozenset[Act] | None = None) -> str:
    made = await give_token(
        db,
        actor=ACTOR,
        label="区数据平台",
        region=region,
        acts=frozenset(ACTS) if acts is None else acts,
        last_on=(LATER + timedelta(days=30)).date(),
        now=LATER,
    )
    assert isinstance(made, TokenGiven)
    return made.secret


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_book_is_pulled_page_after_page_in_every_form(
    client: httpx.AsyncClient, db: Database
) -> None:
    as_program = bearer(await given(db))
    first = await client.get(f"/api/entries?book={BOOK}&limit=2", headers=as_program)
    assert first.status_code == 200
    assert [each["seq"] for each in first.json()["entries"]] == [1, 2]
    assert first.json()["entries"][0]["amount"] == 60
    assert first.headers["x-book-head"] == "3"
    second = await client.get(first.links["next"]["url"], headers=as_program)
    assert [each["seq"] for each in second.json()["entries"]] == [3]
    assert "next" not in second.links

    tag = {**as_program, "if-none-match": f'"other", W/{first.headers["etag"]}'}
    again = await client.get(f"/api/entries?book={BOOK}&limit=2", headers=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (
        304,
        b"",
        first.headers["etag"],
    )
    other = await client.get(f"/api/entries?book={BOOK}&limit=1", headers=tag)
    assert other.status_code == 200

    url = f"/api/entries?book={BOOK}&after=1&format="
    listed = await client.get(f"{url}csv", headers=as_program)
    rows = list(csv.DictReader(io.StringIO(listed.text)))
    assert [(row["seq"], row["amount"]) for row in rows] == [("2", "60"), ("3", "60")]
    columnar = await client.get(f"{url}parquet", headers=as_program)
    table = pyarrow.parquet.read_table(io.BytesIO(columnar.content))
    assert table.column("seq").to_pylist() == [2, 3]
    assert (await client.get(f"{url}xlsx", headers=as_program)).status_code == 400


async def test_a_program_sees_what_its_token_says_and_nothing_else(
    client: httpx.AsyncClient, db: Database
) -> None:
    entries = f"/api/entries?book={BOOK}"
    report = "/api/reports/active-rate?year=2024"
    whole = await given(db)
    reports = await given(db, acts=frozenset({Act.SEE_REPORTS}))
    town = await given(db, region=330424001000)

    async def status(path: str, token: str) -> int:
        return (await client.get(path, headers=bearer(token))).status_code

    assert await status(report, reports) == 200
    assert await status(entries, reports) == 403
    assert await status(entries, town) == 404
    assert await status(report + f"&region={COUNTY}", town) == 404
    assert await status("/api/entries?book=330421", whole) == 404
    for wrong in ("", "tbk_", whole[:-1], whole[:-1] + "!", "x" * 5000):
        assert await status(entries, wrong) == 401
    # On a page a token is nobody.
    page = await client.get("/district", headers=bearer(whole))
    assert page.status_code in (302, 303)
    assert "/sign-in" in page.headers["location"]
    # Who names a token is nobody else, whatever cookies say.
    client.cookies.set("timebank_sign_in", "whatever")
    assert await status(entries, whole[:-1]) == 401
    schema = (await client.get("/api/schema/openapi.json")).json()
    assert {"/api/entries", "/api/reports/active-rate"} <= schema["paths"].keys()
    assert not [path for path in schema["paths"] if not path.startswith("/api/")]


async def test_a_token_ends_with_its_day_by_hand_and_with_the_appointment(
    client: httpx.AsyncClient, db: Database
) -> None:
    path = f"/api/entries?book={BOOK}"
    kept, ended = await given(db), await given(db)
    assert (await client.get(path, headers=bearer(ended))).status_code == 200
    (newest, _) = await _tokens(db)
    with pytest.raises(NotFoundError):
        await end_token(
            db,
            actor=Actor(UUID(int=8), ACTOR.roles, scope=ACTOR.scope),
            token=newest,
            now=LATER,
        )
    for each in await _tokens(db):
        if each == newest:
            await end_token(db, actor=ACTOR, token=each, now=LATER)
            with pytest.raises(NotFoundError):
                await end_token(db, actor=ACTOR, token=each, now=LATER)
    statuses = {
        (await client.get(path, headers=bearer(each))).status_code for each in (kept, ended)
    }
    assert statuses == {200, 401}

    identity = Identity(db, now=lambda: LATER + timedelta(days=31))
    assert await identity.find_program(kept) is None
    await dismiss(db, person=OFFICER, role=Role.OFFICER, region=COUNTY, by=None, now=LATER)
    assert (await client.get(path, headers=bearer(kept))).status_code == 401


async def test_no_token_is_given_beyond_what_one_has(
    client: httpx.AsyncClient, db: Database
) -> None:
    today = LATER.date()

    async def refusal(**changed: object) -> object:
        asked: dict[str, object] = {
            "actor": ACTOR,
            "label": "区数据平台",
            "region": COUNTY,
            "acts": frozenset(ACTS),
            "last_on": today,
            **changed,
        }
        outcome = await give_token(db, now=LATER, **asked)  # type: ignore[arg-type]
        return outcome.reason if isinstance(outcome, TokenRefused) else None

    assert await refusal(label="  ") is TokenRefusal.LABEL_LENGTH
    assert await refusal(acts=frozenset()) is TokenRefusal.NO_ACTS
    assert await refusal(acts=frozenset({Act.RUN_POLICIES})) is TokenRefusal.NO_ACTS
    assert await refusal(region=330400000000) is TokenRefusal.REGION_OUTSIDE
    assert await refusal(last_on=today - timedelta(days=1)) is TokenRefusal.LAST_DAY
    assert await refusal(last_on=today + timedelta(days=367)) is TokenRefusal.LAST_DAY
    assert await _tokens(db) == []
    for _ in range(TOKENS_MAX):
        assert await refusal() is None
    assert await refusal() is TokenRefusal.TOO_MANY
    auditor = Actor(OFFICER, frozenset({Role.AUDITOR}), scope=Scope(COUNTY))
    with pytest.raises(NotPermittedError):
        await refusal(actor=auditor)


async def _tokens(db: Database) -> list[UUID]:
    async with db.read() as conn:
        return [each.id for each in await list_tokens(conn, person=OFFICER, today=LATER.date())]


async def test_numbers_are_one_in_every_form_and_say_what_made_them(
    client: httpx.AsyncClient, db: Database
) -> None:
    as_program = bearer(await given(db, acts=frozenset({Act.SEE_REPORTS})))
    url = "/api/numbers?metrics=active,minutes,active_rate&window=2024"
    told = (await client.get(url, headers=as_program)).json()
    county = told["rows"][0]
    assert (county["region"], county["level"]) == (str(COUNTY), "county")
    assert county["values"]["active"] == 3
    assert county["values"]["minutes"] == 180
    assert told["as_of"] == {str(BOOK): 3}
    assert told["definition"] == "active-rate.residents.any-hour"
    earlier = (await client.get(f"{url}&as_of=1", headers=as_program)).json()
    assert earlier["rows"][0]["values"]["minutes"] == 60

    listed = (await client.get(f"{url}&format=csv", headers=as_program)).content
    rows = list(csv.DictReader(io.StringIO(listed.decode("utf-8-sig"))))
    columnar = await client.get(f"{url}&format=parquet", headers=as_program)
    table = pyarrow.parquet.read_table(io.BytesIO(columnar.content)).to_pylist()
    book = openpyxl.load_workbook(
        io.BytesIO((await client.get(f"{url}&format=xlsx", headers=as_program)).content)
    )
    sheet = list(book["numbers"].values)
    assert len(rows) == len(table) == len(sheet) - 1 == len(told["rows"])
    for line, record, cells, row in zip(rows, table, sheet[1:], told["rows"], strict=True):
        values = row["values"]
        assert {name: record[name] for name in values} == values
        assert [line[name] for name in values] == [
            "" if v is None else str(v) for v in values.values()
        ]
        assert list(cells[7:]) == list(values.values())
        assert record["residents"] == cells[4] == row["residents"]
        assert record["residents_as_of"] == cells[5] == row["residents_as_of"]
        # What each row of a table was made of, as the dictionary names it.
        made_of = [line[name] for name in ("definition", "window", "as_of", "not_repeatable")]
        assert made_of == [told["definition"], "2024", f"{BOOK}:3", "active_rate"]

    by_month = (await client.get(f"{url}&by=month", headers=as_program)).json()["rows"]
    assert [row["values"]["minutes"] for row in by_month if row["key"] == "2024-03"] == [180]
    for wrong in (
        "metrics=nothing&window=2024",
        "metrics=active,active&window=2024",
        "metrics=active&window=yesterday",
        "metrics=active&window=2024&by=colour",
        "metrics=active&window=2024&as_of=soon",
    ):
        answer = await client.get(f"/api/numbers?{wrong}", headers=as_program)
        assert (answer.status_code, answer.json()["code"]) == (400, "error.400"), wrong
    for absent in ("definition=unheard-of", "as_of=99", "region=330421000000"):
        answer = await client.get(f"{url}&{absent}", headers=as_program)
        assert answer.status_code == 404, absent
