"""Every number of a report, by one function: for pages, files, publications and the API alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.as_of import AsOf, AsOfAsked
from timebank.domain.assurance import Evidence
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import (
    AGE_BANDS,
    METRICS,
    Basis,
    Breakdown,
    Metric,
    Residents,
    is_repeatable,
    per_one,
    rate_per_10k,
)
from timebank.domain.region import Level, level_of, subtree
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.domain.station import Figure, Tier
from timebank.domain.window import Window, WindowKind
from timebank.ledger.columns import Work, day_of
from timebank.queries import here
from timebank.queries.course import count_courses
from timebank.queries.snapshot import (
    Division,
    Snapshot,
    State,
    enclosing,
    settle,
    span_of,
    spread,
)
from timebank.queries.sums import DaySums, PairSums
from timebank.store.tables import organization

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

    @property
    def not_repeatable(self) -> tuple[str, ...]:
        """The metrics that another answer as of the same entries may tell otherwise."""
        is_of_residents = self.definition.denominator is not Denominator.REGISTERED
        is_of_ages = self.definition.ages is not None
        return tuple(
            each.name
            for each in self.metrics
            if not is_repeatable(
                each, by=self.by, is_of_residents=is_of_residents, is_of_ages=is_of_ages
            )
        )

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
    the same number, but for those that `Numbers.not_repeatable` names. Populations are those that
    are known now: each has its date and source.

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
    counter = _Counter(snapshot, definition, {metric.name for metric in asked})
    match by:
        case Breakdown.REGION:
            found = await counter.by_region(divisions, window)
        case Breakdown.MONTH:
            found = []
            for month in _months(window):
                found += await counter.by_region(divisions[:1], month, key=str(month))
        case Breakdown.DAY:
            found = await counter.by_day(divisions[0], window)
        case Breakdown.FIELD:
            found = await counter.by_deed(divisions[0], window, by=by)
        case Breakdown.ORGANIZATION:
            found = await counter.by_deed(divisions[0], window, by=by)
        case Breakdown.AGE | Breakdown.ROLE:
            found = await counter.by_trait(divisions[0], window, by=by)
        case Breakdown.COHORT:
            found = await counter.by_cohort(divisions[0], window)
    return Numbers(
        definition=definition,
        window=window,
        by=by,
        metrics=asked,
        as_of_books=snapshot.as_of,
        rows=tuple(
            Row(
                region=each.division.region,
                name=each.name or each.division.name,
                level=each.division.level,
                parent=each.division.parent,
                key=each.key,
                residents=each.division.residents,
                values=tuple(each.values[metric.name] for metric in asked),
            )
            for each in found
        ),
    )


_NEWNESS = {"new_active", "returning_active", "retention_rate"}
_TRAINING = {"trained", "training_minutes"}
_ROLES = ("volunteer", "party_member", "social_worker", "both")
"""By the bits of a profile's roles."""

_UNKNOWN = "unknown"
_YEAR = range(12)
"""The months of a year, from 0."""

_TRAININGS = text(
    """
    select coalesce(string_agg(int8send(volunteer_id), ''), '') as volunteer,
        coalesce(string_agg(int8send(minutes), ''), '') as minutes
    from (
        select volunteer_id, sum(minutes)::bigint as minutes from training
        where book_id = :book and held_on between :first and :last
            and (cast(:until as timestamptz) is null or recorded_at < :until)
        group by 1
    ) each
    """
)


