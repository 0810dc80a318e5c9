"""What a county runs every day for its grants, and what an operator asks about one."""

import argparse

from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.county import no_book, scope_of
from timebank.cli.database import database, run
from timebank.domain.region import county_of
from timebank.services import expiring, offering, reconsidering
from timebank.services.errors import NotFoundError
from timebank.settings import Settings


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
        except NotFoundError:
            raise no_book(scope) from None
    print(f"{ended:,} grants expired")
    print(
        f"{again.unaffected:,} stand after a reversal, {again.questioned:,} questioned, "
        f"{again.cleared:,} cleared, {again.taken_back:,} taken back"
    )
    return 0


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
