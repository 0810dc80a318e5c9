"""The one kept set of icons, inlined: Lucide (ISC), from its package.

A page may use only a name listed here, so that the set stays one hand's drawing and each name is
rendered once per process.
"""

from functools import cache
from importlib.resources import files
from xml.etree import ElementTree
from zipfile import ZipFile

from markupsafe import Markup

NAMES = (
    "a-large-small",
    "arrow-left",
    "arrow-right",
    "award",
    "ban",
    "building-2",
    "calendar-days",
    "camera",
    "check",
    "chevron-left",
    "chevron-right",
    "circle-alert",
    "circle-check",
    "circle-question-mark",
    "clock",
    "download",
    "file-text",
    "flag",
    "flashlight",
    "gift",
    "globe",
    "heart-handshake",
    "hourglass",
    "house",
    "id-card",
    "inbox",
    "info",
    "landmark",
    "list",
    "lock",
    "log-in",
    "log-out",
    "map-pin",
    "maximize",
    "minus",
    "plug",
    "plus",
    "printer",
    "qr-code",
    "scan-line",
    "scroll-text",
    "rotate-cw",
    "search",
    "smartphone",
    "sprout",
    "stamp",
    "star",
    "tablet-smartphone",
    "triangle-alert",
    "undo-2",
    "user",
    "user-check",
    "user-plus",
    "users",
    "wifi",
    "wifi-off",
    "x",
)
"""Every icon the product uses, by Lucide's name."""


@cache
def icon(name: str, size: int = 24) -> Markup:
    """Return an icon as inline SVG that takes the colour of its text and is silent to a reader.

    Raises:
        ValueError: The name is not one of the kept set.
    """
    if name not in NAMES:
        raise ValueError(f"no such icon in the kept set: {name}")
    # The package's own fixed drawing; the name was just checked against ours.
    drawing = ElementTree.fromstring(_drawings()[name])  # noqa: S314
    for part in drawing.iter():
        part.tag = part.tag.removeprefix("{http://www.w3.org/2000/svg}")
    drawing.attrib |= {
        "width": str(size),
        "height": str(size),
        "class": "icon",
        "stroke-width": "2",
        "aria-hidden": "true",
    }
    return Markup(" ".join(ElementTree.tostring(drawing, encoding="unicode").split()))  # noqa: S704


@cache
def _drawings() -> dict[str, bytes]:
    """Return the file of each kept icon; the package's archive has two thousand, read once."""
    with (files("lucide") / "lucide.zip").open("rb") as packed, ZipFile(packed) as archive:
        return {name: archive.read(f"{name}.svg") for name in NAMES}
