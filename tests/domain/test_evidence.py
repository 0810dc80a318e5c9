"""Which grade a reading has and which flags it raises; nobody is sent away for either."""

import pytest

from timebank.domain.assurance import Assurance, grade_stay
from timebank.domain.evidence import (
    DeviceStanding,
    Means,
    ScanEvidence,
    ScanFlag,
    Whereabouts,
    flags_of,
    grade_end,
)

ROWS = [
    # means,     device,     place,    late | grade, flags
    ("wall",      "none",     "",        "",     0o1, ""),
    ("wall",      "own",      "",        "",     0o2, ""),
    ("wall",      "own",      "within",  "",     0o2, ""),
    ("wall",      "none",     "within",  "",     0o1, ""),
    ("wall",      "own",      "outside", "",     0o1, "elsewhere"),
    ("wall",      "none",     "outside", "",     0o1, "elsewhere"),
    ("wall",      "own",      "",        "late", 0o1, ""),
    ("wall",      "others",   "",        "",     0o0, "shared_device"),
    ("wall",      "others",   "outside", "late", 0o0, "shared_device elsewhere"),
    ("wall",      "unproved", "",        "",     0o1, "unproved_device"),
    ("typed",     "own",      "within",  "",     0o1, ""),
    ("typed",     "others",   "",        "",     0o0, "shared_device"),
    ("kiosk",     "own",      "",        "",     0o2, ""),
    ("kiosk",     "none",     "",        "",     0o1, ""),
    ("card",      "own",      "within",  "",     0o0, ""),
    ("card",      "none",     "",        "",     0o0, ""),
    ("organizer", "none",     "",        "",     0o3, ""),
    ("organizer", "others",   "outside", "late", 0o3, ""),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(map(str, row[:4])))
def test_a_reading_is_graded_by_how_it_was_made(row: tuple[str, str, str, str, int, str]) -> None:
    means, device, place, late, grade, raised = row
    evidence = ScanEvidence(Means(means), DeviceStanding(device), Whereabouts(place), bool(late))

    assert grade_end(evidence) == grade
    assert flags_of(evidence) == tuple(ScanFlag(f"flag.{each}") for each in raised.split())


def test_the_table_has_every_means_standing_and_flag() -> None:
    assert {row[0] for row in ROWS} == {each.value for each in Means}
    assert {row[1] for row in ROWS} == {each.value for each in DeviceStanding}
    assert {row[2] for row in ROWS} == {each.value for each in Whereabouts}
    raised = {f"flag.{each}" for row in ROWS for each in row[5].split()}
    assert raised == {each.value for each in ScanFlag}


@pytest.mark.parametrize("arrival", Assurance)
@pytest.mark.parametrize("departure", Assurance)
def test_a_stay_is_as_good_as_its_weaker_end_unless_somebody_was_there(
    arrival: Assurance, departure: Assurance
) -> None:
    grade = grade_stay(arrival, departure)
    assert grade is grade_stay(departure, arrival)
    if Assurance.A3 in (arrival, departure):
        assert grade is Assurance.A3
    else:
        assert grade <= arrival
        assert grade in (arrival, departure)
