"""Figures of lists: the model beside popularity, own frequency and the expert rule, slice by slice, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.metrics.confusion import Confusion
from aimwell.science.metrics.interval import Estimate, mean_estimate
from aimwell.science.recommend.lists import ListFigures, judge_lists, top_confusion
from aimwell.science.recommend.pairs import pair_auc, pair_auc_difference, pair_log_loss
from aimwell.strategy.recommenders.traits import SLICES

FIGURES = ("reciprocal_rank", "recall", "ndcg", "average_precision", "precision")
TOPS = (1, 3, 5, 10)
FEWEST = 5
"""A slice in which fewer lists hold something that was bought is not judged."""


@dataclass(frozen=True, slots=True)
class TopN(Result):
    """Right and wrong choices when everybody is shown the first n."""

    n: int
    confusion: Confusion
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Figures(Result):
    """How one way to rank did in one slice.

    figures: by name, auc, log_loss (where there are probabilities), reciprocal_rank, and at the list's size recall,
    ndcg, average_precision, precision; each the mean over lists.   ahead: how far the model is ahead of it, paired;
    empty for the model itself.   top: right and wrong choices of the first places.
    """

    name: str
    label: Text
    figures: Mapping[str, Estimate]
    ahead: Mapping[str, Estimate]
    top: tuple[TopN, ...]


@dataclass(frozen=True, slots=True)
class Slice(Result):
    """One slice of the pairs: lists judged, what was bought in it, what could have been recommended, ways to rank."""

    name: str
    label: Text
    lists: int
    bought: int
    choices: int
    ways: tuple[Figures, ...]

    def way(self, name: str) -> Figures:
        """One way to rank, by name."""
        return next(each for each in self.ways if each.name == name)

    def factor(self, n: int, rival: str = "expert") -> float | None:
        """How many times as often the model's first n are bought as a rival's, for the same buyers and as many places.

        None where the rival is never right, or n places were not counted.
        """
        mine, theirs = (
            next((top.confusion.hits for top in self.way(name).top if top.n == n), 0) for name in ("model", rival)
        )
        return mine / theirs if theirs else None


@dataclass(frozen=True)
class Way:
    """One way to rank: a score for every pair, -inf for what it does not propose; perhaps a probability.

    unseen: the probability of what is not proposed, for each list; None where there are no probabilities.
    """

    name: str
    label: Text
    score: FloatArray
    probability: FloatArray | None = None
    unseen: FloatArray | None = None


@dataclass(frozen=True)
class Trial:
    """All lists of all days: pairs in a row, with the list that each belongs to.

    row: the list of each pair [n].   item: its place on the shelf [n].   customer: whose list it is [lists].
    wanted, choices: items of each slice bought, and that could have been recommended [lists].
    """

    row: IntArray
    item: IntArray
    bought: BoolArray
    inside: Mapping[str, BoolArray]
    customer: Names
    wanted: Mapping[str, FloatArray]
    choices: Mapping[str, FloatArray]
    ways: Sequence[Way]
    k: int

    def slices(self) -> tuple[Slice, ...]:
        """Every slice in which enough customers bought something; many lists of one customer say nothing of others."""
        buyers = {name: np.unique(self.customer[self.wanted[name] > 0]).size for name in SLICES}
        return tuple(self._slice(name) for name in SLICES if buyers[name] >= FEWEST)

    def _slice(self, name: str) -> Slice:
        inside, wanted = self.inside[name], self.wanted[name]
        judged = [self._lists(way, inside, wanted) for way in self.ways]
        pairs = [self._pairs(way, name) for way in self.ways]
        ways = tuple(
            self._figures(way, name, (judged[place], pairs[place]), (judged[0], pairs[0]) if place else None)
            for place, way in enumerate(self.ways)
        )
        lists, choices = int((wanted > 0).sum()), round(float(self.choices[name][wanted > 0].sum()))
        return Slice(name, SLICES[name], lists, round(float(wanted.sum())), choices, ways)

    def _lists(self, way: Way, inside: BoolArray, wanted: FloatArray) -> ListFigures:
        shown = inside & np.isfinite(way.score)
        return judge_lists(self.row[shown], self.item[shown], way.score[shown], self.bought[shown], wanted, k=self.k)

    def _pairs(self, way: Way, name: str) -> _Weighted:
        """The slice's pairs of lists that hold something bought; what was not proposed, as one entry per list."""
        counted = self.wanted[name] > 0
        shown = self.inside[name] & np.isfinite(way.score) & counted[self.row]
        row, hit = self.row[shown], self.bought[shown]
        lists = np.flatnonzero(counted)
        hits = np.bincount(row[hit], minlength=counted.size)
        others = np.bincount(row[~hit], minlength=counted.size)
        missed = np.maximum(self.wanted[name] - hits, 0.0)[lists]
        rest = np.maximum(self.choices[name] - self.wanted[name] - others, 0.0)[lists]
        below = (float(way.score[shown].min()) if shown.any() else 0.0) - 1.0
        return _Weighted(
            np.concatenate([way.score[shown], np.full(2 * lists.size, below)]),
            np.concatenate([hit, np.ones(lists.size, dtype=np.bool_), np.zeros(lists.size, dtype=np.bool_)]),
            np.concatenate([np.ones(row.size), missed, rest]),
            self.customer[np.concatenate([row, lists, lists])],
            None
            if way.probability is None or way.unseen is None
            else np.concatenate([way.probability[shown], way.unseen[lists], way.unseen[lists]]),
            np.concatenate([np.flatnonzero(shown), self.row.size + lists, self.row.size + counted.size + lists]),
        )

    def _figures(
        self,
        way: Way,
        name: str,
        own: tuple[ListFigures, _Weighted],
        model: tuple[ListFigures, _Weighted] | None,
    ) -> Figures:
        lists, pairs = own
        found = {"auc": pair_auc(pairs.score, pairs.bought, pairs.weight, pairs.customer)}
        if pairs.probability is not None:
            found["log_loss"] = pair_log_loss(pairs.probability, pairs.bought, pairs.weight, pairs.customer)
        counted = lists.counted
        customers = self.customer[counted]
        for figure in FIGURES:
            found[figure] = mean_estimate(getattr(lists, figure)[counted], groups=customers)
        ahead: dict[str, Estimate] = {}
        if model is not None:
            if pairs.fits(model[1]):
                ahead["auc"] = pair_auc_difference(
                    model[1].score, pairs.score, pairs.bought, pairs.weight, pairs.customer
                )
            for figure in FIGURES:
                gap = getattr(model[0], figure)[counted] - getattr(lists, figure)[counted]
                ahead[figure] = mean_estimate(gap, groups=customers)
        return Figures(way.name, way.label, found, ahead, self._tops(way, name))

    def _tops(self, way: Way, name: str) -> tuple[TopN, ...]:
        counted = self.wanted[name] > 0
        shown = self.inside[name] & np.isfinite(way.score) & counted[self.row]
        wanted, choices = float(self.wanted[name].sum()), float(self.choices[name][counted].sum())
        found = []
        for n in sorted({*TOPS, self.k}):
            confusion = top_confusion(
                self.row[shown], self.item[shown], way.score[shown], self.bought[shown],
                n=n, wanted=wanted, choices=choices,
            )  # fmt: skip
            found.append(TopN(n, confusion, confusion.precision, confusion.recall))
        return tuple(found)


@dataclass(frozen=True)
class _Weighted:
    """Pairs with weights, and what names each of them, so that two ways to rank can be compared pair by pair."""

    score: FloatArray
    bought: BoolArray
    weight: FloatArray
    customer: Names
    probability: FloatArray | None
    places: IntArray

    def fits(self, other: _Weighted) -> bool:
        """Whether both speak of the same pairs."""
        return np.array_equal(self.places, other.places)
