"""When a message that did not leave is tried again, and when it is given up."""

from datetime import datetime, timedelta

CLAIM = timedelta(minutes=1)
"""How long a process has a message to itself; after that another one may take it."""

TRIES_MAX = 8
"""How often a message is tried: with the pauses between, for most of a day."""

_FIRST_PAUSE = timedelta(minutes=1)
_PAUSE_FACTOR = 3


def next_try_at(tries: int, *, now: datetime) -> datetime | None:
    """Return when a message that failed so often is tried again; None where it is given up.

    Each pause is three times the one before: one minute, three, nine, … twelve hours.
    """
    if tries >= TRIES_MAX:
        return None
    return now + _FIRST_PAUSE * int(_PAUSE_FACTOR ** (tries - 1))
