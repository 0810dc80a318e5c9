"""Whole pieces are put into a pack by a few fields, and refused at the field that is wrong."""

import re
from typing import Any

import pytest
from tests.policy.test_authoring import PACKS, texts

from timebank.policy.authoring import look_through
from timebank.policy.check import is_noticed, mutants, run_cases, surviving_mutants, with_terms
from timebank.policy.example import example_for
from timebank.policy.piece import PieceKind, PieceRefused, PutIn, known_of, put_in
from timebank.services.authoring import examine, with_examples

SAMPLE = texts(PACKS[-1])
CITED = {
    "instrument": "qh-2026-1",
    "place": "第九条",
    "from": "2026-01-01",
    "zh": "新",
    "en": "New",
}


def put(kind: str, files: dict[str, str] = SAMPLE, /, **typed: Any) -> PutIn | PieceRefused:
    names = {name.replace("__", ":").rstrip("_"): value for name, value in typed.items()}
    return put_in(files, PieceKind(kind), {**CITED, **names}, part="rules/menu.toml")


def lines_gone(found: PutIn) -> list[str]:
    return [
        line
        for name, text in SAMPLE.items()
        for line in text.splitlines()
        if line not in found.files[name].splitlines()
    ]


PIECES: list[tuple[str, dict[str, str]]] = [
    ("tiers", {"hours": "10、20", "names": "甲、乙"}),
    ("courtesy", {"hours": "1.5", "kind": "goods", "pool": "gifts", "group": "menu"}),
    ("campaign", {"hours": "90 分", "through": "2026-02-28", "kind": "goods"}),
    ("case", {"name": "新", "on": "2026-06-30", "rule:film": "not granted"}),
    ("pool", {"owner": "局", "amount": "5"}),
    ("group", {"mode": "cap", "max": "3"}),
    (
        "table",
        {
            "id": "by-hours",
            "csv": "minutes,gift_count\n0..600,1\n600..,2",
            "asks:minutes": "minutes calendar_year",
        },
    ),
]


@pytest.mark.parametrize(("kind", "typed"), PIECES, ids=lambda each: str(each)[:10])
def test_a_piece_is_added_and_nothing_else_moves(kind: str, typed: dict[str, str]) -> None:
    found = put(kind, **typed)
    assert isinstance(found, PutIn), found
    assert lines_gone(found) == []
    looked = look_through(found.files)
    # A pool, a group or a table waits for a rule that uses it; everything else is whole at once.
    waits = {"pool", "group", "table"}
    assert {each.code.value for each in looked.problems} == (
        {"pack.unused"} if kind in waits else set()
    )


def test_rules_are_put_into_a_group_and_a_pool_that_are_made_for_them() -> None:
    found = put(
        "group", zh="另一组", en="Other", member__film="1", member__book="1", default="film"
    )
    assert isinstance(found, PutIn)
    assert found.files["rules/menu.toml"].count('stack = { group = "other" }') == 2
    drawn = put("pool", owner="局", amount="7", member__march="1", en="Box")
    assert isinstance(drawn, PutIn)
    assert 'pool = "box"' in drawn.files["rules/march.toml"]


