"""Definitions are data: read strictly, dated, cited, and told apart by everything they say."""

from dataclasses import replace
from datetime import date

import pytest

from timebank.domain.assurance import Assurance, Evidence
from timebank.domain.definition import (
    AgeBand,
    DefinitionError,
    Denominator,
    definition_on,
    parse_definitions,
)
from timebank.domain.window import WindowKind
from timebank.store.definitions import RESIDENTS_ANY_HOUR, list_definitions

WHOLE = """
[[definition]]
id = "strict"
valid_from = 2024-01-01
name = { zh = "严", en = "Strict" }
window = "quarter"
minutes_above = 59
services_min = 2
assurance_min = "A2"
evidence = ["scanned", "confirmed"]
denominator = "residents_aged"
ages = [18, 69]
per = 100
source = "order 1"

[[definition]]
id = "strict"
valid_from = 2025-01-01
name = { zh = "严", en = "Strict" }
window = "quarter"
source = "order 2"
"""


def test_a_file_says_everything() -> None:
    strict, later = parse_definitions(WHOLE)
    assert (strict.window, strict.minutes_above, strict.services_min) == (WindowKind.QUARTER, 59, 2)
    assert (strict.assurance_min, strict.per) == (Assurance.A2, 100)
    assert strict.evidence == {Evidence.SCANNED, Evidence.CONFIRMED}
    assert (strict.denominator, strict.ages) == (Denominator.RESIDENTS_AGED, AgeBand(18, 69))
    assert later.denominator is Denominator.RESIDENTS
    assert [strict.counts(2, 3), strict.counts(2, 1), strict.counts(1, 3)] == [True, True, False]
    assert not replace(strict, evidence=frozenset({Evidence.SCANNED})).counts(2, 1)


def test_a_day_has_the_value_that_was_valid_on_it() -> None:
    known = parse_definitions(WHOLE)
    assert definition_on(known, "strict", on=date(2023, 12, 31)) is None
    assert definition_on(known, "strict", on=date(2024, 12, 31)) == known[0]
    assert definition_on(known, "strict", on=date(2025, 1, 1)) == known[1]
    assert definition_on(known, "another", on=date(2025, 1, 1)) is None


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('source = "order 1"', 'source = " "'),
        ('source = "order 1"', ""),
        ("services_min = 2", "service_min = 2"),
        ("minutes_above = 59", "minutes_above = -1"),
        ("per = 100", "per = 0"),
        ("ages = [18, 69]", ""),
        ("ages = [18, 69]", "ages = [69, 18]"),
        ('window = "quarter"\nminutes', 'window = "fortnight"\nminutes'),
        ('evidence = ["scanned", "confirmed"]', "evidence = []"),
        ('assurance_min = "A2"', 'assurance_min = "A9"'),
        ("valid_from = 2024-01-01", 'valid_from = "2024"'),
        ("valid_from = 2024-01-01", "valid_from = 2025-01-01"),
        (
            'name = { zh = "严", en = "Strict" }\nwindow = "quarter"\nmin',
            'name = "x"\nwindow = "quarter"\nmin',
        ),
        ("[[definition]]", "[[definition"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_as_a_whole(said: str, instead: str) -> None:
    assert said in WHOLE
    with pytest.raises(DefinitionError):
        parse_definitions(WHOLE.replace(said, instead, 1))


def test_the_hash_is_of_everything_that_is_said() -> None:
    other = [
        replace(RESIDENTS_ANY_HOUR, **{name: value})
        for name, value in {
            "id": "x",
            "valid_from": date(2022, 1, 1),
            "name": {"zh": "一", "en": "one"},
            "window": WindowKind.MONTH,
            "minutes_above": 1,
            "services_min": 1,
            "assurance_min": Assurance.A1,
            "evidence": frozenset({Evidence.SCANNED}),
            "denominator": Denominator.REGISTERED,
            "per": 100,
            "source": "x",
        }.items()
    ]
    other.append(
        replace(RESIDENTS_ANY_HOUR, denominator=Denominator.RESIDENTS_AGED, ages=AgeBand(18, 69))
    )
    assert len({each.hash for each in [RESIDENTS_ANY_HOUR, *other]}) == 13


def test_a_value_that_shipped_never_changes() -> None:
    """Whoever changes one changes numbers that were published: add a later value instead."""
    assert {
        (each.id, str(each.valid_from)): each.hash[:12] for each in list_definitions()
    } == SHIPPED


SHIPPED: dict[tuple[str, str], str] = {
    ("active-rate.residents.any-hour", "2021-02-01"): "a6acbe8a4a6d",
    ("active-rate.residents.scanned", "2021-02-01"): "a5509b59cdb1",
    ("active-rate.registered.any-hour", "2021-02-01"): "0af3e646c1de",
    ("has-hours.registered.ever", "2021-02-01"): "feb98ab10149",
    ("ningbo.credit-hours", "2021-02-01"): "8d98ca93e0d4",
    ("ningbo.combined-hours", "2021-02-01"): "53da904f7609",
}
