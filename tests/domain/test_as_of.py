"""What names a state of the books."""

from datetime import UTC, datetime

import pytest

from timebank.domain.as_of import parse_as_of


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("0", 0),
        ("1200", 1200),
        ("2026-01-01T00:00:00+08:00", datetime(2025, 12, 31, 16, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_entry_or_an_instant(text: str, asked: int | datetime) -> None:
    assert parse_as_of(text) == asked


@pytest.mark.parametrize("text", ["", "-1", "١٢", "1.5", "2026-01-01", "2026-01-01T00:00", "now"])
def test_what_names_no_state(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the message is Python's
        parse_as_of(text)
