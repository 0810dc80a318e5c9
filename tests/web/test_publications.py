"""The office freezes a report; anybody opens, downloads and checks it; it can be made again."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from tests.factories import BOOK
from tests.paper import codes_of, text_of
from tests.web.desk import publish_a_year
from tests.web.site import Site

from timebank.app import APP_ROLE
from timebank.db import Database
from timebank.services.correction import reverse_transfer

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_poppler]


def behind(site: Site, do: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
    """Do something to the county while a browser holds this thread's loop."""

    async def run() -> None:
        db = Database(site.database_url, role=APP_ROLE)
        try:
            await do(db)
        finally:
            await db.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()


def test_a_report_is_frozen_opened_by_anybody_checked_and_made_again(
    site: Site, chromium: Browser
) -> None:
    office, url = publish_a_year(chromium, site)
    assert "海盐县 2024 年志愿服务活跃率公报" in office.locator("h1").inner_text()

    # Anybody, without a sign-in: the page, the same files each time, a code that leads back here.
    asked: list[str] = []
    public = chromium.new_page(viewport={"width": 360, "height": 740})
    public.on("request", lambda request: asked.append(request.url))
    public.goto(url)
    assert public.locator(".figure b").first.inner_text() == "16"
    assert public.locator(".gazette .ranking").first.locator("tbody tr").count() == 9
    assert public.locator("button", has_text="再次生成").count() == 0
    assert not [each for each in asked if not each.startswith(site.url)]
    digest = public.locator(".gazette-foot code").last.inner_text()
    content = httpx.get(f"{url}/publication.json").content
    assert hashlib.sha256(content).hexdigest() == digest
    pdf = httpx.get(f"{url}/publication.pdf").content
    assert digest in text_of(pdf).replace("\n", "")
    assert "720" in text_of(pdf)
    assert codes_of(pdf) == [url]
    public.close()

    # Two services are taken back: the page stays, the difference stands beside it with its reason.
    site.clock.pass_by(timedelta(minutes=2))

    async def correct(db: Database) -> None:
        for seq in (11, 12):
            await reverse_transfer(
                db, actor=None, book=BOOK, seq=seq, reason="重复登记", now=site.clock()
            )

    behind(site, correct)
    site.clock.pass_by(timedelta(minutes=2))
    office.goto(url)
    assert office.locator(".figure b").first.inner_text() == "16"
    afterword = office.locator(".afterword").inner_text()
    assert "冲正 2 笔" in afterword
    assert "重复登记" in afterword
    office.get_by_role("button", name="再次生成").click()
    assert office.locator("h1").inner_text() == "逐字节相同"
    assert office.locator(".case-met").count() == 3
    assert httpx.get(f"{url}/publication.pdf").content == pdf
    assert "重复登记" not in httpx.get(url).text
    assert "冲正 2 笔" in httpx.get(url).text

    # What was corrected is another number; the first one leads on to it.
    _, corrected = publish_a_year(chromium, site)
    assert corrected != url
    office.goto(corrected)
    assert "本号更正第" in office.locator(".gazette-head").inner_text()
    office.context.close()


@pytest.mark.parametrize("path", ["330424-999", "x", "330424-1x", "330424-0/publication.pdf"])
def test_what_was_never_published_is_not_found(site: Site, path: str) -> None:
    assert httpx.get(f"{site.url}/publications/{path}").status_code == 404
