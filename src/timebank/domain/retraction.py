"""Taking back a wrong reading before the shift is closed: the newest end of a stay, as one act."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.attendance import Direction, ScanFacts

REASON = "扫错了，在这一场结束前撤销"
"""Kept with the entry that takes a credit back, where whoever corrects writes why."""


class RetractionRefusal(StrEnum):
    """Why nothing was taken back, in order of precedence."""

    SHIFT_CLOSED = "retraction.shift_closed"
    NOT_THERE = "retraction.not_there"
    CORRECTED = "retraction.corrected"


@dataclass(frozen=True, slots=True)
class Retracted:
    """The reading is taken back and stays on record.

    Attributes:
        direction: Which end: the departure where there is one, else the arrival.
        at: When that end had been read.
    """

    direction: Direction
    at: datetime


@dataclass(frozen=True, slots=True)
class RetractionRefused:
    """Nothing is written."""

    reason: RetractionRefusal


def decide_retraction(facts: ScanFacts | None) -> Retracted | RetractionRefused:
    """Decide which end of a stay is taken back; nobody is known has no facts."""
    if facts is not None and facts.closed_at is not None:
        return RetractionRefused(RetractionRefusal.SHIFT_CLOSED)
    if facts is None or facts.arrived_at is None:
        return RetractionRefused(RetractionRefusal.NOT_THERE)
    if facts.left_at is not None:
        return Retracted(Direction.LEAVE, facts.left_at)
    return Retracted(Direction.ARRIVE, facts.arrived_at)
