"""A contest of policies over frozen regimes and seeds: what each earns, and whether the difference is luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Text
from aimwell.science.metrics.interval import LEVEL, Estimate
from aimwell.simulation.loop.policies.knowing import Knowing
from aimwell.simulation.loop.policies.learning import Learning
from aimwell.simulation.loop.policies.plain import Everyone, Expert, Nothing
from aimwell.simulation.loop.policies.propensity import Propensity
from aimwell.simulation.loop.policy import Policy
from aimwell.simulation.loop.running import WEEKLY, Run, play
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.regime import find_regime, load_regimes, regimes_digest

OURS, ORACLE, BASE = "aimwell", "oracle", "nothing"
ALIKE = 0.001
"""Two policies are level when they differ by less than this share of the profit that comes without any message."""

Verdict = Literal["ahead", "level", "behind", "one seed"]
_ENTER: Mapping[str, Callable[[Marketplace, int, int], Policy]] = {
    BASE: lambda market, seed, every: Nothing(),
    "everyone": lambda market, seed, every: Everyone(),
    "expert": lambda market, seed, every: Expert(),
    "propensity": lambda market, seed, every: Propensity(seed=seed),
    OURS: lambda market, seed, every: Learning(seed=seed),
    ORACLE: lambda market, seed, every: Knowing.of(market, every),
}
POLICIES = tuple(_ENTER)
LABELS: Mapping[str, Text] = {
    BASE: Text("什么都不发", "Nothing"),
    "everyone": Text("全员群发", "Message everyone"),
    "expert": Text("专家规则", "Expert rule"),
    "propensity": Text("按购买倾向取前列", "Top by propensity"),
    OURS: Text("Aimwell", "Aimwell"),
    ORACLE: Text("全知者", "Oracle"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy in one regime, mean over seeds; money in CNY.

    gained: above sending nothing, luck taken out.   profit: what came, with luck.   share: of what the oracle gained,
    of all seeds together; None where it gained nothing.   messages: delivered.   left: people who unsubscribed.
    """

    policy: str
    gained: float
    profit: float
    share: float | None
    spent: float
    messages: float
    left: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Aimwell's gain less that of another policy on the same seeds, in CNY, with a 95 % interval (None: one seed).

    verdict: ahead or behind when the interval leaves 0 out; level when it does not, or when all of it lies within a
    thousandth of the profit that comes without any message.
    """

    other: str
    ahead: float
    interval: Estimate | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Season:
    """All policies in one regime."""

    regime: str
    business: str
    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """What was played and what came of it; simulated. version, digest: of the regimes; only equal ones compare."""

    version: int
    digest: str
    customers: int
    days: int
    every: int
    seeds: tuple[int, ...]
    seasons: tuple[Season, ...]
    simulated: bool = True


def hold(
    regimes: Sequence[str],
    *,
    customers: int,
    seeds: Sequence[int],
    days: int | None = None,
    every: int = WEEKLY,
    policies: Sequence[str] = POLICIES,
    progress: Progress = silent,
    ended: Callable[[str, int, Run], None] | None = None,
) -> Contest:
    """Let policies play the same markets: the same people with the same luck, once for each regime and seed.

    days: by default those of each regime.   ended: is told of each run.   Raises BadQuestion for an unknown regime or
    policy, for no seeds or the same seed twice.
    """
    _refuse(regimes, policies, seeds)
    total = len(regimes) * len(seeds) * len(policies)
    seasons, done = [], 0
    for regime in regimes:
        runs: dict[str, list[Run]] = {policy: [] for policy in policies}
        for seed in seeds:
            opened = Marketplace.open(regime, customers, seed, days=days)
            for policy in policies:
                market = opened.copy()
                run = play(market, _ENTER[policy](market, seed, every), every=every)
                runs[policy].append(run)
                done += 1
                progress(f"{regime} {policy}", done / total)
                if ended is not None:
                    ended(regime, seed, run)
        seasons.append(season(regime, runs))
    length = days or max(find_regime(regime).days for regime in regimes)
    return Contest(load_regimes().version, regimes_digest(), customers, length, every, tuple(seeds), tuple(seasons))


def season(regime: str, runs: Mapping[str, Sequence[Run]]) -> Season:
    """What runs on the same seeds, by policy, say together."""
    oracle = sum(run.gained for run in runs.get(ORACLE, ()))
    standings = tuple(_standing(policy, some, oracle) for policy, some in runs.items())
    base = runs.get(BASE)
    scale = float(np.mean([run.profit for run in base])) / 100 if base else 0.0
    compared = tuple(
        _compare(other, runs[OURS], some, scale) for other, some in runs.items() if OURS in runs and other != OURS
    )
    return Season(regime, find_regime(regime).business, standings, compared)


def paired_interval(differences: Sequence[float], level: float = LEVEL) -> Estimate | None:
    """Student's interval of the mean of differences, one per seed; None for a single seed, of which nothing is known.

    >>> found = paired_interval([1.0, 2.0, 3.0])
    >>> round(found.low, 2), found.value, round(found.high, 2)
    (-0.48, 2.0, 4.48)
    """
    if len(differences) < 2:
        return None
    mean = float(np.mean(differences))
    error = float(np.std(differences, ddof=1)) / len(differences) ** 0.5
    half = float(stats.t.ppf((1 + level) / 2, len(differences) - 1)) * error
    return Estimate(mean, mean - half, mean + half, level)


def _standing(policy: str, runs: Sequence[Run], oracle: float) -> Standing:
    def mean(name: str, unit: float = 1.0) -> float:
        return float(np.mean([getattr(run, name) for run in runs])) / unit

    share = sum(run.gained for run in runs) / oracle if oracle > 0 else None
    return Standing(
        policy, mean("gained", 100), mean("profit", 100), share, mean("spent", 100), mean("messages"), mean("left")
    )


def _compare(other: str, ours: Sequence[Run], theirs: Sequence[Run], scale: float) -> Comparison:
    gaps = [(one.gained - two.gained) / 100 for one, two in zip(ours, theirs, strict=True)]
    interval = paired_interval(gaps)
    return Comparison(other, float(np.mean(gaps)), interval, _verdict(interval, ALIKE * scale))


def _verdict(interval: Estimate | None, alike: float) -> Verdict:
    if interval is None:
        return "one seed"
    if not interval.excludes_zero or max(abs(interval.low), abs(interval.high)) <= alike:
        return "level"
    return "ahead" if interval.low > 0 else "behind"


def _refuse(regimes: Sequence[str], policies: Sequence[str], seeds: Sequence[int]) -> None:
    for regime in regimes:
        find_regime(regime)
    for policy in policies:
        if policy not in _ENTER:
            raise BadQuestion(f"There is no policy {policy!r}", expected=f"one of {', '.join(POLICIES)}")
    if not regimes or not policies or not seeds or len(set(seeds)) < len(seeds):
        raise BadQuestion(
            "A contest needs regimes, policies and different seeds",
            expected="at least one of each, no seed twice",
            seen=f"{len(regimes)} regimes, {len(policies)} policies, seeds {', '.join(map(str, seeds)) or '(none)'}",
        )
