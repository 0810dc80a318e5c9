"""Whoever is not meant to get in or to write does not: each is answered, and nothing is written."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

import asyncpg
import httpx
import pytest
from tests.conftest import copied, dsn
from tests.factories import BOOK, KEY
from tests.web.site import Clock

from timebank.app import APP_ROLE, Application, build_kit, create_app
from timebank.db import Database
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan, make_code, make_receipt
from timebank.domain.sign_in import token_hash_of
from timebank.http.identity import COOKIE
from timebank.http.security import HEADERS
from timebank.services import signing_in
from timebank.services.demo import PHONES, build_demo
from timebank.store import people
from timebank.store.people import phone_mac_of
from timebank.store.seal import Seal
from timebank.web.assets import load_assets
from timebank.web.catalog import translator

NOW = datetime(2026, 6, 10, 2, 0, tzinfo=UTC)
HTTP = "http://timebank.test"
HTTPS = "https://timebank.test"


@pytest.fixture(scope="module")
def county(server_url: str, template: str) -> Iterator[str]:
    """A database with the demo county; tests add to it and never take away."""

    async def build(url: str) -> None:
        db = Database(url, role=APP_ROLE)
        await build_demo(db, seal=Seal(KEY), scale="small", now=NOW)
        await db.close()

    with copied(server_url, template) as url:
        asyncio.run(build(url))
        yield url


@pytest.fixture(scope="module")
def module_clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(autouse=True)
def clock(module_clock: Clock) -> Clock:
    """The clock of the products that the module serves, set back for each test."""
    module_clock.at = NOW
    return module_clock


@pytest.fixture
async def owner(county: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn(county))
    yield connection
    await connection.close()


@asynccontextmanager
async def opened(
    county: str, clock: Clock, *, url: str, is_demo: bool
) -> AsyncIterator[Application]:
    kit = build_kit(
        database_url=county, master_key=KEY, url=url, book=BOOK, is_demo=is_demo, now=clock
    )
    yield create_app(kit)
    await kit.db.close()


@pytest.fixture(scope="module")
async def app(county: str, module_clock: Clock) -> AsyncIterator[Application]:
    """The product as a county runs it, behind HTTPS."""
    async with opened(county, module_clock, url=HTTPS, is_demo=False) as found:
        yield found


@pytest.fixture(scope="module")
async def demo(county: str, module_clock: Clock) -> AsyncIterator[Application]:
    async with opened(county, module_clock, url=HTTP, is_demo=True) as found:
        yield found


class Visitor:
    """A browser of somebody's own, at an address of its own, which sends forms as the pages do."""

    addresses = map(str, IPv4Network("198.18.0.0/15").hosts())

    def __init__(self, app: Application) -> None:
        self.app = app
        transport = httpx.ASGITransport(app=app, client=(next(self.addresses), 40_000))
        self.http = httpx.AsyncClient(transport=transport, base_url=app.kit.url)

    async def enter(self, who: str) -> "Visitor":
        """Sign in as one of the demo's people."""
        kit = self.app.kit
        async with kit.db.read() as conn:
            person = await people.find_person_by_phone(conn, seal=kit.seal, phone=PHONES[who])
        assert person is not None
        token = secrets.token_urlsafe(32)
        await signing_in.sign_in_as(kit.db, person=person, token=token.encode(), now=kit.now())
        self.http.cookies.set(COOKIE, token)
        return self

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        if "timebank_csrf" not in self.http.cookies:
            await self.http.get("/sign-in")
        token = self.http.cookies["timebank_csrf"]
        return await self.http.post(path, data={"_csrf_token": token, **(form or {})})


async def count_rows(owner: asyncpg.Connection) -> dict[str, int]:
    tables = await owner.fetch(
        "select tablename from pg_tables where schemaname = 'public' order by 1"
    )
    return {
        each["tablename"]: await owner.fetchval(f'select count(*) from "{each["tablename"]}"')
        for each in tables
    }


async def shift_of(owner: asyncpg.Connection, title: str) -> tuple[int, int]:
    """Return the numbers of an activity and of its first shift to come."""
    row = await owner.fetchrow(
        "select a.id, s.id from activity a join shift s on (s.book_id, s.activity_id)"
        " = (a.book_id, a.id) where a.title = $1 and a.is_listed and s.ends_at > $2"
        " order by s.starts_at limit 1",
        title,
        NOW,
    )
    return int(row[0]), int(row[1])


def code_of(shift: int, *, at: datetime = NOW, key: bytes = KEY) -> str:
    return make_code(
        master_key=key, shift_book=BOOK, shift=shift, direction=Direction.ARRIVE, now=at
    )


