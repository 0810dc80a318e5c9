"""Every number of a report, by one function: for pages, files, publications and the API alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.as_of import AsOf, AsOfAsked
from timebank.domain.assurance import Evidence
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import METRICS, Breakdown, Metric, Residents, rate_per_10k
from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind
from timebank.queries.snapshot import Division, HomeCount, Snapshot, spread

Value = int | None
"""A number, or None where there is none: it is not known, which is not 0."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        key: What the row is, beside its division: empty by region, else such as `2024-03`.
        residents: Of the division at the end of the window; None where no source knows.
        values: One for each metric, in their order.
    """

    region: int
    name: str
    level: str
    parent: int | None
    key: str
    residents: Residents | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Some metrics of the divisions of a scope, as of named entries.

    Attributes:
        as_of_books: One per book in the scope, in their order; never empty.
        rows: By region one per division, in the order of codes, which puts every parent before its
            children; else one per part, of the scope's own division.
    """

    definition: Definition
    window: Window
    by: Breakdown
    metrics: tuple[Metric, ...]
    as_of_books: tuple[AsOf, ...]
    rows: tuple[Row, ...]

    def value(self, row: Row, name: str) -> Value:
        """Return one metric of a row, by its name.

        Raises:
            KeyError: It was not asked for.
        """
        for metric, value in zip(self.metrics, row.values, strict=True):
            if metric.name == name:
                return value
        raise KeyError(name)


async def read_numbers(
    conn: AsyncConnection,
    *,
    scope: Scope,
    metrics: Sequence[str],
    definition: Definition,
    window: Window,
    by: Breakdown = Breakdown.REGION,
    as_of: AsOfAsked | None = None,
) -> Numbers | None:
    """Return some metrics of a division, and, by region, of everything below it.

    As of entry `as_of` of the scope's book, or of the newest entry of each book at that instant, or
    now. A number of an earlier state counts its entries alone, and people and homes as they were
    known at the instant, or when the next entry was recorded: whatever is written later, it stays
    the same number. Populations are those that are known now: each has its date and source.

    None where the scope is no known division or no book is open in it.

    Raises:
        KeyError: There is no such metric.
        ValueError: A metric has no such rows.
        UnknownStateError: Entry `as_of` is not in the book yet, or the scope has several books.

    Cost: one statement and what is new; see `Snapshot`.
    """
    asked = tuple(METRICS[name] for name in metrics)
    for metric in asked:
        if by not in metric.breakdowns:
            raise ValueError(f"{metric.name} has no rows by {by}")
    snapshot = await Snapshot.open(conn, scope=scope, as_of=as_of)
    if snapshot is None:
        return None
    divisions = await snapshot.list_divisions(window)
    if not divisions:
        return None
    match by:
        case Breakdown.REGION:
            counted = await snapshot.count_homes(window, definition)
            rows = _rows(divisions, counted, asked, definition)
        case Breakdown.MONTH:
            rows = []
            for month in _months(window):
                counted = await snapshot.count_homes(month, definition)
                rows += _rows(divisions[:1], counted, asked, definition, key=str(month))
    return Numbers(
        definition=definition,
        window=window,
        by=by,
        metrics=asked,
        as_of_books=snapshot.as_of,
        rows=tuple(rows),
    )


def _rows(
    divisions: Sequence[Division],
    counted: Sequence[HomeCount],
    metrics: Sequence[Metric],
    definition: Definition,
    *,
    key: str = "",
) -> list[Row]:
    """Return a row for each division of what is counted by home."""
    totals: dict[str, Mapping[int, int]] = {
        "registered": spread(divisions, [(each.homes, each.registered) for each in counted]),
        "active": spread(divisions, [(each.homes, each.active) for each in counted]),
        "services": spread(divisions, [(each.homes, each.services) for each in counted]),
        "minutes": spread(divisions, [(each.homes, each.all_minutes) for each in counted]),
    }
    for place, evidence in enumerate(Evidence):
        totals[f"minutes_{evidence}"] = spread(
            divisions, [(each.homes, each.minutes[place]) for each in counted]
        )
    rows = []
    for each in divisions:
        known: dict[str, Value] = {name: total[each.region] for name, total in totals.items()}
        residents = None if each.residents is None else each.residents.count
        match definition.denominator:
            case Denominator.RESIDENTS:
                whole = residents
            case Denominator.REGISTERED:
                whole = totals["registered"][each.region]
            case Denominator.RESIDENTS_AGED:
                whole = None
        known["active_rate"] = rate_per_10k(totals["active"][each.region], whole)
        known["registered_rate"] = rate_per_10k(totals["registered"][each.region], residents)
        rows.append(
            Row(
                region=each.region,
                name=each.name,
                level=each.level,
                parent=each.parent,
                key=key,
                residents=each.residents,
                values=tuple(known[metric.name] for metric in metrics),
            )
        )
    return rows


def _months(window: Window) -> list[Window]:
    """Return the months that a window touches, each cut to the window.

    Raises:
        ValueError: The window has no first day.
    """
    if window.kind is WindowKind.EVER:
        raise ValueError("what has no first day has no months")
    months = []
    day = window.first_on
    while day <= window.last_on:
        month = Window.of_month(day.year, day.month)
        first, last = max(month.first_on, window.first_on), min(month.last_on, window.last_on)
        is_whole = (first, last) == (month.first_on, month.last_on)
        months.append(month if is_whole else Window(WindowKind.CAMPAIGN, first, last))
        day = _after(month.last_on)
    return months


def _after(day: date) -> date:
    return day + timedelta(days=1)
