from __future__ import annotations

import numpy as np

from aimwell.simulation.loop.changes import Changes, Tries
from aimwell.simulation.loop.features import LINE_COLUMN
from aimwell.simulation.loop.memory import Memory

ROWS = 4_000


def tries(effect: float, *, seed: int = 1, dear: float = 1.0) -> Tries:
    """Fair coins; a message about a line adds `effect` to a chance of 5 %, `dear` times that on channel 1."""
    chance = np.random.default_rng(seed)
    about = chance.random(ROWS) < 0.5
    channel = (chance.random(ROWS) < 0.3).astype(np.int64)
    added = effect * np.where(channel == 1, dear, 1.0)
    bought = chance.random(ROWS) < 0.05 + about * added
    told = chance.normal(size=(ROWS, 17))
    told[:, LINE_COLUMN] = chance.integers(6, size=ROWS)
    return Tries(told, about, np.full(ROWS, 0.5), bought, np.arange(ROWS), channel)


def test_messages_that_sell_are_found_and_so_is_how_much() -> None:
    found = Changes.learn(tries(0.05), np.ones(2), seed=1)
    assert found.choice is not None
    assert found.signs > 3
    assert abs(found.effects(tries(0.05).told).mean() - 0.05) < 0.02


def test_where_messages_sell_nothing_nothing_is_believed() -> None:
    found = [Changes.learn(tries(0.0, seed=seed), np.ones(2), seed=1) for seed in (1, 2)]
    assert [each.choice for each in found] == [None] * 2
    assert (found[0].effects(tries(0.0).told) == 0).all()


def test_how_much_stronger_a_channel_is_follows_what_it_sold_and_the_hope_fades() -> None:
    found = Changes.learn(tries(0.05, dear=3.0), np.asarray([1.0, 4.0]), seed=1)
    assert 2.0 < found.force[1] / found.force[0] < 5.0
    assert (found.trust > 0.7).all()
    few = Changes.learn(tries(0.05, dear=3.0).take(np.arange(ROWS) < 800), np.asarray([1.0, 4.0]), seed=1)
    assert (few.trust < found.trust).all()


def test_messages_for_which_no_coin_was_thrown_teach_how_strong_their_channel_is_and_nothing_else() -> None:
    some = tries(0.05)
    sure = Tries(
        told=some.told[:300],
        about=np.ones(300, dtype=bool),
        chance=np.ones(300),
        bought=np.ones(300, dtype=bool),
        customer=np.arange(300),
        channel=np.full(300, 2),
    )
    found = Changes.learn(Tries.joined([some, sure]), np.ones(3), seed=1)
    assert found.effects(some.told).mean() < 0.07
    assert found.force[2] > 5


def test_too_few_tries_teach_nothing() -> None:
    few = tries(0.05).take(np.arange(ROWS) < 10)
    found = Changes.learn(few, np.asarray([1.0, 4.0]), seed=1)
    assert found.choice is None


def weeks(*sums: tuple[float, float]) -> Memory:
    return Memory(surprises=[(np.asarray([came, 0.0]), np.asarray([foretold, 0.0])) for came, foretold in sums])


def test_what_is_learnt_from_are_the_last_days_at_least_one_of_them() -> None:
    some = [tries(0.0).take(np.arange(ROWS) < rows) for rows in (30, 20, 50)]
    memory = Memory(tries=some)
    assert [len(memory.latest_tries(9, most)) for most in (10, 50, 70, 99, 100)] == [50, 50, 70, 70, 100]
    assert [len(memory.latest_tries(days, 1_000)) for days in (1, 2, 3)] == [50, 70, 100]


def test_forecasts_are_cut_to_what_came_of_them_and_never_raised() -> None:
    # By hand: (10 + 10) / (20 + 10) of the last two weeks; nothing is known of the second channel.
    assert weeks((9.0, 9.0), (5.0, 10.0), (5.0, 10.0)).came_true(2, 2).tolist() == [20 / 30, 1.0]
    assert weeks((50.0, 10.0)).came_true(2, 2).tolist() == [1.0, 1.0]
