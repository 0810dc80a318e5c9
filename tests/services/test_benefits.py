"""A grant from its proposal to its end: every step is written, no value appears or vanishes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, PartnerId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.correction import Reversed
from timebank.domain.entitlement import GrantRefusal, Standing, State
from timebank.domain.partner import Partner, ReturnRefusal, ReturnRefused
from timebank.domain.qr import Scan
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Unit
from timebank.domain.voucher import (
    Redeemed,
    RedemptionRefusal,
    RedemptionRefused,
    Voucher,
    make_voucher_code,
    make_voucher_digits,
)
from timebank.ledger import accounts, audit, balances, entitlements
from timebank.policy.bilingual import Bilingual
from timebank.policy.grant import Every, Fixed, Grant, GrantKind
from timebank.policy.pack import read_pack_files
from timebank.policy.parameter import Parameter
from timebank.policy.pool import Exhausted, Holds
from timebank.policy.pool import Pool as RulePool
from timebank.policy.revocation import Claw, Revocation, RevokeOn
from timebank.policy.rule import Pack
from timebank.services import agreeing, expiring, partnering, reconsidering, redeeming
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.correction import reverse_transfer
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.granting import GrantRun, grant_policies
from timebank.store.seal import Seal

COUNTY = Scope(BOOK * 1_000_000)
ON = date(2024, 3, 31)
NOW = NINE + timedelta(days=30)
ITEM = "pass:film"

_PACK = """
[pack]
id = "cn.test"
version = "{version}"
status = "enacted"
title.zh = "试"
title.en = "Test"
issuer.zh = "县"
issuer.en = "County"

[[instrument]]
id = "n"
title.zh = "通知"
title.en = "Notice"
issuer.zh = "县"
issuer.en = "County"

[[param.film_minutes]]
from = 2024-01-01
value = {minutes}
cite = "n 1"
""" + "".join(
    f"""
