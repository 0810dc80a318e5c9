"""Messages leave once, through a mail server and a web address that really run, whatever breaks."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from tests.factories import KEY, NINE

from timebank.db import Database
from timebank.domain.delivery import TRIES_MAX, next_try_at
from timebank.services.carrier import AddressMalformedError, MailServer, UndeliveredError
from timebank.services.delivery import deliver_due, keep_delivered
from timebank.services.gateway import Gateway, SmtpGateway, WebhookGateway
from timebank.store import outbox
from timebank.store.outbox import DueMessage
from timebank.store.seal import Seal

SEAL = Seal(KEY)
COUNT = 30


class Mailbox:
    """Takes mail; refuses the first tries where it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.refusals: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop()
        lines = envelope.content.decode().splitlines()
        (number,) = [line for line in lines if line.lower().startswith("message-id:")]
        self.taken.append((envelope.rcpt_tos[0], number, envelope.mail_from))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, SmtpGateway]]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        url = f"smtp://127.0.0.1:{controller.port}/?from=bank@example.org&to={{phone}}@sms.example.org"
        yield mailbox, SmtpGateway.of_url(url)
    finally:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def web_server(answers: list[int]) -> Iterator[tuple[list[tuple[dict[str, str], bytes]], str]]:
    """Takes posts; answers as told, then 204."""
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop() if answers else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield taken, f"http://127.0.0.1:{server.server_port}/messages"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def queue(db: Database, count: int) -> None:
    async with db.write() as conn:
        for number in range(count):
            await outbox.insert_message(
                conn,
                seal=SEAL,
                phone=f"1391234{number:04}",
                text=f"第 {number} 条",
                now=NINE + timedelta(milliseconds=number),
            )


async def test_several_processes_deliver_each_message_once_and_try_again_what_failed(
    db: Database,
) -> None:
    await queue(db, COUNT)
    with mail_server() as (mailbox, gateway):
        mailbox.refusals = ["451 busy"] * 3
        sent = await asyncio.gather(
            *(
                deliver_due(db, seal=SEAL, gateway=gateway, now=NINE + timedelta(seconds=1))
                for _ in range(4)
            )
        )
        assert sum(sent) == COUNT - 3
        # Not again before the pause is over, and then by whoever looks first.
        for seconds, left in ((2, 0), (70, 3), (140, 0)):
            now = NINE + timedelta(seconds=seconds)
            assert await deliver_due(db, seal=SEAL, gateway=gateway, now=now) == left
    assert sorted(to for to, _, _ in mailbox.taken) == [
        f"1391234{number:04}@sms.example.org" for number in range(COUNT)
    ]
    assert len({number for _, number, _ in mailbox.taken}) == COUNT
    async with db.read() as conn:
        assert all(each.sent_at for each in await outbox.list_newest(conn, seal=SEAL, limit=COUNT))


async def test_a_webhook_is_signed_and_what_is_refused_for_good_is_given_up(db: Database) -> None:
    await queue(db, 3)
    key = b"g" * 32
    with web_server([404, 503]) as (taken, url):
        gateway = WebhookGateway(url, key)
        at = NINE + timedelta(seconds=1)
        assert await deliver_due(db, seal=SEAL, gateway=gateway, now=at) == 1
        later = at + timedelta(minutes=2)
        assert await deliver_due(db, seal=SEAL, gateway=gateway, now=later) == 1
        assert await deliver_due(db, seal=SEAL, gateway=gateway, now=later + timedelta(days=2)) == 0
    assert len(taken) == 4
    for headers, body in taken:
        assert headers["timebank-signature"] == hmac.new(key, body, hashlib.sha256).hexdigest()
        assert json.loads(body)["id"] == headers["idempotency-key"]
    numbers = [headers["idempotency-key"] for headers, _ in taken]
    assert len(set(numbers)) == 3
    assert json.loads(taken[0][1])["text"].startswith("第 ")


async def test_a_server_that_is_away_costs_no_message_and_a_day_later_it_is_given_up(
    db: Database,
) -> None:
    await queue(db, 1)
    gone = SmtpGateway(MailServer("127.0.0.1", free_port(), "a@example.org"), "{phone}@example.org")
    now = NINE + timedelta(seconds=1)
    for tries in range(1, TRIES_MAX + 1):
        assert await deliver_due(db, seal=SEAL, gateway=gone, now=now) == 0
        now = next_try_at(tries, now=now) or now + timedelta(days=9)
    with mail_server() as (mailbox, gateway):
        assert await deliver_due(db, seal=SEAL, gateway=gateway, now=now) == 0
        assert mailbox.taken == []
    waited = [next_try_at(tries, now=NINE) for tries in range(1, TRIES_MAX)]
    assert waited == sorted(each for each in waited if each)
    assert (
        timedelta(hours=12)
        < sum((each - NINE for each in waited if each), timedelta())
        < timedelta(days=2)
    )


async def test_the_worker_goes_on_until_it_is_stopped(db: Database) -> None:
    await queue(db, 25)
    stopped = asyncio.Event()
    seen: list[DueMessage] = []

    class Recorder:
        def send(self, message: DueMessage) -> None:
            seen.append(message)
            if len(seen) == 25:
                loop.call_soon_threadsafe(stopped.set)

    loop = asyncio.get_running_loop()
    gateway: Gateway = Recorder()
    await asyncio.wait_for(
        keep_delivered(
            db, seal=SEAL, gateway=gateway, now=lambda: NINE + timedelta(seconds=9), stopped=stopped
        ),
        20,
    )
    assert len({each.id for each in seen}) == 25


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "smtp://host/?to={phone}@x",
        "smtp://host/?from=a@b&to=x@y",
        "http://host/?from=a@b",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(AddressMalformedError):
        SmtpGateway.of_url(url)
    with pytest.raises(AddressMalformedError):
        WebhookGateway("ftp://host", b"")


def test_a_recipient_refused_for_good_is_final() -> None:
    class Refusing(Mailbox):
        async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802
            return "550 no such number"

    controller = Controller(Refusing(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        gateway = SmtpGateway(
            MailServer("127.0.0.1", controller.port, "a@example.org"), "{phone}@x.example"
        )
        with pytest.raises(UndeliveredError) as failed:
            gateway.send(DueMessage(uuid4(), "13912340001", "x", NINE, 1))
        assert failed.value.is_final
    finally:
        controller.stop()
