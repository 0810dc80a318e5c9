"""Wrong digits are counted by volunteer, whatever right ones they type between."""

from datetime import datetime, timedelta

from tests.factories import KEY, NINE, World

from timebank.db import Database
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.domain.short_code import TRIES_MAX, TRIES_SPAN, ShortCodeRefusal, make_short_code
from timebank.services.short_code import prove_short_code


async def test_right_digits_forgive_no_wrong_ones(db: Database, world: World) -> None:
    (volunteer,) = await world.volunteers()
    shift = await world.shift()

    async def typed(text: str, *, now: datetime = NINE) -> Scan | ShortCodeRefusal:
        return await prove_short_code(
            db,
            volunteer=volunteer,
            shift_book=shift.book,
            shift=shift.id,
            text=text,
            master_key=KEY,
            now=now,
        )

    def right(now: datetime = NINE) -> str:
        return make_short_code(
            master_key=KEY,
            shift_book=shift.book,
            shift=shift.id,
            direction=Direction.ARRIVE,
            now=now,
        )

    for _ in range(TRIES_MAX):
        assert isinstance(await typed(right()), Scan)
        assert await typed("-") is ShortCodeRefusal.WRONG
    assert await typed(right()) is ShortCodeRefusal.TOO_MANY_TRIES
    later = NINE + TRIES_SPAN + timedelta(seconds=1)
    assert isinstance(await typed(right(later), now=later), Scan)
