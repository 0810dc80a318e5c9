"""The files a browser keeps: one style sheet, one script per behaviour, one picture for the tab.

Style is written as one file per component and sent as one, in a fixed order, so that a first visit
over a slow network opens one connection less. An address carries the digest of its content: it may
be kept for ever, and a new release has new addresses. Files are packed once, when they are loaded;
pages are not packed at all, because each carries a secret (the form token), and the length of a
packed answer tells something of what is in it.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

STYLES = (
    "tokens",
    "page",
    "header",
    "button",
    "form",
    "card",
    "figure",
    "evidence",
    "table",
    "landing",
    "home",
    "shift",
    "record",
    "honour",
    "scan",
    "timeline",
    "code",
    "region",
    "policy",
    "print",
)
"""The component styles in the order in which they are joined; later ones may refine earlier."""

SCRIPTS = ("code", "disclose", "once")
"""One per behaviour; every page works before any of them has loaded."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Attributes:
        packed: The content for those who accept gzip.
    """

    media_type: str
    content: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by the last part of its address, and the address of each by its plain name.

    Attributes:
        addresses: Such as `{"app.css": "/static/app.1f3a9c02.css"}`.
    """

    by_name: Mapping[str, Asset]
    addresses: Mapping[str, str]

    def address(self, name: str) -> str:
        """Return where a file is served; a template knows this as `asset`.

        Raises:
            KeyError: There is no such file.
        """
        return self.addresses[name]


@cache
def load_assets(prefix: str = "/static") -> Assets:
    """Return every file, read once from the package."""
    root = files("timebank.web") / "static"
    sheet = b"\n".join((root / "css" / f"{name}.css").read_bytes() for name in STYLES)
    plain = {
        "app.css": _asset("text/css; charset=utf-8", sheet),
        "icon.svg": _asset("image/svg+xml", (root / "icon.svg").read_bytes()),
    }
    for name in SCRIPTS:
        plain[f"{name}.js"] = _asset(
            "text/javascript; charset=utf-8", (root / "js" / f"{name}.js").read_bytes()
        )
    by_name = {}
    addresses = {}
    for name, asset in plain.items():
        stem, suffix = name.rsplit(".", 1)
        addressed = f"{stem}.{hashlib.sha256(asset.content).hexdigest()[:10]}.{suffix}"
        by_name[addressed] = asset
        addresses[name] = f"{prefix}/{addressed}"
    return Assets(by_name=by_name, addresses=addresses)


def _asset(media_type: str, content: bytes) -> Asset:
    # Without a time of packing the same release sends the same bytes from every machine.
    return Asset(media_type, content, gzip.compress(content, mtime=0))
