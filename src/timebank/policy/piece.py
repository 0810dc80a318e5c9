"""Whole pieces of a pack from a few typed fields: a rule with its number, a pool, a group, a table.

A piece is put into the files that are there, at the end of its kind, and nothing else of them is
touched. What the loader would refuse of it is refused before, at the field that it comes from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from timebank.policy.authoring import Files, look_through, plain_of, value_of
from timebank.policy.document import read_document
from timebank.policy.fact import FACTS, FactType
from timebank.policy.form import NAME
from timebank.policy.grant import GrantKind
from timebank.policy.pool import Holds
from timebank.policy.problem import Problem, ProblemCode
from timebank.policy.rewriting import Plain, add_value, remove_value, set_values
from timebank.policy.sheet import Sheet, read_sheet
from timebank.policy.stacking import StackMode


class PieceKind(StrEnum):
    """What can be put into a pack in one go."""

    TIERS = "tiers"
    COURTESY = "courtesy"
    CAMPAIGN = "campaign"
    GROUP = "group"
    POOL = "pool"
    TABLE = "table"
    CASE = "case"
    END = "end"
    """Not a thing but a day: the last one of every rule."""


@dataclass(frozen=True, slots=True)
class PutIn:
    """A pack's files with a piece more.

    Attributes:
        part: The file in which it stands.
    """

    files: Files
    part: str


@dataclass(frozen=True, slots=True)
class PieceRefused:
    """Why a piece was not put in: by field of its form; of the whole under an empty name."""

    at: Mapping[str, Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class Known:
    """What a pack's files have, whether or not the loader takes them.

    Attributes:
        parts: Ids and titles in both languages of rules, groups, pools, instruments and so on.
        columns: Tables with the columns that say how much, such as `allowance/monthly_fen`.
        homes: Of each part by kind and id: its file and its path.
    """

    parts: Mapping[str, Mapping[str, tuple[str, str]]]
    columns: Sequence[str]
    homes: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]
    rows: Mapping[tuple[str, str], int]

    def of(self, kind: str) -> Mapping[str, tuple[str, str]]:
        """Return the parts of a kind by id."""
        return self.parts.get(kind, {})


def known_of(files: Files) -> Known:
    """Return what a pack's files have; files that cannot be read have nothing."""
    parts: dict[str, dict[str, tuple[str, str]]] = {}
    homes: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    rows: dict[tuple[str, str], int] = {}
    columns: list[str] = []
    for name in sorted(files):
        root = _read(files, name)
        for kind, listed in root.items():
            if kind == "param" and isinstance(listed, dict):
                for each in listed:
                    parts.setdefault("param", {})[each] = (each, each)
                    homes["param", each] = (name, ("param", each))
            if not isinstance(listed, list):
                continue
            rows[name, kind] = len(listed)
            for place, row in enumerate(listed):
                if not isinstance(row, dict):
                    continue
                row_id = str(row.get("id", ""))
                title = row.get("title")
                title = title if isinstance(title, dict) else {}
                words = (str(title.get("zh") or row_id), str(title.get("en") or row_id))
                parts.setdefault(kind, {})[row_id] = words
                homes[kind, row_id] = (name, (kind, str(place)))
                if kind == "table":
                    columns += _columns(files, row)
    return Known(parts, columns, homes, rows)


def _columns(files: Files, row: Mapping[str, Plain]) -> list[str]:
    dated, keys = row.get("dated"), row.get("key")
    if not isinstance(dated, list) or not isinstance(keys, list) or not dated:
        return []
    asked = {each.get("column") for each in keys if isinstance(each, dict)}
    file = dated[0].get("file", "") if isinstance(dated[0], dict) else ""
    sheet = read_sheet(files.get(f"tables/{file}.csv", "").encode(), file="")
    if isinstance(sheet, Problem):
        return []
    return [f"{row.get('id')}/{each}" for each in sheet.rows[0][1] if each not in asked]


def _read(files: Files, name: str) -> dict[str, Plain]:
    if not name.endswith(".toml"):
        return {}
    root = read_document(files[name].encode(), file=name).root or {}
    return {key: plain_of(item) for key, item in root.items()}


