"""Bringing in a district's history."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from timebank.cli.command import Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.cli.progress import Progress
from timebank.db import Database
from timebank.domain.register_row import Register
from timebank.services import importing
from timebank.services.errors import NotFoundError
from timebank.services.folding import fold_book
from timebank.services.importing import ImportResult
from timebank.services.registering import import_register
from timebank.settings import Settings


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    importer = add_command(commands, "import", _import, "import a district's history")
    importer.add_argument("what", choices=("services", *Register))
    importer.add_argument("file", type=Path)
    importer.add_argument("--book", type=int, help="six-digit code of the county")
    importer.add_argument(
        "--dry-run", action="store_true", help="services: show the totals, write nothing"
    )
    importer.add_argument(
        "--trust-evidence",
        action="store_true",
        help="services: take the file's word for how hours are evidenced",
    )


def _import(options: argparse.Namespace, settings: Settings) -> int:
    if options.what == "services":
        return _import_services(options, settings)
    book = options.book or settings.book
    with database(settings) as urls:
        try:
            result = run(
                urls,
                lambda db: import_register(
                    db,
                    book=book,
                    register=Register(options.what),
                    path=options.file,
                    now=now(),
                ),
            )
        except NotFoundError:
            raise no_book(scope_of(str(book))) from None
    print(json.dumps(asdict(result), ensure_ascii=False, default=str, indent=2))
    return 1 if result.refused else 0


def _import_services(options: argparse.Namespace, settings: Settings) -> int:
    book = options.book or settings.book

    async def import_file(db: Database) -> ImportResult:
        result = await importing.import_services(
            db,
            book=book,
            path=options.file,
            now=now(),
            is_dry_run=options.dry_run,
            is_evidence_trusted=options.trust_evidence,
            progress=Progress("Import"),
        )
        await fold_book(db, book=book)
        return result

    with database(settings) as urls:
        try:
            result = run(urls, import_file)
        except NotFoundError:
            raise no_book(scope_of(str(book))) from None
    print(json.dumps(asdict(result), ensure_ascii=False, default=str, indent=2))
    return 1 if result.rows_refused else 0
