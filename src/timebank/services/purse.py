"""Time credits and points move: given away, spent on service received or on what is offered.

On what terms is a pack's word: how much at a time, who may use their own and how much of it, who
may receive. What expires first goes first, and what is given keeps its last day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.entitlement import (
    Entitlement,
    Lot,
    Standing,
    State,
    StepKind,
    Terms,
    take_from,
)
from timebank.domain.period import local_day
from timebank.domain.posting import Posted
from timebank.domain.purse import Moved, PurseRefusal, PurseRefused
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, Unit, service_key
from timebank.ledger import accounts, balances, entitlements, journal
from timebank.ledger.journal import Head
from timebank.policy.condition import Condition, Outcome, evaluate, leaves
from timebank.policy.credit import CreditTerms, Receiver
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.fact import FactUse
from timebank.policy.grant import GrantKind
from timebank.policy.rule import Pack
from timebank.queries import facts
from timebank.services import pools
from timebank.services.errors import NotFoundError
from timebank.services.issuing import issue
from timebank.store import catalog, numbering, volunteers
from timebank.store import pools as pool_store

_KINDS = {Unit.CREDITS: GrantKind.CREDITS, Unit.POINTS: GrantKind.POINTS}


@dataclass(frozen=True, slots=True)
class _Purse:
    """A volunteer's account of a unit, with what is left of each grant in it."""

    head: Head
    today: date
    pack: Pack
    terms: CreditTerms
    account: int
    standings: dict[int, Standing]

    def take(self, amount: int) -> list[tuple[Standing, int]] | None:
        """Return how much of each grant goes, or None where all of them are too little."""
        taken = take_from(
            [Lot(each.of.id, each.left, each.expires_on) for each in self.standings.values()],
            amount,
        )
        return None if taken is None else [(self.standings[lot.id], part) for lot, part in taken]


def terms_for(packs: Sequence[Pack], unit: Unit, *, on: date) -> tuple[Pack, CreditTerms] | None:
    """Return the terms on which a unit is used on a day, or None where no pack has any."""
    for pack in packs:
        for terms in pack.credits:
            if terms.kind is _KINDS.get(unit) and on in terms.valid:
                return pack, terms
    return None


