"""Decisions are made again: to prove what was decided, and when their grounds have changed.

Nothing that changes takes anything from anybody by itself. The daily run looks again at what was
granted on it: nothing changes, or the volunteer has some days to put it right, or the grant is
taken back as its rule says. What changes a ground: a service that is reversed, or corrected after
an objection or without one; what other offices or the volunteer told, told otherwise; a reviewer's
finding of fraud, where the rule says so; and time, where the rule wants to be met all the while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.entitlement import (
    Cause,
    Entitlement,
    Standing,
    State,
    StepKind,
    TakenBack,
)
from timebank.domain.period import local_day
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.signal import ReviewOutcome
from timebank.ledger import entitlements, journal
from timebank.ledger.journal import Head
from timebank.policy.columns import evaluate_population
from timebank.policy.condition import Outcome
from timebank.policy.evaluation import StepResult, evaluate_person, facts_needed
from timebank.policy.revocation import Claw, RevokeOn, claw_back
from timebank.policy.rule import Pack
from timebank.queries import facts, grants
from timebank.queries.grants import Affected
from timebank.services import selecting
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.granting import reasons_text
from timebank.services.stored_packs import read_packs
from timebank.services.taking_back import take_back
from timebank.store import audit_events, reviews, selections

_LIST_MAX = 1_000
"""Most grants that one run looks at again: the rest is for the next one."""

_HELD_MAX = 1_000_000
"""Most grants that are compared with everybody's facts of today: all of a county."""


