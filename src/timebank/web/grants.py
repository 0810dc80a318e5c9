"""The office's page of grants: what waits for it, with the reason of each, to be done in one go."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.entitlement import GrantRefusal, GrantRefused, State
from timebank.domain.region import county_code, county_of, level_of
from timebank.http.identity import PUBLIC
from timebank.http.providers import (
    CountyScope,
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.policy.rule import Pack
from timebank.queries import benefits as query
from timebank.queries.benefits import GrantLine
from timebank.services import agreeing
from timebank.services.agreeing import Decided
from timebank.services.authoring import packs_in_force
from timebank.web import format as words
from timebank.web.benefit_words import amount_words, grant_title, note_words, reasons_words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.selections import SelectionLine, public_lines

_SHOWN = 200
"""How many of a kind are shown at once, oldest first: what can be looked at in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """One grant that an office looks at.

    Attributes:
        field: The name of its box, posted when it is ticked.
        why: On what grounds, as a sentence.
        needs: What stands beside it: whose turn it is, until when, or that money moves.
    """

    field: str
    name: str
    title: str
    amount: str
    why: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSection:
    """Grants that wait for the same thing.

    Attributes:
        action: What the button does to those that are ticked; empty where nothing can be done.
        can_refuse: They may be decided against, with a reason.
        more: How many there are beside those shown; empty for none.
    """

    title: str
    hint: str
    action: str
    label: str
    can_refuse: bool
    rows: Sequence[GrantRow]
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantsPage:
    """What `district/grants.html` shows.

    Attributes:
        outcome: What the last button did, one line each; empty for none.
    """

    sections: Sequence[GrantSection]
    action_url: str
    outcome: Sequence[str]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicityLine:
    """One grant that is public, with its volunteer's name masked."""

    name: str
    title: str
    amount: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicityPage:
    """What `public/publicity.html` shows.

    Attributes:
        lists: Draws to come and done, and what panels decided.
    """

    lines: Sequence[PublicityLine]
    lists: Sequence[SelectionLine] = ()


