"""The office's correction of a record: found by its number, taken back or put right, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.correction import (
    EVIDENCE_LENGTH_MAX,
    REASON_LENGTH_MAX,
    Corrected,
    Correction,
    CorrectionRefusal,
    CorrectionRefused,
    Reversed,
)
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import Unit
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries.entry import OfficeEntry, find_entry
from timebank.services.correction import correct_service, reverse_transfer
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Evidence, Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count

_Typed = Annotated[str, QueryParameter(max_length=30)]

_REASON = frozenset({CorrectionRefusal.REASON_LENGTH})
_PROOF = frozenset({CorrectionRefusal.EVIDENCE_LENGTH})
_MINUTES = frozenset({CorrectionRefusal.MINUTES_OUT_OF_RANGE, CorrectionRefusal.NOTHING_CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FindEntryPage:
    """What `district/entries.html` shows.

    Attributes:
        number: What was typed, with why no record has that number.
    """

    number: Field
    action_url: str
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """What `district/entry.html` shows.

    Attributes:
        number: Of the entry, as people read it.
        volunteer: Their public number.
        facts: What else the record says, label and words.
        corrects_url: The record in whose place this one stands; empty for none.
        taken_back: When and why it was taken back; empty while it stands.
        proof: What proves that; empty for nothing.
        replacement_url: The record that stands instead; empty for none.
        owed: What the volunteer has to give back, one sentence each.
        minutes: What would be right; empty to take back all of it.
        action_url: Where the correction is posted; empty once it was taken back.
        error: Why nothing was corrected, where it is about no field.
    """

    number: str
    title: str
    volunteer: str
    duration: str
    evidence: Evidence
    facts: Sequence[tuple[str, str]]
    corrects_url: str
    taken_back: str
    proof: str
    replacement_url: str
    owed: Sequence[str]
    minutes: Field
    reason: Field
    reason_max: int
    proof_field: Field
    proof_max: int
    action_url: str
    back_url: str
    error: str


class CorrectionForm(msgspec.Struct):
    """A correction as it was typed; no minutes take all of it back."""

    minutes: ShortText = ""
    reason: Annotated[str, msgspec.Meta(max_length=4 * REASON_LENGTH_MAX)] = ""
    proof: Annotated[str, msgspec.Meta(max_length=4 * EVIDENCE_LENGTH_MAX)] = ""


@get("/district/entries", rule=Act.CORRECT_ENTRIES)
async def show_entries(
    request: TimebankRequest, office_scope: OfficeScope, kit: Kitted, number: _Typed = ""
) -> Response[Any]:
    """Show where a record is found by its number, or go on to the one that was typed."""
    error = ""
    if number:
        book, seq = _typed_entry(number, office_scope)
        async with kit.db.read() as conn:
            if await find_entry(conn, scope=office_scope, book=book, seq=seq) is not None:
                return Redirect(f"/district/entries/{book}/{seq}", status_code=303)
        error = translate_of(request)("没有这个编号的服务记录")
    return show(
        request,
        "district/entries.html",
        FindEntryPage(
            number=Field(value=number, error=error),
            action_url="/district/entries",
            back_url="/district/review",
        ),
        status=404 if error else 200,
    )


@get("/district/entries/{book:int}/{seq:int}", rule=Act.CORRECT_ENTRIES)
async def show_entry(
    request: TimebankRequest,
    book: BookInPath,
    seq: NumberInPath,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show a record, what became of it, and the form that corrects it."""
    return await _show(request, kit, office_scope, book, seq, now=now)


