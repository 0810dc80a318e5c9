"""What a county runs every day for its grants, and what an operator asks about one."""

import argparse
import json
from pathlib import Path
from typing import Any

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.db import Database
from timebank.domain.region import county_of
from timebank.domain.selecting import Outcome, SelectionRefused, check_draw
from timebank.services import expiring, offering, reconsidering, selecting
from timebank.services.errors import NotFoundError
from timebank.settings import Settings
from timebank.store import selections


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    runner = add_command(
        commands,
        "benefits",
        _benefits,
        "end what is over, look again after reversals, make a decision again",
    )
    runner.add_argument("what", choices=("daily", "replay"))
    runner.add_argument("--region", help="division code of the county, such as 330424")
    runner.add_argument("--grant", type=int, help="replay: the number of the grant")

    drawer = add_command(
        commands,
        "draw",
        _draw,
        "list what is drawn or voted on, decide it, or draw it again to prove it",
    )
    drawer.add_argument("what", choices=("list", "decide", "verify"))
    drawer.add_argument("--region", help="division code of the county, such as 330424")
    drawer.add_argument("--number", type=int, help="the number of the list")
    drawer.add_argument(
        "--file", type=Path, help="verify: a downloaded draw.json; asks no database"
    )

    offer = add_command(
        commands, "offer", _offer, "offer something for points or time credits, with its stock"
    )
    offer.add_argument("item", help="code of it, such as pass:haircut or goods:rice")
    offer.add_argument("--region", help="division code of the county, such as 330424")
    offer.add_argument("--title", required=True, help="in Chinese")
    offer.add_argument("--title-en", required=True)
    offer.add_argument("--detail", default="", help="in Chinese: where and how to use it")
    offer.add_argument("--detail-en", default="")
    offer.add_argument("--for", dest="unit", choices=("points", "credits"), default="points")
    offer.add_argument("--price", type=int, required=True, help="for one")
    offer.add_argument("--days", type=int, default=90, help="days of use after the exchange")
    offer.add_argument("--stock", type=int, help="how many there are; without it, no limit")


def _benefits(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region or str(settings.book))
    at = now()
    with database(settings) as urls:
        try:
            if options.what == "replay":
                if options.grant is None:
                    raise CommandError(
                        code="benefits.no_grant", sentence="Say which grant: --grant NUMBER."
                    )
                found = run(
                    urls,
                    lambda db: reconsidering.replay_decision(
                        db, book=county_of(scope.region), entitlement=options.grant
                    ),
                )
                print("the same bytes" if found.is_same else "DIFFERENT")
                print(found.stored)
                if not found.is_same:
                    print(found.again)
                return 0 if found.is_same else 1
            ended = run(urls, lambda db: expiring.expire_grants(db, scope=scope, now=at))
            again = run(urls, lambda db: reconsidering.reconsider_grants(db, scope=scope, now=at))
            decided = run(
                urls,
                lambda db: selecting.decide_ready_lists(db, book=county_of(scope.region), now=at),
            )
        except NotFoundError:
            raise no_book(scope) from None
    print(f"{ended:,} grants expired")
    print(f"{len(decided):,} lists drawn or counted")
    print(
        f"{again.unaffected:,} stand after a reversal, {again.questioned:,} questioned, "
        f"{again.cleared:,} cleared, {again.taken_back:,} taken back"
    )
    return 0


def _draw(options: argparse.Namespace, settings: Settings) -> int:
    if options.what == "verify" and options.file is not None:
        return _verify(_read_draw(options.file))
    scope = scope_of(options.region or str(settings.book))
    book, at = county_of(scope.region), now()
    with database(settings) as urls:
        if options.what == "list":
            for line in run(urls, lambda db: _lists(db, book)):
                print(line)
            return 0
        if options.number is None:
            raise CommandError(code="draw.no_number", sentence="Say which list: --number NUMBER.")
        if options.what == "verify":
            return _verify(run(urls, lambda db: _document(db, book, options.number)))
        try:
            outcome = run(
                urls,
                lambda db: selecting.decide_list(
                    db, actor=None, book=book, number=options.number, now=at
                ),
            )
        except NotFoundError:
            raise no_list(options.number) from None
    if isinstance(outcome, SelectionRefused):
        print(f"not decided: {outcome.reason}")
        return 1
    chosen = [each.lot for each in outcome.results if each.outcome is Outcome.CHOSEN]
    print(f"{len(outcome.results):,} lots, chosen: {', '.join(map(str, chosen)) or 'none'}")
    print(f"{outcome.proposed:,} grants proposed or issued")
    return 0


async def _lists(db: Database, book: int) -> list[str]:
    async with db.read() as conn:
        found = await selections.list_selections(conn, books=range(book, book + 1))
        undecided = await selections.list_undecided(conn, book=book)
    return [
        f"{each.id}  {each.mode}  {each.pack}/{each.rule}  {each.period}  "
        + ("waiting" if each.key in undecided else "decided")
        for each in found
    ]


async def _document(db: Database, book: int, number: int) -> dict[str, object]:
    async with db.read() as conn:
        found = await selections.find_selection(conn, book=book, number=number)
        if found is None:
            raise no_list(number)
        lots = await selections.list_lots(conn, book=book, number=number)
        return await selecting.draw_document(conn, selection=found, lots=lots)


def _read_draw(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        check_draw(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CommandError(
            code="draw.malformed", sentence=f"{path} is no file of a draw."
        ) from None
    return dict(document)


def _verify(document: dict[str, Any]) -> int:
    fixed, seed = document["list"], document["seed"]
    print(
        f"list {fixed['number']} of book {fixed['book']}: {fixed['mode']}, "
        f"{len(fixed['lots']):,} lots, as of entry {fixed['as_of']:,}"
    )
    print(f"digest {document['digest']}")
    if document["results"] is None:
        print("not decided yet")
    elif seed is not None:
        print(f"seed   {seed['root']}, of {seed['size']:,} entries")
    wrong = check_draw(document)
    for each in wrong:
        print(f"WRONG: {each}")
    if not wrong and document["results"] is not None:
        print("every lot comes out where it was published")
    return 1 if wrong else 0


def no_list(number: int) -> CommandError:
    """Return what is said where a county has no such list."""
    return CommandError(code="draw.not_found", sentence=f"There is no list {number}.")


def _offer(options: argparse.Namespace, settings: Settings) -> int:
    scope = scope_of(options.region or str(settings.book))
    at = now()
    with database(settings) as urls:
        try:
            number = run(
                urls,
                lambda db: offering.offer_item(
                    db,
                    scope=scope,
                    item=options.item,
                    title=options.title,
                    title_en=options.title_en,
                    detail=options.detail,
                    detail_en=options.detail_en,
                    unit=options.unit,
                    price=options.price,
                    valid_days=options.days,
                    stock=options.stock,
                    now=at,
                ),
            )
        except NotFoundError:
            raise no_book(scope) from None
        except ValueError as error:
            raise CommandError(code="offer.malformed", sentence=f"{error}.") from None
    print(f"offered as number {number}")
    return 0
