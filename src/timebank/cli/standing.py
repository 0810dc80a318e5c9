"""Reports that go out by themselves, by mail or to an address."""

import argparse
from uuid import UUID

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.standing_report import CADENCES, PAPER, StandingRefused, StandingReport, Way
from timebank.domain.window import WindowKind
from timebank.http.file_format import Format
from timebank.services import standing_reports as standing
from timebank.services.errors import NotFoundError
from timebank.settings import Settings, read_master_key
from timebank.store import standing_reports
from timebank.store.definitions import ACTIVE_RATE
from timebank.store.seal import Seal
from timebank.store.standing_reports import Delivered


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    stood = add_command(
        commands, "standing", _standing, "set up, list or end reports that go out by themselves"
    )
    stood.add_argument("what", choices=("add", "list", "end"))
    stood.add_argument("report", nargs="?", type=UUID, help="end: which one")
    stood.add_argument("--region", help="add: division code, such as 330424")
    stood.add_argument("--label", default="", help="add: what it is called")
    stood.add_argument("--metrics", default="active,active_rate,minutes", help="by commas")
    stood.add_argument("--definition", default=ACTIVE_RATE)
    stood.add_argument("--cadence", choices=[each.value for each in CADENCES], default="month")
    stood.add_argument("--format", choices=[*(each.value for each in Format), PAPER], default="csv")
    stood.add_argument("--way", choices=[each.value for each in Way], default="webhook")
    stood.add_argument("--to", default="", help="add: a mail address, or where to post")


def _standing(options: argparse.Namespace, settings: Settings) -> int:
    seal = Seal(read_master_key(settings))
    match options.what:
        case "add":
            return _add(options, settings, seal)
        case "end":
            return _end(options, settings)
        case _:
            return _list(settings, seal)


def _add(options: argparse.Namespace, settings: Settings, seal: Seal) -> int:
    scope = scope_of(options.region or "")
    with database(settings) as urls:
        made = run(
            urls,
            lambda db: standing.set_up_report(
                db,
                seal=seal,
                scope=scope,
                label=options.label,
                metrics=options.metrics.split(","),
                definition=options.definition,
                cadence=WindowKind(options.cadence),
                form=options.format,
                way=Way(options.way),
                address=options.to,
                now=now(),
            ),
        )
    if isinstance(made, StandingRefused):
        raise CommandError(code=made.reason.value, sentence="The report cannot be set up so.")
    report, key = made
    print(f"Report {report.id} goes out for each complete {report.cadence.value}.")
    if report.way is Way.WEBHOOK:
        print(f"What is posted is signed with this key, shown this once: {key}")
    return 0


def _list(settings: Settings, seal: Seal) -> int:
    async def read(db: Database) -> list[tuple[StandingReport, Delivered | None]]:
        async with db.read() as conn:
            return [
                (each, await standing_reports.find_delivered(conn, report=each.id))
                for each in await standing_reports.list_reports(conn, seal=seal)
            ]

    with database(settings) as urls:
        for report, last in run(urls, read):
            print(f"{report.id}  {report.label}  {report.scope.region}  {report.cadence.value}")
            print(f"    {report.way.value} {report.address}: {_told(last)}")
    return 0


def _told(last: Delivered | None) -> str:
    if last is None:
        return "nothing is due yet"
    if last.sent_at is not None:
        return f"{last.window} went out {last.sent_at.isoformat()}"
    state = "given up" if last.failed_at is not None else "waits"
    return f"{last.window} {state}: {last.note or 'not tried yet'}"


def _end(options: argparse.Namespace, settings: Settings) -> int:
    if options.report is None:
        raise CommandError(code="standing.no_report", sentence="Name the report.")
    with database(settings) as urls:
        try:
            run(urls, lambda db: standing.end_report(db, report=options.report, now=now()))
        except NotFoundError:
            raise CommandError(
                code="standing.not_found", sentence=f"No report {options.report} goes out."
            ) from None
    print(f"Report {options.report} goes out no more.")
    return 0
