"""What an organizer's departure credits: each refused row also meets later conditions."""

from datetime import UTC, datetime, timedelta

import pytest

from timebank.domain.activity import Forgotten
from timebank.domain.attendance import ScanFacts
from timebank.domain.closing import Departure, decide_closing, decide_departure, decide_forgotten

STARTS = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
ENDS = STARTS + timedelta(hours=3)


def instant(text: str) -> datetime | None:
    """An instant of the morning in Haiyan, where the shift runs from 09:00 to 12:00."""
    if not text:
        return None
    hour, minute = text.split(":")
    return datetime(2024, 3, 2, int(hour) - 8, int(minute), tzinfo=UTC)


ROWS = [
    # arrived  left     own   departure | outcome
    ("", "", True, "08:00", "closing.not_arrived"),
    ("09:30", "10:00", True, "08:00", "closing.already_left"),
    ("09:30", "", True, "08:00", "closing.own_hours"),
    ("09:30", "", False, "09:29", "closing.outside_stay"),
    ("09:30", "", False, "12:01", "closing.outside_stay"),
    ("08:40", "", False, "08:50", "closing.stay_too_short"),
    ("09:30", "", False, "09:30", "closing.stay_too_short"),
    ("12:30", "", False, "12:40", "closing.outside_stay"),
    ("09:30", "", False, "09:31", 1),
    ("08:40", "", False, "12:00", 180),
]


@pytest.mark.parametrize(("arrived", "left", "is_own", "at", "outcome"), ROWS)
def test_a_departure_credits_or_is_refused(
    arrived: str, left: str, is_own: bool, at: str, outcome: object
) -> None:
    set_at = instant(at)
    assert set_at is not None

    decision = decide_departure(
        facts(arrived_at=instant(arrived), left_at=instant(left)), is_own=is_own, at=set_at
    )

    if isinstance(decision, Departure):
        assert decision.credit.amount == outcome
        assert decision.at == set_at
    else:
        assert decision == outcome


@pytest.mark.parametrize(
    ("arrival_measured", "assurance", "measured"), [(True, 1, 1), (False, 0, 0)]
)
def test_the_evidence_says_which_end_was_measured(
    arrival_measured: bool, assurance: int, measured: int
) -> None:
    decision = decide_departure(
        facts(arrived_at=STARTS, arrival_measured=arrival_measured), is_own=False, at=ENDS
    )

    assert isinstance(decision, Departure)
    assert decision.credit.service is not None
    assert decision.credit.service[:2] == (assurance, measured)


def test_nobody_is_not_there() -> None:
    assert decide_departure(None, is_own=False, at=ENDS) == "closing.not_arrived"


@pytest.mark.parametrize(
    ("is_cancelled", "arrivals", "now", "reason"),
    [
        (True, 0, STARTS, "closing.cancelled"),
        (True, 1, STARTS, "closing.not_ended"),
        (False, 0, ENDS - timedelta(seconds=1), "closing.not_ended"),
        (True, 1, ENDS, None),
        (False, 0, ENDS, None),
    ],
)
def test_a_shift_is_closed_when_it_is_over(
    is_cancelled: bool, arrivals: int, now: datetime, reason: str | None
) -> None:
    decision = decide_closing(is_cancelled=is_cancelled, arrivals=arrivals, ends_at=ENDS, now=now)
    assert decision == reason


@pytest.mark.parametrize(
    ("forgotten", "is_own", "is_waived", "outcome"),
    [
        (Forgotten.REVIEW, True, True, "closing.own_hours"),
        (Forgotten.END_OF_SHIFT, True, False, "closing.own_hours"),
        (Forgotten.REVIEW, False, True, None),
        (Forgotten.END_OF_SHIFT, False, True, None),
        (Forgotten.ZERO, False, False, None),
        (Forgotten.REVIEW, False, False, "closing.undecided"),
    ],
)
def test_a_forgotten_departure_is_what_was_published(
    forgotten: Forgotten, is_own: bool, is_waived: bool, outcome: str | None
) -> None:
    found = decide_forgotten(
        facts(arrived_at=STARTS), forgotten=forgotten, is_own=is_own, is_waived=is_waived
    )
    assert found == outcome


def test_the_end_of_the_shift_is_credited_as_confirmed_on_the_arrival_alone() -> None:
    rule = {"forgotten": Forgotten.END_OF_SHIFT, "is_own": False, "is_waived": False}
    found = decide_forgotten(facts(arrived_at=STARTS + timedelta(minutes=30)), **rule)  # type: ignore[arg-type]
    assert isinstance(found, Departure)
    assert found.at == ENDS
    assert found.credit.amount == (ENDS - STARTS) // timedelta(minutes=1) - 30
    assert found.credit.service is not None
    assert found.credit.service[:2] == (1, 1)
    # Whoever came when it was over has nothing to be credited.
    assert decide_forgotten(facts(arrived_at=ENDS), **rule) is None  # type: ignore[arg-type]


def facts(
    *,
    arrived_at: datetime | None,
    left_at: datetime | None = None,
    arrival_measured: bool = True,
) -> ScanFacts:
    return ScanFacts(
        book=330424,
        volunteer=1,
        shift_book=330424,
        shift=1,
        activity=1,
        field=1,
        place=330424101001,
        starts_at=STARTS,
        ends_at=ENDS,
        is_cancelled=False,
        closed_at=None,
        is_signed_up=True,
        arrived_at=arrived_at,
        left_at=left_at,
        arrival_measured=arrival_measured,
        issuing_account=1,
        minutes_account=2,
    )
