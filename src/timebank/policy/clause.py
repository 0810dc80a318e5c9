"""Reading instruments, parameters and rules."""

from collections.abc import Iterator
from typing import cast

from timebank.domain.region import Level as Division
from timebank.policy.condition import NODES_MAX, Condition, as_list, number_of
from timebank.policy.document import Fields
from timebank.policy.extension import GRANTS, SELECTORS
from timebank.policy.fact import FactType
from timebank.policy.form import ID, NAME, Form
from timebank.policy.grammar import (
    CITED,
    CONDITION,
    LATER_USE,
    USE,
    Reading,
    is_value_of,
    read_condition,
    read_need,
    read_use,
    use_parameter,
)
from timebank.policy.grant import (
    COUNT_MAX,
    Amount,
    Approver,
    Cell,
    Dated,
    Dimension,
    Every,
    Fixed,
    Grant,
    GrantKind,
    Limit,
    LimitOf,
    LimitPer,
    Made,
    PerUnit,
)
from timebank.policy.parameter import Citation, DatedValue, Parameter
from timebank.policy.pool import Pool
from timebank.policy.problem import ProblemCode
from timebank.policy.provision import (
    HOLDS_OF,
    UNITS_OF,
    read_criteria,
    read_days,
    read_expiry,
    read_texts,
    read_validity,
)
from timebank.policy.revocation import KEPT, Claw, Revocation, RevokeOn
from timebank.policy.rule import Instrument, Rule
from timebank.policy.schedule import DAILY, Schedule, parse_schedule
from timebank.policy.selection import EACH, Criterion, Selection, SelectMode, Ties
from timebank.policy.stacking import StackMode
from timebank.policy.table import Table
from timebank.policy.tier import Downgrade, Level, Tiers

LEVELS_MAX = 20
"""Most levels of one rule."""

INSTRUMENT = frozenset({"id", "title", "issuer", "number", "date", "url", "note"})
"""The keys of an instrument."""

_DATED = frozenset({"from", "value", "note"}) | CITED

RULE = (
    frozenset({"id", "title", "note", "dimension", "valid", "evaluate", "when", "tiers", "table"})
    | frozenset({"provides", "grant", "limits", "approve", "select", "stack", "revoke"})
    | frozenset({"priority"})
    | CITED
)
"""The keys of a rule."""

_TIERS = USE | frozenset({"param", "downgrade", "level"})
_GRANT = frozenset(
    {"kind", "item", "count", "count_param", "column", "per", "expires", "pool", "purpose"}
    | {"of", "numbers_param"}
)
_LIMIT = frozenset({"per", "of", "period", "max", "max_param"})
_SELECT = frozenset({"mode", "winners", "winners_param", "shortlist", "shortlist_param"}) | {
    "per",
    "by",
    "ties",
    "seed",
    "selector",
}

PRIORITY_MAX = 1_000
"""The last priority: more steps than a pack has rules."""

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
    valid = read_validity(form)
    schedule = _read_schedule(form)
    shapes = [name for name in ("tiers", "table") if name in form.fields]
    if len(shapes) > 1:
        form.note(ProblemCode.CONTRADICTION, "table", "table")
        return None
    if rule_id is None or cite is None:
        return None
    tiers = _read_tiers(form, reading) if "tiers" in form.fields else None
    table = _read_table(form, reading) if "table" in form.fields else None
    levels = len(tiers.levels) if tiers is not None else 0
    grant = _read_grant(form, reading, table=table, levels=levels)
    limits = _read_limits(form, reading, cite=cite, kind=None if grant is None else grant.kind)
    select = _read_selection(form, reading, cite=cite)
    group = _read_group(form, reading)
    revoke = _read_revocation(form)
    priority = form.whole("priority", low=0, high=PRIORITY_MAX) if "priority" in form.fields else 0
    given = form.fields["grant"].value if "grant" in form.fields else None
    is_earned = isinstance(given, dict) and "per" in given
    if not {"when", "tiers", "table"} & form.fields.keys() and not is_earned:
        form.note(ProblemCode.MISSING_KEY, "when")

    provides = form.text("provides", required=False) or ""
    if provides and (provides not in _PROVIDED or "tiers" not in form.fields):
        form.note(ProblemCode.WRONG_VALUE, provides, "provides")

    when: Condition | None = None
    if "when" in form.fields:
        inner = form.form("when", known=CONDITION, later=LATER_USE)
        if inner is not None:
            when = read_condition(inner, reading, node=f"{rule_id}/when", cite=cite)
    approval = _read_approval(form, kind=None if grant is None else grant.kind)
    if (
        title is None
        or dimension is None
        or valid is None
        or schedule is None
        or grant is None
        or limits is None
        or select is None
        or group is None
        or revoke is None
        or priority is None
        or approval is None
        or (when is None and tiers is None and table is None and not is_earned)
        or ("when" in form.fields and when is None)
        or ("tiers" in form.fields and tiers is None)
        or ("table" in form.fields and table is None)
    ):
        return None
    every, further = limits
    approver, publicise_days, approvals = approval
    rule = Rule(
        id=rule_id,
        title=title,
        note=note,
        dimension=dimension,
        cite=cite,
        valid=valid,
        when=when,
        tiers=tiers,
        table=table,
        provides=provides,
        grant=grant,
        every=every,
        approver=approver,
        publicise_days=publicise_days,
        approvals=approvals,
        schedule=schedule,
        limits=further,
        group=group,
        select=select,
        revoke=revoke,
        priority=priority,
    )
    _refuse_untimely(rule, form, reading)
    _refuse_contradictions(rule, form)
    return rule


