"""The pages of a scan: what was read, signing in if needed, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timebank.web.parts import Evidence, SignInForm


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPage:
    """What `scan/confirm.html` shows after the code was read.

    Attributes:
        purpose: What the code on the wall was for.
        scanned_at: The time that will count, such as `09:02`.
        kept_until: Until when that time is kept, such as `09:12`.
        action_url: Where `receipt` is posted.
        receipt: The signed receipt of the scan.
        volunteer_name: Who will be checked in; empty when nobody is signed in.
        sign_in: Asked for first when nobody is signed in, else None.
    """

    purpose: Literal["arrive", "leave"]
    activity: str
    organization: str
    time: str
    place: str
    scanned_at: str
    kept_until: str
    action_url: str
    receipt: str
    volunteer_name: str
    sign_in: SignInForm | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """What `scan/result.html` shows, to be read at arm's length.

    Attributes:
        outcome: What the scan did.
        scanned_at: The time that counted, such as `09:02`.
        credited: The time as `(number, unit)` pairs; empty unless left.
        credited_from: When the credited time begins; empty unless left.
        credited_to: When it ends; empty unless left.
        evidence: How the credited time is evidenced; None unless left.
        entry: The ledger entry's number; empty unless left.
        year_total: All hours of the year with this one; empty unless left.
        leave_hint: When to scan again, for an arrival; else empty.
        code: The refusal's stable code; empty unless refused.
        reason: The refusal as a sentence; empty unless refused.
        way_out: What to do about it; empty unless refused.
        action_label: The way on.
    """

    outcome: Literal["arrived", "left", "refused"]
    volunteer_name: str
    activity: str
    time: str
    place: str
    scanned_at: str
    credited: Sequence[tuple[str, str]]
    credited_from: str
    credited_to: str
    evidence: Evidence | None
    entry: str
    year_total: str
    leave_hint: str
    code: str
    reason: str
    way_out: str
    action_label: str
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredPage:
    """What `scan/expired.html` shows when the code or the receipt is no longer good.

    Attributes:
        seen_at: When it was opened, such as `09:02`.
        code: `scan.expired_code`, `scan.forged_code` or `scan.foreign_code`.
    """

    seen_at: str
    code: str
    reason: str
    way_out: str
    home_url: str