OWN, FOREIGN = "路口文明劝导", "河道清洁"
POLICY = "/district/policies/cn.stars/stars"
MATRIX = {
    # path                                            anonymous, volunteer, organizer, officer
    "/": (200, 200, 200, 200),
    "/static/{name}": (200, 200, 200, 200),
    "/dictionary": (200, 200, 200, 200),
    "/dictionary.json": (200, 200, 200, 200),
    "/sign-in": (200, 303, 303, 303),
    "/home": (303, 303, 303, 303),
    "/enrol": (303, 303, 200, 200),
    "/outbox": (404, 404, 404, 404),
    "/_components": (404, 404, 404, 404),
    "/c/{code}": (303, 303, 303, 303),
    "/scan": (400, 400, 400, 400),
    "/scan/camera": (200, 200, 200, 200),
    "/me/code": (303, 200, 403, 403),
    "/p/{code}": (200, 200, 200, 200),
    "/organizer/shifts/{book}/{shift}/kiosk": (303, 403, 200, 403),
    "/kiosk": (403, 403, 403, 403),
    "/organizer/shifts/{book}/{shift}/door": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}/door/people": (303, 403, 200, 403),
    "/district": (303, 403, 403, 200),
    "/district/live": (303, 403, 403, 200),
    "/district/course": (303, 403, 403, 200),
    "/district/compare": (303, 403, 403, 200),
    "/district/groups": (303, 403, 403, 200),
    "/district/groups/{file}": (303, 403, 403, 200),
    "/district/active-rate.csv": (303, 403, 403, 200),
    "/district/active-rate.xlsx": (303, 403, 403, 200),
    "/publications": (200, 200, 200, 200),
    "/publications/{reference}": (404, 404, 404, 404),
    "/publications/{reference}/publication.json": (404, 404, 404, 404),
    "/publications/{reference}/publication.pdf": (404, 404, 404, 404),
    "/publications/{reference}/publication.xlsx": (404, 404, 404, 404),
    "/district/publications": (303, 403, 403, 200),
    "/district/policies": (303, 403, 403, 200),
    "/district/policies/what-if": (303, 403, 403, 200),
    "/district/policies/people": (303, 403, 403, 200),
    "/district/policies/drafts": (303, 403, 403, 200),
    "/district/policies/drafts/{digest}": (303, 403, 403, 404),
    "/district/policies/drafts/{digest}/file": (303, 403, 403, 404),
    "/district/policies/drafts/{digest}/add": (303, 403, 403, 404),
    "/organizer/members": (303, 403, 200, 403),
    "/me/why": (303, 200, 403, 403),
    "/district/policies/{pack_id}/{rule_id}": (303, 403, 403, 200),
    "/district/exchange": (303, 403, 403, 200),
    "/district/programs": (303, 403, 403, 200),
    "/district/definitions": (303, 403, 403, 200),
    "/me/honours": (303, 200, 403, 403),
    "/me/benefits": (303, 200, 403, 403),
    "/me/purse": (303, 200, 403, 403),
    "/me/vouchers/{number}": (303, 200, 403, 403),
    "/me/vouchers/{book}/{number}": (303, 200, 403, 403),
    "/v/{code}": (200, 200, 200, 200),
    "/partner": (303, 403, 403, 403),
    "/publicity": (200, 200, 200, 200),
    "/district/grants": (303, 403, 403, 200),
    "/district/debts": (303, 403, 403, 200),
    "/district/selections": (303, 403, 403, 200),
    "/district/selections/{book}/{number}": (303, 403, 403, 404),
    "/selections/{book}/{number}": (404, 404, 404, 404),
    "/selections/{book}/{number}/draw.json": (404, 404, 404, 404),
    "/district/pools": (303, 403, 403, 200),
    "/district/partners": (303, 403, 403, 200),
    "/district/settlements.csv": (303, 403, 403, 200),
    "/me": (303, 200, 403, 403),
    "/activities": (200, 200, 200, 200),
    "/activities/month": (200, 200, 200, 200),
    "/activities/{book}/{activity}": (200, 200, 200, 200),
    "/me/records": (303, 200, 403, 403),
    "/me/records/{seq}/proof": (303, 404, 403, 403),
    "/log/{book}/checkpoint": (404, 404, 404, 404),
    "/log/{book}/vkey": (404, 404, 404, 404),
    "/log/{book}/tile/{path}": (404, 404, 404, 404),
    "/log/{book}/notices/checkpoint": (404, 404, 404, 404),
    "/log/{book}/notices/tile/{path}": (404, 404, 404, 404),
    "/verify_log.py": (200, 200, 200, 200),
    "/verify": (200, 200, 200, 200),
    "/me/records/{seq}/objection": (303, 404, 403, 403),
    "/me/objections/{objection}": (303, 404, 403, 403),
    "/organizer/objections": (303, 403, 200, 403),
    "/organizer/objections/{book}/{objection}": (303, 403, 200, 403),
    "/district/objections": (303, 403, 403, 200),
    "/district/objections/{book}/{objection}": (303, 403, 403, 200),
    "/organizer": (303, 403, 200, 403),
    "/organizer/activities/new": (303, 403, 200, 403),
    "/organizer/activities/{book}/{activity}": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}": (303, 403, 200, 403),
    "/district/approvals": (303, 403, 200, 200),
    "/organizer/approvals": (303, 403, 200, 200),
    "/district/approvals/{book}/{number}": (303, 403, 404, 404),
    "/organizer/approvals/{book}/{number}": (303, 403, 404, 404),
    "/organizer/offline": (303, 403, 200, 403),
    "/organizer/offline/worker.js": (200, 200, 200, 200),
    "/organizer/offline/manifest.webmanifest": (200, 200, 200, 200),
    "/c/kept": (200, 200, 200, 200),
    "/c/worker.js": (200, 200, 200, 200),
    "/organizer/shifts/{book}/{shift}/uploads": (303, 403, 200, 403),
    "/me/helpers": (303, 200, 403, 403),
    "/me/profile": (303, 200, 403, 403),
    "/organizer/consents": (303, 403, 200, 403),
    "/help": (303, 200, 200, 200),
    "/help/{book}/{number}": (303, 404, 404, 404),
    "/me/card": (303, 200, 403, 403),
    "/me/card.pdf": (303, 404, 403, 403),
    "/organizer/shifts/{book}/{shift}/cards": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}/sheet.pdf": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}/paper": (303, 403, 200, 403),
    "/organizer/calendar": (303, 403, 200, 403),
    "/me/calendar": (303, 200, 403, 403),
    "/me/papers": (303, 200, 403, 403),
    "/organizer/papers": (303, 403, 200, 403),
    "/calendar/{name}": (404, 404, 404, 404),
    "/organizer/shifts/{book}/{shift}/messages": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}/places": (303, 403, 200, 403),
    "/district/entries": (303, 403, 403, 200),
    "/district/entries/{book}/{seq}": (303, 403, 403, 200),
    "/organizer/shifts/{book}/{shift}/reach": (303, 403, 200, 403),
    "/district/review": (303, 403, 403, 200),
    "/district/review/signal": (303, 403, 403, 400),
    "/district/review/thresholds": (303, 403, 403, 200),
    "/district/samples": (303, 403, 403, 200),
    "/district/samples/{book}/{number}": (303, 403, 403, 404),
    "/samples/{book}/{number}": (404, 404, 404, 404),
    "/organizer/shifts/{book}/{shift}/code": (303, 403, 200, 403),
    "/organizer/shifts/{book}/{shift}/code/fragment": (303, 403, 200, 403),
    "/api/reports/active-rate": (401, 403, 403, 200),
    "/api/entries": (401, 403, 403, 400),
    "/api/numbers": (401, 403, 403, 400),
    "/api/schema/openapi.json": (200, 200, 200, 200),
    "/api/schema": (200, 200, 200, 200),
    "/api/schema/{path}": (404, 404, 404, 404),
}


