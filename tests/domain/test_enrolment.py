"""Who can be enrolled and who can move: each refused row also meets later conditions."""

from datetime import date

import pytest

from timebank.domain.enrolment import Moved, MoveRefused, decide_enrolment, decide_move
from timebank.domain.region import Level

ENROLMENTS = [
    # name   level   open   enrolled | outcome
    ("", None, False, True, "enrolment.name_length"),
    ("张" * 51, None, False, True, "enrolment.name_length"),
    ("张三", None, False, True, "enrolment.village_unknown"),
    ("张三", Level.TOWN, False, True, "enrolment.village_unknown"),
    ("张三", Level.VILLAGE, False, True, "enrolment.county_not_open"),
    ("张三", Level.VILLAGE, True, True, "enrolment.already_enrolled"),
    ("张", Level.VILLAGE, True, False, None),
    ("张" * 50, Level.VILLAGE, True, False, None),
]


@pytest.mark.parametrize(("name", "level", "is_open", "is_enrolled", "reason"), ENROLMENTS)
def test_somebody_is_enrolled_or_refused(
    name: str, level: Level | None, is_open: bool, is_enrolled: bool, reason: str | None
) -> None:
    decision = decide_enrolment(
        name=name, village_level=level, is_open=is_open, is_enrolled=is_enrolled
    )
    assert decision == reason


APRIL = date(2024, 4, 1)
MOVES = [
    # village       level          from day          | outcome
    (330402001001, None, date(2024, 3, 31), "move.village_unknown"),
    (330402001001, Level.VILLAGE, date(2024, 3, 31), "move.other_county"),
    (330424101001, Level.VILLAGE, date(2024, 3, 31), "move.too_early"),
    (330424101001, Level.VILLAGE, APRIL, None),
]


@pytest.mark.parametrize(("village", "level", "from_on", "reason"), MOVES)
def test_a_home_moves_or_stays(
    village: int, level: Level | None, from_on: date, reason: str | None
) -> None:
    decision = decide_move(
        book=330424,
        village=village,
        village_level=level,
        newest_from_on=APRIL,
        from_on=from_on,
    )
    if isinstance(decision, MoveRefused):
        assert decision.reason == reason
    else:
        assert reason is None
        assert decision == Moved(village, from_on)
