"""What was used and taken back is owed, and comes back in money, out of the next grant, or never."""

from datetime import date, timedelta

import asyncpg
from tests.factories import BOOK, World
from tests.services.test_benefits import (
    COUNTY,
    NOW,
    held,
    officer,
    prove,
    read,
    run,
    serve,
    standings,
    with_pool,
    with_rules,
)

from timebank.db import Database
from timebank.domain.actor import Actor
from timebank.domain.entitlement import State, StepKind
from timebank.domain.repayment import (
    Debt,
    Repayment,
    RepaymentKind,
    RepaymentRefusal,
    RepaymentRefused,
    open_debts,
    portions,
)
from timebank.domain.transfer import AccountKind, Unit
from timebank.ledger import entitlements
from timebank.policy.grant import Fixed, Grant, GrantKind
from timebank.policy.pool import Exhausted, Holds
from timebank.policy.revocation import Claw, Revocation, RevokeOn
from timebank.queries import debts
from timebank.services import agreeing, reconsidering, repaying
from timebank.services.correction import reverse_transfer
from timebank.services.repaying import SentBack, Settled


def test_what_comes_back_settles_what_is_oldest() -> None:
    movements = [(3, -50), (7, -30), (9, 60), (12, -5)]

    assert open_debts(movements) == [Debt(7, 20), Debt(12, 5)]
    assert portions(open_debts(movements), 22) == [Debt(7, 20), Debt(12, 2)]
    assert open_debts([(3, -50), (4, 50)]) == []


async def test_a_debt_comes_back_by_two_peoples_word_and_out_of_the_next_grant(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    await serve(db, world, [volunteer])
    money = Grant(GrantKind.MONEY, "film", Fixed(60_000), None)
    pack = with_rules(
        with_pool(read(), amount=100_000, holds=Holds.FEN, exhausted=Exhausted.REFUSE, grant=money),
        revoke=Revocation(frozenset({RevokeOn.REVERSAL}), Claw.FULL),
    )
    first, second = officer(), officer()

    async def granted(rule: str, *, on: date, days: int) -> int:
        await run(db, pack, only=rule, person=first.person, on=on)
        made = (await standings(db, volunteer))[-1].of
        await agreeing.agree(
            db, actor=second, book=BOOK, ids=[made.id], now=NOW + timedelta(days=days)
        )
        return made.pool or 0

    async def note(
        amount: int, *, kind: RepaymentKind = RepaymentKind.CASH, text: str = "收据 17 号"
    ) -> Repayment | RepaymentRefusal:
        outcome = await repaying.note_repayment(
            db,
            actor=first,
            book=BOOK,
            volunteer=volunteer.id,
            unit=Unit.FEN,
            kind=kind,
            amount=amount,
            note=text,
            now=NOW + timedelta(days=30),
        )
        return outcome.reason if isinstance(outcome, RepaymentRefused) else outcome

    async def confirm(actor: Actor, noted: object, *, is_right: bool = True) -> object:
        assert isinstance(noted, Repayment)
        outcome = await repaying.confirm_repayment(
            db,
            actor=actor,
            book=BOOK,
            number=noted.id,
            is_right=is_right,
            now=NOW + timedelta(days=31),
        )
        return outcome.reason if isinstance(outcome, RepaymentRefused) else type(outcome)

    async def fund() -> tuple[int, ...]:
        """What is left, set aside and paid, and what the volunteer has and owes: thousands."""
        kinds = (AccountKind.POOL, AccountKind.COMMITTED, AccountKind.PAID)
        own = (AccountKind.VOLUNTEER, AccountKind.RECEIVABLE)
        amounts = [await held(db, kind, pool, Unit.FEN) for kind in kinds]
        amounts += [await held(db, kind, volunteer.id, Unit.FEN) for kind in own]
        return tuple(each // 1_000 for each in amounts)

    pool = await granted("film", on=date(2024, 3, 31), days=1)
    (paid,) = await standings(db, volunteer)
    await agreeing.pay(db, actor=second, book=BOOK, ids=[paid.of.id], now=NOW + timedelta(days=2))
    seq = await owner.fetchval("select seq from transfer where assurance is not null")
    await reverse_transfer(
        db, actor=None, book=BOOK, seq=seq, reason="没有到场", now=NOW + timedelta(days=3)
    )
    await reconsidering.reconsider_grants(db, scope=COUNTY, now=NOW + timedelta(days=4))
    assert await fund() == (40, 60, 60, 0, -60)

    assert await note(20_000, text="x") is RepaymentRefusal.NOTE_LENGTH
    assert await note(60_001) is RepaymentRefusal.AMOUNT
    cash = await note(20_000)
    # What waits to be confirmed cannot be noted again; the one who noted it is not the second.
    assert await note(40_001) is RepaymentRefusal.AMOUNT
    assert await confirm(first, cash) is RepaymentRefusal.SECOND_PERSON
    assert await fund() == (40, 60, 60, 0, -60)
    assert await confirm(second, cash) is Settled
    assert await confirm(second, cash) is RepaymentRefusal.DECIDED
    assert await fund() == (60, 40, 40, 0, -40)
    # A wrong note changes nothing; what is given up stays spent.
    assert await confirm(second, await note(5_000), is_right=False) is SentBack
    given_up = await note(10_000, kind=RepaymentKind.FORGIVEN, text="家里遭了火灾")
    assert await confirm(second, given_up) is Settled
    assert await fund() == (60, 30, 40, 0, -30)
    late = await note(30_000)

    await serve(db, world, [volunteer], day=40)
    await granted("also", on=date(2024, 4, 30), days=60)

    assert await fund() == (30, 0, 40, 30, 0)
    before, after = await standings(db, volunteer)
    assert (before.state, after.state, after.left) == (State.REVOKED, State.ISSUED, 30_000)
    async with db.read() as conn:
        steps = await entitlements.list_entries(
            conn, book=BOOK, ids=[before.of.id, after.of.id], kind=StepKind.REPAID
        )
        withheld = await entitlements.list_entries(
            conn, book=BOOK, ids=[after.of.id], kind=StepKind.WITHHELD
        )
        assert await debts.list_debts(conn, scope=COUNTY) == []
    assert [len(each) for each in steps.values()] == [3]
    assert len(withheld[after.of.id]) == 1
    # What the grant has settled meanwhile cannot come back once more.
    assert await confirm(second, late) is RepaymentRefusal.AMOUNT
    await prove(db)
