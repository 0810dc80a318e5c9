"""Messages to people, encrypted, until a gateway has sent them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that a process has claimed, in clear.

    Attributes:
        tries: How often it was tried, this one included.
    """

    id: UUID
    phone: str
    text: str
    queued_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message in clear; only the demo shows these.

    Attributes:
        sent_at: None while it waits for a gateway.
    """

    phone: str
    text: str
    queued_at: datetime
    sent_at: datetime | None


async def insert_message(
    conn: AsyncConnection, *, seal: Seal, phone: str, text: str, now: datetime
) -> None:
    """Queue a message."""
    await conn.execute(
        insert(tables.outbox).values(
            id=uuid4(), phone_sealed=seal.seal(phone), text_sealed=seal.seal(text), queued_at=now
        )
    )


async def insert_messages(
    conn: AsyncConnection,
    *,
    seal: Seal,
    phones_sealed: Sequence[bytes],
    text: str,
    now: datetime,
) -> None:
    """Queue one text for many, whose numbers are sealed already. Cost: one statement."""
    if phones_sealed:
        await conn.execute(
            insert(tables.outbox),
            [
                {
                    "id": uuid4(),
                    "phone_sealed": phone,
                    "text_sealed": seal.seal(text),
                    "queued_at": now,
                }
                for phone in phones_sealed
            ],
        )


async def claim_due(
    conn: AsyncConnection, *, seal: Seal, limit: int, until: datetime, now: datetime
) -> list[DueMessage]:
    """Claim messages that are due until an instant, passing over what others are claiming.

    Shape: the oldest first, at most `limit`.
    """
    c = tables.outbox.c
    due = (
        select(c.id)
        .where(
            c.sent_at.is_(None),
            c.failed_at.is_(None),
            or_(c.next_at.is_(None), c.next_at <= now),
        )
        .order_by(c.queued_at, c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    rows = await conn.execute(
        update(tables.outbox)
        .where(c.id.in_(due))
        .values(next_at=until, tries=c.tries + 1)
        .returning(c.id, c.phone_sealed, c.text_sealed, c.queued_at, c.tries)
    )
    claimed = [
        DueMessage(number, seal.open(phone), seal.open(text), queued_at, tries)
        for number, phone, text, queued_at, tries in rows
    ]
    return sorted(claimed, key=lambda each: (each.queued_at, each.id))


async def set_sent(conn: AsyncConnection, *, message: UUID, at: datetime) -> None:
    """Record that a message left."""
    c = tables.outbox.c
    await conn.execute(
        update(tables.outbox).where(c.id == message).values(sent_at=at, next_at=None)
    )


async def set_failed(
    conn: AsyncConnection, *, message: UUID, next_at: datetime | None, now: datetime
) -> None:
    """Record that a message did not leave; without a next time it is given up."""
    c = tables.outbox.c
    await conn.execute(
        update(tables.outbox)
        .where(c.id == message, c.sent_at.is_(None))
        .values(next_at=next_at, failed_at=now if next_at is None else None)
    )


async def list_newest(conn: AsyncConnection, *, seal: Seal, limit: int) -> list[Message]:
    """Return the newest messages, newest first.

    Shape: at most `limit`.
    """
    c = tables.outbox.c
    rows = await conn.execute(
        select(c.phone_sealed, c.text_sealed, c.queued_at, c.sent_at)
        .order_by(c.queued_at.desc())
        .limit(limit)
    )
    return [
        Message(seal.open(phone), seal.open(text), queued_at, sent_at)
        for phone, text, queued_at, sent_at in rows
    ]
