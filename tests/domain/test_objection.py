"""Whose turn it is, and why an objection, an appeal or an answer is not taken.

Each refused row also meets the conditions of those after it.
"""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from timebank.domain.correction import Correction
from timebank.domain.objection import (
    Answer,
    AnswerRefusal,
    AppealRefusal,
    ObjectionReason,
    ObjectionRefusal,
    Party,
    Step,
    StepKind,
    decide_answer,
    decide_appeal,
    decide_hearing,
    decide_objection,
    stand_of,
    standing_entry,
)
from timebank.domain.posting import Entry
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit

AT = datetime(2024, 3, 9, tzinfo=UTC)
VOLUNTEER, ORGANIZER, OFFICER = (UUID(int=number) for number in (1, 2, 3))
WHO = {
    StepKind.RAISED: VOLUNTEER,
    StepKind.APPEALED: VOLUNTEER,
    StepKind.UPHELD: OFFICER,
    StepKind.DISMISSED: OFFICER,
}


def history(*kinds: str) -> list[Step]:
    return [Step(StepKind(each), WHO.get(StepKind(each), ORGANIZER), AT) for each in kinds]


@pytest.mark.parametrize(
    ("kinds", "is_organized", "party", "days"),
    [
        (["raised"], True, Party.ORGANIZER, 10),
        (["raised"], False, Party.DISTRICT, 10),
        (["raised", "declined"], True, Party.VOLUNTEER, 10),
        (["raised", "corrected"], True, Party.VOLUNTEER, 10),
        (["raised", "taken_back"], True, Party.NOBODY, 0),
        (["raised", "declined", "appealed"], True, Party.DISTRICT, 10),
        (["raised", "appealed"], True, Party.DISTRICT, 10),
        (["raised", "declined", "appealed", "upheld"], True, Party.NOBODY, 0),
        (["raised", "declined", "appealed", "dismissed"], True, Party.NOBODY, 0),
    ],
)
def test_whose_turn_it_is(kinds: list[str], is_organized: bool, party: Party, days: int) -> None:
    stand = stand_of(history(*kinds), is_organized=is_organized)
    assert (stand.party, stand.days, stand.since) == (party, days, AT)


def entry(*, is_service: bool, is_reversal: bool, is_reversed: bool) -> Entry:
    return Entry(
        2,
        Transfer(
            key=UUID(int=1),
            kind=TransferKind.SERVICE,
            unit=Unit.MINUTES,
            debit=1,
            credit=2,
            amount=60,
            effective_at=AT,
            volunteer=4,
            service=Service(1, 3, 330424, 7, 9, 1, 330424101001) if is_service else None,
            reverses=1 if is_reversal else None,
        ),
        is_reversed,
    )


OBJECTIONS = [
    # text, service, reversal, reversed, raised, minutes | refusal
    ("短", False, True, True, True, 0, "objection.text_length"),
    ("字" * 501, False, True, True, True, 0, "objection.text_length"),
    ("少记了", False, True, True, True, 0, "objection.not_a_service"),
    ("少记了", True, True, True, True, 0, "objection.is_reversal"),
    ("少记了", True, False, True, True, 0, "objection.already_reversed"),
    ("少记了", True, False, False, True, 0, "objection.already_raised"),
    ("少记了", True, False, False, False, 0, "objection.minutes_out_of_range"),
    ("少记了", True, False, False, False, 961, "objection.minutes_out_of_range"),
    ("少记了", True, False, False, False, None, "objection.minutes_out_of_range"),
    ("少记了", True, False, False, False, 60, "objection.nothing_changed"),
    ("少记了", True, False, False, False, 90, None),
]


@pytest.mark.parametrize(
    ("text", "is_service", "is_reversal", "is_reversed", "is_raised", "minutes", "refusal"),
    OBJECTIONS,
)
def test_an_objection_is_refused_in_the_order_of_the_enum(
    text: str,
    is_service: bool,
    is_reversal: bool,
    is_reversed: bool,
    is_raised: bool,
    minutes: int | None,
    refusal: str | None,
) -> None:
    found = decide_objection(
        entry(is_service=is_service, is_reversal=is_reversal, is_reversed=is_reversed),
        reason=ObjectionReason.MINUTES,
        minutes=minutes,
        text=text,
        is_raised=is_raised,
    )
    assert found == refusal


APPEALS = [
    # steps, answer's clock over, appeal's clock over, text | refusal
    (["raised", "declined", "appealed"], False, True, "短", "appeal.text_length"),
    (["raised", "declined", "appealed"], False, True, "不同意", "appeal.already_appealed"),
    (["raised", "declined", "appealed", "dismissed"], False, True, "不同意", "appeal.already_appealed"),
    (["raised"], False, True, "没人答复", "appeal.nothing_to_appeal"),
    (["raised", "taken_back"], True, True, "不同意", "appeal.nothing_to_appeal"),
    (["raised", "declined"], True, True, "不同意", "appeal.too_late"),
    (["raised", "declined"], True, False, "不同意", None),
    (["raised", "corrected"], True, False, "不同意", None),
    (["raised"], True, True, "没人答复", None),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "answer_over", "appeal_over", "text", "refusal"), APPEALS)
