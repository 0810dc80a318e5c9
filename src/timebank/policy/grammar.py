"""Reading conditions and the values they compare with."""

from dataclasses import dataclass, field
from datetime import date

from timebank.domain import region
from timebank.domain.assurance import Assurance
from timebank.domain.service_field import field_of
from timebank.policy.condition import (
    DEPTH_MAX,
    LIST_MAX,
    NODES_MAX,
    OPS,
    All,
    AnyOf,
    AtLeast,
    Condition,
    Leaf,
    Not,
    Op,
    Unknown,
    as_list,
    number_of,
)
from timebank.policy.document import NUMBER_MAX, Item
from timebank.policy.fact import CHOICE_PLACES, FACTS, PROTECTED, FactType, FactUse
from timebank.policy.form import Form, Notes
from timebank.policy.parameter import Citation, DatedValue, Need, Parameter, Source
from timebank.policy.pool import Pool
from timebank.policy.problem import ProblemCode
from timebank.policy.stacking import Group
from timebank.policy.table import Table
from timebank.policy.window import parse_window

CITED = frozenset({"cite", "source"})
"""The keys of whatever must say by whose word it stands."""

USE = frozenset({"fact", "window", "min_assurance", "rule", "category", "region", "register"})
"""The keys by which a table names a fact."""

_LEAF = USE | frozenset({"op", "value", "param", "unknown"})
_SHAPES = frozenset({"all", "any", "not", "at_least", "of"})
_LATER_FACTS = frozenset({"rate_10k"})
LATER_USE = frozenset({"state"})
"""Keys of a fact that later releases carry out."""


@dataclass(slots=True)
class Reading:
    """What reading a pack has come to know so far.

    Attributes:
        declared: Names of all parameters, also of those that were refused.
        used: Names of the parameters that a rule used.
        named_rules: Rules of this pack that a fact names, each with where.
        nodes: Nodes of all conditions.
        tables, pools, groups: By id; `declared_parts` has also those that were refused.
        used_parts: Tables, pools and groups that something used, such as `pool/fund`.
    """

    pack_id: str
    instruments: frozenset[str]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    named_rules: list[tuple[str, Notes, int]] = field(default_factory=list)
    nodes: int = 0
    tables: dict[str, Table] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    terms: set[str] = field(default_factory=set)
    declared_parts: set[str] = field(default_factory=set)
    used_parts: set[str] = field(default_factory=set)

    def number(
        self,
        form: Form,
        name: str,
        *,
        cite: Citation,
        units: tuple[str, ...],
        low: int = 1,
        required: bool = True,
    ) -> Parameter | None:
        """Return a number that a table writes itself (`name`) or takes from a parameter.

        The parameter is named by `<name>_param` and ends in one of the units.
        """
        by_name = f"{name}_param"
        if name in form.fields and by_name in form.fields:
            form.note(ProblemCode.WRONG_VALUE, by_name, by_name)
            return None
        if name in form.fields:
            value = form.whole(name, low=low, high=NUMBER_MAX)
            return None if value is None else Parameter("", (DatedValue(date.min, value, cite),))
        if by_name not in form.fields:
            if required:
                form.note(ProblemCode.MISSING_KEY, name)
            return None
        parameter = self.named(form, by_name, units=units)
        if parameter is None:
            return None
        for dated in parameter.values:
            if not is_value_of(FactType.NUMBER, dated.value) or number_of(dated.value) < low:
                form.note(ProblemCode.WRONG_TYPE, parameter.name, by_name)
                return None
        return parameter

    def named(self, form: Form, key: str, *, units: tuple[str, ...]) -> Parameter | None:
        """Return the parameter that a field names; its name ends in one of the units."""
        name = form.text(key)
        if name is None:
            return None
        self.used.add(name)
        parameter = self.parameters.get(name)
        if parameter is None:
            if name not in self.declared:
                form.note(ProblemCode.UNKNOWN_PARAMETER, name, key)
            return None
        if not any(name == unit or name.endswith(f"_{unit}") for unit in units):
            form.note(ProblemCode.UNIT, name, key)
            return None
        return parameter

    def citation(self, form: Form, subject: str) -> Citation | None:
        """Return the citation that a table's `cite` and `source` give."""
        source = form.choice("source", Source, default=Source.TEXT)
        if "cite" not in form.fields:
            form.note(ProblemCode.NO_CITATION, subject)
            return None
        text = form.text("cite")
        if text is None or source is None:
            return None
        instrument, _, place = text.partition(" ")
        if instrument not in self.instruments:
            form.note(ProblemCode.UNKNOWN_INSTRUMENT, instrument, "cite")
            return None
        if not place.strip() and source is not Source.ASSUMED:
            form.note(ProblemCode.NO_PLACE, text, "cite")
            return None
        return Citation(instrument, place.strip(), source)


