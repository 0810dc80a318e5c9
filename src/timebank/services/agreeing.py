"""An office agrees to what a run proposed, makes it public, refuses it, or pays it.

All of it takes a list: an officer ticks what they looked at. What cannot be done to one is told
with its reason, and the others are done.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.entitlement import (
    OPEN,
    REASON_LENGTH_MAX,
    REASON_LENGTH_MIN,
    GrantRefusal,
    GrantRefused,
    Standing,
    State,
    StepKind,
    decide_agreement,
    passes_at_once,
)
from timebank.domain.period import local_day
from timebank.domain.pool import PoolRefused
from timebank.domain.posting import Posted
from timebank.domain.region import Level, county_code, level_of
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, Unit, service_key
from timebank.domain.writing import cleaned_paragraphs
from timebank.ledger import accounts, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services import pools
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.issuing import issue
from timebank.store import audit_events, volunteers
from timebank.store import pools as pool_store

LIST_MAX = 500
"""Most grants of one list: what somebody can have looked at."""


@dataclass(slots=True)
class Decided:
    """What became of a list.

    Attributes:
        done: Those whose step was taken, by what they became.
        refused: Those that stand as they were, by why.
    """

    done: Counter[State] = field(default_factory=Counter)
    refused: Counter[GrantRefusal] = field(default_factory=Counter)


async def agree(
    db: Database, *, actor: Actor, book: int, ids: Sequence[int], now: datetime
) -> Decided:
    """Agree to grants, and issue those that need nobody else.

    Money takes two people: who proposed it, or agreed to it first, is one of them.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The county is not the actor's.
        ValueError: The list is longer than `LIST_MAX`.
    """
    office = _check(actor, book=book, ids=ids)
    decided = Decided()
    async with db.write() as conn:
        head, standings = await _locked(conn, book=book, ids=ids)
        own = await _own(conn, actor, standings)
        before = await entitlements.list_persons(conn, book=book, ids=ids)
        public = await entitlements.find_publicised_until(conn, book=book, ids=ids)
        today = local_day(now, zone=ZoneInfo(head.zone))

        agreed: list[Standing] = []
        endorsed: list[Standing] = []
        for each in standings:
            step = decide_agreement(
                each.state,
                terms=each.of.terms,
                is_own=each.of.volunteer in own,
                office=office,
                person=actor.person,
                before=before[each.of.id],
                public_until=public.get(each.of.id),
                today=today,
            )
            if isinstance(step, GrantRefusal):
                decided.refused[step] += 1
            elif step is StepKind.ENDORSED:
                each.take(step, at=now, person=actor.person)
                endorsed.append(each)
            else:
                agreed.append(each)

        await entitlements.write_steps(conn, book=book, standings=endorsed)
        await issue(conn, head=head, standings=agreed, person=actor.person, now=now)
        for each in (*endorsed, *agreed):
            decided.done[each.state] += 1
        await _audit(conn, actor, "approve_grants", book, (*endorsed, *agreed), now)
    return decided


async def publicise(
    db: Database, *, actor: Actor, book: int, ids: Sequence[int], now: datetime
) -> Decided:
    """Make grants public for as many days as their rules say, from today on.

    Raises:
        As `agree`.
    """
    _check(actor, book=book, ids=ids)

    def decide(each: Standing, today: date) -> GrantRefusal | None:
        if each.state is State.CHOOSING:
            return GrantRefusal.CHOOSING
        if each.state is not State.PROPOSED or not each.of.terms.publicise_days:
            return GrantRefusal.NOT_OPEN
        each.take(
            StepKind.PUBLICISED,
            at=now,
            person=actor.person,
            until_on=today + timedelta(days=each.of.terms.publicise_days),
        )
        return None

    return await _each(db, actor, "publicise_grants", book, ids, decide, now)


async def refuse(
    db: Database, *, actor: Actor, book: int, ids: Sequence[int], reason: str, now: datetime
) -> Decided | GrantRefused:
    """Decide against grants, with the reason that their volunteers read.

    Raises:
        As `agree`.
    """
    _check(actor, book=book, ids=ids)
    cleaned = cleaned_paragraphs(reason)
    if not REASON_LENGTH_MIN <= len(cleaned) <= REASON_LENGTH_MAX:
        return GrantRefused(GrantRefusal.REASON_LENGTH)

    def decide(each: Standing, _today: date) -> GrantRefusal | None:
        if each.state not in OPEN:
            return GrantRefusal.NOT_OPEN
        each.take(StepKind.REFUSED, at=now, person=actor.person, note=cleaned)
        return None

    return await _each(db, actor, "refuse_grants", book, ids, decide, now)


async def pay(
    db: Database, *, actor: Actor, book: int, ids: Sequence[int], now: datetime
) -> Decided:
    """Note that issued money went to its volunteers' banks, all that is left of each grant.

    Raises:
        As `agree`.
    """
    _check(actor, book=book, ids=ids)
    decided = Decided()
    async with db.write() as conn:
        head, standings = await _locked(conn, book=book, ids=ids)
        own = await _own(conn, actor, standings)
        paid: list[Standing] = []
        for each in standings:
            if each.of.volunteer in own:
                decided.refused[GrantRefusal.OWN_GRANT] += 1
            elif each.state is not State.ISSUED or each.of.unit != Unit.FEN:
                decided.refused[GrantRefusal.NOT_ISSUED] += 1
            elif not each.left:
                decided.refused[GrantRefusal.NOTHING_LEFT] += 1
            else:
                paid.append(each)
        await _pay(conn, head, paid, person=actor.person, now=now)
        for each in paid:
            decided.done[each.state] += 1
        await _audit(conn, actor, "pay_grants", book, paid, now)
    return decided


async def choose(
    db: Database, *, volunteer: VolunteerId, entitlement: int, now: datetime
) -> Standing | GrantRefused:
    """Choose one of a menu; the others of the same menu and period are declined.

    Raises:
        NotFoundError: It is not the volunteer's.
    """
    async with db.write() as conn:
        head, _none = await _locked(conn, book=volunteer.book, ids=[])
        everything = await entitlements.list_of_volunteer(
            conn, book=volunteer.book, volunteer=volunteer.id
        )
        chosen = next((each for each in everything if each.of.id == entitlement), None)
        if chosen is None:
            raise NotFoundError
        if chosen.state is not State.CHOOSING:
            return GrantRefused(GrantRefusal.NOT_OPEN)
        menu = (chosen.of.pack, chosen.of.terms.menu, chosen.of.period)
        others = [
            each
            for each in everything
            if each is not chosen
            and each.state is State.CHOOSING
            and (each.of.pack, each.of.terms.menu, each.of.period) == menu
        ]
        chosen.take(StepKind.CHOSEN, at=now, person=None)
        for each in others:
            each.take(StepKind.DECLINED, at=now, person=None)
        await entitlements.write_steps(conn, book=volunteer.book, standings=[chosen, *others])
        # The county's run has agreed to whatever of the menu is chosen.
        is_agreed = passes_at_once(
            chosen.of.terms,
            office=Level.COUNTY,
            is_chosen=True,
        )
        if is_agreed:
            await issue(
                conn,
                head=head,
                standings=[chosen],
                person=chosen.of.proposed_by,
                now=now,
            )
    return chosen


async def serve_waiting(
    conn: AsyncConnection, *, head: Head, pool: int, now: datetime
) -> list[Standing]:
    """Issue what waits for a pool, oldest first, as far as it reaches now.

    The caller holds the book's lock.
    """
    waiting = await entitlements.list_in_state(
        conn, book=head.book, states=[State.WAITING], limit=LIST_MAX, pool=pool
    )
    await issue(conn, head=head, standings=waiting, person=None, now=now)
    return [each for each in waiting if each.state is not State.WAITING]


def _check(actor: Actor, *, book: int, ids: Sequence[int]) -> Level:
    if not actor.may(Act.APPROVE_GRANTS):
        raise NotPermittedError
    if actor.scope is None or not actor.scope.covers(county_code(book)):
        raise NotFoundError
    if len(ids) > LIST_MAX:
        raise ValueError(f"a list holds at most {LIST_MAX} grants")
    return level_of(actor.scope.region)


async def _locked(
    conn: AsyncConnection, *, book: int, ids: Sequence[int]
) -> tuple[Head, list[Standing]]:
    head = await journal.find_locked_head(conn, book=book)
    if head is None:
        raise NotFoundError
    return head, await entitlements.list_standings(conn, book=book, ids=ids)


async def _own(conn: AsyncConnection, actor: Actor, standings: Sequence[Standing]) -> set[int]:
    """Return the volunteers among them that are the actor, by whatever number of theirs."""
    persons = await volunteers.persons_of(
        conn,
        volunteers=list({VolunteerId(each.of.book, each.of.volunteer) for each in standings}),
    )
    return {volunteer.id for volunteer, person in persons.items() if person == actor.person}


async def _each(
    db: Database,
    actor: Actor,
    act: str,
    book: int,
    ids: Sequence[int],
    decide: Callable[[Standing, date], GrantRefusal | None],
    now: datetime,
) -> Decided:
    decided = Decided()
    async with db.write() as conn:
        head, standings = await _locked(conn, book=book, ids=ids)
        own = await _own(conn, actor, standings)
        today = local_day(now, zone=ZoneInfo(head.zone))
        done: list[Standing] = []
        for each in standings:
            refusal = GrantRefusal.OWN_GRANT if each.of.volunteer in own else decide(each, today)
            if refusal is None:
                done.append(each)
            else:
                decided.refused[refusal] += 1
        await entitlements.write_steps(conn, book=book, standings=done)
        for each in done:
            decided.done[each.state] += 1
        await _audit(conn, actor, act, book, done, now)
    return decided


async def _pay(
    conn: AsyncConnection,
    head: Head,
    paid: Sequence[Standing],
    *,
    person: UUID,
    now: datetime,
) -> None:
    if not paid:
        return
    held = await accounts.find_accounts(
        conn,
        book=head.book,
        unit=Unit.FEN,
        kind=AccountKind.VOLUNTEER,
        owners=[each.of.volunteer for each in paid],
    )
    found = await pool_store.list_by_id(
        conn, book=head.book, ids={each.of.pool for each in paid if each.of.pool is not None}
    )
    funds = await pools.pool_accounts(conn, head=head, pools=list(found.values()), now=now)
    outcomes = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                key=service_key(now, "payment", head.book, each.of.id, each.steps + 1),
                kind=TransferKind.PAYMENT,
                unit=Unit.FEN,
                debit=held[each.of.volunteer],
                credit=funds[each.of.pool or 0].paid,
                amount=each.left,
                effective_at=now,
                volunteer=each.of.volunteer,
            )
            for each in paid
        ],
        now=now,
    )
    for each, outcome in zip(paid, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise AssertionError(f"a payment of what is held was refused: {outcome}")
        each.take(StepKind.PAID, at=now, person=person, seq=outcome.seq, amount=each.left)
    await entitlements.write_steps(conn, book=head.book, standings=paid)


async def _audit(
    conn: AsyncConnection,
    actor: Actor,
    act: str,
    book: int,
    standings: Sequence[Standing],
    now: datetime,
) -> None:
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=actor.person,
        act=act,
        subjects=[f"grant/{book}/{each.of.id}" for each in standings],
    )


async def fund_and_serve(
    db: Database, *, actor: Actor | None, book: int, pool: int, amount: int, now: datetime
) -> list[Standing] | PoolRefused:
    """Put more into a pool and issue what waited for it; return what was issued.

    Raises:
        As `pools.fund_pool`.
    """
    funded = await pools.fund_pool(db, actor=actor, book=book, pool=pool, amount=amount, now=now)
    if isinstance(funded, PoolRefused):
        return funded
    async with db.write() as conn:
        head, _none = await _locked(conn, book=book, ids=[])
        return await serve_waiting(conn, head=head, pool=pool, now=now)
