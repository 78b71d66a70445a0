"""Rising, stable or fading: what a customer is expected to bring next, beside what he brought last, by life stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.insight.features.families.life_stage import LIFE_STAGE
from aimwell.insight.features.families.value_course import COURSES, EXPECTED_VALUE, FADING, RISING
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.expected import last_scoring
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import as_floats
from aimwell.insight.predictions.workshop import Workshop

UNKNOWN = "unknown"
STAGES: dict[str, Text] = {**LIFE_STAGE.columns[0].words, UNKNOWN: Text("未知", "unknown")}


@dataclass(frozen=True, slots=True)
class StageCell(Result):
    """The customers of one life stage who move in one direction: how many, and their mean amounts."""

    stage: str
    direction: str
    people: int
    current: float
    expected: float


@dataclass(frozen=True, slots=True)
class LifeStages(Result):
    """Everybody scored, by life stage and direction (the tags `life_stage` and `value_course`)."""

    prediction: str
    as_of: datetime
    cells: tuple[StageCell, ...]

    def people(self, *, stage: str | None = None, direction: str | None = None) -> int:
        """How many customers are in a stage, or move in a direction."""
        return sum(
            cell.people for cell in self.cells if stage in (None, cell.stage) and direction in (None, cell.direction)
        )


def life_stages(definition: Prediction, workshop: Workshop, as_of: datetime) -> LifeStages:
    """Count everybody scored at the instant by stage and direction, with their mean amounts.

    The direction compares the expected amount with that of the period just before: from `value_rising` times on it is
    rising, below `value_fading` times fading (settings of the workspace). One lucky period makes a customer look
    fading, for luck does not repeat.
    Raises BadQuestion when the prediction is not of amounts, was not scored at this instant, or the settings cross.
    """
    if definition.target is None or definition.target.amount is None:
        raise BadQuestion(f"{definition.name} foretells no amount, so there is no value to compare")
    run = last_scoring(workshop.warehouse.engine, definition.name, as_of)
    if run is None or run.as_of != as_of:
        raise BadQuestion(
            f"{definition.name} was not scored as of {as_of.date()}",
            remedy="Score it first, by a model learnt until then.",
        )
    _refuse_crossed(workshop)
    rows = _rows(definition.name, workshop, as_of)
    current, expected = (as_floats(rows.column(name)) for name in ("value_current", "value_expected"))
    stage = np.asarray(rows.column("life_stage").fill_null(UNKNOWN).to_pylist(), dtype=np.str_)
    direction = np.asarray(rows.column("value_course").to_pylist(), dtype=np.str_)
    cells = [
        StageCell(each, way, int(here.sum()), float(current[here].mean()), float(expected[here].mean()))
        for each in STAGES
        for way in COURSES
        if (here := (stage == each) & (direction == way)).any()
    ]
    return LifeStages(definition.name, as_of, tuple(cells))


def _rows(prediction: str, workshop: Workshop, as_of: datetime) -> pa.Table:
    """The tags of everybody scored; the stage unknown where the data cannot carry it."""
    features = workshop.described(as_of, prediction)
    scored = features.given[EXPECTED_VALUE]
    names = ["value_course", "value_current", "value_expected"]
    if "life_stage" in workshop.library.owners:
        return features.to_arrow(scored, [*names, "life_stage"])
    rows = features.to_arrow(scored, names)
    return rows.append_column("life_stage", pa.nulls(rows.num_rows, pa.string()))


def _refuse_crossed(workshop: Workshop) -> None:
    settings = workshop.warehouse.settings
    rising, fading = (float(str(settings.get(each.name, each.default))) for each in (RISING, FADING))
    if fading > rising:
        raise BadQuestion(
            "The thresholds of rising and fading cross", seen=f"{RISING.name} {rising:g}, {FADING.name} {fading:g}"
        )
