"""Sends check-ins where wrk is not installed: what scan.lua does, with far more of the machine's time.

Arguments: port, clients, seconds, file. Prints one line of JSON, the same that scan.lua prints.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop


class Phone(asyncio.Protocol):
    """One keep-alive connection that sends its next check-in when the last one was answered."""

    def __init__(self, checkins: Iterator[str], until: float) -> None:
        self.checkins = checkins
        self.until = until
        self.latencies: list[float] = []
        self.refused = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.send()

    def send(self) -> None:
        line = next(self.checkins, None)
        self.sent_at = time.perf_counter()
        if line is None or self.sent_at >= self.until:
            self.refused += line is None
            self.transport.close()
            return
        token, _, receipt = line.partition(" ")
        body = f'{{"receipt":"{receipt}"}}'
        self.buffer = b""
        self.transport.write(
            "POST /api/checkins HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Sec-Fetch-Site: same-origin\r\nCookie: timebank_sign_in={token}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        # Every answer is one small JSON object, in chunks or with its length.
        if not self.buffer.endswith((b"}", b"\r\n0\r\n\r\n")):
            return
        self.latencies.append(time.perf_counter() - self.sent_at)
        self.refused += not self.buffer.startswith(b"HTTP/1.1 200 ")
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.done.set_result(None)


async def main(port: int, clients: int, seconds: float, file: Path) -> None:
    loop = asyncio.get_running_loop()
    with file.open(encoding="ascii") as stream:
        checkins = (line.rstrip("\n") for line in stream)
        started = time.perf_counter()
        phones = [Phone(checkins, started + seconds) for _ in range(clients)]
        for phone in phones:
            await loop.create_connection(lambda phone=phone: phone, "127.0.0.1", port)
        await asyncio.gather(*(phone.done for phone in phones))
        took = time.perf_counter() - started
    latencies = sorted(each for phone in phones for each in phone.latencies)
    print(
        json.dumps(
            {
                "answers": len(latencies),
                "seconds": took,
                "refused": sum(phone.refused for phone in phones),
                "failed": 0,
                "p50_ms": 1e3 * latencies[len(latencies) // 2],
                "p99_ms": 1e3 * latencies[len(latencies) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
