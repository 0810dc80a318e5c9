"""Plug-ins: off until named, listed unimported, core names win, and a contract that can be broken."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
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
from timebank.policy.extension import (
    CALENDARS,
    GRANTS,
    SELECTORS,
    BrokenPromiseError,
    CalendarSpec,
    Claimants,
    GrantSpec,
    SelectorSpec,
    add_calendar,
    forget_extensions,
    holds,
)
from timebank.policy.fact import FACTS, FactKey, FactSpec, FactType, FactUnit
from timebank.policy.grant import GrantKind
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
        (PluginGroup.CALENDARS, "summer", "1.0.0"),
        (PluginGroup.FACTS, "busiest_month", "1.0.0"),
        (PluginGroup.GRANTS, "flowers", "1.0.0"),
        (PluginGroup.PACKS, "steady", "1.0.0"),
        (PluginGroup.SELECTORS, "evenness", "1.0.0"),
    ]
    assert "timebank_busiest_month" not in sys.modules
    assert "busiest_month" not in FACTS
    refused = read_pack(installed / "timebank_busiest_month/packs/steady")
    assert isinstance(refused, PackRefused)
    assert {ProblemCode.UNKNOWN_FACT, ProblemCode.UNKNOWN_PLUGIN} <= {
        each.code for each in refused.problems
    }


AS_INSTALLED = """
import json
from dataclasses import replace
from datetime import date
import numpy as np
from timebank.policy import plugins
from timebank.policy.allocation import allocate
from timebank.policy.check import run_cases, surviving_mutants, unseen_outcomes
from timebank.policy.columns import claims_of, evaluate_population, facts_at, to_column
from timebank.policy.cube import first_day, last_day
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.plugin_kit import FIRST_MONTH, MONTHS, broken_promises, made_up_cube
from timebank.policy.rule import Status
from timebank.policy.scenario import run_scenarios
from timebank.policy.simulation import simulate
from timebank.policy.timeline import prepare

taken = plugins.take_plugins(["timebank_busiest_month"])
(pack,) = taken.packs
enacted = replace(pack, status=Status.ENACTED)
on = date(2024, 7, 31)
random = np.random.default_rng(1)
people = 300
columns = {
    key: (random.integers(0, 4_000, people), random.random(people) < 0.8 if key.name == "busiest_month"
          else np.ones(people, dtype=np.bool_))
    for key in sorted(facts_needed([pack], on=on), key=str)
}
everybody = evaluate_population([enacted], columns, people=people, on=on)
alike = True
for row in range(people):
    alone = evaluate_person([enacted], facts_at(columns, row), on=on)
    for one, many in zip(alone, everybody, strict=True):
        for step, column in zip(one.steps, many.steps, strict=True):
            alike = alike and step.offer == column.offer_at(row)
            alike = alike and step.judged.reasons == column.reasons(row)
homes = (np.full(people, 330424001001), np.ones(people, dtype=np.bool_))
numbers = np.arange(people)
claims = [claim for claim, _ in claims_of(everybody, people=numbers, homes=homes)]
made = [
    allocate(some, packs=[enacted], on=on, seed=b"root", available={}).to_bytes()
    for some in (claims, claims[::-1])
]
(reason,) = [
    each.as_record() for each in evaluate_population(
        [pack], {key: to_column([1500], kind=key.spec.type) for key in columns}, people=1, on=on
    )[0].steps[0].reasons(0)
]

# A what-if gives what offices would: the same flowers, the same winners, in summer months only.
cube = made_up_cube(seed=1)
start = date(2022, 1, 1)
end = last_day(FIRST_MONTH + MONTHS - 1)
later = replace(enacted, rules=tuple(replace(
    rule, valid=replace(rule.valid, from_on=start)) for rule in enacted.rules))
