"""Reading instruments, parameters and rules."""

from typing import cast

from timebank.policy.condition import NODES_MAX, Condition
from timebank.policy.document import Fields, Item
from timebank.policy.fact import FactType
from timebank.policy.form import ID, NAME, Form
from timebank.policy.grammar import (
    CITED,
    CONDITION,
    Reading,
    is_value_of,
    read_condition,
    read_need,
    read_use,
    use_parameter,
)
from timebank.policy.grant import (
    COUNT_MAX,
    Approver,
    Dimension,
    Every,
    Fixed,
    Grant,
    GrantKind,
    parse_expiry,
)
from timebank.policy.parameter import DatedValue, Parameter
from timebank.policy.problem import ProblemCode
from timebank.policy.rule import Instrument, Rule, Validity
from timebank.policy.tier import Downgrade, Level, Tiers

LEVELS_MAX = 20
"""Most levels of one rule."""

INSTRUMENT = frozenset({"id", "title", "issuer", "number", "date", "url", "note"})
"""The keys of an instrument."""

_DATED = frozenset({"from", "value", "note"}) | CITED

RULE = (
    frozenset({"id", "title", "note", "dimension", "valid", "evaluate", "when", "tiers"})
    | frozenset({"provides", "grant", "limits", "approve"})
    | CITED
)
"""The keys of a rule."""

_TIERS = frozenset({"fact", "window", "min_assurance", "param", "downgrade", "level"})
LATER_RULE = frozenset(
    {"select", "stack", "revoke", "amount", "table", "pool", "priority", "places", "campaign"}
)
"""Keys that later releases carry out; until then a rule that has one is refused."""

_PROVIDED = frozenset({"star"})


def refuse_repeated(forms: list[Form]) -> None:
    """Note ids that are used twice."""
    seen: set[object] = set()
    for form in forms:
        item = form.fields.get("id")
        if item is not None and isinstance(item.value, str):
            if item.value in seen:
                form.note(ProblemCode.DUPLICATE_ID, item.value, "id")
            seen.add(item.value)


def read_instrument(form: Form) -> Instrument | None:
    """Return an instrument, or None when something about it was noted."""
    instrument_id = form.name("id", ID)
    title, issuer = form.bilingual("title"), form.bilingual("issuer")
    number = form.text("number", required=False)
    issued_on = form.day("date", required=False)
    url = form.text("url", required=False)
    note = form.bilingual("note", required=False)
    if url is not None and not url.startswith(("https://", "http://")):
        form.note(ProblemCode.WRONG_VALUE, url, "url")
    if instrument_id is None or title is None or issuer is None:
        return None
    return Instrument(
        id=instrument_id,
        title=title,
        issuer=issuer,
        number=number or "",
        issued_on=issued_on,
        url=url or "",
        note=note,
    )


def parameter_items(top: Form) -> Fields:
    """Return the parameters of a file by name, as they stand."""
    item = top.fields.get("param")
    return item.value if item is not None and isinstance(item.value, dict) else {}


def read_parameters(top: Form, reading: Reading) -> None:
    """Add a file's parameters to what is known, each value with its day and its citation."""
    items = parameter_items(top)
    holder = top.form("param", known=frozenset(items))
    if holder is None:
        return
    for name in items:
        if not NAME.fullmatch(name):
            holder.note(ProblemCode.WRONG_VALUE, name, name)
        if name in reading.declared:
            holder.note(ProblemCode.DUPLICATE_ID, name, name)
        reading.declared.add(name)
        values: list[DatedValue] = []
        for form in holder.forms(name, known=_DATED):
            from_on = form.day("from")
            value_item = form.item("value")
            value = None if value_item is None else read_need(value_item, form.notes)
            cite = reading.citation(form, name)
            note = form.bilingual("note", required=False)
            if from_on is None or value is None or cite is None:
                continue
            if values and from_on <= values[-1].from_on:
                form.note(ProblemCode.DATES, name, "from")
                continue
            values.append(DatedValue(from_on, value, cite, note))
        if values:
            reading.parameters[name] = Parameter(name, tuple(values))


def read_rule(form: Form, reading: Reading) -> Rule | None:
    """Return a rule, or None when something about it was noted."""
    rule_id = form.name("id")
    title = form.bilingual("title")
    note = form.bilingual("note", required=False)
    dimension = form.choice("dimension", Dimension)
    cite = reading.citation(form, rule_id or "rule")
    valid = _read_validity(form)
    if "evaluate" in form.fields and form.text("evaluate") not in (None, "daily"):
        form.note(ProblemCode.LATER, "evaluate", "evaluate")
    grant = _read_grant(form)
    every = _read_limits(form)
    if "when" not in form.fields and "tiers" not in form.fields:
        form.note(ProblemCode.MISSING_KEY, "when")

    provides = form.text("provides", required=False) or ""
    if provides and (provides not in _PROVIDED or "tiers" not in form.fields):
        form.note(ProblemCode.WRONG_VALUE, provides, "provides")

    when: Condition | None = None
    tiers: Tiers | None = None
    if rule_id is None or cite is None:
        return None
    if "when" in form.fields:
        inner = form.form("when", known=CONDITION)
        if inner is not None:
            when = read_condition(inner, reading, node=f"{rule_id}/when", cite=cite)
    if "tiers" in form.fields:
        tiers = _read_tiers(form, reading)
    approver = _read_approver(form)
    if (
        title is None
        or dimension is None
        or valid is None
        or grant is None
        or every is None
        or approver is None
        or (when is None and tiers is None)
        or ("when" in form.fields and when is None)
        or ("tiers" in form.fields and tiers is None)
    ):
        return None
    rule = Rule(
        id=rule_id,
        title=title,
        note=note,
        dimension=dimension,
        cite=cite,
        valid=valid,
        when=when,
        tiers=tiers,
        provides=provides,
        grant=grant,
        every=every,
        approver=approver,
    )
    _refuse_untimely(rule, form)
    return rule


