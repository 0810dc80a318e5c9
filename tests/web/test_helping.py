"""A volunteer lets somebody act for them, who signs them up and looks; the volunteer reads it all."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from tests.web.site import Site
from tests.web.test_journeys import HAND, become_volunteer, open_as, open_fresh, publish

pytestmark = pytest.mark.needs_browser


def test_a_helper_signs_somebody_up_and_is_seen_doing_it(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=HAND)
    starts_at = (site.clock() + timedelta(minutes=1)).replace(second=0, microsecond=0)
    publish(organizer, site, title="代办演示", starts_at=starts_at, minutes=30)
    helped, helper = (open_fresh(chromium, viewport=HAND) for _ in range(2))
    become_volunteer(helped, site, "13912340071")
    become_volunteer(helper, site, "13912340072")

    helped.goto(f"{site.url}/me")
    helped.get_by_role("link", name="帮我办事的人").click()
    helped.get_by_label("帮手的手机号").fill("1391234999")
    helped.get_by_role("button", name="同意这样帮").click()
    expect(helped.locator(".error")).to_contain_text("请填写帮手的 1")
    helped.get_by_label("帮手的手机号").fill("13912340072")
    helped.get_by_role("button", name="同意这样帮").click()
    expect(helped.get_by_role("status")).to_contain_text("同意已经记下")

    helper.goto(f"{site.url}/help")
    helper.locator("main ul.lines a").click()
    shift = helper.locator(".shift-line", has_text="代办演示")
    shift.get_by_role("button", name="替他报名").click()
    expect(helper.get_by_role("status")).to_contain_text("办好了")
    expect(shift.get_by_role("button", name="取消报名")).to_be_visible()
    acting_url = helper.url

    helped.goto(f"{site.url}/me/helpers")
    expect(helped.locator("main")).to_contain_text("替您报名")
    expect(helped.locator("main")).to_contain_text("查看了您的记录")
    helped.get_by_role("button", name="收回").click()
    expect(helped.get_by_role("status")).to_contain_text("收回了")
    gone = helper.goto(re.sub(r"\?.*", "", acting_url))
    assert gone is not None
    assert gone.status == 404
