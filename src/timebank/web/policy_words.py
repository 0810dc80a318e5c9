"""Rules and reasons in words people read: what is asked, what one has, what is nearest."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from timebank.domain.assurance import Assurance
from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import Op, Outcome, Reason
from timebank.policy.evaluation import RuleResult
from timebank.policy.explain import Explanation, explain
from timebank.policy.fact import FactType, FactUnit, FactUse
from timebank.policy.grant import Dimension
from timebank.policy.parameter import Citation, DatedValue, Need, Source
from timebank.policy.problem import Problem
from timebank.policy.rule import Case, Instrument, Pack, Rule, Verdict
from timebank.policy.window import WindowKind
from timebank.policy.wording import quantity
from timebank.web import format as words
from timebank.web.catalog import Language, Translate


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePiece:
    """A stretch of the rule's sentence.

    Attributes:
        is_number: The piece is a dated number of the rule.
        since: From when it holds; empty where the number before it already says so.
    """

    text: str
    is_number: bool = False
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStep:
    """One dated number with its source."""

    name: str
    value: str
    since: str
    until: str
    citation: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of a rule, as it stands for this person.

    Attributes:
        percent: How far, 0 to 100; None when it is yes or no.
        have: What is known, in words; empty when nothing is.
    """

    text: str
    state: Literal["met", "unmet", "unknown"]
    have: str
    percent: int | None


def own_words(text: Bilingual, language: Language) -> str:
    """Return what a pack says in the reader's language."""
    return text.in_language(language)


def dimension_words(dimension: Dimension, _: Translate) -> str:
    """Return the name of a courtesy's dimension."""
    return _(f"dimension.{dimension.value}")


def ask_words(use: FactUse, op: Op, need: Need, *, language: Language, _: Translate) -> str:
    """Return what a leaf asks for, such as `本年度服务满 100 小时`."""
    amount = need_words(use, need, language=language, _=_)
    window = _window_words(use, _)
    if op is Op.AT_LEAST and use.name == "minutes":
        text = _("{window}服务满 {amount}", window=window, amount=amount)
    elif op is Op.AT_LEAST and use.name == "services":
        text = _("{window}做满 {amount}", window=window, amount=amount)
    elif op is Op.AT_LEAST and use.name == "star":
        text = _("达到 {amount}", amount=amount)
    else:
        fact = fact_name(use, language=language, _=_)
        said = _compared(op, _, window=window, fact=fact, amount=amount)
        text = " ".join(said.split()).strip(", ")
    if use.assurance_min > Assurance.A0:
        text = _("{text}（扫码或当场确认的才算）", text=text)
    return text


def _compared(op: Op, _: Translate, *, window: str, fact: str, amount: str) -> str:
    """Return a comparison as it is said, without signs."""
    match op:
        case Op.AT_LEAST:
            return _("{window}{fact}至少 {amount}", window=window, fact=fact, amount=amount)
        case Op.ABOVE:
            return _("{window}{fact}多于 {amount}", window=window, fact=fact, amount=amount)
        case Op.AT_MOST:
            return _("{window}{fact}不超过 {amount}", window=window, fact=fact, amount=amount)
        case Op.BELOW:
            return _("{window}{fact}少于 {amount}", window=window, fact=fact, amount=amount)
        case Op.EQUAL:
            return _("{window}{fact}：{amount}", window=window, fact=fact, amount=amount)
        case Op.DIFFERENT:
            return _("{window}{fact}不是 {amount}", window=window, fact=fact, amount=amount)
        case Op.IN:
            return _("{window}{fact}是其中之一：{amount}", window=window, fact=fact, amount=amount)
        case Op.WITHIN:
            return _("{window}{fact}在 {amount}", window=window, fact=fact, amount=amount)


def need_words(use: FactUse, need: Need, *, language: Language, _: Translate) -> str:
    """Return a value with its unit."""
    if isinstance(need, tuple):
        return "、".join(need_words(use, each, language=language, _=_) for each in need)
    spec = use.spec
    if spec.type is FactType.YES_NO:
        return _("有") if need else _("没有")
    if spec.unit is FactUnit.MINUTES and isinstance(need, int):
        return words.duration(need, language=language)
    if spec.unit is not None and isinstance(need, int):
        return quantity(need, spec.unit, language=language)
    if isinstance(need, date):
        return words.full_day(need, language=language)
    if spec.choices:
        return _(f"choice.{spec.choices[need] if isinstance(need, int) else need}")
    return str(need)


