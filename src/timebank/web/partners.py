"""The office's pages of partners: who redeems what at which price, and what they are owed."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Act, Actor, PartnerId
from timebank.domain.partner import PartnerRefusal, PartnerRefused
from timebank.domain.period import Month
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.http import spreadsheet
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.policy.rule import Pack
from timebank.queries import benefits as query
from timebank.services import partnering
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.store import partners
from timebank.web import format as words
from timebank.web.benefit_words import item_title, yuan
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Field
from timebank.web.pools import typed_amount
from timebank.web.typed import NumberInPath, ShortText

_MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCard:
    """One partner.

    Attributes:
        takes: What it takes and at what price, one line each.
        price_url: Where `item` and `yuan` are posted; empty for who only looks.
    """

    name: str
    address: str
    takes: Sequence[str]
    price_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """What one partner is paid for one item in a month."""

    partner: str
    item: str
    count: str
    each: str
    whole: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnersPage:
    """What `district/partners.html` shows."""

    partners: Sequence[PartnerCard]
    months: Sequence[Choice]
    settlement: Sequence[SettlementLine]
    total: str
    csv_url: str
    items: Sequence[Choice]
    new_url: str
    name: Field
    address: Field
    phone: Field
    error: str = ""


class PartnerForm(msgspec.Struct):
    """A new partner, and whose phone signs in for it."""

    name: ShortText = ""
    address: ShortText = ""
    phone: ShortText = ""


class PriceForm(msgspec.Struct):
    """What a partner is paid for an item from today on; empty: it is not taken any more."""

    item: ShortText = ""
    yuan: ShortText = ""


_MonthText = Annotated[str | None, QueryParameter(max_length=7)]


@get("/district/partners", rule=Act.SEE_REPORTS)
async def show_partners(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    month: _MonthText = None,
) -> Response[Any]:
    """Show the partners of a county and what each is owed for a month."""
    return await _show(
        request, kit, actor, office_scope, PartnerForm(), month=_month(month, now), now=now
    )


@get("/district/settlements.csv", rule=Act.SEE_REPORTS)
async def show_settlement_csv(
    office_scope: OfficeScope, kit: Kitted, now: Now, month: _MonthText = None
) -> Response[bytes]:
    """Send a month's settlement as CSV: one row per partner and item."""
    chosen = _month(month, now)
    async with kit.db.read() as conn:
        rows = await _settlement(conn, office_scope, chosen)
    content = spreadsheet.to_csv(
        [
            ("月份", "商家编号", "商家", "券", "次数", "单价（元）", "金额（元）"),
            *(
                (
                    _month_text(chosen),
                    row.partner,
                    row.name,
                    row.item,
                    row.count,
                    yuan(row.fen_each),
                    yuan(row.fen_each * row.count),
                )
                for row in rows
            ),
        ]
    )
    name = f"settlement-{county_of(office_scope.region)}-{_month_text(chosen)}.csv"
    return Response(
        content,
        media_type="text/csv",
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


@post("/district/partners", rule=Act.RUN_POLICIES, status_code=200)
async def create_partner(
    request: TimebankRequest,
    data: URLEncodedBody[PartnerForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take a partner on."""
    _ = translate_of(request)
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    outcome = await partnering.open_partner(
        kit.db,
        seal=kit.seal,
        actor=actor,
        book=county_of(office_scope.region),
        name=data.name,
        address=data.address,
        phone=data.phone,
        now=now,
    )
    if isinstance(outcome, PartnerRefused):
        return await _show(
            request,
            kit,
            actor,
            office_scope,
            data,
            month=_month(None, now),
            error=_(outcome.reason.value),
            status=422,
            now=now,
        )
    return Redirect("/district/partners?done=partner_opened", status_code=303)


@post("/district/partners/{number:int}/prices", rule=Act.RUN_POLICIES, status_code=200)
async def create_price(
    request: TimebankRequest,
    number: NumberInPath,
    data: URLEncodedBody[PriceForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Say what a partner is paid for an item from today on."""
    _ = translate_of(request)
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    fen = typed_amount(data.yuan, is_money=True) if data.yuan.strip() else None
    async with kit.db.read() as conn:
        packs = await packs_in_force(conn, book=county_of(office_scope.region))
    refused: PartnerRefusal | None = None
    if data.yuan.strip() and fen is None:
        refused = PartnerRefusal.PRICE_OUT_OF_RANGE
    elif data.item not in _items(packs):
        refused = PartnerRefusal.ITEM_UNKNOWN
    else:
        outcome = await partnering.set_price(
            kit.db,
            actor=actor,
            partner=PartnerId(county_of(office_scope.region), number),
            item=data.item,
            from_on=words.local_day(now),
            fen_each=fen,
            now=now,
        )
        refused = outcome.reason if isinstance(outcome, PartnerRefused) else None
    if refused is not None:
        return await _show(
            request,
            kit,
            actor,
            office_scope,
            PartnerForm(),
            month=_month(None, now),
            error=_(refused.value),
            status=422,
            now=now,
        )
    return Redirect("/district/partners?done=price_set", status_code=303)


@dataclass(frozen=True, slots=True)
class _Row:
    partner: int
    name: str
    item: str
    count: int
    fen_each: int


async def _settlement(conn: AsyncConnection, scope: Scope, month: Month) -> list[_Row]:
    """Return what each partner redeemed in a month: a row per item and price, by partner."""
    book = county_of(scope.region)
    period = month.period(zone=words.ZONE)
    made = await query.list_settled(conn, scope=scope, since=period.start, until=period.end)
    names = {each.id.id: each.name for each in await partners.list_partners(conn, book=book)}
    counted: Counter[tuple[int, str, int]] = Counter()
    prices = {}
    for each in made:
        on = words.local_day(each.at)
        if on not in prices:
            prices[on] = await partners.list_prices(conn, book=book, on=on)
        counted[each.partner, each.item, prices[on].get((each.partner, each.item), 0)] += (
            each.amount
        )
    return [
        _Row(partner, names.get(partner, ""), item, count, fen)
        for (partner, item, fen), count in sorted(counted.items())
    ]


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    scope: Scope,
    form: PartnerForm,
    *,
    month: Month,
    error: str = "",
    status: int = 200,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    book = county_of(scope.region)
    async with kit.db.read() as conn:
        known = await partners.list_partners(conn, book=book)
        prices = await partners.list_prices(conn, book=book, on=words.local_day(now))
        rows = await _settlement(conn, scope, month)
        packs = await packs_in_force(conn, book=book)
    may_change = actor.may(Act.RUN_POLICIES) and level_of(scope.region) is Level.COUNTY
    text = _month_text(month)
    return show(
        request,
        "district/partners.html",
        PartnersPage(
            partners=[
                PartnerCard(
                    name=each.name,
                    address=each.address,
                    takes=[
                        _(
                            "{item}，每次 {yuan} 元",
                            item=item_title(item, packs=packs, language=language),
                            yuan=yuan(fen),
                        )
                        for (shop, item), fen in sorted(prices.items())
                        if shop == each.id.id
                    ],
                    price_url=f"/district/partners/{each.id.id}/prices" if may_change else "",
                )
                for each in known
            ],
            months=[
                Choice(
                    value=_month_text(each),
                    label=words.month(each.number // 100, each.number % 100, language=language),
                    is_selected=each == month,
                )
                for each in _months(now)
            ],
            settlement=[
                SettlementLine(
                    partner=row.name,
                    item=item_title(row.item, packs=packs, language=language),
                    count=words.count(row.count),
                    each=yuan(row.fen_each),
                    whole=yuan(row.fen_each * row.count),
                )
                for row in rows
            ],
            total=yuan(sum(row.fen_each * row.count for row in rows)),
            csv_url=f"/district/settlements.csv?month={text}",
            items=[
                Choice(value=item, label=item_title(item, packs=packs, language=language))
                for item in _items(packs)
            ],
            new_url="/district/partners" if may_change else "",
            name=Field(value=form.name),
            address=Field(value=form.address),
            phone=Field(value=form.phone),
            error=error,
        ),
        status=status,
    )


def _items(packs: Sequence[Pack]) -> list[str]:
    """Return the codes of what rules give that a partner can redeem."""
    return sorted(
        {
            f"{rule.grant.kind}:{rule.grant.item}"
            for pack in packs
            for rule in pack.rules
            if rule.grant.kind.value in ("pass", "goods", "place")
        }
    )


def _months(now: datetime) -> list[Month]:
    this = Month.of(now, zone=words.ZONE).number
    count = this // 100 * 12 + this % 100 - 1
    return [
        Month((count - back) // 12 * 100 + (count - back) % 12 + 1) for back in range(_MONTHS_SHOWN)
    ]


def _month(text: str | None, now: datetime) -> Month:
    """Return the month that an address names, or the current one."""
    found = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text or "", re.ASCII)
    if found is None:
        return Month.of(now, zone=words.ZONE)
    return Month(int(found[1]) * 100 + int(found[2]))


def _month_text(month: Month) -> str:
    return f"{month.number // 100:04}-{month.number % 100:02}"
