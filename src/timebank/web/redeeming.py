"""The partner's page: the camera that redeems vouchers, the digits, and today's list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor
from timebank.domain.partner import ReturnRefused
from timebank.domain.period import day_start
from timebank.domain.voucher import Redeemed, RedemptionRefused
from timebank.http.identity import ForbiddenError
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.queries import benefits as query
from timebank.services import redeeming
from timebank.services.authoring import packs_in_force
from timebank.store import partners
from timebank.web import format as words
from timebank.web.benefit_words import amount_words, item_title
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.parts import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeeming:
    """What became of one code, at arm's length.

    Attributes:
        outcome: `left` for redeemed, as the sounds of the door have it, or `refused`.
        code: The refusal's stable code, for support; empty where redeemed.
    """

    outcome: Literal["left", "refused"]
    title: str
    sentence: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedLine:
    """One use that was redeemed today.

    Attributes:
        can_return: It was not taken back, and still can be.
    """

    title: str
    time: str
    entitlement: int
    use: int
    is_returned: bool
    can_return: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPage:
    """What `partner/home.html` shows.

    Attributes:
        takes: What the partner takes and is paid for each.
        today: What was redeemed today, newest first.
        read: What became of the code just sent; None where none was.
    """

    name: str
    takes: Sequence[str]
    today: Sequence[RedeemedLine]
    count: str
    read: Redeeming | None
    digits: Field
    redeem_url: str
    return_url: str


class RedemptionForm(msgspec.Struct):
    """A code that was read, or digits that were typed."""

    code: Annotated[str, msgspec.Meta(max_length=400)] = ""
    digits: Annotated[str, msgspec.Meta(max_length=60)] = ""


class ReturnForm(msgspec.Struct):
    """Which use is taken back."""

    entitlement: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    use: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0


@get("/partner", rule=Act.REDEEM_VOUCHERS)
async def show_partner(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the camera, the digits and what was redeemed today."""
    return await _show(request, kit, actor, now=now)


@post("/partner/redemptions", rule=Act.REDEEM_VOUCHERS, status_code=200)
async def create_redemption(
    request: TimebankRequest,
    data: URLEncodedBody[RedemptionForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Redeem what a code or digits name, and say what became of it."""
    _ = translate_of(request)
    language = language_of(request)
    is_typed = not data.code
    outcome = await redeeming.redeem_voucher(
        kit.db,
        actor=actor,
        text=data.digits if is_typed else data.code.rstrip("/").rpartition("/")[2],
        is_typed=is_typed,
        master_key=kit.master_key,
        now=now,
    )
    read = await _read(kit, actor, outcome, now=now, language=language, _=_)
    if request.query_params.get("part"):
        return show_part(request, "partner/_redeeming.html", read=read)
    typed = data.digits if isinstance(outcome, RedemptionRefused) else ""
    return await _show(request, kit, actor, read=read, typed=typed, now=now)


@post("/partner/returns", rule=Act.REDEEM_VOUCHERS, status_code=200)
async def create_return(
    request: TimebankRequest,
    data: URLEncodedBody[ReturnForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take a redemption of today back."""
    _ = translate_of(request)
    outcome = await redeeming.return_use(
        kit.db, actor=actor, entitlement=data.entitlement, use=data.use, now=now
    )
    if not isinstance(outcome, ReturnRefused):
        return Redirect("/partner?done=returned", status_code=303)
    read = Redeeming(
        outcome="refused",
        title=_("没有退"),
        sentence=_(outcome.reason.value),
        code=outcome.reason.value,
    )
    return await _show(request, kit, actor, read=read, status=409, now=now)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    *,
    read: Redeeming | None = None,
    typed: str = "",
    status: int = 200,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    shop = actor.partner
    if shop is None:
        raise ForbiddenError
    today = words.local_day(now)
    since = day_start(today, zone=words.ZONE)
    async with kit.db.read() as conn:
        partner = await partners.find_partner(conn, partner=shop)
        prices = await partners.list_prices(conn, book=shop.book, on=today, partner=shop.id)
        made = await query.list_redemptions(
            conn, partner=shop, since=since, until=since + timedelta(days=1)
        )
        packs = await packs_in_force(conn, book=shop.book)
    return show(
        request,
        "partner/home.html",
        PartnerPage(
            name="" if partner is None else partner.name,
            takes=[
                item_title(item, packs=packs, language=language)
                for (_shop, item), _fen in prices.items()
            ],
            today=[
                RedeemedLine(
                    title=item_title(
                        each.item, packs=packs, rule=(each.pack, each.rule), language=language
                    ),
                    time=words.clock(each.at),
                    entitlement=each.entitlement,
                    use=each.use,
                    is_returned=each.is_returned,
                    can_return=not each.is_returned,
                )
                for each in made
            ],
            count=words.count(sum(not each.is_returned for each in made)),
            read=read,
            digits=Field(value=typed),
            redeem_url="/partner/redemptions",
            return_url="/partner/returns",
        ),
        status=status,
        has_camera=True,
    )


async def _read(
    kit: Kit,
    actor: Actor,
    outcome: Redeemed | RedemptionRefused,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> Redeeming:
    if isinstance(outcome, Redeemed):
        scope_of = actor.partner
        async with kit.db.read() as conn:
            found = (
                []
                if scope_of is None
                else await query.list_redemptions(
                    conn, partner=scope_of, since=now, until=now + timedelta(seconds=1)
                )
            )
            packs = await packs_in_force(conn, book=outcome.voucher.book)
        used = next(
            (each for each in found if each.entitlement == outcome.voucher.entitlement), None
        )
        item = "" if used is None else used.item
        title = (
            ""
            if used is None
            else item_title(item, packs=packs, rule=(used.pack, used.rule), language=language)
        )
        return Redeeming(
            outcome="left",
            title=title,
            sentence=_(
                "核销成功，{time}，还剩 {left}",
                time=words.clock(now),
                left=amount_words(outcome.left, item=item, _=_),
            ),
            code="",
        )
    reason = outcome.reason.value
    sentence = _(reason)
    if outcome.at is not None:
        at = words.instant(outcome.at, now=now, language=language)
        is_here = actor.partner is not None and outcome.partner == actor.partner.id
        where = _("在您的店") if is_here else _("在另一家店")
        sentence = _("这一次{at}{where}已经核销过了", at=at, where=where)
    return Redeeming(outcome="refused", title=_("没有核销"), sentence=sentence, code=reason)
