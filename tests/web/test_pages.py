"""Every page of the real product, as each of its people finds it by following links.

Each answers, in both languages, is no wider than a hand's screen, and lets the browser find nothing
to complain about: no blocked style or script, no file that is missing, no error.
"""

import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from tests.factories import KEY
from tests.web.desk import publish_a_year
from tests.web.site import Site

from timebank import web
from timebank.domain.attendance import Direction
from timebank.domain.qr import make_code
from timebank.web.assets import load_assets

pytestmark = pytest.mark.needs_browser

HAND = {"width": 360, "height": 740}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
LANG = {"zh": "zh-CN", "en": "en"}
ROLES = ("", "volunteer", "organizer", "officer", "partner")

UNLINKED = {
    "": ["/_components", "/c/kept", "/p/330424", "/v/330424", "/publications", "/scan/camera"],
    "officer": ["/enrol"],
    "volunteer": ["/me/calendar"],
    "organizer": [
        "/organizer/offline",
        "/organizer/shifts/{shift}/uploads",
        "/organizer/shifts/{shift}/reach",
        "/organizer/shifts/{shift}/places",
    ],
}
"""Pages that no link leads to: of components, of a personal code, of publications, of
the camera, enrolling for who has not, what is
there without network, or after it, what a shift that is going on has once it is over, and what one
that is over had: which shift the walk opens first is the clock's."""

NOT_PAGES = {
    "/home",
    "/c/N",
    "/static/N",
    "/kiosk",
    "/organizer/shifts/N/N/code/fragment",
    "/c/worker.js",
    "/organizer/shifts/N/N/door/people",
    "/help/N/N",
    "/organizer/offline/worker.js",
    "/organizer/offline/manifest.webmanifest",
    "/me/records/N/proof",
    "/verify_log.py",
    "/log/N/checkpoint",
    "/log/N/vkey",
    "/log/N/tile/N",
    "/log/N/notices/checkpoint",
    "/log/N/notices/tile/N",
    "/calendar/N",
    "/district/live",
    "/district/policies/drafts/N/file",
    "/district/groups/N",
}
"""Addresses that send on to a page, answer with a part of one or a file, or need a tablet's pass or
somebody's consent."""

NOTHING_YET = {
    "/district/policies/drafts/N",
    "/district/policies/drafts/N/add",
    "/district/entries/N/N",
    "/district/approvals/N/N",
    "/organizer/approvals/N/N",
    "/district/samples/N/N",
    "/samples/N/N",
    "/district/selections/N/N",
    "/selections/N/N",
    "/selections/N/N/draw.json",
    "/me/vouchers/N/N",
}
"""Pages of what the demo county has none of yet; `test_sessions` walks them, `test_look` shows them
with samples."""

FIRST_VISIT_MAX = 30_000
"""Bytes of a check-in page over the wire: a second on a slow phone network."""


def kind(url: str) -> str:
    """Return which page an address is, whatever its numbers and filters."""
    path = re.sub(r"\{[^}]+\}", "N", urlsplit(url).path)
    path = re.sub(r"(/policies/drafts)/[^/]+", r"\1/N", path)
    path = re.sub(r"(/policies)/(?!drafts)[^/]+/[^/]+$", r"\1/N/N", path)
    return re.sub(r"(?<=/)[0-9]+(-[0-9]+)?(?=/|$)", "N", path)


def links(page: Page) -> list[str]:
    found = page.evaluate(
        "() => [...document.querySelectorAll('a[href]:not([download])')].map((a) => a.href)"
    )
    return [str(each) for each in found if "#" not in each]


def walk(page: Page, site: Site, start: list[str]) -> Iterator[str]:
    """Open one page of every kind that can be reached; yield the kind while it is open."""
    waiting, seen = list(start), set()
    while waiting:
        url = waiting.pop(0)
        if kind(url) in seen or not url.startswith(site.url):
            continue
        seen.add(kind(url))
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200, f"{url} answers {answer.status}"
        yield kind(url)
        waiting += links(page)


