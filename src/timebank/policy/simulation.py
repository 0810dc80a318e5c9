"""What packs would give, month by month, to everybody: the engine behind a what-if.

Rules are looked at on the last day of every month, over matrices of months × people that are made
once (`Timeline`) from a cube; a scenario then only compares. What a cube cannot say, such as a
home or a register's answer, is taken as it is known today, and a result names it. Whoever would be
given something is counted; who is chosen among them, and what a pool holds back, comes after.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from timebank.policy import plugins
from timebank.policy.columns import Column, Columns, compare_columns, value_at
from timebank.policy.condition import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    Leaf,
    Not,
    Op,
    Unknown,
    number_of,
)
from timebank.policy.cube import Cube, Measure, last_day, month_number
from timebank.policy.evaluation import ordered_rules
from timebank.policy.fact import FactKey, FactUse, Value
from timebank.policy.grant import Every, GrantKind, PerUnit
from timebank.policy.parameter import Need
from timebank.policy.pool import Pool
from timebank.policy.rule import Pack, Rule, Step
from timebank.policy.table import Hit

Series = NDArray[Any]
"""Shape: months × people, or one row that stands for every month. Whole numbers, or bool."""

Masks = NDArray[np.bool_]

BLOCK = 16_384
"""People at a time: what one block's matrices take stays near the processor."""

LEAD_MONTHS = 12
"""Months before the horizon that are looked at, so that a year's grants are not counted anew."""


NEVER = -1
BEFORE = -2


@dataclass(frozen=True, slots=True)
class Track:
    """One fact of everybody over the months.

    Attributes:
        is_known: None where it always is.
    """

    values: Series
    is_known: Masks | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about people that a scenario compares; made once, used by every scenario.

    Attributes:
        days: The last days of the months looked at: those before the horizon, then the horizon.
        lead: How many of them come before the horizon.
        homes: 12-digit codes; 0 where none is known.
        as_today: Facts that no cube has, taken as known today.
    """

    days: tuple[date, ...]
    lead: int
    people: int
    homes: NDArray[np.int64]
    tracks: Mapping[FactUse, Track]
    as_today: frozenset[str]

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
    return Timeline(days, lead, cube.people, cube.homes, tracks, frozenset(as_today))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """What one step of a rule would give.

    Attributes:
        first: The month of the horizon in which somebody is first given it; `BEFORE` the horizon
            in a period that reaches into it; or `NEVER`.
        place: Of the step in its rule: a level's number, a row's place, or 0 for the only step.
        people: Of each month: how many are given it.
        units: Of each month: what they are given in all.
    """

    pack: Pack
    rule: Rule
    step: Step
    place: int
    first: NDArray[np.int16]
    people: NDArray[np.int64]
    units: NDArray[np.int64]

    @property
    def name(self) -> tuple[str, str, int]:
        """Return rule and step as a variant of the pack names them too."""
        return self.pack.id, self.rule.id, self.place

    def cost(self, prices: Mapping[str, int]) -> NDArray[np.int64]:
        """Return the fen of each month: money as it is, things at a price that somebody assumes."""
        if self.rule.grant.kind is GrantKind.MONEY:
            return self.units
        return self.units * prices.get(self.rule.grant.item, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """What some packs would give over a timeline."""

    packs: tuple[Pack, ...]
    timeline: Timeline
    steps: tuple[StepRun, ...]

    def find(self, name: tuple[str, str, int]) -> StepRun | None:
        """Return a step by name; None where these packs have none such."""
        return next((each for each in self.steps if each.name == name), None)


@dataclass(slots=True)
class _Tally:
    """Sums of one step, block by block."""

    first: NDArray[np.int16]
    people: NDArray[np.int64]
    units: NDArray[np.int64]


def simulate(packs: Sequence[Pack], timeline: Timeline, *, reuse: Run | None = None) -> Run:
    """Return what packs would give over a timeline, whatever their status.

    Steps of rules that `reuse` has unchanged, and that ask for nothing that changed, are taken
    from there.

    Cost: some milliseconds for each leaf, for 140,000 people and 60 months.
    """
    chosen = ordered_rules(packs)
    kept = _unchanged(chosen, reuse)
    tallies: dict[tuple[str, str, int], _Tally] = {}
    fresh = [(pack, rule) for pack, rule in chosen if (pack.id, rule.id) not in kept]
    asked = {leaf.use.name for _, rule in fresh for leaf in rule.leaves()}
    needed = [
        (pack, rule) for pack, rule in chosen if (pack, rule) in fresh or rule.provides in asked
    ]
    count = len(timeline.months)
    if fresh:
        for pack, rule in fresh:
            for place, _step in places_of(rule):
                tallies[pack.id, rule.id, place] = _Tally(
                    np.full(timeline.people, NEVER, dtype=np.int16),
                    np.zeros(count, dtype=np.int64),
                    np.zeros(count, dtype=np.int64),
                )
        for start in range(0, timeline.people, BLOCK):
            _simulate_block(needed, timeline, slice(start, start + BLOCK), tallies)
    steps: list[StepRun] = []
    for pack, rule in chosen:
        for place, step in places_of(rule):
            name = (pack.id, rule.id, place)
            if name in tallies:
                tally = tallies[name]
                found = StepRun(
                    pack=pack,
                    rule=rule,
                    step=step,
                    place=place,
                    first=tally.first,
                    people=tally.people,
                    units=tally.units,
                )
            else:
                before = None if reuse is None else reuse.find(name)
                if before is None:
                    raise AssertionError("an unchanged rule has its steps")
                found = before
            steps.append(found)
    return Run(tuple(packs), timeline, tuple(steps))


def places_of(rule: Rule) -> list[tuple[int, Step]]:
    """Return a rule's steps with their places; of rows that exclude each other, the best first."""
    if rule.tiers is not None or len(rule.steps) == 1:
        return [(step.number, step) for step in rule.steps]
    places = list(enumerate(rule.steps, start=1))
    if rule.table is not None and rule.table.hit is Hit.MAX:
        places.sort(key=lambda pair: -pair[1].gives)
    return places


