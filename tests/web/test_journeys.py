"""The main job in a real browser: volunteer, organizer and officer, from the wall to the report.

The code on the organizer's wall is read from a screenshot by a real decoder, as a phone would.
"""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.factories import KEY
from tests.web.site import Site

from timebank.domain.attendance import Direction
from timebank.domain.qr import make_code
from timebank.web.format import ZONE, clock

pytestmark = pytest.mark.needs_browser

HAND = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


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


def open_fresh(chromium: Browser, *, viewport: dict[str, int]) -> Page:
    """Open an empty tab in a browser that nobody has used."""
    context: BrowserContext = chromium.new_context(viewport=viewport, locale="zh-CN")
    return context.new_page()


def prove_phone(page: Page, site: Site, phone: str) -> None:
    """Sign in where the page asks for it, with the code that the outbox shows."""
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_label("验证码")).to_be_visible()
    outbox = page.context.new_page()
    outbox.goto(f"{site.url}/outbox")
    newest = outbox.locator("li", has_text=f"{phone[:3]}****{phone[-4:]}").first
    code = newest.locator(".outbox-code").inner_text()
    outbox.close()
    page.get_by_label("验证码").fill(code)
    page.get_by_role("main").get_by_role("button", name="登录").click()


def enrol(page: Page, *, name: str) -> None:
    page.get_by_label("姓名", exact=True).fill(name)
    page.get_by_label("常住的村或社区").select_option(index=1)
    page.locator("#consent").check()
    page.get_by_role("button", name="登记").click()


def become_volunteer(page: Page, site: Site, phone: str) -> None:
    page.goto(f"{site.url}/sign-in")
    prove_phone(page, site, phone)
    enrol(page, name="示例新人")
    expect(page.get_by_role("status")).to_be_visible()


def publish(organizer: Page, site: Site, *, title: str, starts_at: datetime, minutes: int) -> str:
    """Publish an activity with one shift; return the part of its address after `/activities`."""
    organizer.goto(f"{site.url}/organizer")
    organizer.get_by_role("link", name="发布活动").click()
    organizer.get_by_label("活动名称").fill(title)
    organizer.get_by_label("服务领域").select_option(index=1)
    organizer.get_by_label("在哪个村或社区").select_option(index=1)
    organizer.get_by_label("集合地点").fill("文化礼堂门口")
    organizer.get_by_label("负责人").fill("值班社工")
    organizer.get_by_label("做什么、注意什么").fill("帮忙布置场地。\n请自带水杯。")
    organizer.get_by_role("button", name="发布").click()
    organizer.wait_for_url(re.compile(r"done=published"))
    starts = starts_at.astimezone(ZONE)
    organizer.get_by_label("日期").fill(starts.strftime("%Y-%m-%d"))
    organizer.get_by_label("开始").fill(starts.strftime("%H:%M"))
    organizer.get_by_label("结束").fill((starts + timedelta(minutes=minutes)).strftime("%H:%M"))
    organizer.get_by_label("名额").fill("5")
    organizer.get_by_role("button", name="加上这一场").click()
    organizer.wait_for_url(re.compile(r"done=shift_added"))
    found = re.search(r"/activities(/\d+/\d+)\?", organizer.url)
    assert found
    return found[1]


def open_shift(organizer: Page, site: Site, path: str) -> None:
    organizer.goto(f"{site.url}/organizer/activities{path}")
    organizer.locator("main ul.lines a.line").first.click()


def scan(volunteer: Page, organizer: Page, outcome: str) -> None:
    """Read the wall and confirm, as somebody signed in does."""
    volunteer.goto(read_wall(organizer))
    volunteer.locator(".confirm-act[data-ready] button").click()
    expect(volunteer.locator("body")).to_have_class(re.compile(f"result-{outcome}"))


def number_in(text: str) -> int:
    return int("".join(re.findall(r"\d", text)))


def test_from_the_wall_to_the_ledger(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    open_wall(organizer)
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)

    volunteer.goto(read_wall(organizer))
    expect(volunteer.locator("h1")).to_be_visible()
    volunteer.locator(".confirm-act[data-ready] button").click()
    expect(volunteer.locator("main")).to_contain_text("签到")
    expect(volunteer.locator("body")).to_have_class(re.compile("arrived"))

    site.clock.pass_by(timedelta(minutes=45))
    organizer.get_by_role("link", name="签退").first.click()
    expect(organizer.locator(".wall-leave .wall-code svg")).to_be_visible()
    volunteer.goto(read_wall(organizer))
    volunteer.locator(".confirm-act[data-ready] button").click()
    expect(volunteer.locator("body")).to_have_class(re.compile("left"))

    volunteer.goto(f"{site.url}/me/records")
    expect(volunteer.locator("main")).to_contain_text("扫码")


