"""A small world for the outbox: people with addresses and consent, one journey, and a provider that does as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from aimwell.core.keys import shard_of
from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.claim import Desk
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Policy
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey, listening
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import consent, consent_log, customer, identifier

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # a Monday, 12:00 in Shanghai
AWAKE = Policy(quiet_hours=())
KINDS = {"email": "email", "sms": "phone", "site": "customer_id"}


@dataclass
class Provider:
    """Takes what it is given and remembers it; `answer` decides otherwise, `known` is what it tells when asked."""

    got: list[str] = field(default_factory=list)
    answer: Callable[[Parcel], Receipt] | None = None
    known: Mapping[str, Receipt] = field(default_factory=dict)
    before: Callable[[], None] | None = None

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        if self.before is not None:
            self.before()
        receipts = [self.answer(each) if self.answer else Receipt(each.key, "accepted", each.key) for each in parcels]
        self.got += [receipt.key for receipt in receipts if receipt.result == "accepted"]
        return receipts

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        return [self.known[key] for key in keys if key in self.known]

    def close(self) -> None:
        pass


def words(messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
    return [Parcel(each.key, each.customer_id, each.address, {"text": "你好"}) for each in messages]


@dataclass
class World:
    """A ledger with a desk at it and a clock that stands still until it is set on."""

    ledger: Ledger
    policy: Policy = AWAKE
    now: datetime = NOON
    worker: str = "w1"
    idempotent: bool = False
    batch: int = 10
    providers: dict[str, Provider] = field(default_factory=lambda: {name: Provider() for name in KINDS})

    @property
    def desk(self) -> Desk:
        outlets = {
            name: Outlet(name, provider, KINDS[name], self.batch, self.idempotent, bool(provider.known))
            for name, provider in self.providers.items()
        }
        return Desk(self.ledger, outlets, self.policy, zone("Asia/Shanghai"), self.worker)

    def clock(self) -> datetime:
        return self.now

    def later(self, **much: float) -> None:
        self.now += timedelta(**much)

    def journey(self, name: str = "hello", **values: Any) -> None:
        row = {"name": name, "version_id": 1, "state": "running", "changed_at": NOON, "spent": 0, **values}
        with self.ledger.writing() as connection:
            connection.execute(insert(journey), [row])

    def listen(self, *signals: str) -> None:
        with self.ledger.writing() as connection:
            connection.execute(insert(listening), [{"signal": each, "version_id": 1, "node": "*"} for each in signals])

    def person(self, name: str, *, granted: bool | None = True, address: bool = True, **values: Any) -> None:
        """Somebody with an address of each kind and consent to marketing on all channels."""
        row = {"customer_id": name, "shard": shard_of(name), "zone": "Asia/Shanghai", "held_out": False}
        with self.ledger.writing() as connection:
            connection.execute(insert(customer), [{**row, "created_at": NOON, **values}])
            for kind in ("email", "phone"):
                if address:
                    connection.execute(insert(identifier), [_identifier(kind, f"{name}@{kind}", name)])
            if granted is not None:
                said = {"customer_id": name, "channel": "*", "purpose": "marketing", "granted": granted, "source": "t"}
                connection.execute(insert(consent), [{**said, "since": NOON}])
                connection.execute(insert(consent_log), [{**said, "at": NOON - timedelta(days=9)}])

    def plan(self, name: str, node: str = "a", **values: Any) -> str:
        """A message planned for somebody, with an enrolment of its own journey if there is none yet."""
        which = str(values.pop("journey", "hello"))
        number = abs(hash((name, which))) % (1 << 40)
        stay = {
            "id": number,
            "journey": which,
            "version_id": 1,
            "customer_id": name,
            "shard": shard_of(name),
            "cause": "test",
            "number": 1,
            "entered_at": self.now,
            "state": "active",
            "node": node,
            "at": self.now,
        }
        message = {
            "key": f"{number}:{node}:1:1",
            "enrolment_id": number,
            "journey": which,
            "version_id": 1,
            "node": node,
            "visit": 1,
            "step": 1,
            "customer_id": name,
            "shard": shard_of(name),
            "channel": "email",
            "content": "hello",
            "purpose": "marketing",
            "planned_at": self.now,
            "due_at": self.now,
            "state": "waiting",
            "changed_at": self.now,
        }
        with self.ledger.writing() as connection:
            if connection.scalar(select(enrolment.c.id).where(enrolment.c.id == number)) is None:
                connection.execute(insert(enrolment), [stay])
            connection.execute(insert(intent), [message | values])
        return str(message["key"])

    def state(self, key: str) -> tuple[str, str | None]:
        with self.ledger.reading() as connection:
            row = connection.execute(select(intent.c.state, intent.c.reason).where(intent.c.key == key)).one()
        return row.state, row.reason

    def row(self, key: str) -> Any:
        with self.ledger.reading() as connection:
            return connection.execute(select(intent).where(intent.c.key == key)).one()


def _identifier(kind: str, value: str, name: str, **more: Any) -> dict[str, Any]:
    seen = {"first_seen": NOON, "last_seen": NOON, "source": "t", "verified": True}
    return {"kind": kind, "value": value, "customer_id": name, **seen, **more}
