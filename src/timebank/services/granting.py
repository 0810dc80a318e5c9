"""Policies find what is due: everybody who meets a rule is proposed what it gives, once.

Where the office that runs a policy is the one that agrees, no money moves and nothing has to be
made public before, the run is the agreement, and the grant is issued in the same commit. Everything
else waits for `agreeing`.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import as_file, files
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.entitlement import (
    Entitlement,
    Standing,
    State,
    StepKind,
    Terms,
    passes_at_once,
)
from timebank.domain.pool import Pool
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Unit
from timebank.ledger import accounts, entitlements, journal, log, notices
from timebank.ledger.entitlements import Run
from timebank.ledger.journal import Head
from timebank.policy import plugins
from timebank.policy.allocation import WINS, Allocation, Award, Claim, Past, allocate
from timebank.policy.allocation import Standing as Came
from timebank.policy.columns import Given, RuleColumns, claims_of, evaluate_population
from timebank.policy.condition import Reason
from timebank.policy.evaluation import facts_needed
from timebank.policy.fact import FactUse
from timebank.policy.grant import GrantKind, Offer
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.revocation import Claw
from timebank.policy.rule import Pack, Rule, Status
from timebank.policy.stacking import StackMode
from timebank.queries import facts, grants
from timebank.queries.grants import Made, MadeKey
from timebank.services import listing, pools
from timebank.services.errors import NotFoundError
from timebank.services.garbage import rare_collection
from timebank.services.issuing import issue
from timebank.store import audit_events, numbering, selections
from timebank.store import packs as pack_store
from timebank.trust.notice import NoticeKind

_LIST_MAX = 4_000
"""How many grants one commit makes: a scan at the same time waits for one of them at most."""


@dataclass(slots=True)
class RuleRun:
    """What a run came to for one rule.

    Attributes:
        granted: Grants that this run issued.
        proposed: Grants that this run found due and that wait for an office, a choice or a pool.
        already: Met, and issued or decided before.
        waiting: Met, proposed or listed before, and still waiting.
        listed: Put on a list that this run fixed, to be drawn from or voted on.
        unmet: People who do not meet its first step.
        unknown: People about whom a fact is missing: asked for, not refused.
        stopped: Met, and given nothing now, by why: a word of `policy.allocation.Standing`.
    """

    pack: str
    rule: str
    granted: int = 0
    proposed: int = 0
    already: int = 0
    waiting: int = 0
    unmet: int = 0
    unknown: int = 0
    listed: int = 0
    stopped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class GrantRun:
    """What a run of policies came to.

    Attributes:
        on: The local day whose rules and facts counted.
        as_of: Entries 1 to `as_of` were known.
        people: Everybody who was evaluated.
    """

    on: date
    as_of: int
    people: int
    by_rule: dict[tuple[str, str], RuleRun] = field(default_factory=dict)

    @property
    def rules(self) -> list[RuleRun]:
        """What it came to for each rule, in the order of evaluation."""
        return list(self.by_rule.values())


@dataclass(frozen=True, slots=True)
class Due:
    """One grant to propose.

    Attributes:
        terms: Its pool is named by `pack/pool`.
        is_queued: Its pool holds nothing for it now; it waits.
    """

    volunteer: int
    offer: Offer
    terms: Terms
    reasons: str
    is_queued: bool = False

    @property
    def made_key(self) -> MadeKey:
        """Return what names it in one county."""
        return made_key(self.volunteer, self.offer)


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """Return the enacted packs that ship with the product or come with plug-ins, by id.

    Raises:
        ValueError: One of them is refused; it names the file and line.
    """
    found = [pack for pack in plugins.taken().packs if pack.status is Status.ENACTED]
    with as_file(files("timebank") / "packs") as folder:
        for each in sorted(folder.iterdir()):
            if not each.is_dir():
                continue
            pack = read_pack(each)
            if isinstance(pack, PackRefused):
                raise ValueError(f"{each.name}: {pack.problems}")
            if pack.status is Status.ENACTED:
                found.append(pack)
    return tuple(sorted(found, key=lambda pack: pack.id))


async def grant_policies(
    db: Database,
    *,
    scope: Scope,
    packs: Sequence[Pack],
    only: Collection[tuple[str, str]] | None = None,
    on: date,
    person: UUID | None,
    now: datetime,
) -> GrantRun:
    """Evaluate packs over everybody who lives in a scope and make the grants that are due.

    Running twice grants once: a grant's key names person, rule, level and period, and not the
    pack's version.

    Only the `(pack, rule)` of `only` grant; the others are evaluated all the same, because rules
    build on each other. Rules and facts are taken as of the local day `on`. `person` is who runs
    it, None for the operator's command line.

    Raises:
        NotFoundError: The scope's county has no book.

    Cost: the facts' statements, then one commit per 4,000 grants.
    """
    book = county_of(scope.region)
    async with db.read() as conn:
        found = await find_claims(conn, scope=scope, book=book, packs=packs, only=only, on=on)
        made = await grants.list_made_keys(
            conn, scope=scope, rules=[(each.pack.id, each.rule.id) for each in found.results]
        )
        past = await list_past(conn, scope=scope, packs=packs)
        available = await pools.find_available(conn, book=book, packs=packs, on=on)
        listed = await selections.list_keys(conn, book=book)
        undecided = await selections.list_undecided(conn, book=book)
        seed = await log.find_root(conn, book=book)

    run = GrantRun(on=on, as_of=found.as_of, people=found.people)
    with rare_collection():
        allocation = _allocate(
            run,
            found,
            packs=packs,
            made=made,
            listed=listed,
            undecided=undecided.keys(),
            past=past,
            available=available,
            seed=seed,
        )
        due = _due(run, found, allocation.awards)
    number: int | None = None
    for start in range(0, len(due), _LIST_MAX):
        number = await _propose(
            db,
            book=book,
            due=due[start : start + _LIST_MAX],
            packs=packs,
            run=run,
            number=number,
            office=level_of(scope.region),
            person=person,
            now=now,
        )
    for (pack, rule), awards in _to_list(allocation.awards).items():
        number = await _list(
            db,
            book=book,
            pack=pack,
            rule=rule,
            awards=awards,
            found=found,
            packs=packs,
            past=past,
            run=run,
            number=number,
            seed=seed,
            person=person,
            now=now,
        )
    return run


@dataclass(frozen=True, slots=True)
class Found:
    """What everybody is eligible for on a day.

    Attributes:
        claims: Each with what it is made of, in no order.
    """

    on: date
    as_of: int
    people: int
    results: Sequence[RuleColumns]
    claims: Sequence[tuple[Claim, Given]]

    def rule_of(self, offer: Offer) -> tuple[Pack, Rule]:
        """Return pack and rule of an offer."""
        for each in self.results:
            if (each.pack.id, each.rule.id) == (offer.pack_id, offer.rule_id):
                return each.pack, each.rule
        raise ValueError(f"{offer.pack_id}/{offer.rule_id} was not evaluated")


async def find_claims(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    packs: Sequence[Pack],
    only: Collection[tuple[str, str]] | None,
    on: date,
    as_of: int | None = None,
) -> Found:
    """Return what everybody in a scope is eligible for on a day, by the entries up to `as_of`.

    Raises:
        NotFoundError: There is no such book.
    """
    home = FactUse("region").key(on=on)
    population = await facts.population_facts(
        conn, scope=scope, book=book, keys={*facts_needed(packs, on=on), home}, as_of=as_of
    )
    if population is None:
        raise NotFoundError
    results = [
        result
        for result in evaluate_population(
            packs, population.columns, people=len(population.volunteers), on=on
        )
        if result.may_grant
        and result.steps
        and (only is None or (result.pack.id, result.rule.id) in only)
    ]
    claims = claims_of(results, people=population.volunteers, homes=population.columns[home])
    return Found(on, population.as_of, len(population.volunteers), results, list(claims))


async def list_past(conn: AsyncConnection, *, scope: Scope, packs: Sequence[Pack]) -> list[Past]:
    """Return the grants of packs that stand, with homes where a rule gives by division."""
    return await grants.list_past(
        conn,
        scope=scope,
        packs=[pack.id for pack in packs],
        is_located=any(rule.select.per is not None for pack in packs for rule in pack.rules),
    )


def _allocate(
    run: GrantRun,
    found: Found,
    *,
    packs: Sequence[Pack],
    made: Made,
    listed: Collection[tuple[str, str, str]],
    undecided: Collection[tuple[str, str, str]],
    past: Sequence[Past],
    available: Mapping[str, int],
    seed: bytes,
) -> Allocation:
    """Allocate what is not made yet, and count what is not in the run."""
    by_rule = run.by_rule
    rules: dict[tuple[str, str], tuple[Pack, Rule]] = {}
    for result in found.results:
        first = result.steps[0].outcomes
        counted = RuleRun(
            result.pack.id,
            result.rule.id,
            unmet=int(first.unmet.sum()),
            unknown=int(first.unknown.sum()),
        )
        by_rule[counted.pack, counted.rule] = counted
        rules[counted.pack, counted.rule] = (result.pack, result.rule)

    claims: list[Claim] = []
    for claim, _given in found.claims:
        key = made_key(claim.person, claim.offer)
        pack, rule = rules[key[:2]]
        list_key = (key[0], key[1], key[3])
        is_top_up = bool(rule.group) and pack.group(rule.group).mode is StackMode.TOP_UP
        if key in made.waiting:
            by_rule[key[:2]].waiting += 1
        elif key in made.keys and not is_top_up:
            by_rule[key[:2]].already += 1
        elif list_key in undecided:
            by_rule[key[:2]].waiting += 1
        elif list_key in listed:
            # Who was not chosen, and who came after the list was fixed.
            by_rule[key[:2]].stopped[Came.NOT_SELECTED.value] += 1
        else:
            claims.append(claim)
    return allocate(claims, packs=packs, on=run.on, seed=seed, available=available, past=past)


def _due(run: GrantRun, found: Found, awards: Sequence[Award]) -> list[Due]:
    """Return what is due, in the order of the allocation, and count what is given nothing now."""
    given = {made_key(claim.person, claim.offer): each for claim, each in found.claims}
    due: list[Due] = []
    for award in awards:
        counted = run.by_rule[award.claim.offer.pack_id, award.claim.offer.rule_id]
        made = due_of(
            award,
            *found.rule_of(award.claim.offer),
            reasons=given[made_key(award.claim.person, award.claim.offer)].reasons(),
        )
        if made is not None:
            due.append(made)
        elif award.standing is Came.ALREADY:
            counted.already += 1
        elif award.standing in (Came.TO_DRAW, Came.SHORTLISTED):
            counted.listed += 1
        else:
            counted.stopped[award.standing.value] += 1
    return due


def due_of(
    award: Award,
    pack: Pack,
    rule: Rule,
    *,
    reasons: Sequence[Reason],
    chosen: Mapping[str, object] | None = None,
) -> Due | None:
    """Return the grant to propose for an award, or None where it gives nothing.

    `chosen`: what a draw or a panel said, kept with the reasons.
    """
    standing = award.standing
    if standing not in WINS and standing not in (Came.TO_CHOOSE, Came.QUEUED):
        return None
    menu = rule.group if standing is Came.TO_CHOOSE else ""
    return Due(
        award.claim.person,
        award.offer,
        terms_of(pack, rule, award.offer, menu=menu),
        reasons_text(reasons, chosen=chosen),
        is_queued=standing is Came.QUEUED,
    )


def _to_list(awards: Sequence[Award]) -> dict[tuple[str, str], list[Award]]:
    """Return who is drawn from or voted on, by rule, in the order of the allocation."""
    lists: dict[tuple[str, str], list[Award]] = {}
    for award in awards:
        if award.standing in (Came.TO_DRAW, Came.SHORTLISTED):
            offer = award.claim.offer
            lists.setdefault((offer.pack_id, offer.rule_id), []).append(award)
    return lists


@asynccontextmanager
async def _writing_run(
    db: Database,
    *,
    book: int,
    packs: Sequence[Pack],
    run: GrantRun,
    number: int | None,
    person: UUID | None,
    now: datetime,
) -> AsyncIterator[tuple[AsyncConnection, Head, int]]:
    """Open one commit of a run with the book's lock; the first one of a run keeps the run.

    Raises:
        NotFoundError: The book is not open.
    """
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        if number is None:
            number = await _keep_run(conn, book=book, packs=packs, run=run, person=person, now=now)
        yield conn, head, number


async def _list(
    db: Database,
    *,
    book: int,
    pack: str,
    rule: str,
    awards: Sequence[Award],
    found: Found,
    packs: Sequence[Pack],
    past: Sequence[Past],
    run: GrantRun,
    number: int | None,
    seed: bytes,
    person: UUID | None,
    now: datetime,
) -> int:
    """Fix a list in one commit, make its digest known, return the run's number."""
    async with _writing_run(
        db, book=book, packs=packs, run=run, number=number, person=person, now=now
    ) as (conn, head, number):
        own_pack, own_rule = found.rule_of(awards[0].claim.offer)
        await listing.fix_list(
            conn,
            head=head,
            pack=own_pack,
            rule=own_rule,
            awards=awards,
            reasons={
                claim.person: reasons_text(given.reasons())
                for claim, given in found.claims
                if (claim.offer.pack_id, claim.offer.rule_id) == (pack, rule)
            },
            past=past,
            run=number,
            as_of=run.as_of,
            root=seed,
            person=person,
            now=now,
        )
    return number