def put_in(
    files: Files, kind: PieceKind, typed: Mapping[str, str], *, part: str
) -> PutIn | PieceRefused:
    """Return a pack's files with a piece more, or what has to be typed differently.

    What is only unfinished about it, such as a pool that no rule takes from yet, is not refused.
    """
    work = _Work(files, known_of(files), typed, home=_home(files, part))
    _BUILDERS[kind](work)
    if not work.errors:
        work.refuse_as_the_loader()
    return PieceRefused(work.errors) if work.errors else PutIn(work.files, work.part or work.home)


def _home(files: Files, part: str) -> str:
    """Return the file of rules into which a piece goes: the one that is looked at, if it is one."""
    if part.startswith("rules/") and part in files:
        return part
    return min((each for each in files if each.startswith("rules/")), default="rules/rules.toml")


_UNFINISHED = frozenset({ProblemCode.UNUSED, ProblemCode.UNUSED_PARAMETER})

_FIELDS: Mapping[str, str] = {
    "title": "zh",
    "zh": "zh",
    "en": "en",
    "owner": "owner",
    "cite": "place",
    "source": "place",
    "valid": "from",
    "value": "hours",
    "when": "hours",
    "param": "hours",
    "fact": "hours",
    "by": "approver",
    "approve": "approver",
    "limits": "period",
    "rows": "csv",
    "dated": "csv",
    "key": "csv",
    "expect": "name",
    "carry_most": "carry",
}
"""The field of a piece's form from which a key of the file comes, where their names differ."""


