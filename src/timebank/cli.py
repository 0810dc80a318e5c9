"""The command line: everything an operator does, one command each."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, TypeVar, assert_never
from zoneinfo import ZoneInfo

import asyncpg
import uvicorn
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank import migrations, postgres, verify_log
from timebank.app import APP_ROLE
from timebank.db import Database
from timebank.domain import region as regions
from timebank.domain.actor import VolunteerId
from timebank.domain.as_of import UnknownStateError, parse_as_of
from timebank.domain.correction import Corrected, Correction, CorrectionRefused, Reversed
from timebank.domain.moving import MovingRefused
from timebank.domain.period import local_day
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.transfer import TransferKind
from timebank.domain.volunteer_number import format_number, parse_number
from timebank.http import spreadsheet
from timebank.ledger import audit, balances, log
from timebank.ledger.balances import Balance, StatementLine
from timebank.ledger.export import Writer, export_book
from timebank.ledger.export_formats import (
    FORMATS,
    BeancountWriter,
    CsvWriter,
    HledgerWriter,
    LibraryMissingError,
    ParquetWriter,
)
from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.postgres import PostgresError
from timebank.queries.active_rate import ActiveRateReport, active_rates
from timebank.services import correction, demo, granting, importing, log_files, moving, sealing
from timebank.services.demo import DemoError
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.sealing import LogKey
from timebank.services.service_file import ImportFileError
from timebank.settings import (
    Settings,
    SettingsError,
    make_data_folder,
    read_log_key,
    read_master_key,
    read_settings,
)
from timebank.store import volunteers
from timebank.store.seal import Seal
from timebank.trust.signer import Ed25519Signer

_T = TypeVar("_T")

_YEARS = range(2000, 2101)
"""Years that a report can be asked for, here as on the page."""

Command = Callable[[argparse.Namespace, Settings], int]


class CommandError(Exception):
    """The command cannot be carried out.

    Attributes:
        code: Stable name of the failure.
        sentence: What is wrong and what to do.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class _Urls:
    """How to reach the database: as the owner of the tables, and as the application."""

    owner: str
    app: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or found wrong, 2 misused."""
    options = _parser().parse_args(arguments)
    # A default SIGTERM would leave the embedded database running behind us.
    signal.signal(signal.SIGTERM, _raise_exit)
    command: Command = options.command
    try:
        settings = read_settings(os.environ, is_root=os.geteuid() == 0)
        make_data_folder(settings.data)
        return command(options, settings)
    except (CommandError, SettingsError, PostgresError, DemoError, ImportFileError) as error:
        print(f"timebank: {error.sentence} [{error.code}]", file=sys.stderr)
        return 1
    except (
        FileExistsError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as error:
        print(f"timebank: {error.filename}: {error.strerror} [file.closed]", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="timebank", description="The time bank of a county.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, about: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=about, description=about)
        found.set_defaults(command=command)
        return found

    add("migrate", _migrate, "bring the database to this release's schema")

    serve = add("serve", _serve, "serve the pages and the API")
    serve.add_argument("--demo", action="store_true", help="make and open the demo county")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--workers", type=int, default=1, help="server processes")

    made = add("demo", _demo, "build the reference county")
    made.add_argument("--scale", choices=("small", "full"), default="small")

    importer = add("import", _import_services, "import a district's history")
    importer.add_argument("what", choices=("services",))
    importer.add_argument("file", type=Path)
    importer.add_argument("--book", type=int, help="six-digit code of the county")
    importer.add_argument("--dry-run", action="store_true", help="show the totals, write nothing")
    importer.add_argument(
        "--trust-evidence",
        action="store_true",
        help="take the file's word for how hours are evidenced",
    )

    report = add("report", _report, "print a report")
    report.add_argument("what", choices=("active-rate",))
    report.add_argument("--region", required=True, help="division code, such as 330424")
    report.add_argument("--year", type=int, required=True)
    report.add_argument(
        "--as-of",
        type=parse_as_of,
        metavar="SEQ|INSTANT",
        help="as the books were at an entry, or at an instant with its zone; now without it",
    )
    report.add_argument("--format", choices=("table", "json", "csv", "xlsx"), default="table")
    report.add_argument("--output", type=Path, help="file to write; needed for xlsx")

    granter = add("grant", _grant, "run the policies and make the grants that are due")
    granter.add_argument("--region", help="division code of the county, such as 330424")
    granter.add_argument("--on", type=date.fromisoformat, help="as of this day; today without it")

    checker = add("pack", _check_pack, "try a policy pack before it counts")
    checker.add_argument("what", choices=("check",))
    checker.add_argument("folder", type=Path)

    corrector = add("correct", _correct, "take an entry back, and post what is right in its place")
    corrector.add_argument("seq", type=int, help="the entry that is wrong")
    corrector.add_argument("--book", type=int, help="six-digit code of the county")
    corrector.add_argument("--reason", required=True, help="why, in words that can be read out")
    corrector.add_argument("--evidence", help="what proves it, such as the number of a sheet")
    corrector.add_argument("--minutes", type=int, help="how long the service was")
    corrector.add_argument("--field", type=_field, help="its field, such as elder_care")
    corrector.add_argument(
        "--started-at", type=_instant, metavar="INSTANT", help="when it began, with its zone"
    )
    corrector.add_argument("--take-back", action="store_true", help="nothing is right in its place")

    stated = add("statement", _statement, "print the account of a volunteer's minutes")
    stated.add_argument("volunteer", help="15-digit number")
    stated.add_argument(
        "--as-of",
        type=parse_as_of,
        metavar="SEQ|INSTANT",
        help="as the book was at an entry, or at an instant with its zone; now without it",
    )
    stated.add_argument("--lines", type=int, default=100, help="how many of the newest entries")

    exporter = add("export", _export, "write a book out for other programs")
    exporter.add_argument("--book", type=int, help="six-digit code of the county")
    exporter.add_argument("--format", choices=FORMATS, required=True)
    exporter.add_argument("--output", type=Path, help="file to write; needed for parquet")

    mover = add("move", _move, "move a volunteer to another county, or complete interrupted moves")
    mover.add_argument("volunteer", nargs="?", help="15-digit number; none: complete all moves")
    mover.add_argument("village", nargs="?", type=int, help="12-digit code of the new home")

    logs = add("log", _log, "sign, verify, export and prove what the books hold")
    logs.add_argument("what", choices=tuple(_LOG_COMMANDS))
    logs.add_argument("folder", type=Path, nargs="?", help="export: where to write")
    logs.add_argument("--book", type=int, help="six-digit code of the county; all without it")
    logs.add_argument("--seq", type=int, help="prove: the entry")
    logs.add_argument("--volunteer", help="erase: 15-digit number")
    logs.add_argument("--from", type=Path, dest="source", help="verify: an exported folder")
    logs.add_argument("--vkey", action="append", help="verify: the key of a log, one for each")
    logs.add_argument("--output", type=Path, help="prove: file to write")

    auditor = add("audit", _audit, "prove caches and invariants from the journal")
    auditor.add_argument("--book", type=int, help="six-digit code of the county; all without it")
    return parser


def _migrate(_options: argparse.Namespace, settings: Settings) -> int:
    with _database(settings, is_schema_checked=False) as urls:
        migrations.upgrade(urls.owner)
    print(f"The schema is at {migrations.newest_revision()}.")
    return 0


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    port = _listening_port(options.host, options.port)
    url = settings.url or f"http://{_reached_by(options.host)}:{port}"
    with _database(settings) as urls:
        if options.demo:
            _build_demo(settings, urls, scale="small")
            print(_demo_guide(url), flush=True)
        os.environ.update(
            TIMEBANK_DATABASE_URL=urls.app,
            TIMEBANK_DATA=str(settings.data),
            TIMEBANK_URL=url,
            TIMEBANK_DEMO="1" if options.demo or settings.is_demo else "0",
        )
        uvicorn.run(
            "timebank.app:create_from_environment",
            factory=True,
            host=options.host,
            port=port,
            workers=options.workers,
            loop="uvloop",
            http="timebank.http.protocol:Protocol",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            # Nothing depends on who a proxy says that it asks for; the public address is a setting.
            proxy_headers=False,
        )
    return 0


def _listening_port(host: str, port: int) -> int:
    """Return the port to listen on, for 0 a free one, before anything else is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as found:
            taken: int = found.getsockname()[1]
            return taken
    except OSError as error:
        raise CommandError(
            code="serve.port_taken",
            sentence=f"Cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}. "
            "Choose another one with --port.",
        ) from None