def rules_of(app: Application) -> dict[tuple[str, str], object]:
    return {
        (method, route.path_format): handler.opt.get("rule")
        for route in app.litestar.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if method != "OPTIONS"
    }


async def test_every_route_states_its_rule(app: Application) -> None:
    assert [route for route, rule in rules_of(app).items() if rule is None] == []


async def test_who_gets_which_page(app: Application, owner: asyncpg.Connection) -> None:
    activity, shift = await shift_of(owner, OWN)
    asset = load_assets().address("app.css").removeprefix("/static/")
    values = {
        "{name}": asset,
        "{code}": code_of(shift),
        "{book}": str(BOOK),
        "{activity}": str(activity),
        "{shift}": str(shift),
        "{pack_id}": "cn.stars",
        "{rule_id}": "stars",
        "{seq}": "1",
        "{number}": "1",
        "{objection}": "1",
        "{file}": "field.csv",
    }
    everybody = [
        Visitor(app),
        await Visitor(app).enter("volunteer"),
        await Visitor(app).enter("organizer"),
        await Visitor(app).enter("officer"),
    ]
    found: dict[str, tuple[int, ...]] = {}
    for method, path in rules_of(app):
        if method != "GET":
            continue
        address = path
        for name, value in values.items():
            address = address.replace(name, value)
        if "active-rate" in path:
            address += "?year=2024"
        if "groups/" in path:
            address += "?period=2024"
        statuses = []
        for visitor in everybody:
            if path == "/scan" and "timebank_receipt" in visitor.http.cookies:
                visitor.http.cookies.delete("timebank_receipt")
            statuses.append((await visitor.get(address)).status_code)
        found[path] = tuple(statuses)
    assert found == MATRIX


def is_hardened(answer: httpx.Response) -> bool:
    return all(answer.headers.get(name) == value for name, value in HEADERS.items())


async def test_every_answer_is_hardened_and_says_nothing_of_the_inside(app: Application) -> None:
    visitor = Visitor(app)
    signed_in = await Visitor(app).enter("volunteer")
    answers = [
        await visitor.get("/"),
        await visitor.get("/me"),
        await visitor.get("/nowhere"),
        await visitor.get(load_assets().address("app.css")),
        await visitor.get("/static/nothing.css"),
        await visitor.get("/c/hello"),
        await visitor.http.post("/sign-in", data={}),
        await visitor.http.put("/sign-in"),
        await visitor.http.options("/sign-in"),
        await visitor.http.head("/sign-in"),
        await signed_in.get("/district"),
        await visitor.get("/api/reports/active-rate?year=2024"),
        await visitor.get("/api/nowhere"),
        await visitor.http.post("/api/checkins", json={}),
        await signed_in.http.post("/api/checkins", json={"receipt": "hello"}),
        await signed_in.post("/enrol", {"name": "x" * 70_000}),
    ]
    assert [str(each.request) for each in answers if not is_hardened(each)] == []
    for each in answers:
        assert not re.search(r"Traceback|asyncpg|sqlalchemy|litestar|(?<![-\w])select ", each.text)
        assert "server" not in each.headers


async def test_a_defect_is_answered_with_a_page_that_says_nothing(clock: Clock) -> None:
    # Nobody listens there: every page that reads meets an error that nobody foresaw.
    nothing = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    async with opened(nothing, clock, url=HTTPS, is_demo=False) as app:
        visitor = Visitor(app)
    headers = {"cookie": f"{COOKIE}=any"}

    page = await visitor.get("/")
    report = await visitor.get("/api/reports/active-rate?year=2024", headers=headers)
    checkin = await visitor.http.post("/api/checkins", json={"receipt": "x"}, headers=headers)

    assert [each.status_code for each in (page, report, checkin)] == [500, 500, 500]
    assert "<h1" in page.text
    assert report.json()["code"] == checkin.json()["code"] == "error.500"
    assert all(is_hardened(each) for each in (page, report, checkin))
    assert not re.search(r"127\.0\.0\.1|refused|Error", page.text + report.text + checkin.text)


