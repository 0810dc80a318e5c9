"""Reading what rules share: pools, groups, and the terms of credits and points."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from timebank.domain import region
from timebank.policy.condition import LIST_MAX, Condition
from timebank.policy.credit import CreditTerms, Receiver
from timebank.policy.extension import CALENDARS
from timebank.policy.fact import FactType
from timebank.policy.form import NAME, Form
from timebank.policy.grammar import (
    CITED,
    CONDITION,
    LATER_USE,
    USE,
    Reading,
    is_value_of,
    read_condition,
    read_use,
)
from timebank.policy.grant import Every, Expiry, GrantKind, parse_expiry
from timebank.policy.parameter import Citation
from timebank.policy.pool import Carry, Exhausted, Holds, Pool
from timebank.policy.problem import ProblemCode
from timebank.policy.rule import Rule
from timebank.policy.selection import Criterion, Order
from timebank.policy.stacking import Group, StackMode
from timebank.policy.validity import Validity

POOL = (
    frozenset({"id", "title", "owner", "holds", "amount", "amount_param", "period", "carry"})
    | frozenset({"carry_most", "carry_most_param", "purposes", "regions", "exhausted", "by"})
    | frozenset({"lapse"})
    | CITED
)
"""The keys of a pool."""

GROUP = (
    frozenset({"id", "title", "mode", "period", "default", "max", "max_param", "excludes"}) | CITED
)
"""The keys of a group."""

CREDIT = (
    frozenset({"id", "kind", "title", "note", "valid", "block", "expires", "own_max"})
    | frozenset({"own_max_param", "use", "receive", "gives_to", "pool"})
    | CITED
)
"""The keys of the terms of credits or points."""

PARTS_MAX = 2_000
"""Most pools of a pack: a fund for every village of a city."""

CRITERIA_MAX = 5
"""Most facts that people are ranked by."""

BLOCK_MAX = 10**6
"""Largest block in which credits move."""

UNITS_OF: dict[GrantKind, tuple[str, ...]] = {
    GrantKind.HONOUR: ("count",),
    GrantKind.PASS: ("count",),
    GrantKind.GOODS: ("count",),
    GrantKind.SCORE: ("points",),
    GrantKind.MONEY: ("fen",),
    GrantKind.PLACE: ("places",),
    GrantKind.CREDITS: ("credits",),
    GrantKind.POINTS: ("points",),
}
"""How the name of a parameter or column ends that says how much of a kind is given."""

HOLDS_OF: dict[GrantKind, Holds] = {
    kind: Holds.PIECES for kind in GrantKind if kind not in (GrantKind.MONEY, GrantKind.PLACE)
} | {GrantKind.MONEY: Holds.FEN, GrantKind.PLACE: Holds.PLACES}
"""What a pool is counted in from which a kind is given."""

_UNITS_OF_POOL = {
    Holds.FEN: ("fen",),
    Holds.PIECES: ("count", "credits", "points"),
    Holds.PLACES: ("places",),
}
_DAYS = re.compile(r"days\(([1-9][0-9]{0,2})\)")


def read_validity(form: Form) -> Validity | None:
    """Return the days on which a rule, or terms, are in force."""
    span = form.form("valid", known=frozenset({"from", "through", "calendar"}))
    if span is None:
        return None
    from_on, through = span.day("from"), span.day("through", required=False)
    if from_on is None or ("through" in span.fields and through is None):
        return None
    if through is not None and through < from_on:
        span.note(ProblemCode.DATES, "valid", "through")
        return None
    calendar = span.name("calendar") if "calendar" in span.fields else ""
    if calendar is None or (calendar and calendar not in CALENDARS):
        if calendar:
            span.note(ProblemCode.UNKNOWN_PLUGIN, calendar, "calendar")
        return None
    return Validity(from_on, through, calendar)


def read_days(form: Form, name: str) -> int | None:
    """Return the number in a text such as `days(7)`; None where it is wrong."""
    text = form.text(name) or ""
    found = _DAYS.fullmatch(text)
    if found is None:
        if text:
            form.note(ProblemCode.WRONG_VALUE, text, name)
        return None
    return int(found[1])


def read_expiry(form: Form, name: str) -> Expiry | None:
    """Return how long something lasts; None where it is wrong."""
    text = form.text(name) or ""
    expiry = parse_expiry(text)
    if expiry is None and text:
        form.note(ProblemCode.WRONG_VALUE, text, name)
    return expiry


def read_names(form: Form, name: str) -> frozenset[str] | None:
    """Return a list of names; empty where the field is absent, None where it is wrong."""
    found = read_texts(form, name)
    if found is None:
        return None
    for text, line in found:
        if not NAME.fullmatch(text):
            form.notes.note(ProblemCode.WRONG_VALUE, text, line)
            return None
    return frozenset(text for text, _ in found)


def read_texts(form: Form, name: str) -> list[tuple[str, int]] | None:
    """Return a list of texts with their lines; empty where absent, None where it is wrong."""
    if name not in form.fields:
        return []
    item = form.fields[name]
    if not isinstance(item.value, list) or len(item.value) > LIST_MAX:
        form.note(ProblemCode.WRONG_TYPE, name, name)
        return None
    if not item.value:
        form.note(ProblemCode.EMPTY, name, name)
        return None
    found = [(each.value, each.line) for each in item.value if isinstance(each.value, str)]
    if len(found) < len(item.value):
        form.note(ProblemCode.WRONG_TYPE, name, name)
        return None
    return found


def read_criteria(form: Form, reading: Reading) -> tuple[Criterion, ...] | None:
    """Return what people are ranked by; None where something about it was noted."""
    known = USE | frozenset({"order"})
    forms = list(form.forms("by", known=known, later=LATER_USE))
    if len(forms) > CRITERIA_MAX:
        form.note(ProblemCode.TOO_MANY, f"{CRITERIA_MAX} facts to rank by", "by")
        return None
    found: list[Criterion] = []
    for each in forms:
        use, order = read_use(each, reading), each.choice("order", Order)
        if use is not None and order is not None:
            found.append(Criterion(use, order))
    return tuple(found) if found and len(found) == len(forms) else None


def read_pool(form: Form, reading: Reading) -> Pool | None:
    """Return a pool, or None when something about it was noted."""
    pool_id = form.name("id")
    title, owner = form.bilingual("title"), form.bilingual("owner")
    cite = reading.citation(form, pool_id or "pool")
    holds = form.choice("holds", Holds)
    every = form.choice("period", Every)
    carry = form.choice("carry", Carry, default=Carry.NONE)
    exhausted = form.choice("exhausted", Exhausted)
    purposes, regions = read_names(form, "purposes"), _read_regions(form)
    rank: tuple[Criterion, ...] | None = ()
    if exhausted is Exhausted.RANK:
        rank = read_criteria(form, reading)
    elif "by" in form.fields:
        form.note(ProblemCode.WRONG_VALUE, "by", "by")
    if exhausted is Exhausted.PRO_RATA and holds not in (None, Holds.FEN):
        form.note(ProblemCode.WRONG_VALUE, "exhausted", "exhausted")
    lapse = read_expiry(form, "lapse") if "lapse" in form.fields else None
    if pool_id is None or cite is None or holds is None:
        return None
    units = _UNITS_OF_POOL[holds]
    amount = reading.number(form, "amount", cite=cite, units=units)
    most = None
    if carry is Carry.UP_TO:
        most = reading.number(form, "carry_most", cite=cite, units=units, low=0)
        if most is None:
            return None
    elif {"carry_most", "carry_most_param"} & form.fields.keys():
        form.note(ProblemCode.WRONG_VALUE, "carry_most", "carry_most")
    if (
        title is None
        or owner is None
        or amount is None
        or every is None
        or carry is None
        or exhausted is None
        or purposes is None
        or regions is None
        or rank is None
        or ("lapse" in form.fields and lapse is None)
    ):
        return None
    return Pool(
        id=pool_id,
        title=title,
        owner=owner,
        cite=cite,
        holds=holds,
        amount=amount,
        every=every,
        carry=carry,
        carry_most=most,
        purposes=purposes,
        regions=regions,
        exhausted=exhausted,
        rank=rank,
        lapse=lapse,
    )


def _read_regions(form: Form) -> tuple[int, ...] | None:
    found = read_texts(form, "regions")
    if found is None:
        return None
    for text, line in found:
        if not is_value_of(FactType.REGION, text):
            form.notes.note(ProblemCode.WRONG_VALUE, text, line)
            return None
    return tuple(region.parse_code(text) for text, _ in found)


def read_group(form: Form, reading: Reading) -> Group | None:
    """Return a group, or None when something about it was noted."""
    group_id, title = form.name("id"), form.bilingual("title")
    cite = reading.citation(form, group_id or "group")
    mode, every = form.choice("mode", StackMode), form.choice("period", Every)
    excludes = read_names(form, "excludes")
    default = form.name("default") if "default" in form.fields else ""
    if "default" in form.fields and mode not in (None, StackMode.CHOOSE_ONE):
        form.note(ProblemCode.WRONG_VALUE, "default", "default")
    if group_id is None or cite is None or title is None or mode is None or every is None:
        return None
    cap = None
    if mode is StackMode.CAP:
        units = ("fen", "count", "points", "credits", "places")
        cap = reading.number(form, "max", cite=cite, units=units)
        if cap is None:
            return None
    elif {"max", "max_param"} & form.fields.keys():
        form.note(ProblemCode.WRONG_VALUE, "max", "max")
        return None
    if excludes is None or default is None:
        return None
    return Group(
        id=group_id,
        title=title,
        cite=cite,
        mode=mode,
        every=every,
        default=default,
        cap=cap,
        excludes=excludes,
    )


def mutual(groups: Iterable[Group]) -> Iterator[Group]:
    """Yield groups so that whoever is excluded excludes."""
    listed = list(groups)
    for group in listed:
        by_others = {each.id for each in listed if group.id in each.excludes}
        yield replace(group, excludes=group.excludes | by_others)


def refuse_mixed_group(form: Form, reading: Reading, rules: Sequence[Rule]) -> None:
    """Note a group whose rules cannot be compared, and a default that is no rule of it."""
    item = form.fields.get("id")
    group = None if item is None else reading.groups.get(str(item.value))
    if group is None:
        return
    members = [rule for rule in rules if rule.group == group.id]
    compares = group.mode in (StackMode.HIGHEST, StackMode.TOP_UP, StackMode.CAP)
    if compares and len({(rule.grant.kind, rule.grant.item) for rule in members}) > 1:
        form.note(ProblemCode.MIXED_GROUP, group.id, "mode")
    if group.mode is StackMode.TOP_UP and any(rule.tiers is not None for rule in members):
        form.note(ProblemCode.CONTRADICTION, "top_up", "mode")
    if group.default and all(rule.id != group.default for rule in members):
        form.note(ProblemCode.UNKNOWN_RULE, group.default, "default")


def read_credit(form: Form, reading: Reading) -> CreditTerms | None:
    """Return the terms of a kind of credits or points, or None when something was noted."""
    credit_id, title = form.name("id"), form.bilingual("title")
    note = form.bilingual("note", required=False)
    cite = reading.citation(form, credit_id or "credit")
    valid = read_validity(form)
    kind = form.choice("kind", GrantKind)
    if kind not in (None, GrantKind.CREDITS, GrantKind.POINTS):
        form.note(ProblemCode.WRONG_VALUE, str(kind), "kind")
        kind = None
    block = form.whole("block", low=1, high=BLOCK_MAX) if "block" in form.fields else 1
    expiry = read_expiry(form, "expires") if "expires" in form.fields else None
    gives_to = _read_receivers(form)
    pool = form.name("pool") if "pool" in form.fields else ""
    if pool:
        reading.used_parts.add(f"pool/{pool}")
        if f"pool/{pool}" not in reading.declared_parts:
            form.note(ProblemCode.UNKNOWN_POOL, pool, "pool")
            pool = None
        elif pool in reading.pools and reading.pools[pool].holds is not Holds.PIECES:
            form.note(ProblemCode.UNIT, pool, "pool")
            pool = None
    if gives_to is not None and pool is not None and (Receiver.POOL in gives_to) != bool(pool):
        form.note(ProblemCode.CONTRADICTION, "pool", "pool")
        return None
    if credit_id is None or cite is None or kind is None:
        return None
    own_most = reading.number(form, "own_max", cite=cite, units=UNITS_OF[kind], required=False)
    conditions = {
        name: _read_terms_condition(form, name, reading, credit_id, cite)
        for name in ("use", "receive")
    }
    if (
        title is None
        or valid is None
        or block is None
        or gives_to is None
        or pool is None
        or ("expires" in form.fields and expiry is None)
        or ({"own_max", "own_max_param"} & form.fields.keys() and own_most is None)
        or any(name in form.fields and found is None for name, found in conditions.items())
    ):
        return None
    return CreditTerms(
        id=credit_id,
        kind=kind,
        title=title,
        note=note,
        cite=cite,
        valid=valid,
        block=block,
        expiry=expiry,
        own_most=own_most,
        use=conditions["use"],
        receive=conditions["receive"],
        gives_to=gives_to,
        pool=pool,
    )


def _read_terms_condition(
    form: Form, name: str, reading: Reading, credit_id: str, cite: Citation
) -> Condition | None:
    if name not in form.fields:
        return None
    inner = form.form(name, known=CONDITION, later=LATER_USE)
    if inner is None:
        return None
    return read_condition(inner, reading, node=f"{credit_id}/{name}", cite=cite)


def _read_receivers(form: Form) -> frozenset[Receiver] | None:
    found = read_texts(form, "gives_to")
    if found is None:
        return None
    for text, line in found:
        if text not in list(Receiver):
            form.notes.note(ProblemCode.WRONG_VALUE, text, line)
            return None
    return frozenset(Receiver(text) for text, _ in found)
