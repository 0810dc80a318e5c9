"""What was learned after a publication: anybody may ask, so it is not counted each time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from timebank.db import Database
from timebank.domain.publication import Reference
from timebank.services.publication import Since, find_since
from timebank.store.publications import KeptPublication

REMEMBERED = timedelta(seconds=60)
"""How old the differences beside a publication may be."""

_PUBLICATIONS_MAX = 100
"""How many publications are remembered: those that are read at the same time."""


class Afterwards:
    """Remembers for a short while what was learned after a publication."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now
        self._lock = asyncio.Lock()
        self._remembered: dict[Reference, tuple[datetime, Since]] = {}

    async def find(self, kept: KeptPublication) -> Since:
        """Return what was learned after a publication, as of at most a minute ago.

        Cost: that of the report once a minute, however many ask.
        """
        reference = kept.publication.reference
        async with self._lock:
            remembered = self._remembered.get(reference)
            if remembered is None or self._now() - remembered[0] >= REMEMBERED:
                self._remembered.pop(reference, None)
                while len(self._remembered) >= _PUBLICATIONS_MAX:
                    del self._remembered[next(iter(self._remembered))]
                remembered = (self._now(), await find_since(self._db, kept=kept))
                self._remembered[reference] = remembered
        return remembered[1]