async def test_head_is_get_without_a_body_and_other_methods_are_refused(app: Application) -> None:
    visitor = Visitor(app)
    whole = await visitor.get("/sign-in")
    head = await visitor.http.head("/sign-in")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert (await visitor.http.options("/sign-in")).status_code == 204
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await visitor.http.request(method, "/sign-in")).status_code == 405


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("foreign", 400, "scan.foreign_code"),
        ("forged", 403, "scan.forged_code"),
        ("another server's", 403, "scan.forged_code"),
        ("stale", 410, "scan.expired_code"),
        ("of tomorrow", 410, "scan.expired_code"),
        ("very long", 400, "scan.foreign_code"),
    ],
)
async def test_a_code_that_is_not_on_the_wall_now_starts_nothing(
    app: Application, owner: asyncpg.Connection, case: str, status: int, code: str
) -> None:
    _, shift = await shift_of(owner, OWN)
    good = code_of(shift)
    text = {
        "foreign": "hello",
        "forged": ("A" if good[-5] != "A" else "B").join((good[:-5], good[-4:])),
        "another server's": code_of(shift, key=b"x" * 32),
        "stale": code_of(shift, at=NOW - timedelta(seconds=14)),
        "of tomorrow": code_of(shift, at=NOW + timedelta(days=1)),
        "very long": good * 200,
    }[case]
    visitor = await Visitor(app).enter("volunteer")
    before = await count_rows(owner)

    answer = await visitor.get(f"/c/{text}")

    assert answer.status_code == status
    assert code in answer.text
    assert "timebank_receipt" not in answer.cookies
    assert await count_rows(owner) == before


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("forged", 403, "scan.forged_code"),
        ("of another browser", 410, "scan.expired_code"),
        ("old", 410, "scan.expired_code"),
        ("not ASCII", 410, "scan.expired_code"),
        ("of a closed shift", 409, "scan.shift_closed"),
        ("of no shift", 404, "scan.shift_not_found"),
        ("without a place", 409, "scan.not_signed_up"),
    ],
)
async def test_a_receipt_that_proves_nothing_writes_nothing(
    app: Application, owner: asyncpg.Connection, case: str, status: int, code: str
) -> None:
    _, shift = await shift_of(owner, FOREIGN if case == "without a place" else OWN)
    if case == "of a closed shift":
        shift = await owner.fetchval(
            "insert into shift (book_id, id, activity_id, starts_at, ends_at, places, closed_at)"
            " select book_id, $1, activity_id, starts_at, ends_at, places, $2 from shift"
            " where book_id = $3 and id = $4 returning id",
            900_000,
            NOW,
            BOOK,
            shift,
        )
    at = NOW - timedelta(minutes=11) if case == "old" else NOW
    shown = 999_999_999 if case == "of no shift" else shift
    key = b"x" * 32 if case == "forged" else KEY
    scan = Scan(BOOK, shown, Direction.ARRIVE, at)
    receipt = make_receipt(scan, master_key=key, nonce=b"12345678")
    visitor = await Visitor(app).enter("volunteer")
    if case != "of another browser":
        visitor.http.cookies.set("timebank_receipt", receipt)
    before = await count_rows(owner)

    answer = await visitor.post("/scan", {"receipt": "收据" if case == "not ASCII" else receipt})

    assert (answer.status_code, code in answer.text) == (status, True)
    assert await count_rows(owner) == before


async def test_another_organizations_shift_is_not_there(
    app: Application, owner: asyncpg.Connection
) -> None:
    organizer = await Visitor(app).enter("organizer")
    activity, shift = await shift_of(owner, FOREIGN)
    form = {"day": "2026-06-12", "starts": "09:00", "ends": "11:00", "places": "5"}
    before = await count_rows(owner)
    answers = [
        await organizer.get(f"/organizer/activities/{BOOK}/{activity}"),
        await organizer.post(f"/organizer/activities/{BOOK}/{activity}/shifts", form),
        await organizer.get(f"/organizer/shifts/{BOOK}/{shift}"),
        await organizer.get(f"/organizer/shifts/{BOOK}/{shift}/code"),
        await organizer.get(f"/organizer/shifts/{BOOK}/{shift}/code/fragment"),
        await organizer.post(f"/organizer/shifts/{BOOK}/{shift}/closure"),
    ]
    assert [each.status_code for each in answers] == [404] * 6
    assert await count_rows(owner) == before


@pytest.mark.parametrize("who", ["volunteer", "organizer"])
async def test_only_the_office_runs_policies(
    app: Application, owner: asyncpg.Connection, who: str
) -> None:
    visitor = await Visitor(app).enter(who)
    before = await count_rows(owner)
    assert (await visitor.post(f"{POLICY}/runs", {"period": "2026-06-10"})).status_code == 403
    assert await count_rows(owner) == before


@pytest.mark.parametrize(
    "region", ["330421", "330400", "33", "110000", "330424000001", "abc", "", "３３０４２４", "1e5"]
)
async def test_an_officer_sees_no_other_division(app: Application, region: str) -> None:
    officer = await Visitor(app).enter("officer")
    for path in (
        "/district",
        "/district/active-rate.csv",
        "/district/active-rate.xlsx",
        "/api/reports/active-rate",
    ):
        answer = await officer.get(path, params={"region": region, "year": "2024"})
        assert (path, answer.status_code) == (path, 404)


@pytest.mark.parametrize("case", ["no token", "of another browser", "made up", "no cookie"])
async def test_a_form_of_another_site_is_refused(
    app: Application, owner: asyncpg.Connection, case: str
) -> None:
    victim = await Visitor(app).enter("volunteer")
    attacker = Visitor(app)
    for each in (victim, attacker):
        await each.get("/sign-in")
    activity, shift = await shift_of(owner, FOREIGN)
    token = {
        "no token": None,
        "of another browser": attacker.http.cookies["timebank_csrf"],
        "made up": "0" * 128,
        "no cookie": victim.http.cookies["timebank_csrf"],
    }[case]
    if case == "no cookie":
        victim.http.cookies.delete("timebank_csrf")
    before = await count_rows(owner)

    answer = await victim.http.post(
        f"/shifts/{BOOK}/{shift}/signup?activity={activity}",
        data={} if token is None else {"_csrf_token": token},
    )

    assert (answer.status_code, "error.403" in answer.text) == (403, True)
    assert await count_rows(owner) == before


