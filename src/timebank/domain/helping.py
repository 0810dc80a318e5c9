"""A helper acts for a volunteer: family, a neighbour, a street worker; with consent, for a time.

Consent names who may do what until when. The volunteer gives it with their own sign-in, or signs a
paper that an organizer keeps; nobody records consent for themself. Arriving and leaving is nobody
else's to do: for that there are cards.

Source: PIPL, articles 13, 14 and 15 (consent, its record, its withdrawal).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.domain.actor import VolunteerId

CONSENT_DAYS_MAX = 366
"""The longest consent: after a year somebody asks again."""


class HelpScope(StrEnum):
    """What a helper may do."""

    SIGN_UP = "help.sign_up"
    SEE_RECORDS = "help.see_records"


class ConsentForm(StrEnum):
    """How consent was given."""

    OWN = "consent.own"
    """By the volunteer, signed in."""
    SIGNED = "consent.signed"
    """On paper, which the organization keeps."""


class ConsentRefusal(StrEnum):
    """Why no consent was recorded, in order of precedence."""

    VOLUNTEER_UNKNOWN = "consent.volunteer_unknown"
    PHONE = "consent.phone"
    OWN_HELPER = "consent.own_helper"
    RECORDED_BY_HELPER = "consent.recorded_by_helper"
    NO_SCOPE = "consent.no_scope"
    UNTIL = "consent.until"
    NO_FORM = "consent.no_form"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """Consent before it is recorded.

    Attributes:
        until_on: The last local day.
    """

    volunteer: VolunteerId
    scopes: frozenset[HelpScope]
    until_on: date
    form: ConsentForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Consent as it is recorded.

    Attributes:
        number: Its number in the volunteer's book.
        revoked_at: None while it stands.
    """

    volunteer: VolunteerId
    number: int
    helper: UUID
    scopes: frozenset[HelpScope]
    until_on: date
    form: ConsentForm
    given_at: datetime
    recorded_by: UUID
    revoked_at: datetime | None

    def permits(self, scope: HelpScope, *, on: date) -> bool:
        """Return whether it permits something on a local day."""
        return self.revoked_at is None and on <= self.until_on and scope in self.scopes


@dataclass(frozen=True, slots=True)
class ConsentRecorded:
    """The helper may act."""

    number: int


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    """Nothing is written."""

    reason: ConsentRefusal


def decide_consent(
    consent: NewConsent,
    *,
    person: UUID | None,
    helper: UUID | None,
    has_phone: bool,
    by: UUID,
    has_form: bool,
    today: date,
) -> ConsentRefusal | None:
    """Return why consent cannot be recorded, or None.

    `person` is who the volunteer is, None where nobody is; `helper` who would help, None where
    nobody has come with that phone number yet, which is no refusal: whether a number is known is
    not told. `has_phone` says that it is one; `by` records it.
    `has_form` says that the signed paper is kept, or that the volunteer gives it themself.
    """
    if person is None:
        return ConsentRefusal.VOLUNTEER_UNKNOWN
    if not has_phone:
        return ConsentRefusal.PHONE
    if helper == person:
        return ConsentRefusal.OWN_HELPER
    if consent.form is ConsentForm.SIGNED and helper == by:
        return ConsentRefusal.RECORDED_BY_HELPER
    if not consent.scopes:
        return ConsentRefusal.NO_SCOPE
    if not today <= consent.until_on <= today + timedelta(days=CONSENT_DAYS_MAX):
        return ConsentRefusal.UNTIL
    if not has_form:
        return ConsentRefusal.NO_FORM
    return None


def permitted(consents: Collection[Consent], scope: HelpScope, *, on: date) -> Consent | None:
    """Return the consent that permits something on a day, or None."""
    return next((each for each in consents if each.permits(scope, on=on)), None)