@dataclass(slots=True)
class _Found:
    """What was found of one row, by metric."""

    division: Division
    values: dict[str, Value]
    key: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counts what was asked for, and nothing else."""

    snapshot: Snapshot
    definition: Definition
    asked: set[str]

    def _is_asked(self, basis: Basis) -> bool:
        return any(METRICS[name].basis is basis for name in self.asked)

    async def by_region(
        self, divisions: Sequence[Division], window: Window, *, key: str = ""
    ) -> list[_Found]:
        """Return a row for each division."""
        found = {each.region: _Found(each, {}, key) for each in divisions}
        if self._is_asked(Basis.HOME):
            await self._add_people(found, window)
        if self.asked & _NEWNESS:
            await self._add_newness(found, window)
        if self.asked & _TRAINING:
            await self._add_training(found, window)
        if self._is_asked(Basis.PLACE):
            await self._add_deeds(found, window)
        if self._is_asked(Basis.STATION):
            await self._add_stations(found, window)
        return list(found.values())

    async def by_day(self, division: Division, window: Window) -> list[_Found]:
        """Return a row for each day with service of the volunteers of the scope's books.

        A county's book is a county's people: below the county a day has no rows of its own.

        Raises:
            ValueError: The scope is smaller than a county.
        """
        if level_of(division.region) in (Level.TOWN, Level.VILLAGE):
            raise ValueError("days are counted by county")
        days: dict[int, list[int]] = {}
        books, _ = await self.snapshot.learn(self.snapshot.states)
        for state in self.snapshot.states:
            sums = await self.snapshot.columns.fold(
                self.snapshot.conn,
                book=books[state.book],
                key="days",
                span=span_of(window),
                upto=state.seq,
                make=DaySums,
            )
            for day, (services, minutes) in sums.by_day().items():
                row = days.setdefault(day, [0] * (1 + len(minutes)))
                for place, number in enumerate((services, *minutes)):
                    row[place] += number
        return [
            _Found(
                division,
                {"services": row[0], **_minutes(row[1:])},
                key=day_of(day).isoformat(),
            )
            for day, row in sorted(days.items())
            if any(row)
        ]

    async def by_deed(self, division: Division, window: Window, *, by: Breakdown) -> list[_Found]:
        """Return a row for each field of service, or each organization, with any service.

        Raises:
            ValueError: Organizations of several books: their numbers are a book's own.
        """
        is_by_field = by is Breakdown.FIELD
        if not is_by_field and len(self.snapshot.states) > 1:
            raise ValueError("organizations are counted by county")
        found: dict[int, _Found] = {}

        def row(group: int) -> _Found:
            known = found.get(group)
            if known is None:
                key = ServiceField(group).code if is_by_field else str(group)
                known = found[group] = _Found(division, dict.fromkeys(_DEEDS, 0), key)
                known.values |= {"people_served": None, "households_served": None}
            return known

        books, people = await self.snapshot.learn(self.snapshot.states)
        codes = self.snapshot.scope.codes
        registered = 0
        for state in self.snapshot.states:
            book = books[state.book]
            settled = settle(people[state.book], state, window)
            is_inside = (settled.homes >= codes.start) & (settled.homes < codes.stop)
            is_counted = np.append(is_inside, False)[settled.home]
            registered += int(is_counted.sum())
            group_of = self._group_of(state, is_by_field=is_by_field)
            if not is_by_field:
                await self.snapshot.learn_organizations(state.book)
            pairs = await self.snapshot.columns.fold(
                self.snapshot.conn,
                book=book,
                key=by,
                span=span_of(window),
                upto=state.seq,
                make=lambda book=book, group_of=group_of: PairSums(book.works, group_of),  # type: ignore[misc]
            )
            for group, (active, services, minutes) in pairs.by_group(
                self.definition, is_counted=is_counted
            ).items():
                values = row(group).values
                for name, number in {
                    "active": active,
                    "services": services,
                    **_minutes(minutes),
                }.items():
                    values[name] = (values[name] or 0) + number
        if self._is_asked(Basis.PLACE):
            for doing in await self._list_doings(window):
                group = doing.field if is_by_field else doing.organization
                _add_deed(row(group).values, doing.deed)
        whole = await self._whole(division, window, registered=registered)
        names = await self._names(found) if not is_by_field else {}
        for group, each in found.items():
            each.name = names.get(group, "")
            each.values["active_rate"] = rate_per_10k(each.values["active"] or 0, whole)
            _add_fill(each.values)
        return [found[group] for group in sorted(found)]

    async def by_trait(self, division: Division, window: Window, *, by: Breakdown) -> list[_Found]:
        """Return a row for each band of age, or role: every person, and every service, once."""
        if by is Breakdown.AGE:
            keys = (*(f"{first}-{last}" for first, last in AGE_BANDS), _UNKNOWN)
        else:
            keys = (*_ROLES, _UNKNOWN)
        found = [
            _Found(division, dict.fromkeys(("registered", "active", "services", *_MINUTES), 0), key)
            for key in keys
        ]
        books, people = await self.snapshot.learn(self.snapshot.states)
        codes = self.snapshot.scope.codes
        for state in self.snapshot.states:
            traits = await self.snapshot.read_traits(state, people[state.book], window)
            settled = settle(people[state.book], state, window)
            is_inside = (settled.homes >= codes.start) & (settled.homes < codes.stop)
            is_counted = np.append(is_inside, False)[settled.home]
            if by is Breakdown.AGE:
                group = np.full(settled.size, len(keys) - 1, np.int64)
                for place, (first, last) in enumerate(AGE_BANDS):
                    group[(traits.age >= first) & (traits.age <= last)] = place
            else:
                group = np.where(traits.roles < 0, len(keys) - 1, traits.roles)
            sums = await self.snapshot.sum_volunteers(state, books[state.book], window)
            size = settled.size
            columns = {
                "registered": is_counted.astype(np.int64),
                "active": (sums.active(self.definition, size=size) & is_counted).astype(np.int64),
                "services": sums.services(size=size) * is_counted,
            }
            for evidence in Evidence:
                columns[f"minutes_{evidence}"] = sums.minutes(evidence, size=size) * is_counted
            for name, numbers in columns.items():
                summed = np.bincount(group, weights=numbers, minlength=len(keys))
                for each, number in zip(found, summed.tolist(), strict=True):
                    each.values[name] = (each.values[name] or 0) + int(number)
        for each in found:
            each.values["minutes"] = sum(
                each.values[f"minutes_{evidence}"] or 0 for evidence in Evidence
            )
            # Nobody has counted the residents of a role, and those of an age only for its own rate.
            is_of_registered = self.definition.denominator is Denominator.REGISTERED
            each.values["active_rate"] = (
                rate_per_10k(each.values["active"] or 0, each.values["registered"])
                if is_of_registered
                else None
            )
        return found

    async def by_cohort(self, division: Division, window: Window) -> list[_Found]:
        """Return a row for each group and month: from its first one to the end of the window.

        A group are those who were active for the first time in the year in the same month.

        Raises:
            ValueError: The window is not some complete months of a year from January on.
        """
        year = window.first_on.year
        whole, edges = window.months_and_edges()
        if edges or whole.start != year * 12 or len(whole) > len(_YEAR):
            raise ValueError("cohorts are counted of complete months from January on")
        codes = self.snapshot.scope.codes
        cohorts = np.zeros((len(_YEAR), len(_YEAR)), np.int64)
        for each in await count_courses(
            snapshot=self.snapshot, definition=self.definition, year=year
        ):
            inside = (each.homes >= codes.start) & (each.homes < codes.stop)
            cohorts += each.cohorts[inside].sum(axis=0)
        return [
            _Found(
                division,
                {
                    "cohort_size": int(cohorts[first, first]),
                    "cohort_active": int(cohorts[first, month]),
                    "cohort_retention": rate_per_10k(
                        int(cohorts[first, month]), int(cohorts[first, first])
                    ),
                },
                key=f"{year}-{first + 1:02}+{month - first}",
            )
            for first in range(len(whole))
            if cohorts[first, first]
            for month in range(first, len(whole))
        ]

    async def _add_people(self, found: Mapping[int, _Found], window: Window) -> None:
        divisions = [each.division for each in found.values()]
        counted = await self.snapshot.count_homes(window, self.definition)
        totals = {
            "registered": spread(divisions, [(each.homes, each.registered) for each in counted]),
            "active": spread(divisions, [(each.homes, each.active) for each in counted]),
            "services": spread(divisions, [(each.homes, each.services) for each in counted]),
            "minutes": spread(divisions, [(each.homes, each.all_minutes) for each in counted]),
        }
        for place, evidence in enumerate(Evidence):
            totals[f"minutes_{evidence}"] = spread(
                divisions, [(each.homes, each.minutes[place]) for each in counted]
            )
        aged = await self._aged(window)
        for region, each in found.items():
            each.values |= {name: total[region] for name, total in totals.items()}
            residents = _count(each.division.residents)
            match self.definition.denominator:
                case Denominator.RESIDENTS:
                    whole = residents
                case Denominator.REGISTERED:
                    whole = totals["registered"][region]
                case Denominator.RESIDENTS_AGED:
                    whole = _count(aged.get(region))
            each.values["active_rate"] = rate_per_10k(totals["active"][region], whole)
            each.values["registered_rate"] = rate_per_10k(totals["registered"][region], residents)

    async def _add_newness(self, found: Mapping[int, _Found], window: Window) -> None:
        """Count who is active for the first time, who again, and who of a year before still is."""
        divisions = [each.division for each in found.values()]
        books, people = await self.snapshot.learn(self.snapshot.states)
        before_year = window.a_year_before()
        parts: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {
            "new": [],
            "old": [],
            "former": [],
            "kept": [],
        }
        for state in self.snapshot.states:
            book = books[state.book]
            settled = settle(people[state.book], state, window)
            former = settle(people[state.book], state, before_year)
            size = settled.size
            sums = await self.snapshot.sum_volunteers(state, book, window)
            active = sums.active(self.definition, size=size)
            ever = np.zeros(size, np.int64)
            for earlier in _windows_before(window):
                sums = await self.snapshot.sum_volunteers(state, book, earlier)
                ever += sums.services(size=size)
            sums = await self.snapshot.sum_volunteers(state, book, before_year)
            last = sums.active(self.definition, size=size)
            parts["new"].append((settled.homes, settled.count(active & (ever <= 0))))
            parts["old"].append((settled.homes, settled.count(active & (ever > 0))))
            parts["former"].append((former.homes, former.count(last)))
            is_kept = last & active & (settled.home >= 0)
            parts["kept"].append((former.homes, former.count(is_kept)))
        new, old, former_, kept = (spread(divisions, each) for each in parts.values())
        for region, each in found.items():
            each.values["new_active"] = new[region]
            each.values["returning_active"] = old[region]
            each.values["retention_rate"] = rate_per_10k(kept[region], former_[region])

    async def _add_training(self, found: Mapping[int, _Found], window: Window) -> None:
        divisions = [each.division for each in found.values()]
        _, people = await self.snapshot.learn(self.snapshot.states)
        trained, minutes = [], []
        for state in self.snapshot.states:
            settled = settle(people[state.book], state, window)
            asked = {
                "book": state.book,
                "first": window.first_on,
                "last": window.last_on,
                "until": state.until,
            }
            row = (await self.snapshot.conn.execute(_TRAININGS, asked)).one()
            volunteer, sums = (np.frombuffer(column, ">i8").astype(np.int64) for column in row)
            of = np.zeros(settled.size, np.int64)
            of[volunteer] = sums
            trained.append((settled.homes, settled.count(of > 0)))
            minutes.append((settled.homes, settled.sum(of)))
        for name, parts in (("trained", trained), ("training_minutes", minutes)):
            totals = spread(divisions, parts)
            for region, each in found.items():
                each.values[name] = totals[region]

    async def _list_doings(self, window: Window) -> list[here.Doing]:
        books, _ = await self.snapshot.learn(self.snapshot.states)
        doings = []
        for state in self.snapshot.states:
            doings += await here.list_doings(
                self.snapshot,
                scope=self.snapshot.scope.codes,
                state=state,
                book=books[state.book],
                window=window,
            )
        return doings

    async def _add_deeds(self, found: Mapping[int, _Found], window: Window) -> None:
        deeds = {region: here.Deed() for region in found}
        for doing in await self._list_doings(window):
            for region in enclosing(doing.region):
                if region in deeds:
                    deeds[region].add(doing.deed)
        for region, each in found.items():
            each.values |= dict.fromkeys(_DEEDS, 0)
            each.values |= {"people_served": None, "households_served": None}
            _add_deed(each.values, deeds[region])
            _add_fill(each.values)

    async def _add_stations(self, found: Mapping[int, _Found], window: Window) -> None:
        standing = await here.list_standing(
            self.snapshot, scope=self.snapshot.scope.codes, window=window
        )
        towns = await self.snapshot.list_divisions(window)
        town_codes = [each.region for each in towns if each.level == Level.TOWN]
        for region, row in found.items():
            inside = subtree(region)
            own = [station for station in standing if station.region in inside]
            covered = {
                here.town_of(station.region) for station in own if station.tier is not Tier.ROOM
            } - {None}
            towns_here = sum(code in inside for code in town_codes)
            figures: dict[Figure, Value] = dict.fromkeys(Figure)
            for station in own:
                for figure, count in station.figures.items():
                    figures[figure] = here.plus(figures[figure], count)
            workers = figures[Figure.WORKERS]
            row.values |= {
                "centers": sum(each.tier is Tier.CENTER for each in own),
                "stations": sum(each.tier is Tier.STATION for each in own),
                "rooms": sum(each.tier is Tier.ROOM for each in own),
                "towns_covered": len(covered),
                "station_coverage": rate_per_10k(len(covered), towns_here),
                "workers": workers,
                "workers_certified": figures[Figure.CERTIFIED],
                "people_in_need": figures[Figure.PEOPLE_IN_NEED],
                "people_in_care": figures[Figure.PEOPLE_SERVED],
                "volunteers_listed": figures[Figure.VOLUNTEERS],
                "enterprises_listed": figures[Figure.ENTERPRISES],
                "residents_per_worker": per_one(_count(row.division.residents), workers),
                "care_per_worker": per_one(figures[Figure.PEOPLE_SERVED], workers),
            }

    async def _aged(self, window: Window) -> Mapping[int, Residents]:
        ages = self.definition.ages
        return {} if ages is None else await self.snapshot.list_residents_aged(window, ages)

    async def _whole(self, division: Division, window: Window, *, registered: int) -> Value:
        match self.definition.denominator:
            case Denominator.RESIDENTS:
                return _count(division.residents)
            case Denominator.REGISTERED:
                return registered
            case Denominator.RESIDENTS_AGED:
                return _count((await self._aged(window)).get(division.region))

    def _group_of(self, state: State, *, is_by_field: bool) -> Callable[[Work], int]:
        if is_by_field:
            return lambda work: work.field
        organization_of = self.snapshot.kept.organizations.setdefault(state.book, {})
        return lambda work: (
            organization_of.get(work.activity, 0) if work.activity_book == state.book else 0
        )

    async def _names(self, found: Mapping[int, _Found]) -> dict[int, str]:
        o = organization.c
        rows = await self.snapshot.conn.execute(
            select(o.id, o.name).where(
                o.book_id.in_([state.book for state in self.snapshot.states]), o.id.in_(found)
            )
        )
        return {row.id: row.name for row in rows}


_MINUTES = ("minutes", *(f"minutes_{evidence}" for evidence in Evidence))
_DEEDS = (
    "active",
    "services",
    *_MINUTES,
    "services_here",
    "minutes_here",
    "activities",
    "sessions",
    "shifts",
    "places",
    "places_filled",
)


def _minutes(of_classes: Sequence[int]) -> dict[str, int]:
    return dict(zip(_MINUTES, (sum(of_classes), *of_classes), strict=True))


def _add_deed(values: dict[str, Value], deed: here.Deed) -> None:
    added = {
        "services_here": deed.services,
        "minutes_here": deed.minutes,
        "activities": len(deed.activities),
        "sessions": deed.sessions,
        "shifts": deed.shifts,
        "places": deed.places,
        "places_filled": deed.filled,
        "people_served": deed.people,
        "households_served": deed.households,
    }
    for name, number in added.items():
        values[name] = here.plus(values[name], number)


def _add_fill(values: dict[str, Value]) -> None:
    values["fill_rate"] = rate_per_10k(values["places_filled"] or 0, values["places"])


def _count(residents: Residents | None) -> Value:
    return None if residents is None else residents.count


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


def _windows_before(window: Window) -> list[Window]:
    """Return windows that together are everything before a window; none before everything.

    Whole years and months, which other numbers are made of too.
    """
    if window.kind is WindowKind.EVER:
        return []
    first = window.first_on
    before = [Window.ever(date(first.year - 1, 12, 31))]
    if first > date(first.year, 1, 1):
        before += _months(Window.of_campaign(date(first.year, 1, 1), first - timedelta(days=1)))
    return before


def _after(day: date) -> date:
    return day + timedelta(days=1)
