"""A report that was frozen: what it says, the state of the book it was counted at, its bytes.

A publication never changes. What is learned later is a difference, shown beside it with reasons.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from timebank.domain.metric import Residents
from timebank.domain.window import Window, parse_window

FORMAT = "timebank-publication/2"
"""The first word of every publication's bytes; another arrangement gets another number."""

_FORMAT_1 = "timebank-publication/1"
"""Without the register and without whom a rate is taken of; read, and made again, for ever."""

_REFERENCE = re.compile(r"(\d{6})-([1-9]\d{0,5})")


class PublicationRefusal(StrEnum):
    """Why a report is not published, in order of precedence."""

    SEVERAL_BOOKS = "publication.several_books"
    """A division above the county has several books, and no one entry names their state."""
    WINDOW_OPEN = "publication.window_open"
    """The period is not over: what is published of it would be wrong tomorrow."""
    NOTHING_COUNTED = "publication.nothing_counted"
    """Nobody served in the period."""
    UNCHANGED = "publication.unchanged"
    """The newest publication of the same says the same."""
    NOT_SIGNED = "publication.not_signed"
    """No signed checkpoint covers the entries yet."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of a publication: the county's code and a number that is given once."""

    book: int
    number: int

    def __str__(self) -> str:
        """Return the name as it stands in addresses, such as `330424-3`."""
        return f"{self.book}-{self.number}"


def parse_reference(text: str) -> Reference:
    """Return the publication that a text names.

    Raises:
        ValueError: It names none.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError("not a publication")
    return Reference(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One division of a publication.

    Attributes:
        residents: None where no source is known.
        rate: Per ten thousand of `whole`; None where that is not known.
        services: How often somebody served.
        whole: How many the definition takes the rate of; None where that is not known.
    """

    region: int
    name: str
    level: str
    parent: int | None
    residents: Residents | None
    registered: int
    active: int
    rate: int | None
    services: int
    minutes_scanned: int
    minutes_confirmed: int
    minutes_declared: int
    whole: int | None

    @property
    def minutes(self) -> int:
        """Served minutes by every evidence."""
        return self.minutes_scanned + self.minutes_confirmed + self.minutes_declared


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The signed state of the book's log that covers what was counted.

    Attributes:
        origin: The name of the log.
        size: Entries 1 to `size` are under the root; at least those that were counted.
        root: In base64, as it stands in the note.
        note: The signed note itself.
    """

    origin: str
    size: int
    root: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A frozen report.

    Attributes:
        corrects: The publication that this one takes the place of; None for the first of its kind.
        definition: Everything that the definition says, by name, as it was on the day.
        seq: Entries 1 to `seq` of the book were counted.
        counted_at: People and homes as they were known at this instant.
        register: The SHA-256 of the register of homes that was counted over, kept beside the
            publication; None in those of the first format.
        url: Where anybody finds it and can check it.
        rows: Every division of the region, each parent before its children; the first is its own.
    """

    reference: Reference
    corrects: int | None
    region: int
    window: Window
    definition: Mapping[str, Any]
    seq: int
    counted_at: datetime
    register: str | None
    published_at: datetime
    url: str
    head: SignedHead
    rows: Sequence[PublishedRow]

    @property
    def top(self) -> PublishedRow:
        """The row of the region itself."""
        return self.rows[0]

    def children(self, region: int) -> list[PublishedRow]:
        """Return the rows right below a division, the highest rate first, the unknown last."""
        found = [row for row in self.rows if row.parent == region]
        return sorted(found, key=lambda row: (row.rate is None, -(row.rate or 0), row.region))


