"""The volunteer's points and time credits: what there is, until when, and what to do with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.entitlement import State
from timebank.domain.purse import PurseRefused
from timebank.domain.transfer import Unit
from timebank.domain.volunteer_number import parse_number
from timebank.http.providers import Kit, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.policy.credit import Receiver
from timebank.policy.rule import Pack
from timebank.queries import benefits as query
from timebank.services import purse
from timebank.services.authoring import packs_in_force
from timebank.store import catalog
from timebank.web import format as words
from timebank.web.benefit_words import amount_words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice
from timebank.web.policy_words import own_words
from timebank.web.typed import ShortText, typed_count, typed_day

_UNITS = {"credits": Unit.CREDITS, "points": Unit.POINTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseCard:
    """One kind of credits or points.

    Attributes:
        unit: What is posted with each form: `credits` or `points`.
        lots: What is left and until when, what ends first first.
        receivers: To whom some may be given; empty where to nobody.
    """

    unit: str
    title: str
    held: str
    lots: Sequence[str]
    receivers: Sequence[Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """Something that can be had."""

    number: int
    title: str
    detail: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PursePage:
    """What `volunteer/purse.html` shows."""

    purses: Sequence[PurseCard]
    offers: Sequence[OfferCard]
    gift_url: str
    spending_url: str
    item_url: str
    today: str
    error: str = ""


class GiftForm(msgspec.Struct):
    """How much is given, to whom."""

    unit: ShortText = ""
    amount: ShortText = ""
    to: ShortText = ""
    receiver: ShortText = ""


class SpendingForm(msgspec.Struct):
    """How much is spent, on whose service of which day."""

    unit: ShortText = ""
    amount: ShortText = ""
    helper: ShortText = ""
    served_on: ShortText = ""


class ItemForm(msgspec.Struct):
    """What is had."""

    item: ShortText = ""


@get("/me/purse", rule=Act.SEE_OWN_RECORDS)
async def show_purse(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the volunteer's points and credits."""
    return await _show(request, kit, volunteer, now=now)


@post("/me/purse/gifts", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_gift(
    request: TimebankRequest,
    data: URLEncodedBody[GiftForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Give some to another volunteer or to the common pool."""
    _ = translate_of(request)
    if data.unit not in _UNITS or data.to not in list(Receiver):
        return await _show(request, kit, volunteer, error=_("请选给谁"), status=422, now=now)
    is_pool = data.to == Receiver.POOL
    receiver = None if is_pool else _volunteer(data.receiver)
    if receiver is None and not is_pool:
        return await _show(
            request, kit, volunteer, error=_("purse.receiver_unknown"), status=422, now=now
        )
    outcome = await purse.give(
        kit.db,
        packs=await _packs(kit, volunteer),
        volunteer=volunteer,
        unit=_UNITS[data.unit],
        amount=typed_count(data.amount),
        to=Receiver(data.to),
        receiver=receiver,
        now=now,
    )
    if isinstance(outcome, PurseRefused):
        return await _show(
            request, kit, volunteer, error=_(outcome.reason.value), status=422, now=now
        )
    return Redirect("/me/purse?done=given", status_code=303)


@post("/me/purse/spendings", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_spending(
    request: TimebankRequest,
    data: URLEncodedBody[SpendingForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Spend some on service that somebody gave."""
    _ = translate_of(request)
    helper, served_on = _volunteer(data.helper), typed_day(data.served_on)
    if data.unit not in _UNITS or helper is None or served_on is None:
        return await _show(
            request, kit, volunteer, error=_("purse.no_service"), status=422, now=now
        )
    outcome = await purse.spend_on_service(
        kit.db,
        packs=await _packs(kit, volunteer),
        volunteer=volunteer,
        unit=_UNITS[data.unit],
        amount=typed_count(data.amount),
        helper=helper,
        served_on=served_on,
        now=now,
    )
    if isinstance(outcome, PurseRefused):
        return await _show(
            request, kit, volunteer, error=_(outcome.reason.value), status=422, now=now
        )
    return Redirect("/me/purse?done=spent", status_code=303)


@post("/me/purse/items", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_item(
    request: TimebankRequest,
    data: URLEncodedBody[ItemForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Have one of what the county offers."""
    _ = translate_of(request)
    outcome = await purse.have_item(
        kit.db,
        packs=await _packs(kit, volunteer),
        volunteer=volunteer,
        number=typed_count(data.item),
        now=now,
    )
    if isinstance(outcome, PurseRefused):
        return await _show(
            request, kit, volunteer, error=_(outcome.reason.value), status=422, now=now
        )
    return Redirect("/me/benefits?done=had", status_code=303)


async def _packs(kit: Kit, volunteer: VolunteerId) -> tuple[Pack, ...]:
    async with kit.db.read() as conn:
        return await packs_in_force(conn, book=volunteer.book)


def _volunteer(text: str) -> VolunteerId | None:
    found = parse_number("".join(text.split()))
    return None if found is None else VolunteerId(*found)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    error: str = "",
    status: int = 200,
    now: Now,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    today = words.local_day(now)
    async with kit.db.read() as conn:
        lines = await query.list_own_grants(conn, volunteer=volunteer)
        items = await catalog.list_items(conn, book=volunteer.book, on=today)
        packs = await packs_in_force(conn, book=volunteer.book)
    cards = []
    for code, unit in _UNITS.items():
        held = [
            each.standing
            for each in lines
            if each.item == code
            and each.standing.state is State.ISSUED
            and (each.standing.expires_on is None or each.standing.expires_on >= today)
        ]
        terms = purse.terms_for(packs, unit, on=today)
        if not held and terms is None:
            continue
        held.sort(key=lambda each: (each.expires_on is None, each.expires_on))
        cards.append(
            PurseCard(
                unit=code,
                title=_(f"purse.{code}") if terms is None else own_words(terms[1].title, language),
                held=amount_words(sum(each.left for each in held), item=code, _=_),
                lots=[
                    amount_words(each.left, item=code, _=_)
                    + (
                        ""
                        if each.expires_on is None
                        else " · "
                        + _("{day}前有效", day=words.full_day(each.expires_on, language=language))
                    )
                    for each in held
                ],
                receivers=[]
                if terms is None
                else [
                    Choice(value=each.value, label=_(f"receiver.{each}"))
                    for each in Receiver
                    if each in terms[1].gives_to
                ],
            )
        )
    return show(
        request,
        "volunteer/purse.html",
        PursePage(
            purses=cards,
            offers=[
                OfferCard(
                    number=each.id,
                    title=each.title if language == "zh" else each.title_en,
                    detail=each.detail if language == "zh" else each.detail_en,
                    price=amount_words(each.price, item=Unit(each.price_unit).name.lower(), _=_),
                )
                for each in items
            ],
            gift_url="/me/purse/gifts",
            spending_url="/me/purse/spendings",
            item_url="/me/purse/items",
            today=today.isoformat(),
            error=error,
        ),
        status=status,
    )
