"""Will it happen: a probability for every customer, ranked by the raw score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from aimwell.core.progress import Progress
from aimwell.core.text import Text
from aimwell.insight.predictions.encoding import Encoding, learn_encoding
from aimwell.insight.predictions.judging import judge_happens
from aimwell.insight.predictions.kind import Kind, Model, section
from aimwell.insight.predictions.likelihood import Likelihood, Trial, fit_likelihood
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Scores
from aimwell.insight.predictions.settings import ModelSettings
from aimwell.insight.predictions.trees import Trees
from aimwell.science.arrays import FloatArray


@dataclass(frozen=True)
class HappensModel(Model):
    """Trees, a second opinion and a calibration curve."""

    encoding: Encoding
    likelihood: Likelihood

    def scores(self, table: pa.Table) -> Scores:
        raw = self.likelihood.raw(self.encoding.matrix(table))
        value = self.likelihood.probability(raw)
        return Scores(raw, value, 1.0 - value)

    def contributions(self, table: pa.Table) -> FloatArray:
        return self.likelihood.contributions(self.encoding.matrix(table))

    def weights(self) -> FloatArray:
        return self.likelihood.trees.weights()

    def to_dict(self) -> dict[str, object]:
        return {"likelihood": self.likelihood.to_dict()}

    def texts(self) -> dict[str, list[str]]:
        return {"likelihood": self.likelihood.trees.texts()}


def fit(rows: Rows, settings: ModelSettings, seed: int, progress: Progress) -> tuple[Model, Trial]:
    """Learn from all the rows whether it happens."""
    encoding = learn_encoding(rows.table, rows.learnt_columns)
    likelihood, trial = fit_likelihood(rows, encoding, settings, seed, progress)
    return HappensModel(encoding, likelihood), trial


def restore(encoding: Encoding, values: Mapping[str, object], texts: Mapping[str, list[str]]) -> Model:
    """The model behind `to_dict` and `texts`."""
    return HappensModel(
        encoding, Likelihood.from_dict(section(values, "likelihood"), Trees.from_texts(texts["likelihood"]))
    )


HAPPENS = Kind("happens", Text("会不会发生", "Will it happen"), fit, judge_happens, restore)
