"""The registry of metrics: what each number counts, in which unit, and when there is none.

A metric's words are in the message catalogs: `metric.<name>` is its label and
`metric.<name>.definition` one sentence that says what it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class MetricUnit(StrEnum):
    """What a metric counts."""

    PEOPLE = "people"
    HOUSEHOLDS = "households"
    MINUTES = "minutes"
    SERVICES = "services"
    ACTIVITIES = "activities"
    SESSIONS = "sessions"
    PLACES = "places"
    STATIONS = "stations"
    TOWNS = "towns"
    ENTERPRISES = "enterprises"
    PEOPLE_PER_WORKER = "people_per_worker"
    """Whole people for each worker, rounded half up."""
    PER_10K = "per_10k"
    """Ten-thousandths, rounded half up: 1,576 is 15.76 %."""


class Basis(StrEnum):
    """What puts a number into a division."""

    HOME = "home"
    """The home of the volunteer on the window's last day, wherever the service was done."""
    PLACE = "place"
    """Where it was done, whoever did it; of volunteers of the scope's books."""
    STATION = "station"
    """Where a station stands."""


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
    NONE = "none"
    """It does not follow from them: a longer window makes other groups."""


class Undefined(StrEnum):
    """When there is no number; the sentence is in the message catalogs."""

    NEVER = "never"
    """What nobody did is 0."""
    NO_RESIDENTS = "no_residents"
    """No source knows how many live there by then, or it says nobody does."""
    NO_WHOLE = "no_whole"
    """Whom it is taken of is not known, or nobody."""
    NOBODY_BEFORE = "nobody_before"
    """Nobody was active a year before."""
    NOBODY_COUNTED = "nobody_counted"
    """Nobody counted on any occasion."""
    NO_ROW = "no_row"
    """A group without anybody, and a month after the window, have no row."""
    NO_PLACE = "no_place"
    """No place was offered."""
    NOT_COUNTED = "not_counted"
    """No open station has such a count by then."""
    NO_TOWNS = "no_towns"
    """The division has no towns."""
    NO_WORKER = "no_worker"
    """One of both is not known, or there is no worker."""


class Breakdown(StrEnum):
    """What the rows of a table are."""

    REGION = "region"
    """Every division of the scope, parents before their children."""
    MONTH = "month"
    DAY = "day"
    FIELD = "field"
    """Fields of service, by their code."""
    ORGANIZATION = "organization"
    """Organizations of the book, by their number; 0 for those of other books."""
    AGE = "age"
    """Bands of age in the year of the window's last day; `unknown` where no year of birth is."""
    ROLE = "role"
    """`party_member`, `social_worker`, `both`, `volunteer`, `unknown`: each person in one only."""
    COHORT = "cohort"
    """Groups by the first month in which somebody was active in the year, and how many months
    later: `2024-03+2`. Of complete months from January on."""


AGE_BANDS: tuple[tuple[int, int], ...] = ((0, 17), (18, 34), (35, 59), (60, 150))
"""Minors, the young, those before retirement, those after it; both ages count."""

_ALL = frozenset({Breakdown.REGION, Breakdown.MONTH})
_OF_PEOPLE = _ALL | {Breakdown.AGE, Breakdown.ROLE}
_OF_DEEDS = _ALL | {Breakdown.FIELD, Breakdown.ORGANIZATION}
_COHORT = frozenset({Breakdown.COHORT})


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
    undefined: Undefined
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
    undefined: Undefined = Undefined.NEVER,
    breakdowns: frozenset[Breakdown] = _ALL,
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


def _rate(name: str, *, undefined: Undefined, **said: Any) -> Metric:
    return _metric(
        name,
        MetricUnit.PER_10K,
        over_regions=Adding.RATIO,
        over_time=Adding.RATIO,
        undefined=undefined,
        **said,
    )


