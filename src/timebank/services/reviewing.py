"""The office reviews: it settles signals, sets its numbers, draws samples, checks, publishes.

Everything is written with who, when and why; nothing here changes an entry of the ledger.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor
from timebank.domain.period import Period, local_day
from timebank.domain.region import county_of
from timebank.domain.sample import (
    NOTE_LENGTH_MAX,
    CheckResult,
    Sample,
    SampleRefusal,
    SampleRefused,
    decide_draw,
)
from timebank.domain.scope import Scope
from timebank.domain.signal import (
    Measure,
    ReviewOutcome,
    ReviewRefusal,
    SignalKind,
    decide_review,
)
from timebank.domain.threshold import ThresholdRefusal, ThresholdSetting, decide_setting
from timebank.domain.writing import cleaned_line, cleaned_paragraphs
from timebank.ledger import balances, log
from timebank.queries import review_queue, signals
from timebank.queries import samples as sampled
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.founding import ZONE
from timebank.store import audit_events, numbering, reviews, samples, thresholds

_ZONE = ZoneInfo(ZONE)

_CODES_OF_COUNTY = 1_000_000
"""The codes of a county and of everything above it are multiples of this."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The signal is settled, or being checked, since `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewRefused:
    """Nothing is written."""

    reason: ReviewRefusal


@dataclass(frozen=True, slots=True)
class ThresholdSet:
    """The number holds from its day on."""

    setting: ThresholdSetting


