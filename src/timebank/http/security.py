"""The headers that every answer carries."""


def _policy(scripts: str) -> str:
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


CONTENT_SECURITY_POLICY = _policy("'self'")
"""Nothing from elsewhere, nothing inline."""

CAMERA_POLICY = _policy("'self' 'wasm-unsafe-eval'")
"""Of pages with a camera alone: the reader of hard codes is WebAssembly."""

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}
"""On every answer, errors included."""

RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
"""The same, as a bare ASGI route sends them."""
