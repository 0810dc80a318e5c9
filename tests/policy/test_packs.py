"""Every shipped pack is accepted, keeps its cases, and would notice any number that changes."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes
from timebank.policy.grant import Approver, Dimension
from timebank.policy.pack import read_pack
from timebank.policy.parameter import Source
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status

FOLDER = Path(str(files("timebank") / "packs"))
FOLDERS = sorted(
    path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_")
)


def read(folder: Path) -> Pack:
    pack = read_pack(folder)
    assert not isinstance(pack, PackRefused), str(pack)
    return pack


PACKS = [read(folder) for folder in FOLDERS]
BY_ID = {pack.id: pack for pack in PACKS}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_a_shipped_pack_keeps_its_cases(pack: Pack) -> None:
    failures = run_cases(pack)

    assert not failures, "\n".join(map(str, failures))
    assert pack.cases
    assert unseen_outcomes(pack) == ()


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_no_changed_number_of_a_shipped_pack_goes_unnoticed(pack: Pack) -> None:
    assert surviving_mutants(pack) == ()


def test_the_stars_are_confirmed_by_county_city_and_province() -> None:
    (rule,) = BY_ID["cn.stars"].rules

    assert rule.tiers is not None
    hours = [minutes // 60 for minutes in rule.tiers.parameter.on(date(2024, 1, 1)).value]  # type: ignore[union-attr, operator]
    assert hours == [100, 300, 600, 1000, 1500]
    assert [level.approver for level in rule.tiers.levels] == [
        Approver.COUNTY, Approver.COUNTY, Approver.CITY, Approver.CITY, Approver.PROVINCE,
    ]  # fmt: skip
    assert rule.cite.source is Source.SECONDARY


def test_haiyan_has_a_courtesy_on_each_dimension_and_says_which_figures_are_ours() -> None:
    pack = BY_ID["cn.zj.haiyan.courtesies"]

    assert {rule.dimension for rule in pack.rules} == set(Dimension)
    assert {dated.cite.source for each in pack.parameters for dated in each.values} == {
        Source.ASSUMED
    }
    assert all(pack.instrument(rule.cite).note for rule in pack.rules)
    assert pack.status is Status.ENACTED
