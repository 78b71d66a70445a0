"""The contract of every generator of candidates: a new file is covered the moment it exists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.strategy.recommenders.market import LINES, NOW, bank, products, purchases, recommender

from aimwell.core.errors import BadQuestion
from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.generator import Generator, Scene, generators
from aimwell.strategy.recommenders.stand import Stand, chosen_generators, stand_at

every = pytest.mark.parametrize("generator", generators().values(), ids=list(generators()))


@pytest.fixture(scope="module")
def scene(stand: Stand) -> Scene:
    return Scene(stand.past, stand.shelf, cold_buyers=10)


@every
def test_scores_are_finite_and_some_are_proposed(generator: Generator, scene: Scene) -> None:
    people = np.arange(scene.past.people)
    scores = generator.fit(scene).scores(people)
    assert scores.shape == (people.size, scene.past.width)
    assert np.isfinite(scores.data).all()
    assert (scores.data > 0).any()


@every
def test_a_customer_is_told_the_same_alone_and_among_others(generator: Generator, scene: Scene) -> None:
    fitted = generator.fit(scene)
    together = fitted.scores(np.array([7, 3, 11])).toarray()
    assert fitted.scores(np.array([3])).toarray()[0] == pytest.approx(together[1])


@every
def test_equal_scenes_give_equal_scores(generator: Generator, scene: Scene) -> None:
    people = np.arange(10)
    first, second = (generator.fit(scene).scores(people).toarray() for _ in range(2))
    assert first.tolist() == second.tolist()


@every
def test_reasons_are_said_in_both_languages(generator: Generator, scene: Scene) -> None:
    fitted = generator.fit(scene)
    scores = fitted.scores(np.array([5]))
    best = int(scores.indices[np.argmax(scores.data)]) if scores.nnz else 0
    for item in (best, scene.past.width - 1):
        said = fitted.reason(5, item)
        assert said is None or (said.zh and said.en and "{" not in said.zh + said.en)


@every
def test_a_customer_who_never_bought_breaks_nothing(generator: Generator, scene: Scene) -> None:
    stranger = int(np.flatnonzero(np.isnan(scene.past.visits["visits"]))[0])
    fitted = generator.fit(scene)
    assert fitted.scores(np.array([stranger])).shape == (1, scene.past.width)
    fitted.reason(stranger, 0)


@every
def test_names_and_meanings_are_told(generator: Generator) -> None:
    assert generator.name.isidentifier()
    assert all([generator.label.zh, generator.label.en, generator.meaning.zh, generator.meaning.en])


@pytest.fixture(scope="module")
def twins(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Scene]:
    """The same instant seen in two banks that differ in what happened later."""
    early = NOW.replace(day=1, month=2)
    more = [
        {**row, "order_id": f"x{row['order_id']}", "product_id": "card0"}
        for row in purchases(seed=9)
        if str(row["occurred_at"]) > str(to_store(early))
    ]
    other = bank(tmp_path_factory.mktemp("other"), purchase=[*purchases(), *more])
    first, second = (stand_at(recommender(), each.history(early)) for each in (workshop, other))
    return Scene(first.past, first.shelf), Scene(second.past, second.shelf)


@every
def test_what_happens_later_changes_no_score(generator: Generator, twins: tuple[Scene, Scene]) -> None:
    first, second = (generator.fit(scene).scores(np.arange(20)).toarray() for scene in twins)
    assert first == pytest.approx(second)


def test_the_line_that_a_customer_likes_is_what_its_neighbours_propose(stand: Stand) -> None:
    scores = stand.fitted["siblings"].scores(np.arange(40)).toarray()
    best = stand.shelf.line[np.argmax(scores, axis=1)]
    liked = np.array([list(stand.shelf.lines).index(LINES[number % len(LINES)]) for number in range(40)])
    assert (best == liked).mean() > 0.9


def test_a_new_product_is_proposed_to_those_who_buy_what_is_called_alike(stand: Stand) -> None:
    new = int(np.flatnonzero(stand.shelf.items == "unsold")[0])
    scores = stand.fitted["fresh"].scores(np.arange(40)).toarray()[:, new]
    fans = np.arange(40) % len(LINES) == 0
    assert scores[fans].mean() > 2 * scores[~fans].mean()
    assert "基金" in stand.fitted["fresh"].reason(0, new).zh  # type: ignore[union-attr]


def test_given_facts_reach_what_the_catalogue_does_not_tell(stand: Stand) -> None:
    bare = replace(stand.shelf, said=((),) * stand.shelf.items.size, facts=((),) * stand.shelf.items.size)
    facts = (("card0", "used_with", "保险5", 1.0),)
    links = generators()["graph"].fit(Scene(stand.past, bare, facts)).scores(np.arange(stand.past.people)).toarray()
    owns = stand.past.bought.toarray()[:, list(stand.shelf.items).index("card0")] > 0
    assert (links[owns, list(stand.shelf.items).index("保险5")] > 0).all()
    assert links[:, list(stand.shelf.items).index("存款1")].sum() == 0


def test_a_generator_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadQuestion, match="no generator 'magic'"):
        chosen_generators(recommender("candidates: {generators: [magic]}", base="level: product\n"))
    with pytest.raises(BadQuestion, match="no generator is left"):
        chosen_generators(recommender("candidates: {generators: [own], without: [own]}", base="level: product\n"))


def test_without_a_catalogue_those_that_need_none_remain(tmp_path: Path) -> None:
    lonely = bank(tmp_path, product=[])
    stand = stand_at(recommender(base="level: product\n"), lonely.history(NOW))
    assert {"own", "popular", "item_item", "ease"} <= set(stand.fitted)
    assert "siblings" not in stand.fitted
    assert len(products()) == 25