@dataclass(slots=True)
class _Work:
    """A piece in the making.

    Attributes:
        files: With what was put in so far.
        made: Files and paths of what was put in.
        part: The file that is shown next; empty for the rules'.
    """

    files: Files
    known: Known
    typed: Mapping[str, str]
    home: str
    errors: dict[str, list[Problem]] = field(default_factory=dict)
    made: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    part: str = ""

    def note(self, name: str, code: ProblemCode, subject: str = "", *, line: int = 0) -> None:
        """Note what is wrong with a field; the first word about it stays."""
        self.errors.setdefault(name, [Problem(self.part or self.home, line, code, subject[:80])])

    def text(self, name: str, *, required: bool = True) -> str:
        text = self.typed.get(name, "").strip()
        if required and not text:
            self.note(name, ProblemCode.EMPTY, name)
        return text

    def pick(self, name: str, among: Sequence[str] | Mapping[str, object]) -> str:
        """Return what was chosen of a list; empty where nothing was."""
        text = self.typed.get(name, "")
        if text and text not in among:
            self.note(name, ProblemCode.WRONG_VALUE, text)
        return text

    def picks(self, name: str, among: Mapping[str, object]) -> list[str]:
        """Return what was ticked of a list."""
        return [each for each in among if self.typed.get(f"{name}:{each}")]

    def both(self, zh: str, en: str) -> dict[str, str]:
        """Return a text in both languages; where the English is left out, the Chinese stands."""
        chinese = self.text(zh)
        return {"zh": chinese, "en": self.text(en, required=False) or chinese}

    def day(self, name: str) -> date:
        text = self.text(name)
        value = value_of(text)
        if text and not isinstance(value, date):
            self.note(name, ProblemCode.WRONG_VALUE, text)
        return value if isinstance(value, date) else date.min

    def whole(self, name: str, *, default: int | None = None, times: int = 1) -> int:
        text = self.text(name, required=default is None)
        if not text and default is not None:
            return default
        value = value_of(text)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            if text:
                self.note(name, ProblemCode.WRONG_VALUE, text)
            return 1
        return value * times

    def minutes(self, name: str) -> list[int]:
        """Return numbers of hours as minutes; `1 小时 30 分` and `90 分` are read as they say."""
        found = []
        for part in re.split(r"[,，、;；]", self.text(name)):
            text = part.strip().removesuffix(".0")
            if text.isascii() and text.isdigit() and len(text) < 6:
                found.append(int(text) * 60)
            elif half := re.fullmatch(r"(\d{1,5})\.5", text):
                found.append(int(half[1]) * 60 + 30)
            elif short := re.fullmatch(r"(\d{1,6})\s*(?:分钟?|min)", text):
                found.append(int(short[1]))
            elif isinstance(value := value_of(text, is_time=True), int) and text:
                found.append(value)
            else:
                self.note(name, ProblemCode.WRONG_VALUE, text)
        return found

    def new_id(self, kind: str) -> str:
        """Return the id as typed, or one made of the English title."""
        text = self.text("id", required=False)
        if not text:
            made = re.sub(r"[^a-z0-9]+", "-", self.typed.get("en", "").lower()).strip("-")
            text = made[:40].strip("-") if NAME.fullmatch(made[:40].strip("-")) else kind
            taken = {*self.known.of("rule"), *self.known.of(kind), *self.known.of("param")}
            number = 2
            while text in taken or f"{text}_minutes" in taken:
                text = f"{text.rstrip('0123456789').rstrip('-')}-{number}"
                number += 1
        if not NAME.fullmatch(text):
            self.note("id", ProblemCode.WRONG_VALUE, text)
        elif text in self.known.of(kind):
            self.note("id", ProblemCode.DUPLICATE_ID, text)
        return text

    def cited(self) -> dict[str, str]:
        """Return by whose word a piece stands."""
        instrument = self.pick("instrument", self.known.of("instrument"))
        if not instrument:
            self.note("instrument", ProblemCode.EMPTY, "instrument")
        place = self.text("place", required=False)
        if self.typed.get("assumed"):
            return {"cite": f"{instrument} {place}".strip(), "source": "assumed"}
        if not place:
            self.note("place", ProblemCode.NO_PLACE, instrument)
        return {"cite": f"{instrument} {place}".strip()}

    def put(self, file: str, path: Sequence[str], value: Mapping[str, Plain]) -> None:
        """Put a table in, unless something about the piece was noted."""
        if self.errors:
            return
        place = self.known.rows.get((file, path[0]), 0) if path[0] != "param" else 0
        self.files = {**self.files, file: add_value(self.files.get(file, ""), path, dict(value))}
        self.made.append((file, (*path, str(place))))

    def put_number(self, name: str, value: Plain, *, since: date, cited: Mapping[str, str]) -> str:
        """Put a dated number in; return its name."""
        if name in self.known.of("param"):
            self.note("id", ProblemCode.DUPLICATE_ID, name)
        self.put("params.toml", ["param", name], {"from": since, "value": value, **cited})
        return name

    def give(self, rules: Sequence[str], path: Sequence[str], value: Plain) -> None:
        """Write something into rules that are there."""
        for rule in rules:
            if self.errors:
                return
            file, home = self.known.homes["rule", rule]
            to = (*home, *path)
            text = add_value(remove_value(self.files[file], to), to, value)
            self.files = {**self.files, file: text}

    def refuse_as_the_loader(self) -> None:
        """Note at the piece's fields what the loader says about what was put in."""
        for (file, path), problems in look_through(self.files).at.items():
            if not any(file == home and path[: len(made)] == made for home, made in self.made):
                continue
            for problem in problems:
                if problem.code in _UNFINISHED:
                    continue
                keys = [each for each in reversed(path) if not each.isdigit()]
                names = [_FIELDS.get(each, each) for each in keys]
                at = next((each for each in names if each in self.typed), "")
                at = "csv" if file.startswith("tables/") else at
                self.errors.setdefault(at, []).append(problem)


def _approved(work: _Work) -> dict[str, Plain]:
    approved: dict[str, Plain] = {"by": work.text("approver", required=False) or "county"}
    if work.text("publicise", required=False):
        approved["publicise"] = f"days({work.whole('publicise')})"
    return approved


def _grant(work: _Work, item: str) -> dict[str, Plain]:
    kind = work.pick("kind", [each.value for each in GrantKind]) or GrantKind.PASS.value
    grant: dict[str, Plain] = {"kind": kind, "item": work.text("item", required=False) or item}
    column = work.pick("column", work.known.columns)
    if column:
        grant["column"] = column.partition("/")[2]
    else:
        grant["count"] = work.whole(
            "count", default=1, times=100 if kind == GrantKind.MONEY.value else 1
        )
    if expires := work.text("expires", required=False):
        grant["expires"] = expires
    if pool := work.pick("pool", work.known.of("pool")):
        grant["pool"] = pool
    return grant


