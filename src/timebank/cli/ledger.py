"""Reading, correcting, moving, exporting and auditing what the books hold."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, assert_never

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import books_of
from timebank.cli.database import database, run
from timebank.cli.progress import Progress
from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.as_of import parse_as_of
from timebank.domain.correction import Corrected, Correction, CorrectionRefused, Reversed
from timebank.domain.moving import MovingRefused
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.transfer import TransferKind
from timebank.domain.volunteer_number import format_number, parse_number
from timebank.ledger import audit, balances
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
from timebank.services import correction, moving
from timebank.services.errors import NotFoundError
from timebank.settings import Settings
from timebank.store import volunteers


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    corrector = add_command(
        commands, "correct", _correct, "take an entry back, and post what is right in its place"
    )
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

    stated = add_command(
        commands, "statement", _statement, "print the account of a volunteer's minutes"
    )
    stated.add_argument("volunteer", help="15-digit number")
    stated.add_argument(
        "--as-of",
        type=parse_as_of,
        metavar="SEQ|INSTANT",
        help="as the book was at an entry, or at an instant with its zone; now without it",
    )
    stated.add_argument("--lines", type=int, default=100, help="how many of the newest entries")

    exporter = add_command(commands, "export", _export, "write a book out for other programs")
    exporter.add_argument("--book", type=int, help="six-digit code of the county")
    exporter.add_argument("--format", choices=FORMATS, required=True)
    exporter.add_argument("--output", type=Path, help="file to write; needed for parquet")

    mover = add_command(
        commands, "move", _move, "move a volunteer to another county, or complete interrupted moves"
    )
    mover.add_argument("volunteer", nargs="?", help="15-digit number; none: complete all moves")
    mover.add_argument("village", nargs="?", type=int, help="12-digit code of the new home")

    auditor = add_command(commands, "audit", _audit, "prove caches and invariants from the journal")
    auditor.add_argument("--book", type=int, help="six-digit code of the county; all without it")


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
                db, actor=None, book=book, seq=options.seq, reason=options.reason, now=now()
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
            now=now(),
        )

    with database(settings) as urls:
        try:
            outcome = run(urls, correct)
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

    with database(settings) as urls:
        found = run(urls, read)
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
            return await export_book(conn, book=book, writer=writer, progress=Progress("Export"))

    with database(settings) as urls, _whole_file(options.output) as output:
        try:
            seq = run(urls, lambda db: write(db, output))
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
        with database(settings) as urls:
            count = run(urls, lambda db: moving.complete_moves(db, now=now()))
        print(f"{count:,} moves completed or brought up to date")
        return 0
    number = parse_number(options.volunteer)
    if number is None or options.village is None:
        raise CommandError(
            code="move.incomplete",
            sentence="Name a 15-digit volunteer number and the 12-digit code of a village.",
        )
    with database(settings) as urls:
        try:
            outcome = run(
                urls,
                lambda db: moving.move_to_county(
                    db,
                    volunteer=VolunteerId(*number),
                    village=options.village,
                    person=None,
                    now=now(),
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
            for book in await books_of(conn, options.book):
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

    with database(settings) as urls:
        broken = run(urls, prove)
    print("The caches and invariants agree with the journal." if not broken else "NOT in order.")
    return 1 if broken else 0
