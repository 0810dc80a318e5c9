"""What is summed of service entries for a report: by volunteer, by what is done, and by both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.definition import Definition
from timebank.ledger.columns import Block, Brought, Work

_MEASURED = 4
"""A grade is four times the assurance, and what was measured."""


@dataclass(slots=True)
class _Sum:
    minutes: NDArray[np.int64]
    services: NDArray[np.int64]


@dataclass(slots=True)
class VolunteerSums:
    """Minutes and services of every volunteer, for each grade of evidence apart.

    Attributes:
        size: Volunteers 0 to `size - 1` have a place.
    """

    size: int = 0
    _of: dict[int, _Sum] = field(default_factory=dict)

    def start(
        self,
        grade: int,
        volunteer: NDArray[np.int64],
        minutes: NDArray[np.int64],
        services: NDArray[np.int64],
    ) -> None:
        """Count sums of one grade that were made elsewhere; of a volunteer there may be several."""
        if len(volunteer):
            self._grow(int(volunteer.max()) + 1)
            sums = self._sum(grade)
            # Whole numbers add up exactly in a double below 2**53.
            for whole, part in ((sums.minutes, minutes), (sums.services, services)):
                summed = np.bincount(volunteer, weights=part)
                whole[: len(summed)] += summed.astype(np.int64)

    def take(self, other: "VolunteerSums") -> None:
        """Count everything that another one has counted."""
        self._grow(other.size)
        for grade, sums in other._of.items():
            mine = self._sum(grade)
            mine.minutes[: len(sums.minutes)] += sums.minutes
            mine.services[: len(sums.services)] += sums.services

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        self._grow(int(block.volunteer.max()) + 1)
        for grade in np.unique(block.grade).tolist():
            rows = block.grade == grade
            volunteer, minutes = block.volunteer[rows], block.minutes[rows]
            sums = self._sum(grade)
            np.add.at(sums.minutes, volunteer, sign * minutes.astype(np.int64))
            np.add.at(sums.services, volunteer, sign * np.sign(minutes).astype(np.int64))

    def bring(self, brought: Brought, sign: int) -> None:
        """Count months that were brought from other books."""
        if not len(brought.seq):
            return
        self._grow(int(brought.volunteer.max()) + 1)
        for grade in np.unique(brought.grade).tolist():
            rows = brought.grade == grade
            sums = self._sum(grade)
            np.add.at(sums.minutes, brought.volunteer[rows], sign * brought.minutes[rows])
            np.add.at(sums.services, brought.volunteer[rows], sign * brought.services[rows])

    def copy(self) -> "VolunteerSums":
        """Return another one that starts as this one is."""
        of = {
            key: _Sum(sums.minutes.copy(), sums.services.copy()) for key, sums in self._of.items()
        }
        return VolunteerSums(self.size, of)

    def of(self, volunteers: NDArray[np.int64]) -> "VolunteerSums":
        """Return the sums of some volunteers, as those of 0 and so on in their order."""
        inside = volunteers < self.size
        known = volunteers[inside]
        found = VolunteerSums(len(volunteers))
        for grade, sums in self._of.items():
            of = found._sum(grade)
            of.minutes[inside], of.services[inside] = sums.minutes[known], sums.services[known]
        return found

    def active(self, definition: Definition, *, size: int) -> NDArray[np.bool_]:
        """Return who is active by a definition. Shape: `(size,)`, a place for each volunteer."""
        minutes, services = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for grade, sums in self._of.items():
            if definition.counts(*divmod(grade, _MEASURED)):
                _add(minutes, sums.minutes)
                _add(services, sums.services)
        return (minutes > definition.minutes_above) & (services >= definition.services_min)

    def minutes(self, evidence: Evidence, *, size: int) -> NDArray[np.int64]:
        """Return the minutes of a class of evidence. Shape: `(size,)`."""
        found = np.zeros(size, np.int64)
        for grade, sums in self._of.items():
            if _class_of(grade) is evidence:
                _add(found, sums.minutes)
        return found

    def services(self, *, size: int) -> NDArray[np.int64]:
        """Return the services of every evidence. Shape: `(size,)`."""
        found = np.zeros(size, np.int64)
        for sums in self._of.values():
            _add(found, sums.services)
        return found

    def _sum(self, grade: int) -> _Sum:
        found = self._of.get(grade)
        if found is None:
            found = _Sum(np.zeros(self.size, np.int64), np.zeros(self.size, np.int64))
            self._of[grade] = found
        return found

    def _grow(self, size: int) -> None:
        if size <= self.size:
            return
        # Room for some more, so that a day of enrolments does not move everything each time.
        self.size = size + size // 64 + 64
        for sums in self._of.values():
            sums.minutes = np.pad(sums.minutes, (0, self.size - len(sums.minutes)))
            sums.services = np.pad(sums.services, (0, self.size - len(sums.services)))


@dataclass(slots=True)
class _Counts:
    """Sums by whole numbers of which few occur: keys in order, and a column of sums for each."""

    keys: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    sums: NDArray[np.int64] = field(default_factory=lambda: np.empty((2, 0), np.int64))

    def add(self, keys: NDArray[np.int64], minutes: NDArray[np.int64], sign: int) -> None:
        """Add minutes, and one service each, to keys; those that come to nothing stay."""
        found, place = np.unique(keys, return_inverse=True)
        sums = np.zeros((2, len(found)), np.int64)
        np.add.at(sums[0], place, sign * minutes)
        np.add.at(sums[1], place, sign * np.sign(minutes))
        at = np.searchsorted(self.keys, found)
        is_known = np.zeros(len(found), np.bool_)
        inside = at < len(self.keys)
        is_known[inside] = self.keys[at[inside]] == found[inside]
        self.sums[:, at[is_known]] += sums[:, is_known]
        is_new = ~is_known
        if is_new.any():
            # Where each new key stands among the old ones and the new ones before it.
            place_of_new = at[is_new] + np.arange(int(is_new.sum()))
            is_old = np.ones(len(self.keys) + len(place_of_new), np.bool_)
            is_old[place_of_new] = False
            whole = np.empty((3, len(is_old)), np.int64)
            whole[0, is_old], whole[1:, is_old] = self.keys, self.sums
            whole[0, place_of_new], whole[1:, place_of_new] = found[is_new], sums[:, is_new]
            self.keys, self.sums = whole[0], whole[1:]

    def copy(self) -> "_Counts":
        return _Counts(self.keys.copy(), self.sums.copy())


_WORK_BITS = 33
_GRADE_BITS = 4
_GROUP_BITS = 20
_GROUP_MASK = (1 << _GROUP_BITS) - 1


@dataclass(slots=True)
class WorkSums:
    """Minutes and services of every kind of work by grade, and when it was done."""

    _by_grade: _Counts = field(default_factory=_Counts)
    _by_occasion: _Counts = field(default_factory=_Counts)

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        work, minutes = block.work.astype(np.int64), block.minutes.astype(np.int64)
        self._by_grade.add(work << _GRADE_BITS | block.grade, minutes, sign)
        shift = block.shift.astype(np.int64)
        # A shift is an occasion; without one, what is done on a day is.
        when = np.where(shift > 0, shift << 1 | 1, block.day.astype(np.int64) << 1)
        self._by_occasion.add(work << _WORK_BITS | when, minutes, sign)

    def bring(self, brought: Brought, sign: int) -> None:
        """Leave out months that were brought: nobody knows what was done in them."""

    def copy(self) -> "WorkSums":
        """Return another one that starts as this one is."""
        return WorkSums(self._by_grade.copy(), self._by_occasion.copy())

    def minutes(self, evidence: Evidence | None, *, size: int) -> NDArray[np.int64]:
        """Return the minutes of each work, of a class of evidence or of all. Shape: `(size,)`."""
        return self._summed(0, evidence, size)

    def services(self, *, size: int) -> NDArray[np.int64]:
        """Return the services of each work. Shape: `(size,)`."""
        return self._summed(1, None, size)

    def occasions(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return when each work was done, by somebody at least.

        Shape: three columns: place of the work, shift or 0, day or 0.
        """
        keys = self._by_occasion.keys[self._by_occasion.sums[1] > 0]
        work, when = keys >> _WORK_BITS, keys & ((1 << _WORK_BITS) - 1)
        is_shift = (when & 1).astype(np.bool_)
        return work, np.where(is_shift, when >> 1, 0), np.where(is_shift, 0, when >> 1)

    def filled(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return how many services each shift has. Shape: columns work, shift, services."""
        services = self._by_occasion.sums[1]
        keys = self._by_occasion.keys
        rows = (services > 0) & ((keys & 1) == 1)
        when = keys[rows] & ((1 << _WORK_BITS) - 1)
        return keys[rows] >> _WORK_BITS, when >> 1, services[rows]

    def _summed(self, column: int, evidence: Evidence | None, size: int) -> NDArray[np.int64]:
        keys, sums = self._by_grade.keys, self._by_grade.sums[column]
        grades = keys & ((1 << _GRADE_BITS) - 1)
        found = np.zeros(size, np.int64)
        for grade in np.unique(grades).tolist():
            if evidence is None or _class_of(grade) is evidence:
                rows = grades == grade
                np.add.at(found, keys[rows] >> _GRADE_BITS, sums[rows])
        return found


@dataclass(slots=True)
class DaySums:
    """Minutes and services of every day by grade."""

    _by_grade: _Counts = field(default_factory=_Counts)

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        day = block.day.astype(np.int64)
        self._by_grade.add(day << _GRADE_BITS | block.grade, block.minutes.astype(np.int64), sign)

    def bring(self, brought: Brought, sign: int) -> None:
        """Leave out months that were brought: nobody knows their days."""

    def copy(self) -> "DaySums":
        """Return another one that starts as this one is."""
        return DaySums(self._by_grade.copy())

    def by_day(self) -> dict[int, tuple[int, tuple[int, ...]]]:
        """Return services, and minutes by class of evidence, of each day from 1970-01-01."""
        found: dict[int, list[int]] = {}
        classes = list(Evidence)
        for key, minutes, services in zip(
            self._by_grade.keys.tolist(), *self._by_grade.sums.tolist(), strict=True
        ):
            day, grade = divmod(key, 1 << _GRADE_BITS)
            row = found.setdefault(day, [0] * (len(classes) + 1))
            row[0] += services
            row[1 + classes.index(_class_of(grade))] += minutes
        return {day: (row[0], tuple(row[1:])) for day, row in found.items()}


@dataclass(slots=True)
class PairSums:
    """Minutes and services of every volunteer in every group of works, by grade.

    Attributes:
        works: The book's list of works, which grows.
        group_of: The group of a work, 0 to 2**20 - 1.
    """

    works: Sequence[Work]
    group_of: Callable[[Work], int]
    _groups: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _counts: _Counts = field(default_factory=_Counts)

    def add(self, block: Block, sign: int) -> None:
        """Count entries, or with -1 take them off again."""
        known = len(self._groups)
        if known < len(self.works):
            new = [self.group_of(work) for work in self.works[known:]]
            self._groups = np.append(self._groups, np.array(new, np.int64))
        group = self._groups[block.work]
        volunteer = block.volunteer.astype(np.int64)
        key = volunteer << (_GROUP_BITS + _GRADE_BITS) | group << _GRADE_BITS | block.grade
        self._counts.add(key, block.minutes.astype(np.int64), sign)

    def bring(self, brought: Brought, sign: int) -> None:
        """Leave out months that were brought: nobody knows what was done in them."""

    def copy(self) -> Self:
        """Return another one that starts as this one is."""
        return type(self)(self.works, self.group_of, self._groups, self._counts.copy())

    def by_group(
        self, definition: Definition, *, is_counted: NDArray[np.bool_]
    ) -> dict[int, tuple[int, int, tuple[int, ...]]]:
        """Return active people, services, and minutes by class of evidence, of each group.

        `is_counted` says of each volunteer by number whether they are.
        """
        keys, (minutes, services) = self._counts.keys, self._counts.sums
        volunteer = keys >> (_GROUP_BITS + _GRADE_BITS)
        rows = volunteer < len(is_counted)
        rows[rows] = is_counted[volunteer[rows]]
        keys, minutes, services = keys[rows], minutes[rows], services[rows]
        grades = keys & ((1 << _GRADE_BITS) - 1)
        group = keys >> _GRADE_BITS & _GROUP_MASK
        size = int(group.max()) + 1 if len(group) else 0
        of_class = {each: np.zeros(size, np.int64) for each in Evidence}
        counts = np.zeros(len(keys), np.bool_)
        for grade in np.unique(grades).tolist():
            chosen = grades == grade
            of_class[_class_of(grade)] += _summed(group[chosen], minutes[chosen], size)
            if definition.counts(*divmod(grade, _MEASURED)):
                counts |= chosen
        done = _summed(group, services, size)
        # The keys are in order, so that all grades of a pair stand together.
        pair = keys[counts] >> _GRADE_BITS
        first = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
        pair = pair[first]
        is_active = np.zeros(len(pair), np.bool_)
        if len(pair):
            is_active = (np.add.reduceat(minutes[counts], first) > definition.minutes_above) & (
                np.add.reduceat(services[counts], first) >= definition.services_min
            )
        active = np.bincount(pair[is_active] & _GROUP_MASK, minlength=size)
        return {
            each: (
                int(active[each]),
                int(done[each]),
                tuple(int(of_class[evidence][each]) for evidence in Evidence),
            )
            for each in np.flatnonzero(np.bincount(group, minlength=size)).tolist()
        }


def _summed(group: NDArray[np.int64], values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    # Whole numbers add up exactly in a double below 2**53.
    return np.bincount(group, weights=values, minlength=size).astype(np.int64)


def _add(whole: NDArray[np.int64], part: NDArray[np.int64]) -> None:
    size = min(len(whole), len(part))
    whole[:size] += part[:size]


def _class_of(grade: int) -> Evidence:
    assurance, measured = divmod(grade, _MEASURED)
    return evidence_of(Assurance(assurance), Measured(measured))