def _rule(work: _Work, rule_id: str, cited: Mapping[str, str]) -> dict[str, Plain]:
    rule: dict[str, Plain] = {"id": rule_id, "title": work.both("zh", "en")}
    if note := work.text("note", required=False):
        rule["note"] = {"zh": note, "en": work.text("note_en", required=False) or note}
    return {**rule, **cited}


def _tiers(work: _Work) -> None:
    rule_id, cited, since = work.new_id("rule"), work.cited(), work.day("from")
    numbers = work.minutes("hours")
    names, names_en = _listed(work.text("names")), _listed(work.text("names_en", required=False))
    if len(names) != len(numbers):
        work.note("names", ProblemCode.LEVELS, work.typed.get("names", ""))
    if names_en and len(names_en) != len(names):
        work.note("names_en", ProblemCode.LEVELS, work.typed.get("names_en", ""))
    if numbers != sorted(set(numbers)):
        work.note("hours", ProblemCode.NOT_ASCENDING, work.typed.get("hours", ""))
    approver = work.text("approver", required=False) or "county"
    window = work.text("window", required=False) or "lifetime"
    parameter = work.put_number(
        f"{rule_id}_minutes".replace("-", "_"), numbers, since=since, cited=cited
    )
    work.put(
        work.home,
        ["rule"],
        {
            **_rule(work, rule_id, cited),
            "dimension": "esteem",
            "valid": {"from": since},
            "grant": {"kind": "honour", "item": rule_id},
            **({"limits": [_once("calendar_year")]} if window == "calendar_year" else {}),
            "tiers": {
                "fact": "minutes",
                "window": window,
                "param": parameter,
                "downgrade": "never",
                "level": [
                    {"title": {"zh": zh, "en": en}, "approve": approver}
                    for zh, en in zip(names, names_en or names, strict=False)
                ],
            },
        },
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,，、;；]", text) if part.strip()]


def _once(period: str) -> dict[str, Plain]:
    return {"per": "person", "period": period, "max": 1}


def _courtesy(work: _Work) -> None:
    rule_id, cited, since = work.new_id("rule"), work.cited(), work.day("from")
    window = work.text("window", required=False) or "calendar_year"
    rule: dict[str, Plain] = {
        **_rule(work, rule_id, cited),
        "dimension": work.text("dimension", required=False) or "economic",
        "valid": {"from": since},
    }
    table = work.typed.get("column", "").partition("/")[0]
    if table:
        rule["table"] = table
    rule["grant"] = _grant(work, rule_id)
    rule["limits"] = [_once(work.text("period", required=False) or "calendar_year")]
    if group := work.pick("group", work.known.of("group")):
        rule["stack"] = {"group": group}
    rule["approve"] = _approved(work)
    if not table or work.text("hours", required=False):
        rule["when"] = _minutes_leaf(work, rule_id, window, since=since, cited=cited)
    work.put(work.home, ["rule"], rule)


def _minutes_leaf(
    work: _Work, rule_id: str, window: str, *, since: date, cited: Mapping[str, str]
) -> dict[str, Plain]:
    numbers = work.minutes("hours")
    if len(numbers) > 1:
        work.note("hours", ProblemCode.WRONG_VALUE, work.typed.get("hours", ""))
    name = f"{rule_id}_minutes".replace("-", "_")
    parameter = work.put_number(name, (numbers or [0])[0], since=since, cited=cited)
    leaf: dict[str, Plain] = {"fact": "minutes", "window": window}
    if grade := work.text("min_assurance", required=False):
        leaf["min_assurance"] = grade
    return {**leaf, "op": ">=", "param": parameter}