async def test_a_flood_is_refused_with_its_page(
    app: Application, owner: asyncpg.Connection
) -> None:
    organizer = await Visitor(app).enter("organizer")
    await organizer.get("/sign-in")
    before = await count_rows(owner)
    for flood in ({"title": "x" * 1_000_000}, {"title": "x" * 10_000_000}):
        answer = await organizer.post("/organizer/activities", flood)
        assert (answer.status_code, "error.413" in answer.text) == (413, True)
    many = await organizer.post("/organizer/activities", {f"f{n}": "x" for n in range(5_000)})
    assert many.status_code in {413, 422}
    assert await count_rows(owner) == before


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
SQL = "'); drop table transfer; --"
ACTIVITY = {
    "title": "河边清扫",
    "service_field": "environment",
    "village": "330424001029",
    "place": "桥头",
    "in_charge": "值班社工",
    "description": "带手套",
}


@pytest.mark.parametrize("text", [SCRIPT, SQL, "{{ 7 * 7 }} {% raw %} ${7*7} %(x)s :x $1"])
async def test_what_was_typed_is_shown_and_never_carried_out(
    app: Application, owner: asyncpg.Connection, text: str
) -> None:
    organizer = await Visitor(app).enter("organizer")
    form = {**ACTIVITY, "title": text[:60], "place": text, "in_charge": text[:50]}
    form["description"] = text

    published = await organizer.post("/organizer/activities", form)
    assert published.status_code == 303
    own = published.headers["location"]
    for path in (own, own.removeprefix("/organizer").split("?")[0]):
        page = await Visitor(app).get(path) if path.startswith("/act") else await organizer.get(own)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", page.text)[0]
    stored = await owner.fetchval("select address from activity order by created_at desc, id desc")
    assert stored == text


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "\x00\x07"},
        {"title": "x" * 61},
        {"title": "x" * 201},
        {"service_field": SQL},
        {"village": "330424999999"},
        {"village": SQL},
        {"village": "９" * 12},
        {"description": "\x00"},
        {"place": "\u202e\u200b"},
        {"in_charge": ""},
    ],
)
async def test_a_form_that_cannot_be_publishes_nothing(
    app: Application, owner: asyncpg.Connection, wrong: dict[str, str]
) -> None:
    organizer = await Visitor(app).enter("organizer")
    before = await count_rows(owner)
    answer = await organizer.post("/organizer/activities", {**ACTIVITY, **wrong})
    assert answer.status_code in {400, 422}
    assert await count_rows(owner) == before


async def test_characters_that_do_not_print_are_left_out(
    app: Application, owner: asyncpg.Connection
) -> None:
    organizer = await Visitor(app).enter("organizer")
    title = "清\x00扫\x1b[31m河\u202e道"
    answer = await organizer.post("/organizer/activities", {**ACTIVITY, "title": title})
    assert answer.status_code == 303
    assert await owner.fetchval("select count(*) from activity where title = '清扫[31m河道'") == 1


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"\xff\xfe%ff=%00&=&&", "application/x-www-form-urlencoded"),
        (b'{"title": "x"}', "application/json"),
        (b"<x/>", "text/xml"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"", ""),
    ],
)
async def test_a_body_of_another_kind_is_refused(
    app: Application, owner: asyncpg.Connection, body: bytes, media_type: str
) -> None:
    organizer = await Visitor(app).enter("organizer")
    await organizer.get("/sign-in")
    headers = {"x-csrftoken": organizer.http.cookies["timebank_csrf"], "content-type": media_type}
    before = await count_rows(owner)
    for path in ("/organizer/activities", "/enrol", "/sign-in", "/preferences", "/scan"):
        answer = await organizer.http.post(path, content=body, headers=headers)
        assert (path, 300 <= answer.status_code < 500) == (path, True)
    assert await count_rows(owner) == before


ENROL = {"name": "示例新人", "village": "330424001029", "consent": "yes"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "\x00\x00\x00"},
        {"name": "x" * 31},
        {"name": " "},
        {"village": "330424999999"},
        {"village": "330424101000"},
        {"village": "330421001001"},
        {"village": SQL},
        {"village": ""},
        {"consent": ""},
    ],
)
async def test_nobody_is_enrolled_with_what_cannot_be(
    app: Application, owner: asyncpg.Connection, wrong: dict[str, str]
) -> None:
    officer = await Visitor(app).enter("officer")
    before = await count_rows(owner)
    answer = await officer.post("/enrol", {**ENROL, **wrong})
    assert answer.status_code == 422
    assert "<form" in answer.text
    assert await count_rows(owner) == before


async def test_who_enrols_can_say_that_they_are_of_age(
    app: Application, owner: asyncpg.Connection
) -> None:
    for phone, of_age in (("13912350011", ""), ("13912350012", "yes")):
        visitor = Visitor(app)
        await sign_in(visitor, owner, phone)
        assert (await visitor.post("/enrol", ENROL | {"of_age": of_age})).status_code == 303
        said = await owner.fetchval(
            "select of_age_from from person where phone_mac = $1", phone_mac_of(Seal(KEY), phone)
        )
        assert (said is not None) == (of_age == "yes")


