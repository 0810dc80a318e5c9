"""What other rules would give: two packs side by side, over the ledger or over the months ahead."""

import argparse
import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.policy.forecast import Method
from timebank.policy.ground import DRAWS, Ground
from timebank.policy.override import read_variant
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rationing import Assumed
from timebank.policy.rule import Pack
from timebank.policy.simulation import (
    Difference,
    Run,
    by_division,
    differences,
)
from timebank.policy.timeline import BEFORE, NEVER
from timebank.policy.variant import with_value
from timebank.queries.whatif import read_ground
from timebank.services.authoring import packs_in_force
from timebank.services.founding import ZONE
from timebank.settings import Settings


def add_simulate(kinds: Subparsers) -> None:
    """Add `simulate` to the pack commands."""
    simulator = add_command(
        kinds,
        "simulate",
        _simulate,
        "set two packs side by side; drafts too, and nothing is granted",
    )
    simulator.add_argument("base", help="folder of a pack, or the id of an enacted one")
    simulator.add_argument(
        "variant",
        nargs="?",
        help="folder of another, its id, or a file of overrides; without it, the base with --set",
    )
    simulator.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER[,NUMBER...]",
        help="another number for a parameter of the base, in its own unit",
    )
    simulator.add_argument("--region", help="division code, such as 330424 or 330424102")
    simulator.add_argument("--as-of", type=date.fromisoformat, help="last known day; today without")
    simulator.add_argument("--horizon", type=int, default=0, help="months ahead, 1 to 60")
    simulator.add_argument("--back", type=int, default=12, help="months back, where none lie ahead")
    simulator.add_argument(
        "--price", action="append", default=[], metavar="ITEM=FEN", help="an assumed price"
    )
    simulator.add_argument("--who", type=Path, help="write who changes to a CSV file, by number")


def _simulate(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region or str(settings.book))
    at = now()
    on = options.as_of or local_day(at, zone=ZoneInfo(ZONE))
    if not 0 <= options.horizon <= 60 or not 1 <= options.back <= 600:
        raise CommandError(code="simulate.months", sentence="Months ahead are 0 to 60.")
    with database(settings) as urls:
        known = run(urls, lambda db: _in_force(db, scope))
        base = _pack(options.base, known)
        variant = base if options.variant is None else _variant(options.variant, base, known)
        for text in options.set:
            variant = _with(variant, text)
        others = tuple(pack for pack in known if pack.id not in (base.id, variant.id))
        packs, changed = (*others, base), (*others, variant)
        ground = run(urls, lambda db: _ground(db, scope, (*packs, variant), on))
    if ground is None:
        raise no_book(scope)
    names = {(pack.id, rule.id) for pack in (base, variant) for rule in pack.rules}
    prices = dict(_pair(text, code="simulate.price") for text in options.price)
    print(
        f"{base.id} {base.version} {base.hash[:12]} and {variant.version} {variant.hash[:12]}, "
        f"{ground.cube.people:,} people as of entry {ground.as_of:,}, months through {ground.on}"
    )
    if options.horizon == 0:
        before = ground.past(packs, months=options.back)
        _print_run(before, ground.again(changed, before), names, prices)
        _write_who(options.who, ground, before, ground.again(changed, before), names)
        return 0
    if ground.cube.months < 24:
        raise CommandError(
            code="simulate.history", sentence="A forecast needs 24 months of history."
        )
    for method in Method:
        _print_method(ground, packs, changed, names, method, options.horizon)
    before = ground.ahead(packs, months=options.horizon, method=Method.LAST_YEAR)
    print(f"\n{Method.LAST_YEAR.value}:")
    _print_run(before, ground.again(changed, before), names, prices)
    _write_who(options.who, ground, before, ground.again(changed, before), names)
    return 0


async def _ground(db: Database, scope: Scope, packs: Sequence[Pack], on: date) -> Ground | None:
    async with db.read() as conn:
        return await read_ground(conn, scope=scope, packs=packs, on=on)


async def _in_force(db: Database, scope: Scope) -> tuple[Pack, ...]:
    async with db.read() as conn:
        return await packs_in_force(conn, book=county_of(scope.region))


def _variant(name: str, base: Pack, known: Sequence[Pack]) -> Pack:
    path = Path(name)
    if path.is_file():
        return _read(read_variant(base, path.read_bytes(), file=path.name))
    return _pack(name, known)


def _pack(name: str, known: Sequence[Pack]) -> Pack:
    for pack in known:
        if pack.id == name:
            return pack
    return _read(read_pack(Path(name)))


def _read(found: Pack | PackRefused) -> Pack:
    if isinstance(found, PackRefused):
        raise CommandError(code=found.problems[0].code.value, sentence=str(found))
    return found


def _with(pack: Pack, text: str) -> Pack:
    name, _equals, numbers = text.partition("=")
    values = numbers.split(",")
    parameter = next((each for each in pack.parameters if each.name == name), None)
    if parameter is None or not all(value.isascii() and value.isdigit() for value in values):
        raise CommandError(
            code="simulate.set", sentence=f"`{text}`: a parameter and whole numbers."
        )
    found = with_value(
        pack,
        name,
        value=[int(each) for each in values] if len(values) > 1 else int(values[0]),
        from_on=parameter.values[0].from_on,
    )
    if isinstance(found, PackRefused):
        raise CommandError(code=found.problems[0].code.value, sentence=str(found))
    return found


def _pair(text: str, *, code: str) -> tuple[str, int]:
    name, _equals, number = text.partition("=")
    if not number.isascii() or not number.isdigit():
        raise CommandError(code=code, sentence=f"`{text}`: an item and whole fen.")
    return name, int(number)


