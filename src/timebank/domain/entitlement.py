"""What becomes of a grant: from the proposal of a run to its use, its expiry or its end.

One grant is an entitlement: what one rule gave one person for one period. Every step of it is
written down and never changed; where value moves, the step names the entry that moved it. The state
is what the newest step says, and what is left is what the steps left of it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from timebank.domain.region import Level

REASON_LENGTH_MIN = 2
REASON_LENGTH_MAX = 300
"""Between these a reason says something and can be read out."""


class State(StrEnum):
    """Where an entitlement stands."""

    PROPOSED = "proposed"
    """A run found it due; an office has to agree."""
    CHOOSING = "choosing"
    """One of a menu: the volunteer has to say which."""
    WAITING = "waiting"
    """Its pool was empty when its turn came."""
    PUBLICISED = "publicised"
    """Made public for some days, in which anybody may object."""
    ENDORSED = "endorsed"
    """One person agreed to money; another one has to."""
    APPROVED = "approved"
    ISSUED = "issued"
    """The volunteer has it."""
    QUESTIONED = "questioned"
    """What it was granted for was taken back; it may yet be put right."""
    SPENT = "spent"
    """All of it was used, paid or given away."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    REFUSED = "refused"
    """An office did not agree."""
    DECLINED = "declined"
    """The volunteer chose something else."""
    CARRIED = "carried"
    """Taken along to another county's book."""


OPEN = (
    State.PROPOSED,
    State.CHOOSING,
    State.WAITING,
    State.PUBLICISED,
    State.ENDORSED,
    State.APPROVED,
)
"""Not yet the volunteer's, and not yet decided against."""

HELD = (State.ISSUED, State.QUESTIONED)
"""The volunteer's, as far as anything is left of it."""


class StepKind(StrEnum):
    """What happened to an entitlement."""

    PROPOSED = "proposed"
    OFFERED = "offered"
    """One of a menu, to choose from."""
    CHOSEN = "chosen"
    QUEUED = "queued"
    PUBLICISED = "publicised"
    ENDORSED = "endorsed"
    APPROVED = "approved"
    ISSUED = "issued"
    USED = "used"
    PAID = "paid"
    GIVEN = "given"
    """To family, or to a pool."""
    RETURNED = "returned"
    """A use was taken back."""
    WITHHELD = "withheld"
    """Kept for what the volunteer still owed of the same."""
    QUESTIONED = "questioned"
    CLEARED = "cleared"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REDUCED = "reduced"
    """Taken back in part; the rest stays."""
    REFUSED = "refused"
    DECLINED = "declined"
    CARRIED = "carried"
    REPAID = "repaid"
    """Something that was owed came back."""


class Cause(StrEnum):
    """Why a grant is looked at again; what the question keeps as its words."""

    SERVICE = "依据的服务记录被冲正或者更正"
    """A service that it was decided on was taken back, or made shorter."""
    TOLD = "登记的情况改变"
    """What an office, or the volunteer, told about that day is told otherwise now."""
    FRAUD = "核查认定弄虚作假"
    """A reviewer found that somebody meant to deceive."""
    CONDITION = "现在不再符合规则"
    """The rule asks to be met all the while, and is not met today."""


class GrantRefusal(StrEnum):
    """Why an office's step is not taken, in order of precedence."""

    REASON_LENGTH = "grant.reason_length"
    OWN_GRANT = "grant.own_grant"
    HIGHER_OFFICE = "grant.higher_office"
    NOT_OPEN = "grant.not_open"
    CHOOSING = "grant.choosing"
    NOT_PUBLICISED = "grant.not_publicised"
    PUBLICITY_RUNS = "grant.publicity_runs"
    SECOND_PERSON = "grant.second_person"
    POOL_EXHAUSTED = "grant.pool_exhausted"
    NOT_ISSUED = "grant.not_issued"
    NOTHING_LEFT = "grant.nothing_left"


