"""Take pictures of every page with sample values: `python -m tests.web.preview FOLDER [NAME ...]`.

At 360 x 740 and 1280 x 800, Chinese and English, light and dark, and in large type.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page, Route, sync_playwright
from tests.tools import find_browser
from tests.web.sample_pages import Sample, samples

from timebank.web.assets import load_assets
from timebank.web.catalog import Language, translator
from timebank.web.rendering import build_environment

ORIGIN = "http://preview.test"
POLICY = "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
SIZES = {"hand": (360, 740), "desk": (1280, 800)}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP preview.test 127.0.0.1",
]


_environment = cache(build_environment)


def render(sample: Sample, *, language: Language) -> str:
    return (
        _environment()
        .get_template(sample.template)
        .render(page=sample.page, frame=sample.frame, _=translator(language))
    )


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def serve(page: Page, html: dict[str, str]) -> list[str]:
    """Answer the page's requests from memory; return the list into which complaints are put."""
    complaints = complaints_of(page)
    files = load_assets().by_name

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        name = path.rsplit("/", 1)[-1]
        if path.startswith("/static/") and name in files:
            route.fulfill(body=files[name].content, content_type=files[name].media_type)
        elif name in html:
            route.fulfill(
                body=html[name],
                content_type="text/html; charset=utf-8",
                headers={"content-security-policy": POLICY},
            )
        else:
            route.fulfill(status=404, body="")

    page.route(f"{ORIGIN}/**", answer)
    return complaints


@contextmanager
def shown(html: Mapping[str, str]) -> Iterator[str]:
    """Serve pages by name on a port while the block runs: the address they begin with.

    A browser that really asks keeps the files that pages share, which one whose requests are
    answered by hand does not: of many pages each loads in a fraction of the time.
    """
    files = load_assets().by_name

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            if self.path.startswith("/static/") and name in files:
                kept = ("cache-control", "max-age=3600, immutable")
                self.answer(200, files[name].content, files[name].media_type, kept)
            elif name in html:
                policy = ("content-security-policy", POLICY)
                self.answer(200, html[name].encode(), "text/html; charset=utf-8", policy)
            else:
                self.answer(404, b"", "text/plain")

        def answer(self, status: int, body: bytes, kind: str, *more: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            for name, value in more:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
            """Say nothing of each answer."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{ORIGIN}:{server.server_address[1]}"
        finally:
            server.shutdown()


def complaints_of(page: Page) -> list[str]:
    """Return the list into which goes whatever the browser finds to complain about."""
    complaints: list[str] = []
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def take(folder: Path, names: list[str], variants: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for variant in variants:
            language: Language = "en" if "en" in variant.split("-") else "zh"
            is_large = "large" in variant
            found = samples(language, is_large=is_large)
            html = {name: render(sample, language=language) for name, sample in found.items()}
            width, height = SIZES["desk" if "desk" in variant else "hand"]
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if "dark" in variant else "light",
                reduced_motion="reduce",
                device_scale_factor=1,
            )
            page = context.new_page()
            complaints = complaints_of(page)
            with shown(html) as origin:
                for name in found:
                    if names and not any(name.startswith(each) for each in names):
                        continue
                    page.goto(f"{origin}/{name}")
                    page.screenshot(path=folder / f"{name}.{variant}.png", full_page=True)
                    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    if over > 0:
                        complaints.append(f"{over} px too wide")
                    for complaint in complaints:
                        sys.stdout.write(f"{name} {variant}: {complaint}\n")
                    complaints.clear()
            context.close()


if __name__ == "__main__":
    wanted = [each for each in sys.argv[2:] if not each.startswith("+")]
    chosen = [each[1:] for each in sys.argv[2:] if each.startswith("+")]
    take(
        Path(sys.argv[1]),
        wanted,
        chosen
        or ["hand-zh", "hand-en", "hand-zh-dark", "hand-zh-large", "desk-zh", "desk-en-dark"],
    )
