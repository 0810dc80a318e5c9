"""An objection to a record: the volunteer says what is wrong, and others decide.

The organizer answers, the district hears an appeal; whoever decided before does not decide again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.domain.correction import (
    EVIDENCE_LENGTH_MAX,
    EVIDENCE_LENGTH_MIN,
    REASON_LENGTH_MAX,
    REASON_LENGTH_MIN,
    Correction,
    CorrectionRefusal,
)
from timebank.domain.posting import Entry
from timebank.domain.service_row import MINUTES_MAX
from timebank.domain.working_day import ANSWER_DAYS, APPEAL_DAYS


class ObjectionReason(StrEnum):
    """What is wrong with a record."""

    MINUTES = "minutes"
    CONTENT = "content"
    NOT_MINE = "not_mine"


class StepKind(StrEnum):
    """What happened in an objection; each is written once and stays."""

    RAISED = "raised"
    CORRECTED = "corrected"
    TAKEN_BACK = "taken_back"
    DECLINED = "declined"
    APPEALED = "appealed"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


ANSWERS = frozenset({StepKind.CORRECTED, StepKind.TAKEN_BACK, StepKind.DECLINED})
"""What an organizer may say; against the last and the first one can appeal."""


class Party(StrEnum):
    """Who has the next word."""

    ORGANIZER = "organizer"
    DISTRICT = "district"
    VOLUNTEER = "volunteer"
    NOBODY = "nobody"


class ObjectionRefusal(StrEnum):
    """Why an objection was not taken, in order of precedence."""

    TEXT_LENGTH = "objection.text_length"
    NOT_A_SERVICE = "objection.not_a_service"
    IS_REVERSAL = "objection.is_reversal"
    ALREADY_REVERSED = "objection.already_reversed"
    ALREADY_RAISED = "objection.already_raised"
    MINUTES_OUT_OF_RANGE = "objection.minutes_out_of_range"
    NOTHING_CHANGED = "objection.nothing_changed"


class AppealRefusal(StrEnum):
    """Why an appeal was not taken, in order of precedence."""

    TEXT_LENGTH = "appeal.text_length"
    ALREADY_APPEALED = "appeal.already_appealed"
    NOTHING_TO_APPEAL = "appeal.nothing_to_appeal"
    TOO_LATE = "appeal.too_late"


class AnswerRefusal(StrEnum):
    """Why an answer or a decision was not taken, in order of precedence."""

    OWN_HOURS = "answer.own_hours"
    ALREADY_ANSWERED = "answer.already_answered"
    NOT_APPEALED = "answer.not_appealed"
    NOT_YET_DUE = "answer.not_yet_due"
    SAME_PERSON = "answer.same_person"
    OWN_ORGANIZATION = "answer.own_organization"
    TEXT_LENGTH = "answer.text_length"
    EVIDENCE_LENGTH = "answer.evidence_length"
    NOT_ASKED_FOR = "answer.not_asked_for"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    Attributes:
        person: Who did it; None after erasure.
        replacement: The entry that stands since then; None where none was posted.
    """

    kind: StepKind
    person: UUID | None
    at: datetime
    replacement: int | None = None


@dataclass(frozen=True, slots=True)
class Stand:
    """Whose turn it is.

    Attributes:
        since: When their clock began.
        days: Working days that the clock gives; 0 where nobody is waited for.
    """

    party: Party
    since: datetime
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an organizer or an officer says.

    Attributes:
        correction: What is right; None where nothing is corrected.
        is_taking_back: The record is no service of this volunteer at all.
        evidence: What proves it, such as the number of a sign-in sheet.
    """

    correction: Correction | None = None
    is_taking_back: bool = False
    text: str
    evidence: str

    @property
    def is_declining(self) -> bool:
        """Whether the record stays as it is."""
        return self.correction is None and not self.is_taking_back


@dataclass(frozen=True, slots=True)
class Raised:
    """The objection has a number, and the clock runs."""

    objection: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The step is written.

    Attributes:
        replacement: The entry that stands instead, or None.
    """

    kind: StepKind
    replacement: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectionRefused:
    """Nothing is written."""

    reason: ObjectionRefusal | AppealRefusal | AnswerRefusal | CorrectionRefusal


def stand_of(steps: Sequence[Step], *, is_organized: bool) -> Stand:
    """Return whose turn it is after the steps, of which there is one at least.

    `is_organized` says that the record names an organization, which answers first; what came from
    elsewhere is answered by the district.
    """
    last = steps[-1]
    match last.kind:
        case StepKind.RAISED:
            party = Party.ORGANIZER if is_organized else Party.DISTRICT
            return Stand(party, last.at, ANSWER_DAYS)
        case StepKind.CORRECTED | StepKind.DECLINED:
            return Stand(Party.VOLUNTEER, last.at, APPEAL_DAYS)
        case StepKind.APPEALED:
            return Stand(Party.DISTRICT, last.at, ANSWER_DAYS)
        case StepKind.TAKEN_BACK | StepKind.UPHELD | StepKind.DISMISSED:
            return Stand(Party.NOBODY, last.at, 0)


