"""The county that is measured: a server of its own in a folder of its own, and people who serve.

Every benchmark opens one, fills it and throws it away. The server is the one that the product
ships, with the product's settings; only the number of connections may differ, because rivals need
one for each client.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import asyncpg
from sqlalchemy.engine import make_url

from timebank import migrations, postgres
from timebank.db import Database
from timebank.ledger import audit
from timebank.services import demo_year, founding
from timebank.services.demo_year import DemoYear, YearPlan
from timebank.store import regions

BOOK = 330424
VILLAGE = 330424101001
OPENED = datetime(2024, 1, 1, tzinfo=UTC)
YEAR = 2024
VOLUNTEERS = 140_000
ACTIVE = 72_000
SERVICES = 3_700_000
MINUTES = 683_400_000
"""Of the reference county in 2024: registered, active, services of about three hours."""


@dataclass(frozen=True, slots=True)
class County:
    """A migrated, founded county on a running server.

    Attributes:
        folder: Where everything of it is.
    """

    server: postgres.Server
    folder: Path

    async def connect(
        self, user: str = postgres.OWNER, database: str = postgres.DATABASE
    ) -> asyncpg.Connection:
        """Sign in to the county's database, as the owner of its tables."""
        url = make_url(self.server.url(user=user, database=database))
        return await asyncpg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False)
        )

    async def keep(self) -> None:
        """Remember the county as it is; nobody may be signed in."""
        await self._copy(postgres.DATABASE, "kept")

    async def restore(self) -> None:
        """Make the county again what it was when it was kept; nobody may be signed in."""
        await self._copy("kept", postgres.DATABASE)

    async def _copy(self, source: str, target: str) -> None:
        conn = await self.connect(postgres.SUPERUSER, "postgres")
        await conn.execute(f"drop database if exists {target}")
        await conn.execute(f"create database {target} template {source} owner {postgres.OWNER}")
        await conn.close()

    async def settle(self) -> None:
        """Bring the planner's knowledge and the disk up to date, as they are on a quiet day."""
        conn = await self.connect(postgres.SUPERUSER)
        await conn.execute("vacuum analyze")
        await conn.execute("checkpoint")
        await conn.close()

    def database(self) -> Database:
        """Return the product's own way in, with the application's privileges."""
        return Database(self.server.app_url, role=postgres.APP)


@contextmanager
def opened(*, connections: int = 50) -> Iterator[County]:
    """Keep an empty county on a server of its own while the block runs."""
    with (
        temporary_folder() as folder,
        opened_at(folder, {"max_connections": str(connections)}) as county,
    ):
        yield county


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Keep a folder that a server may live in while the block runs; then it is thrown away."""
    with tempfile.TemporaryDirectory(prefix="timebank-benchmark-") as name:
        folder = Path(name)
        # The server does not run as root; it has to pass through.
        folder.chmod(0o755)
        yield folder


@contextmanager
def opened_at(folder: Path, parameters: Mapping[str, str] | None = None) -> Iterator[County]:
    """Keep the county of a folder, made where there is none, while the block runs."""
    with postgres.running(folder / "data", parameters=parameters) as server:
        migrations.upgrade(server.owner_url)
        yield County(server, folder)


async def found(county: County) -> None:
    """Load the divisions and populations that ship with the product and open the book."""
    db = county.database()
    await founding.found_county(db, book=BOOK, now=OPENED)
    await db.close()


def reference_of(volunteer: int) -> str:
    """Return the number of a volunteer in a district's files."""
    return f"HY{volunteer:07}"


