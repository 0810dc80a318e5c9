"""When an entry may be taken back: each refused row also meets later conditions."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from timebank.domain.correction import decide_reversal
from timebank.domain.posting import Entry
from timebank.domain.transfer import Transfer, TransferKind, Unit


@pytest.mark.parametrize(
    ("reason", "reverses", "is_reversed", "refusal"),
    [
        ("错", 1, True, "correction.reason_length"),
        ("错" * 501, 1, True, "correction.reason_length"),
        ("错误", 1, True, "correction.is_reversal"),
        ("错误", None, True, "correction.already_reversed"),
        ("错误", None, False, None),
        ("错" * 500, None, False, None),
    ],
)
def test_an_entry_is_taken_back_or_stands(
    reason: str, reverses: int | None, is_reversed: bool, refusal: str | None
) -> None:
    transfer = Transfer(
        key=UUID(int=1),
        kind=TransferKind.SERVICE if reverses is None else TransferKind.REVERSAL,
        unit=Unit.MINUTES,
        debit=1,
        credit=2,
        amount=60,
        effective_at=datetime(2024, 3, 2, tzinfo=UTC),
        reverses=reverses,
    )
    assert decide_reversal(Entry(2, transfer, is_reversed), reason=reason) == refusal
