"""A pack is accepted whole or refused with every reason, each at its file and line."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.policy import samples
from tests.policy.samples import FILM, HEAD, PARAMS, problems, read, rule, seconds_of

from timebank.policy.pack import FILE_BYTES_MAX, read_pack, read_pack_files, read_stored_pack
from timebank.policy.problem import SENTENCES, PackRefused, ProblemCode
from timebank.policy.rule import Pack, Status

MINUTES = '{ fact = "minutes", window = "lifetime", op = ">=", value = 60 }'


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


REFUSED = [
    # which file, what is changed, into what | the one problem
    ("rules", 'fact = "minutes"', 'fact = "hours"', "rules/rules.toml:11 pack.unknown_fact hours"),
    ("rules", 'fact = "minutes"', 'fact = "ethnicity"', "rules/rules.toml:11 pack.protected_fact ethnicity"),
    ("rules", 'fact = "minutes"', 'fact = "rate_10k"', "rules/rules.toml:11 pack.later rate_10k"),
    ("rules", 'op = ">="', 'op = "=>"', "rules/rules.toml:11 pack.unknown_operator =>"),
    ("rules", 'op = ">="', 'op = "within"', "rules/rules.toml:11 pack.unknown_operator within"),
    ("rules", '"calendar_year", op', '"fortnight", op', "rules/rules.toml:11 pack.unknown_window fortnight"),
    ("rules", 'window = "calendar_year", op', "op", "rules/rules.toml:11 pack.missing_key window"),
    ("rules", 'fact = "bad_credit", window = "months(36)"', 'fact = "star", window = "lifetime"', "rules/rules.toml:12 pack.wrong_window lifetime"),
    ("rules", 'op = "==", value = false', 'op = "==", value = 0', "rules/rules.toml:12 pack.wrong_type value"),
    ("rules", 'op = "==", value = false', 'op = "==", value = [false]', "rules/rules.toml:12 pack.wrong_type value"),
    ("rules", 'op = "==", value = false', 'op = "=="', "rules/rules.toml:12 pack.missing_key param or value"),
    ("rules", "value = false", "value = 1.0", "rules/rules.toml:12 pack.float 1.0"),
    ("rules", "value = false", 'value = false, unknown = "maybe"', "rules/rules.toml:12 pack.wrong_value maybe"),
    ("rules", "value = false", 'value = false, min_assurance = "A1"', "rules/rules.toml:12 pack.wrong_value A1"),
    ("rules", "value = false", "value = false, weight = 2", "rules/rules.toml:12 pack.unknown_key weight"),
    ("rules", 'dimension = "economic"\n', "", "rules/rules.toml:1 pack.missing_key dimension"),
    ("rules", '"economic"', '"military"', "rules/rules.toml:4 pack.wrong_value military"),
    ("rules", 'cite = "d3 art. 7(2)"\n', "", "rules/rules.toml:1 pack.no_citation film"),
    ("rules", "d3 art. 7(2)", "d3", "rules/rules.toml:5 pack.no_place d3"),
    ("rules", "d3 art. 7(2)", "d4 art. 1", "rules/rules.toml:5 pack.unknown_instrument d4"),
    ("rules", "2023-01-01 }", "2022-12-31 }", "rules/rules.toml:6 pack.no_value_yet film_minutes"),
    ("rules", "2023-01-01 }", "2023-01-01, through = 2022-12-31 }", "rules/rules.toml:6 pack.dates valid"),
    ("rules", '"pass"', '"money"', "rules/rules.toml:7 pack.no_pool film"),
    ("rules", "count = 12 }", "count = 0 }", "rules/rules.toml:7 pack.number_range count"),
    ("rules", "count = 12 }", 'count = 12, expires = "soon" }', "rules/rules.toml:7 pack.wrong_value soon"),
    ("rules", "max = 1 }", "max = 2 }", "rules/rules.toml:8 pack.no_period limits"),
    ("rules", '"county"', '"king"', "rules/rules.toml:9 pack.wrong_value king"),
    ("rules", '{ by = "county" }', '{ by = "county", publicise = "a week" }', "rules/rules.toml:9 pack.wrong_value a week"),
    ("rules", "when.all", 'stack = { group = "menu" }\nwhen.all', "rules/rules.toml:10 pack.unknown_group menu"),
    ("rules", "when.all", 'select = "some"\nwhen.all', "rules/rules.toml:10 pack.wrong_type select"),
    ("rules", "when.all", 'evaluate = "yearly(02-30)"\nwhen.all', "rules/rules.toml:10 pack.wrong_value yearly(02-30)"),
    ("rules", "when.all", 'provides = "star"\nwhen.all', "rules/rules.toml:10 pack.wrong_value star"),
    ("params", "value = 12000", "value = 12000.5", "params.toml:7 pack.float 12000.5"),
    ("params", "from = 2024-07-01", "from = 2023-01-01", "params.toml:6 pack.dates film_minutes"),
    ("params", 'cite = "d3 art. 5"', "", "params.toml:5 pack.no_citation film_minutes"),
    ("params", 'cite = "d3 art. 5"', 'cite = "d3"\nsource = "hearsay"', "params.toml:9 pack.wrong_value hearsay"),
    ("params", "value = 12000", 'value = "many"', "rules/rules.toml:11 pack.wrong_type film_minutes"),
    ("params", PARAMS, PARAMS + '[[param.spare]]\nfrom = 2023-01-01\nvalue = 1\ncite = "d3 art. 1"\n', "params.toml:9 pack.unused_parameter spare"),
    ("params", PARAMS, PARAMS + "[[campaign]]\n", "params.toml:9 pack.unknown_key campaign"),
    ("pack", 'version = "1"\n', "", "pack.toml:1 pack.missing_key version"),
    ("pack", 'status = "enacted"', 'status = "secret"', "pack.toml:4 pack.wrong_value secret"),
    ("pack", 'id = "sample"', 'id = "../sample"', "pack.toml:2 pack.wrong_value ../sample"),
    ("pack", 'status = "enacted"', 'status = "enacted"\ncurrency = "USD"', "pack.toml:5 pack.wrong_value currency"),
    ("pack", 'title = { zh = "样本", en = "Sample" }', 'title = { zh = "样本" }', "pack.toml:5 pack.missing_key en"),
    ("pack", '[[instrument]]\nid = "d3"', '[[instrument]]\nid = "d3"\nurl = "javascript:alert(1)"', "pack.toml:10 pack.wrong_value javascript:alert(1)"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem"), REFUSED)
def test_refused(file: str, old: str, new: str, problem: str) -> None:
    texts = {"pack": HEAD, "params": PARAMS, "rules": FILM}
    texts[file] = changed(texts[file], old, new)

    assert problems(**texts) == [problem]


CONDITIONS = [
    # when                                                                    | the one problem, at line 10
    ("{ all = [] }",                                                           "pack.empty all"),
    (f"{{ all = [{MINUTES}], any = [{MINUTES}] }}",                            "pack.wrong_value any"),
    (f"{{ at_least = 2, of = [{MINUTES}] }}",                                  "pack.number_range at_least"),
    (f"{{ all = [{MINUTES}], of = [{MINUTES}] }}",                             "pack.wrong_value of"),
    ('{ not = { fact = "star", op = "==", value = 1, unknown = "deny" } }',    "pack.deny_under_not star"),
    ('{ fact = "region", op = "within", value = "Haiyan" }',                   "pack.wrong_type value"),
    ('{ fact = "star", op = "in", value = [] }',                               "pack.empty value"),
    ('{ fact = "star", op = "==", param = "star_count" }',                     "pack.unknown_parameter star_count"),
    ('{ fact = "star", op = "==", param = "film_minutes" }',                   "pack.unit film_minutes"),
    ('{ fact = "has_grant", window = "lifetime", rule = "cinema", op = "==", value = false }', "pack.unknown_rule cinema"),
    ('{ fact = "star", rule = "film", op = "==", value = 1 }',                 "pack.unknown_key rule"),
    ('{ all = [{ fact = "star", op = ">=", value = 3 }, { fact = "star", op = "<", value = 3 }] }', "pack.impossible star"),
    ("{ not = " * 8 + MINUTES + " }" * 8,                                      "pack.too_deep 8 conditions inside each other"),
    ("{ any = [" + ", ".join([MINUTES] * 500) + "] }",                         "pack.too_many 500 nodes in one pack"),
    ('{ fact = "star", op = "in", value = [' + "1, " * 5001 + "] }",           "pack.too_many 5000 values in one list"),
]  # fmt: skip


@pytest.mark.parametrize(("when", "problem"), CONDITIONS)
def test_refused_condition(when: str, problem: str) -> None:
    params = PARAMS if "film_minutes" in when else ""

    assert problems(rules=rule(when), params=params) == [f"rules/rules.toml:10 {problem}"]


def test_a_condition_as_deep_and_as_long_as_allowed_is_accepted() -> None:
    read(rules=rule("{ not = " * 7 + MINUTES + " }" * 7), params="")
    read(rules=rule("{ any = [" + ", ".join([MINUTES] * 499) + "] }"), params="")


TIERS = """\
[rule.tiers]
fact = "minutes"
window = "lifetime"
param = "step_minutes"
downgrade = "never"
level = [
  { title = { zh = "一级", en = "One" }, approve = "county" },
  { title = { zh = "二级", en = "Two" }, approve = "city" },
]
"""
STEPS = '[[param.step_minutes]]\nfrom = 2023-01-01\nvalue = [60, 120]\ncite = "d3 art. 1"\n'
TIER_RULE = FILM[: FILM.index("approve")] + 'provides = "star"\n' + TIERS

TIERS_REFUSED = [
    # what is changed, into what | the one problem
    ("[60, 120]", "[60]", "rules/rules.toml:13 pack.levels step_minutes"),
    ("[60, 120]", "60", "rules/rules.toml:13 pack.levels step_minutes"),
    ("[60, 120]", "[60, 60]", "rules/rules.toml:13 pack.not_ascending step_minutes"),
    ("[60, 120]", '[60, "120"]', "rules/rules.toml:13 pack.wrong_type step_minutes"),
    ('"never"', '"sometimes"', "rules/rules.toml:14 pack.wrong_value sometimes"),
    ('approve = "city"', 'approve = "moon"', "rules/rules.toml:17 pack.wrong_value moon"),
    ('provides = "star"', 'provides = "sun"', "rules/rules.toml:9 pack.wrong_value sun"),
    ('provides = "star"', 'provides = "star"\nwhen = { fact = "star", op = ">=", value = 1 }', "rules/rules.toml:9 pack.self_reference star"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), TIERS_REFUSED)
def test_refused_levels(old: str, new: str, problem: str) -> None:
    read(rules=TIER_RULE, params=STEPS)
    both = (STEPS.replace(old, new), TIER_RULE.replace(old, new))
    assert both != (STEPS, TIER_RULE)

    found = problems(params=both[0], rules=both[1])
    assert found[:1] == [problem]
    assert set(found) == {problem}


CASE = '[[case]]\nname = "n"\non = 2024-08-01\nperson = { minutes = { calendar_year = 12000 } }\nexpect = { film = "missing: bad_credit" }\n'

CASES_REFUSED = [
    # what is changed, into what | the one problem
    ("film =", "cinema =", "cases.toml:5 pack.unknown_rule cinema"),
    ('"missing: bad_credit"', '"perhaps"', "cases.toml:5 pack.wrong_value film"),
    ("calendar_year", "year", "cases.toml:4 pack.unknown_window year"),
    ("12000", "true", "cases.toml:4 pack.wrong_type minutes"),
    ("{ calendar_year = 12000 }", "12000", "cases.toml:4 pack.missing_key window of minutes"),
    ("minutes", "hours", "cases.toml:4 pack.unknown_key hours"),
    ("2024-08-01", '"today"', "cases.toml:3 pack.wrong_type on"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), CASES_REFUSED)
def test_refused_case(old: str, new: str, problem: str) -> None:
    read(cases=CASE)
    found = problems(cases=changed(CASE, old, new))

    assert problem in found
    assert all(each.startswith("cases.toml:4 ") for each in set(found) - {problem})


def test_all_problems_are_told_at_once_in_order() -> None:
    found = problems(
        params=changed(PARAMS, "12000", "12000.5"),
        rules=changed(changed(FILM, '"economic"', '"military"'), "months(36)", "months(0)"),
    )

    assert found == [
        "params.toml:7 pack.float 12000.5",
        "rules/rules.toml:4 pack.wrong_value military",
        "rules/rules.toml:12 pack.unknown_window months(0)",
    ]


def test_ids_are_used_once() -> None:
    assert problems(rules=FILM + FILM) == ["rules/rules.toml:15 pack.duplicate_id film"]


def test_every_problem_has_a_sentence() -> None:
    assert set(SENTENCES) == set(ProblemCode)


def folder_of(tmp_path: Path, **texts: str) -> Path:
    for name, data in samples.files(**texts).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def codes(found: Pack | PackRefused) -> list[tuple[str, str]]:
    assert isinstance(found, PackRefused)
    return [(each.file, each.code.value) for each in found.problems]


def test_a_folder_is_read_like_its_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "README.md").write_text("Words for people.")
    (folder / ".swp").write_text("An editor's.")

    assert read_pack(folder) == read()


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    assert codes(read_pack(tmp_path / "nowhere")) == [(str(tmp_path / "nowhere"), "pack.no_folder")]
    assert codes(read_pack(tmp_path)) == [("pack.toml", "pack.no_pack_file")]
    folder = folder_of(tmp_path)
    (folder / "run.py").write_text("print()")
    (folder / "tables").mkdir()
    (folder / "tables" / "allowance.csv").write_text("level,fen\n")
    assert codes(read_pack(folder)) == [("run.py", "pack.unknown_file")]
    (folder / "run.py").unlink()
    assert codes(read_pack(folder)) == [("tables/allowance.csv", "pack.unused")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("[pack]")
    folder = tmp_path / "pack"
    folder.mkdir()
    folder_of(folder)
    (folder / "cases.toml").symlink_to(secret)
    (folder / "rules2").symlink_to(tmp_path)

    assert codes(read_pack(folder)) == [
        ("cases.toml", "pack.not_a_file"),
        ("rules2", "pack.not_a_file"),
    ]


def test_a_file_may_have_one_mebibyte() -> None:
    filler = "#" * (FILE_BYTES_MAX - len(HEAD.encode()) - 1) + "\n"

    read(pack=HEAD + filler)
    assert problems(pack=HEAD + filler + "#") == ["pack.toml:0 pack.too_large"]


HOSTILE = {
    "nested conditions": rule("{ not = " * 20_000 + MINUTES + " }" * 20_000),
    "wide conditions": rule("{ any = [" + ", ".join([MINUTES] * 3_900) + "] }"),
    "endless list": rule('{ fact = "star", op = "in", value = [' + "1," * 19_000 + "] }"),
    "many rules": FILM * 1_000,
    "long text": changed(FILM, "观影", "观" * 300_000),
    "long key": FILM + "x" * 900_000 + " = 1\n",
    "floats": FILM + "".join(f"f{number} = 0.5\n" for number in range(15_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pack_is_refused_in_a_tenth_of_a_second(name: str) -> None:
    texts = samples.files(rules=HOSTILE[name])
    found = read_pack_files(texts)

    assert isinstance(found, PackRefused)
    assert all(each.line for each in found.problems)
    assert seconds_of(lambda: read_pack_files(texts)) < 0.1


CANONICAL = (
    '{"format":1,'
    '"instrument":[{"id":"d3","issuer":{"en":"A county","zh":"某县"},"title":{"en":"Decree 3","zh":"第三号令"}}],'
    '"pack":{"id":"sample","issuer":{"en":"A county","zh":"某县"},"title":{"en":"Sample","zh":"样本"},"version":"1"},'
    '"param":{"film_minutes":[{"cite":"d3 art. 4","from":{"$date":"2023-01-01"},"value":18000},'
    '{"cite":"d3 art. 5","from":{"$date":"2024-07-01"},"value":12000}]},'
    '"rule":[{"approve":{"by":"county"},"cite":"d3 art. 7(2)","dimension":"economic",'
    '"grant":{"count":12,"item":"film","kind":"pass"},"id":"film",'
    '"limits":[{"max":1,"per":"person","period":"calendar_year"}],"title":{"en":"Film pass","zh":"观影"},'
    '"valid":{"from":{"$date":"2023-01-01"}},'
    '"when":{"all":[{"fact":"minutes","op":">=","param":"film_minutes","window":"calendar_year"},'
    '{"fact":"bad_credit","op":"==","value":false,"window":"months(36)"}]}}]}'
)
"""Written by hand."""

HASH = "a0084c83563fa9ffda0139e7339d49954d00cf353d2e714a8061e9e64df149ba"
"""By sha256sum, of the text above."""


def test_the_identity_of_a_pack_never_changes() -> None:
    pack = read()

    assert pack.canonical.decode() == CANONICAL
    assert pack.hash == HASH == hashlib.sha256(pack.canonical).hexdigest()


def test_identity_is_what_decides_not_how_it_is_written() -> None:
    pack = read()
    in_one_file = read_pack_files({"pack.toml": (HEAD + PARAMS + FILM).encode()})

    assert in_one_file == pack
    assert read(cases=CASE).hash == pack.hash
    assert read(pack=changed(HEAD, "enacted", "draft")).hash == pack.hash
    assert (
        read(rules="# A note.\n" + changed(FILM, "count = 12", "count    =   12")).hash == pack.hash
    )
    assert read(params=changed(PARAMS, "12000", "12001")).hash != pack.hash
    assert read(rules=changed(FILM, "art. 7(2)", "art. 7(3)")).hash != pack.hash


def test_a_stored_pack_is_the_pack() -> None:
    pack = read(cases=CASE)
    stored = read_stored_pack(pack.canonical, status=Status.ENACTED)

    assert stored == replace(pack, cases=())


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"format": 2}', json.dumps({"format": 1})])
def test_what_is_not_a_canonical_form_is_a_defect(data: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_stored_pack(data.encode(), status=Status.ENACTED)
