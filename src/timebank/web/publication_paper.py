"""A publication as files: a PDF to sign and hang, and a workbook. The same bytes each time."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from timebank.domain.publication import Publication, PublishedRow, digest_of
from timebank.domain.region import Level
from timebank.http import spreadsheet
from timebank.http.document import render_pdf
from timebank.web import format as words
from timebank.web.catalog import Translate, translator
from timebank.web.code_picture import code_picture
from timebank.web.publication_words import (
    definition_name,
    definition_sentence,
    is_of_residents,
    level_names,
    number_words,
    office_words,
    population_words,
    rate_words,
    residents_words,
    title_words,
)

_ = translator("zh")
"""What is signed and hung is in Chinese."""


async def publication_pdf(publication: Publication, *, content: bytes) -> bytes:
    """Return the PDF of a publication whose bytes are `content`.

    The same publication, fonts and typesetter make the same bytes; the file says that it was made
    when the publication was.
    """
    layout = (files("timebank.web") / "documents/publication.typ").read_text(encoding="utf-8")
    return await render_pdf(
        layout, data=_paper(publication, content=content), at=publication.published_at
    )


def publication_xlsx(publication: Publication, *, content: bytes) -> bytes:
    """Return the workbook of a publication whose bytes are `content`."""
    said = publication.definition
    about: list[tuple[spreadsheet.Cell, spreadsheet.Cell]] = [
        ("公报", str(publication.reference)),
        ("标题", title_words(publication.top.name, publication.window, language="zh", _=_)),
        ("地址", publication.url),
        ("发布时间", publication.published_at.isoformat()),
        ("统计期", str(publication.window)),
        ("截至账簿序号", publication.seq),
        ("人员与住址截至", publication.counted_at.isoformat()),
        ("日志", publication.head.origin),
        ("日志条数", publication.head.size),
        ("日志根", publication.head.root),
        ("数据 SHA-256", digest_of(content)),
        *((f"口径 {name}", _cell(value)) for name, value in sorted(said.items())),
    ]
    return spreadsheet.to_xlsx(
        {
            "公报": spreadsheet.division_rows(publication.rows, denominator=said["denominator"]),
            "口径与来源": about,
        },
        at=publication.published_at,
    )


def _cell(value: object) -> spreadsheet.Cell:
    return value if isinstance(value, int | str) else str(value)


def _paper(publication: Publication, *, content: bytes) -> dict[str, Any]:
    top, said = publication.top, publication.definition
    below = publication.children(top.region)
    levels = level_names(_)
    longest = max((row.rate or 0 for row in below), default=0) or 1
    head = publication.head
    groups = [(row, publication.children(row.region)) for row in below]
    annex = [(row, rows) for row, rows in groups if rows]
    return {
        "title": title_words(publication.top.name, publication.window, language="zh", _=_),
        "short": top.name,
        "office": office_words(top, _),
        "reference": str(publication.reference),
        "number": number_words(publication.reference, _),
        "published": _(
            "{day}发布",
            day=words.full_day(words.local_day(publication.published_at), language="zh"),
        ),
        "corrects": ""
        if publication.corrects is None
        else _("本号更正第 {number} 号。", number=publication.corrects),
        "rate_label": _("活跃率"),
        "rate": rate_words(top.rate, said),
        "unit": _("/ 万人") if is_of_residents(said) else "",
        "percent": _percent(top) if is_of_residents(said) else "",
        "rate_head": _("每万人") if is_of_residents(said) else _("活跃率"),
        "definition": definition_sentence(said, publication.window, language="zh", _=_),
        "definition_name": definition_name(said, language="zh", _=_),
        "counts": [
            [_("活跃志愿者"), words.count(top.active)],
            [_("注册志愿者"), words.count(top.registered)],
            [_("常住人口"), residents_words(top.residents) or _("不知道")],
            [_("服务人次"), words.count(top.services)],
            [_("服务时间"), words.hours(top.minutes, language="zh")],
        ],
        "shares": _shares(top),
        "level": levels.get(below[0].level, "") if below else "",
        "rows": [
            _row(row, said, _) | {"rank": str(rank), "width": _width(row, longest)}
            for rank, row in enumerate(below, 1)
        ],
        "annex_level": levels[Level.VILLAGE],
        "annex": [
            {"name": row.name, "rows": [_row(each, said, _) for each in rows]}
            for row, rows in annex
        ],
        "sources": population_words(publication, language="zh", _=_),
        "book": str(publication.reference.book),
        "seq": words.count(publication.seq),
        "counted": f"{words.full_day(words.local_day(publication.counted_at), language='zh')} "
        f"{words.clock(publication.counted_at)}",
        "origin": head.origin,
        "size": words.count(head.size),
        "root": head.root,
        "digest": digest_of(content),
        "url": publication.url,
        "code": _code_svg(publication.url),
    }


def _row(row: PublishedRow, said: Mapping[str, Any], _: Translate) -> dict[str, Any]:
    return {
        "name": row.name,
        "rate": rate_words(row.rate, said) or _("不知道"),
        "active": words.count(row.active),
        "registered": words.count(row.registered),
        "residents": residents_words(row.residents) or _("不知道"),
        "hours": words.hours(row.minutes, language="zh"),
        "shares": _shares(row),
    }


def _percent(row: PublishedRow) -> str:
    if row.residents is None or not row.residents.count:
        return ""
    return words.percent(row.active, row.residents.count)


def _shares(row: PublishedRow) -> Sequence[int]:
    return words.shares((row.minutes_scanned, row.minutes_confirmed, row.minutes_declared))


def _width(row: PublishedRow, longest: int) -> int:
    return (row.rate or 0) * 100 // longest


def _code_svg(text: str) -> str:
    picture = code_picture(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.side} {picture.side}">'
        f'<path d="{picture.path}"/></svg>'
    )
