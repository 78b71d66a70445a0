"""The event API: the addresses of the Segment specification, on an inbox that keeps before it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aimwell.store.intake.messages import KINDS, SHORT_KINDS
from aimwell.store.ledger.arrivals import oldest_after
from aimwell.store.ledger.inbox import Inbox
from aimwell.web.server.counters import exposition
from aimwell.web.server.desk import Desk
from aimwell.web.server.keys import KeyRing, WriteKey
from aimwell.web.server.limits import Pace
from aimwell.web.server.problems import Declined, problem

BATCHES = ("batch", "import", "b")
"""Last parts of the addresses that take batches; `b` is what the browser library sends to when it batches."""

Cursor = Callable[[], int]
"""Tells up to which message all consumers have read."""

_TAKING: dict[str, str | None] = {
    **{f"/v1/{kind}": kind for kind in (*KINDS, *SHORT_KINDS)},
    **{f"/v1/{name}": None for name in BATCHES},
}
"""The addresses that take events, each with the type of call that it names; batches name none."""

_JSON_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


def event_api(
    inbox: Inbox, write_keys: Iterable[WriteKey], *, pace: Pace | None = None, read_up_to: Cursor | None = None
) -> FastAPI:
    """The web application that takes events; it starts the inbox when it is started and stops it when it ends.

    pace: what one write key may send.   read_up_to: the smallest cursor of all consumers, for the age of what waits.
    To put the same addresses into another application, include `event_router`, add `EventsFirst`, and keep the inbox
    running beside it.
    """

    @asynccontextmanager
    async def run_inbox(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(inbox.start)
        try:
            yield
        finally:
            await run_in_threadpool(inbox.stop)

    app = FastAPI(title="Aimwell events", lifespan=run_inbox, docs_url=None, redoc_url=None, redirect_slashes=False)
    desk = Desk(inbox, KeyRing(write_keys), pace or Pace())
    app.include_router(event_router(desk, read_up_to=read_up_to))
    app.add_middleware(EventsFirst, desk=desk)
    app.add_exception_handler(HTTPException, _say_problem)
    app.add_exception_handler(Exception, say_broken)
    return app


class EventsFirst:
    """Lets events pass the routes of an application, which declare them for its documents and would take them as well.

    Finding the route and preparing its call took a fifth of the time of a batch; here it is one look into a table.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _TAKING:
            answer = await self._desk.take(Request(scope, receive), _TAKING[scope["path"]])
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def event_router(desk: Desk, *, read_up_to: Cursor | None = None) -> APIRouter:
    """The addresses of the event API, of its health and of its numbers."""
    router = APIRouter()
    for path, kind in _TAKING.items():
        _add(router, path, _taking(desk, kind))

    @router.options("/v1/{rest:path}", include_in_schema=False)
    async def permit(request: Request) -> Response:
        return desk.permit(request)

    @router.get("/v1/projects/{key}/settings", summary="Settings of the browser library", response_model=None)
    async def settings(request: Request, key: str) -> Response:
        return desk.settings(request, key)

    @router.get("/healthz", summary="Whether events can be kept now", response_model=None)
    async def healthz() -> Response:
        return await desk.check_health()

    @router.get("/metrics", summary="Numbers for Prometheus", response_model=None)
    async def metrics() -> Response:
        text = await run_in_threadpool(measure, desk, read_up_to)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return router


def measure(desk: Desk, read_up_to: Cursor | None = None) -> str:
    """What was counted since the start, what waits, and how old the oldest message is that some consumer lacks."""
    load, counters = desk.inbox.load, desk.counters
    metrics: list[Any] = [
        ("aimwell_events_accepted_total", "counter", "Messages kept", counters.of("accepted")),
        ("aimwell_events_duplicate_total", "counter", "Messages that were kept before", counters.of("duplicates")),
        ("aimwell_events_rejected_total", "counter", "Messages not accepted, by reason", counters.of("rejected")),
        ("aimwell_requests_total", "counter", "Requests for events, by status", counters.of("requests")),
        ("aimwell_request_seconds_total", "counter", "Time from request to answer", counters.of("seconds")),
        ("aimwell_inbox_waiting", "gauge", "Messages that wait for their commit", [((), load.waiting)]),
        ("aimwell_inbox_commits_total", "counter", "Groups of messages committed or tried", [((), load.commits)]),
        ("aimwell_inbox_failures_total", "counter", "Groups or requests that could not be kept", [((), load.failures)]),
        ("aimwell_inbox_commit_seconds_total", "counter", "Time of those commits", [((), load.commit_seconds)]),
    ]
    if read_up_to is not None:
        with desk.inbox.ledger.reading_events() as connection:
            oldest = oldest_after(connection, read_up_to())
        age = max(0.0, (desk.clock() - oldest).total_seconds()) if oldest else 0.0
        meaning = "Age of the oldest message that some consumer has not read"
        metrics.append(("aimwell_inbox_oldest_unread_seconds", "gauge", meaning, [((), age)]))
    return exposition(metrics)


def _add(router: APIRouter, path: str, taking: Callable[[Request], Awaitable[Response]]) -> None:
    name = path.rpartition("/")[2]
    router.add_api_route(
        path,
        taking,
        methods=["POST"],
        response_model=None,
        include_in_schema=len(name) > 1,
        operation_id=f"take_{name}",
        summary=f"Take {'a batch' if name in BATCHES else name}",
        openapi_extra=_JSON_BODY,
    )


def _taking(desk: Desk, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        return await desk.take(request, kind)

    return take


async def _say_problem(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(
        Declined(status, "not_found" if status == 404 else "not_taken", "see the documents for the addresses")
    )


async def say_broken(_: Request, _error: Exception) -> Response:
    """Answer an error of our own: the framework logs it, the sender hears that sending again may help."""
    answer = problem(Declined(500, "broken", "nothing is acknowledged; send it again", retry_after=5))
    answer.headers["Connection"] = "close"  # the server drops it anyway, and a sender must not use it again
    return answer
