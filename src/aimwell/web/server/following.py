"""What readers of messages ask for: links that they follow, the picture of opening, and to be left alone.

Every address carries a signed token; nothing else is believed. What machines fetch is kept, marked, and never counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import BigInteger, select, type_coerce
from starlette.responses import HTMLResponse, RedirectResponse, Response

from aimwell.delivery.channel import Report, Signal
from aimwell.delivery.links import Followed, Links
from aimwell.delivery.machines import SWEEP, Hit, judge
from aimwell.delivery.outbox.claim import Desk as Outbox
from aimwell.delivery.outbox.reports import take_reports
from aimwell.store.ledger.columns import instant
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.outbox import intent

_PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)  # a transparent GIF of one point
_QUIET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_ASK = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><body style="font:1.1rem/1.6 system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem">
<p>{words}</p>{form}</body></html>"""
_FORM = '<form method="post"><button style="font:inherit;padding:.5rem 1.5rem">{button}</button></form>'


def following_router(ledger: Ledger, outbox: Outbox, links: Links, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses under `/t`: `/l/` links, `/o/` pictures, `/u/` unsubscribing (RFC 8058 by POST, a page by GET)."""
    router = APIRouter(prefix="/t")

    @router.head("/l/{token}", include_in_schema=False, response_model=None)
    @router.get("/l/{token}", summary="A link of a message", response_model=None)
    async def follow(token: str, request: Request, to: str = "") -> Response:
        followed = links.read("link", token, to)
        await run_in_threadpool(note, followed, "clicked", request)
        return RedirectResponse(followed.target, 302, _QUIET)

    @router.head("/o/{token}", include_in_schema=False, response_model=None)
    @router.get("/o/{token}", summary="The picture of opening", response_model=None)
    async def show(token: str, request: Request) -> Response:
        await run_in_threadpool(note, links.read("open", token), "opened", request)
        return Response(_PIXEL, 200, _QUIET, "image/gif")

    @router.get("/u/{token}", summary="Ask whether to unsubscribe", response_model=None)
    async def ask(token: str, request: Request) -> Response:
        links.read("unsubscribe", token)
        return _page(request, asked=True)

    @router.post("/u/{token}", summary="Unsubscribe", response_model=None)
    async def unsubscribe(token: str, request: Request) -> Response:
        await run_in_threadpool(note, links.read("unsubscribe", token), "unsubscribed", request)
        return _page(request, asked=False)

    def note(followed: Followed, kind: Signal, request: Request) -> None:
        _note(ledger, outbox, followed, kind, Hit(clock(), followed.number, request.method, dict(request.headers)))

    return router


def _note(ledger: Ledger, outbox: Outbox, followed: Followed, kind: Signal, hit: Hit) -> None:
    """Keep what was asked for, once per message and link; whoever asks to be left alone is no machine."""
    with ledger.writing() as connection:
        sent = type_coerce(intent.c.contacted_at, BigInteger).label("sent")
        row = connection.execute(select(intent.c.channel, sent).where(intent.c.key == followed.key)).one_or_none()
        if row is None or row.channel not in outbox.outlets:
            return
        machine = kind != "unsubscribed" and row.sent is not None and _is_machine(hit, instant(row.sent), followed.of)
        ref = f"{kind}:{followed.number}{':machine' if machine else ''}"
        reports = [Report(kind, hit.at, ref, followed.key, machine=machine)]
        take_reports(connection, outbox, outbox.outlets[row.channel], reports, hit.at)


def _is_machine(hit: Hit, sent_at: datetime, links: int) -> bool:
    """By what the request shows; and links of a message with several, followed so early that it may be a sweep."""
    swept = hit.number > 0 and links > 1 and hit.at - sent_at <= SWEEP
    return swept or judge([hit], delivered_at=sent_at, links=links)[0] is not None


def _page(request: Request, *, asked: bool) -> Response:
    chinese = "zh" in request.headers.get("accept-language", "").lower()[:8]
    title = "退订" if chinese else "Unsubscribe"
    if asked:
        words = "不再通过这个渠道接收此类消息？" if chinese else "Get no more messages like this by this channel?"
    else:
        words = "已退订，立即生效。" if chinese else "Done: you get no more of these, from now on."
    form = _FORM.format(button=title) if asked else ""
    page = _ASK.format(lang="zh" if chinese else "en", title=title, words=words, form=form)
    return HTMLResponse(
        page, 200, _QUIET | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    )
