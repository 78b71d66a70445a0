"""On-site messages, as a customer's page fetches them and tells what became of them.

The address carries a signed token that stands for one customer: the company's server asks for it (`/api/onsite/…`, with
a trusted key) and gives it to that customer's page alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from aimwell.delivery.catalogue import ConfiguredChannel
from aimwell.delivery.channels.onsite import OnsiteSettings, poll, report
from aimwell.delivery.links import Links
from aimwell.web.server.problems import answer_json

_OPEN = {"Access-Control-Allow-Origin": "*"}
"""The token is the permission: whichever page holds it may ask."""


class Seen(BaseModel):
    """What became of one message on the page."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=300)
    what: Literal["seen", "clicked"]


def onsite_router(
    folder: Path, channels: Mapping[str, ConfiguredChannel], links: Links, clock: Callable[[], datetime]
) -> APIRouter:
    """The addresses under `/t/s/`: GET gives the messages to show now, POST takes what became of one."""
    router = APIRouter(prefix="/t")
    shelves = {name: each for name, each in channels.items() if isinstance(each.settings, OnsiteSettings)}

    @router.get("/s/{token}", summary="On-site messages to show now", response_model=None)
    def show(token: str) -> Response:
        customer_id = links.read("onsite", token).key
        found = [
            {"channel": name, **asdict(message)}
            for name, each in shelves.items()
            if isinstance(each.settings, OnsiteSettings)
            for message in poll(each.place(folder), customer_id, clock(), settings=each.settings)
        ]
        return _open(answer_json({"messages": found}))

    @router.post("/s/{token}", summary="What became of an on-site message", response_model=None)
    def tell(token: str, seen: Seen) -> Response:
        customer_id = links.read("onsite", token).key
        known = any(report(each.place(folder), customer_id, seen.key, seen.what, clock()) for each in shelves.values())
        if not known:
            raise HTTPException(404, "this customer has no such message", headers=_OPEN)
        return _open(answer_json({"taken": True}))

    @router.options("/s/{token}", include_in_schema=False)
    def permit(token: str) -> Response:
        allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "content-type"}
        return Response(status_code=204, headers=_OPEN | allowed)

    return router


def _open(answer: Response) -> Response:
    answer.headers.update(_OPEN)
    return answer
