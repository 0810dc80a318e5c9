"""Who is given what when not everybody can be, month by month: allocation in arrays for what-ifs.

At the end of every month the claims of everybody go through the same phases in the same order as
in `allocation.allocate`; a test holds the two together, to the person. What an office would find
given before is carried from month to month: what a period gave, what a group and a limit used up,
what a pool still holds, and who waits for it.

Three things nobody can know beforehand, and a result names those that it assumed: what people will
choose (the default, else the first of the menu that they meet), a lottery's seed (one of our own),
and whom a panel votes for (the first of its shortlist).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from timebank.domain import region
from timebank.policy.allocation import Standing, lot_prefix
from timebank.policy.columns import Column
from timebank.policy.extension import Claimants, counts_of, ranks_of
from timebank.policy.fact import FactUse
from timebank.policy.grant import Every, Limit, LimitOf, LimitPer, Made, PerUnit
from timebank.policy.pool import Exhausted, Pool, number_on
from timebank.policy.rule import Pack, Rule, Step
from timebank.policy.selection import Criterion, Order, SelectMode, Ties
from timebank.policy.stacking import Group, StackMode
from timebank.policy.table import Hit
from timebank.policy.timeline import BEFORE, NEVER, Masks, Timeline, Track

SEED = b"what-if"
"""What lots are made with in place of the ledger's root: of a month to come there is none."""

Rows = NDArray[np.intp]
"""People, by their column."""

Numbers = NDArray[np.int64]

_Key = TypeVar("_Key")


class Assumed(StrEnum):
    """What people decide, and a what-if has to assume."""

    CHOICE = "choice"
    """Everybody takes the default, else the first of the menu that they meet."""
    DRAW = "draw"
    """A lottery is drawn with a seed of our own."""
    PANEL = "panel"
    """A panel votes for the first of its shortlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Where one step of a rule is met and due.

    Attributes:
        place: Of the step in its rule, as in `StepRun`.
        order: Of the rule in its pack.
        met: Packed bits. Shape: months × people.
    """

    rule: Rule
    step: Step
    place: int
    order: int
    met: NDArray[np.uint8]

    @property
    def name(self) -> tuple[str, int]:
        """Return rule and place."""
        return self.rule.id, self.place

    @property
    def key(self) -> tuple[str, int]:
        """Return rule and level: with a person and a period, the same is given once."""
        return self.rule.id, self.step.number