@get("/district/grants", rule=Act.APPROVE_GRANTS)
async def show_grants(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,  # noqa: ARG001 nobody without a division gets here
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show the grants that wait for an office."""
    return await _show(request, kit, actor, now=now)


@post("/district/grants", rule=Act.APPROVE_GRANTS, status_code=200)
async def create_decisions(
    request: TimebankRequest,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Do to the ticked grants what the pressed button says, county by county."""
    posted = await request.form()
    data = {name: str(value) for name, value in posted.items()}
    _ = translate_of(request)
    ticked = _ticked(data)
    if not ticked:
        return await _show(request, kit, actor, error=_("请先勾选"), status=422, now=now)
    whole = Decided()
    for book, ids in ticked.items():
        match data.get("action", ""):
            case "agree":
                found: Decided | GrantRefused = await agreeing.agree(
                    kit.db, actor=actor, book=book, ids=ids, now=now
                )
            case "publicise":
                found = await agreeing.publicise(kit.db, actor=actor, book=book, ids=ids, now=now)
            case "pay":
                found = await agreeing.pay(kit.db, actor=actor, book=book, ids=ids, now=now)
            case "refuse":
                found = await agreeing.refuse(
                    kit.db,
                    actor=actor,
                    book=book,
                    ids=ids,
                    reason=data.get("reason", ""),
                    now=now,
                )
            case _:
                return Redirect("/district/grants", status_code=303)
        if isinstance(found, GrantRefused):
            return await _show(
                request, kit, actor, error=_(found.reason.value), status=422, now=now
            )
        whole.done += found.done
        whole.refused += found.refused
    return await _show(request, kit, actor, outcome=_outcome(whole, _), now=now)


@get("/publicity", rule=PUBLIC)
async def show_publicity(
    request: TimebankRequest, county_scope: CountyScope, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the grants that are made public before an office agrees, for anybody to object."""
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        lines = await query.list_grants(
            conn, scope=county_scope, states=[State.PUBLICISED], limit=_SHOWN * 5
        )
        book = county_of(county_scope.region)
        packs = await packs_in_force(conn, book=book)
        lists = await public_lines(conn, book=book, now=now, language=language, _=_)
    return show(
        request,
        "public/publicity.html",
        PublicityPage(
            lists=lists,
            lines=[
                PublicityLine(
                    name=_name(line, kit, _),
                    title=grant_title(
                        line.standing, item=line.item, packs=packs, language=language
                    ),
                    amount=amount_words(line.standing.of.amount, item=line.item, _=_),
                    until=""
                    if line.standing.due_on is None
                    else words.full_day(line.standing.due_on, language=language),
                )
                for line in lines
            ],
        ),
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    *,
    outcome: Sequence[str] = (),
    error: str = "",
    status: int = 200,
    now: Now,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    scope = actor.scope
    if scope is None or level_of(scope.region).value in ("town", "village"):
        return show(
            request,
            "district/grants.html",
            GrantsPage(sections=[], action_url="", outcome=[], error=""),
        )
    today = words.local_day(now)
    async with kit.db.read() as conn:
        counts = await query.count_by_state(conn, scope=scope)
        lines = {
            state: await query.list_grants(conn, scope=scope, states=[state], limit=_SHOWN)
            for state in (
                State.PROPOSED,
                State.ENDORSED,
                State.PUBLICISED,
                State.WAITING,
                State.QUESTIONED,
            )
        }
        issued = await query.list_payable(conn, scope=scope, limit=_SHOWN)
        packs = await packs_in_force(conn, book=county_of(scope.region))

    def section(
        found: Sequence[GrantLine],
        title: str,
        hint: str,
        *,
        action: str = "",
        label: str = "",
        can_refuse: bool = False,
        whole: int = 0,
    ) -> GrantSection:
        more = max(whole - len(found), 0)
        return GrantSection(
            title=title,
            hint=hint,
            action=action,
            label=label,
            can_refuse=can_refuse,
            rows=[_row(line, kit, packs, language=language, _=_) for line in found],
            more=_("还有 {count} 条，处理完这些再显示", count=words.count(more)) if more else "",
        )

    proposed = lines[State.PROPOSED]
    to_agree = [each for each in proposed if not each.standing.of.terms.publicise_days]
    to_publish = [each for each in proposed if each.standing.of.terms.publicise_days]
    public = lines[State.PUBLICISED]
    is_over = {
        each.standing.of.id: each.standing.due_on is not None and each.standing.due_on < today
        for each in public
    }
    to_agree += lines[State.ENDORSED]
    to_agree += [each for each in public if is_over[each.standing.of.id]]
    sections = [
        section(
            to_agree,
            _("等审批"),
            _("逐条看一眼依据，去掉不同意的勾，一次办完。发钱的要两个人。"),
            action="agree",
            label=_("同意并发放"),
            can_refuse=True,
            whole=counts.get(State.PROPOSED, 0) if not to_publish else 0,
        ),
        section(
            to_publish,
            _("要先公示"),
            _("公示期满没有异议才能审批。"),
            action="publicise",
            label=_("开始公示"),
            can_refuse=True,
        ),
        section(
            [each for each in public if not is_over[each.standing.of.id]],
            _("正在公示"),
            _("任何人都能在公示页看到，名字隐去一半。"),
            can_refuse=True,
        ),
        section(
            issued,
            _("等付款"),
            _("款项汇出以后在这里记一笔，志愿者就看到已付。"),
            action="pay",
            label=_("已经汇出"),
        ),
        section(
            lines[State.WAITING],
            _("等资金池"),
            _("资金池有了钱或名额，按先后自动发放。"),
            whole=counts.get(State.WAITING, 0),
        ),
        section(
            lines[State.QUESTIONED],
            _("正在复核"),
            _("发放的依据变了。期限内没有补正，按规则收回。"),
            whole=counts.get(State.QUESTIONED, 0),
        ),
    ]
    return show(
        request,
        "district/grants.html",
        GrantsPage(
            sections=[each for each in sections if each.rows],
            action_url="/district/grants",
            outcome=outcome,
            error=error,
        ),
        status=status,
    )


def _row(
    line: GrantLine, kit: Kit, packs: Sequence[Pack], *, language: Language, _: Translate
) -> GrantRow:
    standing = line.standing
    terms = standing.of.terms
    needs = [_(f"office.{terms.office}")]
    if standing.due_on is not None:
        needs.append(_("到 {day}", day=words.full_day(standing.due_on, language=language)))
    if standing.state is State.QUESTIONED:
        needs.append(note_words(line.note, _=_))
    if terms.approvals > 1:
        is_endorsed = standing.state is State.ENDORSED
        needs.append(_("已有一人同意，还要一人") if is_endorsed else _("要两个人"))
    return GrantRow(
        field=f"grant.{standing.of.book}.{standing.of.id}",
        name=_name(line, kit, _),
        title=grant_title(standing, item=line.item, packs=packs, language=language),
        amount=amount_words(standing.of.amount, item=line.item, _=_),
        why=reasons_words(standing.of.reasons, language=language, _=_),
        needs=" · ".join(needs),
    )


def _name(line: GrantLine, kit: Kit, _: Translate) -> str:
    of = line.standing.of
    return masked(line.name_sealed, kit.seal, VolunteerId(of.book, of.volunteer), _)


def _ticked(form: Mapping[str, str]) -> dict[int, list[int]]:
    """Return the numbers of the ticked grants by book; what is no such field is left out."""
    found: dict[int, list[int]] = {}
    for name in form:
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == "grant" and _is_number(parts[1], parts[2]):
            book = int(parts[1])
            if 0 < book < 1_000_000 and county_code(book):
                found.setdefault(book, []).append(int(parts[2]))
    return {book: ids[: agreeing.LIST_MAX] for book, ids in found.items()}


def _is_number(*texts: str) -> bool:
    return all(text.isascii() and text.isdigit() and len(text) < 16 for text in texts)


_DONE: Mapping[State, str] = {
    State.ISSUED: "同意并发放 {count} 份",
    State.SPENT: "记下已付款 {count} 份",
    State.ENDORSED: "第一个人同意了 {count} 份，等第二个人",
    State.PUBLICISED: "开始公示 {count} 份",
    State.WAITING: "资金池不够，{count} 份排队等候",
    State.REFUSED: "没有同意 {count} 份",
}


def _outcome(decided: Decided, _: Translate) -> list[str]:
    done: Counter[State] = decided.done
    refused: Counter[GrantRefusal] = decided.refused
    return [
        *(_(_DONE[state], count=words.count(count)) for state, count in done.items() if count),
        *(
            _("{count} 份没有办：{reason}", count=words.count(count), reason=_(reason.value))
            for reason, count in refused.items()
            if count
        ),
    ]
