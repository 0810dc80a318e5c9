"""Signing, verifying, exporting and proving what the books hold."""

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from timebank import verify_log
from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import books_of
from timebank.cli.database import database, run
from timebank.cli.progress import Progress
from timebank.db import Database
from timebank.domain.volunteer_number import parse_number
from timebank.ledger import audit, log
from timebank.services import log_files, sealing
from timebank.services.errors import NotFoundError
from timebank.services.sealing import LogKey
from timebank.settings import (
    KEY_BYTES,
    Settings,
    read_log_key,
    read_next_log_key,
    replace_log_key,
)
from timebank.trust.signer import Ed25519Signer


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    logs = add_command(commands, "log", _log, "sign, verify, export and prove what the books hold")
    logs.add_argument("what", choices=tuple(_LOG_COMMANDS))
    logs.add_argument(
        "folder", type=Path, nargs="?", help="export: where to write; key: `rotate` for a new one"
    )
    logs.add_argument("--book", type=int, help="six-digit code of the county; all without it")
    logs.add_argument("--seq", type=int, help="prove: the entry")
    logs.add_argument("--new-key", type=Path, help="key rotate: file of 32 random bytes")
    logs.add_argument("--volunteer", help="erase: 15-digit number")
    logs.add_argument("--from", type=Path, dest="source", help="verify: an exported folder")
    logs.add_argument("--vkey", action="append", help="verify: the key of a log, one for each")
    logs.add_argument("--output", type=Path, help="prove: file to write")


def _log(options: argparse.Namespace, settings: Settings) -> int:
    if options.source is not None:
        given = [part for each in options.vkey or () for part in ("--vkey", each)]
        return verify_log.main([str(options.source), *given])
    if options.what == "key" and options.folder == Path("rotate"):
        return _rotate(options, settings)
    command = _LOG_COMMANDS[options.what]
    key = LogKey(Ed25519Signer(read_log_key(settings)), settings.log_name)
    with database(settings) as urls:
        try:
            return run(urls, lambda db: command(db, key, options))
        except log.LogInconsistentError as error:
            raise CommandError(code="log.inconsistent", sentence=f"{error}.") from None
        except log_files.NotSignedError:
            raise CommandError(
                code="log.not_signed", sentence="No checkpoint covers it; run: timebank log sign"
            ) from None


def _rotate(options: argparse.Namespace, settings: Settings) -> int:
    old = LogKey(Ed25519Signer(read_log_key(settings)), settings.log_name)
    if options.new_key is None:
        seed = read_next_log_key(settings)
    else:
        try:
            seed = options.new_key.read_bytes()
        except OSError as error:
            raise CommandError(
                code="log.no_new_key", sentence=f"{options.new_key}: {error.strerror}."
            ) from None
        if len(seed) != KEY_BYTES:
            raise CommandError(
                code="log.no_new_key",
                sentence=f"{options.new_key} does not hold {KEY_BYTES} bytes.",
            )
    new = LogKey(Ed25519Signer(seed), settings.log_name)

    async def rotate(db: Database) -> None:
        async with db.read() as conn:
            books = await books_of(conn, options.book)
        for book in books:
            await sealing.rotate_key(db, old=old, new=new, book=book, now=now())
            print(new.of(book))

    with database(settings) as urls:
        try:
            run(urls, rotate)
        except log.LogInconsistentError as error:
            raise CommandError(code="log.inconsistent", sentence=f"{error}.") from None
    if options.new_key is None:
        replaced = replace_log_key(settings)
        print(f"Publish these keys. The old one is in {replaced}: nothing needs it any more.")
    else:
        print(f"Publish these keys, and set TIMEBANK_LOG_KEY_FILE to {options.new_key}.")
    return 0


async def _log_key(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    async with db.read() as conn:
        for book in await books_of(conn, options.book):
            older = [each.key for each in reversed(await sealing.list_keys(conn, book=book))]
            print("\n".join(dict.fromkeys(map(str, [key.of(book), *older]))))
    return 0


async def _log_sign(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    async with db.read() as conn:
        books = await books_of(conn, options.book)
    for book in books:
        made = await sealing.sign_checkpoint(db, key=key, book=book, now=now())
        print(f"book {book}: " + (f"signed at {made.size:,} entries" if made else "nothing new"))
    return 0


async def _log_verify(db: Database, key: LogKey, options: argparse.Namespace) -> int:
    wrong = 0
    async with db.read() as conn:
        books = await books_of(conn, options.book)
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
        books = await books_of(conn, options.book)
    for book in books:
        made = await log_files.export_log(
            db,
            book=book,
            folder=options.folder / str(book),
            vkey=str(key.of(book)),
            progress=Progress(f"Log {book}"),
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
    erased = await sealing.erase_volunteer(db, book=book, volunteer=volunteer, now=now())
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
