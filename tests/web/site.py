"""The product as its users meet it: a process of its own on a TCP port, over the demo county.

Only the clock is the test's: it stands still until a test moves it. Nothing else that a test sets
in its own process reaches the product.
"""

import asyncio
import ctypes
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import uvicorn
from tests.factories import BOOK, KEY

from timebank.app import APP_ROLE, build_kit, create_app
from timebank.db import Database
from timebank.services.demo import build_demo
from timebank.services.sealing import LogKey
from timebank.store.seal import Seal
from timebank.trust.signer import Ed25519Signer
from timebank.web.format import ZONE

LOG_KEY = LogKey(Ed25519Signer(KEY), "time.example.org")


def _nine() -> datetime:
    now = datetime.now(ZONE)  # noqa: TID251 a starting point
    return now.replace(hour=9, minute=0, second=0, microsecond=0).astimezone(UTC)


_SPAWN = multiprocessing.get_context("spawn")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that a test moves, also for a process that it starts.

    Without an instant it begins at nine today, whenever the tests run: so a shift of some hours
    never ends on the next day, and the machine's own clock is hours off.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self._microseconds = _SPAWN.RawValue(ctypes.c_int64)
        self.at = at or _nine()

    def __call__(self) -> datetime:
        return self.at

    @property
    def at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._microseconds.value)

    @at.setter
    def at(self, instant: datetime) -> None:
        self._microseconds.value = (instant - _EPOCH) // timedelta(microseconds=1)

    def pass_by(self, span: timedelta) -> None:
        self.at += span


@dataclass(frozen=True, slots=True)
class Site:
    """A served product.

    Attributes:
        url: Without a slash at the end.
        database_url: The owner's, for looking behind the product's back.
    """

    url: str
    clock: Clock
    database_url: str


@contextmanager
def served(database_url: str, *, clock: Clock | None = None) -> Iterator[Site]:
    """Build the small demo in an empty, migrated database and serve it."""
    clock = clock or Clock()
    asyncio.run(_build(database_url, clock))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        product = _SPAWN.Process(
            target=_serve, args=(database_url, url, clock, listener), daemon=True
        )
        product.start()
    try:
        _wait_for(url, product.is_alive)
        yield Site(url, clock, database_url)
    finally:
        product.terminate()
        product.join(timeout=20)


def _serve(database_url: str, url: str, clock: Clock, listener: socket.socket) -> None:
    kit = build_kit(
        database_url=database_url,
        master_key=KEY,
        url=url,
        book=BOOK,
        is_demo=True,
        log_key=lambda: LOG_KEY,
        now=clock,
    )
    config = uvicorn.Config(create_app(kit), log_level="warning", access_log=False, ws="none")
    uvicorn.Server(config).run(sockets=[listener])


def _wait_for(url: str, is_alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert is_alive(), "the product did not start"
        try:
            httpx.head(url, timeout=deadline - time.monotonic())
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the product did not start in time"
            time.sleep(0.05)
        else:
            return


async def _build(database_url: str, clock: Clock) -> None:
    db = Database(database_url, role=APP_ROLE)
    try:
        await build_demo(
            db, seal=Seal(KEY), scale="small", now=clock(), progress=lambda _done, _whole: None
        )
    finally:
        await db.close()
