"""The peers of channels on loopback, and for each kind settings that reach its peer.

A new channel adds a function here that starts its peer and gives settings; without it the contract fails.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.delivery.channels.parcels import NOW

from aimwell.delivery.channels.mailbox import letters
from aimwell.delivery.channels.onsite import OnsiteSettings, poll
from aimwell.delivery.channels.simulated import counts
from aimwell.delivery.letters import message_id

SECRET = "s3cr3t-Zq9-never-shown"
SECRETS = {"SMTP_PASSWORD": SECRET, "SMS_TOKEN": SECRET, "HOOK_SECRET": SECRET, "SMS_CALLBACK": SECRET}


@dataclass
class Peer:
    """What a contract needs to know of a peer: settings that lead to it, an address, and what it got by key."""

    settings: Mapping[str, object]
    address: str
    got: Callable[[Path, str], int]


@dataclass
class Answer:
    """What the HTTP peer does with a request: status, headers and body, after a wait, or hanging up without a word."""

    status: int = 200
    body: bytes = b'{"id": "m1"}'
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    hang_up: bool = False
    drip: float = 0.0


@dataclass
class Call:
    """One request that the HTTP peer got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class WebPeer:
    """A real HTTP server on loopback that answers as told and remembers every request."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = lambda call: Answer()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                peer.serve(self)

            do_GET = do_PUT = do_HEAD = do_POST  # noqa: N815 # the library's names

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        call = Call(handler.command, handler.path, dict(handler.headers.items()), body)
        self.calls.append(call)
        answer = self.answer(call)
        time.sleep(answer.wait)
        if answer.hang_up:
            handler.close_connection = True
            return
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            for byte in answer.body:
                if answer.drip:
                    time.sleep(answer.drip)
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
            if not answer.drip:
                handler.wfile.write(answer.body)
        except OSError:
            handler.close_connection = True

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def web_peer() -> Iterator[WebPeer]:
    peer = WebPeer()
    try:
        yield peer
    finally:
        peer.close()


class Mailroom:
    """What the mail server does with each recipient, and what it got."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.recipient: Callable[[str], str] = lambda address: "250 OK"
        self.data: Callable[[Envelope], str] = lambda envelope: "250 taken as 7"
        self.connections = 0
        self.hang_up_after_data = False

    async def handle_EHLO(  # noqa: N802 # the library's names
        self, server: SMTP, session: Session, envelope: Envelope, host: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = host
        return answers

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipient(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hang_up_after_data:
            self.envelopes.append(envelope)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 gone"
        answer = self.data(envelope)
        if answer.startswith("250"):
            self.envelopes.append(envelope)
        return answer


class _Anywhere(Controller):
    """A mail server at a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call] # the library has types for most


@contextmanager
def mail_peer(mailroom: Mailroom, **options: Any) -> Iterator[int]:
    """A real mail server on loopback; gives its port."""
    controller = _Anywhere(mailroom, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def _mailbox() -> Iterator[Peer]:
    yield Peer({}, "c1", lambda place, key: sum(letter.key == key for letter in letters(place, limit=1_000)))


@contextmanager
def _onsite() -> Iterator[Peer]:
    many = OnsiteSettings(at_once=50)

    def got(place: Path, key: str) -> int:
        return sum(one.key == key for one in poll(place, "c1", NOW, settings=many))

    yield Peer(
        {"at_once": 50}, "c1", lambda place, key: sum(one.key == key for one in poll(place, "c1", NOW, settings=many))
    )


@contextmanager
def _simulated() -> Iterator[Peer]:
    yield Peer({"plays": "push"}, "token-1", lambda place, key: counts(place).delivered if key else 0)


@contextmanager
def _email() -> Iterator[Peer]:
    mailroom = Mailroom()

    def got(place: Path, key: str) -> int:
        own = message_id(key, "shop@example.org").encode()
        return sum(own in (envelope.original_content or b"") for envelope in mailroom.envelopes)

    with mail_peer(mailroom) as port:
        yield Peer(
            {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "shop@example.org"}, "ann@example.org", got
        )


@contextmanager
def _sms() -> Iterator[Peer]:
    with web_peer() as peer:
        taken: dict[str, int] = {}

        def answer(call: Call) -> Answer:
            key = call.headers["Idempotency-Key"]
            taken.setdefault(key, 1)
            return Answer(body=json.dumps({"id": f"m-{key}"}).encode())

        peer.answer = answer
        settings = {
            "url": f"{peer.url}/send",
            "secret_env": "SMS_TOKEN",
            "headers": {"Authorization": "Bearer {secret}"},
            "idempotency_header": "Idempotency-Key",
        }
        yield Peer(settings, "+4479460000", lambda place, key: taken.get(key.replace(":", "%3A"), 0))


@contextmanager
def _webhook() -> Iterator[Peer]:
    with web_peer() as peer:
        yield Peer(
            {"url": f"{peer.url}/in", "secret_env": "HOOK_SECRET", "allowed_hosts": ["127.0.0.1"]},
            "c1",
            lambda place, key: sum(json.loads(call.body)["key"] == key for call in peer.calls),
        )


PEERS: Mapping[str, Callable[[], Any]] = {
    "mailbox": _mailbox,
    "onsite": _onsite,
    "simulated": _simulated,
    "email": _email,
    "sms": _sms,
    "webhook": _webhook,
}