line = prepare([later], cube, since=date(2023, 5, 1), months=6, today={}, on=end)
run = simulate([later], line)
steps = {each.rule.id: each for each in run.steps}
first = prepare([enacted], cube, since=date(2024, 1, 1), months=6, today={}, on=end)
(flowers,) = [each for each in simulate([enacted], first).steps if each.rule.id == "bouquet"]
print(json.dumps({
    "broken": [each for one in taken.providers.values() for each in broken_promises(one)],
    "failures": [str(each) for each in (*run_cases(pack), *run_scenarios(pack))],
    "unnoticed": [str(each) for each in (*unseen_outcomes(pack), *surviving_mutants(pack))],
    "alike": alike,
    "claims": len(claims),
    "shuffled": made[0] == made[1],
    "even": [json.loads(made[0])["awards"][at]["standing"] for at in range(len(claims))
             if json.loads(made[0])["awards"][at]["rule"] == "even"].count("granted"),
    "prizes": steps["even"].people.tolist(),
    "flowers": bool(flowers.units.sum() > flowers.people.sum() > 0),
    "summer": steps["summer"].people.tolist(),
    "reason": reason,
}))
"""


def test_an_allowed_package_answers_with_all_it_brings(installed: Path) -> None:
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
    assert found.pop("claims") > 300
    # Two were given the year's prize before the horizon, and nobody in it.
    assert not any(found.pop("prizes"))
    may, june, july, august, *autumn = found.pop("summer")
    assert not any((may, june, *autumn))
    assert july > 0
    assert august > 0
    assert found == {
        "broken": [], "failures": [], "unnoticed": [], "alike": True, "shuffled": True,
        "even": 2, "flowers": True,
    }  # fmt: skip
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
        (text.replace("timebank.facts", "timebank.grants_"), PluginRefusal.PACK_REFUSED),
        (text.replace("flowers =", "money ="), PluginRefusal.CORE_NAME),
        (text.replace("evenness =", "lottery ="), PluginRefusal.CORE_NAME),
        (text.replace("summer:Summer", "flowers:Flowers"), PluginRefusal.CONTRACT),
    ):
        assert changed != text
        points.write_text(changed)
        found = refusal("timebank_busiest_month")
        points.write_text(text)
        assert found is code
    assert "busiest_month" not in FACTS
    assert not {*GRANTS, *SELECTORS, *CALENDARS}
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


class Lots:
    """A kind of grant, a way to rank or a calendar that breaks a promise, as it is told to."""

    api = 1

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.asked = 0

    def answer(self, honest: np.ndarray) -> np.ndarray:
        self.asked += 1
        match self.fault:
            case "restless":
                return (
                    honest + self.asked
                    if honest.dtype == np.int64
                    else honest ^ bool(self.asked % 2)
                )
            case "comparing":
                return (
                    honest + len(honest) if honest.dtype == np.int64 else honest ^ (len(honest) > 1)
                )
            case "ordered":
                return (
                    honest + np.arange(len(honest))
                    if honest.dtype == np.int64
                    else np.arange(len(honest)) % 3 == 0
                )
            case "fractional":
                return honest / 2
            case "partial":
                return honest[1:]
            case "reading":
                Path(__file__).with_suffix(".none").exists()
                with contextlib.suppress(OSError):
                    Path("/nowhere/at/all").read_bytes()
                return honest
            case "nothing":
                return honest * 0
            case _:
                return honest


class LotsOfFlowers(Lots):
    spec = GrantSpec(
        name="lots", kind=GrantKind.GOODS, facts=1, numbers=1, words=Bilingual("样", "s")
    )

    def counts(self, *, facts: Sequence[Column], numbers: tuple[int, ...], on: date) -> np.ndarray:
        return self.answer(1 + facts[0][0] // (10**9))


class LotsOfRanks(Lots):
    spec = SelectorSpec(name="lots", criteria=1, words=Bilingual("样", "s"))

    def ranks(self, *, claimants: Claimants, on: date) -> np.ndarray:
        return self.answer(claimants.facts[0][0] + claimants.homes)


class LotsOfDays(Lots):
    spec = CalendarSpec(name="lots", words=Bilingual("样", "s"))

    def holds(self, *, days: np.ndarray) -> np.ndarray:
        return self.answer(days % 7 == 0)


FAULTS = [
    ("", ""), ("restless", "asked twice"), ("comparing", "one alone"), ("ordered", "the order"),
    ("fractional", "float64"), ("partial", "of the length"), ("reading", "open /nowhere/at/all"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "words"), FAULTS)
@pytest.mark.parametrize("kind", [LotsOfFlowers, LotsOfRanks, LotsOfDays])
def test_the_kit_tries_kinds_selectors_and_calendars(
    kind: type[Lots], fault: str, words: str
) -> None:
    found = broken_promises(kind(fault), people=20)
    if fault:
        assert any(words in each for each in found), found
    else:
        assert found == ()


def test_a_count_is_at_least_one_and_a_bad_answer_stops_the_run() -> None:
    assert "its counts are 0 to 0" in broken_promises(LotsOfFlowers("nothing"))[0]
    calendar = LotsOfDays("partial")
    add_calendar(calendar, calendar.spec)
    try:
        with pytest.raises(BrokenPromiseError, match="lots"):
            holds("lots", on=date(2024, 1, 1))
    finally:
        forget_extensions()


def test_a_cube_shows_only_months_that_are_over() -> None:
    cube = made_up_cube(seed=1)
    end = last_day(cube.first_month + 3)
    assert cube.until(end).months == 4
    assert cube.until(end.replace(day=end.day - 1)).months == 3
    assert not cube.until(end).sums[Measure.MINUTES, Assurance.A0].flags.writeable
