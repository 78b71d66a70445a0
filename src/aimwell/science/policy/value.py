"""What another way of choosing would have brought, judged by what was chosen by chance (off-policy evaluation).

Sources: inverse probability weighting, D. G. Horvitz, D. J. Thompson, JASA 47 (1952) 663-685; self-normalised, A.
Swaminathan, T. Joachims, NIPS 2015; doubly robust, M. Dudík, J. Langford, L. Li, ICML 2011; switch, Y.-X. Wang,
A. Agarwal, M. Dudík, ICML 2017; the choice of the clip by estimated error, Y. Su, M. Dimakopoulou, A. Krishnamurthy,
M. Dudík, ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.metrics.interval import Estimate, normal_interval, standard_error
from aimwell.science.policy.logged import Logged, foretold

Way = Literal["ips", "snips", "dr", "switch-dr"]
FEW = 100
"""Below so many effective rows an interval is not to be trusted."""

_CANDIDATES = 25
_FEW_ROWS = Text(
    "{rows:,} 行记录只相当于 {effective:.0f} 行有效数据：此策略与当时的选择相差太远，区间不可信。",
    "{rows:,} logged rows are worth only {effective:.0f}: this policy chooses too differently from what was chosen, "
    "and its interval is not to be trusted.",
)
_CLIPPED = Text(
    "{count:,} 行的权重被截到 {clip:.3g}：结果略有偏差，换来更小的波动。",
    "The weights of {count:,} rows were cut to {clip:.3g}: a little bias in exchange for less noise.",
)


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """Mean outcome for each row if a policy had chosen, beside what was there.

    value: of the policy.   seen: of what was chosen.   ahead: the first less the second, from the same rows.
    way: the estimator.   effective: how many rows the weights leave (the square of their sum over the sum of squares).
    heaviest: the largest weight, before any clip.   clip: the bound on weights (infinite without one).   warnings: what
    must be said beside the number.
    """

    value: Estimate
    seen: Estimate
    ahead: Estimate
    way: Way
    effective: float
    heaviest: float
    clip: float
    warnings: tuple[Text, ...]


def policy_value(
    log: Logged,
    chances: ArrayLike,
    *,
    way: Way = "dr",
    expected: ArrayLike | None = None,
    clip: float | Literal["chosen"] | None = None,
) -> PolicyValue:
    """What a policy would have brought per row, with its interval (95 %, normal).

    chances: of each option under the policy [n, options]; 1 and 0 for one that always knows.
    way: "ips" weights what was seen by how much likelier the policy would have chosen it; "snips" divides by the sum of
    these weights; "dr" corrects an expected outcome by what was seen; "switch-dr" trusts the expected outcome alone
    where the weight exceeds the clip.
    expected: as for `option_scores`, needed for the last two to be better than the first.
    clip: the largest weight ("switch-dr": that is used), None for none ("switch-dr": chosen), or "chosen" for the one
    of the smallest estimated error (bias squared plus variance).
    Raises BadQuestion for chances that do not fit, or where the policy would choose what could not have been chosen;
    NotEnoughData when the policy would have chosen nothing of what was chosen.
    """
    wanted = _chances(log, chances)
    rows = np.arange(len(log))
    model = foretold(log, expected)
    weights = wanted[rows, log.option] / log.probability
    if not weights.any():
        raise NotEnoughData("The policy would never have chosen what was chosen", expected="some rows that agree")
    direct = (wanted * model).sum(axis=1) if way in ("dr", "switch-dr") else np.zeros(len(log))
    residual = log.outcome - model[rows, log.option] if way in ("dr", "switch-dr") else log.outcome
    bound = _bound(weights, residual, way, clip)
    used = np.where(weights <= bound, weights, 0.0 if way == "switch-dr" else bound)
    parts = direct + used * residual
    value = float(parts.mean())
    deviations = parts - value
    if way == "snips":
        value = float((used * residual).sum() / used.sum())
        deviations = used * (residual - value) / used.mean()
    return _told(log, way, value, deviations, (weights, bound))


def _told(
    log: Logged, way: Way, value: float, deviations: FloatArray, weighed: tuple[FloatArray, float]
) -> PolicyValue:
    weights, bound = weighed
    n, seen = len(log), float(log.outcome.mean())
    apart = log.outcome - seen
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    cut = int((weights > bound).sum())
    warnings = []
    if effective < FEW:
        warnings.append(_FEW_ROWS.format(rows=n, effective=effective))
    if cut:
        warnings.append(_CLIPPED.format(count=cut, clip=bound))
    return PolicyValue(
        normal_interval(value, standard_error(deviations / n, log.groups)),
        normal_interval(seen, standard_error(apart / n, log.groups)),
        normal_interval(value - seen, standard_error((deviations - apart) / n, log.groups)),
        way,
        effective,
        float(weights.max()),
        bound,
        tuple(warnings),
    )


def _bound(weights: FloatArray, residual: FloatArray, way: Way, clip: float | str | None) -> float:
    """The bound on weights: as given, or the one of the smallest estimated error."""
    if clip is None and way != "switch-dr":
        return float("inf")
    if isinstance(clip, int | float):
        if not clip > 0:
            raise BadQuestion("A clip is a positive weight", expected="above 0", seen=f"{clip:g}")
        return float(clip)
    bounds = np.unique(np.append(np.quantile(weights[weights > 0], np.linspace(0.5, 1, _CANDIDATES)), np.inf))
    errors = []
    for bound in bounds:
        used = np.where(weights <= bound, weights, 0.0 if way == "switch-dr" else bound)
        bias = float(((weights - used) * residual).mean())
        errors.append(bias**2 + float((used * residual).var()) / weights.size)
    return float(bounds[int(np.argmin(errors))])


def _chances(log: Logged, chances: ArrayLike) -> FloatArray:
    wanted = np.asarray(chances, dtype=np.float64)
    if wanted.shape != (len(log), log.options):
        expected = f"{len(log)} rows × {log.options} options"
        raise BadQuestion("The policy's chances do not fit the log", expected=expected, seen=f"shape {wanted.shape}")
    if not np.isfinite(wanted).all() or wanted.min() < 0 or not np.allclose(wanted.sum(axis=1), 1.0):
        raise BadQuestion("The policy's chances must sum to 1 for each row", expected="numbers from 0 that sum to 1")
    fixed = (log.probability == 1) & (wanted[np.arange(len(log)), log.option] < 1)
    if fixed.any():
        raise BadQuestion(
            f"{int(fixed.sum())} rows were not chosen by chance (logged probability 1), and the policy would choose "
            "otherwise",
            expected="a chance for everything that the policy may choose",
            remedy="Leave these rows out, or explore a small share of the choices.",
        )
    return wanted