def test_somebody_new_finds_a_place_gives_it_back_and_takes_it_again(
    site: Site, chromium: Browser
) -> None:
    page = open_fresh(chromium, viewport=HAND)
    page.goto(site.url)
    page.get_by_role("link", name="登录").click()
    prove_phone(page, site, "13912340001")
    expect(page).to_have_url(re.compile("/enrol"))
    expect(page.locator("main")).to_contain_text("139****0001")

    page.get_by_role("button", name="登记").click()
    expect(page).to_have_url(re.compile("/enrol"))
    enrol(page, name="示例新人")
    expect(page).to_have_url(re.compile("/me"))
    page.get_by_role("link", name="活动", exact=True).click()
    page.get_by_label("服务领域").select_option(label="敬老助老")
    page.get_by_role("button", name="筛选").click()
    page.locator(".days a").nth(1).click()
    page.locator(".shift-card", has_text="长者食堂帮厨").click()
    expect(page.locator("h1")).to_have_text("长者食堂帮厨")

    shift = page.locator(".shift-line").first
    shift.get_by_role("button", name="报名", exact=True).click()
    expect(shift).to_contain_text("已报名")
    expect(page.get_by_role("status")).to_be_visible()
    taken = shift.locator(".places").inner_text()
    shift.get_by_role("button", name="取消报名").click()
    expect(shift.get_by_role("button", name="报名", exact=True)).to_be_visible()
    assert shift.locator(".places").inner_text() != taken
    shift.get_by_role("button", name="报名", exact=True).click()
    expect(shift.locator(".places")).to_have_text(taken)
    expect(shift).to_contain_text("已报名")

    page.goto(f"{site.url}/me")
    expect(page.locator("main")).to_contain_text("长者食堂帮厨")


def test_who_never_scanned_out_is_confirmed_by_the_organizer_once(
    site: Site, chromium: Browser
) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="礼堂布展", starts_at=starts_at, minutes=60)
    volunteer = open_fresh(chromium, viewport=HAND)
    become_volunteer(volunteer, site, "13912340002")
    volunteer.goto(f"{site.url}/activities{path}")
    volunteer.get_by_role("button", name="报名", exact=True).click()
    expect(volunteer.locator(".shift-line")).to_contain_text("已报名")

    open_shift(organizer, site, path)
    shift_url = organizer.url
    organizer.get_by_role("link", name="投出签到码").click()
    scan(volunteer, organizer, "arrived")
    site.clock.pass_by(timedelta(minutes=70))

    organizer.goto(shift_url)
    left_at = organizer.locator("input[type=time]")
    left_at.fill(clock(starts_at + timedelta(minutes=50)))
    second = organizer.context.new_page()
    second.goto(shift_url)
    second.locator("input[type=time]").fill(clock(starts_at + timedelta(minutes=59)))
    organizer.get_by_role("button", name="结束这一场").click()
    expect(organizer.locator(".counts")).to_contain_text("分")
    expect(organizer.locator(".people")).to_contain_text("确认")
    after_once = organizer.locator("main").inner_text()
    second.get_by_role("button", name="结束这一场").click()
    expect(second.locator(".people")).to_contain_text("确认")
    assert second.locator("main").inner_text() == after_once

    volunteer.goto(f"{site.url}/me/records")
    record = volunteer.locator(".record", has_text="礼堂布展")
    expect(record).to_have_count(1)
    expect(record).to_contain_text("确认")
    # The arrival was some seconds into the minute.
    expect(record.locator("summary .number")).to_have_text(re.compile(r"^(49|50)\s分$"))


def test_the_office_reads_one_number_on_the_page_in_its_files_and_over_the_api(
    site: Site, chromium: Browser
) -> None:
    page = open_as(chromium, site, "officer", viewport=DESK)
    county = page.locator("h1").inner_text()
    shown = {
        row.locator(".region-name").inner_text(): [
            number_in(cell) for cell in row.locator("td.wide-only").all_inner_texts()[:3]
        ]
        for row in page.locator(".ranking tbody tr").all()
    }
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    table = list(csv.DictReader(io.StringIO(downloading.value.path().read_text("utf-8-sig"))))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="XLSX").click()
    book = load_workbook(io.BytesIO(downloading.value.path().read_bytes()), read_only=True)
    header, *cells = [list(row) for row in book["活跃率"].iter_rows(values_only=True)]
    answer = page.request.get(
        f"{site.url}/api/reports/active-rate?region=330424&year={table[0]['年度']}"
    ).json()
    book.close()

    columns = ["活跃志愿者", "注册志愿者", "常住人口"]
    by_name = {row["名称"]: [int(row[each]) for each in columns] for row in table}
    assert len(shown) == 9
    assert {name: by_name[name] for name in shown} == shown
    assert [[str(cell) for cell in row] for row in cells] == [
        [row[name] for name in header] for row in table
    ]
    assert [
        (row["region"], row["name"], row["active"], row["registered"], row["residents"])
        for row in answer["rows"]
    ] == [
        (row["行政区划代码"], row["名称"], *(int(row[each]) for each in columns)) for row in table
    ]

    page.locator(".ranking a", has_text="沈荡镇").click()
    expect(page.locator("h1")).to_contain_text("沈荡镇")
    assert len(page.locator(".ranking tbody tr").all()) > 3
    assert number_in(page.locator(".district-counts dd").first.inner_text()) == shown["沈荡镇"][0]
    page.locator(".crumbs a").first.click()
    expect(page.locator("h1")).to_have_text(county)


