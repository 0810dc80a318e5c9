"""Explanations as one plain sentence, for a terminal and for cases.

Pages build their own sentences from the same parts with the message catalogs.
"""

from datetime import date

from timebank.policy.condition import Op, Outcome, Reason
from timebank.policy.evaluation import RuleResult
from timebank.policy.explain import Explanation, explain
from timebank.policy.fact import FACTS, FactSpec, FactType, FactUnit
from timebank.policy.parameter import Need
from timebank.policy.rule import Case, Verdict
from timebank.policy.window import Window, WindowKind, parse_window

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_FACTS = {
    "minutes": ("服务时间", "time served"),
    "services": ("服务次数", "services"),
    "first_service_on": ("首次服务日期", "day of the first service"),
    "no_shows": ("报名未到", "shifts missed"),
    "registered_days": ("注册天数", "days since enrolment"),
    "registered_on": ("注册日期", "day of enrolment"),
    "star": ("星级", "stars"),
    "region": ("居住地", "home"),
    "rate_10k": ("所在镇街每万人中的服务人数", "people per 10,000 of the town who served"),
    "age": ("年龄", "age"),
    "has_grant": ("已获礼遇", "already granted"),
    "credits": ("时间币余额", "time credits held"),
    "points": ("积分余额", "points held"),
    "bad_credit": ("失信记录", "bad credit record"),
    "certificate_level": ("社会工作者证书", "social-work certificate"),
    "employed_in": ("在本地从业", "employed in"),
    "household_in": ("户籍所在地", "household registered in"),
    "party_member": ("中共党员", "party member"),
    "listed": ("在册", "on the register"),
}
"""Each fact in short, in Chinese and English."""

_CHOICES = {
    "none": ("无证书", "none"),
    "assistant": ("助理社会工作师", "assistant"),
    "intermediate": ("社会工作师", "intermediate"),
    "senior": ("高级社会工作师", "senior"),
}
"""What a choice may be."""

_VERDICTS = {
    Verdict.GRANTED: ("已达到", "met"),
    Verdict.NOT_GRANTED: ("未达到", "not met"),
    Verdict.MISSING: ("缺少材料", "evidence is missing"),
    Verdict.NOT_IN_FORCE: ("当日不适用", "not in force"),
}

_OUTCOMES = {
    Outcome.MET: ("符合", "met"),
    Outcome.UNMET: ("不符合", "not met"),
    Outcome.UNKNOWN: ("未知", "not known"),
    Outcome.IGNORED: ("未计", "left out"),
}

_OPS = {
    Op.AT_LEAST: ("≥", "≥"),
    Op.ABOVE: (">", ">"),
    Op.AT_MOST: ("≤", "≤"),
    Op.BELOW: ("<", "<"),
    Op.EQUAL: ("=", "="),
    Op.DIFFERENT: ("≠", "≠"),
    Op.IN: ("属于", "one of"),
    Op.WITHIN: ("位于", "within"),
}


def sentence(explanation: Explanation, *, language: str) -> str:
    """Return the nearest reason as one sentence, in `zh` or `en`.

    Such as `还差 87 小时,12 月 31 日前` (with the Chinese comma) and `87 h more by 31 December`.
    """
    at = _index(language)
    nearest = explanation.nearest
    if nearest is None:
        return _VERDICTS[explanation.verdict][at]
    name = _fact(nearest.key.spec, at)
    if nearest.have is None:
        return (f"需要核实：{name}", f"to be found out: {name}")[at]
    if explanation.gap is None or explanation.unit is None:
        return (f"条件不符：{name}", f"condition not met: {name}")[at]
    amount = quantity(explanation.gap, explanation.unit, language=language)
    if explanation.by is None:
        return (f"还差 {amount}", f"{amount} more")[at]
    by = _day(explanation.by, on=explanation.on, at=at)
    return (f"还差 {amount}，{by}前", f"{amount} more by {by}")[at]


def trace(result: RuleResult, *, language: str = "en") -> str:
    """Return a rule's result as lines: the verdict, then one line per leaf."""
    at = _index(language)
    explanation = explain(result)
    title = result.rule.title.in_language(language)
    lines = [
        f"{title}: {_VERDICTS[result.verdict][at]}; {sentence(explanation, language=language)}"
    ]
    lines.extend(f"  {reason.node}: {_leaf_line(reason, at)}" for reason in explanation.reasons)
    return "\n".join(lines)


