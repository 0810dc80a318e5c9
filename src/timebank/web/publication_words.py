"""What a publication says, in words: the same for its page, its paper and its workbook."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from timebank.domain.assurance import Evidence
from timebank.domain.definition import Denominator
from timebank.domain.metric import Residents
from timebank.domain.publication import Publication, PublishedRow, Reference
from timebank.domain.region import Level
from timebank.domain.window import Window, WindowKind
from timebank.web import format as words
from timebank.web.catalog import Language, Translate

PER_10K = 10_000
"""What a rate of residents is shown per."""


def window_words(window: Window, *, language: Language, _: Translate) -> str:
    """Return the days of a publication as its title says them, such as `2024 年`."""
    match window.kind:
        case WindowKind.YEAR:
            return _("{year} 年", year=window.first_on.year)
        case WindowKind.QUARTER:
            return _(
                "{year} 年第 {quarter} 季度",
                year=window.first_on.year,
                quarter=(window.first_on.month + 2) // 3,
            )
        case WindowKind.MONTH:
            return words.month(window.first_on.year, window.first_on.month, language=language)
        case WindowKind.EVER:
            return _("截至 {day}", day=words.full_day(window.last_on, language=language))
        case WindowKind.TWELVE_MONTHS | WindowKind.CAMPAIGN:
            return _(
                "{first} 至 {last}",
                first=words.full_day(window.first_on, language=language),
                last=words.full_day(window.last_on, language=language),
            )


def title_words(region: str, window: Window, *, language: Language, _: Translate) -> str:
    """Return the title, such as `海盐县 2024 年志愿服务活跃率公报`."""
    return _(
        "{region} {period}志愿服务活跃率公报",
        region=region,
        period=window_words(window, language=language, _=_),
    )


def office_words(top: PublishedRow, _: Translate) -> str:
    """Return who publishes, as far as the product knows."""
    return _("{region}志愿时间银行", region=top.name)


def number_words(reference: Reference, _: Translate) -> str:
    """Return the number in words, such as `第 3 号`."""
    return _("第 {number} 号", number=reference.number)


def definition_sentence(
    said: Mapping[str, Any], window: Window, *, language: Language, _: Translate
) -> str:
    """Return all that a definition says as one sentence."""
    evidence = said["evidence"]
    counted = (
        _("服务")
        if len(evidence) == len(Evidence)
        else _("、").join(_(f"evidence.{each}").lower() for each in evidence) + _("的服务")
    )
    if said["assurance_min"] != "A0":
        counted = _("证据等级不低于 {grade} 的{what}", grade=said["assurance_min"], what=counted)
    many = _("、不少于 {count} 次", count=said["services_min"]) if said["services_min"] else ""
    match Denominator(said["denominator"]):
        case Denominator.REGISTERED:
            whole = _("当地注册志愿者")
        case Denominator.RESIDENTS:
            whole = _("当地常住人口")
        case Denominator.RESIDENTS_AGED:
            first, _dash, last = said["ages"].partition("-")
            whole = _("当地 {first}–{last} 岁的常住人口", first=first, last=last)
    return _(
        "{period}里{what}（减去冲正）多于 {minutes} 分钟{many}、最后一天家在这里的志愿者人数，"
        "除以{whole}。",
        period=window_words(window, language=language, _=_),
        what=counted,
        minutes=said["minutes_above"],
        many=many,
        whole=whole,
    )


def definition_name(said: Mapping[str, Any], *, language: Language, _: Translate) -> str:
    """Return the definition's name, its stable name and its first day."""
    return _(
        "{name}（{id}，{day}起）",
        name=said["name"][language],
        id=said["id"],
        day=words.full_day(date.fromisoformat(said["valid_from"]), language=language),
    )


def population_words(publication: Publication, *, language: Language, _: Translate) -> str:
    """Return where the populations come from, each source with its day, in one sentence."""
    found = sorted(
        {
            (row.residents.source, row.residents.as_of)
            for row in publication.rows
            if row.residents is not None
        },
        key=lambda each: (each[1], each[0]),
    )
    if not found:
        return _("没有这里的常住人口，所以算不出活跃率，不是零。")
    sources = _("；").join(
        _(
            "{source}（{day}）",
            source=source,
            day=words.full_day(day, language=language),
        )
        for source, day in found
    )
    is_estimated = any(row.residents and row.residents.is_estimate for row in publication.rows)
    note = _("带 ≈ 的是由来源推算的。") if is_estimated else ""
    return _("人口：{source}", source=sources) + (f" {note}" if note else "")


def is_of_residents(said: Mapping[str, Any]) -> bool:
    """Say whether a rate is shown per ten thousand; else it is a share, in percent."""
    return bool(said["per"] == PER_10K)


def rate_words(rate: int | None, said: Mapping[str, Any]) -> str:
    """Return a rate as its definition shows it: `1,576`, or `28.4 %`; empty where not known.

    Ten-thousandths are cut to tenths of a percent, half up.
    """
    if rate is None:
        return ""
    if is_of_residents(said):
        return words.count(rate)
    return words.percent(rate, PER_10K)


def residents_words(residents: Residents | None) -> str:
    """Return a population; empty where it is not known."""
    if residents is None:
        return ""
    return ("≈ " if residents.is_estimate else "") + words.count(residents.count)


def level_names(_: Translate) -> dict[str, str]:
    """Return what divisions of a level are called."""
    return {
        Level.CITY: _("市"),
        Level.COUNTY: _("县（市、区）"),
        Level.TOWN: _("镇（街道）"),
        Level.VILLAGE: _("村（社区）"),
    }