def _reached_by(host: str) -> str:
    """Return the address by which others reach a host; of all of a machine's, the one leading out.

    The code on the wall carries it, so that a phone in the same network can open the link.
    """
    if host != "0.0.0.0":  # noqa: S104 asked about, not listened on
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: the system only says which of its addresses it would use.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    with _database(settings) as urls:
        _build_demo(settings, urls, scale=options.scale)
    return 0


def _build_demo(settings: Settings, urls: _Urls, *, scale: demo.Scale) -> None:
    seal = Seal(read_master_key(settings))
    _run(
        urls,
        lambda db: demo.build_demo(
            db, seal=seal, scale=scale, now=_now(), progress=_Progress("Demo county")
        ),
    )


def _demo_guide(url: str) -> str:
    return f"""
timebank is open at {url} — the demo county is Haiyan (海盐县).

  volunteer         {url}/  → 我是志愿者   or sign in with {demo.VOLUNTEER_PHONE}
  organizer         {url}/  → 我是组织者   or sign in with {demo.ORGANIZER_PHONE}
  district officer  {url}/  → 我在区县工作 or sign in with {demo.OFFICER_PHONE}

  The sign-in codes that would go out by text message are at {url}/outbox
  Stop with Ctrl-C.
"""


def _import_services(options: argparse.Namespace, settings: Settings) -> int:
    book = options.book or settings.book
    with _database(settings) as urls:
        try:
            result = _run(
                urls,
                lambda db: importing.import_services(
                    db,
                    book=book,
                    path=options.file,
                    now=_now(),
                    is_dry_run=options.dry_run,
                    is_evidence_trusted=options.trust_evidence,
                    progress=_Progress("Import"),
                ),
            )
        except NotFoundError:
            raise _no_book(_scope(str(book))) from None
    print(json.dumps(asdict(result), ensure_ascii=False, default=str, indent=2))
    return 1 if result.rows_refused else 0


