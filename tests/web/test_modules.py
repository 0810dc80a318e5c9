"""What is bundled from npm works on a page of ours, from this site alone, and is small on the wire."""

import base64
import io
from collections.abc import Iterator

import httpx
import pytest
import qrcode
from PIL import ImageFilter
from playwright.sync_api import Browser, Page
from tests.web.site import Site

from timebank.web.assets import load_assets

pytestmark = pytest.mark.needs_browser

TEXT = "HTTPS://TIMEBANK.EXAMPLE/S/5QK7WZ"

DETECT = """
async ([address, name, picture]) => {
  const module = await import(address);
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0);
  return module[name](canvas);
}
"""


def code(*, blur: float, side: int) -> str:
    """A picture of a code as a camera gives it, as an address."""
    picture = qrcode.make(TEXT, border=4).get_image().convert("L").resize((side, side))
    picture = picture.filter(ImageFilter.GaussianBlur(blur)).point(lambda value: 90 + value // 4)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


EASY = {"blur": 0, "side": 240}
HARD = {"blur": 1.5, "side": 110}
"""Out of focus: the small reader does not see it, the large one does."""


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    opened = chromium.new_page()
    # Only pages with a camera may run WebAssembly.
    opened.goto(f"{site.url}/scan/camera")
    yield opened
    opened.close()


def read(page: Page, name: str, picture: str) -> list[str]:
    found = page.evaluate(DETECT, [load_assets().address("scanner.js"), name, picture])
    return [each["rawValue"] for each in found]


def test_a_code_is_read_by_the_small_reader_and_a_hard_one_by_the_large(
    page: Page, site: Site
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    assert read(page, "detect", code(**EASY)) == [TEXT]
    assert read(page, "detect", code(**HARD)) == []
    assert not [each for each in asked if each.endswith(".wasm")]
    assert read(page, "detectStill", code(**HARD)) == [TEXT]

    assert [each for each in asked if each.endswith(".wasm")]
    elsewhere = [each for each in asked if not each.startswith((site.url, "data:"))]
    assert elsewhere == complaints == []


def test_the_large_reader_joins_in_when_the_small_one_has_failed_for_a_while(page: Page) -> None:
    page.clock.install()
    with page.expect_request(lambda request: request.url.endswith(".wasm")):
        assert read(page, "detect", code(**HARD)) == []
        page.clock.run_for(2000)
        assert read(page, "detect", code(**HARD)) == []
        page.clock.run_for(500)
        read(page, "detect", code(**HARD))
    assert read(page, "detect", code(**HARD)) == [TEXT]


@pytest.mark.parametrize(
    ("name", "bytes_max"), [("scanner.js", 20_000), ("charts.js", 30_000), ("charts.css", 1_000)]
)
def test_a_module_is_small_on_the_wire_and_kept(site: Site, name: str, bytes_max: int) -> None:
    address = load_assets().address(name)
    for accepted, encoding in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)]:
        with httpx.stream("GET", site.url + address, headers={"accept-encoding": accepted}) as got:
            sent = b"".join(got.iter_raw())
        assert got.headers.get("content-encoding") == encoding
        assert "immutable" in got.headers["cache-control"]
        if encoding:
            assert len(sent) < bytes_max
        else:
            assert sent == load_assets().by_name[address.rpartition("/")[2]].content
