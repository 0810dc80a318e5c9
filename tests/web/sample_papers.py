"""Sample values for the pages of consents, policies and courses."""

from collections.abc import Callable
from typing import Any

from timebank.web import clearance
from timebank.web.catalog import Language, translator
from timebank.web.parts import Choice, Field


def paper_pages(
    language: Language, words: Callable[[str, str], str]
) -> dict[str, tuple[str, str, Any]]:
    """Template, role and page by name."""
    _ = translator(language)

    def papers(state: str) -> clearance.Papers:
        return clearance.Papers(
            age=_(f"age.{state}"),
            age_state=state,
            consents=[
                words(
                    "王*明，签了同意书，2024年11月2日记入",
                    "王*明, signed a form, recorded on 2 Nov 2024",
                )
            ]
            if state == "minor"
            else [],
            has_consent=False,
            policies=[
                words(
                    "保单尾号 0001，2024年11月1日 到 2025年10月31日",
                    "Policy ending 0001, 1 Nov 2024 to 31 Oct 2025",
                )
            ],
            trainings=[
                words(
                    "水上安全，2 小时，2024年11月2日，志愿服务队甲",
                    "Water safety, 2 h, 2 Nov 2024, Volunteer team A",
                )
            ],
            training_total=words("2 小时", "2 h"),
        )

    return {
        "volunteer-papers": (
            "volunteer/papers.html",
            "volunteer",
            clearance.OwnPapersPage(
                papers=papers("unknown"),
                action_url="#",
                year=Field(),
                month=Field(value="13"),
                error=_("paperwork.month"),
            ),
        ),
        "organizer-papers": (
            "organizer/papers.html",
            "organizer",
            clearance.PapersPage(
                number=Field(value="330424000001234"),
                name="王*芳",
                papers=papers("minor"),
                url="#",
                how=[
                    Choice(value=each, label=_(f"consent_kind.{each}"))
                    for each in ("signed_form", "in_person", "by_phone")
                ],
                guardian=Field(value="王大明"),
                phone=Field(value="139", error=_("paperwork.guardian_phone")),
                policy=Field(),
                from_on=Field(value="2024-11-22"),
                until_on=Field(),
                teacher=words("志愿服务队甲", "Volunteer team A"),
                course=Field(),
                hours=Field(),
                trained_on=Field(value="2024-11-22"),
            ),
        ),
    }
