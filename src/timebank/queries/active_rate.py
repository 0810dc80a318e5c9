"""Active volunteers per ten thousand residents: one report for page, file and API alike.

It counts what a process knows of the book and asks for what is new, so that its cost grows with the
people of the county and with what was recorded since, and not with its history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.as_of import AsOf, AsOfAsked
from timebank.domain.assurance import Evidence
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import ActiveRate, Residents
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.queries.snapshot import Division, Snapshot, spread
from timebank.store.definitions import RESIDENTS_ANY_HOUR


@dataclass(frozen=True, slots=True)
class ActiveRateReport:
    """The active rate of every division of a subtree.

    Attributes:
        as_of_books: One per book in the scope, in their order; never empty.
        rows: One per division, in the order of codes: every parent before its children.
    """

    definition: Definition
    year: int
    as_of_books: tuple[AsOf, ...]
    rows: tuple[ActiveRate, ...]

    @property
    def as_of(self) -> AsOf:
        """The book of the county; above the county the first one in the scope."""
        return self.as_of_books[0]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values; `as_of` is a list above the county only."""
        as_of = [{"book": each.book, "seq": each.seq} for each in self.as_of_books]
        return {
            "definition": {
                "id": self.definition.id,
                "valid_from": self.definition.valid_from.isoformat(),
                "year": self.year,
                "minutes_above": self.definition.minutes_above,
                "assurance_min": self.definition.assurance_min.name,
                "home": self.definition.home,
                "denominator": self.definition.denominator,
                "per": self.definition.per,
                "source": self.definition.source,
            },
            "as_of": as_of[0] if len(as_of) == 1 else as_of,
            "rows": [_row_json(row) for row in self.rows],
        }

    def as_table(self) -> str:
        """Return the report as text in columns; hours are rounded down to whole hours."""
        as_of = ", ".join(f"{each.book}:{each.seq}" for each in self.as_of_books)
        denominator = self.definition.denominator
        lines: list[tuple[str, ...]] = [
            (
                "区划",
                "名称",
                "常住人口",
                "注册",
                "活跃",
                _OF[denominator],
                "小时",
                "扫码",
                "确认",
                "补录",
            )
        ]
        for row in self.rows:
            rate = row.rate
            lines.append(
                (
                    str(row.region),
                    _DEPTH.get(row.level, 0) * "  " + row.name,
                    _population(row.residents),
                    f"{row.registered:,}",
                    f"{row.active:,}",
                    "未知" if rate is None else f"{rate:,}",
                    f"{row.minutes // 60:,}",
                    *(_share(part, row.minutes) for part in _parts(row)),
                )
            )
        widths = [max(_width(line[place]) for line in lines) for place in range(len(lines[0]))]
        body = [
            "  ".join(
                _padded(cell, widths[place], is_left=place < 2) for place, cell in enumerate(line)
            ).rstrip()
            for line in lines
        ]
        sources = sorted({row.residents.source for row in self.rows if row.residents})
        return "\n".join(
            [
                f"{self.year}  {self.definition.id}  as of {as_of}",
                *body,
                *(f"人口来源: {each}" for each in sources),
                "~ 估算",
                "",
            ]
        )


_OF = {
    Denominator.RESIDENTS: "每万人",
    Denominator.REGISTERED: "每万注册",
    Denominator.RESIDENTS_AGED: "每万同龄",
}
_DEPTH = {"city": 1, "county": 0, "town": 1, "village": 2}


async def active_rates(
    conn: AsyncConnection,
    *,
    scope: Scope,
    year: int,
    definition: Definition = RESIDENTS_ANY_HOUR,
    as_of: AsOfAsked | None = None,
) -> ActiveRateReport | None:
    """Return the active rate of a division and of everything below it, in a calendar year.

    As of entry `as_of` of the scope's book, or of the newest entry of each book at that instant, or
    now. A report of an earlier state counts its entries alone, and people and homes as they were
    known at the instant, or when the next entry was recorded: whatever is written later, it stays
    the same report. Populations are those that are known now: each has its date and source.

    A volunteer is registered where their home is on the last day of the year, if they had enrolled
    by then and not left; and active there when the definition says so. A home that is known by its
    town or county only counts there and above. Every other number is of those volunteers too.

    Shape: one row per division of the scope, also where nobody is registered; None where the scope
    is no known division or no book is open in it.

    Raises:
        UnknownStateError: Entry `as_of` is not in the book yet, or the scope has several books.

    Cost: one statement and what is new; see `Snapshot`.
    """
    window = Window.of_year(year)
    snapshot = await Snapshot.open(conn, scope=scope, as_of=as_of)
    if snapshot is None:
        return None
    divisions = await snapshot.list_divisions(window)
    if not divisions:
        return None
    counted = await snapshot.count_homes(window, definition)
    registered = spread(divisions, [(each.homes, each.registered) for each in counted])
    active = spread(divisions, [(each.homes, each.active) for each in counted])
    scanned, confirmed, declared = (
        spread(divisions, [(each.homes, each.minutes[place]) for each in counted])
        for place in range(len(Evidence))
    )
    aged: Mapping[int, Residents] = {}
    if definition.ages is not None:
        aged = await snapshot.list_residents_aged(window, definition.ages)

    def whole(each: Division) -> int | None:
        match definition.denominator:
            case Denominator.REGISTERED:
                return registered[each.region]
            case Denominator.RESIDENTS_AGED:
                found = aged.get(each.region)
            case Denominator.RESIDENTS:
                found = each.residents
        return None if found is None else found.count

    return ActiveRateReport(
        definition=definition,
        year=year,
        as_of_books=snapshot.as_of,
        rows=tuple(
            ActiveRate(
                region=each.region,
                name=each.name,
                level=each.level,
                parent=each.parent,
                residents=each.residents,
                registered=registered[each.region],
                active=active[each.region],
                whole=whole(each),
                minutes_scanned=scanned[each.region],
                minutes_confirmed=confirmed[each.region],
                minutes_declared=declared[each.region],
            )
            for each in divisions
        ),
    )


def _row_json(row: ActiveRate) -> dict[str, Any]:
    residents = row.residents
    return {
        "region": str(row.region),
        "name": row.name,
        "level": row.level,
        "residents": None if residents is None else residents.count,
        "residents_source": None if residents is None else _source(residents),
        "registered": row.registered,
        "active": row.active,
        "rate_per_10k": row.rate,
        "minutes_scanned": row.minutes_scanned,
        "minutes_confirmed": row.minutes_confirmed,
        "minutes_declared": row.minutes_declared,
    }


def _parts(row: ActiveRate) -> tuple[int, int, int]:
    return row.minutes_scanned, row.minutes_confirmed, row.minutes_declared


def _source(residents: Residents) -> str:
    """Say where a population comes from, of which day, and whether it is an estimate from that."""
    return f"{residents.source}（{residents.as_of}{'，估算' if residents.is_estimate else ''}）"


def _population(residents: Residents | None) -> str:
    if residents is None:
        return "未知"
    return ("~" if residents.is_estimate else "") + f"{residents.count:,}"


def _share(part: int, whole: int) -> str:
    """Return a part in whole percent, rounded half up."""
    return "-" if whole <= 0 else f"{(200 * part + whole) // (2 * whole)}%"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, width: int, *, is_left: bool) -> str:
    blank = " " * (width - _width(text))
    return text + blank if is_left else blank + text
