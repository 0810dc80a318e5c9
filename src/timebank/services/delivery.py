"""Delivers what waits in the outbox: claimed, sent outside any transaction, and noted.

Several processes share the work: each claims rows that nobody else has claimed, for a minute. One
that dies meanwhile leaves its rows to the others; a message may then leave twice, never not at all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from timebank.db import Database
from timebank.domain.delivery import CLAIM, next_try_at
from timebank.services.carrier import UndeliveredError
from timebank.services.gateway import Gateway
from timebank.store import outbox
from timebank.store.outbox import DueMessage
from timebank.store.seal import Seal

SECONDS_BETWEEN = 2.0
"""How long a message waits at most where the gateway keeps up."""

AT_ONCE = 20
"""Messages claimed by one look: as many as a slow gateway sends within the claim."""

_log = logging.getLogger("timebank")


async def deliver_due(db: Database, *, seal: Seal, gateway: Gateway, now: datetime) -> int:
    """Send what is due and return how many messages left.

    Cost: a statement to claim, one for each message.
    """
    async with db.write() as conn:
        due = await outbox.claim_due(conn, seal=seal, limit=AT_ONCE, until=now + CLAIM, now=now)
    outcomes = await asyncio.gather(*(_send(gateway, each) for each in due))
    async with db.write() as conn:
        for message, failure in zip(due, outcomes, strict=True):
            if failure is None:
                await outbox.set_sent(conn, message=message.id, at=now)
                continue
            retry_at = None if failure.is_final else next_try_at(message.tries, now=now)
            await outbox.set_failed(conn, message=message.id, next_at=retry_at, now=now)
            level = logging.ERROR if retry_at is None else logging.WARNING
            _log.log(level, "message %s did not leave: %s", message.id, failure)
    return outcomes.count(None)


async def keep_delivered(
    db: Database,
    *,
    seal: Seal,
    gateway: Gateway,
    now: Callable[[], datetime],
    stopped: asyncio.Event,
) -> None:
    """Deliver what is due, again and again, until stopped."""
    while not stopped.is_set():
        sent = 0
        try:
            sent = await deliver_due(db, seal=seal, gateway=gateway, now=now())
        except Exception:
            # Delivery comes back with the database; what was claimed is tried again after a minute.
            _log.exception("messages could not be delivered")
        if sent < AT_ONCE:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), SECONDS_BETWEEN)


async def _send(gateway: Gateway, message: DueMessage) -> UndeliveredError | None:
    try:
        await asyncio.to_thread(gateway.send, message)
    except UndeliveredError as failure:
        return failure
    return None
