"""What a stranger should know beside the entries, as leaves of a log of its own.

A rule that came into force, a key that changed, secrets that were erased: everything in a notice is
public. Its leaf begins as an entry's does, with version, kind, book, number and instant; then comes
the body, JSON with sorted keys and no spaces.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from timebank.trust import leaf

_HEADER = struct.Struct(">BBIqq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoticeKind(IntEnum):
    """What happened. 1 is an entry of the journal."""

    PACK = 2
    """A pack granted for the first time: `hash`, `pack`, `version`."""
    KEY = 3
    """Heads of more than `since` entries are signed by `vkey`, no longer by `replaces`."""
    ERASURE = 4
    """As many `secrets` of accounts were erased, of entries up to `entries`."""
    LIST = 5
    """List `number` was fixed, to be drawn from or voted on: `digest`, `mode`, `pack`, `rule`,
    `period`, `lots`; for a lottery `ready_at`: the first checkpoint since then is its seed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was made known.

    Attributes:
        number: From 1 within the book, without gaps.
        body: In canonical form.
    """

    number: int
    kind: NoticeKind
    body: str
    recorded_at: datetime

    def leaf(self, *, book: int) -> bytes:
        """Return the leaf that stands for it."""
        at = (self.recorded_at - _EPOCH) // timedelta(microseconds=1)
        return _HEADER.pack(leaf.VERSION, self.kind, book, self.number, at) + self.body.encode()


def canonical(body: Mapping[str, str | int | None]) -> str:
    """Return a body in the one form that is stored and hashed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def origin_of(log: str) -> str:
    """Return the origin of the notices that go with a log."""
    return f"{log}/notices"
