"""When an entry may be taken back: each refused row also meets later conditions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from timebank.domain.correction import (
    Correction,
    CorrectionRefusal,
    decide_correction,
    decide_reversal,
)
from timebank.domain.posting import Entry
from timebank.domain.service_field import ServiceField
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit

NOW = datetime(2024, 3, 9, tzinfo=UTC)
SERVED = datetime(2024, 3, 2, tzinfo=UTC)
SERVICE = Service(2, 3, 330424, 7, 9, 1, 330424101001)


@pytest.mark.parametrize(
    ("reason", "reverses", "is_reversed", "is_own", "refusal"),
    [
        ("错", 1, True, True, "correction.own_hours"),
        ("错", 1, True, False, "correction.reason_length"),
        ("错" * 501, 1, True, False, "correction.reason_length"),
        ("错误", 1, True, False, "correction.is_reversal"),
        ("错误", None, True, False, "correction.already_reversed"),
        ("错误", None, False, False, None),
        ("错" * 500, None, False, False, None),
    ],
)
def test_an_entry_is_taken_back_or_stands(
    reason: str, reverses: int | None, is_reversed: bool, is_own: bool, refusal: str | None
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
    found = decide_reversal(Entry(2, transfer, is_reversed), reason=reason, is_own=is_own)
    assert found == refusal


NOTHING = Correction()
ROWS = [
    # reason, evidence, reversal, reversed, a service, correction | refusal
    ("错", "", True, True, False, Correction(minutes=0), "correction.own_hours"),
    ("错", "", True, True, False, Correction(minutes=0), "correction.reason_length"),
    ("错误", "表", True, True, False, Correction(minutes=0), "correction.evidence_length"),
    ("错误", "表" * 201, True, True, False, Correction(minutes=0), "correction.evidence_length"),
    ("错误", "表17", True, True, False, Correction(minutes=0), "correction.is_reversal"),
    ("错误", "表17", False, True, False, Correction(minutes=0), "correction.already_reversed"),
    ("错误", "表17", False, False, False, Correction(minutes=0), "correction.not_a_service"),
    ("错误", "表17", False, False, True, Correction(minutes=0, started_at=datetime.max.replace(tzinfo=UTC)), "correction.minutes_out_of_range"),
    ("错误", "表17", False, False, True, Correction(minutes=961), "correction.minutes_out_of_range"),
    ("错误", "表17", False, False, True, Correction(started_at=NOW + timedelta(microseconds=1)), "correction.not_yet_happened"),
    ("错误", "表17", False, False, True, NOTHING, "correction.nothing_changed"),
    ("错误", "表17", False, False, True, Correction(minutes=60, started_at=SERVED, field=ServiceField(1)), "correction.nothing_changed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "evidence", "is_reversal", "is_reversed", "is_service", "correction", "refusal"),
    ROWS,
)
def test_a_correction_is_refused_in_the_order_of_the_enum(
    reason: str,
    evidence: str,
    is_reversal: bool,
    is_reversed: bool,
    is_service: bool,
    correction: Correction,
    refusal: str,
) -> None:
    entry = Entry(2, served(1 if is_reversal else None, is_service=is_service), is_reversed)
    found = decide_correction(
        entry,
        correction,
        reason=reason,
        evidence=evidence,
        key=UUID(int=2),
        now=NOW,
        is_own=refusal == "correction.own_hours",
    )
    assert found == refusal


def test_the_rows_have_every_refusal_but_the_ledgers_own() -> None:
    assert list(dict.fromkeys(row[-1] for row in ROWS)) == [
        each.value for each in CorrectionRefusal if each is not CorrectionRefusal.SPENT
    ]


def served(reverses: int | None = None, *, is_service: bool = True) -> Transfer:
    return Transfer(
        key=UUID(int=1),
        kind=TransferKind.SERVICE if reverses is None else TransferKind.REVERSAL,
        unit=Unit.MINUTES,
        debit=1,
        credit=2,
        amount=60,
        effective_at=SERVED,
        volunteer=4,
        service=SERVICE if is_service else None,
        reverses=reverses,
    )


@pytest.mark.parametrize(
    ("correction", "amount", "started_at", "field", "measured"),
    [
        (Correction(minutes=1), 1, SERVED, 1, 0),
        (Correction(minutes=960), 960, SERVED, 1, 0),
        (Correction(started_at=NOW), 60, NOW, 1, 0),
        (Correction(field=ServiceField.TRAFFIC), 60, SERVED, 11, 3),
        (Correction(field=ServiceField.TRAFFIC, minutes=5), 5, SERVED, 11, 0),
    ],
)
def test_what_stands_instead_differs_in_what_was_corrected_alone(
    correction: Correction, amount: int, started_at: datetime, field: int, measured: int
) -> None:
    found = decide_correction(
        Entry(2, served()), correction, reason="错误", evidence="表17", key=UUID(int=2), now=NOW
    )
    assert found == served()._replace(
        key=UUID(int=2),
        amount=amount,
        effective_at=started_at,
        service=SERVICE._replace(field=field, measured=measured),
    )
