"""What the what-ifs of one population stand on: its history, and the months ahead of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from timebank.policy.columns import Columns
from timebank.policy.cube import Cube, first_day
from timebank.policy.forecast import BackTest, Method, extend, without_last_year
from timebank.policy.rule import Pack
from timebank.policy.simulation import Run, simulate
from timebank.policy.timeline import Timeline, prepare

KEPT_MAX = 4
"""Timelines that are kept: of 140,000 people one takes some ten megabytes for each fact."""

DRAWS = 5
"""Draws of the bootstrap that an interval is made of, with seeds 1 to that."""


@dataclass(slots=True)
class Ground:
    """A population's history, and what was made of it so far.

    Attributes:
        as_of: Entries 1 to `as_of` were counted.
        on: The last day that is known.
        cube: Whole months only.
        today: Facts that no cube has, as of `on`.
    """

    as_of: int
    on: date
    cube: Cube
    today: Columns
    _kept: dict[object, Timeline] = field(default_factory=dict)
    _runs: dict[tuple[object, tuple[str, ...]], Run] = field(default_factory=dict)
    _tests: dict[object, dict[tuple[str, str, int], BackTest]] = field(default_factory=dict)

    def past(self, packs: Sequence[Pack], *, months: int) -> Run:
        """Return what packs would have given over the last whole months, at most all there are."""
        months = min(months, self.cube.months)
        since = first_day(self.cube.first_month + self.cube.months - months)
        return self._run(("past", months), packs, self.cube, since=since, months=months)

    def ahead(self, packs: Sequence[Pack], *, months: int, method: Method, seed: int = 1) -> Run:
        """Return what packs would give over months to come, by a method.

        Raises:
            ValueError: There are fewer than twelve months of history.
        """
        name = ("ahead", months, method, seed)
        cube = self.cube if name in self._kept else self._extended(months, method, seed)
        since = first_day(self.cube.first_month + self.cube.months)
        return self._run(name, packs, cube, since=since, months=months)

    def again(self, packs: Sequence[Pack], run: Run) -> Run:
        """Return what other packs would give over the months of a run, enacted as they begin."""
        return simulate(packs, run.timeline, reuse=run, is_enacted_at_start=True)

    def back_tests(
        self, packs: Sequence[Pack], *, method: Method
    ) -> dict[tuple[str, str, int], BackTest]:
        """Return how far off a method would have been about each step in the last twelve months.

        Raises:
            ValueError: There are fewer than 24 months of history.
        """
        name = (method, tuple(pack.hash for pack in packs))
        if name not in self._tests:
            before = without_last_year(self.cube)
            guessed = extend(before, months=12, method=method, seed=1)
            since = first_day(before.first_month + before.months)
            came = self.past(packs, months=12)
            said = simulate(
                packs,
                prepare(packs, guessed, since=since, months=12, today=self.today, on=self.on),
            )
            self._tests[name] = {
                one.name: BackTest(method, tuple(map(int, one.people)), tuple(map(int, two.people)))
                for one, two in zip(said.steps, came.steps, strict=True)
            }
        return self._tests[name]

    def _extended(self, months: int, method: Method, seed: int) -> Cube:
        return extend(self.cube, months=months, method=method, seed=seed)

    def _run(
        self, name: object, packs: Sequence[Pack], cube: Cube, *, since: date, months: int
    ) -> Run:
        hashes = tuple(pack.hash for pack in packs)
        if (name, hashes) not in self._runs:
            timeline = self._kept.get(name)
            if timeline is None:
                timeline = prepare(
                    packs, cube, since=since, months=months, today=self.today, on=self.on
                )
                while len(self._kept) >= KEPT_MAX:
                    oldest = next(iter(self._kept))
                    del self._kept[oldest]
                    self._runs = {key: run for key, run in self._runs.items() if key[0] != oldest}
                self._kept[name] = timeline
            self._runs[name, hashes] = simulate(packs, timeline)
        return self._runs[name, hashes]
