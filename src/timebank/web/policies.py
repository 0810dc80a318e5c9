"""The district office's pages of policies: what each rule says, on what grounds, and its runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody

from timebank.db import Database
from timebank.domain.actor import Act
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.http.providers import Db, Now, OfficeScope, SignedInActor, TimebankRequest
from timebank.policy.check import case_results
from timebank.policy.rule import Pack, Rule, Verdict
from timebank.queries.grants import count_granted
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.services.granting import GrantRun, grant_policies
from timebank.store.regions import find_region
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice
from timebank.web.policy_words import (
    ParameterStep,
    SentencePiece,
    case_person,
    case_result,
    citation_words,
    dimension_words,
    instrument_words,
    own_words,
    parameter_steps,
    plain_sentence,
    sentence_of,
    valid_words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLine:
    """One rule in the list."""

    title: str
    dimension: str
    sentence: str
    valid: str
    granted: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPack:
    """The rules of one rule-maker.

    Attributes:
        digest: The first characters of the pack's hash.
    """

    title: str
    issuer: str
    filing: str
    digest: str
    rules: Sequence[PolicyLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesPage:
    """What `district/policies.html` shows."""

    region: str
    packs: Sequence[PolicyPack]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One example that the pack itself promises.

    Attributes:
        person: What is said of somebody, as far as this rule asks for it.
        result: What they are given, or what is nearest.
    """

    person: str
    on: str
    result: str
    outcome: Literal["met", "unmet", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What one run of the rule came to.

    Attributes:
        granted: New grants by this run.
        already: Met, and granted before: running twice grants once.
        waiting: Due, and waiting for an office, a choice or a pool.
        unknown: A fact is missing; these are asked for, not refused.
    """

    ran: str
    period: str
    examined: str
    granted: str
    already: str
    waiting: str
    unmet: str
    unknown: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """What `district/policy.html` shows.

    Attributes:
        filing: The filing number and dates.
        run_url: Where `period` is posted; empty for somebody who may not run it.
        run: The run just made, first; then earlier ones.
    """

    title: str
    dimension: str
    pack: str
    policies_url: str
    sentence: Sequence[SentencePiece]
    legal_basis: str
    filing: str
    valid: str
    parameters: Sequence[ParameterStep]
    cases: Sequence[PolicyCase]
    run_url: str
    periods: Sequence[Choice]
    runs: Sequence[RunOutcome]
    error: str = ""


class RunForm(msgspec.Struct):
    """What the run button posts: the last day of the period that is granted for."""

    period: Annotated[str, msgspec.Meta(max_length=10)] = ""


@get("/district/policies", rule=Act.SEE_REPORTS)
async def show_policies(
    request: TimebankRequest, office_scope: OfficeScope, db: Db, now: Now
) -> Response[Any]:
    """Show every rule in force or to come, with how often it granted."""
    language = language_of(request)
    _ = translate_of(request)
    on = words.local_day(now)
    async with db.read() as conn:
        region = await find_region(conn, code=office_scope.region)
        granted = await count_granted(conn, scope=office_scope)
        packs = await packs_in_force(conn, book=county_of(office_scope.region))
    return show(
        request,
        "district/policies.html",
        PoliciesPage(
            region="" if region is None else region.name,
            packs=[
                PolicyPack(
                    title=own_words(pack.title, language),
                    issuer=own_words(pack.issuer, language),
                    filing=pack.filing,
                    digest=pack.hash[:12],
                    rules=[
                        PolicyLine(
                            title=own_words(rule.title, language),
                            dimension=dimension_words(rule.dimension, _),
                            sentence=plain_sentence(rule, on=on, language=language, _=_),
                            valid=valid_words(rule, language=language, _=_),
                            granted=_granted_words(granted.get((pack.id, rule.id), 0), _),
                            url=_url(pack, rule),
                        )
                        for rule in pack.rules
                    ],
                )
                for pack in packs
            ],
        ),
    )


@get("/district/policies/{pack_id:str}/{rule_id:str}", rule=Act.SEE_REPORTS)
async def show_policy(
    request: TimebankRequest,
    pack_id: FromPath[str],
    rule_id: FromPath[str],
    actor: SignedInActor,
    office_scope: OfficeScope,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Show one rule: its sentence, its grounds, its dated numbers, its cases."""
    pack, rule = await _find(db, office_scope, pack_id, rule_id)
    may_run = actor.may(Act.RUN_POLICIES) and _is_county(office_scope)
    page = _page(request, pack, rule, may_run=may_run, now=now)
    return show(request, "district/policy.html", page)


@post("/district/policies/{pack_id:str}/{rule_id:str}/runs", rule=Act.RUN_POLICIES, status_code=200)
async def create_run(
    request: TimebankRequest,
    pack_id: FromPath[str],
    rule_id: FromPath[str],
    data: URLEncodedBody[RunForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Grant what one rule has to give as of a day; running twice grants once."""
    packs = await _packs(db, office_scope)
    pack, rule = _found(packs, pack_id, rule_id)
    if not _is_county(office_scope):
        raise NotFoundError
    if data.period not in _periods(words.local_day(now)):
        page = _page(
            request,
            pack,
            rule,
            may_run=True,
            now=now,
            error=translate_of(request)("请从列表里选择时期"),
        )
        return show(request, "district/policy.html", page, status=422)
    run = await grant_policies(
        db,
        scope=office_scope,
        packs=packs,
        only={(pack.id, rule.id)},
        on=date.fromisoformat(data.period),
        person=actor.person,
        now=now,
    )
    page = _page(request, pack, rule, may_run=True, now=now, run=run)
    return show(request, "district/policy.html", page)


async def _packs(db: Database, office_scope: Scope) -> tuple[Pack, ...]:
    async with db.read() as conn:
        return await packs_in_force(conn, book=county_of(office_scope.region))


async def _find(db: Database, office_scope: Scope, pack_id: str, rule_id: str) -> tuple[Pack, Rule]:
    return _found(await _packs(db, office_scope), pack_id, rule_id)


def _found(packs: Sequence[Pack], pack_id: str, rule_id: str) -> tuple[Pack, Rule]:
    for pack in packs:
        if pack.id == pack_id:
            try:
                return pack, pack.rule(rule_id)
            except KeyError:
                break
    raise NotFoundError


def _granted_words(count: int, _: Translate) -> str:
    return _("已发放 {count} 份", count=words.count(count)) if count else _("还没发放过")


def _url(pack: Pack, rule: Rule) -> str:
    return f"/district/policies/{pack.id}/{rule.id}"


def _is_county(office_scope: Scope) -> bool:
    # A county decides for its whole book; a town may look, and a province has no book of its own.
    return level_of(office_scope.region) is Level.COUNTY


def _periods(today: date) -> dict[str, date]:
    """Return the days as of which a run may be made: today and the ends of the last two years."""
    days = [today, date(today.year - 1, 12, 31), date(today.year - 2, 12, 31)]
    return {day.isoformat(): day for day in days}


def _page(
    request: TimebankRequest,
    pack: Pack,
    rule: Rule,
    *,
    may_run: bool,
    now: datetime,
    run: GrantRun | None = None,
    error: str = "",
) -> PolicyPage:
    language = language_of(request)
    _ = translate_of(request)
    on = words.local_day(now)
    chosen = on if run is None else run.on
    return PolicyPage(
        title=own_words(rule.title, language),
        dimension=dimension_words(rule.dimension, _),
        pack=own_words(pack.title, language),
        policies_url="/district/policies",
        sentence=sentence_of(rule, on=on, language=language, _=_),
        legal_basis=citation_words(pack, rule.cite, language=language, _=_),
        filing=instrument_words(pack.instrument(rule.cite), language=language),
        valid=valid_words(rule, language=language, _=_),
        parameters=parameter_steps(pack, rule, on=on, language=language, _=_),
        cases=_distinct(
            PolicyCase(
                person=case_person(case, rule, language=language, _=_),
                on=words.full_day(case.on, language=language),
                result=case_result(result, language=language, _=_),
                outcome=_OUTCOMES[result.verdict],
            )
            for case, result in case_results(pack, rule)
            if result.verdict in _OUTCOMES
        ),
        run_url=f"{_url(pack, rule)}/runs" if may_run else "",
        periods=[
            Choice(
                value=value,
                label=_("截至 {day}", day=words.full_day(day, language=language)),
                is_selected=day == chosen,
            )
            for value, day in _periods(on).items()
        ],
        runs=[] if run is None else _outcomes(run, now=now, language=language, _=_),
        error=error,
    )


def _distinct(cases: Iterable[PolicyCase]) -> list[PolicyCase]:
    """Return each case once: those that differ only in what this rule does not ask read alike."""
    return list(dict.fromkeys(cases))


_OUTCOMES: dict[Verdict, Literal["met", "unmet", "unknown"]] = {
    Verdict.GRANTED: "met",
    Verdict.NOT_GRANTED: "unmet",
    Verdict.MISSING: "unknown",
}


def _outcomes(
    run: GrantRun, *, now: datetime, language: Language, _: Translate
) -> list[RunOutcome]:
    return [
        RunOutcome(
            ran=words.instant(now, now=now, language=language),
            period=_("截至 {day}", day=words.full_day(run.on, language=language)),
            examined=words.count(run.people),
            granted=words.count(each.granted),
            already=words.count(each.already),
            waiting=words.count(each.proposed + each.waiting),
            unmet=words.count(each.unmet),
            unknown=words.count(each.unknown),
            as_of=words.count(run.as_of),
        )
        for each in run.rules
    ]
