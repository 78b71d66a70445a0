"""How much: will there be anything, and how much then (a hurdle); expected and typical amount, zeros calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aimwell.core.progress import Progress, part
from aimwell.core.text import Text
from aimwell.insight.predictions.amounts import Amounts, fit_amounts
from aimwell.insight.predictions.encoding import Encoding, learn_encoding
from aimwell.insight.predictions.judging import judge_how_much
from aimwell.insight.predictions.kind import Kind, Model, section
from aimwell.insight.predictions.likelihood import Likelihood, Trial, fit_likelihood
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Scores
from aimwell.insight.predictions.settings import ModelSettings
from aimwell.insight.predictions.trees import Trees
from aimwell.science.arrays import FloatArray

TINY = 1e-9


@dataclass(frozen=True)
class HowMuchModel(Model):
    """Probability of anything × mean of those who buy; the median of the two together is the typical amount."""

    encoding: Encoding
    likelihood: Likelihood
    amounts: Amounts

    def scores(self, table: pa.Table) -> Scores:
        matrix = self.encoding.matrix(table)
        nothing = 1.0 - self.likelihood.probability(self.likelihood.raw(matrix))
        mean = self.amounts.mean(matrix)
        expected = (1.0 - nothing) * mean * self.amounts.level
        low, typical, high = (self.amounts.quantile(mean, nothing, level) for level in (0.1, 0.5, 0.9))
        return Scores(np.log(np.maximum(expected, TINY)), expected, nothing, typical, low, high)

    def contributions(self, table: pa.Table) -> FloatArray:
        """On the log of the expected amount: log-odds are turned into logs of a probability at each row's own slope."""
        matrix = self.encoding.matrix(table)
        nothing = 1.0 - self.likelihood.probability(self.likelihood.raw(matrix))
        found: FloatArray = nothing[:, None] * self.likelihood.contributions(matrix)
        return found + self.amounts.trees.contributions(matrix)

    def weights(self) -> FloatArray:
        both = self.likelihood.trees.weights() + self.amounts.trees.weights()
        return both / (float(both.sum()) or 1.0)

    def to_dict(self) -> dict[str, object]:
        return {"likelihood": self.likelihood.to_dict(), "amounts": self.amounts.to_dict()}

    def texts(self) -> dict[str, list[str]]:
        return {"likelihood": self.likelihood.trees.texts(), "amounts": self.amounts.trees.texts()}


def fit(rows: Rows, settings: ModelSettings, seed: int, progress: Progress) -> tuple[Model, Trial]:
    """Learn from all the rows whether there is an amount, and from those with one how large it is."""
    encoding = learn_encoding(rows.table, rows.learnt_columns)
    likelihood, trial = fit_likelihood(rows, encoding, settings, seed, part(progress, 0.0, 0.6))
    amounts = fit_amounts(rows, encoding, trial.settings, seed)
    progress("fit", 1.0)
    return HowMuchModel(encoding, likelihood, amounts), trial


def restore(encoding: Encoding, values: Mapping[str, object], texts: Mapping[str, list[str]]) -> Model:
    """The model behind `to_dict` and `texts`."""
    return HowMuchModel(
        encoding,
        Likelihood.from_dict(section(values, "likelihood"), Trees.from_texts(texts["likelihood"])),
        Amounts.from_dict(section(values, "amounts"), Trees.from_texts(texts["amounts"])),
    )


HOW_MUCH = Kind("how_much", Text("会有多少", "How much will it be"), fit, judge_how_much, restore)
