"""The bank's protocol on a small bank whose truth is known, and on input that carries no answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.insight.features.small import local, warehouse_with
from tests.strategy.recommenders.market import FIRST, NOW, bank, opened, products, purchase, purchases, recommender

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.days import busy_days, day_at
from aimwell.strategy.recommenders.evaluation import Evaluation, evaluate
from aimwell.strategy.recommenders.learning import Lesson, learn
from aimwell.strategy.recommenders.making import recommend

FREE = "eligible: {risk: false}\n"


@pytest.fixture(scope="module")
def judged(workshop: Workshop) -> Evaluation:
    said = (
        "say: [{action: bury, line: 基金, why: none in stock at branches}, {action: pin, items: [保险5], why: month}]"
    )
    return evaluate(recommender(FREE + said), workshop, NOW, days=3, less=["graph", "fresh"])


def test_the_model_is_ahead_of_popularity_and_the_expert_where_tastes_differ(judged: Evaluation) -> None:
    for name in ("popularity", "expert"):
        ahead = judged.slice("all").way(name).ahead
        assert ahead["ndcg"].low > 0
        assert ahead["auc"].low > 0


def test_every_slice_stands_beside_every_way_with_an_interval(judged: Evaluation) -> None:
    assert {"all", "repeat", "novel"} <= {each.name for each in judged.slices}
    names = ["model", "popularity", "frequency", "expert", "without", "listed", "say_1", "say_2"]
    for each in judged.slices:
        assert [way.name for way in each.ways] == names
        for way in each.ways:
            for figure in way.figures.values():
                assert figure.low <= figure.value <= figure.high


def test_pairs_of_slices_add_up(judged: Evaluation) -> None:
    whole, repeat, novel = (judged.slice(name) for name in ("all", "repeat", "novel"))
    assert whole.bought == repeat.bought + novel.bought
    top = next(top.confusion for top in whole.way("model").top if top.n == 5)
    assert top.hits + top.missed == whole.bought
    assert top.people == whole.choices


def test_the_cost_of_the_businesss_say_is_told(judged: Evaluation) -> None:
    listed = judged.slice("all").way("listed")
    assert listed.ahead["recall"].value > 0
    assert "none in stock at branches" in judged.slice("all").way("say_1").label.en


def test_what_the_graph_is_worth_can_be_asked(judged: Evaluation) -> None:
    assert "graph, fresh" in judged.slice("all").way("without").label.en
    with pytest.raises(BadQuestion, match="no generator 'magic'"):
        evaluate(recommender(), Workshop.__new__(Workshop), NOW, less=["magic"])


def test_equal_seeds_give_equal_figures(workshop: Workshop) -> None:
    first, second = (evaluate(recommender(FREE), workshop, NOW, days=1).to_dict() for _ in range(2))
    assert first == second


def test_a_day_is_judged_by_what_was_known_before_it(workshop: Workshop, tmp_path: Path) -> None:
    begin = NOW - timedelta(days=3)
    day = day_at(recommender(FREE), workshop, begin)
    known = [row for row in purchases() if str(row["occurred_at"]) < str(to_store(begin))]
    pairs = {(row["customer_id"], row["product_id"]) for row in known}
    past = day.stand.past
    assert len(pairs) == past.person.size
    assert {(str(past.customers[p]), str(past.items[i])) for p, i in zip(past.person, past.item, strict=True)} == pairs
    assert day.bought.sum() <= day.wanted["all"].sum()
    assert (day.wanted["all"] >= 1).all()


def test_days_without_buyers_are_passed_over(tmp_path: Path) -> None:
    quiet = [row for row in purchases() if not local(2025, 2, 25) <= row["occurred_at"] < local(2025, 2, 26)]  # type: ignore[operator]
    busy, silent = busy_days(recommender(), bank(tmp_path, purchase=quiet), NOW, 6)
    assert [day.day for day in silent] == [25]
    assert [day.day for day in busy] == [22, 23, 24, 26, 27, 28]


def test_customers_who_never_bought_are_judged_apart(tmp_path: Path) -> None:
    last = NOW - timedelta(days=1)
    fresh = [purchase(f"n{n}", f"new{n}", "card0", local(last.year, last.month, last.day, 12)) for n in range(8)]
    result = evaluate(recommender(FREE), bank(tmp_path, purchase=[*purchases(), *fresh]), NOW, days=1)
    newcomers = result.slice("newcomers")
    assert newcomers.lists == 8
    assert newcomers.way("model").figures["recall"].value == 1


def test_without_purchases_nothing_is_recommended(tmp_path: Path) -> None:
    workshop = opened(warehouse_with(product=products()), tmp_path)
    for ask in (evaluate, recommend):
        with pytest.raises(NotEnoughData, match="nobody bought anything|No purchases"):
            ask(recommender(), workshop, NOW)


def test_purchases_of_one_day_alone_carry_no_evaluation(tmp_path: Path) -> None:
    at = local(2025, 2, 20, 9)
    rows = [purchase(f"o{n}", f"c{n % 20:02d}", f"card{n % 5}", at) for n in range(60)]
    workshop = bank(tmp_path, purchase=rows)
    for ask in (evaluate, recommend):
        with pytest.raises(NotEnoughData, match="too few days have buyers"):
            ask(recommender(), workshop, NOW)


def test_too_few_purchases_to_learn_from_are_said(tmp_path: Path) -> None:
    rows = [purchase(f"o{n}", "c00", "card0", local(2025, 2, 10 + n, 9)) for n in range(8)]
    with pytest.raises(NotEnoughData, match="Too little was bought to learn"):
        recommend(recommender(FREE), bank(tmp_path, purchase=rows), NOW)


def test_a_product_that_nobody_bought_is_no_obstacle(judged: Evaluation, workshop: Workshop) -> None:
    result = recommend(recommender(FREE), workshop, NOW, customers=["c00"])
    assert result.violations == 0
    assert np.isfinite([each.probability for each in result.shown]).all()


def test_products_without_the_level_are_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="nothing about their brand"):
        evaluate(recommender(base="level: brand\n"), bank(tmp_path), NOW)


def test_at_least_one_day_is_judged(workshop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="At least one day"):
        evaluate(recommender(), workshop, NOW, days=0)


def test_an_attribute_that_is_not_loaded_is_named(workshop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="customers have no 'income_band'"):
        evaluate(recommender("expert_by: [income_band]"), workshop, FIRST + timedelta(days=30), days=1)


def test_trees_of_their_own_speak_for_what_was_never_bought_and_for_nothing_else() -> None:
    chance = np.random.default_rng(4)
    orders = np.where(chance.random(4000) < 0.5, np.nan, 3.0)
    sign = chance.integers(0, 2, 4000).astype(float)
    novel = np.isnan(orders)
    bought = np.where(novel, sign, 1 - sign) > chance.random(4000)  # what speaks for one kind speaks against the other
    names = ("own_orders", "sign")
    lesson = Lesson(np.column_stack([orders, sign]), bought, np.ones(4000), names, ("own", "sign"), 0.01)
    settings = recommender().learn.model_copy(update={"novel": recommender().learn.trees})
    booster = learn([lesson], settings)
    assert booster.apart is not None
    both = np.array([[np.nan, 1.0], [np.nan, 0.0], [3.0, 1.0], [3.0, 0.0]])
    raw, whole = booster.raw(both), booster.grown.raw(both)
    assert raw[0] > raw[1]
    assert raw[2] < raw[3]
    np.testing.assert_array_equal(raw[2:], whole[2:])
    np.testing.assert_allclose(raw[:2], (whole[:2] + booster.apart.raw(both[:2])) / 2)
    parts, groups = booster.voices(both)
    assert groups == ("own", "sign")
    assert parts[0, 1] > parts[1, 1]


def test_a_factor_is_hits_over_hits_for_as_many_places(judged: Evaluation) -> None:
    found = judged.slice("all")
    hits = {way.name: {top.n: top.confusion.hits for top in way.top} for way in found.ways}
    assert found.factor(1) == hits["model"][1] / hits["expert"][1]
    assert found.factor(5, "popularity") == hits["model"][5] / hits["popularity"][5]
    assert found.factor(7) is None
