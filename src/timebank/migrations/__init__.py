"""The schema's history, applied in order by `timebank migrate` as the database's owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


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
