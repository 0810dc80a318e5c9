"""The organizer's page that works without network, and what its script sends and asks for.

The page is the same for everybody and holds nobody's data: what a device needs of a shift comes as
a kit, wrapped for a key that the device cannot give away. A worker keeps the page and its files
under the digest of them all, and looks at nothing outside its own address.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.attendance import EARLY_MAX, LATE_MAX, Direction
from timebank.domain.device_key import read_base64url
from timebank.domain.evidence import WALL_READING
from timebank.domain.offline_kit import (
    NONCE_BYTES,
    READINGS_MAX,
    Reading,
    encode,
    instant_of,
    make_kit,
    milliseconds,
    read_kit,
    reading_key,
)
from timebank.domain.qr import code_key
from timebank.http.device_proof import DeviceProof, check_proof
from timebank.http.identity import PUBLIC, ForbiddenError
from timebank.http.providers import (
    Kitted,
    Now,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.services import offline_kit, uploading
from timebank.services.errors import NotFoundError
from timebank.services.uploading import SeenCode, SentReading
from timebank.store import offline_readings, volunteers
from timebank.store.offline_readings import KeptReading, ReadingOutcome
from timebank.trust.key_wrap import read_public_key, wrap
from timebank.web import format as words
from timebank.web.assets import load_assets
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked, shift_url, volunteer_key
from timebank.web.typed import NUMBER_MAX, BookInPath, NumberInPath

PAGE = "/organizer/offline"
"""The only page that the worker keeps, and the whole of what it looks at."""

_FRAMES = ("layouts/base.html", "parts/seen.html")
_CODE_PARTS = ("app.css", "device.js", "icon.svg", "once.js", "seen.js")
_PARTS = ("app.css", "icon.svg", "offline.js", "once.js", "picture.js", "scanner.js")
_SPKI_LENGTH_MAX = 1_000
_CODE_LENGTH_MAX = 200

_ONE_LINE = r"^[^\x00-\x1f]*$"
"""What a camera may read: anything but control characters, which the database cannot keep."""

Book = Annotated[int, msgspec.Meta(ge=1, le=999_999)]
Number = Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
Nonce = Annotated[str, msgspec.Meta(max_length=22)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
"""Unix milliseconds to the end of the year 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePage:
    """What `organizer/offline.html` shows; the same for everybody."""

    kits_url: str
    readings_url: str
    sign_in_url: str
    worker_url: str
    manifest_url: str
    scope: str
    day_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCodePage:
    """What `scan/kept.html` shows; all of it comes from the phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLine:
    """One reading that was sent afterwards.

    Attributes:
        name: Masked; what was typed or `—` where it names nobody.
        state: `recorded`, `conflict` for what somebody must look at, `looked` after that.
        outcome: What became of it, as a sentence.
        flag: What to look at although it was recorded; empty for nothing.
    """

    name: str
    time: str
    direction: Literal["arrive", "leave"]
    state: Literal["recorded", "conflict", "looked"]
    code: str
    outcome: str
    flag: str
    received: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadsPage:
    """What `organizer/uploads.html` shows.

    Attributes:
        settle_url: Where it is posted that somebody has looked; empty where nothing is open.
    """

    activity: str
    time: str
    shift_url: str
    lines: Sequence[UploadLine]
    recorded: int
    conflicts: int
    settle_url: str


class KitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A device asks to take a shift along."""

    book: Book
    shift: Number
    key: Annotated[str, msgspec.Meta(max_length=_SPKI_LENGTH_MAX)]


class SentRecord(msgspec.Struct, forbid_unknown_fields=True):
    """One reading as `offline.js` sends it."""

    nonce: Nonce
    number: Number
    at: Milliseconds
    direction: Direction
    code: Annotated[str, msgspec.Meta(max_length=_CODE_LENGTH_MAX, pattern=_ONE_LINE)]
    named: Annotated[str, msgspec.Meta(max_length=32, pattern=_ONE_LINE)]
    mac: Annotated[str, msgspec.Meta(max_length=43)]


class ReadingsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a device sends of one kit."""

    kit: Annotated[str, msgspec.Meta(max_length=100)]
    readings: Annotated[list[SentRecord], msgspec.Meta(min_length=1, max_length=READINGS_MAX)]


class SentCode(msgspec.Struct, forbid_unknown_fields=True):
    """A code on the wall that a volunteer's phone saw without network.

    Attributes:
        at: By the phone's clock, set right with what it last knew of the server's.
    """

    nonce: Nonce
    number: Number
    at: Milliseconds
    code: Annotated[str, msgspec.Meta(max_length=_CODE_LENGTH_MAX, pattern=_ONE_LINE)]
    kind: int = 0
    key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    signature: Annotated[str, msgspec.Meta(max_length=120)] = ""


class SeenCodesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a volunteer's phone sends."""

    codes: Annotated[list[SentCode], msgspec.Meta(min_length=1, max_length=READINGS_MAX)]


@get(PAGE, rule=Act.RUN_ACTIVITIES)
async def show_offline(
    request: TimebankRequest,
    organizations: OwnOrganizations,  # noqa: ARG001 only who organizes has shifts to take along
) -> Response[Any]:
    """Show the page that works without network; what it holds comes from the device."""
    return show(
        request,
        "organizer/offline.html",
        OfflinePage(
            kits_url="/api/offline/kits",
            readings_url="/api/offline/readings",
            sign_in_url=f"/sign-in?return_to={PAGE}",
            worker_url=f"{PAGE}/worker.js",
            manifest_url=f"{PAGE}/manifest.webmanifest",
            scope=PAGE,
            day_url="/organizer",
        ),
    )


@get(f"{PAGE}/worker.js", rule=PUBLIC)
async def show_worker() -> Response[bytes]:
    """Send the worker with the list of what it keeps; asked for anew each time."""
    return Response(
        _worker(),
        media_type="text/javascript; charset=utf-8",
        headers={"cache-control": "no-cache", "service-worker-allowed": PAGE},
    )


@get("/c/kept", rule=PUBLIC)
async def show_kept_code(request: TimebankRequest) -> Response[Any]:
    """Show what a scan opens where there is no network; it holds nobody's data."""
    return show(request, "scan/kept.html", KeptCodePage())


@get("/c/worker.js", rule=PUBLIC)
async def show_code_worker() -> Response[bytes]:
    """Send the worker that stands in for a scan without network, and looks at nothing else."""
    return Response(
        _code_worker(),
        media_type="text/javascript; charset=utf-8",
        headers={"cache-control": "no-cache"},
    )


@get(f"{PAGE}/manifest.webmanifest", rule=PUBLIC)
async def show_manifest(request: TimebankRequest) -> Response[bytes]:
    """Tell the browser how to keep the page on the home screen."""
    _ = translate_of(request)
    manifest = {
        "name": _("离线签到 · 志愿时间银行"),
        "short_name": _("离线签到"),
        "lang": "zh-CN" if language_of(request) == "zh" else "en",
        "id": PAGE,
        "start_url": PAGE,
        "scope": PAGE,
        "display": "standalone",
        "background_color": "#fbf8f3",
        "theme_color": "#fbf8f3",
        "icons": [
            {"src": load_assets().address("icon.svg"), "sizes": "any", "type": "image/svg+xml"}
        ],
    }
    return Response(
        json.dumps(manifest, ensure_ascii=False).encode(),
        media_type="application/manifest+json",
        headers={"cache-control": "no-cache"},
    )


