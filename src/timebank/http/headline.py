"""The county's number on the first page: anybody may ask for it, so it is not counted each time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from timebank.db import Database
from timebank.domain.scope import Scope
from timebank.queries.active_rate import ActiveRateReport, active_rates

REMEMBERED = timedelta(seconds=60)
"""How old the number on the first page may be; reports and downloads are always counted anew."""


class Headline:
    """Remembers the active rate of a scope and a year for a short while."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now
        self._lock = asyncio.Lock()
        self._remembered: dict[tuple[Scope, int], tuple[datetime, ActiveRateReport | None]] = {}

    async def find(self, *, scope: Scope, year: int) -> ActiveRateReport | None:
        """Return the report of a county as it was at most a minute ago; None where there is none.

        Cost: that of the report once a minute, however many ask.
        """
        async with self._lock:
            remembered = self._remembered.get((scope, year))
            if remembered is None or self._now() - remembered[0] >= REMEMBERED:
                async with self._db.read() as conn:
                    report = await active_rates(conn, scope=scope, year=year)
                remembered = (self._now(), report)
                self._remembered[scope, year] = remembered
        return remembered[1]
