"""The joint with the product: decisions become attributes, a journey reads them, the outbox sends, answers are reports.

What leaves is decided by the ledger and not by the policy: whoever the outbox refuses, or has sent too much to already,
gets nothing from the market either. Nothing leaves the machine: the provider is part of the simulation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import select

from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt, Report, Signal
from aimwell.delivery.outbox.balances import Unbalanced, verify_balances
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Policy as Rules
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.insight.identity.resolution import USER
from aimwell.simulation.app.messages import Message
from aimwell.simulation.chance import Integers
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.loop.policy import Policy as Decider
from aimwell.simulation.loop.running import Run, play
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.people import customer_ids
from aimwell.simulation.regimes.posts import ADDRESSES, LABEL, address, day_messages, introductions
from aimwell.simulation.regimes.regime import regimes_digest
from aimwell.store.intake.messages import Message as Accepted
from aimwell.store.intake.messages import parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.consents import ALL_CHANNELS, ConsentStatement, set_consents
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import identifier, profile
from aimwell.store.ledger.writes import insert_new, put
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in, put_in
from aimwell.strategy.journeys.feed import feed
from aimwell.strategy.journeys.goals import settle_goals
from aimwell.strategy.journeys.tick import Ticker

JOURNEY, CONTENT = "decided", "offer"
CHANNEL, PRODUCT, DEPTH = "decided_channel", "decided_product", "decided_depth"
"""The attributes in which a decision stands in the ledger."""

_ZONE = "Asia/Shanghai"
_MORNING = time(8)
_BATCH = 500


@dataclass(slots=True)
class Provider:
    """Takes every message of one channel; simulated, nobody gets anything. `taken`: parcels of all days."""

    taken: list[Parcel] = field(default_factory=list)

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """All are accepted."""
        self.taken += parcels
        return [Receipt(parcel.key, "accepted", parcel.key) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """It remembers what it took."""
        known = {parcel.key for parcel in self.taken}
        return [Receipt(key, "accepted" if key in known else "failed", key) for key in keys]

    def close(self) -> None:
        """Nothing is kept open."""


def journey_of(channels: Sequence[str]) -> Journey:
    """The journey that sends what was decided: one branch and one message, by the channel that was decided for."""
    cases = "".join(f"\n      - {{port: {each}, if: {{attribute: {CHANNEL}, is: {each}}}}}" for each in channels)
    ways = ", ".join(f"{each}: by_{each}" for each in channels)
    sends = "".join(
        f"\n  by_{each}: {{send: {{channel: {each}, content: {CONTENT}, expires_after: 12h}}, to: done}}"
        for each in channels
    )
    text = f"""
objective: revenue
entry: {{api: true}}
re_entry: after_end
hold_out: 0%
goal: {{bought: {{event: order_completed}}}}
within: 6d
start: which
nodes:
  which:
    branch:
      cases: {cases}
    to: {{{ways}, otherwise: done}}{sends}
  done: {{end: {{}}}}
"""
    (found,) = parse_definitions(text, f"{JOURNEY}.yaml", Journey, name=JOURNEY)
    return found


@dataclass(frozen=True, slots=True)
class Carried:
    """A run through a ledger: what came of it, and what the outbox says of its messages.

    accepted: by the outbox, in all; the market has got exactly these.   not_sent: what was decided and did not leave,
    by reason.   regimes: digest of the frozen file.
    """

    run: Run
    accepted: int
    not_sent: Mapping[str, int]
    regimes: str
    simulated: bool = True


def play_through_ledger(
    folder: Path, regime: str, policy: Decider, *, customers: int, days: int, seed: int, progress: Progress = silent
) -> Carried:
    """Play a small market with every decision going through journeys and outbox of a new ledger in the folder.

    Raises BadQuestion where the folder holds anything, Unbalanced when the books of journeys and outbox do not hold or
    the market got anything else than what was accepted.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadQuestion(f"{folder} is not empty", remedy="Name a folder of its own; a ledger is made there.")
    market = Marketplace.open(regime, customers, seed, days=days)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(folder)
    try:
        joint = Joint(ledger, market)
        run = play(market, policy, carrier=joint, progress=progress)
        with ledger.reading() as connection:
            verify_balances(connection)
            rows = connection.execute(select(intent.c.state, intent.c.reason))
            states = Counter((row.state, row.reason) for row in rows)
    finally:
        ledger.close()
    accepted = sum(count for (state, _), count in states.items() if state == "accepted")
    if not accepted == joint.accepted == run.messages:
        raise Unbalanced("The market got something else than the outbox sent", seen=f"{run.messages} of {accepted}")
    reasons = {str(reason): count for (state, reason), count in states.items() if state != "accepted"}
    return Carried(run, accepted, reasons, regimes_digest())


