"""Tables, pools, groups, selections, limits, terms: accepted whole, or refused at file and line."""

from datetime import date

import pytest
from tests.policy.samples import HEAD, files, seconds_of

from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.fact import Value
from timebank.policy.grant import Cell, Every, LimitOf, LimitPer
from timebank.policy.pack import read_pack_files, read_stored_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status, Verdict
from timebank.policy.selection import SelectMode, Ties
from timebank.policy.stacking import StackMode
from timebank.policy.tier import Downgrade

PARAMS = """\
[[param.fund_fen]]
from = 2021-01-01
value = 10000000
cite = "d3 art. 1"
[[param.credit_rate]]
from = 2021-01-01
value = [1, 60]
cite = "d3 art. 1"
[[param.level_fen]]
from = 2021-01-01
value = [10000, 20000]
cite = "d3 art. 1"
[[param.level_minutes]]
from = 2021-01-01
value = [600, 1200]
cite = "d3 art. 1"
"""

PARTS = """\
[[pool]]
id = "fund"
title = { zh = "基金", en = "Fund" }
owner = { zh = "村", en = "Village" }
cite = "d3 art. 2"
holds = "fen"
amount_param = "fund_fen"
period = "calendar_year"
carry = "up_to"
carry_most = 500000
purposes = ["allowance", "aid"]
regions = ["640205"]
exhausted = "queue"
lapse = "days(14)"

[[pool]]
id = "gifts"
title = { zh = "公益池", en = "Common pool" }
owner = { zh = "县", en = "County" }
cite = "d3 art. 2"
holds = "pieces"
amount = 1000
period = "lifetime"
exhausted = "refuse"

[[group]]
id = "allowance"
title = { zh = "补贴", en = "Allowances" }
cite = "d3 art. 3"
mode = "top_up"
period = "lifetime"
excludes = ["prizes"]

[[group]]
id = "prizes"
title = { zh = "评选", en = "Prizes" }
cite = "d3 art. 3"
mode = "choose_one"
period = "calendar_year"
default = "prize"

[[credit]]
id = "coin"
kind = "credits"
title = { zh = "时间币", en = "Time credits" }
cite = "d3 art. 4"
valid = { from = 2021-01-01 }
block = 1
expires = "months(36)"
own_max = 1500
use = { fact = "age", op = ">=", value = 60 }
receive = { fact = "age", op = ">=", value = 65 }
gives_to = ["family", "pool"]
pool = "gifts"

[[table]]
id = "allowance"
key = [
  { column = "level", fact = "certificate_level", op = "==" },
  { column = "served_minutes", fact = "minutes", window = "lifetime", op = "range" },
]
dated = [{ from = 2021-01-01, file = "allowance", cite = "d3 art. 5" }]
"""

RULES = """\
[[rule]]
id = "once"
title = { zh = "一次性奖励", en = "One-off" }
dimension = "economic"
cite = "d3 art. 5"
valid = { from = 2021-01-01 }
evaluate = "event(certificate_added)"
table = "allowance"
grant = { kind = "money", item = "reward", column = "once_fen", pool = "fund", purpose = "allowance" }
stack = { group = "allowance", mode = "top_up" }
approve = { by = "county", publicise = "days(7)" }
revoke = { on = ["reversal", "fraud"], claw = "unused", grace = "days(15)" }
when = { fact = "employed_in", region = "640205", op = "==", value = true }

[[rule]]
id = "prize"
title = { zh = "标兵", en = "Prize" }
dimension = "esteem"
cite = "d3 art. 6"
valid = { from = 2021-01-01 }
evaluate = "yearly(12-05)"
grant = { kind = "honour", item = "prize" }
limits = [
  { per = "person", period = "calendar_year", max = 1 },
  { per = "all", of = "units", period = "lifetime", max = 54 },
]
approve = { by = "city" }
stack = { group = "prizes" }
priority = 2
when = { fact = "minutes", window = "school_year", category = "elder_care", op = ">=", value = 60 }
select = { mode = "top_n", winners = 3, per = "town", by = [{ fact = "minutes", window = "lifetime", order = "most" }], ties = "none" }

[[rule]]
id = "earn"
title = { zh = "得币", en = "Earn" }
dimension = "economic"
cite = "d3 art. 7"
valid = { from = 2021-01-01 }
evaluate = "monthly(05)"
grant = { kind = "credits", item = "coin", per = { fact = "minutes", window = "lifetime", min_assurance = "A1", rate_param = "credit_rate" } }
approve = { by = "county" }

[[rule]]
id = "steps"
title = { zh = "分级", en = "Steps" }
dimension = "economic"
cite = "d3 art. 8"
valid = { from = 2021-01-01 }
grant = { kind = "money", item = "bonus", count_param = "level_fen", pool = "fund", purpose = "aid" }
limits = [{ per = "person", period = "calendar_year", max = 1 }]
[rule.tiers]
fact = "minutes"
window = "calendar_year"
param = "level_minutes"
downgrade = "yearly"
level = [
  { title = { zh = "一级", en = "One" }, approve = "town" },
  { title = { zh = "二级", en = "Two" }, approve = "county" },
]
"""

