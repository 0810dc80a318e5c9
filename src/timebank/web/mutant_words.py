"""A small change to a pack that no example notices, in words that an office reads at once."""

import re
from datetime import date
from typing import Any

from timebank.policy.check import with_terms
from timebank.policy.condition import Leaf
from timebank.policy.rule import Pack, Rule
from timebank.web import format as words
from timebank.web.catalog import Language, Translate, has_message
from timebank.web.draft_words import parameter_words
from timebank.web.policy_words import fact_words, own_words

_DAY = r"\d{4}-\d\d-\d\d"
_BECAME = re.compile(rf"(?:from ({_DAY}): )?(.+) became (?:from )?(.+)")
_OPS = {">=": "≥", ">": ">", "<=": "≤", "<": "<", "==": "=", "!=": "≠"}


def mutant_words(change: str, pack: Pack, *, language: Language, _: Translate) -> str:
    """Return a change, in the words of `policy.check.mutants`, as a sentence."""
    head, _bar, rest = change.partition(": ")
    groups = {each.id: each for each in pack.groups}
    if head in groups and (said := _group(rest, own_words(groups[head].title, language), _)):
        return said
    rules = {each.id: each for each in with_terms(pack).rules}
    if head in rules:
        title = own_words(rules[head].title, language)
        return _rule(rest, rules[head], title, language, _)
    return _parameter(change, pack, language, _)


def _group(rest: str, title: str, _: Translate) -> str:
    sentences = {
        "sum": _("「{title}」里的几项都给，不再只算一项", title=title),
        "no default": _("「{title}」没选的人什么也不给", title=title),
        "excludes nothing": _("「{title}」不再和别的组互斥", title=title),
    }
    return sentences.get(rest, "")


def _parameter(change: str, pack: Pack, language: Language, _: Translate) -> str:
    name, _space, rest = change.partition(" ")
    found = _BECAME.fullmatch(rest)
    if found is None:
        return change
    is_time = name.endswith("minutes")
    label = parameter_words(name, pack, language=language, _=_)
    if found[1] is None:
        days = [date.fromisoformat(each.removeprefix("from ")) for each in (found[2], found[3])]
        return _(
            "{what}不从{was}、从{becomes}起",
            what=label,
            was=words.full_day(days[0], language=language),
            becomes=words.full_day(days[1], language=language),
        )
    return _(
        "{what}由 {was} 变成 {becomes}",
        what=label,
        was=_amount(found[2], language, is_time=is_time),
        becomes=_amount(found[3], language, is_time=is_time),
    )


def _amount(text: str, language: Language, *, is_time: bool = False) -> str:
    if re.fullmatch(_DAY, text):
        return words.full_day(date.fromisoformat(text), language=language)
    numbers = [each.strip() for each in text.strip("()").split(",") if each.strip()]
    if is_time and all(each.isdigit() for each in numbers):
        numbers = [words.duration(int(each), language=language) for each in numbers]
    return ("、" if language == "zh" else ", ").join(numbers)


def _rule(rest: str, rule: Rule, title: str, language: Language, _: Translate) -> str:
    node, _bar, about = rest.partition(": ")
    leaves = {leaf.node: leaf for leaf in rule.leaves()}
    if node in leaves:
        return _leaf(about, leaves[node], title, language, _)
    if node.startswith(f"{rule.id}/"):
        return _node(about, title, _)
    return _whole(rest, title, language, _)


def _leaf(about: str, leaf: Leaf, title: str, language: Language, _: Translate) -> str:
    fact = fact_words(leaf.use, language=language, _=_)
    if about == "left out":
        return _("「{title}」不看{fact}了", title=title, fact=fact)
    if found := re.fullmatch(r"evidence from (A\d)", about):
        return _("「{title}」的{fact}从 {grade} 级证据起算", title=title, fact=fact, grade=found[1])
    if found := re.fullmatch(r"unknown = (\w+)", about):
        how = _(f"pack_value.{found[1]}")
        return _("「{title}」的{fact}不知道时，变成“{how}”", title=title, fact=fact, how=how)
    was, _space, becomes = about.partition(" became ")
    if was in _OPS and becomes in _OPS:
        return _(
            "「{title}」的{fact}由“{was}”变成“{becomes}”",
            title=title,
            fact=fact,
            was=_OPS[was],
            becomes=_OPS[becomes],
        )
    is_time = leaf.use.name == "minutes"
    return _(
        "{what}由 {was} 变成 {becomes}",
        what=_("「{title}」的{fact}", title=title, fact=fact),
        was=_amount(was, language, is_time=is_time),
        becomes=_amount(becomes, language, is_time=is_time),
    )


