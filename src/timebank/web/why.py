"""Why, why not, what next: one person's rules at three depths, for whoever may ask about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.region import county_of
from timebank.domain.volunteer_number import format_number, parse_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    OwnOrganizations,
    OwnVolunteer,
    TimebankRequest,
)
from timebank.ledger.balances import find_head_seq
from timebank.policy.condition import (
    All,
    AnyOf,
    AtLeast,
    Judged,
    Leaf,
    Not,
    Outcome,
    Reason,
)
from timebank.policy.evaluation import RuleResult
from timebank.policy.explain import Explanation
from timebank.policy.rule import Verdict
from timebank.queries.members import Member, list_members
from timebank.queries.whatif import list_people
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.honours import judge
from timebank.web.organized_shift import masked
from timebank.web.policy_words import (
    Check,
    check_of,
    citation_words,
    dimension_words,
    fact_name,
    nearest_words,
    own_words,
)

_Asked = Annotated[str, QueryParameter(max_length=20)]

_OWN_WORK = frozenset({"minutes", "services", "star", "registered_days", "first_service_on"})
"""Facts that an organizer sees of a member: what they did together. The rest is their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """One node of a rule's condition.

    Attributes:
        depth: How far in it stands, from 0.
        basis: Whose word the number is, and over which days what was counted.
    """

    depth: int
    text: str
    state: Literal["met", "unmet", "unknown"]
    have: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRule:
    """One rule as it stands for a person: a sentence, the conditions, the whole tree.

    Attributes:
        sentence: The nearest reason, or that nothing is missing.
        level: The level that the sentence is about; empty for a rule without levels.
        citation: Where the rule itself stands.
        url: The rule's own page; empty where the reader has none.
    """

    title: str
    level: str
    dimension: str
    state: Literal["met", "unmet", "unknown"]
    sentence: str
    checks: Sequence[Check]
    tree: Sequence[TreeLine]
    citation: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Somebody who may be asked about, masked."""

    name: str
    number: str
    came: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyPage:
    """What `volunteer/why.html` shows.

    Attributes:
        who: Masked; empty on one's own page, and while nobody was chosen.
        ask_url: Where a number is asked for; empty on one's own page.
        asked: As typed.
        error: Why nobody is shown.
        people: Whom an organizer knows; empty elsewhere.
    """

    who: str
    number: str
    back_url: str
    ask_url: str
    asked: str
    error: str
    people: Sequence[KnownPerson]
    rules: Sequence[WhyRule]
    as_of: str
    note: str


@get("/me/why", rule=Act.SEE_OWN_RECORDS)
async def show_own_why(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show every rule as it stands for oneself."""
    async with kit.db.read() as conn:
        rules, as_of = await _rules(request, conn, volunteer, on=words.local_day(now))
    return _shown(request, back_url="/me/honours", rules=rules, as_of=as_of)


@get("/district/policies/people", rule=Act.TRY_POLICIES)
async def show_district_why(
    request: TimebankRequest,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    number: _Asked = "",
) -> Response[Any]:
    """Show every rule as it stands for somebody who lives in the office's own region."""
    _ = translate_of(request)
    shown = partial(
        _shown, request, back_url="/district/policies", ask_url="/district/policies/people"
    )
    found = parse_number("".join(number.split()))
    if found is None:
        error = _("请输入 15 位志愿者号") if number else ""
        return shown(asked=number, error=error)
    asked = VolunteerId(*found)
    async with kit.db.read() as conn:
        # Somebody of another county, or of another town, is as unknown as a number nobody has.
        people = (
            await list_people(conn, scope=office_scope, volunteers=[asked.id])
            if asked.book == county_of(office_scope.region)
            else {}
        )
        if asked.id not in people:
            return shown(asked=number, error=_("您的辖区里没有这个志愿者号"))
        rules, as_of = await _rules(request, conn, asked, on=words.local_day(now))
    return shown(
        who=masked(people[asked.id].name_sealed, kit.seal, asked, _),
        number=format_number(asked.book, asked.id),
        asked=number,
        rules=rules,
        as_of=as_of,
    )


@get("/organizer/members", rule=Act.RUN_ACTIVITIES)
async def show_member_why(
    request: TimebankRequest,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    number: _Asked = "",
) -> Response[Any]:
    """Show who signed up with the organizer, and every rule as it stands for one of them."""
    _ = translate_of(request)
    shown = partial(_shown, request, back_url="/organizer", ask_url="/organizer/members")
    found = parse_number("".join(number.split()))
    asked = None if found is None else VolunteerId(*found)
    async with kit.db.read() as conn:
        members = await list_members(conn, organizations=organizations, only=asked)
        if asked is None:
            return shown(
                asked=number,
                error=_("请输入 15 位志愿者号") if number else "",
                people=[_known(each, kit, request) for each in members],
            )
        if not members:
            return shown(asked=number, error=_("这个人没有报名过您的活动"))
        rules, as_of = await _rules(request, conn, asked, on=words.local_day(now), is_own=False)
    return _shown(
        request,
        back_url="/organizer/members",
        ask_url="/organizer/members",
        who=masked(members[0].name_sealed, kit.seal, asked, _),
        number=format_number(asked.book, asked.id),
        asked=number,
        rules=rules,
        as_of=as_of,
        note=_("您只看得到和服务有关的条件；其余的由本人自己看。"),
    )


def _known(member: Member, kit: Kit, request: TimebankRequest) -> KnownPerson:
    number = format_number(member.volunteer.book, member.volunteer.id)
    return KnownPerson(
        name=masked(member.name_sealed, kit.seal, member.volunteer, translate_of(request)),
        number=f"…{number[-4:]}",
        came=words.full_day(words.local_day(member.came_at), language=language_of(request)),
        url=f"/organizer/members?number={number}",
    )


