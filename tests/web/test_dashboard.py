"""The office explores its numbers: definition, place, course, comparison, notes, and live."""

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect
from tests.factories import BOOK
from tests.web.desk import sign_in_as_officer
from tests.web.site import Site
from tests.web.test_publications import behind

from timebank.services.correction import reverse_transfer

pytestmark = pytest.mark.needs_browser

FIRST_PAINT_MAX = 200_000
"""Bytes over the wire until the dashboard is there, charts included."""


def count_bytes(page: Page) -> list[int]:
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    return sizes


def test_the_office_explores_its_numbers(site: Site, chromium: Browser) -> None:
    page = sign_in_as_officer(chromium, site)
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    sizes = count_bytes(page)

    # The number by another definition, whose name stays beside it, also one place down.
    page.goto(f"{site.url}/district?year=2024")
    residents = page.locator(".figure b").inner_text()
    page.locator(".definition summary").click()
    page.locator(".choices a", has_text="信用时数").first.click()
    assert "%" in page.locator(".figure b").inner_text() != residents
    assert "信用时数" in page.locator(".definition summary").inner_text()
    page.locator(".ranking tbody a").first.click()
    assert "ningbo.credit-hours" in page.url
    assert page.locator(".crumbs a").count() == 1
    assert sum(sizes) < FIRST_PAINT_MAX
    page.locator(".crumbs a").click()

    # The course: a chart drawn from its table, by pointer and by keys; a calendar without a script.
    page.goto(f"{site.url}/district?year=2024")
    page.locator(".views a", has_text="走势").click()
    chart = page.locator("[data-chart]").first
    chart.locator("canvas").wait_for()
    assert not chart.locator("details").evaluate("(each) => each.open")
    said = chart.locator(".u-legend").inner_text
    assert "12月" in said()
    chart.locator(".chart-drawing").focus()
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".u-legend")).to_contain_text("11月")
    table = chart.locator(".chart-table tbody tr")
    assert table.count() == 12
    assert page.locator(".calendar rect").count() == 366
    days = page.locator(".calendar + .chart-table tbody td").all_text_contents()
    assert sum(int(each.replace(",", "")) for each in days if each) == sum(
        int(each.split()[0].replace(",", ""))
        for each in page.locator(".calendar figcaption .soft").all_inner_texts()
    )
    assert sum(sizes) < 2 * FIRST_PAINT_MAX

    # A note: who, when and what, beside its day; one for tomorrow is refused and kept in its field.
    page.locator("#day").fill("2024-03-05")
    page.locator("#text").fill("学雷锋日，全县集中活动")
    page.get_by_role("button", name="加上批注").click()
    assert "学雷锋日" in page.locator(".notes .lines").inner_text()
    assert page.locator("tr[data-mark]").count() == 1
    assert page.locator(".day-noted").count() == 1
    page.locator("#day").fill((site.clock() + timedelta(days=3)).date().isoformat())
    page.locator("#text").fill("还没到")
    page.get_by_role("button", name="加上批注").click()
    assert page.locator("#text").input_value() == "还没到"
    assert page.locator(".error").count() == 1
    page.goto(f"{site.url}/district/course?year=2024")
    with page.expect_navigation():
        page.get_by_role("button", name="收回").click()
    # Without a year it opens on the newest one with service.
    assert "2024" in page.locator(".switch [aria-current=true]").inner_text()
    assert page.locator("tr[data-mark]").count() == 0
    page.goto(f"{site.url}/district/course?year={site.clock().year - 1}")
    assert page.locator(".empty").count() == 1
    page.goto(f"{site.url}/district/course?year=2024")

    # What came back is a table to take along, with what it was made of.
    with page.expect_download() as download:
        page.locator("[data-chart]").last.locator("a", has_text="CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    first = next(csv.DictReader(text.splitlines()))
    assert first["第一次服务的月份+之后第几个月"].endswith("+0")
    assert next(first[name] for name in first if name.startswith("分组留存率")) == "10000"
    assert first["口径"] == "active-rate.residents.any-hour"

    # What the numbers are made of: who is in no field is in no row, who is unknown is.
    page.locator(".views a", has_text="分组").click()
    assert page.locator(".groups tbody tr").count() == 20
    assert "不知道" in page.locator(".groups tbody").inner_text()
    page.locator(".parts a", has_text="身份").click()
    expect(page.locator(".groups tbody tr")).to_have_count(5)
    roles = page.locator(".groups tbody tr").all_inner_texts()
    services = sum(int(each.split("\t")[4].replace(",", "")) for each in roles)
    page.locator(".own-days summary").click()
    page.locator("#first").fill("2024-03-05")
    page.locator("#last").fill("2024-03-20")
    page.get_by_role("button", name="看这段时间").click()
    expect(page.locator("h1")).to_contain_text("2024年3月5日 至 2024年3月20日：身份")
    days = page.locator(".groups tbody tr").all_inner_texts()
    assert 0 < sum(int(each.split("\t")[4].replace(",", "")) for each in days) < services
    page.locator(".parts a", has_text="站点").click()
    expect(page.locator(".groups .whole")).to_have_count(1)
    page.locator(".groups tbody a").first.click()
    expect(page.locator(".crumbs a")).to_have_count(1)
    assert page.locator("#period").input_value() == "2024-03-05..2024-03-20"
    with page.expect_download() as download:
        page.locator(".downloads a", has_text="XLSX").click()
    book = load_workbook(io.BytesIO(download.value.path().read_bytes()))
    assert [cell.value for cell in next(iter(book["2"].rows))][1] == "2024-03-05..2024-03-20"
    page.locator(".crumbs a").click()
    expect(page.locator(".crumbs a")).to_have_count(0)

    # Any two periods, divisions or definitions, with a word of caution where they are not alike.
    page.locator(".views a", has_text="比较").click()
    page.locator("#period_b").select_option(str(site.clock().year))
    page.locator(".own-days summary").first.click()
    page.locator("#first").fill("2024-03-01")
    page.locator("#last").fill("2024-03-09")
    page.locator("#region_b").select_option(index=1)
    page.locator("#definition_b").select_option("active-rate.registered.any-hour")
    page.get_by_role("button", name="比一比").click()
    assert "口径不同" in page.locator(".notice").inner_text()
    assert "2024年3月1日" in page.locator(".versus thead th").first.inner_text()
    big = page.locator(".versus .big td").all_inner_texts()
    assert "/ 万人" in big[0]
    assert "%" in big[1]

    elsewhere = [each for each in asked if not each.startswith(site.url)]
    assert [each for each in complaints if "422" not in each] == elsewhere == []
    page.context.close()


def test_the_office_decides_a_definition_and_takes_its_table_along(
    site: Site, chromium: Browser
) -> None:
    page = sign_in_as_officer(chromium, site)
    page.goto(f"{site.url}/district?year=2024")
    page.locator(".definition summary").click()
    page.locator(".choices a", has_text="各口径怎么说").click()
    assert page.locator(".definition-card").count() == 6

    # Without grounds it is refused, and what was typed stays.
    page.locator("#zh").fill("活跃率（一年满 10 小时）")
    page.locator("#en").fill("Active rate (ten hours a year)")
    page.locator("#slug").fill("ten-hours")
    page.locator("#minutes_above").fill("599")
    page.locator("#denominator").select_option("registered")
    page.locator("#valid_from").fill("2024-01-01")
    page.locator("#source").fill("三号")
    page.locator("main form button").click()
    assert "至少 6 个字" in page.locator("#source-error").inner_text()
    assert page.locator("#slug").input_value() == "ten-hours"
    page.locator("#source").fill("海盐县社会工作部〔2024〕3 号")
    page.locator("main form button").click()
    expect(page.locator(".notice")).to_contain_text("口径已经决定")
    assert page.locator(".definition-card").count() == 7
    assert "海盐县" in page.locator(".definition-card").first.inner_text()

    # It is chosen like any other, and its table can be taken along.
    page.goto(f"{site.url}/district?year=2024")
    page.locator(".definition summary").click()
    page.locator(".choices a", has_text="一年满 10 小时").click()
    assert "%" in page.locator(".figure b").inner_text()
    with page.expect_download() as download:
        page.locator(".downloads a", has_text="CSV").click()
    assert "330424000000.ten-hours" in download.value.suggested_filename
    table = download.value.path().read_text("utf-8-sig")
    assert "每万注册志愿者活跃志愿者" in table
    assert "330424000000.ten-hours" in table
    page.context.close()


def test_numbers_on_the_wall_follow_the_book(site: Site, chromium: Browser) -> None:
    page = sign_in_as_officer(chromium, site)
    page.goto(f"{site.url}/district?year={site.clock().year}")
    page.locator(".live:not([hidden])").wait_for()
    before = page.locator("[data-live=seq]").inner_text()

    async def correct(db: object) -> None:
        await reverse_transfer(
            db,  # type: ignore[arg-type]
            actor=None,
            book=BOOK,
            seq=21,
            reason="重复登记",
            now=site.clock(),
        )

    behind(site, correct)
    expect(page.locator("[data-live=seq]")).not_to_have_text(before, timeout=10_000)
    page.goto("about:blank")
    page.context.close()


@pytest.mark.parametrize(
    "query",
    [
        "?region=110101",
        "?definition=none",
        "/course?region=x",
        "/compare?period=never",
        "/groups?by=nothing",
        "/groups/field.csv",
        "/groups/cohort.csv?period=2024-Q2",
        "/groups/field.exe?period=2024",
        "/live?region=1",
    ],
)
def test_what_is_not_there_is_not_found(site: Site, chromium: Browser, query: str) -> None:
    page = sign_in_as_officer(chromium, site)
    answer = page.request.get(f"{site.url}/district{query}")
    assert answer.status == 404
    page.context.close()