SHEET = """\
level,served_minutes,once_fen
intermediate,*,300000
senior,..6000,500000
senior,6000..,600000
"""

TEXTS = {"pack": HEAD, "params": PARAMS + PARTS, "rules": RULES, "sheet": SHEET}


def full(**texts: str) -> dict[str, bytes]:
    found = TEXTS | texts
    made = files(pack=found["pack"], params=found["params"], rules=found["rules"])
    return made | {"tables/allowance.csv": found["sheet"].encode()}


def read(**texts: str) -> Pack:
    pack = read_pack_files(full(**texts))
    assert not isinstance(pack, PackRefused), str(pack)
    return pack


def test_everything_that_a_pack_may_say_is_read() -> None:
    pack = read()
    once, prize, earn, steps = pack.rules

    assert once.grant.amount == Cell("once_fen")
    assert (once.publicise_days, once.approvals, once.group) == (7, 2, "allowance")
    assert [(step.row, step.gives) for step in once.steps] == [
        (1, 300000),
        (2, 500000),
        (3, 600000),
    ]
    assert (prize.select.mode, prize.select.ties) == (SelectMode.TOP_N, Ties.NONE)
    assert [(each.per, each.of, each.every) for each in prize.limits] == [
        (LimitPer.ALL, LimitOf.UNITS, Every.LIFETIME)
    ]
    assert (str(prize.schedule), prize.priority, prize.approvals) == ("yearly(12-05)", 2, 1)
    assert str(earn.schedule) == "monthly(05)"
    assert steps.tiers is not None
    assert steps.tiers.downgrade is Downgrade.YEARLY
    assert [each.mode for each in pack.groups] == [StackMode.TOP_UP, StackMode.CHOOSE_ONE]
    assert [sorted(each.excludes) for each in pack.groups] == [["prizes"], ["allowance"]]
    assert pack.pool("fund").opening(on=date(2024, 1, 1), left=10**9) == 10_500_000
    (terms,) = pack.credits
    assert (terms.pool, terms.block, terms.own_most and terms.own_most.values[0].value) == (
        "gifts", 1, 1500,
    )  # fmt: skip


def test_a_stored_pack_is_the_pack_tables_and_all() -> None:
    pack = read()
    stored = read_stored_pack(pack.canonical, status=Status.ENACTED)

    assert stored == pack
    assert b'"rows":[["level","served_minutes","once_fen"]' in pack.canonical
    moved = read(params=PARAMS, rules=RULES + PARTS)
    assert moved.hash == pack.hash
    assert read(sheet=SHEET.replace("300000", "300001")).hash != pack.hash
    assert read(sheet=SHEET.replace("..6000,", '"..6000",')).hash == pack.hash


def come_to(pack: Pack, said: dict[str, Value | None], *, on: date) -> dict[str, str]:
    keys = facts_needed([pack], on=on)
    facts = {key: said.get(key.name, 0) for key in keys}
    return {
        result.rule.id: (
            str(result.gives[0].offer)
            if result.verdict is Verdict.GRANTED
            else result.verdict.value
        )
        for result in evaluate_person([pack], facts, on=on)
    }


ON = date(2024, 12, 6)
PEOPLE = [
    # certificate, minutes, employed | once, credits
    (2,            6000,    True,      "300000 reward", "100 coin until 2027-12-06"),
    (3,            5999,    True,      "500000 reward", "99 coin until 2027-12-06"),
    (3,            6000,    True,      "600000 reward", "100 coin until 2027-12-06"),
    (1,            6000,    True,      "not granted",   "100 coin until 2027-12-06"),
    (None,         6000,    True,      "missing",       "100 coin until 2027-12-06"),
    (2,            59,      None,      "missing",       "not granted"),
    (2,            60,      False,     "not granted",   "1 coin until 2027-12-06"),
]  # fmt: skip


@pytest.mark.parametrize(("certificate", "minutes", "employed", "once", "coins"), PEOPLE)
def test_rows_and_rates_say_how_much(
    certificate: int | None, minutes: int, employed: bool | None, once: str, coins: str
) -> None:
    said = {"certificate_level": certificate, "minutes": minutes, "employed_in": employed}
    found = come_to(read(), said, on=ON)

    assert (found["once"], found["earn"]) == (once, coins)


