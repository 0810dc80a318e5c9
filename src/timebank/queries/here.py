"""What is counted where it was done or stands: sessions, who was reached, shifts, stations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import text

from timebank.domain.period import Period
from timebank.domain.region import Level, level_of
from timebank.domain.station import Figure, Tier
from timebank.domain.window import Window
from timebank.ledger.columns import BookColumns, Work, day_of
from timebank.queries.snapshot import Snapshot, State, span_of
from timebank.queries.sums import WorkSums

_REACHES = text(
    """
    select distinct on (r.activity_id, r.held_on, r.shift_id) r.activity_id, r.held_on, r.shift_id,
        r.times, r.people, r.households, a.field, a.region, a.organization_id
    from reach r join activity a on a.book_id = r.book_id and a.id = r.activity_id
    where r.book_id = :book and r.held_on between :first and :last
        and (cast(:until as timestamptz) is null or r.recorded_at < :until)
    order by r.activity_id, r.held_on, r.shift_id, r.number desc
    """
)

_SHIFTS = text(
    """
    select h.id, h.activity_id, h.places, a.field, a.region, a.organization_id
    from shift h join activity a on a.book_id = h.book_id and a.id = h.activity_id
    where h.book_id = :book and h.starts_at >= :start and h.starts_at < :end
        and h.cancelled_at is null and a.cancelled_at is null
    """
)

_STATIONS = text(
    """
    select id, tier, region from station
    where book_id = :book and opened_on <= :last and (closed_on is null or closed_on > :last)
        and (cast(:until as timestamptz) is null or recorded_at < :until)
    """
)

_FIGURES = text(
    """
    select distinct on (station_id, figure) station_id, figure, count from station_figure
    where book_id = :book and as_of <= :last
        and (cast(:until as timestamptz) is null or recorded_at < :until)
    order by station_id, figure, as_of desc, number desc
    """
)


@dataclass(slots=True)
class Deed:
    """What is counted of one kind of work at one place.

    Attributes:
        people: None where nobody counted.
        households: None where nobody counted.
    """

    services: int = 0
    minutes: int = 0
    sessions: int = 0
    shifts: int = 0
    places: int = 0
    filled: int = 0
    people: int | None = None
    households: int | None = None
    activities: set[tuple[int, int]] = field(default_factory=set)

    def add(self, other: "Deed") -> None:
        """Count another one too."""
        self.services += other.services
        self.minutes += other.minutes
        self.sessions += other.sessions
        self.shifts += other.shifts
        self.places += other.places
        self.filled += other.filled
        self.people = plus(self.people, other.people)
        self.households = plus(self.households, other.households)
        self.activities |= other.activities


@dataclass(frozen=True, slots=True)
class Doing:
    """What was done, and where.

    Attributes:
        organization: 0 where it belongs to another book.
    """

    field: int
    region: int
    organization: int
    deed: Deed


@dataclass(frozen=True, slots=True)
class Standing:
    """A station that is open, with what is counted of it."""

    tier: Tier
    region: int
    figures: Mapping[Figure, int]


def plus(one: int | None, other: int | None) -> int | None:
    """Return a sum of what is known; None where nothing is."""
    if one is None or other is None:
        return one if other is None else other
    return one + other


async def list_doings(
    snapshot: Snapshot,
    *,
    scope: Iterable[int],
    state: State,
    book: BookColumns,
    window: Window,
) -> list[Doing]:
    """Return what was done in a window by the volunteers of a book, and what it reached.

    `scope` are the codes of the divisions that are asked for.

    Cost: three statements, and the entries that are new.
    """
    codes = scope if isinstance(scope, range) else set(scope)
    organization_of = await snapshot.learn_organizations(state.book)
    reaches = (
        await snapshot.conn.execute(
            _REACHES,
            {
                "book": state.book,
                "first": window.first_on,
                "last": window.last_on,
                "until": state.until,
            },
        )
    ).all()
    period: Period = window.period(zone=snapshot.zone)
    shifts = (
        await snapshot.conn.execute(
            _SHIFTS, {"book": state.book, "start": period.start, "end": period.end}
        )
    ).all()
    sums = await snapshot.columns.fold(
        snapshot.conn,
        book=book,
        key="works",
        span=span_of(window),
        upto=state.seq,
        make=WorkSums,
    )
    works: Sequence[Work] = book.works
    found: dict[tuple[int, int, int], Deed] = defaultdict(Deed)

    def deed(activity_book: int, activity: int, field_: int, region: int) -> Deed:
        own = organization_of.get(activity, 0) if activity_book == state.book else 0
        return found[field_, region, own]

    minutes = sums.minutes(None, size=len(works)).tolist()
    services = sums.services(size=len(works)).tolist()
    for place, work in enumerate(works):
        if services[place] or minutes[place]:
            counted = deed(*work)
            counted.services += services[place]
            counted.minutes += minutes[place]
    work_of, shift_of, day_of_ = sums.occasions()
    counts = np.bincount(work_of, minlength=len(works)).tolist()
    for place, work in enumerate(works):
        if counts[place]:
            counted = deed(*work)
            counted.activities.add((work.activity_book, work.activity))
            counted.sessions += counts[place]
    # What somebody counted is told by them: the same occasion is not counted a second time.
    told = {(row[0], None if row[2] else row[1], row[2]) for row in reaches}
    told_of = {activity for activity, _, _ in told}
    for place, work in enumerate(works):
        if work.activity_book == state.book and work.activity in told_of and counts[place]:
            rows = work_of == place
            for shift, day in zip(shift_of[rows].tolist(), day_of_[rows].tolist(), strict=True):
                on = None if shift else day_of(day)
                deed(*work).sessions -= (work.activity, on, shift) in told
    for activity, _, _, times, people, households, field_, region, _ in reaches:
        counted = deed(state.book, activity, field_, region)
        counted.sessions += times
        counted.people = plus(counted.people, people)
        counted.households = plus(counted.households, households)
        counted.activities.add((state.book, activity))
    filled: dict[int, int] = {}
    for place, shift, number in zip(*(column.tolist() for column in sums.filled()), strict=True):
        if works[place].activity_book == state.book:
            filled[shift] = filled.get(shift, 0) + number
    for shift, activity, places, field_, region, _ in shifts:
        counted = deed(state.book, activity, field_, region)
        counted.shifts += 1
        counted.places += places
        counted.filled += filled.get(shift, 0)
    return [
        Doing(field_, region, own, counted)
        for (field_, region, own), counted in found.items()
        if region in codes
    ]


async def list_standing(snapshot: Snapshot, *, scope: range, window: Window) -> list[Standing]:
    """Return the stations of a scope that are open at the end of a window.

    Cost: two statements for each book.
    """
    found = []
    for state in snapshot.states:
        asked = {"book": state.book, "last": window.last_on, "until": state.until}
        figures: dict[int, dict[Figure, int]] = defaultdict(dict)
        for station, figure, count in await snapshot.conn.execute(_FIGURES, asked):
            figures[station][Figure(figure)] = count
        for number, tier, region in await snapshot.conn.execute(_STATIONS, asked):
            if region in scope:
                found.append(Standing(Tier(tier), region, figures[number]))
    return found


def town_of(region: int) -> int | None:
    """Return the town that a division is, or lies in; None above towns."""
    if level_of(region) in (Level.TOWN, Level.VILLAGE):
        return region // 1_000 * 1_000
    return None
