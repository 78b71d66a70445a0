"""A learnt effect: what was chosen, how far it may be off, and how the features enter; kept as one file of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from aimwell.core.errors import BadInput, BadQuestion
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.plain import plain, revived
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.choice import Choice, Evidence, LearnerTrial
from aimwell.science.uplift.doubt import QUICK, Doubt
from aimwell.science.uplift.learner import kept, restored
from aimwell.science.uplift.trees import Grown

FOLDER = "models"
FILE = "effect.json"


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


def save_model(folder: Path, name: str, version: str, model: EffectModel) -> Path:
    """Write a version; a failure on the way leaves nothing half-written under its name."""
    place = folder / FOLDER / name / version / FILE
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".part")
    fresh.write_text(json.dumps(model.to_dict()), encoding="utf-8")
    fresh.replace(place)
    return place


def load_model(folder: Path, name: str, version: str) -> EffectModel:
    """The version of an effect; raises BadQuestion when it is not there, BadInput when its file is damaged."""
    place = folder / FOLDER / name / version / FILE
    if not place.is_file():
        raise BadQuestion(f"There is no version {version!r} of the effect {name!r}", remedy="Train it first.")
    try:
        return EffectModel.from_dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The effect {place} cannot be read: {error}", remedy="Train the effect again.") from error
