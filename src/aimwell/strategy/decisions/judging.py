"""What other choices would have earned, judged by what was decided with known probabilities and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from aimwell.core.errors import AimwellError
from aimwell.core.text import Text
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray, codes, totals
from aimwell.science.experiment.adjustment import adjusted
from aimwell.science.experiment.difference import Moments, difference_of_means
from aimwell.science.metrics.interval import Estimate, mean_estimate
from aimwell.science.policy.expected import expected_outcomes
from aimwell.science.policy.logged import Logged, logged
from aimwell.science.policy.value import PolicyValue, Way, policy_value
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.past import Past, past_of
from aimwell.strategy.decisions.policies import NOBODY, Choice, choices_then
from aimwell.strategy.decisions.support import MOST_LOST, known_before, possible

WAYS: tuple[Way, ...] = ("dr", "switch-dr", "snips")
HELD_OUT = "held_out"
_NO_CHANCE = Text(
    "{share:.0%} 的客户当时没有机会得到此策略的选择（概率为 0 或 1），无法判断；今后请让一小部分客户抽签（explore）。",
    "{share:.0%} of the customers had no chance of what this policy would give them (probabilities of 0 or 1): it "
    "cannot be judged. Let lots decide for a small share (explore) from now on.",
)
_LEFT_OUT = Text(
    "{share:.1%} 的客户当时没有机会得到此策略的选择，已略去。",
    "{share:.1%} of the customers had no chance of what this policy would give them; they are left out.",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy would have earned for each customer and run, cost taken off, with 95 % intervals.

    customers: choices that judge it.   cost: of the policy for each.   value: outcome less cost, by the first of the
    ways.   ahead: of what was decided, from the same customers.   ways: outcome less cost by each estimator.
    effective: how many choices the weights leave.   refused: why it cannot be judged; then there is no value.
    """

    policy: str
    label: Text
    customers: int = 0
    cost: float = 0.0
    value: Estimate | None = None
    ahead: Estimate | None = None
    ways: Mapping[str, Estimate] = field(default_factory=dict)
    effective: float = 0.0
    warnings: tuple[Text, ...] = ()
    refused: Text | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Policies beside what was decided.

    runs: instants that judge.   choices: of customers not held out, in all runs.   decided: what was decided, outcome
    less cost for each.   policies: the others.
    """

    decision: str
    runs: tuple[datetime, ...]
    choices: int
    held_out: int
    decided: Estimate
    policies: tuple[Judged, ...]


def judge(definition: Decision, workshop: Workshop, known: datetime, others: Sequence[Decision] = ()) -> Judgement:
    """Judge what else could have been decided by all runs whose time was up at an instant.

    Judged are the decision as its file stands now, its written table, nothing for anybody, everyone's best offer, each
    treatment for everyone, and other decisions. What foretells is what was known at each run.   Nothing for anybody is
    told by those who were held out when there are any.
    Customers count once in intervals, however many runs they were in. An outcome that reaches into the next run counts
    for both.
    Raises NotEnoughData when no run is old enough, BadQuestion for logged probabilities of 0 or above 1.
    """
    past = past_of(definition, workshop, known)
    inside = past.take(np.flatnonzero(~past.held_out).astype(np.int64))
    names = np.array([NOTHING, *sorted({*definition.treatments, *inside.treatment.tolist()} - {NOTHING})])
    log = log_of(inside, names)
    expected = expected_outcomes(log, known_before(inside))
    bench = _Bench(inside, log, expected, names)
    decided = mean_estimate(inside.outcome - inside.cost, groups=log.groups)
    found = [bench.judge(each) for each in choices_then(definition, workshop, inside)]
    found = [_by_held_out(past) or each if each.policy == NOBODY else each for each in found]
    for other in others:
        try:
            found += [bench.judge(each) for each in choices_then(other, workshop, inside, only_now=True)]
        except AimwellError as error:
            found.append(Judged(other.name, other.title, refused=Text(str(error), str(error))))
    return Judgement(definition.name, past.runs, len(inside), int(past.held_out.sum()), decided, tuple(found))


def log_of(past: Past, names: np.ndarray[tuple[int], np.dtype[np.str_]]) -> Logged:
    """The log of choices by number of the option; `names` hold every treatment that was chosen."""
    order = np.argsort(names)
    option = order[np.searchsorted(names[order], past.treatment)]
    return logged(option, past.probability, past.outcome, options=names.size, groups=past.customers)


@dataclass(frozen=True, slots=True, eq=False)
class _Bench:
    """What every policy is judged by."""

    past: Past
    log: Logged
    expected: FloatArray
    names: np.ndarray[tuple[int], np.dtype[np.str_]]

    def judge(self, choice: Choice) -> Judged:
        """One policy, by each way."""
        if choice.failed is not None:
            return Judged(choice.policy, choice.label, refused=choice.failed)
        wanted = self.names[None, :] == choice.treatment[:, None]
        able = (possible(self.past, self.names) & wanted).any(axis=1)
        lost = float(1.0 - able.mean())
        rows = np.flatnonzero(able).astype(np.int64)
        agree = bool((choice.treatment[rows] == self.past.treatment[rows]).any())
        if lost > MOST_LOST or not agree:
            return Judged(
                choice.policy, choice.label, refused=_NO_CHANCE.format(share=max(lost, 0.0 if agree else 1.0))
            )
        log, model = self.log.take(rows), self.expected[rows]
        found = {way: policy_value(log, wanted[rows], way=way, expected=model) for way in WAYS}
        return self._told(choice, found, rows, lost)

    def _told(self, choice: Choice, found: Mapping[Way, PolicyValue], rows: np.ndarray, lost: float) -> Judged:
        cost, decided = float(choice.cost[rows].mean()), float(self.past.cost[rows].mean())
        first = found[WAYS[0]]
        warnings = (*([_LEFT_OUT.format(share=lost)] if lost else []), *first.warnings)
        return Judged(
            choice.policy,
            choice.label,
            int(rows.size),
            cost,
            _less(first.value, cost),
            _less(first.ahead, cost - decided),
            {way: _less(each.value, cost) for way, each in found.items()},
            first.effective,
            warnings,
        )


def _less(estimate: Estimate, amount: float) -> Estimate:
    """The estimate with a known amount taken off."""
    return Estimate(estimate.value - amount, estimate.low - amount, estimate.high - amount, estimate.level)


def _by_held_out(past: Past) -> Judged | None:
    """Nothing for anybody, told by those who were held out; None when there are too few of them."""
    value = adjusted(past.outcome, past.before) - past.cost
    customer = codes(past.customers, "customers")
    size = int(customer.max()) + 1
    counts = totals(customer, np.ones(customer.size), size)
    mean = totals(customer, value, size) / counts
    held_out = totals(customer, past.held_out, size) > 0
    ahead = difference_of_means(Moments.of(mean[held_out]), Moments.of(mean[~held_out]), level=0.95)
    if ahead is None:
        return None
    level = mean_estimate(mean[held_out])
    label = Text("谁都不发（由对照组得知）", "nothing for anybody, told by those held out")
    people = int(held_out.sum())
    return Judged(NOBODY, label, people, 0.0, level, ahead, {HELD_OUT: level}, float(people))