ODD_ADDRESSES = [
    "/activities/330424/99999999999999999999",
    "/activities/99999999999/1",
    "/activities/-1/-1",
    "/activities/0/0",
    "/activities/330424/9223372036854775808",
    "/activities?day=0001-01-01",
    "/activities/month?month=0001-01",
    "/activities/month?month=9999-12",
    "/activities/month?month=2200-12&town=%00",
    "/activities?day=9999-12-31",
    "/activities?field=%00&town=%00",
    "/activities?town=330424101",
    "/activities?town=999999999999",
    "/activities?after=9999999999999999-99999999999999-999999999999999999999",
    "/activities?after=-1-1-1",
    "/activities?after=%F0%9F%8F%81",
    "/me/records?year=1980",
    "/me/records?year=2200",
    "/organizer?day=0001-01-01",
    "/organizer?day=9999-12-31",
    "/organizer?day=%00",
    "/organizer/activities/330424/99999999999999999999",
    "/organizer/shifts/99999999999/1",
    "/organizer/shifts/330424/9223372036854775808",
    "/organizer/shifts/330424/9223372036854775808/code",
    "/organizer/shifts/330424/1/code?purpose=%00",
    "/district?year=2000",
    "/district?year=2100",
    "/district?year=0",
    "/district?year=1e3",
    "/district?region=%00&year=2024",
    "/district/policies/%00/%00",
    "/district/policies/cn.stars/..%2fstars",
    "/api/reports/active-rate?year=2100",
    "/api/reports/active-rate?year=99999999999999999999",
    "/c/%00",
    "/c/%E2%98%83",
    "/static/%00",
    "/sign-in?return_to=%00",
    "/" + "x" * 8_000,
    "/?" + "x=1&" * 2_000,
]


@pytest.mark.parametrize("address", ODD_ADDRESSES, ids=[each[:60] for each in ODD_ADDRESSES])
async def test_an_odd_address_is_answered_and_never_a_defect(
    app: Application, address: str
) -> None:
    for who in ("volunteer", "organizer", "officer"):
        visitor = await Visitor(app).enter(who)
        answer = await visitor.get(address)
        assert (who, answer.status_code < 500) == (who, True)


@pytest.mark.parametrize(
    "path",
    [
        "/shifts/330424/99999999999999999999/signup?activity=1",
        "/shifts/99999999999/1/signup?activity=1",
        "/shifts/330424/1/signup?activity=99999999999999999999",
        "/shifts/330424/1/withdrawal?activity=99999999999999999999",
        "/organizer/shifts/330424/99999999999999999999/closure",
        "/organizer/activities/330424/99999999999999999999/shifts",
    ],
)
async def test_a_number_too_large_writes_nothing(
    app: Application, owner: asyncpg.Connection, path: str
) -> None:
    form = {"day": "2026-06-12", "starts": "09:00", "ends": "11:00", "places": "5"}
    before = await count_rows(owner)
    for who in ("volunteer", "organizer"):
        visitor = await Visitor(app).enter(who)
        before["sign_in"] += 1
        answer = await visitor.post(path, form)
        assert (who, answer.status_code in {400, 403, 404, 409}) == (who, True)
    assert await count_rows(owner) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": "9999-12-31"},
        {"day": "9999-12-31", "ends": "08:00"},
        {"day": "0001-01-01"},
        {"day": "tomorrow"},
        {"starts": "25:00"},
        {"starts": "\x00"},
        {"ends": "09:00"},
        {"places": "0"},
        {"places": "-5"},
        {"places": "9" * 200},
        {"places": "５"},
    ],
)
async def test_a_shift_that_cannot_be_is_not_added(
    app: Application, owner: asyncpg.Connection, wrong: dict[str, str]
) -> None:
    organizer = await Visitor(app).enter("organizer")
    activity, _ = await shift_of(owner, OWN)
    form = {"day": "2026-06-12", "starts": "09:00", "ends": "11:00", "places": "5", **wrong}
    before = await count_rows(owner)
    answer = await organizer.post(f"/organizer/activities/{BOOK}/{activity}/shifts", form)
    assert answer.status_code == 422
    assert await count_rows(owner) == before


@pytest.mark.parametrize(
    "departure",
    [
        ("left_at.", "09:00"),
        ("left_at.x", "09:00"),
        ("left_at.330424-1", "25:61"),
        ("left_at.330424-99999999999999999999", "09:00"),
        ("left_at.99999999999-1", "09:00"),
        ("left_at.330424-1", "09:00"),
    ],
)
async def test_a_departure_of_nobody_closes_nothing(
    app: Application, owner: asyncpg.Connection, clock: Clock, departure: tuple[str, str]
) -> None:
    organizer = await Visitor(app).enter("organizer")
    _, shift = await shift_of(owner, OWN)
    clock.pass_by(timedelta(hours=4))
    before = await count_rows(owner)
    answer = await organizer.post(f"/organizer/shifts/{BOOK}/{shift}/closure", dict([departure]))
    assert answer.status_code in {409, 422}
    assert await count_rows(owner) == before
    assert await owner.fetchval("select closed_at from shift where id = $1", shift) is None


ELSEWHERE = [
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/\r\n/evil.test",
    "https://evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.test",
    " //evil.test",
    "/" + "x" * 600,
]


