"""What a channel is: settings, what it can tell afterwards, and one verb that sends a batch and says what became of it.

A channel is one file in `delivery/channels`, found by its folder. It knows nothing of journeys, consent or the ledger:
it is given messages that may be sent, and answers for each of them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Literal, Protocol

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeVar

from aimwell.core.errors import BadInput, Unavailable
from aimwell.core.text import Text

Signal = Literal[
    "delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed", "joined", "shared"
]
Result = Literal["accepted", "refused", "failed", "unknown"]


CUSTOMER_ID = "customer_id"
"""The kind of address of channels that need none: the customer's own id."""


class BadCallback(BadInput):
    """What was posted is not from the provider, too old, or cannot be read; nothing of it is believed."""


class ChannelSettings(BaseModel):
    """What `[channels.NAME]` in aimwell.toml may say; secrets are names of environment variables, never values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, ready to leave: its key, the address, and the rendered parts by name (subject, text, html, …).

    key: the intent's key; the provider gets it as idempotency key.   address: the identifier's value.
    simulated: the message is part of a simulation and must say so wherever it is shown.   at: the sender's instant,
    on a virtual clock if it has one; by default now.
    """

    key: str
    customer_id: str
    address: str
    parts: Mapping[str, str]
    simulated: bool = False
    at: datetime | None = None


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
        """Let go of connections; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do as it is configured: where it sends, what it can report, whether a key may be repeated.

    tells: whether `look_up` knows anything; without it, what is unknown waits for a report or for a person.
    longest: characters of a part beyond which it is cut or not taken, by part.
    """

    address: str
    signals: frozenset[Signal]
    idempotent: bool
    tells: bool
    longest: Mapping[str, int] = field(default_factory=dict)


S = TypeVar("S", bound=ChannelSettings, default=Any)


class ChannelKind(ABC, Generic[S]):
    """A kind of channel, one per file: its name, what it needs, and what it can tell.

    name: as in aimwell.toml, where `kind` says it; by default that is the channel's own name.   address: kind of
    identifier it sends to (email, phone, push_token, …; `customer_id` if it needs none).   parts: the parts of content
    that it takes, the first one required.   signals: what it can report afterwards; a journey may branch on nothing
    else.   idempotent: the provider sends a key once however often it gets it.   tells: `look_up` knows something.
    longest: characters of a part beyond which it is cut or not taken; who writes more is warned.
    batch: how many parcels to give it at a time.   silent: what it cannot tell, for the documents.
    """

    name: str
    label: Text
    meaning: Text
    address: str
    parts: tuple[str, ...]
    signals: frozenset[Signal]
    idempotent: bool = False
    tells: bool = False
    longest: Mapping[str, int] = MappingProxyType({})
    settings: type[S]
    batch: int = 100
    silent: Text

    @abstractmethod
    def open(self, settings: S, place: Path) -> Channel:
        """Make it ready; `place` is a folder of the workspace that belongs to this channel alone.

        Raises Unavailable when a secret is not in the environment. Connects later, when there is something to send.
        """

    def abilities(self, settings: S) -> Abilities:
        """What it can do with these settings; by default what the kind says."""
        return Abilities(self.address, self.signals, self.idempotent, self.tells, self.longest)

    def read_callback(self, settings: S, request: Request) -> Sequence[Report]:
        """The reports in what the provider posted; raises BadCallback if it is not the provider's or not readable."""
        raise BadCallback(f"The channel {self.name} has no callbacks", remedy="Take the address out of the provider.")

    def collect(self, settings: S, place: Path, since: int) -> tuple[Sequence[Report], int]:
        """What has been reported in its own folder after the mark `since` (0 at first), and the mark to go on from.

        For channels that nobody calls back: the local mailbox, pages that poll, simulations. At most 10,000 at a time.
        """
        return (), since


def secret(variable: str, channel: str) -> str:
    """A secret from the environment; raises Unavailable, which names the variable alone."""
    value = os.environ.get(variable, "")
    if not value:
        raise Unavailable(
            f"The channel {channel} needs a secret that is not in the environment",
            expected=f"a value in {variable}",
            remedy=f"export {variable}=… before starting.",
        )
    return value


def flaw(parcel: Parcel, *required: str, outside: bool = False) -> Receipt | None:
    """A refusal if the parcel has no address, lacks one of these parts, or is no text at all; None if it may go.

    outside: it would reach a real person, which a message of a simulation never may: made-up addresses have owners.
    """
    if outside and parcel.simulated:
        return Receipt(parcel.key, "refused", detail="belongs to a simulation: simulated customers get nothing outside")
    if not parcel.address.strip():
        return Receipt(parcel.key, "refused", detail="has no address", bad_address=True)
    for name in required:
        if not parcel.parts.get(name, "").strip():
            return Receipt(parcel.key, "refused", detail=f"lacks the part {name!r}")
    if parcel.at is not None and parcel.at.utcoffset() is None:
        return Receipt(parcel.key, "refused", detail="is dated without a timezone")
    try:
        "".join((parcel.key, parcel.address, parcel.customer_id, *parcel.parts.values())).encode()
    except UnicodeEncodeError:
        return Receipt(parcel.key, "refused", detail="holds characters that are no text (halves of surrogate pairs)")
    return None


GROUP: str = "aimwell.channel"
PACKAGE: str = "aimwell.delivery.channels"
