"""Reports that a provider posts to us, read as its settings describe them, and believed only with its signature."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field

from aimwell.delivery.channel import BadCallback, Report, Request, Signal, secret
from aimwell.delivery.signing import fresh, signed

MOST_BODY = 1024 * 1024
MOST_REPORTS = 10_000


class CallbackSettings(BaseModel):
    """Which fields of a posted report say what; fields of JSON by their dotted path, or names of a form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="environment variable with the secret that signs")
    signature_header: str = Field(default="X-Signature", description="header with HMAC-SHA256(secret, timestamp.body)")
    timestamp_header: str = Field(
        default="X-Timestamp", description="header with the epoch seconds that are signed too"
    )
    items: str | None = Field(default=None, description="field with the list of reports; left out: the body is one")
    key: str | None = Field(default=None, description="field with our key, if the provider gives it back")
    ref: str = Field(default="id", description="field with the provider's id of the message")
    report_ref: str | None = Field(
        default=None, description="field with the id of the report; left out: ref and status"
    )
    status: str = Field(default="status", description="field with the word that says what happened")
    at: str | None = Field(default=None, description="field with the instant: ISO 8601 with offset, or epoch seconds")
    statuses: Mapping[str, Signal] = Field(
        default={"delivered": "delivered", "undelivered": "bounced", "failed": "bounced"},
        description="what the provider's words mean; other words are passed over",
    )


def read_reports(settings: CallbackSettings, request: Request, now: datetime) -> Sequence[Report]:
    """The reports in a posted request, in its order; raises BadCallback unless it is signed, recent and readable."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    timestamp = headers.get(settings.timestamp_header.lower(), "")
    signature = headers.get(settings.signature_header.lower(), "")
    if len(request.body) > MOST_BODY:
        raise BadCallback("A callback is too large", expected=f"at most {MOST_BODY:,} bytes")
    if not signed(secret(settings.secret_env, "callback"), timestamp, request.body, signature):
        raise BadCallback("A callback is not signed by the provider", expected=f"{settings.signature_header} over both")
    if not fresh(timestamp, now):
        raise BadCallback("A callback is too old or from the future", seen=timestamp[:40])
    content = _content(headers.get("content-type", ""), request.body)
    items = _found(content, settings.items) if settings.items else [content]
    if not isinstance(items, list) or len(items) > MOST_REPORTS:
        raise BadCallback(
            "A callback holds no list of reports", expected=f"at most {MOST_REPORTS:,} in {settings.items!r}"
        )
    return [report for item in items if (report := _report(settings, item, now)) is not None]


def at_path(content: object, path: str) -> str | None:
    """The text or number at a dotted path of JSON, as text; None if nothing is there.

    >>> at_path({"data": [{"id": 7}]}, "data.0.id")
    '7'
    """
    found = _found(content, path)
    if isinstance(found, bool) or found is None:
        return None if found is None else str(found).lower()
    return str(found) if isinstance(found, str | int | float) else None


def _found(content: object, path: str) -> object:
    for step in path.split("."):
        if isinstance(content, Mapping):
            content = content.get(step)
        elif isinstance(content, list) and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def _content(kind: str, body: bytes) -> object:
    try:
        if "form" in kind:
            return dict(parse_qsl(body.decode()))
        content: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCallback("A callback cannot be read", expected="JSON or a form", seen=str(error)[:100]) from error
    return content


def _report(settings: CallbackSettings, item: object, now: datetime) -> Report | None:
    status = at_path(item, settings.status) or ""
    kind = settings.statuses.get(status)
    ref = at_path(item, settings.ref)
    key = at_path(item, settings.key) if settings.key else None
    if kind is None or (ref is None and key is None):
        return None
    own = at_path(item, settings.report_ref) if settings.report_ref else None
    return Report(kind, _instant(item, settings.at, now), own or f"{ref or key}-{status}", key, ref, detail=status)


def _instant(item: object, path: str | None, now: datetime) -> datetime:
    """The instant that the report says, if it says one with its offset that is not in the future; else now."""
    written = at_path(item, path) if path else None
    if written is None:
        return now
    try:
        at = datetime.fromtimestamp(float(written), UTC) if _is_number(written) else datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return now
    return min(at.astimezone(UTC), now) if at.tzinfo is not None else now


def _is_number(written: str) -> bool:
    return written.replace(".", "", 1).isdigit()
