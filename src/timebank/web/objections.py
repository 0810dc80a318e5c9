"""Objections to records as each side sees them: the volunteer, the organizer, the district."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.correction import Correction, CorrectionRefusal
from timebank.domain.objection import (
    Answer,
    AnswerRefusal,
    AppealRefusal,
    ObjectionReason,
    ObjectionRefusal,
    ObjectionRefused,
    Party,
    Raised,
    Stand,
    StepKind,
    decide_appeal,
    stand_of,
)
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.volunteer_number import format_number
from timebank.domain.working_day import ANSWER_DAYS, APPEAL_DAYS, clock_of
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import objections as queue
from timebank.queries import organizer
from timebank.queries import volunteer as own
from timebank.queries.objections import Objection, WrittenStep
from timebank.services import objecting
from timebank.services.errors import NotFoundError
from timebank.store.seal import Seal
from timebank.store.working_days import is_working_day
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.deadline import Deadline, deadline, record_deadline
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Choice, Evidence, Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count

_DONE_SHOWN = 30
"""Of the settled ones, the newest: older ones are found by their record."""

_LATE_SHOWN = 50
"""Shifts out of time that the district sees at once, longest first."""

_EXAMPLE = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """The record that an objection is about.

    Attributes:
        duration: What it credits.
        arrived: How and when the beginning was set; empty for history.
        entry: The ledger entry's number.
        recorded: When it was written.
    """

    activity: str
    day: str
    time: str
    duration: str
    evidence: Evidence
    organization: str
    person_in_charge: str
    place: str
    field: str
    arrived: str
    left: str
    entry: str
    recorded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One thing that happened.

    Attributes:
        kind: Which, for its colour and icon.
        title: Such as `组织者答复：不更正`.
        who: Masked.
        text: What they wrote; empty after erasure.
        evidence: What proves it; empty on the volunteer's own.
        entries: What was posted; empty where nothing was.
    """

    kind: str
    title: str
    who: str
    at: str
    text: Sequence[str]
    evidence: str
    entries: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """An objection in words.

    Attributes:
        wish: What the volunteer says is wrong, such as `时长应为 2 小时 30 分`.
        turn: Whose turn it is, in words.
        deadline: Their clock; None where nobody is waited for.
    """

    record: RecordFacts
    wish: str
    turn: str
    is_settled: bool
    deadline: Deadline | None
    steps: Sequence[StepLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionNewPage:
    """What `objection/new.html` shows, again with what was typed when refused."""

    record: RecordFacts
    action_url: str
    back_url: str
    reasons: Sequence[Choice]
    hours: Field
    minutes: Field
    text: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnObjectionPage:
    """What `objection/own.html` shows.

    Attributes:
        appeal_url: Where an appeal is posted; empty when there is nothing to appeal against.
    """

    case: CaseView
    back_url: str
    records_url: str
    appeal_url: str
    text: Field
    error: str = ""


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


class ObjectionForm(msgspec.Struct):
    """What a volunteer says is wrong."""

    reason: ShortText = ""
    hours: ShortText = ""
    minutes: ShortText = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AppealForm(msgspec.Struct):
    """Why a volunteer asks the district."""

    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AnswerForm(msgspec.Struct):
    """What an organizer or officer decides."""

    verdict: ShortText = ""
    hours: ShortText = ""
    minutes: ShortText = ""
    service_field: ShortText = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    evidence: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@get("/me/records/{seq:int}/objection", rule=Act.SEE_OWN_RECORDS)
async def show_new_objection(
    request: TimebankRequest, seq: NumberInPath, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the form that reports an error, or the objection where there is one."""
    async with kit.db.read() as conn:
        raised = await queue.list_own_objections(conn, volunteer=volunteer)
    for each in raised:
        if seq in (each.seq, each.standing):
            return Redirect(_own_url(each.objection), status_code=303)
    return await _show_new(request, kit, volunteer, seq, form=ObjectionForm(), now=now)


@post("/me/records/{seq:int}/objection", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_objection(
    request: TimebankRequest,
    seq: NumberInPath,
    data: URLEncodedBody[ObjectionForm],
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Report an error in one's own record."""
    _ = translate_of(request)
    if data.reason not in {each.value for each in ObjectionReason}:
        errors = {"": _("请选择哪里不对")}
        return await _show_new(request, kit, volunteer, seq, form=data, errors=errors, now=now)
    outcome = await objecting.raise_objection(
        kit.db,
        seal=kit.seal,
        person=actor.person,
        volunteer=volunteer,
        seq=seq,
        reason=ObjectionReason(data.reason),
        minutes=_typed_minutes(data.hours, data.minutes),
        text=data.text,
        now=now,
    )
    if isinstance(outcome, Raised):
        return Redirect(f"{_own_url(outcome.objection)}?done=objected", status_code=303)
    errors = {_FIELD_OF.get(outcome.reason, ""): _(outcome.reason.value)}
    return await _show_new(request, kit, volunteer, seq, form=data, errors=errors, now=now)


@get("/me/objections/{objection:int}", rule=Act.SEE_OWN_RECORDS)
async def show_own_objection(
    request: TimebankRequest,
    objection: NumberInPath,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show one's own objection, what was answered, and how to go on."""
    return await _show_own(request, kit, volunteer, objection, now=now)


@post("/me/objections/{objection:int}/appeal", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_appeal(
    request: TimebankRequest,
    objection: NumberInPath,
    data: URLEncodedBody[AppealForm],
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Ask the district to hear one's objection."""
    outcome = await objecting.appeal(
        kit.db,
        seal=kit.seal,
        person=actor.person,
        volunteer=volunteer,
        objection=objection,
        text=data.text,
        now=now,
    )
    if isinstance(outcome, ObjectionRefused):
        return await _show_own(
            request, kit, volunteer, objection, typed=data.text, refused=outcome, now=now
        )
    return Redirect(f"{_own_url(objection)}?done=appealed", status_code=303)


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
        errors = _errors(outcome, translate_of(request))
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
        errors = _errors(outcome, translate_of(request))
    return _show_case(request, kit, found, party=Party.DISTRICT, form=data, errors=errors, now=now)


_FIELD_OF: Mapping[ObjectionRefusal | AppealRefusal | AnswerRefusal | CorrectionRefusal, str] = {
    ObjectionRefusal.TEXT_LENGTH: "text",
    ObjectionRefusal.MINUTES_OUT_OF_RANGE: "hours",
    ObjectionRefusal.NOTHING_CHANGED: "hours",
    AppealRefusal.TEXT_LENGTH: "text",
    AnswerRefusal.TEXT_LENGTH: "text",
    AnswerRefusal.EVIDENCE_LENGTH: "evidence",
    CorrectionRefusal.MINUTES_OUT_OF_RANGE: "hours",
    CorrectionRefusal.NOTHING_CHANGED: "hours",
}
"""Beside which field of a form a refusal is shown; the others stand above the form."""


def _errors(outcome: ObjectionRefused, _: Translate) -> dict[str, str]:
    return {_FIELD_OF.get(outcome.reason, ""): _(outcome.reason.value)}


def _answer(form: AnswerForm, _: Translate) -> tuple[Answer | None, dict[str, str]]:
    """Return what the form says, or what is missing from it."""
    if form.verdict == "decline":
        return Answer(text=form.text, evidence=form.evidence), {}
    if form.verdict == "take_back":
        return Answer(is_taking_back=True, text=form.text, evidence=form.evidence), {}
    if form.verdict != "correct":
        return None, {"verdict": _("请选择怎么处理")}
    minutes = _typed_minutes(form.hours, form.minutes)
    field = field_of(form.service_field)
    if minutes is None and field is None:
        return None, {"hours": _("请写正确的时长，或者选正确的领域")}
    right = Correction(minutes=minutes, field=field)
    return Answer(correction=right, text=form.text, evidence=form.evidence), {}


def _typed_minutes(hours: str, minutes: str) -> int | None:
    """Return a length of time from its two fields; None where both are empty."""
    if not hours.strip() and not minutes.strip():
        return None
    return typed_count(hours.strip()) * 60 + typed_count(minutes.strip())


async def _show_new(
    request: TimebankRequest,
    kit: Kit,
    volunteer: OwnVolunteer,
    seq: int,
    *,
    form: ObjectionForm,
    now: datetime,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        record = await own.find_own_record(conn, volunteer=volunteer, seq=seq)
    if record is None:
        raise NotFoundError
    shown = errors or {}
    return show(
        request,
        "objection/new.html",
        ObjectionNewPage(
            record=_facts(record, now=now, language=language_of(request), _=_),
            action_url=f"/me/records/{seq}/objection",
            back_url=_record_url(record.effective_at, seq),
            reasons=[
                Choice(
                    value=each.value,
                    label=_(f"objection_reason.{each.value}"),
                    is_selected=form.reason == each.value,
                )
                for each in ObjectionReason
            ],
            hours=Field(value=form.hours, error=shown.get("hours", "")),
            minutes=Field(value=form.minutes),
            text=Field(value=form.text, error=shown.get("text", "")),
            error=shown.get("", ""),
        ),
        status=422 if errors else 200,
    )


async def _show_own(
    request: TimebankRequest,
    kit: Kit,
    volunteer: OwnVolunteer,
    objection: int,
    *,
    now: datetime,
    typed: str = "",
    refused: ObjectionRefused | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await queue.find_own_objection(conn, volunteer=volunteer, objection=objection)
    if found is None:
        raise NotFoundError
    errors = {} if refused is None else _errors(refused, _)
    return show(
        request,
        "objection/own.html",
        OwnObjectionPage(
            case=_case(found, kit.seal, now=now, language=language_of(request), _=_),
            back_url="/me/records",
            records_url=_record_url(found.effective_at, found.standing),
            appeal_url=f"{_own_url(objection)}/appeal" if _can_appeal(found, now=now) else "",
            text=Field(value=typed, error=errors.get("text", "")),
            error=errors.get("", ""),
        ),
        status=422 if errors else 200,
    )


def _can_appeal(found: Objection, *, now: datetime) -> bool:
    """Say whether an appeal would be taken now, whatever is written in it."""
    steps = found.plain_steps
    refusal = decide_appeal(
        steps,
        is_answer_over=_is_over(steps[0].at, days=ANSWER_DAYS, now=now),
        is_appeal_over=_is_over(steps[-1].at, days=APPEAL_DAYS, now=now),
        text=_EXAMPLE * 2,
    )
    return refusal is None


def _is_over(since: datetime, *, days: int, now: datetime) -> bool:
    return clock_of(
        words.local_day(since),
        today=words.local_day(now),
        days=days,
        is_working_day=is_working_day,
    ).is_over


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
        stand = _stand(each)
        clock = _clock(stand, now=now, language=language, _=_)
        line = QueueLine(
            activity=each.title or _("往年服务"),
            name=masked(each.name_sealed, kit.seal, each.volunteer, _),
            wish=_wish(each, language=language, _=_),
            day=words.day(
                words.local_day(each.effective_at), today=words.local_day(now), language=language
            ),
            turn=_turn(stand, each, _),
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
    is_turn = _is_turn(found, _stand(found), party=party, now=now)
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
            case=_case(found, kit.seal, now=now, language=language_of(request), _=_),
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


def _stand(found: Objection) -> Stand:
    return stand_of(found.plain_steps, is_organized=found.organization_id is not None)


def _is_turn(found: Objection, stand: Stand, *, party: Party, now: datetime) -> bool:
    """Say whether a side has the next word; over silence the district has it too."""
    if stand.party is party:
        return True
    is_silence = found.steps[-1].kind is StepKind.RAISED
    return (
        party is Party.DISTRICT and is_silence and _is_over(stand.since, days=stand.days, now=now)
    )


def _case(
    found: Objection, seal: Seal, *, now: datetime, language: Language, _: Translate
) -> CaseView:
    stand = _stand(found)
    return CaseView(
        record=_facts(found, now=now, language=language, _=_),
        wish=_wish(found, language=language, _=_),
        turn=_turn(stand, found, _),
        is_settled=stand.party is Party.NOBODY,
        deadline=_clock(stand, now=now, language=language, _=_),
        steps=[_step(each, seal, now=now, language=language, _=_) for each in found.steps],
    )


def _clock(stand: Stand, *, now: datetime, language: Language, _: Translate) -> Deadline | None:
    if stand.party is Party.NOBODY:
        return None
    since = words.local_day(stand.since)
    return deadline(since, now=now, days=stand.days, language=language, _=_)


def _turn(stand: Stand, found: Objection, _: Translate) -> str:
    match stand.party:
        case Party.ORGANIZER:
            return _("等组织者答复")
        case Party.DISTRICT:
            return _("等区县裁决")
        case Party.VOLUNTEER:
            return _("组织者已答复，志愿者可以申诉")
        case Party.NOBODY:
            return _(f"objection_step.{found.steps[-1].kind.value}")


def _wish(found: Objection, *, language: Language, _: Translate) -> str:
    if found.wanted is not None:
        return _("时长应为 {duration}", duration=words.duration(found.wanted, language=language))
    return _(f"objection_reason.{found.reason.value}")


def _step(
    step: WrittenStep, seal: Seal, *, now: datetime, language: Language, _: Translate
) -> StepLine:
    entries = ""
    if step.replacement is not None and step.reversal is not None:
        entries = _(
            "第 {reversal} 条冲正，第 {replacement} 条代替",
            reversal=words.count(step.reversal),
            replacement=words.count(step.replacement),
        )
    elif step.reversal is not None:
        entries = _("第 {reversal} 条冲正", reversal=words.count(step.reversal))
    text = _("（内容已抹除）") if step.text_sealed is None else seal.open(step.text_sealed)
    return StepLine(
        kind=step.kind.value,
        title=_(f"objection_step.{step.kind.value}"),
        who="" if step.name_sealed is None else words.masked_name(seal.open(step.name_sealed)),
        at=words.instant(step.at, now=now, language=language),
        text=[line for line in text.splitlines() if line],
        evidence=step.evidence or "",
        entries=entries,
    )


def _facts(
    record: Objection | own.Record, *, now: datetime, language: Language, _: Translate
) -> RecordFacts:
    starts_at, ends_at = record.shift_starts_at, record.shift_ends_at
    today = words.local_day(now)
    return RecordFacts(
        activity=record.title or _("往年服务"),
        day=words.day(words.local_day(record.effective_at), today=today, language=language),
        time=words.clock(record.effective_at)
        if starts_at is None or ends_at is None
        else words.times(starts_at, ends_at),
        duration=words.duration(record.minutes, language=language),
        evidence=record.evidence.value,
        organization=record.organization or "",
        person_in_charge=record.in_charge or "",
        place=record.address or "".join(part for part in (record.town, record.place) if part),
        field=_(f"service_field.{record.field.code}"),
        arrived=end_words(record.arrived_at, record.arrival_measured, _),
        left=end_words(record.left_at, record.departure_measured, _),
        entry=words.count(record.seq),
        recorded=words.instant(record.recorded_at, now=now, language=language),
    )


def end_words(
    at: datetime | None, is_measured: bool | None, _: Translate, *, is_ruled: bool = False
) -> str:
    """Return how and when one end of a stay was set; empty for history.

    `is_ruled` says that it was set as the activity's own rule for forgotten departures has it.
    """
    if at is None:
        return ""
    clock = words.clock(at)
    if is_measured:
        return _("{time} 扫码", time=clock)
    return (
        _("{time} 按活动约定记到结束", time=clock)
        if is_ruled
        else _("{time} 组织者填写", time=clock)
    )


def _own_url(objection: int) -> str:
    return f"/me/objections/{objection}"


def _record_url(effective_at: datetime, seq: int) -> str:
    return f"/me/records?year={words.local_day(effective_at).year}#e{seq}"