def rule_parameters(rule: Rule, pool: Pool | None = None) -> Iterator[Parameter]:
    """Yield every parameter that a rule is carried out by, also those without a name."""
    for leaf in rule.leaves():
        yield leaf.parameter
    match rule.grant.amount:
        case Dated(parameter) | PerUnit(_, parameter):
            yield parameter
        case Made(_, _, parameter) if parameter is not None:
            yield parameter
        case _:
            pass
    for limit in rule.limits:
        yield limit.most
    for number in (rule.select.winners, rule.select.shortlist):
        if number is not None:
            yield number
    if pool is not None:
        yield pool.amount
        if pool.carry_most is not None:
            yield pool.carry_most


def _refuse_untimely(rule: Rule, form: Form, reading: Reading) -> None:
    """Note parameters without a value on the rule's first day, and facts the rule itself makes."""
    noted: set[str] = set()
    pool = reading.pools.get(rule.grant.pool)
    for parameter in rule_parameters(rule, pool):
        if parameter.values[0].from_on > rule.valid.from_on and parameter.name not in noted:
            noted.add(parameter.name)
            form.note(ProblemCode.NO_VALUE_YET, parameter.name, "valid")
    if rule.table is not None and rule.table.versions[0].from_on > rule.valid.from_on:
        form.note(ProblemCode.NO_VALUE_YET, rule.table.id, "valid")
    if rule.provides and any(leaf.use.name == rule.provides for leaf in rule.leaves()):
        form.note(ProblemCode.SELF_REFERENCE, rule.provides, "provides")


def _refuse_contradictions(rule: Rule, form: Form) -> None:
    """Note what a rule says that cannot be carried out together."""
    if rule.tiers is not None:
        downgrade, revoke = rule.tiers.downgrade, rule.revoke.on
        is_corrected = RevokeOn.REVERSAL in revoke
        if (
            (downgrade is Downgrade.YEARLY and rule.every is not Every.CALENDAR_YEAR)
            or (downgrade is Downgrade.ON_CORRECTION and not is_corrected)
            or (downgrade is Downgrade.NEVER and is_corrected)
            or (downgrade is not Downgrade.YEARLY and RevokeOn.CONDITION in revoke)
        ):
            form.note(ProblemCode.CONTRADICTION, "downgrade", "tiers")
        if rule.select.mode is not SelectMode.EACH:
            form.note(ProblemCode.CONTRADICTION, "select", "select")
    if not rule.steps:
        form.note(ProblemCode.EMPTY, "column", "grant")


def _read_schedule(form: Form) -> Schedule | None:
    if "evaluate" not in form.fields:
        return DAILY
    text = form.text("evaluate")
    schedule = None if text is None else parse_schedule(text)
    if schedule is None and text is not None:
        form.note(ProblemCode.WRONG_VALUE, text, "evaluate")
    return schedule


def _read_table(form: Form, reading: Reading) -> Table | None:
    name = form.text("table")
    if name is None:
        return None
    reading.used_parts.add(f"table/{name}")
    if f"table/{name}" not in reading.declared_parts:
        form.note(ProblemCode.UNKNOWN_TABLE, name, "table")
    return reading.tables.get(name)


