"""A hall full of people: everybody reads the wall at once, signs in, binds a phone and confirms.

Each has a browser of their own and goes the whole way over the pages: the code, the receipt, the
sign-in with a code from a text message, the binding of the phone's key, the confirmation that the
phone signs. Product, database and load share the machine. Measured is when the last one is in.

Goal: 500 people within 60 seconds on two cores.
"""

import argparse
import asyncio
import base64
import html
import os
import re
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

import asyncpg
import county
import httpx
from county import BOOK, OPENED, VILLAGE, County
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scan import serving

from timebank.domain.attendance import Direction
from timebank.domain.device_key import binding_message, scan_message
from timebank.domain.qr import make_code
from timebank.http import clock
from timebank.settings import read_master_key, read_settings
from timebank.store.people import Person, insert_people
from timebank.store.seal import Seal

GOAL_SECONDS = 60
SHIFT = 1_000_000


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def found_in(page: str, pattern: str) -> str:
    match = re.search(pattern, page)
    if match is None:
        raise SystemExit(f"no {pattern} in {page[:400]}")
    return html.unescape(match[1])


@dataclass(slots=True)
class Visitor:
    """One person with a phone."""

    phone: str
    browser: httpx.AsyncClient
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    took: float = 0.0

    async def post(self, url: str, page: str, **fields: object) -> httpx.Response:
        token = found_in(page, r'name="_csrf_token" value="([^"]+)"')
        return await self.browser.post(url, data={"_csrf_token": token, **fields})

    async def check_in(self, *, master_key: bytes, texts: "Texts") -> None:
        """Go the whole way, from the wall to the answer."""
        begun = time.perf_counter()
        code = make_code(
            master_key=master_key,
            shift_book=BOOK,
            shift=SHIFT,
            direction=Direction.ARRIVE,
            now=clock.now(),
        )
        page = (await self.browser.get(f"/c/{code}")).text
        page = (await self.post("/sign-in/codes", page, phone=self.phone, return_to="/scan")).text
        digits = await texts.code_of(self.phone)
        answer = await self.post("/sign-in", page, phone=self.phone, code=digits, return_to="/scan")
        page = answer.text
        public = base64url(self.key.public_key().public_bytes_raw())
        challenge = found_in(page, r'data-challenge="([^"]+)"')
        proof = base64url(self.key.sign(binding_message(challenge)))
        bound = await self.post("/me/device", page, kind=2, key=public, signature=proof)
        assert bound.json()["state"] == "bound", bound.text
        receipt = found_in(page, r'name="receipt" value="([^"]+)"')
        signed = base64url(self.key.sign(scan_message(receipt=receipt, place="")))
        answer = await self.post(
            "/scan", page, receipt=receipt, kind=2, key=public, signature=signed, place=""
        )
        assert answer.status_code == 200, answer.text[:400]
        assert "result-arrived" in answer.text, answer.text[:400]
        self.took = time.perf_counter() - begun


class Texts:
    """What was sent to phones, read from the outbox as a gateway would: each message once."""

    def __init__(self, conn: asyncpg.Connection, seal: Seal) -> None:
        self.conn, self.seal = conn, seal
        self.codes: dict[str, asyncio.Future[str]] = {}

    def code_of(self, phone: str) -> asyncio.Future[str]:
        return self.codes.setdefault(phone, asyncio.get_running_loop().create_future())

    async def deliver(self) -> None:
        """Hand out what comes in until cancelled."""
        read: set[object] = set()
        since = OPENED
        while True:
            rows = await self.conn.fetch(
                "select id, queued_at, phone_sealed, text_sealed from outbox where queued_at >= $1",
                since - timedelta(seconds=2),
            )
            for row in rows:
                since = max(since, row["queued_at"])
                if row["id"] not in read:
                    read.add(row["id"])
                    digits = found_in(self.seal.open(row["text_sealed"]), r"(\d{6})")
                    self.code_of(self.seal.open(row["phone_sealed"])).set_result(digits)
            await asyncio.sleep(0.1)


