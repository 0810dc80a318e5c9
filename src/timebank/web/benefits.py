"""The volunteer's benefits: what they have, what is waiting and why, what they can choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.entitlement import HELD, OPEN, GrantRefused, Standing, State
from timebank.domain.moving import goes_along
from timebank.domain.selecting import Lot, LotResult, Mode, Panel, Selection
from timebank.domain.voucher import (
    VOUCHER_WINDOW_SECONDS,
    Voucher,
    make_voucher_code,
    make_voucher_digits,
    seconds_left,
)
from timebank.http.identity import PUBLIC
from timebank.http.providers import Kit, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.policy.rule import Pack
from timebank.queries import benefits as query
from timebank.queries.benefits import GrantLine
from timebank.services import agreeing
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.store import selections, volunteers
from timebank.web import format as words
from timebank.web.benefit_words import (
    TONES,
    Tone,
    amount_words,
    grant_title,
    note_words,
    state_words,
    valid_words,
)
from timebank.web.catalog import Language, Translate
from timebank.web.code_picture import code_picture
from timebank.web.debts import OwedLine, own_debts
from timebank.web.frame import home_of, language_of, own_name, show, translate_of
from timebank.web.parts import CodePicture
from timebank.web.selection_words import list_state_words, outcome_words, rule_title
from timebank.web.typed import BookInPath, NumberInPath

_USABLE = ("pass", "goods", "place")
"""The kinds that a partner redeems; others are held, shown or paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One grant of the volunteer's own.

    Attributes:
        detail: How much is left of how much, or how much it is.
        state: What it waits for, or what became of it, as a sentence.
        valid: Until when; empty for life.
        why: What an office said; empty for most.
        voucher_url: Where its code is shown; empty where nobody redeems it, or nothing is left.
        choice: Its number, to be posted where it is one of a menu; empty elsewhere.
        book: Of the county that gives it, posted with the choice.
        county: Its name, where the volunteer has left it; empty for their own.
    """

    title: str
    detail: str
    state: str
    tone: Tone
    valid: str
    why: str
    voucher_url: str
    choice: str
    book: str = ""
    county: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLot:
    """The volunteer's place on a list that is drawn from or voted on.

    Attributes:
        secret: Proves that the lot is theirs: with their number it opens the published commitment.
        url: The published list; empty while a panel votes.
    """

    title: str
    lot: str
    state: str
    secret: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitsPage:
    """What `volunteer/benefits.html` shows.

    Attributes:
        lots: Lists that they are on, newest first.
        debts: What they have to give back.
        menus: Those to choose from, one list for each menu.
        held: What can be used or is held, what ends first first.
        waiting: What is due and not the volunteer's yet.
        past: What was used up, ended or was refused.
    """

    menus: Sequence[Sequence[Benefit]]
    held: Sequence[Benefit]
    waiting: Sequence[Benefit]
    past: Sequence[Benefit]
    choice_url: str
    lots: Sequence[OwnLot] = ()
    debts: Sequence[OwedLine] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherPage:
    """What `volunteer/voucher.html` shows.

    Attributes:
        digits: What a partner types where no camera works: grant, use, proof.
        partners: Who takes it: name and address.
        code: None where it cannot be used; `state` says why.
    """

    title: str
    name: str
    left: str
    valid: str
    state: str
    code: CodePicture | None
    digits: str
    seconds_left: int
    window_seconds: int
    partners: Sequence[tuple[str, str]]
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherLinkPage:
    """What `public/voucher_link.html` shows to whoever opened a voucher's code as a link."""

    is_partner: bool
    code: str
    action_url: str
    home_url: str


class ChoiceForm(msgspec.Struct):
    """Which one of a menu was chosen."""

    grant: int = 0
    book: int = 0


