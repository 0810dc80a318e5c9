"""When an entry may be taken back."""

from dataclasses import dataclass
from enum import StrEnum

from timebank.domain.posting import Entry

REASON_LENGTH_MIN = 2
REASON_LENGTH_MAX = 500
"""Between these a reason says something and can be read out."""


class CorrectionRefusal(StrEnum):
    """Why an entry stands, in order of precedence."""

    REASON_LENGTH = "correction.reason_length"
    IS_REVERSAL = "correction.is_reversal"
    ALREADY_REVERSED = "correction.already_reversed"
    SPENT = "correction.spent"


@dataclass(frozen=True, slots=True)
class Reversed:
    """The entry is taken back by entry `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class CorrectionRefused:
    """Nothing is written."""

    reason: CorrectionRefusal


def decide_reversal(entry: Entry, *, reason: str) -> CorrectionRefusal | None:
    """Return why an entry cannot be taken back, or None; the reason's text has been cleaned.

    A reversal is final: what was taken back by mistake is recorded anew.
    """
    if not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        return CorrectionRefusal.REASON_LENGTH
    if entry.transfer.reverses is not None:
        return CorrectionRefusal.IS_REVERSAL
    if entry.is_reversed:
        return CorrectionRefusal.ALREADY_REVERSED
    return None
