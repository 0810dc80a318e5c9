"""The second person's pages: what waits for them, one entry in full, to agree or to send back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.activity import CONTENT_LENGTH_MAX
from timebank.domain.actor import Act, Actor, OrganizationId, Role
from timebank.domain.closing import ClosingRefused
from timebank.domain.scope import Scope
from timebank.domain.second_person import ApprovalRefused, HeldEntry
from timebank.domain.threshold import Threshold
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.queries import held_entries
from timebank.queries.held_entries import HeldLine
from timebank.services import approving, second_person
from timebank.services.errors import NotFoundError
from timebank.store import thresholds
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Field
from timebank.web.typed import BookInPath, NumberInPath

ApprovalState = Literal["waiting", "approved", "sent_back", "replaced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLine:
    """One entry in short.

    Attributes:
        by: Who submitted it, masked; the reader's own entries say so.
        amount: People and time, such as `12 人，36 小时`.
        is_own: The reader submitted it, and cannot decide it.
    """

    title: str
    time: str
    organization: str
    amount: str
    by: str
    state: ApprovalState
    is_own: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsPage:
    """What `organizer/approvals.html` shows.

    Attributes:
        limit: From where on a second person is needed, as a sentence.
    """

    waiting: Sequence[ApprovalLine]
    decided: Sequence[ApprovalLine]
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPerson:
    """Somebody who would be credited, masked."""

    name: str
    time: str
    duration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPage:
    """What `organizer/approval.html` shows.

    Attributes:
        can_decide: The reader may be the second person.
        decision_url: Where `agree` or `reason` is posted.
        decided: What was decided and when, in words; empty while it waits.
        reason: As typed; sending back needs one.
    """

    line: ApprovalLine
    people: Sequence[ApprovalPerson]
    can_decide: bool
    decision_url: str
    list_url: str
    decided: str
    reason: Field
    error: str = ""


class DecisionForm(msgspec.Struct):
    """What the second person decides."""

    agree: Annotated[str, msgspec.Meta(max_length=3)] = ""
    reason: Annotated[str, msgspec.Meta(max_length=CONTENT_LENGTH_MAX)] = ""


@get(["/organizer/approvals", "/district/approvals"], rule=Act.APPROVE_ENTRIES)
async def show_approvals(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the entries that wait for a second person, and what became of the last ones."""
    _ = translate_of(request)
    language = language_of(request)
    organizations, scope = _seen_by(actor)
    book = organizations[0].book if organizations else kit.book
    async with kit.db.read() as conn:
        found = await held_entries.list_held(conn, organizations=organizations, scope=scope)
        limits = await thresholds.find_values(conn, book=book, on=words.local_day(now))
    lines = [
        (each, _line(request, kit, actor, each, now=now, language=language, _=_)) for each in found
    ]
    return show(
        request,
        "organizer/approvals.html",
        ApprovalsPage(
            waiting=[line for each, line in lines if each.decided_at is None],
            decided=[line for each, line in lines if each.decided_at is not None],
            limit=_(
                "一次手工记入超过 {people} 人或合计 {hours}，要两个人：一人提交，另一人同意。",
                people=limits[Threshold.SECOND_PERSON_PEOPLE],
                hours=words.duration(limits[Threshold.SECOND_PERSON_MINUTES], language=language),
            ),
        ),
    )