@dataclass(frozen=True, slots=True)
class ThresholdRefused:
    """Nothing is written."""

    reason: ThresholdRefusal


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found is noted."""


@dataclass(frozen=True, slots=True)
class SamplePublished:
    """Anybody can read what the sample found, since `at`."""

    at: datetime


async def review_signal(
    db: Database,
    *,
    actor: Actor,
    book: int,
    period: Period,
    kind: SignalKind,
    subject: str,
    outcome: ReviewOutcome,
    reason: str,
    now: datetime,
) -> Reviewed | ReviewRefused:
    """Settle a signal or say that it is being checked, with the reason.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The book is not in the actor's division.
    """
    scope = _check_reviews(actor, book=book)
    reason = cleaned_paragraphs(reason)
    async with db.read() as conn:
        found = await review_queue.find_queue(
            conn, scope=scope, book=book, period=period, zone=_ZONE
        )
        waiting = found.find(kind, subject)
        seen = None if waiting is None else waiting[0]
        is_own = seen is not None and await _holds_own(conn, actor, scope, seen)

    refusal = decide_review(seen, reason=reason, is_own=is_own)

    if refusal is not None or seen is None:
        return ReviewRefused(refusal or ReviewRefusal.NOT_FOUND)
    async with db.write() as conn:
        await reviews.insert_review(
            conn, seen=seen, outcome=outcome, reason=reason, by=actor.person, now=now
        )
        await _audit(conn, actor, "review_signal", f"{kind.value}/{subject}", now)
    return Reviewed(now)


async def set_threshold(
    db: Database, *, actor: Actor, book: int, setting: ThresholdSetting, now: datetime
) -> ThresholdSet | ThresholdRefused:
    """Set one of the county's numbers from a day on.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The actor's division is not the whole county.
    """
    scope = _check_reviews(actor, book=book)
    if scope.codes.start % _CODES_OF_COUNTY:
        # A town's office reviews its own, and does not set what holds for the others.
        raise NotFoundError
    cleaned = ThresholdSetting(
        setting.threshold, setting.from_on, setting.value, cleaned_line(setting.source)
    )

    refusal = decide_setting(cleaned, today=local_day(now, zone=_ZONE))

    if refusal is not None:
        return ThresholdRefused(refusal)
    async with db.write() as conn:
        await thresholds.insert_setting(conn, book=book, setting=cleaned, by=actor.person, now=now)
        await _audit(conn, actor, "set_threshold", f"{cleaned.threshold.value}/{book}", now)
    return ThresholdSet(cleaned)


async def draw_sample(
    db: Database,
    *,
    actor: Actor,
    book: int,
    first_on: date,
    after_last_on: date,
    size: int,
    now: datetime,
) -> Sample | SampleRefused:
    """Draw a sample of what was recorded in a period, in the actor's division.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The book is not in the actor's division.
        ValueError: The period ends before it begins.
    """
    scope = _check_reviews(actor, book=book)
    period = Period.of_days(first_on, after_last_on, zone=_ZONE)
    is_over = period.end <= now and period.start < period.end
    async with db.read() as conn:
        is_drawn = await samples.is_drawn(
            conn, book=book, region=scope.region, first_on=first_on, after_last_on=after_last_on
        )
        after = await balances.seq_at(conn, book=book, instant=period.start)
        until_seq = await balances.seq_at(conn, book=book, instant=period.end)
        signed = await log.list_checkpoints(conn, book=book, above=until_seq - 1, rows_max=1)
        refusal = decide_draw(
            is_over=is_over,
            size=size,
            is_drawn=is_drawn,
            has_entries=after < until_seq,
            is_signed=bool(signed),
        )
        if refusal is not None:
            return SampleRefused(refusal)
        seed = signed[0].root.hex()
        queue = await review_queue.find_queue(
            conn, scope=scope, book=book, period=period, zone=_ZONE
        )
        items, counts = await sampled.draw_entries(
            conn,
            scope=scope,
            book=book,
            after=after,
            until_seq=until_seq,
            flagged=queue.flagged,
            seed=seed,
            size=size,
        )
    if not items:
        return SampleRefused(SampleRefusal.EMPTY)

    async with db.write() as conn:
        # The numbering's row orders two draws of the same period.
        (made,) = await numbering.take_numbers(conn, book=book, noun="sample")
        if await samples.is_drawn(
            conn, book=book, region=scope.region, first_on=first_on, after_last_on=after_last_on
        ):
            return SampleRefused(SampleRefusal.ALREADY_DRAWN)
        drawn = Sample(
            book=book,
            number=made,
            region=scope.region,
            first_on=first_on,
            after_last_on=after_last_on,
            after=after,
            until_seq=until_seq,
            seed=seed,
            seed_size=signed[0].size,
            size=size,
            flagged=queue.flagged,
            counts={stratum.code: count for stratum, count in counts.items()},
            drawn_by=actor.person,
            drawn_at=now,
        )
        await samples.insert_sample(conn, sample=drawn, items=items)
        await _audit(conn, actor, "draw_sample", f"sample/{book}/{drawn.number}", now)
    return drawn


async def note_check(
    db: Database,
    *,
    actor: Actor,
    book: int,
    number: int,
    seq: int,
    result: CheckResult,
    note: str,
    now: datetime,
) -> Checked | SampleRefused:
    """Note what the check of a drawn entry found; until it is published it can be noted again.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such sample or entry, or it lies outside the actor's division.
    """
    scope = _check_reviews(actor, book=book)
    note = cleaned_line(note)
    async with db.write() as conn:
        sample = await _find_locked(conn, scope, book=book, number=number)
        entries = await signals.list_entries(conn, scope=scope, book=book, seqs=[seq])
        is_own = any(each.volunteer == actor.volunteer for each in entries)

        refusal = (
            SampleRefusal.PUBLISHED
            if sample.published_at is not None
            else SampleRefusal.NOTE_LENGTH
            if len(note) > NOTE_LENGTH_MAX or (result is not CheckResult.TRUE and not note)
            else SampleRefusal.OWN_HOURS
            if is_own
            else None
        )

        if refusal is not None:
            return SampleRefused(refusal)
        if not await samples.set_checked(
            conn, sample=sample, seq=seq, result=result, note=note, by=actor.person, now=now
        ):
            raise NotFoundError
        await _audit(conn, actor, "note_check", f"sample/{book}/{number}/{seq}", now)
    return Checked()


async def publish_sample(
    db: Database, *, actor: Actor, book: int, number: int, now: datetime
) -> SamplePublished | SampleRefused:
    """Publish what a sample found, once every drawn entry was checked.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such sample, or it lies outside the actor's division.
    """
    scope = _check_reviews(actor, book=book)
    async with db.write() as conn:
        sample = await _find_locked(conn, scope, book=book, number=number)
        if sample.published_at is not None:
            return SamplePublished(sample.published_at)
        items = await samples.list_items(conn, book=book, number=number)
        if any(each.result is None for each in items):
            return SampleRefused(SampleRefusal.UNCHECKED)
        await samples.set_published(conn, sample=sample, by=actor.person, now=now)
        await _audit(conn, actor, "publish_sample", f"sample/{book}/{number}", now)
    return SamplePublished(now)


def _check_reviews(actor: Actor, *, book: int) -> Scope:
    if not actor.may(Act.REVIEW_SIGNALS):
        raise NotPermittedError
    codes = None if actor.scope is None else actor.scope.codes
    if actor.scope is None or codes is None:
        raise NotPermittedError
    if not county_of(codes.start) <= book <= county_of(codes.stop - 1):
        raise NotFoundError
    return actor.scope


async def _find_locked(conn: AsyncConnection, scope: Scope, *, book: int, number: int) -> Sample:
    sample = await samples.find_locked_sample(conn, book=book, number=number)
    if sample is None or not scope.covers(sample.region):
        raise NotFoundError
    return sample


async def _holds_own(conn: AsyncConnection, actor: Actor, scope: Scope, seen: Measure) -> bool:
    if actor.volunteer is None or actor.volunteer.book != seen.book:
        return False
    if seen.subject == f"volunteer/{seen.book}/{actor.volunteer.id}":
        return True
    entries = await signals.list_entries(conn, scope=scope, book=seen.book, seqs=seen.seqs)
    return any(each.volunteer == actor.volunteer for each in entries)


async def _audit(
    conn: AsyncConnection, actor: Actor, act: str, subject: str, now: datetime
) -> None:
    await audit_events.insert_audit_events(
        conn, at=now, person=actor.person, act=act, subjects=[subject]
    )
