"""A kind of prediction: how it learns, what its scores are, and how it is judged. One kind is one file in `kinds/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import pyarrow as pa

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.core.progress import Progress
from aimwell.core.registry import discover
from aimwell.core.text import Text
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.evaluation import Evaluation
from aimwell.insight.predictions.likelihood import Trial
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline, Scores
from aimwell.insight.predictions.settings import ModelSettings
from aimwell.science.arrays import FloatArray

PACKAGE = "aimwell.insight.predictions.kinds"
GROUP = "aimwell.prediction_kinds"

RESERVED: Mapping[str, str] = {
    "which": "is asked by a file in the folder recommenders/ (`aimwell recommend make`)",
    "effect": "is asked by a file in the folder effects/ (`aimwell effect train`, see docs/uplift.md)",
    "when": "comes with survival models",
}


class Model(ABC):
    """A fitted model: plain values and LightGBM texts, nothing that a machine could not read again."""

    encoding: Encoding

    @abstractmethod
    def scores(self, table: pa.Table) -> Scores:
        """The answers for a table of raw features."""

    @abstractmethod
    def contributions(self, table: pa.Table) -> FloatArray:
        """What each used column adds to the raw score, the last column being the average [n, columns + 1]."""

    @abstractmethod
    def weights(self) -> FloatArray:
        """How much each used column lowered the loss of the trees, as shares [columns]."""

    @abstractmethod
    def to_dict(self) -> dict[str, object]:
        """Everything but the trees and the encoding, as plain values."""

    @abstractmethod
    def texts(self) -> dict[str, list[str]]:
        """The trees by name, each bag as LightGBM's text."""


class Judge(Protocol):
    """What the scores are worth on rows that they were not learnt from, beside the baseline.

    resamples: how many at most an interval is drawn from.
    """

    def __call__(
        self,
        rows: Rows,
        scores: Scores,
        baseline: Baseline,
        *,
        sizes: tuple[int, ...],
        seed: int,
        resamples: int = ...,
    ) -> Evaluation: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of prediction.

    fit: learns from all the rows; whatever is to be chosen is chosen on later time among them.
    judge: what scores are worth.   restore: the model behind `to_dict` and `texts`.
    """

    name: str
    label: Text
    fit: Callable[[Rows, ModelSettings, int, Progress], tuple[Model, Trial]]
    judge: Judge
    restore: Callable[[Encoding, Mapping[str, object], Mapping[str, list[str]]], Model]


def section(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A part of a stored model; raises BadInput when it is not there."""
    found = values.get(name)
    if not isinstance(found, Mapping):
        raise BadInput(f"The stored model lacks its {name}", remedy="Train the prediction again.")
    return found


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind found in the folder and by entry point."""
    found = discover(Kind, PACKAGE, named=lambda kind: kind.name, group=GROUP)
    return {name: extension.value for name, extension in found.items()}


def kind_of(name: str) -> Kind:
    """The kind of that name; raises BadQuestion, also for kinds whose place is kept for later."""
    if name in kinds():
        return kinds()[name]
    if name in RESERVED:
        raise BadQuestion(f"The kind {name!r} {RESERVED[name]}", expected=f"one of {', '.join(kinds())}")
    raise BadQuestion(f"There is no prediction kind {name!r}", expected=f"one of {', '.join(kinds())}")
