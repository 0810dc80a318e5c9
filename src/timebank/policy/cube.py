"""Everybody's service by month: what a forecast, a what-if and facts from plug-ins are made of.

A cube has one row per month and one column per person, so that a month of everybody lies together.
Rows are whole months; what a window needs of them are sums of rows.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from timebank.domain.assurance import Assurance

Matrix = NDArray[np.int32]
"""Shape: months × people."""

Array = TypeVar("Array", bound=NDArray[Any])


class Measure(StrEnum):
    """What a cube sums."""

    MINUTES = "minutes"
    SERVICES = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """A population's service by month.

    Attributes:
        volunteers: Numbers of the people, ascending; the columns.
        first_month: Of the first row, as `month_number` counts.
        sums: Of records of a grade or better, for each grade asked for. Read-only.
        homes: 12-digit division codes; 0 where none is known.
        enrolled: Proleptic ordinals of the days of enrolment.
    """

    volunteers: NDArray[np.int64]
    first_month: int
    sums: Mapping[tuple[Measure, Assurance], Matrix]
    homes: NDArray[np.int64]
    enrolled: NDArray[np.int64]

    @property
    def months(self) -> int:
        """Return how many rows there are."""
        return next((len(each) for each in self.sums.values()), 0)

    @property
    def people(self) -> int:
        """Return how many columns there are."""
        return len(self.volunteers)

    def until(self, on: date) -> "Cube":
        """Return the months that were over at the end of a day, without copying."""
        last = month_number(on)
        ended = last + 1 if on == last_day(last) else last
        rows = max(0, min(self.months, ended - self.first_month))
        return self._with({key: matrix[:rows] for key, matrix in self.sums.items()})

    def only(self, columns: NDArray[np.intp]) -> "Cube":
        """Return some people, in the order given."""
        sums = {key: frozen(matrix[:, columns]) for key, matrix in self.sums.items()}
        return Cube(
            volunteers=frozen(self.volunteers[columns]),
            first_month=self.first_month,
            sums=sums,
            homes=frozen(self.homes[columns]),
            enrolled=frozen(self.enrolled[columns]),
        )

    def _with(self, sums: Mapping[tuple[Measure, Assurance], Matrix]) -> "Cube":
        return Cube(
            volunteers=self.volunteers,
            first_month=self.first_month,
            sums=sums,
            homes=self.homes,
            enrolled=self.enrolled,
        )


def frozen(array: Array) -> Array:
    """Return an array that refuses to be written to."""
    array.flags.writeable = False
    return array


def month_number(day: date) -> int:
    """Return the month of a day, counted from year 0, so that differences are months."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """Return the first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    """Return the last day of a month."""
    year, place = divmod(month, 12)
    return date(year, place + 1, monthrange(year, place + 1)[1])