def _unchanged(
    chosen: Sequence[tuple[Pack, Rule]], reuse: Run | None
) -> frozenset[tuple[str, str]]:
    if reuse is None:
        return frozenset()
    before = {(pack.id, rule.id): rule for pack, rule in ordered_rules(reuse.packs)}
    same = {(pack.id, rule.id) for pack, rule in chosen if before.get((pack.id, rule.id)) == rule}
    provided = {rule.provides for pack, rule in chosen if rule.provides}
    stale = {
        rule.provides for pack, rule in chosen if rule.provides and (pack.id, rule.id) not in same
    } | (provided ^ {rule.provides for rule in before.values() if rule.provides})
    return frozenset(
        (pack.id, rule.id)
        for pack, rule in chosen
        if (pack.id, rule.id) in same and not any(leaf.use.name in stale for leaf in rule.leaves())
    )


@dataclass(slots=True)
class _Block:
    """Some people of a timeline, with the facts that rules provide as they are found."""

    timeline: Timeline
    columns: slice
    people: int
    provided: dict[str, Track] = field(default_factory=dict)

    def track(self, use: FactUse) -> Track:
        if use.name in self.provided:
            return self.provided[use.name]
        track = self.timeline.tracks[use]
        known = None if track.is_known is None else track.is_known[:, self.columns]
        return Track(track.values[:, self.columns], known)


