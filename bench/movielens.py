"""MovieLens-100k by the protocol of published tables, and by time: EASE, closeness in time, and their blend.

Run: `python bench/movielens.py INTERACTIONS.parquet [SEEDS]` (ML-100k: user, item, rating, timestamp in this order; the
package `recbole` carries it). Random: 75 % of each person's ratings to learn from, 25 % to find again among all films
not seen, k = 10, every rating counts as wanted. Every setting, and which way is used, is chosen on a hidden quarter of
the training part; the spans of closeness were set before on such hidden quarters of other splits (seeds 100 to 102).
nDCG: gain 1 / log2(place + 1), over the best that k places allow. MAP divides by all that was wanted, as the table of
`recommenders` does. Intervals: Student's t over seeds (overlapping splits of one data set, so of the split alone). By
time: the last fifth of all ratings, people known before it, settings chosen on the last fifth of what was known.
Peers by the same ratio and k, other splits: EASE .484/.149, BiVAE .475/.146.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import csr_array
from scipy.stats import t as student

from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.metrics.interval import mean_estimate
from aimwell.science.recommend.closeness import close_pairs
from aimwell.science.recommend.ease import ease, regression
from aimwell.science.recommend.lists import ListFigures, judge_lists
from aimwell.science.recommend.sparse import places_within

K, HIDDEN = 10, 0.25
PENALTIES, SHARES = (150.0, 250.0, 400.0), (0.0, 0.1, 0.2)
SPANS = (100.0, 1e3, 1e4, 1e5)
"""Seconds: from films rated one after the other to films rated on one day."""
Way = Literal["EASE", "close", "blend"]


@dataclass(frozen=True)
class Ratings:
    """Who rated what, how and when [n]."""

    person: IntArray
    film: IntArray
    rating: FloatArray
    at: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.person.max()) + 1, int(self.film.max()) + 1

    def matrix(self, rows: BoolArray) -> csr_array:
        return csr_array((np.ones(int(rows.sum())), (self.person[rows], self.film[rows])), shape=self.shape)


class Part:
    """Scores of every way from some of the ratings; what is dear is counted once."""

    def __init__(self, ratings: Ratings, rows: BoolArray) -> None:
        self.ratings, self.rows = ratings, rows
        self._pairs: dict[bool, FloatArray] = {}

    def scores(self, way: Way, penalty: float, share: float = 0.0) -> FloatArray:
        """EASE; EASE on pairs close in time; this with a share of the same on what was liked (4 or 5)."""
        if way == "EASE":
            seen = self.ratings.matrix(self.rows)
            found: FloatArray = seen @ ease(seen, penalty=penalty, item_power=0.5)
            return found
        close = self._close(penalty, liked=False)
        return close if way == "close" else standard(close) + share * standard(self._close(penalty / 2.5, liked=True))

    def _close(self, penalty: float, *, liked: bool) -> FloatArray:
        ratings, rows = self.ratings, self.rows & (self.ratings.rating >= 4) if liked else self.rows
        if liked not in self._pairs:
            told = (ratings.person[rows], ratings.film[rows], ratings.at[rows])
            self._pairs[liked] = close_pairs(*told, items=ratings.shape[1], spans=SPANS)
        seen = ratings.matrix(rows)
        bought = np.asarray(seen.sum(axis=0), dtype=np.float64)
        found: FloatArray = seen @ regression(self._pairs[liked], bought, penalty=penalty, item_power=0.5)
        return found


def main(path: Path, seeds: int) -> None:
    """Print the figures of each way, seed by seed, and the split by time."""
    ratings = read(path)
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for seed in range(seeds):
        begin = time.process_time()
        kept = kept_rows(ratings, np.ones(ratings.person.size, dtype=bool), 0.75, seed)
        inner = kept_rows(ratings, kept, 1 - HIDDEN, 1000 + seed)
        settings, told = choose(ratings, inner, kept & ~inner)
        part = Part(ratings, kept)
        for name, setting in settings.items():
            found.setdefault(name, []).append(means(judge(ratings, part.scores(*setting), kept, ~kept)))
        print(f"seed {seed}: {told}, {time.process_time() - begin:.0f} CPU s", flush=True)
    for name, rows in found.items():
        table = np.array(rows)
        figures = zip(("nDCG", "MAP", "precision", "recall"), table.T, strict=True)
        print(f"{name:8} " + "  ".join(f"{label} {interval(values)}" for label, values in figures))
        print(f"{'':8} nDCG by seed: {' '.join(f'{value:.4f}' for value in table[:, 0])}")
    by_time(ratings)


def read(path: Path) -> Ratings:
    """The ratings of a file whose first columns are person, film, rating and instant."""
    columns = [column.to_numpy() for column in pq.read_table(path).columns[:4]]
    person, film = (np.unique(column, return_inverse=True)[1].astype(np.int64) for column in columns[:2])
    return Ratings(person, film, columns[2].astype(np.float64), columns[3].astype(np.float64))


def kept_rows(ratings: Ratings, among: BoolArray, share: float, seed: int) -> BoolArray:
    """A share of each person's ratings among some, at random."""
    rows = np.flatnonzero(among)
    person = ratings.person[rows]
    place = places_within(person, np.random.default_rng(seed).random(rows.size), rows)
    found = np.zeros(among.size, dtype=bool)
    found[rows] = place < np.round(share * np.bincount(person)[person])
    return found


