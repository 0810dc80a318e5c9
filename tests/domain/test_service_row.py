"""What the cells of a district's file may say, and that keys never change."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import timebank
from timebank.domain.service_field import ServiceField
from timebank.domain.service_row import (
    FIELD_NAMES,
    SENTENCES,
    CellRefused,
    Column,
    ImportRefusal,
    Places,
    RowReader,
    ServiceRow,
    Work,
    column_of,
    content_key,
    place_names,
    read_minutes,
    read_start,
    record_key,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 1, 1, tzinfo=UTC)
NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
RECORD_KEY = "002f1ffa-e801-875d-9d57-a24241fa247b"
CONTENT_KEY = "018dfcac-ce80-85b9-bcd5-f40a26765f7f"
"""Computed by hand from the documented layout."""
COLUMNS = {column: place for place, column in enumerate(Column) if column is not Column.HOURS}


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-02 09:00",
        " 2024-03-02 09:00:00 ",
        "2024/3/2 9:00",
        "2024.3.2 9:00",
        "2024-03-02T09:00",
        "2024-03-02T01:00:00Z",
        "2024-03-02T09:00:00.250+08:00",
        datetime(2024, 3, 2, 9, 0),  # noqa: DTZ001 as a spreadsheet has it
    ],
)
def test_a_start_is_understood_in_every_usual_form(cell: object) -> None:
    assert read_start(cell, zone=ZONE, now=NOW) == NINE


def test_a_day_without_a_time_is_its_first_instant() -> None:
    midnight = datetime(2024, 3, 1, 16, tzinfo=UTC)
    assert read_start(date(2024, 3, 2), zone=ZONE, now=NOW) == midnight
    assert read_start("2024-03-02", zone=ZONE, now=NOW) == midnight


@pytest.mark.parametrize(
    ("cell", "is_in_minutes", "minutes"),
    [("180", True, 180), (180.0, True, 180), (" 1 ", True, 1), ("960", True, 960), ("3", False, 180),
     (1.5, False, 90), ("0.325", False, 20), ("16", False, 960)],
)  # fmt: skip
def test_durations(cell: object, is_in_minutes: bool, minutes: int) -> None:
    assert read_minutes(cell, is_in_minutes=is_in_minutes) == minutes


@given(
    st.lists(
        st.one_of(st.text(), st.none(), st.floats(), st.integers(), st.datetimes()), max_size=12
    )
)
def test_any_row_is_read_or_refused_with_a_reason(cells: list[object]) -> None:
    reader = RowReader(
        columns=COLUMNS,
        cells=10,
        places=Places(frozenset(), {}),
        zone=ZONE,
        now=NOW,
        is_evidence_trusted=True,
    )
    read = reader.read(2, cells)
    assert isinstance(read, list)
    assert read
    assert all(isinstance(each, CellRefused) and each.line == 2 for each in read)


def test_keys_are_what_they_always_were() -> None:
    """Known answers: a key is stored for ever."""
    row = ServiceRow(2, "ZJ-1", "", Work("组织", "活动", 1, 330424101003), NINE, 180, 0, 0)
    assert str(record_key(330424, "202400000001")) == RECORD_KEY
    assert str(content_key(330424, 7, row, occurrence=1)) == CONTENT_KEY
    assert content_key(330424, 7, row, occurrence=2) != content_key(330424, 7, row, occurrence=1)
    other = row._replace(assurance=1, measured=3, line=9, volunteer="330424000000071")
    assert content_key(330424, 7, other, occurrence=1) == content_key(330424, 7, row, occurrence=1)


def test_consecutive_record_numbers_have_neighbouring_keys() -> None:
    keys = [record_key(330424, str(number)) for number in range(2024_0000_0001, 2024_0000_0100)]
    assert keys == sorted(keys)
    assert record_key(330424, "A-1") != record_key(330424, "A-2")
    assert record_key(330424, "1") != record_key(330421, "1")


@pytest.mark.parametrize(
    ("header", "column"),
    [("志愿者编号", Column.VOLUNTEER), (" Volunteer ", Column.VOLUNTEER), ("服务时长（分钟）", Column.MINUTES),
     ("服务时长 (小时)", Column.HOURS), ("备注", None)],
)  # fmt: skip
def test_headers(header: str, column: Column | None) -> None:
    assert column_of(header) is column


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("永庆村委会", "永庆村"),
        ("百可社区居委会", "百可社区"),
        ("文星社区居民委员会", "文星社区"),
        ("城南社区", "城南社区"),
    ],
)
def test_a_village_goes_by_its_short_name_too(name: str, short: str) -> None:
    assert place_names(name) == {name, short}


def test_every_refusal_has_its_sentences() -> None:
    assert list(SENTENCES) == list(ImportRefusal)
    assert all(all(pair) for pair in SENTENCES.values())


def test_fields_have_the_names_that_the_pages_show() -> None:
    path = Path(timebank.__file__).parent / "web" / "messages" / "zh.po"
    with path.open("rb") as file:
        shown = {str(each.id): each.string for each in read_po(file)}
    assert {name: shown[f"service_field.{field.code}"] for name, field in FIELD_NAMES.items()} == {
        name: name for name in FIELD_NAMES
    }
    assert set(FIELD_NAMES.values()) == set(ServiceField)
