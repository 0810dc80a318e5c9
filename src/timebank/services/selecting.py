"""A list is decided: lots are drawn by a seed that nobody chose, or a panel of officials votes.

Whoever is chosen is proposed what the rule gives, by the run that fixed the list, and goes the way
of every grant. Nothing here is decided anew: the list's own packs, entries and order are used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor
from timebank.domain.period import day_start, local_day
from timebank.domain.region import Level, county_code
from timebank.domain.scope import scope_of_book
from timebank.domain.selecting import (
    Choice,
    Lot,
    LotResult,
    Mode,
    Outcome,
    Panel,
    Selection,
    SelectionRefusal,
    SelectionRefused,
    Tally,
    Vote,
    decide_panel,
    decide_vote,
    draw_order,
    is_complete,
    list_document,
    panel_order,
    places_of,
    tally,
)
from timebank.domain.writing import cleaned_line
from timebank.ledger import entitlements, journal, log
from timebank.ledger.journal import Head
from timebank.policy.allocation import WINS, Award, Decided, allocate
from timebank.policy.allocation import Standing as Came
from timebank.policy.rule import Pack
from timebank.queries import selections as query
from timebank.services import granting, pools
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.granting import Due, Found, made_key
from timebank.services.stored_packs import read_packs
from timebank.store import audit_events, selections

_CLOSE_FOR = timedelta(days=365)
"""How long somebody who served for an organization is close to who runs it."""


@dataclass(frozen=True, slots=True)
class Convened:
    """A panel may vote now."""

    panel: Panel


@dataclass(frozen=True, slots=True)
class Voted:
    """The votes count.

    Attributes:
        is_last: Everybody has said something about every lot now.
    """

    is_last: bool


@dataclass(frozen=True, slots=True)
class DecidedList:
    """What came of a list.

    Attributes:
        proposed: How many grants were proposed or issued for it.
    """

    results: Sequence[LotResult]
    proposed: int


async def convene_panel(
    db: Database,
    *,
    actor: Actor,
    book: int,
    number: int,
    members: Sequence[UUID],
    closes_on: date,
    now: datetime,
) -> Convened | SelectionRefused:
    """Name who votes on a list, until the end of a day; from then on nobody is exchanged.

    Who names the panel counts as having proposed what it decides.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such list in the actor's county.
    """
    _check_office(actor, book=book)
    async with db.write() as conn:
        head, selection = await _locked(conn, book=book, number=number)
        zone = ZoneInfo(head.zone)
        scope = scope_of_book(book)
        officials = await query.list_officials(conn, scope=scope)

        refusal = decide_panel(
            mode=selection.mode,
            is_decided=await _is_decided(conn, selection),
            panel=await selections.find_panel(conn, book=book, number=number),
            members=set(members),
            officials={each.person for each in officials},
            closes_on=closes_on,
            today=local_day(now, zone=zone),
        )

        if refusal is not None:
            return SelectionRefused(refusal)
        lots = await selections.list_lots(conn, book=book, number=number)
        chosen = tuple(sorted(set(members)))
        panel = Panel(
            members=chosen,
            closes_at=day_start(closes_on + timedelta(days=1), zone=zone),
            convened_at=now,
            convened_by=actor.person,
            ties=await query.list_ties(
                conn,
                scope=scope,
                book=book,
                members=chosen,
                lots=lots,
                since=selection.listed_at - _CLOSE_FOR,
            ),
        )
        await selections.insert_panel(conn, book=book, number=number, panel=panel)
        await _audit(conn, actor.person, "convene_panel", selection, now)
    return Convened(panel)


async def cast_votes(
    db: Database,
    *,
    actor: Actor,
    book: int,
    number: int,
    votes: Mapping[int, tuple[Choice, str]],
    now: datetime,
) -> Voted | SelectionRefused:
    """Vote on lots of a list. Until the panel's time is over a vote may be followed by another one.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such list, or the actor has nothing to do with it.
    """
    if not actor.may(Act.APPROVE_GRANTS):
        raise NotPermittedError
    async with db.write() as conn:
        _head, selection = await _locked(conn, book=book, number=number)
        panel = await selections.find_panel(conn, book=book, number=number)
        is_near = actor.scope is not None and actor.scope.covers(county_code(book))
        if not is_near and (panel is None or actor.person not in panel.members):
            raise NotFoundError
        lots = await selections.list_lots(conn, book=book, number=number)
        cast = [
            Vote(actor.person, lot, choice, cleaned_line(note), now)
            for lot, (choice, note) in votes.items()
        ]

        refusal = decide_vote(
            is_decided=await _is_decided(conn, selection),
            panel=panel,
            member=actor.person,
            lots={each.number for each in lots},
            votes={each.lot: (each.choice, each.note) for each in cast},
            now=now,
        )

        if refusal is not None or panel is None:
            return SelectionRefused(refusal or SelectionRefusal.NOT_CONVENED)
        await selections.append_votes(conn, book=book, number=number, votes=cast)
        await _audit(conn, actor.person, "vote", selection, now)
        everything = await selections.list_votes(conn, book=book, number=number)
    return Voted(is_complete(panel, everything, {each.number for each in lots}))


async def decide_list(
    db: Database, *, actor: Actor | None, book: int, number: int, now: datetime
) -> DecidedList | SelectionRefused:
    """Draw the lots of a list, or count the votes on it, and propose what the chosen are given.

    A lottery is drawn by the first checkpoint that was signed at or after the moment that the list
    names. A panel has decided when its time is over, or when all have voted on all. No actor is the
    daily run.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such list in the actor's county.

    Cost: the facts' statements, as of the list's entry.
    """
    if actor is not None:
        _check_office(actor, book=book)
    async with db.read() as conn:
        selection = await selections.find_selection(conn, book=book, number=number)
        if selection is None:
            raise NotFoundError
        lots = await selections.list_lots(conn, book=book, number=number)
        order = await _order(conn, selection, lots, now=now)
        if isinstance(order, SelectionRefusal):
            return SelectionRefused(order)
        run = await entitlements.find_run(conn, book=book, run=selection.run)
        if run is None:
            raise AssertionError("a list has its run")
        packs = await read_packs(conn, hashes=run.packs)
        found = await granting.find_claims(
            conn,
            scope=scope_of_book(book),
            book=book,
            packs=packs,
            only={(selection.pack, selection.rule)},
            on=selection.decided_on,
            as_of=selection.as_of,
        )

    async with db.write() as conn:
        head, selection = await _locked(conn, book=book, number=number)
        if await _is_decided(conn, selection):
            return SelectionRefused(SelectionRefusal.DECIDED)
        awards = await _allocate(conn, selection, lots, order, found, packs=packs)
        results = _results(lots, order, awards)
        standings = await granting.propose_in(
            conn,
            head=head,
            due=_due(selection, lots, order, awards, found),
            packs=packs,
            number=selection.run,
            office=Level.COUNTY,
            person=_proposer(order, actor, selection),
            now=now,
        )
        await selections.insert_decision(
            conn,
            book=book,
            number=number,
            results=results,
            seed=order.seed,
            person=None if actor is None else actor.person,
            now=now,
        )
        await _audit(conn, None if actor is None else actor.person, "decide_list", selection, now)
    return DecidedList(results, len(standings))


async def decide_ready_lists(db: Database, *, book: int, now: datetime) -> list[DecidedList]:
    """Draw and count what can be drawn and counted now: a county's daily run."""
    async with db.read() as conn:
        waiting = await selections.list_undecided(conn, book=book)
    done = []
    for each in waiting.values():
        outcome = await decide_list(db, actor=None, book=book, number=each.id, now=now)
        if isinstance(outcome, DecidedList):
            done.append(outcome)
    return done


