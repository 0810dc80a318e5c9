"""Ways in which a message to a phone leaves the product: by mail, or by a signed call."""

import json
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from timebank.services.carrier import (
    AddressMalformedError,
    MailServer,
    check_webhook,
    post_signed,
)
from timebank.store.outbox import DueMessage


class Gateway(Protocol):
    """Sends one message; blocks until the other side has taken it."""

    def send(self, message: DueMessage) -> None:
        """Send a message.

        Raises:
            UndeliveredError: The other side did not take it.
        """


@dataclass(frozen=True, slots=True)
class SmtpGateway:
    """Hands messages to a mail server, for a short-message centre or as mail.

    Attributes:
        to: The address of a number, with `{phone}` in it.
    """

    server: MailServer
    to: str

    @classmethod
    def of_url(cls, url: str) -> "SmtpGateway":
        """Read a mail server's address that also says `to={phone}@…`.

        Raises:
            AddressMalformedError: It is not such an address.
        """
        server = MailServer.of_url(url)
        to = parse_qs(urlsplit(url).query).get("to", [""])[0]
        if "{phone}" not in to:
            raise AddressMalformedError("an SMTP gateway needs from=… and to=…{phone}…")
        return cls(server, to)

    def send(self, message: DueMessage) -> None:
        """Send a message as mail; its number is the Message-ID."""
        mail = EmailMessage()
        mail["To"] = self.to.replace("{phone}", message.phone)
        mail["Subject"] = message.text[:40]
        mail["Date"] = format_datetime(message.queued_at)
        mail.set_content(message.text)
        self.server.send(mail, name=str(message.id))


@dataclass(frozen=True, slots=True)
class WebhookGateway:
    """Posts messages to an address as JSON, signed; see `carrier.post_signed`."""

    url: str
    key: bytes

    def __post_init__(self) -> None:
        check_webhook(self.url)

    def send(self, message: DueMessage) -> None:
        """Post a message under its number."""
        body = json.dumps(
            {
                "id": str(message.id),
                "phone": message.phone,
                "text": message.text,
                "queued_at": message.queued_at.isoformat(),
            },
            ensure_ascii=False,
        ).encode()
        post_signed(
            self.url,
            body,
            key=self.key,
            content_type="application/json",
            name=str(message.id),
        )
