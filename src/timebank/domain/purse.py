"""What a volunteer may do with time credits and points: give, spend on service, have something."""

from dataclasses import dataclass
from enum import StrEnum


class PurseRefusal(StrEnum):
    """Why credits or points do not move, in order of precedence."""

    NO_TERMS = "purse.no_terms"
    AMOUNT_NOT_WHOLE = "purse.amount_not_whole"
    NOT_GIVEN_TO = "purse.not_given_to"
    RECEIVER_UNKNOWN = "purse.receiver_unknown"
    TO_ONESELF = "purse.to_oneself"
    RECEIVER_NOT_MET = "purse.receiver_not_met"
    MAY_NOT_USE = "purse.may_not_use"
    OWN_MOST = "purse.own_most"
    NO_SERVICE = "purse.no_service"
    ALREADY_SPENT_ON = "purse.already_spent_on"
    NOT_OFFERED = "purse.not_offered"
    OUT_OF_STOCK = "purse.out_of_stock"
    TOO_LITTLE = "purse.too_little"


@dataclass(frozen=True, slots=True)
class Moved:
    """So much was given, or spent."""

    amount: int


@dataclass(frozen=True, slots=True)
class PurseRefused:
    """Nothing is written."""

    reason: PurseRefusal
