"""Messages to people, encrypted, until a gateway has sent them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables
from timebank.store.seal import Seal


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
