"""The tables of the ledger: `STATE` (what is being done) and `EVENTS` (what arrived), in SQLite each its own file."""

from __future__ import annotations

from aimwell.store.ledger.schema import enrolments, inbox, journeys, outbox, people
from aimwell.store.ledger.schema.base import EVENTS, STATE

__all__ = ["EVENTS", "STATE", "enrolments", "inbox", "journeys", "outbox", "people"]