@dataclass(frozen=True, slots=True)
class GrantRefused:
    """Nothing is written."""

    reason: GrantRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms something is given, as the rule said on the day of the proposal.

    Attributes:
        office: The level of the office that agrees.
        publicise_days: How long it is public before that; 0 for not at all.
        approvals: How many people must agree, who proposed it included: 1, or 2 as for money.
        pool: Code of the pool that pays; empty where nothing limits it.
        claw: How much is taken back when its grounds fall away, as `policy.revocation` says it.
        grace_days: How long the grounds may be put right before anything is taken back.
        menu: Of a choose-one group: its name; the volunteer takes one of those with the same name
            and period. Empty elsewhere.
    """

    office: Level = Level.COUNTY
    publicise_days: int = 0
    approvals: int = 1
    pool: str = ""
    claw: str = "none"
    grace_days: int = 0
    menu: str = ""


_HEIGHT = {
    Level.VILLAGE: 0,
    Level.TOWN: 1,
    Level.COUNTY: 2,
    Level.CITY: 3,
    Level.PROVINCE: 4,
}


def is_office_high_enough(office: Level, *, needed: Level) -> bool:
    """Return whether an office of one level may agree to what another level is named for.

    A county agrees for its towns and villages; nobody agrees for an office above their own.
    """
    return _HEIGHT[office] >= _HEIGHT[needed]


def passes_at_once(terms: Terms, *, office: Level, is_chosen: bool = False) -> bool:
    """Return whether the run itself is the agreement of the office.

    It is where the office that runs is the one that agrees, nothing has to be public before, no
    money moves and nobody has to choose.
    """
    return (
        is_office_high_enough(office, needed=terms.office)
        and not terms.publicise_days
        and (is_chosen or not terms.menu)
        and terms.approvals < 2
    )


def decide_agreement(
    state: State,
    *,
    terms: Terms,
    is_own: bool,
    office: Level,
    person: UUID,
    before: Collection[UUID],
    public_until: date | None,
    today: date,
) -> StepKind | GrantRefusal:
    """Return the step that a person's agreement is, or why it is none.

    `before` are those who proposed or agreed before: where two must agree, somebody else has to.
    Where nobody did, because a program proposed it, the first agreement is an endorsement only.
    """
    if is_own:
        return GrantRefusal.OWN_GRANT
    if not is_office_high_enough(office, needed=terms.office):
        return GrantRefusal.HIGHER_OFFICE
    if state is State.CHOOSING:
        return GrantRefusal.CHOOSING
    if state not in OPEN or state is State.APPROVED:
        return GrantRefusal.NOT_OPEN
    if terms.publicise_days and public_until is None:
        return GrantRefusal.NOT_PUBLICISED
    if public_until is not None and today <= public_until:
        return GrantRefusal.PUBLICITY_RUNS
    if terms.approvals > 1 and person in before:
        return GrantRefusal.SECOND_PERSON
    if terms.approvals > 1 and not before:
        return StepKind.ENDORSED
    return StepKind.APPROVED


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What is to be taken back of a grant.

    Attributes:
        unused: From what is left of it.
        owed: What was used already: the volunteer owes it.
    """

    unused: int
    owed: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one grant.

    Attributes:
        expires_on: The last day of use; None for life.
    """

    id: int
    left: int
    expires_on: date | None


def take_from(lots: Collection[Lot], amount: int) -> list[tuple[Lot, int]] | None:
    """Return how much of each grant a spending takes, or None where all of them are too little.

    What expires first goes first; of two that expire together the older.
    """
    taken: list[tuple[Lot, int]] = []
    for lot in sorted(lots, key=lambda each: (each.expires_on or date.max, each.id)):
        if amount <= 0:
            break
        part = min(lot.left, amount)
        if part > 0:
            taken.append((lot, part))
            amount -= part
    return None if amount > 0 else taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What one rule gave one person for one period.

    Attributes:
        source: What else it is for, such as a certificate or a gift; empty for most.
        amount: In `unit`; fen for money.
        pool: The pool that pays; None where nothing limits it.
        run: The run that found it due; None where none did.
        proposed_by: None for the operator's command line.
    """

    book: int
    id: int
    volunteer: int
    pack: str
    pack_hash: str
    rule: str
    tier: int
    period: str
    source: str
    unit: int
    amount: int
    decided_on: date
    expires_on: date | None
    terms: Terms
    pool: int | None
    run: int | None
    reasons: str
    proposed_at: datetime
    proposed_by: UUID | None

    @property
    def key_parts(self) -> tuple[str, ...]:
        """Return what names it beside the person: the same parts are the same grant, once.

        The pack's hash is left out on purpose: a new version must not give twice.
        """
        parts = (self.pack, self.rule, str(self.tier), self.period)
        return (*parts, self.source) if self.source else parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened.

    Attributes:
        number: From 1 within the entitlement.
        seq: The entry that moved the value; None where none did.
        until_on: Publicised and questioned: the last day of it.
    """

    number: int
    kind: StepKind
    at: datetime
    person: UUID | None = None
    seq: int | None = None
    amount: int | None = None
    use: int | None = None
    partner: int | None = None
    until_on: date | None = None
    note: str = ""


_BECOMES = {
    StepKind.PROPOSED: State.PROPOSED,
    StepKind.OFFERED: State.CHOOSING,
    StepKind.CHOSEN: State.PROPOSED,
    StepKind.QUEUED: State.WAITING,
    StepKind.PUBLICISED: State.PUBLICISED,
    StepKind.ENDORSED: State.ENDORSED,
    StepKind.APPROVED: State.APPROVED,
    StepKind.ISSUED: State.ISSUED,
    StepKind.QUESTIONED: State.QUESTIONED,
    StepKind.CLEARED: State.ISSUED,
    StepKind.EXPIRED: State.EXPIRED,
    StepKind.REVOKED: State.REVOKED,
    StepKind.REFUSED: State.REFUSED,
    StepKind.DECLINED: State.DECLINED,
    StepKind.CARRIED: State.CARRIED,
}

_TAKES = frozenset(
    {StepKind.USED, StepKind.PAID, StepKind.GIVEN, StepKind.WITHHELD, StepKind.REDUCED}
)

_ENDS = frozenset({State.EXPIRED, State.REVOKED, State.CARRIED})


@dataclass(slots=True)
class Standing:
    """Where an entitlement stands, and the steps that were taken and are not written yet.

    Attributes:
        uses: How often it was used.
        steps: Number of its newest step.
        due_on: Publicised, questioned: the last day of it.
    """

    of: Entitlement
    state: State = State.PROPOSED
    left: int = 0
    uses: int = 0
    steps: int = 0
    due_on: date | None = None
    expires_on: date | None = None
    new_steps: list[Step] = field(default_factory=list)

    def take(
        self,
        kind: StepKind,
        *,
        at: datetime,
        person: UUID | None,
        seq: int | None = None,
        amount: int | None = None,
        partner: int | None = None,
        until_on: date | None = None,
        note: str = "",
    ) -> None:
        """Take a step: the state and what is left become what the step makes of them.

        Raises:
            ValueError: More is taken than there is left.
        """
        self.steps += 1
        moved = amount or 0
        use = None
        if kind is StepKind.USED:
            self.uses += 1
            use = self.uses
        if kind in _TAKES:
            if moved > self.left:
                raise ValueError("more is taken than there is left")
            self.left -= moved
            if not self.left:
                self.state = State.SPENT
        elif kind is StepKind.RETURNED:
            self.left += moved
            if self.state is State.SPENT:
                self.state = State.ISSUED
        elif kind is not StepKind.REPAID:
            self.state = _BECOMES[kind]
            self.due_on = until_on
            if kind is StepKind.ISSUED:
                self.left = self.of.amount if amount is None else amount
            if self.state in _ENDS:
                self.left = 0
            if kind is StepKind.CLEARED and not self.left:
                self.state = State.SPENT
        self.new_steps.append(
            Step(
                number=self.steps,
                kind=kind,
                at=at,
                person=person,
                seq=seq,
                amount=amount,
                use=use,
                partner=partner,
                until_on=until_on,
                note=note,
            )
        )