@get("/me/benefits", rule=Act.SEE_OWN_RECORDS)
async def show_benefits(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the volunteer's benefits."""
    return await _show(request, kit, volunteer, now=now)


@post("/me/benefits/choices", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_choice(
    request: TimebankRequest,
    data: URLEncodedBody[ChoiceForm],
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Choose one of a menu; the others of it are given up."""
    _ = translate_of(request)
    async with kit.db.read() as conn:
        own = await _own_in(conn, volunteer, data.book or volunteer.book)
    outcome = await agreeing.choose(kit.db, volunteer=own, entitlement=data.grant, now=now)
    if not isinstance(outcome, GrantRefused):
        return Redirect("/me/benefits?done=chosen", status_code=303)
    return await _show(request, kit, volunteer, error=_(outcome.reason.value), status=409, now=now)


@get("/me/vouchers/{number:int}", rule=Act.SEE_OWN_RECORDS)
async def show_voucher(
    request: TimebankRequest,
    number: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show the code of the next use of a grant, for a partner's phone."""
    return await _show_voucher(request, number, volunteer, kit, now=now)


@get("/me/vouchers/{book:int}/{number:int}", rule=Act.SEE_OWN_RECORDS)
async def show_former_voucher(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show the code of a grant of a county that the volunteer has left: it is used there."""
    async with kit.db.read() as conn:
        own = await _own_in(conn, volunteer, book)
    return await _show_voucher(request, number, own, kit, now=now)


async def _own_in(conn: AsyncConnection, volunteer: VolunteerId, book: int) -> VolunteerId:
    """Return who the volunteer is, or was, in a county.

    Raises:
        NotFoundError: They never were a volunteer there.
    """
    former = [each for each, _name in await volunteers.list_former(conn, volunteer=volunteer)]
    for each in (volunteer, *former):
        if each.book == book:
            return each
    raise NotFoundError


async def _show_voucher(
    request: TimebankRequest,
    number: int,
    volunteer: VolunteerId,
    kit: Kit,
    *,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        line = await query.find_own_grant(conn, volunteer=volunteer, number=number)
        packs = await packs_in_force(conn, book=volunteer.book)
        shops = (
            []
            if line is None
            else await query.list_shops(
                conn, volunteer=volunteer, item=line.item, on=words.local_day(now)
            )
        )
    if line is None or not _is_usable(line):
        raise NotFoundError
    standing = line.standing
    voucher = Voucher(volunteer.book, standing.of.id, standing.uses + 1)
    is_open = standing.state is State.ISSUED and not _is_over(line, now)
    text = make_voucher_code(master_key=kit.master_key, voucher=voucher, now=now)
    return show(
        request,
        "volunteer/voucher.html",
        VoucherPage(
            title=grant_title(standing, item=line.item, packs=packs, language=language),
            name=await own_name(request, kit),
            left=_("还有 {amount}", amount=amount_words(standing.left, item=line.item, _=_)),
            valid=valid_words(standing, language=language, _=_),
            state=_state(line, now=now, language=language, _=_),
            code=code_picture(f"{kit.url}/v/{text}") if is_open else None,
            digits=make_voucher_digits(master_key=kit.master_key, voucher=voucher, now=now)
            if is_open
            else "",
            seconds_left=seconds_left(now),
            window_seconds=VOUCHER_WINDOW_SECONDS,
            partners=shops,
            back_url="/me/benefits",
        ),
    )


@get("/v/{code:str}", rule=PUBLIC)
async def show_voucher_link(request: TimebankRequest, code: FromPath[str]) -> Response[Any]:
    """Show a partner the button that redeems; anybody else, whose code this is.

    A phone's own camera opens it: a partner needs no camera on a page.
    """
    actor = request.user
    return show(
        request,
        "public/voucher_link.html",
        VoucherLinkPage(
            is_partner=actor is not None and actor.may(Act.REDEEM_VOUCHERS),
            code=code[:200],
            action_url="/partner/redemptions",
            home_url=home_of(actor),
        ),
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    error: str = "",
    status: int = 200,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        lines = await query.list_own_grants(conn, volunteer=volunteer)
        packs = await packs_in_force(conn, book=volunteer.book)
        counties = {volunteer.book: ("", packs)}
        for former, name in await volunteers.list_former(conn, volunteer=volunteer):
            counties[former.book] = (name, await packs_in_force(conn, book=former.book))
            # What went along stands with the volunteer's own.
            lines += [
                line
                for line in await query.list_own_grants(conn, volunteer=former)
                if line.standing.state is not State.CARRIED and not goes_along(line.item)
            ]
        debts = await own_debts(
            conn, volunteer=volunteer, packs=packs, now=now, language=language, _=_
        )
        lots = [
            _own_lot(
                *each,
                await selections.find_panel(conn, book=volunteer.book, number=each[0].id),
                packs,
                now=now,
                language=language,
                _=_,
            )
            for each in await selections.list_own_lots(
                conn, book=volunteer.book, volunteer=volunteer.id
            )
        ]

    def made(line: GrantLine) -> Benefit:
        county, own_packs = counties[line.standing.of.book]
        return _benefit(line, own_packs, county=county, now=now, language=language, _=_)

    menus: dict[tuple[int, str, str, str], list[Benefit]] = {}
    held: list[GrantLine] = []
    waiting: list[Benefit] = []
    past: list[Benefit] = []
    for line in lines:
        of, state = line.standing.of, line.standing.state
        if state is State.CHOOSING:
            menu = (of.book, of.pack, of.terms.menu, of.period)
            menus.setdefault(menu, []).append(made(line))
        elif state in OPEN:
            waiting.append(made(line))
        elif state in HELD and not _is_over(line, now):
            held.append(line)
        elif state is not State.DECLINED:
            past.append(made(line))
    held.sort(key=lambda each: (each.standing.expires_on is None, each.standing.expires_on))
    return show(
        request,
        "volunteer/benefits.html",
        BenefitsPage(
            menus=list(menus.values()),
            held=[made(line) for line in held],
            waiting=waiting,
            past=past,
            choice_url="/me/benefits/choices",
            lots=lots,
            debts=debts,
            error=error,
        ),
        status=status,
    )


def _own_lot(
    selection: Selection,
    lot: Lot,
    result: LotResult | None,
    panel: Panel | None,
    packs: tuple[Pack, ...],
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> OwnLot:
    is_lottery = selection.mode is Mode.LOTTERY
    return OwnLot(
        title=rule_title(selection, packs=packs, language=language),
        lot=_("签号 {lot}", lot=lot.number) if is_lottery else "",
        state=list_state_words(selection, panel, decided_at=None, now=now, language=language, _=_)
        if result is None
        else outcome_words(result, _=_),
        secret=lot.secret if is_lottery else "",
        url=f"/selections/{selection.book}/{selection.id}"
        if is_lottery or result is not None
        else "",
    )


def _benefit(
    line: GrantLine,
    packs: Sequence[Pack],
    *,
    county: str,
    now: datetime,
    language: Language,
    _: Translate,
) -> Benefit:
    standing, item = line.standing, line.item
    whole = amount_words(standing.of.amount, item=item, _=_)
    is_held = standing.state in HELD
    detail = whole
    if is_held and _is_usable(line):
        left = amount_words(standing.left, item=item, _=_)
        detail = _("还有 {left}，共 {whole}", left=left, whole=whole)
    elif item.startswith("honour:"):
        detail = ""
    return Benefit(
        title=grant_title(standing, item=item, packs=packs, language=language),
        detail=detail,
        state=_state(line, now=now, language=language, _=_),
        tone="past" if _is_over(line, now) else TONES[standing.state],
        valid=valid_words(standing, language=language, _=_) if is_held else "",
        why=note_words(line.note, _=_)
        if standing.state in (State.REFUSED, State.REVOKED, State.QUESTIONED)
        else "",
        voucher_url=_voucher_url(standing, is_own=not county)
        if is_held and _is_usable(line) and not _is_over(line, now)
        else "",
        choice=str(standing.of.id) if standing.state is State.CHOOSING else "",
        book=str(standing.of.book),
        county=_("{county}发的，在那里用", county=county) if county else "",
    )


def _voucher_url(standing: Standing, *, is_own: bool) -> str:
    of = standing.of
    return f"/me/vouchers/{of.id}" if is_own else f"/me/vouchers/{of.book}/{of.id}"


def _state(line: GrantLine, *, now: datetime, language: Language, _: Translate) -> str:
    if _is_over(line, now):
        return _("grant_state.expired")
    return state_words(line.standing, language=language, _=_)


def _is_usable(line: GrantLine) -> bool:
    return line.item.partition(":")[0] in _USABLE


def _is_over(line: GrantLine, now: datetime) -> bool:
    expires_on = line.standing.expires_on
    is_held = line.standing.state in HELD
    return is_held and expires_on is not None and expires_on < words.local_day(now)
