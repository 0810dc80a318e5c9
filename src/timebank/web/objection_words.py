"""An objection in words: its record, its steps, whose turn it is, and why an answer was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from timebank.domain.correction import CorrectionRefusal
from timebank.domain.objection import (
    AnswerRefusal,
    AppealRefusal,
    ObjectionRefusal,
    ObjectionRefused,
    Party,
    Stand,
    stand_of,
)
from timebank.domain.working_day import clock_of
from timebank.queries import volunteer as own
from timebank.queries.objections import Objection, WrittenStep
from timebank.store.seal import Seal
from timebank.store.working_days import is_working_day
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.deadline import Deadline, deadline
from timebank.web.parts import Evidence
from timebank.web.typed import typed_count


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


def refused_errors(outcome: ObjectionRefused, _: Translate) -> dict[str, str]:
    """Return why an answer was refused, by the field beside which it is shown."""
    return {_FIELD_OF.get(outcome.reason, ""): _(outcome.reason.value)}


def typed_minutes(hours: str, minutes: str) -> int | None:
    """Return a length of time from its two fields; None where both are empty."""
    if not hours.strip() and not minutes.strip():
        return None
    return typed_count(hours.strip()) * 60 + typed_count(minutes.strip())


def is_over(since: datetime, *, days: int, now: datetime) -> bool:
    """Say whether so many working days have passed."""
    return clock_of(
        words.local_day(since),
        today=words.local_day(now),
        days=days,
        is_working_day=is_working_day,
    ).is_over


def stand_in(found: Objection) -> Stand:
    """Return whose word is waited for in an objection."""
    return stand_of(found.plain_steps, is_organized=found.organization_id is not None)


def case_view(
    found: Objection, seal: Seal, *, now: datetime, language: Language, _: Translate
) -> CaseView:
    """Return an objection in words."""
    stand = stand_in(found)
    return CaseView(
        record=record_facts(found, now=now, language=language, _=_),
        wish=wish_words(found, language=language, _=_),
        turn=turn_words(stand, found, _),
        is_settled=stand.party is Party.NOBODY,
        deadline=clock_view(stand, now=now, language=language, _=_),
        steps=[_step(each, seal, now=now, language=language, _=_) for each in found.steps],
    )


def clock_view(stand: Stand, *, now: datetime, language: Language, _: Translate) -> Deadline | None:
    """Return the clock of whom is waited for; None where it is nobody."""
    if stand.party is Party.NOBODY:
        return None
    since = words.local_day(stand.since)
    return deadline(since, now=now, days=stand.days, language=language, _=_)


def turn_words(stand: Stand, found: Objection, _: Translate) -> str:
    """Return whose turn it is, or how it ended."""
    match stand.party:
        case Party.ORGANIZER:
            return _("等组织者答复")
        case Party.DISTRICT:
            return _("等区县裁决")
        case Party.VOLUNTEER:
            return _("组织者已答复，志愿者可以申诉")
        case Party.NOBODY:
            return _(f"objection_step.{found.steps[-1].kind.value}")


def wish_words(found: Objection, *, language: Language, _: Translate) -> str:
    """Return what the volunteer says is wrong."""
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


def record_facts(
    record: Objection | own.Record, *, now: datetime, language: Language, _: Translate
) -> RecordFacts:
    """Return the record that an objection is about."""
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
