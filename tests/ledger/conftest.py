from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import make_url
from tests.ledger.book import OpenBook, open_book

from timebank.db import Database


@pytest.fixture
async def book(db: Database) -> OpenBook:
    return await open_book(db)


@pytest.fixture
async def as_owner(database_url: str) -> AsyncIterator[Database]:
    """A way in with the privileges that the application lacks, for tampering."""
    user = make_url(database_url).username
    assert user is not None
    database = Database(database_url, role=user, pool_size=1)
    yield database
    await database.close()
