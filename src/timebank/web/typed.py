"""What people typed into a form, read; what cannot be read is None, and the page says so."""

from datetime import UTC, date, datetime, time
from typing import Annotated, TypeAlias

import msgspec
from litestar.params import PathParameter

from timebank.web import format as words

ShortText: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
"""One line of a form: longer than any name or place, shorter than a flood."""

NUMBER_MAX = 2**63 - 1
"""The largest number that the database can give to anything."""

BookInPath: TypeAlias = Annotated[int, PathParameter(ge=1, le=999_999)]
"""A county's six-digit code in an address."""

NumberInPath: TypeAlias = Annotated[int, PathParameter(ge=1, le=NUMBER_MAX)]
"""The number of something of a county in an address."""

_VILLAGE_DIGITS = 12
_YEARS = range(1900, 2201)
_MONTH_LETTERS = 7


def typed_day(text: str) -> date | None:
    """Return the day that a date field sends; years without a calendar of ours are none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def typed_month(text: str) -> date | None:
    """Return the first day of the month that an address names, such as `2024-11`."""
    return typed_day(f"{text}-01") if len(text) == _MONTH_LETTERS else None


def typed_time(text: str) -> time | None:
    """Return the time of day that a time field sends."""
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def typed_count(text: str) -> int:
    """Return a whole number; 0 for what is none, which no count on a form may be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def typed_village(text: str) -> int | None:
    """Return the code of a village as a list of villages sends it."""
    is_code = text.isascii() and text.isdigit() and len(text) == _VILLAGE_DIGITS
    return int(text) if is_code else None


def local_instant(day: date, clock: time) -> datetime:
    """Return the instant that a time of day means where the book is."""
    return datetime.combine(day, clock, tzinfo=words.ZONE).astimezone(UTC)