def _node(about: str, title: str, _: Translate) -> str:
    if found := re.fullmatch(r"at least (\d+)", about):
        return _("「{title}」改成至少满足 {count} 项", title=title, count=found[1])
    sentences = {
        "left out": _("「{title}」去掉一组条件", title=title),
        "the not left out": _("「{title}」里“不能出现”变成“必须出现”", title=title),
        "any instead of all": _("「{title}」由“都要满足”变成“满足一项”", title=title),
        "all instead of any": _("「{title}」由“满足一项”变成“都要满足”", title=title),
    }
    return sentences.get(about, about)


def _whole(rest: str, title: str, language: Language, _: Translate) -> str:
    patterns: list[tuple[str, Any]] = [
        (
            rf"valid from ({_DAY})",
            lambda found: _(
                "「{title}」从{day}起有效",
                title=title,
                day=words.full_day(date.fromisoformat(found[1]), language=language),
            ),
        ),
        (
            rf"valid through ({_DAY})",
            lambda found: _(
                "「{title}」到{day}为止",
                title=title,
                day=words.full_day(date.fromisoformat(found[1]), language=language),
            ),
        ),
        (r"gives (\d+)", lambda found: _("「{title}」发 {count} 份", title=title, count=found[1])),
        (r"expires .*", lambda _found: _("「{title}」发的东西换一个到期日", title=title)),
        (
            r"evidence from (A\d)",
            lambda found: _("「{title}」从 {grade} 级证据起算", title=title, grade=found[1]),
        ),
        (r"everybody wins", lambda _found: _("「{title}」不再评选，人人都给", title=title)),
        (r"ranks by .*", lambda _found: _("「{title}」的名次反过来排", title=title)),
        (
            r"winners (\d+)",
            lambda found: _("「{title}」评 {count} 名", title=title, count=found[1]),
        ),
        (
            r"shortlist (\d+)",
            lambda found: _("「{title}」入围 {count} 名", title=title, count=found[1]),
        ),
        (
            r"row (\d+) left out",
            lambda found: _("「{title}」的表去掉第 {row} 行", title=title, row=found[1]),
        ),
        (
            r"row (\d+) ([^:]+): left out",
            lambda found: _(
                "「{title}」的表第 {row} 行不看 {column}",
                title=title,
                row=found[1],
                column=found[2],
            ),
        ),
        (
            r"row (\d+) ([^:]+): (.+) became (.+)",
            lambda found: _(
                "「{title}」的表第 {row} 行 {column} 由 {was} 变成 {becomes}",
                title=title,
                row=found[1],
                column=found[2],
                was=found[3],
                becomes=found[4],
            ),
        ),
        (
            rf"from ({_DAY}) became from ({_DAY})",
            lambda found: _(
                "{what}不从{was}、从{becomes}起",
                what=_("「{title}」的表", title=title),
                was=words.full_day(date.fromisoformat(found[1]), language=language),
                becomes=words.full_day(date.fromisoformat(found[2]), language=language),
            ),
        ),
    ]
    for pattern, say in patterns:
        if found := re.fullmatch(pattern, rest):
            return str(say(found))
    return rest


def node_words(unseen: str, pack: Pack, *, language: Language, _: Translate) -> str:
    """Return which condition was never tried which way, of what `unseen_outcomes` says."""
    node, _bar, outcome = unseen.partition(": ")
    for rule in with_terms(pack).rules:
        for leaf in rule.leaves():
            if leaf.node == node:
                code = f"unseen.{outcome}"
                return _(
                    "「{title}」的{fact}：{outcome}",
                    title=own_words(rule.title, language),
                    fact=fact_words(leaf.use, language=language, _=_),
                    outcome=_(code) if has_message("zh", code) else outcome,
                )
    return unseen