@pytest.mark.parametrize(
    ("kind", "typed", "field", "code"),
    [
        ("courtesy", {"hours": "twenty"}, "hours", "pack.wrong_value"),
        ("courtesy", {"hours": "20", "place": ""}, "place", "pack.no_place"),
        ("courtesy", {"hours": "20", "expires": "soon"}, "expires", "pack.wrong_value"),
        ("courtesy", {"hours": "20", "kind": "money"}, "kind", "pack.no_pool"),
        ("courtesy", {"hours": "20", "pool": "nowhere"}, "pool", "pack.wrong_value"),
        ("courtesy", {"hours": "20", "id": "film"}, "id", "pack.duplicate_id"),
        ("courtesy", {"hours": "20", "zh": ""}, "zh", "pack.empty"),
        ("tiers", {"hours": "20、10", "names": "甲、乙"}, "hours", "pack.not_ascending"),
        ("tiers", {"hours": "10、20", "names": "甲"}, "names", "pack.levels"),
        ("campaign", {"hours": "1", "through": "2025-01-01"}, "through", "pack.dates"),
        ("group", {"default": "film"}, "default", "pack.unknown_rule"),
        ("pool", {"owner": "局", "amount": "-3"}, "amount", "pack.wrong_value"),
        ("case", {"name": "", "on": "2026-06-30", "rule:film": "granted"}, "name", "pack.empty"),
        ("end", {"through": "soon"}, "through", "pack.wrong_value"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    kind: str, typed: dict[str, str], field: str, code: str
) -> None:
    found = put(kind, **typed)
    assert isinstance(found, PieceRefused)
    assert code in [each.code.value for each in found.at[field]]


def test_every_wrong_row_of_a_table_is_named_by_its_line() -> None:
    csv = "minutes,gift_count\n0..600,1\n600..900,x\n900..1000,1.5\n1000..,2"
    found = put("table", id="t", csv=csv, **{"asks:minutes": "minutes calendar_year"})
    assert isinstance(found, PieceRefused)
    assert [(each.line, each.code.value) for each in found.at["csv"]] == [
        (3, "pack.number_form"),
        (4, "pack.float"),
    ]


def test_an_end_gives_every_rule_a_last_day_and_takes_nothing_away() -> None:
    found = put("end", through="2026-12-31")
    assert isinstance(found, PutIn)
    pack = look_through(found.files).pack
    assert pack is not None
    ends = {rule.id: str(rule.valid.through) for rule in pack.rules}
    # The campaign was over before.
    assert ends == {
        "tiers": "2026-12-31", "film": "2026-12-31", "book": "2026-12-31", "march": "2026-03-31"
    }  # fmt: skip


def test_more_for_every_hour_of_a_campaign_pays_only_what_is_new() -> None:
    folder = next(each for each in PACKS if each.name == "guangzhou-time-points")
    files = texts(folder)
    known = known_of(files)
    (item,) = known.of("credit")
    found = put(
        "campaign",
        files,
        instrument=next(iter(known.of("instrument"))),
        through="2026-01-31",
        more=item,
        count="1",
    )
    assert isinstance(found, PutIn), found
    pack = look_through(found.files).pack
    assert pack is not None
    assert pack.group("new").mode.value == "top_up"
    assert str(pack.rule("new").grant.amount.use.window) == "between(2026-01-01,2026-01-31)"  # type: ignore[union-attr]


@pytest.mark.parametrize("folder", PACKS, ids=lambda each: each.name)
def test_an_example_is_found_for_nearly_every_change(folder: Any) -> None:
    pack = look_through(texts(folder)).pack
    assert pack is not None
    whole = with_terms(pack)
    found = 0
    every = list(mutants(whole))[:60]
    for _words, mutant, touched in every:
        example = example_for(whole, mutant, touched, name="made")
        found += example is not None
    assert found >= len(every) * 0.75


def test_missing_examples_are_added_until_every_change_is_noticed() -> None:
    few = "\n\n[[case]]".join(SAMPLE["cases.toml"].split("\n\n[[case]]")[:1])
    files = {name: text for name, text in SAMPLE.items() if not name.startswith("scenarios/")}
    files["cases.toml"] = few + "\n# Ours.\n"
    weak = examine(files, seconds=30)
    assert weak is not None
    assert weak.percent < 50
    one = with_examples(files, weak.survivors[:1], name=lambda words: f"Notices {words}")
    assert one["cases.toml"].startswith(few)
    assert one["cases.toml"].count("[[case]]") == few.count("[[case]]") + 1
    grown = with_examples(files, weak.survivors, name=lambda words: f"Notices {words}")
    pack = look_through(grown).pack
    assert pack is not None
    assert run_cases(pack) == ()
    assert surviving_mutants(pack) == ()
    assert re.search(r"^# Ours\.$", grown["cases.toml"], re.M)
    assert is_noticed(pack, None) is False
