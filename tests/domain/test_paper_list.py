"""A line of paper is read as people write, and decided by the checks of any other record."""

from datetime import UTC, datetime, time, timedelta

import pytest

from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance, Measured
from timebank.domain.attendance import ScanFacts
from timebank.domain.clearance import Requirement
from timebank.domain.closing import Departure
from timebank.domain.paper_list import (
    PaperFacts,
    PaperLine,
    PaperRefusal,
    WrittenLine,
    decide_line,
    parse_line,
    repeated,
)

NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
TWELVE = NINE + timedelta(hours=3)
WANG = VolunteerId(330424, 7)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("13800000000", WrittenLine("13800000000", None, None)),
        ("13800000000 9:05 11:30", WrittenLine("13800000000", time(9, 5), time(11, 30))),
        ("330424000001234\t0905\t1130", WrittenLine("330424000001234", time(9, 5), time(11, 30))),
        (
            "１３８００００００００，９：０５—１１：３０",
            WrittenLine("13800000000", time(9, 5), time(11, 30)),
        ),
        ("13800000000 9点05分 到 11点30", WrittenLine("13800000000", time(9, 5), time(11, 30))),
        ("  13800000000、905、1130  ", WrittenLine("13800000000", time(9, 5), time(11, 30))),
        ("王小芳 9:00 11:30", None),
        ("13800000000 9:00", None),
        ("13800000000 25:00 26:00", None),
        ("13800000000 9:00 11:30 12:00", None),
        ("", None),
    ],
)
def test_lines_are_read_as_people_write_them(text: str, read: WrittenLine | None) -> None:
    assert parse_line(text) == read


def facts(**changes: object) -> ScanFacts:
    values: dict[str, object] = {
        "book": 330424,
        "volunteer": 7,
        "shift_book": 330424,
        "shift": 1,
        "activity": 1,
        "field": 1,
        "place": 330424101001,
        "starts_at": NINE,
        "ends_at": TWELVE,
        "is_cancelled": False,
        "closed_at": None,
        "is_signed_up": False,
        "arrived_at": None,
        "left_at": None,
        "arrival_measured": False,
        "issuing_account": 1,
        "minutes_account": 2,
    }
    return ScanFacts(**(values | changes))


# Each refused row also meets what would be refused later.
ROWS = [
    # arrived, left, known, repeated, scan, own, elsewhere or missing, now | outcome
    (None, 150, True, True, {"is_cancelled": True}, True, True, 180, "paper.line_unreadable"),
    (0, 150, False, True, {}, True, True, 180, "paper.volunteer_unknown"),
    (0, 150, True, True, {"is_cancelled": True}, True, True, 180, "paper.line_repeated"),
    (0, 150, True, False, {"is_cancelled": True, "closed_at": TWELVE}, True, True, 180, "paper.shift_cancelled"),
    (0, 150, True, False, {"closed_at": TWELVE, "left_at": TWELVE}, True, True, 180, "paper.shift_closed"),
    (0, 150, True, False, {"arrived_at": NINE, "left_at": TWELVE}, True, True, 180, "paper.own_hours"),
    (0, 150, True, False, {"arrived_at": NINE, "left_at": TWELVE}, False, True, 180, "paper.already_recorded"),
    (0, 200, True, False, {"arrived_at": NINE}, False, True, 100, "paper.arrived_by_code"),
    (0, 200, True, False, {}, False, True, 199, "paper.in_future"),
    (-1, 150, True, False, {}, False, True, 300, "paper.outside_shift"),
    (0, 181, True, False, {}, False, True, 300, "paper.outside_shift"),
    (90, 60, True, False, {}, False, True, 300, "paper.outside_shift"),
    (60, 60, True, False, {}, False, True, 300, "paper.elsewhere"),
    (60, 60, True, False, {}, False, tuple(Requirement), 300, "paper.minor_in_rescue"),
    (60, 60, True, False, {}, False, tuple(Requirement)[1:], 300, "paper.age_unknown"),
    (60, 60, True, False, {}, False, tuple(Requirement)[2:], 300, "paper.no_consent"),
    (60, 60, True, False, {}, False, tuple(Requirement)[3:], 300, "paper.no_agreement"),
    (60, 60, True, False, {}, False, tuple(Requirement)[4:], 300, "paper.no_insurance"),
    (60, 60, True, False, {}, False, tuple(Requirement)[5:], 300, "paper.no_training"),
    (60, 60, True, False, {}, False, False, 300, "paper.stay_too_short"),
    (0, 180, True, False, {"day_minutes_max": 480, "day_minutes": 480}, False, False, 180, "paper.day_full"),
    (0, 180, True, False, {}, False, False, 180, 180),
    (61, 150, True, False, {"is_signed_up": True}, False, False, 150, 89),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arrived", "left", "known", "is_repeated", "scan", "own", "elsewhere", "now", "outcome"), ROWS
)
def test_a_line_is_decided_as_any_other_record(
    arrived: int | None,
    left: int,
    known: bool,
    is_repeated: bool,
    scan: dict[str, object],
    own: bool,
    elsewhere: bool | tuple[Requirement, ...],
    now: int,
    outcome: str | int,
) -> None:
    def minute(number: int) -> datetime:
        return NINE + timedelta(minutes=number)

    missing = elsewhere if isinstance(elsewhere, tuple) else ()
    line = PaperLine("7", WANG, None if arrived is None else minute(arrived), minute(left))
    decided = decide_line(
        line,
        PaperFacts(facts(**scan), own, is_repeated, elsewhere is True, missing) if known else None,
        now=minute(now),
    )
    if isinstance(decided, PaperRefusal):
        assert decided.value == outcome
        return
    assert isinstance(decided, Departure)
    service = decided.credit.service
    assert service is not None
    assert decided.credit.amount == outcome
    assert (service.assurance, service.measured) == (Assurance.A0, Measured.NEITHER)


def test_every_refusal_is_in_the_table_in_its_order() -> None:
    codes = [row[-1] for row in ROWS if isinstance(row[-1], str)]
    assert list(dict.fromkeys(codes)) == [each.value for each in PaperRefusal]


def test_the_second_line_of_a_volunteer_repeats_the_first() -> None:
    other = VolunteerId(330424, 8)
    assert repeated([WANG, None, other, WANG, None]) == [False, False, False, True, False]
