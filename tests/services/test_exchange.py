"""Services handed on to a folder, taken back, handed on again, and compared with what is held."""

import csv
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.factories import BOOK, NINE, World

from timebank.db import Database
from timebank.domain.attendance import Direction
from timebank.domain.correction import Reversed
from timebank.domain.exchange import DifferenceKind
from timebank.domain.qr import Scan
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.services import correction
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.errors import NotFoundError
from timebank.services.exchange import compare, send_new
from timebank.services.exchange_files import FilePlatform, HeldFileError

COUNTY = Scope(county_code(BOOK))
LATER = NINE + timedelta(days=1)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "out" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def hold(folder: Path, name: str, held: Iterable[tuple[str, int]]) -> None:
    (folder / "held").mkdir(exist_ok=True)
    lines = "".join(f"{key},{minutes}\r\n" for key, minutes in held)
    (folder / "held" / name).write_text(f"key,minutes\r\n{lines}", encoding="utf-8")


async def test_what_is_handed_on_is_compared_and_mended(
    db: Database, world: World, tmp_path: Path
) -> None:
    volunteers = await world.volunteers(3)
    shift = await world.shift(signed_up=volunteers)
    for direction, at in ((Direction.ARRIVE, NINE), (Direction.LEAVE, NINE + timedelta(hours=1))):
        scan = Scan(shift.book, shift.id, direction, at)
        await record_scans(db, requests=[ScanRequest(each, scan) for each in volunteers], now=at)
    platform = FilePlatform(tmp_path)

    sent = await send_new(db, scope=COUNTY, book=BOOK, platform=platform, now=LATER)
    assert sent is not None
    assert (sent.first_seq, sent.last_seq, sent.records) == (1, 3, 3)
    first = rows(tmp_path, f"{BOOK}-1-3.csv")
    assert [row["minutes"] for row in first] == ["60"] * 3
    assert await send_new(db, scope=COUNTY, book=BOOK, platform=platform, now=LATER) is None

    keys = [row["key"] for row in first]
    hold(
        tmp_path,
        "1.csv",
        [(keys[0], 60), (keys[1], 45), ("018e1f00-0000-8000-8000-00000000abcd", 9)],
    )
    found = await compare(db, scope=COUNTY, book=BOOK, platform=platform, now=LATER)
    assert (found.sent, found.held, found.equal) == (3, 3, 1)
    assert {each.kind: (each.sent, each.held) for each in found.examples} == {
        DifferenceKind.MISSING: (60, None),
        DifferenceKind.DIFFERENT: (60, 45),
        DifferenceKind.UNKNOWN: (None, 9),
    }

    taken_back = await correction.reverse_transfer(
        db, actor=None, book=BOOK, seq=2, reason="记错了人", now=LATER
    )
    assert isinstance(taken_back, Reversed)
    again = await send_new(db, scope=COUNTY, book=BOOK, platform=platform, now=LATER)
    assert again is not None
    (changed,) = rows(tmp_path, f"{BOOK}-4-{again.last_seq}.csv")
    assert (changed["key"], changed["minutes"]) == (keys[1], "0")
    # A later list goes before an earlier one.
    hold(
        tmp_path,
        "2.csv",
        [(keys[1], 0), (keys[2], 60), ("018e1f00-0000-8000-8000-00000000abcd", 0)],
    )
    later = LATER + timedelta(hours=1)
    mended = await compare(db, scope=COUNTY, book=BOOK, platform=platform, now=later)
    assert mended.is_equal
    assert (mended.sent, mended.held, mended.equal) == (2, 2, 2)

    hold(tmp_path, "3.csv", [(keys[0], -1)])
    with pytest.raises(HeldFileError) as error:
        await compare(db, scope=COUNTY, book=BOOK, platform=platform, now=later)
    assert error.value.sentence.startswith("3.csv, line 2:")
    for scope, book in ((Scope(330424001000), BOOK), (COUNTY, 330421)):
        with pytest.raises(NotFoundError):
            await send_new(db, scope=scope, book=book, platform=platform, now=later)
        with pytest.raises(NotFoundError):
            await compare(db, scope=scope, book=book, platform=platform, now=later)