def open_as(chromium: Browser, site: Site, role: str, language: str) -> tuple[Page, list[str]]:
    context = chromium.new_context(viewport=HAND, locale=LOCALES[language], reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None
    )
    page.goto(site.url)
    if role:
        page.locator(f".door-{role} button").click()
        page.wait_for_load_state()
    return page, complaints


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_answers_and_fits_a_hand(site: Site, chromium: Browser, language: str) -> None:
    visited, wrong = set(), []
    publish_a_year(chromium, site)[0].context.close()
    for role in ROLES:
        page, complaints = open_as(chromium, site, role, language)
        shift = shift_on_the_wall(page) if role == "organizer" else ""
        unlinked = (each.format(shift=shift) for each in UNLINKED.get(role, []))
        start = [page.url, *(f"{site.url}{path}" for path in unlinked)]
        if role == "volunteer":
            start.append(f"{site.url}/c/{code_on_the_wall(chromium, site)}")
        for name in walk(page, site, start):
            visited |= {name, kind(page.url)}
            assert page.locator("html").get_attribute("lang") == LANG[language]
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                complaints.append(f"{over} px too wide")
            wrong += [f"{role} {page.url}: {each}" for each in complaints]
            complaints.clear()
        page.context.close()
    assert not wrong
    routed = {
        kind(path)
        for handler in web.HANDLERS
        if "GET" in handler.http_methods
        for path in handler.paths
        if not path.endswith((".csv", ".xlsx", ".pdf", ".json"))
    }
    assert routed - NOT_PAGES - NOTHING_YET - visited == set()


def shift_on_the_wall(page: Page) -> str:
    """Return book and number of the shift that is going on, as they stand in addresses."""
    url = page.locator("a.button[href$='/code']").first.get_attribute("href")
    assert url is not None
    return "/".join(re.findall(r"\d+", url))


def code_on_the_wall(chromium: Browser, site: Site) -> str:
    """Return what a camera would read now from the wall of the shift that is going on."""
    page, _ = open_as(chromium, site, "organizer", "zh")
    book, shift = (int(each) for each in shift_on_the_wall(page).split("/"))
    page.context.close()
    return make_code(
        master_key=KEY,
        shift_book=book,
        shift=shift,
        direction=Direction.ARRIVE,
        now=site.clock(),
    )


def test_a_check_in_is_light_on_the_wire(site: Site, chromium: Browser) -> None:
    code = code_on_the_wall(chromium, site)
    server = http.client.HTTPConnection(urlsplit(site.url).netloc)
    server.request("GET", f"/c/{code}")
    scanned = server.getresponse()
    scanned.read()
    cookie = str(scanned.getheader("set-cookie")).split(";", maxsplit=1)[0]
    server.request("GET", "/scan", headers={"cookie": cookie, "accept-encoding": "gzip"})
    answer = server.getresponse()
    page = answer.read()
    assert answer.status == 200
    assert answer.getheader("content-encoding") is None  # the form's token is in it
    weight = len(page)
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode()))
    assert len(addresses) >= 3
    for address in addresses:
        server.request("GET", address, headers={"accept-encoding": "gzip, br"})
        answer = server.getresponse()
        assert answer.getheader("content-encoding") == "gzip"
        assert answer.getheader("vary") == "accept-encoding"
        weight += len(answer.read())
    server.close()
    assert weight < FIRST_VISIT_MAX


def test_a_file_is_sent_as_it_is_to_who_cannot_unpack_it(site: Site) -> None:
    address = load_assets().address("app.css")
    server = http.client.HTTPConnection(urlsplit(site.url).netloc)
    server.request("GET", address)
    answer = server.getresponse()
    assert answer.getheader("content-encoding") is None
    assert answer.read() == load_assets().by_name[address.rsplit("/", 1)[-1]].content
    server.close()
