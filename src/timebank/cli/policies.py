"""Trying packs, and granting what they say."""

import argparse
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from timebank.cli.command import Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.cli.simulating import add_simulate
from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.policy.boundary import boundaries
from timebank.policy.check import run_cases, tried_mutants, unseen_outcomes
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.scenario import run_scenarios
from timebank.services import granting
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.settings import Settings


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    granter = add_command(
        commands, "grant", _grant, "run the policies and make the grants that are due"
    )
    granter.add_argument("--region", help="division code of the county, such as 330424")
    granter.add_argument("--on", type=date.fromisoformat, help="as of this day; today without it")

    packs = commands.add_parser("pack", help="try a policy pack before it counts")
    kinds = packs.add_subparsers(required=True, metavar="WHAT")
    checker = add_command(kinds, "check", check_pack, "run its cases, and look for untried numbers")
    checker.add_argument("folder", type=Path)
    add_simulate(kinds)


def _grant(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region or str(settings.book))
    at = now()
    on = options.on or local_day(at, zone=ZoneInfo(ZONE))
    with database(settings) as urls:
        try:
            made = run(
                urls,
                lambda db: _grant_in(db, scope=scope, on=on, at=at),
            )
        except NotFoundError:
            raise no_book(scope) from None
    print(f"{made.people:,} people as of entry {made.as_of:,}, rules as of {made.on}")
    for each in made.rules:
        print(
            f"  {each.pack}/{each.rule}: {each.granted:,} granted, {each.already:,} before, "
            f"{each.proposed + each.waiting:,} waiting, "
            f"{each.unmet:,} not met, {each.unknown:,} unknown"
        )
    return 0


async def _grant_in(db: Database, *, scope: Scope, on: date, at: datetime) -> granting.GrantRun:
    async with db.read() as conn:
        packs = await packs_in_force(conn, book=county_of(scope.region))
    return await granting.grant_policies(db, scope=scope, packs=packs, on=on, person=None, now=at)


def check_pack(options: argparse.Namespace, _settings: Settings) -> int:
    """Print what is wrong with a pack, and what its examples would not notice."""
    pack = read_pack(options.folder)
    if isinstance(pack, PackRefused):
        print("\n".join(str(problem) for problem in pack.problems))
        return 1
    failures = (*run_cases(pack), *run_scenarios(pack))
    for failure in failures:
        print(failure)
    print(
        f"{pack.id} {pack.version} {pack.status}, {len(pack.cases)} cases, "
        f"{len(pack.scenarios)} scenarios, hash {pack.hash}"
    )
    if failures:
        return 1
    unseen = unseen_outcomes(pack)
    for each in unseen:
        print(f"no case shows: {each}")
    edges = boundaries(pack)
    idle = [edge for edge in edges if not edge.decides or not edge.is_same_in_columns]
    for edge in idle:
        print(f"decides nothing: {edge}" if not edge.decides else f"told differently: {edge}")
    tried = tried_mutants(pack)
    missed = [words for words, is_noticed in tried if not is_noticed]
    for words in missed:
        print(f"no case notices: {words}")
    noticed = len(tried) - len(missed)
    print(f"{len(edges)} numbers tried at one less, at them and at one more")
    print(f"{noticed} of {len(tried)} changes noticed, {noticed * 100 // max(len(tried), 1)} %")
    return 1 if unseen or idle or missed else 0
