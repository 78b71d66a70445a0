"""Finds the groups: comparable features, a number of groups, the groups themselves, and whether they come again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import Clustering
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.cluster.assignment import Assignment
from aimwell.science.cluster.choice import Choice, choose_k
from aimwell.science.cluster.consensus import consensus_of
from aimwell.science.cluster.criteria import NO_NATURAL_GROUPS, WEAK
from aimwell.science.cluster.method import Clustering as Method
from aimwell.science.cluster.method import Fitted, Found, method, sample_rows
from aimwell.science.cluster.prepare import Preparation, prepare
from aimwell.science.cluster.stability import FAIR, Stability, stability

FEWEST = 10
"""With fewer customers nothing can be said about whether groups would come again."""

_PROXY = Text("群的个数以 K 均值比较得出", "The numbers of groups were compared with k-means")
_KEPT = Text(
    "沿用上次的群数；单看这一次会分 {proposed} 个群，上次的群数同样站得住",
    "As many groups as in the fit before: alone this fit would have {proposed}, but this number is supported as well",
)
_FEW = Text("客户太少，无法判断分群是否稳定", "Too few customers to say whether the groups would come again")


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups that were found among some customers, and the yardstick by which they were measured.

    looked_at: rows of the customers that the groups were learnt from.   points: their prepared features.
    again: labels of those customers by each repetition among resampled customers [repetitions, looked at].
    """

    preparation: Preparation
    fitted: Fitted
    method: Method
    looked_at: IntArray
    points: FloatArray
    choice: Choice | None = None
    choice_method: str = ""
    stability: Stability | None = None
    again: IntArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    notes: tuple[Text, ...] = ()

    def labels(self, values: FloatArray) -> IntArray:
        """The group of any customers by their features in their own units [n], -1 for none."""
        return self.fitted.assign(self.preparation.apply(values))


def chosen_method(names: Sequence[str]) -> Method:
    """The method that a definition asks for: one, or the consensus of several."""
    return method(names[0]) if len(names) == 1 else consensus_of(names)


def find_groups(
    definition: Clustering,
    values: FloatArray,
    names: Sequence[str],
    *,
    k: int | None = None,
    wish: int | None = None,
    judged: bool = True,
) -> Grouping:
    """Groups of customers by their features.

    values: in their own units [n, d], NaN where unknown.   k: overrules the definition.   wish: with `groups: auto`,
    the number of the fit before, kept where the criteria support it as well, so that groups do not come and go.
    judged: whether it is asked if the groups come again among resampled customers.   The order of the rows does not
    matter.   Raises NotEnoughData when no feature differs between customers, or there are too few of them.
    """
    preparation = _prepared(definition, values, names)
    prepared = preparation.apply(values)
    order = np.lexsort((*values.T, *prepared.T[::-1]))
    looked_at = order[sample_rows(len(order), definition.sample, definition.seed)]
    points = prepared[looked_at]
    chosen = chosen_method(definition.method)
    choice, by = (None, "") if k is not None else _number(definition, chosen, points)
    asked = k if k is not None else _asked(definition, choice, wish)
    fitted = chosen.fit(points, k=asked, seed=definition.seed)
    notes = [*preparation.notes, *fitted.notes]
    if choice is not None and by != chosen.name:
        notes.append(_PROXY)
    if choice is not None and asked != most_stable(choice):
        notes.append(_KEPT.format(proposed=most_stable(choice)))
    if choice is not None and not stands_apart(choice, fitted.k):
        notes.append(NO_NATURAL_GROUPS)
    grouping = Grouping(preparation, fitted, chosen, looked_at, points, choice, by)
    if judged and len(points) < FEWEST:
        notes.append(_FEW)
    elif judged and fitted.k > 1:
        grouping = _judged(grouping, definition, asked)
    return replace(grouping, notes=tuple(dict.fromkeys(notes)))


def _prepared(definition: Clustering, values: FloatArray, names: Sequence[str]) -> Preparation:
    if len(values) < 2:
        raise NotEnoughData(
            f"The clustering {definition.name!r} needs customers to tell apart",
            expected="at least two customers",
            seen=f"{len(values)}",
        )
    try:
        return prepare(values, names)
    except NotEnoughData as error:
        raise NotEnoughData(
            f"Nothing tells the customers of the clustering {definition.name!r} apart",
            expected="a feature that is known for at least half of them and differs",
            seen=error.seen or str(error),
            remedy="Choose other features or another population.",
        ) from error


def _number(definition: Clustering, chosen: Method, points: FloatArray) -> tuple[Choice | None, str]:
    """The choice of a number of groups, and the name of the method that it was made with."""
    if definition.groups != "auto" or chosen.chooses_k:
        return None, ""
    low, high = definition.between
    # A consensus is some twenty fits in one; what speaks for a number of groups hardly depends on the method.
    proxy = method("kmeans") if chosen.ensemble else chosen
    return choose_k(proxy, points, ks=range(low, high + 1), seed=definition.seed), proxy.name


def most_stable(choice: Choice) -> int:
    """Of the numbers that the criteria support, the one whose groups come again most surely; of equals the smaller.

    The criteria alone wavered between 5 and 6 groups of the same households from seed to seed; this gives 6 each time.
    """
    inside = [row for row in choice.rows if choice.low <= row.k <= choice.high]
    return max(inside, key=lambda row: (round(row.stability, 2), -row.k)).k


def stands_apart(choice: Choice, k: int) -> bool:
    """Whether so many groups stand apart by themselves and come again: no mere division for use."""
    return any(row.silhouette >= WEAK and row.stability >= FAIR for row in choice.rows if row.k == k)


def _asked(definition: Clustering, choice: Choice | None, wish: int | None) -> int | None:
    if choice is not None:
        return wish if wish is not None and choice.low <= wish <= choice.high else most_stable(choice)
    return None if definition.groups == "auto" else definition.groups


@dataclass
class _Witness:
    """Keeps the rules that a method finds while others repeat it."""

    method: Method
    seen: list[Assignment] = field(default_factory=list)

    def watched(self) -> Method:
        """The method itself, watched."""
        return replace(self.method, search=self._search)

    def _search(self, X: FloatArray, *, k: int | None, seed: int) -> Found:
        found = self.method.search(X, k=k, seed=seed)
        self.seen.append(found.assignment)
        return found


def _judged(grouping: Grouping, definition: Clustering, asked: int | None) -> Grouping:
    witness = _Witness(grouping.method)
    found = stability(
        witness.watched(),
        grouping.points,
        grouping.fitted,
        asked=asked,
        repetitions=definition.repetitions,
        seed=definition.seed,
    )
    again = np.array([rule.labels(grouping.points) for rule in witness.seen], dtype=np.int64)
    return replace(grouping, stability=found, again=again.reshape(len(witness.seen), len(grouping.points)))