@pytest.mark.parametrize("url", ELSEWHERE, ids=[repr(each)[:30] for each in ELSEWHERE])
async def test_nobody_is_sent_elsewhere(demo: Application, url: str) -> None:
    somebody = await Visitor(demo).enter("volunteer")
    stranger = Visitor(demo)
    answers = [
        await somebody.get("/sign-in", params={"return_to": url}),
        await somebody.get("/enrol", params={"return_to": url}),
        await somebody.post("/preferences", {"language": "en", "return_to": url}),
    ]
    form = await stranger.get("/sign-in", params={"return_to": url})
    assert 'name="return_to" value=""' in form.text
    for each in answers:
        if each.status_code == 400 and len(url) > 500:
            continue
        location = each.headers["location"]
        assert re.match(r"/(?![/\\])", location), location
        assert "evil" not in location


async def test_the_host_that_a_request_names_is_not_believed(demo: Application) -> None:
    visitor = Visitor(demo)
    headers = {"host": "evil.test", "x-forwarded-host": "evil.test", "forwarded": "host=evil.test"}
    for path in ("/", "/me", "/sign-in", "/nowhere", "/_components"):
        answer = await visitor.get(path, headers=headers)
        assert "evil.test" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/settings.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/css/tokens.css",
        "/static/app.css%00.png",
        "/static/",
    ],
)
async def test_only_known_files_are_sent(app: Application, path: str) -> None:
    assert (await Visitor(app).get(path)).status_code == 404


async def test_the_doors_of_the_demo_are_closed_elsewhere(
    app: Application, owner: asyncpg.Connection
) -> None:
    visitor = Visitor(app)
    before = await count_rows(owner)
    assert (await visitor.post("/demo/sign-ins", {"actor": "officer"})).status_code == 404
    assert (await visitor.get("/outbox")).status_code == 404
    assert (await visitor.get("/_components")).status_code == 404
    landing = (await visitor.get("/")).text
    assert "/demo/" not in landing
    assert "/outbox" not in landing
    assert await count_rows(owner) == before


async def test_the_demo_lets_in_its_own_people_only(
    demo: Application, owner: asyncpg.Connection
) -> None:
    visitor = Visitor(demo)
    before = await count_rows(owner)
    for actor in ("", "administrator", "../officer", "13800000003"):
        assert (await visitor.post("/demo/sign-ins", {"actor": actor})).status_code == 404
    assert await count_rows(owner) == before


async def sign_in(visitor: Visitor, owner: asyncpg.Connection, phone: str) -> httpx.Response:
    """Sign in by phone; the code is taken from the sealed outbox with the server's own key."""
    await visitor.post("/sign-in/codes", {"phone": phone})
    sealed = await owner.fetchval("select text_sealed from outbox order by queued_at desc limit 1")
    found = re.search(r"\d{6}", Seal(KEY).open(sealed))
    assert found
    return await visitor.post("/sign-in", {"phone": phone, "code": found[0]})


async def test_a_sign_in_has_a_token_of_its_own_and_ends_at_once(
    app: Application, owner: asyncpg.Connection, clock: Clock
) -> None:
    clock.pass_by(timedelta(days=2))
    visitor = Visitor(app)
    planted = "planted-by-somebody-else-planted-by-somebody-else"
    visitor.http.cookies.set(COOKIE, planted, domain="timebank.test")
    entered = await sign_in(visitor, owner, "13912350001")
    token = entered.cookies[COOKIE]
    clock.pass_by(timedelta(minutes=2))
    other = Visitor(app)
    again = (await sign_in(other, owner, "13912350001")).cookies[COOKIE]

    assert entered.status_code == 303
    assert len({planted, token, again}) == 3
    stored = [row[0] for row in await owner.fetch("select token_hash from sign_in")]
    assert token_hash_of(token.encode()) in stored
    assert token_hash_of(planted.encode()) not in stored
    assert token.encode() not in stored

    one = Visitor(app)
    one.http.cookies.set(COOKIE, token)
    assert (await one.get("/enrol")).status_code == 200
    out = await one.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert f'{COOKIE}=""' in out.headers["set-cookie"] or f"{COOKIE}=;" in out.headers["set-cookie"]
    thief = Visitor(app)
    thief.http.cookies.set(COOKIE, token)
    assert (await thief.get("/enrol")).status_code == 303
    assert (await other.get("/enrol")).status_code == 200


@pytest.mark.parametrize(("base", "is_secure"), [(HTTPS, True), (HTTP, False)])
async def test_cookies_are_for_this_server_alone(
    county: str, owner: asyncpg.Connection, clock: Clock, base: str, is_secure: bool
) -> None:
    _, shift = await shift_of(owner, OWN)
    async with opened(county, clock, url=base, is_demo=True) as app:
        visitor = Visitor(app)
        answers = [
            await visitor.get("/sign-in"),
            await visitor.post("/demo/sign-ins", {"actor": "volunteer"}),
            await visitor.post("/preferences", {"language": "en", "type": "large"}),
            await visitor.get(f"/c/{code_of(shift)}"),
            await visitor.post("/sign-out"),
        ]
    cookies = [value for each in answers for value in each.headers.get_list("set-cookie")]
    names = {each.partition("=")[0] for each in cookies}
    assert names == {
        "timebank_csrf",
        COOKIE,
        "timebank_language",
        "timebank_type",
        "timebank_receipt",
    }
    for each in cookies:
        flags = {part.strip().lower() for part in each.split(";")[1:]}
        assert {"httponly", "samesite=lax"} <= flags, each
        assert ("secure" in flags) is is_secure, each
        assert not any(flag.startswith("domain") for flag in flags), each


