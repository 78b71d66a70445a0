"""The desk: one request after the other is identified, read, handed to the inbox, and answered after the commit."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aimwell.store.intake.batches import Batch, BodyError, parse_batch, parse_call
from aimwell.store.ledger.inbox import Arrival, Inbox, InboxFull, NotKept, Verdicts
from aimwell.web.server.answers import answer_batch
from aimwell.web.server.bodies import read_body
from aimwell.web.server.counters import Counters
from aimwell.web.server.keys import KeyRing, WriteKey
from aimwell.web.server.limits import Bucket, Pace
from aimwell.web.server.problems import Declined, answer_json, problem

PATIENCE_SECONDS = 30
"""How long a request waits for its commit before it is told to come again (then what was kept is a duplicate)."""

READ_ASIDE_BYTES = 100_000
"""Bodies above this are read in a thread, so that those behind them do not wait for all of it."""

_logger = logging.getLogger("aimwell.web.server")


def read_clock() -> datetime:
    """Our own clock, aware."""
    return datetime.now(UTC)


@dataclass
class Desk:
    """Takes requests for one inbox; everything but the inbox lives in the event loop's thread.

    clock: our own clock at arrival, aware.   ticks: seconds that only grow, for paces and durations.
    """

    inbox: Inbox
    ring: KeyRing
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], datetime] = read_clock
    ticks: Callable[[], float] = time.monotonic
    counters: Counters = field(default_factory=Counters)
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    async def take(self, request: Request, kind: str | None) -> Response:
        """Answer one request; kind: the type of call that its path names, None for a batch."""
        began = self.ticks()
        try:
            answer = await self._take(request, kind)
        except Declined as declined:
            answer = problem(declined)
            _logger.info("declined", extra={"code": declined.code, "status": declined.status})
        self.counters.add("requests", status=str(answer.status_code))
        self.counters.add("seconds", self.ticks() - began)
        return self._share(request, answer)

    def permit(self, request: Request) -> Response:
        """Answer the question of a browser whether the page may send to us (CORS preflight)."""
        answer = self._share(request, Response(status_code=204))
        if "access-control-allow-origin" in answer.headers:
            answer.headers["Access-Control-Allow-Methods"] = "POST, GET"
            answer.headers["Access-Control-Allow-Headers"] = (
                "authorization, content-type, content-encoding, x-retry-count"
            )
            answer.headers["Access-Control-Max-Age"] = "86400"
        return answer

    def settings(self, request: Request, secret: str) -> Response:
        """What the browser library asks for before it sends: where to send, and that nothing else is switched on."""
        key = self.ring.find(secret)
        origin = request.headers.get("origin")
        if key is None or not key.origins or not key.allows(origin):
            return self._share(
                request, problem(Declined(404, "unknown_key", "no write key of pages is known by this name"))
            )
        return self._share(request, answer_json(_library_settings(request, secret)))

    async def check_health(self) -> Response:
        """200 if a transaction on the inbox can be committed now, else 503."""
        try:
            await self._keep(Arrival("health", False, self.clock(), ()), patience=5)
        except Declined as declined:
            return problem(declined)
        return answer_json({"status": "ok"})

    async def _take(self, request: Request, kind: str | None) -> Response:
        presented = read_secret(request)
        key = self._admit(request, presented) if presented is not None else None
        body = await read_body(request)
        batch = await self._parse(body, kind)
        if isinstance(batch, BodyError):
            raise Declined(batch.status, batch.fault, batch.detail)
        key = key or self._admit(request, batch.write_key)
        self._bucket(key).charge(len(batch.results))
        messages, refused = batch.messages, batch.rejected
        for rejected in refused:
            self.counters.add("rejected", source=key.name, reason=rejected.reason)
        verdicts: Verdicts = ()
        if batch.results:
            received_at = messages[0].received_at if messages else self.clock()
            verdicts = await self._keep(Arrival(key.name, key.trusted, received_at, messages, refused))
        new = sum(verdicts)
        self.counters.add("accepted", new, source=key.name)
        self.counters.add("duplicates", len(verdicts) - new + len(batch.duplicates), source=key.name)
        return answer_batch(batch, verdicts)

    def _admit(self, request: Request, secret: str | None) -> WriteKey:
        key = self.ring.find(secret)
        if key is None:
            raise Declined(
                401, "unknown_key", "send it as user name (Basic), as Bearer token, or as writeKey in the body"
            )
        if not key.allows(request.headers.get("origin")):
            raise Declined(403, "unknown_origin", f"write key {key.name} does not list the origin of this page")
        if wait := self._bucket(key).wait():
            raise Declined(429, "too_many", f"more than {self.pace.per_second:g} messages a second", retry_after=wait)
        return key

    def _bucket(self, key: WriteKey) -> Bucket:
        bucket = self._buckets.get(key.name)
        if bucket is None:
            bucket = self._buckets[key.name] = Bucket(self.pace, self.ticks)
        return bucket

    async def _parse(self, body: bytes, kind: str | None) -> Batch | BodyError:
        received_at = self.clock()

        def parse() -> Batch | BodyError:
            if kind is None:
                return parse_batch(body, received_at=received_at)
            return parse_call(body, kind, received_at=received_at)

        return parse() if len(body) <= READ_ASIDE_BYTES else await run_in_threadpool(parse)

    async def _keep(self, arrival: Arrival, patience: float = PATIENCE_SECONDS) -> Verdicts:
        try:
            future = asyncio.wrap_future(self.inbox.submit(arrival))
            async with asyncio.timeout(patience):
                return await asyncio.shield(future)
        except InboxFull:
            raise Declined(429, "inbox_full", "too many messages wait to be kept", retry_after=1) from None
        except NotKept:
            raise Declined(503, "not_kept", "nothing of this request was kept; send it again", retry_after=5) from None
        except TimeoutError:
            raise Declined(503, "slow", "the messages are not kept yet; send them again", retry_after=5) from None

    def _share(self, request: Request, answer: Response) -> Response:
        """Let the page read the answer if some key lets its origin send; which key, the request itself has shown."""
        origin = request.headers.get("origin")
        answer.headers["Vary"] = "Origin"
        if origin is not None and self.ring.allows(origin):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = "Retry-After"
        return answer


def read_secret(request: Request) -> str | None:
    """The write key of the header Authorization: the user name of Basic, or a Bearer token; None without the header.

    What cannot be read is an empty key, which nobody has.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return value.strip()
    try:
        return (
            base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
            if scheme.lower() == "basic"
            else ""
        )
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _library_settings(request: Request, secret: str) -> dict[str, object]:
    """The settings of analytics-next: one destination, ourselves; its own measurements and remote code are off."""
    everything: dict[str, object] = {"enabled": True, "integrations": {}}
    destination = {
        "apiKey": secret,
        "apiHost": f"{request.url.netloc}/v1",
        "protocol": request.url.scheme,
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    return {
        "integrations": {"Segment.io": destination},
        "plan": {name: {"__default": everything} for name in ("track", "identify", "group")},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
        "autoInstrumentationSettings": {"disableTraffic": True, "sampleRate": 0},
    }