def check_of(reason: Reason, *, language: Language, _: Translate) -> Check:
    """Return one condition of a rule as it stands for a person."""
    have = ""
    percent = None
    if reason.have is not None:
        amount = need_words(reason.use, reason.have, language=language, _=_)
        have = _("现在 {amount}", amount=amount)
        if reason.use.spec.unit is not None:
            percent = _percent(reason.have, reason.need)
    return Check(
        text=ask_words(reason.use, reason.op, reason.need, language=language, _=_),
        state=_STATES[reason.outcome],
        have=have,
        percent=percent,
    )


def _percent(have: object, need: object) -> int | None:
    if isinstance(have, int) and isinstance(need, int) and need > 0:
        return max(0, min(100, have * 100 // need))
    return None


_STATES: dict[Outcome, Literal["met", "unmet", "unknown"]] = {
    Outcome.MET: "met",
    Outcome.UNMET: "unmet",
    Outcome.UNKNOWN: "unknown",
    Outcome.IGNORED: "met",
}


def nearest_words(explanation: Explanation, *, language: Language, _: Translate) -> str:
    """Return the sentence that says what is nearest, such as `再服务 87 小时，最晚 12 月 31 日`."""
    nearest = explanation.nearest
    if nearest is None:
        return _("条件都满足了")
    if nearest.have is None:
        return _("要先核实：{fact}", fact=fact_name(nearest.use, language=language, _=_))
    if explanation.gap is None or explanation.unit is None:
        return _("这一条现在还不符合：{ask}", ask=check_of(nearest, language=language, _=_).text)
    if explanation.unit is FactUnit.MINUTES:
        gap = _("再服务 {amount}", amount=words.duration(explanation.gap, language=language))
    else:
        amount = quantity(explanation.gap, explanation.unit, language=language)
        gap = _("再有 {amount}", amount=amount)
    if explanation.by is None:
        return gap
    return _("{gap}，最晚 {day}", gap=gap, day=words.full_day(explanation.by, language=language))


def sentence_of(
    rule: Rule, *, on: date, language: Language, _: Translate
) -> tuple[SentencePiece, ...]:
    """Return a rule as one readable sentence, its dated numbers as pieces of their own."""
    pieces: list[SentencePiece] = []
    if rule.tiers is not None:
        tiers = rule.tiers
        dated = tiers.parameter.on(on)
        needs = dated.value if isinstance(dated.value, tuple) else (dated.value,)
        pieces.append(SentencePiece(text=_("{window}服务满 ", window=_window_words(tiers.use, _))))
        since = _since(dated.from_on, language, _)
        for level, need in zip(tiers.levels, needs, strict=True):
            if level is not tiers.levels[0]:
                pieces.append(SentencePiece(text=_("；")))
            amount = need_words(tiers.use, need, language=language, _=_)
            pieces.append(SentencePiece(text=amount, is_number=True, since=since))
            title = own_words(level.title, language)
            pieces.append(SentencePiece(text=_("评为{title}", title=title)))
            since = ""
        pieces.append(SentencePiece(text=_("。")))
        return tuple(pieces)
    for place, leaf in enumerate(rule.leaves()):
        if place:
            pieces.append(SentencePiece(text=_("，并且")))
        dated = leaf.parameter.on(on)
        pieces.append(
            SentencePiece(
                text=ask_words(leaf.use, leaf.op, leaf.need(on=on), language=language, _=_),
                is_number=True,
                since=_since(dated.from_on, language, _),
            )
        )
    given = "" if rule.note is None else own_words(rule.note, language)
    pieces.append(SentencePiece(text=_("：{given}", given=given)))
    return tuple(pieces)


def plain_sentence(rule: Rule, *, on: date, language: Language, _: Translate) -> str:
    """Return a rule as one line of text."""
    return "".join(piece.text for piece in sentence_of(rule, on=on, language=language, _=_))


def parameter_steps(
    pack: Pack, rule: Rule, *, on: date, language: Language, _: Translate
) -> list[ParameterStep]:
    """Return every dated number that a rule uses, newest first, with its source."""
    steps: list[ParameterStep] = []
    for use, values in _parameters(rule):
        for place, dated in enumerate(values):
            following = values[place + 1].from_on if place + 1 < len(values) else None
            note = "" if dated.note is None else own_words(dated.note, language)
            cited = citation_words(pack, dated.cite, language=language, _=_)
            steps.append(
                ParameterStep(
                    name=fact_words(use, language=language, _=_),
                    value=need_words(use, dated.value, language=language, _=_),
                    since=words.full_day(dated.from_on, language=language),
                    until="" if following is None else words.full_day(following, language=language),
                    citation=f"{cited} · {note}" if note else cited,
                    is_current=dated.from_on <= on and (following is None or on < following),
                )
            )
    return steps


def citation_words(pack: Pack, cite: Citation, *, language: Language, _: Translate) -> str:
    """Return where a rule or figure stands, and how its figure was come by."""
    instrument = pack.instrument(cite)
    parts = [own_words(instrument.title, language), instrument.number, cite.place]
    if cite.source is not Source.TEXT:
        parts.append(_(f"source.{cite.source.value}"))
    return " · ".join(part for part in parts if part)


def instrument_words(instrument: Instrument, *, language: Language) -> str:
    """Return an instrument with its issuer and day."""
    day = (
        ""
        if instrument.issued_on is None
        else words.full_day(instrument.issued_on, language=language)
    )
    note = "" if instrument.note is None else own_words(instrument.note, language)
    return " · ".join(part for part in (own_words(instrument.issuer, language), day, note) if part)


def valid_words(rule: Rule, *, language: Language, _: Translate) -> str:
    """Return from when to when a rule holds."""
    first = words.full_day(rule.valid.from_on, language=language)
    if rule.valid.through is None:
        return _("{day}起有效", day=first)
    return _(
        "{first} 至 {last} 有效",
        first=first,
        last=words.full_day(rule.valid.through, language=language),
    )


def problem_words(problem: Problem, _: Translate) -> str:
    """Return why a pack is refused, with the code that stays the same for ever."""
    return f"{_(problem.code.value, subject=problem.subject)} [{problem.code.value}]"


def level_title(result: RuleResult, tier: int, language: Language) -> str:
    """Return the title of what a rule grants at a tier; 0 for a rule without tiers."""
    tiers = result.rule.tiers
    if tiers is None or not tier:
        return own_words(result.rule.title, language)
    return own_words(tiers.levels[tier - 1].title, language)


def fact_name(use: FactUse, *, language: Language, _: Translate) -> str:
    """Return what a fact is called, also one that a package from outside brings."""
    spec = use.spec
    return _(spec.question) if spec.words is None else own_words(spec.words, language)


def fact_words(use: FactUse, *, language: Language, _: Translate) -> str:
    """Return the name of a fact with the time it is counted over, such as `本年度服务时间`."""
    window, fact = _window_words(use, _), fact_name(use, language=language, _=_)
    return _("{window}{fact}", window=window, fact=fact) if window else fact


def case_person(case: Case, rule: Rule, *, language: Language, _: Translate) -> str:
    """Return what a case says that the rule asks for, such as `累计服务时间 13 小时`."""
    said = []
    for use, _values in _parameters(rule):
        value = case.find(use)
        name = fact_words(use, language=language, _=_)
        if use.assurance_min > Assurance.A0:
            name = _("{text}（扫码或当场确认的）", text=name)
        if value is None:
            said.append(_("{name}不知道", name=name))
        else:
            said.append(f"{name} {need_words(use, value, language=language, _=_)}")
    return _("，").join(said)


def case_result(result: RuleResult, *, language: Language, _: Translate) -> str:
    """Return what a rule comes to for a case, such as `一星级志愿者` or `再服务 87 小时`."""
    if result.verdict is Verdict.GRANTED:
        return level_title(result, result.level, language)
    return nearest_words(explain(result), language=language, _=_)


def _parameters(rule: Rule) -> Iterator[tuple[FactUse, tuple[DatedValue, ...]]]:
    if rule.tiers is not None:
        yield rule.tiers.use, rule.tiers.parameter.values
        return
    for leaf in rule.leaves():
        yield leaf.use, leaf.parameter.values


def _window_words(use: FactUse, _: Translate) -> str:
    window = use.window
    if window is None:
        return ""
    match window.kind:
        case WindowKind.LIFETIME:
            return _("累计")
        case WindowKind.CALENDAR_YEAR:
            return _("本年度")
        case WindowKind.SCHOOL_YEAR:
            return _("本学年")
        case WindowKind.MONTHS:
            return _("近 {count} 个月", count=window.months)
        case WindowKind.BETWEEN:
            return f"{window.first_on} – {window.last_on} "


def _since(day: date, language: Language, _: Translate) -> str:
    return _("{day}起", day=words.full_day(day, language=language))