async def test_codes_are_sent_to_one_address_at_a_bounded_rate(
    app: Application, owner: asyncpg.Connection
) -> None:
    visitor = Visitor(app)
    await visitor.get("/sign-in")
    statuses = []
    for number in range(21):
        visitor.http.headers["x-forwarded-for"] = f"192.0.2.{number}"
        phone = f"139123600{number:02}"
        statuses.append((await visitor.post("/sign-in/codes", {"phone": phone})).status_code)
    before = await count_rows(owner)
    refused = await visitor.post("/sign-in/codes", {"phone": "13912360099"})

    assert statuses == [200] * 20 + [429]
    assert (refused.status_code, "error.429" in refused.text) == (429, True)
    assert is_hardened(refused)
    assert await count_rows(owner) == before

    # Who has just scanned a wall is counted with its shift: a hall has one address for everybody.
    _, shift = await shift_of(owner, OWN)
    await visitor.get(f"/c/{code_of(shift)}")
    assert (await visitor.post("/sign-in/codes", {"phone": "13912360099"})).status_code == 200
    visitor.http.cookies.delete("timebank_receipt")
    assert (await visitor.post("/sign-in/codes", {"phone": "13912360098"})).status_code == 429
    visitor.http.cookies.set("timebank_receipt", "forged")
    assert (await visitor.post("/sign-in/codes", {"phone": "13912360098"})).status_code == 429


async def test_a_volunteer_moves_house_and_only_to_where_there_is_a_book(
    app: Application, owner: asyncpg.Connection
) -> None:
    volunteer = await Visitor(app).enter("volunteer")
    shown = await volunteer.get("/me/profile")
    villages = [int(each) for each in re.findall(r'<option value="(\d{12})"', shown.text)]
    assert len(villages) > 100
    before = await count_rows(owner)
    elsewhere = await owner.fetchval(
        "select code from region where level = 'village' and code / 1000000 <> $1 limit 1", BOOK
    )
    for typed, code in (
        ("", "请选择您住的村或社区"),
        (f"{BOOK}000000", "move.village_unknown"),
        (str(elsewhere), "moving.county_not_open"),
    ):
        refused = await volunteer.post("/me/profile", {"village": typed})
        assert (refused.status_code, await count_rows(owner)) == (422, before)
        assert translator("zh")(code) in refused.text
    foreign = await volunteer.get(f"/me/profile?county={elsewhere // 1_000_000}")
    assert "<optgroup" not in foreign.text

    moved = await volunteer.post("/me/profile", {"village": str(villages[-1])})
    assert (moved.status_code, moved.headers["location"]) == (303, "/me/profile?done=moved")
    name = await owner.fetchval("select name from region where code = $1", villages[-1])
    home = re.search(r"常住地</dt><dd>([^<]+)<", (await volunteer.get("/me/profile")).text)
    assert home is not None
    assert home[1].endswith(name)


async def test_an_officer_finds_a_record_by_its_number_and_corrects_it_once(
    app: Application, owner: asyncpg.Connection
) -> None:
    seq = await owner.fetchval(
        "select max(seq) from transfer t where book_id = $1 and kind = 1 and place / 1000000 = $1"
        " and not exists (select from transfer r where r.book_id = $1 and r.reverses = t.seq)",
        BOOK,
    )
    officer = await Visitor(app).enter("officer")
    for typed in ("0", "9,999,999", "330481/1", "第一条"):
        assert (await officer.get(f"/district/entries?number={typed}")).status_code == 404
    found = await officer.get(f"/district/entries?number={seq:,}")
    url = found.headers["location"]
    assert url == f"/district/entries/{BOOK}/{seq}"
    assert (await officer.get(url)).status_code == 200
    before = await count_rows(owner)
    good = {"minutes": "7", "reason": "签到表上是七分钟", "proof": "签到表 17 号"}
    for wrong, code in (
        ({"reason": ""}, "correction.reason_length"),
        ({"proof": "-"}, "correction.evidence_length"),
        ({"minutes": "seven"}, "correction.minutes_out_of_range"),
        ({"minutes": "", "reason": "x" * 501}, "correction.reason_length"),
    ):
        refused = await officer.post(url, good | wrong)
        assert (refused.status_code, await count_rows(owner)) == (422, before)
        assert translator("zh")(code) in refused.text
    for role in ("volunteer", "organizer"):
        assert (await (await Visitor(app).enter(role)).post(url, good)).status_code == 403

    corrected = await officer.post(url, good)
    instead = corrected.headers["location"].partition("?")[0]
    again = await officer.post(url, good)
    shown, former = [await officer.get(each) for each in (instead, url)]

    assert (corrected.status_code, again.status_code) == (303, 422)
    assert f'href="{url}"' in shown.text
    assert f'href="{instead}"' in former.text
    assert "签到表 17 号" in former.text
    taken_back = await officer.post(instead, good | {"minutes": ""})
    assert taken_back.status_code == 303
    assert "签到表 17 号" in (await officer.get(instead)).text
    acts = await owner.fetch("select act from audit_event where subject like 'entry/%' order by at")
    assert [row["act"] for row in acts] == ["correct_service", "reverse_transfer"]


async def test_a_code_cannot_be_guessed(app: Application, owner: asyncpg.Connection) -> None:
    visitor = Visitor(app)
    await visitor.post("/sign-in/codes", {"phone": "13912370001"})
    sealed = await owner.fetchval("select text_sealed from outbox order by queued_at desc limit 1")
    found = re.search(r"\d{6}", Seal(KEY).open(sealed))
    assert found
    before = await count_rows(owner)
    for tried in range(5):
        guess = f"{(int(found[0]) + tried + 1) % 10**6:06}"
        answer = await visitor.post("/sign-in", {"phone": "13912370001", "code": guess})
        assert answer.status_code == 422
    late = await visitor.post("/sign-in", {"phone": "13912370001", "code": found[0]})
    assert late.status_code == 422
    assert COOKIE not in late.cookies
    assert await count_rows(owner) == before
