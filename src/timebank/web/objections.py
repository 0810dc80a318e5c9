"""Objections as the organizer and the district see them: the queue, and the case to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.correction import Correction
from timebank.domain.objection import (
    Answer,
    ObjectionReason,
    ObjectionRefused,
    Party,
    Stand,
    StepKind,
)
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import objections as queue
from timebank.queries import organizer
from timebank.queries.objections import Objection
from timebank.services import objecting
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.deadline import Deadline, record_deadline
from timebank.web.frame import language_of, show, translate_of
from timebank.web.objection_words import (
    CaseView,
    case_view,
    clock_view,
    is_over,
    refused_errors,
    stand_in,
    turn_words,
    typed_minutes,
    wish_words,
)
from timebank.web.organized_shift import masked
from timebank.web.parts import Choice, Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText

_DONE_SHOWN = 30
"""Of the settled ones, the newest: older ones are found by their record."""


_LATE_SHOWN = 50
"""Shifts out of time that the district sees at once, longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """One objection of a queue."""

    activity: str
    name: str
    wish: str
    day: str
    turn: str
    deadline: Deadline | None
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateShiftLine:
    """A shift that nobody closed in time, as the district sees it."""

    activity: str
    organization: str
    time: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """What `objection/queue.html` shows.

    Attributes:
        own_turn: What waits for the reader, the shortest clock first.
        others: What waits for others, or is settled.
        late_shifts: For the district: shifts out of time; None for an organizer.
    """

    title: str
    lead: str
    own_turn: Sequence[QueueLine]
    others: Sequence[QueueLine]
    late_shifts: Sequence[LateShiftLine] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """What `objection/case.html` shows.

    Attributes:
        action_url: Where the answer is posted; empty when it is not the reader's turn.
        verdicts: `correct`, `decline` and, where that was asked for, `take_back`.
        fields: Service fields; the first keeps the record's own.
    """

    case: CaseView
    name: str
    number: str
    back_url: str
    action_url: str
    is_hearing: bool
    verdicts: Sequence[Choice]
    verdict_error: str
    hours: Field
    minutes: Field
    fields: Sequence[Choice]
    text: Field
    evidence: Field
    error: str = ""


class AnswerForm(msgspec.Struct):
    """What an organizer or officer decides."""

    verdict: ShortText = ""
    hours: ShortText = ""
    minutes: ShortText = ""
    service_field: ShortText = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    evidence: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@get("/organizer/objections", rule=Act.RUN_ACTIVITIES)