@dataclass(frozen=True, slots=True)
class Order:
    """In which order the lots of a list come.

    Attributes:
        places: By lot: its place within its division; of a panel only those that it voted for.
        seed: Of a lottery: the root of the checkpoint and the entries under it.
        panel: Of a panel: who it was.
        tallies: Of a panel: how it stands to each lot.
        is_complete: Of a panel: everybody has said something about every lot.
    """

    places: Mapping[int, int]
    seed: tuple[str, int] | None = None
    panel: Panel | None = None
    tallies: Mapping[int, Tally] | None = None
    is_complete: bool = True


async def find_seed(conn: AsyncConnection, *, selection: Selection) -> log.Checkpoint | None:
    """Return the checkpoint that is the seed of a lottery, or None where it is not signed yet."""
    if selection.ready_at is None:
        return None
    return await log.find_checkpoint_since(
        conn, book=selection.book, above=selection.as_of, since=selection.ready_at
    )


async def _order(
    conn: AsyncConnection, selection: Selection, lots: Sequence[Lot], *, now: datetime
) -> Order | SelectionRefusal:
    if await _is_decided(conn, selection):
        return SelectionRefusal.DECIDED
    if selection.ready_at is not None and now < selection.ready_at:
        return SelectionRefusal.TOO_EARLY
    order = await find_order(conn, selection=selection, lots=lots)
    if order is None:
        is_lottery = selection.mode is Mode.LOTTERY
        return SelectionRefusal.NO_CHECKPOINT if is_lottery else SelectionRefusal.NOT_CONVENED
    if order.panel is not None and now < order.panel.closes_at and not order.is_complete:
        return SelectionRefusal.VOTING_RUNS
    return order


