"""What a channel is: settings, what it can tell afterwards, and one verb that sends a batch and says what became of it.

A channel is one file in `delivery/channels`, found by its folder. It knows nothing of journeys, consent or the ledger:
it is given messages that may be sent, and answers for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from aimwell.core.text import Text

Signal = Literal[
    "delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed", "joined", "shared"
]
Result = Literal["accepted", "refused", "failed", "unknown"]


class ChannelSettings(BaseModel):
    """What `[channels.NAME]` in aimwell.toml may say; secrets are names of environment variables, never values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, ready to leave: its key, the address, and the rendered parts by name (subject, text, html, …).

    key: the intent's key; the provider gets it as idempotency key.   address: the identifier's value.
    simulated: the message is part of a simulation and must say so wherever it is shown.
    """

    key: str
    customer_id: str
    address: str
    parts: Mapping[str, str]
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one parcel.

    accepted: the provider has it.   refused: it will never take it (bad address, blocked): do not try again.
    failed: it has not taken it and may later (busy, 5xx, connection refused before anything was sent): try again.
    unknown: it may or may not have it (time-out after the request went out): never a blind repetition.
    bad_address: with `refused`: the address itself is dead and is to be suppressed.
    retry_after: seconds that the provider asked for.
    """

    key: str
    result: Result
    provider_ref: str | None = None
    detail: str = ""
    bad_address: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider tells later about one message: a callback, a poll, a bounce.

    key or provider_ref says which message; ref is the provider's own id of this report, so that it counts once.
    machine: made by a scanner or a prefetching client, not by a person.
    """

    kind: Signal | Literal["accepted", "refused"]
    at: datetime
    ref: str
    key: str | None = None
    provider_ref: str | None = None
    machine: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a provider posted to us, as it came."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """One way to reach people. Instances are made by `ChannelKind.open` and used by one sender at a time."""

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Try to send each parcel once; one receipt for each, in any order. Never raises for a single message."""
        ...

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """What the provider knows of these keys; nothing for those that it cannot tell (the default knows nothing)."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class ChannelKind(Protocol):
    """A kind of channel, one per file: its name, what it needs, and what it can tell.

    name: as in journeys and aimwell.toml.   address: kind of identifier it sends to (email, phone, push_token, …).
    parts: the parts of content that it takes, the first one required.   signals: what it can report afterwards; a
    journey may branch on nothing else.   idempotent: the provider sends a key once however often it gets it.
    """

    name: str
    label: Text
    address: str
    parts: tuple[str, ...]
    signals: frozenset[Signal]
    idempotent: bool
    settings: type[ChannelSettings]
    batch: int

    def open(self, settings: ChannelSettings, place: Path) -> Channel:
        """Make it ready; `place` is a folder of the workspace that belongs to this channel alone."""
        ...

    def read_callback(self, settings: ChannelSettings, request: Request) -> Sequence[Report]:
        """The reports in what the provider posted; raises `BadCallback` if it is not from the provider or not readable."""
        ...


GROUP: str = "aimwell.channel"
PACKAGE: str = "aimwell.delivery.channels"
