"""Reading the cases of a pack: a person in a few words, and what each rule promises them."""

from timebank.domain import region
from timebank.policy.document import Item
from timebank.policy.fact import FACTS, FactSpec, FactType, Value
from timebank.policy.form import Form
from timebank.policy.grammar import Reading, is_value_of
from timebank.policy.problem import ProblemCode
from timebank.policy.rule import Case, CaseFact, Expectation, Verdict
from timebank.policy.window import parse_window

CASE = frozenset({"name", "on", "person", "expect"})
"""The keys of a case."""

CASES_MAX = 2_000
"""Most cases of a pack: all of them run in a few seconds."""


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


def _read_facts(form: Form, spec: FactSpec, item: Item, reading: Reading) -> list[CaseFact]:
    if not isinstance(item.value, dict):
        if spec.windows:
            form.notes.note(ProblemCode.MISSING_KEY, f"window of {spec.name}", item.line)
            return []
        value = _value(form, spec, item)
        return [] if value is None else [CaseFact(spec.name, "", None, "", value)]
    found: list[CaseFact] = []
    for words, inner in item.value.items():
        window, assurance, rule = "", None, ""
        for word in words.split():
            parsed = parse_window(word)
            if parsed is not None:
                window = str(parsed)
            elif word in ("A0", "A1", "A2", "A3") and spec.has_assurance:
                assurance = int(word[1])
            elif spec.has_rule and not rule:
                rule = word if "/" in word else f"{reading.pack_id}/{word}"
            else:
                form.notes.note(ProblemCode.UNKNOWN_WINDOW, word, inner.line)
        if not window or not spec.windows:
            form.notes.note(ProblemCode.WRONG_WINDOW, words, inner.line)
            continue
        value = _value(form, spec, inner)
        if value is not None:
            found.append(CaseFact(spec.name, window, assurance, rule, value))
    return found


def _value(form: Form, spec: FactSpec, item: Item) -> Value | None:
    value = item.value
    if isinstance(value, dict | list) or not is_value_of(spec.type, value):
        form.notes.note(ProblemCode.WRONG_TYPE, spec.name, item.line)
        return None
    if spec.type is FactType.REGION and isinstance(value, str):
        return region.parse_code(value)
    return None if isinstance(value, str) else value
