"""A district's history, imported from its CSV, against plain COPY of the very same entries.

Ours: `import_services`: reads and checks every cell, finds or makes volunteers' accounts,
organizations and activities, and posts in batches of 8,000 with account states and roll-ups, each
batch in a durable commit.

Theirs: `COPY ... FROM STDIN` of the entries that ours made, as text that needs no checking, in one
commit, into a table with the journal's columns and indexes on the same server.

The two take turns; before each turn the county is as empty as before the first.
"""

import argparse
import asyncio
import csv
import sys
import time
from pathlib import Path
from statistics import median

import asyncpg
import county
from county import BOOK, SERVICES, VOLUNTEERS, County

from timebank.http import clock
from timebank.services import demo_year, importing


async def write_file(found: County, *, rows: int) -> Path:
    """Write a district's file of services."""
    year = await county.plan_year(found, services=rows)
    file = found.folder / "services.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(column.value for column in demo_year.HEADER.columns)
        writer.writerows(cells for _, cells, _ in year.lines())
    return file


async def import_file(found: County, file: Path, *, rows: int) -> float:
    """Import the file; return rows per second."""
    db = found.database()
    started = time.perf_counter()
    result = await importing.import_services(
        db, book=BOOK, path=file, now=clock.now(), is_evidence_trusted=True
    )
    took = time.perf_counter() - started
    await db.close()
    if result.rows_posted != rows:
        raise SystemExit(f"not every row was posted: {result}")
    return rows / took


async def copy(conn: asyncpg.Connection, entries: Path, *, rows: int) -> float:
    """Copy the entries; return rows per second."""
    started = time.perf_counter()
    status = await conn.copy_to_table("rival", source=entries, format="text")
    took = time.perf_counter() - started
    if status != f"COPY {rows}":
        raise SystemExit(f"not every row was copied: {status}")
    return rows / took


async def measure(options: argparse.Namespace, found: County) -> bool:
    """Take turns and print the ratio; tell whether the books are in order."""
    rows = options.rows
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=VOLUNTEERS)
    await conn.execute("create table rival (like transfer including defaults including indexes)")
    await conn.close()
    await found.keep()
    file = await write_file(found, rows=rows)
    entries = found.folder / "entries"
    await county.print_conditions(found, "asyncpg", "sqlalchemy", "numpy")
    print(
        f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB; rounds: {options.rounds}", flush=True
    )

    ours: list[float] = []
    theirs: list[float] = []
    is_sound = True
    for turn in range(options.rounds):
        await found.restore()
        await found.settle()
        ours.append(await import_file(found, file, rows=rows))
        conn = await found.connect()
        if turn == 0:
            await conn.copy_from_table("transfer", output=entries, format="text")
            is_sound = await county.audited(found)
        theirs.append(await copy(conn, entries, rows=rows))
        await conn.close()
        print(f"import {ours[-1]:,.0f} rows a second, COPY {theirs[-1]:,.0f}", flush=True)
    print(f"medians: import {median(ours):,.0f} rows a second, COPY {median(theirs):,.0f}")
    county.ratio("import", ours=ours, theirs=theirs)
    return is_sound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--rows", type=int, default=400_000, help=f"the whole year has {SERVICES:,}"
    )
    options = parser.parse_args()
    with county.opened() as found:
        return 0 if asyncio.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
