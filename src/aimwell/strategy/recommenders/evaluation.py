"""The bank's protocol: for each of the last days, learn from what was known before and rank for its buyers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Text
from aimwell.core.time import add_days, local_day
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray
from aimwell.science.recommend.sparse import places_within
from aimwell.strategy.recommenders.baselines import WAYS
from aimwell.strategy.recommenders.days import Day, busy_days, day_to_learn
from aimwell.strategy.recommenders.definition import Diversity, Recommender
from aimwell.strategy.recommenders.generator import generators
from aimwell.strategy.recommenders.judging import Slice, Trial, Way
from aimwell.strategy.recommenders.learning import Booster, Lesson, kept_columns, learn, probability, proposed, without
from aimwell.strategy.recommenders.lists import LEFT_OUT, arrange
from aimwell.strategy.recommenders.purchases import read_purchases
from aimwell.strategy.recommenders.traits import SLICES

DAYS = 10
MODEL = Text("模型", "the model")
_LISTED = Text("按业务规定与多样性调整后的清单", "the lists with the business's say and diversity")
_WITHOUT = Text("模型（不用 {names}）", "the model without {names}")
_SAID = Text("只加一条业务规定：{why}", "the lists with one say alone: {why}")


@dataclass(frozen=True, slots=True)
class Evaluation(Result):
    """How a recommender did on the last days.

    days: the days that were judged.   silent: days passed over because nobody bought.   lists: buyers of these days,
    one list each.   customers: how many they are.   learnt: pairs learnt from for the last day.   proposed: share of
    what was bought that some generator proposed.   coverage: share of the items on sale on the last day that stand in
    some list of it.   lines: different lines in a list on average, None without lines.
    """

    recommender: str
    as_of: datetime
    days: tuple[str, ...]
    silent: tuple[str, ...]
    lists: int
    customers: int
    learnt: int
    proposed: float
    coverage: float
    lines: float | None
    generators: tuple[str, ...]
    slices: tuple[Slice, ...]

    def slice(self, name: str) -> Slice:
        """One slice, by name; raises BadQuestion where too little was bought in it to judge."""
        found = next((each for each in self.slices if each.name == name), None)
        if found is None:
            judged = ", ".join(each.name for each in self.slices)
            raise BadQuestion(f"Too little was bought in the slice {name!r} to judge it", expected=f"one of {judged}")
        return found


@dataclass(frozen=True)
class _Judged:
    """A day with the scores of every way to rank, the model's first; features are let go."""

    day: Day
    ways: tuple[Way, ...]


