"""What is summed of service entries for a report: by volunteer, and by anything that is done."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.definition import Definition
from timebank.ledger.columns import Block, Brought

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
        """Begin with the sums of one grade, each volunteer once, as the roll-ups have them."""
        if len(volunteer):
            self._grow(int(volunteer.max()) + 1)
            sums = self._sum(grade)
            sums.minutes[volunteer] += minutes
            sums.services[volunteer] += services

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


def _add(whole: NDArray[np.int64], part: NDArray[np.int64]) -> None:
    size = min(len(whole), len(part))
    whole[:size] += part[:size]


def _class_of(grade: int) -> Evidence:
    assurance, measured = divmod(grade, _MEASURED)
    return evidence_of(Assurance(assurance), Measured(measured))
