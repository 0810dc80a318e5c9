"""Printing reports."""

import argparse
import json
import sys
from pathlib import Path

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.as_of import UnknownStateError, parse_as_of
from timebank.domain.definition import definition_on
from timebank.http import spreadsheet
from timebank.queries.active_rate import ActiveRateReport, active_rates
from timebank.services.folding import fold_books
from timebank.settings import Settings
from timebank.store.definitions import ACTIVE_RATE, list_definitions_of

_YEARS = range(2000, 2101)
"""Years that a report can be asked for, here as on the page."""


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    report = add_command(commands, "report", _report, "print a report")
    report.add_argument("what", choices=("active-rate",))
    report.add_argument("--region", required=True, help="division code, such as 330424")
    report.add_argument("--year", type=int, required=True)
    report.add_argument(
        "--as-of",
        type=parse_as_of,
        metavar="SEQ|INSTANT",
        help="as the books were at an entry, or at an instant with its zone; now without it",
    )
    report.add_argument(
        "--definition", default=ACTIVE_RATE, help="by which; that of the residents without it"
    )
    report.add_argument("--format", choices=("table", "json", "csv", "xlsx"), default="table")
    report.add_argument("--output", type=Path, help="file to write; needed for xlsx")


def _report(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region)
    if options.year not in _YEARS:
        raise CommandError(
            code="year.out_of_range",
            sentence=f"{options.year} is no year of a report; {_YEARS[0]} to {_YEARS[-1]} are.",
        )
    if options.format == "xlsx" and options.output is None:
        raise CommandError(code="report.no_output", sentence="Name a file with --output.")

    async def read(db: Database) -> ActiveRateReport | None:
        await fold_books(db)
        async with db.read() as conn:
            known = await list_definitions_of(conn, region=scope.region)
            definition = definition_on(known, options.definition, on=now().date())
            if definition is None:
                raise CommandError(
                    code="definition.not_found", sentence=f"{options.definition} defines no rate."
                )
            return await active_rates(
                conn,
                scope=scope,
                year=options.year,
                definition=definition,
                as_of=options.as_of,
            )

    with database(settings) as urls:
        try:
            report = run(urls, read)
        except UnknownStateError:
            raise CommandError(
                code="report.no_such_entry",
                sentence=f"Entry {options.as_of} is not in the one book of {scope.region}.",
            ) from None
    if report is None:
        raise no_book(scope)
    match options.format:
        case "json":
            content = json.dumps(report.as_json(), ensure_ascii=False, indent=2).encode() + b"\n"
        case "csv":
            content = spreadsheet.active_rate_csv(report)
        case "xlsx":
            content = spreadsheet.active_rate_xlsx(report)
        case _:
            content = report.as_table().encode()
    if options.output is None:
        sys.stdout.buffer.write(content)
    else:
        options.output.write_bytes(content)
    return 0