async def show_organized_objections(
    request: TimebankRequest, organizations: OwnOrganizations, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the objections to what one's own organizations recorded."""
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await queue.list_organized_objections(conn, organizations=organizations)
    return _show_queue(
        request,
        kit,
        found,
        party=Party.ORGANIZER,
        base="/organizer",
        title=_("更正申请"),
        lead=_("志愿者说记录有错，十个工作日内核对并答复，写明证据。"),
        late_shifts=None,
        now=now,
    )


@get("/organizer/objections/{book:int}/{objection:int}", rule=Act.RUN_ACTIVITIES)
async def show_organized_objection(
    request: TimebankRequest,
    book: BookInPath,
    objection: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show an objection and the form that answers it."""
    async with kit.db.read() as conn:
        found = await queue.find_organized_objection(
            conn, organizations=organizations, book=book, objection=objection
        )
    return _show_case(request, kit, found, party=Party.ORGANIZER, now=now)


@post(
    "/organizer/objections/{book:int}/{objection:int}/answer",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_answer(
    request: TimebankRequest,
    book: BookInPath,
    objection: NumberInPath,
    data: URLEncodedBody[AnswerForm],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Answer an objection to what one's own organization recorded."""
    answer, errors = _answer(data, translate_of(request))
    if answer is not None:
        outcome = await objecting.answer_objection(
            kit.db,
            seal=kit.seal,
            actor=actor,
            book=book,
            objection=objection,
            answer=answer,
            now=now,
        )
        if not isinstance(outcome, ObjectionRefused):
            return Redirect("/organizer/objections?done=answered", status_code=303)
        errors = refused_errors(outcome, translate_of(request))
    async with kit.db.read() as conn:
        found = await queue.find_organized_objection(
            conn, organizations=organizations, book=book, objection=objection
        )
    return _show_case(request, kit, found, party=Party.ORGANIZER, form=data, errors=errors, now=now)


@get("/district/objections", rule=Act.HEAR_APPEALS)
async def show_district_objections(
    request: TimebankRequest, office_scope: OfficeScope, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what waits for the district: appeals, silence, and shifts out of time."""
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await queue.list_district_objections(conn, scope=office_scope)
        late = await organizer.list_late_shifts(
            conn, scope=office_scope, now=now, limit=_LATE_SHOWN
        )
    clocks = [
        (each, record_deadline(each.ends_at, now=now, language=language, _=_)) for each in late
    ]
    return _show_queue(
        request,
        kit,
        found,
        party=Party.DISTRICT,
        base="/district",
        title=_("申诉和超期"),
        lead=_("原来答复的人、该组织的人、志愿者本人都不能裁决。"),
        late_shifts=[
            LateShiftLine(
                activity=each.title,
                organization=each.organization,
                time=words.span(each.starts_at, each.ends_at, now=now, language=language),
                deadline=clock,
            )
            for each, clock in clocks
            if clock.state == "late"
        ],
        now=now,
    )


@get("/district/objections/{book:int}/{objection:int}", rule=Act.HEAR_APPEALS)
async def show_district_objection(
    request: TimebankRequest,
    book: BookInPath,
    objection: NumberInPath,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show an objection with its whole history and the form that decides an appeal."""
    async with kit.db.read() as conn:
        found = await queue.find_district_objection(
            conn, scope=office_scope, book=book, objection=objection
        )
    return _show_case(request, kit, found, party=Party.DISTRICT, now=now)


@post(
    "/district/objections/{book:int}/{objection:int}/decision",
    rule=Act.HEAR_APPEALS,
    status_code=200,
)
async def create_decision(
    request: TimebankRequest,
    book: BookInPath,
    objection: NumberInPath,
    data: URLEncodedBody[AnswerForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Decide an appeal, or answer where the organization was silent."""
    async with kit.db.read() as conn:
        found = await queue.find_district_objection(
            conn, scope=office_scope, book=book, objection=objection
        )
    if found is None:
        raise NotFoundError
    answer, errors = _answer(data, translate_of(request))
    if answer is not None:
        decide = (
            objecting.answer_objection
            if found.steps[-1].kind is StepKind.RAISED
            else objecting.decide_on_appeal
        )
        outcome = await decide(
            kit.db,
            seal=kit.seal,
            actor=actor,
            book=book,
            objection=objection,
            answer=answer,
            now=now,
        )
        if not isinstance(outcome, ObjectionRefused):
            return Redirect("/district/objections?done=decided", status_code=303)
        errors = refused_errors(outcome, translate_of(request))
    return _show_case(request, kit, found, party=Party.DISTRICT, form=data, errors=errors, now=now)


def _answer(form: AnswerForm, _: Translate) -> tuple[Answer | None, dict[str, str]]:
    """Return what the form says, or what is missing from it."""
    if form.verdict == "decline":
        return Answer(text=form.text, evidence=form.evidence), {}
    if form.verdict == "take_back":
        return Answer(is_taking_back=True, text=form.text, evidence=form.evidence), {}
    if form.verdict != "correct":
        return None, {"verdict": _("请选择怎么处理")}
    minutes = typed_minutes(form.hours, form.minutes)
    field = field_of(form.service_field)
    if minutes is None and field is None:
        return None, {"hours": _("请写正确的时长，或者选正确的领域")}
    right = Correction(minutes=minutes, field=field)
    return Answer(correction=right, text=form.text, evidence=form.evidence), {}


def _show_queue(
    request: TimebankRequest,
    kit: Kit,
    found: Sequence[Objection],
    *,
    party: Party,
    base: str,
    title: str,
    lead: str,
    late_shifts: Sequence[LateShiftLine] | None,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    waiting: list[tuple[datetime, QueueLine]] = []
    others: list[tuple[datetime, QueueLine]] = []
    for each in found:
        stand = stand_in(each)
        clock = clock_view(stand, now=now, language=language, _=_)
        line = QueueLine(
            activity=each.title or _("往年服务"),
            name=masked(each.name_sealed, kit.seal, each.volunteer, _),
            wish=wish_words(each, language=language, _=_),
            day=words.day(
                words.local_day(each.effective_at), today=words.local_day(now), language=language
            ),
            turn=turn_words(stand, each, _),
            deadline=clock,
            url=f"{base}/objections/{each.volunteer.book}/{each.objection}",
        )
        is_turn = _is_turn(each, stand, party=party, now=now)
        (waiting if is_turn else others).append((stand.since, line))
    waiting.sort(key=lambda each: each[0])
    others.sort(key=lambda each: each[0], reverse=True)
    return show(
        request,
        "objection/queue.html",
        QueuePage(
            title=title,
            lead=lead,
            own_turn=[line for _at, line in waiting],
            others=[line for _at, line in others[:_DONE_SHOWN]],
            late_shifts=late_shifts,
        ),
    )


def _show_case(
    request: TimebankRequest,
    kit: Kit,
    found: Objection | None,
    *,
    party: Party,
    now: datetime,
    form: AnswerForm | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    if found is None:
        raise NotFoundError
    _ = translate_of(request)
    form, shown = form or AnswerForm(), errors or {}
    is_organizer = party is Party.ORGANIZER
    base = "/organizer" if is_organizer else "/district"
    url = f"{base}/objections/{found.volunteer.book}/{found.objection}"
    is_turn = _is_turn(found, stand_in(found), party=party, now=now)
    verdicts = {
        "correct": _("更正：另记一条对的"),
        "take_back": _("冲正：这不是本人的服务"),
        "decline": _("不更正：记录没有错"),
    }
    if found.reason is not ObjectionReason.NOT_MINE:
        del verdicts["take_back"]
    return show(
        request,
        "objection/case.html",
        CasePage(
            case=case_view(found, kit.seal, now=now, language=language_of(request), _=_),
            name=masked(found.name_sealed, kit.seal, found.volunteer, _),
            number=format_number(found.volunteer.book, found.volunteer.id),
            back_url=f"{base}/objections",
            action_url=""
            if not is_turn
            else f"{url}/answer"
            if is_organizer
            else f"{url}/decision",
            is_hearing=not is_organizer,
            verdicts=[
                Choice(value=value, label=label, is_selected=form.verdict == value)
                for value, label in verdicts.items()
            ],
            verdict_error=shown.get("verdict", ""),
            hours=Field(value=form.hours, error=shown.get("hours", "")),
            minutes=Field(value=form.minutes),
            fields=[
                Choice(value="", label=_("领域不变"), is_selected=not form.service_field),
                *(
                    Choice(
                        value=each.code,
                        label=_(f"service_field.{each.code}"),
                        is_selected=each.code == form.service_field,
                    )
                    for each in ServiceField
                ),
            ],
            text=Field(value=form.text, error=shown.get("text", "")),
            evidence=Field(value=form.evidence, error=shown.get("evidence", "")),
            error=shown.get("", ""),
        ),
        status=422 if errors else 200,
    )


def _is_turn(found: Objection, stand: Stand, *, party: Party, now: datetime) -> bool:
    """Say whether a side has the next word; over silence the district has it too."""
    if stand.party is party:
        return True
    is_silence = found.steps[-1].kind is StepKind.RAISED
    return party is Party.DISTRICT and is_silence and is_over(stand.since, days=stand.days, now=now)
