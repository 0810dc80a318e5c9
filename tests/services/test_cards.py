"""A card is given out once, revoked at once, and by nobody who has no business with its owner."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from tests.factories import NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, Role, VolunteerId
from timebank.services.cards import CARDS_MAX, issue_cards, issue_own_card, revoke_card
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import cards


async def test_a_lost_card_is_void_at_once_and_the_next_one_has_another_number(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    mine, other = await world.volunteers(2)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[mine])
    actor = Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=(team,))
    own = Actor(uuid4(), frozenset({Role.VOLUNTEER}), volunteer=mine)

    async def issue(people: list[VolunteerId], *, by: Actor = actor) -> dict[VolunteerId, int]:
        return await issue_cards(
            db, actor=by, shift_book=shift.book, shift=shift.id, people=people, now=NINE
        )

    first = await asyncio.gather(*(issue([mine]) for _ in range(5)))
    assert first == [{mine: 1}] * 5
    assert await issue_own_card(db, actor=own, volunteer=mine, now=NINE, is_lost=False) == 1
    assert await issue_own_card(db, actor=own, volunteer=mine, now=NINE, is_lost=True) == 2
    async with db.read() as conn:
        assert await cards.list_good(conn, cards=[(mine, 1), (mine, 2)]) == {(mine, 2)}
    assert await revoke_card(
        db, actor=actor, shift_book=shift.book, shift=shift.id, volunteer=mine, now=NINE
    )
    assert not await revoke_card(
        db, actor=actor, shift_book=shift.book, shift=shift.id, volunteer=mine, now=NINE
    )
    assert await issue([mine]) == {mine: 3}
    acts = await owner.fetch("select act, person_id from audit_event")
    assert sorted(tuple(row) for row in acts) == sorted(
        [
            ("issue_card", actor.person),
            ("issue_card", own.person),
            ("issue_card", actor.person),
            ("revoke_card", own.person),
            ("revoke_card", actor.person),
        ]
    )

    with pytest.raises(NotFoundError):
        await issue([other])
    stranger = Actor(uuid4(), frozenset({Role.ORGANIZER}))
    with pytest.raises(NotFoundError):
        await issue([mine], by=stranger)
    with pytest.raises(NotPermittedError):
        await issue([mine], by=own)
    with pytest.raises(ValueError, match="in parts"):
        await issue([mine] * (CARDS_MAX + 1))