def _counted_there(name: str, unit: MetricUnit, **said: Any) -> Metric:
    """Return a count of a station's figure at the end of the window."""
    return _metric(
        name,
        unit,
        basis=Basis.STATION,
        over_time=Adding.LAST,
        undefined=Undefined.NOT_COUNTED,
        **said,
    )


_DEEDS = _OF_PEOPLE | _OF_DEEDS | {Breakdown.DAY}

METRICS: Mapping[str, Metric] = {
    each.name: each
    for each in (
        _metric("registered", MetricUnit.PEOPLE, over_time=Adding.LAST, breakdowns=_OF_PEOPLE),
        _metric(
            "active",
            MetricUnit.PEOPLE,
            over_time=Adding.DISTINCT,
            breakdowns=_OF_PEOPLE | _OF_DEEDS,
        ),
        _rate(
            "active_rate",
            undefined=Undefined.NO_WHOLE,
            breakdowns=_OF_PEOPLE | _OF_DEEDS,
        ),
        _metric(
            "registered_rate",
            MetricUnit.PER_10K,
            over_regions=Adding.RATIO,
            over_time=Adding.LAST,
            undefined=Undefined.NO_RESIDENTS,
        ),
        _metric("services", MetricUnit.SERVICES, breakdowns=_DEEDS),
        _metric("minutes", MetricUnit.MINUTES, breakdowns=_DEEDS),
        _metric("minutes_scanned", MetricUnit.MINUTES, breakdowns=_DEEDS),
        _metric("minutes_confirmed", MetricUnit.MINUTES, breakdowns=_DEEDS),
        _metric("minutes_declared", MetricUnit.MINUTES, breakdowns=_DEEDS),
        _metric("new_active", MetricUnit.PEOPLE, over_time=Adding.DISTINCT),
        _metric("returning_active", MetricUnit.PEOPLE, over_time=Adding.DISTINCT),
        _rate("retention_rate", undefined=Undefined.NOBODY_BEFORE),
        _metric(
            "cohort_size",
            MetricUnit.PEOPLE,
            over_time=Adding.NONE,
            undefined=Undefined.NO_ROW,
            breakdowns=_COHORT,
        ),
        _metric(
            "cohort_active",
            MetricUnit.PEOPLE,
            over_time=Adding.NONE,
            undefined=Undefined.NO_ROW,
            breakdowns=_COHORT,
        ),
        _metric(
            "cohort_retention",
            MetricUnit.PER_10K,
            over_regions=Adding.RATIO,
            over_time=Adding.NONE,
            undefined=Undefined.NO_ROW,
            breakdowns=_COHORT,
        ),
        _metric("trained", MetricUnit.PEOPLE, over_time=Adding.DISTINCT),
        _metric("training_minutes", MetricUnit.MINUTES),
        _metric("services_here", MetricUnit.SERVICES, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _metric("minutes_here", MetricUnit.MINUTES, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _metric(
            "activities",
            MetricUnit.ACTIVITIES,
            basis=Basis.PLACE,
            over_time=Adding.DISTINCT,
            breakdowns=_OF_DEEDS,
        ),
        _metric("sessions", MetricUnit.SESSIONS, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _metric(
            "people_served",
            MetricUnit.PEOPLE,
            basis=Basis.PLACE,
            undefined=Undefined.NOBODY_COUNTED,
            breakdowns=_OF_DEEDS,
        ),
        _metric(
            "households_served",
            MetricUnit.HOUSEHOLDS,
            basis=Basis.PLACE,
            undefined=Undefined.NOBODY_COUNTED,
            breakdowns=_OF_DEEDS,
        ),
        _metric("shifts", MetricUnit.SESSIONS, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _metric("places", MetricUnit.PLACES, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _metric("places_filled", MetricUnit.PLACES, basis=Basis.PLACE, breakdowns=_OF_DEEDS),
        _rate(
            "fill_rate",
            basis=Basis.PLACE,
            undefined=Undefined.NO_PLACE,
            breakdowns=_OF_DEEDS,
        ),
        _metric("centers", MetricUnit.STATIONS, basis=Basis.STATION, over_time=Adding.LAST),
        _metric("stations", MetricUnit.STATIONS, basis=Basis.STATION, over_time=Adding.LAST),
        _metric("rooms", MetricUnit.STATIONS, basis=Basis.STATION, over_time=Adding.LAST),
        _metric("towns_covered", MetricUnit.TOWNS, basis=Basis.STATION, over_time=Adding.LAST),
        _rate(
            "station_coverage",
            basis=Basis.STATION,
            undefined=Undefined.NO_TOWNS,
        ),
        _counted_there("workers", MetricUnit.PEOPLE),
        _counted_there("workers_certified", MetricUnit.PEOPLE),
        _counted_there("people_in_need", MetricUnit.PEOPLE),
        _counted_there("people_in_care", MetricUnit.PEOPLE),
        _counted_there("volunteers_listed", MetricUnit.PEOPLE),
        _counted_there("enterprises_listed", MetricUnit.ENTERPRISES),
        _metric(
            "residents_per_worker",
            MetricUnit.PEOPLE_PER_WORKER,
            basis=Basis.STATION,
            over_regions=Adding.RATIO,
            over_time=Adding.LAST,
            undefined=Undefined.NO_WORKER,
        ),
        _metric(
            "care_per_worker",
            MetricUnit.PEOPLE_PER_WORKER,
            basis=Basis.STATION,
            over_regions=Adding.RATIO,
            over_time=Adding.LAST,
            undefined=Undefined.NO_WORKER,
        ),
    )
}
"""Every metric by its name."""


_CHANGED_IN_PLACE = {
    "trained",
    "training_minutes",
    "shifts",
    "places",
    "places_filled",
    "fill_rate",
}
"""Training is corrected, and shifts are changed and cancelled, without a trace of before."""


def is_repeatable(
    metric: Metric, *, by: Breakdown, is_of_residents: bool, is_of_ages: bool
) -> bool:
    """Return whether a number as of an entry is the same whenever it is asked for.

    Entries, homes, enrolments and counts of who was reached are kept as they were told. Stations,
    training, shifts and populations may be told otherwise later, and what somebody is besides is
    forgotten when they ask for it. The definition takes its rate of residents, or counts an age
    band only, where `is_of_residents` and `is_of_ages` say so.
    """
    if by in (Breakdown.AGE, Breakdown.ROLE):
        return False
    if metric.basis is Basis.STATION or metric.name in _CHANGED_IN_PLACE:
        return False
    if metric.name == "registered_rate" or (metric.name == "active_rate" and is_of_residents):
        return False
    is_of_active = metric.name.partition("_")[0] in ("active", "new", "returning", "cohort")
    return not (is_of_ages and (is_of_active or metric.name == "retention_rate"))


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
        whole: How many the definition takes the rate of; None where that is not known.
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
    whole: int | None
    minutes_scanned: int
    minutes_confirmed: int
    minutes_declared: int

    @property
    def minutes(self) -> int:
        """Served minutes by every evidence."""
        return self.minutes_scanned + self.minutes_confirmed + self.minutes_declared

    @property
    def rate(self) -> int | None:
        """Active volunteers per ten thousand of whom the definition names, if that is known."""
        return rate_per_10k(self.active, self.whole)


def rate_per_10k(part: int, whole: int | None) -> int | None:
    """Return a part per ten thousand of a whole, rounded half up.

    Units: ten-thousandths, such as active people per 10,000 residents; None where the whole is not
    known or zero.
    """
    if not whole:
        return None
    return (part * 20_000 + whole) // (2 * whole)


def per_one(whole: int | None, parts: int | None) -> int | None:
    """Return how many of a whole there are for each of its parts, rounded half up.

    Units: people for each worker; None where one of them is not known, or there is no part.
    """
    if whole is None or not parts:
        return None
    return (2 * whole + parts) // (2 * parts)
