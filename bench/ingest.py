"""Events accepted durably per second, and how long a sender waits when 10,000 a second are offered.

Usage: python bench/ingest.py [SECONDS]

Server and load generator are two processes that share the machine's cores. The load generator sends batches of 50 track
calls, each with an id of its own and some 500 bytes, as the library for Node writes them; all requests are written
before, connections stay open, so that a request costs it a write and a read.
First 32 connections send as fast as answers come. Then requests fall due at even intervals, whatever the server does
(half the rate that is aimed at), and the wait of each counts from the instant at which it was due. A 200 of the event
API comes after the commit (SQLite, synchronous FULL); at the end every message that was acknowledged is looked for in
the file. The peer reads the body and answers. CPU is named beside each rate: on a machine that does other things as
well, it says more than the clock.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from aimwell.store.ledger.arrivals import last_seq
from aimwell.store.ledger.inbox import Inbox
from aimwell.store.ledger.ledger import open_ledger
from aimwell.web.server.events import event_api
from aimwell.web.server.keys import key_of
from aimwell.web.server.limits import Pace
from aimwell.web.server.run import serve

SECRET = "bench-key-0123456789"  # noqa: S105
BATCH = 50
CONNECTIONS = 32
SECONDS = 8.0
OFFERED = 10_000
"""Events a second in the second part: half of what is aimed at."""


@dataclass(frozen=True)
class Run:
    """What one run showed: events that were answered, in which time, and the waits of its requests in seconds.

    server_cpu, sender_cpu: seconds of processor time that the two processes took for them.
    """

    events: int
    seconds: float
    waits: list[float]
    server_cpu: float
    sender_cpu: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    def wait(self, share: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))] * 1000

    def __str__(self) -> str:
        thousands = self.events / 1000
        return (
            f"{self.rate:,.0f} events/s, p50 {self.wait(0.5):.1f} ms, p99 {self.wait(0.99):.1f} ms; "
            f"CPU per 1,000 events: server {self.server_cpu / thousands * 1000:.1f} ms, "
            f"sender {self.sender_cpu / thousands * 1000:.1f} ms"
        )


def main(seconds: float) -> None:
    """Measure both servers and print what they showed."""
    print(f"batches of {BATCH}, {CONNECTIONS} connections, {seconds:g} s each; server and sender on the same cores")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ours, peer = (measure(kind, seconds) for kind in ("events", "peer"))
    for name, (fast, paced) in {"Aimwell, committed": ours, "peer, kept nowhere": peer}.items():
        print(f"{name}, as fast as it answers: {fast}")
        print(f"{name}, {OFFERED:,}/s offered: {paced}")
    print(f"ratio to the peer: {ours[0].rate / peer[0].rate:.2f} of its rate")


def measure(kind: str, seconds: float) -> tuple[Run, Run]:
    """Start a server of its own process, send as fast as it answers, then at the rate that is offered."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", kind, folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            run(url, server.pid, make_requests(40), None)  # the first requests compile statements
            fast = run(url, server.pid, make_requests(int(seconds * 1_000)), None, seconds)
            rate = OFFERED / BATCH
            paced = run(url, server.pid, make_requests(int(seconds * rate)), rate)
            server.terminate()
            server.wait()
        if kind == "events":
            with closing(open_ledger(Path(folder))) as ledger, ledger.reading_events() as connection:
                assert last_seq(connection) == fast.events + paced.events + 40 * BATCH, (
                    "an acknowledged event is missing"
                )
    return fast, paced


def run(url: str, server: int, requests: list[bytes], rate: float | None, seconds: float = 3600) -> Run:
    """Send requests and note what they cost the process of the server and this one."""
    theirs, mine, began = cpu_of(server), time.process_time(), time.perf_counter()
    waits = asyncio.run(send(url, requests, rate, seconds))
    took = time.perf_counter() - began
    return Run(len(waits) * BATCH, took, waits, cpu_of(server) - theirs, time.process_time() - mine)


def cpu_of(process: int) -> float:
    """Seconds of processor time that a process has taken so far, all its threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_made = 0


def make_requests(count: int) -> list[bytes]:
    """Whole HTTP requests, every message with an id that no other has."""
    global _made  # noqa: PLW0603
    requests = []
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for number in range(_made, _made + count):
        body = msgspec.json.encode(
            {"batch": [_event(number, item, now) for item in range(BATCH)], "writeKey": SECRET, "sentAt": now}
        )
        head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: "
        requests.append(f"{head}{len(body)}\r\n\r\n".encode() + body)
    _made += count
    return requests


def _event(number: int, item: int, now: str) -> dict[str, object]:
    return {
        "userId": f"u{(number * BATCH + item) % 100_000}",
        "event": "Order Completed",
        "properties": {
            "order_id": f"o{number}-{item}",
            "total": 27.5,
            "currency": "CNY",
            "products": [
                {"sku": "45790-32", "price": 19, "quantity": 1},
                {"sku": "46493-32", "price": 8.5, "quantity": 1},
            ],
        },
        "type": "track",
        "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}},
        "timestamp": now,
        "messageId": f"node-next-1772352000000-{number:08d}-2d2c-4a52-9a55-7d1d3f5a{item:04d}",
        "integrations": {},
        "_metadata": {"nodeVersion": "20.11.0", "jsRuntime": "node"},
    }


async def send(url: str, requests: list[bytes], rate: float | None, seconds: float) -> list[float]:
    """Send requests over all connections: as fast as answers come, or so many a second, for so long at most.

    Returns how long each waited, from the instant at which it was due.
    """
    waits: list[float] = []
    queue = iter(enumerate(requests))
    began = time.perf_counter()

    async def work() -> None:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        for number, request in queue:
            due = began + number / rate if rate else time.perf_counter()
            if due - began > seconds:
                break
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            waits.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return waits


def run_server(kind: str, folder: Path, ready: Callable[[str], None]) -> None:
    """The event API on a ledger in a folder, or the peer."""
    if kind == "peer":
        serve(make_peer(), port=0, ready=ready)
        return
    with closing(open_ledger(folder)) as ledger:
        pace = Pace(per_second=1e9, burst=1e9)
        serve(event_api(Inbox(ledger), [key_of("bench", SECRET)], pace=pace), port=0, ready=ready)


def make_peer() -> FastAPI:
    """An application of the same framework that reads the body and answers, nothing more."""
    app = FastAPI()

    @app.post("/v1/batch", response_model=None)
    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"success": True})

    return app


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        run_server(sys.argv[2], Path(sys.argv[3]), lambda url: print(url, flush=True))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