def _report(options: argparse.Namespace, settings: Settings) -> int:
    scope = _scope(options.region)
    if options.year not in _YEARS:
        raise CommandError(
            code="year.out_of_range",
            sentence=f"{options.year} is no year of a report; {_YEARS[0]} to {_YEARS[-1]} are.",
        )
    if options.format == "xlsx" and options.output is None:
        raise CommandError(code="report.no_output", sentence="Name a file with --output.")

    async def read(db: Database) -> ActiveRateReport | None:
        async with db.read() as conn:
            return await active_rates(conn, scope=scope, year=options.year, as_of=options.as_of)

    with _database(settings) as urls:
        try:
            report = _run(urls, read)
        except UnknownStateError:
            raise CommandError(
                code="report.no_such_entry",
                sentence=f"Entry {options.as_of} is not in the one book of {scope.region}.",
            ) from None
    if report is None:
        raise _no_book(scope)
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


def _grant(options: argparse.Namespace, settings: Settings) -> int:
    scope = _scope(options.region or str(settings.book))
    now = _now()
    on = options.on or local_day(now, zone=ZoneInfo(ZONE))
    with _database(settings) as urls:
        try:
            run = _run(
                urls,
                lambda db: granting.grant_policies(
                    db, scope=scope, packs=granting.shipped_packs(), on=on, person=None, now=now
                ),
            )
        except NotFoundError:
            raise _no_book(scope) from None
    print(f"{run.people:,} people as of entry {run.as_of:,}, rules as of {run.on}")
    for each in run.rules:
        print(
            f"  {each.pack}/{each.rule}: {each.granted:,} granted, {each.already:,} before, "
            f"{each.unmet:,} not met, {each.unknown:,} unknown"
        )
    return 0


