"""The pages anybody may see: what this is, signing in, enrolling, and what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timebank.web.parts import ChoiceGroup, CodePicture, Field, SignInForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One of the three ways in.

    Attributes:
        role: Which words and icon the door carries.
        url: Where the door leads; in the demo, where its one-tap sign-in is posted.
        demo_actor: The value posted as `actor` in the demo; empty makes the door a plain link.
        demo_name: Whom the demo signs in as, such as `志愿者 A`.
    """

    role: Literal["volunteer", "organizer", "officer"]
    url: str
    demo_actor: str = ""
    demo_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingPage:
    """What `public/landing.html` shows.

    Attributes:
        region: The county, such as `海盐县`.
        year: The year of the number.
        rate: Active people per ten thousand residents, such as `1,576`; empty when residents are
            not known.
        rate_percent: The same as percent, such as `15.8 %`.
        hours: All hours of the year in short form, such as `1,139 万`.
        entries: The newest entry of the ledger, such as `3,700,412`.
        residents_source: Where the population comes from, with its date.
        doors: Volunteer, organizer, officer.
        phone_url: The address a phone can open; empty when this machine has none.
        phone_code: The same as a code to scan; None when there is no address.
    """

    region: str
    year: str
    rate: str
    rate_percent: str
    active: str
    residents: str
    residents_source: str
    hours: str
    entries: str
    doors: Sequence[Door]
    phone_url: str
    phone_code: CodePicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """What `public/sign_in.html` shows.

    Attributes:
        enrol_url: For somebody who is not yet a volunteer.
    """

    form: SignInForm
    enrol_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage:
    """What `public/enrol.html` shows.

    Attributes:
        action_url: Where `name`, `village` and `consent` are posted.
        phone_masked: The number that was just proved.
        towns: The villages of each town, by town.
        is_consent_given: The box stays ticked when the form is shown again.
    """

    action_url: str
    return_to: str
    phone_masked: str
    name: Field
    towns: Sequence[ChoiceGroup]
    village_error: str
    is_consent_given: bool
    consent_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One text that the demo would have sent to a phone.

    Attributes:
        code: The one-time code in it, shown large; empty when it carries none.
    """

    to: str
    at: str
    text: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPage:
    """What `public/outbox.html` shows, newest first."""

    messages: Sequence[OutboxMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """What `public/error.html` shows: what happened, a way on, a small code for support.

    Attributes:
        status: The HTTP status, which picks the picture.
        title: What happened, one short sentence.
        hint: What to do now, one sentence.
        action_label: The way on.
        code: The stable code, small, such as `http.not_found`.
        reference: What support may ask for; empty for none.
    """

    status: int
    title: str
    hint: str
    action_label: str
    action_url: str
    code: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentsPage:
    """What `public/components.html` shows: every component once, for development and tests.

    Attributes:
        code: Any code, to look at its drawing.
        icons: The names of the kept icons.
    """

    code: CodePicture
    icons: Sequence[str]
