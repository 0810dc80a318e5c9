"""A whole shift without network: codes shown, people read, the browser killed, every record once.

The device is a browser with its own profile on disk; it is killed as a phone's battery kills it. A
camera reads the printed cards of two volunteers, one is read by what their card says, one named.
"""

import asyncio
import io
import json
import os
import re
import signal
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
import qrcode
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect
from tests.conftest import dsn
from tests.factories import BOOK, KEY
from tests.tools import find_browser
from tests.web.preview import FLAGS
from tests.web.site import Site
from tests.web.test_journeys import become_volunteer, open_as, open_fresh, publish

from timebank.app import APP_ROLE
from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.personal_code import make_card_code
from timebank.domain.qr import Scan, make_code, read_seen_code
from timebank.domain.volunteer_number import format_number
from timebank.ledger import audit
from timebank.ledger.audit import Finding

pytestmark = pytest.mark.needs_browser

T = TypeVar("T")

HAND = {"width": 360, "height": 740}
TRIES = 10
MINUTES_AWAY = 70


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine beside the browser's own loop."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result(timeout=60)


def query(site: Site, statement: str, *values: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn(site.database_url))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    return in_thread(run())


def find_broken(site: Site) -> list[Finding]:
    """Return what the audit finds in the county."""

    async def run() -> list[Finding]:
        db = Database(site.database_url, role=APP_ROLE)
        try:
            async with db.read() as conn:
                found = [
                    await audit.find_broken(conn, book=BOOK, rule=each) for each in audit.RULES
                ]
        finally:
            await db.close()
        return [each for each in found if each]

    return in_thread(run())


def film(path: Path, texts: list[str]) -> None:
    """Write a camera's film that shows one code after the other, each for a second."""
    frames = bytearray()
    for text in texts:
        picture = Image.new("L", (640, 480), 200)
        picture.paste(qrcode.make(text, border=4).get_image().resize((400, 400)), (120, 40))
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=85)
        frames += file.getvalue() * 15
    path.write_bytes(bytes(frames))


@contextmanager
def device(chromium: Browser, profile: Path, camera: Path) -> Iterator[BrowserContext]:
    context = chromium.browser_type.launch_persistent_context(
        profile,
        executable_path=find_browser(),
        viewport=HAND,
        locale="zh-CN",
        args=[
            *FLAGS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ],
        permissions=["camera"],
    )
    try:
        yield context
    finally:
        # One that was killed may not have been missed yet.
        with suppress(Error):
            context.close()


