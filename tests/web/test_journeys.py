"""The main job in a real browser: volunteer, organizer and officer, from the wall to the report.

The code on the organizer's wall is read from a screenshot by a real decoder, as a phone would.
"""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.conftest import copied
from tests.web.preview import browser
from tests.web.site import Site, served

pytestmark = pytest.mark.needs_browser

HAND = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def site(server_url: str, template: str) -> Iterator[Site]:
    with copied(server_url, template) as url, served(url) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def open_as(chromium: Browser, site: Site, role: str, *, viewport: dict[str, int]) -> Page:
    """Open the landing page in a fresh browser and take one of its three doors."""
    context: BrowserContext = chromium.new_context(viewport=viewport, locale="zh-CN")
    page = context.new_page()
    page.goto(site.url)
    page.locator(f".door-{role} button").click()
    return page


def read_wall(page: Page) -> str:
    """Return what a phone's camera reads from the organizer's wall."""
    image = Image.open(io.BytesIO(page.screenshot()))
    (found,) = zxingcpp.read_barcodes(image)
    return str(found.text)


def open_wall(organizer: Page) -> None:
    organizer.get_by_role("link", name=re.compile("签到码")).first.click()
    expect(organizer.locator(".wall-code svg")).to_be_visible()


def test_from_the_wall_to_the_ledger(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    open_wall(organizer)
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)

    volunteer.goto(read_wall(organizer))
    expect(volunteer.locator("h1")).to_be_visible()
    volunteer.locator(".confirm-act button").click()
    expect(volunteer.locator("main")).to_contain_text("签到")
    expect(volunteer.locator("body")).to_have_class(re.compile("arrived"))

    site.clock.pass_by(timedelta(minutes=45))
    organizer.get_by_role("link", name="签退").first.click()
    expect(organizer.locator(".wall-leave .wall-code svg")).to_be_visible()
    volunteer.goto(read_wall(organizer))
    volunteer.locator(".confirm-act button").click()
    expect(volunteer.locator("body")).to_have_class(re.compile("left"))

    volunteer.goto(f"{site.url}/me/records")
    expect(volunteer.locator("main")).to_contain_text("扫码")