def _campaign(work: _Work) -> None:
    rule_id, cited = work.new_id("rule"), work.cited()
    since, through = work.day("from"), work.day("through")
    if through < since:
        work.note("through", ProblemCode.DATES, work.typed.get("through", ""))
    window = f"between({since},{through})"
    rule: dict[str, Plain] = {
        **_rule(work, rule_id, cited),
        "dimension": "esteem",
        "valid": {"from": since, "through": through},
    }
    if more := work.text("more", required=False):
        _more_for_each_hour(work, rule, rule_id, window, more, since=since, cited=cited)
        return
    rule["grant"] = _grant(work, rule_id)
    rule["limits"] = [_once("calendar_year")]
    rule["approve"] = _approved(work)
    rule["when"] = _minutes_leaf(work, rule_id, window, since=since, cited=cited)
    work.put(work.home, ["rule"], rule)


def _more_for_each_hour(
    work: _Work,
    rule: dict[str, Plain],
    rule_id: str,
    window: str,
    item: str,
    *,
    since: date,
    cited: Mapping[str, str],
) -> None:
    """Put in a rule that gives more credits or points for every hour of the campaign."""
    file, home = work.known.homes.get(("credit", item), ("", ()))
    if not file:
        work.note("more", ProblemCode.NO_TERMS, item)
        return
    terms = _read(work.files, file)["credit"]
    row = terms[int(home[1])] if isinstance(terms, list) else {}
    kind = row.get("kind", "points") if isinstance(row, dict) else "points"
    count = work.whole("count", default=1)
    rate = work.put_number(
        f"{rule_id}_rate".replace("-", "_"), [count, 60], since=since, cited=cited
    )
    # Every run pays what is new since the last: the difference to what was given in the campaign.
    work.put(
        work.home,
        ["group"],
        {"id": rule_id, "title": rule["title"], **cited, "mode": "top_up", "period": "lifetime"},
    )
    per = {"fact": "minutes", "window": window, "min_assurance": "A1", "rate_param": rate}
    rule["grant"] = {"kind": kind, "item": item, "per": per}
    rule["stack"] = {"group": rule_id}
    rule["approve"] = _approved(work)
    work.put(work.home, ["rule"], rule)


def _group(work: _Work) -> None:
    group_id, cited = work.new_id("group"), work.cited()
    mode = work.pick("mode", [each.value for each in StackMode]) or StackMode.CHOOSE_ONE.value
    members = work.picks("member", work.known.of("rule"))
    group: dict[str, Plain] = {
        "id": group_id,
        "title": work.both("zh", "en"),
        **cited,
        "mode": mode,
        "period": work.text("period", required=False) or "calendar_year",
    }
    if mode == StackMode.CHOOSE_ONE.value and (
        default := work.pick("default", work.known.of("rule"))
    ):
        if default not in members:
            work.note("default", ProblemCode.UNKNOWN_RULE, default)
        group["default"] = default
    if mode == StackMode.CAP.value:
        group["max"] = work.whole("max")
    if excludes := work.picks("exclude", work.known.of("group")):
        group["excludes"] = excludes
    work.put(work.home, ["group"], group)
    work.give(members, ["stack"], {"group": group_id})


def _pool(work: _Work) -> None:
    pool_id, cited = work.new_id("pool"), work.cited()
    holds = work.pick("holds", [each.value for each in Holds]) or Holds.PIECES.value
    pool: dict[str, Plain] = {
        "id": pool_id,
        "title": work.both("zh", "en"),
        "owner": work.both("owner", "owner_en"),
        **cited,
        "holds": holds,
        "amount": work.whole("amount", times=100 if holds == Holds.FEN.value else 1),
        "period": work.text("period", required=False) or "calendar_year",
    }
    if carry := work.text("carry", required=False):
        pool["carry"] = carry
    pool["exhausted"] = work.text("exhausted", required=False) or "queue"
    if lapse := work.text("lapse", required=False):
        pool["lapse"] = lapse
    work.put(work.home, ["pool"], pool)
    work.give(work.picks("member", work.known.of("rule")), ["grant", "pool"], pool_id)


