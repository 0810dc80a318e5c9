"""The public number of a volunteer: county, number within the county, check digit.

Source: check digit by ISO/IEC 7064, MOD 11,10, which finds every single wrong digit and every
swap of neighbours.
"""

_NUMBER_DIGITS = 8


def format_number(book: int, volunteer: int) -> str:
    """Return the 15 digits that stand on a card, such as `330424000001234`.

    Raises:
        ValueError: The volunteer's number does not fit.
    """
    if not 0 < volunteer < 10**_NUMBER_DIGITS:
        raise ValueError("no volunteer number")
    digits = f"{book:06}{volunteer:0{_NUMBER_DIGITS}}"
    return digits + str(_check_digit(digits))


def parse_number(text: str) -> tuple[int, int] | None:
    """Return book and volunteer of a public number, or None where it is mistyped."""
    if len(text) != 7 + _NUMBER_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    if int(text[-1]) != _check_digit(text[:-1]):
        return None
    return int(text[:6]), int(text[6:-1])


def _check_digit(digits: str) -> int:
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10
