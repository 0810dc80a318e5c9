"""Sample values for the page of programs, with plainly generic names."""

from collections.abc import Callable
from typing import Any

from timebank.web import dictionary, programs
from timebank.web.catalog import Language, translator
from timebank.web.parts import Choice, Field, Frame

Made = tuple[str, Any, Frame]


def program_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"
    officer = framed("officer")
    secret = "tbk_" + "0123456789" * 4 + "abc"
    line = programs.ProgramLine(
        label="区数据平台" if zh else "County data platform",
        region="海盐县" if zh else "Haiyan",
        acts=_("、").join((_("act.see_reports"), _("act.pull_entries"))),
        time=_("{since}给的，用到 {until}", since="2024-03-01", until="2024-08-28"),
        end_url="#",
    )

    def page(**values: Any) -> programs.ProgramsPage:
        made: dict[str, Any] = {
            "programs": [line, line],
            "secret": "",
            "example": f'curl -H "Authorization: Bearer {secret}" "https://example.org/api/x"',
            "label": Field(),
            "region_error": "",
            "regions": [Choice(value="1", label="海盐县" if zh else "Haiyan", is_selected=True)],
            "acts": [
                Choice(value="see_reports", label=_("act.see_reports"), is_selected=True),
                Choice(value="pull_entries", label=_("act.pull_entries")),
            ],
            "acts_error": "",
            "last_on": Field(value="2024-08-28"),
        }
        return programs.ProgramsPage(**made | values)

    words = dictionary.DictionaryPage(
        tables=[
            dictionary.DictionaryTable(
                title=_("各项数字"),
                address="/api/numbers",
                columns=[
                    dictionary.DictionaryColumn(
                        name="region",
                        role="dimension",
                        kind=_("column.kind.code"),
                        unit="",
                        meaning=_("column.numbers.region"),
                        adding="",
                    ),
                    dictionary.DictionaryColumn(
                        name="active_rate",
                        role="measure",
                        kind=_("column.kind.integer"),
                        unit=_("metric.unit.per_10k"),
                        meaning=_("metric.active_rate.definition"),
                        adding=_("column.adding.ratio"),
                    ),
                ],
            )
        ],
        definitions=[
            dictionary.DictionaryDefinition(
                id="active-rate.example",
                name="活跃率" if zh else "Active rate",
                since="2021-02-01",
                source="示例文件" if zh else "An example of a document",
                digest="0123456789abcdef",
            )
        ],
        json_url="#",
    )
    template = "district/programs.html"
    return {
        "dictionary": ("public/dictionary.html", words, framed("")),
        "district-programs": (template, page(secret=secret), officer),
        "district-programs-refused": (
            template,
            page(
                programs=[],
                label=Field(value="", error=_("token.label_length")),
                acts_error=_("token.no_acts"),
                error=_("token.too_many"),
            ),
            officer,
        ),
    }
