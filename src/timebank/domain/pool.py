"""A pool: a budget or a stock that is never exceeded."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WhenOut(StrEnum):
    """What becomes of those whose turn comes when a pool is empty."""

    REFUSE = "refuse"
    QUEUE = "queue"
    PRO_RATA = "pro_rata"
    RANK = "rank"


class PoolRefusal(StrEnum):
    """Why a pool is not opened or filled, in order of precedence."""

    CODE_MALFORMED = "pool.code_malformed"
    TITLE_LENGTH = "pool.title_length"
    DAYS_REVERSED = "pool.days_reversed"
    AMOUNT_OUT_OF_RANGE = "pool.amount_out_of_range"
    CODE_TAKEN = "pool.code_taken"


TITLE_LENGTH_MAX = 60
"""A line on a phone."""

FUND_MAX = 10**13
"""Most fen, or pieces, of one payment into a pool: a hundred thousand million yuan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A budget or a stock of a county.

    Attributes:
        code: By which rules name it.
        unit: What it holds: fen, or an item.
        until_on: The last local day; None without an end.
    """

    book: int
    id: int
    code: str
    title: str
    title_en: str
    owner: str
    unit: int
    when_out: WhenOut
    from_on: date
    until_on: date | None

    def is_open(self, *, on: date) -> bool:
        """Return whether the pool pays on a day."""
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)


@dataclass(frozen=True, slots=True)
class PoolRefused:
    """Nothing is written."""

    reason: PoolRefusal
