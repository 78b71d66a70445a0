from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.policies.knowing import Knowing
from aimwell.simulation.loop.policies.learning import Learning
from aimwell.simulation.loop.policies.plain import Everyone, Expert, Nothing
from aimwell.simulation.loop.policies.propensity import Propensity
from aimwell.simulation.loop.policy import Chosen, Policy
from aimwell.simulation.loop.running import Run, play
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages

PLAIN: list[Policy] = [Nothing(), Everyone(), Expert()]


def market(regime: str = "difference_and_fatigue", *, customers: int = 400, days: int = 28) -> Marketplace:
    return Marketplace.open(regime, customers, seed=3, days=days)


def test_sending_nothing_gains_nothing_and_costs_nothing() -> None:
    run = play(market(), Nothing())
    assert (run.gained, run.spent, run.messages, run.left) == (0.0, 0, 0, 0)
    assert run.profit > 0


def test_messages_that_change_nothing_lose_exactly_what_they_cost() -> None:
    opened = market("random_response")
    nothing, everyone = play(opened.copy(), Nothing()), play(opened.copy(), Everyone())
    assert everyone.messages > 1_000
    assert everyone.profit == nothing.profit - everyone.spent
    assert everyone.gained == pytest.approx(-everyone.spent)


def test_the_oracle_gains_more_than_every_policy_that_does_not_know() -> None:
    opened = market(days=42)
    oracle_market = opened.copy()
    best = play(oracle_market, Knowing.of(oracle_market, 7))
    others: list[Policy] = [*PLAIN, Propensity(), Learning()]
    assert best.gained > max(play(opened.copy(), each).gained for each in others)


def test_a_policy_decides_on_the_first_day_and_then_every_so_many_days() -> None:
    asked: list[int] = []

    class Watching:
        name = "watching"

        def choose(self, book: Book) -> Chosen:
            asked.append(book.day)
            assert book.present == int((book.company.arrival <= book.day).sum())
            return Chosen.nothing()

    play(market(days=20), Watching(), every=6)
    assert asked == [0, 6, 12, 18]


def test_equal_seeds_give_equal_runs() -> None:
    opened = market(customers=300)
    runs: list[Run] = [play(opened.copy(), Learning(seed=5)) for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_market_that_has_begun_is_not_played() -> None:
    begun = market()
    begun.step()
    with pytest.raises(BadQuestion, match="first day"):
        play(begun, Nothing())


@pytest.mark.parametrize("probability", [0.0, 1.1])
def test_a_message_with_an_impossible_probability_is_refused(probability: float) -> None:
    with pytest.raises(BadQuestion, match="impossible probability"):
        Chosen(Messages.of([1], 0, 0), np.asarray([probability]))


def test_a_message_without_its_probability_is_refused() -> None:
    with pytest.raises(BadQuestion, match="probability that it was sent with"):
        Chosen(Messages.of([1, 2], 0, 0), np.asarray([0.5]))
