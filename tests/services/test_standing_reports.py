"""Reports that go out by themselves: each complete period once, signed, tried again, given up."""

import csv
import hashlib
import hmac
import io
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from openpyxl import load_workbook
from tests.factories import BOOK, KEY, NINE, World
from tests.paper import text_of
from tests.services.test_delivery import free_port, web_server

from timebank.db import Database
from timebank.domain.delivery import TRIES_MAX
from timebank.domain.region import county_code
from timebank.domain.scope import Scope
from timebank.domain.standing_report import (
    StandingRefusal,
    StandingRefused,
    StandingReport,
    Way,
)
from timebank.domain.window import WindowKind
from timebank.http.numbers_file import named_file
from timebank.ledger.export_formats import LibraryMissingError
from timebank.queries.numbers import Numbers
from timebank.services.carrier import MailServer
from timebank.services.errors import NotFoundError
from timebank.services.founding import found_county
from timebank.services.standing_reports import end_report, send_due, set_up_report
from timebank.store.definitions import ACTIVE_RATE
from timebank.store.seal import Seal
from timebank.store.standing_reports import Delivered, find_delivered
from timebank.web.numbers_paper import written

SEAL = Seal(KEY)
APRIL = datetime(2024, 4, 1, 0, 30, tzinfo=UTC)
"""Half past eight in the morning of the first of April, in the book's zone."""


async def set_up(db: Database, **changed: object) -> tuple[StandingReport, str] | StandingRefused:
    asked: dict[str, object] = {
        "scope": Scope(county_code(BOOK)),
        "label": "活跃率月报",
        "metrics": ["active", "active_rate"],
        "definition": ACTIVE_RATE,
        "cadence": WindowKind.MONTH,
        "form": "csv",
        "way": Way.WEBHOOK,
        "address": "http://127.0.0.1:1/",
        "now": NINE,
        **changed,
    }
    return await set_up_report(db, seal=SEAL, **asked)  # type: ignore[arg-type]


async def send(db: Database, *, now: datetime, mail: MailServer | None = None) -> int:
    return await send_due(db, seal=SEAL, mail=mail, write=written, now=now)


async def test_a_month_goes_out_once_signed_and_is_tried_again(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=NINE)
    with web_server([500, 503]) as (taken, url):
        made = await set_up(db, address=url)
        assert not isinstance(made, StandingRefused)
        report, key = made
        # March is not over, and February was before anybody asked.
        assert await send(db, now=NINE + timedelta(days=1)) == 0
        assert taken == []
        assert await send(db, now=APRIL) == 0
        waiting = await _delivered(db, report)
        assert (waiting.window, waiting.sent_at, waiting.note) == ("2024-03", None, "answered 503")
        # Not before its time, and then once, however many processes look.
        assert await send(db, now=APRIL + timedelta(seconds=59)) == 0
        later = APRIL + timedelta(minutes=2)
        assert await send(db, now=later) == 0
        assert (await _delivered(db, report)).note == "answered 500"
        later += timedelta(minutes=10)
        assert await send(db, now=later) + await send(db, now=later) == 1
        assert (await _delivered(db, report)).sent_at == later

    assert len({body for _, body in taken}) == 1
    assert {each["idempotency-key"] for each, _ in taken} == {f"{report.id}/2024-03"}
    _, _, (headers, body) = taken
    assert headers["timebank-signature"] == hmac.digest(key.encode(), body, hashlib.sha256).hex()
    assert headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert (rows[0]["region"], rows[0]["active"]) == (str(county_code(BOOK)), "0")

    await end_report(db, report=report.id, now=later)
    assert await send(db, now=APRIL + timedelta(days=40)) == 0
    with pytest.raises(NotFoundError):
        await end_report(db, report=report.id, now=later)