@post("/district/entries/{book:int}/{seq:int}", rule=Act.CORRECT_ENTRIES, status_code=200)
async def create_correction(
    request: TimebankRequest,
    book: BookInPath,
    seq: NumberInPath,
    data: URLEncodedBody[CorrectionForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take a record back, or put what is right in its place."""
    typed = data.minutes.strip()
    outcome: Corrected | Reversed | CorrectionRefused
    if typed:
        outcome = await correct_service(
            kit.db,
            actor=actor,
            book=book,
            seq=seq,
            correction=Correction(minutes=typed_count(typed)),
            reason=data.reason,
            evidence=data.proof,
            now=now,
        )
    else:
        outcome = await reverse_transfer(
            kit.db, actor=actor, book=book, seq=seq, reason=_with_proof(data), now=now
        )
    if isinstance(outcome, CorrectionRefused):
        return await _show(
            request, kit, office_scope, book, seq, form=data, refusal=outcome.reason, now=now
        )
    shown = outcome.replacement if isinstance(outcome, Corrected) else seq
    return Redirect(f"/district/entries/{book}/{shown}?done=entry_corrected", status_code=303)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    scope: Scope,
    book: int,
    seq: int,
    *,
    now: datetime,
    form: CorrectionForm | None = None,
    refusal: CorrectionRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await find_entry(conn, scope=scope, book=book, seq=seq)
    if found is None:
        raise NotFoundError
    entry, back = found.entry, found.taken_back
    typed = form or CorrectionForm()
    error = "" if refusal is None else _(refusal.value)

    def told(of: frozenset[CorrectionRefusal]) -> str:
        return error if refusal in of else ""

    return show(
        request,
        "district/entry.html",
        EntryPage(
            number=words.count(seq),
            title=entry.title or _("其他县的活动"),
            volunteer=format_number(entry.volunteer.book, entry.volunteer.id),
            duration=words.duration(entry.minutes, language=language),
            evidence=entry.evidence.value,
            facts=[
                (_("服务时间"), words.instant(entry.effective_at, now=now, language=language)),
                (_("记入时间"), words.instant(entry.recorded_at, now=now, language=language)),
                *([(_("组织"), entry.organization)] if entry.organization else []),
            ],
            corrects_url="" if found.corrects is None else _url(book, found.corrects),
            taken_back=""
            if back is None
            else f"{words.instant(back.at, now=now, language=language)} · {back.reason}",
            proof="" if back is None else back.proof or "",
            replacement_url=""
            if back is None or back.replacement is None
            else _url(book, back.replacement),
            owed=_owed(found, _),
            minutes=Field(value=typed.minutes, error=told(_MINUTES)),
            reason=Field(value=typed.reason, error=told(_REASON)),
            reason_max=REASON_LENGTH_MAX,
            proof_field=Field(value=typed.proof, error=told(_PROOF)),
            proof_max=EVIDENCE_LENGTH_MAX,
            action_url="" if back is not None else _url(book, seq),
            back_url="/district/entries",
            error=error if refusal not in _REASON | _PROOF | _MINUTES else "",
        ),
        status=200 if refusal is None else 422,
    )


def _with_proof(data: CorrectionForm) -> str:
    """Return the reason with what proves it: what is taken back as a whole keeps one text."""
    return f"{data.reason.strip()}\n{data.proof.strip()}".strip() if data.reason.strip() else ""


def _owed(found: OfficeEntry, _: Translate) -> list[str]:
    names = {Unit.CREDITS: _("时间币"), Unit.POINTS: _("积分"), Unit.FEN: _("分（人民币）")}
    return [
        _(
            "该志愿者用掉的比应得的多，欠 {amount} {unit}，以后发放时先抵扣。",
            amount=words.count(amount),
            unit=names.get(Unit(unit), "") if unit in set(Unit) else "",
        )
        for unit, amount in sorted(found.owed.items())
    ]


def _typed_entry(text: str, scope: Scope) -> tuple[int, int]:
    """Return book and number of `1,024`, or of `330424/1024` for who sees several counties."""
    book, slash, number = text.strip().replace(",", "").replace("，", "").rpartition("/")
    of = typed_count(book) if slash else county_of(scope.region)
    return of, typed_count(number)


def _url(book: int, seq: int) -> str:
    return f"/district/entries/{book}/{seq}"
