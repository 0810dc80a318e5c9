"""Variants: a pack with some of its words replaced, written in the same TOML, to be tried.

A variant is a pack value of its own, so the approved draft is exactly what was simulated.

    [variant]
    version = "2027.1"

    [[override.param.film_minutes]]
    from = 2027-01-01
    value = 4800
    cite = "haiyan-courtesies"
    source = "assumed"

    [override.rule.film]
    valid = { from = 2024-01-01, through = 2027-12-31 }

A dated value of a day that is there already is replaced, any other is added. Of rules, pools,
groups and terms the keys that are written are replaced whole; nothing can be taken away.
"""

from dataclasses import replace

from timebank.policy.canonical import read_canonical
from timebank.policy.document import Fields, Item, read_document
from timebank.policy.form import Form, Notes
from timebank.policy.pack import FILE_BYTES_MAX, assemble
from timebank.policy.problem import PackRefused, Problem, ProblemCode
from timebank.policy.rule import Pack, Status

_PARTS = {"rule": "rule", "pool": "pool", "group": "group", "credit": "credit"}
_MISSING = {
    "rule": ProblemCode.UNKNOWN_RULE,
    "pool": ProblemCode.UNKNOWN_POOL,
    "group": ProblemCode.UNKNOWN_GROUP,
    "credit": ProblemCode.NO_TERMS,
}


def read_variant(base: Pack, data: bytes, *, file: str = "variant.toml") -> Pack | PackRefused:
    """Return the variant that a file makes of a pack, as a draft with the base's examples.

    What is refused is told with the file's line; line 1 where the base does not go with it.
    """
    if len(data) > FILE_BYTES_MAX:
        return PackRefused((Problem(file, 0, ProblemCode.TOO_LARGE),))
    found = read_document(data, file=file)
    if found.root is None or found.problems:
        return PackRefused(found.problems)
    problems: list[Problem] = []
    top = Form(found.root, Notes(file, problems), 1, known=frozenset({"variant", "override"}))
    head = top.form("variant", known=frozenset({"version"}))
    version = None if head is None else head.text("version")
    override = top.form("override", known=frozenset({"param", *_PARTS}))
    root = read_canonical(base.canonical, status=Status.DRAFT.value)
    if override is not None:
        _override_parameters(override, root)
        for name in _PARTS:
            _override_parts(override, root, name)
    if problems or version is None:
        return PackRefused(tuple(sorted(problems)))
    _fields(root["pack"])["version"] = Item(version, head.line_of("version") if head else 1)
    variant = assemble({"pack.toml": root}, {})
    if isinstance(variant, PackRefused):
        return PackRefused(tuple(replace(each, file=file) for each in variant.problems))
    return replace(variant, cases=base.cases, scenarios=base.scenarios)


def _override_parameters(override: Form, root: Fields) -> None:
    known = _fields(root["param"]) if "param" in root else {}
    named = override.form("param", known=frozenset(known), required=False)
    if named is None:
        return
    for name, item in named.fields.items():
        if name not in known or not isinstance(item.value, list):
            continue
        values = {_day(each): each for each in _items(known[name])}
        values |= {_day(each): each for each in item.value}
        known[name] = Item([values[day] for day in sorted(values)], item.line)


def _override_parts(override: Form, root: Fields, part: str) -> None:
    if part not in override.fields:
        return
    listed = _items(root[part]) if part in root else []
    by_id = {str(_fields(item)["id"].value): _fields(item) for item in listed}
    item = override.fields[part]
    for name, changed in _fields(item).items():
        if name not in by_id:
            override.notes.note(_MISSING[part], name, changed.line)
        elif not isinstance(changed.value, dict) or "id" in changed.value:
            override.notes.note(ProblemCode.WRONG_VALUE, name, changed.line)
        else:
            by_id[name].update(changed.value)


def _fields(item: Item) -> Fields:
    return item.value if isinstance(item.value, dict) else {}


def _items(item: Item) -> list[Item]:
    return item.value if isinstance(item.value, list) else []


def _day(item: Item) -> str:
    """Return a dated value's first day as text that sorts; a wrong one is refused later."""
    found = _fields(item).get("from")
    return "" if found is None else str(found.value)
