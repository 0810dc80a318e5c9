"""Setting up reports that go out by themselves, and sending what is due.

An operator sets them up: where a report is posted to is inside or outside the network that the
product stands in, which no sign-in decides.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.definition import definition_on
from timebank.domain.delivery import CLAIM, next_try_at
from timebank.domain.metric import METRICS, Breakdown
from timebank.domain.period import local_day
from timebank.domain.scope import Scope
from timebank.domain.standing_report import (
    StandingRefused,
    StandingReport,
    Way,
    decide_standing,
)
from timebank.domain.window import WindowKind
from timebank.domain.writing import cleaned_line
from timebank.ledger.export_formats import LibraryMissingError
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services.carrier import MailServer, UndeliveredError, post_signed
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.store import audit_events, definitions, standing_reports
from timebank.store.seal import Seal
from timebank.store.standing_reports import DueReport

Written = tuple[bytes, str]
"""A file and its media type."""

Write = Callable[[Numbers, str], Written]
"""Writes numbers in a named form."""

SECONDS_BETWEEN = 60.0
"""How soon after midnight a report goes out at the latest."""

_KEY_BYTES = 32

_log = logging.getLogger("timebank")


async def set_up_report(
    db: Database,
    *,
    seal: Seal,
    scope: Scope,
    label: str,
    metrics: list[str],
    definition: str,
    cadence: WindowKind,
    form: str,
    way: Way,
    address: str,
    now: datetime,
) -> tuple[StandingReport, str] | StandingRefused:
    """Set up a report of a scope and return it, with the key that signs what is posted."""
    report = StandingReport(
        id=uuid4(),
        label=cleaned_line(label),
        scope=scope,
        metrics=tuple(metrics),
        definition=definition,
        cadence=cadence,
        form=form,
        way=way,
        address=address,
        created_at=now,
    )
    today = local_day(now, zone=ZoneInfo(ZONE))
    async with db.read() as conn:
        known = await definitions.list_definitions_of(conn, region=scope.region)
    is_defined = definition_on(known, definition, on=today) is not None
    by_region = frozenset(
        name for name, each in METRICS.items() if Breakdown.REGION in each.breakdowns
    )
    refused = decide_standing(report, metrics=by_region, is_defined=is_defined)
    if refused is not None:
        return refused
    key = secrets.token_urlsafe(_KEY_BYTES)
    async with db.write() as conn:
        await standing_reports.insert_report(conn, seal=seal, report=report, key=key)
        await audit_events.insert_audit_events(
            conn, at=now, person=None, act="set_up_report", subjects=[f"report/{report.id}"]
        )
    return report, key


async def end_report(db: Database, *, report: UUID, now: datetime) -> None:
    """End a report; nothing of it goes out any more.

    Raises:
        NotFoundError: There is no such report that goes out.
    """
    async with db.write() as conn:
        if not await standing_reports.set_report_ended(conn, report=report, now=now):
            raise NotFoundError
        await audit_events.insert_audit_events(
            conn, at=now, person=None, act="end_report", subjects=[f"report/{report}"]
        )


async def send_due(
    db: Database, *, seal: Seal, mail: MailServer | None, write: Write, now: datetime
) -> int:
    """Send every period that is due and return how many went out.

    Several processes share the work: what one has claimed another leaves alone for a while.
    """
    async with db.write() as conn:
        due = await standing_reports.claim_due(
            conn, seal=seal, zone=ZoneInfo(ZONE), until=now + CLAIM, now=now
        )
    sent = 0
    for each in due:
        failure = await _send(db, each, mail=mail, write=write, now=now)
        async with db.write() as conn:
            if failure is None:
                sent += 1
                await standing_reports.set_sent(conn, due=each, now=now)
                continue
            next_at = None if failure.is_final else next_try_at(each.tries, now=now)
            await standing_reports.set_not_sent(
                conn, due=each, note=str(failure), next_at=next_at, now=now
            )
            level = logging.ERROR if next_at is None else logging.WARNING
            _log.log(level, "report %s did not go out: %s", each.id, failure)
    return sent


async def keep_sent(
    db: Database,
    *,
    seal: Seal,
    mail: MailServer | None,
    write: Write,
    now: Callable[[], datetime],
    stopped: asyncio.Event,
) -> None:
    """Send what is due, again and again, until stopped."""
    while not stopped.is_set():
        try:
            await send_due(db, seal=seal, mail=mail, write=write, now=now())
        except Exception:
            # It goes on with the database; what was claimed is tried again after a while.
            _log.exception("standing reports could not be sent")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), SECONDS_BETWEEN)


async def _send(
    db: Database, due: DueReport, *, mail: MailServer | None, write: Write, now: datetime
) -> UndeliveredError | None:
    report = due.report
    async with db.read() as conn:
        known = await definitions.list_definitions_of(conn, region=report.scope.region)
        meant = definition_on(known, report.definition, on=due.window.last_on)
        if meant is None:
            return UndeliveredError(f"no definition {report.definition}", is_final=True)
        numbers = await read_numbers(
            conn,
            scope=report.scope,
            metrics=report.asked,
            definition=meant,
            window=due.window,
        )
    if numbers is None:
        return UndeliveredError(f"no book is open for {report.scope.region}", is_final=True)
    try:
        body, media_type = await asyncio.to_thread(write, numbers, report.form)
        if report.way is Way.WEBHOOK:
            await asyncio.to_thread(
                post_signed,
                report.address,
                body,
                key=due.key,
                content_type=media_type,
                name=due.id,
            )
        elif mail is None:
            return UndeliveredError("no mail server is set (TIMEBANK_MAIL_URL)", is_final=False)
        else:
            message = _mail(due, body, media_type, now=now)
            name = due.id.replace("/", ".")
            await asyncio.to_thread(mail.send, message, name=name)
    except UndeliveredError as failure:
        return failure
    except LibraryMissingError as missing:
        # Told like any other failure: an exception would hold up the reports behind this one.
        return UndeliveredError(f"{report.form} needs {missing}", is_final=False)
    return None


def _mail(due: DueReport, body: bytes, media_type: str, *, now: datetime) -> EmailMessage:
    report = due.report
    mail = EmailMessage()
    mail["To"] = report.address
    mail["Subject"] = f"{report.label} {due.window}"
    mail["Date"] = format_datetime(now)
    mail.set_content(f"{report.label}\n{due.window}\n{report.definition}\n")
    main, _, sub = media_type.partition(";")[0].partition("/")
    mail.add_attachment(
        body,
        maintype=main,
        subtype=sub,
        filename=f"{report.scope.region}-{due.window}.{report.form}",
    )
    return mail
