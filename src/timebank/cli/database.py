"""Reaching the database of the settings."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from timebank import migrations, postgres
from timebank.app import APP_ROLE
from timebank.cli.command import CommandError
from timebank.db import Database
from timebank.settings import Settings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Urls:
    """How to reach the database: as the owner of the tables, and as the application."""

    owner: str
    app: str


@contextmanager
def database(settings: Settings, *, is_schema_checked: bool = True) -> Iterator[Urls]:
    """Reach the database of the settings, starting the embedded one where none is named.

    The embedded one is brought to the newest schema; another must be there already.
    """
    if settings.database_url is not None:
        owner = settings.owner_database_url or settings.database_url
        revision = asyncio.run(_find_revision(owner))
        if is_schema_checked:
            _require_newest(revision)
        yield Urls(owner=owner, app=settings.database_url)
        return
    with postgres.running(
        settings.data, binaries=settings.postgres_binaries, user=settings.postgres_user
    ) as server:
        if is_schema_checked:
            migrations.upgrade(server.owner_url)
        yield Urls(owner=server.owner_url, app=server.app_url)


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


def run(urls: Urls, use: Callable[[Database], Coroutine[Any, Any, _T]]) -> _T:
    """Hand the application's way in to a use of it, and return what that returns."""

    async def use_and_close() -> _T:
        db = Database(urls.app, role=APP_ROLE)
        try:
            return await use(db)
        finally:
            await db.close()

    return asyncio.run(use_and_close())
