"""A volunteer types the digits from the wall; wrong ones are counted."""

from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.qr import Scan
from timebank.domain.short_code import ShortCodeRefusal, decide_short_code
from timebank.services.errors import NotFoundError
from timebank.store import code_tries, volunteers


async def prove_short_code(
    db: Database,
    *,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    text: str,
    master_key: bytes,
    now: datetime,
) -> Scan | ShortCodeRefusal:
    """Return the scan that typed digits stand for; after too many wrong ones, nothing is tried.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        # The volunteer's lock counts guesses that come at once one after the other.
        if not await volunteers.lock_volunteer(conn, volunteer=volunteer):
            raise NotFoundError
        tries = await code_tries.find_tries(conn, volunteer=volunteer)

        decision = decide_short_code(
            text,
            tries=tries,
            master_key=master_key,
            shift_book=shift_book,
            shift=shift,
            now=now,
        )

        if decision is ShortCodeRefusal.WRONG:
            count = 0 if tries is None else tries.at(now)
            since = tries.counted_from if tries is not None and count else now
            await code_tries.set_tries(
                conn, volunteer=volunteer, counted_from=since, count=count + 1
            )
        # Right digits forgive nothing: who reads one wall could guess at another's between.
    return decision
