"""Where anybody checks an entry: three lights with words, and the program to check without us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import QueryParameter

from timebank.domain.service_field import ServiceField
from timebank.domain.transfer import Transfer, Unit
from timebank.domain.verification import VerificationRefusal
from timebank.domain.volunteer_number import format_number
from timebank.http.identity import PUBLIC
from timebank.http.providers import Db, Kitted, Now, TimebankRequest
from timebank.services import log_reading, verification
from timebank.services.verification import NotProven, Proven
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of

_PROOF_BYTES_MAX = 16_384
"""Many times as long as any proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One thing that was checked.

    Attributes:
        state: Proven, not proven, or something to know or to wait for.
    """

    state: Literal["proven", "broken", "waiting"]
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPage:
    """What `public/verify.html` shows.

    Attributes:
        entry: What was typed as the entry's number.
        verdict: The whole answer in a sentence; empty before anything was asked.
        hint: What it means, or what to do now.
        is_proven: The entry is in the ledger.
        lights: Who signed, in the ledger, not taken back; empty where it did not come to that.
        facts: What the proof says, as label and value; empty where only a number was given.
        code: Of what does not hold, small; empty where all holds.
        head: How far the log is signed, in words; empty where there is no log.
        root: The root of the newest head, hexadecimal.
        keys: The keys that sign, or have signed.
    """

    entry: str
    verdict: str
    hint: str
    is_proven: bool
    lights: Sequence[Light]
    facts: Sequence[tuple[str, str]]
    code: str
    head: str
    root: str
    keys: Sequence[str]
    log_url: str
    verifier_url: str


@get("/verify", rule=PUBLIC)
async def show_verification(
    request: TimebankRequest,
    db: Db,
    kit: Kitted,
    now: Now,
    entry: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[Any]:
    """Show how to check an entry, and whether the one that was named is in the ledger."""
    found: Proven | NotProven | None = None
    if entry.strip():
        typed = entry.strip().replace(",", "").replace("，", "")
        is_number = typed.isascii() and typed.isdigit() and len(typed) < 19
        found = (
            await verification.verify_number(db, book=kit.book, seq=int(typed))
            if is_number
            else NotProven(VerificationRefusal.NO_ENTRY)
        )
    return await _show(request, db, book=kit.book, found=found, entry=entry.strip(), now=now)


@post("/verify", rule=PUBLIC, status_code=200)
async def create_verification(
    request: TimebankRequest, db: Db, kit: Kitted, now: Now
) -> Response[Any]:
    """Check the proof that was sent as a file or pasted. Nothing is kept."""
    form = await request.form()
    content = b""
    for each in form.getall("file", []):
        if isinstance(each, UploadFile):
            content = content or await each.read(_PROOF_BYTES_MAX + 1)
            await each.close()
    pasted = form.get("text")
    if not content and isinstance(pasted, str):
        # A browser sends line breaks as CR LF.
        content = (pasted.replace("\r\n", "\n").strip() + "\n").encode(errors="replace")
    found: Proven | NotProven = NotProven(VerificationRefusal.MALFORMED)
    if 0 < len(content) <= _PROOF_BYTES_MAX:
        found = await verification.verify_proof(db, text=content.decode(errors="replace"))
    return await _show(request, db, book=kit.book, found=found, entry="", now=now)


async def _show(
    request: TimebankRequest,
    db: Db,
    *,
    book: int,
    found: Proven | NotProven | None,
    entry: str,
    now: datetime,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    if isinstance(found, Proven):
        book = found.book
    head = await log_reading.find_head(db, book=book)
    verdict, hint = "", ""
    if isinstance(found, NotProven):
        verdict, hint = _(found.reason.value), _(f"{found.reason.value}.hint")
    elif found is not None:
        number = words.count(found.seq)
        verdict = (
            _("第 {entry} 条在账本里，后来被冲正", entry=number)
            if found.is_reversed
            else _("第 {entry} 条在账本里，没有被撤销", entry=number)
        )
        hint = (
            _("冲正的记录不再计入时数。")
            if found.is_reversed
            else _("凭据上的每一个字都和账本一致。")
            if found.entry is not None
            else _("只凭条目号看不到是谁、做了什么；要核对内容，请用志愿者下载的凭据。")
        )
    return show(
        request,
        "public/verify.html",
        VerifyPage(
            entry=entry,
            verdict=verdict,
            hint=hint,
            is_proven=isinstance(found, Proven),
            lights=_lights(found, _, language=language, now=now),
            facts=[]
            if not isinstance(found, Proven) or found.entry is None
            else _facts(found, found.entry, _, language=language, now=now),
            code=found.reason.value if isinstance(found, NotProven) else "",
            head=""
            if head is None
            else _(
                "前 {size} 条已签名，{signed}",
                size=words.count(head.size),
                signed=words.instant(head.signed_at, now=now, language=language),
            ),
            root="" if head is None else head.root.hex(),
            keys=await log_reading.list_verifier_keys(db, book=book),
            log_url=f"/log/{book}/checkpoint",
            verifier_url="/verify_log.py",
        ),
    )


def _lights(
    found: Proven | NotProven | None, _: Translate, *, language: Language, now: datetime
) -> list[Light]:
    if found is None:
        return []
    if isinstance(found, NotProven):
        return _failed(found.reason, _)
    recorded = words.instant(found.recorded_at, now=now, language=language)
    return [
        _light("proven", _("签发机构"), _("由 {origin} 的密钥签名", origin=found.origin)),
        _light(
            "proven",
            _("在账本中"),
            _(
                "{recorded} 记入，签过名的前 {size} 条里有它",
                recorded=recorded,
                size=words.count(found.size),
            ),
        ),
        _light("waiting", _("未撤销"), _("已被后来的一条冲正"))
        if found.is_reversed
        else _light("proven", _("未撤销"), _("没有哪一条把它冲正")),
    ]


def _failed(reason: VerificationRefusal, _: Translate) -> list[Light]:
    """Return the lights up to the one that failed."""
    signed = _light("proven", _("签发机构"), _("由这本账的密钥签名"))
    match reason:
        case VerificationRefusal.MALFORMED | VerificationRefusal.NO_LOG:
            return []
        case VerificationRefusal.FOREIGN_KEY:
            return [_light("broken", _("签发机构"), _("不是这本账的密钥签的"))]
        case VerificationRefusal.NOT_SIGNED_YET:
            return [
                _light("waiting", _("签发机构"), _("还没有签到这一条")),
                _light("proven", _("在账本中"), _("已经记入")),
            ]
        case VerificationRefusal.NO_ENTRY:
            return [signed, _light("broken", _("在账本中"), _("账本里没有这一条"))]
        case VerificationRefusal.NOT_INCLUDED:
            return [signed, _light("broken", _("在账本中"), _("凭据上的内容和账本对不上"))]
        case VerificationRefusal.BOOK_DIFFERS:
            return [signed, _light("broken", _("在账本中"), _("账本现在写的和凭据不一样"))]
        case VerificationRefusal.LOG_DIFFERS:
            return [signed, _light("broken", _("在账本中"), _("这一条和签过名的不一样"))]
        case _unreachable:
            assert_never(_unreachable)


_State = Literal["proven", "broken", "waiting"]


def _light(state: _State, title: str, text: str) -> Light:
    return Light(state=state, title=title, text=text)


def _facts(
    proven: Proven, entry: Transfer, _: Translate, *, language: Language, now: datetime
) -> list[tuple[str, str]]:
    amount = (
        words.duration(entry.amount, language=language)
        if entry.unit == Unit.MINUTES
        else words.count(entry.amount)
    )
    facts = [
        (_("时长") if entry.unit == Unit.MINUTES else _("数额"), amount),
        (_("开始时间"), words.instant(entry.effective_at, now=now, language=language)),
    ]
    if entry.volunteer is not None:
        facts.append((_("志愿者编号"), format_number(proven.book, entry.volunteer)))
    if entry.service is not None:
        field = ServiceField(entry.service.field)
        facts.append((_("服务领域"), _(f"service_field.{field.code}")))
        facts.append((_("证据等级"), _(f"assurance.{entry.service.assurance}")))
    facts.append((_("记入时间"), words.instant(proven.recorded_at, now=now, language=language)))
    facts.append((_("条目号"), words.count(proven.seq)))
    return facts
