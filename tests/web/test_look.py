"""How pages look, in a real browser, with sample values: nothing cut, nothing too wide, nothing blocked.

Every page is drawn at a hand's width in both languages and in large type, and at a desk's; under the
policy that forbids inline style and script.
"""

import io
from dataclasses import replace

import pytest
import zxingcpp
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page
from tests.web.preview import ORIGIN, SIZES, complaints_of, render, serve, shown
from tests.web.sample_pages import samples

from timebank.web.catalog import Language
from timebank.web.code_picture import code_picture

pytestmark = pytest.mark.needs_browser

TARGET_MIN = 44
"""Pixels of the smallest side of a button at a hand's width; ours are 48, less a border's rounding."""

TOO_SMALL = """
(min) => [...document.querySelectorAll("button, .button, summary, select, input:not([type=hidden]), nav a")]
  .filter((e) => e.checkVisibility() && !e.classList.contains("link-button"))
  .map((e) => [e.closest("label") ?? e, e]).map(([target, e]) => [target.getBoundingClientRect(), e])
  .filter(([box]) => Math.min(box.width, box.height) < min)
  .map(([box, e]) => `${e.outerHTML.slice(0, 80)} is ${Math.round(box.width)} x ${Math.round(box.height)}`)
"""

CUT = """
() => [...document.querySelectorAll("h1, h2, h3, p, dd, dt, .button, .chip, th, td, .tabs span")]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
  .map((e) => `cut: ${e.textContent.trim().slice(0, 60)}`)
"""

PALE = r"""
() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const found = colour(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const pale = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const e = walker.currentNode.parentElement;
    if (!text || !e.checkVisibility() || e.closest("svg, script, .unseen, .skip")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(colour(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 600) ? 3 : 4.5;
    if (ratio < needed) pale.add(`pale, ${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return [...pale];
}
"""
"""Text whose contrast is below what people with weak sight need. Source: WCAG 2.2, 1.4.3."""


NAMELESS = """
() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, svg[role=img]")]
  .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length))
  .map((e) => `no name: ${e.outerHTML.slice(0, 80)}`)
"""


LOOK = f"""
(min) => ({{
  over: document.documentElement.scrollWidth - innerWidth,
  headings: document.querySelectorAll("h1").length,
  wrong: [...(min ? ({TOO_SMALL})(min) : []), ...({CUT})(), ...({PALE})(), ...({NAMELESS})()],
}})
"""


def look(page: Page, complaints: list[str], *, size: str) -> list[str]:
    """Return what is wrong with the page that is open, and what the browser complained about."""
    seen = page.evaluate(LOOK, TARGET_MIN if size == "hand" else 0)
    wrong = [*complaints, *seen["wrong"]]
    complaints.clear()
    if seen["over"] > 0:
        wrong.append(f"{seen['over']} px too wide")
    if seen["headings"] != 1:
        wrong.append(f"{seen['headings']} first headings")
    return wrong


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("zh", "hand", "light"), ("en", "hand", "dark"), ("en", "desk", "light")],
)
def test_every_page_fits_and_names_its_controls(
    chromium: Browser, language: Language, size: str, scheme: str
) -> None:
    width, height = SIZES[size]
    html = {name: render(each, language=language) for name, each in samples(language).items()}
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints = complaints_of(page)
    wrong = []
    with shown(html) as origin:
        for name in html:
            page.goto(f"{origin}/{name}")
            wrong += [f"{name}: {each}" for each in look(page, complaints, size=size)]
            if language == "zh":
                # Large type is a class of the page and no other page.
                page.evaluate("document.documentElement.classList.add('large')")
                wrong += [f"{name}, large: {each}" for each in look(page, complaints, size=size)]
    context.close()
    assert not wrong


def test_large_type_is_a_class_of_the_page() -> None:
    usual, large = (samples("zh", is_large=each)["volunteer-home"] for each in (False, True))
    assert '<html lang="zh-CN">' in render(usual, language="zh")
    assert '<html lang="zh-CN" class="large">' in render(large, language="zh")


def test_the_code_on_the_wall_is_read_from_afar(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    found = samples("zh")
    serve(page, {"wall": render(found["organizer-code-arrive"], language="zh")})
    page.goto(f"{ORIGIN}/wall")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    page.close()
    # What a phone's camera keeps of a two-metre picture eight metres away, slightly out of focus.
    afar = shot.resize((shot.width // 4, shot.height // 4)).filter(ImageFilter.GaussianBlur(0.8))
    assert [each.text for each in zxingcpp.read_barcodes(afar)] == [
        "https://example.org/s/AQIDBAUGBwgJCgsMDQ4PEBESEw"
    ]


def wall(page: Page, text: str, *, refresh_ms: int) -> str:
    """The code page with another code in it."""
    sample = samples("zh")["organizer-code-arrive"]
    server_ms = page.evaluate("Date.now()")
    code = replace(
        sample.page.code,
        picture=code_picture(text),
        refresh_ms=refresh_ms,
        server_ms=server_ms,
        arrived=13,
    )
    return render(replace(sample, page=replace(sample.page, code=code)), language="zh")


def test_the_wall_takes_the_next_code_without_reloading(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    html = {
        "wall": wall(page, "FIRST", refresh_ms=300),
        "fragment": wall(page, "SECOND", refresh_ms=60_000),
    }
    complaints = serve(page, html)
    page.goto(f"{ORIGIN}/wall")
    page.evaluate("window.notReloaded = true")
    path = code_picture("SECOND").path
    page.wait_for_selector(f'.qr path[d="{path}"]')
    assert page.locator(".wall-count b").inner_text() == "13"
    assert page.evaluate("window.notReloaded")
    assert page.locator("#state-words").inner_text() == "网络正常，码在更新"
    assert not complaints
    page.close()


def test_the_wall_says_when_its_code_is_no_longer_fresh(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    serve(page, {"wall": wall(page, "FIRST", refresh_ms=300)})  # and no fragment to be had
    page.goto(f"{ORIGIN}/wall")
    page.wait_for_selector("#state.is-stale")
    assert "网络断了" in page.locator("#state-words").inner_text()
    page.close()


def test_an_impatient_second_tap_sends_nothing(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    serve(page, {"confirm": render(samples("zh")["scan-confirm"], language="zh")})
    page.goto(f"{ORIGIN}/confirm")
    page.evaluate(
        """() => { window.sent = 0;
          document.querySelector(".confirm-act").addEventListener("submit", (e) => { window.last = e; });
          window.addEventListener("submit", (e) => { if (!e.defaultPrevented) window.sent += 1; e.preventDefault(); }); }"""
    )
    page.locator(".confirm-act button").click()
    page.locator(".confirm-act button").click()
    assert page.evaluate("window.sent") == 1
    page.close()


def test_a_link_to_one_record_opens_its_proof(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    serve(page, {"records": render(samples("zh")["volunteer-records"], language="zh")})
    page.goto(f"{ORIGIN}/records#e12001")
    page.wait_for_selector("#e12001[open] .proof")
    assert page.locator("details[open]").count() == 1
    page.close()