def read_need(item: Item, notes: Notes) -> Need | None:
    """Return a value, or a list of values, of a kind that a fact can have."""
    if not isinstance(item.value, list):
        return _scalar(item, notes)
    if len(item.value) > LIST_MAX:
        notes.note(ProblemCode.TOO_MANY, f"{LIST_MAX} values in one list", item.line)
        return None
    if not item.value:
        notes.note(ProblemCode.EMPTY, "value", item.line)
        return None
    values = [_scalar(each, notes) for each in item.value]
    return tuple(value for value in values if value is not None) if None not in values else None


def _scalar(item: Item, notes: Notes) -> int | bool | str | date | None:
    if isinstance(item.value, dict | list):
        notes.note(ProblemCode.WRONG_TYPE, "value", item.line)
        return None
    return item.value


def read_use(form: Form, reading: Reading) -> FactUse | None:
    """Return the fact that a table names, with its window and lowest grade of evidence."""
    name = form.text("fact")
    if name is None:
        return None
    if name in _LATER_FACTS:
        form.note(ProblemCode.LATER, name, "fact")
        return None
    if name in PROTECTED:
        form.note(ProblemCode.PROTECTED_FACT, name, "fact")
        return None
    if name not in FACTS:
        form.note(ProblemCode.UNKNOWN_FACT, name, "fact")
        return None
    spec = FACTS[name]
    ok = True

    window = None
    if "window" in form.fields:
        text = form.text("window") or ""
        window = parse_window(text)
        if window is None:
            form.note(ProblemCode.UNKNOWN_WINDOW, text, "window")
            ok = False
        elif window.kind not in spec.windows:
            form.note(ProblemCode.WRONG_WINDOW, text, "window")
            ok = False
    elif spec.windows:
        form.note(ProblemCode.MISSING_KEY, "window")
        ok = False

    assurance = Assurance.A0
    if "min_assurance" in form.fields:
        text = form.text("min_assurance") or ""
        if not spec.has_assurance or text not in Assurance.__members__:
            form.note(ProblemCode.WRONG_VALUE, text, "min_assurance")
            ok = False
        else:
            assurance = Assurance[text]

    rule = ""
    if spec.has_rule:
        rule = form.text("rule") or ""
        ok = ok and bool(rule)
        if rule and "/" not in rule:
            reading.named_rules.append((rule, form.notes, form.line_of("rule")))
            rule = f"{reading.pack_id}/{rule}"
    category, division, register = 0, 0, ""
    if spec.has_category and "category" in form.fields:
        text = form.text("category") or ""
        found = field_of(text)
        if found is None:
            form.note(ProblemCode.WRONG_VALUE, text, "category")
            ok = False
        else:
            category = found.value
    if spec.has_region:
        text = form.text("region") or ""
        if is_value_of(FactType.REGION, text):
            division = region.parse_code(text)
        else:
            if text:
                form.note(ProblemCode.WRONG_VALUE, text, "region")
            ok = False
    if spec.has_register:
        register = form.name("register") or ""
        ok = ok and bool(register)
    for name_of, is_taken in (
        ("rule", spec.has_rule),
        ("category", spec.has_category),
        ("region", spec.has_region),
        ("register", spec.has_register),
    ):
        if name_of in form.fields and not is_taken:
            form.note(ProblemCode.UNKNOWN_KEY, name_of, name_of)
            ok = False
    return FactUse(name, window, assurance, rule, category, division, register) if ok else None


def use_parameter(form: Form, use: FactUse, reading: Reading) -> Parameter | None:
    """Return the parameter that a table names, whose name must end in the fact's unit."""
    name = form.text("param")
    if name is None:
        return None
    reading.used.add(name)
    parameter = reading.parameters.get(name)
    if parameter is None:
        if name not in reading.declared:
            form.note(ProblemCode.UNKNOWN_PARAMETER, name, "param")
        return None
    unit = use.spec.unit
    if use.spec.choices:
        for dated in parameter.values:
            if not all(each in use.spec.choices for each in as_list(dated.value)):
                form.note(ProblemCode.WRONG_TYPE, name, "param")
                return None
    if unit is not None and name != unit and not name.endswith(f"_{unit}"):
        form.note(ProblemCode.UNIT, name, "param")
        return None
    return parameter


def is_value_of(kind: FactType, value: Need) -> bool:
    """Return whether one value can be compared with a fact of a type."""
    match kind:
        case FactType.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        case FactType.YES_NO:
            return isinstance(value, bool)
        case FactType.DAY:
            return isinstance(value, date)
        case FactType.CHOICE:
            return isinstance(value, str) and value in CHOICE_PLACES
        case FactType.REGION:
            try:
                return isinstance(value, str) and region.parse_code(value) > 0
            except ValueError:
                return False


