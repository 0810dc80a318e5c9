"""Everybody's facts over some months, laid out once for all what-ifs that compare them.

Facts that are sums of months come from a cube; what a cube cannot say, such as a home or a
register's answer, is taken as it is known today, and the timeline names it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timebank.policy import plugins
from timebank.policy.columns import Column, Columns, value_at
from timebank.policy.cube import Cube, Measure, last_day, month_number
from timebank.policy.fact import FactKey, FactUse, Value
from timebank.policy.grant import Every
from timebank.policy.rule import Pack

Series = NDArray[Any]
"""Shape: months × people, or one row that stands for every month. Whole numbers, or bool."""

Masks = NDArray[np.bool_]

LEAD_MONTHS = 12
"""Months before the horizon that are looked at, so that a year's grants are not counted anew."""

NEVER = -1
"""In place of a month: in none."""

BEFORE = -2
"""In place of a month: before the horizon."""


@dataclass(frozen=True, slots=True)
class Track:
    """One fact of everybody over the months.

    Attributes:
        is_known: None where it always is.
    """

    values: Series
    is_known: Masks | None

    def at(self, row: int, people: NDArray[np.intp]) -> Column:
        """Return what some people have in a month."""
        values = self.values[row if len(self.values) > 1 else 0][people].astype(np.int64)
        if self.is_known is None:
            return values, np.ones(len(people), dtype=np.bool_)
        return values, self.is_known[row if len(self.is_known) > 1 else 0][people]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about people that a scenario compares; made once, used by every scenario.

    Attributes:
        days: The last days of the months looked at: those before the horizon, then the horizon.
        lead: How many of them come before the horizon.
        volunteers: Numbers of the people, in the order of the columns.
        homes: 12-digit codes; 0 where none is known.
        as_today: Facts that no cube has, taken as known today.
        is_whole: The first of the months is the first that anybody served in: nothing was given
            before it.
    """

    days: tuple[date, ...]
    lead: int
    people: int
    volunteers: NDArray[np.int64]
    homes: NDArray[np.int64]
    tracks: Mapping[FactUse, Track]
    as_today: frozenset[str]
    is_whole: bool

    @property
    def months(self) -> tuple[date, ...]:
        """Return the last days of the months of the horizon."""
        return self.days[self.lead :]


def uses_of(packs: Sequence[Pack]) -> frozenset[FactUse]:
    """Return every fact that some packs ask for or count by, other than those they provide."""
    provided = {rule.provides for pack in packs for rule in pack.rules if rule.provides}
    found = {use for pack in packs for rule in pack.rules for use in pack.uses(rule)}
    return frozenset(use for use in found if use.name not in provided)


def is_in_cube(use: FactUse) -> bool:
    """Return whether a fact can be followed month by month; others are taken as known today."""
    if plugins.taken().provider(use.name) is not None:
        return True
    return use.name == "registered_days" or (use.name in list(Measure) and not use.category)


def prepare(
    packs: Sequence[Pack], cube: Cube, *, since: date, months: int, today: Columns, on: date
) -> Timeline:
    """Return what scenarios over some months from a day's month on compare.

    `cube` reaches to the last of the months; `today` has the columns of `facts_needed` as of `on`,
    in the cube's order of people.

    Raises:
        ValueError: The cube ends before the last month, or a column is missing.
    """
    first = month_number(since)
    if cube.first_month + cube.months < first + months:
        raise ValueError("the cube ends before the horizon does")
    lead = min(LEAD_MONTHS, max(first - cube.first_month, 0))
    days = tuple(last_day(month) for month in range(first - lead, first + months))
    tracks: dict[FactUse, Track] = {}
    as_today: set[str] = set()
    totals: dict[object, NDArray[np.int32]] = {}
    for use in sorted(uses_of(packs), key=repr):
        track = _track(use, cube, days, totals)
        if track is None:
            key = use.key(on=on)
            if key not in today:
                raise ValueError(f"the fact {key} was not supplied")
            values, is_known = today[key]
            as_today.add(use.name)
            known = None if is_known.all() else is_known[np.newaxis, :]
            track = Track(values[np.newaxis, :], known)
        tracks[use] = track
    return Timeline(
        days=days,
        lead=lead,
        people=cube.people,
        volunteers=cube.volunteers,
        homes=cube.homes,
        tracks=tracks,
        as_today=frozenset(as_today),
        is_whole=first - lead <= cube.first_month,
    )


def _track(
    use: FactUse, cube: Cube, days: Sequence[date], totals: dict[object, NDArray[np.int32]]
) -> Track | None:
    if not is_in_cube(use):
        return None
    provider = plugins.taken().provider(use.name)
    if provider is not None:
        columns = [
            provider.column(key=use.key(on=day), on=day, ledger=cube.until(day)) for day in days
        ]
        known = np.array([each[1] for each in columns])
        return Track(np.array([each[0] for each in columns]), None if known.all() else known)
    if use.name == "registered_days":
        ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
        since = ordinals[:, np.newaxis] - cube.enrolled[np.newaxis, :]
        return Track(since.astype(np.int32), None if (since >= 0).all() else since >= 0)
    matrix = cube.sums[Measure(use.name), use.assurance_min]
    name = (use.name, use.assurance_min)
    if name not in totals:
        total = np.zeros((cube.months + 1, cube.people), dtype=np.int32)
        np.cumsum(matrix, axis=0, dtype=np.int32, out=total[1:])
        totals[name] = total
    total = totals[name]
    rows = np.empty((len(days), cube.people), dtype=np.int32)
    for place, day in enumerate(days):
        key = use.key(on=day)
        until = _row(cube, key.until)
        start = (
            0 if key.since is None else _row(cube, key.since + timedelta(days=-1), is_after=True)
        )
        rows[place] = total[until] - total[min(start, until)]
    return Track(rows, None)


def _row(cube: Cube, day: date, *, is_after: bool = False) -> int:
    """Return how many of the cube's months are over before a day; or, `is_after`, with its own."""
    month = month_number(day) + (1 if is_after else 0)
    return max(0, min(cube.months, month - cube.first_month))


def periods(every: Every, days: Sequence[date]) -> Iterator[list[int]]:
    """Yield the rows of each period, in order."""
    rows: dict[str, list[int]] = {}
    for row, day in enumerate(days):
        rows.setdefault(every.period_key(on=day), []).append(row)
    yield from rows.values()


def facts_of(timeline: Timeline, person: int, *, month: int) -> dict[FactKey, Value | None]:
    """Return what a scenario takes for known of one person at the end of a month of the horizon.

    With it `evaluation.evaluate_person` gives the reasons of what a run counted.
    """
    row = timeline.lead + month
    day = timeline.days[row]
    found: dict[FactKey, Value | None] = {}
    for use, track in timeline.tracks.items():
        at = row if len(track.values) > 1 else 0
        known = np.ones(1, dtype=np.bool_)
        if track.is_known is not None:
            known = track.is_known[row if len(track.is_known) > 1 else 0, person : person + 1]
        column: Column = (track.values[at, person : person + 1].astype(np.int64), known)
        key = use.key(on=day)
        found[key] = value_at(column, 0, key=key)
    return found
