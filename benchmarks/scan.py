"""Scans over HTTP, each answered after its durable commit, against one-row inserts by pgbench.

Ours: `timebank serve`, POST /api/checkins with a sign-in cookie and a signed receipt: sign-in
look-up, proof, decision, attendance and, for half of them, the ledger entry with account states and
roll-ups. Every scan is another stay; half arrive, half leave. Volunteers come in turn, so that
140,000 of them have their sign-in looked up in the database, 10,000 mostly in memory.

Theirs: `pgbench -M prepared`, one row per commit into a table with the journal's columns and
indexes, on the same server with as many clients; no checks, no states, no HTTP.

The two take turns. Afterwards the database is asked for every acknowledged scan.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import county
from county import BOOK, OPENED, VILLAGE, VOLUNTEERS, County

from timebank import postgres
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan, make_receipt
from timebank.http import clock
from timebank.settings import read_master_key, read_settings

HERE = Path(__file__).parent
ACTIVITIES = 200
STAYS_PER_SHIFT = 500

RIVAL = """
    create sequence rival_seq;
    create table rival (like transfer including defaults including indexes);
"""


@dataclass(slots=True)
class Door:
    """Where the volunteers come in and go out.

    Attributes:
        volunteers: They come in turn: nobody comes again before everybody else has.
        stays: How many were laid ready; every second one had begun by then.
        acknowledged: How many scans were answered with 200.
        cut_off_max: How many may have been recorded without an answer, when a run ended.
    """

    conn: asyncpg.Connection
    master_key: bytes
    folder: Path
    volunteers: int
    shifts: int = 0
    stays: int = 0
    acknowledged: int = 0
    cut_off_max: int = 0

    async def lay_ready(self, shifts: int) -> Path:
        """Make shifts full of stays, and a file with a scan of each.

        It is another day: nobody is in two shifts at once. What was laid ready before is moved a
        week back, so that a turn meets the same county whatever the turns before it used up.
        """
        if shifts * STAYS_PER_SHIFT > self.volunteers:
            raise SystemExit("more scans than volunteers: a lower --rate-max, or shorter turns")
        # Scans of the last turn that nobody waited for may still be written.
        await asyncio.sleep(0.5)
        now = clock.now()
        await self.conn.execute(
            """
            update attendance
            set arrived_at = arrived_at - interval '7 days', left_at = left_at - interval '7 days'
            where arrived_at > $1
            """,
            now - timedelta(days=2),
        )
        await self.conn.execute("vacuum attendance")
        first_shift, first_stay = self.shifts + 1, self.stays
        self.shifts += shifts
        self.stays += shifts * STAYS_PER_SHIFT
        await self.conn.execute(
            """
            insert into shift (book_id, id, activity_id, starts_at, ends_at, places)
            select $1, n, 1 + n % $4, $5, $6, $7 from generate_series($2::bigint, $3) n
            """,
            BOOK,
            first_shift,
            self.shifts,
            ACTIVITIES,
            now - timedelta(hours=3),
            now + timedelta(hours=1),
            STAYS_PER_SHIFT,
        )
        for columns, values, condition, at in (
            ("signed_up_at", "$6::timestamptz", "true", OPENED),
            (
                "arrived_at, arrival_measured",
                "$6::timestamptz, true",
                "n % 2 = 1",
                now - timedelta(hours=2),
            ),
        ):
            table = "signup" if at is OPENED else "attendance"
            await self.conn.execute(
                f"""
                insert into {table} (book_id, volunteer_id, shift_book, shift_id, {columns})
                select $1, 1 + n % $2, $1, 1 + n / $3, {values}
                from generate_series($4::bigint, $5) n where {condition}
                """,
                BOOK,
                self.volunteers,
                STAYS_PER_SHIFT,
                first_stay,
                self.stays - 1,
                at,
            )
        assert first_stay // STAYS_PER_SHIFT + 1 == first_shift
        file = self.folder / "scans"
        with file.open("w", encoding="ascii") as stream:
            for n in range(first_stay, self.stays):
                direction = Direction.LEAVE if n % 2 else Direction.ARRIVE
                read = Scan(BOOK, 1 + n // STAYS_PER_SHIFT, direction, now)
                receipt = make_receipt(read, master_key=self.master_key, nonce=n.to_bytes(8, "big"))
                stream.write(f"{token_of(1 + n % self.volunteers)} {receipt}\n")
        return file

    async def holds_what_was_acknowledged(self) -> bool:
        """Ask the database for every acknowledged scan: each there once and whole."""
        arrivals, departures = await self.conn.fetchrow(
            "select count(*) - $2, count(left_at) from attendance where book_id = $1",
            BOOK,
            self.stays // 2,
        )
        entries, stays = await self.conn.fetchrow(
            "select count(*), count(distinct (volunteer, shift)) from transfer where book_id = $1",
            BOOK,
        )
        recorded = arrivals + departures
        is_whole = (
            self.acknowledged <= recorded <= self.acknowledged + self.cut_off_max
            and departures == entries == stays
        )
        print(
            f"acknowledged {self.acknowledged:,}, recorded {recorded:,} (up to {self.cut_off_max:,}"
            f" were cut off), of them departures {departures:,}, entries {entries:,} for as many"
            f" stays: {'each is there once' if is_whole else 'WRONG'}"
        )
        return is_whole


@dataclass(slots=True)
class Figures:
    """What was seen of one side with one number of clients.

    Attributes:
        rates: Per second.
        p50s: Milliseconds, as `p99s`.
        costs: Microseconds of processor time for each scan or insert, the load's with it.
    """

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(self.rates)


def token_of(volunteer: int) -> str:
    """Return the sign-in token of a volunteer, as long as real ones."""
    digest = hashlib.sha256(b"benchmark %d" % volunteer).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def open_door(found: County, *, master_key: bytes, volunteers: int) -> Door:
    """Fill the county with volunteers who are signed in, and with activities."""
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=volunteers)
    now = clock.now()
    await conn.copy_records_to_table(
        "sign_in",
        columns=("token_hash", "person_id", "signed_in_at", "expires_at"),
        records=[
            (hashlib.sha256(token_of(number).encode()).digest(), person, now, now + timedelta(30))
            for number, person in await conn.fetch("select id, person_id from volunteer")
        ],
    )
    await conn.execute(
        """
        insert into organization (book_id, id, name, kind, region, opened_at)
        values ($1, 1, '示例志愿服务队', 'team', $2, $3)
        """,
        BOOK,
        VILLAGE,
        OPENED,
    )
    await conn.execute(
        """
        insert into activity (book_id, id, organization_id, title, field, content, address, region,
            in_charge, created_at, is_listed)
        select $1, n, 1, '敬老服务', 2, '陪老人聊天', '镇社工站', $2, '值班社工', $3, true
        from generate_series(1, $4::bigint) n
        """,
        BOOK,
        VILLAGE,
        OPENED,
        ACTIVITIES,
    )
    await conn.execute(RIVAL)
    door = Door(conn, master_key, found.folder, volunteers)
    await door.lay_ready(40)
    await found.settle()
    return door


@contextmanager
def serving(environment: dict[str, str], *, workers: int) -> Iterator[int]:
    """Keep the product serving on a free port, which is yielded, while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "timebank.cli", "serve", "--port", str(port)]
    server = subprocess.Popen([*command, "--workers", str(workers)], env=environment)
    try:
        ready_by = time.monotonic() + 180
        while not is_open(port):
            if server.poll() is not None or time.monotonic() > ready_by:
                raise SystemExit("the product does not answer")
            time.sleep(0.1)
        # One of several processes listens before the others are ready.
        time.sleep(1 + workers)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def scan(
    door: Door,
    figures: Figures,
    *,
    port: int,
    clients: int,
    seconds: int,
    rate_max: int,
    rate: float | None = None,
) -> None:
    """Let clients scan for a while, as fast as they are answered or so many a second."""
    per_second = min(rate_max, 3_000 * clients)
    file = await door.lay_ready(1 + per_second * seconds // STAYS_PER_SHIFT)
    if (wrk := shutil.which("wrk")) and rate is None:
        command = [wrk, "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
        command += ["-s", str(HERE / "scan.lua"), f"http://127.0.0.1:{port}/", "--", str(file)]
    else:
        command = [sys.executable, str(HERE / "phones.py")]
        command += [str(port), str(clients), str(seconds), str(file)]
        command += [] if rate is None else [str(rate)]
    before = county.processor_seconds()
    seen: dict[str, Any] = json.loads((await output_of(command)).strip().splitlines()[-1])
    figures.costs.append(1e6 * (county.processor_seconds() - before) / seen["answers"])
    if seen["refused"] or seen["failed"]:
        raise SystemExit(f"not every scan was answered with 200; a higher --rate-max? {seen}")
    door.acknowledged += seen["answers"]
    door.cut_off_max += clients
    figures.rates.append(seen["answers"] / seen["seconds"])
    figures.p50s.append(seen["p50_ms"])
    figures.p99s.append(seen["p99_ms"])


async def insert(server: postgres.Server, figures: Figures, *, clients: int, seconds: int) -> None:
    """Let pgbench insert for a while."""
    command = [str(server.binaries / "pgbench"), "-n", "-M", "prepared"]
    command += ["-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1))]
    command += ["-f", str(HERE / "insert.sql"), "-h", str(server.socket_dir), "-p"]
    command += [str(server.port), "-U", postgres.OWNER, postgres.DATABASE]
    start = county.processor_seconds()
    await output_of([*command, "-t", "1"])
    connected = county.processor_seconds()
    # The time that it is given includes connecting, its rate does not.
    text = await output_of([*command, "-T", str(seconds + clients // 100)])
    end = county.processor_seconds()
    rate = re.search(r"tps = ([\d.]+)", text)
    count = re.search(r"transactions actually processed: (\d+)", text)
    if rate is None or count is None or "failed transactions: 0 " not in text:
        raise SystemExit(f"pgbench: {text}")
    figures.rates.append(float(rate[1]))
    figures.costs.append(1e6 * (end - connected - (connected - start)) / int(count[1]))


async def output_of(command: Sequence[str]) -> str:
    """Run a program to its end and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed: {errors.decode()}{output.decode()}")
    return output.decode()


async def measure(options: argparse.Namespace, found: County) -> bool:
    """Take turns, print the table and the ratios; tell whether nothing was lost."""
    environment = {
        **os.environ,
        "TIMEBANK_DATA": str(found.folder),
        "TIMEBANK_DATABASE_URL": found.server.app_url,
        "TIMEBANK_OWNER_DATABASE_URL": found.server.owner_url,
        "TIMEBANK_MASTER_KEY_FILE": "",
    }
    master_key = read_master_key(read_settings(environment, is_root=False))
    door = await open_door(found, master_key=master_key, volunteers=options.volunteers)
    await county.print_conditions(found, "uvicorn", "uvloop", "httptools", "asyncpg", "sqlalchemy")
    if shutil.which("wrk"):
        print("load: wrk, one thread")
    else:
        print("MISSING: wrk. The load comes from Python, which takes much of the machine away")
        print(
            "from the product and makes every ratio worse than it is. On Debian: apt-get install wrk"
        )
    print(
        f"{options.volunteers:,} volunteers signed in, rounds of {options.seconds} s: {options.rounds}",
        flush=True,
    )

    ours = {(w, c): Figures() for w in options.workers for c in options.clients}
    theirs = {c: Figures() for c in options.clients}
    limits: dict[str, int] = {"seconds": options.seconds, "rate_max": options.rate_max}
    with ExitStack() as stack:
        ports = {w: stack.enter_context(serving(environment, workers=w)) for w in options.workers}
        for port in ports.values():
            await scan(door, Figures(), port=port, clients=32, **limits)
        for _ in range(options.rounds):
            for clients in options.clients:
                for workers, port in ports.items():
                    await scan(door, ours[workers, clients], port=port, clients=clients, **limits)
                await insert(
                    found.server, theirs[clients], clients=clients, seconds=options.seconds
                )
        highest = max(ours, key=lambda each: ours[each].rate)
        half, at_half = ours[highest].rate / 2, Figures()
        for _ in range(options.rounds):
            port, clients = ports[highest[0]], highest[1]
            await scan(door, at_half, port=port, clients=clients, rate=half, **limits)

    print(
        "\nclients  side                   per second    p50 ms    p99 ms  processor µs  low–high"
    )
    for clients in options.clients:
        sides = [(f"timebank, {w} worker{'s'[: w > 1]}", ours[w, clients]) for w in options.workers]
        for name, seen in [*sides, ("pgbench", theirs[clients])]:
            times = (
                f"{median(each):9.2f}" if each else f"{'–':>9}" for each in (seen.p50s, seen.p99s)
            )
            print(
                f"{clients:7}  {name:<20} {seen.rate:12,.0f} {' '.join(times)}"
                f" {median(seen.costs):13.0f}  {min(seen.rates):,.0f}–{max(seen.rates):,.0f}"
            )
    print()
    print(
        f"at half of the highest rate, {half:,.0f} a second whether answered or not: answered"
        f" {at_half.rate:,.0f}, p50 {median(at_half.p50s):.1f} ms, p99 {median(at_half.p99s):.1f} ms"
        f" ({min(at_half.p99s):.1f}–{max(at_half.p99s):.1f})"
    )
    is_whole = await door.holds_what_was_acknowledged()
    await door.conn.close()
    is_sound = await county.audited(found)

    best = {
        c: max((ours[w, c] for w in options.workers), key=lambda each: each.rate)
        for c in options.clients
    }
    for clients in options.clients:
        county.ratio(f"scan_{clients}", ours=best[clients].rates, theirs=theirs[clients].rates)
    county.ratio(
        "scan",
        ours=max(best.values(), key=lambda each: each.rate).rates,
        theirs=max(theirs.values(), key=lambda each: each.rate).rates,
    )
    return is_whole and is_sound


def numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="length of one turn")
    parser.add_argument("--clients", type=numbers, default=[32, 512])
    parser.add_argument("--workers", type=numbers, default=[1, 2], help="server processes")
    parser.add_argument("--volunteers", type=int, default=VOLUNTEERS)
    parser.add_argument("--rate-max", type=int, default=30_000, help="scans laid ready per second")
    options = parser.parse_args()
    # Each worker's pool may be full while pgbench starts.
    with county.opened(connections=max(options.clients) + 60) as found:
        return 0 if asyncio.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
