"""Whatever is killed, and whenever: what was acknowledged is there once, and nothing else is broken.

Every round lets two processes write to three books, kills one of them, both, or every process of
PostgreSQL with SIGKILL at a random moment, starts again and looks. TIMEBANK_CRASH_ROUNDS says how
often; a nightly run does 50.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.factories import NINE
from tests.ledger.book import open_book
from tests.ledger.test_log import LOG_KEY

from timebank import migrations, postgres
from timebank.db import Database
from timebank.ledger import audit
from timebank.services.sealing import sign_checkpoint

ROUNDS = int(os.environ.get("TIMEBANK_CRASH_ROUNDS", "5"))
BOOKS = (330402, 330421, 330424)
ROOT = Path(__file__).parents[2]
WAYS = ("a writer", "both writers", "the database", "everything")


def processes_of(folder: Path) -> list[int]:
    """Every process that works in a folder: the postmaster and all it started."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                if (each / "cwd").readlink() == folder:
                    found.append(int(each.name))
            except OSError:
                continue
    return found


@contextmanager
def writers(
    url: str, folder: Path, names: Sequence[str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Writing processes, each with a file of what it was told; killed at the end."""
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.ledger.crash_writer", url, name, name),
                str(folder / f"{name}.told"),
                *map(str, BOOKS),
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    try:
        yield started
    finally:
        for each in started:
            each.kill()
            _, complaint = each.communicate()
            assert complaint == b"", complaint.decode()


def told(folder: Path) -> dict[tuple[int, str], set[int]]:
    """What was acknowledged in all rounds: the entries of each deed, by book and key."""
    found: dict[tuple[int, str], set[int]] = {}
    for path in folder.glob("*.told"):
        for line in path.read_text().splitlines(keepends=True):
            # A process that is killed while it writes leaves a line without an end.
            if line.endswith("\n"):
                book, key, seq = line.split()
                found.setdefault((int(book), key), set()).add(int(seq))
    return found


async def look(url: str, acknowledged: dict[tuple[int, str], set[int]]) -> int:
    """Hold the books to what was acknowledged and to the audit; return how many entries there are."""
    driver = await asyncpg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    rows = await driver.fetch("select book_id, key, seq from transfer order by book_id, seq")
    heads = dict(await driver.fetch("select id, seq from book"))
    await driver.close()

    entries: dict[tuple[int, str], list[int]] = {}
    for book, key, seq in rows:
        entries.setdefault((book, str(key)), []).append(seq)
    lost = {deed: seqs for deed, seqs in acknowledged.items() if entries.get(deed) != list(seqs)}
    assert lost == {}
    for book in BOOKS:
        assert [seq for number, _, seq in rows if number == book] == list(range(1, heads[book] + 1))
    database = Database(url, role="timebank_app", pool_size=1)
    try:
        async with database.read() as conn:
            await conn.execute(text("select 1"))
            broken = [
                await audit.find_broken(conn, book=book, rule=rule)
                for book in BOOKS
                for rule in audit.RULES
            ]
        # Refused unless the log grew out of what was signed after the round before.
        signed = [
            await sign_checkpoint(database, key=LOG_KEY, book=book, now=NINE) for book in BOOKS
        ]
    finally:
        await database.close()
    assert [each for each in broken if each is not None] == []
    assert [each.size for each in signed if each] == [
        heads[book] for book, each in zip(BOOKS, signed, strict=True) if each
    ]
    return len(rows)


async def found_books(url: str) -> None:
    database = Database(url, role="timebank_app", pool_size=1)
    for book in BOOKS:
        await open_book(database, book=book)
    await database.close()


def kill(way: str, cluster: Path, running: Sequence[subprocess.Popen[bytes]]) -> None:
    if way in ("a writer", "both writers", "everything"):
        for each in running[: 1 if way == "a writer" else None]:
            each.kill()
    if way in ("the database", "everything"):
        victims = processes_of(cluster)
        assert len(victims) > 3, "the postmaster and its children"
        for pid in victims:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can enter."""
    with tempfile.TemporaryDirectory(prefix="timebank-crash-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_what_was_acknowledged_survives_any_kill(folder: Path) -> None:
    """Worth its seconds: nothing else shows that an answer was given after the commit only."""
    chance = random.Random(os.environ.get("TIMEBANK_CRASH_SEED", "crash"))
    data = folder / "data"
    with postgres.running(data) as server:
        migrations.upgrade(server.owner_url)
        asyncio.run(found_books(server.url(user=postgres.SUPERUSER, database=postgres.DATABASE)))

    entries, deeds, ways = 0, 0, []
    for turn in range(ROUNDS):
        # The first rounds try each way, so that a short run leaves none out.
        way = WAYS[turn] if turn < len(WAYS) else chance.choice(WAYS)
        ways.append(way)
        names = [f"{turn}a", f"{turn}b"]
        with postgres.running(data) as server:
            url = server.url(user=postgres.SUPERUSER, database=postgres.DATABASE)
            with writers(url, folder, names) as running:
                wait_for(folder, names)
                time.sleep(chance.uniform(0.0, 0.8))
                kill(way, data / "postgres" / "cluster", running)
                if way == "a writer":
                    # The other one goes on beside what the dead one left open.
                    time.sleep(0.3)
        with postgres.running(data) as server:
            url = server.url(user=postgres.SUPERUSER, database=postgres.DATABASE)
            acknowledged = told(folder)
            found = asyncio.run(look(url, acknowledged))
        assert found > entries
        assert len(acknowledged) > deeds
        entries, deeds = found, len(acknowledged)
    # Shown with `-s`, and where the test fails.
    sys.stdout.write(f"\n{ROUNDS} rounds, {deeds} acknowledged, {entries} entries: {ways}\n")


def wait_for(folder: Path, names: Sequence[str]) -> None:
    """Wait until every writer was told of something, so that kills meet a load."""
    until = time.monotonic() + 60
    while not all(
        (folder / f"{name}.told").exists() and (folder / f"{name}.told").stat().st_size
        for name in names
    ):
        assert time.monotonic() < until, "no writer got through"
        time.sleep(0.02)


def test_the_judge_sees_what_is_lost(folder: Path) -> None:
    """An acknowledged entry that is not there, or there under another number, is found."""
    with postgres.running(folder / "data") as server:
        url = server.url(user=postgres.SUPERUSER, database=postgres.DATABASE)
        migrations.upgrade(server.owner_url)
        asyncio.run(found_books(url))
        assert asyncio.run(look(url, {})) == 0
        with pytest.raises(AssertionError):
            asyncio.run(look(url, {(BOOKS[0], "00000000-0000-0000-0000-000000000001"): {1}}))
