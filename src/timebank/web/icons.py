"""The one kept set of icons, inlined: Lucide (ISC), from its package.

A page may use only a name listed here, so that the set stays one hand's drawing and each name is
rendered once per process.
"""

from functools import cache

from lucide.jinja import lucide
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
    attributes = {"class": "icon", "stroke-width": "2", "aria-hidden": "true"}
    drawing = " ".join(str(lucide(name, size=size, **attributes)).split())
    # The package's own fixed drawing; the name was just checked against ours.
    return Markup(drawing)  # noqa: S704