def decide_objection(
    entry: Entry, *, reason: ObjectionReason, minutes: int | None, text: str, is_raised: bool
) -> ObjectionRefusal | None:
    """Return why an objection to a record is not taken, or None; the text has been cleaned.

    `minutes` is what the volunteer says is right, where the time is wrong. `is_raised` says that
    there is one about this record, or about what it stands instead of: its way on is the appeal.
    """
    transfer = entry.transfer
    if not REASON_LENGTH_MIN <= len(text) <= REASON_LENGTH_MAX:
        return ObjectionRefusal.TEXT_LENGTH
    if transfer.service is None:
        return ObjectionRefusal.NOT_A_SERVICE
    if transfer.reverses is not None:
        return ObjectionRefusal.IS_REVERSAL
    if entry.is_reversed:
        return ObjectionRefusal.ALREADY_REVERSED
    if is_raised:
        return ObjectionRefusal.ALREADY_RAISED
    if reason is ObjectionReason.MINUTES:
        if minutes is None or not 1 <= minutes <= MINUTES_MAX:
            return ObjectionRefusal.MINUTES_OUT_OF_RANGE
        if minutes == transfer.amount:
            return ObjectionRefusal.NOTHING_CHANGED
    return None


def decide_appeal(
    steps: Sequence[Step], *, is_answer_over: bool, is_appeal_over: bool, text: str
) -> AppealRefusal | None:
    """Return why an appeal is not taken, or None; the text has been cleaned.

    One can appeal against an answer until the clock is over, and against silence from then on when
    the answer's clock is over.
    """
    last = steps[-1].kind
    if not REASON_LENGTH_MIN <= len(text) <= REASON_LENGTH_MAX:
        return AppealRefusal.TEXT_LENGTH
    if any(each.kind is StepKind.APPEALED for each in steps):
        return AppealRefusal.ALREADY_APPEALED
    if last is StepKind.RAISED:
        return None if is_answer_over else AppealRefusal.NOTHING_TO_APPEAL
    if last is StepKind.TAKEN_BACK:
        return AppealRefusal.NOTHING_TO_APPEAL
    return AppealRefusal.TOO_LATE if is_appeal_over else None


def decide_answer(
    steps: Sequence[Step], answer: Answer, *, reason: ObjectionReason, person: UUID, is_own: bool
) -> AnswerRefusal | StepKind:
    """Decide the first answer: what it is, or why it is not taken; its texts have been cleaned.

    `person` answers, and `is_own` says that they are the volunteer.
    """
    if is_own or steps[0].person == person:
        return AnswerRefusal.OWN_HOURS
    if steps[-1].kind is not StepKind.RAISED:
        return AnswerRefusal.ALREADY_ANSWERED
    refusal = _wording(answer, reason)
    if refusal is not None:
        return refusal
    if answer.is_declining:
        return StepKind.DECLINED
    return StepKind.TAKEN_BACK if answer.is_taking_back else StepKind.CORRECTED


def decide_hearing(
    steps: Sequence[Step],
    answer: Answer,
    *,
    reason: ObjectionReason,
    person: UUID,
    is_own: bool,
    is_of_organization: bool,
) -> AnswerRefusal | StepKind:
    """Decide an appeal: what the decision is, or why it is not taken; its texts have been cleaned.

    Whoever answered before does not decide again, and nobody of the organization that is appealed
    against does: `is_of_organization` says so.
    """
    if is_own or steps[0].person == person:
        return AnswerRefusal.OWN_HOURS
    if steps[-1].kind in (StepKind.UPHELD, StepKind.DISMISSED):
        return AnswerRefusal.ALREADY_ANSWERED
    if steps[-1].kind is not StepKind.APPEALED:
        return AnswerRefusal.NOT_APPEALED
    if any(each.kind in ANSWERS and each.person == person for each in steps):
        return AnswerRefusal.SAME_PERSON
    if is_of_organization:
        return AnswerRefusal.OWN_ORGANIZATION
    return _wording(answer, reason) or (
        StepKind.DISMISSED if answer.is_declining else StepKind.UPHELD
    )


def standing_entry(first: int, steps: Sequence[Step]) -> int:
    """Return the entry that stands for the record: what last replaced it, or itself."""
    replaced = [each.replacement for each in steps if each.replacement is not None]
    return replaced[-1] if replaced else first


def _wording(answer: Answer, reason: ObjectionReason) -> AnswerRefusal | None:
    if not REASON_LENGTH_MIN <= len(answer.text) <= REASON_LENGTH_MAX:
        return AnswerRefusal.TEXT_LENGTH
    if not EVIDENCE_LENGTH_MIN <= len(answer.evidence) <= EVIDENCE_LENGTH_MAX:
        return AnswerRefusal.EVIDENCE_LENGTH
    if answer.is_taking_back and reason is not ObjectionReason.NOT_MINE:
        # Whoever asks for what is missing must not lose what they have by asking.
        return AnswerRefusal.NOT_ASKED_FOR
    return None
