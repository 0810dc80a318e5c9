"""The schema's history, applied in order by `timebank migrate` as the database's owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def config_of(url: str) -> Config:
    """Return alembic's configuration for a database, owner's URL with driver."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Bring a database to the newest schema. Not from inside a running event loop."""
    command.upgrade(config_of(url), "head")


def newest_revision() -> str:
    """Return the revision that this release needs."""
    head = ScriptDirectory(str(Path(__file__).parent)).get_current_head()
    if head is None:
        raise AssertionError("there are no migrations")
    return head


async def find_revision(url: str) -> str | None:
    """Return the revision that a database is at, or None before its first migration."""
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as conn:
            if await conn.scalar(text("select to_regclass('alembic_version')")) is None:
                return None
            revision: str | None = await conn.scalar(
                text("select version_num from alembic_version")
            )
            return revision
    finally:
        await engine.dispose()
