"""Reading the examples of a pack: people in a few words, and what each rule promises them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from timebank.domain import region
from timebank.domain.service_field import field_of
from timebank.policy.allocation import Standing
from timebank.policy.document import NUMBER_MAX, Item
from timebank.policy.fact import FACTS, FactSpec, FactType, Value
from timebank.policy.form import Form, Notes
from timebank.policy.grammar import Reading, is_value_of
from timebank.policy.problem import ProblemCode
from timebank.policy.rule import (
    Case,
    CaseFact,
    Expectation,
    Scenario,
    ScenarioPerson,
    ScenarioResult,
    Verdict,
)
from timebank.policy.sheet import Sheet
from timebank.policy.window import parse_window

CASE = frozenset({"name", "on", "person", "expect"})
"""The keys of a case."""

SCENARIO = frozenset({"name", "on", "pool", "seed", "people_csv", "expect_csv"})
"""The keys of a scenario."""


def read_case(form: Form, reading: Reading, *, rule_ids: frozenset[str]) -> Case | None:
    """Return a case; its rules must exist, its facts must be of the closed list."""
    name, on = form.text("name"), form.day("on")
    person: list[CaseFact] = []
    facts = form.form("person", known=frozenset(FACTS))
    if facts is not None:
        for fact_name, item in facts.fields.items():
            if fact_name in FACTS:
                person.extend(_read_facts(facts, FACTS[fact_name], item, reading))
    expected = form.item("expect")
    expect: list[Expectation] = []
    if expected is not None and not isinstance(expected.value, dict):
        form.note(ProblemCode.WRONG_TYPE, "expect", "expect")
    elif expected is not None and isinstance(expected.value, dict):
        for rule_id, item in expected.value.items():
            if rule_id not in rule_ids:
                form.notes.note(ProblemCode.UNKNOWN_RULE, rule_id, item.line)
                continue
            if found := _read_expectation(rule_id, item):
                expect.append(found)
            else:
                form.notes.note(ProblemCode.WRONG_VALUE, rule_id, item.line)
        if not expected.value:
            form.note(ProblemCode.EMPTY, "expect", "expect")
    if name is None or on is None or facts is None or not expect:
        return None
    return Case(name, on, tuple(person), tuple(expect), form.line)


def _read_expectation(rule_id: str, item: Item) -> Expectation | None:
    if not isinstance(item.value, str):
        return None
    word, _, detail = item.value.partition(":")
    if word not in list(Verdict):
        return None
    return Expectation(rule_id, Verdict(word), detail.strip())


def read_scenario(
    form: Form, reading: Reading, sheets: Mapping[str, Sheet], *, rule_ids: frozenset[str]
) -> Scenario | None:
    """Return a scenario: several people from one file, what they come to from another."""
    name, on = form.text("name"), form.day("on")
    seed = form.text("seed") if "seed" in form.fields else "scenario"
    pools = _read_pools(form, reading)
    people = _read_people(form, reading, sheets, rule_ids)
    results = _read_results(form, reading, sheets, rule_ids, people or ())
    if name is None or on is None or seed is None or pools is None:
        return None
    if people is None or results is None:
        return None
    file = f"scenarios/{form.fields['expect_csv'].value}.csv"
    return Scenario(
        name=name,
        on=on,
        pools=pools,
        seed=seed,
        people=people,
        results=results,
        line=form.line,
        file=file,
    )


def _read_pools(form: Form, reading: Reading) -> tuple[tuple[str, int], ...] | None:
    if "pool" not in form.fields:
        return ()
    names = frozenset(
        each.removeprefix("pool/") for each in reading.declared_parts if each.startswith("pool/")
    )
    inner = form.form("pool", known=names)
    if inner is None:
        return None
    found = [(name, inner.whole(name, low=0, high=NUMBER_MAX)) for name in inner.fields]
    whole = tuple((name, value) for name, value in found if value is not None)
    return whole if len(whole) == len(found) else None


def _sheet(
    form: Form, name: str, reading: Reading, sheets: Mapping[str, Sheet]
) -> tuple[Sheet, Notes] | None:
    file = form.name(name)
    if file is None:
        return None
    path = f"scenarios/{file}.csv"
    reading.used_parts.add(path)
    if path not in sheets:
        form.note(ProblemCode.UNKNOWN_TABLE, path, name)
        return None
    return sheets[path], Notes(path, form.notes.problems)


def _read_people(
    form: Form, reading: Reading, sheets: Mapping[str, Sheet], rule_ids: frozenset[str]
) -> tuple[ScenarioPerson, ...] | None:
    found = _sheet(form, "people_csv", reading, sheets)
    if found is None:
        return None
    sheet, notes = found
    (heading_line, heading), *body = sheet.rows
    if "person" not in heading or len(set(heading)) < len(heading) or not body:
        notes.note(ProblemCode.TABLE_SHAPE, ",".join(heading), heading_line)
        return None
    people: list[ScenarioPerson] = []
    for line, cells in body:
        if len(cells) != len(heading):
            notes.note(ProblemCode.TABLE_SHAPE, ",".join(cells), line)
            continue
        person = _read_person(
            dict(zip(heading, cells, strict=True)), Line(notes, line), reading, rule_ids
        )
        if person is not None and person.number in {each.number for each in people}:
            notes.note(ProblemCode.DUPLICATE_ID, str(person.number), line)
        elif person is not None:
            people.append(person)
    return tuple(people) if len(people) == len(body) else None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, to note problems at."""

    notes: Notes
    number: int

    def note(self, code: ProblemCode, subject: str) -> None:
        """Note a problem at the line."""
        self.notes.note(code, subject, self.number)


