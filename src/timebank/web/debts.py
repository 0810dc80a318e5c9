"""What volunteers owe, as the office sees it and as they see it themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.region import level_of
from timebank.domain.repayment import Repayment, RepaymentKind, RepaymentRefused
from timebank.domain.transfer import AccountKind, Unit
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.policy.rule import Pack
from timebank.queries import debts as query
from timebank.queries.debts import DebtLine
from timebank.services import repaying
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.store import repayments
from timebank.web import format as words
from timebank.web.benefit_words import amount_words, item_title
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.pools import typed_amount
from timebank.web.typed import typed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedLine:
    """Something that somebody owes, and how that came to be.

    Attributes:
        history: `(day, what, amount)`, newest first.
    """

    title: str
    amount: str
    history: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedLine:
    """What one officer noted.

    Attributes:
        field: Names it, for the buttons of the other one; empty where the reader noted it.
    """

    what: str
    note: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtCard:
    """What one volunteer owes of one kind of thing.

    Attributes:
        field: Names it in the form that notes what came back.
        waiting: Noted, and not confirmed.
    """

    name: str
    owed: OwedLine
    field: str
    is_money: bool
    waiting: Sequence[NotedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtsPage:
    """What `district/debts.html` shows."""

    debts: Sequence[DebtCard]
    action_url: str
    error: str = ""


@get("/district/debts", rule=Act.APPROVE_GRANTS)
async def show_debts(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show who owes what was taken back after it was used."""
    return await _show(request, kit, actor, now=now)


@post("/district/debts", rule=Act.APPROVE_GRANTS, status_code=200)
async def create_repayment(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Note what came back or is given up, or confirm what another officer noted."""
    _ = translate_of(request)
    data = {name: str(value) for name, value in (await request.form()).items()}
    named = [typed_count(each) for each in data.get("of", "").split(".")]
    action = data.get("action", "")
    if len(named) == 3 and action in set(RepaymentKind):
        book, volunteer, unit = named
        outcome: object = await repaying.note_repayment(
            kit.db,
            actor=actor,
            book=book,
            volunteer=volunteer,
            unit=unit,
            kind=RepaymentKind(action),
            amount=typed_amount(data.get("amount", ""), is_money=unit == Unit.FEN) or 0,
            note=data.get("note", ""),
            now=now,
        )
    elif len(named) == 2 and action in ("right", "wrong"):
        outcome = await repaying.confirm_repayment(
            kit.db,
            actor=actor,
            book=named[0],
            number=named[1],
            is_right=action == "right",
            now=now,
        )
    else:
        raise NotFoundError
    if isinstance(outcome, RepaymentRefused):
        return await _show(request, kit, actor, error=_(outcome.reason.value), now=now)
    return Redirect("/district/debts?done=noted", status_code=303)


async def own_debts(
    conn: Any,
    *,
    volunteer: VolunteerId,
    packs: Sequence[Pack],
    now: datetime,
    language: Language,
    _: Translate,
) -> list[OwedLine]:
    """Return what a volunteer owes, with how that came to be."""
    return [
        await _owed(conn, each, packs, now=now, language=language, _=_)
        for each in await query.list_own_debts(conn, volunteer=volunteer)
    ]


async def _show(
    request: TimebankRequest, kit: Kit, actor: Actor, *, error: str = "", now: datetime
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    scope = actor.scope
    cards: list[DebtCard] = []
    if scope is not None and level_of(scope.region).value not in ("town", "village"):
        async with kit.db.read() as conn:
            noted: dict[int, list[Repayment]] = {}
            for debt in await query.list_debts(conn, scope=scope):
                if debt.book not in noted:
                    noted[debt.book] = await repayments.list_repayments(conn, book=debt.book)
                packs = await packs_in_force(conn, book=debt.book)
                cards.append(
                    DebtCard(
                        name=masked(
                            debt.name_sealed, kit.seal, VolunteerId(debt.book, debt.volunteer), _
                        ),
                        owed=await _owed(conn, debt, packs, now=now, language=language, _=_),
                        field=f"{debt.book}.{debt.volunteer}.{debt.unit}",
                        is_money=debt.unit == Unit.FEN,
                        waiting=[
                            _noted(each, debt.item, actor.person, _=_)
                            for each in noted[debt.book]
                            if (each.volunteer, each.unit) == (debt.volunteer, debt.unit)
                            and each.is_confirmed is None
                        ],
                    )
                )
    return show(
        request,
        "district/debts.html",
        DebtsPage(debts=cards, action_url="/district/debts", error=error),
        status=409 if error else 200,
    )


def _noted(noted: Repayment, item: str, reader: UUID, *, _: Translate) -> NotedLine:
    amount = amount_words(noted.amount, item=item, _=_)
    is_cash = noted.kind is RepaymentKind.CASH
    return NotedLine(
        what=_("已退还 {amount}", amount=amount) if is_cash else _("免除 {amount}", amount=amount),
        note=noted.note,
        field="" if noted.noted_by == reader else f"{noted.book}.{noted.id}",
    )


async def _owed(
    conn: Any,
    debt: DebtLine,
    packs: Sequence[Pack],
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> OwedLine:
    movements = await query.list_movements(
        conn, volunteer=VolunteerId(debt.book, debt.volunteer), debt=debt
    )
    return OwedLine(
        title=_("奖励金")
        if debt.unit == Unit.FEN
        else item_title(debt.item, packs=packs, language=language),
        amount=amount_words(debt.owed, item=debt.item, _=_),
        history=[
            (
                words.day(words.local_day(each.at), today=words.local_day(now), language=language),
                _(_MOVED[each.other] if each.amount < 0 else "收回"),
                amount_words(abs(each.amount), item=debt.item, _=_),
            )
            for each in movements
        ],
    )


_MOVED: Mapping[AccountKind, str] = {
    AccountKind.VOLUNTEER: "从后来的发放里扣",
    AccountKind.PAID: "已退还",
    AccountKind.COMMITTED: "已免除",
    AccountKind.ISSUING: "已了结",
    AccountKind.CLEARING: "随搬家转走",
}
"""What made a debt less, by where it came from."""
