"""The terms of time credits and points: how long they last, who may use and receive them.

How they are earned is a rule like any other, whose grant is of the kind credits or points.
"""

from dataclasses import dataclass
from enum import StrEnum

from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import Condition
from timebank.policy.grant import Expiry, GrantKind
from timebank.policy.parameter import Citation, Parameter
from timebank.policy.validity import Validity


class Receiver(StrEnum):
    """To whom a holder may give."""

    FAMILY = "family"
    """Spouse, children, brothers and sisters, as the holder declares and an office confirms."""
    PARENTS = "parents"
    """Parents and grandparents, also the spouse's."""
    FRIENDS = "friends"
    """Any other volunteer or registered receiver."""
    POOL = "pool"
    """The common pool that the terms name, for people in need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTerms:
    """What holds for one kind of credits or points.

    Attributes:
        id: The item that grants name.
        block: The least amount that moves, and what every amount is a multiple of.
        expiry: Of what was earned on a day; None for life.
        own_most: A dated number: more than this the holder may not use for themselves; what is
            above can only be given away. None for no such bound.
        use: Who may use their own, decided on the holder's facts; None for everybody.
        receive: Who may be given some, decided on the receiver's facts; None for everybody. A
            pool is not asked.
        gives_to: Empty where nothing can be given away.
        pool: Id of the pack's pool that takes gifts; empty where none does.
    """

    id: str
    kind: GrantKind
    title: Bilingual
    note: Bilingual | None
    cite: Citation
    valid: Validity
    block: int
    expiry: Expiry | None
    own_most: Parameter | None
    use: Condition | None
    receive: Condition | None
    gives_to: frozenset[Receiver]
    pool: str