def terms_of(pack: Pack, rule: Rule, offer: Offer, *, menu: str = "") -> Terms:
    """Return on what terms a rule gives something, as they are kept with the grant."""
    claw = rule.revoke.claw if rule.revoke.on else Claw.NONE
    return Terms(
        office=Level(offer.approver.value),
        publicise_days=offer.publicise_days,
        approvals=2 if offer.grant.kind is GrantKind.MONEY else offer.approvals,
        pool=f"{pack.id}/{rule.grant.pool}" if rule.grant.pool else "",
        claw=claw.value,
        grace_days=rule.revoke.grace_days,
        menu=menu,
    )


def made_key(volunteer: int, offer: Offer) -> MadeKey:
    """Return what names a grant in one county: pack, rule, level, period, volunteer."""
    return offer.pack_id, offer.rule_id, offer.level, offer.period_key, volunteer


async def _propose(
    db: Database,
    *,
    book: int,
    due: Sequence[Due],
    packs: Sequence[Pack],
    run: GrantRun,
    number: int | None,
    office: Level,
    person: UUID | None,
    now: datetime,
) -> int:
    """Propose a list in one commit, issue what may be issued at once, return the run's number."""
    async with _writing_run(
        db, book=book, packs=packs, run=run, number=number, person=person, now=now
    ) as (conn, head, number):
        standings = await propose_in(
            conn,
            head=head,
            due=due,
            packs=packs,
            number=number,
            office=office,
            person=person,
            now=now,
        )
        new = {_made_key(standing.of) for standing in standings}
        for each in due:
            if each.made_key not in new:
                # Another run made it between our reading and our lock.
                run.by_rule[each.offer.pack_id, each.offer.rule_id].already += 1
        for standing in standings:
            rule_run = run.by_rule[standing.of.pack, standing.of.rule]
            if standing.state is State.ISSUED or standing.state is State.SPENT:
                rule_run.granted += 1
            else:
                rule_run.proposed += 1
    return number


