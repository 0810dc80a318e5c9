"""A variant is the pack with what its file replaces, and nothing else."""

from datetime import date

import pytest
from tests.policy.test_packs import BY_ID

from timebank.policy.override import read_variant
from timebank.policy.pack import read_stored_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Status

BASE = BY_ID["cn.zj.haiyan.courtesies"]
FILE = """\
[variant]
version = "2027.1"

[[override.param.film_minutes]]
from = 2024-01-01
value = 5400
cite = "haiyan-courtesies"
source = "assumed"
[[override.param.film_minutes]]
from = 2027-01-01
value = 4800
cite = "haiyan-courtesies"
source = "assumed"

[override.rule.film]
valid = { from = 2024-01-01, through = 2027-12-31 }
"""


def test_a_variant_is_a_draft_of_its_own_that_differs_where_it_says() -> None:
    variant = read_variant(BASE, FILE.encode())

    assert not isinstance(variant, PackRefused), str(variant)
    assert (variant.status, variant.version, variant.cases) == (Status.DRAFT, "2027.1", BASE.cases)
    (minutes,) = (each for each in variant.parameters if each.name == "film_minutes")
    assert [each.value for each in minutes.values] == [5400, 4800]
    assert variant.rule("film").valid.through == date(2027, 12, 31)
    assert [each for each in variant.rules if each.id != "film"] == [
        each for each in BASE.rules if each.id != "film"
    ]
    assert variant.hash != BASE.hash
    stored = read_stored_pack(variant.canonical, status=Status.DRAFT)
    assert not isinstance(stored, PackRefused)
    assert stored.hash == variant.hash


REFUSED = [
    # what is changed, into what | the one problem
    ("override.rule.film", "override.rule.opera", "variant.toml:15 pack.unknown_rule opera"),
    ("override.rule.film", "override.pool.fund", "variant.toml:15 pack.unknown_pool fund"),
    ("value = 4800", "value = 4800.5", "variant.toml:11 pack.float 4800.5"),
    ("value = 4800", 'value = "many"', "variant.toml:1 pack.wrong_type film_minutes"),
    ("[variant]\nversion", "[variant]\nname", "variant.toml:1 pack.missing_key version"),
    ("valid =", "validity =", "variant.toml:16 pack.unknown_key validity"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), REFUSED)
def test_a_variant_that_cannot_be_is_refused_at_its_line(old: str, new: str, problem: str) -> None:
    assert old in FILE
    found = read_variant(BASE, FILE.replace(old, new).encode())

    assert isinstance(found, PackRefused)
    assert problem in [
        f"{each.file}:{each.line} {each.code.value} {each.subject}" for each in found.problems
    ]
