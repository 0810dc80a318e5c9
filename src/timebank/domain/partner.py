"""A partner redeems vouchers; the office pays for each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.domain.actor import PartnerId

NAME_LENGTH_MAX = 60
ADDRESS_LENGTH_MAX = 120
"""Lines on a phone."""

FEN_EACH_MAX = 10_000_00
"""Most that one voucher is worth: ten thousand yuan."""


class PartnerRefusal(StrEnum):
    """Why a partner or a price is not written down, in order of precedence."""

    NAME_LENGTH = "partner.name_length"
    ADDRESS_LENGTH = "partner.address_length"
    PHONE_MALFORMED = "partner.phone_malformed"
    NAME_TAKEN = "partner.name_taken"
    ITEM_UNKNOWN = "partner.item_unknown"
    PRICE_OUT_OF_RANGE = "partner.price_out_of_range"


class ReturnRefusal(StrEnum):
    """Why a redemption is not taken back, in order of precedence."""

    NOT_YOURS = "return.not_yours"
    TOO_LATE = "return.too_late"
    ALREADY_RETURNED = "return.already_returned"
    ENDED = "return.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A shop or house that redeems vouchers.

    Attributes:
        ended_at: None while it takes part.
    """

    id: PartnerId
    name: str
    address: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartnerRefused:
    """Nothing is written."""

    reason: PartnerRefusal


@dataclass(frozen=True, slots=True)
class ReturnRefused:
    """Nothing is written."""

    reason: ReturnRefusal
