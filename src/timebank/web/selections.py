"""Draws and panels: the office decides them, members vote, and everybody can draw again."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.region import county_code, county_of, level_of
from timebank.domain.selecting import (
    Choice,
    Lot,
    LotResult,
    Mode,
    Panel,
    Selection,
    SelectionRefused,
    Tie,
    Vote,
    newest_votes,
)
from timebank.http.identity import PUBLIC
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.queries import selections as query
from timebank.services import selecting
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.store import regions
from timebank.store import selections as store
from timebank.web import format as words
from timebank.web.benefit_words import Tone, reasons_words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Choice as Option
from timebank.web.selection_words import (
    OUTCOME_TONES,
    list_state_words,
    outcome_words,
    places_words,
    rule_title,
)
from timebank.web.typed import BookInPath, NumberInPath, typed_day

_DAYS_TO_VOTE = 7
"""How many days a panel has, unless the office says otherwise."""

_FORM_LOTS_MAX = 2_000
"""How many lots one form answers at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionLine:
    """One list in short."""

    title: str
    detail: str
    state: str
    is_decided: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionsPage:
    """What `district/selections.html` shows."""

    waiting: Sequence[SelectionLine]
    decided: Sequence[SelectionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotLine:
    """One lot.

    Attributes:
        name: Masked for everybody, whole for who has to know whom they vote on.
        why: Why they are on the list; empty for everybody.
        votes: How the panel stood to it; empty in a lottery.
        outcome: Empty before it is decided.
        mine: What the reader voted, of a panel that is open.
        tie: Why the reader may not vote on it; empty where they may.
    """

    lot: int
    name: str
    division: str
    why: str
    place: str
    votes: str
    outcome: str
    tone: Tone
    mine: str = ""
    note: str = ""
    tie: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """Somebody on the panel, and how far they are."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What makes a draw one that anybody can make again.

    Attributes:
        seed: Empty before it is drawn.
        sample: The first lot and its number, for trying by hand; empty before it is drawn.
    """

    digest: str
    as_of: str
    ready: str
    seed: str
    seed_size: str
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionPage:
    """What `district/selection.html` and `public/selection.html` show.

    Attributes:
        decide_label: What the button does that draws or counts; empty where it cannot be pressed.
        officials: Who can be named; empty where no panel can be named by the reader.
        can_vote: The reader is a member, and the panel is open.
    """

    title: str
    is_lottery: bool
    detail: str
    state: str
    is_decided: bool
    lots: Sequence[LotLine]
    proof: Proof
    file_url: str
    public_url: str
    back_url: str
    action_url: str = ""
    decide_label: str = ""
    members: Sequence[MemberLine] = ()
    officials: Sequence[Option] = ()
    first_day: str = ""
    closes_on: str = ""
    can_vote: bool = False
    error: str = ""


@get("/district/selections", rule=Act.APPROVE_GRANTS)
async def show_selections(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the lists of the office's counties, and those on whose panels the reader sits."""
    _ = translate_of(request)
    language = language_of(request)
    books = _books(actor)
    async with kit.db.read() as conn:
        own = await store.list_of_member(conn, member=actor.person)
        office = [] if books is None else await store.list_selections(conn, books=books)
        found = {(each.book, each.id): each for each in (*office, *own)}
        lines = [
            await _line(conn, each, office=True, now=now, language=language, _=_)
            for each in found.values()
        ]
    return show(
        request,
        "district/selections.html",
        SelectionsPage(
            waiting=[each for each in lines if not each.is_decided],
            decided=[each for each in lines if each.is_decided],
        ),
    )


@get("/district/selections/{book:int}/{number:int}", rule=Act.APPROVE_GRANTS)
async def show_selection(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show one list to the office or to a member of its panel."""
    return await _show(request, kit, actor, book, number, now=now)


@post("/district/selections/{book:int}/{number:int}", rule=Act.APPROVE_GRANTS, status_code=200)
async def create_step(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Name the panel, vote, draw or count: what the pressed button says."""
    posted = await request.form()
    data = {name: str(value) for name, value in posted.multi_items()}
    _ = translate_of(request)
    match data.get("action", ""):
        case "convene":
            members = [_person(value) for name, value in posted.multi_items() if name == "member"]
            closes_on = typed_day(data.get("closes_on", ""))
            outcome: object = await selecting.convene_panel(
                kit.db,
                actor=actor,
                book=book,
                number=number,
                members=[each for each in members if each is not None],
                closes_on=closes_on or words.local_day(now),
                now=now,
            )
            done = "panel_convened"
        case "vote":
            outcome = await selecting.cast_votes(
                kit.db, actor=actor, book=book, number=number, votes=_votes(data), now=now
            )
            done = "voted"
        case "decide":
            outcome = await selecting.decide_list(
                kit.db, actor=actor, book=book, number=number, now=now
            )
            done = "list_decided"
        case _:
            raise NotFoundError
    if isinstance(outcome, SelectionRefused):
        return await _show(
            request, kit, actor, book, number, error=_(outcome.reason.value), now=now
        )
    return Redirect(f"{_url(book, number)}?done={done}", status_code=303)


@get("/selections/{book:int}/{number:int}", rule=PUBLIC)
async def show_public_selection(
    request: TimebankRequest, book: BookInPath, number: NumberInPath, kit: Kitted, now: Now
) -> Response[Any]:
    """Show everybody a list, how it is drawn, and what came of it.

    A list that a panel votes on is shown once the panel has voted.
    """
    _ = translate_of(request)
    async with kit.db.read() as conn:
        selection = await store.find_selection(conn, book=book, number=number)
        if selection is None:
            raise NotFoundError
        page = await _page(conn, request, kit, selection, office=None, now=now)
    if selection.mode is Mode.PANEL and not page.is_decided:
        raise NotFoundError
    return show(request, "public/selection.html", page)


@get("/selections/{book:int}/{number:int}/draw.json", rule=PUBLIC)
async def show_draw_file(book: BookInPath, number: NumberInPath, kit: Kitted) -> Response[bytes]:
    """Give the list, its seed and its results as a file that `timebank draw --file` checks."""
    async with kit.db.read() as conn:
        selection = await store.find_selection(conn, book=book, number=number)
        if selection is None:
            raise NotFoundError
        lots = await store.list_lots(conn, book=book, number=number)
        document = await selecting.draw_document(conn, selection=selection, lots=lots)
    if selection.mode is Mode.PANEL and document["results"] is None:
        raise NotFoundError
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return Response(
        text.encode(),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="draw-{book}-{number}.json"'},
    )


async def public_lines(
    conn: Any, *, book: int, now: datetime, language: Language, _: Translate
) -> list[SelectionLine]:
    """Return the lists of a county that everybody may see, newest first."""
    found = await store.list_selections(conn, books=range(book, book + 1), limit=20)
    lines = [
        (each, await _line(conn, each, office=False, now=now, language=language, _=_))
        for each in found
    ]
    return [line for each, line in lines if each.mode is Mode.LOTTERY or line.is_decided]


async def _line(
    conn: Any,
    selection: Selection,
    *,
    office: bool,
    now: datetime,
    language: Language,
    _: Translate,
) -> SelectionLine:
    book, number = selection.book, selection.id
    packs = await packs_in_force(conn, book=book)
    panel = await store.find_panel(conn, book=book, number=number)
    decision = await store.find_decision(conn, book=book, number=number)
    count = (await store.count_lots(conn, book=book, numbers=[number]))[number]
    kind = _("抽签") if selection.mode is Mode.LOTTERY else _("评审")
    return SelectionLine(
        title=rule_title(selection, packs=packs, language=language),
        detail=" · ".join(
            (kind, _("{count} 人在名单上", count=words.count(count)), places_words(selection, _=_))
        ),
        state=list_state_words(
            selection,
            panel,
            decided_at=None if decision is None else decision[0],
            now=now,
            language=language,
            _=_,
        ),
        is_decided=decision is not None,
        url=_url(book, number) if office else f"/selections/{book}/{number}",
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    book: int,
    number: int,
    *,
    error: str = "",
    now: datetime,
) -> Response[Any]:
    async with kit.db.read() as conn:
        selection = await store.find_selection(conn, book=book, number=number)
        if selection is None:
            raise NotFoundError
        page = await _page(conn, request, kit, selection, office=actor, now=now, error=error)
    return show(request, "district/selection.html", page, status=409 if error else 200)


async def _page(
    conn: Any,
    request: TimebankRequest,
    kit: Kit,
    selection: Selection,
    *,
    office: Actor | None,
    now: datetime,
    error: str = "",
) -> SelectionPage:
    _ = translate_of(request)
    language = language_of(request)
    book, number = selection.book, selection.id
    panel = await store.find_panel(conn, book=book, number=number)
    is_member = office is not None and panel is not None and office.person in panel.members
    is_office = office is not None and _covers(office, book)
    if office is not None and not (is_member or is_office):
        raise NotFoundError
    lots = await store.list_lots(conn, book=book, number=number)
    results = {each.lot: each for each in await store.list_results(conn, book=book, number=number)}
    decision = await store.find_decision(conn, book=book, number=number)
    votes = await store.list_votes(conn, book=book, number=number)
    names = await store.list_names(conn, book=book, number=number)
    packs = await packs_in_force(conn, book=book)
    divisions = {
        code: (await regions.list_path(conn, code=code))[-1].name
        for code in {each.division for each in lots}
        if code
    }
    is_open = panel is not None and decision is None and now < panel.closes_at
    can_vote = is_member and is_open
    county = (
        None if office is None or office.scope is None else office.scope.narrowed(county_code(book))
    )
    officials = (
        []
        if county is None or selection.mode is Mode.LOTTERY
        else await query.list_officials(conn, scope=county)
    )
    mine = {} if office is None else _mine(votes, office.person)

    def line(lot: Lot) -> LotLine:
        result = results.get(lot.number)
        vote = mine.get(lot.number)
        return LotLine(
            lot=lot.number,
            name=_name(kit, book, lot, names, is_whole=office is not None, _=_),
            division=divisions.get(lot.division, ""),
            why="" if office is None else reasons_words(lot.reasons, language=language, _=_),
            place=_place(result),
            votes=_votes_words(result, _=_) if selection.mode is Mode.PANEL else "",
            outcome=outcome_words(result, _=_),
            tone="waiting" if result is None else OUTCOME_TONES[result.outcome],
            mine="" if vote is None else vote.choice.value,
            note="" if vote is None else vote.note,
            tie=_tie_words(panel, office, lot, _) if can_vote else "",
        )

    decided_at = None if decision is None else decision[0]
    shown = [line(each) for each in _in_order(lots, results)]
    today = words.local_day(now)
    return SelectionPage(
        title=rule_title(selection, packs=packs, language=language),
        is_lottery=selection.mode is Mode.LOTTERY,
        detail=" · ".join(
            (
                _("抽签") if selection.mode is Mode.LOTTERY else _("评审"),
                _("{count} 人在名单上", count=words.count(len(lots))),
                places_words(selection, _=_),
            )
        ),
        state=list_state_words(
            selection, panel, decided_at=decided_at, now=now, language=language, _=_
        ),
        is_decided=decision is not None,
        lots=shown,
        proof=_proof(selection, decision, results, now=now, language=language, _=_),
        file_url=f"/selections/{book}/{number}/draw.json",
        public_url=""
        if selection.mode is Mode.PANEL and decision is None
        else f"/selections/{book}/{number}",
        back_url="/publicity" if office is None else "/district/selections",
        action_url=_url(book, number),
        decide_label=_decide_label(selection, panel, decision is not None, is_office, now, _),
        members=_members(kit, panel, votes, lots, officials, _) if is_office else [],
        officials=[
            Option(
                value=str(each.person),
                label=_official_name(kit, each, _),
            )
            for each in officials
        ]
        if panel is None and decision is None
        else [],
        first_day=(today + timedelta(days=1)).isoformat(),
        closes_on=(today + timedelta(days=_DAYS_TO_VOTE)).isoformat(),
        can_vote=can_vote,
        error=error,
    )


def _in_order(lots: Sequence[Lot], results: Mapping[int, LotResult]) -> list[Lot]:
    """Return lots as they are read: by division and place once decided, else by number."""
    if not results:
        return list(lots)
    last = len(lots) + 1
    return sorted(
        lots,
        key=lambda lot: (lot.division, results[lot.number].place or last, lot.number),
    )


def _mine(votes: Sequence[Vote], person: UUID) -> dict[int, Vote]:
    return {lot: vote for (member, lot), vote in newest_votes(votes).items() if member == person}


def _proof(
    selection: Selection,
    decision: tuple[datetime, tuple[str, int] | None] | None,
    results: Mapping[int, LotResult],
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> Proof:
    seed = None if decision is None else decision[1]
    first = next((each.lot for each in results.values() if each.place == 1), 0)
    return Proof(
        digest=selection.digest,
        as_of=words.count(selection.as_of),
        ready=""
        if selection.ready_at is None
        else words.instant(selection.ready_at, now=now, language=language),
        seed="" if seed is None else seed[0],
        seed_size="" if seed is None else words.count(seed[1]),
        sample="" if seed is None else f"{seed[0]}/{selection.digest}/{first}",
    )


def _place(result: LotResult | None) -> str:
    return "" if result is None or not result.place else str(result.place)


def _votes_words(result: LotResult | None, *, _: Translate) -> str:
    if result is None:
        return ""
    return _(
        "{yes} 票同意，{no} 票不同意，{entitled} 人能投",
        yes=result.votes_for,
        no=result.votes_against,
        entitled=result.entitled,
    )


def _tie_words(panel: Panel | None, office: Actor | None, lot: Lot, _: Translate) -> str:
    tie: Tie | None = None
    if panel is not None and office is not None:
        tie = panel.ties.get((office.person, lot.number))
    return "" if tie is None else _(f"tie.{tie}")


def _members(
    kit: Kit,
    panel: Panel | None,
    votes: Sequence[Vote],
    lots: Sequence[Lot],
    officials: Sequence[query.Official],
    _: Translate,
) -> list[MemberLine]:
    if panel is None:
        return []
    said = Counter(member for member, _lot in newest_votes(votes))
    known = {each.person: _official_name(kit, each, _) for each in officials}
    lines = []
    for member in panel.members:
        barred = sum((member, each.number) in panel.ties for each in lots)
        state = _("投了 {count}，共 {whole}", count=said[member], whole=len(lots) - barred)
        if barred:
            state += _("，回避 {count}", count=barred)
        lines.append(MemberLine(name=known.get(member, _("已离任的工作人员")), state=state))
    return lines


def _official_name(kit: Kit, official: query.Official, _: Translate) -> str:
    level = _(f"office.{level_of(official.region).value}")
    if official.name_sealed is None:
        return level
    return f"{kit.seal.open(official.name_sealed)} · {level}"


def _name(
    kit: Kit, book: int, lot: Lot, names: Mapping[int, bytes], *, is_whole: bool, _: Translate
) -> str:
    name = names.get(lot.number)
    if name is not None and is_whole:
        return kit.seal.open(name)
    return masked(name, kit.seal, VolunteerId(book, lot.volunteer), _)


def _decide_label(
    selection: Selection,
    panel: Panel | None,
    is_decided: bool,
    is_office: bool,
    now: datetime,
    _: Translate,
) -> str:
    if is_decided or not is_office:
        return ""
    if selection.ready_at is not None:
        return _("现在抽签") if now >= selection.ready_at else ""
    return "" if panel is None else _("计票")


def _votes(data: Mapping[str, str]) -> dict[int, tuple[Choice, str]]:
    """Return what a ballot says, by lot; what is no such field is left out."""
    votes: dict[int, tuple[Choice, str]] = {}
    for name, value in list(data.items())[: 2 * _FORM_LOTS_MAX]:
        kind, _dot, lot = name.partition(".")
        is_lot = lot.isascii() and lot.isdigit() and len(lot) < 9
        if kind == "vote" and is_lot and value in set(Choice):
            votes[int(lot)] = (Choice(value), data.get(f"note.{lot}", ""))
    return votes


def _person(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _books(actor: Actor) -> range | None:
    """Return the books of the counties that an office decides for; a town's has none."""
    if actor.scope is None or level_of(actor.scope.region).value in ("town", "village"):
        return None
    codes = actor.scope.codes
    return range(county_of(codes.start), county_of(codes.stop - 1) + 1)


def _covers(actor: Actor, book: int) -> bool:
    return actor.scope is not None and actor.scope.covers(county_code(book))


def _url(book: int, number: int) -> str:
    return f"/district/selections/{book}/{number}"
