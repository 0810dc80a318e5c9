"""All shipped packs over 140,000 people, with the reasons kept, against people one by one and DuckDB.

    python -m benchmarks.policy [--people 140000]

Prints seconds of processor time. The columns must come to what the scalar evaluator says of a sample, and to
what DuckDB says of everybody for one rule; allocation is timed over every claim that the packs make.
"""

import argparse
import gc
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from time import process_time

import duckdb
import numpy as np

from timebank.policy.allocation import allocate
from timebank.policy.columns import Column, RuleColumns, claims_of, evaluate_population, facts_at
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.fact import FactKey, FactType
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status

ON = date(2026, 6, 30)
SAMPLE = 2_000


def shipped() -> list[Pack]:
    """Return every shipped pack, all taken as enacted."""
    found = []
    for folder in sorted(Path(str(files("timebank") / "packs")).iterdir()):
        if folder.is_dir():
            pack = read_pack(folder)
            if isinstance(pack, PackRefused):
                raise SystemExit(str(pack))
            found.append(pack)
    return found


def made_up(keys: list[FactKey], people: int) -> dict[FactKey, Column]:
    """Return a population of which every twentieth fact is unknown, where it can be."""
    rng = np.random.default_rng(7)
    minutes = np.round(rng.lognormal(8.3, 1.2, people)).astype(np.int64)
    columns: dict[FactKey, Column] = {}
    for key in keys:
        spec = key.spec
        is_known = np.ones(people, dtype=np.bool_)
        if not spec.is_always_known:
            is_known = rng.random(people) >= 0.05
        match spec.type:
            case FactType.YES_NO:
                columns[key] = (rng.random(people) < 0.1, is_known)
            case FactType.CHOICE:
                columns[key] = (rng.integers(0, len(spec.choices), people), is_known)
            case FactType.DAY:
                columns[key] = (rng.integers(736_000, 739_700, people), is_known)
            case FactType.REGION:
                columns[key] = (330_424_001_000 + rng.integers(1, 99, people), is_known)
            case FactType.NUMBER if key.name == "minutes":
                columns[key] = (minutes if key.since is None else minutes // 3, is_known)
            case FactType.NUMBER:
                columns[key] = (rng.integers(0, 90, people), is_known)
    return columns


def kept_reasons(results: tuple[RuleColumns, ...]) -> int:
    """Return the bytes that the outcomes of all steps take: reasons are rebuilt from them."""
    return sum(
        mask.nbytes
        for result in results
        for step in result.steps
        for mask in (step.outcomes.met, step.outcomes.unmet, step.outcomes.unknown)
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=140_000)
    people: int = parser.parse_args().people
    packs = shipped()
    keys = sorted(facts_needed(packs, on=ON), key=str)
    columns = made_up(keys, people)
    rules = sum(len(pack.rules) for pack in packs)

    best = float("inf")
    for _ in range(3):
        started = process_time()
        results = evaluate_population(packs, columns, people=people, on=ON)
        best = min(best, process_time() - started)
    print(f"{people:,} people, {len(packs)} packs, {rules} rules, {len(keys)} facts")
    print(
        f"columns, reasons kept   {best:8.3f} s   {kept_reasons(results) / 2**20:.0f} MiB of masks"
    )

    rows = range(0, people, max(people // SAMPLE, 1))
    sample = [facts_at(columns, row) for row in rows]
    started = process_time()
    alone = [evaluate_person(packs, facts, on=ON) for facts in sample]
    spent = (process_time() - started) / len(sample) * people
    print(
        f"one by one              {spent:8.1f} s   ({spent / best:,.0f} times; from {len(sample):,})"
    )
    for row, person in zip(rows, alone, strict=True):
        for one, everybody in zip(person, results, strict=True):
            for step, column in zip(one.steps, everybody.steps, strict=True):
                if step.judged.reasons != column.reasons(row):
                    raise SystemExit(f"{one.rule.id}: not the same for person {row}")

    film = next(each for each in results if each.rule.id == "film")
    names = {leaf.key: f"f{place}" for place, leaf in enumerate(film.steps[0].leaves)}
    table = {}
    star = {leaf.key: leaf.column for leaf in film.steps[0].leaves}
    for key, name in names.items():
        values, is_known = star[key]
        table[name] = np.ma.masked_array(values, ~is_known)
    asked = " and ".join(
        f"f{place} >= {leaf.need}" for place, leaf in enumerate(film.steps[0].leaves)
    )
    connection = duckdb.connect()
    connection.register("people", {name: column.filled(-1) for name, column in table.items()})
    found = connection.execute(f"select count(*) from people where {asked}").fetchone()
    if found is None or found[0] != int(film.met.sum()):
        raise SystemExit(f"DuckDB says {found}, the columns say {int(film.met.sum())}")
    print(f"DuckDB agrees on film   {found[0]:8,} people")

    enacted = [replace(pack, status=Status.ENACTED) for pack in packs]
    everybody = evaluate_population(enacted, columns, people=people, on=ON)
    homes = (330_508_001_001 + np.arange(people) % 50, np.ones(people, dtype=np.bool_))
    # As a run of policies does; see services.garbage.
    gc.set_threshold(500_000, 20, 100)
    started = process_time()
    claims = [
        claim
        for claim, _ in claims_of(everybody, people=np.arange(people, dtype=np.int64), homes=homes)
    ]
    listed = process_time() - started
    started = process_time()
    made = allocate(
        claims,
        packs=enacted,
        on=ON,
        seed=b"root",
        available={f"{p.id}/{pool.id}": pool.opening(on=ON) for p in enacted for pool in p.pools},
    )
    spent = process_time() - started
    print(f"claims listed           {listed:8.1f} s   {len(claims):,} claims")
    print(f"claims allocated        {spent:8.1f} s   {len(made.won):,} granted")
    each = (listed + spent) / len(claims) * 1e6
    print(f"a claim                 {each:8.1f} µs  of processor, listed and allocated")


if __name__ == "__main__":
    main()