def evaluate(
    definition: Recommender,
    workshop: Workshop,
    as_of: datetime,
    *,
    days: int = DAYS,
    less: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Judge a recommender on the last days before `as_of`, each by what was known when it began.

    For each day the generators learn from everything before it, and the booster from the buyers of the `learn.days`
    days before it. Days on which nobody bought are passed over.
    less: generators that a second model does without, to see what they are worth.
    Raises NotEnoughData when too few days have buyers, BadQuestion for a generator that does not exist.
    """
    strange = [name for name in less if name not in generators()]
    if strange or days < 1:
        raise BadQuestion(
            f"There is no generator {strange[0]!r}" if strange else "At least one day is judged",
            expected=f"some of {', '.join(generators())}" if strange else "1 or more",
        )
    wanted = days + definition.learn.days + definition.horizon_days - 1
    busy, quiet = busy_days(definition, workshop, as_of, wanted)
    purchases = read_purchases(workshop.history(as_of), definition.level)
    lessons: list[tuple[datetime, Lesson]] = []
    judged: list[_Judged] = []
    for number, begin in enumerate(busy):
        progress(str(local_day(begin, workshop.warehouse.zone)), number / wanted)
        day = day_to_learn(definition, workshop, begin, purchases, seed)
        if number >= wanted - days:
            known = [lesson for ended, lesson in lessons if ended <= begin][-definition.learn.days :]
            ways = _ways(definition, workshop, day, known, less, seed)
            judged.append(_Judged(replace(day, features=replace(day.features, matrix=np.empty((0, 0)))), ways))
        ended = add_days(begin, definition.horizon_days, workshop.warehouse.zone)
        lessons.append((ended, day.lesson(definition.learn.others, seed + number)))
    zone = workshop.warehouse.zone
    learnt = sum(lesson.bought.size for _, lesson in lessons[-definition.learn.days - 1 : -1])
    return _evaluation(
        definition,
        as_of,
        judged,
        learnt,
        tuple(str(local_day(begin, zone)) for begin in busy[-days:]),
        tuple(str(local_day(begin, zone)) for begin in quiet),
    )


def _ways(
    definition: Recommender, workshop: Workshop, day: Day, lessons: Sequence[Lesson], less: Sequence[str], seed: int
) -> tuple[Way, ...]:
    """The model's scores of a day, then those of everything that stands beside it."""
    booster = learn(lessons, definition.learn, seed=seed)
    model = _model_way("model", MODEL, day, booster, day.features.matrix)
    ways = [model, *(each(day) for each in WAYS)]
    if less:
        ways.append(_lesser(definition, day, lessons, less, seed))
    changed = definition.say or definition.diversity.most_of_a_line
    if changed:
        ways.append(_listed("listed", _LISTED, definition, workshop, day, model.score))
    for number, say in enumerate(definition.say if len(definition.say) > 1 else (), 1):
        alone = definition.model_copy(update={"say": [say], "diversity": Diversity()})
        ways.append(_listed(f"say_{number}", _SAID.format(why=say.why), alone, workshop, day, model.score))
    return tuple(ways)


def _model_way(name: str, label: Text, day: Day, booster: Booster, matrix: FloatArray) -> Way:
    unseen = np.full(day.buyers.size, booster.unseen)
    raw = booster.raw(matrix)
    return Way(name, label, raw, probability(raw), unseen)


def _lesser(definition: Recommender, day: Day, lessons: Sequence[Lesson], less: Sequence[str], seed: int) -> Way:
    booster = learn([without(lesson, less) for lesson in lessons], definition.learn, seed=seed)
    matrix = day.features.matrix[:, kept_columns(day.features.groups, less)]
    way = _model_way("without", _WITHOUT.format(names=", ".join(less)), day, booster, matrix)
    kept = proposed(matrix, booster.names)
    return replace(way, score=np.where(kept, way.score, -np.inf))


def _listed(name: str, label: Text, definition: Recommender, workshop: Workshop, day: Day, score: FloatArray) -> Way:
    today = local_day(day.as_of, workshop.warehouse.zone)
    place = arrange(definition, day.stand.shelf, today, day.row, day.pairs.item, score)
    return Way(name, label, np.where(place == LEFT_OUT, -np.inf, -place.astype(np.float64)))


def _evaluation(
    definition: Recommender,
    as_of: datetime,
    judged: Sequence[_Judged],
    learnt: int,
    days: tuple[str, ...],
    quiet: tuple[str, ...],
) -> Evaluation:
    trial = _trial(judged, definition.list_size)
    last = judged[-1]
    coverage, lines = _mixture(last, definition.list_size)
    wanted = float(trial.wanted["all"].sum())
    return Evaluation(
        definition.name,
        as_of,
        days,
        quiet,
        trial.customer.size,
        np.unique(trial.customer).size,
        learnt,
        float(trial.bought.sum()) / wanted if wanted else 0.0,
        coverage,
        lines,
        tuple(last.day.stand.fitted),
        trial.slices(),
    )


def _trial(judged: Sequence[_Judged], k: int) -> Trial:
    """The lists of all days one after the other."""
    starts = np.concatenate([[0], np.cumsum([each.day.buyers.size for each in judged])[:-1]])
    days = [each.day for each in judged]
    return Trial(
        np.concatenate([day.row + start for day, start in zip(days, starts, strict=True)]),
        np.concatenate([day.pairs.item for day in days]),
        np.concatenate([day.bought for day in days]),
        {name: np.concatenate([day.inside[name] for day in days]) for name in SLICES},
        np.concatenate([day.customers for day in days]),
        {name: np.concatenate([day.wanted[name] for day in days]) for name in SLICES},
        {name: np.concatenate([day.choices[name] for day in days]) for name in SLICES},
        [_joined([each.ways[place] for each in judged]) for place in range(len(judged[0].ways))],
        k,
    )


def _joined(parts: Sequence[Way]) -> Way:
    first = parts[0]
    if first.probability is None:
        return Way(first.name, first.label, np.concatenate([part.score for part in parts]))
    return Way(
        first.name,
        first.label,
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.probability for part in parts if part.probability is not None]),
        np.concatenate([part.unseen for part in parts if part.unseen is not None]),
    )


def _mixture(last: _Judged, k: int) -> tuple[float, float | None]:
    """How much of the shelf stands in the lists of a day, and how many lines a list holds."""
    day = last.day
    way = next((each for each in last.ways if each.name == "listed"), last.ways[0])
    place = places_within(day.row, way.score, day.pairs.item)
    shown = (place < k) & np.isfinite(way.score)
    on_sale = int(day.stand.shelf.on_sale.sum())
    coverage = np.unique(day.pairs.item[shown]).size / max(on_sale, 1)
    line = day.stand.shelf.line[day.pairs.item[shown]]
    if not day.stand.shelf.lines.size or not line.size:
        return coverage, None
    kinds = np.unique(day.row[shown] * (day.stand.shelf.lines.size + 1) + line).size
    return coverage, kinds / np.unique(day.row[shown]).size
