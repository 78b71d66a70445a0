"""The contract of every kind of prediction that is found, built-in or of third parties."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import silent
from aimwell.core.text import Text
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.kind import Kind, kind_of, kinds
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline
from aimwell.insight.predictions.settings import ModelSettings, TreeSettings
from aimwell.science.metrics.ranking import auc

GROWN = TreeSettings(bags=2, min_rows=20, rounds=60)
QUICK = ModelSettings(trees=GROWN, amount_trees=GROWN, folds=2)


@pytest.fixture(params=sorted(kinds()))
def kind(request: pytest.FixtureRequest) -> Kind:
    return kinds()[request.param]


def test_a_kind_finds_the_effect_that_was_built_in(kind: Kind, known_effect: Rows) -> None:
    model, trial = kind.fit(known_effect.at(0, 1, 2, 3, 4), QUICK, 0, silent)
    later = known_effect.at(5)
    scores = model.scores(later.table)
    assert auc(scores.raw, later.truth) > 0.78
    assert trial.ordered
    weights = dict(zip(model.encoding.names, model.weights(), strict=True))
    assert weights["x"] > weights["noise"]
    assert sum(weights.values()) == pytest.approx(1.0)
    assert not np.isnan(scores.value).any()


def test_equal_seeds_give_equal_numbers_and_other_seeds_other_ones(kind: Kind, known_effect: Rows) -> None:
    one, two, other = (kind.fit(known_effect, QUICK, seed, silent)[0].scores(known_effect.table) for seed in (0, 0, 1))
    assert np.array_equal(one.raw, two.raw)
    assert np.array_equal(one.value, two.value)
    assert not np.array_equal(one.raw, other.raw)


def test_a_model_survives_plain_values_and_text(kind: Kind, known_effect: Rows) -> None:
    model, _ = kind.fit(known_effect, QUICK, 0, silent)
    stored = json.loads(json.dumps({"encoding": model.encoding.to_dict(), "model": model.to_dict()}))
    again = kind.restore(Encoding.from_dict(stored["encoding"]), stored["model"], model.texts())
    before, after = model.scores(known_effect.table), again.scores(known_effect.table)
    assert np.array_equal(before.raw, after.raw)
    assert np.array_equal(before.value, after.value)


def test_contributions_have_a_column_each_and_a_start(kind: Kind, known_effect: Rows) -> None:
    model, _ = kind.fit(known_effect, QUICK, 0, silent)
    parts = model.contributions(known_effect.table.slice(0, 5))
    assert parts.shape == (5, len(model.encoding.names) + 1)


def test_judging_says_so_when_everybody_answered_alike(kind: Kind, known_effect: Rows) -> None:
    model, _ = kind.fit(known_effect, QUICK, 0, silent)
    alike = replace(known_effect, truth=np.zeros(len(known_effect)))
    base = Baseline(Text("无", "none"), np.zeros(len(alike)))
    found = kind.judge(alike, model.scores(alike.table), base, sizes=(10,), seed=0)
    assert not found.metrics
    assert found.notes
    json.dumps(found.to_dict())


@pytest.mark.parametrize("positives", [0, 1, 9])
def test_too_few_answers_are_refused_instead_of_learnt_from(kind: Kind, known_effect: Rows, positives: int) -> None:
    truth = np.zeros(len(known_effect))
    truth[:positives] = 1.0
    with pytest.raises(NotEnoughData, match=f"{positives} of 3000"):
        kind.fit(replace(known_effect, truth=truth), QUICK, 0, silent)


def test_a_name_kept_for_later_says_when_it_comes() -> None:
    with pytest.raises(BadQuestion, match="recommender"):
        kind_of("which")


def test_scores_of_happens_are_believable_probabilities(known_effect: Rows) -> None:
    model, _ = kind_of("happens").fit(known_effect.at(0, 1, 2, 3, 4), QUICK, 0, silent)
    later = known_effect.at(5)
    base = Baseline(Text("x", "x"), later.values("x"))
    found = kind_of("happens").judge(later, model.scores(later.table), base, sizes=(50,), seed=0)
    line = found.calibration_line
    assert line is not None
    assert line.slope.low < 1 < line.slope.high
    assert found.curve is not None
    assert found.curve.model[0] == 0
    assert found.curve.model[-1] == 1


def test_contributions_of_happens_add_up_to_the_raw_score(known_effect: Rows) -> None:
    for share in (0.0, 0.5, 1.0):
        settings = QUICK.model_copy(update={"linear": QUICK.linear.model_copy(update={"share": share})})
        model, _ = kind_of("happens").fit(known_effect, settings, 0, silent)
        parts, raw = model.contributions(known_effect.table), model.scores(known_effect.table).raw
        assert parts.sum(axis=1) == pytest.approx(raw, abs=1e-6)


def test_amounts_come_back_in_level_and_order_and_eight_of_ten_stay_within_their_bounds(
    known_effect: Rows, make_rows: Callable[..., Rows]
) -> None:
    chance = np.random.default_rng(5)
    mean = np.exp(3 + 0.5 * known_effect.values("x"))
    amount = np.where(known_effect.truth > 0, mean * chance.lognormal(-0.125, 0.5, len(known_effect)), 0.0)
    rows = replace(known_effect, truth=amount)
    model, _ = kind_of("how_much").fit(rows.at(0, 1, 2, 3, 4), QUICK, 0, silent)
    later = rows.at(5)
    scores = model.scores(later.table)
    assert scores.value.sum() == pytest.approx(later.truth.sum(), rel=0.15)
    assert scores.typical is not None
    assert scores.low is not None
    assert scores.high is not None
    inside = (scores.low <= later.truth) & (later.truth <= scores.high)
    assert 0.75 < inside.mean() <= 0.97
    # Where nothing is likelier than not, nothing is typical.
    assert (scores.typical[scores.nothing >= 0.5] == 0).all()
    base = Baseline(Text("均值", "mean"), np.full(len(later), later.truth.mean()))
    found = kind_of("how_much").judge(later, scores, base, sizes=(50,), seed=0)
    error = found.metric("mae")
    assert error is not None
    assert error.proven
    assert found.zeros is not None
    assert found.zeros.predicted == pytest.approx(found.zeros.seen.value, abs=0.06)