@dataclass(slots=True)
class StepTally:
    """What one step came to, as in `StepRun`."""

    first: NDArray[np.int16]
    people: Numbers
    units: Numbers
    held_back: dict[Standing, Numbers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drain:
    """How far an amount reaches in one of its periods.

    Attributes:
        asked: What would have been taken by the end of the period, or of the horizon, had there
            been enough.
        empty: The last day of the month in which more was asked for than there was; None if it
            reaches.
        taken: What was taken.
        left_out: People who were given nothing, or less, because it ran out.
    """

    period: str
    opened: int
    asked: int
    empty: date | None
    taken: int
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRun:
    """How one pool fares.

    Attributes:
        opened: Of each month: what its period opened with; of some months from that one on.
        taken: Of each month: what was taken.
        turned_away: Of each month: claims that came to nothing, to a wait, or to less.
        first_away: The month of the horizon in which somebody first was; `BEFORE` it; or `NEVER`.
        drains: Every period that the horizon touches, whole.
    """

    pack: Pack
    pool: Pool
    opened: Numbers
    taken: Numbers
    turned_away: Numbers
    first_away: NDArray[np.int16]
    drains: tuple[Drain, ...]

    def towns(self, timeline: Timeline, *, digits: int = 9) -> dict[int, tuple[date, int]]:
        """Return, by division, the month in which it ran out for somebody, and for how many in all.

        Shape: divisions of so many digits (9: towns) where it ran out; 0 stands for unknown homes.
        """
        away = np.flatnonzero(self.first_away >= 0)
        step = 10 ** (12 - digits)
        codes = timeline.homes[away] // step * step
        found: dict[int, tuple[date, int]] = {}
        for code in np.unique(codes).tolist():
            months = self.first_away[away[codes == code]]
            found[code] = (timeline.months[int(months.min())], len(months))
        return found


@dataclass(slots=True)
class _Marks:
    """Something of everybody in one period: forgotten when the next begins."""

    period: str
    of: NDArray[Any]


@dataclass(slots=True)
class _Account:
    """A pool in one period, and what was asked of it."""

    period: str
    opened: int
    left: int
    empty: date | None = None
    away: Masks | None = None
    unmet: dict[tuple[str, int], Numbers] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    """Claims of one step that belong together.

    Attributes:
        since: The month from which they wait, counted as the timeline's days.
    """

    want: Want
    since: int
    period: str
    rows: Rows
    counts: Numbers


@dataclass(slots=True)
class Holdings:
    """What was given, used up and promised when a month begins; one pack's."""

    given: dict[tuple[str, int], _Marks] = field(default_factory=dict)
    winners: dict[str, _Marks] = field(default_factory=dict)
    group_given: dict[str, _Marks] = field(default_factory=dict)
    group_paid: dict[str, _Marks] = field(default_factory=dict)
    used: dict[tuple[str, int], _Marks] = field(default_factory=dict)
    used_by_all: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    accounts: dict[str, _Account] = field(default_factory=dict)
    queues: dict[str, list[_Line]] = field(default_factory=dict)

    def copied(self) -> "Holdings":
        """Return the same, of which nothing is shared that changes."""
        return Holdings(
            given=_copied(self.given),
            winners=_copied(self.winners),
            group_given=_copied(self.group_given),
            group_paid=_copied(self.group_paid),
            used=_copied(self.used),
            used_by_all=dict(self.used_by_all),
            accounts={
                key: _Account(
                    each.period,
                    each.opened,
                    each.left,
                    each.empty,
                    None if each.away is None else each.away.copy(),
                    {name: counts.copy() for name, counts in each.unmet.items()},
                )
                for key, each in self.accounts.items()
            },
            queues={key: list(lines) for key, lines in self.queues.items()},
        )


def _copied(of: dict[_Key, _Marks]) -> dict[_Key, _Marks]:
    return {key: _Marks(each.period, each.of.copy()) for key, each in of.items()}


@dataclass(frozen=True, slots=True)
class Rationed:
    """What one pack's rationed rules come to.

    Attributes:
        steps: By rule and place.
        at_start: What was given when the horizon began.
    """

    steps: Mapping[tuple[str, int], StepTally]
    pools: tuple[PoolRun, ...]
    assumed: frozenset[Assumed]
    at_start: Holdings


def is_rationed(pack: Pack, rule: Rule) -> bool:
    """Return whether not everybody who meets a rule may be given what it gives."""
    if rule.grant.pool or rule.limits or rule.select.mode is not SelectMode.EACH:
        return True
    if not rule.group:
        return False
    group = pack.group(rule.group)
    return group.mode is not StackMode.SUM or bool(group.excludes)


def ration(
    pack: Pack,
    wants: Sequence[Want],
    timeline: Timeline,
    *,
    provided: Mapping[str, Track],
    start: tuple[Holdings, Mapping[tuple[str, int], NDArray[np.int16]]] | None = None,
) -> Rationed:
    """Return what a pack's rationed rules give, month by month, as its offices would.

    `provided` has the tracks of facts that rules provide. With `start`, what was given before the
    horizon is as another run has it, with the months in which that one first gave each step: the
    pack is enacted when the horizon begins.

    Cost: some passes over people for each step and month in which somebody claims; lots only where
    something does not reach for everybody.
    """
    return _Rationing(pack, wants, timeline, provided, start).run()


class _Rationing:
    """One pack over one timeline."""

    def __init__(
        self,
        pack: Pack,
        wants: Sequence[Want],
        timeline: Timeline,
        provided: Mapping[str, Track],
        start: tuple[Holdings, Mapping[tuple[str, int], NDArray[np.int16]]] | None,
    ) -> None:
        self.pack = pack
        self.timeline = timeline
        self.people = timeline.people
        self.provided = provided
        self.start = start
        self.holds = Holdings() if start is None else start[0].copied()
        by_rule: dict[tuple[int, int], list[Want]] = defaultdict(list)
        for want in wants:
            by_rule[want.rule.priority, want.order].append(want)
        self.rules = [by_rule[key] for key in sorted(by_rule)]
        months = len(timeline.months)
        self.tallies = {
            want.name: StepTally(
                self._first(want), np.zeros(months, dtype=np.int64), np.zeros(months, np.int64)
            )
            for want in wants
        }
        used = {want.rule.grant.pool for want in wants} - {""}
        self.pools = {each.id: each for each in pack.pools if each.id in used}
        self.serves = {key: _served(pool, timeline.homes) for key, pool in self.pools.items()}
        self.opened = {key: np.zeros(months, dtype=np.int64) for key in self.pools}
        self.taken = {key: np.zeros(months, dtype=np.int64) for key in self.pools}
        self.turned_away = {key: np.zeros(months, dtype=np.int64) for key in self.pools}
        self.first_away = {key: np.full(self.people, NEVER, dtype=np.int16) for key in self.pools}
        self.drains: dict[str, list[Drain]] = {key: [] for key in self.pools}
        self.assumed: set[Assumed] = set()
        self.lots: dict[bytes, tuple[Masks, NDArray[np.uint64]]] = {}
        self.groups = {each.id: each for each in pack.groups}

    def _first(self, want: Want) -> NDArray[np.int16]:
        """Return the months as they are when the horizon begins.

        What was given before stays so for whoever meets the rule then; who does not will not be
        given it again.
        """
        first = np.full(self.people, NEVER, dtype=np.int16)
        if self.start is None or want.name not in self.start[1]:
            return first
        met = np.zeros(self.people, dtype=np.bool_)
        for row in range(self.timeline.lead):
            met |= self._bits(want, row)
        first[met & (self.start[1][want.name] == BEFORE)] = BEFORE
        return first

    def run(self) -> Rationed:
        lead = self.timeline.lead
        at_start = self.holds
        for row in range(0 if self.start is None else lead, len(self.timeline.days)):
            if row == lead:
                at_start = self.holds.copied()
            self._month(row)
        for key in self.pools:
            self._close(key)
        pools = tuple(
            PoolRun(
                pack=self.pack,
                pool=pool,
                opened=self.opened[key],
                taken=self.taken[key],
                turned_away=self.turned_away[key],
                first_away=self.first_away[key],
                drains=tuple(self.drains[key]),
            )
            for key, pool in self.pools.items()
        )
        return Rationed(self.tallies, pools, frozenset(self.assumed), at_start)

    def _month(self, row: int) -> None:
        day = self.timeline.days[row]
        self._open_pools(row, day)
        self._serve_queues(row)
        lines = list(self._claims(row, day))
        self._stack(lines, day)
        if row == 0 and not self.timeline.is_whole:
            lines = self._settled(lines, row)
        self._limit_people(lines, day)
        self._select(lines, row, day)
        self._limit_all(lines, day)
        for line in self._draw(lines, row):
            self._give(line, row)

    # Claims.

    def _bits(self, want: Want, row: int) -> Masks:
        return np.unpackbits(want.met[row], count=self.people).view(np.bool_)

    def _claims(self, row: int, day: date) -> Iterator[_Line]:
        for wants in self.rules:
            rule = wants[0].rule
            period = rule.every.period_key(on=day)
            alive = [want for want in wants if want.met[row].any()]
            if not alive:
                continue
            if rule.table is not None and len(wants) > 1:
                yield from self._row_claims(alive, rule.table.hit, row, period)
                continue
            for want in alive:
                fresh = self._bits(want, row)
                if not self._is_top_up(rule):
                    fresh &= ~self._marked(self.holds.given, want.key, period)
                yield self._line(want, row, period, np.flatnonzero(fresh), day)

    def _row_claims(
        self, wants: Sequence[Want], hit: Hit, row: int, period: str
    ) -> Iterator[_Line]:
        """Yield what rows of a table come to: the best one, or their sum under the first."""
        best = np.zeros(self.people, dtype=np.int64)
        which = np.full(self.people, -1, dtype=np.int16)
        for place, want in enumerate(sorted(wants, key=lambda each: each.place)):
            met = self._bits(want, row)
            if hit is Hit.SUM:
                which[met & (which < 0)] = place
                best[met] += want.step.gives
            else:
                better = met & (want.step.gives > best)
                best[better], which[better] = want.step.gives, place
        rule = wants[0].rule
        if not self._is_top_up(rule):
            which[self._marked(self.holds.given, wants[0].key, period)] = -1
        for place, want in enumerate(sorted(wants, key=lambda each: each.place)):
            rows = np.flatnonzero(which == place)
            yield _Line(want, row, period, rows, best[rows])

    def _line(self, want: Want, row: int, period: str, rows: Rows, day: date) -> _Line:
        amount = want.rule.grant.amount
        if isinstance(amount, PerUnit):
            given, block = amount.pair(on=day)
            values, _known = self._values(amount.use, row, rows)
            counts = np.maximum(values, 0) // block * given
        elif isinstance(amount, Made):
            counts = counts_of(
                amount.maker,
                facts=[self._values(use, row, rows) for use in amount.uses],
                numbers=amount.numbers_on(day),
                on=day,
                people=len(rows),
            )
        else:
            counts = np.full(len(rows), want.rule.count_of(want.step, on=day), dtype=np.int64)
        return _Line(want, row, period, rows, counts)

    def _values(self, use: FactUse, row: int, rows: Rows) -> Column:
        track = self.provided.get(use.name) or self.timeline.tracks[use]
        return track.at(row, rows)

    def _settled(self, lines: Sequence[_Line], row: int) -> list[_Line]:
        """Take what is given once for life as given before the first of the months looked at."""
        later = []
        for line in lines:
            group = self.groups.get(line.want.rule.group)
            tops_up_for_life = (
                group is not None
                and group.mode is StackMode.TOP_UP
                and group.every is Every.LIFETIME
            )
            is_for_life = line.want.rule.every is Every.LIFETIME or tops_up_for_life
            if is_for_life and line.want.rule.select.mode is SelectMode.EACH:
                self._mark(line, row)
                self.tallies[line.want.name].first[line.rows] = BEFORE
            else:
                later.append(line)
        return later

    def _is_top_up(self, rule: Rule) -> bool:
        return bool(rule.group) and self.groups[rule.group].mode is StackMode.TOP_UP

    # Groups.

    def _stack(self, lines: Sequence[_Line], day: date) -> None:
        members: dict[str, list[_Line]] = defaultdict(list)
        for line in lines:
            if line.want.rule.group:
                members[line.want.rule.group].append(line)
        for group_id, inside in members.items():
            group = self.groups[group_id]
            match group.mode:
                case StackMode.SUM:
                    pass
                case StackMode.HIGHEST:
                    self._keep_highest(inside, self._given_in(group, day))
                case StackMode.CHOOSE_ONE:
                    self._keep_chosen(group, inside, self._given_in(group, day))
                case StackMode.TOP_UP:
                    self._keep_highest(inside, None)
                    paid = self._paid_in(group, day)
                    for line in inside:
                        line.counts = line.counts - paid[line.rows]
                        self._keep(line, line.counts > 0, Standing.ALREADY)
                case StackMode.CAP:
                    cap = 0 if group.cap is None else number_on(group.cap, on=day)
                    left = cap - self._paid_in(group, day)
                    for line in inside:
                        line.counts = np.minimum(line.counts, left[line.rows])
                        self._keep(line, line.counts > 0, Standing.STACKED)
                        left[line.rows] -= line.counts

    def _keep_highest(self, lines: Sequence[_Line], given: Masks | None) -> None:
        best = np.zeros(self.people, dtype=np.int64)
        which = np.full(self.people, -1, dtype=np.int16)
        for place, line in enumerate(lines):
            better = line.counts > best[line.rows]
            rows = line.rows[better]
            best[rows], which[rows] = line.counts[better], place
        for place, line in enumerate(lines):
            kept = which[line.rows] == place
            if given is not None:
                kept &= ~given[line.rows]
            self._keep(line, kept, Standing.STACKED)

    def _keep_chosen(self, group: Group, lines: Sequence[_Line], given: Masks) -> None:
        chosen = np.full(self.people, -1, dtype=np.int32)
        for line in lines:
            if line.want.rule.id == group.default:
                chosen[line.rows] = line.want.order
        for line in lines:
            open_rows = line.rows[chosen[line.rows] < 0]
            if (~given[open_rows]).any():
                self.assumed.add(Assumed.CHOICE)
            chosen[open_rows] = line.want.order
        for line in lines:
            kept = (chosen[line.rows] == line.want.order) & ~given[line.rows]
            self._keep(line, kept, Standing.STACKED)

    def _given_in(self, group: Group, day: date) -> Masks:
        return self._marked(self.holds.group_given, group.id, group.every.period_key(on=day))

    def _paid_in(self, group: Group, day: date) -> Numbers:
        return self._summed(self.holds.group_paid, group.id, group.every.period_key(on=day)).copy()

    # Limits.

    def _limit_people(self, lines: Sequence[_Line], day: date) -> None:
        for inside in _by_rule(lines).values():
            rule = inside[0].want.rule
            limits = [
                (place, each)
                for place, each in enumerate(rule.limits)
                if each.per is LimitPer.PERSON
            ]
            used = {place: self._used(rule, place, each, day).copy() for place, each in limits}
            for line in inside if limits else ():
                for place, limit in limits:
                    left = number_on(limit.most, on=day) - used[place][line.rows]
                    if limit.of is LimitOf.UNITS:
                        line.counts = np.minimum(line.counts, left)
                    self._keep(line, left > 0, Standing.LIMITED)
                for place, limit in limits:
                    used[place][line.rows] += line.counts if limit.of is LimitOf.UNITS else 1

    def _used(self, rule: Rule, place: int, limit: Limit, day: date) -> Numbers:
        return self._summed(self.holds.used, (rule.id, place), limit.every.period_key(on=day))

    def _limit_all(self, lines: Sequence[_Line], day: date) -> None:
        for inside in _by_rule(lines).values():
            rule = inside[0].want.rule
            limits = [
                (place, each) for place, each in enumerate(rule.limits) if each.per is LimitPer.ALL
            ]
            if not limits:
                continue
            left: dict[int, int] = {}
            for place, limit in limits:
                period, used = self.holds.used_by_all.get((rule.id, place), ("", 0))
                is_now = period == limit.every.period_key(on=day)
                left[place] = number_on(limit.most, on=day) - (used if is_now else 0)
            times = sum(len(line.rows) for line in inside)
            units = sum(int(line.counts.sum()) for line in inside)
            asked = {
                place: units if limit.of is LimitOf.UNITS else times for place, limit in limits
            }
            if all(asked[place] <= left[place] for place, _ in limits):
                continue
            pile = _Pile(inside)
            counts = pile.counts.copy()
            if any(each <= 0 for each in left.values()):
                counts[:] = 0
            else:
                self._count_off(pile, counts, limits, left)
            for line, part in pile.parts():
                line.counts = counts[part]
                self._keep(line, line.counts > 0, Standing.LIMITED)

    def _count_off(
        self,
        pile: "_Pile",
        counts: Numbers,
        limits: Sequence[tuple[int, Limit]],
        left: dict[int, int],
    ) -> None:
        """Cut counts, one by one in the total order, to what limits of all leave."""
        for place in self._ordered(pile).tolist():
            count = int(counts[place])
            for number, limit in limits:
                if count <= 0 or left[number] <= 0:
                    count = 0
                elif limit.of is LimitOf.UNITS:
                    count = min(count, left[number])
            counts[place] = count
            for number, limit in limits if count else ():
                left[number] -= count if limit.of is LimitOf.UNITS else 1

    # Selections.

    def _select(self, lines: Sequence[_Line], row: int, day: date) -> None:
        won: dict[str, Masks] = {}
        for inside in _by_rule(lines).values():
            rule = inside[0].want.rule
            group = self.groups.get(rule.group)
            if group is not None and group.excludes:
                self._exclude(inside, group, won, day)
            if rule.select.mode is not SelectMode.EACH:
                self._select_one(rule, inside, row, day)
            if group is not None and group.excludes:
                mask = won.setdefault(group.id, np.zeros(self.people, dtype=np.bool_))
                for line in inside:
                    mask[line.rows] = True

    def _exclude(
        self, lines: Sequence[_Line], group: Group, won: Mapping[str, Masks], day: date
    ) -> None:
        out = np.zeros(self.people, dtype=np.bool_)
        for other in group.excludes:
            out |= self._given_in(self.groups[other], day)
            if other in won:
                out |= won[other]
        for line in lines:
            self._keep(line, ~out[line.rows], Standing.EXCLUDED)

    def _select_one(self, rule: Rule, lines: Sequence[_Line], row: int, day: date) -> None:
        select = rule.select
        if select.winners is None:
            raise ValueError(f"{rule.id}: a selection needs a number of winners")
        winners = number_on(select.winners, on=day)
        if select.per is not None:
            for line in lines:
                self._keep(line, self.timeline.homes[line.rows] != 0, Standing.OUTSIDE)
        pile = _Pile(lines)
        if not len(pile.rows):
            return
        divisions = np.zeros(self.people, dtype=np.int64)
        if select.per is not None:
            size = region.span(select.per)
            divisions = self.timeline.homes // size * size
        period = rule.every.period_key(on=day)
        before = np.flatnonzero(self._marked(self.holds.winners, rule.id, period))
        kept = np.zeros(len(pile.rows), dtype=np.bool_)
        for division in np.unique(divisions[pile.rows]).tolist():
            inside = np.flatnonzero(divisions[pile.rows] == division)
            left = max(winners - int((divisions[before] == division).sum()), 0)
            kept[self._chosen_of(rule, pile, inside, left, row, day)] = True
        for line, part in pile.parts():
            self._keep(line, kept[part], Standing.NOT_SELECTED)

    def _chosen_of(
        self, rule: Rule, pile: "_Pile", inside: Rows, left: int, row: int, day: date
    ) -> Rows:
        """Return who of some claims wins, of at most so many."""
        select = rule.select
        match select.mode:
            case SelectMode.EACH:
                return inside
            case SelectMode.TOP_N:
                if left == 0 or len(inside) <= left:
                    return inside[:left]
                ranked, ranks = self._ranked(pile, inside, select.by, row)
                return ranked[: _kept(ranks, left, select.ties)]
            case SelectMode.PLUGIN:
                if left == 0 or len(inside) <= left:
                    return inside[:left]
                ranked, ranks = self._ranked_by_plugin(rule, pile, inside, row, day)
                return ranked[: _kept(ranks, left, select.ties)]
            case SelectMode.LOTTERY:
                self.assumed.add(Assumed.DRAW)
                if left == 0 or len(inside) <= left:
                    return inside[:left]
                key = (f"{self.pack.id}/{rule.id}", pile.lines[0].period)
                drawn = self._lots(lot_prefix(SEED, *key), pile.rows[inside])
                return inside[np.lexsort((self._place(pile, inside), drawn))][:left]
            case SelectMode.PANEL:
                self.assumed.add(Assumed.PANEL)
                if left == 0:
                    return inside[:0]
                ranked, ranks = self._ranked(pile, inside, select.by, row)
                if select.shortlist is not None:
                    most = number_on(select.shortlist, on=day)
                    ranked = ranked[: _kept(ranks, most, select.ties)]
                return ranked[:left]

    def _ranked(
        self, pile: "_Pile", inside: Rows, by: Sequence[Criterion], row: int
    ) -> tuple[Rows, Numbers]:
        """Return claims by rank, equals in the total order, and their ranks. Shape: × criteria."""
        columns: list[NDArray[np.int64]] = []
        for criterion in by:
            values, is_known = self._values(criterion.use, row, pile.rows[inside])
            sign = -1 if criterion.order is Order.MOST else 1
            columns += [(~is_known).astype(np.int64), np.where(is_known, values * sign, 0)]
        place = self._place(pile, inside)
        order = np.lexsort((place, *columns[::-1]))
        ranks = np.column_stack(columns)[order] if columns else np.zeros((len(order), 0), np.int64)
        return inside[order], ranks

    def _ranked_by_plugin(
        self, rule: Rule, pile: "_Pile", inside: Rows, row: int, day: date
    ) -> tuple[Rows, Numbers]:
        rows = pile.rows[inside]
        claimants = Claimants(
            tuple(self._values(each.use, row, rows) for each in rule.select.by),
            self.timeline.homes[rows],
            pile.counts[inside],
        )
        ranks = ranks_of(rule.select.selector, claimants=claimants, on=day)
        order = np.lexsort((self._place(pile, inside), ranks))
        return inside[order], ranks[order, np.newaxis]

    # Pools.

    def _open_pools(self, row: int, day: date) -> None:
        month = row - self.timeline.lead
        for key, pool in self.pools.items():
            period = pool.every.period_key(on=day)
            account = self.holds.accounts.get(key)
            is_open = day >= pool.amount.values[0].from_on
            if account is None or account.period != period:
                if account is not None:
                    self._close(key)
                left = 0 if account is None else account.left
                opened = pool.opening(on=day, left=left) if is_open else 0
                self.holds.accounts[key] = _Account(period, opened, opened)
            if month >= 0:
                self.opened[key][month] = self.holds.accounts[key].opened

    def _close(self, key: str) -> None:
        """Note how a pool fared in the period that ends, where the horizon has some of it."""
        account = self.holds.accounts.get(key)
        pool = self.pools[key]
        if account is None or account.period not in {
            pool.every.period_key(on=day) for day in self.timeline.months
        }:
            return
        taken = account.opened - account.left
        unmet = sum(int(each.sum()) for each in account.unmet.values())
        left_out = 0 if account.away is None else int(account.away.sum())
        self.drains[key].append(
            Drain(account.period, account.opened, taken + unmet, account.empty, taken, left_out)
        )

    def _serve_queues(self, row: int) -> None:
        for key, queue in self.holds.queues.items():
            if not queue or key not in self.pools:
                continue
            account = self.holds.accounts[key]
            still: list[_Line] = []
            pile = _Pile(queue)
            served = np.zeros(len(pile.rows), dtype=np.bool_)
            if account.left >= int(pile.counts.min()):
                order = self._ordered(pile)
                fits = np.cumsum(pile.counts[order]) <= account.left
                served[order[fits]] = True
            for line, part in pile.parts():
                rows, counts = line.rows[served[part]], line.counts[served[part]]
                if len(rows):
                    self._take(key, line.want, rows, counts, row)
                    self._tell(line.want, rows, counts, row)
                if not served[part].all():
                    wait = ~served[part]
                    still.append(
                        _Line(
                            line.want, line.since, line.period, line.rows[wait], line.counts[wait]
                        )
                    )
            self.holds.queues[key] = still

    def _draw(self, lines: Sequence[_Line], row: int) -> list[_Line]:
        """Take what pools hold, and return who is given something, now or when it is there."""
        by_pool: dict[str, list[_Line]] = defaultdict(list)
        for line in lines:
            if line.want.rule.grant.pool:
                self._keep(
                    line, self.serves[line.want.rule.grant.pool][line.rows], Standing.OUTSIDE
                )
                by_pool[line.want.rule.grant.pool].append(line)
        for key, inside in by_pool.items():
            self._draw_one(key, inside, row)
        return [line for line in lines if len(line.rows)]

    def _draw_one(self, key: str, lines: Sequence[_Line], row: int) -> None:
        pile = _Pile(lines)
        pool, account = self.pools[key], self.holds.accounts[key]
        # Nobody overtakes: while somebody waits, there is nothing for those who come later.
        left = 0 if self.holds.queues.get(key) else account.left
        asked = int(pile.counts.sum())
        counts = pile.counts.copy()
        if asked > left:
            counts = self._shared(pile, left) if pool.exhausted is Exhausted.PRO_RATA else (
                self._served(pile, pool, left, row)
            )  # fmt: skip
        is_queue = pool.exhausted is Exhausted.QUEUE
        for line, part in pile.parts():
            now = counts[part]
            gets, short = now > 0, now < line.counts
            self._take(key, line.want, line.rows[gets], now[gets], row)
            if short.any():
                self._turn_away(key, line, short, now, row)
            if is_queue and short.any():
                self._wait(key, line, short, row)
            line.counts = now
            self._keep(line, gets, Standing.QUEUED if is_queue else Standing.EXHAUSTED)

    def _served(self, pile: "_Pile", pool: Pool, left: int, row: int) -> Numbers:
        """Return what each is given in order until one does not fit."""
        counts = np.zeros(len(pile.rows), dtype=np.int64)
        if left < int(pile.counts.min()):
            return counts
        order = self._ordered(pile)
        if pool.exhausted is Exhausted.RANK:
            order, _ranks = self._ranked(pile, np.arange(len(pile.rows)), pool.rank, row)
        fits = order[np.cumsum(pile.counts[order]) <= left]
        counts[fits] = pile.counts[fits]
        return counts

    def _shared(self, pile: "_Pile", left: int) -> Numbers:
        """Return the same share for everybody; what is left goes to the largest remainders."""
        left = max(left, 0)
        asked = int(pile.counts.sum())
        exact = pile.counts
        if int(exact.max()) * max(left, 1) >= 2**62:
            exact = exact.astype(object)
        shares = (exact * left // asked).astype(np.int64)
        over = left - int(shares.sum())
        if over:
            rest = (exact * left % asked).astype(np.int64)
            order = np.lexsort((self._place(pile, np.arange(len(pile.rows))), -rest))
            shares[order[:over]] += 1
        return shares

    def _turn_away(self, key: str, line: _Line, short: Masks, counts: Numbers, row: int) -> None:
        account, month = self.holds.accounts[key], row - self.timeline.lead
        rows = line.rows[short]
        if account.empty is None:
            account.empty = self.timeline.days[row]
        if account.away is None:
            account.away = np.zeros(self.people, dtype=np.bool_)
        account.away[rows] = True
        unmet = account.unmet.setdefault(line.want.key, np.zeros(self.people, dtype=np.int64))
        unmet[rows] = (line.counts - counts)[short]
        first = self.first_away[key]
        if month < 0:
            first[rows[first[rows] == NEVER]] = BEFORE
        else:
            first[rows[first[rows] == NEVER]] = month
            self.turned_away[key][month] += len(rows)

    def _wait(self, key: str, line: _Line, waits: Masks, row: int) -> None:
        """Let claims wait: wherever it is asked what was given, they count."""
        waiting = _Line(line.want, line.since, line.period, line.rows[waits], line.counts[waits])
        self.holds.queues.setdefault(key, []).append(waiting)
        self._mark(waiting, row)

    def _take(self, key: str, want: Want, rows: Rows, counts: Numbers, row: int) -> None:
        account, month = self.holds.accounts[key], row - self.timeline.lead
        taken = int(counts.sum())
        account.left -= taken
        if want.key in account.unmet:
            account.unmet[want.key][rows] = 0
        if month >= 0:
            self.taken[key][month] += taken

    # What was given.

    def _give(self, line: _Line, row: int) -> None:
        self._mark(line, row)
        self._tell(line.want, line.rows, line.counts, row)

    def _tell(self, want: Want, rows: Rows, counts: Numbers, row: int) -> None:
        tally, month = self.tallies[want.name], row - self.timeline.lead
        unset = rows[tally.first[rows] == NEVER]
        if month >= 0:
            tally.people[month] += len(rows)
            tally.units[month] += int(counts.sum())
            tally.first[unset] = month
            return
        every, days = want.rule.every, self.timeline.days
        if every.period_key(on=days[row]) == every.period_key(on=days[self.timeline.lead]):
            tally.first[unset] = BEFORE

    def _mark(self, line: _Line, row: int) -> None:
        rule, rows, day = line.want.rule, line.rows, self.timeline.days[row]
        if not len(rows):
            return
        self._marked(self.holds.given, line.want.key, line.period)[rows] = True
        if rule.select.mode is not SelectMode.EACH:
            self._marked(self.holds.winners, rule.id, line.period)[rows] = True
        if rule.group:
            group = self.groups[rule.group]
            period = group.every.period_key(on=day)
            self._marked(self.holds.group_given, group.id, period)[rows] = True
            self._summed(self.holds.group_paid, group.id, period)[rows] += line.counts
        for place, limit in enumerate(rule.limits):
            is_units = limit.of is LimitOf.UNITS
            period = limit.every.period_key(on=day)
            if limit.per is LimitPer.PERSON:
                used = self._summed(self.holds.used, (rule.id, place), period)
                used[rows] += line.counts if is_units else 1
            else:
                before, total = self.holds.used_by_all.get((rule.id, place), ("", 0))
                more = int(line.counts.sum()) if is_units else len(rows)
                self.holds.used_by_all[rule.id, place] = (
                    period,
                    more + (total if before == period else 0),
                )

    def _keep(self, line: _Line, kept: Masks, otherwise: Standing) -> None:
        """End those claims of a line that are not kept."""
        if kept.all():
            return
        month = line.since - self.timeline.lead
        if month >= 0 and otherwise is not Standing.ALREADY:
            held_back = self.tallies[line.want.name].held_back
            if otherwise not in held_back:
                held_back[otherwise] = np.zeros(len(self.timeline.months), dtype=np.int64)
            held_back[otherwise][month] += int(np.count_nonzero(~kept))
        line.rows, line.counts = line.rows[kept], line.counts[kept]

    def _marked(self, of: dict[_Key, _Marks], key: _Key, period: str) -> Masks:
        found = of.get(key)
        if found is None or found.period != period:
            found = of[key] = _Marks(period, np.zeros(self.people, dtype=np.bool_))
        return found.of

    def _summed(self, of: dict[_Key, _Marks], key: _Key, period: str) -> Numbers:
        found = of.get(key)
        if found is None or found.period != period:
            found = of[key] = _Marks(period, np.zeros(self.people, dtype=np.int64))
        return found.of

    # The total order.

    def _ordered(self, pile: "_Pile") -> Rows:
        """Return the claims of a pile in the order of `allocation.allocate`."""
        lots = np.concatenate(
            [
                self._lots(
                    lot_prefix(SEED, self.pack.id, line.want.rule.id, line.period), line.rows
                )
                for line in pile.lines
            ]
        )
        since, priority, order, level = (
            np.repeat([pick(line) for line in pile.lines], pile.sizes) for pick in _ORDER
        )
        return np.lexsort((level, lots, order, priority, since))

    def _place(self, pile: "_Pile", inside: Rows) -> Rows:
        """Return the places of some claims in the total order."""
        place = np.empty(len(pile.rows), dtype=np.intp)
        place[self._ordered(pile)] = np.arange(len(pile.rows))
        return place[inside]

    def _lots(self, prefix: bytes, rows: Rows) -> NDArray[np.uint64]:
        """Return the first eight bytes of some people's lots: equals are one in 10^9 runs."""
        if prefix not in self.lots:
            self.lots[prefix] = (
                np.zeros(self.people, dtype=np.bool_),
                np.zeros(self.people, dtype=np.uint64),
            )
        is_drawn, lots = self.lots[prefix]
        fresh = rows[~is_drawn[rows]]
        if len(fresh):
            drawn = b"".join(
                hashlib.sha256(prefix + b"%d" % number).digest()[:8]
                for number in self.timeline.volunteers[fresh].tolist()
            )
            lots[fresh] = np.frombuffer(drawn, dtype=">u8")
            is_drawn[fresh] = True
        return lots[rows]


_ORDER: tuple[Callable[[_Line], int], ...] = (
    lambda line: line.since,
    lambda line: line.want.rule.priority,
    lambda line: line.want.order,
    lambda line: line.want.step.number,
)
"""What comes first in the total order, besides the lot: waiting, priority, the pack, the level."""


class _Pile:
    """Claims of several lines in one array."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        self.lines = lines
        self.sizes = [len(line.rows) for line in lines]
        self.rows = np.concatenate([line.rows for line in lines])
        self.counts = np.concatenate([line.counts for line in lines])

    def parts(self) -> Iterator[tuple[_Line, slice]]:
        """Yield each line with its part of the pile."""
        start = 0
        for line, size in zip(self.lines, self.sizes, strict=True):
            yield line, slice(start, start + size)
            start += size


def _by_rule(lines: Sequence[_Line]) -> dict[str, list[_Line]]:
    """Return lines by rule, in the order of the rules."""
    found: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        found[line.want.rule.id].append(line)
    return found


def _served(pool: Pool, homes: Numbers) -> Masks:
    """Return who lives where a pool is for."""
    if not pool.regions:
        return np.ones(len(homes), dtype=np.bool_)
    served = np.zeros(len(homes), dtype=np.bool_)
    for code in pool.regions:
        inside = region.subtree(code)
        served |= (homes >= inside.start) & (homes < inside.stop)
    return served


def _kept(ranks: Numbers, most: int, ties: Ties) -> int:
    """Return how many of the ranked are among the first, as a rule settles ties."""
    kept = min(most, len(ranks))
    if ties is Ties.ORDER or not 0 < kept < len(ranks):
        return kept
    equal = (ranks == ranks[kept - 1]).all(axis=1)
    if not equal[kept]:
        return kept
    places = np.flatnonzero(equal)
    return int(places[-1]) + 1 if ties is Ties.ALL else int(places[0])
