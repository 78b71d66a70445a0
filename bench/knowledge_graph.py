"""Films that nobody rated yet: what their facts are worth, from a knowledge graph beside names and genres.

Run: `python bench/knowledge_graph.py FOLDER TITLES.csv [SEEDS]`. FOLDER holds ml-100k.inter, .item, .kg and .link as
the package `recbole` 1.2.1 carries them in `recbole/dataset_example/ml-100k` (`pip download --no-deps recbole==1.2.1`,
then unzip). Its links are numbered by a later MovieLens, not by ML-100k: film 313 is Titanic in the ratings and The
Swan Princess in the links. TITLES.csv (movieId, title, year of a later MovieLens: the R package `dslabs` holds them)
puts them right by title and year. Without a title a film stays without facts.

Protocol: a fifth of the films with facts are cold; all ratings of them are hidden, or five of each are known. Lists of
ten cold films not known, for everybody who rated some, every rating wanted. Off: names, years and genres of the item
file; on: the same and the graph; both by the regression of `science.recommend.graph`, whose penalty is chosen by hiding
a fifth of the other films in turn. Also on with the links as shipped. Seeds: which films are cold. Intervals: Student's
t over seeds.
"""

from __future__ import annotations

import csv
import re
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.recommend.content import words
from aimwell.science.recommend.graph import foretold_by_facts, said_of
from aimwell.science.recommend.lists import judge_lists
from aimwell.science.recommend.sparse import Sparse, places_within
from movielens import interval

K, COLD, FEW = 10, 0.2, 5
PENALTIES = (1.0, 3.0, 10.0, 30.0)
Row = dict[str, str]
Fact = tuple[str, str]


@dataclass(frozen=True)
class World:
    """Who rated which film [n], films by their ids, and what is said of them from each source."""

    person: IntArray
    film: IntArray
    films: Mapping[str, int]
    facts: Mapping[str, Sparse]
    told: BoolArray

    def matrix(self, rows: BoolArray) -> Sparse:
        shape = (int(self.person.max()) + 1, len(self.films))
        return csr_array((np.ones(int(rows.sum())), (self.person[rows], self.film[rows])), shape=shape)


def main(folder: Path, titles: Path, seeds: int) -> None:
    """Print nDCG of cold films with the graph off and on, by seed and in the mean."""
    world = read(folder, titles)
    print(f"{int(world.told.sum()):,} of {len(world.films):,} films have facts of the graph")
    for few in (0, FEW):
        found: dict[str, list[float]] = {name: [] for name in ("chance", *world.facts)}
        begin = time.process_time()
        for seed in range(seeds):
            for name, value in one_seed(world, few, seed).items():
                found[name].append(value)
        print(f"cold films with {few} ratings each, {seeds} seeds, {time.process_time() - begin:.0f} CPU s")
        off = np.array(found["off"])
        for name, values in found.items():
            ours = np.array(values)
            print(f"  {name:16} nDCG {interval(ours)}, to off {interval(ours / off - 1)}")


def one_seed(world: World, few: int, seed: int) -> dict[str, float]:
    """nDCG of each source on one choice of cold films."""
    chance = np.random.default_rng(seed)
    films = chance.permutation(np.flatnonzero(world.told))
    parts = np.array_split(films, round(1 / COLD))
    drawn = chance.random(world.film.size)
    found = {
        "chance": ndcg(world, chance.random((int(world.person.max()) + 1, len(world.films))), parts[0], few, drawn)
    }
    for name, E in world.facts.items():
        tried = {
            penalty: ndcg(
                world, foretold(world, E, (parts[0], parts[1]), (0, few), penalty, drawn), parts[1], few, drawn
            )
            for penalty in PENALTIES
        }
        best = max(PENALTIES, key=lambda penalty: tried[penalty])
        found[name] = ndcg(world, foretold(world, E, (parts[0],), (few,), best, drawn), parts[0], few, drawn)
    return found


def known_rows(world: World, cold: Sequence[IntArray], few: Sequence[int], drawn: FloatArray) -> BoolArray:
    """Every rating of films that are not cold, and some of each that is."""
    place = places_within(world.film, drawn, np.arange(world.film.size))
    known = np.ones(world.film.size, dtype=bool)
    for films, kept in zip(cold, few, strict=True):
        known &= ~np.isin(world.film, films) | (place < kept)
    return known


def foretold(
    world: World, E: Sparse, cold: Sequence[IntArray], few: Sequence[int], penalty: float, drawn: FloatArray
) -> FloatArray:
    """Scores of all films for all people, films with ten ratings and more speaking."""
    X = world.matrix(known_rows(world, cold, few, drawn))
    speaking = np.asarray(X.sum(axis=0)).ravel() >= 10
    found: FloatArray = (X @ foretold_by_facts(E, speaking, penalty=penalty)).toarray()
    return found


