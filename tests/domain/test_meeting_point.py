"""A point lies on earth, or it is none."""

import pytest

from timebank.domain.meeting_point import MeetingPoint, parse_point


@pytest.mark.parametrize(
    ("latitude", "longitude", "point"),
    [
        ("30.523600", "120.943700", MeetingPoint(30.5236, 120.9437)),
        ("-90", "180", MeetingPoint(-90, 180)),
        ("", "", None),
        ("90.1", "0", None),
        ("0", "-180.1", None),
        ("nan", "0", None),
        ("inf", "0", None),
        ("30,5", "120", None),
    ],
)
def test_what_a_browser_sends(latitude: str, longitude: str, point: MeetingPoint | None) -> None:
    assert parse_point(latitude, longitude) == point


def test_a_point_has_an_extent() -> None:
    with pytest.raises(ValueError, match="earth"):
        MeetingPoint(0, 0, 0)
