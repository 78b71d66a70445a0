"""What delivery must know of an opened channel, and what passes between delivery and whoever writes the words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aimwell.delivery.channel import Channel, Parcel


@dataclass(frozen=True, slots=True)
class Outlet:
    """An opened channel: where it sends (kind of identifier), how many at once, and what may be asked of it.

    idempotent: the provider sends a key once however often it gets it.   tells: looking up a key says something.
    """

    name: str
    channel: Channel
    address: str
    batch: int
    idempotent: bool = False
    tells: bool = False


Outlets = Mapping[str, Outlet]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that may leave now and has no words yet."""

    key: str
    enrolment_id: int
    journey: str
    version_id: int
    node: str
    visit: int
    step: int
    customer_id: str
    channel: str
    content: str
    purpose: str
    address: str
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class NotRendered:
    """Words that could not be made for this person, and what was wrong: the message is not sent."""

    key: str
    detail: str


Render = Callable[[Sequence[Claimed]], Sequence[Parcel | NotRendered]]
