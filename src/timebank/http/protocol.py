"""HTTP/1.1 as the server speaks it: whole answers in one packet, and a short way for the scan.

The server writes head and body one after the other, and each write is a system call, a packet, and
a reader that wakes up: a third of all that a small answer costs.

The one request that many phones make in the same minute goes a way of its own: the same parser
reads it, but no task, no scope and no messages are made for it. The framework's way costs more than
the scan.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, and values, as they were sent."""

Respond = Callable[[int, bytes, bytes], None]
"""Is told status, content type and body, once, and whenever they are known."""

Direct = Callable[[Headers, bytes, Respond], None]
"""Answers a POST: takes headers and body."""

DIRECT_BODY_BYTES_MAX = 2_048
"""A receipt has 66 characters, a phone's proof 300; anything longer is not a check-in.

One byte more is handed on, so that who answers can say so."""

_HEAD_END = b"\r\n\r\n"


class Joining:
    """A transport that holds an answer's head back for its body, until the loop's next turn."""

    __slots__ = (
        "_held",
        "_loop",
        "_transport",
        "get_extra_info",
        "is_closing",
        "pause_reading",
        "resume_reading",
        "set_protocol",
    )

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them back if they are a head."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif data.endswith(_HEAD_END) and data.startswith(b"HTTP/1.1 "):
            self._held = data
            # An answer whose body comes later, such as a stream of events, is not to wait for it.
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Send what is held back, unless nobody listens any more."""
        held, self._held = self._held, b""
        if held and not self.is_closing():
            self._transport.write(held)

    def close(self) -> None:
        """Send what is held back and hang up."""
        self.flush()
        self._transport.close()


class _NoEvent:
    """What the server wakes when a client leaves: nobody sleeps on the short way."""

    __slots__ = ()

    def set(self) -> None:
        """Do nothing."""


class _DirectCycle:
    """One request on the short way, with what the server's protocol asks of a request.

    Attributes:
        keep_alive: The server sets it to False when it shuts down.
        disconnected: The client left; the scan is recorded all the same.
    """

    __slots__ = ("body", "direct", "disconnected", "keep_alive", "protocol", "response_complete")

    message_event = _NoEvent()

    def __init__(self, protocol: "Protocol", direct: Direct) -> None:
        self.protocol = protocol
        self.direct = direct
        self.body = b""
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    def respond(self, status: int, content_type: bytes, body: bytes) -> None:
        """Send the answer, in one packet."""
        self.response_complete = True
        protocol = self.protocol
        if self.disconnected or protocol.transport.is_closing():
            return
        head = protocol.head_of(status, content_type)
        if self.keep_alive:
            protocol.transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
        else:
            protocol.transport.write(
                b"%b%d\r\nconnection: close\r\n\r\n%b" % (head, len(body), body)
            )
            protocol.transport.close()
        protocol.on_response_complete()


class Protocol(HttpToolsProtocol):
    """The server's own protocol over a joining transport, with the application's short ways.

    An application has them as `direct`: for each path, what answers a POST to it. Whatever is not
    plain about a request, such as a query, an upgrade or a client that wants to hang up, sends it
    the framework's way.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.direct: Mapping[bytes, Direct] = getattr(self.app, "direct", {})
        self.direct_headers: Headers = getattr(self.app, "direct_headers", ())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Speak over a joining transport."""
        super().connection_made(Joining(transport, self.loop))  # type: ignore[arg-type]

    def on_headers_complete(self) -> None:
        """Choose the way of a request whose head is read."""
        direct = self.direct.get(self.url)
        if (
            direct is None
            or self.parser.get_method() != b"POST"
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
            or self.parser.should_upgrade()
            or self.expect_100_continue
            or not getattr(self.cycle, "response_complete", True)
        ):
            super().on_headers_complete()
        else:
            self.cycle = _DirectCycle(self, direct)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Take a piece of a request's body."""
        cycle = self.cycle
        if isinstance(cycle, _DirectCycle):
            if len(cycle.body) <= DIRECT_BODY_BYTES_MAX:
                cycle.body = (cycle.body + body)[: DIRECT_BODY_BYTES_MAX + 1]
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer a request that is read to its end."""
        cycle = self.cycle
        if isinstance(cycle, _DirectCycle):
            cycle.direct(self.headers, cycle.body, cycle.respond)
        else:
            super().on_message_complete()

    def head_of(self, status: int, content_type: bytes) -> bytes:
        """Return the head of an answer up to the number of its content's bytes."""
        of_server = tuple(self.server_state.default_headers)
        return _head(status, content_type, of_server, self.direct_headers)


@lru_cache(maxsize=64)
def _head(status: int, content_type: bytes, *headers: Headers) -> bytes:
    # Made anew each second, for the date.
    lines = [line for each in headers for line in each]
    lines.append((b"content-type", content_type))
    head = b"".join(b"%b: %b\r\n" % line for line in lines)
    return b"%b%bcontent-length: " % (STATUS_LINE[status], head)
