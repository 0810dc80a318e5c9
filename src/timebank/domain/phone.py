"""Phone numbers of people: what is accepted.

Source: mainland mobile numbers have 11 digits and begin with 13 to 19 (telecommunication network
numbering plan of the ministry of industry and information technology, 2017 edition).
"""

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_COUNTRY = re.compile(r"(?:\+|00)86")
_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\t")


def parse_phone(text: str) -> str | None:
    """Return the 11 digits of a mainland mobile number, or None where the text is none.

    Spaces, dashes, a leading +86 and the wide digits of Chinese keyboards are accepted.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS)
    digits = _COUNTRY.sub("", plain, count=1) if _COUNTRY.match(plain) else plain
    return digits if _MOBILE.fullmatch(digits) else None
