"""Answers that a client keeps: it asks whether they changed, and is sent them only if they did.

Source: RFC 9110, sections 8.8.3 and 13.1.2.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response

_KEPT = "private, no-cache"
"""Kept by whoever asked, and asked about each time."""


def answer(
    request: Request[Any, Any, Any],
    content: bytes,
    *,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Return content with its tag; only the tag to a client that has this very content."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    kept = {"etag": tag, "cache-control": _KEPT, "vary": "authorization, cookie", **(headers or {})}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=304, headers=kept, media_type=media_type)
    return Response(content, headers=kept, media_type=media_type)


def _has(asked: str, tag: str) -> bool:
    """Return whether a list of tags names one; weak ones are compared like strong ones."""
    tags = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return "*" in tags or tag in tags
