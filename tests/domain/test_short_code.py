"""Six digits are the last resort: they name an end of one shift for a minute and a half."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.factories import NINE

from timebank.domain.attendance import Direction
from timebank.domain.kiosk import KioskPass, make_pass, read_pass
from timebank.domain.qr import Scan
from timebank.domain.short_code import (
    TRIES_MAX,
    TRIES_SPAN,
    ShortCodeRefusal,
    Tries,
    decide_short_code,
    make_short_code,
)

KEY = bytes(range(32))


def digits(direction: Direction, now: datetime = NINE, *, shift: int = 9) -> str:
    return make_short_code(
        master_key=KEY, shift_book=330424, shift=shift, direction=direction, now=now
    )


def typed(text: str, *, after: float = 0, tries: Tries | None = None) -> Scan | ShortCodeRefusal:
    return decide_short_code(
        text,
        tries=tries,
        master_key=KEY,
        shift_book=330424,
        shift=9,
        now=NINE + timedelta(seconds=after),
    )


def test_digits_are_those_that_another_tool_makes() -> None:
    # openssl dgst -sha256 -mac HMAC over purpose and body, then RFC 4226's truncation by hand.
    assert (digits(Direction.ARRIVE), digits(Direction.LEAVE)) == ("117930", "584744")


@pytest.mark.parametrize("direction", Direction)
def test_digits_tell_which_end_they_are_for(direction: Direction) -> None:
    text = digits(direction)
    expected = Scan(330424, 9, direction, NINE, is_typed=True)
    wide = text.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    for written in (text, f" {text[:3]} {text[3:]} ", wide):
        assert typed(written) == expected


@pytest.mark.parametrize(("after", "is_good"), [(0, True), (59, True), (89, True), (90, False)])
def test_digits_are_good_for_a_minute_and_a_half(after: int, is_good: bool) -> None:
    assert isinstance(typed(digits(Direction.ARRIVE), after=after), Scan) == is_good


@pytest.mark.parametrize("text", ["", "12345", "abcdef", "١٢٣٤٥٦", "0" * 20, "😀" * 6])
def test_what_is_not_on_the_wall_is_wrong(text: str) -> None:
    assert typed(text) is ShortCodeRefusal.WRONG
    assert typed(digits(Direction.ARRIVE, shift=10)) is ShortCodeRefusal.WRONG


def test_after_too_many_wrong_ones_nothing_is_tried_for_a_while() -> None:
    good = digits(Direction.ARRIVE)
    enough = Tries(NINE, TRIES_MAX)
    assert isinstance(typed(good, tries=replace(enough, count=TRIES_MAX - 1)), Scan)
    assert typed(good, tries=enough) is ShortCodeRefusal.TOO_MANY_TRIES
    assert isinstance(typed(good, tries=replace(enough, counted_from=NINE - TRIES_SPAN)), Scan)


def test_a_tablets_pass_is_good_for_its_shift_until_it_ends() -> None:
    kiosk = KioskPass(330424, 9, NINE)
    text = make_pass(kiosk, master_key=KEY)
    assert read_pass(text, master_key=KEY, now=NINE) == kiosk
    assert read_pass(text, master_key=KEY, now=NINE + timedelta(seconds=1)) is None
    assert read_pass(text, master_key=KEY[::-1], now=NINE) is None
    for changed in ("", "A" * len(text), text[:-2] + "AA"):
        assert read_pass(changed, master_key=KEY, now=NINE) is None
