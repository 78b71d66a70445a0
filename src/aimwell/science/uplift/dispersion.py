"""Who gets offers, and how deep: the same question asked of every group, so that unfairness is seen before sending.

A policy that never reads an attribute can still treat its groups unequally, through what goes along with it. The report
therefore looks at the outcome of the policy, not at what it reads; and some attributes are never learnt from at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.science.arrays import numbers, same_length
from aimwell.science.metrics.interval import Estimate, wilson

FORBIDDEN = (
    "*gender*",
    "sex",
    "*_sex",
    "race",
    "race_*",
    "*_race",
    "*ethnic*",
    "*nationality*",
    "*religio*",
    "*politic*",
    "*disab*",
    "health*",
    "*_health",
    "*illness*",
    "*pregnan*",
    "*orientation*",
    "*marital*",
    "*union_member*",
)
"""Patterns of attributes that effects are never learnt from; a definition may add to them, not take away."""
FEWEST_SHARE = 0.8
"""A group that gets offers less than so many times as often as the best-served one is marked (the four-fifths rule)."""
FEWEST = 30
UNKNOWN = "unknown"

_BELOW = Text(
    "“{group}”得到优惠的比例（{share}）明显低于“{best}”（{most}），请先核实原因再投放。",
    "{group!r} gets the offer clearly less often ({share}) than {best!r} ({most}): find out why before sending.",
)


@dataclass(frozen=True, slots=True)
class GroupShare:
    """One group under a policy.

    share: of its people who get an offer, with its interval.   depth: mean of what they get, 0 for nothing.
    effect: mean expected effect.   ratio: share over that of the best-served group.   marked: clearly below 4/5 of it.
    small: too few people to judge.
    """

    group: str
    people: int
    share: Estimate
    depth: float
    effect: float
    ratio: float
    marked: bool
    small: bool


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The report: one row per group, the best served first, and what must be looked at."""

    rows: tuple[GroupShare, ...]
    warnings: tuple[Text, ...]


def dispersion(groups: ArrayLike, depth: ArrayLike, effect: ArrayLike) -> Dispersion:
    """How a policy's offers are spread over groups of customers.

    groups: name of each customer's group, empty for unknown [n].   depth: what the customer gets, 0 for nothing [n].
    effect: expected effect of the offer on the customer [n].
    A group is marked when the upper bound of its share lies below 4/5 of the best-served group's lower bound: small
    differences that chance explains are not.   Groups of fewer than 30 are shown and never marked.
    """
    given, gained = numbers(depth, "depths"), numbers(effect, "effects")
    names = np.array([str(name) if name not in (None, "") else UNKNOWN for name in np.asarray(groups, dtype=object)])
    same_length(groups=names, depths=given, effects=gained)
    cells = {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
    shares = {name: wilson(int((given[rows] > 0).sum()), rows.size) for name, rows in cells.items()}
    large = [name for name, rows in cells.items() if rows.size >= FEWEST] or list(cells)
    best = max(large, key=lambda name: (shares[name].value, name))
    most = shares[best]
    rows = tuple(
        GroupShare(
            name,
            int(places.size),
            shares[name],
            float(given[places].mean()),
            float(gained[places].mean()),
            shares[name].value / most.value if most.value > 0 else 1.0,
            places.size >= FEWEST and shares[name].high < FEWEST_SHARE * most.low,
            places.size < FEWEST,
        )
        for name, places in cells.items()
    )
    ordered = tuple(sorted(rows, key=lambda row: (-row.share.value, row.group)))
    warnings = tuple(
        _BELOW.format(group=row.group, share=f"{row.share.value:.0%}", best=best, most=f"{most.value:.0%}")
        for row in ordered
        if row.marked
    )
    return Dispersion(ordered, warnings)


def forbidden_among(names: Iterable[str], also: Iterable[str] = ()) -> tuple[str, ...]:
    """Which attributes may not be learnt from, in the order given; case does not matter.

    also: further patterns.

    >>> forbidden_among(["age", "Gender", "home_city"], also=["*city*"])
    ('Gender', 'home_city')
    """
    patterns = [pattern.lower() for pattern in (*FORBIDDEN, *also)]
    return tuple(name for name in names if any(fnmatchcase(name.lower(), pattern) for pattern in patterns))


def refuse_forbidden(names: Iterable[str], also: Iterable[str] = ()) -> None:
    """Raises BadQuestion when an attribute that may not be learnt from was asked for by name."""
    found = forbidden_among(names, also)
    if found:
        raise BadQuestion(
            "Offers may not depend on these attributes",
            expected="features that are not on the list of forbidden attributes",
            seen=", ".join(found),
            remedy="Leave them out; use them to check the spread of offers instead (the dispersion report).",
        )
