"""The server's answers over a real connection: small ones whole, long ones without delay."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from timebank.http.protocol import Protocol

REQUEST = b"GET /%s HTTP/1.1\r\nhost: timebank.test\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"0" if scope["path"] == "/empty" else b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    match scope["path"]:
        case "/whole":
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
async def connected() -> AsyncIterator[socket.socket]:
    """Serve for the length of the block, and yield a connection to what serves."""
    server = uvicorn.Server(
        uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_level="warning")
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
