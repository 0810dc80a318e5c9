"""What an organizer may tell everybody who holds a place in a shift."""

from datetime import timedelta
from enum import StrEnum

TEXT_LENGTH_MAX = 200
"""The longest message: three short messages of a phone."""

PER_DAY_MAX = 5
"""How many messages a shift is sent within a day: more are ignored by who gets them."""

DAY = timedelta(hours=24)
"""The span in which they are counted."""


class MessageRefusal(StrEnum):
    """Why nobody was told anything, in order of precedence."""

    TEXT_LENGTH = "message.text_length"
    CANCELLED = "message.cancelled"
    TOO_MANY = "message.too_many"
    NOBODY = "message.nobody"


def decide_message(
    *, text: str, is_cancelled: bool, sent: int, people: int
) -> MessageRefusal | None:
    """Return why a message cannot be sent, or None; its text has been cleaned."""
    if not 1 <= len(text) <= TEXT_LENGTH_MAX:
        return MessageRefusal.TEXT_LENGTH
    if is_cancelled:
        return MessageRefusal.CANCELLED
    if sent >= PER_DAY_MAX:
        return MessageRefusal.TOO_MANY
    if not people:
        return MessageRefusal.NOBODY
    return None
