"""The reference platform: a folder, where batches are written and lists of what is held are read.

`out/BATCH.csv` is what is handed on, whole or not there. `held/*.csv` is what the other side says
that it holds, with the columns `key` and `minutes`; a later file goes before an earlier one.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from timebank.domain.exchange import ExchangeRecord, Held

_COLUMNS = ExchangeRecord._fields


class HeldFileError(Exception):
    """A list of what is held cannot be read.

    Attributes:
        code: Stable name of the failure.
        sentence: What is wrong and where.
    """

    code = "exchange.held_unreadable"

    def __init__(self, path: Path, line: int) -> None:
        self.sentence = f"{path.name}, line {line}: a key (UUID) and whole minutes are needed."
        super().__init__(self.sentence)


class FilePlatform:
    """A platform that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, records: Sequence[ExchangeRecord], *, batch: str) -> None:
        """Write a batch; its file appears when it is whole and on the disk."""
        out = self._folder / "out"
        out.mkdir(parents=True, exist_ok=True)
        part = out / f"{batch}.part"
        with part.open("w", encoding="utf-8", newline="") as output:
            writer = csv.writer(output, lineterminator="\r\n")
            writer.writerow(_COLUMNS)
            for record in records:
                writer.writerow([*record[:3], record.ended_at.isoformat(), *record[4:]])
            output.flush()
            os.fsync(output.fileno())
        part.replace(out / f"{batch}.csv")

    def held(self) -> Iterator[Held]:
        """Return what the lists say, from the earliest file by name to the latest.

        Raises:
            HeldFileError: A line has no key or no minutes.
        """
        for path in sorted((self._folder / "held").glob("*.csv")):
            with path.open(encoding="utf-8-sig", newline="") as lines:
                for row in (reader := csv.DictReader(lines)):
                    try:
                        held = Held(UUID(row["key"]), int(row["minutes"]))
                    except (AttributeError, KeyError, TypeError, ValueError):
                        raise HeldFileError(path, reader.line_num) from None
                    if held.minutes < 0:
                        raise HeldFileError(path, reader.line_num)
                    yield held
