"""A learnt effect: what was chosen, how far it may be off, and how the features enter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa

from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.plain import plain, revived
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.choice import Choice, Evidence, LearnerTrial
from aimwell.science.uplift.doubt import QUICK, Doubt
from aimwell.science.uplift.learner import kept, restored
from aimwell.science.uplift.trees import Grown


@dataclass(frozen=True)
class Answers:
    """The answers for n people and K treatments.

    effect: what to believe [n, K].   order: the best guess for ranking, also where no difference was proven [n, K].
    error: standard error of the effect [n, K].   without: expected outcome without treatment [n], and its error.
    """

    effect: FloatArray
    order: FloatArray
    error: FloatArray
    without: FloatArray
    without_error: FloatArray

    @property
    def levels(self) -> FloatArray:
        """The expected outcome in each arm, the control group first [n, K+1]."""
        return np.column_stack([self.without, self.without[:, None] + self.effect])


@dataclass(frozen=True)
class EffectModel:
    """Everything that is needed to answer for anybody."""

    encoding: Encoding
    choice: Choice
    doubt: Doubt

    @property
    def treatments(self) -> tuple[str, ...]:
        """The arms beside the control group."""
        return tuple(each.treatment for each in self.choice.evidence)

    def answers(self, table: pa.Table) -> Answers:
        """The answers for a table of raw features."""
        X = self.encoding.matrix(table)
        return Answers(
            self.choice.effects(X),
            self.choice.order(X),
            self.doubt.of_effects(X, self.choice),
            self.choice.without(X),
            self.doubt.of_level(X),
        )

    def contributions(self, table: pa.Table, place: int) -> FloatArray:
        """What each used column adds to the effect of a treatment, the last being what all share [n, columns + 1].

        place: of the treatment.   Where no difference was found no column adds anything.
        """
        X = self.encoding.matrix(table)
        parts = np.mean([model.contributions(X)[:, place] for model in self.choice.members.values()], axis=0)
        evidence = self.choice.evidence[place]
        found: FloatArray = evidence.spread * parts
        found[:, -1] += evidence.average.value - evidence.spread * evidence.centre
        return found

    def to_dict(self) -> dict[str, object]:
        """The model as plain values and LightGBM texts."""
        return {
            "encoding": self.encoding.to_dict(),
            "learner": self.choice.learner,
            "members": {name: kept(name, model) for name, model in self.choice.members.items()},
            "baseline": self.choice.baseline.text(),
            "evidence": plain(self.choice.evidence),
            "trials": plain(self.choice.trials),
            "notes": plain(self.choice.notes),
            "halves": [kept(QUICK, model) for model in self.doubt.effects],
            "levels": [grown.text() for grown in self.doubt.levels],
        }

    @staticmethod
    def from_dict(values: Mapping[str, object]) -> EffectModel:
        """The model behind `to_dict`."""
        found = dict(values)
        evidence = revived(tuple[Evidence, ...], found["evidence"])
        members = cast("dict[str, dict[str, object]]", found["members"])
        halves = cast("list[dict[str, object]]", found["halves"])
        levels = cast("list[str]", found["levels"])
        encoding = cast("dict[str, Any]", found["encoding"])
        choice = Choice(
            str(found["learner"]),
            {name: restored(each, len(evidence)) for name, each in members.items()},
            Grown.from_text(str(found["baseline"])),
            evidence,
            revived(tuple[LearnerTrial, ...], found["trials"]),
            (),
        )
        doubt = Doubt(
            tuple(restored(each, len(evidence)) for each in halves), tuple(Grown.from_text(each) for each in levels)
        )
        return EffectModel(Encoding.from_dict(encoding), choice, doubt)