def browser(port: int) -> httpx.AsyncClient:
    """Return a browser of somebody's own, with connections of its own."""
    # As browsers do, it lets go of a connection before the server does.
    limits = httpx.Limits(keepalive_expiry=2)
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        transport=httpx.AsyncHTTPTransport(verify=False, limits=limits),
        follow_redirects=True,
        timeout=GOAL_SECONDS,
    )


async def measure(options: argparse.Namespace, found: County) -> bool:
    environment = {
        **os.environ,
        "TIMEBANK_DATA": str(found.folder),
        "TIMEBANK_DATABASE_URL": found.server.app_url,
        "TIMEBANK_OWNER_DATABASE_URL": found.server.owner_url,
        "TIMEBANK_MASTER_KEY_FILE": "",
    }
    master_key = read_master_key(read_settings(environment, is_root=False))
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=options.people)
    seal, now = Seal(master_key), clock.now()
    phones = [f"138{number:08}" for number in range(options.people)]
    ids = await conn.fetch("select person_id from volunteer order by id")
    people = [
        Person(row["person_id"], phone, "陈示例") for row, phone in zip(ids, phones, strict=True)
    ]
    db = found.database()
    async with db.write() as writer:
        await insert_people(writer, seal=seal, people=people, now=now)
    await db.close()
    await conn.execute(
        "insert into organization (book_id, id, name, kind, region, opened_at)"
        " values ($1, 1, '示例志愿服务队', 'team', $2, $3)",
        BOOK,
        VILLAGE,
        OPENED,
    )
    await conn.execute(
        "insert into activity (book_id, id, organization_id, title, field, content, address,"
        " region, in_charge, created_at, is_listed)"
        " values ($1, 1, 1, '植树', 2, '种树', '海滨公园', $2, '值班社工', $3, true)",
        BOOK,
        VILLAGE,
        OPENED,
    )
    await conn.execute(
        "insert into shift (book_id, id, activity_id, starts_at, ends_at, places)"
        " values ($1, $2, 1, $3, $4, $5)",
        BOOK,
        SHIFT,
        now,
        now + timedelta(hours=3),
        options.people,
    )
    await conn.execute(
        "insert into signup (book_id, volunteer_id, shift_book, shift_id, signed_up_at)"
        " select $1, id, $1, $2, $3 from volunteer",
        BOOK,
        SHIFT,
        now,
    )
    await county.print_conditions(found, "uvicorn", "uvloop", "httptools", "asyncpg", "httpx")
    texts = Texts(conn, seal)
    with serving(environment, workers=options.workers) as port:
        visitors = [Visitor(phone, browser(port)) for phone in phones]
        before = county.processor_seconds()
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as hall:
            delivery = hall.create_task(texts.deliver())
            arrivals = (each.check_in(master_key=master_key, texts=texts) for each in visitors)
            await asyncio.gather(*arrivals)
            delivery.cancel()
        took = time.perf_counter() - begun
        cost = county.processor_seconds() - before
        await asyncio.gather(*(each.browser.aclose() for each in visitors))
    rows = await conn.fetch(
        "select arrival_grade as grade, count(*) as count from attendance"
        " where shift_id = $1 group by 1",
        SHIFT,
    )
    await conn.close()
    grades = {row["grade"]: row["count"] for row in rows}
    times = sorted(each.took for each in visitors)
    print(
        f"{options.people} people in {took:.1f} s (goal {GOAL_SECONDS}); each: median"
        f" {median(times):.1f} s, slowest {times[-1]:.1f} s; recorded by grade: {grades};"
        f" {1e3 * cost / options.people:.0f} ms of processor each, load excepted"
    )
    is_whole = grades == {2: options.people}
    print(f"crowd: {GOAL_SECONDS / took:.1f} times as fast as asked" if is_whole else "WRONG")
    return is_whole and took <= GOAL_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2, help="server processes")
    options = parser.parse_args()
    with county.opened(connections=100) as found:
        return 0 if asyncio.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
