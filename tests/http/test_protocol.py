"""The server's answers over a real connection: small ones whole, long ones without delay."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from timebank.http.protocol import DIRECT_BODY_BYTES_MAX, Headers, Protocol, Respond

REQUEST = b"GET /%s HTTP/1.1\r\nhost: timebank.test\r\n\r\n"


class Application:
    """Answers `/counted` the short way: how many bytes it was sent, and what cookie."""

    direct_headers = ((b"cache-control", b"no-store"),)

    def __init__(self) -> None:
        self.direct = {b"/counted": self.count}
        self.waiting: list[tuple[bytes, Respond]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    def count(self, headers: Headers, content: bytes, respond: Respond) -> None:
        cookie = dict(headers).get(b"cookie", b"")
        answer = b"%d %b" % (len(content), cookie)
        if cookie == b"later":
            self.waiting.append((answer, respond))
        else:
            respond(200, b"text/plain", answer)

    def answer(self) -> None:
        for answer, respond in self.waiting:
            respond(200, b"text/plain", answer)
        self.waiting = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"0" if scope["path"] == "/empty" else b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    match scope["path"]:
        case "/whole" | "/counted":
            await send({"type": "http.response.body", "body": b"body"})
        case "/empty":
            await send({"type": "http.response.body", "body": b""})
        case "/slow":
            await asyncio.sleep(0.2)
            await send({"type": "http.response.body", "body": b"body"})
        case "/parts":
            await send({"type": "http.response.body", "body": b"bo", "more_body": True})
            await asyncio.sleep(0.2)
            await send({"type": "http.response.body", "body": b"dy"})


@asynccontextmanager
async def connected(served: Any = app) -> AsyncIterator[socket.socket]:
    """Serve for the length of the block, and yield a connection to what serves."""
    server = uvicorn.Server(
        uvicorn.Config(
            served,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            proxy_headers=False,
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        with socket.socket() as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, listening.getsockname())
            yield client
        server.should_exit = True
        await serving


async def ask(client: socket.socket, path: bytes) -> bytes:
    """Return what one packet of the answer holds."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, REQUEST % path)
    return await loop.sock_recv(client, 65_536)


async def test_head_and_body_leave_together() -> None:
    async with connected() as client:
        for _ in range(20):
            assert (await ask(client, b"whole")).endswith(b"\r\n\r\nbody")


async def test_an_answer_without_a_body_is_whole() -> None:
    async with connected() as client:
        assert (await ask(client, b"empty")).endswith(b"content-length: 0\r\n\r\n")
        assert (await ask(client, b"whole")).endswith(b"\r\n\r\nbody")


async def test_a_head_does_not_wait_for_a_late_body() -> None:
    async with connected() as client:
        assert (await ask(client, b"slow")).endswith(b"\r\n\r\n")
        assert await asyncio.get_running_loop().sock_recv(client, 65_536) == b"body"


async def test_a_stream_is_sent_as_it_comes() -> None:
    async with connected() as client:
        assert (await ask(client, b"parts")).endswith(b"\r\n\r\nbo")
        assert await asyncio.get_running_loop().sock_recv(client, 65_536) == b"dy"


POST = (
    b"POST /counted HTTP/1.1\r\nhost: timebank.test\r\ncookie: %s\r\ncontent-length: %d\r\n\r\n%s"
)


async def say(client: socket.socket, *pieces: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    for piece in pieces:
        await loop.sock_sendall(client, piece)
        await asyncio.sleep(0.02)
    return await loop.sock_recv(client, 65_536)


async def test_the_short_way_answers_as_the_framework_would() -> None:
    async with connected(Application()) as client:
        whole = await say(client, POST % (b"a=b", 5, b"hello"))
        assert whole.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert b"\r\ncache-control: no-store\r\ncontent-type: text/plain\r\n" in whole
        assert whole.endswith(b"\r\ncontent-length: 5\r\n\r\n5 a=b")
        # In pieces, too long, and in chunks, on the same connection.
        request = POST % (b"a=b", 5, b"hello")
        assert (await say(client, request[:30], request[30:-2], request[-2:])).endswith(b"5 a=b")
        long = POST % (b"", 10_000, b"x" * 10_000)
        assert (await say(client, long)).endswith(b"\r\n%d " % (DIRECT_BODY_BYTES_MAX + 1))
        chunked = (
            b"POST /counted HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        assert (await say(client, chunked)).endswith(b"\r\n3 ")


async def test_what_is_not_plain_goes_the_long_way() -> None:
    async with connected(Application()) as client:
        for head in (b"GET /counted HTTP/1.1", b"POST /counted?x=1 HTTP/1.1"):
            answer = await say(client, head + b"\r\ncontent-length: 0\r\n\r\n")
            assert b"content-length: 4" in answer
        last = await say(
            client, POST.replace(b"host", b"connection: close\r\nhost") % (b"", 0, b"")
        )
        assert b"content-length: 4" in last


async def test_answers_keep_the_order_of_their_requests() -> None:
    served = Application()
    async with connected(served) as client:
        requests = POST % (b"later", 2, b"ab") + POST % (b"b=c", 3, b"abc") + REQUEST % b"empty"
        await asyncio.get_running_loop().sock_sendall(client, requests)
        await asyncio.sleep(0.05)
        assert len(served.waiting) == 1

        served.answer()

        first = await say(client)
        await asyncio.sleep(0.05)
        answers = first + (await say(client) if first.count(b"HTTP/1.1") < 3 else b"")
        bodies = [each.partition(b"\r\n\r\n")[2] for each in answers.split(b"HTTP/1.1 200 OK")[1:]]
        assert bodies[0] == b"2 later"
        assert len(bodies) == 3


async def test_who_hangs_up_before_the_answer_disturbs_nobody() -> None:
    served = Application()
    async with connected(served) as client:
        loop = asyncio.get_running_loop()
        with socket.socket() as other:
            other.setblocking(False)
            await loop.sock_connect(other, client.getpeername())
            await loop.sock_sendall(other, POST % (b"later", 2, b"ab"))
            await loop.sock_sendall(client, POST % (b"later", 1, b"a"))
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)

        served.answer()

        assert (await say(client)).endswith(b"1 later")


async def test_a_server_that_stops_answers_what_it_holds_and_hangs_up() -> None:
    served = Application()
    async with connected(served) as client:
        await asyncio.get_running_loop().sock_sendall(client, POST % (b"later", 1, b"a"))
        await asyncio.sleep(0.05)
        cycle = served.waiting[0][1].__self__  # type: ignore[attr-defined]
        cycle.protocol.shutdown()

        served.answer()

        answer = await say(client)
        assert answer.endswith(b"\r\nconnection: close\r\n\r\n1 later")
        assert await say(client) == b""
