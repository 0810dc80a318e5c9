"""Numbers are recognised however they are typed, and shown with their middle hidden."""

import pytest

from timebank.domain.phone import parse_phone


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800000001", "13800000001"),
        (" 138 0000 0001\t", "13800000001"),
        ("138-0000-0001", "13800000001"),
        ("+86 138 0000 0001", "13800000001"),
        ("+8613800000001", "13800000001"),
        ("008613800000001", "13800000001"),
        ("１３８０００００００１", "13800000001"),
        ("＋86 138—0000—0001", "13800000001"),
        ("19900000001", "19900000001"),
        ("12800000001", None),
        ("8613800000001", None),
        ("1380000000", None),
        ("138000000011", None),
        ("+1 3800000001", None),
        ("١٣٨٠٠٠٠٠٠٠١", None),
        ("\ud80013800000001", None),
        ("", None),
    ],
)
def test_a_number_is_recognised(text: str, phone: str | None) -> None:
    assert parse_phone(text) == phone