async def propose_in(
    conn: AsyncConnection,
    *,
    head: Head,
    due: Sequence[Due],
    packs: Sequence[Pack],
    number: int,
    office: Level,
    person: UUID | None,
    now: datetime,
) -> list[Standing]:
    """Propose a list, and issue what may be issued at once; return what is new.

    The caller holds the book's lock. `number` is the run that found them due.
    """
    standings = await _entitle(
        conn, head=head, due=due, packs=packs, number=number, person=person, now=now
    )
    at_once: list[Standing] = []
    later: list[Standing] = []
    for standing in standings:
        passes = passes_at_once(standing.of.terms, office=office)
        is_queued = standing.state is State.WAITING
        (at_once if passes and not is_queued else later).append(standing)
    await issue(conn, head=head, standings=at_once, person=person, now=now)
    await entitlements.write_steps(conn, book=head.book, standings=later)
    if standings:
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=person,
            act="grant_policies",
            subjects=[f"grants/{head.book}/{standings[0].of.id}-{standings[-1].of.id}"],
        )
    return standings


async def _keep_run(
    conn: AsyncConnection,
    *,
    book: int,
    packs: Sequence[Pack],
    run: GrantRun,
    person: UUID | None,
    now: datetime,
) -> int:
    """Keep what the run is made of: its packs, the entry it knows, its day."""
    for pack in packs:
        await pack_store.insert_pack(conn, pack=pack, person=person, now=now)
        if pack.status is Status.ENACTED:
            await notices.ensure_notice(
                conn,
                book=book,
                kind=NoticeKind.PACK,
                body={"hash": pack.hash, "pack": pack.id, "version": pack.version},
                now=now,
            )
    (number,) = await numbering.take_numbers(conn, book=book, noun="grant_run")
    await entitlements.insert_run(
        conn,
        run=Run(
            book=book,
            id=number,
            decided_on=run.on,
            as_of=run.as_of,
            packs=tuple(pack.hash for pack in packs),
            people=run.people,
            ran_at=now,
            person=person,
        ),
    )
    return number


