"""A five-node journey over a week of virtual time, end to end, on simulated people who answer or do not.

    python bench/week.py --people 1000000

Everybody of the simulated app is made known through the inbox and let in by a call within the first day; the journey
pushes a benefit, waits two days for an answer, pushes again, waits again. Events of the app arrive all the week, people
answer by their true habits, one in ten is held out. Printed: seconds of each part, the largest memory, both balances,
whether every message left once and none to the hold-out, and the measured lift beside the true one.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import sqrt
from pathlib import Path

from sqlalchemy import func, select

from aimwell.core.definitions import parse_definitions
from aimwell.core.time import zone
from aimwell.delivery.channel import Parcel, Receipt, Report
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import Desk, claim
from aimwell.delivery.outbox.outlet import Claimed, NotRendered, Outlet
from aimwell.delivery.outbox.policy import Policy
from aimwell.delivery.outbox.reports import take_reports
from aimwell.delivery.outbox.sending import send
from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.evidence import IdentitySettings
from aimwell.simulation.app.answers import Delivery
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.running import Hands, Play
from aimwell.simulation.app.world import World
from aimwell.store.intake.messages import Message as Accepted
from aimwell.store.intake.messages import parse_message
from aimwell.store.ledger.arrivals import keep_messages
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import customer
from aimwell.strategy.journeys.applying import apply_version
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.entry import let_in, put_in
from aimwell.strategy.journeys.feed import feed
from aimwell.strategy.journeys.goals import settle_goals
from aimwell.strategy.journeys.tick import Ticker

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # two thirds of the world have signed up by then
WEEK, DAY, STEP = timedelta(days=7), timedelta(days=1), timedelta(hours=3)
ENTRIES = 8
CHUNK = 20_000
JOURNEY = """
objective: activation
entry: {api: true}
hold_out: 10%
goal: {loan: {event: loan_taken}}
within: 7d
start: first
nodes:
  first: {send: {channel: push, content: benefit}, to: wait}
  wait: {wait: {event: {answered: first}, at_most: 2d}, to: {happened: done, timeout: again}}
  again: {send: {channel: push, content: benefit_again}, to: wait_again}
  wait_again: {wait: {event: {answered: again}, at_most: 2d}, to: {happened: done, timeout: done}}
  done: {end: {}}
