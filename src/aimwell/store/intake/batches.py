"""The body of a request: one call or a batch of calls, each judged by itself, answered in the order in which they came.

A body that cannot be read at all is a BodyError; it names the status that the web answers with, and nothing of it has
been taken. Everything else is a Batch, whose bad messages do no harm to the good ones beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aimwell.core.time import require_aware
from aimwell.store.intake.content import check_content, read_json, write_json
from aimwell.store.intake.messages import Message, Shared, parse_message, parse_messages
from aimwell.store.intake.rejections import Rejected, Unfit

MAX_BODY_BYTES = 500 * 1024
"""Segment's limit of one batch request (HTTP API: 500 KB), as received, after decompression."""

MAX_BATCH_MESSAGES = 2_500
"""Messages of one batch. Ours: no library sends more than a few hundred, 500 KB hold some 2,500 of the smallest."""

MAX_SHARED_BYTES = 4 * 1024
"""Size of the context and integrations that a batch shares. Ours: they are copied to each message, and libraries put
some hundred bytes there, so that the copies of a batch stay within 10 MB."""

Fault = Literal["not_json", "not_an_object", "no_batch", "too_large", "too_many_messages", "shared_too_large"]


@dataclass(frozen=True, slots=True)
class BodyError:
    """A body of which nothing can be taken: 400 (cannot be read) or 413 (too large), the fault and its detail."""

    status: Literal[400, 413]
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A message whose id an earlier message of the same batch has, which stands at position `of` (from 0)."""

    message_id: str
    of: int


Result = Message | Rejected | Duplicate


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of each message of a body, in order; with the write key if the body has one (it is never stored)."""

    results: tuple[Result, ...]
    write_key: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(result for result in self.results if isinstance(result, Message))

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        return tuple(result for result in self.results if isinstance(result, Rejected))

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        return tuple(result for result in self.results if isinstance(result, Duplicate))


def parse_batch(body: bytes, *, received_at: datetime) -> Batch | BodyError:
    """Read the body of `/v1/batch` or `/v1/import`; an empty batch is a Batch without results.

    body: UTF-8 JSON as received.   received_at: aware; our own clock at arrival.
    `sentAt`, `context` and `integrations` of the body hold for every message. Of messages with equal ids the first
    accepted one counts, the others are Duplicates. Raises BadQuestion only if `received_at` has no timezone.
    """
    read = _read_body(body, received_at)
    if isinstance(read, BodyError):
        return read
    whole, plain = read
    contents = whole.get("batch")
    if not isinstance(contents, list):
        return BodyError(400, "no_batch", "`batch` is missing or no list")
    if len(contents) > MAX_BATCH_MESSAGES:
        return BodyError(413, "too_many_messages", f"{len(contents)} messages, at most {MAX_BATCH_MESSAGES}")
    shared = Shared(whole.get("sentAt"), whole.get("context"), whole.get("integrations"))
    if (size := _measure(shared)) > MAX_SHARED_BYTES:
        return BodyError(413, "shared_too_large", f"{size} bytes of shared context, at most {MAX_SHARED_BYTES}")
    judged = parse_messages(contents, received_at=received_at, shared=shared, plain=plain)
    return Batch(_mark_duplicates(judged), _read_write_key(whole))


def parse_call(body: bytes, kind: str, *, received_at: datetime) -> Batch | BodyError:
    """Read the body of a single call, whose type the path names (`/v1/track` or `/v1/t`): a Batch of one result."""
    read = _read_body(body, received_at)
    if isinstance(read, BodyError):
        return read
    whole, plain = read
    return Batch((parse_message(whole, received_at=received_at, kind=kind, plain=plain),), _read_write_key(whole))


def _read_body(body: bytes, received_at: datetime) -> tuple[dict[str, object], bool] | BodyError:
    require_aware(received_at)
    if len(body) > MAX_BODY_BYTES:
        return BodyError(413, "too_large", f"{len(body)} bytes, at most {MAX_BODY_BYTES}")
    try:
        whole, plain = read_json(body)
    except (ValueError, RecursionError) as error:
        return BodyError(400, "not_json", str(error)[:200])
    if not isinstance(whole, dict):
        return BodyError(400, "not_an_object", f"a {type(whole).__name__}")
    return whole, plain


def _measure(shared: Shared) -> int:
    """Bytes of what is copied to each message; 0 if it is unfit, for then each message is rejected for that reason."""
    common = [shared.context, shared.integrations]
    try:
        check_content(common)
    except Unfit:
        return 0
    return len(write_json(common).encode())


def _mark_duplicates(judged: list[Message | Rejected]) -> tuple[Result, ...]:
    ids = [result.message_id for result in judged if isinstance(result, Message)]
    if len(set(ids)) == len(ids):
        return tuple(judged)
    first: dict[str, int] = {}
    results: list[Result] = []
    for position, result in enumerate(judged):
        if isinstance(result, Message) and first.setdefault(result.message_id, position) != position:
            results.append(Duplicate(result.message_id, first[result.message_id]))
        else:
            results.append(result)
    return tuple(results)


def _read_write_key(whole: dict[str, object]) -> str | None:
    value = whole.get("writeKey")
    return value if isinstance(value, str) and value else None
