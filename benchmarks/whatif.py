"""A what-if over 140,000 people and 60 months: one dragged threshold, against DuckDB's windows.

    .venv/bin/python benchmarks/whatif.py [--people N] [--months N] [--rounds N]

Both count, for each level of the stars, who reaches it in which month, and what a month costs; they
must agree to the person. Ours also runs every shipped pack. One run, both at it in turn.
"""

import argparse
import statistics
from collections.abc import Callable
from datetime import date
from time import perf_counter, process_time

import duckdb
import numpy as np

from timebank.domain.assurance import Assurance
from timebank.policy.columns import to_column
from timebank.policy.cube import Cube, Measure, last_day, month_number
from timebank.policy.evaluation import uses
from timebank.policy.fact import FactUse
from timebank.policy.rule import Pack
from timebank.policy.simulation import Run, simulate
from timebank.policy.timeline import Timeline, prepare, uses_of
from timebank.policy.variant import with_value
from timebank.services.granting import shipped_packs

SINCE = date(2020, 1, 1)
STEPS = (80 * 60, 250 * 60, 500 * 60, 900 * 60, 1400 * 60)


def make_cube(*, people: int, months: int) -> Cube:
    random = np.random.default_rng(3)
    weights = random.pareto(1.3, people) + 0.05
    active = random.random((months, people)) < 0.3
    minutes = np.where(active, np.minimum(weights * 90, 6_000), 0).astype(np.int32)
    services = (minutes // 180 + (minutes > 0)).astype(np.int32)
    scanned = (minutes * (random.random((months, people)) < 0.8)).astype(np.int32)
    sums = {}
    for grade in Assurance:
        sums[Measure.MINUTES, grade] = minutes if grade is Assurance.A0 else scanned
        sums[Measure.SERVICES, grade] = services
    return Cube(
        volunteers=np.arange(1, people + 1, dtype=np.int64),
        first_month=month_number(SINCE),
        sums=sums,
        homes=330_424_100_000 + random.integers(0, 9, people) * 1_000,
        enrolled=np.full(people, date(2019, 1, 1).toordinal(), dtype=np.int64),
    )


def constants(packs: tuple[Pack, ...], *, people: int, on: date) -> dict:
    return {
        key: to_column([None] * people, kind=use.spec.type)
        for key, use in uses(packs, on=on).items()
    } | {use.key(on=on): to_column([None] * people, kind=use.spec.type) for use in uses_of(packs)}


def duckdb_stars(connection: duckdb.DuckDBPyConnection, needs: tuple[int, ...]) -> list[tuple]:
    """People by level and month: the same answer by window functions."""
    levels = ", ".join(f"({level}, {need})" for level, need in enumerate(needs, 1))
    return connection.execute(
        f"""
        with sums as (
            select person, month, sum(minutes) over (partition by person order by month) as total
            from served
        ), reached as (
            select level, person, min(month) as month
            from sums join (values {levels}) needs(level, need) on total >= need
            group by level, person
        )
        select level, month, count(*) from reached group by all order by all
        """
    ).fetchall()


def ours(run: Run) -> list[tuple]:
    return [
        (step.step.number, month, int(count))
        for step in run.steps
        if step.rule.id == "stars"
        for month, count in enumerate(step.people)
        if count
    ]


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    wall, cpu = [], []
    for _ in range(rounds):
        before, before_cpu = perf_counter(), process_time()
        work()
        wall.append(perf_counter() - before)
        cpu.append(process_time() - before_cpu)
    return statistics.median(wall), statistics.median(cpu)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    packs = shipped_packs()
    end = last_day(month_number(SINCE) + options.months - 1)
    cube = make_cube(people=options.people, months=options.months)

    def lay_out(of: tuple[Pack, ...]) -> Timeline:
        today = constants(of, people=options.people, on=end)
        return prepare(of, cube, since=SINCE, months=options.months, today=today, on=end)

    started = perf_counter()
    timeline = lay_out(packs)
    print(f"laid out once: {perf_counter() - started:.2f} s, {len(timeline.tracks)} facts")
    base = simulate(packs, timeline)
    (stars,) = (pack for pack in packs if pack.id == "cn.stars")
    variant = with_value(stars, "star_minutes", value=STEPS, from_on=date(2013, 12, 17))
    assert isinstance(variant, Pack), variant
    dragged = tuple(variant if pack.id == "cn.stars" else pack for pack in packs)

    connection = duckdb.connect(config={"threads": 2})
    places = np.nonzero(cube.sums[Measure.MINUTES, Assurance.A0])
    served = {
        "month": places[0],
        "person": places[1],
        "minutes": cube.sums[Measure.MINUTES, Assurance.A0][places],
    }
    connection.register("served_columns", served)
    connection.execute("create table served as select * from served_columns")
    assert ours(simulate(dragged, timeline)) == duckdb_stars(connection, STEPS)

    every, every_cpu = timed(lambda: simulate(packs, timeline), options.rounds)
    one, one_cpu = timed(lambda: simulate(dragged, timeline, reuse=base), options.rounds)
    only = (variant,)
    alone = lay_out(only)
    stars_wall, stars_cpu = timed(lambda: simulate(only, alone), options.rounds)
    rival, rival_cpu = timed(lambda: duckdb_stars(connection, STEPS), options.rounds)
    print(f"{options.people:,} people, {options.months} months; median of {options.rounds}")
    print(f"every shipped pack          {every:.3f} s, {every_cpu:.3f} s of processor")
    print(f"stars dragged, rest reused  {one:.3f} s, {one_cpu:.3f} s of processor")
    print(f"stars alone                 {stars_wall:.3f} s, {stars_cpu:.3f} s of processor")
    print(f"DuckDB, stars alone         {rival:.3f} s, {rival_cpu:.3f} s of processor")
    print(f"ratio whatif {rival / stars_wall:.2f}")
    assert FactUse("star") not in timeline.tracks


if __name__ == "__main__":
    main()