async def enrol(conn: asyncpg.Connection, *, count: int) -> None:
    """Register volunteers 1 to `count`, each with an account for minutes and a home."""
    first_account: int = await conn.fetchval(
        "update book set accounts = accounts + $2 where id = $1 returning accounts - $2 + 1",
        BOOK,
        count,
    )
    for statement in (
        """
        insert into account
            (book_id, id, unit, kind, owner, is_debit_bounded, is_credit_bounded, opened_at)
        select $1, $2 + n - 1, 1, 2, n, false, false, $4 from generate_series(1, $3::bigint) n
        """,
        """
        insert into volunteer (book_id, id, person_id, reference, minutes_account, enrolled_at)
        select $1, n, gen_random_uuid(), 'HY' || lpad(n::text, 7, '0'), $2 + n - 1, $4
        from generate_series(1, $3::bigint) n
        """,
    ):
        await conn.execute(statement, BOOK, first_account, count, OPENED)
    await conn.execute(
        """
        insert into residence (book_id, volunteer_id, from_on, region)
        select $1, n, date '2024-01-01', villages[1 + n % cardinality(villages)]
        from generate_series(1, $2::bigint) n, (
            select array_agg(code order by code) as villages from region
            where level = 'village' and code / 1000000 = $1
        ) county
        """,
        BOOK,
        count,
    )
    await conn.execute("insert into numbering values ($1, 'volunteer', $2)", BOOK, count)


async def plan_year(county: County, *, services: int) -> DemoYear:
    """Draw a year like that of the reference county, with as many services a volunteer."""
    db = county.database()
    async with db.read() as conn:
        below = await regions.list_subtree(conn, code=BOOK * 1_000_000)
    await db.close()
    places = demo_year.plan_county(below)
    plan = YearPlan(
        first_on=date(YEAR, 1, 1),
        last_on=date(YEAR, 12, 31),
        active=max(1, ACTIVE * services // SERVICES),
        services=services,
        minutes=MINUTES * services // SERVICES,
        fixed_services=0,
    )
    homes = demo_year.draw_homes(places, dict.fromkeys(places.villages, 1), count=VOLUNTEERS)
    references = [reference_of(number) for number in range(1, VOLUNTEERS + 1)]
    return DemoYear(places, plan, homes=homes, references=references)


async def audited(county: County) -> bool:
    """Prove the ledger's caches and invariants, and say which rules hold."""
    db = county.database()
    is_sound = True
    async with db.read() as conn:
        for rule in audit.RULES:
            finding = await audit.find_broken(conn, book=BOOK, rule=rule)
            if finding is not None:
                is_sound = False
                print(f"BROKEN {rule}: {finding.count} rows, such as {finding.examples}")
    await db.close()
    print(f"audit: {len(audit.RULES)} rules {'hold' if is_sound else 'DO NOT all hold'}")
    return is_sound


async def print_conditions(county: County, *packages: str) -> None:
    """Say what was measured on what."""
    conn = await county.connect()
    settings = {
        name: await conn.fetchval(f"show {name}")
        for name in ("fsync", "synchronous_commit", "shared_buffers", "max_connections")
    }
    await conn.close()
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    versions = ", ".join(f"{each} {version(each)}" for each in ("timebank", *packages))
    print(f"{os.cpu_count()} cores ({_processor()}), load average {load} before the start")
    print(f"{platform.python_implementation()} {platform.python_version()}, {versions}")
    print(
        f"PostgreSQL {county.server.version}, "
        + ", ".join(f"{name} {value}" for name, value in settings.items()),
        flush=True,
    )


def processor_seconds() -> float:
    """Return the processor time of everything that this process started, the server included.

    Ratios of it are steadier than of rates where others use the machine too. 0 without /proc.
    """
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(stat.parent.name)
        parents[number] = int(fields[1])
        # Own time, and that of ended children; our own load is not ours to count.
        times = fields[13:15] if number == os.getpid() else fields[11:15]
        seconds[number] = sum(map(int, times)) / tick

    def is_ours(number: int) -> bool:
        while number not in (0, os.getpid()):
            number = parents.get(number, 0)
        return number != 0

    return sum(each for number, each in seconds.items() if is_ours(number))


def ratio(name: str, *, ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return our median over the rival's, and print it as the line that scripts read."""
    value = median(ours) / median(theirs)
    print(f"ratio {name} {value:.2f}", flush=True)
    return value


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((each.partition(": ")[2] for each in lines if "model name" in each), sys.platform)
