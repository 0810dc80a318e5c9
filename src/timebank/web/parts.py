"""The pieces that several pages show: links, form fields, codes as pictures, evidence marks.

Everything here is ready to print: words are already in the reader's language, amounts already carry
their unit, and whole numbers are counts or percent widths for the drawings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Evidence: TypeAlias = Literal["scanned", "confirmed", "declared"]
"""The three classes in which every amount of time is shown (docs/GLOSSARY.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One way on.

    Attributes:
        is_current: This is where the reader is.
    """

    label: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationItem:
    """One entry of the main navigation.

    Attributes:
        icon: The name of a kept icon, as in `icons.py`.
        is_current: The page belongs to this entry.
    """

    label: str
    url: str
    icon: str
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the layout around every page shows; one per request, under the name `frame`.

    Attributes:
        language: `zh` or `en`, for the `lang` attribute and the switch.
        is_large: The reader chose large type.
        site_name: What the county calls its time bank.
        return_to: This page's own path with its query, for the switches and the sign-out.
        preference_url: Where the language and type switches are posted (`language`, `type`).
        sign_out_url: Where the sign-out is posted.
        sign_in_url: Where somebody not signed in can sign in.
        csrf_field: The name of the hidden field that every form carries.
        csrf_token: Its value.
        actor_name: Masked as its owner sees it; empty when nobody is signed in.
        actor_role: The role's name in the reader's language; empty when nobody is signed in.
        home_url: The signed-in person's own first page, else the landing page.
        navigation: Three to five places; empty when nobody is signed in.
        is_demo: The county is a sample; the outbox is open to everybody.
        outbox_url: Where the demo shows the codes that were sent.
        notice: What the last write did, one sentence; empty for none.
    """

    language: Literal["zh", "en"]
    is_large: bool
    site_name: str
    return_to: str
    preference_url: str
    sign_out_url: str
    sign_in_url: str
    csrf_field: str
    csrf_token: str
    actor_name: str
    actor_role: str
    home_url: str
    navigation: Sequence[NavigationItem]
    is_demo: bool
    outbox_url: str
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One typed value of a form, as it was typed.

    Attributes:
        error: Why it was not taken and how to put it right; empty when it was, or not yet sent.
    """

    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a list."""

    value: str
    label: str
    is_selected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceGroup:
    """Options under one heading, such as the villages of a town."""

    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInForm:
    """The two steps of signing in, wherever they are shown (`parts/_sign_in.html`).

    Attributes:
        step: `phone` asks for the number, `code` for what was sent to it.
        action_url: Where this step is posted (`phone`, or `code` with `phone` hidden beside it).
        return_to: Where to go afterwards; posted along.
        phone_masked: The number as printed at the second step, such as 138****0000.
        restart_url: Back to the first step.
        error: Why the step was refused, when it is about no single field.
    """

    step: Literal["phone", "code"]
    action_url: str
    return_to: str
    phone: Field
    code: Field
    phone_masked: str = ""
    restart_url: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceShares:
    """How well an amount of time is evidenced, in three classes that sum to 100.

    Attributes:
        scanned_percent: Whole percent; the three sum to 100, or to 0 when there is no time at all.
        scanned: The share in words, such as `82 %`.
    """

    scanned_percent: int
    confirmed_percent: int
    declared_percent: int
    scanned: str
    confirmed: str
    declared: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePicture:
    """A two-dimensional code as one path on a grid of modules.

    Attributes:
        side: Modules along one side, the quiet zone included.
        path: The dark modules as an SVG path in module units.
    """

    side: int
    path: str
