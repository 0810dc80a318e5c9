"""Odd patterns in the demo county, so that its review queue has something to ask about.

One organization of the demo does what a reviewer should see: nobody scans out, people sign up once
a shift has begun, several arrive on one phone. Where the year has service of its own, a file adds
hours that are all the same, a person in two places, and a day that is too long. Nobody of them
exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.activity import ActivityPublished, Forgotten, NewActivity, NewShift
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.evidence import WALL_READING, DeviceStanding, ScanEvidence
from timebank.domain.organization import OrganizationKind
from timebank.domain.period import day_start, local_day
from timebank.domain.qr import Scan
from timebank.domain.service_field import ServiceField
from timebank.domain.service_row import CellRefused
from timebank.services import checkin, closing, enrolment, importing, scheduling, service_file
from timebank.services.checkin import ScanRequest
from timebank.services.demo_year import HEADER
from timebank.services.founding import ZONE
from timebank.services.importing import ImportResult
from timebank.services.service_file import Line, Progress
from timebank.store import activities, volunteers

_NAME = "海滨文艺志愿队（演示）"
_REGION = 330424001000
_PLACE = 330424001029
_ADDRESS = "武原街道文化广场"
_OTHER = ("路口文明劝导", "武原街道志愿服务队", ServiceField.TRAFFIC)
_DAYS_BEFORE = 5
"""The file's services lie so many days back."""

