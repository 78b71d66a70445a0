"""The second opinion: normal scores with a ridge, finite whatever the rows know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.insight.predictions.linear import Linear, fit_linear
from aimwell.insight.predictions.sheet import Sheet


def sheet(matrix: np.ndarray, truth: np.ndarray, words: tuple[int, ...]) -> Sheet:
    return Sheet(matrix, truth, None, words, (0,) * len(words))


@pytest.fixture
def fitted() -> tuple[Linear, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    x, code = chance.normal(size=2000), chance.integers(0, 3, 2000).astype(float)
    truth = (chance.random(2000) < 1 / (1 + np.exp(1 - x - 2 * (code == 2)))).astype(float)
    gaps = np.where(chance.random(2000) < 0.2, np.nan, x)
    matrix = np.column_stack([gaps, code])
    return fit_linear(sheet(matrix, truth, (0, 2)), np.ones(2), 1.0), matrix, truth


def test_log_odds_are_learnt_from_ranks_and_words(fitted: tuple[Linear, np.ndarray, np.ndarray]) -> None:
    line, _, _ = fitted
    rising = line.raw(np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]))
    assert rising[0] < rising[1] < rising[2]
    by_word = line.raw(np.array([[0.0, 0.0], [0.0, 2.0]]))
    assert by_word[1] - by_word[0] == pytest.approx(2.0, abs=0.4)


def test_contributions_add_up_and_json_brings_the_same_back(fitted: tuple[Linear, np.ndarray, np.ndarray]) -> None:
    line, matrix, _ = fitted
    assert line.contributions(matrix).sum(axis=1) == pytest.approx(line.raw(matrix))
    again = Linear.from_dict(json.loads(json.dumps(line.to_dict())))
    assert np.array_equal(again.raw(matrix), line.raw(matrix))


def test_a_column_of_which_nothing_was_known_in_training_moves_nobody() -> None:
    chance = np.random.default_rng(0)
    x = chance.normal(size=500)
    truth = (x > 0).astype(float)
    line = fit_linear(sheet(np.column_stack([x, np.full(500, np.nan)]), truth, (0, 0)), np.ones(2), 1.0)
    known_later = line.raw(np.array([[0.5, 3.0], [0.5, -8.0]]))
    assert known_later[0] == known_later[1]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), min_size=1, max_size=6))
def test_every_value_gives_a_finite_answer(values: list[float]) -> None:
    matrix = np.array([[0.0], [1.0], [1.0], [5.0], [np.nan]] * 8)
    truth = np.array([0.0, 0.0, 1.0, 1.0, 0.0] * 8)
    line = fit_linear(sheet(matrix, truth, (0,)), np.ones(1), 10.0)
    assert np.isfinite(line.raw(np.array(values)[:, None])).all()


def test_many_cells_leave_only_the_most_useful_columns() -> None:
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(60_000, 40))
    truth = (matrix[:, 7] > 0).astype(float)
    usefulness = np.zeros(40)
    usefulness[7] = 1.0
    line = fit_linear(sheet(matrix, truth, (0,) * 40), usefulness, 10.0)
    assert line.places.size == 20
    assert 7 in line.places
