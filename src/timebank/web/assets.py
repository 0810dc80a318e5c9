"""The files a browser keeps: style, scripts, a picture for the tab, and the bundled modules.

Style is written as one file per component and sent as one, in a fixed order, so that a first visit
over a slow network opens one connection less. An address carries the digest of its content: it may
be kept for ever, and a new release has new addresses. Files are packed once, when they are loaded;
pages are not packed at all, because each carries a secret (the form token), and the length of a
packed answer tells something of what is in it.

Modules that need a library from npm are bundled by `browser/bundle.py` into `static/built/`, which
is not tracked. They are packed there, and have the digest in their names already, for they name
each other.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

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
    "paper",
    "objection",
    "offline",
    "code",
    "camera",
    "region",
    "policy",
    "what_if",
    "benefit",
    "why",
    "draft",
    "review",
    "verify",
    "program",
    "gazette",
    "month",
    "chart",
    "print",
)
"""The component styles in the order in which they are joined; later ones may refine earlier."""

SCRIPTS = (
    "chart",
    "code",
    "device",
    "disclose",
    "draft",
    "live",
    "offline",
    "once",
    "seen",
    "upload",
    "what_if",
)
"""One per behaviour; every page works before any of them has loaded."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Attributes:
        packed: The content for those who accept gzip.
        brotli: The content for those who accept brotli; None where it was not packed so.
    """

    media_type: str
    content: bytes
    packed: bytes
    brotli: bytes | None = None

    def best_for(self, accepted: str) -> tuple[bytes, str]:
        """Return the shortest form for a browser, by its `accept-encoding`, and that form's name.

        The name is empty for the content as it is.
        """
        offered = {each.partition(";")[0].strip() for each in accepted.split(",")}
        if self.brotli is not None and "br" in offered:
            return self.brotli, "br"
        return (self.packed, "gzip") if "gzip" in offered else (self.content, "")


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by the last part of its address, and the address of each by its plain name.

    Attributes:
        addresses: Such as `{"app.css": "/static/app.1f3a9c02.css"}`; the bundled modules as well,
            such as `scanner.js`.
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
    """Return every file, read once from the package.

    Raises:
        RuntimeError: The bundled modules are missing.
    """
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
    built, names = _built(root / "built")
    by_name |= built
    addresses |= {name: f"{prefix}/{addressed}" for name, addressed in names.items()}
    return Assets(by_name=by_name, addresses=addresses)


_MEDIA_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "wasm": "application/wasm",
}


def _built(folder: Traversable) -> tuple[dict[str, Asset], dict[str, str]]:
    """Return the bundled files by the name they have, and that name by the plain one."""
    try:
        names: dict[str, str] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuntimeError("the browser modules are not bundled: run scripts/setup") from None
    found = {
        each.name: Asset(
            _MEDIA_TYPES[each.name.rpartition(".")[2]],
            each.read_bytes(),
            (folder / f"{each.name}.gz").read_bytes(),
            (folder / f"{each.name}.br").read_bytes(),
        )
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in _MEDIA_TYPES
    }
    return found, names


def _asset(media_type: str, content: bytes) -> Asset:
    # Without a time of packing the same release sends the same bytes from every machine.
    return Asset(media_type, content, gzip.compress(content, mtime=0))