def _table(work: _Work) -> None:
    table_id, cited, since = work.new_id("table"), work.cited(), work.day("from")
    work.part = f"tables/{table_id}.csv"
    text = work.text("csv").replace("\r\n", "\n").removeprefix("\ufeff")
    sheet = read_sheet(text.encode(), file=work.part)
    if isinstance(sheet, Problem):
        work.errors["csv"] = [sheet]
        return
    keys = _keys(work, sheet)
    if not keys:
        work.note("csv", ProblemCode.TABLE_SHAPE, ",".join(sheet.rows[0][1]), line=1)
    if work.errors:
        return
    work.files = {**work.files, work.part: text.rstrip("\n") + "\n"}
    work.made.append((work.part, ()))
    dated = [{"from": since, "file": table_id, **cited}]
    work.put(work.home, ["table"], {"id": table_id, "key": keys, "dated": dated})


def _keys(work: _Work, sheet: Sheet) -> list[Plain]:
    """Return what the columns ask, as they were chosen."""
    keys: list[Plain] = []
    for column in sheet.rows[0][1]:
        asks = work.typed.get(f"asks:{column}", "")
        if not asks:
            continue
        name, _, words = asks.partition(" ")
        if name not in FACTS:
            work.note(f"asks:{column}", ProblemCode.UNKNOWN_FACT, name)
            continue
        spec = FACTS[name]
        op = {FactType.NUMBER: "range", FactType.DAY: "range", FactType.REGION: "within"}
        key: dict[str, Plain] = {"column": column, "fact": name}
        if words:
            key["window"] = words
        keys.append({**key, "op": op.get(spec.type, "==")})
    return keys


def _case(work: _Work) -> None:
    work.part = "cases.toml"
    pack = look_through(work.files).pack
    if pack is None:
        work.note("", ProblemCode.UNKNOWN_RULE, "rule")
        return
    person: dict[str, Plain] = {}
    for name, text in work.typed.items():
        fact, _, words = name.removeprefix("fact:").partition(" ")
        if not name.startswith("fact:") or not text.strip() or fact not in FACTS:
            continue
        value = _said(work, name, fact, text.strip())
        if words:
            inner = person.setdefault(fact, {})
            if isinstance(inner, dict):
                inner[words] = value
        else:
            person[fact] = value
    expect: dict[str, Plain] = {}
    for name, text in work.typed.items():
        if name.startswith("rule:") and text:
            detail = work.typed.get(f"detail:{name.removeprefix('rule:')}", "").strip()
            expect[name.removeprefix("rule:")] = f"{text}: {detail}" if detail else text
    if not expect:
        work.note("name", ProblemCode.EMPTY, "expect")
    case = {"name": work.text("name"), "on": work.day("on"), "person": person, "expect": expect}
    work.put(work.part, ["case"], case)


def _said(work: _Work, name: str, fact: str, text: str) -> Plain:
    spec = FACTS[fact]
    if spec.type is FactType.NUMBER:
        if fact == "minutes":
            numbers = _Work(work.files, work.known, {name: text}, work.home)
            found = numbers.minutes(name)
            work.errors |= numbers.errors
            return (found or [0])[0]
        value = value_of(text)
        if isinstance(value, bool) or not isinstance(value, int):
            work.note(name, ProblemCode.WRONG_VALUE, text)
        return value
    if spec.type in (FactType.YES_NO, FactType.DAY):
        return value_of(text)
    return text


def _end(work: _Work) -> None:
    through = work.day("through")
    if work.errors:
        return
    for file, root in ((each, _read(work.files, each)) for each in sorted(work.files)):
        rules = root.get("rule")
        for place, rule in enumerate(rules if isinstance(rules, list) else []):
            valid = rule.get("valid") if isinstance(rule, dict) else None
            last = valid.get("through") if isinstance(valid, dict) else None
            if isinstance(last, date) and last <= through:
                continue
            path = ("rule", str(place), "valid", "through")
            text = work.files[file]
            ended = add_value(text, path, through) if last is None else None
            work.files = {**work.files, file: ended or set_values(text, {path: through})}
            work.made.append((file, path[:3]))
            work.part = work.part or file


_BUILDERS: Mapping[PieceKind, Callable[[_Work], None]] = {
    PieceKind.TIERS: _tiers,
    PieceKind.COURTESY: _courtesy,
    PieceKind.CAMPAIGN: _campaign,
    PieceKind.GROUP: _group,
    PieceKind.POOL: _pool,
    PieceKind.TABLE: _table,
    PieceKind.CASE: _case,
    PieceKind.END: _end,
}