@get(
    [
        "/organizer/approvals/{book:int}/{number:int}",
        "/district/approvals/{book:int}/{number:int}",
    ],
    rule=Act.APPROVE_ENTRIES,
)
async def show_approval(
    request: TimebankRequest,
    actor: SignedInActor,
    book: BookInPath,
    number: NumberInPath,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show one entry in full: who would be credited with how much."""
    return await _show(request, kit, actor, book, number, now=now)


@post(
    [
        "/organizer/approvals/{book:int}/{number:int}",
        "/district/approvals/{book:int}/{number:int}",
    ],
    rule=Act.APPROVE_ENTRIES,
    status_code=200,
)
async def create_decision(
    request: TimebankRequest,
    actor: SignedInActor,
    book: BookInPath,
    number: NumberInPath,
    data: URLEncodedBody[DecisionForm],
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Agree to an entry, which credits it, or send it back with a reason."""
    _ = translate_of(request)
    refused: str
    if data.agree == "yes":
        outcome = await approving.approve(kit.db, actor=actor, book=book, number=number, now=now)
        if isinstance(outcome, ApprovalRefused | ClosingRefused):
            refused = outcome.reason.value
        else:
            return Redirect(f"{_list_url(request)}?done=approved", status_code=303)
    else:
        sent = await second_person.send_back(
            kit.db, actor=actor, book=book, number=number, reason=data.reason, now=now
        )
        if not isinstance(sent, ApprovalRefused):
            return Redirect(f"{_list_url(request)}?done=sent_back", status_code=303)
        refused = sent.reason.value
    return await _show(
        request, kit, actor, book, number, now=now, typed=data.reason, error=_(refused)
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    book: int,
    number: int,
    *,
    now: datetime,
    typed: str = "",
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    organizations, scope = _seen_by(actor)
    held: HeldEntry = await second_person.find_held(kit.db, actor=actor, book=book, number=number)
    async with kit.db.read() as conn:
        line = await held_entries.find_held(
            conn, organizations=organizations, scope=scope, book=book, number=number
        )
        names = await held_entries.list_names(
            conn, organizations=organizations, scope=scope, held=held
        )
    if line is None:
        raise NotFoundError
    shown = _line(request, kit, actor, line, now=now, language=language, _=_)
    return show(
        request,
        "organizer/approval.html",
        ApprovalPage(
            line=shown,
            people=[
                ApprovalPerson(
                    name=masked(names.get(each.volunteer), kit.seal, each.volunteer, _),
                    time=words.span(each.since, each.until, now=now, language=language),
                    duration=words.duration(each.minutes, language=language),
                )
                for each in held.people
            ],
            can_decide=shown.state == "waiting" and not shown.is_own,
            decision_url=shown.url,
            list_url=_list_url(request),
            decided=""
            if held.decided_at is None
            else words.instant(held.decided_at, now=now, language=language)
            + (f" · {held.reason}" if held.reason else ""),
            reason=Field(value=typed, error=error if not typed and error else ""),
            error=error if typed or error else "",
        ),
        status=409 if error else 200,
    )


def _line(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    line: HeldLine,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> ApprovalLine:
    is_own = line.submitted_by == actor.person
    name = "" if line.name_sealed is None else words.masked_name(kit.seal.open(line.name_sealed))
    states: dict[bool | None, ApprovalState] = {
        None: "waiting",
        True: "approved",
        False: "sent_back" if line.reason else "replaced",
    }
    return ApprovalLine(
        title=line.title or _(f"held.{line.kind.value}"),
        time=words.span(line.starts_at, line.ends_at, now=now, language=language)
        if line.starts_at is not None and line.ends_at is not None
        else "",
        organization=line.organization,
        amount=_(
            "{count} 人，合计 {duration}",
            count=line.people,
            duration=words.duration(line.minutes, language=language),
        ),
        by=_(
            "{time}由 {name} 提交",
            time=words.instant(line.submitted_at, now=now, language=language),
            name=_("您自己") if is_own else name or _("一位组织者"),
        ),
        state=states[line.is_approved],
        is_own=is_own,
        url=f"{_list_url(request)}/{line.book}/{line.number}",
    )


def _list_url(request: TimebankRequest) -> str:
    is_office = request.url.path.startswith("/district")
    return "/district/approvals" if is_office else "/organizer/approvals"


def _seen_by(actor: Actor) -> tuple[Sequence[OrganizationId], Scope | None]:
    """Return whose entries an actor may decide: one's organizations', an officer's division's."""
    return actor.organizations, actor.scope if Role.OFFICER in actor.roles else None