def _simulate_block(
    rules: Sequence[tuple[Pack, Rule]],
    timeline: Timeline,
    columns: slice,
    tallies: Mapping[tuple[str, str, int], _Tally],
) -> None:
    people = min(columns.stop, timeline.people) - columns.start
    block = _Block(timeline, columns, people)
    shape = (len(timeline.days), people)
    for pack, rule in rules:
        levels = np.zeros(shape, dtype=np.int32) if rule.provides else None
        unknown = np.zeros(shape, dtype=np.bool_) if rule.provides else None
        days = timeline.days
        is_due = np.array([rule.schedule.is_due(on=day) for day in days])
        # Rows that exclude each other give once; levels, and rows that add up, give each their own.
        is_once = rule.table is not None and rule.table.hit is not Hit.SUM
        held: dict[str, Masks] | None = {} if is_once else None
        for place, step in places_of(rule):
            is_on = np.array([any(each is step for each in rule.steps_on(day)) for day in days])
            if not is_on.any():
                continue
            met, unsure = _judge(step.condition, block, days)
            if not is_on.all():
                met = met & is_on[:, np.newaxis]
            met = np.broadcast_to(met, shape)
            if levels is not None and unknown is not None:
                levels[met] = step.number
                if unsure is not None:
                    unknown |= unsure
            tally = tallies.get((pack.id, rule.id, place))
            if tally is not None:
                due = met if is_due.all() else met & is_due[:, np.newaxis]
                _count(rule, step, due, block, tally, held)
        if levels is not None and unknown is not None:
            is_on = np.array([bool(rule.steps_on(day)) for day in days])
            known = ~unknown & is_on[:, np.newaxis]
            block.provided[rule.provides] = Track(levels, None if known.all() else known)


def _count(
    rule: Rule,
    step: Step,
    met: Masks,
    block: _Block,
    tally: _Tally,
    once: dict[str, Masks] | None,
) -> None:
    days, lead = block.timeline.days, block.timeline.lead
    first = tally.first[block.columns]
    for rows in _periods(rule.every, days):
        held = np.zeros(block.people, dtype=np.bool_)
        if once is not None:
            held = once.setdefault(rule.every.period_key(on=days[rows[0]]), held)
        for row in rows:
            # Given once in a period: in its first month in which the condition holds.
            fresh = met[row] & ~held
            held |= fresh
            month = row - lead
            if month < 0 or not fresh.any():
                if rows[-1] >= lead:
                    first[fresh & (first == NEVER)] = BEFORE
                continue
            tally.people[month] += np.count_nonzero(fresh)
            tally.units[month] += _units(rule, step, fresh, block, row)
            first[fresh & (first == NEVER)] = month


