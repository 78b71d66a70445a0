from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from aimwell.core.errors import BadQuestion
from aimwell.delivery.channel import Report
from aimwell.simulation.app.addresses import address
from aimwell.simulation.app.answers import Delivery
from aimwell.simulation.app.messages import Message
from aimwell.simulation.app.running import Hands, Play
from aimwell.simulation.app.sales import LeadGiven, Verdict
from aimwell.simulation.app.world import World

START = datetime(2026, 1, 5, tzinfo=UTC)


class Notebook:
    """A workspace that writes down what it is told, and pushes a benefit to everybody on the first day."""

    def __init__(self) -> None:
        self.messages: list[tuple[datetime, Message]] = []
        self.reports: list[tuple[datetime, Report]] = []
        self.verdicts: list[tuple[datetime, Verdict]] = []
        self.moved: list[datetime] = []

    def hands(self) -> Hands:
        return Hands(self.take_in, self.tell, self.moved.append, self.sent, self.leads, self.decide)

    def take_in(self, messages: Sequence[Message], now: datetime) -> None:
        self.messages += [(now, each) for each in messages]

    def tell(self, reports: Sequence[tuple[str, Report]], now: datetime) -> None:
        self.reports += [(now, report) for _, report in reports]

    def decide(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        self.verdicts += [(now, each) for each in verdicts]

    def sent(self, now: datetime) -> Sequence[Delivery]:
        first = len(self.moved) == 1
        return [Delivery(f"{i}:p", address("push_token", i), "push", "benefit", now) for i in range(200) if first]

    def leads(self, now: datetime) -> Sequence[LeadGiven]:
        first = len(self.moved) == 1
        return [LeadGiven(f"{i}:lead", address("user_id", i), now) for i in range(200) if first]


@pytest.mark.parametrize("hours", [1, 7])
def test_everything_arrives_once_in_the_order_of_time_and_never_before_it_happens(hours: int) -> None:
    world, notebook = World(seed=3, customers=200), Notebook()
    play = Play(world, notebook.hands(), START)
    known = play.introduce()
    played = play.until(START + timedelta(days=4), timedelta(hours=hours))
    assert notebook.moved[-1] == START + timedelta(days=4) == play.now
    arrived = notebook.messages[known:]
    assert len(arrived) == played.messages
    assert len({each["messageId"] for _, each in arrived}) == len(arrived)
    stamps = [str(each["timestamp"]) for _, each in arrived]
    assert stamps == sorted(stamps)
    assert all(datetime.fromisoformat(str(each["timestamp"])) <= now for now, each in arrived)
    assert all(report.at <= now for now, report in notebook.reports)
    assert {each["event"] for _, each in arrived if "simulated-3-loan_taken" in str(each["messageId"])} == {
        "loan_taken"
    }
    assert len(notebook.verdicts) == 200
    assert sum(each.bought is not None for _, each in notebook.verdicts) == sum(
        each.get("event") == "wealth_bought" and "simulated-3-wealth" in str(each["messageId"]) for _, each in arrived
    )


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(BadQuestion, match="longer than nothing"):
        Play(World(customers=1), Notebook().hands(), START).until(START + timedelta(days=1), timedelta(0))
