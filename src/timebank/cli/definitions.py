"""What rates mean in a division: deciding from a file, and listing."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.definition import (
    Definition,
    DefinitionError,
    DefinitionRefused,
    own_name,
    parse_definitions,
)
from timebank.domain.period import local_day
from timebank.services.defining import decide_definitions
from timebank.services.founding import ZONE
from timebank.settings import Settings
from timebank.store.definitions import list_definitions_of
from timebank.web.catalog import translate


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    defined = add_command(
        commands, "definitions", _definitions, "list what rates mean, or decide more from a file"
    )
    defined.add_argument("what", choices=("add", "list"))
    defined.add_argument(
        "file", nargs="?", type=Path, help="add: TOML, a table [[definition]] for each"
    )
    defined.add_argument("--region", required=True, help="division that decides, such as 330424")


def _definitions(options: argparse.Namespace, settings: Settings) -> int:
    return _add(options, settings) if options.what == "add" else _list(options, settings)


def _add(options: argparse.Namespace, settings: Settings) -> int:
    if options.file is None:
        raise CommandError(code="definitions.no_file", sentence="Name the file.")
    scope, at = scope_of(options.region), now()
    try:
        asked = [
            _named(each, region=scope.region)
            for each in parse_definitions(options.file.read_text("utf-8"))
        ]
    except (DefinitionError, UnicodeDecodeError) as error:
        raise CommandError(
            code="definitions.unreadable", sentence=f"{options.file}: {error}"
        ) from None

    async def decide(db: Database) -> Sequence[Definition] | DefinitionRefused:
        return await decide_definitions(
            db,
            scope=scope,
            asked=asked,
            today=local_day(at, zone=ZoneInfo(ZONE)),
            person=None,
            now=at,
        )

    with database(settings) as urls:
        decided = run(urls, decide)
    if isinstance(decided, DefinitionRefused):
        raise CommandError(
            code=decided.reason.value, sentence=translate("en", decided.reason.value)
        )
    for each in decided:
        print(f"{each.id} holds from {each.valid_from}  {each.hash[:16]}")
    return 0


def _named(definition: Definition, *, region: int) -> Definition:
    """Return a definition of the division, whose file may leave the division out of its name."""
    prefix = own_name(region, "")
    if definition.id.startswith(prefix):
        return definition
    return replace(definition, id=own_name(region, definition.id))


def _list(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region)

    async def read(db: Database) -> tuple[Definition, ...]:
        async with db.read() as conn:
            return await list_definitions_of(conn, region=scope.region)

    with database(settings) as urls:
        for each in run(urls, read):
            print(f"{each.id}  from {each.valid_from}  {each.hash[:16]}  {each.name['en']}")
            print(f"    {each.source}")
    return 0