async def find_order(
    conn: AsyncConnection, *, selection: Selection, lots: Sequence[Lot]
) -> Order | None:
    """Draw the lots of a list, or count the votes on it, as of now; None where neither can be."""
    divisions = {each.number: each.division for each in lots}
    if selection.mode is Mode.LOTTERY:
        checkpoint = await find_seed(conn, selection=selection)
        if checkpoint is None:
            return None
        seed = checkpoint.root.hex()
        drawn = draw_order(seed, selection.digest, divisions)
        return Order(places_of(drawn, divisions), (seed, checkpoint.size))
    panel = await selections.find_panel(conn, book=selection.book, number=selection.id)
    if panel is None:
        return None
    votes = await selections.list_votes(conn, book=selection.book, number=selection.id)
    tallies = tally(panel, votes, divisions)
    return Order(
        places_of(panel_order(tallies), divisions),
        None,
        panel,
        tallies,
        is_complete(panel, votes, divisions),
    )


async def _allocate(
    conn: AsyncConnection,
    selection: Selection,
    lots: Sequence[Lot],
    order: Order,
    found: Found,
    *,
    packs: Sequence[Pack],
) -> list[Award]:
    """Allocate among those on the list, in the order that was drawn or voted."""
    key = (f"{selection.pack}/{selection.rule}", selection.period)
    people = {each.volunteer for each in lots}
    places = {each.volunteer: order.places.get(each.number, 0) for each in lots}
    voted = frozenset(each.volunteer for each in lots if each.number in order.places)
    scope = scope_of_book(selection.book)
    past = await granting.list_past(conn, scope=scope, packs=packs)
    allocation = allocate(
        [
            claim
            for claim, _given in found.claims
            if claim.person in people and claim.offer.period_key == selection.period
        ],
        packs=packs,
        on=selection.decided_on,
        seed=bytes.fromhex(selection.root),
        available=await pools.find_available(
            conn, book=selection.book, packs=packs, on=selection.decided_on
        ),
        past=past,
        decided=Decided(places={key: places}, panels={} if order.panel is None else {key: voted}),
    )
    return list(allocation.awards)


def _results(lots: Sequence[Lot], order: Order, awards: Sequence[Award]) -> list[LotResult]:
    by_person = {award.claim.person: award for award in awards}
    results = []
    for lot in lots:
        counted = None if order.tallies is None else order.tallies[lot.number]
        results.append(
            LotResult(
                lot=lot.number,
                place=order.places.get(lot.number, 0),
                outcome=_outcome(by_person.get(lot.volunteer)),
                votes_for=0 if counted is None else counted.votes_for,
                votes_against=0 if counted is None else counted.votes_against,
                entitled=0 if counted is None else counted.entitled,
            )
        )
    return results