def kill(profile: Path) -> None:
    """Kill the browser of a profile at once, as an empty battery does."""
    wanted = f"--user-data-dir={profile}".encode()
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            arguments = (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in arguments and not any(one.startswith(b"--type=") for one in arguments):
            os.kill(int(each.name), signal.SIGKILL)


def type_in(page: Page, text: str) -> None:
    page.get_by_label("扫不了").fill(text)
    page.get_by_role("button", name="记下").click()
    expect(page.get_by_label("扫不了")).to_have_value("")


def newest_volunteers(site: Site, count: int) -> list[VolunteerId]:
    """Return volunteers who are nowhere now and have no card."""
    return [
        VolunteerId(BOOK, row["id"])
        for row in query(
            site,
            "select id from volunteer v where book_id = $1 and ended_at is null and person_id is"
            " not null and not exists (select from attendance t where t.book_id = v.book_id and"
            " t.volunteer_id = v.id and t.left_at is null) and not exists (select from card c where"
            " c.book_id = v.book_id and c.volunteer_id = v.id) order by id desc limit $2",
            BOOK,
            count,
        )
    ]


def state(page: Page) -> Any:
    return expect(page.locator("#state-words"))


def test_a_shift_without_network_is_recorded_once(
    site: Site, chromium: Browser, tmp_path: Path
) -> None:
    people = newest_volunteers(site, 4)
    filmed, walk_up, typed, named = people
    for each in people[:3]:
        query(
            site,
            "insert into card values ($1, $2, 1, $3)",
            each.book,
            each.id,
            site.clock(),
        )
    card = {each: make_card_code(master_key=KEY, volunteer=each, card=1) for each in people[:3]}
    camera, profile = tmp_path / "camera.mjpeg", tmp_path / "profile"
    film(camera, [card[filmed], card[walk_up]])

    with device(chromium, profile, camera) as context:
        page = context.pages[0]
        page.goto(site.url)
        page.locator(".door-organizer button").click()
        starts_at = site.clock().replace(second=0, microsecond=0)
        path = publish(page, site, title="山村走访", starts_at=starts_at, minutes=120)
        page.goto(f"{site.url}/organizer/activities{path}")
        page.locator("main ul.lines a.line").first.click()
        book, shift = (int(each) for each in re.findall(r"\d+", page.url)[-2:])
        query(
            site,
            "insert into signup (book_id, volunteer_id, shift_book, shift_id, signed_up_at)"
            " values ($1, $2, $3, $4, $5)",
            filmed.book,
            filmed.id,
            book,
            shift,
            site.clock(),
        )
        # The device learns here how far its own clock is from the site's, which stands still and may
        # have been moved by days: from now on it goes by its own.
        taken_at = page.evaluate("Date.now() / 1000")
        page.get_by_role("link", name="带到没网的地方").click()
        expect(page.locator("#code svg")).to_be_visible()
        expect(page.locator("#offline")).to_have_attribute("data-ready", "yes")

        context.set_offline(True)
        page.reload()
        state(page).to_contain_text("离线")
        page.locator(".offline-kit").click()
        expect(page.locator("#code svg")).to_be_visible()
        (shown,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))
        scan = read_seen_code(shown.text.rsplit("/", 1)[-1], master_key=KEY)
        assert isinstance(scan, Scan)
        assert (scan.shift_book, scan.shift) == (book, shift)
        assert abs(scan.at - site.clock()) < timedelta(minutes=2)

        page.get_by_role("button", name="扫人").click()
        state(page).to_contain_text("待上传 2 条", timeout=20_000)
        type_in(page, card[typed])
        type_in(page, format_number(named.book, named.id))
        state(page).to_have_text("离线 · 已存 4 条 · 待上传 4 条")
        kill(profile)

    camera.write_bytes(camera.read_bytes()[:-1])
    film(camera, ["https://example.invalid/"])
    with device(chromium, profile, camera) as context:
        # The battery may have taken the sign-in along as well.
        context.clear_cookies()
        context.set_offline(True)
        page = context.pages[0]
        page.clock.install(time=taken_at + MINUTES_AWAY * 60)
        page.goto(f"{site.url}/organizer/offline")
        state(page).to_have_text("离线 · 已存 4 条 · 待上传 4 条")
        page.locator(".offline-kit").click()
        page.get_by_role("button", name="签退").click()
        page.get_by_role("button", name="扫人").click()
        for each in (card[filmed], card[walk_up], card[typed], format_number(named.book, named.id)):
            type_in(page, each)
        state(page).to_contain_text("待上传 8 条")

        site.clock.pass_by(timedelta(minutes=MINUTES_AWAY + 2))
        answers: list[dict[str, Any]] = []

        def lose_the_answer(route: Route) -> None:
            answer = route.fetch()
            answers.append(json.loads(answer.text()))
            if len(answers) < TRIES:
                route.abort()
            else:
                route.fulfill(response=answer)

        context.set_offline(False)
        expect(page.get_by_role("alert")).to_contain_text("请重新登录")
        state(page).to_have_text("有网络 · 已存 8 条 · 待上传 8 条")
        page.goto(site.url)
        page.locator(".door-organizer button").click()
        context.route("**/api/offline/readings", lose_the_answer)
        page.goto(f"{site.url}/organizer/offline")
        page.locator(".offline-kit").click()
        page.get_by_role("button", name="已存", exact=True).click()
        while len(answers) < TRIES:
            page.get_by_role("button", name="现在上传").click()
            page.wait_for_timeout(100)
        state(page).to_contain_text("都上传了")
        assert len(answers) == TRIES
        outcomes = [each["outcomes"] for each in answers]
        assert len(outcomes[0]) == 8
        assert all(each == outcomes[0] for each in outcomes)
        assert {each["code"] for each in outcomes[0].values()} == {"arrived", "left"}

        page.goto(f"{site.url}/organizer/shifts/{book}/{shift}/uploads")
        expect(page.locator(".paper-result")).to_have_count(8)
        expect(page.locator(".chip-proven")).to_have_count(8)

    rows = query(
        site,
        "select volunteer, amount, assurance, measured from transfer where shift = $1"
        " and activity_book = $2",
        shift,
        book,
    )
    assert {row["volunteer"] for row in rows} == {each.id for each in people}
    assert len(rows) == 4
    assert {row["assurance"] for row in rows} == {3}
    assert {(row["volunteer"], row["measured"]) for row in rows} == {
        *((each.id, 3) for each in people[:3]),
        (named.id, 0),
    }
    assert all(60 <= row["amount"] <= 75 for row in rows)
    assert len(query(site, "select from offline_reading where shift_id = $1", shift)) == 8
    assert find_broken(site) == []