async def give(
    db: Database,
    *,
    packs: Sequence[Pack],
    volunteer: VolunteerId,
    unit: Unit,
    amount: int,
    to: Receiver,
    receiver: VolunteerId | None,
    now: datetime,
) -> Moved | PurseRefused:
    """Give credits or points to another volunteer, or to the common pool where there is none.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        purse = await _open(conn, packs, volunteer, unit, now=now)
        if isinstance(purse, PurseRefusal):
            return PurseRefused(purse)
        refusal = _amount_refusal(purse, amount)
        if refusal is None and (
            to not in purse.terms.gives_to or (to is Receiver.POOL) != (receiver is None)
        ):
            refusal = PurseRefusal.NOT_GIVEN_TO
        if refusal is None and receiver is not None:
            refusal = await _receiver_refusal(conn, packs, purse, volunteer, receiver)
        if refusal is not None:
            return PurseRefused(refusal)
        taken = purse.take(amount)
        if taken is None:
            return PurseRefused(PurseRefusal.TOO_LITTLE)
        if receiver is None:
            pool = await pools.ensure_rule_pool(
                conn,
                head=purse.head,
                pack=purse.pack,
                pool=purse.pack.pool(purse.terms.pool),
                unit=unit.name.lower(),
                on=purse.today,
                now=now,
            )
            own = await pools.pool_accounts(conn, head=purse.head, pools=[pool], now=now)
            credit = own[pool.id].left
        else:
            opened = await accounts.ensure_accounts(
                conn,
                head=purse.head,
                unit=unit,
                kind=AccountKind.VOLUNTEER,
                owners=[receiver.id],
                now=now,
                is_debit_bounded=True,
            )
            credit = opened[receiver.id]
        seqs = await _move(
            conn, purse, taken, credit=credit, kind=TransferKind.GIFT, named=("gift",), now=now
        )
        if receiver is not None:
            await _receive(conn, purse, taken, seqs, receiver, now=now)
    return Moved(amount)


async def spend_on_service(
    db: Database,
    *,
    packs: Sequence[Pack],
    volunteer: VolunteerId,
    unit: Unit,
    amount: int,
    helper: VolunteerId,
    served_on: date,
    now: datetime,
) -> Moved | PurseRefused:
    """Spend credits on service that somebody gave on a day; each service is paid for once.

    The one who served was credited by the rules when it was recorded; what is spent here goes back
    to where credits come from.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        purse = await _open(conn, packs, volunteer, unit, now=now)
        if isinstance(purse, PurseRefusal):
            return PurseRefused(purse)
        refusal = _amount_refusal(purse, amount)
        if refusal is None and helper == volunteer:
            refusal = PurseRefusal.TO_ONESELF
        if refusal is None:
            refusal = await _use_refusal(conn, packs, purse, volunteer, amount)
        if refusal is not None:
            return PurseRefused(refusal)
        served = await _find_service(conn, purse, helper, served_on)
        if served is None:
            return PurseRefused(PurseRefusal.NO_SERVICE)
        taken = purse.take(amount)
        if taken is None:
            return PurseRefused(PurseRefusal.TOO_LITTLE)
        named = ("spent on", served)
        if await entitlements.is_noted(conn, book=purse.head.book, note=_spent_note(served)):
            return PurseRefused(PurseRefusal.ALREADY_SPENT_ON)
        issuing = await accounts.issuing_account(conn, head=purse.head, unit=unit, now=now)
        await _move(
            conn,
            purse,
            taken,
            credit=issuing,
            kind=TransferKind.EXCHANGE,
            named=named,
            note=_spent_note(served),
            now=now,
        )
    return Moved(amount)


def _spent_note(seq: int) -> str:
    return f"service:{seq}"


async def _open(
    conn: AsyncConnection,
    packs: Sequence[Pack],
    volunteer: VolunteerId,
    unit: Unit,
    *,
    now: datetime,
) -> _Purse | PurseRefusal:
    head = await journal.find_locked_head(conn, book=volunteer.book)
    if head is None:
        raise NotFoundError
    today = local_day(now, zone=ZoneInfo(head.zone))
    found = terms_for(packs, unit, on=today)
    if found is None:
        return PurseRefusal.NO_TERMS
    everything = await entitlements.list_of_volunteer(
        conn, book=volunteer.book, volunteer=volunteer.id
    )
    held = await accounts.find_accounts(
        conn,
        book=volunteer.book,
        unit=unit,
        kind=AccountKind.VOLUNTEER,
        owners=[volunteer.id],
    )
    return _Purse(
        head,
        today,
        *found,
        held.get(volunteer.id, 0),
        {
            each.of.id: each
            for each in everything
            if each.of.unit == unit
            and each.state is State.ISSUED
            and (each.expires_on is None or each.expires_on >= today)
        },
    )


def _amount_refusal(purse: _Purse, amount: int) -> PurseRefusal | None:
    is_whole = amount > 0 and amount % purse.terms.block == 0
    return None if is_whole else PurseRefusal.AMOUNT_NOT_WHOLE


async def _receiver_refusal(
    conn: AsyncConnection,
    packs: Sequence[Pack],
    purse: _Purse,
    volunteer: VolunteerId,
    receiver: VolunteerId,
) -> PurseRefusal | None:
    found = await volunteers.find_volunteer(conn, volunteer=receiver)
    if found is None or found.ended_at is not None or receiver.book != volunteer.book:
        return PurseRefusal.RECEIVER_UNKNOWN
    if receiver == volunteer:
        return PurseRefusal.TO_ONESELF
    if not await _is_met(conn, packs, purse.terms.receive, receiver, on=purse.today):
        return PurseRefusal.RECEIVER_NOT_MET
    return None