def _read_grant(form: Form, reading: Reading, *, table: Table | None, levels: int) -> Grant | None:
    inner = form.form("grant", known=_GRANT)
    if inner is None:
        return None
    maker, kind = _read_kind(inner)
    item = inner.name("item")
    expiry = read_expiry(inner, "expires") if "expires" in inner.fields else None
    if kind is None or item is None or ("expires" in inner.fields and expiry is None):
        return None
    if "table" in form.fields and table is None:
        return None
    amount: Amount | None
    if maker:
        amount = _read_made(inner, reading, maker=maker, kind=kind)
    else:
        amount = _read_amount(inner, reading, kind=kind, table=table, levels=levels)
    if kind in (GrantKind.CREDITS, GrantKind.POINTS) and item not in reading.terms:
        inner.note(ProblemCode.NO_TERMS, item, "item")
    pool = _read_pool_use(inner, reading, kind=kind, item=item)
    if amount is None or pool is None:
        return None
    pool_id, purpose = pool
    return Grant(kind, item, amount, expiry, pool_id, purpose)


def _read_kind(inner: Form) -> tuple[str, GrantKind | None]:
    """Return the name of a kind from outside, if it is one, and as what the ledger keeps it."""
    item = inner.fields.get("kind")
    if item is not None and isinstance(item.value, str) and item.value in GRANTS:
        return item.value, GRANTS[item.value][1].kind
    for name in {"of", "numbers_param"} & inner.fields.keys():
        inner.note(ProblemCode.WRONG_VALUE, name, name)
    return "", inner.choice("kind", GrantKind)


def _read_made(inner: Form, reading: Reading, *, maker: str, kind: GrantKind) -> Made | None:
    """Return what a kind of grant from outside is told."""
    for name in {"count", "count_param", "column", "per"} & inner.fields.keys():
        inner.note(ProblemCode.AMOUNT, name, name)
        return None
    forms = list(inner.forms("of", known=USE, later=LATER_USE)) if "of" in inner.fields else []
    found = [read_use(each, reading) for each in forms]
    uses = tuple(each for each in found if each is not None)
    numbers = None
    if "numbers_param" in inner.fields:
        numbers = reading.named(inner, "numbers_param", units=("numbers", *UNITS_OF[kind]))
        if numbers is None:
            return None
        if not all(
            is_value_of(FactType.NUMBER, each)
            for dated in numbers.values
            for each in as_list(dated.value)
        ):
            inner.note(ProblemCode.WRONG_TYPE, numbers.name, "numbers_param")
            return None
    asked = GRANTS[maker][1]
    told = {0} if numbers is None else {len(as_list(each.value)) for each in numbers.values}
    if len(found) != asked.facts or told != {asked.numbers}:
        inner.note(ProblemCode.WRONG_VALUE, f"{asked.facts} facts, {asked.numbers} numbers", "kind")
        return None
    return Made(maker, uses, numbers) if len(uses) == len(found) else None


def _read_amount(
    inner: Form, reading: Reading, *, kind: GrantKind, table: Table | None, levels: int
) -> Amount | None:
    ways = [name for name in ("count", "count_param", "column", "per") if name in inner.fields]
    if len(ways) > 1:
        inner.note(ProblemCode.AMOUNT, ways[1], ways[1])
        return None
    if table is not None and ways != ["column"]:
        inner.note(ProblemCode.AMOUNT, table.id)
        return None
    units = UNITS_OF[kind]
    match ways:
        case ["count_param"]:
            parameter = reading.named(inner, "count_param", units=units)
            return None if parameter is None else _dated(inner, parameter, levels)
        case ["column"]:
            column = inner.name("column")
            if column is None:
                return None
            if table is None:
                inner.note(ProblemCode.UNKNOWN_COLUMN, column, "column")
                return None
            if column not in table.versions[0].rows[0].gives:
                inner.note(ProblemCode.UNKNOWN_COLUMN, column, "column")
                return None
            if not any(column == unit or column.endswith(f"_{unit}") for unit in units):
                inner.note(ProblemCode.UNIT, column, "column")
                return None
            return Cell(column)
        case ["per"]:
            return _read_per(inner, reading)
        case ["count"]:
            count = inner.whole("count", low=1, high=COUNT_MAX)
            return None if count is None else Fixed(count)
        case _:
            return Fixed(1)


def _dated(inner: Form, parameter: Parameter, levels: int) -> Dated | None:
    """Return an amount by date: one number, or one for each level."""
    for dated in parameter.values:
        values = as_list(dated.value)
        is_list = isinstance(dated.value, tuple)
        if is_list != bool(levels) or (levels and len(values) != levels):
            inner.note(ProblemCode.LEVELS, parameter.name, "count_param")
            return None
        if not all(is_value_of(FactType.NUMBER, each) and number_of(each) > 0 for each in values):
            inner.note(ProblemCode.WRONG_TYPE, parameter.name, "count_param")
            return None
    return Dated(parameter)


