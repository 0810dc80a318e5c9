"""The volunteer's objections: an error reported, what was answered, and the appeal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.objection import ObjectionReason, ObjectionRefused, Raised, decide_appeal
from timebank.domain.working_day import ANSWER_DAYS, APPEAL_DAYS
from timebank.http.providers import Kit, Kitted, Now, OwnVolunteer, SignedInActor, TimebankRequest
from timebank.queries import objections as queue
from timebank.queries import volunteer as own
from timebank.queries.objections import Objection
from timebank.services import objecting
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.objection_words import (
    CaseView,
    RecordFacts,
    case_view,
    is_over,
    record_facts,
    refused_errors,
    typed_minutes,
)
from timebank.web.parts import Choice, Field
from timebank.web.typed import NumberInPath, ShortText

_EXAMPLE = "2"


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


class ObjectionForm(msgspec.Struct):
    """What a volunteer says is wrong."""

    reason: ShortText = ""
    hours: ShortText = ""
    minutes: ShortText = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AppealForm(msgspec.Struct):
    """Why a volunteer asks the district."""

    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


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
        minutes=typed_minutes(data.hours, data.minutes),
        text=data.text,
        now=now,
    )
    if isinstance(outcome, Raised):
        return Redirect(f"{_own_url(outcome.objection)}?done=objected", status_code=303)
    errors = refused_errors(outcome, _)
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
            record=record_facts(record, now=now, language=language_of(request), _=_),
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
    errors = {} if refused is None else refused_errors(refused, _)
    return show(
        request,
        "objection/own.html",
        OwnObjectionPage(
            case=case_view(found, kit.seal, now=now, language=language_of(request), _=_),
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
        is_answer_over=is_over(steps[0].at, days=ANSWER_DAYS, now=now),
        is_appeal_over=is_over(steps[-1].at, days=APPEAL_DAYS, now=now),
        text=_EXAMPLE * 2,
    )
    return refusal is None


def _own_url(objection: int) -> str:
    return f"/me/objections/{objection}"


def _record_url(effective_at: datetime, seq: int) -> str:
    return f"/me/records?year={words.local_day(effective_at).year}#e{seq}"