def _print_run(
    base: Run,
    variant: Run,
    names: set[tuple[str, str]],
    prices: Mapping[str, int],
) -> None:
    changes = [each for each in differences(base, variant) if each.name[:2] in names]
    for each in changes:
        _print_change(each, prices)
        if each.variant is not None:
            for standing, counts in sorted(each.variant.held_back.items()):
                print(f"    met, and {standing.value}: {int(counts.sum()):,} times")
    print("\nmonth by month, before and after:")
    months = base.timeline.months
    for place, day in enumerate(months):
        pair = [
            sum(0 if side is None else int(side.people[place]) for side in sides)
            for sides in zip(*[(each.base, each.variant) for each in changes], strict=True)
        ]
        print(f"  {day:%Y-%m}  {pair[0]:>9,} {pair[1]:>9,}")
    print("\ntown by town, who gains and who loses:")
    gains, loses = (
        _merged([by_division(getattr(each, side), base.timeline, digits=9) for each in changes])
        for side in ("gains", "loses")
    )
    for code in sorted(gains.keys() | loses.keys()):
        print(f"  {code}  {gains.get(code, 0):>9,} {loses.get(code, 0):>9,}")
    for side, one in (("before", base), ("after", variant)):
        _print_pools(side, one)
    if assumed := base.assumed | variant.assumed:
        print(f"assumed of people: {', '.join(_ASSUMED[each] for each in sorted(assumed))}")
    if base.timeline.as_today:
        print(f"taken as known today: {', '.join(sorted(base.timeline.as_today))}")


_ASSUMED = {
    Assumed.CHOICE: "whoever may choose takes the default, else the first of the menu",
    Assumed.DRAW: "lotteries are drawn with a seed of our own",
    Assumed.PANEL: "panels vote for the first of their shortlist",
}


def _print_pools(side: str, run: Run) -> None:
    for found in run.pools:
        pool = found.pool.id
        for drain in found.drains:
            empty = "reaches"
            if drain.empty is not None:
                empty = f"used up in {drain.empty:%Y-%m}, {drain.left_out:,} people left out"
            asked = f"{drain.taken:,} taken and {drain.asked:,} asked of {drain.opened:,}"
            print(f"pool {pool} {drain.period} {side}: {asked}, {empty}")
        for code, (month, people) in found.towns(run.timeline).items():
            print(f"  {code}  used up in {month:%Y-%m} for {people:,} people")


def _print_change(change: Difference, prices: Mapping[str, int]) -> None:
    counts = [
        0 if each is None else int(each.people.sum()) for each in (change.base, change.variant)
    ]
    costs = [
        0 if each is None else int(each.cost(prices).sum())
        for each in (change.base, change.variant)
    ]
    cost = f", {costs[0] / 100:,.2f} -> {costs[1] / 100:,.2f} yuan" if any(costs) else ""
    print(
        f"  {change.name[1]} {change.name[2] or ''}: {counts[0]:,} -> {counts[1]:,} grants{cost}; "
        f"{int(change.gains.sum()):,} gain, {int(change.loses.sum()):,} lose, "
        f"{int(change.sooner.sum()):,} sooner, {int(change.later.sum()):,} later"
    )


def _print_method(
    ground: Ground,
    packs: Sequence[Pack],
    changed: Sequence[Pack],
    names: set[tuple[str, str]],
    method: Method,
    months: int,
) -> None:
    tests = ground.back_tests(packs, method=method)
    print(f"\n{method.value}, held against the last twelve months:")
    seeds = range(1, DRAWS + 1) if method is Method.BOOTSTRAP else (1,)
    runs = [
        ground.again(changed, ground.ahead(packs, months=months, method=method, seed=seed))
        for seed in seeds
    ]
    for step in runs[0].steps:
        test = tests.get(step.name)
        if step.name[:2] not in names:
            continue
        found = sorted(int(each.people.sum()) for one in runs if (each := one.find(step.name)))
        said = "a new rule: nothing to hold it against"
        low, high = found[0], found[-1]
        if test is not None:
            low, high = test.interval(found[0])[0], test.interval(found[-1])[1]
            off = "nothing came" if test.per_mille is None else f"{test.per_mille / 10:+.1f} %"
            said = f"said {sum(test.said):,}, came {sum(test.came):,} ({off})"
        print(f"  {step.name[1]} {step.name[2] or ''}: {low:,} to {high:,} grants; {said}")


def _write_who(
    path: Path | None, ground: Ground, base: Run, variant: Run, names: set[tuple[str, str]]
) -> None:
    """Write who changes, by volunteer number and month: no name leaves the database here."""
    if path is None:
        return
    days = [f"{day:%Y-%m}" for day in base.timeline.months]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["volunteer", "rule", "level", "before", "after"])
        for change in differences(base, variant):
            if change.name[:2] not in names:
                continue
            sides = [None if each is None else each.first for each in (change.base, change.variant)]
            for row in (change.gains | change.loses | change.sooner | change.later).nonzero()[0]:
                months = [_month(side, int(row), days) for side in sides]
                number = int(ground.cube.volunteers[row])
                writer.writerow([number, change.name[1], change.name[2], *months])


def _month(first: NDArray[np.int16] | None, row: int, days: Sequence[str]) -> str:
    if first is None or first[row] == NEVER:
        return ""
    return "earlier" if first[row] == BEFORE else days[first[row]]


def _merged(counts: Sequence[Mapping[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for each in counts:
        for code, count in each.items():
            found[code] = found.get(code, 0) + count
    return found
