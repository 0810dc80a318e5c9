"""What the district office does at its desk, for tests that need its result."""

from playwright.sync_api import Browser, Page
from tests.web.site import Site


def sign_in_as_officer(chromium: Browser, site: Site, *, locale: str = "zh-CN") -> Page:
    """A page on which the office of the demo is signed in."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, locale=locale, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(site.url)
    page.locator(".door-officer button").click()
    page.wait_for_url("**/district")
    return page


def publish_a_year(chromium: Browser, site: Site, *, year: int = 2024) -> tuple[Page, str]:
    """Publish a year through the form; return the office's page and the publication's address.

    Where it was published already and nothing has changed, the newest one is opened.
    """
    page = sign_in_as_officer(chromium, site)
    page.goto(f"{site.url}/district/publications")
    page.locator("#year").select_option(str(year))
    page.locator("main form button").click()
    if page.locator(".notice-refused").count():
        page.locator(".gazette-card").first.click()
    page.wait_for_url("**/publications/*-*")
    return page, page.url.partition("?")[0]