_OTHERS_PHONE = ScanEvidence(device=DeviceStanding.OTHERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odd:
    """A shift with something to ask about.

    Attributes:
        days: Before `now`.
        people: How many of the planted volunteers come.
        signs_up: After the start; negative is before.
        on_one_phone: How many of them arrive on a phone that is another's.
        is_closed: The organizer signed it off, though nobody scanned out.
    """

    title: str
    field: ServiceField
    content: str
    days: int
    hour: int
    people: int
    signs_up: timedelta = timedelta(days=-1)
    on_one_phone: int = 0
    is_closed: bool = False


_ODD = (
    _Odd(
        title="文艺汇演彩排",
        field=ServiceField.CULTURE,
        content="搬运道具，引导演员候场，彩排后收拾场地。",
        days=6,
        hour=14,
        people=9,
        is_closed=True,
    ),
    _Odd(
        title="露天电影放映",
        field=ServiceField.CULTURE,
        content="摆放座椅，维持秩序，散场后清理广场。",
        days=4,
        hour=18,
        people=7,
        signs_up=timedelta(minutes=25),
    ),
    _Odd(
        title="非遗展演讲解",
        field=ServiceField.CULTURE,
        content="在展位前为居民讲解，登记想学手艺的人。",
        days=2,
        hour=9,
        people=6,
        on_one_phone=4,
    ),
)
_LASTING = timedelta(hours=2)


async def plant_signals(
    db: Database,
    *,
    book: int,
    organizer: UUID,
    references: Sequence[str],
    has_own_year: bool,
    now: datetime,
) -> None:
    """Let an organization of the demo do what raises signals, in the days before `now`.

    `references` name who takes part, at least a dozen volunteers; `has_own_year` says that the
    year of `now` has service, to which a file may add. Safe to run again after it was killed.

    Raises:
        AssertionError: The demo's own activity or row was refused.
    """
    organization = await scheduling.open_organization(
        db, name=_NAME, kind=OrganizationKind.TEAM, region=_REGION, by=None, now=now
    )
    await enrolment.appoint(
        db, person=organizer, role=Role.ORGANIZER, organization=organization, by=None, now=now
    )
    actor = Actor(
        person=organizer, roles=frozenset({Role.ORGANIZER}), organizations=(organization,)
    )
    async with db.read() as conn:
        enrolled = await volunteers.list_by_reference(conn, book=book, references=references)
    people = [enrolled[each] for each in references]
    for odd in _ODD:
        await _hold(
            db,
            actor=actor,
            organization=organization,
            odd=odd,
            # Nothing is credited in a year that has no service else: its numbers stay empty.
            forgotten=Forgotten.END_OF_SHIFT if has_own_year else Forgotten.ZERO,
            people=people,
            now=now,
        )
    if has_own_year:
        await _import(db, book=book, references=references, now=now)


async def _hold(
    db: Database,
    *,
    actor: Actor,
    organization: OrganizationId,
    odd: _Odd,
    forgotten: Forgotten,
    people: Sequence[VolunteerId],
    now: datetime,
) -> None:
    """Publish a shift in time, let it be attended, and sign it off; what was done is not redone."""
    book = organization.book
    async with db.read() as conn:
        if await activities.find_listed(conn, organization=organization, title=odd.title):
            return
    zone = ZoneInfo(ZONE)
    on = local_day(now, zone=zone) - timedelta(days=odd.days)
    starts_at = day_start(on, zone=zone) + timedelta(hours=odd.hour)
    ends_at = starts_at + _LASTING
    published = await scheduling.publish_activity(
        db,
        actor=actor,
        organization=organization,
        activity=NewActivity(
            title=odd.title,
            field=odd.field,
            content=odd.content,
            address=_ADDRESS,
            region=_PLACE,
            in_charge="值班社工",
            forgotten=forgotten,
        ),
        shifts=[NewShift(starts_at=starts_at, ends_at=ends_at, places=20)],
        now=starts_at - timedelta(days=3),
    )
    if not isinstance(published, ActivityPublished):
        raise AssertionError(f"the demo's own activity was refused: {published}")
    (shift,) = published.shifts
    signed_up_at = starts_at + odd.signs_up
    for volunteer in people[: odd.people]:
        await scheduling.sign_up(
            db, volunteer=volunteer, shift_book=book, shift=shift, now=signed_up_at
        )
    arrives_at = max(starts_at, signed_up_at) + timedelta(minutes=2)
    await checkin.record_scans(
        db,
        requests=[
            ScanRequest(
                volunteer,
                Scan(book, shift, Direction.ARRIVE, arrives_at + timedelta(seconds=20 * place)),
                _OTHERS_PHONE if place < odd.on_one_phone else WALL_READING,
            )
            for place, volunteer in enumerate(people[: odd.people])
        ],
        now=now,
    )
    if odd.is_closed:
        await closing.close_shift(
            db,
            actor=actor,
            shift_book=book,
            shift=shift,
            departures=None,
            now=now,
        )


async def _import(db: Database, *, book: int, references: Sequence[str], now: datetime) -> None:
    on = local_day(now, zone=ZoneInfo(ZONE)) - timedelta(days=_DAYS_BEFORE)
    same = ("广场演出秩序维护", _NAME, ServiceField.LARGE_EVENT)
    rows = [
        # Twelve people on one line of a list: the same start, the same four hours.
        *((each, same, "13:00", 240) for each in references[:12]),
        # One of them stood at a crossing meanwhile.
        (references[0], _OTHER, "15:30", 120),
        # Another is written down from before dawn until midnight.
        (references[1], _OTHER, "04:30", 480),
        (references[1], _OTHER, "17:00", 390),
    ]
    lines: list[Line] = [
        (
            number + 1,
            (
                reference,
                f"{on:%Y%m%d}-{number}",
                title,
                organization,
                field.code,
                str(_PLACE),
                f"{on} {start}",
                str(minutes),
                "declared",
            ),
            Progress(number, len(rows)),
        )
        for number, (reference, (title, organization, field), start, minutes) in enumerate(rows, 1)
    ]
    await importing.import_rows(
        db,
        book=book,
        header=HEADER,
        parts=service_file.parts_of(lines),
        setting=await importing.find_setting(db, book=book),
        now=now,
        is_evidence_trusted=True,
        result=ImportResult("demo-signals", is_dry_run=False),
        on_refused=_refuse_nothing,
        progress=lambda _done, _whole: None,
    )


def _refuse_nothing(refused: Sequence[CellRefused]) -> None:
    if refused:
        raise AssertionError(f"the demo's own row was refused: {refused[0]}")