def case_words(case: Case, *, language: str) -> str:
    """Return what a case says about its person, in `zh` or `en`.

    Such as `time served (this year, A1+): 120 h; stars: 3 stars`.
    """
    at = _index(language)
    said: list[str] = []
    for fact in case.person:
        window = parse_window(fact.window) if fact.window else None
        limits = [] if window is None else [_window(window, at)]
        if fact.assurance_min is not None:
            limits.append(f"A{fact.assurance_min}+")
        if fact.rule:
            limits.append(fact.rule)
        bracket = f" ({', '.join(limits)})" if limits else ""
        said.append(
            f"{_fact(FACTS[fact.name], at)}{bracket}: {_value(FACTS[fact.name], fact.value, at)}"
        )
    return "; ".join(said)


def quantity(amount: int, unit: FactUnit, *, language: str) -> str:
    """Return a number with its unit; minutes as hours and the minutes left over, never rounded."""
    at = _index(language)
    match unit:
        case FactUnit.MINUTES:
            hours, minutes = divmod(amount, 60)
            parts = [(f"{hours} 小时", f"{hours} h")[at]] if hours else []
            if minutes or not hours:
                parts.append((f"{minutes} 分钟", f"{minutes} min")[at])
            return " ".join(parts)
        case FactUnit.SERVICES:
            return (f"{amount} 次服务", f"{amount} service{'' if amount == 1 else 's'}")[at]
        case FactUnit.DAYS:
            return (f"{amount} 天", f"{amount} day{'' if amount == 1 else 's'}")[at]
        case FactUnit.STARS:
            return (f"{amount} 星", f"{amount} star{'' if amount == 1 else 's'}")[at]
        case FactUnit.YEARS:
            return (f"{amount} 岁", f"{amount} year{'' if amount == 1 else 's'}")[at]
        case FactUnit.NO_SHOWS:
            return (f"{amount} 次", f"{amount} time{'' if amount == 1 else 's'}")[at]
        case FactUnit.CREDITS:
            return (f"{amount} 时间币", f"{amount} credit{'' if amount == 1 else 's'}")[at]
        case FactUnit.PER_10K:
            return (f"每万人 {amount} 人", f"{amount} per 10,000")[at]
        case FactUnit.POINTS:
            return (f"{amount} 分", f"{amount} point{'' if amount == 1 else 's'}")[at]


def _index(language: str) -> int:
    return 1 if language == "en" else 0


def _day(day: date, *, on: date, at: int) -> str:
    """Return a day in words, with its year only where that is another than the reader's."""
    if day.year == on.year:
        return (f"{day.month} 月 {day.day} 日", f"{day.day} {_MONTHS[day.month - 1]}")[at]
    return (
        f"{day.year} 年 {day.month} 月 {day.day} 日",
        f"{day.day} {_MONTHS[day.month - 1]} {day.year}",
    )[at]


def _fact(spec: FactSpec, at: int) -> str:
    if spec.words is not None:
        return (spec.words.zh, spec.words.en)[at]
    return _FACTS[spec.name][at]


def _leaf_line(reason: Reason, at: int) -> str:
    window = "" if reason.use.window is None else f" ({_window(reason.use.window, at)})"
    words = f"{_fact(reason.key.spec, at)}{window} {_OPS[reason.op][at]} {_need(reason, at)}"
    negated = ("非：", "not: ")[at] if reason.is_negated else ""
    have = "?" if reason.have is None else _value(reason.key.spec, reason.have, at)
    return f"{negated}{words}; {have}: {_OUTCOMES[reason.outcome][at]} [{reason.cite}]"


def _window(window: Window, at: int) -> str:
    match window.kind:
        case WindowKind.LIFETIME:
            return ("累计", "in all")[at]
        case WindowKind.CALENDAR_YEAR:
            return ("本年度", "this year")[at]
        case WindowKind.SCHOOL_YEAR:
            return ("本学年", "this school year")[at]
        case WindowKind.MONTHS:
            return (f"近 {window.months} 个月", f"last {window.months} months")[at]
        case WindowKind.BETWEEN:
            return f"{window.first_on} – {window.last_on}"


def _need(reason: Reason, at: int) -> str:
    if isinstance(reason.need, tuple):
        return ", ".join(_value(reason.key.spec, each, at) for each in reason.need)
    return _value(reason.key.spec, reason.need, at)


def _value(spec: FactSpec, value: Need, at: int) -> str:
    if spec.type is FactType.YES_NO:
        return ("是", "yes")[at] if value else ("否", "no")[at]
    if spec.choices:
        word = spec.choices[value] if isinstance(value, int) else str(value)
        return _CHOICES[word][at]
    if spec.unit is not None and isinstance(value, int):
        return quantity(value, spec.unit, language=("zh", "en")[at])
    return str(value)
