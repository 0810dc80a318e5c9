"""Many rows at once mean what each means alone, and are refused for the same reasons."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from timebank.domain.service_columns import ColumnReader
from timebank.domain.service_row import CellRefused, Column, Places, RowReader, ServiceRow

VILLAGE = 330424101003
CELLS: dict[Column, list[object]] = {
    Column.VOLUNTEER: ["ZJ-1", " ZJ-1 ", "ZJ-2", 1, 1.0, True, "", None, "9" * 65],
    Column.RECORD: ["1", " 1", "", None, 7, 7.0, 7.5, True, "长" * 64, "9" * 65],
    Column.ACTIVITY: ["敬老服务", "敬老  服务", 1, True, "", "长" * 61],
    Column.ORGANIZATION: ["服务队", "食堂", 2.0, None],
    Column.FIELD: ["敬老助老", "elder_care", "?", None],
    Column.PLACE: [str(VILLAGE), VILLAGE, float(VILLAGE), "永庆村", "同名村", "没有村"],
    Column.START: ["2024-03-02 09:00", "2024/3/2 9:00", date(2024, 3, 2), datetime(2024, 3, 2, 9), "昨天", "1979-01-01", "2025-06-01", None],  # noqa: DTZ001 as a spreadsheet has it
    Column.MINUTES: ["90", "90.0", 90, 90.5, True, 1, "0", "961", "x", float("nan")],
    Column.EVIDENCE: ["scanned", "", None, "确认", "saw it", 1],
}  # fmt: skip
WIDTH = len(CELLS)

rows = st.lists(
    st.one_of(
        st.tuples(*(st.sampled_from(each) for each in CELLS.values())).map(list),
        st.tuples(*(st.sampled_from(each[:2]) for each in CELLS.values())).map(list),
        st.lists(st.sampled_from(["", "ZJ-1", None, 1]), max_size=WIDTH + 2),
        st.tuples(*(st.sampled_from(each[:1]) for each in CELLS.values())).map(lambda x: [*x, None, ""]),
    ),
    max_size=30,
)  # fmt: skip


def reader(*, is_evidence_trusted: bool, has_record: bool) -> RowReader:
    columns = {column: place for place, column in enumerate(CELLS)}
    if not has_record:
        del columns[Column.RECORD]
    return RowReader(
        columns=columns,
        cells=WIDTH,
        places=Places(
            frozenset({VILLAGE}),
            {"永庆村": frozenset({VILLAGE}), "同名村": frozenset({VILLAGE, VILLAGE + 1})},
        ),
        zone=ZoneInfo("Asia/Shanghai"),
        now=datetime(2025, 1, 1, tzinfo=UTC),
        is_evidence_trusted=is_evidence_trusted,
    )


@settings(max_examples=150)
@given(rows, rows, st.booleans(), st.booleans())
def test_columns_say_what_rows_say(
    first: list[list[object]], second: list[list[object]], is_trusted: bool, has_record: bool
) -> None:
    alone = reader(is_evidence_trusted=is_trusted, has_record=has_record)
    together = ColumnReader(alone)
    line = 2
    for part in (first, second):
        lines = range(line, line + len(part))
        line += len(part)
        services: list[ServiceRow] = []
        refused: list[CellRefused] = []
        for number, cells in zip(lines, part, strict=True):
            read = alone.read(number, cells)
            if isinstance(read, ServiceRow):
                services.append(read)
            else:
                refused += read

        columns, refused_together = together.read(lines, part)

        assert [columns.row(place) for place in range(len(columns.lines))] == services
        assert sorted(refused_together, key=lambda each: each.line) == refused
