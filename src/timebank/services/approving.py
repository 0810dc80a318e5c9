"""The second person agrees to a held entry: what the first one asked for is done now, once."""

from datetime import datetime
from typing import assert_never

from timebank.db import Database
from timebank.domain.actor import Actor
from timebank.domain.closing import AlreadyClosed, Closed, ClosingHeld, ClosingRefused
from timebank.domain.second_person import ApprovalRefused, HeldKind
from timebank.services import closing, paper_list
from timebank.services.paper_list import PaperHeld, PaperList
from timebank.services.second_person import find_held

Approved = Closed | AlreadyClosed | ClosingHeld | ClosingRefused | PaperList | PaperHeld
"""What came of it: the outcome of the use case that was held."""


async def approve(
    db: Database, *, actor: Actor, book: int, number: int, now: datetime
) -> Approved | ApprovalRefused:
    """Do what a held entry asks for, in one commit with the second person's agreement.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: There is no such entry, or it lies outside what the actor may see.
    """
    held = await find_held(db, actor=actor, book=book, number=number)
    match held.kind:
        case HeldKind.CLOSING:
            return await closing.approve_closing(db, actor=actor, held=held, now=now)
        case HeldKind.PAPER:
            return await paper_list.approve_paper_list(db, actor=actor, held=held, now=now)
        case _:
            assert_never(held.kind)
