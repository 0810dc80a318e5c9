"""Sends check-ins as people come: so many a second, whether those before are answered or not.

Without a rate it does what scan.lua does where wrk is not installed, with far more of the machine's
time: each client sends its next one when the last was answered.

Arguments: port, clients, seconds, file and, if any, the rate. Prints one line of JSON, the same that
scan.lua prints. With a rate, an answer's time counts from when its check-in was due, so that waiting
for a free connection is waiting.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop


class Crowd:
    """The check-ins to send, and who sends them when.

    Attributes:
        idle: Connections that wait for a check-in to become due.
        latencies: Seconds from when a check-in was due to its answer.
    """

    def __init__(self, checkins: Iterator[str], *, seconds: float, rate: float | None) -> None:
        self.checkins = checkins
        self.rate = rate
        self.started = time.perf_counter()
        self.until = self.started + seconds
        self.sent = 0
        self.idle: list[Phone] = []
        self.latencies: list[float] = []
        self.refused = 0

    def next_due(self, now: float) -> float | None:
        """Return when the next check-in was due; None where none is yet, or none comes any more."""
        due = now if self.rate is None else self.started + self.sent / self.rate
        return due if due <= now and due < self.until else None

    async def send_due(self) -> None:
        """Send what becomes due, through whoever is idle, until the time is over."""
        while (now := time.perf_counter()) < self.until:
            while self.idle and (due := self.next_due(now)) is not None:
                self.idle.pop().send(due)
            await asyncio.sleep(0.001)


class Phone(asyncio.Protocol):
    """One keep-alive connection that sends one check-in after another."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.go_on()

    def go_on(self) -> None:
        now = time.perf_counter()
        due = self.crowd.next_due(now)
        if due is not None:
            self.send(due)
        elif now >= self.crowd.until:
            self.transport.close()
        else:
            self.crowd.idle.append(self)

    def send(self, due: float) -> None:
        line = next(self.crowd.checkins, None)
        if line is None:
            self.crowd.refused += 1
            self.transport.close()
            return
        self.crowd.sent += 1
        self.due = due
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
        self.crowd.latencies.append(time.perf_counter() - self.due)
        self.crowd.refused += not self.buffer.startswith(b"HTTP/1.1 200 ")
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.done.set_result(None)


async def main(port: int, clients: int, seconds: float, file: Path, rate: float | None) -> None:
    loop = asyncio.get_running_loop()
    with file.open(encoding="ascii") as stream:
        checkins = (line.rstrip("\n") for line in stream)
        crowd = Crowd(checkins, seconds=seconds, rate=rate)
        phones = [Phone(crowd) for _ in range(clients)]
        for phone in phones:
            await loop.create_connection(lambda phone=phone: phone, "127.0.0.1", port)
        await crowd.send_due()
        for phone in crowd.idle:
            phone.transport.close()
        await asyncio.gather(*(phone.done for phone in phones))
        took = time.perf_counter() - crowd.started
    latencies = sorted(crowd.latencies)
    print(
        json.dumps(
            {
                "answers": len(latencies),
                "seconds": took,
                "refused": crowd.refused,
                "failed": 0,
                "p50_ms": 1e3 * latencies[len(latencies) // 2],
                "p99_ms": 1e3 * latencies[len(latencies) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    given_rate = float(sys.argv[5]) if len(sys.argv) > 5 else None
    uvloop.run(
        main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]), given_rate)
    )