def read_condition(
    form: Form, reading: Reading, *, node: str, cite: Citation, depth: int = 1, negations: int = 0
) -> Condition | None:
    """Return the condition that a table writes; `cite` stands behind values written in it."""
    reading.nodes += 1
    if reading.nodes > NODES_MAX:
        if reading.nodes == NODES_MAX + 1:
            form.note(ProblemCode.TOO_MANY, f"{NODES_MAX} nodes in one pack")
        return None
    if depth > DEPTH_MAX:
        form.note(ProblemCode.TOO_DEEP, f"{DEPTH_MAX} conditions inside each other")
        return None
    shapes = [name for name in ("all", "any", "not", "at_least") if name in form.fields]
    if "fact" in form.fields or not shapes:
        if shapes:
            form.note(ProblemCode.WRONG_VALUE, shapes[0], shapes[0])
            return None
        return _read_leaf(form, reading, node=node, cite=cite, negations=negations)
    if len(shapes) > 1:
        form.note(ProblemCode.WRONG_VALUE, shapes[1], shapes[1])
        return None

    shape = shapes[0]
    for name in form.fields:
        if name != shape and not (shape == "at_least" and name == "of"):
            form.note(ProblemCode.WRONG_VALUE, name, name)
    if shape == "not":
        inner = form.form("not", known=CONDITION, later=LATER_USE)
        if inner is None:
            return None
        part = read_condition(
            inner,
            reading,
            node=f"{node}.not",
            cite=cite,
            depth=depth + 1,
            negations=negations + 1,
        )
        return None if part is None else Not(node, part)

    listed = "of" if shape == "at_least" else shape
    inner_forms = list(form.forms(listed, known=CONDITION, later=LATER_USE))
    parts = [
        read_condition(
            each,
            reading,
            node=f"{node}.{listed}.{position}",
            cite=cite,
            depth=depth + 1,
            negations=negations,
        )
        for position, each in enumerate(inner_forms)
    ]
    found = tuple(part for part in parts if part is not None)
    if not found or len(found) < len(parts):
        return None
    if shape == "all":
        _refuse_impossible(form, found)
        return All(node, found)
    if shape == "any":
        return AnyOf(node, found)
    count = form.whole("at_least", low=1, high=len(found))
    return None if count is None else AtLeast(node, count, found)


CONDITION = _LEAF | _SHAPES | CITED
"""The keys that a condition may have."""


def _read_leaf(
    form: Form, reading: Reading, *, node: str, cite: Citation, negations: int
) -> Leaf | None:
    use = read_use(form, reading)
    unknown = form.choice("unknown", Unknown, default=Unknown.ASK)
    if unknown is Unknown.DENY and negations % 2:
        form.note(ProblemCode.DENY_UNDER_NOT, use.name if use else "fact", "unknown")
    op_text = form.text("op")
    if use is None or op_text is None or unknown is None:
        return None
    if op_text not in list(Op) or Op(op_text) not in OPS[use.spec.type]:
        form.note(ProblemCode.UNKNOWN_OPERATOR, op_text, "op")
        return None
    op = Op(op_text)

    if ("value" in form.fields) == ("param" in form.fields):
        form.note(ProblemCode.MISSING_KEY, "param or value")
        return None
    if "param" in form.fields:
        parameter = use_parameter(form, use, reading)
        if CITED & form.fields.keys():
            form.note(ProblemCode.WRONG_VALUE, "cite", "cite")
    else:
        item = form.fields["value"]
        value = read_need(item, form.notes)
        if value is None:
            return None
        if use.spec.choices and not all(each in use.spec.choices for each in as_list(value)):
            form.note(ProblemCode.WRONG_TYPE, "value", "value")
            return None
        own = reading.citation(form, "value") if CITED & form.fields.keys() else cite
        parameter = None if own is None else Parameter("", (DatedValue(date.min, value, own),))
    if parameter is None:
        return None

    takes_list = op in (Op.IN, Op.WITHIN)
    at = "param" if "param" in form.fields else "value"
    for dated in parameter.values:
        if isinstance(dated.value, tuple) and not takes_list:
            form.note(ProblemCode.WRONG_TYPE, parameter.name or "value", at)
            return None
        if not all(is_value_of(use.spec.type, each) for each in as_list(dated.value)):
            form.note(ProblemCode.WRONG_TYPE, parameter.name or "value", at)
            return None
    return Leaf(node, use, op, parameter, unknown=unknown)


def _refuse_impossible(form: Form, parts: tuple[Condition, ...]) -> None:
    """Note bounds on one number that no value meets, on any date on which one of them changes."""
    bounds: dict[FactUse, list[Leaf]] = {}
    for part in parts:
        if isinstance(part, Leaf) and part.use.spec.type is FactType.NUMBER:
            bounds.setdefault(part.use, []).append(part)
    for use, found in bounds.items():
        first_ons = [leaf.parameter.values[0].from_on for leaf in found]
        changes = {dated.from_on for leaf in found for dated in leaf.parameter.values}
        for day in sorted(day for day in changes if day >= max(first_ons)):
            low, high = None, None
            for leaf in found:
                need = leaf.need(on=day)
                if not isinstance(need, int):
                    continue
                if leaf.op in (Op.AT_LEAST, Op.ABOVE, Op.EQUAL):
                    least = need + 1 if leaf.op is Op.ABOVE else need
                    low = least if low is None else max(low, least)
                if leaf.op in (Op.AT_MOST, Op.BELOW, Op.EQUAL):
                    most = need - 1 if leaf.op is Op.BELOW else need
                    high = most if high is None else min(high, most)
            if low is not None and high is not None and low > high:
                form.note(ProblemCode.IMPOSSIBLE, use.name)
                break
