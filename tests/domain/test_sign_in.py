"""When a code is sent, and whether an answer signs in: the rows are in the order of the enum."""

from datetime import UTC, datetime, timedelta

import pytest

from timebank.domain.sign_in import (
    CodeAccepted,
    CodeDue,
    CodeFacts,
    decide_code_request,
    decide_sign_in,
    plain_code,
    token_hash_of,
)

SENT = datetime(2024, 3, 2, 4, 0, tzinfo=UTC)

REQUESTS = [
    # after seconds  tries  codes  counted for hours | outcome (tries and codes remembered)
    (59, 5, 10, 0, "sign_in.too_many_tries"),
    (599, 5, 10, 0, "sign_in.too_many_tries"),
    (59, 4, 10, 0, "sign_in.too_soon"),
    (600, 5, 10, 0, "sign_in.too_many_codes"),
    (60, 4, 9, 0, (4, 10)),
    (600, 5, 9, 0, (0, 10)),
    (600, 0, 10, 24, (0, 1)),
]


@pytest.mark.parametrize(("after", "tries", "codes", "counted", "outcome"), REQUESTS)
def test_a_code_is_sent_or_refused(
    after: int, tries: int, codes: int, counted: int, outcome: object
) -> None:
    before = facts(tries=tries, codes=codes, counted_from=SENT - timedelta(hours=counted))
    now = SENT + timedelta(seconds=after)

    decision = decide_code_request(before, code_mac=b"new", now=now)

    if isinstance(decision, CodeDue):
        assert decision.facts.code_mac == b"new"
        assert decision.facts.expires_at == now + timedelta(minutes=10)
        assert (decision.facts.tries, decision.facts.codes) == outcome
    else:
        assert decision.reason == outcome


def test_a_first_code_is_sent() -> None:
    decision = decide_code_request(None, code_mac=b"new", now=SENT)
    assert decision == CodeDue(facts(code_mac=b"new", codes=1))


ANSWERS = [
    # after seconds  tries  is right | outcome
    (599, 5, True, "sign_in.too_many_tries"),
    (600, 5, True, "sign_in.code_expired"),
    (600, 0, True, "sign_in.code_expired"),
    (599, 4, False, "sign_in.code_wrong"),
    (599, 4, True, "accepted"),
]


@pytest.mark.parametrize(("after", "tries", "is_right", "outcome"), ANSWERS)
def test_an_answer_signs_in_or_is_refused(
    after: int, tries: int, is_right: bool, outcome: str
) -> None:
    now = SENT + timedelta(seconds=after)

    decision = decide_sign_in(
        facts(tries=tries), answer_mac=b"mac" if is_right else b"cam", now=now
    )

    if isinstance(decision, CodeAccepted):
        assert outcome == "accepted"
        assert decision.used.expires_at == now
        assert decision.used.tries == 0
        again = decide_sign_in(decision.used, answer_mac=b"mac", now=now)
        assert not isinstance(again, CodeAccepted)
    else:
        assert decision.reason == outcome
        is_counted = decision.counted is not None
        assert is_counted == (outcome == "sign_in.code_wrong")


def test_no_code_is_like_an_expired_one() -> None:
    decision = decide_sign_in(None, answer_mac=b"mac", now=SENT)
    assert not isinstance(decision, CodeAccepted)
    assert decision.reason == "sign_in.code_expired"


def test_a_typed_code_is_made_plain() -> None:
    assert plain_code(" １２３ 456\n") == "123456"


def test_what_is_stored_of_a_token_is_its_sha256() -> None:
    # Known answer of FIPS 180-4's example "abc".
    assert token_hash_of(b"abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def facts(
    *,
    code_mac: bytes = b"mac",
    tries: int = 0,
    codes: int = 1,
    counted_from: datetime = SENT,
) -> CodeFacts:
    return CodeFacts(
        code_mac=code_mac,
        sent_at=SENT,
        expires_at=SENT + timedelta(minutes=10),
        tries=tries,
        counted_from=counted_from,
        codes=codes,
    )
