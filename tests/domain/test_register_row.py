"""Rows of registers: what a cell may say."""

from datetime import date

import pytest

from timebank.domain.register_row import (
    COLUMNS,
    KEYS,
    Read,
    Register,
    RegisterRefusal,
    Setting,
    find_columns,
    read_rows,
)
from timebank.domain.service_row import Places

SETTING = Setting(
    Places(frozenset({330424000000, 330424101000}), {"村": frozenset({1, 2})}), date(2025, 2, 1)
)


def read(register: Register, *rows: str) -> Read:
    header = [column.name for column in COLUMNS[register]]
    return read_rows(
        register,
        [(line, row.split(",")) for line, row in enumerate(rows, 2)],
        columns=find_columns(register, header),
        cells=len(header),
        setting=SETTING,
    )


@pytest.mark.parametrize(
    ("register", "row", "column", "reason"),
    [
        (
            Register.SESSIONS,
            "a,b,none,330424,2024-01-01,1,1,1",
            "field",
            RegisterRefusal.WORD_UNKNOWN,
        ),
        (
            Register.SESSIONS,
            "a,b,health,999999,2024-01-01,1,1,1",
            "place",
            RegisterRefusal.PLACE_UNKNOWN,
        ),
        (
            Register.SESSIONS,
            "a,b,health,330424,2024-02-30,1,1,1",
            "day",
            RegisterRefusal.DAY_MALFORMED,
        ),
        (
            Register.SESSIONS,
            "a,b,health,330424,2025-02-02,1,1,1",
            "day",
            RegisterRefusal.DAY_IN_FUTURE,
        ),
        (
            Register.SESSIONS,
            "a,b,health,330424,2024-01-01,0,1,1",
            "times",
            RegisterRefusal.NUMBER_OUT_OF_RANGE,
        ),
        (
            Register.SESSIONS,
            "a,b,health,330424,2024-01-01,1,-1,1",
            "people",
            RegisterRefusal.NUMBER_MALFORMED,
        ),
        (
            Register.SESSIONS,
            ",b,health,330424,2024-01-01,1,1,1",
            "organization",
            RegisterRefusal.CELL_MISSING,
        ),
        (
            Register.SESSIONS,
            f"{'a' * 101},b,health,330424,2024-01-01,1,1,1",
            "organization",
            RegisterRefusal.TEXT_TOO_LONG,
        ),
        (
            Register.SESSIONS,
            "a,b,health,330424,2024-01-01,1,1,1,more",
            "",
            RegisterRefusal.ROW_MALFORMED,
        ),
        (Register.STATIONS, "a,tent,330424,2024-01-01,", "tier", RegisterRefusal.WORD_UNKNOWN),
        (
            Register.STATIONS,
            "a,room,330424,2024-01-02,2024-01-02",
            "",
            RegisterRefusal.DAYS_DISORDERED,
        ),
        (
            Register.PROFILES,
            "HY1,2024-01-01,1958,maybe,no",
            "party_member",
            RegisterRefusal.YES_NO_MALFORMED,
        ),
        (
            Register.RESIDENTS,
            "330424,2024-01-01,1,x,69-18,",
            "ages",
            RegisterRefusal.AGES_MALFORMED,
        ),
    ],
)
def test_a_bad_cell_is_named(
    register: Register, row: str, column: str, reason: RegisterRefusal
) -> None:
    found = read(register, row)
    assert [(each.line, each.column, each.reason) for each in found.refused] == [
        (2, column, reason)
    ]
    assert not found.rows


def test_an_ambiguous_place_and_a_repeated_row() -> None:
    found = read(
        Register.STATIONS,
        "a,room,村,2024-01-01,",
        "b,室,330424101,2024.1.1,",
        "b,center,330424,2024-01-02,",
    )
    assert [(each.line, each.reason) for each in found.refused] == [
        (2, RegisterRefusal.PLACE_AMBIGUOUS),
        (4, RegisterRefusal.REPEATED),
    ]
    assert found.rows[3]["place"] == 330424101000
    assert found.rows[3]["opened_on"] == date(2024, 1, 1)


def test_every_key_is_of_columns() -> None:
    for register, columns in COLUMNS.items():
        assert set(KEYS[register]) <= {column.name for column in columns}
        headers = [header for column in columns for header in (column.name, *column.chinese)]
        assert len(headers) == len(set(headers))