def ndcg(world: World, scores: FloatArray, cold: IntArray, few: int, drawn: FloatArray) -> float:
    """Lists of ten of the cold films not known, against those that were rated."""
    known = world.matrix(known_rows(world, (cold,), (few,), drawn)).toarray()[:, cold] > 0
    wanted = (world.matrix(np.ones(world.film.size, dtype=bool)).toarray()[:, cold] > 0) & ~known
    open_ = np.where(known, -np.inf, scores[:, cold])
    item = np.argpartition(-open_, K, axis=1)[:, :K].astype(np.int64).ravel()
    person = np.repeat(np.arange(scores.shape[0]), K)
    counts = wanted.sum(axis=1).astype(np.float64)
    return float(np.nanmean(judge_lists(person, item, open_[person, item], wanted[person, item], counts, k=K).ndcg))


def read(folder: Path, titles: Path) -> World:
    """Ratings, films and facts."""
    inter, item = rows_of_file(folder / "ml-100k.inter"), rows_of_file(folder / "ml-100k.item")
    people = {each: place for place, each in enumerate(sorted({row["user_id"] for row in inter}))}
    films = {each: place for place, each in enumerate(sorted({row["item_id"] for row in inter}, key=int))}
    content = [(row["item_id"], fact) for row in item if row["item_id"] in films for fact in named(row)]
    triples = rows_of_file(folder / "ml-100k.kg")
    shipped = {row["entity_id"]: row["item_id"] for row in rows_of_file(folder / "ml-100k.link")}
    right = mended(shipped, item, titles)
    graph, wrong = (facts_of(triples, {e: i for e, i in links.items() if i in films}) for links in (right, shipped))
    told = np.isin(np.arange(len(films)), [films[each] for each, _ in graph if each in films])
    sources = {"off": content, "on": content + graph, "graph alone": graph, "on, as shipped": content + wrong}
    return World(
        np.array([people[row["user_id"]] for row in inter]),
        np.array([films[row["item_id"]] for row in inter]),
        films,
        {name: table(each, films) for name, each in sources.items()},
        told,
    )


def rows_of_file(path: Path) -> list[Row]:
    """The rows of one of the files, columns without their types."""
    with path.open(encoding="utf-8") as file:
        names = [name.split(":")[0] for name in file.readline().rstrip("\n").split("\t")]
        return [dict(zip(names, line.rstrip("\n").split("\t"), strict=True)) for line in file]


def named(row: Row) -> list[str]:
    """What the item file says of a film."""
    genres = [f"genre {each}" for each in row["class"].split()]
    return [*(f"word {each}" for each in set(words(row["movie_title"]))), f"year {row['release_year']}", *genres]


def facts_of(triples: Sequence[Row], links: Mapping[str, str]) -> list[Fact]:
    """The triples that touch a linked film, by the film's id; both directions of a relation are one fact."""
    found: set[Fact] = set()
    for row in triples:
        head, tail = row["head_id"], row["tail_id"]
        if head in links:
            found.add((links[head], links.get(tail, f"entity {tail}")))
        elif tail in links:
            found.add((links[tail], f"entity {head}"))
    return sorted(found)


def table(facts: Sequence[Fact], films: Mapping[str, int]) -> Sparse:
    """The facts of each film, as the product's own generator counts them."""
    places = dict(films)
    edges = [(places[film], places.setdefault(fact, len(places))) for film, fact in facts if film in films]
    heads, tails = np.array(edges, dtype=np.int64).T
    return said_of(heads, tails, np.ones(heads.size), nodes=len(places), items=len(films))


def mended(shipped: Mapping[str, str], item: Sequence[Row], titles: Path) -> dict[str, str]:
    """Entities with the id that their film has in ML-100k, by title and year (one year off is allowed)."""
    here: dict[tuple[str, int], str] = {}
    for row in item:
        for title in spellings(row["movie_title"]) if row["release_year"].isdigit() else ():
            here.setdefault((title, int(row["release_year"])), row["item_id"])
    later: dict[str, str] = {}
    with titles.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            year = re.match(r"\d{4}", row.get("year", ""))
            near = (
                [(title, int(year[0]) + off) for title in spellings(row["title"]) for off in (0, -1, 1)] if year else []
            )
            same = next((here[each] for each in near if each in here), None)
            if same:
                later[row["movieId"]] = same
    return {entity: later[film] for entity, film in shipped.items() if film in later}


def spellings(title: str) -> list[str]:
    """A title and those in brackets, without accents, articles, blanks and signs."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower().replace("&", "and")
    found = []
    for each in [re.sub(r"\(.*?\)", "", plain), *re.findall(r"\((.*?)\)", plain)]:
        turned = re.sub(r"^(.*), (the|a|an|il|la|le|les|el)\s*$", r"\2 \1", each.replace("a.k.a.", "").strip())
        found.append(re.sub("[^a-z0-9]", "", re.sub(r"^(the|a|an) ", "", turned)))
    return [each for each in found if each]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 5)
