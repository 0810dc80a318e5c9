"""An organizer counts whom a shift reached; what nobody counted is not known, and never 0."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.factories import BOOK, NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role
from timebank.domain.reach import ReachCounted, ReachRefusal, ReachRefused, decide_reach
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.queries.numbers import read_numbers
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.services.reaching import count_reach
from timebank.store.definitions import RESIDENTS_ANY_HOUR

ENDS = NINE + timedelta(hours=2)


@pytest.mark.parametrize(
    ("people", "households", "hours", "is_cancelled", "outcome"),
    [
        ("x", "", 0, True, ReachRefusal.CANCELLED),
        ("x", "", 1, False, ReachRefusal.NOT_OVER),
        (" ", "", 2, False, ReachRefusal.NOTHING),
        ("-1", "", 2, False, ReachRefusal.MALFORMED),
        ("", "1.5", 2, False, ReachRefusal.MALFORMED),
        ("1000001", "", 2, False, ReachRefusal.MALFORMED),
        ("25", "", 2, False, ReachCounted(25, None)),
        ("0", " 7 ", 2, False, ReachCounted(0, 7)),
    ],
)
def test_what_the_form_says(
    people: str,
    households: str,
    hours: int,
    is_cancelled: bool,
    outcome: ReachCounted | ReachRefusal,
) -> None:
    decided = decide_reach(
        people,
        households,
        ends_at=ENDS,
        is_cancelled=is_cancelled,
        now=NINE + timedelta(hours=hours),
    )
    assert decided == (ReachRefused(outcome) if isinstance(outcome, ReachRefusal) else outcome)


async def test_a_count_is_kept_beside_the_earlier_one_and_counts(
    db: Database, world: World
) -> None:
    team, other = await world.organization(), await world.organization()
    shift = await world.shift(organization=team, hours=2)
    somebody = await world.person_of((await world.volunteers(1))[0])

    async def count(people: str, households: str, *, of: OrganizationId = team) -> object:
        return await count_reach(
            db,
            actor=Actor(somebody, frozenset({Role.ORGANIZER}), organizations=(of,)),
            shift_book=shift.book,
            shift=shift.id,
            people=people,
            households=households,
            now=ENDS,
        )

    async def told() -> tuple[int | None, ...]:
        async with db.read() as conn:
            found = await read_numbers(
                conn,
                scope=Scope(330424000000),
                metrics=["sessions", "people_served", "households_served"],
                definition=RESIDENTS_ANY_HOUR,
                window=Window.of_year(2024),
            )
        assert found is not None
        return found.rows[0].values

    await found_county(db, book=BOOK, now=NINE)
    assert await told() == (0, None, None)
    with pytest.raises(NotFoundError):
        await count("1", "1", of=other)
    assert await count("25", "") == ReachCounted(25, None)
    assert await count("25", "") == ReachCounted(25, None)
    assert await told() == (1, 25, None)
    assert await count("24", "6") == ReachCounted(24, 6)
    assert await told() == (1, 24, 6)
    async with db.read() as conn:
        rows = await conn.execute(text("select number, people, recorded_by from reach order by 1"))
        assert [tuple(row) for row in rows] == [(1, 25, somebody), (2, 24, somebody)]