async def _entitle(
    conn: AsyncConnection,
    *,
    head: Head,
    due: Sequence[Due],
    packs: Sequence[Pack],
    number: int,
    person: UUID | None,
    now: datetime,
) -> list[Standing]:
    """Write down what is due and was not yet; return those that are new, proposed."""
    units = await accounts.register_units(
        conn, codes=list(dict.fromkeys(unit_code(each.offer) for each in due))
    )
    funds = await _open_pools(conn, head=head, due=due, packs=packs, now=now)
    ids = await numbering.take_numbers(conn, book=head.book, noun="entitlement", count=len(due))
    found = []
    for entitlement, each in zip(ids, due, strict=True):
        offer = each.offer
        found.append(
            Entitlement(
                book=head.book,
                id=entitlement,
                volunteer=each.volunteer,
                pack=offer.pack_id,
                pack_hash=offer.pack_hash,
                rule=offer.rule_id,
                tier=offer.level,
                period=offer.period_key,
                source="",
                unit=units[unit_code(offer)],
                amount=offer.count,
                decided_on=offer.on,
                expires_on=offer.expires_on,
                terms=each.terms,
                pool=funds[each.terms.pool].id if each.terms.pool else None,
                run=number,
                reasons=each.reasons,
                proposed_at=now,
                proposed_by=person,
            )
        )
    added = await entitlements.insert_entitlements(conn, book=head.book, entitlements=found)
    standings = [Standing(each, expires_on=each.expires_on) for each in found if each.id in added]
    queued = {each.made_key for each in due if each.is_queued}
    for standing in standings:
        standing.take(StepKind.PROPOSED, at=now, person=person)
        if standing.of.terms.menu:
            standing.take(StepKind.OFFERED, at=now, person=None)
        elif _made_key(standing.of) in queued:
            standing.take(StepKind.QUEUED, at=now, person=None)
    return standings


