"""The graph switched on and off, on a bank where every day brings new products that those who like their kind buy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.insight.features.small import local
from tests.strategy.recommenders.market import DAYS, FIRST, LINES, NOW, Rows, bank, products, purchase, purchases
from tests.strategy.recommenders.market import recommender as defined

from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.evaluation import evaluate
from aimwell.strategy.recommenders.generator import Scene
from aimwell.strategy.recommenders.generators.graph import GRAPH, known_items
from aimwell.strategy.recommenders.stand import stand_at

BASE = """
level: product
candidates: {generators: [popular, item_item, graph], each: 15, most: 40}
learn: {days: 3, trees: {rounds: 40, leaves: 7, min_rows: 5, bags: 1}}
eligible: {risk: false, again: false}
cold_buyers: 8
list_size: 3
"""
NEW_DAYS = 9


def launched(workshop_day: int) -> list[tuple[str, int]]:
    """The products of a day with the line that they are of."""
    return [(f"n{workshop_day}{'abcd'[line]}", line) for line in range(len(LINES))]


def new_bank(folder: Path, told_by: str) -> Workshop:
    """Each of the last days brings a product of each line; what it is, only the given source tells."""
    goods: Rows = [{**row, "name": None, "category": None} for row in products() if row["product_id"] != "unsold"]
    kinds = {str(row["product_id"]): LINES.index(str(row["product_id"])[:-1]) for row in goods}
    bought = purchases()
    chance = np.random.default_rng(5)
    for day in range(DAYS - NEW_DAYS, DAYS):
        at, eve = FIRST + timedelta(days=day), FIRST + timedelta(days=day - 1)
        for item, line in launched(day):
            kinds[item] = line
            since = local(eve.year, eve.month, eve.day)
            goods.append({"product_id": item, "name": None, "category": None, "available_since": since})
            fans = [number for number in range(60) if number % len(LINES) == line and chance.random() < 0.5]
            when = local(at.year, at.month, at.day, 15)
            bought += [purchase(f"n{len(bought)}-{who}", f"c{who:02d}", item, when) for who in fans]
    if told_by == "relation":
        triples: Rows = [{"head": item, "relation": "made_by", "tail": f"maker{kinds[item]}"} for item in kinds]
        return bank(folder, product=goods, purchase=bought, relation=triples)
    named = [{**row, "category": f"kind {kinds[str(row['product_id'])]}"} for row in goods]
    return bank(folder, product=named, purchase=bought)


@pytest.mark.parametrize("told_by", ["relation", "category"])
def test_the_graph_finds_buyers_of_new_products_by_given_facts_and_by_the_catalogue(
    told_by: str, tmp_path: Path
) -> None:
    found = evaluate(defined(base=BASE), new_bank(tmp_path, told_by), NOW, days=3, less=["graph"])
    cold = found.slice("cold")
    on, off = (cold.way(name).figures["ndcg"] for name in ("model", "without"))
    assert on.value > 0.5
    assert on.low > off.high


def test_cold_items_do_not_speak_unless_all_are_cold(tmp_path: Path) -> None:
    stand = stand_at(defined(base=BASE), new_bank(tmp_path, "relation").history(NOW))
    buyers = stand.past.by_item(np.ones(stand.past.person.size))
    assert known_items(Scene(stand.past, stand.shelf, cold_buyers=10)).tolist() == (buyers >= 10).tolist()
    assert known_items(Scene(stand.past, stand.shelf, cold_buyers=10_000)).tolist() == (buyers >= 1).tolist()


def test_without_a_fact_about_anything_bought_the_graph_is_left_out(tmp_path: Path) -> None:
    stand = stand_at(defined(base=BASE), new_bank(tmp_path, "relation").history(NOW))
    bare = replace(stand.shelf, said=((),) * stand.shelf.items.size, facts=((),) * stand.shelf.items.size)
    assert GRAPH.ready(Scene(stand.past, bare, (("card0", "used_with", "保险5", 1.0),)))
    assert not GRAPH.ready(Scene(stand.past, bare, (("x", "used_with", "y", 1.0),)))
