"""Parcels for the tests of channels."""

from __future__ import annotations

from datetime import UTC, datetime

from aimwell.delivery.channel import Parcel

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PARTS = {"text": "Hello", "subject": "Hi", "title": "Hi", "html": "<p>Hello</p>"}


def parcel(key: str = "7:offer:1:0", address: str = "c1", *, simulated: bool = False, **parts: str) -> Parcel:
    return Parcel(key, "c1", address, {**PARTS, **parts}, simulated, NOW)