def _read_per(inner: Form, reading: Reading) -> PerUnit | None:
    form = inner.form("per", known=USE | {"rate_param"}, later=LATER_USE)
    if form is None:
        return None
    use = read_use(form, reading)
    rate = reading.named(form, "rate_param", units=("rate",))
    if use is None or rate is None:
        return None
    if use.spec.type is not FactType.NUMBER:
        form.note(ProblemCode.WRONG_TYPE, use.name, "fact")
        return None
    for dated in rate.values:
        values = dated.value if isinstance(dated.value, tuple) else ()
        if len(values) != 2 or not all(
            is_value_of(FactType.NUMBER, each) and number_of(each) > 0 for each in values
        ):
            form.note(ProblemCode.WRONG_TYPE, rate.name, "rate_param")
            return None
    return PerUnit(use, rate)


def _read_pool_use(
    inner: Form, reading: Reading, *, kind: GrantKind, item: str
) -> tuple[str, str] | None:
    """Return pool and purpose, both empty where none is named; None when something was noted."""
    pool_id = inner.name("pool") if "pool" in inner.fields else ""
    purpose = inner.name("purpose") if "purpose" in inner.fields else ""
    if pool_id is None or purpose is None:
        return None
    if not pool_id:
        if kind in (GrantKind.MONEY, GrantKind.PLACE):
            inner.note(ProblemCode.NO_POOL, item, "kind")
            return None
        if purpose:
            inner.note(ProblemCode.NO_POOL, purpose, "purpose")
            return None
        return "", ""
    reading.used_parts.add(f"pool/{pool_id}")
    if f"pool/{pool_id}" not in reading.declared_parts:
        inner.note(ProblemCode.UNKNOWN_POOL, pool_id, "pool")
        return None
    pool = reading.pools.get(pool_id)
    if pool is None:
        return None
    if pool.holds is not HOLDS_OF[kind]:
        inner.note(ProblemCode.UNIT, pool_id, "pool")
        return None
    if bool(pool.purposes) != bool(purpose) or (purpose and purpose not in pool.purposes):
        inner.note(ProblemCode.WRONG_VALUE, purpose or "purpose", "purpose")
        return None
    return pool_id, purpose


def _read_limits(
    form: Form, reading: Reading, *, cite: Citation, kind: GrantKind | None
) -> tuple[Every, tuple[Limit, ...]] | None:
    """Return within which period one person is given something once, and the further limits."""
    if "limits" not in form.fields:
        return Every.LIFETIME, ()
    forms = list(form.forms("limits", known=_LIMIT))
    every: Every | None = None
    further: list[Limit] = []
    is_whole = bool(forms)
    for each in forms:
        per = each.choice("per", LimitPer)
        of = each.choice("of", LimitOf, default=LimitOf.TIMES)
        period = each.choice("period", Every)
        units = ("count",) if of is LimitOf.TIMES or kind is None else UNITS_OF[kind]
        most = reading.number(each, "max", cite=cite, units=units)
        if per is None or of is None or period is None or most is None:
            is_whole = False
            continue
        is_once = not most.name and number_of(most.values[0].value) == 1
        if every is None and per is LimitPer.PERSON and of is LimitOf.TIMES and is_once:
            every = period
        else:
            further.append(Limit(per, of, period, most))
    if not is_whole:
        return None
    if every is None:
        form.note(ProblemCode.NO_PERIOD, "limits", "limits")
        return None
    return every, tuple(further)


