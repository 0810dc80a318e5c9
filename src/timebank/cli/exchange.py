"""Handing services on to another platform, and comparing notes with it."""

import argparse
from pathlib import Path

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.exchange import Reconciliation
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.services import exchange
from timebank.services.errors import NotFoundError
from timebank.services.exchange_files import FilePlatform, HeldFileError
from timebank.settings import Settings
from timebank.store.exchanges import Batch

_SHOWN_MAX = 20
"""Differences that are named; more are only counted."""


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    exchanger = add_command(
        commands, "exchange", _exchange, "hand services on to another platform, or compare notes"
    )
    exchanger.add_argument("what", choices=("send", "compare"))
    exchanger.add_argument("folder", type=Path, help="the platform: out/ is written, held/ read")
    exchanger.add_argument("--book", type=int, help="six-digit code of the county")


def _exchange(options: argparse.Namespace, settings: Settings) -> int:
    book = options.book or settings.book
    scope = Scope(county_code(book))
    platform = FilePlatform(options.folder)

    async def send(db: Database) -> Batch | None:
        return await exchange.send_new(db, scope=scope, book=book, platform=platform, now=now())

    async def compare(db: Database) -> Reconciliation:
        return await exchange.compare(db, scope=scope, book=book, platform=platform, now=now())

    with database(settings) as urls:
        try:
            if options.what == "send":
                return _tell_sent(run(urls, send))
            return _tell_compared(run(urls, compare))
        except NotFoundError:
            raise CommandError(
                code="book.not_found", sentence=f"There is no book {book}."
            ) from None
        except HeldFileError as error:
            raise CommandError(code=error.code, sentence=error.sentence) from None


def _tell_sent(batch: Batch | None) -> int:
    if batch is None:
        print("Nothing is new since the last batch.")
    else:
        print(
            f"Handed on: {batch.records:,} services, entries {batch.first_seq:,} to "
            f"{batch.last_seq:,} of book {batch.book}."
        )
    return 0


def _tell_compared(found: Reconciliation) -> int:
    print(f"sent {found.sent:,}, held {found.held:,}, equal {found.equal:,}")
    for kind, count in found.counts.items():
        print(f"  {kind.name.lower():<10} {count:,}")
    for each in found.examples[:_SHOWN_MAX]:
        sent, held = ("nothing" if n is None else f"{n} min" for n in (each.sent, each.held))
        print(f"    {each.kind.name.lower():<10} {each.key}  sent {sent}, held {held}")
    more = sum(found.counts.values()) - _SHOWN_MAX
    if more > 0:
        print(f"    and {more:,} more")
    return 0 if found.is_equal else 1