def _read_person(
    cells: Mapping[str, str], line: Line, reading: Reading, rule_ids: frozenset[str]
) -> ScenarioPerson | None:
    facts: list[CaseFact] = []
    number, since, home = None, None, None
    chose: tuple[str, ...] = ()
    voted: tuple[str, ...] = ()
    given: list[tuple[str, int]] = []
    is_whole = True
    for column, text in cells.items():
        name, _, words = column.partition(" ")
        value: Value | None
        match column:
            case "person":
                number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
                if number is None:
                    line.note(ProblemCode.WRONG_TYPE, "person")
            case "since":
                since = _day(text)
                is_whole = is_whole and (since is not None or not text)
                if text and since is None:
                    line.note(ProblemCode.WRONG_TYPE, "since")
            case "home":
                if text and not is_value_of(FactType.REGION, text):
                    line.note(ProblemCode.WRONG_TYPE, "home")
                    is_whole = False
                elif text:
                    home = region.parse_code(text)
            case "chose" | "voted":
                names = tuple(text.split())
                if column == "chose":
                    chose = names
                else:
                    voted = names
                for rule_id in names:
                    if rule_id not in rule_ids:
                        line.note(ProblemCode.UNKNOWN_RULE, rule_id)
                        is_whole = False
            case _ if name == "given" and words in rule_ids:
                count = _cell_value(FACTS["minutes"], text or "0")
                if not isinstance(count, int):
                    line.note(ProblemCode.WRONG_TYPE, column)
                    is_whole = False
                elif count:
                    given.append((words, count))
            case _ if name in FACTS:
                if not text:
                    continue
                value = _cell_value(FACTS[name], text)
                if value is None:
                    line.note(ProblemCode.WRONG_TYPE, column)
                    is_whole = False
                    continue
                fact = _said(FACTS[name], words, value, reading, line)
                is_whole = is_whole and fact is not None
                if fact is not None:
                    facts.append(fact)
            case _:
                line.note(ProblemCode.UNKNOWN_COLUMN, column)
                is_whole = False
    if number is None or not is_whole:
        return None
    return ScenarioPerson(number, since, home, tuple(facts), chose, tuple(given), voted)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _cell_value(spec: FactSpec, text: str) -> Value | None:
    match spec.type:
        case FactType.NUMBER:
            return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
        case FactType.YES_NO:
            return {"yes": True, "no": False, "是": True, "否": False}.get(text)
        case FactType.DAY:
            return _day(text)
        case FactType.REGION:
            return region.parse_code(text) if is_value_of(FactType.REGION, text) else None
        case FactType.CHOICE:
            return spec.choices.index(text) if text in spec.choices else None


