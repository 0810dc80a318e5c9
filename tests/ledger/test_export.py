"""Other programs read our books, agree with them, and refuse one in which a minute was changed."""

import csv
import io
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import duckdb
import pytest
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, key, spend

from timebank.domain.posting import reversal_of
from timebank.domain.transfer import AccountKind, Unit
from timebank.ledger import accounts, journal
from timebank.ledger.export import Writer, export_book
from timebank.ledger.export_formats import (
    BeancountWriter,
    CsvWriter,
    HledgerWriter,
    LibraryMissingError,
    ParquetWriter,
)

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that proves a file, and how the export is written for it."""

    writer: Callable[[BinaryIO], Writer]
    command: tuple[str, ...]

    def proves(self, path: Path) -> bool:
        found = subprocess.run(
            [*self.command, str(path)],
            capture_output=True,
            text=True,
            env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        return found.returncode == 0


TOOLS = [
    pytest.param(
        Tool(HledgerWriter, ("hledger", "check", "--strict", "-f")),
        marks=pytest.mark.needs_hledger,
        id="hledger",
    ),
    pytest.param(Tool(BeancountWriter, (str(BEAN_CHECK), "-C")), id="beancount"),
]


@pytest.fixture
async def full(book: OpenBook) -> OpenBook:
    """Every kind of account, unit and entry, over two years and with a day that differs by zone."""
    async with book.db.write() as conn:
        unit = (await accounts.register_units(conn, codes=["honour:cn.stars:3"]))[
            "honour:cn.stars:3"
        ]
        head = await journal.find_locked_head(conn, book=book.id)
        assert head is not None
        issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=NINE)
        (honour,) = await accounts.open_accounts(
            conn, head=head, unit=unit, kind=AccountKind.VOLUNTEER, owners=[1], now=NINE
        )
        (owed,) = await accounts.open_accounts(
            conn,
            head=head,
            unit=Unit.CREDITS,
            kind=AccountKind.RECEIVABLE,
            owners=[1],
            now=NINE,
            is_credit_bounded=True,
        )
    midnight = NINE.replace(month=2, day=29, hour=16)
    await book.post_list(
        [
            book.service(n, n % 90 + 1, volunteer=n % 2 + 1, at=NINE + timedelta(days=n % 400))
            for n in range(2_100)
        ]
        + [book.service("zone", 7, at=midnight)]
    )
    await book.post(
        spend("honour", issuing, honour, 1, unit),
        spend("given", book.credits_issuing, book.purse, 100),
        spend("spent", book.purse, book.credits_issuing, 30),
        spend("owed", owed, book.purse, 5),
    )
    for seq in (1, 700):
        await book.post(reversal_of(await book.entry(seq), key=key(("back", seq))))
    return book


async def export(book: OpenBook, make: Callable[[BinaryIO], Writer]) -> bytes:
    output = io.BytesIO()
    seen: list[tuple[int, int]] = []
    async with book.db.read() as conn:
        seq = await export_book(
            conn,
            book=book.id,
            writer=make(output),
            progress=lambda done, whole: seen.append((done, whole)),
        )
    assert seq is not None
    assert (seen[-1] if seen else (seq, seq)) == (seq, seq)
    return output.getvalue()


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_second_opinion_agrees(full: OpenBook, tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(await export(full, tool.writer))

    assert tool.proves(path)


@pytest.mark.parametrize("tool", TOOLS)
async def test_an_empty_book_is_proved_too(book: OpenBook, tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(await export(book, tool.writer))

    assert tool.proves(path)


def one_side(text: str) -> str:
    """One posting of one entry a minute longer."""
    return re.sub(r"(Assets:Volunteer:1:MIN  )(\d+)( MIN\n)", _more, text, count=1)


def both_sides(text: str) -> str:
    """An entry that balances, a minute longer."""
    return re.sub(
        r"(Assets:Volunteer:1:MIN  )(\d+)( MIN\n +Equity:Issuing:MIN  -)(\d+)( MIN)",
        lambda m: f"{m[1]}{int(m[2]) + 1}{m[3]}{int(m[4]) + 1}{m[5]}",
        text,
        count=1,
    )


def a_balance(text: str) -> str:
    """A minute more than there is, asserted at the end."""
    return re.sub(
        r"((?:= |balance Assets:Volunteer:2:MIN  ))(\d+)( MIN\n)(?!.*Volunteer:2)",
        _more,
        text,
        count=1,
        flags=re.DOTALL,
    )


def an_entry_gone(text: str) -> str:
    """A whole entry left out."""
    found = re.search(r"\n\n2024-03-12 .*?(?=\n\n)", text, re.DOTALL)
    assert found is not None
    return text.replace(found[0], "", 1)


def an_account_unknown(text: str) -> str:
    return text.replace("  Assets:Volunteer:2:MIN  ", "  Assets:Volunteer:3:MIN  ", 1)


def _more(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]) + 1}{match[3]}"


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    "tamper", [one_side, both_sides, a_balance, an_entry_gone, an_account_unknown]
)
async def test_a_changed_minute_is_refused(
    full: OpenBook, tool: Tool, tamper: Callable[[str], str], tmp_path: Path
) -> None:
    text = (await export(full, tool.writer)).decode()
    changed = tamper(text)
    assert changed != text
    path = tmp_path / "book.txt"
    path.write_text(changed)

    assert not tool.proves(path)


def told_by_hledger(path: Path) -> dict[str, str]:
    told = subprocess.run(
        ["hledger", "-f", path, "balance", "--flat", "-N", "-O", "csv"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    ).stdout
    return {row[0]: row[1] for row in csv.reader(io.StringIO(told))}


@pytest.mark.needs_hledger
async def test_hledger_comes_to_our_balances(full: OpenBook, tmp_path: Path) -> None:
    path = tmp_path / "book.journal"
    path.write_bytes(await export(full, HledgerWriter))

    balances = told_by_hledger(path)

    assert balances["Assets:Volunteer:1:MIN"] == f"{await full.held(full.first)} MIN"
    assert balances["Equity:Issuing:MIN"] == f"{await full.held(full.issuing)} MIN"
    assert balances["Assets:Volunteer:1:U100"] == '1 "U100"'
    assert balances["Liabilities:Receivable:1:CREDIT"] == "-5 CREDIT"


async def test_csv_and_parquet_hold_the_same_rows(full: OpenBook, tmp_path: Path) -> None:
    path = tmp_path / "book.parquet"
    with path.open("wb") as output:
        async with full.db.read() as conn:
            await export_book(
                conn, book=BOOK, writer=ParquetWriter(output), progress=lambda *_: None
            )
    rows = list(csv.DictReader(io.StringIO((await export(full, CsvWriter)).decode(), newline="")))

    assert [int(row["seq"]) for row in rows] == list(range(1, 2_108))
    assert Counter(row["kind"] for row in rows) == {
        "service": 2_101,
        "adjustment": 4,
        "reversal": 2,
    }
    assert rows[0] == {
        "seq": "1",
        "key": str(key(0)),
        "kind": "service",
        "unit": "MIN",
        "credit": "Assets:Volunteer:1:MIN",
        "debit": "Equity:Issuing:MIN",
        "amount": "1",
        "effective_at": "2024-03-02T01:00:00+00:00",
        "recorded_at": "2024-03-02T01:00:00+00:00",
        "volunteer": "1",
        "assurance": "1",
        "measured": "3",
        "activity_book": str(BOOK),
        "activity": "7",
        "shift": "9",
        "field": "1",
        "place": "330424101001",
        "reverses": "",
    }
    with duckdb.connect() as connection:
        columns = [f"epoch_us({n})" if n.endswith("_at") else n for n in rows[0]]
        read = connection.execute(
            f"select {', '.join(columns)} from read_parquet('{path}') order by seq"
        ).fetchall()
    assert len(read) == len(rows)
    for row, values in zip(rows, read, strict=True):
        named = dict(zip(row, values, strict=True))
        for name in ("effective_at", "recorded_at"):
            named[name] = datetime.fromtimestamp(named[name] // 1_000_000, UTC).isoformat()
        assert {name: "" if v is None else str(v) for name, v in named.items()} == row


async def test_days_are_those_of_the_books_zone(full: OpenBook) -> None:
    text = (await export(full, HledgerWriter)).decode()

    assert f"\n2024-03-01 (2101) service  ; key {key('zone')}," in text
    assert "\n2024-03-02 (2106) reversal of 1  ;" in text
    assert 'commodity 1. "U100"  ; honour:cn.stars:3\n' in text


async def test_memory_does_not_grow_with_the_book(book: OpenBook) -> None:
    """Worth its seconds: a county's book has millions of entries, a server has not that memory."""

    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    async def peak() -> int:
        tracemalloc.start()
        try:
            async with book.db.read() as conn:
                await export_book(
                    conn,
                    book=BOOK,
                    writer=HledgerWriter(Nowhere()),  # type: ignore[arg-type]
                    progress=lambda *_: None,
                )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await book.post_list([book.service(n) for n in range(6_000)])
    await peak()
    small = await peak()
    for part in range(1, 5):
        await book.post_list([book.service((part, n)) for n in range(6_000)])
    assert await peak() < 1.2 * small


async def test_parquet_without_its_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(LibraryMissingError, match="pyarrow"):
        ParquetWriter(io.BytesIO())


async def test_no_book_is_no_export(book: OpenBook) -> None:
    output = io.BytesIO()
    async with book.db.read() as conn:
        assert (
            await export_book(
                conn, book=330_402, writer=CsvWriter(output), progress=lambda *_: None
            )
            is None
        )
    assert output.getvalue() == b""
