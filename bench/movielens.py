"""MovieLens-100k: regressions, their blend and a booster on top, by the protocol of published tables; and by time.

Run: `python bench/movielens.py INTERACTIONS.parquet [SEEDS]` (ML-100k: user, item, rating, timestamp in this order; the
package `recbole` carries it). Random: 75 % of each person's ratings to learn from, 25 % to find again among all films
not seen, k = 10, every rating counts as wanted; every setting, also which of the three to use, is chosen on a hidden
eighth of the training part. By time: the last fifth of all ratings, people known before it, beside popularity, paired.
MAP divides by all that was wanted. Peers by the same ratio and k, other splits: EASE .484/.149, BiVAE .475/.146.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import csr_array

from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.metrics.interval import mean_estimate
from aimwell.science.recommend.ease import ease
from aimwell.science.recommend.lists import ListFigures, judge_lists
from aimwell.science.recommend.neighbours import cosine_neighbours
from aimwell.science.recommend.sparse import places_within

K, DEEP, FOLDS, HIDDEN = 10, 100, 4, 0.125
PENALTIES, SHARES = (250.0, 350.0, 500.0), (0.0, 0.15, 0.3)


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


def main(path: Path, seeds: int) -> None:
    """Print the figures of each way, seed by seed, and the split by time."""
    ratings = read(path)
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for seed in range(seeds):
        begin = time.process_time()
        kept = kept_rows(ratings, seed)
        ways, chosen = rank(ratings, kept, seed)
        for name, scores in ways.items():
            found.setdefault(name, []).append(means(judge(ratings, scores, kept, ~kept)))
        print(f"seed {seed}: {chosen}, {time.process_time() - begin:.0f} CPU s", flush=True)
    for name, rows in found.items():
        table = np.array(rows)
        middle, spread = table.mean(axis=0), table.std(axis=0)
        figures = zip(("nDCG", "MAP", "precision", "recall"), middle, spread, strict=True)
        print(f"{name:10} " + "  ".join(f"{label} {mean:.4f} ± {part:.4f}" for label, mean, part in figures))
    by_time(ratings)


def read(path: Path) -> Ratings:
    """The ratings of a file whose first columns are person, film, rating and instant."""
    columns = [column.to_numpy() for column in pq.read_table(path).columns[:4]]
    person, film = (np.unique(column, return_inverse=True)[1].astype(np.int64) for column in columns[:2])
    return Ratings(person, film, columns[2].astype(np.float64), columns[3].astype(np.float64))


def kept_rows(ratings: Ratings, seed: int) -> BoolArray:
    """Three of four ratings of each person, at random."""
    chance = np.random.default_rng(seed).random(ratings.person.size)
    place = places_within(ratings.person, chance, np.arange(ratings.person.size))
    sizes = np.bincount(ratings.person)
    found: BoolArray = place < np.round(0.75 * sizes[ratings.person])
    return found


def rank(ratings: Ratings, kept: BoolArray, seed: int) -> tuple[dict[str, FloatArray], str]:
    """Scores of every way from the training part alone, and what was chosen in it."""
    chance = np.random.default_rng(1000 + seed)
    hidden = kept & (chance.random(kept.size) < HIDDEN)
    inner = kept & ~hidden
    tried = {
        (penalty, share): means(judge(ratings, blend(ratings, inner, penalty, share), inner, hidden))[0]
        for penalty in PENALTIES
        for share in SHARES
    }
    plain = max(PENALTIES, key=lambda penalty: tried[penalty, 0.0])
    penalty, share = max(tried, key=lambda each: tried[each])
    learnt = boosted(ratings, inner, penalty, share, seed)
    boost = means(judge(ratings, learnt, inner, hidden))[0]
    ways = {
        "EASE": blend(ratings, kept, plain, 0.0),
        "blend": blend(ratings, kept, penalty, share),
        "booster": boosted(ratings, kept, penalty, share, seed),
    }
    winner = "booster" if boost > tried[penalty, share] else "blend"
    ways["chosen"] = ways[winner]
    return ways, f"EASE penalty {plain:g}; blend {penalty:g} with {share:g} of what was liked; {winner}"


def blend(ratings: Ratings, rows: BoolArray, penalty: float, share: float) -> FloatArray:
    """EASE on everything rated, and a share of EASE on what was liked (4 or 5), each in units of its own spread."""
    seen = ratings.matrix(rows)
    scores = standard(seen @ ease(seen, penalty=penalty, item_power=0.5))
    if share:
        liked = ratings.matrix(rows & (ratings.rating >= 4))
        scores = scores + share * standard(liked @ ease(liked, penalty=penalty / 2, item_power=0.5))
    return scores


def boosted(ratings: Ratings, rows: BoolArray, penalty: float, share: float, seed: int) -> FloatArray:
    """A booster over the best hundred of the blend, learnt from folds of the given rows; -inf for the others."""
    chance = np.random.default_rng(2000 + seed)
    matrices, truths = [], []
    for _ in range(FOLDS):
        hidden = rows & (chance.random(rows.size) < HIDDEN)
        person, film, features, _ = described(ratings, rows & ~hidden, penalty, share)
        wanted = ratings.matrix(hidden).toarray() > 0
        matrices.append(features)
        truths.append(wanted[person, film])
    data = lightgbm.Dataset(np.concatenate(matrices), np.concatenate(truths).astype(np.float64))
    settings = {
        "objective": "binary", "num_leaves": 8, "learning_rate": 0.05, "feature_fraction": 0.5, "lambda_l2": 10,
        "bagging_fraction": 0.8, "bagging_freq": 1, "min_data_in_leaf": 200, "seed": seed, "num_threads": 1,
        "verbosity": -1, "deterministic": True,
    }  # fmt: skip
    booster = lightgbm.train(settings, data, 200)
    person, film, features, scores = described(ratings, rows, penalty, share)
    found = np.full(scores.shape, -np.inf)
    found[person, film] = np.asarray(booster.predict(features, raw_score=True))
    return found


def described(
    ratings: Ratings, rows: BoolArray, penalty: float, share: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """The best hundred films not seen of each person, with features of each pair, and the blend's scores."""
    seen = ratings.matrix(rows)
    liked = ratings.matrix(rows & (ratings.rating >= 4))
    scores = blend(ratings, rows, penalty, share)
    views: Mapping[str, FloatArray] = {
        "blend": scores,
        "liked": liked @ ease(liked, penalty=penalty / 2, item_power=0.5),
        "films": (seen @ cosine_neighbours(seen, count=60, shrinkage=5)).toarray(),
        "people": (cosine_neighbours(seen.T.tocsr(), count=80, shrinkage=5).T @ seen).toarray(),
        "now": rated_then(ratings, rows),
    }
    open_ = np.where(seen.toarray() > 0, -np.inf, scores)
    film = np.argpartition(-open_, DEEP, axis=1)[:, :DEEP].astype(np.int64)
    person = np.repeat(np.arange(scores.shape[0]), DEEP)
    columns: list[FloatArray] = []
    for view in views.values():
        values = np.take_along_axis(view, film, axis=1)
        places = np.argsort(np.argsort(-values, axis=1), axis=1)
        largest = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-9)
        columns += [values.ravel(), (values / largest).ravel(), places.ravel().astype(np.float64)]
    film = film.ravel()
    count, mine = totals(ratings.film[rows], np.ones(int(rows.sum())), scores.shape[1]), np.diff(seen.indptr)
    stars = totals(ratings.film[rows], ratings.rating[rows], scores.shape[1]) / np.maximum(count, 1)
    columns += [count[film], stars[film], mine[person].astype(np.float64)]
    return person, film, np.column_stack(columns), scores


