"""Who is signed in, and the table of who may do what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from timebank.domain.scope import Scope


class Role(StrEnum):
    """What a person may be in the time bank; one person may be several."""

    VOLUNTEER = "role.volunteer"
    ORGANIZER = "role.organizer"
    OFFICER = "role.officer"
    AUDITOR = "role.auditor"
    PARTNER = "role.partner"
    ADMINISTRATOR = "role.administrator"
    PROGRAM = "role.program"
    """A machine with a token, for which a person answers; no person holds this role."""


class Act(StrEnum):
    """What can be permitted."""

    SCAN = "scan"
    SIGN_UP = "sign_up"
    SEE_OWN_RECORDS = "see_own_records"
    RUN_ACTIVITIES = "run_activities"
    SEE_REPORTS = "see_reports"
    PUBLISH_REPORTS = "publish_reports"
    RUN_POLICIES = "run_policies"
    TRY_POLICIES = "try_policies"
    WRITE_POLICIES = "write_policies"
    HEAR_APPEALS = "hear_appeals"
    SEE_AUDIT = "see_audit"
    APPROVE_ENTRIES = "approve_entries"
    SEE_SIGNALS = "see_signals"
    REVIEW_SIGNALS = "review_signals"
    CORRECT_ENTRIES = "correct_entries"
    PULL_ENTRIES = "pull_entries"
    GIVE_TOKENS = "give_tokens"
    APPROVE_GRANTS = "approve_grants"
    REDEEM_VOUCHERS = "redeem_vouchers"


PERMITTED: dict[Act, frozenset[Role]] = {
    Act.SCAN: frozenset({Role.VOLUNTEER}),
    Act.SIGN_UP: frozenset({Role.VOLUNTEER}),
    Act.SEE_OWN_RECORDS: frozenset({Role.VOLUNTEER}),
    Act.RUN_ACTIVITIES: frozenset({Role.ORGANIZER}),
    Act.SEE_REPORTS: frozenset({Role.OFFICER, Role.AUDITOR, Role.PROGRAM}),
    Act.PUBLISH_REPORTS: frozenset({Role.OFFICER}),
    Act.RUN_POLICIES: frozenset({Role.OFFICER}),
    Act.TRY_POLICIES: frozenset({Role.OFFICER, Role.AUDITOR}),
    Act.WRITE_POLICIES: frozenset({Role.OFFICER}),
    Act.HEAR_APPEALS: frozenset({Role.OFFICER}),
    Act.SEE_AUDIT: frozenset({Role.AUDITOR}),
    Act.APPROVE_ENTRIES: frozenset({Role.ORGANIZER, Role.OFFICER}),
    Act.SEE_SIGNALS: frozenset({Role.OFFICER, Role.AUDITOR}),
    Act.REVIEW_SIGNALS: frozenset({Role.OFFICER}),
    Act.CORRECT_ENTRIES: frozenset({Role.OFFICER}),
    Act.PULL_ENTRIES: frozenset({Role.OFFICER, Role.AUDITOR, Role.PROGRAM}),
    Act.GIVE_TOKENS: frozenset({Role.OFFICER}),
    Act.APPROVE_GRANTS: frozenset({Role.OFFICER}),
    Act.REDEEM_VOUCHERS: frozenset({Role.PARTNER}),
}
"""Who may do what. What is not listed is forbidden."""


class VolunteerId(NamedTuple):
    """A volunteer within the book of the county where they live."""

    book: int
    id: int


@dataclass(frozen=True, slots=True)
class OrganizationId:
    """An organization within the book of its county."""

    book: int
    id: int


class PartnerId(NamedTuple):
    """A partner within the book of its county."""

    book: int
    id: int


class Actor(NamedTuple):
    """Whoever is signed in.

    Attributes:
        volunteer: None for a person who has not enrolled as a volunteer.
        organizations: The ones that the person organizes for.
        scope: The division that an officer, auditor or program sees; None for anybody else.
        partner: The shop that the person redeems vouchers for; None for anybody else.
        acts: All that a program's token was made for; None: whatever the roles permit.
    """

    person: UUID
    roles: frozenset[Role]
    volunteer: VolunteerId | None = None
    organizations: tuple[OrganizationId, ...] = ()
    scope: Scope | None = None
    acts: frozenset[Act] | None = None
    partner: PartnerId | None = None

    def may(self, act: Act) -> bool:
        """Return whether one of the actor's roles permits an act."""
        return bool(self.roles & PERMITTED[act]) and (self.acts is None or act in self.acts)