async def _use_refusal(
    conn: AsyncConnection,
    packs: Sequence[Pack],
    purse: _Purse,
    volunteer: VolunteerId,
    amount: int,
) -> PurseRefusal | None:
    if not await _is_met(conn, packs, purse.terms.use, volunteer, on=purse.today):
        return PurseRefusal.MAY_NOT_USE
    if purse.terms.own_most is not None:
        most = purse.terms.own_most.on(purse.today).value
        spent = await entitlements.sum_spent(conn, book=volunteer.book, volunteer=volunteer.id)
        if isinstance(most, int) and spent + amount > most:
            return PurseRefusal.OWN_MOST
    return None


async def _is_met(
    conn: AsyncConnection,
    packs: Sequence[Pack],
    condition: Condition | None,
    volunteer: VolunteerId,
    *,
    on: date,
) -> bool:
    """Say whether a person meets a condition; what is not known is not met."""
    if condition is None:
        return True
    provided = {rule.provides for pack in packs for rule in pack.rules}
    keys = {leaf.use.key(on=on) for leaf in leaves(condition) if leaf.use.name not in provided}
    known = await facts.person_facts(
        conn, volunteer=volunteer, keys=keys | facts_needed(packs, on=on)
    )
    if known is None:
        return False
    for result in evaluate_person(packs, known, on=on):
        if result.rule.provides:
            known[FactUse(result.rule.provides).key(on=on)] = result.level
    return evaluate(condition, known, on=on).outcome is Outcome.MET


async def _find_service(
    conn: AsyncConnection, purse: _Purse, helper: VolunteerId, served_on: date
) -> int | None:
    """Return the newest entry of service that somebody gave on a day and that stands."""
    found = await volunteers.find_volunteer(conn, volunteer=helper)
    if found is None or helper.book != purse.head.book:
        return None
    zone = ZoneInfo(purse.head.zone)
    for line in await balances.statement(
        conn, book=helper.book, account=found.minutes_account, lines_max=1_000
    ):
        transfer = line.entry.transfer
        if (
            transfer.kind == TransferKind.SERVICE
            and not line.entry.is_reversed
            and local_day(transfer.effective_at, zone=zone) == served_on
        ):
            return line.entry.seq
    return None


