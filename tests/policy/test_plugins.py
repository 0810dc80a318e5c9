"""Plug-ins: off until named, listed unimported, core names win, and a contract that can be broken."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.house.source import ROOT

from timebank.domain.assurance import Assurance
from timebank.domain.plugin import PluginGroup, PluginRefusal, PluginRefused
from timebank.policy.bilingual import Bilingual
from timebank.policy.columns import Column
from timebank.policy.cube import Cube, Measure, last_day
from timebank.policy.fact import FACTS, FactKey, FactSpec, FactType, FactUnit
from timebank.policy.pack import read_pack
from timebank.policy.plugin_kit import broken_promises, made_up_cube
from timebank.policy.plugins import list_offers, take_plugins, taken
from timebank.policy.problem import PackRefused, ProblemCode


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample package, built and installed as its user would, without a network."""
    folder = tmp_path_factory.mktemp("plugin")
    source = ROOT / "examples/timebank-busiest-month"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--no-input", "-q"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, source],
        check=True,
        timeout=120,
    )
    return folder


def test_a_plugin_is_listed_unimported_and_off(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed)
    listed = [each for each in list_offers() if each.distribution == "timebank-busiest-month"]
    assert [(each.group, each.name, each.version) for each in listed] == [
        (PluginGroup.FACTS, "busiest_month", "1.0.0"),
        (PluginGroup.PACKS, "steady", "1.0.0"),
    ]
    assert "timebank_busiest_month" not in sys.modules
    assert "busiest_month" not in FACTS
    refused = read_pack(installed / "timebank_busiest_month/packs/steady")
    assert isinstance(refused, PackRefused)
    assert ProblemCode.UNKNOWN_FACT in {each.code for each in refused.problems}


AS_INSTALLED = """
import json, sys
from timebank.policy import plugins
from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes
from timebank.policy.columns import evaluate_population, to_column
from timebank.policy.evaluation import facts_needed
from timebank.policy.plugin_kit import broken_promises
from datetime import date

taken = plugins.take_plugins(["timebank_busiest_month"])
(pack,) = taken.packs
on = date(2024, 6, 30)
(key,) = facts_needed([pack], on=on)
column = to_column([1500], kind=key.spec.type)
(rule,) = evaluate_population([pack], {key: column}, people=1, on=on)
print(json.dumps({
    "broken": broken_promises(taken.provider("busiest_month")),
    "failures": [str(each) for each in run_cases(pack)],
    "unnoticed": [*unseen_outcomes(pack), *surviving_mutants(pack)],
    "reason": rule.steps[0].reasons(0)[0].as_record(),
}))
"""


def test_an_allowed_plugin_answers_and_its_pack_keeps_its_cases(installed: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", AS_INSTALLED],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    reason = found.pop("reason")
    assert found == {"broken": [], "failures": [], "unnoticed": []}
    # Who brought the fact is kept with every decision that stands on it.
    assert reason["origin"] == "timebank-busiest-month 1.0.0"
    assert (reason["need"], reason["have"], reason["outcome"]) == (1200, 1500, "met")


def test_what_cannot_be_taken_is_refused_by_code(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed)
    assert refusal("timebank-nowhere") is PluginRefusal.NOT_INSTALLED
    points = next(installed.glob("timebank_busiest_month-*.dist-info/entry_points.txt"))
    text = points.read_text()
    for changed, code in (
        (text.replace("busiest_month =", "minutes ="), PluginRefusal.CORE_NAME),
        (text.replace("fact:BusiestMonth", "fact:Nobody"), PluginRefusal.NOT_LOADABLE),
        (text.replace("busiest_month =", "other ="), PluginRefusal.CONTRACT),
        (text.replace("packs.steady", "packs.none"), PluginRefusal.PACK_REFUSED),
        (text.replace("timebank.packs", "timebank.grants"), PluginRefusal.CONTRACT),
    ):
        assert changed != text
        points.write_text(changed)
        found = refusal("timebank_busiest_month")
        points.write_text(text)
        assert found is code
    assert "busiest_month" not in FACTS
    assert taken().offers == ()


def test_two_packages_with_one_name_are_refused(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = installed.glob("timebank_busiest_month-*.dist-info")
    copy = shutil.copytree(source, tmp_path / "timebank_other-1.0.0.dist-info")
    metadata = copy / "METADATA"
    metadata.write_text(metadata.read_text().replace("timebank-busiest-month", "timebank-other"))
    monkeypatch.syspath_prepend(installed)
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal("timebank-other", "timebank-busiest-month") is PluginRefusal.NAME_CLASH


def refusal(*allowed: str) -> PluginRefusal:
    found = take_plugins(allowed)
    assert isinstance(found, PluginRefused), found
    return found.reason


class Honest:
    """The fact of the sample, with nothing to hide."""

    api = 1
    spec = FactSpec(
        name="honest",
        type=FactType.NUMBER,
        unit=FactUnit.MINUTES,
        undefined="never served",
        words=Bilingual("样例", "sample"),
    )

    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        most = ledger.sums[Measure.MINUTES, Assurance.A0].max(axis=0, initial=0).astype(np.int64)
        return most, most > 0


class Restless(Honest):
    def __init__(self) -> None:
        self.asked = 0

    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        self.asked += 1
        values, is_known = super().column(key=key, on=on, ledger=ledger)
        return values + self.asked, is_known


class Meddling(Honest):
    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        matrix = ledger.sums[Measure.MINUTES, Assurance.A0]
        base = matrix.base if matrix.base is not None else matrix
        base.flags.writeable = True
        base[0, 0] += 1
        return super().column(key=key, on=on, ledger=ledger)


class Comparing(Honest):
    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        values, is_known = super().column(key=key, on=on, ledger=ledger)
        return values - int(values.mean()), is_known


class Unmasked(Honest):
    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        values, _is_known = super().column(key=key, on=on, ledger=ledger)
        return values, np.ones(len(values) + 1, dtype=np.bool_)


class Fractional(Honest):
    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        values, is_known = super().column(key=key, on=on, ledger=ledger)
        return values / 60, is_known


class Wordless(Honest):
    spec = replace(Honest.spec, words=None)


class Overconfident(Honest):
    spec = replace(Honest.spec, is_always_known=True)


class Older(Honest):
    api = 0


def test_the_kit_is_content_with_an_honest_provider() -> None:
    assert broken_promises(Honest()) == ()


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Restless(), "answered differently"),
        (Meddling(), "changed what it was given"),
        (Comparing(), "alone comes to another value"),
        (Unmasked(), "not of the length"),
        (Fractional(), "float64"),
        (Wordless(), "no words"),
        (Overconfident(), "always known, and is not"),
        (Older(), "api is 0"),
    ],
)
def test_the_kit_names_every_promise_that_is_broken(provider: Honest, words: str) -> None:
    assert any(words in each for each in broken_promises(provider)), broken_promises(provider)


def test_a_cube_shows_only_months_that_are_over() -> None:
    cube = made_up_cube(seed=1)
    end = last_day(cube.first_month + 3)
    assert cube.until(end).months == 4
    assert cube.until(end.replace(day=end.day - 1)).months == 3
    assert not cube.until(end).sums[Measure.MINUTES, Assurance.A0].flags.writeable
