"""What a year of services comes to: of every volunteer by month, of every place by day.

Small enough to be stored beside the journal, so that a process that knows nothing yet reads some
megabytes and the newest entries instead of a year of them. It is made of entries 1 to n, says so,
and `timebank audit` makes it again.
"""

import io
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.ledger.columns import Block, Brought, Span, Work, day_number

MONTHS = 12
MEASURED = 4
"""A grade is four times the assurance, and what was measured."""

GRADES = 16
_MONTH_BITS = 4
_GRADE_BITS = 4
_LOOSE_MAX = 200_000
"""Rows that wait before they are summed: what is asked of them only adds them up."""

_FEW = 2_000
"""So many are counted one by one sooner than over a whole year of days."""

Numbers = NDArray[np.int64]


class YearSums:
    """Minutes and services of a year.

    Attributes:
        year: Whose days are counted.
    """

    def __init__(self, works: Sequence[Work], year: int) -> None:
        self._works = works
        self.year = year
        self._first = day_number(date(year, 1, 1))
        self._month_of = month_of_days(year)
        self._base = np.zeros((3, 0), np.int64)
        self._loose: list[Numbers] = []
        self._place_of: dict[int, int] = {}
        self._place_of_work = np.zeros(0, np.int64)
        self._days = np.zeros((2, 0, len(Evidence), len(self._month_of)), np.int64)

    @classmethod
    def read(cls, content: bytes, *, works: Sequence[Work], year: int) -> "YearSums":
        """Return the sums whose bytes these are."""
        found = cls(works, year)
        with np.load(io.BytesIO(content), allow_pickle=False) as parts:
            keys = parts["volunteer"].astype(np.int64) << (_MONTH_BITS + _GRADE_BITS)
            keys |= parts["part"]
            found._base = np.stack((keys, parts["minutes"], parts["services"])).astype(np.int64)
            found._place_of = {code: at for at, code in enumerate(parts["places"].tolist())}
            found._days = parts["days"].astype(np.int64)
        return found

    def packed(self) -> bytes:
        """Return its bytes; the same sums have the same, whatever order they were counted in."""
        self._sum_loose()
        keys, minutes, services = self._base
        places, days = self.days()
        buffer = io.BytesIO()
        np.savez(
            buffer,
            volunteer=(keys >> (_MONTH_BITS + _GRADE_BITS)).astype("<i4"),
            part=(keys & 0xFF).astype(np.uint8),
            minutes=minutes.astype("<i4"),
            services=services.astype("<i4"),
            places=places.astype("<i8"),
            days=days.astype("<i4"),
        )
        return buffer.getvalue()

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        self._learn_places()
        day = block.day - self._first
        minutes = sign * block.minutes.astype(np.int64)
        services = sign * np.sign(block.minutes).astype(np.int64)
        self._count(block.volunteer, self._month_of[day], block.grade, minutes, services)
        at = self._place_of_work[block.work] * len(Evidence) + CLASS_OF[block.grade]
        at = at * len(self._month_of) + day
        for whole, numbers in zip(self._days.reshape(2, -1), (services, minutes), strict=True):
            if len(at) > _FEW:
                # Whole numbers add up exactly in a double below 2**53.
                summed = np.bincount(at, weights=numbers)
                whole[: len(summed)] += summed.astype(np.int64)
            else:
                np.add.at(whole, at, numbers)

    def bring(self, brought: Brought, sign: int) -> None:
        """Count months that were brought from other books; their days and places are not known."""
        if not len(brought.seq):
            return
        self._count(
            brought.volunteer,
            self._month_of[brought.first_day - self._first],
            brought.grade,
            sign * brought.minutes,
            sign * brought.services,
        )

    def copy(self) -> "YearSums":
        """Return another one that starts as this one is."""
        other = YearSums(self._works, self.year)
        # Rows are never changed in place.
        other._base, other._loose = self._base, list(self._loose)
        other._place_of = dict(self._place_of)
        other._place_of_work = self._place_of_work
        other._days = self._days.copy()
        return other

    def rows(self) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
        """Return the sums by volunteer, month from 0, and grade: some of them in several rows.

        Shape: five columns: volunteer, month, grade, minutes, services.
        """
        keys, minutes, services = np.hstack((self._base, *self._loose))
        return (
            keys >> (_MONTH_BITS + _GRADE_BITS),
            keys >> _GRADE_BITS & (1 << _MONTH_BITS) - 1,
            keys & (1 << _GRADE_BITS) - 1,
            minutes,
            services,
        )

    def of(self, volunteers: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
        """Return the rows of some volunteers, in order of number, each by its place among them.

        Shape: as `rows` has them.

        Cost: a look-up for each volunteer, and whatever was counted since the sums were made.
        """
        bits = _MONTH_BITS + _GRADE_BITS
        starts = np.searchsorted(self._base[0], volunteers << bits)
        counts = np.searchsorted(self._base[0], (volunteers + 1) << bits) - starts
        # Of each volunteer the rows from the first on, side by side.
        ends = np.cumsum(counts)
        taken = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(
            starts - ends + counts, counts
        )
        loose = (part[:, np.isin(part[0] >> bits, volunteers)] for part in self._loose)
        keys, minutes, services = np.hstack((self._base[:, taken], *loose))
        return (
            np.searchsorted(volunteers, keys >> bits),
            keys >> _GRADE_BITS & (1 << _MONTH_BITS) - 1,
            keys & (1 << _GRADE_BITS) - 1,
            minutes,
            services,
        )

    def days(self) -> tuple[Numbers, Numbers]:
        """Return places, and services and minutes of each day at each of them.

        Shape: `(places,)` codes; `(2, places, classes of evidence, days of the year)`.
        """
        places = sorted(place for place, at in self._place_of.items() if self._days[:, at].any())
        return np.array(places, np.int64), self._days[:, [self._place_of[each] for each in places]]

    def _count(
        self,
        volunteer: NDArray[np.integer],
        month: NDArray[np.integer],
        grade: NDArray[np.integer],
        minutes: Numbers,
        services: Numbers,
    ) -> None:
        keys = volunteer.astype(np.int64) << _MONTH_BITS | month.astype(np.int64)
        keys = keys << _GRADE_BITS | grade.astype(np.int64)
        self._loose.append(np.stack((keys, minutes, services)))
        if sum(part.shape[1] for part in self._loose) > _LOOSE_MAX:
            self._sum_loose()

    def _sum_loose(self) -> None:
        if not self._loose:
            return
        keys, minutes, services = np.hstack((self._base, *self._loose))
        found, place = np.unique(keys, return_inverse=True)
        # Whole numbers add up exactly in a double below 2**53.
        sums = [
            np.bincount(place, weights=numbers, minlength=len(found)).astype(np.int64)
            for numbers in (minutes, services)
        ]
        is_there = (sums[0] != 0) | (sums[1] != 0)
        self._base = np.stack((found, *sums))[:, is_there]
        self._loose = []

    def _learn_places(self) -> None:
        known = len(self._place_of_work)
        if known == len(self._works):
            return
        fresh = [
            self._place_of.setdefault(work.place, len(self._place_of))
            for work in self._works[known:]
        ]
        self._place_of_work = np.concatenate((self._place_of_work, np.array(fresh, np.int64)))
        more = len(self._place_of) - self._days.shape[1]
        self._days = np.pad(self._days, ((0, 0), (0, more), (0, 0), (0, 0)))


def span_of_year(year: int) -> Span:
    """Return the days of a year as columns count them."""
    return Span(day_number(date(year, 1, 1)), day_number(date(year, 12, 31)))


CLASS_OF = np.array(
    [
        list(Evidence).index(evidence_of(Assurance(grade // MEASURED), Measured(grade % MEASURED)))
        for grade in range(GRADES)
    ]
)
"""The class of evidence of each grade."""


@cache
def month_of_days(year: int) -> Numbers:
    """Return the month of each day of a year, from 0. Not to be changed."""
    first = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - first).days
    return np.array([(first + timedelta(days=day)).month - 1 for day in range(length)])
