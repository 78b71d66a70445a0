"""How deep a discount should be: for each person only from randomised depths, otherwise for segment × category.

A discount costs its depth from everybody who buys, those who would have bought anyway included; it earns the margin of
those who buy because of it. A coupon may differ between persons; a list price may not, and nothing here sets one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray, codes, matrix, numbers, same_length
from aimwell.science.metrics.interval import Estimate, mean_estimate

FEWEST = 30
"""A group needs so many rows at a depth before a mean is shown."""

HISTORICAL = Text(
    "来自历史而非随机试验：谁拿到多深的折扣不是抽签决定的，差异可能来自人群或季节；只可作分群与品类级参考，不可用于个人。",
    "From history, not from an experiment: who got which depth was not drawn by lot, so differences may come from the "
    "people or the season. For segment and category only, never for a person; test it before relying on it.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """The best randomised depth for each customer.

    best: place of the arm in `depths`, 0 for no discount [n].   profit: expected, of each arm, per customer [n, K+1].
    gain: profit of the best arm minus that of none [n].   depths: share taken off the price in each arm [K+1].
    """

    best: IntArray
    profit: FloatArray
    gain: FloatArray
    depths: FloatArray


@dataclass(frozen=True, slots=True)
class GroupDepth:
    """What one depth brought in one segment and category.

    profit: mean profit per customer who was offered it.
    """

    group: str
    depth: float
    people: int
    profit: Estimate


@dataclass(frozen=True, slots=True)
class GroupDepths:
    """Depths by segment × category, from history: rows as counted, with the warning that belongs to them.

    left_out: groups and depths with too few people to say anything.
    """

    rows: tuple[GroupDepth, ...]
    left_out: int
    warning: Text = HISTORICAL


def best_depths(
    buys: ArrayLike, depths: Sequence[float], *, price: ArrayLike, margin: float, contact: float = 0.0
) -> Depths:
    """The depth with the highest expected profit for each customer, from arms that were drawn by lot.

    buys: expected probability of buying in each arm, the arm without discount first [n, K+1] (baseline + effects).
    depths: share taken off in each arm, 0 first.   price: what the customer would pay without discount [n].
    margin: share of the price that is profit before any discount.   contact: cost of making the offer at all.
    Profit of an arm = buys × price × (margin − depth) − contact (none for no discount). Ties go to the smaller depth.
    Raises BadQuestion for depths outside [0, 1) or a first depth that is not 0.

    >>> best_depths([[0.5, 0.52], [0.1, 0.4]], [0.0, 0.1], price=[10.0, 10.0], margin=0.3).best.tolist()
    [0, 1]
    """
    chance, paid, off = matrix(buys, "probabilities of buying"), numbers(price, "prices"), numbers(depths, "depths")
    same_length(buys=chance, prices=paid)
    if off[0] != 0 or off.min() < 0 or off.max() >= 1 or off.size != chance.shape[1]:
        raise BadQuestion(
            "Depths are shares taken off the price, one per arm, the first of them 0",
            expected=f"{chance.shape[1]} shares from 0 to below 1",
            seen=", ".join(f"{each:g}" for each in off),
        )
    profit = chance * paid[:, None] * (margin - off) - contact * (off > 0)
    by_depth = np.argsort(off, kind="stable")
    best = by_depth[np.argmax(profit[:, by_depth], axis=1)].astype(np.int64)
    return Depths(best, profit, profit[np.arange(len(profit)), best] - profit[:, 0], off)


def group_depths(groups: ArrayLike, depth: ArrayLike, profit: ArrayLike, *, fewest: int = FEWEST) -> GroupDepths:
    """What each depth brought in each segment × category, from history and with a warning; nothing about persons.

    groups: name of each row's segment and category [n].   depth: share taken off [n].   profit: money earned [n].
    Groups with fewer than `fewest` rows at a depth are left out, so that no row stands for a person.
    Raises NotEnoughData when nothing is left.
    """
    names = np.asarray(groups)
    off, earned = numbers(depth, "depths"), numbers(profit, "profits")
    same_length(groups=names, depths=off, profits=earned)
    cells = codes(np.char.add(np.char.add(names.astype(np.str_), "\x00"), off.astype(np.str_)), "groups")
    found: list[GroupDepth] = []
    left_out = 0
    for cell in range(int(cells.max()) + 1):
        rows = np.flatnonzero(cells == cell)
        if rows.size < max(fewest, 2):
            left_out += 1
            continue
        found.append(GroupDepth(str(names[rows[0]]), float(off[rows[0]]), int(rows.size), mean_estimate(earned[rows])))
    if not found:
        raise NotEnoughData(
            "No segment and category has enough history at any depth",
            expected=f"at least {fewest} rows",
            seen=f"{left_out} smaller groups",
            remedy="Take larger segments or categories, or test depths by lot.",
        )
    return GroupDepths(tuple(sorted(found, key=lambda row: (row.group, row.depth))), left_out)