async def _open_pools(
    conn: AsyncConnection,
    *,
    head: Head,
    due: Sequence[Due],
    packs: Sequence[Pack],
    now: datetime,
) -> dict[str, Pool]:
    """Return the pools that a list draws on, by `pack/pool`, opened where they are not yet."""
    by_id = {pack.id: pack for pack in packs}
    found: dict[str, Pool] = {}
    for each in due:
        code, offer = each.terms.pool, each.offer
        if not code or code in found:
            continue
        pack = by_id[offer.pack_id]
        found[code] = await pools.ensure_rule_pool(
            conn,
            head=head,
            pack=pack,
            pool=pack.pool(code.removeprefix(f"{pack.id}/")),
            unit=unit_code(offer),
            on=offer.on,
            now=now,
        )
    return found


def _made_key(of: Entitlement) -> MadeKey:
    return of.pack, of.rule, of.tier, of.period, of.volunteer


def reasons_text(reasons: Sequence[Reason], *, chosen: Mapping[str, object] | None = None) -> str:
    """Return reasons as they are kept: the same reasons are the same bytes.

    What a draw or a panel said comes last, under the name `selection`.
    """
    records: list[Mapping[str, object]] = [reason.as_record() for reason in reasons]
    if chosen is not None:
        records.append({"selection": chosen})
    return json.dumps(records, ensure_ascii=False, sort_keys=True)


_OWN_UNITS = {
    GrantKind.MONEY: Unit.FEN,
    GrantKind.CREDITS: Unit.CREDITS,
    GrantKind.POINTS: Unit.POINTS,
}
"""What every book counts in a unit of its own; anything else is registered by its item."""


def unit_code(offer: Offer) -> str:
    """Return the code of what a grant is counted in."""
    own = _OWN_UNITS.get(offer.grant.kind)
    return f"{offer.grant.kind}:{offer.grant.item}" if own is None else own.name.lower()
