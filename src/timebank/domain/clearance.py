"""What must be there before somebody may serve: age, consent, agreement, insurance, training.

Which of them a shift asks for follows from what its activity is, never from who organizes it.

Source: State Council Decree 685 (2017), articles 16 and 17 (age and health, training, insurance);
Zhejiang volunteer service regulation (2018): guardians consent for minors, minors take no part in
rescue, and the cases in which an agreement is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntFlag, StrEnum
from uuid import UUID

MAJORITY_YEARS = 18
"""Who is younger is a minor. Source: Civil Code, article 17."""

COURSE_LENGTH_MAX = 80
"""The longest name of a course: one line of a certificate."""

NUMBER_LENGTH_MIN = 4
NUMBER_LENGTH_MAX = 60
"""Between these lies the number of an insurance policy."""

GUARDIAN_LENGTH_MAX = 50
"""The longest name of a guardian."""

TRAINING_MINUTES_MAX = 1_440
"""The longest course of one day; a longer one is recorded day by day."""

INSURED_DAYS_MAX = 1_100
"""The longest policy: three years; beyond it, it is a typing error."""


class Risk(IntFlag):
    """What an activity is, as it was published; several at once."""

    DANGEROUS = 1
    FOREIGN = 2
    OVER_A_MONTH = 4
    LARGE_EVENT = 8
    OUTSIDE_PROVINCE = 16
    RESCUE = 32

    @property
    def code(self) -> str:
        """The stable name of a single one."""
        return (self.name or "").lower()


NO_RISK = Risk(0)
"""An activity like most: nothing but the consent for minors is asked for."""


class Requirement(StrEnum):
    """What may be missing, in the order in which it is named."""

    ADULT = "adult"
    AGE = "age"
    CONSENT = "consent"
    AGREEMENT = "agreement"
    INSURANCE = "insurance"
    TRAINING = "training"


ASKED: dict[Risk, frozenset[Requirement]] = {
    Risk.DANGEROUS: frozenset(
        {Requirement.AGE, Requirement.AGREEMENT, Requirement.INSURANCE, Requirement.TRAINING}
    ),
    Risk.FOREIGN: frozenset({Requirement.AGREEMENT}),
    Risk.OVER_A_MONTH: frozenset({Requirement.AGREEMENT}),
    Risk.LARGE_EVENT: frozenset({Requirement.AGREEMENT}),
    Risk.OUTSIDE_PROVINCE: frozenset({Requirement.AGREEMENT, Requirement.INSURANCE}),
    Risk.RESCUE: frozenset(
        {Requirement.ADULT, Requirement.AGE, Requirement.INSURANCE, Requirement.TRAINING}
    ),
}
"""What each kind of activity asks of everybody. Minors need consent for any."""


class ConsentKind(StrEnum):
    """How a guardian agreed."""

    SIGNED_FORM = "signed_form"
    IN_PERSON = "in_person"
    BY_PHONE = "by_phone"


class PaperworkRefusal(StrEnum):
    """Why a consent, policy or course was not recorded, in order of precedence."""

    OWN = "paperwork.own"
    AGE_FIXED = "paperwork.age_fixed"
    MONTH = "paperwork.month"
    NOT_A_MINOR = "paperwork.not_a_minor"
    GUARDIAN_NAME = "paperwork.guardian_name"
    GUARDIAN_PHONE = "paperwork.guardian_phone"
    NUMBER_LENGTH = "paperwork.number_length"
    DAYS = "paperwork.days"
    COURSE_LENGTH = "paperwork.course_length"
    MINUTES = "paperwork.minutes"
    NOT_YET = "paperwork.not_yet"
    CONSENT_FIRST = "paperwork.consent_first"


@dataclass(frozen=True, slots=True)
class ClearanceFacts:
    """What is known of a volunteer on the day of a shift.

    Attributes:
        is_minor: None where nobody said how old they are.
        is_insured: A policy covers the whole shift.
        is_trained: A course of the organization was finished by the day.
    """

    risks: Risk
    is_minor: bool | None
    has_consent: bool
    has_agreed: bool
    is_insured: bool
    is_trained: bool


@dataclass(frozen=True, slots=True)
class PaperworkRefused:
    """Nothing is written."""

    reason: PaperworkRefusal


@dataclass(frozen=True, slots=True)
class Recorded:
    """It is written down, with who and when."""

    by: UUID
    at: datetime


def required(risks: Risk) -> frozenset[Requirement]:
    """Return what an activity asks of everybody."""
    return frozenset(each for risk, asked in ASKED.items() if risk in risks for each in asked)


def list_missing(facts: ClearanceFacts) -> tuple[Requirement, ...]:
    """Return what is missing before a volunteer may serve, in the order of the enum."""
    asked = required(facts.risks)
    missing = {
        Requirement.ADULT: facts.is_minor is True and Requirement.ADULT in asked,
        Requirement.AGE: facts.is_minor is None and Requirement.AGE in asked,
        Requirement.CONSENT: facts.is_minor is True and not facts.has_consent,
        Requirement.AGREEMENT: Requirement.AGREEMENT in asked and not facts.has_agreed,
        Requirement.INSURANCE: Requirement.INSURANCE in asked and not facts.is_insured,
        Requirement.TRAINING: Requirement.TRAINING in asked and not facts.is_trained,
    }
    return tuple(each for each in Requirement if missing[each])


def risks_of(codes: Iterable[str]) -> Risk:
    """Return the risks of a list of codes; what is none is left out."""
    found = NO_RISK
    by_code = {each.code: each for each in Risk}
    for code in codes:
        found |= by_code.get(code, NO_RISK)
    return found


def of_age_from(birth_year: int, birth_month: int) -> date:
    """Return the day from which a minor counts as of age: the month after the eighteenth birthday.

    The month of birth is all that is asked for: the day of a child's birth is nobody's business.
    """
    year = birth_year + MAJORITY_YEARS + birth_month // 12
    return date(year, birth_month % 12 + 1, 1)
