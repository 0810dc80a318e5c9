"""Ways in which a message leaves the product: mail to a short-message centre, or a signed call.

Each is tried by the delivery and knows nothing of the database. A message may arrive twice where an
answer was lost: it carries its number, by which whoever takes it can tell.
"""

import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from timebank.store.outbox import DueMessage

TIMEOUT_SECONDS = 10
"""How long a gateway may take: a centre that is slower is as good as away."""

_REFUSED_FOR_GOOD = range(500, 600)


class GatewayMalformedError(ValueError):
    """The address of a gateway cannot be used."""


class UndeliveredError(Exception):
    """The message did not leave.

    Attributes:
        is_final: Trying again would not help.
    """

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


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

    host: str
    port: int
    sender: str
    to: str
    is_secure: bool = False
    user: str = ""
    password: str = ""

    @classmethod
    def of_url(cls, url: str) -> "SmtpGateway":
        """Read `smtps://user:password@host:465/?from=…&to={phone}@…`; `smtp` without encryption.

        Raises:
            GatewayMalformedError: It is not such an address.
        """
        parts = urlsplit(url)
        values = {name: each[0] for name, each in parse_qs(parts.query).items()}
        is_secure = parts.scheme == "smtps"
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise GatewayMalformedError("an SMTP gateway begins with smtp:// or smtps://")
        if "{phone}" not in values.get("to", "") or "@" not in values.get("from", ""):
            raise GatewayMalformedError("an SMTP gateway needs from=… and to=…{phone}…")
        return cls(
            parts.hostname,
            parts.port or (465 if is_secure else 25),
            values["from"],
            values["to"],
            is_secure,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def send(self, message: DueMessage) -> None:
        """Send a message as mail; its number is the Message-ID."""
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = self.to.replace("{phone}", message.phone)
        mail["Subject"] = message.text[:40]
        mail["Date"] = format_datetime(message.queued_at)
        mail["Message-ID"] = f"<{message.id}@{self.sender.rpartition('@')[2]}>"
        mail.set_content(message.text)
        try:
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            is_final = all(code in _REFUSED_FOR_GOOD for code in codes)
            raise UndeliveredError(f"recipient refused: {codes}", is_final=is_final) from None
        except smtplib.SMTPResponseException as error:
            is_final = error.smtp_code in _REFUSED_FOR_GOOD
            raise UndeliveredError(f"refused: {error.smtp_code}", is_final=is_final) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(type(error).__name__, is_final=False) from None

    def _connect(self) -> smtplib.SMTP:
        if self.is_secure:
            return smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True, slots=True)
class WebhookGateway:
    """Posts messages to an address as JSON, signed.

    The header `Timebank-Signature` is the HMAC-SHA-256 of the body in hexadecimal, and
    `Idempotency-Key` the message's number: the same one is the same
    message, however often it comes.
    Source: RFC 2104.
    """

    url: str
    key: bytes

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GatewayMalformedError("a webhook begins with https:// or http://")

    def send(self, message: DueMessage) -> None:
        """Post a message; any answer of 2xx takes it, 400 to 499 but 408, 425, 429 refuse it."""
        body = json.dumps(
            {
                "id": str(message.id),
                "phone": message.phone,
                "text": message.text,
                "queued_at": message.queued_at.isoformat(),
            },
            ensure_ascii=False,
        ).encode()
        status = self._post(
            body,
            {
                "content-type": "application/json",
                "idempotency-key": str(message.id),
                "timebank-signature": hmac.digest(self.key, body, hashlib.sha256).hex(),
            },
        )
        if not 200 <= status < 300:
            is_final = 400 <= status < 500 and status not in (408, 425, 429)
            raise UndeliveredError(f"answered {status}", is_final=is_final)

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", path, body, dict(headers))
            return connection.getresponse().status
        except (OSError, HTTPException) as error:
            raise UndeliveredError(type(error).__name__, is_final=False) from None
        finally:
            connection.close()
