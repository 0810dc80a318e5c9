"""The definition of each number on a report: dated, citable, printed with the number."""

from dataclasses import dataclass
from datetime import date

from timebank.domain.assurance import Assurance


@dataclass(frozen=True, slots=True)
class ActiveRateDefinition:
    """Who counts as active, and of whom the rate is taken.

    Attributes:
        id: Stable name, printed with every number made by it.
        minutes_above: A volunteer is active whose minutes in the window exceed this.
        assurance_min: The lowest grade of evidence whose minutes count.
        home: Which home decides the region: the one on the last day of the window.
        denominator: `residents` of the region, by the newest source not younger than the window.
        per: The rate is per so many residents.
        source: Where the definition comes from.
    """

    id: str
    valid_from: date
    minutes_above: int
    assurance_min: Assurance
    home: str
    denominator: str
    per: int
    source: str


RESIDENTS_ANY_HOUR = ActiveRateDefinition(
    id="active-rate.residents.any-hour",
    valid_from=date(2021, 2, 1),
    minutes_above=0,
    assurance_min=Assurance.A0,
    home="last-day",
    denominator="residents",
    per=10_000,
    source="Haiyan's published rate, 15 % in 2024: 72,000 active of 456,775 residents (census)",
)
"""Any recorded service above zero in the calendar year, less reversals, per 10,000 residents."""


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


def rate_per_10k(active: int, residents: int | None) -> int | None:
    """Return active people per ten thousand residents, rounded half up.

    Units: people per 10,000 residents; None where the population is not known or zero.
    """
    if not residents:
        return None
    return (active * 20_000 + residents) // (2 * residents)
