"""Decision tables: rows that officials keep in a spreadsheet, each a condition with what it gives.

Columns named in the table's `key` ask about a fact; the other columns hold whole numbers that
rules give. A cell of `*` asks nothing. Rows of one version neither overlap (unless the first one
counts, or all do) nor leave gaps between them; reading a pack proves it cell by cell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from timebank.policy.condition import All, Condition, Leaf, Not, Op, Unknown
from timebank.policy.fact import FactUse
from timebank.policy.parameter import Citation, DatedValue, Need, Parameter


class Hit(StrEnum):
    """What counts where several rows could hold."""

    UNIQUE = "unique"
    """No two can: the rows do not overlap."""
    FIRST = "first"
    """The first that holds."""
    SUM = "sum"
    """All that hold, added up."""
    MAX = "max"
    """Of all that hold, the one that gives most."""


@dataclass(frozen=True, slots=True)
class Test:
    """What one cell asks: half of a range, or a word, number, day or division."""

    __test__ = False  # Not a test of ours, whatever its name suggests to a collector.

    column: str
    use: FactUse
    op: Op
    value: Need
    unknown: Unknown


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: From 1, below the heading.
        gives: The numbers of the row, by column.
    """

    number: int
    tests: tuple[Test, ...]
    gives: Mapping[str, int]

    def condition(self, *, node: str, cite: Citation) -> Condition:
        """Return what the row asks for."""
        parts = tuple(
            Leaf(
                f"{node}.{test.column}{_HALVES.get(test.op, '')}",
                test.use,
                test.op,
                Parameter("", (DatedValue(date.min, test.value, cite),)),
                unknown=test.unknown,
            )
            for test in self.tests
        )
        return parts[0] if len(parts) == 1 else All(node, parts)


_HALVES = {Op.AT_LEAST: ".from", Op.BELOW: ".below"}
"""A range is two leaves with names of their own."""


@dataclass(frozen=True, slots=True)
class TableVersion:
    """The rows from a first day until the next version's.

    Attributes:
        through: The day before the next version's first; None for the newest.
    """

    from_on: date
    through: date | None
    cite: Citation
    rows: tuple[Row, ...]

    def __contains__(self, day: date) -> bool:
        """Return whether the version is in force on a day."""
        return self.from_on <= day and (self.through is None or day <= self.through)


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table.

    Attributes:
        versions: By first day, ascending; never empty.
    """

    id: str
    hit: Hit
    versions: tuple[TableVersion, ...]

    def conditions(
        self, *, rule_id: str, column: str, when: Condition | None
    ) -> Iterator[tuple[TableVersion, Row, Condition]]:
        """Yield every row that gives something in a column, with what it asks for in a rule.

        Rows whose cell is 0 give nothing there; where the first row counts, they still stand
        before those below them.
        """
        for place, version in enumerate(self.versions):
            mark = "table" if place == 0 else f"table{place + 1}"
            above: list[Condition] = []
            for row in version.rows:
                node = f"{rule_id}/{mark}.{row.number}"
                own = row.condition(node=node, cite=version.cite)
                parts = () if when is None else (when,)
                if self.hit is Hit.FIRST:
                    parts = (*parts, *(Not(f"{node}.above", each) for each in above))
                    above.append(own)
                if row.gives[column]:
                    whole = All(f"{node}.all", (*parts, own)) if parts else own
                    yield version, row, whole
