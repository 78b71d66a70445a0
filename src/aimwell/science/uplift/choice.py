"""The automatic choice: which learner, or their mean, and first of all whether people differ in the effect at all.

Everything happens inside the rows given (the training part): the sample is cut into parts; learners are ranked by
effects foretold for people whom they did not learn from; and whether effects differ is tested in order, each part by
models of the earlier parts alone. Testing each part by models of all the others would be wrong: two parts that judge
each other's noise agree by construction, and "effects differ" would be said far too often.
Sources: Wager, Sequential Validation of Treatment Heterogeneity (2024); Yadlowsky and others, Evaluating Treatment
Prioritization Rules (2021) for the Qini coefficient as a mean of doubly robust scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from aimwell.core.errors import NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Text
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, mean_ranks
from aimwell.science.metrics.interval import Estimate, mean_estimate, normal_interval, standard_error
from aimwell.science.uplift.learner import EffectModel, learner, learners
from aimwell.science.uplift.levels import crossed_levels, effect_scores, level_models
from aimwell.science.uplift.sample import Sample, fold_numbers, uneven_arms
from aimwell.science.uplift.trees import GROWTH, Grown, Growth

BLEND = "blend"
"""The mean of one learner of each sort (S, X, DR): hard to beat when none of them is clearly better."""
PARTS = 4
ALPHA = 0.05
"""How often "effects differ" may be said where they do not."""

MOST_STRETCH = 2.0
"""Small trees play differences down, but hardly by more than half."""

NO_DIFFERENCE = Text(
    "未发现效果因人而异：没有证据表明某些客户比其他客户更值得触达；按全体平均效果决定。",
    "No difference found: nothing shows that the treatment works better for some customers than for others; decide by "
    "the average effect.",
)
DIFFERENCE = Text(
    "效果因人而异：按预计效果排序可以把预算用在更有效的客户身上。",
    "Effects differ between customers: a ranking by expected effect puts the budget where it changes more.",
)


@dataclass(frozen=True, slots=True)
class LearnerTrial:
    """How one learner ranked people whom it did not learn from.

    qini: its Qini coefficient, summed over treatments (doubly robust).   ahead: that, minus the blend's, paired.
    """

    name: str
    label: Text
    qini: Estimate
    ahead: Estimate


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one treatment.

    average: its effect on everybody.   z, chance: the test that effects differ, and how likely such a value is where
    they do not.   differs: whether that is believed.   spread: by how much differences between foretold effects are
    stretched to be right on average; 0 where no difference was found.   centre: the mean of the foretold effects.
    """

    treatment: str
    average: Estimate
    z: float
    chance: float
    differs: bool
    spread: float
    centre: float

    @property
    def said(self) -> Text:
        """The finding in a sentence."""
        return DIFFERENCE if self.differs else NO_DIFFERENCE


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was chosen, from what, and the models of it.

    learner: name of the learner, or `blend`.   members: the models whose mean is taken, by learner.
    baseline: model of the outcome without treatment.   evidence: one entry per treatment [K].
    """

    learner: str
    members: Mapping[str, EffectModel]
    baseline: Grown
    evidence: tuple[Evidence, ...]
    trials: tuple[LearnerTrial, ...]
    notes: tuple[Text, ...]

    def order(self, X: FloatArray) -> FloatArray:
        """The best guess of each effect, for ranking, also where no difference was proven [n, K]."""
        return np.asarray(np.mean([model.effects(X) for model in self.members.values()], axis=0))

    def effects(self, X: FloatArray) -> FloatArray:
        """What to believe of each effect: the average for everybody where no difference was found [n, K]."""
        averages = np.array([each.average.value for each in self.evidence])
        spreads = np.array([each.spread for each in self.evidence])
        centres = np.array([each.centre for each in self.evidence])
        found: FloatArray = averages + spreads * (self.order(X) - centres)
        return found

    def without(self, X: FloatArray) -> FloatArray:
        """The expected outcome without any treatment [n]."""
        return self.baseline.mean(X)


def choose(
    sample: Sample,
    *,
    candidates: Sequence[str] | None = None,
    growth: Growth = GROWTH,
    parts: int = PARTS,
    alpha: float = ALPHA,
    seed: int = 0,
    progress: Progress = silent,
) -> Choice:
    """Which learner tells effects apart best on this experiment, and whether there is anything to tell apart.

    candidates: names of learners; by default all.   alpha: chance of a false alarm, over all
    treatments together (Holm).   Equal seeds and equal data give equal choices.
    The blend is kept unless one learner ranks strangers better than it by more than chance: on one experiment learners
    differ by less than luck, and a mean of them is never the worst.
    Raises NotEnoughData when an arm is too small to be cut into the parts.
    """
    names = tuple(candidates or learners())
    blended = tuple(name for name in names if learner(name).blended) or names
    numbers = _numbered(sample, parts, seed)
    levels = crossed_levels(sample, growth, seed, numbers)
    scores = effect_scores(sample, levels)
    foretold = {name: np.empty_like(scores) for name in names}
    for part in range(parts):
        progress("choose", 0.7 * part / parts)
        _foretell(sample, numbers, part, numbers != part, foretold, growth, seed)
    foretold[BLEND] = np.mean([foretold[name] for name in blended], axis=0)
    trials = _trials(foretold, scores, numbers, sample.groups)
    chosen = _chosen(trials)
    progress("test", 0.7)
    z = _tested(sample, numbers, scores, foretold[BLEND], blended, growth, seed)
    evidence = _evidence(sample, scores, foretold[chosen], numbers, z, alpha)
    progress("fit", 0.9)
    taken = blended if chosen == BLEND else (chosen,)
    members = {name: learner(name).fit(sample, levels, growth, seed) for name in taken}
    return Choice(chosen, members, level_models(sample, growth, seed)[0], evidence, trials, uneven_arms(sample))


def ranking_value(
    order: FloatArray, scores: FloatArray, parts: IntArray, groups: IntArray | None = None
) -> tuple[float, FloatArray]:
    """The Qini coefficient of a ranking as a mean of doubly robust scores, and what each row adds to it [n].

    order: foretold effects [n]; ranks are taken within each part, ties in the middle.   scores: see `effect_scores`.
    """
    ranks, centred = np.empty(order.size), np.empty(order.size)
    for part in np.unique(parts):
        inside = parts == part
        ranks[inside] = (mean_ranks(order[inside]) - 0.5) / inside.sum() - 0.5
        centred[inside] = scores[inside] - scores[inside].mean()
    added = ranks * centred
    return float(added.mean()), added


def _numbered(sample: Sample, parts: int, seed: int) -> IntArray:
    numbers = fold_numbers(sample, parts, seed)
    counts = np.zeros((parts, len(sample.names)), dtype=np.int64)
    np.add.at(counts, (numbers, sample.arm), 1)
    if counts.min() < 2:
        arm = sample.names[int(counts.min(axis=0).argmin())]
        raise NotEnoughData(
            f"Arm {arm!r} is too small to learn on some of it and judge on the rest",
            expected=f"at least 2 people of every arm in each of {parts} parts",
            seen=f"{int(counts.min())}",
            remedy="Wait for more people, or leave this arm out.",
        )
    return numbers


def _foretell(
    sample: Sample,
    numbers: IntArray,
    part: int,
    learnt: BoolArray,
    foretold: Mapping[str, FloatArray],
    growth: Growth,
    seed: int,
) -> None:
    """Writes the effects that every learner foretells for a part from the rows learnt."""
    inside = numbers == part
    known = sample.take(learnt)
    levels = crossed_levels(known, growth, seed)
    for name, found in foretold.items():
        found[inside] = learner(name).fit(known, levels, growth, seed).effects(sample.X[inside])


def _trials(
    foretold: Mapping[str, FloatArray], scores: FloatArray, parts: IntArray, groups: IntArray | None
) -> tuple[LearnerTrial, ...]:
    added = {
        name: np.sum([ranking_value(order[:, k], scores[:, k], parts)[1] for k in range(scores.shape[1])], axis=0)
        for name, order in foretold.items()
    }
    return tuple(
        LearnerTrial(name, _label(name), mean_estimate(each, groups=groups), _gap(each - added[BLEND], groups))
        for name, each in added.items()
    )


def _gap(gaps: FloatArray, groups: IntArray | None) -> Estimate:
    mean = float(gaps.mean())
    return normal_interval(mean, standard_error((gaps - mean) / gaps.size, groups))


def _label(name: str) -> Text:
    return Text("几种学习器的平均", "Mean of several learners") if name == BLEND else learner(name).label


def _chosen(trials: Sequence[LearnerTrial]) -> str:
    proven = [trial for trial in trials if trial.ahead.low > 0]
    return max(proven, key=lambda trial: trial.ahead.value).name if proven else BLEND


def _tested(
    sample: Sample,
    numbers: IntArray,
    scores: FloatArray,
    last: FloatArray,
    names: tuple[str, ...],
    growth: Growth,
    seed: int,
) -> FloatArray:
    """For each treatment how many standard errors the ranking gains, parts judged in order [K].

    last: what the blend foretells for the last part from all the others, which needs no further fit.
    """
    parts = int(numbers.max()) + 1
    found: list[FloatArray] = []
    for part in range(1, parts):
        inside = numbers == part
        order = last
        if part < parts - 1:
            foretold = {name: np.empty_like(scores) for name in names}
            _foretell(sample, numbers, part, numbers < part, foretold, growth, seed)
            order = np.mean(list(foretold.values()), axis=0)
        groups = None if sample.groups is None else sample.groups[inside]
        found.append(_standardised(order[inside], scores[inside], groups))
    # Later parts are judged by models that learnt from more, so they count for more.
    trust = np.arange(1, parts, dtype=np.float64)
    total: FloatArray = trust @ np.array(found) / float(np.sqrt((trust**2).sum()))
    return total


def _standardised(order: FloatArray, scores: FloatArray, groups: IntArray | None) -> FloatArray:
    one = np.zeros(len(order), dtype=np.int64)
    found = np.zeros(scores.shape[1])
    for k in range(scores.shape[1]):
        value, added = ranking_value(order[:, k], scores[:, k], one)
        error = standard_error((added - value) / added.size, groups)
        found[k] = value / error if error > 0 else 0.0
    return found


def _evidence(
    sample: Sample, scores: FloatArray, foretold: FloatArray, parts: IntArray, z: FloatArray, alpha: float
) -> tuple[Evidence, ...]:
    chances = norm.sf(z)
    believed = holm(chances, alpha)
    found: list[Evidence] = []
    for k, name in enumerate(sample.names[1:]):
        spread = _stretch(foretold[:, k], scores[:, k], parts) if believed[k] else 0.0
        average = mean_estimate(scores[:, k], groups=sample.groups)
        centre = float(foretold[:, k].mean())
        # Where strangers' effects do not rise with what was foretold, there is nothing to act on.
        found.append(Evidence(name, average, float(z[k]), float(chances[k]), spread > 0, spread, centre))
    return tuple(found)


def holm(chances: FloatArray, alpha: float) -> BoolArray:
    """Which of several tests may be believed so that any false alarm among them has chance alpha (Holm 1979).

    >>> holm(np.array([0.04, 0.01]), 0.05).tolist(), holm(np.array([0.04, 0.03]), 0.05).tolist()
    ([True, True], [False, False])
    """
    believed = np.zeros(chances.size, dtype=np.bool_)
    for place, index in enumerate(np.argsort(chances, kind="stable")):
        if chances[index] > alpha / (chances.size - place):
            break
        believed[index] = True
    return believed


def _stretch(foretold: FloatArray, scores: FloatArray, parts: IntArray) -> float:
    """The slope of the scores on what was foretold, within parts, between 0 and 2 (best linear predictor).

    Source: Chernozhukov and others, Generic Machine Learning Inference on Heterogeneous Treatment Effects (2018).
    """
    centred = foretold.copy()
    for part in np.unique(parts):
        inside = parts == part
        centred[inside] -= centred[inside].mean()
    spread = float(np.square(centred).sum())
    return float(np.clip((centred * scores).sum() / spread, 0.0, MOST_STRETCH)) if spread > 0 else 0.0