def _check_pack(options: argparse.Namespace, _settings: Settings) -> int:
    pack = read_pack(options.folder)
    if isinstance(pack, PackRefused):
        print("\n".join(str(problem) for problem in pack.problems))
        return 1
    failures = run_cases(pack)
    print("\n".join(str(failure) for failure in failures))
    print(f"{pack.id} {pack.version} {pack.status}, {len(pack.cases)} cases, hash {pack.hash}")
    if failures:
        return 1
    unnoticed = (*unseen_outcomes(pack), *surviving_mutants(pack))
    print("\n".join(f"no case notices: {each}" for each in unnoticed))
    return 1 if unnoticed else 0


def _correct(options: argparse.Namespace, settings: Settings) -> int:
    book = options.book or settings.book
    if not options.take_back and options.evidence is None:
        raise CommandError(
            code="correction.no_evidence",
            sentence="Name the --evidence for what is right, or --take-back what is wrong.",
        )

    async def correct(db: Database) -> Corrected | Reversed | CorrectionRefused:
        if options.take_back:
            return await correction.reverse_transfer(
                db, actor=None, book=book, seq=options.seq, reason=options.reason, now=_now()
            )
        return await correction.correct_service(
            db,
            actor=None,
            book=book,
            seq=options.seq,
            correction=Correction(
                minutes=options.minutes, field=options.field, started_at=options.started_at
            ),
            reason=options.reason,
            evidence=options.evidence,
            now=_now(),
        )

    with _database(settings) as urls:
        try:
            outcome = _run(urls, correct)
        except NotFoundError:
            raise CommandError(
                code="entry.not_found", sentence=f"Book {book} has no entry {options.seq}."
            ) from None
    match outcome:
        case CorrectionRefused(reason):
            raise CommandError(code=reason.value, sentence=f"Entry {options.seq} stands.")
        case Reversed(seq):
            print(f"Entry {options.seq} is taken back by entry {seq}.")
        case Corrected(reversal, replacement):
            print(
                f"Entry {options.seq} is taken back by entry {reversal}; "
                f"entry {replacement} stands in its place."
            )
        case _:
            assert_never(outcome)
    return 0


def _statement(options: argparse.Namespace, settings: Settings) -> int:
    number = parse_number(options.volunteer)

    async def read(db: Database) -> tuple[int, Balance, list[StatementLine]] | None:
        if number is None:
            return None
        book = number[0]
        async with db.read() as conn:
            found = await volunteers.find_volunteer(conn, volunteer=VolunteerId(*number))
            head = await balances.find_head_seq(conn, book=book)
            if found is None or head is None:
                return None
            match options.as_of:
                case None:
                    seq = head
                case int():
                    seq = options.as_of
                    if seq > head:
                        raise CommandError(
                            code="report.no_such_entry",
                            sentence=f"The newest entry of book {book} is {head}.",
                        )
                case _:
                    seq = await balances.seq_at(conn, book=book, instant=options.as_of)
            account = found.minutes_account
            return (
                seq,
                await balances.balance(conn, book=book, account=account, as_of=seq),
                await balances.statement(
                    conn, book=book, account=account, as_of=seq, lines_max=options.lines
                ),
            )

    with _database(settings) as urls:
        found = _run(urls, read)
    if found is None:
        raise CommandError(
            code="volunteer.not_found", sentence=f"{options.volunteer} is in no book."
        )
    seq, held, lines = found
    print(f"{options.volunteer}  as of entry {seq:,}: {held.held:,} minutes")
    for line in lines:
        transfer = line.entry.transfer
        note = f"  takes back {transfer.reverses}" if transfer.reverses is not None else ""
        if line.reversed_by is not None:
            note = f"  taken back by {line.reversed_by}"
        print(
            f"  {line.entry.seq:>9}  {transfer.effective_at.isoformat()}  "
            f"{TransferKind(transfer.kind).name.lower():<10} {line.signed_amount:>+7}{note}"
        )
    return 0


