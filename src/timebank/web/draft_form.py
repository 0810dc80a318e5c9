"""The fields of one file of a draft, each with what the loader says about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from timebank.policy.authoring import Kind, Looked, Node
from timebank.policy.condition import Op, Unknown
from timebank.policy.fact import FACTS
from timebank.policy.grant import Approver, Dimension, Every, GrantKind
from timebank.policy.parameter import Source
from timebank.policy.tier import Downgrade
from timebank.web import format as words
from timebank.web.catalog import Language, Translate, has_message
from timebank.web.draft_words import fault_words
from timebank.web.parts import Choice
from timebank.web.policy_words import fact_words, own_words

_CHOICES: Mapping[str, Sequence[str]] = {
    "dimension": [each.value for each in Dimension],
    "kind": [each.value for each in GrantKind],
    "by": [each.value for each in Approver],
    "approve": [each.value for each in Approver],
    "op": [each.value for each in Op],
    "unknown": [each.value for each in Unknown],
    "source": [each.value for each in Source],
    "period": [each.value for each in Every],
    "downgrade": [each.value for each in Downgrade],
    "min_assurance": ["A0", "A1", "A2", "A3"],
}
"""Fields that are chosen from a closed list, by their key."""

_BOTH = {"zh": "", "en": ""}


def fresh_value(key: str, *, today: date, instrument: str) -> object:
    """Return what a new row or field of a key begins with."""
    leaf = {"fact": "minutes", "window": "calendar_year", "op": ">=", "param": ""}
    starts: dict[str, object] = {
        "instrument": {"id": "new", "title": _BOTH, "issuer": _BOTH},
        "param": {"from": today, "value": 0, "cite": f"{instrument} "},
        "rule": {
            "id": "new",
            "title": _BOTH,
            "note": _BOTH,
            "dimension": "economic",
            "cite": f"{instrument} ",
            "valid": {"from": today},
            "grant": {"kind": "pass", "item": "", "count": 1},
            "limits": [{"per": "person", "period": "calendar_year", "max": 1}],
            "approve": {"by": "county"},
            "when": {"all": [leaf]},
        },
        "case": {
            "name": "",
            "on": today,
            "person": {"minutes": {"calendar_year": 0}},
            "expect": {},
        },
        "all": leaf,
        "any": leaf,
        "of": leaf,
        "note": _BOTH,
        "through": today,
        "unknown": "ask",
        "min_assurance": "A1",
        "window": "calendar_year",
        "source": "assumed",
        "expires": "months(12)",
        "number": "",
        "date": today,
        "url": "https://",
        "filing": "",
        "level": {"title": _BOTH, "approve": "county"},
    }
    return starts.get(key, "")


_OPTIONAL: Mapping[str, Sequence[str]] = {
    "valid": ["through"],
    "grant": ["expires"],
    "rule": ["note", "source"],
    "param": ["note", "source"],
    "instrument": ["number", "date", "url", "note"],
    "all": ["min_assurance", "unknown"],
    "any": ["min_assurance", "unknown"],
    "of": ["min_assurance", "unknown"],
    "pack": ["filing"],
}
"""Keys that a group of a key may have and need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormNode:
    """A field of the form, or a group of them.

    Attributes:
        kind: How it is typed.
        errors: Why the loader refuses it, with the stable codes.
        removes: What the button to take it away posts; empty where it cannot be.
        adds: Buttons to add to it: what they post, and what they say.
        folds: It can be folded away, under this title; empty where it cannot.
        is_open: It is not folded away: something in it is refused.
    """

    label: str
    name: str
    kind: Literal["text", "long", "number", "day", "choice", "list", "group", "rows"]
    value: str
    choices: Sequence[Choice]
    errors: Sequence[str]
    removes: str
    adds: Sequence[Choice]
    parts: "Sequence[FormNode]"
    folds: str
    is_open: bool