class Joint:
    """Carries decisions through a ledger of its own; for small markets, a few hundred customers.

    ledger: empty.   accepted: messages that the outbox has accepted so far, in all.
    """

    def __init__(self, ledger: Ledger, market: Marketplace) -> None:
        self.ledger, self.market, self.accepted = ledger, market, 0
        self.providers = {channel.name: Provider() for channel in market.business.channels}
        outlets = {
            name: Outlet(name, provider, ADDRESSES[name], _BATCH, idempotent=True, tells=True)
            for name, provider in self.providers.items()
        }
        self.desk = Desk(ledger, outlets, Rules(quiet_hours=()), zone(_ZONE), LABEL)
        self.ticker = Ticker(ledger)
        self._identity = IdentitySettings(zone=_ZONE)
        self._keys: dict[int, tuple[str, str]] = {}
        with ledger.writing() as connection:
            apply_version(connection, journey_of(tuple(self.providers)), self._morning(market), LABEL)
        self._introduce(market, np.arange(market.present), self._morning(market))

    def carry(self, market: Marketplace, chosen: Chosen) -> Chosen:
        """Write what was decided, let the journey and the outbox do their work, and return what was accepted."""
        now = self._morning(market)
        if market.day:  # whoever comes today is known from this morning on
            self._introduce(market, np.flatnonzero(market.people.arrival == market.day), now)
        if len(chosen.messages):
            self._decide(market, chosen, now)
        self._move(now)
        return self._left(chosen, now)

    def hear(self, market: Marketplace, day: Day) -> None:
        """What people did arrives as events; what became of messages, as reports of their channels."""
        evening = self._morning(market) - timedelta(minutes=1)  # the market is a day further by now
        self._arrive(list(day_messages(market, day)), evening)
        answers, begins = day.answers, evening - timedelta(hours=24) + timedelta(minutes=1)
        told: dict[str, list[Report]] = {name: [] for name in self.providers}
        for row, who in enumerate(day.messages.customer.tolist()):
            channel, key = self._keys[who]
            at = begins + timedelta(seconds=max(int(answers.second[row]) - _MORNING.hour * 3_600, 60))
            kinds: dict[Signal, bool] = {
                "delivered": bool(answers.delivered[row]),
                "opened": bool(answers.seen[row]),
                "clicked": bool(answers.clicked[row]),
                "unsubscribed": bool(answers.unsubscribed[row]),
            }
            told[channel] += [Report(kind, at, f"{key}-{kind}", key) for kind, there in kinds.items() if there]
        for name, reports in told.items():
            with self.ledger.writing() as connection:
                take_reports(connection, self.desk, self.desk.outlets[name], reports, evening)
        settle_goals(self.ledger, JOURNEY, evening)

    def _decide(self, market: Marketplace, chosen: Chosen, now: datetime) -> None:
        """The decision as attributes, and a knock at the journey."""
        sent = chosen.messages
        people, names = self._people(sent.customer.tolist()), list(self.providers)
        values = zip(people, sent.channel.tolist(), sent.product.tolist(), sent.depth.tolist(), strict=True)
        rows: list[dict[str, object]] = []
        for who, channel, product, depth in values:
            said = {CHANNEL: names[channel], PRODUCT: str(market.shelf.ids[product]), DEPTH: depth}
            rows += [
                {
                    "customer_id": who,
                    "name": name,
                    "text": value if isinstance(value, str) else None,
                    "number": value if isinstance(value, float) else None,
                    "since": now,
                    "stated_at": now,
                }
                for name, value in said.items()
            ]
        with self.ledger.writing() as connection:
            put(connection, profile, rows)
            put_in(connection, JOURNEY, people, now, f"day {market.day}")

    def _move(self, now: datetime) -> None:
        while feed(self.ledger).messages:
            pass
        knocking = True
        while knocking:
            with self.ledger.writing() as connection:
                knocking = let_in(connection, now).knocks > 0
        self.ticker.tick(now)
        while claim(self.desk, now, enough=_BATCH).claimed:
            self.accepted += send(self.desk, self._render, lambda: now).accepted

    def _left(self, chosen: Chosen, now: datetime) -> Chosen:
        """Those of the chosen whose message was accepted just now, in the order in which they were chosen."""
        users = self._users()
        self._keys = {
            users[parcel.customer_id]: (name, parcel.key)
            for name, provider in self.providers.items()
            for parcel in provider.taken
            if parcel.at == now
        }
        there = np.isin(chosen.messages.customer, np.asarray(list(self._keys), dtype=np.int64))
        if int(there.sum()) != len(self._keys):
            raise BadQuestion("The outbox sent what nobody had decided", seen=f"{len(self._keys) - int(there.sum())}")
        return Chosen(chosen.messages.take(there), chosen.probability[there])

    def _render(self, messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
        return [
            Parcel(each.key, each.customer_id, each.address, {"text": CONTENT}, simulated=True, at=each.planned_at)
            for each in messages
        ]

    def _introduce(self, market: Marketplace, who: Integers, now: datetime) -> None:
        """Customers become known; where the market can reach them the ledger has an address, and they agreed."""
        self._arrive(list(introductions(market, who)), now)
        users, places = self._users(), set(who.tolist())
        mine = {place: customer for customer, place in users.items() if place in places}
        addresses = {
            (kind, address(kind, place)): place
            for place in mine
            for each, name in enumerate(self.providers)
            if market.people.reached[place, each]
            for kind in [ADDRESSES[name]]
        }
        stated = [
            {
                "kind": kind,
                "value": value,
                "customer_id": mine[place],
                "verified": True,
                "first_seen": now,
                "last_seen": now,
                "source": LABEL,
            }
            for (kind, value), place in addresses.items()
        ]
        agreed = [ConsentStatement(each, ALL_CHANNELS, "marketing", True, micros(now), LABEL) for each in mine.values()]
        with self.ledger.writing() as connection:
            insert_new(connection, identifier, stated)
            set_consents(connection, agreed)

    def _arrive(self, messages: Sequence[Message], now: datetime) -> None:
        read = [parse_message(each, received_at=now) for each in messages]
        with self.ledger.writing_events() as connection:
            keep_messages(connection, [(each, LABEL, True) for each in read if isinstance(each, Accepted)])
        while absorb(self.ledger, self._identity, now=now).messages:
            pass

    def _people(self, places: Sequence[int]) -> list[str]:
        """The ledger's ids of customers by their places in the market."""
        named = {place: who for who, place in self._users().items()}
        return [named[place] for place in places]

    def _users(self) -> dict[str, int]:
        """Places in the market by the ledger's ids."""
        known = dict(
            zip(customer_ids(np.arange(self.market.present)).to_pylist(), range(self.market.present), strict=True)
        )
        query = select(identifier.c.customer_id, identifier.c.value).where(identifier.c.kind == USER)
        with self.ledger.reading() as connection:
            return {row.customer_id: known[row.value] for row in connection.execute(query) if row.value in known}

    def _morning(self, market: Marketplace) -> datetime:
        at = datetime.combine(market.on, _MORNING, zone(_ZONE))
        return at.astimezone(UTC)