def test_an_appeal_is_refused_in_the_order_of_the_enum(
    kinds: list[str], answer_over: bool, appeal_over: bool, text: str, refusal: str | None
) -> None:
    found = decide_appeal(
        history(*kinds), is_answer_over=answer_over, is_appeal_over=appeal_over, text=text
    )
    assert found == refusal


BAD = Answer(is_taking_back=True, text="短", evidence="")
UNPROVED = Answer(is_taking_back=True, text="签到表上有", evidence="表")
LOWERING = Answer(is_taking_back=True, text="签到表上没有", evidence="签到表 17")
RIGHT = Answer(correction=Correction(minutes=90), text="签到表上有", evidence="签到表 17")
DECLINED = Answer(text="签到表上没有", evidence="签到表 17")

ANSWERS = [
    # steps, person, own, answer | outcome
    (["raised", "declined"], ORGANIZER, True, BAD, "answer.own_hours"),
    (["raised", "declined"], VOLUNTEER, False, BAD, "answer.own_hours"),
    (["raised", "declined"], ORGANIZER, False, BAD, "answer.already_answered"),
    (["raised", "appealed"], ORGANIZER, False, BAD, "answer.already_answered"),
    (["raised"], ORGANIZER, False, BAD, "answer.text_length"),
    (["raised"], ORGANIZER, False, UNPROVED, "answer.evidence_length"),
    (["raised"], ORGANIZER, False, LOWERING, "answer.not_asked_for"),
    (["raised"], ORGANIZER, False, RIGHT, "corrected"),
    (["raised"], ORGANIZER, False, DECLINED, "declined"),
]


@pytest.mark.parametrize(("kinds", "person", "is_own", "answer", "outcome"), ANSWERS)
def test_an_answer_is_refused_in_the_order_of_the_enum(
    kinds: list[str], person: UUID, is_own: bool, answer: Answer, outcome: str
) -> None:
    found = decide_answer(
        history(*kinds), answer, reason=ObjectionReason.MINUTES, person=person, is_own=is_own
    )
    assert found == outcome


HEARINGS = [
    # steps, person, own, of the organization, answer | outcome
    (["raised", "declined"], OFFICER, True, True, BAD, "answer.own_hours"),
    (["raised", "declined", "appealed", "upheld"], ORGANIZER, False, True, BAD, "answer.already_answered"),
    (["raised", "declined"], ORGANIZER, False, True, BAD, "answer.not_appealed"),
    (["raised", "declined", "appealed"], ORGANIZER, False, True, BAD, "answer.same_person"),
    (["raised", "declined", "appealed"], OFFICER, False, True, BAD, "answer.own_organization"),
    (["raised", "declined", "appealed"], OFFICER, False, False, BAD, "answer.text_length"),
    (["raised", "declined", "appealed"], OFFICER, False, False, UNPROVED, "answer.evidence_length"),
    (["raised", "declined", "appealed"], OFFICER, False, False, LOWERING, "answer.not_asked_for"),
    (["raised", "declined", "appealed"], OFFICER, False, False, RIGHT, "upheld"),
    (["raised", "declined", "appealed"], OFFICER, False, False, DECLINED, "dismissed"),
    (["raised", "appealed"], OFFICER, False, False, DECLINED, "dismissed"),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "person", "is_own", "is_of", "answer", "outcome"), HEARINGS)
def test_an_appeal_is_decided_by_somebody_else(
    kinds: list[str], person: UUID, is_own: bool, is_of: bool, answer: Answer, outcome: str
) -> None:
    found = decide_hearing(
        history(*kinds),
        answer,
        reason=ObjectionReason.MINUTES,
        person=person,
        is_own=is_own,
        is_of_organization=is_of,
    )
    assert found == outcome


def test_a_record_that_is_not_mine_can_be_taken_back() -> None:
    found = decide_answer(
        history("raised"),
        LOWERING,
        reason=ObjectionReason.NOT_MINE,
        person=ORGANIZER,
        is_own=False,
    )
    assert found is StepKind.TAKEN_BACK


def test_the_entry_that_stands_is_what_was_posted_last() -> None:
    raised, declined = history("raised", "declined")
    corrected = Step(StepKind.CORRECTED, ORGANIZER, AT, replacement=9)
    assert standing_entry(4, [raised, declined]) == 4
    assert standing_entry(4, [raised, corrected]) == 9


def test_the_rows_have_every_refusal() -> None:
    seen = {row[-1] for row in (*OBJECTIONS, *APPEALS, *ANSWERS, *HEARINGS)}
    wanted = {
        each.value for enum in (ObjectionRefusal, AppealRefusal, AnswerRefusal) for each in enum
    }
    # The clock of the organization is the use case's to ask.
    assert wanted - seen == {AnswerRefusal.NOT_YET_DUE.value}
