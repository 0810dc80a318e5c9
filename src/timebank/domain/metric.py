"""The registry of metrics: what each number counts, in which unit, and when there is none.

A metric's words are in the message catalogs: `metric.<name>` is its label and
`metric.<name>.definition` one sentence that says what it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class MetricUnit(StrEnum):
    """What a metric counts."""

    PEOPLE = "people"
    MINUTES = "minutes"
    SERVICES = "services"
    PER_10K = "per_10k"
    """Ten-thousandths, rounded half up: 1,576 is 15.76 %."""


class Basis(StrEnum):
    """What puts a number into a division."""

    HOME = "home"
    """The home of the volunteer on the window's last day, wherever the service was done."""
    PLACE = "place"
    """Where it was done, whoever did it."""


class Adding(StrEnum):
    """How a metric of a whole follows from those of its parts."""

    SUM = "sum"
    """It is their sum."""
    DISTINCT = "distinct"
    """Whoever is in several parts counts once, so the whole may be less than the sum."""
    LAST = "last"
    """A state at the end of the window: that of the last part."""
    RATIO = "ratio"
    """It is made again from the whole's own parts; ratios are never averaged."""


class Breakdown(StrEnum):
    """What the rows of a table are."""

    REGION = "region"
    """Every division of the scope, parents before their children."""
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What one number counts.

    Attributes:
        over_regions: How a division's number follows from those below it.
        over_time: How a year's number follows from those of its months.
        undefined: When there is no number, which is never shown as 0.
        breakdowns: What its rows may be.
    """

    name: str
    unit: MetricUnit
    basis: Basis
    over_regions: Adding
    over_time: Adding
    undefined: str
    breakdowns: frozenset[Breakdown]

    @property
    def label(self) -> str:
        """The message code of its name."""
        return f"metric.{self.name}"

    @property
    def sentence(self) -> str:
        """The message code of the sentence that says what it counts."""
        return f"metric.{self.name}.definition"


def _metric(
    name: str,
    unit: MetricUnit,
    *,
    basis: Basis = Basis.HOME,
    over_regions: Adding = Adding.SUM,
    over_time: Adding = Adding.SUM,
    undefined: str = "never: nothing done is 0",
    breakdowns: frozenset[Breakdown] = frozenset(Breakdown),
) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        basis=basis,
        over_regions=over_regions,
        over_time=over_time,
        undefined=undefined,
        breakdowns=breakdowns,
    )


_NO_RESIDENTS = "no source knows how many live there by then, or it says nobody does"

METRICS: Mapping[str, Metric] = {
    each.name: each
    for each in (
        _metric("registered", MetricUnit.PEOPLE, over_time=Adding.LAST),
        _metric("active", MetricUnit.PEOPLE, over_time=Adding.DISTINCT),
        _metric(
            "active_rate",
            MetricUnit.PER_10K,
            over_regions=Adding.RATIO,
            over_time=Adding.RATIO,
            undefined="whom it is taken of is not known, or nobody",
        ),
        _metric(
            "registered_rate",
            MetricUnit.PER_10K,
            over_regions=Adding.RATIO,
            over_time=Adding.LAST,
            undefined=_NO_RESIDENTS,
        ),
        _metric("services", MetricUnit.SERVICES),
        _metric("minutes", MetricUnit.MINUTES),
        _metric("minutes_scanned", MetricUnit.MINUTES),
        _metric("minutes_confirmed", MetricUnit.MINUTES),
        _metric("minutes_declared", MetricUnit.MINUTES),
    )
}
"""Every metric by its name."""


@dataclass(frozen=True, slots=True)
class Residents:
    """The population of a division on a day.

    Attributes:
        is_estimate: Not counted by the source, but derived from it.
    """

    count: int
    as_of: date
    source: str
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class ActiveRate:
    """One division's row of the report.

    Attributes:
        residents: None where no source is known; the rate is then not known.
        registered: Volunteers whose home is there on the last day of the window.
        active: Those of them who are active by the definition.
        minutes_scanned: Served minutes of those volunteers, both ends measured by a code.
        minutes_confirmed: The same, one end set by the organizer at the time.
        minutes_declared: The same, entered later.
    """

    region: int
    name: str
    level: str
    parent: int | None
    residents: Residents | None
    registered: int
    active: int
    minutes_scanned: int
    minutes_confirmed: int
    minutes_declared: int

    @property
    def minutes(self) -> int:
        """Served minutes by every evidence."""
        return self.minutes_scanned + self.minutes_confirmed + self.minutes_declared


def rate_per_10k(part: int, whole: int | None) -> int | None:
    """Return a part per ten thousand of a whole, rounded half up.

    Units: ten-thousandths, such as active people per 10,000 residents; None where the whole is not
    known or zero.
    """
    if not whole:
        return None
    return (part * 20_000 + whole) // (2 * whole)
