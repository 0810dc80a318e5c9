"""Policies find what is due: everybody who meets a rule is proposed what it gives, once.

Where the office that runs a policy is the one that agrees, no money moves and nothing has to be
made public before, the run is the agreement, and the grant is issued in the same commit. Everything
else waits for `agreeing`.
"""

import json
from collections.abc import Collection, Sequence
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
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Unit
from timebank.ledger import accounts, entitlements, journal, notices
from timebank.ledger.entitlements import Run
from timebank.ledger.journal import Head
from timebank.policy import plugins
from timebank.policy.columns import StepColumns, evaluate_population
from timebank.policy.condition import Reason
from timebank.policy.evaluation import facts_needed
from timebank.policy.grant import GrantKind, Offer
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Rule, Status
from timebank.queries import facts, grants
from timebank.services.errors import NotFoundError
from timebank.services.issuing import issue
from timebank.store import audit_events, numbering
from timebank.store import packs as pack_store
from timebank.store import pools as pool_store
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
        waiting: Met, proposed before, and still waiting.
        unmet: People who do not meet its first step.
        unknown: People about whom a fact is missing: asked for, not refused.
    """

    pack: str
    rule: str
    granted: int = 0
    proposed: int = 0
    already: int = 0
    waiting: int = 0
    unmet: int = 0
    unknown: int = 0


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
    rules: list[RuleRun] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Due:
    """One grant to propose."""

    volunteer: int
    rule: Rule
    offer: Offer
    reasons: str

    @property
    def made_key(self) -> tuple[str, str, int, str, int]:
        offer = self.offer
        return offer.pack_id, offer.rule_id, offer.level, offer.period_key, self.volunteer


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
        population = await facts.population_facts(
            conn, scope=scope, book=book, keys=facts_needed(packs, on=on)
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
        made = await grants.list_made_keys(
            conn, scope=scope, rules=[(each.pack.id, each.rule.id) for each in results]
        )

    run = GrantRun(on=on, as_of=population.as_of, people=len(population.volunteers))
    due: list[_Due] = []
    for result in results:
        first = result.steps[0].outcomes
        rule_run = RuleRun(
            result.pack.id,
            result.rule.id,
            unmet=int(first.unmet.sum()),
            unknown=int(first.unknown.sum()),
        )
        run.rules.append(rule_run)
        for step in result.steps:
            for row in step.rows_met():
                volunteer = int(population.volunteers[row])
                each = _Due(volunteer, result.rule, step.offer, "")
                if each.made_key in made.waiting:
                    rule_run.waiting += 1
                elif each.made_key in made.keys:
                    rule_run.already += 1
                else:
                    due.append(_Due(volunteer, result.rule, step.offer, _reasons(step, int(row))))
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
    return run


def terms_of(_rule: Rule, offer: Offer) -> Terms:
    """Return on what terms a rule gives something, as they are kept with the grant."""
    return Terms(office=Level(offer.approver.value))


async def _propose(
    db: Database,
    *,
    book: int,
    due: Sequence[_Due],
    packs: Sequence[Pack],
    run: GrantRun,
    number: int | None,
    office: Level,
    person: UUID | None,
    now: datetime,
) -> int:
    """Propose a list in one commit, issue what may be issued at once, return the run's number."""
    by_rule = {(each.pack, each.rule): each for each in run.rules}
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        if number is None:
            number = await _keep_run(conn, book=book, packs=packs, run=run, person=person, now=now)
        standings = await _entitle(conn, head=head, due=due, number=number, person=person, now=now)
        new = {_made_key(standing.of) for standing in standings}
        for each in due:
            if each.made_key not in new:
                # Another run made it between our reading and our lock.
                by_rule[each.offer.pack_id, each.offer.rule_id].already += 1
        at_once: list[Standing] = []
        later: list[Standing] = []
        for standing in standings:
            is_money = standing.of.unit == Unit.FEN
            passes = passes_at_once(standing.of.terms, office=office, is_money=is_money)
            (at_once if passes else later).append(standing)
        await issue(conn, head=head, standings=at_once, person=person, now=now)
        await entitlements.write_steps(conn, book=book, standings=later)
        for standing in standings:
            rule_run = by_rule[standing.of.pack, standing.of.rule]
            if standing.state is State.ISSUED or standing.state is State.SPENT:
                rule_run.granted += 1
            else:
                rule_run.proposed += 1
        if standings:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=person,
                act="grant_policies",
                subjects=[f"grants/{book}/{standings[0].of.id}-{standings[-1].of.id}"],
            )
    return number


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
    due: Sequence[_Due],
    number: int,
    person: UUID | None,
    now: datetime,
) -> list[Standing]:
    """Write down what is due and was not yet; return those that are new, proposed."""
    units = await accounts.register_units(
        conn, codes=list(dict.fromkeys(unit_code(each.offer) for each in due))
    )
    pools = await pool_store.list_by_code(
        conn,
        book=head.book,
        codes={code for each in due if (code := terms_of(each.rule, each.offer).pool)},
    )
    ids = await numbering.take_numbers(conn, book=head.book, noun="entitlement", count=len(due))
    found = []
    for entitlement, each in zip(ids, due, strict=True):
        offer = each.offer
        terms = terms_of(each.rule, offer)
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
                terms=terms,
                pool=pools[terms.pool].id if terms.pool else None,
                run=number,
                reasons=each.reasons,
                proposed_at=now,
                proposed_by=person,
            )
        )
    added = await entitlements.insert_entitlements(conn, book=head.book, entitlements=found)
    standings = [Standing(each, expires_on=each.expires_on) for each in found if each.id in added]
    for standing in standings:
        standing.take(StepKind.PROPOSED, at=now, person=person)
        if standing.of.terms.menu:
            standing.take(StepKind.OFFERED, at=now, person=None)
    return standings


def _made_key(of: Entitlement) -> tuple[str, str, int, str, int]:
    return of.pack, of.rule, of.tier, of.period, of.volunteer


def _reasons(step: StepColumns, row: int) -> str:
    return reasons_text(step.reasons(row))


def reasons_text(reasons: Sequence[Reason]) -> str:
    """Return reasons as they are kept: the same reasons are the same bytes."""
    return json.dumps(
        [reason.as_record() for reason in reasons], ensure_ascii=False, sort_keys=True
    )


def unit_code(offer: Offer) -> str:
    """Return the code of what a grant is counted in."""
    if offer.grant.kind is GrantKind.MONEY:
        return Unit.FEN.name.lower()
    return f"{offer.grant.kind}:{offer.grant.item}"
