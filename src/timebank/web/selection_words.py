"""Draws and panels in words people read."""

from collections.abc import Mapping
from datetime import datetime

from timebank.domain.selecting import LotResult, Mode, Outcome, Panel, Selection
from timebank.policy.rule import Pack
from timebank.web import format as words
from timebank.web.benefit_words import Tone
from timebank.web.catalog import Language, Translate
from timebank.web.policy_words import own_words

OUTCOME_TONES: Mapping[Outcome, Tone] = {
    Outcome.CHOSEN: "proven",
    Outcome.NOT_CHOSEN: "past",
    Outcome.PASSED_OVER: "past",
    Outcome.NOTHING_LEFT: "past",
}
"""The colour that goes with each outcome; the word stands beside it."""


def rule_title(selection: Selection, *, packs: tuple[Pack, ...], language: Language) -> str:
    """Return what a list is about: the title of its rule, or its id where no pack has it now."""
    for pack in packs:
        if pack.id == selection.pack:
            for rule in pack.rules:
                if rule.id == selection.rule:
                    return own_words(rule.title, language)
    return selection.rule


def places_words(selection: Selection, *, _: Translate) -> str:
    """Return how many are given, such as `3 个名额` or `每个镇 3 个名额`."""
    counts = sorted(set(selection.places.values()))
    if set(selection.places) <= {0}:
        return _("{count} 个名额", count=words.count(sum(counts)))
    many = "\N{EN DASH}".join(words.count(each) for each in sorted({counts[0], counts[-1]}))
    return _("每个区划 {count} 个名额", count=many)


def list_state_words(
    selection: Selection,
    panel: Panel | None,
    *,
    decided_at: datetime | None,
    now: datetime,
    language: Language,
    _: Translate,
) -> str:
    """Return where a list stands and what comes next, as one sentence."""
    if decided_at is not None:
        day = words.full_day(words.local_day(decided_at), language=language)
        is_lottery = selection.mode is Mode.LOTTERY
        return _("{day}抽出", day=day) if is_lottery else _("{day}评出", day=day)
    if selection.ready_at is not None:
        day = words.full_day(words.local_day(selection.ready_at), language=language)
        if now < selection.ready_at:
            return _("名单公开中，{day}起抽签", day=day)
        return _("可以抽签了")
    if panel is None:
        return _("等办公室指定评审小组")
    if now < panel.closes_at:
        return _("正在投票，{time}截止", time=until_words(panel, now=now, language=language))
    return _("投票已截止，等计票")


def until_words(panel: Panel, *, now: datetime, language: Language) -> str:
    """Return until when votes count."""
    return words.instant(panel.closes_at, now=now, language=language)


def outcome_words(result: LotResult | None, *, _: Translate) -> str:
    """Return what became of a lot; empty where nothing did yet."""
    return "" if result is None else _(f"lot.{result.outcome}")