def rated_then(ratings: Ratings, rows: BoolArray) -> FloatArray:
    """Share of each film in all that was rated within 30 days of the middle of a person's ratings."""
    people, films = ratings.shape
    order = np.argsort(ratings.at[rows], kind="stable")
    at, film = ratings.at[rows][order], ratings.film[rows][order]
    middle = np.array([np.median(ratings.at[rows & (ratings.person == each)]) for each in range(people)])
    first, last = (np.searchsorted(at, middle + side * 30 * 86_400.0) for side in (-1, 1))
    counts = [np.bincount(film[a:b], minlength=films) / max(b - a, 1) for a, b in zip(first, last, strict=True)]
    return np.array(counts)


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
    warm = np.isin(ratings.person, np.unique(ratings.person[known]))
    wanted = ~known & warm
    popular = np.tile(totals(ratings.film[known], np.ones(int(known.sum())), ratings.shape[1]), (ratings.shape[0], 1))
    beside = judge(ratings, popular, known, wanted)
    for share in (0.0, SHARES[-1]):
        ours = judge(ratings, blend(ratings, known, PENALTIES[0], share), known, wanted)
        counted = ours.counted
        gap = mean_estimate(ours.ndcg[counted] - beside.ndcg[counted])
        print(
            f"by time, {int(counted.sum())} people: {'blend' if share else 'EASE'} nDCG {np.nanmean(ours.ndcg):.4f}, "
            f"popularity {np.nanmean(beside.ndcg):.4f}, ahead {gap}"
        )


def standard(scores: FloatArray) -> FloatArray:
    """Scores of each person in units of their spread."""
    found: FloatArray = scores / np.maximum(scores.std(axis=1, keepdims=True), 1e-9)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
