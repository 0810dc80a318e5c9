"""The only reading of the clock for a request."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 this is the one place
