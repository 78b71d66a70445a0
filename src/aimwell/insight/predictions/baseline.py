"""What one would do without a model: a rule of thumb, the last period, or the same answer for everybody."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from aimwell.core.text import Text
from aimwell.insight.predictions.definition import BaselineRule, Prediction
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline
from aimwell.science.arrays import FloatArray

LAST_PERIOD = BaselineRule(last_period=True)
SAME = BaselineRule(same_for_all=True)
_LAST = Text("与上一期相同", "same as the last period")
_SAME = Text("人人相同", "the same for everybody")


def baseline_features(definition: Prediction) -> list[str]:
    """The features that the baselines read."""
    ranked = [name.removeprefix("-") for rule in definition.baseline for name in rule.rank_by or []]
    return ranked + [rule.amount_of for rule in definition.baseline if rule.amount_of]


def baselines_of(definition: Prediction, rows: Rows, learnt: Rows) -> list[Baseline]:
    """The baselines' raw scores (amounts, for predictions of amounts) for rows, the one to beat first.

    learnt: the training rows, from which "the same for everybody" takes its mean.   A value that is not known ranks
    last, and counts as no amount.   Flat files have no last period; there the default is the same for everybody.
    """
    rules = definition.baseline or [LAST_PERIOD if not np.isnan(rows.past).all() else SAME]
    return [_baseline(rule, rows, learnt) for rule in rules]


def _baseline(rule: BaselineRule, rows: Rows, learnt: Rows) -> Baseline:
    if rule.rank_by:
        raw, label = _ranked(rows, rule.rank_by), _names(rows, rule.rank_by)
    elif rule.amount_of:
        raw, label = np.nan_to_num(rows.values(rule.amount_of)) * rule.times, _names(rows, [rule.amount_of])
    elif rule.last_period:
        raw, label = np.nan_to_num(rows.past), _LAST
    else:
        raw, label = np.full(len(rows), float(learnt.truth.mean())), _SAME
    return Baseline(rule.label.text if rule.label else label, raw)


def _ranked(rows: Rows, names: list[str]) -> FloatArray:
    """Rank by the first feature, ties by the next; higher is better, or lower where the name begins with a dash."""
    keys: list[FloatArray] = []
    for name in names:
        values = rows.values(name.removeprefix("-"))
        signed = -values if name.startswith("-") else values
        keys.append(np.where(np.isnan(signed), -np.inf, signed))
    stacked = np.column_stack(keys)
    _, place = np.unique(stacked, axis=0, return_inverse=True)
    ranks: FloatArray = rankdata(place.reshape(-1), method="dense").astype(np.float64)
    return ranks


def _names(rows: Rows, names: list[str]) -> Text:
    """The rule in words: the labels of its features, lowest first where so."""
    labels = {column.name: column.label for column in rows.columns}
    zh, en = [], []
    for name in names:
        label = labels.get(name.removeprefix("-"), Text(name, name))
        lowest = name.startswith("-")
        zh.append(f"{label.zh}(低者优先)" if lowest else label.zh)
        en.append(f"{label.en} (lowest first)" if lowest else label.en)
    return Text("按" + "、再按".join(zh), "by " + ", then ".join(en))
