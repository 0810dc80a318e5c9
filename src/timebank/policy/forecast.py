"""The months ahead, by three named methods, each judged on the last twelve months.

No method is right, so none is given alone: each makes a cube with months to come, the same rules
are simulated over it, and what it would have said a year ago is held against what came. The
intervals are as wide as those errors were. The seed is an argument: the same seed, the same months.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from timebank.domain.assurance import Assurance
from timebank.policy.cube import Cube, Matrix, Measure, first_day, frozen

YEAR = 12
"""Months of the pattern that repeats: seasons are the strongest regularity of service."""

CLASS_MINUTES = (1, 600, 3_000, 9_000)
"""Where activity classes begin, in minutes of the last year: none, some, 10, 50, 150 hours."""

GROWTH_MAX = 4
"""No cohort is let grow or shrink by more than this factor in a year: small ones jump."""


class Method(StrEnum):
    """How months to come are made of months that were."""

    LAST_YEAR = "last_year"
    """Everybody does again what they did in the same month of the last year."""
    COHORT_TREND = "cohort_trend"
    """The same, times how the hours of everybody enrolled in the same year grew in a year."""
    BOOTSTRAP = "bootstrap"
    """Everybody does in a month what somebody as active did in that month of the last year."""


def extend(cube: Cube, *, months: int, method: Method, seed: int = 0) -> Cube:
    """Return a cube with months to come.

    Raises:
        ValueError: There are fewer than twelve months to learn from.
    """
    if cube.months < YEAR:
        raise ValueError("a forecast needs twelve months of history")
    match method:
        case Method.LAST_YEAR:
            made = {key: _repeat(matrix, months) for key, matrix in cube.sums.items()}
        case Method.COHORT_TREND:
            made = _trend(cube, months)
        case Method.BOOTSTRAP:
            made = _bootstrap(cube, months, seed)
    return Cube(
        volunteers=cube.volunteers,
        first_month=cube.first_month,
        sums={
            key: frozen(np.concatenate([matrix, made[key]])) for key, matrix in cube.sums.items()
        },
        homes=cube.homes,
        enrolled=cube.enrolled,
    )


def without_last_year(cube: Cube) -> Cube:
    """Return the cube as it was twelve months before its end: what a forecast would have known.

    Whoever enrolled later is there with nothing: a forecast cannot know them; its error says so.
    """
    return cube.until(
        date.fromordinal(first_day(cube.first_month + cube.months - YEAR).toordinal() - 1)
    )


@dataclass(frozen=True, slots=True)
class BackTest:
    """How far off a method was over the last twelve months.

    Attributes:
        said: What it would have said, of each month.
        came: What came.
    """

    method: Method
    said: tuple[int, ...]
    came: tuple[int, ...]

    @property
    def error(self) -> tuple[int, int]:
        """Return how much the year was off, and what it was: a signed ratio, in whole numbers."""
        return sum(self.said) - sum(self.came), sum(self.came)

    @property
    def per_mille(self) -> int | None:
        """Return the year's error in thousandths of what came; None where nothing came."""
        off, came = self.error
        return None if came == 0 else round(off * 1_000 / came)

    @property
    def monthly_per_mille(self) -> int | None:
        """Return the mean absolute error of a month in thousandths of a mean month."""
        came = sum(self.came)
        off = sum(abs(one - other) for one, other in zip(self.said, self.came, strict=True))
        return None if came == 0 else round(off * 1_000 / came)

    def interval(self, point: int) -> tuple[int, int]:
        """Return from where to where a forecast of a year may lie, by how far off it was.

        At least a twentieth either way: one year's luck is no proof of exactness.
        """
        off, came = self.error
        share = max(abs(off) / came if came else 1.0, 0.05)
        return max(0, round(point * (1 - share))), round(point * (1 + share))


def _repeat(matrix: Matrix, months: int) -> Matrix:
    last = matrix[-YEAR:]
    return last[np.arange(months) % YEAR]


def _trend(cube: Cube, months: int) -> dict[tuple[Measure, Assurance], Matrix]:
    cohorts = np.array([date.fromordinal(int(day)).year for day in cube.enrolled], dtype=np.int64)
    last_year = (cube.first_month + cube.months - 1) // YEAR
    minutes = cube.sums[Measure.MINUTES, Assurance.A0].astype(np.int64)
    growth: dict[int, float] = {}
    for cohort in np.unique(cohorts):
        of_it = cohorts == cohort
        now = int(minutes[-YEAR:, of_it].sum())
        before = int(minutes[-2 * YEAR : -YEAR, of_it].sum())
        # Who enrolled within the two years compared has no year to compare with.
        if cohort < last_year - 1 and before > 0 and now > 0:
            growth[int(cohort)] = min(max(now / before, 1 / GROWTH_MAX), GROWTH_MAX)
    factors = np.array([growth.get(int(cohort), 1.0) for cohort in cohorts])
    made: dict[tuple[Measure, Assurance], Matrix] = {}
    for key, matrix in cube.sums.items():
        ahead = _repeat(matrix, months).astype(np.float64)
        for row in range(months):
            ahead[row] *= factors ** (row // YEAR + 1)
        made[key] = np.rint(ahead).astype(np.int32)
    return made


def _bootstrap(cube: Cube, months: int, seed: int) -> dict[tuple[Measure, Assurance], Matrix]:
    random = np.random.default_rng(seed)
    last = cube.sums[Measure.MINUTES, Assurance.A0][-YEAR:]
    classes = np.searchsorted(CLASS_MINUTES, last.sum(axis=0), side="right")
    members = [np.flatnonzero(classes == each) for each in range(len(CLASS_MINUTES) + 1)]
    made = {key: np.empty((months, cube.people), dtype=np.int32) for key in cube.sums}
    for row in range(months):
        drawn = np.empty(cube.people, dtype=np.int64)
        for of_class in members:
            if len(of_class):
                drawn[of_class] = of_class[random.integers(0, len(of_class), len(of_class))]
        for key, matrix in cube.sums.items():
            made[key][row] = matrix[-YEAR + row % YEAR, drawn]
    return made
