"""Phone numbers and names of people: what is accepted, and how much of them a screen shows.

Source: mainland mobile numbers have 11 digits and begin with 13 to 19 (telecommunication network
numbering plan of the ministry of industry and information technology, 2017 edition).
"""

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_COUNTRY = re.compile(r"(?:\+|00)86")
_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\t")

NAME_SHOWN = 1
"""How many characters of a name strangers see: the family name, for nearly everybody."""

_NAME_STARS_MAX = 2


def parse_phone(text: str) -> str | None:
    """Return the 11 digits of a mainland mobile number, or None where the text is none.

    Spaces, dashes, a leading +86 and the wide digits of Chinese keyboards are accepted.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS)
    digits = _COUNTRY.sub("", plain, count=1) if _COUNTRY.match(plain) else plain
    return digits if _MOBILE.fullmatch(digits) else None


def masked_phone(phone: str) -> str:
    """Return a number with its middle four digits hidden, such as `138****0001`."""
    return f"{phone[:3]}****{phone[-4:]}"


def masked_name(name: str) -> str:
    """Return the first character of a name and at most two stars, such as `张*` for two characters.

    The stars do not tell how long a long name is.
    """
    hidden = min(max(len(name) - NAME_SHOWN, 1), _NAME_STARS_MAX)
    return name[:NAME_SHOWN] + "*" * hidden
