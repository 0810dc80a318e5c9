"""The product as its users meet it: the whole application on a TCP port, over the demo county.

Only the clock is the test's: it stands still until a test moves it.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

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


@dataclass(slots=True)
class Clock:
    """A clock that a test moves; it begins at nine today, whenever the tests run.

    So a shift of some hours never ends on the next day, and the machine's own clock is hours off.
    """

    at: datetime = field(default_factory=_nine)

    def __call__(self) -> datetime:
        return self.at

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
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    kit = build_kit(
        database_url=database_url,
        master_key=KEY,
        url=url,
        book=BOOK,
        is_demo=True,
        log_key=lambda: LOG_KEY,
        now=clock,
    )
    server = uvicorn.Server(
        uvicorn.Config(create_app(kit), log_level="warning", access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.01)
    try:
        yield Site(url, clock, database_url)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


async def _build(database_url: str, clock: Clock) -> None:
    db = Database(database_url, role=APP_ROLE)
    try:
        await build_demo(
            db, seal=Seal(KEY), scale="small", now=clock(), progress=lambda _done, _whole: None
        )
    finally:
        await db.close()
