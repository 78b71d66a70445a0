"""A workspace with a ledger and messages for the tests of what keeps up with arrivals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.store.intake.messages import Message, parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.ledger import Ledger

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # 12:00 in Shanghai
SETTINGS = IdentitySettings(zone="Asia/Shanghai")


def arrive(ledger: Ledger, *calls: Mapping[str, object], after: timedelta = timedelta(0)) -> None:
    """Keep calls of a trusted key in the inbox and let identity absorb them; their ids are given or their place."""
    at = NOON + after
    parsed = [
        parse_message({"messageId": f"m{after.total_seconds():.0f}-{place}", **call}, received_at=at)
        for place, call in enumerate(calls)
    ]
    kept = [(each, "tests", True) for each in parsed if isinstance(each, Message)]
    assert len(kept) == len(calls)
    with ledger.writing_events() as connection:
        keep_messages(connection, kept)
    while absorb(ledger, SETTINGS, now=at).messages:
        pass
