"""A free place goes to the first who waits for it and can take it; who gets one is told.

Volunteers are locked before the shift, as everywhere, and in one order among themselves: who may be
promoted must not take a place elsewhere meanwhile. How many of them that is, is a guess: where the
list moved on beyond it, nothing is written and more of it is locked.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.signup import SignedUp, decide_signup
from timebank.services.errors import ConflictError, NotFoundError
from timebank.services.founding import ZONE
from timebank.store import activities, outbox, people, signups, volunteers, waiting
from timebank.store.activities import Shift
from timebank.store.seal import Seal

_T = TypeVar("_T")

_AHEAD = 8
"""How many of those who wait are locked at first: usually the next one can take the place."""

_TRIES = 5
"""How often more of them are locked: in the end, all that a list may hold."""


class QueueMovedError(Exception):
    """Somebody who was not locked is next: nothing was written, and more must be locked."""


async def following(act: Callable[[int], Awaitable[_T]], *, free: int = 1) -> _T:
    """Do what frees so many places, with as much of the waiting list locked as it takes.

    `act` is a transaction; it is told how many of those who wait to lock, and may be begun again.

    Raises:
        ConflictError: The waiting list moved faster than it could be followed.
    """
    for turn in range(_TRIES):
        try:
            return await act((free - 1 + _AHEAD) * 4**turn)
        except QueueMovedError:
            continue
    raise ConflictError


async def lock_next(
    conn: AsyncConnection,
    *,
    shift_book: int,
    shift: int,
    ahead: int,
    beside: VolunteerId | None = None,
) -> set[VolunteerId]:
    """Lock those who are next in a shift's waiting list, and one volunteer beside them.

    Raises:
        NotFoundError: The one beside them does not exist.
    """
    locked = set(await waiting.list_waiting(conn, shift_book=shift_book, shift=shift, limit=ahead))
    if beside is not None:
        locked.add(beside)
    for each in sorted(locked, key=lambda each: (each.book, each.id)):
        if not await volunteers.lock_volunteer(conn, volunteer=each) and each == beside:
            raise NotFoundError
    return locked


async def promote(
    conn: AsyncConnection, shift: Shift, *, seal: Seal, locked: set[VolunteerId], now: datetime
) -> VolunteerId | None:
    """Give a free place of a locked shift to the first who waits and can take it, and tell them.

    Raises:
        QueueMovedError: That one is not locked.
    """
    for each in await waiting.list_waiting(conn, shift_book=shift.book, shift=shift.id):
        if each not in locked:
            raise QueueMovedError
        facts = await signups.find_facts(conn, volunteer=each, shift=shift)
        if isinstance(decide_signup(facts, now=now), SignedUp):
            await signups.set_signed_up(
                conn, volunteer=each, shift_book=shift.book, shift=shift.id, at=now
            )
            await waiting.set_ended(
                conn,
                volunteer=each,
                shift_book=shift.book,
                shift=shift.id,
                is_promoted=True,
                at=now,
            )
            await _tell(conn, seal, each, shift, now=now)
            return each
    return None


async def _tell(
    conn: AsyncConnection, seal: Seal, volunteer: VolunteerId, shift: Shift, *, now: datetime
) -> None:
    found = await volunteers.find_volunteer(conn, volunteer=volunteer)
    if found is None or found.person is None:
        return
    person = await people.find_person(conn, seal=seal, person=found.person)
    if person is None or person.phone is None:
        return
    title = await activities.find_title(conn, book=shift.book, activity=shift.activity)
    starts = shift.starts_at.astimezone(ZoneInfo(ZONE))
    text = (
        f"【时间银行】“{title}”（{starts.month}月{starts.day}日 {starts:%H:%M}）空出一个名额，"
        "已为您报上名。不能来的话，请打开“找活动”取消，好让给下一位。"
    )
    await outbox.insert_message(conn, seal=seal, phone=person.phone, text=text, now=now)
