"""Rising, stable or fading: what a customer is expected to bring next, beside what he brought last, by life stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Threshold
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import CutOff, Names
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.predictions.targets import answers_before
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray
from aimwell.store.warehouse.cut import instant_literal

TABLE = "life_stage"
STAGES = ("introduction", "growth", "maturity", "decline")
UNKNOWN = "unknown"
DIRECTIONS: dict[str, Text] = {
    "rising": Text("上升", "rising"),
    "stable": Text("平稳", "stable"),
    "fading": Text("下降", "fading"),
}
RISING = Threshold("value_rising", 1.2, Text("预期值达当前值的多少倍算上升", "rising: expected value over the current"))
FADING = Threshold(
    "value_fading", 0.8, Text("预期值不到当前值的多少倍算下降", "fading: expected value over the current")
)
FLOOR = 0.1
"""This share of the mean current value is added to both, so that small change of small spenders is no direction."""


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
    """Everybody scored, by life stage and direction; the rows lie in the table `life_stage`."""

    prediction: str
    as_of: datetime
    cells: tuple[StageCell, ...]

    def people(self, *, stage: str | None = None, direction: str | None = None) -> int:
        """How many customers are in a stage, or move in a direction."""
        return sum(
            cell.people for cell in self.cells if stage in (None, cell.stage) and direction in (None, cell.direction)
        )


def life_stages(definition: Prediction, workshop: Workshop, as_of: datetime) -> LifeStages:
    """Put everybody scored at the instant into a stage and a direction, and keep the rows.

    The direction compares the expected amount with that of the period just before: from `value_rising` times on it is
    rising, below `value_fading` times fading (settings of the workspace). One lucky period makes a customer look
    fading, for luck does not repeat.
    Raises BadQuestion when the prediction is not of amounts, or was not scored at this instant.
    """
    if definition.target is None or definition.target.amount is None:
        raise BadQuestion(f"{definition.name} foretells no amount, so there is no value to compare")
    customers, expected = _scores(definition, workshop, as_of)
    current = _current(definition, workshop, as_of, customers)
    stage = _stages(workshop, as_of, customers)
    direction = directions(current, expected, *_thresholds(workshop))
    _keep(workshop, definition.name, as_of, customers, stage, direction, current, expected)
    cells = [
        StageCell(each, way, int(here.sum()), float(current[here].mean()), float(expected[here].mean()))
        for each in (*STAGES, UNKNOWN)
        for way in DIRECTIONS
        if (here := (stage == each) & (direction == way)).any()
    ]
    return LifeStages(definition.name, as_of, tuple(cells))


def directions(current: FloatArray, expected: FloatArray, rising: float, fading: float) -> Names:
    """Rising, stable or fading, for each customer [n].

    >>> directions(np.array([100.0, 100.0, 100.0]), np.array([150.0, 100.0, 40.0]), 1.2, 0.8).tolist()
    ['rising', 'stable', 'fading']
    """
    floor = FLOOR * max(float(current.mean()), 1e-9) if current.size else 0.0
    pace = (expected + floor) / (np.maximum(current, 0.0) + floor)
    return np.where(pace >= rising, "rising", np.where(pace < fading, "fading", "stable")).astype(np.str_)


def _thresholds(workshop: Workshop) -> tuple[float, float]:
    settings = workshop.warehouse.settings
    found = [float(str(settings.get(each.name, each.default))) for each in (RISING, FADING)]
    if found[1] > found[0]:
        raise BadQuestion(
            "The thresholds of rising and fading cross", seen=f"{RISING.name} {found[0]:g}, {FADING.name} {found[1]:g}"
        )
    return found[0], found[1]


def _scores(definition: Prediction, workshop: Workshop, as_of: datetime) -> tuple[Names, FloatArray]:
    engine = workshop.warehouse.engine
    same = [
        exp.EQ(this=exp.column("prediction"), expression=exp.Literal.string(definition.name)),
        exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
    ]
    query = exp.select("customer_id", "value").from_(SCORE).where(*same).order_by("customer_id")
    rows = engine.to_arrow(query) if SCORE in engine.tables() else pa.table({"customer_id": [], "value": []})
    if not rows.num_rows:
        raise BadQuestion(f"{definition.name} was not scored as of {as_of.date()}", remedy="Score it first.")
    customers = np.asarray(rows.column("customer_id").to_pylist(), dtype=np.str_)
    return customers, np.asarray(rows.column("value").to_numpy(zero_copy_only=False), dtype=np.float64)


def _current(definition: Prediction, workshop: Workshop, as_of: datetime, customers: Names) -> FloatArray:
    cut = CutOff(str(as_of.date()), 0.0, 1.0, as_of)
    with workshop.passing(f"people_{definition.name}") as people:
        workshop.warehouse.engine.write(people, pa.table({"customer_id": pa.array(customers.tolist(), pa.string())}))
        return answers_before(definition, workshop, cut, people, customers)


def _stages(workshop: Workshop, as_of: datetime, customers: Names) -> Names:
    """The tag `life_stage` of each customer; unknown where the data cannot carry it."""
    features = workshop.features(as_of)
    if "life_stage" not in workshop.library.owners or not features.columns(["life_stage"]):
        return np.full(customers.size, UNKNOWN, dtype=np.str_)
    with workshop.passing("people_life_stage") as people:
        workshop.warehouse.engine.write(people, pa.table({"customer_id": pa.array(customers.tolist(), pa.string())}))
        found = features.to_arrow(people, ["life_stage"])
    return np.asarray(found.column("life_stage").fill_null(UNKNOWN).to_pylist(), dtype=np.str_)


def _keep(
    workshop: Workshop,
    prediction: str,
    as_of: datetime,
    customers: Names,
    stage: Names,
    direction: Names,
    current: FloatArray,
    expected: FloatArray,
) -> None:
    rows = pa.table(
        {
            "prediction": [prediction] * customers.size,
            "customer_id": customers.tolist(),
            "as_of": pa.array([to_store(as_of)] * customers.size, pa.timestamp("us")),
            "stage": stage.tolist(),
            "direction": direction.tolist(),
            "current": current,
            "expected": expected,
        }
    )
    workshop.warehouse.engine.merge(TABLE, rows, ("prediction", "as_of", "customer_id"))
