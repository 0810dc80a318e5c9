"""A newcomer writes a county's rules in forms, as docs/rule-desk.md says; two people enact them.

Three tiers, a yearly menu of which one is chosen, a campaign month and a pool: no file is touched.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import dsn
from tests.factories import KEY
from tests.web.desk import sign_in_as_officer
from tests.web.site import Site

from timebank.app import APP_ROLE
from timebank.db import Database
from timebank.services.demo import ORGANIZER_PHONE
from timebank.store import people
from timebank.store.seal import Seal

pytestmark = pytest.mark.needs_browser

GUIDE = (Path(__file__).parents[2] / "docs" / "rule-desk.md").read_text()
STEP = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)


def steps() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the guide says to type: of each piece, the fields and what goes into them."""
    return [
        (title, [pair for pair in CELL.findall(body) if not pair[0].startswith(("-", "field"))])
        for title, body in STEP.findall(GUIDE)
    ]


@pytest.fixture(scope="module")
def second(site: Site) -> Iterator[None]:
    """The organizer of the demo is an officer, too, while this module runs."""

    async def appoint() -> None:
        db = Database(site.database_url, role=APP_ROLE)
        async with db.read() as conn:
            person = await people.find_person_by_phone(conn, seal=Seal(KEY), phone=ORGANIZER_PHONE)
        await db.close()
        owner = await asyncpg.connect(dsn(site.database_url))
        await owner.execute(
            "insert into appointment (person_id, role, region, from_at)"
            " select $1, role, region, from_at - interval '1 second' from appointment"
            " where role = 'role.officer' limit 1",
            person,
        )
        await owner.close()

    async def dismiss() -> None:
        owner = await asyncpg.connect(dsn(site.database_url))
        await owner.execute(
            "delete from appointment a using appointment b where a.role = 'role.officer'"
            " and b.role = a.role and a.from_at = b.from_at - interval '1 second'"
        )
        await owner.close()

    # A browser's loop may run in this thread by then.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, appoint()).result()
        yield
        apart.submit(asyncio.run, dismiss()).result()


def picture(page: Page, name: str) -> None:
    """Keep a picture, where somebody asks for it, to be looked at."""
    if folder := os.environ.get("TIMEBANK_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def fill(page: Page, label: str, value: str) -> None:
    """Put a value into a field as its label and kind ask for it."""
    *groups, last = label.split(" › ")
    xpath = "".join(f"//fieldset[legend[normalize-space()='{each}']]" for each in groups)
    field = (page.locator(xpath) if groups else page).get_by_label(last, exact=True)
    if value == "✓":
        field.check()
        return
    if not field.is_visible():
        page.locator(".piece-more summary").click()
    if field.evaluate("e => e.tagName") == "SELECT":
        field.select_option(label=value)
    else:
        field.fill(value)


def test_a_newcomer_writes_a_countys_rules_in_forms_and_a_volunteer_is_given_something(
    second: None, site: Site, chromium: Browser
) -> None:
    officer = sign_in_as_officer(chromium, site)
    officer.set_default_timeout(8_000)
    officer.get_by_role("link", name="政策").first.click()
    officer.get_by_role("link", name="写规则草案").click()
    officer.get_by_label("从哪里开始").select_option(label="从空白开始，一项一项加")
    officer.get_by_role("button", name="写一份新草案").click()
    for title, pairs in steps():
        if title.startswith("添一样"):
            wanted = title.partition("：")[2]
            adding = officer.locator(".draft-pieces")
            if adding.get_attribute("open") is None:
                adding.locator("summary").click()
            adding.get_by_role("link", name=wanted, exact=True).click()
            for label, value in pairs:
                fill(officer, label, value)
            picture(officer, f"piece-{wanted}")
            officer.get_by_role("button", name="放进草案").click()
            expect(officer.locator(".draft-form")).to_be_visible()
        else:
            for label, value in pairs:
                fill(officer, label, value)
            officer.locator(".draft-save button").click()
    picture(officer, "draft-before-examples")
    tried = officer.locator("#tried")
    expect(tried).to_contain_text("例子严不严")
    expect(officer.locator(".draft-weak")).to_be_visible()
    tried.get_by_role("button", name="把缺的例子一次补上").click()
    expect(tried).to_contain_text("100 %")
    picture(officer, "draft-with-examples")
    officer.get_by_label(re.compile("依据哪份文件")).fill("县社会工作部〔2026〕3 号")
    officer.get_by_role("button", name="提交，请第二人定").click()
    expect(officer.locator("main")).to_contain_text("提交的人自己不能定")
    address = officer.url

    colleague = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    other = colleague.new_page()
    other.goto(site.url)
    other.locator(".door-organizer button").click()
    other.wait_for_url("**/organizer**")
    other.goto(address)
    other.get_by_role("button", name="同意，即日生效").click()
    expect(other.locator("main")).to_contain_text("已生效")

    # What the rules come to in the demo county: dragged with a key, down to the pool.
    officer.goto(f"{site.url}/district/policies/what-if?number=cn.330424.rules/march_minutes")
    officer.locator(".lever-slide").press("ArrowLeft")
    expect(officer).to_have_url(re.compile("value=9"))
    expect(officer.locator("#outcome")).to_contain_text("学雷锋月礼品")
    expect(officer.locator(".pool-periods")).to_contain_text("100")
    picture(officer, "what-if")

    officer.goto(f"{site.url}/district/policies")
    officer.get_by_role("link", name=re.compile("清河好邻居")).first.click()
    picture(officer, "policy")
    officer.get_by_role("button", name="算一遍并发放").click()
    expect(officer.locator(".outcome .counts dd").nth(0)).not_to_have_text("0")
    hand = chromium.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    volunteer = hand.new_page()
    volunteer.goto(site.url)
    volunteer.locator(".door-volunteer button").click()
    volunteer.wait_for_url("**/me**")
    volunteer.goto(f"{site.url}/me/honours")
    expect(volunteer.locator("main")).to_contain_text("好邻居")
    volunteer.goto(f"{site.url}/me/why")
    expect(volunteer.locator("main")).to_contain_text("电影票")
    for context in (colleague, hand, officer.context):
        context.close()