[[rule]]
id = "{rule}"
title.zh = "观影"
title.en = "Films"
dimension = "economic"
cite = "n 1"
valid = {{{{ from = 2024-01-01 }}}}
evaluate = "daily"
grant = {{{{ kind = "pass", item = "film", count = 3, expires = "months(2)" }}}}
limits = [{{{{ per = "person", period = "calendar_year", max = 1 }}}}]
approve = {{{{ by = "county" }}}}
when.all = [{{{{ fact = "minutes", window = "calendar_year", op = ">=", param = "film_minutes" }}}}]
"""
    for rule in ("film", "also")
)


def read(*, version: str = "1", minutes: int = 120) -> Pack:
    pack = read_pack_files({"pack.toml": _PACK.format(version=version, minutes=minutes).encode()})
    assert isinstance(pack, Pack), pack
    return pack


def with_rules(pack: Pack, **changes: object) -> Pack:
    return replace(pack, rules=tuple(replace(each, **changes) for each in pack.rules))


def with_pool(
    pack: Pack, *, amount: int, holds: Holds, exhausted: Exhausted, grant: Grant | None = None
) -> Pack:
    """Return the pack with a pool that its rules draw on; `amount` is what it is filled with."""
    film = pack.parameters[0]
    pool = RulePool(
        id="fund",
        title=Bilingual("观影资金", "Film fund"),
        owner=Bilingual("县", "County"),
        cite=pack.rules[0].cite,
        holds=holds,
        amount=_number(film, amount),
        every=Every.CALENDAR_YEAR,
        exhausted=exhausted,
    )
    return replace(
        with_rules(pack, grant=replace(grant or pack.rules[0].grant, pool="fund")), pools=(pool,)
    )


def _number(like: Parameter, value: int) -> Parameter:
    return replace(like, values=tuple(replace(each, value=value) for each in like.values))


def officer(scope: int = COUNTY.region) -> Actor:
    return Actor(uuid4(), frozenset({Role.OFFICER}), scope=Scope(scope))


async def serve(
    db: Database, world: World, people: Sequence[VolunteerId], *, hours: int = 2, day: int = 0
) -> None:
    starts_at = NINE + timedelta(days=day)
    shift = await world.shift(starts_at=starts_at, hours=hours, places=99, signed_up=people)
    for direction, at in (
        (Direction.ARRIVE, starts_at),
        (Direction.LEAVE, starts_at + timedelta(hours=hours)),
    ):
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(each, scan) for each in people], now=at)


async def run(
    db: Database, pack: Pack, *, only: str = "film", person: UUID | None = None, on: date = ON
) -> GrantRun:
    return await grant_policies(
        db,
        scope=COUNTY,
        packs=[pack],
        only={(pack.id, only)},
        on=on,
        person=person,
        now=NOW,
    )


async def standings(db: Database, *people: VolunteerId) -> list[Standing]:
    async with db.read() as conn:
        return [
            each
            for volunteer in people
            for each in await entitlements.list_of_volunteer(
                conn, book=BOOK, volunteer=volunteer.id
            )
        ]


async def held(db: Database, kind: AccountKind, owner: int, unit: int) -> int:
    async with db.read() as conn:
        found = await accounts.find_accounts(conn, book=BOOK, unit=unit, kind=kind, owners=[owner])
        if owner not in found:
            return 0
        return (await balances.balance(conn, book=BOOK, account=found[owner])).held


async def prove(db: Database) -> None:
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None, rule


async def partner(db: Database, name: str = "示例影城") -> Actor:
    found = await partnering.open_partner(
        db,
        seal=Seal(KEY),
        actor=None,
        book=BOOK,
        name=name,
        address="示例路 1 号",
        phone=f"1390000{abs(hash(name)) % 10_000:04}",
        now=NINE,
    )
    assert isinstance(found, Partner)
    await partnering.set_price(
        db,
        actor=None,
        partner=found.id,
        item=ITEM,
        from_on=date(2024, 1, 1),
        fen_each=2_500,
        now=NINE,
    )
    return Actor(uuid4(), frozenset({Role.PARTNER}), partner=found.id)


async def redeem(
    db: Database, actor: Actor, voucher: Voucher, *, is_typed: bool = False, now: object = NOW
) -> Redeemed | RedemptionRefused:
    make = make_voucher_digits if is_typed else make_voucher_code
    return await redeeming.redeem_voucher(
        db,
        actor=actor,
        text=make(master_key=KEY, voucher=voucher, now=NOW),
        is_typed=is_typed,
        master_key=KEY,
        now=NOW,
    )


async def test_a_new_version_pays_nothing_twice_and_a_decision_is_made_again_to_the_byte(
    db: Database, world: World
) -> None:
    people = await world.volunteers(2)
    await serve(db, world, people)
    pack = read()

    first = await run(db, pack)
    again = await run(db, pack)
    lower = await run(db, read(version="2", minutes=60))

    assert [each.rules[0].granted for each in (first, again, lower)] == [2, 0, 0]
    assert [each.rules[0].already for each in (first, again, lower)] == [0, 2, 2]
    (one, _other) = await standings(db, *people)
    # More entries, a home of today: the decision knows what was known then.
    await serve(db, world, people, day=3)
    replayed = await reconsidering.replay_decision(db, book=BOOK, entitlement=one.of.id)
    assert replayed.is_same
    assert '"have": 120' in replayed.again
    await prove(db)


async def test_a_pool_is_never_exceeded_by_many_runs_at_once(db: Database, world: World) -> None:
    people = await world.volunteers(12)
    await serve(db, world, people)
    # Fifteen tickets are five grants of three; two rules of one pool ask for twenty-four.
    pack = with_pool(read(), amount=15, holds=Holds.PIECES, exhausted=Exhausted.QUEUE)

    await asyncio.gather(*(run(db, pack, only=rule) for _ in range(4) for rule in ("film", "also")))

    everything = await standings(db, *people)
    issued = [each for each in everything if each.state is State.ISSUED]
    assert len(issued) == 5
    assert len({(each.of.volunteer, each.of.rule) for each in everything}) == len(everything)
    assert {each.state for each in everything} == {State.ISSUED, State.WAITING}
    pool, unit = issued[0].of.pool, issued[0].of.unit
    assert pool is not None
    assert await held(db, AccountKind.POOL, pool, unit) == 0
    assert await held(db, AccountKind.COMMITTED, pool, unit) == 0

    # What lapses is there again, and goes to who waits longest.
    ended = await expiring.expire_grants(db, scope=COUNTY, now=NOW + timedelta(days=90))
    assert ended >= 5
    later = await standings(db, *people)
    assert sum(each.state is State.EXPIRED for each in later) == ended
    assert await expiring.expire_grants(db, scope=COUNTY, now=NOW + timedelta(days=90)) == 0
    assert await held(db, AccountKind.POOL, pool, unit) <= 15
    await prove(db)


async def test_money_takes_two_people_and_what_was_paid_is_owed_when_it_is_taken_back(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    await serve(db, world, [volunteer])
    money = Grant(GrantKind.MONEY, "film", Fixed(60_000), None)
    pack = with_rules(
        with_pool(read(), amount=100_000, holds=Holds.FEN, exhausted=Exhausted.REFUSE, grant=money),
        publicise_days=7,
        revoke=Revocation(frozenset({RevokeOn.REVERSAL}), Claw.FULL, grace_days=15),
    )
    proposer, second, city = officer(), officer(), officer(330400 * 1_000_000)
    await run(db, pack, person=proposer.person)
    (due,) = await standings(db, volunteer)
    assert (due.state, due.of.terms.approvals) == (State.PROPOSED, 2)
    ids = [due.of.id]

    async def agree(actor: Actor, *, days: int = 0) -> dict[object, int]:
        decided = await agreeing.agree(
            db, actor=actor, book=BOOK, ids=ids, now=NOW + timedelta(days=days)
        )
        return {**decided.done, **decided.refused}

    assert await agree(second) == {GrantRefusal.NOT_PUBLICISED: 1}
    await agreeing.publicise(db, actor=proposer, book=BOOK, ids=ids, now=NOW)
    assert await agree(second, days=7) == {GrantRefusal.PUBLICITY_RUNS: 1}
    assert await agree(proposer, days=8) == {GrantRefusal.SECOND_PERSON: 1}
    with pytest.raises(NotFoundError):
        await agree(officer(330421 * 1_000_000), days=8)
    with pytest.raises(NotPermittedError):
        await agree(Actor(uuid4(), frozenset({Role.AUDITOR}), scope=COUNTY), days=8)
    assert await agree(city, days=8) == {State.ISSUED: 1}
    assert await agree(second, days=8) == {GrantRefusal.NOT_OPEN: 1}
    (due,) = await standings(db, volunteer)
    pool = due.of.pool or 0
    await agreeing.pay(db, actor=second, book=BOOK, ids=ids, now=NOW + timedelta(days=9))
    assert await held(db, AccountKind.POOL, pool, Unit.FEN) == 40_000
    assert await held(db, AccountKind.PAID, pool, Unit.FEN) == 60_000

    # The hours turn out to be wrong: first a question, then the whole sum is owed.
    seq = await owner.fetchval("select seq from transfer where assurance is not null")
    taken = await reverse_transfer(
        db, actor=None, book=BOOK, seq=seq, reason="没有到场", now=NOW + timedelta(days=20)
    )
    assert isinstance(taken, Reversed)

    async def reconsider(days: int) -> reconsidering.Reconsidered:
        return await reconsidering.reconsider_grants(
            db, scope=COUNTY, now=NOW + timedelta(days=days)
        )

    assert (await reconsider(20)).questioned == 1
    assert await reconsider(21) == reconsidering.Reconsidered()
    assert (await reconsider(36)).taken_back == 1
    assert await reconsider(37) == reconsidering.Reconsidered()
    (due,) = await standings(db, volunteer)
    assert due.state is State.REVOKED
    assert await held(db, AccountKind.RECEIVABLE, volunteer.id, Unit.FEN) == -60_000
    # What left the pool is not there again before it is repaid.
    assert await held(db, AccountKind.POOL, pool, Unit.FEN) == 40_000
    assert await held(db, AccountKind.COMMITTED, pool, Unit.FEN) == 60_000
    await prove(db)


async def test_a_use_is_redeemed_once_also_by_two_partners_at_the_same_second(
    db: Database, world: World
) -> None:
    people = await world.volunteers(2)
    await serve(db, world, people)
    await run(db, read())
    one, other = await standings(db, *people)
    cinema, shop = await partner(db), await partner(db, "示例书店")
    first = Voucher(BOOK, one.of.id, 1)

    outcomes = await asyncio.gather(
        *(redeem(db, actor, first) for actor in (cinema, shop, cinema, shop))
    )

    redeemed = [each for each in outcomes if isinstance(each, Redeemed)]
    refused = [each for each in outcomes if isinstance(each, RedemptionRefused)]
    assert (len(redeemed), redeemed[0].left) == (1, 2)
    assert {each.reason for each in refused} == {RedemptionRefusal.ALREADY_REDEEMED}
    assert {each.at for each in refused} == {NOW}
    winner = cinema if refused[0].partner == _id(cinema) else shop
    loser = shop if winner is cinema else cinema

    # A mistake is taken back by who made it, once, and the next use has another number.
    taken = await redeeming.return_use(db, actor=loser, entitlement=one.of.id, use=1, now=NOW)
    assert taken == ReturnRefused(ReturnRefusal.NOT_YOURS)
    taken = await redeeming.return_use(
        db, actor=winner, entitlement=one.of.id, use=1, now=NOW + timedelta(days=1)
    )
    assert taken == ReturnRefused(ReturnRefusal.TOO_LATE)
    for expected in (3, ReturnRefused(ReturnRefusal.ALREADY_RETURNED)):
        taken = await redeeming.return_use(db, actor=winner, entitlement=one.of.id, use=1, now=NOW)
        assert (taken.left if isinstance(taken, Standing) else taken) == expected
    assert isinstance(await redeem(db, cinema, first), RedemptionRefused)
    typed = await redeem(db, cinema, Voucher(BOOK, one.of.id, 2), is_typed=True)
    assert isinstance(typed, Redeemed)
    assert typed.left == 2

    # Guessing ends soon, also for who types right ones between; the camera goes on working.
    for expected_refusal in [RedemptionRefusal.WRONG_DIGITS] * 5 + [
        RedemptionRefusal.TOO_MANY_TRIES
    ]:
        known = await redeem(db, shop, Voucher(BOOK, one.of.id, 1), is_typed=True)
        assert isinstance(known, RedemptionRefused)
        guessed = await redeeming.redeem_voucher(
            db,
            actor=shop,
            text=f"{other.of.id} 1 000000",
            is_typed=True,
            master_key=KEY,
            now=NOW,
        )
        assert guessed == RedemptionRefused(expected_refusal)
    assert isinstance(await redeem(db, shop, Voucher(BOOK, other.of.id, 1)), Redeemed)
    with pytest.raises(NotPermittedError):
        await redeem(db, officer(), Voucher(BOOK, other.of.id, 2))
    await prove(db)


def _id(actor: Actor) -> int:
    assert isinstance(actor.partner, PartnerId)
    return actor.partner.id
