"""Publishing a report for ever, and making a publication again."""

import argparse
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.definition import definition_on
from timebank.domain.period import local_day
from timebank.domain.publication import Refused, digest_of, parse_reference
from timebank.domain.window import window_of
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.publication import count_again, publish_report
from timebank.services.sealing import LogKey
from timebank.settings import Settings, read_log_key
from timebank.store import publications
from timebank.store.definitions import ACTIVE_RATE, list_definitions_of
from timebank.trust.signer import Ed25519Signer
from timebank.web.catalog import translate
from timebank.web.publication_paper import publication_pdf, publication_xlsx
from timebank.web.publications import make_files


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    publisher = add_command(
        commands, "publish", _publish, "freeze a year's report: numbered, signed, public, for ever"
    )
    publisher.add_argument("--region", required=True, help="division code, such as 330424")
    publisher.add_argument("--year", type=int, required=True)
    publisher.add_argument(
        "--definition",
        default=ACTIVE_RATE,
        help="by which definition; that of the residents without it",
    )
    publisher.add_argument("--output", type=Path, help="folder for its PDF, XLSX and JSON")

    again = add_command(
        commands, "republish", _again, "make a publication again and prove that it is the same"
    )
    again.add_argument("publication", help="its name, such as 330424-3")


def _publish(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region)
    if not 1900 <= options.year <= 2200:
        raise CommandError(
            code="year.out_of_range", sentence=f"{options.year} is no year of a report."
        )
    key = LogKey(Ed25519Signer(read_log_key(settings)), settings.log_name)
    at = now()

    async def publish(db: Database) -> tuple[str, str, dict[str, bytes]]:
        async with db.read() as conn:
            known = await list_definitions_of(conn, region=scope.region)
        definition = definition_on(known, options.definition, on=local_day(at, zone=ZoneInfo(ZONE)))
        if definition is None:
            raise CommandError(
                code="definition.not_found", sentence=f"{options.definition} defines no rate."
            )
        outcome = await publish_report(
            db,
            scope=scope,
            window=window_of(definition.window, on=date(options.year, 12, 31)),
            definition=definition,
            key=key,
            url=settings.url or "http://127.0.0.1:8000",
            person=None,
            now=at,
        )
        if isinstance(outcome, Refused):
            raise CommandError(
                code=outcome.reason.value, sentence=translate("en", outcome.reason.value)
            )
        publication = outcome.publication
        async with db.read() as conn:
            kept = await publications.find_publication(conn, reference=publication.reference)
        if kept is None:
            raise AssertionError("what was just published is there")
        files = {"json": kept.content, **await make_files(db, kept)}
        return str(publication.reference), publication.url, files

    with database(settings) as urls:
        try:
            reference, url, files = run(urls, publish)
        except NotFoundError:
            raise no_book(scope) from None
    print(f"{reference} is published: {url}")
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
    for suffix, content in files.items():
        print(f"  {suffix:<4}  {digest_of(content)}")
        if options.output is not None:
            (options.output / f"publication-{reference}.{suffix}").write_bytes(content)
    return 0


def _again(options: argparse.Namespace, settings: Settings) -> int:
    try:
        reference = parse_reference(options.publication)
    except ValueError:
        raise CommandError(
            code="publication.malformed",
            sentence=f"{options.publication!r} is no publication; the first of Haiyan is 330424-1.",
        ) from None

    async def compare(db: Database) -> dict[str, bool]:
        again = await count_again(db, reference=reference)
        same = {"data": again.is_same}
        made = {
            "pdf": await publication_pdf(again.publication, content=again.counted),
            "xlsx": publication_xlsx(again.publication, content=again.counted),
        }
        async with db.read() as conn:
            for suffix, content in made.items():
                kept = await publications.find_file(conn, reference=reference, file_format=suffix)
                same[suffix] = kept == content
        return same

    with database(settings) as urls:
        try:
            same = run(urls, compare)
        except NotFoundError:
            raise CommandError(
                code="publication.not_found", sentence=f"There is no publication {reference}."
            ) from None
    for name, is_same in same.items():
        print(f"{name:<4}  {'the same, byte for byte' if is_same else 'NOT what was published'}")
    return 0 if all(same.values()) else 1
