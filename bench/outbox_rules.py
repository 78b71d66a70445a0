"""Simulated sends under random consent, caps and quiet hours, over twenty timezones and two daylight-saving changes.

    python bench/outbox_rules.py --sends 1000000

The world runs through the hours around the changes of spring and autumn; customers give and take back consent, the
provider answers badly now and then. Afterwards an independent checker in plain Python (tests/delivery/outbox) reads
what was sent and counts every send that broke a rule. It must count none.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import insert, select
from tests.delivery.outbox.checker import read_sendings, violations

from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Cap, Policy, QuietHours
from aimwell.delivery.outbox.recovery import recover
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.consents import ConsentStatement, set_consents
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer, identifier
from outbox_rows import ZONES

BEGINS = (datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC))
DAYS = 10
POLICY = Policy(
    caps=(
        Cap(at_most=2, within=timedelta(hours=20), action="postpone"),
        Cap(at_most=1, within=timedelta(hours=7), channels=("sms",), purpose="*"),
        Cap(at_most=9, within=timedelta(days=4), purpose="*"),
    ),
    quiet_hours=(
        QuietHours(),
        QuietHours(since="01:30", until="02:30", purpose="*"),
        QuietHours(since="12:00", until="13:00", weekdays=frozenset({5, 6}), action="drop"),
    ),
)


class Whimsical:
    """A provider that mostly takes what it is given."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        fates = self.dice.choices(["accepted", "failed", "unknown", "refused"], [94, 3, 2, 1], k=len(parcels))
        return [Receipt(parcel.key, fate) for parcel, fate in zip(parcels, fates, strict=True)]  # type: ignore[arg-type]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        return []

    def close(self) -> None:
        pass


def words(messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
    """The same words for everybody."""
    return [Parcel(each.key, each.customer_id, each.address, {"text": "."}) for each in messages]


def fill(ledger: Ledger, people: int, dice: random.Random) -> None:
    """People in twenty timezones, most of them with consent on some channel."""
    now = BEGINS[0] - timedelta(days=30)
    names = [f"p{number}" for number in range(people)]
    with ledger.writing() as connection:
        row = {"name": "j", "version_id": 1, "state": "running", "changed_at": now, "spent": 0}
        connection.execute(insert(journey), [row])
        common = {"shard": 0, "held_out": False, "created_at": now}
        connection.execute(
            insert(customer), [{**common, "customer_id": name, "zone": dice.choice(ZONES)} for name in names]
        )
        seen = {"verified": True, "first_seen": now, "last_seen": now, "source": "bench"}
        kinds = [
            {**seen, "kind": kind, "value": f"{name}@{kind}", "customer_id": name}
            for name in names
            for kind in ("email", "phone")
        ]
        connection.execute(insert(identifier), kinds)
        stay = {
            "journey": "j",
            "version_id": 1,
            "cause": "b",
            "number": 1,
            "entered_at": now,
            "state": "active",
            "at": now,
        }
        stays = [{**stay, "id": number, "customer_id": name, "shard": 0} for number, name in enumerate(names)]
        connection.execute(insert(enrolment), stays)
    speak(ledger, names, now, dice, share=0.9)


def speak(ledger: Ledger, names: Sequence[str], now: datetime, dice: random.Random, *, share: float) -> None:
    """Some give or take back their consent."""
    at = micros(now)
    statements = [
        ConsentStatement(name, dice.choice(["*", "*", "email", "sms"]), "marketing", dice.random() < 0.8, at, str(at))
        for name in names
        if dice.random() < share
    ]
    with ledger.writing() as connection:
        set_consents(connection, statements)


def plan(ledger: Ledger, people: int, number: int, now: datetime, dice: random.Random) -> int:
    """Messages for a tenth of the people."""
    chosen = dice.sample(range(people), people // 10)
    same = {"journey": "j", "version_id": 1, "visit": 1, "step": 1, "content": "c", "state": "waiting", "shard": 0}
    times = {"planned_at": now, "due_at": now, "changed_at": now, "expires_at": now + timedelta(days=2)}
    rows = [
        {
            **same,
            **times,
            "key": f"{person}:n{number}:1:1",
            "enrolment_id": person,
            "customer_id": f"p{person}",
            "node": f"n{number}",
            "channel": dice.choice(["email", "sms"]),
            "purpose": dice.choice(["marketing", "marketing", "marketing", "service"]),
            "priority": dice.randrange(3),
        }
        for person in chosen
    ]
    with ledger.writing() as connection:
        connection.execute(insert(intent), rows)
    return len(rows)


def main() -> None:
    """Run the worlds and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sends", type=int, default=20_000, help="messages planned")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    steps = len(BEGINS) * DAYS * 16  # a step is an hour and a half
    people = max(chosen.sends * 10 // steps, 20)
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(folder)
        fill(ledger, people, dice)
        provider, kinds = Whimsical(dice), {"email": "email", "sms": "phone"}
        outlets = {name: Outlet(name, provider, kind, 500) for name, kind in kinds.items()}
        desk = Desk(ledger, outlets, POLICY, zone("Asia/Shanghai"), "w")
        begun, planned = time.perf_counter(), 0
        for number in range(steps):
            now = BEGINS[number * len(BEGINS) // steps] + timedelta(minutes=90) * (number % (DAYS * 16))
            planned += plan(ledger, people, number, now, dice)
            speak(ledger, [f"p{person}" for person in range(people)], now, dice, share=0.01)
            now += timedelta(minutes=dice.randrange(1, 40))
            claim(desk, now)
            now += timedelta(minutes=dice.randrange(1, 9))
            send(desk, words, lambda at=now: at)  # type: ignore[misc]
            recover(desk, now)
        report(ledger, planned, people, time.perf_counter() - begun)
        ledger.close()


def report(ledger: Ledger, planned: int, people: int, took: float) -> None:
    """What was sent, why the others were not, and what the checker found."""
    with ledger.reading() as connection:
        figures = verify_balances(connection)
        sent = read_sendings(connection)
        broken = Counter(found.rule for found in violations(connection, POLICY, "Asia/Shanghai"))
        kept = Counter(connection.scalars(select(intent.c.reason).where(intent.c.state == "waiting")))
    print(
        f"{planned:,} messages planned for {people:,} people in {len(ZONES)} timezones,"
        f" {len(sent):,} sent in {took:.0f} s;"
        f" not sent {dict(figures.reasons)}, still waiting {dict(kept)};"
        f" violations: {sum(broken.values())} {dict(broken)}"
    )
    assert not broken, broken


if __name__ == "__main__":
    main()