def _read_results(
    form: Form,
    reading: Reading,
    sheets: Mapping[str, Sheet],
    rule_ids: frozenset[str],
    people: Sequence[ScenarioPerson],
) -> tuple[ScenarioResult, ...] | None:
    found = _sheet(form, "expect_csv", reading, sheets)
    if found is None:
        return None
    sheet, notes = found
    (heading_line, heading), *body = sheet.rows
    if heading != ("person", "rule", "standing", "count"):
        notes.note(ProblemCode.TABLE_SHAPE, ",".join(heading), heading_line)
        return None
    numbers = {str(each.number) for each in people}
    results: list[ScenarioResult] = []
    for line, cells in body:
        if len(cells) != len(heading):
            notes.note(ProblemCode.TABLE_SHAPE, ",".join(cells), line)
            continue
        person, rule_id, standing, count = cells
        if rule_id not in rule_ids:
            notes.note(ProblemCode.UNKNOWN_RULE, rule_id, line)
        elif people and person not in numbers:
            notes.note(ProblemCode.WRONG_VALUE, person, line)
        elif standing not in list(Standing):
            notes.note(ProblemCode.WRONG_VALUE, standing, line)
        elif not (count.isascii() and count.isdigit() and len(count) < 16 and person.isdigit()):
            notes.note(ProblemCode.WRONG_TYPE, "count", line)
        else:
            results.append(ScenarioResult(int(person), rule_id, standing, int(count), line))
    return tuple(results) if len(results) == len(body) else None


def _read_facts(form: Form, spec: FactSpec, item: Item, reading: Reading) -> list[CaseFact]:
    line = Line(form.notes, item.line)
    if not isinstance(item.value, dict):
        value = _value(form, spec, item)
        found_fact = None if value is None else _said(spec, "", value, reading, line)
        return [] if found_fact is None else [found_fact]
    found: list[CaseFact] = []
    for words, inner in item.value.items():
        value = _value(form, spec, inner)
        if value is None:
            continue
        fact = _said(spec, words, value, reading, Line(form.notes, inner.line))
        if fact is not None:
            found.append(fact)
    return found


def _said(
    spec: FactSpec, words: str, value: Value, reading: Reading, line: Line
) -> CaseFact | None:
    """Return what is said about a fact: its window, grade, field, division, register or rule."""
    window, rule, register = "", "", ""
    assurance, category, division = None, 0, 0
    for word in words.split():
        parsed = parse_window(word)
        field = field_of(word) if spec.has_category else None
        if parsed is not None and spec.windows and not window:
            window = str(parsed)
        elif word in ("A0", "A1", "A2", "A3") and spec.has_assurance:
            assurance = int(word[1])
        elif field is not None:
            category = field.value
        elif spec.has_region and is_value_of(FactType.REGION, word):
            division = region.parse_code(word)
        elif spec.has_register and not register:
            register = word
        elif spec.has_rule and not rule:
            rule = word if "/" in word else f"{reading.pack_id}/{word}"
        else:
            line.note(ProblemCode.UNKNOWN_WINDOW, word)
            return None
    named = ((spec.windows, window), (spec.has_region, division), (spec.has_register, register))
    if any(bool(needed) and not given for needed, given in named):
        line.note(ProblemCode.MISSING_KEY, f"window of {spec.name}")
        return None
    return CaseFact(spec.name, window, assurance, rule, value, category, division, register)


def _value(form: Form, spec: FactSpec, item: Item) -> Value | None:
    value = item.value
    if isinstance(value, dict | list) or not is_value_of(spec.type, value):
        form.notes.note(ProblemCode.WRONG_TYPE, spec.name, item.line)
        return None
    if isinstance(value, str):
        if spec.choices:
            if value in spec.choices:
                return spec.choices.index(value)
            form.notes.note(ProblemCode.WRONG_TYPE, spec.name, item.line)
            return None
        return region.parse_code(value)
    return value