def form_node(
    node: Node, file: str, looked: Looked, *, language: Language, _: Translate
) -> FormNode:
    """Return a field or group of fields as the form shows it."""
    problems = looked.at.get((file, node.path), ())
    key = node.key
    kinds: dict[Kind, Any] = {
        Kind.TEXT: "text",
        Kind.NUMBER: "number",
        Kind.DAY: "day",
        Kind.FLAG: "choice",
        Kind.LIST: "list",
        Kind.GROUP: "group",
        Kind.ROWS: "rows",
    }
    kind: Any = kinds[node.kind]
    choices = _choices(node)
    if choices and node.kind in (Kind.TEXT, Kind.FLAG):
        kind = "choice"
    elif kind == "text" and (len(node.text) > 60 or "note" in node.path):
        kind = "long"
    value = node.text
    if node.kind is Kind.NUMBER and any(each.endswith("minutes") for each in node.path):
        value = words.duration(int(node.text), language=language).replace("\N{NO-BREAK SPACE}", " ")
    path = "/".join(node.path)
    is_row = node.path[-1].isdigit()
    present = {each.path[-1] for each in node.parts}
    adds = []
    if node.kind is Kind.ROWS:
        adds = [Choice(value=f"{path}|{key}", label=_("再加一项"), is_selected=False)]
    elif node.kind is Kind.GROUP and node.path == ("param",):
        adds = [Choice(value="param|param", label=_("再加一个数字"), is_selected=False)]
    elif node.kind is Kind.GROUP:
        group = "param" if is_row and node.path[0] == "param" else key
        adds = [
            Choice(value=f"{path}/{each}|{each}", label=_key_words(each, _), is_selected=False)
            for each in _OPTIONAL.get(group, ())
            if each not in present
        ]
    parts = [form_node(each, file, looked, language=language, _=_) for each in node.parts]
    is_optional = node.path[-1] in {each for keys in _OPTIONAL.values() for each in keys}
    return FormNode(
        label=_key_words(key, _)
        if not is_row
        else f"{_key_words(key, _)} {int(node.path[-1]) + 1}",
        name=node.name,
        kind=kind,
        value=value,
        choices=[
            Choice(value=each, label=_choice_words(key, each, _), is_selected=each == node.text)
            for each in choices
        ],
        errors=[fault_words(each, _) for each in problems],
        removes=path if is_row or is_optional else "",
        adds=adds,
        parts=parts,
        folds=_title(node, looked, language=language, _=_)
        if len(node.path) == 2 and (is_row or node.path[0] == "param")
        else "",
        is_open=bool(problems) or any(each.errors or each.is_open for each in parts),
    )


def _title(node: Node, looked: Looked, *, language: Language, _: Translate) -> str:
    """Return what a row is called: its name, its title, or its id; a number by whom it decides."""
    if node.path[0] == "param" and looked.pack is not None:
        for rule in looked.pack.rules:
            for leaf in rule.leaves():
                if leaf.parameter.name == node.path[1]:
                    what = fact_words(leaf.use, language=language, _=_)
                    return f"{own_words(rule.title, language)} · {what} ({node.path[1]})"
    texts = {each.path[-1]: each for each in node.parts}
    for key in ("title", "name", "id"):
        if key in texts:
            found = texts[key]
            written = sorted(found.parts, key=lambda each: each.path[-1] != language)
            return next((each.text for each in written if each.text), found.text) or "…"
    return node.path[-1]


def _choices(node: Node) -> Sequence[str]:
    key = node.path[-1]
    if node.kind is Kind.FLAG:
        return ("true", "false")
    found = list(_CHOICES.get(key, ()))
    if key == "fact":
        found = list(FACTS)
    if found and node.text not in found:
        found.insert(0, node.text)
    return found


def _choice_words(key: str, value: str, _: Translate) -> str:
    for code in (f"fact.{value}", f"dimension.{value}", f"source.{value}", f"choice.{key}.{value}"):
        if (
            key in ("fact", "dimension", "source")
            and code.startswith(f"{key}.")
            and has_message("zh", code)
        ):
            return _(code)
    code = f"pack_value.{value}"
    return _(code) if has_message("zh", code) else value


def _key_words(key: str, _: Translate) -> str:
    code = f"pack_key.{key}"
    return _(code) if has_message("zh", code) else key
