"""What a volunteer did, by month, each service with its proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.activity import Forgotten
from timebank.domain.actor import Act
from timebank.domain.period import Period
from timebank.http.providers import Db, Kitted, Now, OwnVolunteer, TimebankRequest
from timebank.queries import volunteer as own
from timebank.queries.objections import Objection, list_own_objections
from timebank.services import log_files
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.deadline import late_words
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, show, translate_of
from timebank.web.objection_words import end_words
from timebank.web.parts import Evidence, EvidenceShares, Link
from timebank.web.typed import NumberInPath

_YEARS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One service with its proof.

    Attributes:
        day: Such as `11月22日 周六`.
        duration: What was credited; with a minus sign for a reversal.
        arrived: How and when the beginning was set, such as `13:58 扫码`; empty for history.
        left: The same for the end.
        grade: The stored grade in words, such as `A1 · 扫了更换的码`.
        entry: The ledger entry's number.
        recorded: When it was written.
        correction: What a later entry changed; empty when nothing did.
        late: By how much it was recorded too late; empty when it was not, or not known.
        objection: How an objection to it stands; empty when there is none.
        objection_url: Where an error is reported, or the objection; empty where nothing can be.
        proof_url: Where the proof is downloaded that shows others what the entry says.
    """

    activity: str
    day: str
    duration: str
    evidence: Evidence
    field: str
    organization: str
    person_in_charge: str
    place: str
    time: str
    arrived: str
    left: str
    grade: str
    entry: str
    recorded: str
    correction: str
    late: str
    objection: str
    objection_url: str
    proof_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMonth:
    """The services of one month, newest first."""

    label: str
    total: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsPage:
    """What `volunteer/records.html` shows.

    Attributes:
        hours: The year's time as `(number, unit)` pairs.
        services: How many services, in words.
    """

    year: str
    years: Sequence[Link]
    hours: Sequence[tuple[str, str]]
    services: str
    life_total: str
    shares: EvidenceShares
    months: Sequence[RecordMonth]
    activities_url: str


@get("/me/records", rule=Act.SEE_OWN_RECORDS)
async def show_records(
    request: TimebankRequest,
    volunteer: OwnVolunteer,
    db: Db,
    now: Now,
    year: Annotated[int | None, QueryParameter(ge=1980, le=2200)] = None,
) -> Response[Any]:
    """Show a year's records by month, each with its proof."""
    language = language_of(request)
    _ = translate_of(request)
    today = words.local_day(now)
    async with db.read() as conn:
        years = await own.list_own_years(conn, volunteer=volunteer)
        shown = year or max([*years, today.year])
        hours = await own.own_hours(conn, volunteer=volunteer, year=shown)
        records = await own.list_own_records(
            conn, volunteer=volunteer, period=Period.of_year(shown, zone=words.ZONE)
        )
        raised = await list_own_objections(conn, volunteer=volunteer)
    about = {seq: each for each in raised for seq in (each.seq, each.standing)}
    months = groupby(records, key=lambda each: words.local_day(each.effective_at).month)
    return show(
        request,
        "volunteer/records.html",
        RecordsPage(
            year=str(shown),
            years=[
                Link(label=str(each), url=f"/me/records?year={each}", is_current=each == shown)
                for each in sorted({*years, today.year, shown}, reverse=True)[:_YEARS_MAX]
            ],
            hours=words.duration_parts(hours.year, language=language),
            services=_("{count} 次服务", count=words.count(hours.services)),
            life_total=words.duration(hours.lifetime, language=language),
            shares=evidence_shares((hours.scanned, hours.confirmed, hours.declared)),
            months=[
                _month(shown, month, list(lines), about, now=now, language=language, _=_)
                for month, lines in months
            ],
            activities_url="/activities",
        ),
    )


def _month(
    year: int,
    month: int,
    records: Sequence[own.Record],
    objections: Mapping[int, Objection],
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> RecordMonth:
    return RecordMonth(
        label=words.month(year, month, language=language),
        total=words.duration(sum(each.minutes for each in records), language=language),
        records=[
            _record(each, objections.get(each.seq), now=now, language=language, _=_)
            for each in records
        ],
    )


def _record(
    record: own.Record,
    objection: Objection | None,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> Record:
    today = words.local_day(now)
    correction = ""
    if record.reversed_by is not None:
        correction = _(
            "这一条已由第 {entry} 条冲正：{reason}",
            entry=words.count(record.reversed_by),
            reason=record.reason or "",
        )
    elif record.reverses is not None:
        correction = _(
            "冲正第 {entry} 条：{reason}",
            entry=words.count(record.reverses),
            reason=record.reason or "",
        )
    duration = words.duration(record.minutes, language=language)
    starts_at, ends_at = record.shift_starts_at, record.shift_ends_at
    return Record(
        activity=record.title or _("往年服务"),
        day=words.day(words.local_day(record.effective_at), today=today, language=language),
        duration=duration,
        evidence=record.evidence.value,
        field=_(f"service_field.{record.field.code}"),
        organization=record.organization or "",
        person_in_charge=record.in_charge or "",
        place=record.address or "".join(part for part in (record.town, record.place) if part),
        time=_("{time} 起，{duration}", time=words.clock(record.effective_at), duration=duration)
        if starts_at is None or ends_at is None
        else words.times(starts_at, ends_at),
        arrived=end_words(record.arrived_at, record.arrival_measured, _),
        left=end_words(
            record.left_at,
            record.departure_measured,
            _,
            is_ruled=record.forgotten == Forgotten.END_OF_SHIFT and record.left_at == ends_at,
        ),
        grade=_(f"assurance.{record.assurance.value}"),
        entry=words.count(record.seq),
        recorded=words.instant(record.recorded_at, now=now, language=language),
        correction=correction,
        late=""
        if ends_at is None or record.reverses is not None or record.replaces is not None
        else late_words(ends_at, record.recorded_at, _),
        objection=""
        if objection is None
        else _(f"objection_step.{objection.steps[-1].kind.value}"),
        objection_url=f"/me/objections/{objection.objection}"
        if objection is not None
        else f"/me/records/{record.seq}/objection"
        if record.reverses is None and record.reversed_by is None
        else "",
        proof_url=f"/me/records/{record.seq}/proof",
    )


@get("/me/records/{seq:int}/proof", rule=Act.SEE_OWN_RECORDS)
async def show_proof(
    seq: NumberInPath, volunteer: OwnVolunteer, db: Db, kit: Kitted, now: Now
) -> Response[bytes]:
    """Send the proof of one of the volunteer's own entries; with it, what the entry says."""
    proof = await log_files.prove_own_entry(
        db,
        volunteer=volunteer,
        seq=seq,
        key=None if kit.log_key is None else kit.log_key(),
        now=now,
    )
    return Response(
        str(proof).encode(),
        media_type="text/plain; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{volunteer.book}-{seq}.tlog-proof"',
            "cache-control": "no-store",
        },
    )