def _refuse_untimely(rule: Rule, form: Form) -> None:
    """Note parameters without a value on the rule's first day, and facts the rule itself makes."""
    for leaf in rule.leaves():
        if leaf.parameter.values[0].from_on > rule.valid.from_on:
            form.note(ProblemCode.NO_VALUE_YET, leaf.parameter.name, "valid")
        if rule.provides and leaf.use.name == rule.provides:
            form.note(ProblemCode.SELF_REFERENCE, rule.provides, "provides")


def _read_validity(form: Form) -> Validity | None:
    span = form.form("valid", known=frozenset({"from", "through"}))
    if span is None:
        return None
    from_on, through = span.day("from"), span.day("through", required=False)
    if from_on is None or ("through" in span.fields and through is None):
        return None
    if through is not None and through < from_on:
        span.note(ProblemCode.DATES, "valid", "through")
        return None
    return Validity(from_on, through)


def _read_grant(form: Form) -> Grant | None:
    inner = form.form(
        "grant",
        known=frozenset({"kind", "item", "count", "expires"}),
        later=frozenset({"amount", "pool", "system", "unit"}),
    )
    if inner is None:
        return None
    kind = inner.choice("kind", GrantKind)
    item = inner.name("item")
    count = inner.whole("count", low=1, high=COUNT_MAX) if "count" in inner.fields else 1
    expiry = None
    if "expires" in inner.fields:
        text = inner.text("expires") or ""
        expiry = parse_expiry(text)
        if expiry is None:
            inner.note(ProblemCode.WRONG_VALUE, text, "expires")
            return None
    if kind is GrantKind.MONEY:
        inner.note(ProblemCode.NO_POOL, item or "money", "kind")
    if kind is None or item is None or count is None:
        return None
    return Grant(kind, item, Fixed(count), expiry)


def _read_limits(form: Form) -> Every | None:
    if "limits" not in form.fields:
        return Every.LIFETIME
    limits = list(form.forms("limits", known=frozenset({"per", "period", "max"})))
    if len(limits) > 1:
        form.note(ProblemCode.LATER, "limits", "limits")
    if not limits:
        return None
    limit = limits[0]
    if limit.text("per") not in (None, "person"):
        limit.note(ProblemCode.LATER, "per", "per")
    if limit.whole("max", low=1, high=COUNT_MAX) not in (None, 1):
        limit.note(ProblemCode.LATER, "max", "max")
    return limit.choice("period", Every)


def _read_approver(form: Form) -> Approver | None:
    """Return who approves; a rule with levels may leave it out, since each level says so."""
    if "tiers" in form.fields and "approve" not in form.fields:
        return Approver.COUNTY
    inner = form.form("approve", known=frozenset({"by"}), later=frozenset({"publicise"}))
    return None if inner is None else inner.choice("by", Approver)


def _read_tiers(form: Form, reading: Reading) -> Tiers | None:
    inner = form.form("tiers", known=_TIERS, later=frozenset({"grant"}))
    if inner is None:
        return None
    use = read_use(inner, reading)
    parameter = None if use is None else use_parameter(inner, use, reading)
    if inner.fields.get("downgrade", Item("", 0)).value in ("yearly", "on_correction"):
        inner.note(ProblemCode.LATER, "downgrade", "downgrade")
        return None
    downgrade = inner.choice("downgrade", Downgrade)
    levels: list[Level] = []
    level_forms = list(inner.forms("level", known=frozenset({"title", "approve"})))
    for number, each in enumerate(level_forms, start=1):
        title, approver = each.bilingual("title"), each.choice("approve", Approver)
        if title is not None and approver is not None:
            levels.append(Level(number, title, approver))
    if use is None or parameter is None or downgrade is None or not levels:
        return None
    if len(levels) < len(level_forms):
        return None
    if len(levels) > LEVELS_MAX:
        inner.note(ProblemCode.TOO_MANY, f"{LEVELS_MAX} levels", "level")
        return None
    if use.spec.type is not FactType.NUMBER:
        inner.note(ProblemCode.WRONG_TYPE, use.name, "fact")
        return None
    reading.nodes += len(levels)
    if reading.nodes > NODES_MAX:
        inner.note(ProblemCode.TOO_MANY, f"{NODES_MAX} nodes in one pack", "level")
        return None
    for dated in parameter.values:
        needs = dated.value
        if not isinstance(needs, tuple) or len(needs) != len(levels):
            inner.note(ProblemCode.LEVELS, parameter.name, "param")
            return None
        if not all(is_value_of(FactType.NUMBER, need) for need in needs):
            inner.note(ProblemCode.WRONG_TYPE, parameter.name, "param")
            return None
        numbers = cast("tuple[int, ...]", needs)
        if list(numbers) != sorted(set(numbers)):
            inner.note(ProblemCode.NOT_ASCENDING, parameter.name, "param")
            return None
    return Tiers(use, parameter, downgrade, tuple(levels))