def choose(ratings: Ratings, known: BoolArray, hidden: BoolArray) -> tuple[dict[str, tuple[Way, float, float]], str]:
    """The settings of every way, and the way, that find hidden ratings best."""
    part = Part(ratings, known)
    tried: dict[tuple[Way, float, float], float] = {}
    for penalty in PENALTIES:
        settings: list[tuple[Way, float, float]] = [("EASE", penalty, 0.0), ("close", penalty, 0.0)]
        settings += [("blend", penalty, share) for share in SHARES if share]
        for setting in settings:
            tried[setting] = means(judge(ratings, part.scores(*setting), known, hidden))[0]
    best: dict[str, tuple[Way, float, float]] = {
        way: max((each for each in tried if each[0] == way), key=tried.__getitem__)
        for way in ("EASE", "close", "blend")
    }
    best["chosen"] = max(tried, key=tried.__getitem__)
    return best, ", ".join(f"{name} {each[0]} {each[1]:g}/{each[2]:g}" for name, each in best.items())


def judge(ratings: Ratings, scores: FloatArray, known: BoolArray, wanted: BoolArray) -> ListFigures:
    """Lists of ten films not known yet, against those that were wanted."""
    truth = ratings.matrix(wanted).toarray() > 0
    open_ = np.where(ratings.matrix(known).toarray() > 0, -np.inf, scores)
    film = np.argpartition(-open_, K, axis=1)[:, :K].astype(np.int64)
    person = np.repeat(np.arange(scores.shape[0]), K)
    film = film.ravel()
    return judge_lists(person, film, open_[person, film], truth[person, film], truth.sum(axis=1).astype(float), k=K)


def means(figures: ListFigures) -> tuple[float, float, float, float]:
    """nDCG, MAP, precision and recall, over those who wanted anything."""
    columns = (figures.ndcg, figures.average_precision, figures.precision, figures.recall)
    ndcg, average, precision, recall = (float(np.nanmean(column)) for column in columns)
    return ndcg, average, precision, recall


def by_time(ratings: Ratings) -> None:
    """The last fifth of all ratings, for people rated before it, beside popularity."""
    known = ratings.at < np.quantile(ratings.at, 0.8)
    before = known & (ratings.at < np.quantile(ratings.at[known], 0.8))
    settings, told = choose(ratings, before, warm(ratings, before, known & ~before))
    wanted = warm(ratings, known, ~known)
    popular = np.tile(totals(ratings.film[known], np.ones(int(known.sum())), ratings.shape[1]), (ratings.shape[0], 1))
    beside = judge(ratings, popular, known, wanted)
    counted = beside.counted
    print(
        f"by time, {int(counted.sum())} people; popularity nDCG {mean_estimate(beside.ndcg[counted])}; chosen: {told}"
    )
    part = Part(ratings, known)
    for name, setting in settings.items():
        ours = judge(ratings, part.scores(*setting), known, wanted).ndcg[counted]
        ahead = mean_estimate(ours - beside.ndcg[counted])
        print(f"  {name:8} nDCG {mean_estimate(ours)}, ahead of popularity {ahead}")


def warm(ratings: Ratings, known: BoolArray, later: BoolArray) -> BoolArray:
    """The later ratings of people of whom something was known."""
    return later & np.isin(ratings.person, np.unique(ratings.person[known]))


def interval(values: FloatArray) -> str:
    """Mean and 95 % interval over seeds."""
    if values.size < 2:
        return f"{values.mean():.4f}"
    reach = float(student.ppf(0.975, values.size - 1)) * values.std(ddof=1) / np.sqrt(values.size)
    return f"{values.mean():.4f} ({values.mean() - reach:.4f} to {values.mean() + reach:.4f})"


def standard(scores: FloatArray) -> FloatArray:
    """Scores of each person in units of their spread."""
    found: FloatArray = scores / np.maximum(scores.std(axis=1, keepdims=True), 1e-9)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
