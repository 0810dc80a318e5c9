"""Policies grant: everybody who meets a rule is given what it gives, once, with the reasons."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import as_file, files
from uuid import UUID
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.period import day_start
from timebank.domain.posting import Posted
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.ledger import accounts, decisions, journal, notices
from timebank.ledger.decisions import Decision
from timebank.ledger.journal import Head
from timebank.policy import plugins
from timebank.policy.columns import StepColumns, evaluate_population
from timebank.policy.evaluation import facts_needed
from timebank.policy.grant import Every, Offer
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status
from timebank.queries import facts, grants
from timebank.services import correction
from timebank.services.errors import NotFoundError
from timebank.store import audit_events
from timebank.store import packs as pack_store
from timebank.trust.notice import NoticeKind

_LIST_MAX = 4_000
"""How many grants one commit makes: a scan at the same time waits for one of them at most."""


@dataclass(slots=True)
class RuleRun:
    """What a run came to for one rule.

    Attributes:
        granted: Grants that this run made.
        already: Met, and granted before.
        unmet: People who do not meet its first step.
        unknown: People about whom a fact is missing: asked for, not refused.
    """

    pack: str
    rule: str
    granted: int = 0
    already: int = 0
    unmet: int = 0
    unknown: int = 0


@dataclass(slots=True)
class GrantRun:
    """What a run of policies came to.

    Attributes:
        as_of: Entries 1 to `as_of` were counted.
        people: How many were examined.
        rules: In the order of evaluation; rules not in force on the day are left out.
    """

    on: date
    as_of: int
    people: int
    rules: list[RuleRun] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Due:
    """One grant to make."""

    volunteer: int
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
                each = _Due(volunteer, step.offer, "")
                if each.made_key in made:
                    rule_run.already += 1
                else:
                    due.append(_Due(volunteer, step.offer, _reasons(step, int(row))))
    for start in range(0, len(due), _LIST_MAX):
        await _grant(
            db,
            book=book,
            due=due[start : start + _LIST_MAX],
            packs={pack.hash: pack for pack in packs},
            run=run,
            person=person,
            now=now,
        )
    return run


async def _grant(
    db: Database,
    *,
    book: int,
    due: Sequence[_Due],
    packs: dict[str, Pack],
    run: GrantRun,
    person: UUID | None,
    now: datetime,
) -> None:
    by_rule = {(each.pack, each.rule): each for each in run.rules}
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        for pack_hash in dict.fromkeys(each.offer.pack_hash for each in due):
            pack = packs[pack_hash]
            await pack_store.insert_pack(conn, pack=pack, person=person, now=now)
            await notices.ensure_notice(
                conn,
                book=book,
                kind=NoticeKind.PACK,
                body={"hash": pack.hash, "pack": pack.id, "version": pack.version},
                now=now,
            )
        units = await accounts.register_units(
            conn, codes=list(dict.fromkeys(_unit_code(each.offer) for each in due))
        )
        transfers: list[Transfer | None] = [None] * len(due)
        for code, unit in units.items():
            places = [place for place, each in enumerate(due) if _unit_code(each.offer) == code]
            issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=now)
            held = await accounts.ensure_accounts(
                conn,
                head=head,
                unit=unit,
                kind=AccountKind.VOLUNTEER,
                owners=list(dict.fromkeys(due[place].volunteer for place in places)),
                now=now,
                # What is granted can be spent, never more than that.
                is_debit_bounded=True,
            )
            for place in places:
                each = due[place]
                transfers[place] = _transfer(each, head, unit, issuing, held[each.volunteer])

        outcomes = await journal.append(
            conn, head=head, transfers=[each for each in transfers if each is not None], now=now
        )

        posted = []
        for each, outcome in zip(due, outcomes, strict=True):
            rule_run = by_rule[each.offer.pack_id, each.offer.rule_id]
            if isinstance(outcome, Posted):
                rule_run.granted += 1
                posted.append(_decision(each, outcome.seq, run.as_of))
            else:
                # Another run made it between our reading and our lock.
                rule_run.already += 1
        if posted:
            for unit in units.values():
                await correction.settle_receivables(
                    conn,
                    head=head,
                    unit=unit,
                    volunteers={each.volunteer for each in posted},
                    now=now,
                )
            await decisions.insert_decisions(conn, book=book, decisions=posted)
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=person,
                act="grant_policies",
                subjects=[f"entries/{book}/{posted[0].seq}-{posted[-1].seq}"],
            )


def _transfer(due: _Due, head: Head, unit: int, issuing: int, account: int) -> Transfer:
    zone = ZoneInfo(head.zone)
    offer = due.offer
    # The key's time is that of the period, so that the same grant has one key on every day.
    year = int(offer.period_key) if offer.period_key != Every.LIFETIME else 2000
    return Transfer(
        key=service_key(
            day_start(date(year, 1, 1), zone=zone),
            "grant",
            head.book,
            due.volunteer,
            *offer.key_parts,
        ),
        kind=TransferKind.GRANT,
        unit=unit,
        debit=issuing,
        credit=account,
        amount=offer.grant.count,
        effective_at=day_start(offer.on, zone=zone),
        volunteer=due.volunteer,
    )


def _decision(due: _Due, seq: int, as_of: int) -> Decision:
    offer = due.offer
    return Decision(
        seq=seq,
        volunteer=due.volunteer,
        pack=offer.pack_id,
        pack_hash=offer.pack_hash,
        rule=offer.rule_id,
        tier=offer.level,
        period=offer.period_key,
        as_of=as_of,
        reasons=due.reasons,
    )


def _reasons(step: StepColumns, row: int) -> str:
    return json.dumps(
        [reason.as_record() for reason in step.reasons(row)], ensure_ascii=False, sort_keys=True
    )


def _unit_code(offer: Offer) -> str:
    return f"{offer.grant.kind}:{offer.grant.item}"