def _outcome(award: Award | None) -> Outcome:
    if award is None:
        # They left, or what made them eligible was not there when the list was fixed.
        return Outcome.PASSED_OVER
    if award.standing in WINS or award.standing in (Came.QUEUED, Came.TO_CHOOSE):
        return Outcome.CHOSEN
    if award.standing is Came.NOT_SELECTED:
        return Outcome.NOT_CHOSEN
    if award.standing is Came.EXHAUSTED or award.position:
        return Outcome.NOTHING_LEFT
    return Outcome.PASSED_OVER


def _due(
    selection: Selection,
    lots: Sequence[Lot],
    order: Order,
    awards: Sequence[Award],
    found: Found,
) -> list[Due]:
    given = {made_key(claim.person, claim.offer): each for claim, each in found.claims}
    lot_of = {each.volunteer: each for each in lots}
    due = []
    for award in sorted(
        awards, key=lambda each: order.places.get(lot_of[each.claim.person].number, 0)
    ):
        lot = lot_of[award.claim.person]
        made = granting.due_of(
            award,
            *found.rule_of(award.claim.offer),
            reasons=given[made_key(award.claim.person, award.claim.offer)].reasons(),
            chosen=chosen_record(selection, lot, order),
        )
        if made is not None:
            due.append(made)
    return due


def chosen_record(selection: Selection, lot: Lot, order: Order) -> dict[str, object]:
    """Return what a grant's reasons keep of the draw or the votes that it came from."""
    record: dict[str, object] = {
        "list": selection.id,
        "mode": selection.mode.value,
        "digest": selection.digest,
        "lot": lot.number,
        "place": order.places.get(lot.number, 0),
        "places": selection.places[lot.division],
    }
    if order.seed is not None:
        return record | {"seed": order.seed[0], "seed_size": order.seed[1]}
    if order.tallies is None:
        raise AssertionError("a panel's order has its votes")
    votes = order.tallies[lot.number]
    return record | {
        "for": votes.votes_for,
        "against": votes.votes_against,
        "entitled": votes.entitled,
    }


def _proposer(order: Order, actor: Actor | None, selection: Selection) -> UUID | None:
    """Return who counts as having proposed: who named the panel, or who drew."""
    if order.panel is not None:
        return order.panel.convened_by
    return selection.listed_by if actor is None else actor.person


async def draw_document(
    conn: AsyncConnection, *, selection: Selection, lots: Sequence[Lot]
) -> dict[str, object]:
    """Return a list with its seed and its results, for anybody to check without us."""
    decision = await selections.find_decision(conn, book=selection.book, number=selection.id)
    document: dict[str, object] = {
        "list": list_document(selection, lots),
        "digest": selection.digest,
        "seed": None,
        "results": None,
    }
    if decision is None:
        return document
    results = await selections.list_results(conn, book=selection.book, number=selection.id)
    document["results"] = [
        {
            "lot": each.lot,
            "place": each.place,
            "outcome": each.outcome.value,
            "for": each.votes_for,
            "against": each.votes_against,
            "entitled": each.entitled,
        }
        for each in results
    ]
    if decision[1] is not None:
        checkpoint = await find_seed(conn, selection=selection)
        document["seed"] = {
            "root": decision[1][0],
            "size": decision[1][1],
            "note": "" if checkpoint is None else checkpoint.note,
        }
    return document


async def _locked(conn: AsyncConnection, *, book: int, number: int) -> tuple[Head, Selection]:
    head = await journal.find_locked_head(conn, book=book)
    selection = await selections.find_selection(conn, book=book, number=number)
    if head is None or selection is None:
        raise NotFoundError
    return head, selection


async def _is_decided(conn: AsyncConnection, selection: Selection) -> bool:
    found = await selections.find_decision(conn, book=selection.book, number=selection.id)
    return found is not None


def _check_office(actor: Actor, *, book: int) -> None:
    if not actor.may(Act.APPROVE_GRANTS):
        raise NotPermittedError
    if actor.scope is None or not actor.scope.covers(county_code(book)):
        raise NotFoundError


async def _audit(
    conn: AsyncConnection, person: UUID | None, act: str, selection: Selection, now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn,
        at=now,
        person=person,
        act=act,
        subjects=[f"selection/{selection.book}/{selection.id}"],
    )
