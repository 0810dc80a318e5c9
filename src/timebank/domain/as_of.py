"""Which state of the books a number is asked for: an entry of one book, or an instant."""

from dataclasses import dataclass
from datetime import datetime

AsOfAsked = int | datetime
"""An entry's number, or an instant with a zone."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state of a book that a number was made of: its entries 1 to `seq`."""

    book: int
    seq: int


class UnknownStateError(ValueError):
    """The books were never in that state: the entry is not there, or which book is not said."""


def parse_as_of(text: str) -> AsOfAsked:
    """Return what a text asks for: `1200` is an entry, `2026-01-01T00:00:00+08:00` an instant.

    Raises:
        ValueError: It is neither; an instant without a zone is none.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant
