"""A code and a receipt prove what this server showed and read, for as long as they may."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timebank.domain.attendance import Direction, ScanRefusal
from timebank.domain.qr import (
    RECEIPT_LIFETIME,
    Scan,
    make_code,
    make_receipt,
    read_code,
    read_receipt,
    seconds_left,
)

KEY = bytes(range(32))
SHOWN = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
NONCE = bytes.fromhex("a0a1a2a3a4a5a6a7")

# Made by openssl dgst -sha256 -mac HMAC, xxd and base64 from the layout in the module's docstrings.
ARRIVE = "AgAFCrgAAAAJCjA_aJZEZdOWrcHe"
LEAVE = "AwAFCrgAAAAJCjA_aP_BPvPcI75z"
RECEIPT = "AwAFCrgAAAAJAAYSowMKdJCgoaKjpKWmp7G4YJDv57I5"


def code(direction: Direction = Direction.ARRIVE, *, now: datetime = SHOWN) -> str:
    return make_code(master_key=KEY, shift_book=330424, shift=9, direction=direction, now=now)


def read(text: str, *, after: float = 0, key: bytes = KEY) -> Scan | ScanRefusal:
    return read_code(text, master_key=key, now=SHOWN + timedelta(seconds=after))


def flipped(text: str) -> list[str]:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return [
        base64.urlsafe_b64encode(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
        .rstrip(b"=")
        .decode()
        for place in range(len(data))
        for bit in range(8)
    ]


def test_codes_are_those_that_another_tool_makes() -> None:
    assert (code(), code(Direction.LEAVE)) == (ARRIVE, LEAVE)


def test_a_receipt_is_the_one_that_another_tool_makes() -> None:
    at = SHOWN + timedelta(milliseconds=250)
    scan = Scan(330424, 9, Direction.LEAVE, at)
    assert make_receipt(scan, master_key=KEY, nonce=NONCE) == RECEIPT


@pytest.mark.parametrize("direction", Direction)
def test_a_code_proves_its_shift_and_direction(direction: Direction) -> None:
    assert read(code(direction), after=4) == Scan(
        330424, 9, direction, SHOWN + timedelta(seconds=4)
    )


@pytest.mark.parametrize(
    ("after", "is_accepted"),
    [(-0.001, False), (0, True), (9.9, True), (12, True), (12.999, True), (13, False), (14, False), (3600, False)],
)  # fmt: skip
def test_a_code_is_accepted_for_thirteen_seconds(after: float, is_accepted: bool) -> None:
    answer = read(ARRIVE, after=after)
    assert isinstance(answer, Scan) if is_accepted else answer is ScanRefusal.EXPIRED_CODE


def test_a_code_changes_every_ten_seconds() -> None:
    shown = [code(now=SHOWN + timedelta(seconds=second)) for second in range(30)]
    assert len(set(shown)) == 3
    assert shown[0] == shown[9] != shown[10]
    assert [seconds_left(SHOWN + timedelta(seconds=second)) for second in (0, 1, 9, 10)] == [10, 9, 1, 10]  # fmt: skip


def test_every_flipped_bit_of_a_code_is_refused() -> None:
    answers = [read(text) for text in flipped(ARRIVE)]
    assert set(answers) == {ScanRefusal.FORGED_CODE, ScanRefusal.FOREIGN_CODE}
    # Only the bits of the version make a text a foreign one.
    assert answers.count(ScanRefusal.FOREIGN_CODE) == 7


def test_every_flipped_bit_of_a_receipt_is_refused() -> None:
    answers = [read_receipt(text, master_key=KEY, now=SHOWN) for text in flipped(RECEIPT)]
    assert set(answers) == {ScanRefusal.FORGED_CODE, ScanRefusal.FOREIGN_CODE}
    # One bit of the first byte says that digits were typed: to change it is to forge.
    assert answers.count(ScanRefusal.FOREIGN_CODE) == 6


def test_another_servers_code_is_forged_here() -> None:
    assert read(ARRIVE, key=KEY[::-1]) is ScanRefusal.FORGED_CODE
    assert read_receipt(RECEIPT, master_key=KEY[::-1], now=SHOWN) is ScanRefusal.FORGED_CODE


def test_one_shifts_code_is_no_other_shifts() -> None:
    mac = base64.urlsafe_b64decode(ARRIVE)[13:]
    other = make_code(
        master_key=KEY, shift_book=330424, shift=10, direction=Direction.ARRIVE, now=SHOWN
    )
    body = base64.urlsafe_b64decode(other)[:13]
    assert read(base64.urlsafe_b64encode(body + mac).decode()) is ScanRefusal.FORGED_CODE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        ARRIVE[:-1],
        ARRIVE + "A",
        ARRIVE[:-1] + "=",
        ARRIVE[:-1] + " ",
        ARRIVE[:-1] + "\n",
        ARRIVE[:-1] + "é",
        ARRIVE[:-1] + "١",
        ARRIVE.replace("_", "/"),
        "https://example.org/?c=" + ARRIVE,
        "wxp://f2f0AAAAAAAAAAAAAAAAAA",
        RECEIPT,
        "A" * 10_000,
    ],
)
def test_a_text_that_is_no_code_of_ours_is_foreign(text: str) -> None:
    assert read(text) is ScanRefusal.FOREIGN_CODE


@given(st.text(max_size=50) | st.text("AZaz09-_", min_size=28, max_size=28))
def test_no_text_is_accepted_or_breaks_the_reader(text: str) -> None:
    assert isinstance(read(text), ScanRefusal)
    assert isinstance(read_receipt(text, master_key=KEY, now=SHOWN), ScanRefusal)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from(Direction),
    st.datetimes(datetime(2020, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.binary(min_size=8, max_size=8),
)
@settings(max_examples=50)
def test_whatever_is_written_is_read_back(
    book: int, shift: int, direction: Direction, at: datetime, nonce: bytes
) -> None:
    shown = make_code(master_key=KEY, shift_book=book, shift=shift, direction=direction, now=at)
    scan = read_code(shown, master_key=KEY, now=at)
    assert scan == Scan(book, shift, direction, at)

    receipt = make_receipt(scan, master_key=KEY, nonce=nonce)
    assert read_receipt(receipt, master_key=KEY, now=at + timedelta(minutes=9)) == scan
    typed = scan._replace(is_typed=True)
    receipt = make_receipt(typed, master_key=KEY, nonce=nonce)
    assert read_receipt(receipt, master_key=KEY, now=at) == typed


@pytest.mark.parametrize(("after", "is_accepted"), [(0, True), (600, True), (601, False)])
def test_a_receipt_waits_ten_minutes(after: float, is_accepted: bool) -> None:
    scan = Scan(330424, 9, Direction.ARRIVE, SHOWN)
    receipt = make_receipt(scan, master_key=KEY, nonce=NONCE)
    answer = read_receipt(receipt, master_key=KEY, now=SHOWN + timedelta(seconds=after))
    assert answer == (scan if is_accepted else ScanRefusal.EXPIRED_CODE)
    assert timedelta(minutes=10) == RECEIPT_LIFETIME


def test_two_receipts_of_one_moment_differ() -> None:
    scan = Scan(330424, 9, Direction.ARRIVE, SHOWN)
    one, two = (make_receipt(scan, master_key=KEY, nonce=bytes([n] * 8)) for n in range(2))
    assert one != two


def test_a_receipt_needs_a_nonce() -> None:
    with pytest.raises(ValueError, match="nonce"):
        make_receipt(Scan(1, 1, Direction.ARRIVE, SHOWN), master_key=KEY, nonce=b"short")
