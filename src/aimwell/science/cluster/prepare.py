"""Makes features comparable before grouping: skewed money and counts, different units, missing values.

Distances only mean something when every column has about the same spread and no customer lies a thousand spreads
away. The preparation is learnt once and kept, so that new customers are measured with the same yardstick.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, table, totals

Shape = Literal["plain", "log", "rank"]
Knots = tuple[tuple[float, float], ...]

MOST_UNKNOWN = 0.5
"""A column that is unknown for more customers than this says too little to group by."""
SKEWED = 1.0
"""From this skewness on a column is put on a logarithmic scale; if that does not tame it, on ranks."""
REACH = 3.0
"""Values are held within so many robust spreads, so that one customer cannot make a group of his own."""
ALIKE = 0.98
"""Two columns with a higher correlation say the same, which would then count twice."""
GRID = 101


@dataclass(frozen=True, slots=True)
class Column:
    """How one feature is made comparable.

    shape: plain, log (sign · ln(1 + |x| / unit)) or rank (normal quantile of its place among the customers, straight
    between the knots).   filler: what stands for unknown, in the feature's own unit.
    middle, spread: robust centre and scale after the shape.
    mean, deviation: of the clipped result, so that every column ends with mean 0 and deviation 1.
    """

    name: str
    shape: Shape
    unit: float
    knots: Knots
    filler: float
    middle: float
    spread: float
    mean: float
    deviation: float

    def apply(self, values: FloatArray) -> FloatArray:
        """The prepared column [n]; unknown values (NaN) become the filler."""
        known = np.where(np.isnan(values), self.filler, values)
        robust = (_shaped(known, self.shape, self.unit, self.knots) - self.middle) / self.spread
        prepared: FloatArray = (np.clip(robust, -REACH, REACH) - self.mean) / self.deviation
        return prepared


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was learnt about the features: their names as given, the columns kept, and notes on those that were not."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    notes: tuple[Text, ...]

    @property
    def kept(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def apply(self, features: ArrayLike) -> FloatArray:
        """Comparable features [n, kept columns] of any customers; the columns as in `names`."""
        X = table(features, "features")
        if X.shape[1] != len(self.names):
            raise BadQuestion(
                "These are not the features that were prepared",
                expected=f"{len(self.names)} columns ({', '.join(self.names[:4])} …)",
                seen=f"{X.shape[1]}",
            )
        places = {name: place for place, name in enumerate(self.names)}
        return np.column_stack([column.apply(X[:, places[column.name]]) for column in self.columns])

    def json(self) -> str:
        """The preparation as text, to be kept beside the clustering; `preparation_from` reads it."""
        return json.dumps(asdict(self), ensure_ascii=False)


def preparation_from(text: str) -> Preparation:
    """The preparation that `Preparation.json` wrote; raises BadQuestion for anything else."""
    try:
        values = json.loads(text)
        columns = tuple(
            Column(**column | {"knots": tuple((place, score) for place, score in column["knots"])})
            for column in values["columns"]
        )
        return Preparation(tuple(values["names"]), columns, tuple(Text(**note) for note in values["notes"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadQuestion(
            "This is no stored preparation", expected="what `Preparation.json` gave", seen=str(error)
        ) from error


def prepare(features: ArrayLike, names: Sequence[str], *, shape: Shape | None = None) -> Preparation:
    """Learns how to make features comparable: tamed, on one scale, without gaps.

    features: [n, d], NaN where unknown.   names: of the columns [d].   shape: None lets each column choose.
    Unknown values are replaced by the median (and noted); a column unknown for more than half of the customers,
    constant, or saying the same as an earlier one (|r| > .98), is left out with a note.
    Raises NotEnoughData when no column is left, BadQuestion for infinite values or names that do not fit.
    Cost: O(n · d · log n).

    >>> prepare([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], ["visits", "plan"]).kept
    ('visits',)
    """
    X = table(features, "features")
    _check_names(X, names)
    notes: list[Text] = []
    columns: list[Column] = []
    prepared: list[FloatArray] = []
    for name, values in zip(names, X.T, strict=True):
        known = values[~np.isnan(values)]
        reason = _useless(name, known, values.size)
        if reason:
            notes.append(reason)
            continue
        column = _learn(name, known, shape)
        result = column.apply(values)
        twin = _twin(result, prepared)
        if twin is not None:
            notes.append(TWIN.format(name=name, other=columns[twin].name))
            continue
        if known.size < values.size:
            notes.append(FILLED.format(name=name, share=f"{1 - known.size / values.size:.1%}"))
        columns.append(column)
        prepared.append(result)
    if not columns:
        raise NotEnoughData(
            "No feature is left to group by",
            expected="at least one that is known and differs between customers",
            seen="; ".join(note.en for note in notes),
        )
    return Preparation(tuple(names), tuple(columns), tuple(notes))


UNKNOWN = Text(
    "“{name}”有 {share} 的客户未知，未参与分群", "{name!r} is unknown for {share} of the customers: left out"
)
CONSTANT = Text("“{name}”对所有客户都一样，未参与分群", "{name!r} is the same for all customers: left out")
TWIN = Text("“{name}”与“{other}”几乎相同，未参与分群", "{name!r} says the same as {other!r}: left out")
FILLED = Text(
    "“{name}”有 {share} 的客户未知，以中位数代替", "{name!r} is unknown for {share} of the customers: median taken"
)


def _learn(name: str, known: FloatArray, shape: Shape | None) -> Column:
    filler = float(np.median(known))
    chosen, unit, knots = _shape(known, shape)
    shaped = _shaped(known, chosen, unit, knots)
    low, middle, high = np.quantile(shaped, [0.25, 0.5, 0.75])
    # Most customers at one value (zeros, yes/no) leave no quartile range: then the plain deviation must do.
    spread = max(float(high - low) / 1.349, float(shaped.std()) / 4)
    clipped = np.clip((shaped - middle) / spread, -REACH, REACH)
    deviation = float(clipped.std()) or 1.0
    return Column(name, chosen, unit, knots, filler, float(middle), spread, float(clipped.mean()), deviation)


def _shape(known: FloatArray, shape: Shape | None) -> tuple[Shape, float, Knots]:
    unit = float(np.median(np.abs(known[known != 0]))) if known.any() else 1.0
    if shape is None:
        shape = _tamest(known, unit)
    return shape, unit, _knots(known) if shape == "rank" else ()


def _tamest(known: FloatArray, unit: float) -> Shape:
    if np.unique(known).size <= 2 or abs(_skewness(known)) < SKEWED:
        return "plain"
    return "log" if abs(_skewness(_shaped(known, "log", unit, ()))) < 2 * SKEWED else "rank"


def _knots(known: FloatArray) -> Knots:
    """Values with the normal quantile of the middle of their places: a pile of zeros is one value and not a ramp."""
    levels = np.linspace(0, 1, GRID)
    values, places = np.unique(np.quantile(known, levels), return_inverse=True)
    middles = totals(places, levels, values.size) / np.bincount(places)
    return tuple(zip(values.tolist(), ndtri(np.clip(middles, 0.5 / GRID, 1 - 0.5 / GRID)).tolist(), strict=True))


def _shaped(values: FloatArray, shape: Shape, unit: float, knots: Knots) -> FloatArray:
    if shape == "plain":
        return values
    if shape == "log":
        logged: FloatArray = np.sign(values) * np.log1p(np.abs(values) / unit)
        return logged
    places, scores = np.asarray(knots).T
    ranked: FloatArray = np.interp(values, places, scores)
    return ranked


def _skewness(values: FloatArray) -> float:
    deviation = float(values.std())
    return float((((values - values.mean()) / deviation) ** 3).mean()) if deviation > 0 else 0.0


def _useless(name: str, known: FloatArray, people: int) -> Text | None:
    if known.size == 0 or known.size < people * (1 - MOST_UNKNOWN):
        return UNKNOWN.format(name=name, share=f"{1 - known.size / people:.0%}")
    # Differences that floating point can hardly tell are none.
    if np.ptp(known) <= 1e-12 * max(float(np.abs(known).max()), 1e-100):
        return CONSTANT.format(name=name)
    return None


def _twin(result: FloatArray, prepared: list[FloatArray]) -> int | None:
    for place, other in enumerate(prepared):
        if abs(float((result * other).mean())) > ALIKE * float(result.std() * other.std()):
            return place
    return None


def _check_names(X: FloatArray, names: Sequence[str]) -> None:
    if len(names) != X.shape[1]:
        raise BadQuestion("Every feature needs a name", expected=f"{X.shape[1]} names", seen=f"{len(names)}")
    if len(set(names)) != len(names):
        raise BadQuestion("Two features carry the same name", expected="different names", seen=", ".join(names))
