"""What changed between two packs, in words that an office can read aloud."""

import json
from datetime import date
from typing import Any

from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.policy.problem import Problem
from timebank.policy.rule import Pack, Rule
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.policy_words import (
    fact_words,
    own_words,
    plain_sentence,
    problem_words,
    valid_words,
)


def county_of_writers(office_scope: Scope) -> int:
    """Return the county whose rules an office writes.

    A county writes for its whole book; a town may look, and a province has no book of its own.

    Raises:
        NotFoundError: The office is not a county's.
    """
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    return county_of(office_scope.region)


def fault_words(problem: Problem, _: Translate) -> str:
    """Return why something typed is refused, with its stable code, and the line if it has one."""
    said = problem_words(problem, _)
    if not problem.line:
        return said
    return _("{file} 第 {line} 行：{said}", file=problem.file, line=problem.line, said=said)


def differences_in_words(
    before: Pack, after: Pack, *, on: date, language: Language, _: Translate
) -> list[str]:
    """Return every difference that decides or is shown; empty where there is none."""
    found: list[str] = []
    old, new = _document(before), _document(after)
    for name in sorted(old["param"].keys() | new["param"].keys()):
        label = parameter_words(name, after, before, language=language, _=_)
        found += _parameter(
            name, label, old["param"].get(name, []), new["param"].get(name, []), language, _
        )
    rules = {rule.id: rule for rule in before.rules}
    later = {rule.id: rule for rule in after.rules}
    for rule_id, rule in later.items():
        title = own_words(rule.title, language)
        if rule_id not in rules:
            sentence = _sentence(rule, on, language, _)
            found.append(_("新增规则「{title}」：{sentence}", title=title, sentence=sentence))
        else:
            found += _rule(rules[rule_id], rule, on, language, _)
    found += [
        _("去掉规则「{title}」", title=own_words(rule.title, language))
        for rule_id, rule in rules.items()
        if rule_id not in later
    ]
    for key in sorted((old.keys() | new.keys()) - {"param", "rule"}):
        if old.get(key) != new.get(key):
            found += _parts(key, old.get(key), new.get(key), language, _)
    if not found and before.hash != after.hash:
        found.append(_("文字有改动"))
    return found


def _document(pack: Pack) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(pack.canonical)
    return document


def parameter_words(name: str, *packs: Pack, language: Language, _: Translate) -> str:
    """Return what a number decides, by the first rule that uses it; else its name."""
    for pack in packs:
        for rule in pack.rules:
            for leaf in rule.leaves():
                if leaf.parameter.name == name:
                    return _(
                        "「{title}」的{fact}",
                        title=own_words(rule.title, language),
                        fact=fact_words(leaf.use, language=language, _=_),
                    )
    return name


def _parts(key: str, old: Any, new: Any, language: Language, _: Translate) -> list[str]:
    """Return which pools, groups and the like are new, gone or changed, by title."""
    part = _key(key, _)
    if not all(isinstance(each, list | None) for each in (old, new)):
        return [_("「{part}」有改动", part=part)]
    before = {str(each.get("id")): each for each in old or []}
    after = {str(each.get("id")): each for each in new or []}
    found: list[str] = []
    for part_id in [*after, *(each for each in before if each not in after)]:
        one, two = before.get(part_id), after.get(part_id)
        title = (two or one or {}).get("title")
        named = title.get(language, part_id) if isinstance(title, dict) else part_id
        if one is None:
            found.append(_("新增{part}「{title}」", part=part, title=named))
        elif two is None:
            found.append(_("去掉{part}「{title}」", part=part, title=named))
        elif one != two:
            found.append(_("{part}「{title}」有改动", part=part, title=named))
    return found


def _parameter(
    name: str, label: str, old: list[Any], new: list[Any], language: Language, _: Translate
) -> list[str]:
    found = []
    before = {each["from"]["$date"]: each for each in old}
    after = {each["from"]["$date"]: each for each in new}
    for day in sorted(before.keys() | after.keys()):
        since = words.full_day(date.fromisoformat(day), language=language)
        one, two = before.get(day), after.get(day)
        if one is None and two is not None:
            last = max((each for each in before if each < day), default=None)
            was = "" if last is None else _amount(name, before[last]["value"], language)
            found.append(
                _(
                    "{name} 自{day}起 {value}（原 {was}）",
                    name=label,
                    day=since,
                    value=_amount(name, two["value"], language),
                    was=was or "—",
                )
            )
        elif two is None and one is not None:
            found.append(
                _(
                    "{name} 去掉自{day}起的 {value}",
                    name=label,
                    day=since,
                    value=_amount(name, one["value"], language),
                )
            )
        elif one is not None and two is not None and one["value"] != two["value"]:
            found.append(
                _(
                    "{name} 自{day}起由 {was} 改为 {value}",
                    name=label,
                    day=since,
                    was=_amount(name, one["value"], language),
                    value=_amount(name, two["value"], language),
                )
            )
        elif one != two:
            found.append(_("{name} 自{day}起的依据或说明有改动", name=label, day=since))
    return found


def _amount(name: str, value: Any, language: Language) -> str:
    values = value if isinstance(value, list) else [value]
    said = [
        words.duration(each, language=language) if name.endswith("minutes") else str(each)
        for each in values
    ]
    return ("、" if language == "zh" else ", ").join(said)


def _rule(before: Rule, after: Rule, on: date, language: Language, _: Translate) -> list[str]:
    title = own_words(after.title, language)
    was, becomes = _sentence(before, on, language, _), _sentence(after, on, language, _)
    if was != becomes:
        return [
            _("规则「{title}」由「{was}」改为「{becomes}」", title=title, was=was, becomes=becomes)
        ]
    if before.grant != after.grant:
        return [_("规则「{title}」发的东西有改动", title=title)]
    if before.valid != after.valid:
        span = valid_words(after, language=language, _=_)
        return [_("规则「{title}」的有效期改为：{span}", title=title, span=span)]
    fixed = ("every", "approver", "dimension", "cite", "limits", "group", "select", "revoke")
    if any(getattr(before, each) != getattr(after, each) for each in fixed):
        return [_("规则「{title}」的发放办法有改动", title=title)]
    return []


def _sentence(rule: Rule, on: date, language: Language, _: Translate) -> str:
    said = plain_sentence(rule, on=max(on, rule.valid.from_on), language=language, _=_)
    return said.rstrip("：: ")


def _key(key: str, _: Translate) -> str:
    return _(f"pack_key.{key}")
