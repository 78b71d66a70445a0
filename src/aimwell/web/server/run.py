"""Runs a web application until it is told to end; whatever it has taken is then finished before it ends."""

from __future__ import annotations

import gc
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from socket import socket

import uvicorn
from starlette.types import ASGIApp

from aimwell.core.errors import Unavailable

GRACE_SECONDS = 20
"""How long requests that were begun may go on after the signal to end."""

SWITCH_SECONDS = 0.002
"""How long one thread keeps the interpreter while another waits. A commit takes it a dozen times from the thread that
reads requests and waits so long each time; below this, the two throw each other's work out of the processor's cache."""

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


def serve(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 8000, *, ready: Callable[[str], None] | None = None
) -> None:
    """Serve an application in this process until SIGINT or SIGTERM, then let it finish and return.

    port: 0 takes any free one.   ready: is called once with the address, as soon as requests are answered.
    Requests under way are answered, the application's own end (the inbox commits what it holds) is waited for.
    """
    with _ending_quietly(), _switching_quickly(), _keeping_what_is_loaded():
        _Server(app, host, port, ready).run()


@contextmanager
def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application in a thread while the block runs; gives its address, and ends as gracefully as `serve`.

    Raises Unavailable if it cannot start, for instance because the port is taken.
    """
    started: Future[str] = Future()
    server = _Server(app, host, port, started.set_result)
    thread = threading.Thread(target=_run, args=(server, started), name="aimwell-server")
    thread.start()
    try:
        yield started.result()
    finally:
        server.should_exit = True
        thread.join()


def log_as_json(level: int = logging.INFO) -> None:
    """Write what happens to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """A line of a log as JSON: instant, level, logger, message, and what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it answers and at which address."""

    def __init__(self, app: ASGIApp, host: str, port: int, ready: Callable[[str], None] | None) -> None:
        config = uvicorn.Config(
            app,
            host,
            port,
            log_config=None,
            access_log=False,  # it would print addresses of people's devices, and write keys in paths
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


def _run(server: _Server, started: Future[str]) -> None:
    try:
        server.run()
    except SystemExit:  # so uvicorn ends when it cannot listen
        pass
    finally:
        if not started.done():
            problem = Unavailable("The server could not start", remedy="Look at the log; is the port taken?")
            started.set_exception(problem)


@contextmanager
def _switching_quickly() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _keeping_what_is_loaded() -> Iterator[None]:
    """Take the application itself out of what the collector of garbage looks through: a full look costs 80 to 300 ms,
    and every request waits for it."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more when it is done: nothing is left to be ended then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
