"""A team's weeks in a real browser: repeated shifts, a waiting list, a calendar; and the office's review
from an odd shift to a published sample."""

import re
from datetime import datetime, timedelta

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, Page, expect
from tests.web.site import Site
from tests.web.test_journeys import DESK, HAND, become_volunteer, open_as, open_fresh

from timebank.web.format import ZONE

pytestmark = pytest.mark.needs_browser

TITLE = "每周读报会"


def publish_weeks(organizer: Page, site: Site) -> str:
    """Publish an activity with a place a week, three weeks long; return its path."""
    organizer.goto(f"{site.url}/organizer/activities/new")
    organizer.get_by_label("活动名称").fill(TITLE)
    organizer.get_by_label("服务领域").select_option(index=1)
    organizer.get_by_label("在哪个村或社区").select_option(index=1)
    organizer.get_by_label("集合地点").fill("社区活动室")
    organizer.get_by_label("负责人").fill("值班社工")
    organizer.get_by_label("做什么、注意什么").fill("给老人读报。")
    organizer.get_by_role("button", name="发布").click()
    organizer.wait_for_url(re.compile(r"done=published"))
    starts = site.clock().astimezone(ZONE) + timedelta(days=2)
    organizer.get_by_label("日期").fill(f"{starts:%Y-%m-%d}")
    organizer.get_by_label("开始").fill("09:00")
    organizer.get_by_label("结束").fill("11:00")
    organizer.get_by_label("名额").fill("1")
    organizer.get_by_label("重复").select_option(value="weekly")
    organizer.get_by_label("一共几场").fill("3")
    organizer.get_by_role("button", name="加上这一场").click()
    organizer.wait_for_url(re.compile(r"done=shift_added"))
    expect(organizer.locator("main ul.lines").first.locator("a.line")).to_have_count(3)
    # The next one is proposed with the same hours.
    expect(organizer.get_by_label("开始")).to_have_value("09:00")
    found = re.search(r"/activities(/\d+/\d+)\?", organizer.url)
    assert found
    return found[1]


