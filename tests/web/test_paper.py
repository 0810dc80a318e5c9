"""Without a phone: the printed list is signed, its code leads back, and it is entered once."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.factories import KEY
from tests.paper import codes_of, text_of
from tests.web.site import Site
from tests.web.test_journeys import (
    DESK,
    HAND,
    become_volunteer,
    open_as,
    open_fresh,
    open_shift,
    publish,
)

from timebank.domain.personal_code import CardCode, read_personal_code
from timebank.web.format import clock

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_poppler]


def test_a_list_is_printed_signed_and_entered(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=HAND)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="渔村清扫", starts_at=starts_at, minutes=60)
    volunteer = open_fresh(chromium, viewport=HAND)
    become_volunteer(volunteer, site, "13912340041")
    volunteer.goto(f"{site.url}/activities{path}")
    volunteer.get_by_role("button", name="报名", exact=True).click()
    expect(volunteer.locator(".shift-line")).to_contain_text("已报名")
    walk_up = open_fresh(chromium, viewport=HAND)
    become_volunteer(walk_up, site, "13912340042")

    open_shift(organizer, site, path)
    shift_url = organizer.url
    organizer.get_by_role("link", name="纸质签到表").click()
    sheet = organizer.request.get(f"{shift_url}/sheet.pdf")
    assert sheet.headers["content-type"] == "application/pdf"
    printed = text_of(sheet.body(), is_laid_out=True)
    for each in (
        "志愿服务签到表",
        "渔村清扫",
        "文化礼堂门口",
        "值班社工",
        "示例新人",
        "签名",
        "24",
    ):
        assert each in printed, each
    (code,) = codes_of(sheet.body())
    assert code == f"{shift_url}/paper"

    site.clock.pass_by(timedelta(minutes=61))
    organizer.goto(code)
    organizer.get_by_role("checkbox").check()
    organizer.get_by_label("离开").first.fill(clock(starts_at + timedelta(minutes=50)))
    organizer.get_by_label("表上另外写的人").fill(
        f"13912340042 {clock(starts_at)} {clock(starts_at + timedelta(minutes=30))}\n"
        "13912340042\n看不懂的一行"
    )
    organizer.get_by_role("button", name="先核对").click()
    results = organizer.locator(".paper-result")
    expect(results).to_have_count(4)
    expect(results.nth(0)).to_contain_text("50")
    expect(results.nth(1)).to_contain_text("30")
    expect(results.nth(2)).to_contain_text("上面已经写过")
    expect(results.nth(3)).to_contain_text("看不懂")
    organizer.get_by_role("button", name="回去修改").click()
    expect(organizer.get_by_role("checkbox")).to_be_checked()
    others = organizer.get_by_label("表上另外写的人")
    others.fill(others.input_value().splitlines()[0])
    organizer.get_by_role("button", name="先核对").click()
    organizer.get_by_role("button", name=re.compile("记入这 2 人")).click()
    expect(organizer.get_by_role("status")).to_contain_text("记进账本")
    expect(organizer.locator(".people")).to_contain_text("补录")

    walk_up.goto(f"{site.url}/me/records")
    expect(walk_up.locator("main")).to_contain_text("30 分".replace(" ", "\N{NO-BREAK SPACE}"))
    expect(walk_up.locator("main")).to_contain_text("补录")
    # Whoever has no phone carries a card: cut from a sheet, read by its code.
    organizer.goto(f"{shift_url}/cards")
    for box in organizer.get_by_role("checkbox").all():
        box.check()
    with organizer.expect_download() as download:
        organizer.get_by_role("button", name="打印勾选的人的卡").click()
    sheet_of_cards = Path(download.value.path()).read_bytes()
    assert "示例新人" in text_of(sheet_of_cards)
    cards = [
        read_personal_code(each, master_key=KEY, now=site.clock())
        for each in codes_of(sheet_of_cards)
    ]
    assert len(cards) == 2
    assert all(isinstance(each, CardCode) and each.card == 1 for each in cards)

    walk_up.goto(f"{site.url}/me/card")
    expect(walk_up.locator("main")).to_contain_text("有效")
    walk_up.get_by_role("button", name="丢了").click()
    expect(walk_up.get_by_role("status")).to_contain_text("旧卡作废")
    pdf = walk_up.request.get(f"{site.url}/me/card.pdf").body()
    (again,) = [
        read_personal_code(each, master_key=KEY, now=site.clock()) for each in codes_of(pdf)
    ]
    assert isinstance(again, CardCode)
    assert again.card == 2

    organizer.set_viewport_size(DESK)
    organizer.goto(f"{shift_url}/paper")
    expect(organizer.locator(".paper-result")).to_have_count(2)
