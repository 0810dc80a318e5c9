"""Make the pictures of the README again: `python -m tests.web.pictures FOLDER [URL [NAME ...]]`.

Of the demo at URL, or of a small one built for it: a volunteer's first page, the code on the wall,
the district's overview of 2024 down to the fold.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page
from tests.web.preview import browser
from tests.web.site import Clock, served

from timebank import migrations, postgres
from timebank.http.clock import now
from timebank.services.demo import YEAR

BYTES_MAX = 150_000
"""A README is read on phones, too."""

COLOURS = 128
"""As many as keep the edges of letters smooth; the pages have few."""


class RunningClock(Clock):
    """The machine's own, so that the wall finds its screen on time."""

    def __call__(self) -> datetime:
        return now()


@contextmanager
def small_demo() -> Iterator[str]:
    """A small demo while the block runs: its URL."""
    with tempfile.TemporaryDirectory(prefix="timebank-pictures-") as folder:
        Path(folder).chmod(0o755)
        with postgres.running(Path(folder) / "data") as server:
            url = server.url(user=postgres.SUPERUSER, database="postgres")
            migrations.upgrade(url)
            with served(url, clock=RunningClock()) as site:
                yield site.url


def take(folder: Path, url: str, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for name in names:
            keep(VIEWS[name](chromium, url), folder / f"{name}.png")


def home(chromium: Browser, url: str) -> Page:
    return open_as(chromium, url, "volunteer", size=(360, 740), scale=2)


def code(chromium: Browser, url: str) -> Page:
    """The wall, after one volunteer has come."""
    volunteer = open_as(chromium, url, "volunteer", size=(360, 740))
    if volunteer.locator(".today-open").count():
        volunteer.locator(".today-demo button").click()
        volunteer.locator(".confirm-act button").click()
        volunteer.locator(".result-sheet").wait_for()
    wall = open_as(chromium, url, "organizer", size=(1280, 800))
    wall.locator("a.button[href$='/code']").first.click()
    wall.locator(".wall-code svg").wait_for()
    # Says that phones cannot open this machine's own address, which the reader's can.
    wall.locator(".wall-note").evaluate_all("notes => notes.forEach((each) => each.remove())")
    return wall


def district(chromium: Browser, url: str) -> Page:
    page = open_as(chromium, url, "officer", size=(1280, 800))
    page.goto(f"{url}/district?year={YEAR}")
    return page


VIEWS = {"home": home, "code": code, "district": district}
"""The volunteer's page first: the wall's is taken after somebody has come."""


def open_as(
    chromium: Browser, url: str, role: str, *, size: tuple[int, int], scale: int = 1
) -> Page:
    width, height = size
    page = chromium.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        locale="zh-CN",
        reduced_motion="reduce",
    )
    page.goto(url)
    page.locator(f".door-{role} button").click()
    page.wait_for_load_state()
    return page


def keep(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > BYTES_MAX:
        raise ValueError(f"{path.name} is {path.stat().st_size} bytes: too heavy for a README")


if __name__ == "__main__":
    _program, target, *rest = sys.argv
    wanted = rest[1:] or list(VIEWS)
    if rest:
        take(Path(target), rest[0].rstrip("/"), wanted)
    else:
        with small_demo() as address:
            take(Path(target), address, wanted)
