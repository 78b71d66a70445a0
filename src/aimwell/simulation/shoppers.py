"""Shoppers who answer messages, made up for customers of any workspace: what a rehearsal of journeys plays with.

The truth, which no journey sees. Every customer has one habit, drawn by the id (`HABITS`): some open what the app
pushes, some what comes as a text message, some both, some neither; `OPENED` says how likely each opens a message on
each kind of channel, and every second one who opens it clicks (`CLICKED`). Everybody orders by themselves, whether or
not anything was sent to them: on each day with the chance `daily_orders` (by default 0.012, which is one order within
21 days for 22 of 100). Whoever clicks orders once more within four days with the chance `effect` (by default 0.5):
this is all that a journey changes. Machines open one push in twenty; they are marked, and nobody orders because of
them. One reader in a hundred unsubscribes after opening.

Nothing is drawn twice: the same seed, customer, day and message key always give the same answer, in whatever order
and however often they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from aimwell.core.keys import number_of, share_of
from aimwell.delivery.channel import Report, Signal
from aimwell.store.ledger.arrivals import SIMULATION

Habit = Literal["app", "phone", "both", "neither"]
HABITS: Mapping[Habit, float] = {"app": 0.35, "phone": 0.2, "both": 0.2, "neither": 0.25}
OPENED: Mapping[Habit, tuple[float, float]] = {
    "app": (0.6, 0.1),
    "phone": (0.08, 0.55),
    "both": (0.45, 0.45),
    "neither": (0.03, 0.03),
}
"""How likely a message is opened: one that the app pushes, and one of any other kind."""

CLICKED, UNSUBSCRIBED, MACHINE = 0.5, 0.01, 0.05
_LATER = timedelta(hours=20)
_ORDERED = timedelta(days=4)
_SPEND = (8.0, 90.0)
Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reached:
    """A message that came to somebody: its key, to whom, on what (the address's kind) and when.

    opens: whether the channel can tell that it was opened.
    """

    key: str
    customer_id: str
    address: str
    at: datetime
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of messages, each in the order of time: reports of the channel, and orders as calls of the app."""

    reports: tuple[Report, ...]
    orders: tuple[tuple[datetime, Event], ...]


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Everybody, by seed; `effect` is how likely a click leads to one more order."""

    seed: int = 0
    daily_orders: float = 0.012
    effect: float = 0.5

    def habit(self, customer_id: str) -> Habit:
        """The latent habit of a customer."""
        draw = self._draw("habit", customer_id)
        for habit, share in HABITS.items():
            if draw < share:
                return habit
            draw -= share
        return "neither"

    def answers(self, messages: Iterable[Reached]) -> Answered:
        """Everything that comes of messages, also what lies in the future."""
        reports: list[Report] = []
        orders: list[tuple[datetime, Event]] = []
        for each in messages:
            for report in self._reports(each):
                reports.append(report)
                if report.kind == "clicked" and self._draw("converts", each.key) < self.effect:
                    at = report.at + self._draw("ordered", each.key) * _ORDERED
                    orders.append((at, self._order(each.customer_id, f"click:{each.key}", at)))
        return Answered(
            tuple(sorted(reports, key=lambda report: (report.at, report.ref))),
            tuple(sorted(orders, key=lambda order: (order[0], str(order[1]["messageId"])))),
        )

    def orders(self, customers: Iterable[str], since: datetime, until: datetime) -> list[tuple[datetime, Event]]:
        """What customers order by themselves in `[since, until)`, in the order of time."""
        found: list[tuple[datetime, Event]] = []
        for customer_id in customers:
            for day in _days(since, until):
                name = f"{customer_id}:{day:%Y-%m-%d}"
                if self._draw("orders", name) < self.daily_orders:
                    at = day + self._draw("hour", name) * timedelta(days=1)
                    if since <= at < until:
                        found.append((at, self._order(customer_id, f"day:{name}", at)))
        return sorted(found, key=lambda order: (order[0], str(order[1]["messageId"])))

    def _reports(self, message: Reached) -> Iterator[Report]:
        pushed = message.address == "push_token"
        if pushed and self._draw("machine", message.key) < MACHINE:
            yield _report(message, "opened", message.at + timedelta(seconds=3), machine=True)
        likely = OPENED[self.habit(message.customer_id)][0 if pushed else 1]
        if self._draw("opens", message.key) >= likely:
            return
        opened = message.at + timedelta(minutes=1) + self._draw("later", message.key) ** 3 * _LATER
        if message.opens:
            yield _report(message, "opened", opened)
        if self._draw("clicks", message.key) < CLICKED:
            yield _report(message, "clicked", opened + timedelta(seconds=20))
        if self._draw("leaves", message.key) < UNSUBSCRIBED:
            yield _report(message, "unsubscribed", opened + timedelta(minutes=1))

    def _order(self, customer_id: str, cause: str, at: datetime) -> Event:
        low, high = _SPEND
        amount = round(low + (high - low) * self._draw("spend", cause) ** 2, 2)
        return {
            "type": "track",
            "event": "order_completed",
            "messageId": f"{SIMULATION}-{self.seed}-{number_of(cause, customer_id):x}",
            "userId": customer_id,
            "timestamp": at.isoformat(),
            "properties": {"amount": amount, "simulated": True},
            "context": {"simulated": True},
        }

    def _draw(self, part: str, name: str) -> float:
        return share_of("shoppers", str(self.seed), part, name)


def _report(message: Reached, kind: Signal, at: datetime, *, machine: bool = False) -> Report:
    ref = f"{SIMULATION}-{message.key}-{kind}{'-machine' if machine else ''}"
    return Report(kind, at, ref, message.key, machine=machine, detail=SIMULATION)


def _days(since: datetime, until: datetime) -> Iterator[datetime]:
    """The days in UTC that an interval touches, each as its first instant."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < until:
        yield day
        day += timedelta(days=1)
