"""Every shipped pack is accepted, keeps its cases, and would notice any number that changes."""

from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from timebank.policy.boundary import boundaries
from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes
from timebank.policy.credit import Receiver
from timebank.policy.grant import Approver, Dimension, GrantKind
from timebank.policy.pack import read_pack
from timebank.policy.parameter import Source
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status
from timebank.policy.scenario import awards_of, run_scenarios

FOLDER = Path(str(files("timebank") / "packs"))
FOLDERS = sorted(
    path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_")
)


def read(folder: Path) -> Pack:
    pack = read_pack(folder)
    assert not isinstance(pack, PackRefused), str(pack)
    return pack


ALL = [read(folder) for folder in FOLDERS]
PACKS = [pack for pack in ALL if pack.status is Status.ENACTED]
"""What every county grants by from the first day; the others are samples until one enacts them."""

BY_ID = {pack.id: pack for pack in ALL}


@pytest.mark.parametrize("pack", ALL, ids=lambda pack: pack.id)
def test_a_shipped_pack_keeps_its_cases_and_scenarios(pack: Pack) -> None:
    failures = (*run_cases(pack), *run_scenarios(pack))

    assert not failures, "\n".join(map(str, failures))
    assert pack.cases
    assert unseen_outcomes(pack) == ()


@pytest.mark.parametrize("pack", ALL, ids=lambda pack: pack.id)
def test_no_changed_number_of_a_shipped_pack_goes_unnoticed(pack: Pack) -> None:
    assert surviving_mutants(pack) == ()


@pytest.mark.parametrize("pack", ALL, ids=lambda pack: pack.id)
def test_at_every_number_of_a_shipped_pack_something_changes_and_both_evaluators_say_so(
    pack: Pack,
) -> None:
    edges = boundaries(pack)

    assert [str(edge) for edge in edges if not edge.decides or not edge.is_same_in_columns] == []
    assert edges or pack.id == "cn.nx.dawukou.allowances"


@pytest.mark.parametrize("pack", ALL, ids=lambda pack: pack.id)
def test_what_was_not_read_says_so(pack: Pack) -> None:
    assert all(instrument.note for instrument in pack.instruments)
    cites = {dated.cite for each in pack.parameters for dated in each.values}
    cites |= {rule.cite for rule in pack.rules}
    assert all(cite.source in (Source.ASSUMED, Source.SECONDARY) for cite in cites)


def test_five_intermediates_are_fifteen_thousand_yuan() -> None:
    pack = BY_ID["cn.nx.dawukou.allowances"]
    awards = awards_of(pack, pack.scenarios[0])

    once = [award.count for award in awards if award.offer.rule_id == "once" and award.count]
    assert (len(once), sum(once)) == (5, 1_500_000)
    assert {rule.approvals for rule in pack.rules} == {2}


def test_the_stars_are_confirmed_by_county_city_and_province() -> None:
    (rule,) = BY_ID["cn.stars"].rules

    assert rule.tiers is not None
    hours = [minutes // 60 for minutes in rule.tiers.parameter.on(date(2024, 1, 1)).value]  # type: ignore[union-attr, operator]
    assert hours == [100, 300, 600, 1000, 1500]
    assert [level.approver for level in rule.tiers.levels] == [
        Approver.COUNTY, Approver.COUNTY, Approver.CITY, Approver.CITY, Approver.PROVINCE,
    ]  # fmt: skip
    assert rule.cite.source is Source.SECONDARY


def test_haiyan_has_twelve_courtesies_on_three_dimensions_and_says_which_figures_are_ours() -> None:
    pack = BY_ID["cn.zj.haiyan.courtesies"]

    assert Counter(rule.dimension for rule in pack.rules) == dict.fromkeys(Dimension, 4)
    assert {dated.cite.source for each in pack.parameters for dated in each.values} == {
        Source.ASSUMED
    }
    assert pack.status is Status.ENACTED


def test_the_time_banks_say_on_what_terms() -> None:
    terms = {pack.id: pack.credits[0] for pack in ALL if pack.credits}

    assert set(terms) == {
        "cn.js.nanjing.timebank", "cn.bj.timebank", "cn.sh.timebank",
        "cn.gd.guangzhou.timepoints", "cn.zj.jiashan.points",
    }  # fmt: skip
    nanjing = terms["cn.js.nanjing.timebank"]
    assert nanjing.own_most is not None
    assert nanjing.own_most.values[0].value == 1500
    assert terms["cn.bj.timebank"].gives_to == {Receiver.PARENTS}
    assert terms["cn.sh.timebank"].gives_to == set(Receiver)
    assert terms["cn.zj.jiashan.points"].kind is GrantKind.POINTS
