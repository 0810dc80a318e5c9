"""What a grant is called, what it is worth and where it stands, in the reader's language."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from timebank.domain.entitlement import Cause, Standing, State
from timebank.domain.selecting import Mode
from timebank.policy.rule import Pack
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.policy_words import own_words

Tone: TypeAlias = Literal["proven", "waiting", "act", "past"]

TONES: dict[State, Tone] = {
    State.PROPOSED: "waiting",
    State.CHOOSING: "act",
    State.WAITING: "waiting",
    State.PUBLICISED: "waiting",
    State.ENDORSED: "waiting",
    State.APPROVED: "waiting",
    State.ISSUED: "proven",
    State.QUESTIONED: "act",
    State.SPENT: "past",
    State.EXPIRED: "past",
    State.REVOKED: "past",
    State.REFUSED: "past",
    State.DECLINED: "past",
    State.CARRIED: "past",
}
"""The colour that goes with each state; the word stands beside it."""


def grant_title(standing: Standing, *, item: str, packs: Sequence[Pack], language: Language) -> str:
    """Return what a grant is called: by its rule, its level, or its item where neither is known.

    `packs` are those in force in its county.
    """
    of = standing.of
    for pack in packs:
        if pack.id == of.pack:
            for rule in pack.rules:
                if rule.id == of.rule:
                    if rule.tiers is not None and 0 < of.tier <= len(rule.tiers.levels):
                        return own_words(rule.tiers.levels[of.tier - 1].title, language)
                    return own_words(rule.title, language)
    return item_title(item, packs=packs, language=language)


def amount_words(amount: int, *, item: str, _: Translate) -> str:
    """Return an amount with its unit, such as `600.00 元`, `12 张` or `5 分`."""
    kind = item.partition(":")[0]
    if kind == "fen":
        return _("{yuan} 元", yuan=yuan(amount))
    if kind in _UNITS:
        return _(_UNITS[kind], count=words.count(amount))
    return words.count(amount)


_UNITS = {
    "pass": "{count} 次",
    "goods": "{count} 份",
    "score": "{count} 分",
    "place": "{count} 个名额",
    "credits": "{count} 时间币",
    "points": "{count} 积分",
}


def yuan(fen: int) -> str:
    """Return fen as yuan with two digits, such as `1,234.50`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02}".replace("-", "\N{MINUS SIGN}")


def state_words(standing: Standing, *, language: Language, _: Translate) -> str:
    """Return where a grant stands and what comes next, as one sentence for its volunteer."""
    state = standing.state
    due = "" if standing.due_on is None else words.full_day(standing.due_on, language=language)
    match state:
        case State.PROPOSED:
            return _("符合条件，等{office}审批", office=_(f"office.{standing.of.terms.office}"))
        case State.PUBLICISED:
            return _("公示到{day}，没有异议就审批", day=due)
        case State.QUESTIONED:
            return _("正在复核，{day}前可以说明；在这之前不能使用", day=due)
        case _:
            return _(f"grant_state.{state}")


_CAUSES: Mapping[str, str] = {
    Cause.SERVICE: "依据的服务记录被冲正或者更正",
    Cause.TOLD: "登记的情况改变",
    Cause.FRAUD: "核查认定弄虚作假",
    Cause.CONDITION: "现在不再符合规则",
}


def note_words(note: str, *, _: Translate) -> str:
    """Return what was said with a step: a cause in the reader's language, else as written."""
    return _(_CAUSES[note]) if note in _CAUSES else note


def valid_words(standing: Standing, *, language: Language, _: Translate) -> str:
    """Return until when a grant can be used; empty for life."""
    if standing.expires_on is None:
        return ""
    return _("{day}前有效", day=words.full_day(standing.expires_on, language=language))


def month_of(at: datetime) -> str:
    """Return the local month of an instant, such as `2026-06`."""
    on = words.local_day(at)
    return f"{on.year:04}-{on.month:02}"


def item_title(
    item: str,
    *,
    packs: Sequence[Pack],
    rule: tuple[str, str] | None = None,
    language: Language,
) -> str:
    """Return what an item is called: by the rule that gives it, else by its own name."""
    for pack in packs:
        for each in pack.rules:
            is_meant = (
                (pack.id, each.id) == rule
                if rule is not None
                else f"{each.grant.kind}:{each.grant.item}" == item
            )
            if is_meant:
                return own_words(each.title, language)
    return item.partition(":")[2] or item


def reasons_words(text: str, *, language: Language, _: Translate) -> str:
    """Return the reasons of a decision as one sentence, such as `时长 2 小时，要求 1 小时`."""
    parts = []
    for reason in json.loads(text):
        if "selection" in reason:
            parts.append(chosen_words(reason["selection"], _=_))
            continue
        name = _(f"fact.{reason['fact']}")
        have, need = (
            _value(reason[side], reason["fact"], language=language, _=_)
            for side in ("have", "need")
        )
        parts.append(_("{name} {have}，要求 {need}", name=name, have=have, need=need))
    return "；".join(parts)


def chosen_words(record: Mapping[str, Any], *, _: Translate) -> str:
    """Return what a draw or a panel said about a grant, of what its reasons keep."""
    if record["mode"] == Mode.LOTTERY:
        return _(
            "抽签：签号 {lot}，第 {place} 位，共 {places} 个名额",
            lot=record["lot"],
            place=record["place"],
            places=record["places"],
        )
    return _(
        "评审：{entitled} 人能投票，{count} 票同意，排第 {place}",
        entitled=record["entitled"],
        count=record["for"],
        place=record["place"],
    )


def _value(value: object, fact: str, *, language: Language, _: Translate) -> str:
    if value is None:
        return _("还不知道")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if fact == "minutes" and isinstance(value, int):
        return words.duration(value, language=language)
    if isinstance(value, int):
        return words.count(value)
    return str(value)