async def _move(
    conn: AsyncConnection,
    purse: _Purse,
    taken: Sequence[tuple[Standing, int]],
    *,
    credit: int,
    kind: TransferKind,
    named: tuple[object, ...],
    note: str = "",
    now: datetime,
) -> list[int]:
    """Move what is taken of each grant, together or not at all; return the entries."""
    head = purse.head
    outcomes = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                key=service_key(now, *named, head.book, each.of.id, each.steps + 1),
                kind=kind,
                unit=each.of.unit,
                debit=purse.account,
                credit=credit,
                amount=part,
                effective_at=now,
                volunteer=each.of.volunteer,
            )
            for each, part in taken
        ],
        linked=[range(len(taken))],
        now=now,
    )
    seqs = []
    for (each, part), outcome in zip(taken, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise AssertionError(f"what is left was not there: {outcome}")
        each.take(StepKind.GIVEN, at=now, person=None, seq=outcome.seq, amount=part, note=note)
        seqs.append(outcome.seq)
    await entitlements.write_steps(conn, book=head.book, standings=[each for each, _part in taken])
    return seqs


async def _receive(
    conn: AsyncConnection,
    purse: _Purse,
    taken: Sequence[tuple[Standing, int]],
    seqs: Sequence[int],
    receiver: VolunteerId,
    *,
    now: datetime,
) -> None:
    """Write down what a receiver holds now: a grant of its own for each that was given of."""
    head = purse.head
    ids = await numbering.take_numbers(conn, book=head.book, noun="entitlement", count=len(taken))
    made = [
        Entitlement(
            book=head.book,
            id=number,
            volunteer=receiver.id,
            pack=each.of.pack,
            pack_hash=each.of.pack_hash,
            rule=each.of.rule,
            tier=each.of.tier,
            period=each.of.period,
            source=f"gift:{seq}",
            unit=each.of.unit,
            amount=part,
            decided_on=purse.today,
            expires_on=each.expires_on,
            # What was given stays given, whatever becomes of the giver's hours.
            terms=Terms(),
            pool=None,
            run=None,
            reasons="[]",
            proposed_at=now,
            proposed_by=None,
        )
        for number, (each, part), seq in zip(ids, taken, seqs, strict=True)
    ]
    await entitlements.insert_entitlements(conn, book=head.book, entitlements=made)
    received = []
    for of, seq in zip(made, seqs, strict=True):
        standing = Standing(of, expires_on=of.expires_on)
        standing.take(StepKind.PROPOSED, at=now, person=None)
        standing.take(StepKind.ISSUED, at=now, person=None, seq=seq, amount=of.amount)
        received.append(standing)
    await entitlements.write_steps(conn, book=head.book, standings=received)


async def have_item(
    db: Database,
    *,
    packs: Sequence[Pack],
    volunteer: VolunteerId,
    number: int,
    now: datetime,
) -> Standing | PurseRefused:
    """Have one of what the county offers, for its price; it comes out of its stock, if it has one.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    async with db.write() as conn:
        zone_head = await journal.find_locked_head(conn, book=volunteer.book)
        if zone_head is None:
            raise NotFoundError
        today = local_day(now, zone=ZoneInfo(zone_head.zone))
        offered = {
            each.id: each for each in await catalog.list_items(conn, book=volunteer.book, on=today)
        }
        item = offered.get(number)
        if item is None:
            return PurseRefused(PurseRefusal.NOT_OFFERED)
        unit = Unit(item.price_unit)
        purse = await _open(conn, packs, volunteer, unit, now=now)
        if isinstance(purse, PurseRefusal):
            return PurseRefused(purse)
        if not await _is_met(conn, packs, purse.terms.use, volunteer, on=today):
            return PurseRefused(PurseRefusal.MAY_NOT_USE)
        if item.pool is not None:
            stock = (await pool_store.list_by_id(conn, book=volunteer.book, ids=[item.pool]))[
                item.pool
            ]
            if await pools.left_in(conn, head=purse.head, pool=stock, now=now) < 1:
                return PurseRefused(PurseRefusal.OUT_OF_STOCK)
        taken = purse.take(item.price)
        if taken is None:
            return PurseRefused(PurseRefusal.TOO_LITTLE)
        issuing = await accounts.issuing_account(conn, head=purse.head, unit=unit, now=now)
        seqs = await _move(
            conn,
            purse,
            taken,
            credit=issuing,
            kind=TransferKind.EXCHANGE,
            named=("item", number),
            note=f"item:{number}",
            now=now,
        )
        units = await accounts.register_units(conn, codes=[item.item])
        (entitlement,) = await numbering.take_numbers(conn, book=volunteer.book, noun="entitlement")
        of = Entitlement(
            book=volunteer.book,
            id=entitlement,
            volunteer=volunteer.id,
            pack=_CATALOG,
            pack_hash="",
            rule=str(number),
            tier=0,
            period=f"{today.year:04}",
            source=f"entry:{seqs[0]}",
            unit=units[item.item],
            amount=1,
            decided_on=today,
            expires_on=today + timedelta(days=item.valid_days),
            terms=Terms(),
            pool=item.pool,
            run=None,
            reasons="[]",
            proposed_at=now,
            proposed_by=None,
        )
        await entitlements.insert_entitlements(conn, book=volunteer.book, entitlements=[of])
        standing = Standing(of, expires_on=of.expires_on)
        standing.take(StepKind.PROPOSED, at=now, person=None)
        await issue(conn, head=purse.head, standings=[standing], person=None, now=now)
    return standing


_CATALOG = "catalog"
"""What stands in the place of a pack with whatever was had for points."""