"""


@dataclass
class Provider:
    """Takes every push at once; remembers what it took until it is asked."""

    new: list[Delivery] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        self.new += [Delivery(p.key, p.address, "push", "benefit", p.at or MONDAY) for p in parcels]
        self.taken.update(parcel.key for parcel in parcels)
        return [Receipt(parcel.key, "accepted", parcel.key) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        return ()

    def close(self) -> None:
        pass


@dataclass
class Bench:
    """A ledger, the journey, and a clock."""

    ledger: Ledger
    events: bool
    provider: Provider = field(default_factory=Provider)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)
    now: datetime = MONDAY
    waiting: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        outlet = Outlet("push", self.provider, "push_token", 1_000, idempotent=True)
        self.desk = Desk(self.ledger, {"push": outlet}, Policy(quiet_hours=()), zone("Asia/Shanghai"), "bench")
        self.ticker = Ticker(self.ledger)
        (journey,) = parse_definitions(JOURNEY, "week.yaml", Journey, name="week")
        with self.ledger.writing() as connection:
            apply_version(connection, journey, MONDAY, "bench")

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - begun

    def take_in(self, messages: Sequence[Message], now: datetime) -> None:
        rest = iter(messages)
        while some := list(islice(rest, CHUNK)):
            with self.timed("parse and keep"):
                read = [parse_message(each, received_at=now) for each in some]
                kept = [(each, "app", True) for each in read if isinstance(each, Accepted)]
                with self.ledger.writing_events() as connection:
                    keep_messages(connection, kept)
            self.counts["messages"] += len(kept)

    def move(self, now: datetime) -> None:
        self.now = now
        with self.timed("identity"):
            while absorb(self.ledger, IdentitySettings(zone="Asia/Shanghai"), now=now).messages:
                pass
        with self.timed("feed"):
            while feed(self.ledger).messages:
                pass
        with self.timed("let in"):
            self._call(now)
            knocking = True
            while knocking:
                with self.ledger.writing() as connection:
                    knocking = let_in(connection, now).knocks > 0
        with self.timed("tick"):
            self.counts["moves"] += self.ticker.tick(now).moved
        with self.timed("outbox"):
            while claim(self.desk, now, enough=CHUNK).claimed:
                self.counts["sent"] += send(self.desk, self.render, lambda: self.now).accepted

    def _call(self, now: datetime) -> None:
        """A part of everybody is put into the journey by a call."""
        if not self.waiting:
            return
        called = self.waiting.pop()
        for first in range(0, len(called), CHUNK):
            with self.ledger.writing() as connection:
                put_in(connection, "week", called[first : first + CHUNK], now, f"{now}-{first}")

    def render(self, messages: Sequence[Claimed]) -> Sequence[Parcel | NotRendered]:
        return [
            Parcel(m.key, m.customer_id, m.address, {"text": "权益"}, simulated=True, at=self.now) for m in messages
        ]

    def sent(self, now: datetime) -> Sequence[Delivery]:
        new, self.provider.new = self.provider.new, []
        return new

    def tell(self, reports: Sequence[tuple[str, Report]], now: datetime) -> None:
        with self.timed("reports"):
            for first in range(0, len(reports), CHUNK):
                some = [report for _, report in reports[first : first + CHUNK]]
                with self.ledger.writing() as connection:
                    take_reports(connection, self.desk, self.desk.outlets["push"], some, now)
        self.counts["reports"] += len(reports)

    def everybody(self) -> None:
        """Who is known now is called in eight parts."""
        with self.ledger.reading() as connection:
            found = list(connection.scalars(select(customer.c.customer_id).order_by(customer.c.customer_id)))
        self.waiting = [found[part::ENTRIES] for part in range(ENTRIES)]
        self.counts["people"] = len(found)


class Quiet(World):
    """The same people, who do nothing by themselves: for the engine alone."""

    def events(self, since: datetime, until: datetime) -> Iterator[Message]:
        return iter(())


def lift(bench: Bench, world: World) -> str:
    """Share that took a loan in the week, messaged less held out, with a 95 % interval, beside the true effect."""
    settle_goals(bench.ledger, "week", bench.now)
    groups: dict[bool, tuple[int, int]] = {}
    with bench.ledger.reading() as connection:
        columns = (enrolment.c.held_out, func.count(), func.count(enrolment.c.goal_at))
        for held_out, people, reached in connection.execute(select(*columns).group_by(enrolment.c.held_out)):
            groups[bool(held_out)] = (people, reached)
    (n, treated), (m, control) = groups[False], groups[True]
    p, q = treated / n, control / m
    half = 1.96 * sqrt(p * (1 - p) / n + q * (1 - q) / m)
    caused = bench.counts["loans caused"] / n
    return f"lift {p - q:+.4f} ({p - q - half:+.4f} to {p - q + half:+.4f}), true {caused:+.4f}, base {q:.4f} of {m:,}"


def verify(bench: Bench) -> str:
    """Both balances, every message once, none to the hold-out; raises if one of them does not hold."""
    with bench.ledger.reading() as connection:
        verify_balances(connection)
        accepted = set(connection.scalars(select(intent.c.key).where(intent.c.state == "accepted")))
        held = connection.scalar(
            select(func.count()).join_from(intent, enrolment, intent.c.enrolment_id == enrolment.c.id).where(
                enrolment.c.held_out
            )
        )  # fmt: skip
    if held or max(bench.provider.taken.values()) > 1 or set(bench.provider.taken) != accepted:
        raise AssertionError(f"{held} messages to the hold-out, {bench.provider.taken.most_common(1)} taken")
    return f"balances hold; {len(accepted):,} messages, each taken once, none to the hold-out"


def main() -> None:
    """Run the week and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=20_000, help="about so many come into the journey")
    parser.add_argument("--database", default="", help="PostgreSQL by URL; by default SQLite in a temporary folder")
    parser.add_argument("--quiet", action="store_true", help="without what people do by themselves")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = (Quiet if chosen.quiet else World)(seed=7, customers=chosen.people * 3 // 2)
        bench = Bench(open_ledger(chosen.database or Path(folder)), not chosen.quiet)
        begun = time.perf_counter()
        play = Play(world, Hands(bench.take_in, bench.tell, bench.move, bench.sent), MONDAY)
        play.introduce()
        bench.move(MONDAY)
        bench.everybody()
        introduced = time.perf_counter() - begun
        print(f"{bench.counts['people']:,} people known after {introduced:.1f} s")
        bench.seconds.clear()
        begun = time.perf_counter()
        play.until(MONDAY + WEEK, STEP)
        whole = time.perf_counter() - begun
        bench.counts["loans caused"] = play.caused["loan_taken"]
        parts = ", ".join(f"{part} {spent:.1f}" for part, spent in bench.seconds.items())
        rest = whole - sum(bench.seconds.values())
        print(f"the week: {whole:.1f} s ({parts}, the world itself {rest:.1f})")
        print(", ".join(f"{name} {count:,}" for name, count in bench.counts.items()))
        print(verify(bench))
        print(lift(bench, world))
        print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
        bench.ledger.close()


if __name__ == "__main__":
    main()