@post("/api/offline/kits", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_kit(
    request: TimebankRequest,
    data: JSONBody[KitRequest],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[dict[str, Any]]:
    """Give a device what it needs of a shift: who is expected, and two keys only it can open."""
    _check_same_site(request)
    wrapping = read_public_key(_spki(data.key))
    if wrapping is None:
        raise NotFoundError
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=data.book, shift=data.shift
        )
        if found is None:
            raise NotFoundError
        people = await organizer.list_attendees(
            conn, organizations=organizations, shift_book=data.book, shift=data.shift
        )
    issued = await offline_kit.issue_kit(
        kit.db, actor=actor, shift_book=data.book, shift=data.shift, now=now
    )
    _ = translate_of(request)
    text = make_kit(issued, master_key=kit.master_key)
    code = code_key(master_key=kit.master_key, shift_book=data.book, shift=data.shift)
    reading = reading_key(text, master_key=kit.master_key)
    return _answer(
        {
            "kit": text,
            "title": found.title,
            "time": words.span(
                found.starts_at, found.ends_at, now=now, language=language_of(request)
            ),
            "place": found.address,
            "opens_ms": milliseconds(found.starts_at - EARLY_MAX),
            "closes_ms": milliseconds(found.ends_at + LATE_MAX),
            "server_ms": milliseconds(now),
            "code_url": f"{kit.url}/c/",
            "code_key": encode(wrap(wrapping, code)),
            "reading_key": encode(wrap(wrapping, reading)),
            "people": {
                volunteer_key(each.volunteer): masked(each.name_sealed, kit.seal, each.volunteer, _)
                for each in people
                if each.withdrawn_at is None
            },
        }
    )


@post("/api/offline/readings", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_readings(
    request: TimebankRequest,
    data: JSONBody[ReadingsRequest],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[dict[str, Any]]:
    """Record what a device read without network, each reading once however often it is sent."""
    _check_same_site(request)
    taken = read_kit(data.kit, master_key=kit.master_key)
    if taken is None:
        raise NotFoundError
    outcomes = await uploading.upload_readings(
        kit.db,
        actor=actor,
        kit_text=data.kit,
        kit=taken,
        sent=[
            SentReading(
                Reading(
                    _nonce(each.nonce),
                    each.number,
                    instant_of(each.at),
                    each.direction,
                    each.code,
                    each.named,
                ),
                _bytes(each.mac),
            )
            for each in data.readings
        ],
        master_key=kit.master_key,
        now=now,
    )
    return _answer_outcomes(outcomes, translate_of(request), now=now)


@post("/api/offline/seen-codes", rule=Act.SCAN, status_code=200)
async def create_seen_codes(
    request: TimebankRequest,
    data: JSONBody[SeenCodesRequest],
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[dict[str, Any]]:
    """Record the codes that a volunteer's phone saw without network."""
    _check_same_site(request)
    seen = []
    for each in data.codes:
        # The phone signs what it saw and when; a record of somebody else's phone says so.
        evidence, device = check_proof(
            DeviceProof(each.kind, each.key, each.signature),
            receipt=f"{each.code} {each.at} {each.number}",
            evidence=WALL_READING,
        )
        reading = Reading(
            _nonce(each.nonce), each.number, instant_of(each.at), Direction.ARRIVE, each.code, ""
        )
        seen.append(SeenCode(reading, device, evidence))
    outcomes = await uploading.upload_seen_codes(
        kit.db, actor=actor, volunteer=volunteer, seen=seen, master_key=kit.master_key, now=now
    )
    return _answer_outcomes(outcomes, translate_of(request), now=now)


@get("/organizer/shifts/{book:int}/{shift:int}/uploads", rule=Act.RUN_ACTIVITIES)
async def show_uploads(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show what was read without network and sent afterwards, conflicts first."""
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        kept = await offline_readings.list_of_shift(conn, shift_book=book, shift=shift)
        named = await volunteers.list_named(
            conn,
            volunteers=[
                each.outcome.volunteer
                for each in kept
                if each.outcome is not None and each.outcome.volunteer is not None
            ],
        )

    def name(each: KeptReading) -> str:
        volunteer = None if each.outcome is None else each.outcome.volunteer
        if volunteer is None:
            return each.reading.named or "—"
        known = named.get(volunteer)
        return masked(None if known is None else known.name_sealed, kit.seal, volunteer, _)

    lines = [
        _line(each, name=name(each), now=now, language=language, _=_)
        for each in sorted(kept, key=lambda each: _state(each) != "conflict")
    ]
    conflicts = sum(each.state == "conflict" for each in lines)
    return show(
        request,
        "organizer/uploads.html",
        UploadsPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            shift_url=shift_url(found),
            lines=lines,
            recorded=sum(each.state == "recorded" for each in lines),
            conflicts=conflicts,
            settle_url=f"{shift_url(found)}/uploads" if conflicts else "",
        ),
    )


@post("/organizer/shifts/{book:int}/{shift:int}/uploads", rule=Act.RUN_ACTIVITIES)
async def create_settlement(
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Redirect:
    """Record that somebody has looked at what could not be recorded."""
    await uploading.settle_conflicts(kit.db, actor=actor, shift_book=book, shift=shift, now=now)
    return Redirect(
        f"/organizer/shifts/{book}/{shift}/uploads?done=conflicts_seen", status_code=303
    )


def _line(
    kept: KeptReading, *, name: str, now: datetime, language: Language, _: Translate
) -> UploadLine:
    outcome = kept.outcome
    return UploadLine(
        name=name,
        time=words.clock(kept.reading.at),
        direction="arrive" if kept.reading.direction is Direction.ARRIVE else "leave",
        state=_state(kept),
        code="" if outcome is None or not outcome.is_conflict else outcome.code,
        outcome=_("upload.undecided") if outcome is None else _sentence(outcome, _),
        flag="" if outcome is None or outcome.flag is None else _(outcome.flag),
        received=words.instant(kept.received_at, now=now, language=language),
    )


def _state(kept: KeptReading) -> Literal["recorded", "conflict", "looked"]:
    if kept.outcome is not None and not kept.outcome.is_conflict and kept.outcome.flag is None:
        return "recorded"
    return "conflict" if kept.settled_at is None else "looked"


def _sentence(outcome: ReadingOutcome, _: Translate) -> str:
    return _(outcome.code if outcome.is_conflict else f"upload.{outcome.code}")


def _answer_outcomes(
    outcomes: dict[bytes, ReadingOutcome], _: Translate, *, now: datetime
) -> Response[dict[str, Any]]:
    return _answer(
        {
            "server_ms": milliseconds(now),
            "outcomes": {
                encode(nonce): {
                    "code": outcome.code,
                    "is_conflict": outcome.is_conflict,
                    "sentence": _sentence(outcome, _),
                }
                for nonce, outcome in outcomes.items()
            },
        }
    )


def _answer(content: dict[str, Any]) -> Response[dict[str, Any]]:
    return Response(content, media_type="application/json", headers={"cache-control": "no-store"})


def _check_same_site(request: TimebankRequest) -> None:
    # Browsers always send it and scripts cannot set it; other clients have no cookie to abuse.
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise ForbiddenError


def _bytes(text: str) -> bytes:
    return read_base64url(text) or b""


def _spki(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _nonce(text: str) -> bytes:
    nonce = _bytes(text)
    if len(nonce) != NONCE_BYTES:
        raise NotFoundError
    return nonce


@cache
def _worker() -> bytes:
    assets = load_assets()
    kept = [assets.address(name) for name in _PARTS]
    kept += [f"/static/{name}" for name in sorted(assets.by_name) if name.startswith("part.")]
    extras = [f"/static/{name}" for name in sorted(assets.by_name) if name.endswith(".wasm")]
    return _worker_of(
        "timebank-offline-", "organizer/offline.html", PAGE, files_=kept, extras=extras
    )


@cache
def _code_worker() -> bytes:
    kept = [load_assets().address(name) for name in _CODE_PARTS]
    return _worker_of("timebank-seen-", "scan/kept.html", "/c/kept", files_=kept, is_fallback=True)


def _worker_of(
    family: str,
    template: str,
    shell: str,
    *,
    files_: Sequence[str],
    extras: Sequence[str] = (),
    is_fallback: bool = False,
) -> bytes:
    root = files("timebank.web")
    script = (root / "static" / "js" / "worker.js").read_bytes()
    # Whatever the page is made of is in its name: a change of any is a new cache.
    made_of = [
        script,
        *((root / "templates" / each).read_bytes() for each in (template, *_FRAMES)),
        *((root / "messages" / f"{each}.po").read_bytes() for each in ("zh", "en")),
        "\n".join([*files_, *extras]).encode(),
    ]
    digest = hashlib.sha256(b"\0".join(made_of)).hexdigest()[:16]
    settings = {
        "name": f"{family}{digest}",
        "family": family,
        "shell": shell,
        "files": list(files_),
        "extras": list(extras),
        "isFallback": is_fallback,
    }
    return f"const KEPT = {json.dumps(settings)};\n".encode() + script
