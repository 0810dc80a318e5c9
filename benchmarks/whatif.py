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
from timebank.policy.pack import read_pack_files
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


RATIONED = {
    "pack.toml": """
[pack]
id = "rationed"
version = "1"
status = "draft"
title = { zh = "样本", en = "Sample" }
issuer = { zh = "样本", en = "Sample" }
[[instrument]]
id = "own"
title = { zh = "样本", en = "Sample" }
issuer = { zh = "样本", en = "Sample" }
[[pool]]
id = "stock"
title = { zh = "样本", en = "Sample" }
owner = { zh = "样本", en = "Sample" }
cite = "own"
source = "assumed"
holds = "pieces"
amount = STOCK
period = "calendar_year"
exhausted = "refuse"
[[group]]
id = "menu"
title = { zh = "样本", en = "Sample" }
cite = "own"
source = "assumed"
mode = "choose_one"
period = "calendar_year"
"""
    + "".join(
        f"""
[[rule]]
id = "{name}"
title = {{ zh = "样本", en = "Sample" }}
dimension = "economic"
cite = "own"
source = "assumed"
valid = {{ from = 2019-01-01 }}
limits = [{{ per = "person", period = "calendar_year", max = 1 }}]
approve = {{ by = "county" }}
when = {{ fact = "minutes", window = "calendar_year", op = ">=", value = {need} }}
{rest}
"""
        for name, need, rest in (
            ("gift", 600, 'grant = { kind = "goods", item = "gift", pool = "stock" }'),
            ("film", 900, 'grant = { kind = "pass", item = "film" }\nstack = { group = "menu" }'),
            ("bus", 1500, 'grant = { kind = "pass", item = "bus" }\nstack = { group = "menu" }'),
            (
                "prize",
                1200,
                (
                    'grant = { kind = "honour", item = "prize" }\n[rule.select]\nmode = "top_n"\n'
                    'winners = 20\nper = "town"\nties = "order"\n'
                    'by = [{ fact = "minutes", window = "lifetime", order = "most" }]'
                ),
            ),
        )
    )
}
"""Four rules that cannot give everybody everything: a yearly stock, a menu and a prize by town."""


def rationed(stock: int) -> Pack:
    files = {name: text.replace("STOCK", str(stock)).encode() for name, text in RATIONED.items()}
    found = read_pack_files(files)
    assert isinstance(found, Pack), str(found)
    return found


def duckdb_stock(connection: duckdb.DuckDBPyConnection, stock: int) -> list[tuple]:
    """Who is given a gift in each month, while the year's stock lasts: by window functions."""
    return connection.execute(
        """
        with sums as (
            select person, month, month // 12 as year,
                sum(minutes) over (partition by person, month // 12 order by month) as total
            from served
        ), reached as (
            select person, year, min(month) as month from sums where total >= 600 group by all
        ), counted as (select year, month, count(*) as met from reached group by all), lasted as (
            select month, met, sum(met) over (partition by year order by month) as so_far
            from counted
        )
        select month, least(met, greatest($stock - (so_far - met), 0)) as given
        from lasted where given > 0 order by month
        """,
        {"stock": stock},
    ).fetchall()


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

    # What is not for everybody: half of those who meet it find the year's stock empty.
    held = rationed(10**8)
    stock = (
        int(simulate((held,), lay_out((held,))).steps[0].people.sum()) * 12 // options.months // 2
    )
    pack, richer = rationed(stock), rationed(stock * 3 // 2)
    ground = lay_out((pack,))
    found = simulate((pack,), ground)
    given = [(month, int(count)) for month, count in enumerate(found.steps[0].people) if count]
    assert given == [(month, int(count)) for month, count in duckdb_stock(connection, stock)]
    scarce, scarce_cpu = timed(
        lambda: simulate((richer,), ground, reuse=found, is_enacted_at_start=True), options.rounds
    )
    scarce_rival, scarce_rival_cpu = timed(lambda: duckdb_stock(connection, stock), options.rounds)

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
    print(f"stock, menu and prizes      {scarce:.3f} s, {scarce_cpu:.3f} s of processor")
    print(
        f"DuckDB, the stock alone     {scarce_rival:.3f} s, {scarce_rival_cpu:.3f} s of processor"
    )
    print(f"ratio whatif {rival / stars_wall:.2f}")
    assert FactUse("star") not in timeline.tracks


if __name__ == "__main__":
    main()
