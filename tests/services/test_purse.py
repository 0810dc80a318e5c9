"""Time credits by Nanjing's rules: earned once, given to who may receive, spent on service once."""

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import as_file, files

import asyncpg
from tests.factories import BOOK, NINE, World
from tests.services.test_benefits import COUNTY, held, prove, serve, standings

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.purse import Moved, PurseRefusal, PurseRefused
from timebank.domain.transfer import AccountKind, Unit
from timebank.policy.credit import Receiver
from timebank.policy.pack import read_pack
from timebank.policy.rule import Pack, Status
from timebank.services import purse
from timebank.services.granting import grant_policies

NOW = NINE + timedelta(days=60)
ON = date(2024, 4, 30)


def nanjing() -> Pack:
    with as_file(files("timebank") / "packs" / "nanjing-time-bank") as folder:
        pack = read_pack(folder)
    assert isinstance(pack, Pack), pack
    return replace(pack, status=Status.ENACTED)


async def test_credits_are_earned_given_and_spent_as_the_pack_says(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    helper, old, young = await world.volunteers(3)
    pack = nanjing()

    async def born(volunteer: VolunteerId, year: int) -> None:
        await owner.execute(
            "insert into profile values ($1, $2, '2024-01-01', $3, false, false, now())",
            BOOK,
            volunteer.id,
            year,
        )

    async def earn(on: date = ON) -> int:
        made = await grant_policies(db, scope=COUNTY, packs=[pack], on=on, person=None, now=NOW)
        return sum(each.granted for each in made.rules)

    async def give(amount: int, to: Receiver, receiver: VolunteerId | None) -> Moved | PurseRefusal:
        outcome = await purse.give(
            db,
            packs=[pack],
            volunteer=helper,
            unit=Unit.CREDITS,
            amount=amount,
            to=to,
            receiver=receiver,
            now=NOW,
        )
        return outcome if isinstance(outcome, Moved) else outcome.reason

    async def spend(volunteer: VolunteerId, day: date) -> Moved | PurseRefused:
        return await purse.spend_on_service(
            db,
            packs=[pack],
            volunteer=volunteer,
            unit=Unit.CREDITS,
            amount=1,
            helper=helper,
            served_on=day,
            now=NOW,
        )

    async def has(volunteer: VolunteerId) -> int:
        return await held(db, AccountKind.VOLUNTEER, volunteer.id, Unit.CREDITS)

    await serve(db, world, [helper], hours=3)
    assert (await earn(), await earn(), await has(helper)) == (1, 0, 3)
    await serve(db, world, [helper], hours=2, day=10)
    # What was paid before is taken off: only the two new hours are new credits.
    assert (await earn(date(2024, 5, 31)), await has(helper)) == (1, 5)

    await born(young, 1990)
    assert await give(0, Receiver.FRIENDS, old) is PurseRefusal.AMOUNT_NOT_WHOLE
    assert await give(1, Receiver.PARENTS, old) is PurseRefusal.NOT_GIVEN_TO
    assert await give(1, Receiver.FRIENDS, helper) is PurseRefusal.TO_ONESELF
    assert await give(1, Receiver.FRIENDS, young) is PurseRefusal.RECEIVER_NOT_MET
    # Nobody said how old they are: not known is not old enough.
    assert await give(1, Receiver.FRIENDS, old) is PurseRefusal.RECEIVER_NOT_MET
    await born(old, 1950)
    assert await give(4, Receiver.FRIENDS, old) == Moved(4)
    assert await give(2, Receiver.POOL, None) is PurseRefusal.TOO_LITTLE
    assert await give(1, Receiver.POOL, None) == Moved(1)
    assert (await has(helper), await has(old)) == (0, 4)
    # What was given to them is nothing that they earned: their own hours count in full.
    await serve(db, world, [old], hours=2, day=20)
    assert (await earn(date(2024, 5, 31)), await has(old)) == (1, 6)
    received = await standings(db, old)
    assert sum(each.left for each in received) == 6
    assert all(each.expires_on is not None for each in received)

    served = date(2024, 3, 2)
    assert await spend(old, served + timedelta(days=1)) == PurseRefused(PurseRefusal.NO_SERVICE)
    assert await spend(old, served) == Moved(1)
    assert await spend(old, served) == PurseRefused(PurseRefusal.ALREADY_SPENT_ON)
    assert await has(old) == 5
    await prove(db)
