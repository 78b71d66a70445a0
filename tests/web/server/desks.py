"""An event API on a ledger of its own, and requests to it, for tests."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import RowMapping, select

from aimwell.store.ledger.arrivals import StoredMessage, last_seq, read_after
from aimwell.store.ledger.inbox import CAPACITY_MESSAGES, Inbox
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.inbox import refused_message
from aimwell.web.server.events import event_api
from aimwell.web.server.keys import key_of
from aimwell.web.server.limits import Pace
from aimwell.web.server.run import serving

SERVER_SECRET = "server-key-0123456789"
PAGE_SECRET = "page-key-0123456789"
SHOP = "https://shop.example"
SERVER = {"Authorization": "Basic " + base64.b64encode(f"{SERVER_SECRET}:".encode()).decode()}
KEYS = (key_of("crm", SERVER_SECRET, trusted=True), key_of("shop-page", PAGE_SECRET, origins=[SHOP]))


@dataclass
class Site:
    """A running event API, with what its inbox holds."""

    client: httpx.Client
    ledger: Ledger
    inbox: Inbox
    read: list[int] = field(default_factory=lambda: [0])

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self.client.post(path, json=body, headers={**SERVER, **headers})

    def stored(self, after: int = 0) -> list[StoredMessage]:
        with self.ledger.reading_events() as connection:
            return read_after(connection, after, 100_000)

    def newest(self) -> int:
        with self.ledger.reading_events() as connection:
            return last_seq(connection)

    def refused(self) -> list[RowMapping]:
        with self.ledger.reading_events() as connection:
            return list(connection.execute(select(refused_message)).mappings())


@contextmanager
def running_site(folder: Path, *, pace: Pace | None = None, capacity: int = CAPACITY_MESSAGES) -> Iterator[Site]:
    ledger = open_ledger(folder)
    inbox, read = Inbox(ledger, capacity=capacity), [0]
    app = event_api(inbox, KEYS, pace=pace, read_up_to=lambda: read[0])
    with serving(app) as url, httpx.Client(base_url=url, verify=False) as client:
        yield Site(client, ledger, inbox, read)
    ledger.close()


def now() -> datetime:
    return datetime.now(UTC)


def track(message_id: str, **fields: object) -> dict[str, object]:
    return {"type": "track", "event": "Paid", "userId": "u1", "messageId": message_id, **fields}