def test_a_volunteer_scans_without_network_and_is_recorded_afterwards(
    site: Site, chromium: Browser
) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=HAND)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="林区巡护", starts_at=starts_at, minutes=60)
    page = open_fresh(chromium, viewport=HAND)
    become_volunteer(page, site, "13912340061")
    page.goto(f"{site.url}/activities{path}")
    page.get_by_role("button", name="报名", exact=True).click()
    book = int(path.split("/")[1])
    (shift,) = query(
        site,
        "select id from shift where book_id = $1 and activity_id = $2",
        book,
        int(path.split("/")[2]),
    )
    page.goto(f"{site.url}/me")
    expect(page.locator("#seen")).to_have_attribute("data-ready", "yes")
    code = make_code(
        master_key=KEY,
        shift_book=book,
        shift=shift["id"],
        direction=Direction.ARRIVE,
        now=site.clock(),
    )

    page.context.set_offline(True)
    page.goto(f"{site.url}/c/{code}")
    expect(page.get_by_role("status")).to_contain_text("存在这部手机里（1 条）")
    # The network comes back while an attempt still hangs, loses the next one too, and holds at last.
    tried: list[Route] = []

    def be_a_bad_network(route: Route) -> None:
        tried.append(route)
        if len(tried) == 2:
            route.abort()
        elif len(tried) > 2:
            route.continue_()

    page.context.route("**/api/offline/seen-codes", be_a_bad_network)
    with page.expect_request("**/api/offline/seen-codes"):
        page.reload()
    expect(page.get_by_role("status")).to_contain_text("有网后自动上传")
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_contain_text("正在自动再试")
    expect(page.get_by_role("status")).to_contain_text("上传了：已签到")
    assert len(tried) == 3
    page.goto(f"{site.url}/me")

    (row,) = query(
        site, "select outcome, device from offline_reading where shift_id = $1", shift["id"]
    )
    assert (row["outcome"], row["device"]) == ("arrived", None)
    (row,) = query(site, "select * from attendance where shift_id = $1", shift["id"])
    assert (row["arrival_measured"], row["arrival_grade"]) == (True, 1)


FULL = """
(isFull) => {
  IDBObjectStore.prototype.realPut ??= IDBObjectStore.prototype.put;
  const put = IDBObjectStore.prototype.realPut;
  IDBObjectStore.prototype.put = !isFull ? put : function (...values) {
    const request = put.apply(this, values);
    this.transaction.abort();
    return request;
  };
}
"""
"""Lets the browser take back whatever is written, as it does when the disk is full, or no longer."""

SPOIL = """
() => new Promise((resolve, reject) => {
  const request = indexedDB.open("timebank-offline");
  request.onsuccess = () => {
    const transaction = request.result.transaction("readings", "readwrite");
    const table = transaction.objectStore("readings");
    table.getAll().onsuccess = (event) => {
      table.put({ ...event.target.result[0], nonce: "AAAAAAAAAAAAAAAAAAAAAA", number: 0 });
    };
    transaction.oncomplete = resolve;
    transaction.onabort = reject;
  };
})
"""
"""Spoils a copy of the first reading, as a fault of the device would: no reading has number 0."""


def test_a_full_device_drops_nothing_and_what_cannot_be_read_holds_up_nothing(
    site: Site, chromium: Browser
) -> None:
    first, second, third = newest_volunteers(site, 3)
    page = open_as(chromium, site, "organizer", viewport=HAND)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(page, site, title="渡口值守", starts_at=starts_at, minutes=60)
    page.goto(f"{site.url}/organizer/activities{path}")
    page.locator("main ul.lines a.line").first.click()
    shift = int(re.findall(r"\d+", page.url)[-1])
    page.clock.install()
    page.get_by_role("link", name="带到没网的地方").click()
    expect(page.locator("#code svg")).to_be_visible()
    page.get_by_role("button", name="扫人").click()

    page.context.set_offline(True)
    page.evaluate(FULL, True)
    type_in(page, format_number(first.book, first.id))
    state(page).to_have_text("离线 · 1 条没存上 · 待上传 1 条")
    expect(page.get_by_role("alert")).to_contain_text("存不下了")
    page.evaluate(FULL, False)
    page.clock.run_for(15_000)
    state(page).to_have_text("离线 · 已存 1 条 · 待上传 1 条")
    expect(page.get_by_role("alert")).to_be_hidden()

    # What the disk never takes goes to the server from the page.
    page.evaluate(FULL, True)
    type_in(page, format_number(second.book, second.id))
    state(page).to_contain_text("1 条没存上")
    page.context.set_offline(False)
    state(page).to_have_text("有网络 · 已存 2 条 · 都上传了")
    page.evaluate(FULL, False)

    page.context.set_offline(True)
    type_in(page, format_number(third.book, third.id))
    state(page).to_contain_text("待上传 1 条")
    page.evaluate(SPOIL)
    page.context.route("**/api/offline/readings", lambda route: route.abort())
    page.context.set_offline(False)
    page.reload()
    state(page).to_contain_text("待上传")
    page.context.unroute("**/api/offline/readings")
    page.locator(".offline-kit").click()
    page.get_by_role("button", name="已存", exact=True).click()
    page.get_by_role("button", name="现在上传").click()
    state(page).to_contain_text("都上传了")
    expect(page.locator("#readings .line", has_text="服务器看不懂")).to_have_count(1)
    kept = query(site, "select outcome from offline_reading where shift_id = $1", shift)
    assert [row["outcome"] for row in kept] == ["arrived"] * 3
