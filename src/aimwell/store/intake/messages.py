"""One message of a web site, an app or a server: a call of the Segment specification, read into typed fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec

from aimwell.core.time import require_aware
from aimwell.store.intake.clocks import date_event, read_instant
from aimwell.store.intake.content import NOTHING, check_message, write_canonical, write_kept, write_object
from aimwell.store.intake.rejections import Rejected, Unfit

Kind = Literal["identify", "track", "page", "screen", "group", "alias"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHORT_KINDS: dict[str, Kind] = {kind[0]: kind for kind in KINDS}
"""The browser library posts to paths of one letter: /v1/t, /v1/p, …"""

_NAMED: dict[str, Kind] = {**{kind: kind for kind in KINDS}, **SHORT_KINDS}

MAX_MESSAGE_ID = 100
"""Characters of a message id (Segment's limit; its libraries send 36 to 62)."""

MAX_ID = 256
"""Characters of any other id. Ours: an e-mail address has at most 254."""

MAX_NAME = 256
"""Characters of the name of an event, page or screen. Ours: longer names are sentences, not names."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One accepted call: who did what, when it happened and when we learned of it.

    `name` is the event of a track call, or the name of a page or screen if it has one. Instants are aware, in UTC, and
    `occurred_at <= received_at`; `stated_at` is what the sender's clock showed, None if it did not say.
    `properties` (track, page, screen), `traits` (identify, group), `context` and `integrations` are JSON objects as
    text, `{}` where there is nothing. (A struct, not a dataclass: it is made in a tenth of the time.)
    """

    message_id: str
    kind: Kind
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    group_id: str | None
    occurred_at: datetime
    stated_at: datetime | None
    received_at: datetime
    properties: str
    traits: str
    context: str
    integrations: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What a batch says once for all its messages, as it came; a message's own context and integrations go first."""

    sent_at: object = None
    context: object = None
    integrations: object = None


NOTHING_SHARED = Shared()


def event_name(kind: Kind, name: str | None) -> str:
    """The name under which a message is an event: that of a track call; `page`, `screen`, `identify`, … for the rest.

    >>> event_name("track", "loan_taken"), event_name("page", "Home")
    ('loan_taken', 'page')
    """
    return name or kind if kind == "track" else kind


def parse_message(
    content: object,
    *,
    received_at: datetime,
    kind: str | None = None,
    shared: Shared = NOTHING_SHARED,
    plain: bool = False,
) -> Message | Rejected:
    """Read one call, or say why it is not accepted; no content whatsoever raises an error.

    content: one JSON value as `json.loads` gives it.   received_at: aware; our own clock at arrival.
    kind: the type that the path names (`track` or `t`); it goes before the `type` of the content.
    plain: what `read_json` said of the body from which content and shared came; it saves time, and changes no verdict.

    A message without `messageId` gets a digest of its content, `sentAt` left out, so that a repeated request gives the
    same id; when it states no time either, the minute of its arrival counts as content. (All official libraries send
    an id; this is for requests written by hand.)
    Raises BadQuestion only if `received_at` has no timezone.
    """
    return parse_messages((content,), received_at=received_at, kind=kind, shared=shared, plain=plain)[0]


def parse_messages(
    contents: Sequence[object],
    *,
    received_at: datetime,
    kind: str | None = None,
    shared: Shared = NOTHING_SHARED,
    plain: bool = False,
) -> list[Message | Rejected]:
    """Read the calls of one body, each as `parse_message` does; what they share is read once."""
    received = require_aware(received_at).astimezone(UTC)
    if read_instant(shared.sent_at) is None:
        shared = replace(shared, sent_at=None)
    results: list[Message | Rejected] = []
    for content in contents:
        try:
            results.append(_read_message(content, kind, received, shared, plain=plain))
        except Unfit as unfit:
            results.append(Rejected(unfit.reason, unfit.detail, write_kept(content)))
    return results


def _read_message(
    content: object, kind_of_path: str | None, received_at: datetime, shared: Shared, *, plain: bool
) -> Message:
    if not isinstance(content, dict):
        raise Unfit("not_an_object", f"a {type(content).__name__}")
    kind = _read_kind(content.get("type") if kind_of_path is None else kind_of_path)
    fields = _merge(content, shared)
    check_message(fields, plain=plain)
    user_id, anonymous_id = _read_id(fields, "userId"), _read_id(fields, "anonymousId")
    previous_id, group_id = _read_id(fields, "previousId"), _read_id(fields, "groupId")
    if missing := _missing_ids(kind, user_id, anonymous_id, previous_id, group_id):
        raise Unfit("no_id", f"{kind} needs {missing}")
    name = _read_name(fields, kind)
    occurred_at, stated_at = date_event(fields, shared.sent_at or fields.get("sentAt"), received_at)
    message_id = _read_id(fields, "messageId", longest=MAX_MESSAGE_ID)
    return Message(
        message_id or _digest(fields, kind, None if stated_at else received_at),
        kind,
        name,
        user_id,
        anonymous_id,
        previous_id,
        group_id,
        occurred_at,
        stated_at,
        received_at,
        write_object(_read_properties(fields, kind), plain=plain),
        _write_object(fields, "traits", plain=plain),
        _write_object(fields, "context", plain=plain),
        _write_object(fields, "integrations", plain=plain),
    )


def _read_kind(value: object) -> Kind:
    if isinstance(value, str) and (kind := _NAMED.get(value)):
        return kind
    seen = repr(value[:40]) if isinstance(value, str) else f"a {type(value).__name__}"
    raise Unfit("unknown_type", f"type is {seen}, known are {', '.join(KINDS)}")


def _merge(content: dict[str, object], shared: Shared) -> dict[str, object]:
    """The message with what its batch shares; of context and integrations the message's own keys win, one by one."""
    if shared.context is None and shared.integrations is None and "writeKey" not in content:
        return content
    merged = {key: value for key, value in content.items() if key != "writeKey"}
    for field, common in (("context", shared.context), ("integrations", shared.integrations)):
        if common is not None:
            whole = {**_read_object({field: common}, field), **_read_object(merged, field)}
            merged[field] = whole
    return merged


def _read_object(fields: Mapping[str, object], field: str) -> Mapping[str, object]:
    value = fields.get(field)
    if value is None:
        return NOTHING
    if not isinstance(value, dict):
        raise Unfit("bad_field", f"{field} is a {type(value).__name__}, not an object")
    return value


def _write_object(fields: Mapping[str, object], field: str, *, plain: bool) -> str:
    return "{}" if fields.get(field) is None else write_object(_read_object(fields, field), plain=plain)


def _read_properties(fields: Mapping[str, object], kind: Kind) -> Mapping[str, object]:
    """The properties; the category of a page or screen, which libraries send beside them, belongs to them."""
    properties = _read_object(fields, "properties")
    if kind in ("page", "screen"):
        category = fields.get("category")
        if category is not None and "category" not in properties:
            return {**properties, "category": category}
    return properties


def _read_id(fields: Mapping[str, object], field: str, longest: int = MAX_ID) -> str | None:
    """An id as text; a whole number is taken as its digits, blank text as nothing."""
    value = fields.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unfit("bad_field", f"{field} is a {type(value).__name__}, not a text")
        value = str(value)
    if not value or value.isspace():
        return None
    if len(value) > longest:
        raise Unfit("bad_field", f"{field} has {len(value)} characters, at most {longest}")
    return value


def _missing_ids(kind: Kind, user: str | None, anonymous: str | None, previous: str | None, group: str | None) -> str:
    """Which ids the call lacks, in words; empty if it has what its kind needs."""
    if kind == "alias":
        needed = (("userId", user), ("previousId", previous))
    elif kind == "group":
        needed = (("userId or anonymousId", user or anonymous), ("groupId", group))
    else:
        return "" if user or anonymous else "userId or anonymousId"
    return " and ".join(field for field, value in needed if not value)


def _read_name(fields: Mapping[str, object], kind: Kind) -> str | None:
    if kind not in ("track", "page", "screen"):
        return None
    field = "event" if kind == "track" else "name"
    value = fields.get(field)
    if value is None or (isinstance(value, str) and (not value or value.isspace())):
        if kind == "track":
            raise Unfit("no_event_name", "event is empty or missing")
        return None
    if not isinstance(value, str):
        raise Unfit("bad_field", f"{field} is a {type(value).__name__}, not a text")
    if len(value) > MAX_NAME:
        raise Unfit("bad_field", f"{field} has {len(value)} characters, at most {MAX_NAME}")
    return value


def _digest(fields: Mapping[str, object], kind: Kind, received_at: datetime | None) -> str:
    said = {key: value for key, value in fields.items() if key not in ("sentAt", "type", "messageId")}
    minute = received_at.strftime("%Y-%m-%dT%H:%M") if received_at else ""
    whole = write_canonical([kind, minute, said])
    return f"digest-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"