def read_feed(page: Page, address: str) -> list[tuple[str, datetime, str]]:
    answer = page.request.get(address)
    assert answer.headers["content-type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.body()).walk("VEVENT")
    return [(str(e["SUMMARY"]), e.decoded("DTSTART"), str(e["STATUS"])) for e in events]


def test_weeks_are_published_filled_waited_for_and_followed_in_a_calendar(
    site: Site, chromium: Browser
) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    path = publish_weeks(organizer, site)
    first, second = [open_fresh(chromium, viewport=HAND) for _ in range(2)]
    become_volunteer(first, site, "13912350001")
    become_volunteer(second, site, "13912350002")

    # The first of them is found in its month, with the keyboard alone.
    starts_on = site.clock().astimezone(ZONE).date() + timedelta(days=2)
    first.goto(f"{site.url}/activities/month?month={starts_on:%Y-%m}")
    day = first.locator(f".free a[href$='day={starts_on}']")
    expect(day).to_have_accessible_name(re.compile(r"，\d+ 场$"))
    assert first.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    day.press("Enter")
    expect(first.locator("main")).to_contain_text(TITLE)

    first.goto(f"{site.url}/activities{path}")
    first.locator(".shift-line").first.get_by_role("button", name="报名", exact=True).click()
    expect(first.locator(".shift-line").first).to_contain_text("已报名")
    second.goto(f"{site.url}/activities{path}")
    full = second.locator(".shift-line").first
    expect(full).to_contain_text("名额满了")
    full.get_by_role("button", name="候补").click()
    expect(second.get_by_role("status").first).to_contain_text("候补")
    expect(second.locator(".shift-line").first).to_contain_text("候补第 1 位")

    # One tap signs off; the place is the other's at once, and a message says so.
    first.locator(".shift-line").first.get_by_role("button", name="取消报名").click()
    expect(first.locator(".shift-line").first).to_contain_text("名额满了")
    second.reload()
    expect(second.locator(".shift-line").first).to_contain_text("已报名")
    second.goto(f"{site.url}/outbox")
    told = second.locator("li", has_text="139****0002").first
    expect(told).to_contain_text(TITLE)
    expect(told).to_contain_text("已为您报上名")

    # The organizer tells everybody on it, and sees the month.
    organizer.goto(f"{site.url}/organizer/activities{path}")
    organizer.locator("main ul.lines a.line").first.click()
    organizer.get_by_role("link", name="给大家发消息").click()
    organizer.get_by_label("写什么").fill("请带老花镜")
    organizer.get_by_role("button", name="发送").click()
    expect(organizer.locator("main")).to_contain_text("发给 1 人")
    second.goto(f"{site.url}/outbox")
    expect(second.locator("li", has_text="139****0002").first).to_contain_text("请带老花镜")
    organizer.goto(f"{site.url}/organizer/calendar")
    expect(organizer.locator(".month-day")).not_to_have_count(0)
    assert organizer.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    second.goto(f"{site.url}/me/calendar")
    second.get_by_role("button", name="生成订阅地址").click()
    address = second.locator(".seed a").inner_text()
    stranger = open_fresh(chromium, viewport=HAND)
    ((title, starts_at, status),) = read_feed(stranger, address)
    assert (title, status) == (TITLE, "CONFIRMED")
    assert f"{starts_at.astimezone(ZONE):%H:%M}" == "09:00"
    assert stranger.request.get(address.replace(".ics", "x.ics")).status == 404
    second.goto(f"{site.url}/me/calendar")
    assert address not in second.content()
    second.get_by_role("button", name="停掉这个地址").click()
    expect(second.get_by_role("status").first).to_contain_text("停用")
    assert stranger.request.get(address).status == 404


def test_the_office_looks_at_an_odd_shift_draws_a_sample_and_publishes_it(
    site: Site, chromium: Browser
) -> None:
    chromium_free = open_fresh(chromium, viewport=HAND)
    before = site.clock.at
    page = open_as(chromium, site, "officer", viewport=DESK)
    page.goto(f"{site.url}/district/review")
    odd = page.locator("a.line", has_text="没有人签退").first
    expect(odd).to_contain_text("9 人扫码来了")
    odd.click()
    expect(page.locator("main")).to_contain_text("也可能没有问题")
    expect(page.locator("main")).to_contain_text("手工记离开")
    signal_url = page.url
    page.get_by_label("查了什么").fill("已电话联系负责人")
    page.get_by_role("button", name="记下").click()
    expect(page.locator("a.line", has_text="没有人签退").first).to_contain_text("正在核查")
    page.goto(signal_url)
    page.get_by_label("没有问题").check()
    page.get_by_label("查了什么").fill("码屏坏了，签到表齐全")
    page.get_by_role("button", name="记下").click()
    expect(page.locator("a.line", has_text="没有人签退")).to_have_count(0)
    # Nobody else reviews.
    for role in ("volunteer", "organizer"):
        other = open_as(chromium, site, role, viewport=HAND)
        assert other.request.get(f"{site.url}/district/review").status == 403
        assert other.request.get(f"{site.url}/district/samples").status == 403

    month = before.astimezone(ZONE).strftime("%Y-%m")
    page.goto(f"{site.url}/district/samples")
    assert page.locator(f"select option[value='{month}']").count() == 0, "a month goes on"
    try:
        site.clock.pass_by(timedelta(days=40))
        page = open_as(chromium, site, "officer", viewport=HAND)
        page.goto(f"{site.url}/district/samples")
        page.get_by_label("哪个月记入的").select_option(value=month)
        page.get_by_label("多少条").fill("4")
        page.get_by_role("button", name="抽取").click()
        expect(page.locator("main")).to_contain_text("还有 4 条没有核对")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        sample = page.url.partition("?")[0]
        for turn in range(4):
            line = page.locator("li.drawn").nth(turn)
            line.get_by_label("不实" if turn == 0 else "属实").check()
            line.get_by_label("怎么核对的").fill("电话问过本人")
            line.get_by_role("button", name="记下").click()
            page.goto(sample)
        public = sample.replace("/district", "")
        assert chromium_free.request.get(public).status == 404
        page.get_by_role("button", name="公布结果").click()
        expect(page.locator("main")).to_contain_text("属实 3 条，不实 1 条")
        chromium_free.goto(public)
        expect(chromium_free.locator("main")).to_contain_text("怎样重抽一遍")
        assert chromium_free.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        # The month is drawn once.
        page.goto(f"{site.url}/district/samples")
        page.get_by_label("哪个月记入的").select_option(value=month)
        page.get_by_role("button", name="抽取").click()
        expect(page.get_by_role("alert")).to_contain_text("只抽一次")
    finally:
        site.clock.at = before
