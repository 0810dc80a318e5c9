"""HTTP/1.1 as the server speaks it, with head and body of an answer in one packet.

The server writes them one after the other, and each write is a system call, a packet, and a reader
that wakes up: a third of all that a small answer costs.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


class Protocol(HttpToolsProtocol):
    """The server's own protocol over a joining transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Speak over a joining transport."""
        super().connection_made(Joining(transport, self.loop))  # type: ignore[arg-type]
