"""A row has one binary form, and its commitment opens to nothing else."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.transfer import Service, Transfer
from timebank.trust import leaf, merkle

BOOK = 330424
AT = datetime(2024, 3, 2, 1, 0, 0, 250, tzinfo=UTC)
SALT = bytes(range(32))

longs, shorts = st.integers(-(2**63), 2**63 - 1), st.integers(-(2**15), 2**15 - 1)
instants = st.integers(-(2**51), 2**52).map(lambda each: AT + timedelta(microseconds=each))
services = st.builds(
    Service,
    assurance=shorts,
    measured=shorts,
    activity_book=st.none() | st.integers(-(2**31), 2**31 - 1),
    activity=st.none() | longs,
    shift=st.none() | longs,
    field=shorts,
    place=longs,
)
transfers = st.builds(
    Transfer,
    key=st.uuids(),
    kind=shorts,
    unit=shorts,
    debit=longs,
    credit=longs,
    amount=longs,
    effective_at=instants,
    volunteer=st.none() | longs,
    service=st.none() | services,
    reverses=st.none() | longs,
)
PLAIN = Transfer(UUID(int=1), 4, 2, 3, 4, 60, AT)


def row(transfer: Transfer = PLAIN, *, seq: int = 7) -> bytes:
    return leaf.encode_row(book=BOOK, seq=seq, recorded_at=AT, transfer=transfer)


def test_a_row_is_the_bytes_that_its_form_says() -> None:
    # Written by hand from the form that the module describes: stored for ever, so it may not move.
    service = Service(1, 3, BOOK, 7, None, 2, 330424001001)
    made = row(PLAIN._replace(volunteer=5, service=service))
    at = 1_709_341_200_000_250
    expected = "007d" + "01" + "01" + f"{BOOK:08x}{7:016x}{at:016x}"
    expected += "00000000000000000000000000000001" + "0004" + "0002"
    expected += f"{3:016x}{4:016x}{60:016x}{at:016x}"
    expected += f"{0b001111:02x}" + f"{5:016x}" + "0001" + "0003"
    expected += f"{BOOK:08x}{7:016x}{0:016x}" + "0002" + f"{330424001001:016x}{0:016x}"
    assert made.hex() == expected


@given(transfers, instants)
def test_a_row_tells_all_of_its_entry(transfer: Transfer, recorded_at: datetime) -> None:
    made = leaf.encode_row(book=BOOK, seq=7, recorded_at=recorded_at, transfer=transfer)
    assert leaf.decode_row(made) == leaf.Row(BOOK, 7, recorded_at, transfer)


@given(transfers, st.integers(0, 8 * 127 - 1))
def test_every_flipped_bit_of_a_row_is_another_entry_or_none(transfer: Transfer, bit: int) -> None:
    made = row(transfer)
    changed = bytearray(made)
    changed[bit // 8] ^= 1 << bit % 8
    assert leaf.commitment(bytes(changed), salt=SALT) != leaf.commitment(made, salt=SALT)
    try:
        other = leaf.decode_row(bytes(changed))
    except leaf.RowMalformedError:
        return
    assert other != leaf.decode_row(made)


@pytest.mark.parametrize("data", [b"", row()[:-1], row() + b"\0", b"\0\0" + row()[2:]])
def test_what_is_no_row_is_refused(data: bytes) -> None:
    with pytest.raises(leaf.RowMalformedError):
        leaf.decode_row(data)


def test_a_batch_is_committed_as_each_entry_is() -> None:
    secrets = [(bytes([n]) * 32, bytes([n + 1]) * 32) for n in range(3)]
    many = [PLAIN._replace(amount=n + 1) for n in range(3)]
    made = leaf.commit_batch(many, book=BOOK, first_seq=7, recorded_at=AT, secrets=secrets)

    for place, (transfer, (debit, credit)) in enumerate(zip(many, secrets, strict=True)):
        seq = 7 + place
        salt = leaf.salt(book=BOOK, seq=seq, debit_secret=debit, credit_secret=credit)
        assert made[place] == leaf.commitment(row(transfer, seq=seq), salt=salt)
        assert made[place] == hashlib.sha256(salt + row(transfer, seq=seq)).digest()

    leaves = list(leaf.leaves_of(made, book=BOOK, first_seq=7, recorded_at=AT))
    assert leaves == [
        leaf.encode_leaf(book=BOOK, seq=7 + n, recorded_at=AT, commitment=each)
        for n, each in enumerate(made)
    ]
    assert {len(each) for each in leaves} == {leaf.LEAF_BYTES}
    hashes = leaf.hashes_of(made, book=BOOK, first_seq=7, recorded_at=AT)
    assert hashes == [merkle.leaf_hash(each) for each in leaves]


def test_salts_differ_by_secret_book_and_entry() -> None:
    one, two = bytes(32), bytes([1]) * 32
    made = {
        leaf.salt(book=book, seq=seq, debit_secret=debit, credit_secret=credit)
        for book in (1, 2)
        for seq in (1, 2)
        for debit, credit in ((one, two), (two, one), (one, one))
    }
    assert len(made) == 12
