"""Numbers on paper: what is sent by itself each month, as a PDF that can be read and filed."""

from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

from timebank.domain.metric import Metric, MetricUnit
from timebank.domain.region import Level
from timebank.domain.standing_report import EVIDENCE_METRICS, PAPER
from timebank.http.document import compile_pdf
from timebank.http.numbers_file import named_file
from timebank.queries.numbers import Numbers, Value
from timebank.web import format as words
from timebank.web.catalog import translator
from timebank.web.publication_words import (
    definition_name,
    definition_sentence,
    is_of_residents,
    rate_words,
    window_words,
)

_ = translator("zh")
"""What is filed is in Chinese."""


def written(numbers: Numbers, form: str) -> tuple[bytes, str]:
    """Return numbers in a form that was named, PDF among them, and its media type.

    Raises:
        ValueError: There is no such form.
        LibraryMissingError: The form needs a library that is not installed.
    """
    if form == PAPER:
        return numbers_pdf(numbers), "application/pdf"
    return named_file(numbers, form)


def numbers_pdf(numbers: Numbers) -> bytes:
    """Return numbers as a PDF; the same numbers make the same bytes.

    The shares of evidence are drawn where the minutes of all three classes were asked for.
    """
    layout = (files("timebank.web") / "documents/numbers.typ").read_text(encoding="utf-8")
    day = datetime.combine(numbers.window.last_on, time(), UTC)
    return compile_pdf(layout, data=_paper(numbers), at=day)


def _paper(numbers: Numbers) -> dict[str, Any]:
    top = numbers.rows[0]
    has_evidence = {each.name for each in numbers.metrics} >= set(EVIDENCE_METRICS)
    shown = [
        (place, each)
        for place, each in enumerate(numbers.metrics)
        if not (has_evidence and each.name in EVIDENCE_METRICS)
    ]
    parts = (
        [numbers.value(top, each) or 0 for each in EVIDENCE_METRICS] if has_evidence else [0, 0, 0]
    )
    shares = words.shares((parts[0], parts[1], parts[2]))
    sources = sorted(
        {
            f"{row.residents.source}（{words.full_day(row.residents.as_of, language='zh')}）"
            for row in numbers.rows
            if row.residents is not None
        }
    )
    said = numbers.definition.said()
    entries = "；".join(
        f"{each.book} 第 {words.count(each.seq)} 条" for each in numbers.as_of_books
    )
    return {
        "title": _(
            "{region} {period}志愿服务数字",
            region=top.name,
            period=window_words(numbers.window, language="zh", _=_),
        ),
        "definition": definition_sentence(said, numbers.window, language="zh", _=_)
        + definition_name(said, language="zh", _=_),
        "sources": _("人口：{source}", source=_("；").join(sources)) if sources else "",
        "as_of": _("截至账本：{entries}。", entries=entries),
        "shares": shares if sum(shares) else [],
        "shares_words": _(
            "扫码 {scanned} %，确认 {confirmed} %，补录 {declared} %",
            scanned=shares[0],
            confirmed=shares[1],
            declared=shares[2],
        ),
        "axis": _("区划"),
        "heads": [_(each.label) for _place, each in shown],
        "rows": [
            {
                "name": row.name,
                "depth": _depth(row.level) - _depth(top.level),
                "cells": [_cell(numbers, each, row.values[place]) for place, each in shown],
            }
            for row in numbers.rows
        ],
        "meanings": [[_(each.label), _(each.sentence)] for _place, each in shown],
    }


def _depth(level: str) -> int:
    return list(Level).index(Level(level))


def _cell(numbers: Numbers, metric: Metric, value: Value) -> str:
    if value is None:
        return _("不知道")
    said = numbers.definition.said()
    if metric.name == "active_rate" and is_of_residents(said):
        return f"{rate_words(value, said)} {_('/ 万人')}"
    match metric.unit:
        case MetricUnit.MINUTES:
            return words.hours(value, language="zh")
        case MetricUnit.PER_10K:
            return words.percent(value, 10_000)
        case _:
            return words.count(value)
