"""Reminders about shifts that are over: to who forgot to scan out, and to who must close."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.reminder import AFTER_END, ReminderKind, due_reminder, reminder_text
from timebank.services.founding import ZONE
from timebank.store import outbox, reminders
from timebank.store.seal import Seal
from timebank.store.working_days import is_working_day

_log = logging.getLogger(__name__)

LOOKED_BACK = timedelta(days=60)
"""How old a shift may be to be reminded of: older ones stand on the district's page."""

SHIFTS_AT_ONCE = 2_000
"""How many unclosed shifts one round looks at, the newest first."""

ROUND_SECONDS = 60
"""How long a process rests between two rounds: minutes matter, seconds do not."""


async def remind(db: Database, *, seal: Seal, now: datetime) -> int:
    """Queue every reminder that is due and was not sent before; return how many people get one.

    Several processes may do it at once: each reminder is sent by one of them.

    Cost: one statement, and four for each shift that something is sent about.
    """
    zone = ZoneInfo(ZONE)
    async with db.read() as conn:
        unclosed = await reminders.list_unclosed(
            conn, since=now - LOOKED_BACK, until=now - AFTER_END, limit=SHIFTS_AT_ONCE
        )
    sent = 0
    for each in unclosed:
        kind = due_reminder(
            each.ends_at,
            ended_on=local_day(each.ends_at, zone=zone),
            today=local_day(now, zone=zone),
            now=now,
            is_working_day=is_working_day,
        )
        if kind is None:
            continue
        async with db.write() as conn:
            if not await reminders.claim(
                conn, book=each.book, shift=each.shift, kind=kind, now=now
            ):
                continue
            phones = (
                await reminders.list_present_phones(conn, book=each.book, shift=each.shift)
                if kind is ReminderKind.DEPARTURE
                else await reminders.list_organizer_phones(conn, organization=each.organization)
            )
            await outbox.insert_messages(
                conn,
                seal=seal,
                phones_sealed=phones,
                text=reminder_text(kind, title=each.title, forgotten=each.forgotten),
                now=now,
            )
        sent += len(phones)
    return sent


async def keep_reminded(
    db: Database, *, seal: Seal, now: Callable[[], datetime], stopped: asyncio.Event
) -> None:
    """Send reminders until stopped. A round that fails is tried again, and said."""
    while not stopped.is_set():
        try:
            await remind(db, seal=seal, now=now())
        except Exception:
            _log.exception("reminders were not sent; trying again")
        try:
            await asyncio.wait_for(stopped.wait(), ROUND_SECONDS)
        except TimeoutError:
            continue
