"""Which county a command is about."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.cli.command import CommandError
from timebank.domain import region as regions
from timebank.domain.scope import Scope


def scope_of(region: str) -> Scope:
    """Return what a division code given by the operator covers; refuses one that is malformed."""
    try:
        return Scope(regions.parse_code(region))
    except ValueError:
        raise CommandError(
            code="region.malformed",
            sentence=f"{region!r} is no division code; Haiyan's is 330424.",
        ) from None


def no_book(scope: Scope) -> CommandError:
    """Say that no book is open there."""
    return CommandError(
        code="region.not_found",
        sentence=f"No book is open for {scope.region}; `timebank demo` opens Haiyan's.",
    )


async def books_of(conn: AsyncConnection, chosen: int | None) -> list[int]:
    """Return the chosen book, or all of them; refuses one that is not there."""
    books = list(await conn.scalars(text("select id from book order by id")))
    if chosen is None:
        return books
    if chosen not in books:
        raise CommandError(code="book.not_found", sentence=f"There is no book {chosen}.")
    return [chosen]