@dataclass(frozen=True, slots=True)
class Published:
    """The report is published, and these are its bytes for ever."""

    publication: Publication
    content: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The report is not published."""

    reason: PublicationRefusal


def canonical(publication: Publication) -> bytes:
    """Return the bytes of a publication: JSON without blanks, names in a fixed order, UTF-8."""
    head = publication.head
    is_first = publication.register is None
    said = {
        "format": _FORMAT_1 if is_first else FORMAT,
        "reference": str(publication.reference),
        "corrects": publication.corrects,
        "region": publication.region,
        "window": str(publication.window),
        "definition": publication.definition,
        "book": publication.reference.book,
        "seq": publication.seq,
        "counted_at": publication.counted_at.isoformat(),
        **({} if is_first else {"register": publication.register}),
        "published_at": publication.published_at.isoformat(),
        "url": publication.url,
        "log": {"origin": head.origin, "size": head.size, "root": head.root, "note": head.note},
        "rows": [_row_said(row, is_first=is_first) for row in publication.rows],
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def read_publication(content: bytes) -> Publication:
    """Return the publication whose bytes these are.

    Raises:
        ValueError: They are no publication's.
    """
    said = json.loads(content)
    if said.get("format") not in (FORMAT, _FORMAT_1):
        raise ValueError("not a publication of this format")
    log = said["log"]
    return Publication(
        reference=parse_reference(said["reference"]),
        corrects=said["corrects"],
        region=said["region"],
        window=parse_window(said["window"]),
        definition=said["definition"],
        seq=said["seq"],
        counted_at=datetime.fromisoformat(said["counted_at"]),
        register=said.get("register"),
        published_at=datetime.fromisoformat(said["published_at"]),
        url=said["url"],
        head=SignedHead(log["origin"], log["size"], log["root"], log["note"]),
        rows=tuple(_read_row(each, said["definition"]) for each in said["rows"]),
    )


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file, hexadecimal: what is printed on it or beside it."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a division's row would say now, where that is not what was published.

    Attributes:
        fields: Published and present value by the field's name.
    """

    region: int
    name: str
    fields: Mapping[str, tuple[int, int]]


_COMPARED = (
    "registered",
    "active",
    "services",
    "minutes_scanned",
    "minutes_confirmed",
    "minutes_declared",
)


def differences(
    published: Sequence[PublishedRow], now: Sequence[PublishedRow]
) -> tuple[Difference, ...]:
    """Return where two counts of the same divisions differ, in the order of the publication.

    A division that is no longer there counts as zero now. Populations are not compared: a newer
    one is another report.
    """
    present = {row.region: row for row in now}
    found = []
    for row in published:
        other = present.get(row.region)
        changed = {
            name: (getattr(row, name), 0 if other is None else getattr(other, name))
            for name in _COMPARED
            if other is None or getattr(row, name) != getattr(other, name)
        }
        if changed:
            found.append(Difference(row.region, row.name, changed))
    return tuple(found)


def _row_said(row: PublishedRow, *, is_first: bool) -> dict[str, Any]:
    residents = row.residents
    return {
        "region": row.region,
        "name": row.name,
        "level": row.level,
        "parent": row.parent,
        "residents": None
        if residents is None
        else {
            "count": residents.count,
            "as_of": residents.as_of.isoformat(),
            "source": residents.source,
            "is_estimate": residents.is_estimate,
        },
        "registered": row.registered,
        "active": row.active,
        "rate_per_10k": row.rate,
        **({} if is_first else {"rate_of": row.whole}),
        "services": row.services,
        "minutes_scanned": row.minutes_scanned,
        "minutes_confirmed": row.minutes_confirmed,
        "minutes_declared": row.minutes_declared,
    }


def _read_row(said: Mapping[str, Any], definition: Mapping[str, Any]) -> PublishedRow:
    residents = said["residents"]
    whole = None if residents is None else residents["count"]
    if definition["denominator"] == "registered":
        whole = said["registered"]
    return PublishedRow(
        region=said["region"],
        name=said["name"],
        level=said["level"],
        parent=said["parent"],
        residents=None
        if residents is None
        else Residents(
            residents["count"],
            date.fromisoformat(residents["as_of"]),
            residents["source"],
            residents["is_estimate"],
        ),
        registered=said["registered"],
        active=said["active"],
        rate=said["rate_per_10k"],
        services=said["services"],
        minutes_scanned=said["minutes_scanned"],
        minutes_confirmed=said["minutes_confirmed"],
        minutes_declared=said["minutes_declared"],
        whole=said.get("rate_of", whole),
    )
