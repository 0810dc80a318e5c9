"""When an entry may be taken back, and what may stand in its place."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.domain.assurance import Measured
from timebank.domain.posting import Entry
from timebank.domain.service_field import ServiceField
from timebank.domain.service_row import MINUTES_MAX
from timebank.domain.transfer import Transfer

REASON_LENGTH_MIN = 2
REASON_LENGTH_MAX = 500
"""Between these a reason says something and can be read out."""

EVIDENCE_LENGTH_MIN = 2
EVIDENCE_LENGTH_MAX = 200
"""Between these the evidence can be found again, such as the number of a sign-in sheet."""


class CorrectionRefusal(StrEnum):
    """Why an entry stands, in order of precedence."""

    OWN_HOURS = "correction.own_hours"
    REASON_LENGTH = "correction.reason_length"
    EVIDENCE_LENGTH = "correction.evidence_length"
    IS_REVERSAL = "correction.is_reversal"
    ALREADY_REVERSED = "correction.already_reversed"
    NOT_A_SERVICE = "correction.not_a_service"
    MINUTES_OUT_OF_RANGE = "correction.minutes_out_of_range"
    NOT_YET_HAPPENED = "correction.not_yet_happened"
    NOTHING_CHANGED = "correction.nothing_changed"
    SPENT = "correction.spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is right about a service; None stays as it was.

    Attributes:
        started_at: When the service began, which is when it takes effect.
    """

    minutes: int | None = None
    field: ServiceField | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reversed:
    """The entry is taken back by entry `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """The entry is taken back by entry `reversal`, and entry `replacement` stands in its place."""

    reversal: int
    replacement: int


@dataclass(frozen=True, slots=True)
class CorrectionRefused:
    """Nothing is written."""

    reason: CorrectionRefusal


def decide_reversal(entry: Entry, *, reason: str, is_own: bool = False) -> CorrectionRefusal | None:
    """Return why an entry cannot be taken back, or None; the reason's text has been cleaned.

    `is_own` says that whoever asks is the volunteer: nobody settles their own hours.

    A reversal is final: what was taken back by mistake is recorded anew.
    """
    if is_own:
        return CorrectionRefusal.OWN_HOURS
    if not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        return CorrectionRefusal.REASON_LENGTH
    if entry.transfer.reverses is not None:
        return CorrectionRefusal.IS_REVERSAL
    if entry.is_reversed:
        return CorrectionRefusal.ALREADY_REVERSED
    return None


def decide_correction(
    entry: Entry,
    correction: Correction,
    *,
    reason: str,
    evidence: str,
    key: UUID,
    now: datetime,
    is_own: bool = False,
) -> Transfer | CorrectionRefusal:
    """Return what is to stand in the place of a service entry, or why it stands as it is.

    Both texts have been cleaned. The replacement keeps the grade of the entry; where the time was
    changed neither end counts as measured by a code any more.
    """
    refusal = decide_reversal(entry, reason=reason, is_own=is_own)
    if refusal in (CorrectionRefusal.OWN_HOURS, CorrectionRefusal.REASON_LENGTH):
        return refusal
    if not EVIDENCE_LENGTH_MIN <= len(evidence) <= EVIDENCE_LENGTH_MAX:
        return CorrectionRefusal.EVIDENCE_LENGTH
    if refusal is not None:
        return refusal
    old = entry.transfer
    if old.service is None:
        return CorrectionRefusal.NOT_A_SERVICE
    minutes = old.amount if correction.minutes is None else correction.minutes
    started_at = correction.started_at or old.effective_at
    field = old.service.field if correction.field is None else correction.field.value
    if not 1 <= minutes <= MINUTES_MAX:
        return CorrectionRefusal.MINUTES_OUT_OF_RANGE
    if started_at > now:
        return CorrectionRefusal.NOT_YET_HAPPENED
    is_time_kept = (minutes, started_at) == (old.amount, old.effective_at)
    if is_time_kept and field == old.service.field:
        return CorrectionRefusal.NOTHING_CHANGED
    measured = old.service.measured if is_time_kept else Measured.NEITHER.value
    return old._replace(
        key=key,
        amount=minutes,
        effective_at=started_at,
        service=old.service._replace(field=field, measured=measured),
    )
