"""The application that `aimwell serve` answers with: events in, callbacks of channels, and questions about journeys.

Events need a write key. Questions and calls need a trusted write key, as `Authorization: Bearer` or as Basic user:
such keys are secrets between servers. A channel's callback proves itself by its own signature.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.core.text import Language
from aimwell.delivery.catalogue import ConfiguredChannel
from aimwell.delivery.channel import BadCallback
from aimwell.delivery.channel import Request as Posted
from aimwell.delivery.links import Links
from aimwell.delivery.outbox.claim import Desk as Outbox
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.why import why
from aimwell.evaluation.journeys.funnel import funnel
from aimwell.insight.identity.absorbing import CONSUMER as IDENTITY
from aimwell.store.ledger.inbox import Inbox
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.strategy.journeys.entry import put_in
from aimwell.strategy.journeys.feed import CONSUMER as JOURNEYS
from aimwell.web.server.desk import Desk, read_secret
from aimwell.web.server.events import EventsFirst, event_router, say_broken
from aimwell.web.server.following import following_router
from aimwell.web.server.keys import KeyRing, WriteKey
from aimwell.web.server.limits import Pace
from aimwell.web.server.onsite import onsite_router
from aimwell.web.server.problems import Declined, answer_json, problem

LARGEST_CALLBACK = 1_000_000
CONSUMERS = (IDENTITY, JOURNEYS)


class Calls(BaseModel):
    """Customers who are to be let into a journey."""

    model_config = ConfigDict(extra="forbid")

    customers: list[str] = Field(min_length=1, max_length=10_000)
    request: str = Field(
        min_length=1, max_length=200, description="the caller's own key: said again, nothing is repeated"
    )


def application(
    folder: Path,
    ledger: Ledger,
    outbox: Outbox,
    channels: Mapping[str, ConfiguredChannel],
    write_keys: Sequence[WriteKey],
    *,
    links: Links | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    language: Language = "en",
) -> FastAPI:
    """The whole application; it starts the inbox with itself and stops it at its end.

    folder: the workspace.   links: reads the tracked links of messages; without it their addresses are not there.
    """
    inbox, ring = Inbox(ledger), KeyRing(write_keys)

    @asynccontextmanager
    async def run_inbox(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(inbox.start)
        try:
            yield
        finally:
            await run_in_threadpool(inbox.stop)

    app = FastAPI(title="Aimwell", lifespan=run_inbox, redirect_slashes=False)
    desk = Desk(inbox, ring, Pace())
    app.include_router(event_router(desk, read_up_to=lambda: smallest_place(ledger)))
    app.add_middleware(EventsFirst, desk=desk)
    if links is not None:
        app.include_router(following_router(ledger, outbox, links, clock))
        app.include_router(onsite_router(folder, channels, links, clock))
    _answer_questions(app, ledger, ring, clock, language)
    _give_addresses(app, ring, links)
    _take_callbacks(app, ledger, outbox, channels, clock)
    app.add_exception_handler(BadInput, _say_bad_input)
    app.add_exception_handler(HTTPException, _say_http)
    app.add_exception_handler(Exception, say_broken)
    return app


def smallest_place(ledger: Ledger) -> int:
    """The number of the last message that every consumer of the ledger has read."""
    with ledger.reading() as connection:
        places = connection.scalars(select(cursor.c.position).where(cursor.c.consumer.in_(CONSUMERS))).all()
    return min(places) if len(places) == len(CONSUMERS) else 0


def _trusted(ring: KeyRing) -> Callable[[Request], WriteKey]:
    """Refuses whoever does not present a trusted key."""

    def require(request: Request) -> WriteKey:
        key = ring.find(read_secret(request))
        if key is None:
            raise HTTPException(401, "a trusted write key is needed")
        if not key.trusted:
            raise HTTPException(403, "this write key may only send events")
        return key

    return require


def _answer_questions(
    app: FastAPI, ledger: Ledger, ring: KeyRing, clock: Callable[[], datetime], language: Language
) -> None:
    trusted = [Depends(_trusted(ring))]

    @app.get("/api/journeys/{name}/funnel", dependencies=trusted, summary="The funnel of a journey, live")
    def show_funnel(name: str) -> Response:
        with ledger.reading() as connection:
            found = asdict(funnel(connection, name))
        found["passed"] = [[node, port, count] for (node, port), count in found["passed"].items()]
        return answer_json(found)

    @app.get("/api/journeys/{name}/why/{customer_id}", dependencies=trusted, summary="Why, or why not")
    def explain(name: str, customer_id: str, lang: Language = language) -> Response:
        with ledger.reading() as connection:
            found = why(connection, customer_id, name)
        words = [each.said(lang) for each in found.sentences]
        return answer_json({**json.loads(json.dumps(asdict(found), default=str)), "sentences": words})

    @app.post("/api/journeys/{name}/enrol", dependencies=trusted, status_code=202, summary="Let customers in")
    def enrol(name: str, calls: Calls) -> Response:
        with ledger.writing() as connection:
            put_in(connection, name, calls.customers, clock(), calls.request)
        return answer_json({"taken": len(set(calls.customers))}, 202)


def _give_addresses(app: FastAPI, ring: KeyRing, links: Links | None) -> None:
    @app.get("/api/onsite/{customer_id}", dependencies=[Depends(_trusted(ring))], summary="Where a page asks")
    def address(customer_id: str) -> Response:
        if links is None:
            raise HTTPException(404, "set base under [links] in aimwell.toml")
        return answer_json({"address": links.onsite(customer_id)})


def _take_callbacks(
    app: FastAPI,
    ledger: Ledger,
    outbox: Outbox,
    channels: Mapping[str, ConfiguredChannel],
    clock: Callable[[], datetime],
) -> None:
    @app.post("/callbacks/{channel}", summary="What a provider tells of messages")
    async def take(channel: str, request: Request) -> Response:
        if channel not in channels:
            raise HTTPException(404, "there is no such channel")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_CALLBACK:
                raise HTTPException(413, f"at most {LARGEST_CALLBACK} bytes")
        posted = Posted(dict(request.headers), body, dict(request.query_params))
        return await run_in_threadpool(keep, channel, posted)

    def keep(channel: str, posted: Posted) -> Response:
        reports = channels[channel].read_callback(posted)
        with ledger.writing() as connection:
            told = take_reports(connection, outbox, outbox.outlets[channel], reports, clock())
        return answer_json(asdict(told))


async def _say_bad_input(_: Request, error: Exception) -> Response:
    status = 401 if isinstance(error, BadCallback) else 404 if isinstance(error, BadQuestion) else 400
    return problem(Declined(status, "not_taken", str(error)))


async def _say_http(_: Request, error: Exception) -> Response:
    status, detail = (error.status_code, str(error.detail)) if isinstance(error, HTTPException) else (500, "")
    return problem(Declined(status, "not_taken", detail))