def _shown(
    request: TimebankRequest,
    *,
    back_url: str,
    ask_url: str = "",
    who: str = "",
    number: str = "",
    asked: str = "",
    error: str = "",
    people: Sequence[KnownPerson] = (),
    rules: Sequence[WhyRule] = (),
    as_of: str = "",
    note: str = "",
) -> Response[Any]:
    page = WhyPage(
        who=who,
        number=number,
        back_url=back_url,
        ask_url=ask_url,
        asked=asked,
        error=error,
        people=people,
        rules=rules,
        as_of=as_of,
        note=note,
    )
    return show(request, "volunteer/why.html", page, status=404 if error and asked else 200)


async def _rules(
    request: TimebankRequest,
    conn: AsyncConnection,
    volunteer: VolunteerId,
    *,
    on: date,
    is_own: bool = True,
) -> tuple[list[WhyRule], str]:
    language, _ = language_of(request), translate_of(request)
    judged = await judge(conn, volunteer=volunteer, on=on)
    seq = await find_head_seq(conn, book=volunteer.book)
    if seq is None:
        raise NotFoundError
    found = [
        why_of(result, explained, is_whole=is_own, language=language, _=_)
        for result, explained in judged
        if result.verdict is not Verdict.NOT_IN_FORCE
    ]
    order = {"unmet": 0, "unknown": 1, "met": 2}
    found.sort(key=lambda rule: order[rule.state])
    return found, _("截至账本第 {entry} 条", entry=words.count(seq))


def why_of(
    result: RuleResult,
    explained: Explanation,
    *,
    is_whole: bool,
    language: Language,
    _: Translate,
) -> WhyRule:
    """Return a rule at three depths; not `is_whole`, without what is nobody's but the person's."""
    state: Literal["met", "unmet", "unknown"] = "met"
    if explained.nearest is not None:
        state = "unknown" if explained.nearest.have is None else "unmet"
    sentence = nearest_words(explained, language=language, _=_)
    if not is_whole and explained.nearest is not None and not _is_open(explained.nearest):
        sentence = _("还差一个只有本人看得到的条件")
    ahead = result.steps[result.level :] or result.steps
    step = next(
        (each for each in ahead if each.judged.outcome is not Outcome.MET), result.steps[-1]
    )
    level = explained.next_level or explained.level
    return WhyRule(
        title=own_words(result.rule.title, language),
        level="" if level is None else own_words(level.title, language),
        dimension=dimension_words(result.rule.dimension, _),
        state=state,
        sentence=sentence,
        checks=[
            _check(reason, is_whole=is_whole, language=language, _=_)
            for reason in explained.reasons
        ],
        tree=list(_tree(result, step.judged, 0, is_whole=is_whole, language=language, _=_)),
        citation=citation_words(result.pack, result.rule.cite, language=language, _=_),
    )


def _is_open(reason: Reason) -> bool:
    return reason.key.name in _OWN_WORK


def _check(reason: Reason, *, is_whole: bool, language: Language, _: Translate) -> Check:
    check = check_of(reason, language=language, _=_)
    if is_whole or _is_open(reason):
        return check
    return replace(check, state="unknown", have=_("由本人自己看"), percent=None)


def _tree(
    result: RuleResult,
    judged: Judged,
    depth: int,
    *,
    is_whole: bool,
    language: Language,
    _: Translate,
) -> Iterator[TreeLine]:
    if judged.reason is not None:
        check = _check(judged.reason, is_whole=is_whole, language=language, _=_)
        yield TreeLine(
            depth=depth,
            text=check.text,
            state=check.state,
            have=check.have,
            basis=_basis(result, judged.reason, language=language, _=_),
        )
        return
    is_shown = is_whole or all(_is_open(reason) for reason in judged.reasons)
    yield TreeLine(
        depth=depth,
        text=_shape(judged, _),
        state=_STATES[judged.outcome] if is_shown else "unknown",
        have="",
        basis="",
    )
    for part in judged.parts:
        yield from _tree(result, part, depth + 1, is_whole=is_whole, language=language, _=_)


_STATES: dict[Outcome, Literal["met", "unmet", "unknown"]] = {
    Outcome.MET: "met",
    Outcome.UNMET: "unmet",
    Outcome.UNKNOWN: "unknown",
    Outcome.IGNORED: "unknown",
}


def _shape(judged: Judged, _: Translate) -> str:
    match judged.condition:
        case All():
            return _("以下都要满足")
        case AnyOf():
            return _("以下满足一项即可")
        case AtLeast(_node, count, _parts):
            return _("以下至少满足 {count} 项", count=count)
        case Not():
            return _("以下不能出现")
        case Leaf():
            raise AssertionError("a leaf has a reason")


def _basis(result: RuleResult, reason: Reason, *, language: Language, _: Translate) -> str:
    cited = citation_words(result.pack, reason.cite, language=language, _=_)
    last = reason.key.until - timedelta(days=1)
    if reason.use.window is None:
        counted = _(
            "{day}的{fact}",
            day=words.full_day(last, language=language),
            fact=fact_name(reason.use, language=language, _=_),
        )
    elif reason.key.since is None:
        counted = _("数到{day}", day=words.full_day(last, language=language))
    else:
        counted = _(
            "数{first}到{last}",
            first=words.full_day(reason.key.since, language=language),
            last=words.full_day(last, language=language),
        )
    origin = reason.key.spec.origin
    return " · ".join(part for part in (cited, counted, origin) if part)
