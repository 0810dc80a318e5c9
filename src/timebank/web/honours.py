"""The volunteer's honours and courtesies: what was granted and why, and what the next one takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Act, VolunteerId
from timebank.http.providers import Db, Now, OwnVolunteer, TimebankRequest
from timebank.ledger.balances import find_head_seq
from timebank.policy.evaluation import RuleResult, evaluate_person, facts_needed
from timebank.policy.explain import Explanation, explain
from timebank.policy.rule import Verdict
from timebank.queries.facts import person_facts
from timebank.queries.grants import Granted, list_granted
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.benefit_words import reasons_words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.policy_words import (
    Check,
    check_of,
    citation_words,
    dimension_words,
    level_title,
    nearest_words,
    own_words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Honour:
    """Something granted.

    Attributes:
        basis: Why: the reasons in one sentence.
        valid: Until when; empty for life.
    """

    title: str
    dimension: str
    granted_on: str
    basis: str
    valid: str
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HonourRule:
    """One rule as a checklist.

    Attributes:
        nearest: The one sentence that says what is nearest, such as `再服务 87 小时即可`.
        url: The rule itself, with its source.
    """

    title: str
    dimension: str
    state: Literal["granted", "met", "unmet", "unknown"]
    nearest: str
    checks: Sequence[Check]
    citation: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HonoursPage:
    """What `volunteer/honours.html` shows.

    Attributes:
        next_rule: The unmet rule that is nearest; None when there is none.
        other_rules: All others, nearest first.
    """

    as_of: str
    held: Sequence[Honour]
    next_rule: HonourRule | None
    other_rules: Sequence[HonourRule]


@get("/me/honours", rule=Act.SEE_OWN_RECORDS)
async def show_honours(
    request: TimebankRequest, volunteer: OwnVolunteer, db: Db, now: Now
) -> Response[Any]:
    """Show what the volunteer holds, and every rule as a checklist."""
    language = language_of(request)
    _ = translate_of(request)
    on = words.local_day(now)
    async with db.read() as conn:
        judged = await judge(conn, volunteer=volunteer, on=on)
        granted = await list_granted(conn, volunteer=volunteer)
        seq = await find_head_seq(conn, book=volunteer.book)
    by_rule = {(each.pack.id, each.rule.id): each for each, _explained in judged}
    held = newest_of_each(granted)
    rules = [
        _rule(result, explained, granted=granted, language=language, _=_)
        for result, explained in judged
        if result.verdict is not Verdict.NOT_IN_FORCE
    ]
    ahead = [rule for rule in rules if rule.state == "unmet"]
    next_rule = ahead[0] if ahead else None
    return show(
        request,
        "volunteer/honours.html",
        HonoursPage(
            as_of=_("截至账本第 {entry} 条", entry=words.count(seq or 0)),
            held=[
                _honour(each, by_rule[each.pack, each.rule], language=language, _=_)
                for each in held
                if (each.pack, each.rule) in by_rule
            ],
            next_rule=next_rule,
            other_rules=[rule for rule in rules if rule is not next_rule],
        ),
    )


async def judge(
    conn: AsyncConnection, *, volunteer: VolunteerId, on: date
) -> list[tuple[RuleResult, Explanation]]:
    """Return what every rule comes to for a volunteer on a day, with its explanation.

    Raises:
        NotFoundError: There is no such volunteer.
    """
    packs = await packs_in_force(conn, book=volunteer.book)
    known = await person_facts(conn, volunteer=volunteer, keys=facts_needed(packs, on=on))
    if known is None:
        raise NotFoundError
    return [(each, explain(each)) for each in evaluate_person(packs, known, on=on)]


def newest_of_each(granted: Sequence[Granted]) -> list[Granted]:
    """Return the newest grant of each rule without levels, the highest of each with levels."""
    best: dict[tuple[str, str], Granted] = {}
    for each in granted:
        held = best.get((each.pack, each.rule))
        if held is None or each.tier > held.tier:
            best[each.pack, each.rule] = each
    return list(best.values())


def _honour(granted: Granted, result: RuleResult, *, language: Language, _: Translate) -> Honour:
    offers = [each.offer for each in result.steps if each.step.number == granted.tier]
    expires_on = offers[0].expires_on if offers else None
    return Honour(
        title=level_title(result, granted.tier, language),
        dimension=dimension_words(result.rule.dimension, _),
        granted_on=words.full_day(words.local_day(granted.effective_at), language=language),
        basis=reasons_words(granted.reasons, language=language, _=_),
        valid=""
        if expires_on is None
        else _("{day}前有效", day=words.full_day(expires_on, language=language)),
        entry=words.count(granted.seq),
    )


def _rule(
    result: RuleResult,
    explained: Explanation,
    *,
    granted: Sequence[Granted],
    language: Language,
    _: Translate,
) -> HonourRule:
    tiers = {each.tier for each in granted if (each.pack, each.rule) == _key(result)}
    next_level = explained.next_level
    title = own_words(result.rule.title, language)
    if next_level is not None:
        title = own_words(next_level.title, language)
    return HonourRule(
        title=title,
        dimension=dimension_words(result.rule.dimension, _),
        state=_state(explained, is_granted=bool(tiers)),
        nearest=nearest_words(explained, language=language, _=_),
        checks=[check_of(reason, language=language, _=_) for reason in explained.reasons],
        citation=citation_words(result.pack, result.rule.cite, language=language, _=_),
        url="",
    )


def _key(result: RuleResult) -> tuple[str, str]:
    return result.pack.id, result.rule.id


def _state(
    explained: Explanation, *, is_granted: bool
) -> Literal["granted", "met", "unmet", "unknown"]:
    if explained.nearest is not None:
        return "unknown" if explained.nearest.have is None else "unmet"
    return "granted" if is_granted else "met"
