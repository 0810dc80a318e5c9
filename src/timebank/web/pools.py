"""The office's page of pools: what each holds, has set aside and has paid, and who waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor
from timebank.domain.pool import PoolRefused, WhenOut
from timebank.domain.region import Level, county_of, level_of
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import benefits as query
from timebank.queries.benefits import PoolLine
from timebank.services import agreeing, pools
from timebank.services.errors import NotFoundError
from timebank.services.pools import NewPool
from timebank.web import format as words
from timebank.web.benefit_words import amount_words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Field
from timebank.web.typed import NumberInPath, ShortText, typed_day


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCard:
    """One pool.

    Attributes:
        used_percent: Of the budget: paid, for the bar; `committed_percent` the same.
        waiting: How many wait for it; empty for nobody.
        owed: Paid, taken back and not repaid; empty for nothing.
        fund_url: Where `amount` is posted; empty for who only looks.
    """

    title: str
    owner: str
    days: str
    budget: str
    paid: str
    committed: str
    proposed: str
    left: str
    used_percent: int
    committed_percent: int
    when_out: str
    waiting: str
    owed: str
    fund_url: str
    is_money: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsPage:
    """What `district/pools.html` shows.

    Attributes:
        new_url: Where a new pool is posted; empty for who only looks.
    """

    pools: Sequence[PoolCard]
    new_url: str
    title: Field
    owner: Field
    item: Field
    amount: Field
    from_on: Field
    until_on: Field
    when_out: Sequence[Choice]
    error: str = ""


class PoolForm(msgspec.Struct):
    """A new pool."""

    title: ShortText = ""
    owner: ShortText = ""
    item: ShortText = ""
    amount: ShortText = ""
    from_on: ShortText = ""
    until_on: ShortText = ""
    when_out: ShortText = ""


class FundForm(msgspec.Struct):
    """What is put into a pool: yuan for money, whole pieces for anything else."""

    amount: ShortText = ""


@get("/district/pools", rule=Act.SEE_REPORTS)
async def show_pools(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,  # noqa: ARG001 nobody without a division gets here
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show the pools of the office's counties."""
    return await _show(request, kit, actor, PoolForm(), now=now)


@post("/district/pools", rule=Act.RUN_POLICIES, status_code=200)
async def create_pool(
    request: TimebankRequest,
    data: URLEncodedBody[PoolForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Open a pool and fill it."""
    _ = translate_of(request)
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    is_money = not data.item.strip()
    amount = typed_amount(data.amount, is_money=is_money)
    from_on = typed_day(data.from_on)
    until_on = typed_day(data.until_on) if data.until_on else None
    if amount is None or from_on is None or data.when_out not in list(WhenOut):
        return await _show(
            request, kit, actor, data, error=_("请填好名称、数额和开始日"), status=422, now=now
        )
    book = county_of(office_scope.region)
    outcome = await pools.open_pool(
        kit.db,
        actor=actor,
        book=book,
        new=NewPool(
            code=f"office/{from_on.isoformat()}/{int(now.timestamp())}",
            title=data.title,
            title_en=data.title,
            owner=data.owner or data.title,
            unit="fen" if is_money else f"goods:{data.item.strip()[:40]}",
            when_out=WhenOut(data.when_out),
            from_on=from_on,
            until_on=until_on,
            amount=amount,
        ),
        now=now,
    )
    if isinstance(outcome, PoolRefused):
        return await _show(
            request, kit, actor, data, error=_(outcome.reason.value), status=422, now=now
        )
    return Redirect("/district/pools?done=pool_opened", status_code=303)


@post("/district/pools/{number:int}/fundings", rule=Act.RUN_POLICIES, status_code=200)
async def create_funding(
    request: TimebankRequest,
    number: NumberInPath,
    data: URLEncodedBody[FundForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Put more into a pool; whoever waits for it is served in order."""
    _ = translate_of(request)
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    book = county_of(office_scope.region)
    async with kit.db.read() as conn:
        found = [
            each
            for each in await query.list_pools(conn, scope=office_scope)
            if (each.book, each.id) == (book, number)
        ]
    if not found:
        raise NotFoundError
    amount = typed_amount(data.amount, is_money=found[0].item == "fen")
    if not amount:
        return await _show(
            request, kit, actor, PoolForm(), error=_("请填一个数额"), status=422, now=now
        )
    outcome = await agreeing.fund_and_serve(
        kit.db, actor=actor, book=book, pool=number, amount=amount, now=now
    )
    if isinstance(outcome, PoolRefused):
        return await _show(
            request,
            kit,
            actor,
            PoolForm(),
            error=_(outcome.reason.value),
            status=422,
            now=now,
        )
    return Redirect("/district/pools?done=pool_funded", status_code=303)


def typed_amount(text: str, *, is_money: bool) -> int | None:
    """Return fen of yuan with at most two digits, or whole pieces; None for what is neither."""
    whole, point, cents = text.strip().replace(",", "").partition(".")
    is_plain = whole.isascii() and whole.isdigit() and len(whole) < 13
    if not is_plain or (point and not is_money):
        return None
    if not is_money:
        return int(whole)
    if point and not (cents.isascii() and cents.isdigit() and len(cents) <= 2):
        return None
    return int(whole) * 100 + int(cents.ljust(2, "0") or 0)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    form: PoolForm,
    *,
    error: str = "",
    status: int = 200,
    now: Now,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    scope = actor.scope
    if scope is None:
        raise NotFoundError
    async with kit.db.read() as conn:
        found = await query.list_pools(conn, scope=scope)
    may_fund = actor.may(Act.RUN_POLICIES) and level_of(scope.region) is Level.COUNTY
    today = words.local_day(now)
    return show(
        request,
        "district/pools.html",
        PoolsPage(
            pools=[_card(each, may_fund=may_fund, language=language, _=_) for each in found],
            new_url="/district/pools" if may_fund else "",
            title=Field(value=form.title),
            owner=Field(value=form.owner),
            item=Field(value=form.item),
            amount=Field(value=form.amount),
            from_on=Field(value=form.from_on or today.isoformat()),
            until_on=Field(value=form.until_on),
            when_out=[
                Choice(
                    value=each.value,
                    label=_(f"when_out.{each}"),
                    is_selected=each.value == form.when_out,
                )
                for each in (WhenOut.QUEUE, WhenOut.REFUSE)
            ],
            error=error,
        ),
        status=status,
    )


def _card(line: PoolLine, *, may_fund: bool, language: Language, _: Translate) -> PoolCard:
    def amount(number: int) -> str:
        return amount_words(number, item=line.item, _=_)

    since = words.full_day(line.from_on, language=language)
    days = _("{day}起", day=since)
    if line.until_on is not None:
        days = f"{since} – {words.full_day(line.until_on, language=language)}"
    whole = max(line.budget, 1)
    return PoolCard(
        title=line.title if language == "zh" else line.title_en,
        owner=line.owner,
        days=days,
        budget=amount(line.budget),
        paid=amount(line.paid),
        committed=amount(line.committed),
        proposed=amount(line.proposed) if line.proposed else "",
        left=amount(line.left),
        used_percent=max(0, min(100, line.paid * 100 // whole)),
        committed_percent=max(0, min(100, line.committed * 100 // whole)),
        when_out=_(f"when_out.{line.when_out}"),
        waiting=_("{count} 份在等", count=words.count(line.waiting)) if line.waiting else "",
        owed=amount(line.owed) if line.owed else "",
        fund_url=f"/district/pools/{line.id}/fundings" if may_fund else "",
        is_money=line.item == "fen",
    )
