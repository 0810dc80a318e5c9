"""A camera without a camera: Chromium takes its pictures from a file that a test writes.

Each time a page opens the camera the file is read anew, so one browser sees whatever is held before
it. The frames are JPEG pictures one after the other, which is all that Motion JPEG is.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from tests.tools import find_browser
from tests.web.preview import FLAGS

_SIZE = (1280, 720)
_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Camera:
    """What a browser's camera sees."""

    file: Path

    def see(self, picture: Image.Image) -> None:
        """Hold a picture before the camera, a little turned, as a hand would."""
        scene = Image.new("RGB", _SIZE, (118, 112, 104))
        scale = min(_SIZE[0] / picture.width, _SIZE[1] / picture.height) * 0.85
        held = picture.convert("RGB").resize(
            (int(picture.width * scale), int(picture.height * scale))
        )
        turned = held.rotate(4, expand=True, fillcolor=(118, 112, 104))
        scene.paste(turned, ((_SIZE[0] - turned.width) // 2, (_SIZE[1] - turned.height) // 2))
        frame = io.BytesIO()
        scene.save(frame, "JPEG", quality=85)
        # A browser that still reads the old scene keeps it: the new one takes its name.
        fresh = self.file.with_suffix(".fresh")
        fresh.write_bytes(frame.getvalue() * _FRAMES)
        fresh.replace(self.file)

    def see_page(self, page: Page, selector: str) -> None:
        """Hold a part of somebody's screen before the camera."""
        self.see(Image.open(io.BytesIO(page.locator(selector).first.screenshot())))


@contextmanager
def browser_with_camera() -> Iterator[tuple[Browser, Camera]]:
    """Open a browser whose camera is a file, and which allows every page to use it."""
    with tempfile.TemporaryDirectory(prefix="timebank-camera-") as folder:
        camera = Camera(Path(folder) / "scene.mjpeg")
        camera.see(Image.new("RGB", (100, 100)))
        flags = [
            *FLAGS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera.file}",
        ]
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=find_browser(), args=flags)
            try:
                yield chromium, camera
            finally:
                chromium.close()
