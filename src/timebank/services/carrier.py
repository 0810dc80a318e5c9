"""The two ways out of the product: a mail server, and a signed call of an address.

Each knows nothing of what it carries. What was carried may arrive twice where an answer was lost:
it has a name, by which whoever takes it can tell.
"""

import hashlib
import hmac
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import parse_qs, unquote, urlsplit

TIMEOUT_SECONDS = 10
"""How long the other side may take: one that is slower is as good as away."""

_REFUSED_FOR_GOOD = range(500, 600)


class AddressMalformedError(ValueError):
    """An address cannot be used."""


class UndeliveredError(Exception):
    """The other side did not take it.

    Attributes:
        is_final: Trying again would not help.
    """

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server that takes what is to be sent.

    Attributes:
        sender: Whom mails are from.
    """

    host: str
    port: int
    sender: str
    is_secure: bool = False
    user: str = ""
    password: str = ""

    @classmethod
    def of_url(cls, url: str) -> "MailServer":
        """Read `smtps://user:password@host:465/?from=…`; `smtp` without encryption.

        Raises:
            AddressMalformedError: It is not such an address.
        """
        parts = urlsplit(url)
        is_secure = parts.scheme == "smtps"
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise AddressMalformedError("a mail server begins with smtp:// or smtps://")
        sender = parse_qs(parts.query).get("from", [""])[0]
        if "@" not in sender:
            raise AddressMalformedError("a mail server needs from=…")
        return cls(
            parts.hostname,
            parts.port or (465 if is_secure else 25),
            sender,
            is_secure,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def send(self, mail: EmailMessage, *, name: str) -> None:
        """Send a mail from the sender; blocks until the server has taken it.

        Raises:
            UndeliveredError: The server did not take it.
        """
        mail["From"] = self.sender
        mail["Message-ID"] = f"<{name}@{self.sender.rpartition('@')[2]}>"
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


def check_webhook(url: str) -> None:
    """Check that something can be posted to an address.

    Raises:
        AddressMalformedError: It is not such an address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressMalformedError("a webhook begins with https:// or http://")


def post_signed(url: str, body: bytes, *, key: bytes, content_type: str, name: str) -> None:
    """Post something to an address; blocks until the other side has taken it.

    The header `Timebank-Signature` is the HMAC-SHA-256 of the body in hexadecimal, and
    `Idempotency-Key` its name: the same one is the same thing, however often it comes. Any answer
    of 2xx takes it; 400 to 499 but 408, 425, 429 refuse it for good.
    Source: RFC 2104.

    Raises:
        UndeliveredError: The other side did not take it.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "content-type": content_type,
        "idempotency-key": name,
        "timebank-signature": hmac.digest(key, body, hashlib.sha256).hex(),
    }
    try:
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise UndeliveredError(type(error).__name__, is_final=False) from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        is_final = 400 <= status < 500 and status not in (408, 425, 429)
        raise UndeliveredError(f"answered {status}", is_final=is_final)
