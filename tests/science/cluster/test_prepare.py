from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.cluster.prepare import preparation_from, prepare


def _customers(people: int = 2000) -> tuple[np.ndarray, list[str]]:
    generator = np.random.default_rng(1)
    spend = generator.lognormal(4, 1.5, people)
    visits = generator.poisson(3, people).astype(float)
    bonus = np.where(generator.random(people) < 0.9, 0.0, generator.lognormal(3, 2, people))
    member = (generator.random(people) < 0.2).astype(float)
    return np.column_stack([spend, visits, bonus, member]), ["spend", "visits", "bonus", "member"]


def test_every_column_ends_on_the_same_scale_whatever_its_unit_and_skew() -> None:
    X, names = _customers()
    prepared = prepare(X, names)
    result = prepared.apply(X)
    assert prepared.kept == tuple(names)
    assert result.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert result.std(axis=0) == pytest.approx(np.ones(4))
    assert np.abs(result).max() < 8
    shapes = {column.name: column.shape for column in prepared.columns}
    assert shapes["spend"] == "log"
    assert shapes["visits"] == "plain"
    assert shapes["member"] == "plain"
    assert shapes["bonus"] in {"log", "rank"}


def test_the_unit_does_not_matter() -> None:
    X, names = _customers()
    cents = X * np.array([100.0, 1.0, 100.0, 1.0])
    assert prepare(cents, names).apply(cents) == pytest.approx(prepare(X, names).apply(X), abs=1e-6)


def test_one_giant_does_not_squeeze_everybody_else() -> None:
    X, names = _customers()
    X[0, 0] = 1e12
    result = prepare(X, names).apply(X)
    assert result[1:, 0].std() > 0.95
    assert result[0, 0] < 4


def test_order_is_kept_by_every_shape() -> None:
    values = np.sort(np.random.default_rng(3).lognormal(0, 3, 500))
    for shape in ("plain", "log", "rank"):
        result = prepare(values[:, None], ["money"], shape=shape).apply(values[:, None])[:, 0]
        assert np.all(np.diff(result) >= -1e-12)
    losses = np.array([[-100.0], [-1.0], [0.0], [1.0], [100.0]])
    assert prepare(losses, ["balance"], shape="log").apply(losses)[:, 0] == pytest.approx(
        -prepare(losses, ["balance"], shape="log").apply(losses)[::-1, 0]
    )


def test_a_pile_of_zeros_stays_one_value_on_ranks() -> None:
    values = np.concatenate([np.zeros(700), np.random.default_rng(2).lognormal(2, 2, 300)])[:, None]
    result = prepare(values, ["bonus"], shape="rank").apply(values)[:, 0]
    assert np.unique(result[:700]).size == 1
    assert np.unique(result[700:]).size > 200


def test_useless_columns_are_left_out_and_said_in_both_languages() -> None:
    X, names = _customers(400)
    same = np.full(400, 3.0)
    twin = X[:, 0] * 2 + 0.001
    rare = np.where(np.arange(400) < 100, 1.0 * np.arange(400), np.nan)
    empty = np.full(400, np.nan)
    prepared = prepare(
        np.column_stack([X, same, twin, rare, empty]), [*names, "plan", "spend twice", "rating", "nothing"]
    )
    assert prepared.kept == tuple(names)
    assert [note.en for note in prepared.notes] == [
        "'plan' is the same for all customers: left out",
        "'spend twice' says the same as 'spend': left out",
        "'rating' is unknown for 75% of the customers: left out",
        "'nothing' is unknown for 100% of the customers: left out",
    ]
    assert all("未参与分群" in note.zh for note in prepared.notes)


def test_unknown_values_become_the_median_and_are_noted() -> None:
    X, names = _customers(401)
    X[:40, 1] = np.nan
    prepared = prepare(X, names)
    assert prepared.notes[0].en == "'visits' is unknown for 10.0% of the customers: median taken"
    known = np.median(X[40:, 1])
    typical = X[:1].copy()
    typical[0, 1] = known
    assert prepared.apply(X)[0, 1] == prepared.apply(typical)[0, 1]


def test_new_customers_are_measured_with_the_old_yardstick() -> None:
    X, names = _customers()
    prepared = prepare(X, names)
    assert np.array_equal(prepared.apply(X[5:6]), prepared.apply(X)[5:6])
    again = preparation_from(prepared.json())
    assert again == prepared
    assert np.array_equal(again.apply(X), prepared.apply(X))


@settings(max_examples=40)
@given(arrays(np.float64, (12, 2), elements=st.floats(-1e9, 1e9) | st.just(float("nan"))))
def test_any_table_gives_finite_numbers_or_a_clear_refusal(X: np.ndarray) -> None:
    useful = [column for column in X.T if np.isnan(column).sum() <= 6 and np.nanmax(column) - np.nanmin(column) > 1e-3]
    if useful:
        assert np.isfinite(prepare(X, ["one", "two"]).apply(X)).all()
    elif all(np.isnan(column).sum() > 6 for column in X.T):
        with pytest.raises(NotEnoughData, match="No feature is left"):
            prepare(X, ["one", "two"])


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="No feature is left to group by.*'plan' is the same"):
        prepare([[1.0], [1.0]], ["plan"])
    with pytest.raises(BadQuestion, match="expected 2 names; saw 1"):
        prepare([[1.0, 2.0]], ["one"])
    with pytest.raises(BadQuestion, match="same name"):
        prepare([[1.0, 2.0]], ["one", "one"])
    with pytest.raises(BadQuestion, match="infinite"):
        prepare([[np.inf], [1.0]], ["one"])
    with pytest.raises(BadQuestion, match="not the features that were prepared"):
        prepare([[1.0], [2.0]], ["one"]).apply([[1.0, 2.0]])
    for text in ("nonsense", "{}", '{"names": [], "columns": [{"name": 1}], "notes": []}'):
        with pytest.raises(BadQuestion, match="no stored preparation"):
            preparation_from(text)