@dataclass(slots=True)
class Reconsidered:
    """What looking again came to.

    Attributes:
        unaffected: The rule is met all the same.
        questioned: The rule is not met any more; the volunteer has some days.
        cleared: It was questioned, and is met again.
        taken_back: The days are over, or the rule gives none.
    """

    unaffected: int = 0
    questioned: int = 0
    cleared: int = 0
    taken_back: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision that was made again.

    Attributes:
        stored: The reasons as they were kept.
        again: The reasons as they come out now, from the pack and the entries of then.
    """

    stored: str
    again: str

    @property
    def is_same(self) -> bool:
        """Return whether they are the same bytes."""
        return self.stored == self.again


async def replay_decision(db: Database, *, book: int, entitlement: int) -> Replayed:
    """Make a decision again from the packs it was made with and the entries that were known.

    Raises:
        NotFoundError: There is no such grant, or no run found it due.
    """
    async with db.read() as conn:
        standings = await entitlements.list_standings(conn, book=book, ids=[entitlement])
        if not standings or standings[0].of.run is None:
            raise NotFoundError
        of = standings[0].of
        run = await entitlements.find_run(conn, book=book, run=of.run or 0)
        if run is None:
            raise NotFoundError
        packs = await read_packs(conn, hashes=run.packs)
        step = await _step(conn, packs, standings[0], on=run.decided_on, as_of=run.as_of)
        chosen = await _chosen(conn, of)
    again = "" if step is None else reasons_text(step.judged.reasons, chosen=chosen)
    return Replayed(of.reasons, again)


async def _chosen(conn: AsyncConnection, of: Entitlement) -> dict[str, object] | None:
    """Draw or count again what chose somebody; None where nothing had to."""
    selection = await selections.find_selection_of(
        conn, book=of.book, key=(of.pack, of.rule, of.period)
    )
    if selection is None:
        return None
    lots = await selections.list_lots(conn, book=of.book, number=selection.id)
    lot = next((each for each in lots if each.volunteer == of.volunteer), None)
    order = await selecting.find_order(conn, selection=selection, lots=lots)
    if lot is None or order is None:
        return None
    return selecting.chosen_record(selection, lot, order)


async def reconsider_grants(
    db: Database, *, scope: Scope, now: datetime, limit: int = _LIST_MAX
) -> Reconsidered:
    """Look again at what was granted on grounds that changed since, and end what is due.

    Running twice changes nothing more: each change is looked at once for each grant.

    Raises:
        NotFoundError: The scope's county has no book.
    """
    book = county_of(scope.region)
    found = Reconsidered()
    async with db.read() as conn:
        affected = {
            cause: await _affected(conn, scope, cause, limit=limit, now=now) for cause in Cause
        }
        due = await grants.list_overdue_questions(
            conn, scope=scope, today=local_day(now, zone=ZoneInfo(ZONE)), limit=limit
        )
    for cause, ids in affected.items():
        for entitlement in ids:
            await _reconsider(db, book, entitlement, cause, found, now=now)
    for entitlement in due:
        await _end_question(db, book, entitlement, found, now=now)
    return found


async def _affected(
    conn: AsyncConnection, scope: Scope, cause: Cause, *, limit: int, now: datetime
) -> list[int]:
    """Return which grants are to be looked at for a cause, of those whose rules say so."""
    if cause in (Cause.SERVICE, Cause.TOLD):
        listed = await grants.list_affected(conn, scope=scope, cause=cause, limit=limit)
        return [each.id for each in listed]
    on = RevokeOn.FRAUD if cause is Cause.FRAUD else RevokeOn.CONDITION
    most = limit if cause is Cause.FRAUD else _HELD_MAX
    listed = await grants.list_affected(conn, scope=scope, cause=cause, limit=most)
    hashes = sorted({each.pack_hash for each in listed})
    packs = dict(zip(hashes, await read_packs(conn, hashes=hashes), strict=True))
    asked = [each for each in listed if on in packs[each.pack_hash].rule(each.rule).revoke.on]
    if cause is Cause.CONDITION:
        asked = await _lost(conn, scope, asked, now=now)
    return [each.id for each in asked][:limit]


async def _lost(
    conn: AsyncConnection, scope: Scope, held: Sequence[Affected], *, now: datetime
) -> list[Affected]:
    """Return the grants whose rules are not met today: everybody at once, run by run.

    Cost: the facts' statements for each set of packs that granted any of them.
    """
    book = county_of(scope.region)
    today = local_day(now, zone=ZoneInfo(ZONE))
    by_packs: dict[tuple[str, ...], list[Affected]] = {}
    for each in held:
        run = await entitlements.find_run(conn, book=book, run=each.run)
        if run is not None:
            by_packs.setdefault(run.packs, []).append(each)
    lost: list[Affected] = []
    for hashes, members in by_packs.items():
        packs = await read_packs(conn, hashes=hashes)
        population = await facts.population_facts(
            conn, scope=scope, book=book, keys=facts_needed(packs, on=today)
        )
        if population is None:
            raise NotFoundError
        results = evaluate_population(
            packs, population.columns, people=len(population.volunteers), on=today
        )
        rows = {volunteer: row for row, volunteer in enumerate(population.volunteers.tolist())}
        unmet = {
            (result.pack.hash, result.rule.id): ~result.met & ~result.unknown for result in results
        }
        lost += [
            each
            for each in members
            if each.volunteer in rows and unmet[each.pack_hash, each.rule][rows[each.volunteer]]
        ]
    return lost


async def _reconsider(
    db: Database,
    book: int,
    entitlement: int,
    cause: Cause,
    found: Reconsidered,
    *,
    now: datetime,
) -> None:
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        (standing,) = await entitlements.list_standings(conn, book=book, ids=[entitlement])
        if standing.state not in (State.ISSUED, State.SPENT, State.QUESTIONED):
            return
        asked = await entitlements.find_question(conn, book=book, entitlement=entitlement)
        if standing.state is State.QUESTIONED and (cause is not Cause.FRAUD or asked == cause):
            # One question at a time: what comes to light meanwhile counts when its days are over.
            return
        today = local_day(now, zone=ZoneInfo(head.zone))
        if await _stands(conn, standing, cause, today=today):
            found.unaffected += 1
            standing.take(StepKind.CLEARED, at=now, person=None, seq=head.seq)
            await entitlements.write_steps(conn, book=book, standings=[standing])
            return
        if standing.of.terms.grace_days:
            found.questioned += 1
            standing.take(
                StepKind.QUESTIONED,
                at=now,
                person=None,
                seq=head.seq,
                until_on=today + timedelta(days=standing.of.terms.grace_days),
                note=cause.value,
            )
            await entitlements.write_steps(conn, book=book, standings=[standing])
            return
        found.taken_back += 1
        await _take(conn, head, standing, cause.value, today=today, now=now)


async def _end_question(
    db: Database, book: int, entitlement: int, found: Reconsidered, *, now: datetime
) -> None:
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        (standing,) = await entitlements.list_standings(conn, book=book, ids=[entitlement])
        today = local_day(now, zone=ZoneInfo(head.zone))
        if standing.state is not State.QUESTIONED or (standing.due_on or today) >= today:
            return
        asked = await entitlements.find_question(conn, book=book, entitlement=entitlement)
        # A question from before they had words was about a service.
        cause = Cause(asked) if asked in set(Cause) else Cause.SERVICE
        if all(
            [await _stands(conn, standing, each, today=today) for each in (cause, Cause.SERVICE)]
        ):
            found.cleared += 1
            standing.take(StepKind.CLEARED, at=now, person=None, seq=head.seq)
            await entitlements.write_steps(conn, book=book, standings=[standing])
            return
        found.taken_back += 1
        await _take(conn, head, standing, cause.value, today=today, now=now)


async def _take(
    conn: AsyncConnection,
    head: Head,
    standing: Standing,
    reason: str,
    *,
    today: date,
    now: datetime,
) -> None:
    await take_back(
        conn,
        head=head,
        standing=standing,
        taken=_taken(standing, today),
        person=None,
        reason=reason,
        now=now,
    )
    await _note(conn, head.book, standing.of.id, now=now)


async def _stands(conn: AsyncConnection, standing: Standing, cause: Cause, *, today: date) -> bool:
    """Say whether a grant stands all the same.

    A finding of fraud stands until the same signal is reviewed otherwise, whatever the rule asks.
    """
    match cause:
        case Cause.FRAUD:
            volunteer = f"volunteer/{standing.of.book}/{standing.of.volunteer}"
            newest = await reviews.list_newest(conn, book=standing.of.book)
            return not any(
                review.outcome is ReviewOutcome.FRAUD
                for (_kind, subject), review in newest.items()
                if subject == volunteer
            )
        case Cause.CONDITION:
            return await _is_met(conn, standing, on=today)
        case Cause.SERVICE | Cause.TOLD:
            return await _is_met(conn, standing, on=None)


def _taken(standing: Standing, today: date) -> TakenBack:
    of = standing.of
    found = claw_back(
        Claw(of.terms.claw),
        count=of.amount,
        used=of.amount - standing.left,
        granted_on=of.decided_on,
        expires_on=of.expires_on,
        on=today,
    )
    return TakenBack(found.taken, found.receivable)


async def _is_met(conn: AsyncConnection, standing: Standing, *, on: date | None) -> bool:
    """Say whether a grant's rule is met on a day, or on its own, by what is known now."""
    run = (
        None
        if standing.of.run is None
        else await entitlements.find_run(conn, book=standing.of.book, run=standing.of.run)
    )
    if run is None:
        return True
    packs = await read_packs(conn, hashes=run.packs)
    step = await _step(conn, packs, standing, on=on or run.decided_on, as_of=None)
    # What cannot be decided any more is asked, and takes nothing from anybody.
    return step is None or step.judged.outcome is not Outcome.UNMET


async def _step(
    conn: AsyncConnection,
    packs: Sequence[Pack],
    standing: Standing,
    *,
    on: date,
    as_of: int | None,
) -> StepResult | None:
    of = standing.of
    known = await facts.person_facts(
        conn,
        volunteer=VolunteerId(of.book, of.volunteer),
        keys=facts_needed(packs, on=on),
        as_of=as_of,
    )
    if known is None:
        return None
    for result in evaluate_person(packs, known, on=on):
        if (result.pack.id, result.rule.id) == (of.pack, of.rule):
            for step in result.steps:
                if step.offer.level == of.tier:
                    return step
    return None


async def _note(conn: AsyncConnection, book: int, entitlement: int, *, now: datetime) -> None:
    await audit_events.insert_audit_events(
        conn, at=now, person=None, act="take_back_grant", subjects=[f"grant/{book}/{entitlement}"]
    )
