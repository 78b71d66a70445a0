from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from aimwell.delivery.outbox.balances import verify_balances
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.joint import CHANNEL, Joint
from aimwell.simulation.loop.policies.learning import Learning
from aimwell.simulation.loop.policies.plain import Everyone
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.loop.running import play
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.regime import find_regime
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import profile


class Counting(Joint):
    """Counts what the market got, and what came of it."""

    sent: Counter[tuple[int, str]]
    answers: Counter[str]

    def hear(self, market: Marketplace, day: Day) -> None:
        names = [channel.name for channel in market.business.channels]
        self.sent.update(Counter((day.number, names[each]) for each in day.messages.channel))
        for kind in ("delivered", "unsubscribed", "clicked"):
            self.answers[kind] += int(getattr(day.answers, kind).sum())
        self.answers["opened"] += int(day.answers.seen.sum())
        super().hear(market, day)


def counting(folder: Path, market: Marketplace) -> Counting:
    joint = Counting(open_ledger(folder), market)
    joint.sent, joint.answers = Counter(), Counter()
    return joint


@pytest.mark.parametrize(("customers", "days"), [(100, 9), pytest.param(500, 28, marks=pytest.mark.slow)])
def test_the_market_gets_what_the_outbox_says_was_accepted_and_the_ledger_hears_every_answer(
    tmp_path: Path, customers: int, days: int
) -> None:
    market = Marketplace.open("difference_and_fatigue", customers, seed=4, days=days)
    joint = counting(tmp_path, market)
    run = play(market, Everyone(), carrier=joint)
    with joint.ledger.reading() as connection:
        verify_balances(connection)
        rows = connection.execute(select(intent.c.channel, intent.c.state, intent.c.planned_at)).all()
        heard = Counter(connection.scalars(select(outcome.c.kind)))
        decided = set(connection.scalars(select(profile.c.text).where(profile.c.name == CHANNEL)))
    began = min(row.planned_at for row in rows)
    accepted = Counter(((row.planned_at - began).days, row.channel) for row in rows if row.state == "accepted")
    assert accepted == joint.sent
    assert sum(accepted.values()) == joint.accepted == run.messages > 0.9 * customers * len(range(0, days, 7))
    assert {day for day, _ in accepted} == set(range(0, days, 7))
    assert heard == +joint.answers
    assert decided == {row.channel for row in rows} >= {"app_push", "sms"}
    joint.ledger.close()


def test_whoever_unsubscribed_gets_nothing_even_if_a_policy_insists(tmp_path: Path) -> None:
    leaving = find_regime("difference_and_fatigue").model_copy(update={"leaving": 0.1})
    market = Marketplace.open(leaving, 80, seed=9, days=9)
    joint = counting(tmp_path, market)

    class Insisting:
        name = "insisting"

        def choose(self, book: Book) -> Chosen:
            book.left[:] = False  # does not want to know
            return Everyone().choose(book)

    play(market, Insisting(), carrier=joint)
    with joint.ledger.reading() as connection:
        refused = connection.scalars(select(intent.c.reason).where(intent.c.state == "not_sent")).all()
    assert set(refused) == {"consent"}
    assert len(refused) > 0
    assert joint.answers["delivered"] == joint.accepted == sum(joint.sent.values())
    joint.ledger.close()


@pytest.mark.slow
def test_a_policy_learns_through_the_ledger(tmp_path: Path) -> None:
    market = Marketplace.open("nothing_to_find", 300, seed=4, days=22)
    joint = counting(tmp_path, market)
    policy = Learning(seed=4)
    run = play(market, policy, carrier=joint)
    assert run.messages == joint.accepted > 50
    assert policy.memory.days == [7, 14]
    joint.ledger.close()
