"""Writing down what a shift did for others; a later count takes the place of an earlier one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.actor import Actor
from timebank.domain.period import local_day
from timebank.domain.reach import ReachCounted, ReachRefused, decide_reach
from timebank.queries import organizer
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.store import numbering, reaches
from timebank.store.reaches import Reach

SOURCE = "organizer"
"""Who counted, where the organizer did; a register says the name of its file."""


async def count_reach(
    db: Database,
    *,
    actor: Actor,
    shift_book: int,
    shift: int,
    people: str,
    households: str,
    now: datetime,
) -> ReachCounted | ReachRefused:
    """Keep how many people and households a shift reached, as its organizer counted.

    The same again changes nothing; another count is kept beside the first, and counts.

    Raises:
        NotFoundError: It is no shift of the actor's organizations.
    """
    async with db.write() as conn:
        # Two who count at once are one after the other.
        await numbering.take_numbers(conn, book=shift_book, noun="reach", count=0)
        found = await organizer.find_shift(
            conn, organizations=actor.organizations, shift_book=shift_book, shift=shift
        )
        if found is None:
            raise NotFoundError
        decided = decide_reach(
            people,
            households,
            ends_at=found.ends_at,
            is_cancelled=found.cancelled_at is not None,
            now=now,
        )
        if isinstance(decided, ReachCounted):
            await reaches.append_reaches(
                conn,
                book=shift_book,
                reaches=[
                    Reach(
                        activity=found.activity,
                        held_on=local_day(found.starts_at, zone=ZoneInfo(ZONE)),
                        shift=shift,
                        people=decided.people,
                        households=decided.households,
                        source=SOURCE,
                    )
                ],
                by=actor.person,
                now=now,
            )
    return decided
