"""Where concurrent scans queue: whatever arrives while a batch commits is the next batch.

No timer, no added latency when idle: a lone scan is a batch of one. Every caller is answered after
the commit that holds its scan, so a busy hour costs less per scan than a quiet one.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from timebank.db import Database
from timebank.services.checkin import RecordedScan, ScanRequest, record_scans

SCANS_MAX = 2_000
"""Longest list handed on at once: bounds how long the first of it waits for its commit."""

WAITING_MAX = 20_000
"""How many may queue: beyond it a caller is told to come again, instead of waiting for minutes."""


class DeskFullError(Exception):
    """More scans wait than can be answered soon; nothing was recorded."""


class Desk:
    """Collects scans of one process and records them together."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now
        self._waiting: list[tuple[ScanRequest, asyncio.Future[RecordedScan]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def record(self, request: ScanRequest) -> RecordedScan:
        """Record one scan with whatever else is waiting; returns after the commit.

        Raises:
            DeskFullError: Too many wait already.
            Exception: Whatever failed the batch; none of its scans is recorded.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise DeskFullError
        future: asyncio.Future[RecordedScan] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:SCANS_MAX], self._waiting[SCANS_MAX:]
            try:
                results = await record_scans(
                    self._db, requests=[request for request, _ in batch], now=self._now()
                )
            except Exception as error:
                for _, future in batch:
                    if not future.cancelled():
                        future.set_exception(error)
            else:
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.cancelled():
                        future.set_result(result)