def test_a_star_is_granted_once_and_says_why(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)
    # After the demo's own running shift, in which the volunteer holds a place.
    starts_at = site.clock().replace(second=0, microsecond=0) + timedelta(hours=4)
    path = publish(organizer, site, title="秋季运动会", starts_at=starts_at, minutes=120)
    volunteer.goto(f"{site.url}/activities{path}")
    volunteer.get_by_role("button", name="报名", exact=True).click()
    site.clock.at = starts_at
    open_shift(organizer, site, path)
    organizer.get_by_role("link", name="投出签到码").click()
    scan(volunteer, organizer, "arrived")
    site.clock.pass_by(timedelta(minutes=90))
    organizer.get_by_role("link", name="签退").click()
    scan(volunteer, organizer, "left")
    volunteer.goto(f"{site.url}/me/honours")
    expect(volunteer.locator("main")).not_to_contain_text("我已经有的")

    officer = open_as(chromium, site, "officer", viewport=DESK)
    officer.get_by_role("link", name="政策").click()
    officer.get_by_role("link", name=re.compile("志愿者星级")).first.click()
    officer.get_by_role("button", name="算一遍并发放").click()
    granted = officer.locator(".outcome .counts dd")
    assert number_in(granted.nth(0).inner_text()) >= 1
    first = number_in(granted.nth(0).inner_text()) + number_in(granted.nth(1).inner_text())
    officer.get_by_role("button", name="算一遍并发放").click()
    expect(granted.nth(0)).to_have_text("0")
    assert number_in(granted.nth(1).inner_text()) == first

    volunteer.reload()
    held = volunteer.locator(".held")
    expect(held).to_contain_text("一星级志愿者")
    expect(held).to_contain_text("100")
    expect(volunteer.locator("main")).to_contain_text("福建省志愿服务记录办法")


def begin_window(site: Site) -> None:
    """Wait for the next code on the wall."""
    site.clock.at = datetime.fromtimestamp(-(-site.clock().timestamp() // 10) * 10, UTC)


def test_walls_and_phones_whose_clocks_differ_show_and_read_the_servers_code(
    site: Site, chromium: Browser
) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="码头劝导", starts_at=starts_at, minutes=60)
    open_shift(organizer, site, path)
    book, shift = (int(each) for each in re.findall(r"\d+", organizer.url)[-2:])
    address = f"{organizer.url}/code?purpose=arrive"
    begin_window(site)
    code = make_code(
        master_key=KEY,
        shift_book=book,
        shift=shift,
        direction=Direction.ARRIVE,
        now=site.clock(),
    )
    apart = timedelta(seconds=90)
    second = organizer.context.new_page()
    for wall, drift in ((organizer, apart), (second, -apart)):
        wall.clock.install(time=site.clock() + drift)
        wall.goto(address)
        expect(wall.locator("#state-words")).to_contain_text(re.compile("8[5-9]|9[0-5]"))
        link = read_wall(wall)
        assert link.rpartition("/")[2] == code
        wall.reload()
        assert read_wall(wall) == link
        phone = open_as(chromium, site, "volunteer", viewport=HAND)
        phone.clock.install(time=site.clock() - drift)
        phone.goto(link)
        expect(phone.locator("main")).to_contain_text(clock(site.clock()))
        expect(phone.locator(".confirm-act button")).to_be_visible()


def test_a_late_sign_in_counts_from_the_scan_and_an_old_code_not_at_all(
    site: Site, chromium: Browser
) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="夜间送站", starts_at=starts_at, minutes=60)
    member = open_fresh(chromium, viewport=HAND)
    become_volunteer(member, site, "13912340003")
    member.goto(f"{site.url}/activities{path}")
    member.get_by_role("button", name="报名", exact=True).click()
    open_shift(organizer, site, path)
    begin_window(site)
    organizer.get_by_role("link", name="投出签到码").click()
    link = read_wall(organizer)

    phone = open_fresh(chromium, viewport=HAND)
    site.clock.pass_by(timedelta(seconds=12))
    phone.goto(link)
    scanned_at = clock(site.clock())
    expect(phone.locator("main")).to_contain_text(scanned_at)
    site.clock.pass_by(timedelta(seconds=61))
    prove_phone(phone, site, "13912340003")
    expect(phone).to_have_url(re.compile("/scan$"))
    phone.locator(".confirm-act[data-ready] button").click()
    expect(phone.locator(".result-arrived .result-number")).to_have_text(scanned_at)

    begin_window(site)
    organizer.reload()
    link = read_wall(organizer)
    site.clock.pass_by(timedelta(seconds=14))
    answer = phone.goto(link)
    assert answer is not None
    assert answer.status == 410
    expect(phone.locator("main")).to_contain_text("scan.expired_code")