def _field(code: str) -> ServiceField:
    found = field_of(code)
    if found is None:
        raise ValueError("no field of service")
    return found


def _instant(text_: str) -> datetime:
    asked = parse_as_of(text_)
    if isinstance(asked, int):
        raise ValueError("an entry is no instant")
    return asked


def _export(options: argparse.Namespace, settings: Settings) -> int:
    book = options.book or settings.book
    if options.format == "parquet" and options.output is None:
        raise CommandError(code="export.no_output", sentence="Name a file with --output.")

    async def write(db: Database, output: BinaryIO) -> int | None:
        writers: dict[str, Callable[[BinaryIO], Writer]] = {
            "hledger": HledgerWriter,
            "beancount": BeancountWriter,
            "csv": CsvWriter,
            "parquet": ParquetWriter,
        }
        writer = writers[options.format](output)
        async with db.read() as conn:
            return await export_book(conn, book=book, writer=writer, progress=_Progress("Export"))

    with _database(settings) as urls, _whole_file(options.output) as output:
        try:
            seq = _run(urls, lambda db: write(db, output))
        except LibraryMissingError as error:
            raise CommandError(
                code="export.library_missing",
                sentence=f"This format needs {error}: pip install 'timebank[parquet]'.",
            ) from None
        if seq is None:
            raise CommandError(code="book.not_found", sentence=f"There is no book {book}.")
    return 0


