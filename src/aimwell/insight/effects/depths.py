"""How deep a discount: for each person, from depths that were drawn by lot, and only where that is proven to pay.

What is personal is a coupon. A list price never differs between people, and nothing here sets one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aimwell.core.text import Text
from aimwell.insight.effects.definition import Depths, Effect
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import as_floats
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.interval import Estimate, mean_estimate
from aimwell.science.uplift.depth import Depths as Best
from aimwell.science.uplift.depth import best_depths
from aimwell.science.uplift.sample import Sample


@dataclass(frozen=True, slots=True)
class DepthShare:
    """One depth: to which share of the customers it would be given, and the profit per customer if all got it."""

    arm: str
    depth: float
    share: float
    profit: float


@dataclass(frozen=True, slots=True)
class DepthReport(Result):
    """The best depth for each person beside one depth for all, in money per customer.

    single: the arm that earns most when everybody gets it.   ahead: what personal depths earn more than that one, on
    people held out from learning, by the lottery's probabilities.   personal: whether that is proven.
    """

    shares: tuple[DepthShare, ...]
    single: str
    ahead: Estimate
    personal: bool
    said: Text


def personal_depths(definition: Effect, levels: FloatArray, table: pa.Table) -> Best | None:
    """The most profitable depth of each person; None where the definition speaks of no depths.

    levels: chance to buy in each arm, the control group first [n, K+1].   table: features, with the price if it is one.
    """
    asked = definition.depths
    if asked is None or not asked.off:
        return None
    off = [asked.off[name] for name in definition.treatment.names]
    chances = np.clip(levels, 0.0, 1.0)
    return best_depths(chances, off, price=prices(asked, table), margin=asked.margin, contact=asked.contact)


def prices(asked: Depths, table: pa.Table) -> FloatArray:
    """What each customer would pay without a discount; 0, so that no discount pays, where that is not known [n]."""
    if asked.price_tag is None:
        return np.full(table.num_rows, float(asked.price or 0.0))
    return np.maximum(np.nan_to_num(as_floats(table.column(asked.price_tag))), 0.0)


def depth_report(
    definition: Effect, everybody: Best, rest: Sample, judged: Best, table: pa.Table
) -> DepthReport | None:
    """The report on the card.

    everybody: the best depths of all people by the model in use.   rest: people held out; judged: their best depths by
    models that never saw them; table: their features.
    """
    asked = definition.depths
    if asked is None:
        return None
    names, means = definition.treatment.names, judged.profit.mean(axis=0)
    single = int(np.argmax(means))
    off = judged.depths[rest.arm]
    profit = rest.outcome * prices(asked, table) * (asked.margin - off) - asked.contact * (off > 0)
    alike = np.full(len(rest), single, dtype=np.int64)
    gaps = _earned(rest, judged.best, profit, judged.profit) - _earned(rest, alike, profit, judged.profit)
    ahead = mean_estimate(gaps, groups=rest.groups)
    shares = tuple(
        DepthShare(name, float(everybody.depths[place]), float((everybody.best == place).mean()), float(mean))
        for place, (name, mean) in enumerate(zip(names, everybody.profit.mean(axis=0), strict=True))
    )
    personal = ahead.low > 0
    said = (_PERSONAL if personal else _SINGLE).format(arm=names[single], ahead=ahead)
    return DepthReport(shares, names[single], ahead, personal, said)


def _earned(rest: Sample, given: IntArray, profit: FloatArray, foretold: FloatArray) -> FloatArray:
    """What each row tells of the profit of a rule: what was foretold, put right by those who got what it gives [n].

    Doubly robust: right by the lottery's probabilities alone, and steadier the better the foretelling.
    """
    expected = foretold[np.arange(len(rest)), given]
    found: FloatArray = expected + np.where(rest.arm == given, (profit - expected) / rest.received, 0.0)
    return found


_PERSONAL = Text(
    "按人决定优惠券深度，比人人“{arm}”每人多赚 {ahead}（在留出的客户上验证）。",
    "A coupon whose depth differs by person earns {ahead} more per customer than {arm!r} for everybody (on held-out "
    "people).",
)
_SINGLE = Text(
    "未能证明按人决定深度优于人人“{arm}”（每人差 {ahead}）：人人相同。",
    "That depths by person earn more than {arm!r} for everybody is not proven (difference per customer {ahead}): give "
    "everybody the same.",
)
