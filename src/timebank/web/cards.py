"""Printed personal cards: one's own, and those of the people of a shift who have no phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.personal_code import make_card_code
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.services import cards as carding
from timebank.services.cards import CARDS_MAX
from timebank.services.errors import NotFoundError
from timebank.store import cards, volunteers
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked, parse_volunteer, shift_url, volunteer_key
from timebank.web.printing import code_svg, show_pdf
from timebank.web.typed import BookInPath, NumberInPath

_NAME_POINTS = 17
_LONG_NAME_POINTS = 11
_SHORT_NAME_MAX = 5
"""Letters of a name that fit on one line of a card in large type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage:
    """What `volunteer/card.html` shows.

    Attributes:
        issued: Which card is good, since when; empty where there is none.
        pdf_url: The good card to print; empty where there is none.
    """

    name: str
    number: str
    issued: str
    pdf_url: str
    action_url: str
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPerson:
    """Somebody of a shift.

    Attributes:
        issued: Which card is good, since when; empty where there is none.
    """

    key: str
    name: str
    number: str
    issued: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsPage:
    """What `organizer/cards.html` shows."""

    activity: str
    shift_url: str
    action_url: str
    revoke_url: str
    people: Sequence[CardPerson]
    cards_max: int
    error: str


class CardForm(msgspec.Struct):
    """A volunteer asks for a card."""

    lost: Annotated[str, msgspec.Meta(max_length=3)] = ""


class RevocationForm(msgspec.Struct):
    """Whose card is gone, such as `330424-17`."""

    volunteer: Annotated[str, msgspec.Meta(max_length=32)] = ""