@contextmanager
def _whole_file(path: Path | None) -> Iterator[BinaryIO]:
    """Write a file that appears when it is whole; standard output where none is named."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as output:
            yield output
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _move(options: argparse.Namespace, settings: Settings) -> int:
    if options.volunteer is None:
        with _database(settings) as urls:
            count = _run(urls, lambda db: moving.complete_moves(db, now=_now()))
        print(f"{count:,} moves completed or brought up to date")
        return 0
    number = parse_number(options.volunteer)
    if number is None or options.village is None:
        raise CommandError(
            code="move.incomplete",
            sentence="Name a 15-digit volunteer number and the 12-digit code of a village.",
        )
    with _database(settings) as urls:
        try:
            outcome = _run(
                urls,
                lambda db: moving.move_to_county(
                    db,
                    volunteer=VolunteerId(*number),
                    village=options.village,
                    person=None,
                    now=_now(),
                ),
            )
        except NotFoundError:
            raise CommandError(
                code="volunteer.not_found", sentence=f"{options.volunteer} is in no book, or left."
            ) from None
    if isinstance(outcome, MovingRefused):
        raise CommandError(
            code=outcome.reason.value, sentence=f"{options.volunteer} cannot move there."
        )
    moved = outcome.volunteer
    print(f"{options.volunteer} is {format_number(moved.book, moved.id)} now")
    return 0


def _audit(options: argparse.Namespace, settings: Settings) -> int:
    async def prove(db: Database) -> int:
        broken = 0
        async with db.read() as conn:
            for book in await _books(conn, options.book):
                seq = await balances.find_head_seq(conn, book=book)
                if seq is None:
                    raise CommandError(code="book.not_found", sentence=f"There is no book {book}.")
                print(f"book {book}, entries 1 to {seq}")
                for rule in audit.RULES:
                    started = time.perf_counter()
                    finding = await audit.find_broken(conn, book=book, rule=rule)
                    took = time.perf_counter() - started
                    if finding is None:
                        print(f"  holds   {rule}  ({took:.1f} s)")
                    else:
                        broken += 1
                        print(f"  BROKEN  {rule}: {finding.count} rows, such as")
                        print("\n".join(f"          {each}" for each in finding.examples))
        return broken

    with _database(settings) as urls:
        broken = _run(urls, prove)
    print("The caches and invariants agree with the journal." if not broken else "NOT in order.")
    return 1 if broken else 0


async def _books(conn: AsyncConnection, chosen: int | None) -> list[int]:
    books = list(await conn.scalars(text("select id from book order by id")))
    if chosen is None:
        return books
    if chosen not in books:
        raise CommandError(code="book.not_found", sentence=f"There is no book {chosen}.")
    return [chosen]


def _log(options: argparse.Namespace, settings: Settings) -> int:
    if options.source is not None:
        given = [part for each in options.vkey or () for part in ("--vkey", each)]
        return verify_log.main([str(options.source), *given])
    command = _LOG_COMMANDS[options.what]
    key = LogKey(Ed25519Signer(read_log_key(settings)), settings.log_name)
    with _database(settings) as urls:
        try:
            return _run(urls, lambda db: command(db, key, options))
        except log.LogInconsistentError as error:
            raise CommandError(code="log.inconsistent", sentence=f"{error}.") from None
        except log_files.NotSignedError:
            raise CommandError(
                code="log.not_signed", sentence="No checkpoint covers it; run: timebank log sign"
            ) from None


async def _log_key(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    async with db.read() as conn:
        books = await _books(conn, options.book)
    print("\n".join(str(key.of(book)) for book in books))
    return 0


async def _log_sign(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    async with db.read() as conn:
        books = await _books(conn, options.book)
    for book in books:
        made = await sealing.sign_checkpoint(db, key=key, book=book, now=_now())
        print(f"book {book}: " + (f"signed at {made.size:,} entries" if made else "nothing new"))
    return 0


async def _log_verify(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    wrong = 0
    async with db.read() as conn:
        books = await _books(conn, options.book)
        for book in books:
            for rule in ("audit.leaf_differs", "audit.tree_differs"):
                finding = await audit.find_broken(conn, book=book, rule=rule)
                wrong += _tell(f"book {book}, {rule}", [] if finding is None else finding.examples)
    for book in books:
        unsigned = await sealing.find_unsigned(db, key=key, book=book)
        wrong += _tell(f"book {book}, signatures by {key.of(book)}", unsigned)
    print("The books are what was signed." if not wrong else "NOT in order.")
    return 1 if wrong else 0


def _tell(what: str, wrong: Sequence[str]) -> int:
    print(f"  {'BROKEN' if wrong else 'holds '}  {what}")
    for each in wrong[: audit.EXAMPLES_MAX]:
        print(f"          {each}")
    return len(wrong)


async def _log_export(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    if options.folder is None:
        raise CommandError(code="log.no_folder", sentence="Name the folder to write to.")
    async with db.read() as conn:
        books = await _books(conn, options.book)
    for book in books:
        made = await log_files.export_log(
            db,
            book=book,
            folder=options.folder / str(book),
            vkey=str(key.of(book)),
            progress=_Progress(f"Log {book}"),
        )
        print(f"{made.folder}: {made.size:,} entries of {made.origin}")
    print(f"Verify it with: python {options.folder}/{books[0]}/verify_log.py {options.folder}")
    return 0


async def _log_prove(db: Database, _key: LogKey, options: argparse.Namespace) -> int:
    if options.book is None or options.seq is None:
        raise CommandError(code="log.no_entry", sentence="Name the entry with --book and --seq.")
    try:
        proof = await log_files.prove_entry(db, book=options.book, seq=options.seq)
    except NotFoundError:
        raise CommandError(
            code="entry.not_found", sentence=f"Book {options.book} has no entry {options.seq}."
        ) from None
    except log_files.EntryErasedError:
        raise CommandError(
            code="log.erased", sentence="The secret that opens this entry was erased."
        ) from None
    if options.output is None:
        sys.stdout.write(str(proof))
    else:
        options.output.write_text(str(proof), encoding="utf-8")
    return 0


async def _log_erase(db: Database, _key: LogKey, options: argparse.Namespace) -> int:
    number = parse_number(options.volunteer or "")
    if number is None:
        raise CommandError(
            code="log.no_volunteer", sentence="Name a 15-digit volunteer number with --volunteer."
        )
    book, volunteer = number
    erased = await sealing.erase_volunteer(db, book=book, volunteer=volunteer, now=_now())
    print(f"Secrets erased: {erased}. Nobody can open the entries of {options.volunteer} again.")
    return 0


_LOG_COMMANDS: dict[
    str, Callable[[Database, LogKey, argparse.Namespace], Coroutine[Any, Any, int]]
] = {
    "key": _log_key,
    "sign": _log_sign,
    "verify": _log_verify,
    "export": _log_export,
    "prove": _log_prove,
    "erase": _log_erase,
}


def _scope(region: str) -> Scope:
    try:
        return Scope(regions.parse_code(region))
    except ValueError:
        raise CommandError(
            code="region.malformed",
            sentence=f"{region!r} is no division code; Haiyan's is 330424.",
        ) from None


def _no_book(scope: Scope) -> CommandError:
    return CommandError(
        code="region.not_found",
        sentence=f"No book is open for {scope.region}; `timebank demo` opens Haiyan's.",
    )


@contextmanager
def _database(settings: Settings, *, is_schema_checked: bool = True) -> Iterator[_Urls]:
    """Reach the database of the settings, starting the embedded one where none is named.

    The embedded one is brought to the newest schema; another must be there already.
    """
    if settings.database_url is not None:
        owner = settings.owner_database_url or settings.database_url
        revision = asyncio.run(_find_revision(owner))
        if is_schema_checked:
            _require_newest(revision)
        yield _Urls(owner=owner, app=settings.database_url)
        return
    with postgres.running(
        settings.data, binaries=settings.postgres_binaries, user=settings.postgres_user
    ) as server:
        if is_schema_checked:
            migrations.upgrade(server.owner_url)
        yield _Urls(owner=server.owner_url, app=server.app_url)


async def _find_revision(url: str) -> str | None:
    try:
        return await migrations.find_revision(url)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        # SQLAlchemy wraps the driver's sentence in its own words.
        wrapped = error.orig if isinstance(error, DBAPIError) else None
        reason = str((wrapped and wrapped.__cause__) or wrapped or error).partition("\n")[0]
        shown = make_url(url).render_as_string(hide_password=True)
        raise CommandError(
            code="database.unreachable",
            sentence=f"{shown} cannot be used: {reason}.",
        ) from None


def _require_newest(revision: str | None) -> None:
    if revision != migrations.newest_revision():
        raise CommandError(
            code="schema.outdated",
            sentence=f"The database is at schema {revision or 'none'}, this release needs "
            f"{migrations.newest_revision()}. Run `timebank migrate` first.",
        )


def _run(urls: _Urls, use: Callable[[Database], Coroutine[Any, Any, _T]]) -> _T:
    async def run() -> _T:
        db = Database(urls.app, role=APP_ROLE)
        try:
            return await use(db)
        finally:
            await db.close()

    return asyncio.run(run())


class _Progress:
    """Draws one line that grows; on a terminal in place, elsewhere a line for each tenth."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._tenth = -1
        self._started = time.monotonic()

    def __call__(self, done: int, whole: int) -> None:
        """Show that `done` of `whole` is done."""
        percent = 100 * done // whole if whole else 100
        line = (
            f"{self._label} {'█' * (percent // 5):<20} {percent:3} %  "
            f"{done:,} / {whole:,}  {time.monotonic() - self._started:.0f} s"
        )
        if sys.stderr.isatty():
            end = "\n" if done >= whole else ""
            print(f"\r{line}", end=end, file=sys.stderr, flush=True)
        elif percent // 10 > self._tenth:
            self._tenth = percent // 10
            print(line, file=sys.stderr, flush=True)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 a command has a clock of its own


def _raise_exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
