"""The office's page of what was handed on to another platform, and whether both hold the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from litestar import Response, get

from timebank.domain.actor import Act
from timebank.domain.exchange import DifferenceKind
from timebank.domain.region import county_of
from timebank.http.providers import Kitted, Now, OfficeScope, TimebankRequest
from timebank.store import exchanges
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of

_BATCHES_SHOWN = 12

ExchangeState = Literal["never", "equal", "different"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeDifference:
    """One service about which two sides differ.

    Attributes:
        kind: How, in words.
        amounts: Both sides' minutes, in words.
    """

    key: str
    kind: str
    amounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePage:
    """What `district/exchange.html` shows.

    Attributes:
        checked: When both sides were last compared; empty for never.
        counts: Label and number: sent, held, equal and each kind of difference.
        batches: What was handed on, one sentence each, the newest first.
    """

    state: ExchangeState
    checked: str
    counts: Sequence[tuple[str, str]]
    differences: Sequence[ExchangeDifference]
    batches: Sequence[str]


@get("/district/exchange", rule=Act.SEE_REPORTS)
async def show_exchange(
    request: TimebankRequest, office_scope: OfficeScope, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what was handed on, and what the other side was last found to hold."""
    _ = translate_of(request)
    language = language_of(request)
    book = county_of(office_scope.region)
    async with kit.db.read() as conn:
        batches = await exchanges.list_batches(conn, book=book, limit=_BATCHES_SHOWN)
        check = await exchanges.find_newest_check(conn, book=book)
    counts: list[tuple[str, str]] = []
    differences: list[ExchangeDifference] = []
    state: ExchangeState = "never"
    if check is not None:
        found = check.found
        state = "equal" if found.is_equal else "different"
        counts = [
            (_("送出的"), words.count(found.sent)),
            (_("对方有的"), words.count(found.held)),
            (_("一致的"), words.count(found.equal)),
            *((_(kind.value), words.count(found.counts[kind])) for kind in DifferenceKind),
        ]
        differences = [
            ExchangeDifference(
                key=str(each.key),
                kind=_(each.kind.value),
                amounts=_(
                    "我们 {ours}，对方 {theirs}",
                    ours=_("没有")
                    if each.sent is None
                    else words.duration(each.sent, language=language),
                    theirs=_("没有")
                    if each.held is None
                    else words.duration(each.held, language=language),
                ),
            )
            for each in found.examples
        ]
    return show(
        request,
        "district/exchange.html",
        ExchangePage(
            state=state,
            checked=""
            if check is None
            else words.instant(check.checked_at, now=now, language=language),
            counts=counts,
            differences=differences,
            batches=[
                _(
                    "{time}：第 {first}–{last} 条，{records} 次服务",
                    time=words.instant(each.sent_at, now=now, language=language),
                    first=words.count(each.first_seq),
                    last=words.count(each.last_seq),
                    records=words.count(each.records),
                )
                for each in batches
            ],
        ),
    )
