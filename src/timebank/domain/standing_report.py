"""Reports that go out by themselves: of the last complete month, quarter or year, once each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind, window_of

EVIDENCE_METRICS = ("minutes_scanned", "minutes_confirmed", "minutes_declared")

PAPER = "pdf"
"""The form that is read by people; its shares of evidence are always drawn."""

LABEL_LENGTH_MAX = 60
"""Longest name of a standing report, in characters."""


class Way(StrEnum):
    """How a report goes out."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class StandingRefusal(StrEnum):
    """Why a report was not set up, in order of precedence."""

    LABEL_LENGTH = "standing.label_length"
    METRIC_UNKNOWN = "standing.metric_unknown"
    DEFINITION_UNKNOWN = "standing.definition_unknown"
    CADENCE = "standing.cadence"
    ADDRESS = "standing.address"


@dataclass(frozen=True, slots=True)
class StandingRefused:
    """No report was set up."""

    reason: StandingRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReport:
    """What goes out, how often, and where to.

    Attributes:
        scope: The division that it is of, with everything below.
        cadence: MONTH, QUARTER or YEAR.
        form: `csv`, `xlsx`, `json`, `parquet` or `pdf`.
        address: A mail address, or where to post.
    """

    id: UUID
    label: str
    scope: Scope
    metrics: Sequence[str]
    definition: str
    cadence: WindowKind
    form: str
    way: Way
    address: str
    created_at: datetime

    @property
    def asked(self) -> list[str]:
        """The metrics that are counted for it: on paper the minutes of each evidence too."""
        of_paper = EVIDENCE_METRICS if self.form == PAPER else ()
        return list(dict.fromkeys((*self.metrics, *of_paper)))

    def window_due(self, today: date) -> Window:
        """Return the last period that was complete before today."""
        this = window_of(self.cadence, on=today)
        return window_of(self.cadence, on=this.first_on - timedelta(days=1))


CADENCES = (WindowKind.MONTH, WindowKind.QUARTER, WindowKind.YEAR)
"""How often a report can go out."""


def decide_standing(
    report: StandingReport, *, metrics: frozenset[str], is_defined: bool
) -> StandingRefused | None:
    """Decide whether a report can be set up, of the `metrics` that there are; None: it can."""
    if not 1 <= len(report.label) <= LABEL_LENGTH_MAX:
        return StandingRefused(StandingRefusal.LABEL_LENGTH)
    if not report.metrics or not set(report.metrics) <= metrics:
        return StandingRefused(StandingRefusal.METRIC_UNKNOWN)
    if not is_defined:
        return StandingRefused(StandingRefusal.DEFINITION_UNKNOWN)
    if report.cadence not in CADENCES:
        return StandingRefused(StandingRefusal.CADENCE)
    if not _is_address(report.way, report.address):
        return StandingRefused(StandingRefusal.ADDRESS)
    return None


def _is_address(way: Way, address: str) -> bool:
    if not address.isprintable() or " " in address:
        return False
    match way:
        case Way.MAIL:
            name, _, host = address.rpartition("@")
            return bool(name) and "." in host
        case Way.WEBHOOK:
            scheme, _, rest = address.partition("://")
            return scheme in ("http", "https") and bool(rest.partition("/")[0])