def test_a_new_dated_sheet_amends_the_table_and_leaves_the_old_one() -> None:
    amended = PARTS.replace(
        'cite = "d3 art. 5" }]',
        'cite = "d3 art. 5" }, { from = 2024-07-01, cite = "d3 art. 9", '
        'rows = [["level", "served_minutes", "once_fen"], ["senior", "*", "700000"]] }]',
    )
    pack = read(params=PARAMS + amended)
    said: dict[str, Value | None] = {
        "certificate_level": 3, "minutes": 6000, "employed_in": True,
    }  # fmt: skip

    assert come_to(pack, said, on=date(2024, 6, 30))["once"] == "600000 reward"
    assert come_to(pack, said, on=date(2024, 7, 1))["once"] == "700000 reward"
    assert read_stored_pack(pack.canonical, status=Status.ENACTED) == pack


REFUSED = [
    # which file, what is changed, into what | a problem that must be told
    ("sheet", "..6000", "..5999", "tables/allowance.csv:4 pack.table_gap level = senior, served_minutes = 5999"),
    ("sheet", "..6000", "..6001", "tables/allowance.csv:4 pack.table_overlap level = senior, served_minutes = 6000"),
    ("sheet", "intermediate,*", "assistant,*", "tables/allowance.csv:3 pack.table_gap level = intermediate, served_minutes = ..6000"),
    ("sheet", "intermediate", "expert", "tables/allowance.csv:2 pack.wrong_value level = expert"),
    ("sheet", "..6000", "6000..100", "tables/allowance.csv:3 pack.wrong_value served_minutes = 6000..100"),
    ("sheet", "300000", "300000.5", "tables/allowance.csv:2 pack.float once_fen = 300000.5"),
    ("sheet", "300000", '"3,000"', "tables/allowance.csv:2 pack.number_form once_fen = 3,000"),
    ("sheet", "300000", "9" * 16, "tables/allowance.csv:2 pack.number_range once_fen = 9999999999999999"),
    ("sheet", ",300000", "", "tables/allowance.csv:2 pack.table_shape intermediate,*"),
    ("sheet", "level,served", "rank,served", "tables/allowance.csv:1 pack.table_shape rank,served_minutes,once_fen"),
    ("sheet", "intermediate,*,300000", '"intermediate', "tables/allowance.csv:4 pack.syntax unexpected end of data"),
    ("sheet", "once_fen", "once_yuan", "rules/rules.toml:9 pack.unknown_column once_fen"),
    ("params", "served_minutes", "served_hours", "params.toml:76 pack.unit served_hours"),
    ("params", 'file = "allowance"', 'file = "other"', "params.toml:78 pack.unknown_table tables/other.csv"),
    ("params", "from = 2021-01-01, file", "from = 2021-01-02, file", "rules/rules.toml:6 pack.no_value_yet allowance"),
    ("params", 'op = "range"', 'op = ">="', "params.toml:76 pack.unknown_operator >="),
    ("params", 'amount_param = "fund_fen"', 'amount_param = "level_minutes"', "params.toml:23 pack.unit level_minutes"),
    ("params", 'holds = "fen"', 'holds = "places"', "params.toml:23 pack.unit fund_fen"),
    ("params", "carry_most = 500000\n", "", "params.toml:17 pack.missing_key carry_most"),
    ("params", 'exhausted = "queue"', 'exhausted = "rank"', "params.toml:17 pack.missing_key by"),
    ("params", 'exhausted = "refuse"', 'exhausted = "pro_rata"', "params.toml:40 pack.wrong_value exhausted"),
    ("params", '["640205"]', '["Dawukou"]', "params.toml:28 pack.wrong_value Dawukou"),
    ("params", 'excludes = ["prizes"]', 'excludes = ["menu"]', "params.toml:48 pack.unknown_group menu"),
    ("params", 'default = "prize"', 'default = "once"', "params.toml:56 pack.unknown_rule once"),
    ("params", 'mode = "choose_one"', 'mode = "cap"', "params.toml:56 pack.wrong_value default"),
    ("params", "own_max = 1500", "own_max = 1500\nown_max_param = \"fund_fen\"", "params.toml:67 pack.wrong_value own_max_param"),
    ("params", 'pool = "gifts"', 'pool = "fund"', "params.toml:70 pack.unit fund"),
    ("params", '"family", "pool"', '"family"', "params.toml:70 pack.contradiction pool"),
    ("params", 'id = "coin"', 'id = "point"', "rules/rules.toml:40 pack.no_terms coin"),
    ("params", "value = [1, 60]", "value = [1, 0]", "rules/rules.toml:40 pack.wrong_type credit_rate"),
    ("params", "value = [10000, 20000]", "value = [10000]", "rules/rules.toml:49 pack.levels level_fen"),
    ("params", 'fact = "age", op = ">=", value = 60', 'fact = "disability", op = ">=", value = 60', "params.toml:67 pack.protected_fact disability"),
    ("rules", 'pool = "fund", purpose = "allowance"', 'pool = "chest", purpose = "allowance"', "rules/rules.toml:9 pack.unknown_pool chest"),
    ("rules", ', pool = "fund", purpose = "allowance" }', " }", "rules/rules.toml:9 pack.no_pool reward"),
    ("rules", 'purpose = "allowance"', 'purpose = "party"', "rules/rules.toml:9 pack.wrong_value party"),
    ("rules", 'item = "prize" }', 'item = "prize", pool = "fund" }', "rules/rules.toml:22 pack.unit fund"),
    ("rules", 'column = "once_fen"', "count = 1", "rules/rules.toml:9 pack.amount allowance"),
    ("rules", 'item = "prize" }', 'item = "prize", column = "x" }', "rules/rules.toml:22 pack.unknown_column x"),
    ("rules", 'item = "prize" }', 'item = "prize", count = 1, count_param = "fund_fen" }', "rules/rules.toml:22 pack.amount count_param"),
    ("rules", 'mode = "top_up"', 'mode = "sum"', "rules/rules.toml:10 pack.contradiction mode"),
    ("rules", 'publicise = "days(7)"', 'people = 1', "rules/rules.toml:11 pack.number_range people"),
    ("rules", 'claw = "unused"', 'claw = "half"', "rules/rules.toml:12 pack.wrong_value half"),
    ("rules", '"reversal", "fraud"', '"mood"', "rules/rules.toml:12 pack.wrong_value mood"),
    ("rules", ', ties = "none"', "", "rules/rules.toml:31 pack.no_tie_rule top_n"),
    ("rules", "winners = 3, ", "", "rules/rules.toml:31 pack.missing_key winners"),
    ("rules", 'ties = "none" }', 'ties = "none", seed = "x" }', "rules/rules.toml:31 pack.wrong_value seed"),
    ("rules", 'per = "town"', 'per = "street"', "rules/rules.toml:31 pack.wrong_value street"),
    ("rules", 'mode = "top_n"', 'mode = "panel"', "rules/rules.toml:31 pack.missing_key shortlist"),
    ("rules", 'category = "elder_care"', 'category = "gardening"', "rules/rules.toml:30 pack.wrong_value gardening"),
    ("rules", 'region = "640205", ', "", "rules/rules.toml:13 pack.missing_key region"),
    ("rules", 'region = "640205"', 'region = "Dawukou"', "rules/rules.toml:13 pack.wrong_value Dawukou"),
    ("rules", 'downgrade = "yearly"', 'downgrade = "on_correction"', "rules/rules.toml:51 pack.contradiction downgrade"),
    ("rules", "[rule.tiers]", "table = \"allowance\"\n[rule.tiers]", "rules/rules.toml:51 pack.contradiction table"),
    ("rules", RULES[RULES.index("[[rule]]\nid = \"prize\""):RULES.index("[[rule]]\nid = \"earn\"")], "", "params.toml:51 pack.unused prizes"),
    ("rules", 'table = "allowance"\n', 'table = "wages"\n', "rules/rules.toml:8 pack.unknown_table wages"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem"), REFUSED)
def test_refused(file: str, old: str, new: str, problem: str) -> None:
    assert old in TEXTS[file]
    refused = read_pack_files(full(**{file: TEXTS[file].replace(old, new, 1)}))

    assert isinstance(refused, PackRefused)
    told = [
        f"{each.file}:{each.line} {each.code.value} {each.subject}" for each in refused.problems
    ]
    assert problem in told


HOSTILE = {
    "wide table": ("sheet", "level,served_minutes,once_fen\n" + "senior,1,1\n" * 90_000),
    "many boxes": (
        "sheet",
        SHEET + "".join(f"none,{n}..{n + 1},1\n" for n in range(0, 400, 2)),
    ),
    "long cell": ("sheet", SHEET + "none," + "9" * 900_000 + ",1\n"),
    "wide row": ("sheet", SHEET + "none" + ",1" * 400_000 + "\n"),
    "open quote": ("sheet", SHEET + '"' + "x\n" * 1_000),
    "many pools": ("params", PARAMS + PARTS[: PARTS.index("[[group]]")] * 400),
    "alias": ("rules", RULES + "a = &a [*a, *a]\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_part_is_refused_in_a_tenth_of_a_second(name: str) -> None:
    file, text = HOSTILE[name]
    made = full(**{file: text})
    found = read_pack_files(made)

    assert isinstance(found, PackRefused)
    assert all(each.line for each in found.problems)
    assert seconds_of(lambda: read_pack_files(made)) < 0.1