def _read_selection(form: Form, reading: Reading, *, cite: Citation) -> Selection | None:
    if "select" not in form.fields:
        return EACH
    if form.fields["select"].value == SelectMode.EACH:
        return EACH
    inner = form.form("select", known=_SELECT)
    if inner is None:
        return None
    mode = inner.choice("mode", SelectMode)
    if mode is None or mode is SelectMode.EACH:
        return None if mode is None else EACH
    asked = {
        SelectMode.TOP_N: {"by", "ties"},
        SelectMode.PLUGIN: {"by", "ties", "selector"},
        SelectMode.LOTTERY: {"seed"},
        SelectMode.PANEL: {"by", "ties", "shortlist", "shortlist_param"},
    }[mode]
    common = {"mode", "winners", "winners_param", "per"}
    for name in inner.fields.keys() - asked - common:
        inner.note(ProblemCode.WRONG_VALUE, name, name)
    winners = reading.number(inner, "winners", cite=cite, units=("count",))
    shortlist = None
    if mode is SelectMode.PANEL:
        shortlist = reading.number(inner, "shortlist", cite=cite, units=("count",))
    by: tuple[Criterion, ...] | None = ()
    ties: Ties | None = Ties.ORDER
    if mode is not SelectMode.LOTTERY:
        by = read_criteria(inner, reading)
        if "ties" in inner.fields:
            ties = inner.choice("ties", Ties)
        else:
            inner.note(ProblemCode.NO_TIE_RULE, mode.value)
            ties = None
    seed = inner.text("seed") if mode is SelectMode.LOTTERY else ""
    selector = _read_selector(inner, by) if mode is SelectMode.PLUGIN else ""
    per = inner.choice("per", Division) if "per" in inner.fields else None
    if (
        winners is None
        or selector is None
        or by is None
        or ties is None
        or seed is None
        or ("per" in inner.fields and per is None)
        or (mode is SelectMode.PANEL and shortlist is None)
    ):
        return None
    return Selection(
        mode=mode,
        by=by,
        winners=winners,
        shortlist=shortlist,
        per=per,
        ties=ties,
        seed=seed,
        selector=selector,
    )


def _read_selector(inner: Form, by: tuple[Criterion, ...] | None) -> str | None:
    """Return the name of a selector from outside that ranks by so many facts."""
    name = inner.name("selector")
    if name is None or by is None:
        return None
    if name not in SELECTORS:
        inner.note(ProblemCode.UNKNOWN_PLUGIN, name, "selector")
        return None
    asked = SELECTORS[name][1].criteria
    if len(by) != asked:
        inner.note(ProblemCode.WRONG_VALUE, f"{asked} facts to rank by", "by")
        return None
    return name


def _read_group(form: Form, reading: Reading) -> str | None:
    if "stack" not in form.fields:
        return ""
    inner = form.form("stack", known=frozenset({"group", "mode"}))
    name = None if inner is None else inner.name("group")
    if inner is None or name is None:
        return None
    reading.used_parts.add(f"group/{name}")
    if f"group/{name}" not in reading.declared_parts:
        inner.note(ProblemCode.UNKNOWN_GROUP, name, "group")
        return None
    group = reading.groups.get(name)
    if "mode" in inner.fields and group is not None:
        mode = inner.choice("mode", StackMode)
        if mode is not None and mode is not group.mode:
            inner.note(ProblemCode.CONTRADICTION, "mode", "mode")
    return name


def _read_revocation(form: Form) -> Revocation | None:
    if "revoke" not in form.fields:
        return KEPT
    inner = form.form("revoke", known=frozenset({"on", "claw", "grace"}))
    if inner is None:
        return None
    inner.item("on")
    reasons = read_texts(inner, "on")
    claw = inner.choice("claw", Claw)
    grace = read_days(inner, "grace") if "grace" in inner.fields else 0
    if reasons is None or not reasons or claw is None or grace is None:
        return None
    for text, line in reasons:
        if text not in list(RevokeOn):
            inner.notes.note(ProblemCode.WRONG_VALUE, text, line)
            return None
    return Revocation(frozenset(RevokeOn(text) for text, _ in reasons), claw, grace)


def _read_approval(form: Form, *, kind: GrantKind | None) -> tuple[Approver, int, int] | None:
    """Return who approves, for how many days names hang out first, and how many must approve.

    A rule with levels may leave out who, since each level says so. Money takes two people.
    """
    people = 2 if kind is GrantKind.MONEY else 1
    if "approve" not in form.fields and "tiers" in form.fields:
        return Approver.COUNTY, 0, people
    inner = form.form("approve", known=frozenset({"by", "publicise", "people"}))
    if inner is None:
        return None
    is_by_level = "tiers" in form.fields and "by" not in inner.fields
    approver = Approver.COUNTY if is_by_level else inner.choice("by", Approver)
    days = read_days(inner, "publicise") if "publicise" in inner.fields else 0
    if "people" in inner.fields:
        found = inner.whole("people", low=people, high=2)
        if found is None:
            return None
        people = found
    return None if approver is None or days is None else (approver, days, people)


def _read_tiers(form: Form, reading: Reading) -> Tiers | None:
    inner = form.form("tiers", known=_TIERS, later=LATER_USE)
    if inner is None:
        return None
    use = read_use(inner, reading)
    parameter = None if use is None else use_parameter(inner, use, reading)
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
