"""What a scan does, as a table: refusals in the order of the enum, then what is recorded."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.factories import BOOK, NINE, VILLAGE, ZONE

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.attendance import (
    Arrived,
    Direction,
    Left,
    Refused,
    ScanFacts,
    ScanRefusal,
    decide_scan,
    minutes_served,
    service_credit,
)
from timebank.domain.evidence import DeviceStanding, Means, ScanEvidence
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit

# The shift runs from 9 to 12 in Haiyan. A row that is refused also meets later conditions.
ROWS = [
    # signed up, cancelled, closed, arrived,  left,   code, at       | outcome
    ("no",       "yes",    "yes",  "",       "",      "L", "03:00", "scan.shift_cancelled"),
    ("yes",      "yes",    "yes",  "09:00",  "09:30", "A", "03:00", "scan.shift_cancelled"),
    ("no",       "no",     "yes",  "09:00",  "09:30", "A", "03:00", "scan.already_left"),
    ("yes",      "no",     "no",   "09:00",  "09:30", "L", "23:00", "scan.already_left"),
    ("no",       "no",     "yes",  "09:00",  "",      "A", "03:00", "scan.shift_closed"),
    ("no",       "no",     "yes",  "",       "",      "L", "23:00", "scan.shift_closed"),
    ("no",       "no",     "no",   "09:00",  "",      "A", "03:00", "scan.not_signed_up"),
    ("no",       "no",     "no",   "",       "",      "L", "23:00", "scan.not_signed_up"),
    ("yes",      "no",     "no",   "09:00",  "",      "A", "03:00", "scan.already_arrived"),
    ("yes",      "no",     "no",   "09:00",  "",      "A", "23:00", "scan.already_arrived"),
    ("yes",      "no",     "no",   "",       "",      "L", "03:00", "scan.not_arrived"),
    ("yes",      "no",     "no",   "",       "",      "L", "23:00", "scan.not_arrived"),
    ("yes",      "no",     "no",   "",       "",      "A", "08:29:59.999999", "scan.too_early"),
    ("yes",      "no",     "no",   "08:20",  "",      "L", "08:21", "scan.too_early"),
    ("yes",      "no",     "no",   "",       "",      "A", "13:00:00.000001", "scan.too_late"),
    ("yes",      "no",     "no",   "12:30",  "",      "L", "13:01", "scan.too_late"),
    ("yes",      "no",     "no",   "09:00",  "",      "L", "09:00", "scan.stay_too_short"),
    ("yes",      "no",     "no",   "09:00",  "",      "L", "09:00:59.999999", "scan.stay_too_short"),
    ("yes",      "no",     "no",   "08:40",  "",      "L", "08:50", "scan.stay_too_short"),
    ("yes",      "no",     "no",   "12:30",  "",      "L", "12:50", "scan.stay_too_short"),

    ("yes",      "no",     "no",   "",       "",      "A", "08:30", "arrived"),
    ("yes",      "no",     "no",   "",       "",      "A", "13:00", "arrived"),
    ("yes",      "no",     "no",   "09:00",  "",      "L", "09:01", "left, 1 minute from 09:00"),
    ("yes",      "no",     "no",   "09:00:30", "",    "L", "10:00:29", "left, 59 minutes from 09:00:30"),
    ("yes",      "no",     "no",   "08:40",  "",      "L", "10:00", "left, 60 minutes from 09:00"),
    ("yes",      "no",     "no",   "09:00",  "",      "L", "13:00", "left, 180 minutes from 09:00"),
    ("yes",      "no",     "no",   "08:30",  "",      "L", "13:00", "left, 180 minutes from 09:00"),
    ("yes",      "no",     "no",   "11:00",  "",      "L", "12:45", "left, 60 minutes from 11:00"),
]  # fmt: skip

FACTS = ScanFacts(
    book=BOOK,
    volunteer=5,
    shift_book=330421,
    shift=9,
    activity=7,
    field=3,
    place=VILLAGE,
    starts_at=NINE,
    ends_at=NINE + timedelta(hours=3),
    is_cancelled=False,
    closed_at=None,
    is_signed_up=True,
    arrived_at=None,
    left_at=None,
    arrival_measured=True,
    issuing_account=1,
    minutes_account=2,
)


def local(text: str) -> datetime:
    zone = ZoneInfo(ZONE)
    return datetime.combine(NINE.astimezone(zone), time.fromisoformat(text), zone)


def outcome_of(facts: ScanFacts, direction: Direction, now: datetime) -> str:
    match decide_scan(facts, direction=direction, now=now):
        case Arrived(at):
            assert at == now
            return "arrived"
        case Left(at, credit):
            assert at == now
            since = credit.effective_at.astimezone(ZoneInfo(ZONE)).time()
            plural = "" if credit.amount == 1 else "s"
            shown = since.isoformat("minutes" if since.second == 0 else "seconds")
            return f"left, {credit.amount} minute{plural} from {shown}"
        case Refused(reason):
            return reason.value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[7]} at {row[6]}")
def test_decide_scan(row: tuple[str, str, str, str, str, str, str, str]) -> None:
    signed_up, cancelled, closed, arrived, left, code, at, outcome = row
    facts = FACTS._replace(
        is_signed_up=signed_up == "yes",
        is_cancelled=cancelled == "yes",
        closed_at=local("12:00") if closed == "yes" else None,
        arrived_at=local(arrived) if arrived else None,
        left_at=local(left) if left else None,
    )
    direction = {"A": Direction.ARRIVE, "L": Direction.LEAVE}[code]

    assert outcome_of(facts, direction, local(at)) == outcome


def test_the_table_has_every_refusal_of_the_decision_in_the_order_of_the_enum() -> None:
    elsewhere = {
        ScanRefusal.FOREIGN_CODE,
        ScanRefusal.FORGED_CODE,
        ScanRefusal.EXPIRED_CODE,
        ScanRefusal.SHIFT_NOT_FOUND,
        ScanRefusal.NOT_A_VOLUNTEER,
        ScanRefusal.OWN_CODE,
        # Decided on papers and on what happened in other shifts: below.
        ScanRefusal.NOT_CLEARED,
        ScanRefusal.ELSEWHERE,
        ScanRefusal.DAY_FULL,
    }
    refused = dict.fromkeys(row[7] for row in ROWS if row[7].startswith("scan."))
    assert list(refused) == [each.value for each in ScanRefusal if each not in elsewhere]


def test_who_lacks_papers_does_not_arrive_and_who_is_there_leaves() -> None:
    facts = FACTS._replace(risks=1, is_cleared=False)
    assert outcome_of(facts, Direction.ARRIVE, NINE) == "scan.not_cleared"
    there = facts._replace(arrived_at=NINE)
    assert outcome_of(there, Direction.LEAVE, local("10:00")) == "left, 60 minutes from 09:00"


ELSEWHERE = [
    # other shift from, to, arrived, code, at | outcome
    ("08:00", "09:30", "",      "A", "13:00:01", "scan.too_late"),
    ("08:00", "09:30", "",      "A", "08:40", "scan.elsewhere"),
    ("08:00", "09:30", "",      "A", "09:29:59", "scan.elsewhere"),
    ("08:00", "09:30", "",      "A", "09:30", "arrived"),
    ("09:10", "10:00", "",      "A", "09:00", "arrived"),
    ("09:10", "10:00", "09:00", "L", "09:00:30", "scan.stay_too_short"),
    ("09:10", "10:00", "09:00", "L", "09:10", "left, 10 minutes from 09:00"),
    ("09:10", "10:00", "09:00", "L", "09:11", "scan.elsewhere"),
    ("12:00", "14:00", "09:00", "L", "12:30", "left, 180 minutes from 09:00"),
]  # fmt: skip


@pytest.mark.parametrize("row", ELSEWHERE)
def test_a_person_is_in_one_place(row: tuple[str, str, str, str, str, str]) -> None:
    since, until, arrived, code, at, outcome = row
    facts = FACTS._replace(
        elsewhere=((local(since), local(until)),), arrived_at=local(arrived) if arrived else None
    )
    direction = {"A": Direction.ARRIVE, "L": Direction.LEAVE}[code]
    assert outcome_of(facts, direction, local(at)) == outcome


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        (0, "left, 180 minutes from 09:00"),
        (300, "left, 180 minutes from 09:00"),
        (301, "left, 179 minutes from 09:00"),
        (479, "left, 1 minute from 09:00"),
        (480, "scan.day_full"),
        (500, "scan.day_full"),
    ],
)
def test_a_day_is_credited_up_to_what_the_county_says(before: int, outcome: str) -> None:
    facts = FACTS._replace(arrived_at=NINE, day_minutes=before, day_minutes_max=480)
    assert outcome_of(facts, Direction.LEAVE, local("12:00")) == outcome


def test_a_stay_becomes_one_entry_with_all_that_a_report_needs() -> None:
    arrived = FACTS._replace(arrived_at=NINE)

    left = decide_scan(arrived, direction=Direction.LEAVE, now=NINE + timedelta(hours=1))

    assert isinstance(left, Left)
    assert left.credit == Transfer(
        key=left.credit.key,
        kind=TransferKind.SERVICE,
        unit=Unit.MINUTES,
        debit=1,
        credit=2,
        amount=60,
        effective_at=NINE,
        volunteer=5,
        service=Service(
            assurance=1,
            measured=3,
            activity_book=330421,
            activity=7,
            shift=9,
            field=3,
            place=VILLAGE,
        ),
    )


def test_an_arrival_set_by_hand_is_not_measured() -> None:
    arrived = FACTS._replace(arrived_at=NINE, arrival_measured=False)

    left = decide_scan(arrived, direction=Direction.LEAVE, now=NINE + timedelta(hours=1))

    assert isinstance(left, Left)
    assert left.credit.service is not None
    assert left.credit.service.measured == Measured.DEPARTURE


@pytest.mark.parametrize(
    ("arrival", "departure", "grade"),
    [
        (Assurance.A2, Means.WALL, Assurance.A2),
        (Assurance.A1, Means.WALL, Assurance.A1),
        (Assurance.A2, Means.TYPED, Assurance.A1),
        (Assurance.A0, Means.WALL, Assurance.A0),
        (Assurance.A2, Means.CARD, Assurance.A0),
        (Assurance.A0, Means.ORGANIZER, Assurance.A3),
        (Assurance.A3, Means.CARD, Assurance.A3),
    ],
)
def test_a_credit_has_the_grade_of_its_stay(
    arrival: Assurance, departure: Means, grade: Assurance
) -> None:
    left = decide_scan(
        FACTS._replace(arrived_at=NINE, arrival_grade=arrival),
        direction=Direction.LEAVE,
        now=NINE + timedelta(hours=1),
        evidence=ScanEvidence(departure, DeviceStanding.OWN),
    )

    assert isinstance(left, Left)
    assert left.credit.service is not None
    assert left.credit.service.assurance == grade


def test_a_stay_has_one_key_whoever_ends_it_and_whenever() -> None:
    arrived = FACTS._replace(arrived_at=NINE + timedelta(minutes=3))
    keys = {
        service_credit(facts, minutes=minutes, measured=measured, assurance=assurance).key
        for facts in (arrived, arrived._replace(arrived_at=NINE, activity=8))
        for minutes in (1, 60)
        for measured in Measured
        for assurance in Assurance
    }
    others = {
        service_credit(
            arrived._replace(**{name: 99}),
            minutes=1,
            measured=Measured.BOTH,
            assurance=Assurance.A1,
        ).key
        for name in ("book", "volunteer", "shift_book", "shift", "retracted")
    }
    assert len(keys) == 1
    assert len(keys | others) == 6


def test_nobody_served_before_they_came() -> None:
    assert minutes_served(FACTS, left_at=NINE + timedelta(hours=1)) == 0


def test_the_class_of_a_record_is_told_by_its_grade_and_its_measured_ends() -> None:
    classes = {
        (grade, measured): evidence_of(grade, measured)
        for grade in Assurance
        for measured in Measured
    }
    assert {pair for pair, each in classes.items() if each is Evidence.DECLARED} == {
        (Assurance.A0, measured) for measured in Measured
    }
    assert {pair for pair, each in classes.items() if each is Evidence.SCANNED} == {
        (grade, Measured.BOTH) for grade in (Assurance.A1, Assurance.A2, Assurance.A3)
    }
