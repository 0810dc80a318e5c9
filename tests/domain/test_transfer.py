"""A deed's key: the same for the same deed, another for another, sorted by when it happened."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.transfer import service_key

NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PARTS = st.lists(st.integers(0, 10**9) | st.text("abc:1", max_size=3), min_size=1, max_size=4)


def test_a_key_is_the_one_that_another_tool_makes() -> None:
    # printf '%012x' of the milliseconds, then sha256sum of the parts joined by \x1f; stored for ever.
    assert service_key(NINE, "service", 330424, 1, 330424, 9) == UUID(
        "018dfcac-ce80-86e5-9dd4-651ab1ab4392"
    )


@given(INSTANTS, PARTS)
def test_a_key_is_a_uuid_that_others_can_read(at: datetime, parts: list[object]) -> None:
    key = service_key(at, *parts)
    assert (key.version, key.variant) == (8, RFC_4122)
    assert key == service_key(at.astimezone(timezone(timedelta(hours=8))), *parts)


@given(INSTANTS, INSTANTS, PARTS, PARTS)
def test_keys_sort_by_when_the_deed_was_done(
    one: datetime, two: datetime, parts: list[object], others: list[object]
) -> None:
    if abs(one - two) > timedelta(milliseconds=1):
        assert (service_key(one, *parts) < service_key(two, *others)) == (one < two)


@given(INSTANTS, PARTS, PARTS)
def test_other_parts_make_another_key(
    at: datetime, parts: list[object], others: list[object]
) -> None:
    same = list(map(str, parts)) == list(map(str, others))
    assert (service_key(at, *parts) == service_key(at, *others)) == same