def tab_to(page: Page, selector: str) -> None:
    """Press the tabulator until the focus is there, where it can be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            shown = page.evaluate(
                "() => { const style = getComputedStyle(document.activeElement);"
                " return style.outlineStyle !== 'none' || style.boxShadow !== 'none' }"
            )
            assert shown, f"nobody sees that {selector} has the focus"
            return
    raise AssertionError(f"the tabulator never comes to {selector}")


def test_a_keyboard_alone_signs_in_and_checks_in(site: Site, chromium: Browser) -> None:
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    path = publish(organizer, site, title="书屋整理", starts_at=starts_at, minutes=60)
    page = open_fresh(chromium, viewport=DESK)
    become_volunteer(page, site, "13912340004")
    page.context.clear_cookies()
    site.clock.pass_by(timedelta(minutes=2))
    page.goto(site.url)
    titles = [page.title()]

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "header a[href='/sign-in']")
    page.keyboard.press("Enter")
    expect(page.locator("#phone")).to_be_visible()
    tab_to(page, "#phone")
    titles.append(page.title())
    page.keyboard.type("13912340004")
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_visible()
    outbox = page.context.new_page()
    outbox.goto(f"{site.url}/outbox")
    code = outbox.locator("li", has_text="139****0004").first.locator(".outbox-code").inner_text()
    outbox.close()
    tab_to(page, "#code")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/me"))
    titles.append(page.title())

    page.goto(f"{site.url}/activities{path}")
    titles.append(page.title())
    tab_to(page, ".shift-line button")
    page.keyboard.press("Enter")
    expect(page.locator(".shift-line")).to_contain_text("已报名")
    open_shift(organizer, site, path)
    organizer.get_by_role("link", name="投出签到码").click()
    page.goto(read_wall(organizer))
    titles.append(page.title())
    tab_to(page, ".confirm-act button")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_class(re.compile("result-arrived"))
    titles.append(page.title())
    assert len(set(titles)) == len(titles)
    assert page.locator("h1").count() == 1


def test_a_voucher_is_read_off_a_phone_and_redeemed_once(site: Site, chromium: Browser) -> None:
    volunteer = open_as(chromium, site, "volunteer", viewport=HAND)
    volunteer.goto(f"{site.url}/me/benefits")
    volunteer.locator("a.line", has_text="观影优待").first.click()
    before = number_in(volunteer.locator(".own-code-name").inner_text())
    code = read_wall(volunteer)
    digits = volunteer.locator(".voucher-digits").inner_text()

    # The partner's own camera opens the link; a second phone with the same picture comes too late.
    partner = open_as(chromium, site, "partner", viewport=HAND)
    partner.goto(code)
    partner.get_by_role("button", name="核销").click()
    expect(partner.locator(".read-left")).to_contain_text("核销成功")
    partner.goto(code)
    partner.get_by_role("button", name="核销").click()
    expect(partner.locator(".read-refused")).to_contain_text("已经核销过了")

    volunteer.reload()
    assert number_in(volunteer.locator(".own-code-name").inner_text()) == before - 1
    # Without a camera: the digits of the next use, not those of the one that is gone.
    partner.goto(f"{site.url}/partner")
    partner.locator("summary").click()
    fresh = volunteer.locator(".voucher-digits").inner_text()
    for typed, outcome in ((digits, ".read-refused"), (fresh, ".read-left")):
        partner.locator("#digits").fill(typed)
        partner.get_by_role("button", name="核销", exact=True).click()
        expect(partner.locator(outcome)).to_be_visible()
        if outcome == ".read-left":
            continue
        if not partner.locator("#digits").is_visible():
            partner.locator("summary").click()
    partner.get_by_role("button", name="退回").first.click()
    expect(partner.locator(".notice").first).to_contain_text("退回了")

    officer = open_as(chromium, site, "officer", viewport=DESK)
    officer.goto(f"{site.url}/district/partners")
    expect(officer.locator("main")).to_contain_text("1 次 × 25.00 元")
