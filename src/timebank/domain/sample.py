"""Samples that an office checks: drawn so that anybody can draw them again, weighted by risk.

The seed is the root of the first signed checkpoint that covers the period: it was not known before
the last entry of the period was made, and whoever draws has no choice. Each entry's place is the
order of SHA-256 over the seed and its number, within its stratum. The strata are the classes of
evidence, apart for organizers with an open signal; how many come from each follows weight and size.
Source: Order 67 (2021): offices draw samples, check and publish. SHA-256, FIPS 180-4.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from timebank.domain.assurance import Evidence
from timebank.domain.population import share_out

SIZE_MAX = 500
"""The largest sample: more is an audit, not a sample."""

NOTE_LENGTH_MAX = 300
"""The longest note to a checked entry."""

EVIDENCE_WEIGHT: Mapping[Evidence, int] = {
    Evidence.DECLARED: 4,
    Evidence.CONFIRMED: 2,
    Evidence.SCANNED: 1,
}
"""How much likelier an entry is drawn than a scanned one. Ours: no rule names weights."""

FLAGGED_FACTOR = 3
"""How much likelier where the organizer has an open signal. Ours as well."""


class CheckResult(StrEnum):
    """What the check of a drawn entry found."""

    TRUE = "true"
    WRONG = "wrong"
    UNCLEAR = "unclear"


class SampleRefusal(StrEnum):
    """Why nothing was drawn, noted or published, in order of precedence."""

    PERIOD_OPEN = "sample.period_open"
    SIZE = "sample.size"
    ALREADY_DRAWN = "sample.already_drawn"
    EMPTY = "sample.empty"
    NOT_SIGNED = "sample.not_signed"
    PUBLISHED = "sample.published"
    NOTE_LENGTH = "sample.note_length"
    OWN_HOURS = "sample.own_hours"
    UNCHECKED = "sample.unchecked"


class Stratum(NamedTuple):
    """Entries that are drawn with one probability."""

    evidence: Evidence
    is_flagged: bool

    @property
    def code(self) -> str:
        """A stable name, such as `declared` or `declared+`; the plus is an open signal."""
        return self.evidence.value + ("+" if self.is_flagged else "")

    @classmethod
    def of_code(cls, code: str) -> "Stratum":
        """Return the stratum of a stable name."""
        return cls(Evidence(code.removesuffix("+")), code.endswith("+"))


STRATA = tuple(Stratum(evidence, flagged) for evidence in Evidence for flagged in (True, False))
"""Every stratum, in the order in which results are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A drawn sample.

    Attributes:
        region: The division whose services were drawn from.
        first_on: First local day of the period in which they were recorded.
        after_last_on: The day after its last.
        after: The last entry before the period.
        until_seq: The last entry in it.
        seed: Root of the checkpoint, hexadecimal.
        seed_size: How many entries the checkpoint covers.
        flagged: Organizations that had an open signal when it was drawn.
        counts: How many entries each stratum held; by code.
        published_at: None while it is being checked.
    """

    book: int
    number: int
    region: int
    first_on: date
    after_last_on: date
    after: int
    until_seq: int
    seed: str
    seed_size: int
    size: int
    flagged: tuple[int, ...]
    counts: Mapping[str, int]
    drawn_by: UUID
    drawn_at: datetime
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One drawn entry, and what its check found.

    Attributes:
        result: None before the check.
    """

    seq: int
    stratum: Stratum
    result: CheckResult | None = None
    note: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SampleRefused:
    """Nothing is written."""

    reason: SampleRefusal


def draw_key(seed: str, seq: int) -> bytes:
    """Return what orders the entries of a stratum: SHA-256 over `seed/seq` in UTF-8."""
    return hashlib.sha256(f"{seed}/{seq}".encode()).digest()


def allocate(size: int, counts: Mapping[Stratum, int]) -> dict[Stratum, int]:
    """Return how many entries each stratum gives: by weight times count, never more than it holds.

    Each that holds any gives one first, where the size allows it: nothing goes unlooked at. What a
    full stratum cannot give goes to the others in the same way.

    Shape: one item per stratum that holds any, in the order of `STRATA`.
    """
    left = {each: counts[each] for each in STRATA if counts.get(each)}
    given = dict.fromkeys(left, 0)
    if size >= len(left):
        given = dict.fromkeys(left, 1)
        left = {each: count - 1 for each, count in left.items() if count > 1}
    wanted = min(size - sum(given.values()), sum(left.values()))
    while wanted:
        order = list(left)
        shares = share_out(
            wanted, {place: _weight(each) * left[each] for place, each in enumerate(order)}
        )
        for place, share in shares.items():
            each = order[place]
            taken = min(share, left[each])
            given[each] += taken
            left[each] -= taken
            wanted -= taken
        left = {each: count for each, count in left.items() if count}
    return given


def draw(seed: str, entries: Iterable[tuple[Stratum, int]], *, size: int) -> list[SampleItem]:
    """Draw a sample from the entries of a period: what the database does, for whoever repeats it.

    Shape: by stratum in the order of `STRATA`, then by entry.
    """
    by_stratum: dict[Stratum, list[int]] = {each: [] for each in STRATA}
    for stratum, seq in entries:
        by_stratum[stratum].append(seq)
    given = allocate(size, {each: len(seqs) for each, seqs in by_stratum.items()})
    return [
        SampleItem(seq, stratum)
        for stratum, count in given.items()
        for seq in sorted(sorted(by_stratum[stratum], key=lambda seq: draw_key(seed, seq))[:count])
    ]


def decide_draw(
    *, is_over: bool, size: int, is_drawn: bool, has_entries: bool, is_signed: bool
) -> SampleRefusal | None:
    """Return why a sample cannot be drawn, or None: of a period and division it is drawn once."""
    if not is_over:
        return SampleRefusal.PERIOD_OPEN
    if not 1 <= size <= SIZE_MAX:
        return SampleRefusal.SIZE
    if is_drawn:
        return SampleRefusal.ALREADY_DRAWN
    if not has_entries:
        return SampleRefusal.EMPTY
    if not is_signed:
        return SampleRefusal.NOT_SIGNED
    return None


def _weight(stratum: Stratum) -> int:
    return EVIDENCE_WEIGHT[stratum.evidence] * (FLAGGED_FACTOR if stratum.is_flagged else 1)
