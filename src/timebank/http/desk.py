"""Where scans are handed in: concurrent ones share a commit, and are answered after it."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from timebank.db import Database
from timebank.http.gathering import Answer, Gathering
from timebank.services.checkin import RecordedScan, ScanRequest, record_scans

SCANS_MAX = 2_000
"""Longest list of scans of one commit: longer ones get no cheaper by the scan."""

WAITING_MAX = 20_000
"""How many scans may queue: a minute's work would be too long to wait for."""


class Desk:
    """Collects the scans of one process."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        async def record(requests: list[ScanRequest]) -> list[RecordedScan]:
            return await record_scans(db, requests=requests, now=now())

        self._scans = Gathering(record, list_max=SCANS_MAX, waiting_max=WAITING_MAX)

    def hand_in(self, request: ScanRequest, answer: Answer[RecordedScan]) -> None:
        """Record one scan with whatever else is waiting; `answer` is told after the commit.

        Raises:
            CrowdedError: Too many wait already; `answer` is told nothing.
        """
        self._scans.hand_in(request, answer)

    def record(self, request: ScanRequest) -> asyncio.Future[RecordedScan]:
        """Record one scan with whatever else is waiting; awaited, it returns after the commit.

        Raises:
            CrowdedError: Too many wait already.
            Exception: Whatever failed the batch; none of its scans is recorded.
        """
        return self._scans.put(request)