@get("/me/card", rule=Act.SEE_OWN_RECORDS)
async def show_card(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what a printed card is for, and one's own."""
    _ = translate_of(request)
    async with kit.db.read() as conn:
        named = await volunteers.list_named(conn, volunteers=[volunteer])
        good = await cards.list_good_of(conn, volunteers=[volunteer])
    sealed = named[volunteer].name_sealed if volunteer in named else None
    return show(
        request,
        "volunteer/card.html",
        CardPage(
            name=masked(sealed, kit.seal, volunteer, _),
            number=format_number(volunteer.book, volunteer.id),
            issued=_issued(request, good, volunteer, now=now),
            pdf_url="/me/card.pdf" if volunteer in good else "",
            action_url="/me/card",
            back_url="/me",
        ),
    )


@post("/me/card", rule=Act.SEE_OWN_RECORDS)
async def create_card(
    data: URLEncodedBody[CardForm],
    volunteer: OwnVolunteer,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Redirect:
    """Give a volunteer a card; a lost one is revoked."""
    is_lost = data.lost == "yes"
    await carding.issue_own_card(kit.db, actor=actor, volunteer=volunteer, now=now, is_lost=is_lost)
    done = "card_replaced" if is_lost else "card_issued"
    return Redirect(f"/me/card?done={done}", status_code=303)


@get("/me/card.pdf", rule=Act.SEE_OWN_RECORDS)
async def show_own_card(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[bytes]:
    """Return one's own card to print."""
    async with kit.db.read() as conn:
        good = await cards.list_good_of(conn, volunteers=[volunteer])
    if volunteer not in good:
        raise NotFoundError
    return await _show_cards(request, kit, {volunteer: good[volunteer][0]}, now=now)


@get("/organizer/shifts/{book:int}/{shift:int}/cards", rule=Act.RUN_ACTIVITIES)
async def show_cards(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show the people of a shift and who has a card."""
    return await _show_people(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/cards", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_cards(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Return the cards of the people who are ticked, as sheets to print and cut."""
    _ = translate_of(request)
    form = await request.form()
    ticked = [parse_volunteer(str(each)) for each in form.getall("person", [])]
    people = [each for each in ticked if each is not None]
    if not 1 <= len(people) <= CARDS_MAX:
        error = _("请勾选一至 {count} 人", count=CARDS_MAX)
        return await _show_people(
            request, kit, organizations, book, shift, now=now, error=error, status=422
        )
    numbers = await carding.issue_cards(
        kit.db, actor=actor, shift_book=book, shift=shift, people=people, now=now
    )
    return await _show_cards(request, kit, numbers, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/cards/revocation", rule=Act.RUN_ACTIVITIES)
async def create_revocation(
    book: BookInPath,
    shift: NumberInPath,
    data: URLEncodedBody[RevocationForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Redirect:
    """Revoke the card of somebody who lost it; the next print is a new one."""
    volunteer = parse_volunteer(data.volunteer)
    if volunteer is None:
        raise NotFoundError
    await carding.revoke_card(
        kit.db, actor=actor, shift_book=book, shift=shift, volunteer=volunteer, now=now
    )
    return Redirect(f"/organizer/shifts/{book}/{shift}/cards?done=card_revoked", status_code=303)


async def _show_people(
    request: TimebankRequest,
    kit: Kit,
    organizations: OwnOrganizations,
    book: int,
    shift: int,
    *,
    now: datetime,
    error: str = "",
    status: int = 200,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        attendees = await organizer.list_attendees(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        held = [each for each in attendees if each.withdrawn_at is None]
        good = await cards.list_good_of(conn, volunteers=[each.volunteer for each in held])
    return show(
        request,
        "organizer/cards.html",
        CardsPage(
            activity=found.title,
            shift_url=shift_url(found),
            action_url=f"{shift_url(found)}/cards",
            revoke_url=f"{shift_url(found)}/cards/revocation",
            people=[
                CardPerson(
                    key=volunteer_key(each.volunteer),
                    name=masked(each.name_sealed, kit.seal, each.volunteer, _),
                    number=format_number(each.volunteer.book, each.volunteer.id),
                    issued=_issued(request, good, each.volunteer, now=now),
                )
                for each in held
            ],
            cards_max=CARDS_MAX,
            error=error,
        ),
        status=status,
    )


async def _show_cards(
    request: TimebankRequest, kit: Kit, numbers: Mapping[VolunteerId, int], *, now: datetime
) -> Response[bytes]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        named = await volunteers.list_named(conn, volunteers=list(numbers))
        good = await cards.list_good_of(conn, volunteers=list(numbers))
    people = []
    for volunteer, card in numbers.items():
        sealed = named[volunteer].name_sealed if volunteer in named else None
        name = _("志愿者") if sealed is None else kit.seal.open(sealed)
        digits = format_number(volunteer.book, volunteer.id)
        code = make_card_code(master_key=kit.master_key, volunteer=volunteer, card=card)
        issued_at = good[volunteer][1] if volunteer in good else now
        people.append(
            {
                "code": code_svg(code),
                "name": name,
                "size": _NAME_POINTS if len(name) <= _SHORT_NAME_MAX else _LONG_NAME_POINTS,
                "number": " ".join((digits[:6], digits[6:10], digits[10:])),
                "issued": _(
                    "第 {card} 张 · {day}",
                    card=card,
                    day=words.full_day(words.local_day(issued_at), language=language),
                ),
            }
        )
    data = {
        "language": language,
        "people": people,
        "words": {
            "title": _("志愿者卡"),
            "site": _("志愿时间银行 · 志愿者卡"),
            "code": _("志愿者的码"),
            "note": _("到时、离时请组织者扫码。遗失请告诉组织者作废。"),
        },
    }
    return await show_pdf("cards", data=data, file_name=f"{_('志愿者卡')}.pdf", at=now)


def _issued(
    request: TimebankRequest,
    good: Mapping[VolunteerId, tuple[int, datetime]],
    volunteer: VolunteerId,
    *,
    now: datetime,
) -> str:
    if volunteer not in good:
        return ""
    number, at = good[volunteer]
    _ = translate_of(request)
    return _(
        "第 {card} 张，{time}起有效",
        card=number,
        time=words.instant(at, now=now, language=language_of(request)),
    )