def _units(rule: Rule, step: Step, fresh: Masks, block: _Block, row: int) -> int:
    day = block.timeline.days[row]
    amount = rule.grant.amount
    if isinstance(amount, PerUnit):
        given, per = amount.pair(on=day)
        values = block.track(amount.use).values
        have = values[row if len(values) > 1 else 0][fresh].astype(np.int64)
        return int((np.maximum(have, 0) // per).sum()) * given
    return rule.count_of(step, on=day) * int(np.count_nonzero(fresh))


def _periods(every: Every, days: Sequence[date]) -> Iterator[list[int]]:
    """Yield the rows of each period, in order."""
    rows: dict[str, list[int]] = {}
    for row, day in enumerate(days):
        rows.setdefault(every.period_key(on=day), []).append(row)
    yield from rows.values()


def _judge(condition: Condition, block: _Block, days: Sequence[date]) -> tuple[Masks, Masks | None]:
    """Return where a condition is met, and where it is unknown (None: nowhere)."""
    met, unknown, _counted = _judged(condition, block, days)
    return met, unknown


def _judged(
    condition: Condition, block: _Block, days: Sequence[date]
) -> tuple[Masks, Masks | None, Masks | None]:
    """Return where it is met, unknown (None: nowhere), and left out (None: nowhere)."""
    match condition:
        case Leaf():
            track = block.track(condition.use)
            met = _compared(condition, track, days)
            if track.is_known is None:
                return met, None, None
            met = met & track.is_known
            match condition.unknown:
                case Unknown.ASK:
                    return met, ~track.is_known, None
                case Unknown.DENY:
                    return met, None, None
                case Unknown.IGNORE:
                    return met, None, ~track.is_known
        case Not(_, part):
            met, unknown, left_out = _judged(part, block, days)
            unmet = ~met
            for other in (unknown, left_out):
                if other is not None:
                    unmet = unmet & ~other
            return unmet, unknown, left_out
        case All(_, parts) | AnyOf(_, parts) | AtLeast(_, _, parts):
            return _combined(condition, [_judged(part, block, days) for part in parts])
        case _:
            assert_never(condition)


def _combined(
    condition: All | AnyOf | AtLeast, parts: Sequence[tuple[Masks, Masks | None, Masks | None]]
) -> tuple[Masks, Masks | None, Masks | None]:
    if isinstance(condition, All | AnyOf) and all(
        unknown is None and left_out is None for _, unknown, left_out in parts
    ):
        join = np.logical_and if isinstance(condition, All) else np.logical_or
        found = parts[0][0]
        for met, _unknown, _left_out in parts[1:]:
            found = join(found, met)
        return found, None, None
    met_count = sum(met.astype(np.int16) for met, _, _ in parts)
    unknown_count = sum(
        (unknown.astype(np.int16) for _, unknown, _ in parts if unknown is not None),
        start=np.zeros((1, 1), dtype=np.int16),
    )
    counted = len(parts) - sum(
        (left_out.astype(np.int16) for _, _, left_out in parts if left_out is not None),
        start=np.zeros((1, 1), dtype=np.int16),
    )
    match condition:
        case All():
            enough = counted
        case AnyOf():
            enough = np.ones((1, 1), dtype=np.int16)
        case AtLeast():
            enough = np.full((1, 1), condition.count, dtype=np.int16)
    left_out = counted == 0
    met = (met_count >= enough) & ~left_out
    unknown = ~met & (met_count + unknown_count >= enough) & ~left_out
    return met, unknown, left_out if left_out.any() else None


def _compared(leaf: Leaf, track: Track, days: Sequence[date]) -> Masks:
    needs = [leaf.need(on=max(day, leaf.parameter.values[0].from_on)) for day in days]
    if all(need == needs[0] for need in needs):
        return _holds(leaf.op, track.values, needs[0])
    values = np.broadcast_to(track.values, (len(days), track.values.shape[1]))
    found = np.empty(values.shape, dtype=np.bool_)
    start = 0
    for row in range(1, len(needs) + 1):
        if row == len(needs) or needs[row] != needs[start]:
            found[start:row] = _holds(leaf.op, values[start:row], needs[start])
            start = row
    return found


def _holds(op: Op, values: Series, need: Need) -> Masks:
    """Compare in the matrix's own width: half the memory to walk through."""
    compared = _PLAIN.get(op)
    if compared is None or values.dtype == np.bool_:
        return compare_columns(op, values.astype(np.int64), need)
    number = number_of(need)
    limits = np.iinfo(values.dtype)
    if not limits.min <= number <= limits.max:
        values = values.astype(np.int64)
    found: Masks = compared(values, number)
    return found


_PLAIN: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.AT_LEAST: operator.ge,
    Op.ABOVE: operator.gt,
    Op.AT_MOST: operator.le,
    Op.BELOW: operator.lt,
    Op.EQUAL: operator.eq,
    Op.DIFFERENT: operator.ne,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one step would give in two runs over the same timeline.

    Attributes:
        gains: Who is given it in the variant only.
        loses: Who is given it in the base only.
        sooner: Who is given it in both, and earlier in the variant.
        later: Who is given it in both, and later in the variant.
    """

    name: tuple[str, str, int]
    base: StepRun | None
    variant: StepRun | None
    gains: Masks
    loses: Masks
    sooner: Masks
    later: Masks


def differences(base: Run, variant: Run) -> tuple[Difference, ...]:
    """Return how each step differs; steps of either run, those of the variant first.

    Raises:
        ValueError: The runs are over different timelines.
    """
    if base.timeline is not variant.timeline:
        raise ValueError("two runs over different timelines cannot be compared")
    names = dict.fromkeys([each.name for each in (*variant.steps, *base.steps)])
    never = np.full(base.timeline.people, NEVER, dtype=np.int16)
    found = []
    for name in names:
        one, other = base.find(name), variant.find(name)
        before = never if one is None else one.first
        after = never if other is None else other.first
        had, has = before != NEVER, after != NEVER
        both = had & has
        # What was given before the horizon came first; never is neither sooner nor later.
        when_before, when_after = (np.where(each == BEFORE, -1, each) for each in (before, after))
        found.append(
            Difference(
                name=name,
                base=one,
                variant=other,
                gains=~had & has,
                loses=had & ~has,
                sooner=both & (when_after < when_before),
                later=both & (when_after > when_before),
            )
        )
    return tuple(found)


def enacted_at_start(base: Run, variant: Run) -> Run:
    """Return the variant as if it were enacted when the horizon begins.

    Whoever met it before, and was not given it by the base, is given it in the first month.
    """
    return Run(
        variant.packs,
        variant.timeline,
        tuple(
            _enacted_at_start(base.find(each.name), each, base.timeline) for each in variant.steps
        ),
    )


def _enacted_at_start(base: StepRun | None, step: StepRun, timeline: Timeline) -> StepRun:
    held = np.zeros(timeline.people, dtype=np.bool_) if base is None else base.first == BEFORE
    at_once = (step.first == BEFORE) & ~held
    if not at_once.any():
        return step
    first, people, units = step.first.copy(), step.people.copy(), step.units.copy()
    first[at_once] = 0
    people[0] += np.count_nonzero(at_once)
    everybody = _Block(timeline, slice(0, timeline.people), timeline.people)
    units[0] += _units(step.rule, step.step, at_once, everybody, timeline.lead)
    return replace(step, first=first, people=people, units=units)


def by_division(mask: Masks, timeline: Timeline, *, digits: int) -> dict[int, int]:
    """Return how many of some people live in each division of so many digits (9: towns).

    Shape: one item per division with anybody; 0 stands for an unknown home.
    """
    step = 10 ** (12 - digits)
    codes, counts = np.unique(timeline.homes[mask] // step * step, return_counts=True)
    return {int(code): int(count) for code, count in zip(codes, counts, strict=True)}


@dataclass(frozen=True, slots=True)
class Drain:
    """How far an amount reaches in one of its periods.

    Attributes:
        asked: What is taken by the end of the period, or of the horizon.
        empty: The last day of the month in which more was taken than there is; None if it reaches.
    """

    period: str
    opened: int
    asked: int
    empty: date | None


def drains(
    taken: NDArray[np.int64],
    months: Sequence[date],
    *,
    every: Every,
    opens: Callable[[date, int], int],
) -> tuple[Drain, ...]:
    """Return how far an amount reaches that is there anew in each period.

    `taken` is what each month takes, everybody who is eligible being served; `opens` says what a
    period opens with, given its last day and what was left of the one before.
    """
    found: list[Drain] = []
    left = 0
    for rows in _periods(every, months):
        day = months[rows[-1]]
        opened, total, empty = opens(day, left), 0, None
        for row in rows:
            total += int(taken[row])
            if empty is None and total > opened:
                empty = months[row]
        left = max(opened - total, 0)
        found.append(Drain(every.period_key(on=day), opened, total, empty))
    return tuple(found)


def pool_drains(run: Run, pack: Pack, pool: Pool) -> tuple[Drain, ...]:
    """Return how a pool of a pack fares, if everybody who is eligible is served.

    Nothing before the pool's first amount.
    """
    taking = [
        each for each in run.steps if each.pack.id == pack.id and each.rule.grant.pool == pool.id
    ]
    months = run.timeline.months
    taken = sum((each.units for each in taking), start=np.zeros(len(months), dtype=np.int64))
    first = pool.amount.values[0].from_on
    return drains(
        taken,
        months,
        every=pool.every,
        opens=lambda day, left: 0 if day < first else pool.opening(on=day, left=left),
    )


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
