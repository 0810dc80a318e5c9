"""Sample values for the pages of sessions and of the review, with plainly generic names."""

from collections.abc import Callable
from typing import Any

from timebank.web import approvals
from timebank.web.catalog import Language, translator
from timebank.web.format import duration
from timebank.web.parts import Field, Frame

Made = tuple[str, Any, Frame]


def session_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"

    def words(chinese: str, english: str) -> str:
        return chinese if zh else english

    def entry(state: approvals.ApprovalState, *, is_own: bool = False) -> approvals.ApprovalLine:
        return approvals.ApprovalLine(
            title=words("海滨公园净滩", "Shore clean-up"),
            time=words("昨天 14:00–17:00", "yesterday 14:00–17:00"),
            organization=words("志愿服务队甲", "Volunteer team A"),
            amount=_(
                "{count} 人，合计 {duration}", count=12, duration=duration(2160, language=language)
            ),
            by=_(
                "{time}由 {name} 提交",
                time=words("今天 09:10", "today 09:10"),
                name=_("您自己") if is_own else words("组*者", "o*r"),
            ),
            state=state,
            is_own=is_own,
            url="#",
        )

    def approval(line: approvals.ApprovalLine, **values: Any) -> approvals.ApprovalPage:
        page: dict[str, Any] = {
            "line": line,
            "people": [
                approvals.ApprovalPerson(
                    name=words("王*芳", "Volunteer A"),
                    time=words("昨天 14:00–17:00", "yesterday 14:00–17:00"),
                    duration=duration(180, language=language),
                )
            ]
            * 3,
            "can_decide": line.state == "waiting" and not line.is_own,
            "decision_url": "#",
            "list_url": "#",
            "decided": "",
            "reason": Field(),
        }
        return approvals.ApprovalPage(**page | values)

    limit = _(
        "一次手工记入超过 {people} 人或合计 {hours}，要两个人：一人提交，另一人同意。",
        people=10,
        hours=duration(1800, language=language),
    )
    organizer, officer = framed("organizer"), framed("officer")
    return {
        "organizer-approvals": (
            "organizer/approvals.html",
            approvals.ApprovalsPage(
                waiting=[entry("waiting"), entry("waiting", is_own=True)],
                decided=[entry("approved"), entry("sent_back"), entry("replaced")],
                limit=limit,
            ),
            organizer,
        ),
        "organizer-approvals-empty": (
            "organizer/approvals.html",
            approvals.ApprovalsPage(waiting=[], decided=[], limit=limit),
            organizer,
        ),
        "district-approval": (
            "organizer/approval.html",
            approval(
                entry("waiting"),
                reason=Field(value="", error=_("approval.reason_length")),
                error=_("approval.grew"),
            ),
            officer,
        ),
        "organizer-approval-own": (
            "organizer/approval.html",
            approval(entry("waiting", is_own=True)),
            organizer,
        ),
    }