@pytest.mark.needs_poppler
async def test_what_nobody_takes_is_given_up_and_mail_waits_for_a_server(
    db: Database, world: World
) -> None:
    await found_county(db, book=BOOK, now=NINE)
    gone = await set_up(db, address=f"http://127.0.0.1:{free_port()}/")
    mailed = await set_up(db, way=Way.MAIL, address="office@example.org", form="xlsx")
    printed = await set_up(db, way=Way.MAIL, address="desk@example.org", form="pdf")
    assert not isinstance(gone, StandingRefused)
    assert not isinstance(printed, StandingRefused)
    assert not isinstance(mailed, StandingRefused)
    now = APRIL
    for _ in range(3):
        assert await send(db, now=now) == 0
        now += timedelta(minutes=30)
    assert "TIMEBANK_MAIL_URL" in (await _delivered(db, mailed[0])).note

    letters: list[bytes] = []

    class Mailbox:
        async def handle_DATA(self, *arguments: object) -> str:  # noqa: N802
            letters.append(arguments[2].content)  # type: ignore[attr-defined]
            return "250 OK"

    controller = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        server = MailServer("127.0.0.1", controller.port, "bank@example.org")
        for _ in range(TRIES_MAX):
            await send(db, now=now, mail=server)
            now += timedelta(hours=13)
    finally:
        controller.stop()
    assert (await _delivered(db, gone[0])).failed_at is not None
    both = {read["To"]: read for read in map(message_from_bytes, letters)}
    assert len(letters) == len(both) == 2
    read = both["office@example.org"]
    (attached,) = [part for part in read.walk() if part.get_filename()]
    assert attached.get_filename() == f"{county_code(BOOK)}-2024-03.xlsx"
    payload = attached.get_payload(decode=True)
    assert isinstance(payload, bytes)
    sheet = load_workbook(io.BytesIO(payload))["numbers"]
    assert [cell.value for cell in sheet[1]][-2:] == ["active", "active_rate"]
    assert sheet.cell(2, 1).value == str(county_code(BOOK))
    (attached,) = [each for each in both["desk@example.org"].walk() if each.get_filename()]
    assert attached.get_content_type() == "application/pdf"
    paper = attached.get_payload(decode=True)
    assert isinstance(paper, bytes)
    said = text_of(paper)
    assert "海盐县2024年3月志愿服务数字" in said.replace(" ", "")
    assert "活跃志愿者" in said
    assert "不知道" in said
    assert read["Message-ID"] == f"<{mailed[0].id}.2024-03@example.org>"


async def test_a_form_that_cannot_be_written_holds_up_no_other(db: Database) -> None:
    await found_county(db, book=BOOK, now=NINE)

    def write(numbers: Numbers, form: str) -> tuple[bytes, str]:
        if form == "parquet":
            raise LibraryMissingError("pyarrow")
        return named_file(numbers, form)

    with web_server([]) as (taken, url):
        stuck = await set_up(db, address=url, form="parquet")
        assert not isinstance(stuck, StandingRefused)
        await set_up(db, address=url, now=NINE + timedelta(hours=1))
        assert await send_due(db, seal=SEAL, mail=None, write=write, now=APRIL) == 1
    assert len(taken) == 1
    assert (await _delivered(db, stuck[0])).note == "parquet needs pyarrow"


async def test_what_cannot_go_out_is_refused(db: Database) -> None:
    for changed, reason in (
        ({"label": " "}, StandingRefusal.LABEL_LENGTH),
        ({"metrics": ["nothing"]}, StandingRefusal.METRIC_UNKNOWN),
        ({"metrics": ["cohort_retention"]}, StandingRefusal.METRIC_UNKNOWN),
        ({"metrics": []}, StandingRefusal.METRIC_UNKNOWN),
        ({"definition": "unheard-of"}, StandingRefusal.DEFINITION_UNKNOWN),
        ({"cadence": WindowKind.EVER}, StandingRefusal.CADENCE),
        ({"address": "ftp://example.org"}, StandingRefusal.ADDRESS),
        ({"address": "http://"}, StandingRefusal.ADDRESS),
        ({"way": Way.MAIL, "address": "nobody"}, StandingRefusal.ADDRESS),
        ({"way": Way.MAIL, "address": "a@b.c\r\nBcc: d@e.f"}, StandingRefusal.ADDRESS),
    ):
        assert await set_up(db, **changed) == StandingRefused(reason)
    with pytest.raises(NotFoundError):
        await end_report(db, report=uuid4(), now=NINE)


async def _delivered(db: Database, report: StandingReport) -> Delivered:
    async with db.read() as conn:
        found = await find_delivered(conn, report=report.id)
    assert found is not None
    return found
