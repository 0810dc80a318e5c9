"""An error in a record, from the volunteer's report to the decision of somebody who had no part in it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.site import Site
from tests.web.test_journeys import DESK, HAND, open_as, open_fresh, prove_phone

pytestmark = pytest.mark.needs_browser

TOWNS_PHONE = "13800000004"
"""Organizes for the towns' teams of the demo, for which its volunteer has served."""

TEAM = re.compile("(沈荡镇|百步镇|澉浦镇|通元镇|西塘桥街道)志愿服务队")


def decide(page: Page, *, verdict: str, hours: str = "", text: str) -> None:
    page.get_by_label(re.compile(f"^{verdict}")).check()
    if hours:
        page.get_by_label("小时", exact=True).fill(hours)
    page.get_by_label("理由").fill(text)
    page.get_by_label("证据").fill("签到表 2024-17 第 3 行")
    page.get_by_role("button", name=re.compile("^记下")).click()


def test_report_refusal_appeal_and_the_decision_of_somebody_else(
    site: Site, chromium: Browser
) -> None:
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)
    volunteer.goto(f"{site.url}/me/records?year=2024")
    records = volunteer.locator(".record").filter(
        has_text=TEAM, has=volunteer.locator("a:has-text('报告错误')")
    )
    record = records.first
    number = str(record.get_attribute("id")).removeprefix("e")
    record.locator("summary").click()
    record.get_by_role("link", name="报告错误").click()
    volunteer.get_by_label("小时", exact=True).fill("99")
    volunteer.get_by_label("说说怎么回事").fill("我五点才走，码没扫上。")
    volunteer.get_by_role("button", name="交给记录单位核对").click()
    expect(volunteer.locator(".error")).to_contain_text("16 小时")
    expect(volunteer.get_by_label("说说怎么回事")).to_have_value("我五点才走，码没扫上。")
    volunteer.get_by_label("小时", exact=True).fill("7")
    volunteer.get_by_role("button", name="交给记录单位核对").click()
    expect(volunteer.get_by_role("status")).to_be_visible()
    expect(volunteer.locator("main")).to_contain_text("等组织者答复")
    expect(volunteer.locator(".clock-line")).to_contain_text(re.compile("个工作日|截止日还不知道"))
    case_url = volunteer.url.partition("?")[0]
    expect(volunteer.locator("textarea")).to_have_count(0)

    organizer = open_fresh(chromium, viewport=HAND)
    organizer.goto(f"{site.url}/sign-in")
    prove_phone(organizer, site, TOWNS_PHONE)
    organizer.get_by_role("link", name="更正申请").click()
    organizer.locator("a.line", has_text="时长应为 7").filter(has_text="等组织者答复").click()
    expect(organizer.locator(".history-text")).to_have_text("我五点才走，码没扫上。")
    organizer.get_by_role("button", name="记下答复").click()
    organizer.get_by_label("理由").fill("签到表上是原来的时间。")
    organizer.get_by_label("证据").fill("签到表 2024-17 第 3 行")
    organizer.get_by_role("button", name="记下答复").click()
    expect(organizer.locator("main")).to_contain_text("请选择怎么处理")
    expect(organizer.get_by_label("理由")).to_have_value("签到表上是原来的时间。")
    decide(organizer, verdict="不更正", text="签到表上是原来的时间。")
    expect(organizer.get_by_role("status")).to_be_visible()

    volunteer.goto(case_url)
    volunteer.get_by_label("为什么不服").fill("那一行不是我签的。")
    volunteer.get_by_role("button", name="提交申诉").click()
    expect(volunteer.locator("main")).to_contain_text("等区县裁决")

    officer = open_as(chromium, site, "officer", viewport=DESK)
    officer.get_by_role("link", name="申诉").click()
    officer.locator("a.line", has_text="时长应为 7").click()
    expect(officer.locator(".history > li")).to_have_count(3)
    decide(officer, verdict="更正", hours="7", text="监控里看得到他五点离开。")
    expect(officer.get_by_role("status")).to_be_visible()

    volunteer.goto(case_url)
    expect(volunteer.locator(".history > li")).to_have_count(4)
    expect(volunteer.locator("main")).to_contain_text("申诉成立")
    volunteer.get_by_role("link", name="在记录里看").click()
    taken_back = volunteer.locator(f"#e{number}")
    expect(taken_back).to_contain_text("冲正")
    standing = volunteer.locator(".record", has_text="看经过").filter(has_text="申诉成立")
    expect(standing).to_have_count(2)
    expect(standing.locator("summary .number").filter(has_text="7")).to_have_count(1)
    outbox = volunteer.context.new_page()
    outbox.goto(f"{site.url}/outbox")
    expect(outbox.locator("main")).to_contain_text("申诉成立")


def test_others_find_nothing_of_it(site: Site, chromium: Browser) -> None:
    """The demo's first organizer and its volunteer see neither each other's cases nor the district's."""
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)
    organizer = open_as(chromium, site, "organizer", viewport=HAND)
    case = organizer.request.get(f"{site.url}/organizer/objections").text()
    own = re.findall(r"/organizer/objections/(\d+/\d+)", case)
    assert own
    answers = {
        volunteer.request.get(f"{site.url}/me/objections/{own[0].split('/')[1]}").status,
        organizer.request.get(f"{site.url}/organizer/objections/330424/5").status,
        volunteer.request.get(f"{site.url}/me/records/1/objection").status,
    }
    assert answers == {404}
    assert volunteer.request.get(f"{site.url}/district/objections").status == 403
    assert organizer.request.get(f"{site.url}/district/objections/{own[0]}").status == 403
