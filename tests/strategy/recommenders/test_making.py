"""Lists for everybody: within all limits, kept, with kinds and reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.strategy.recommenders.market import DEFINITION, NOW, bank, recommender

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.features import Sight
from aimwell.strategy.recommenders.making import TABLE, Recommending, recommend
from aimwell.strategy.recommenders.stand import Stand, stand_at
from aimwell.strategy.recommenders.traits import KINDS, kinds

SAY = "say: [{action: pin, items: [card0], place: 2, why: month of cards}, {action: never, items: [保险0], why: ended}]"


@pytest.fixture(scope="module")
def made(workshop: Workshop) -> Recommending:
    return recommend(recommender(SAY), workshop, NOW, customers=["c00", "c04"])


def kept(workshop: Workshop) -> list[dict[str, object]]:
    return workshop.history(NOW).to_arrow("SELECT * FROM lists", {"lists": TABLE}).to_pylist()  # type: ignore[no-any-return]


def test_no_recommendation_breaks_a_limit(workshop: Workshop, made: Recommending) -> None:
    stand = stand_at(recommender(SAY), workshop.history(NOW))
    rows = kept(workshop)
    person = np.searchsorted(stand.past.customers, [str(row["customer_id"]) for row in rows])
    item = np.searchsorted(stand.past.items, [str(row["item"]) for row in rows])
    assert made.violations == 0
    assert (stand.eligibility.refusals(person, item) == 0).all()
    levels = {f"c{number:02d}": 1 + number % 3 for number in range(61)}
    for row in rows:
        assert row["item"] == "unsold" or int(str(row["item"])[-1]) % 3 + 1 <= levels[str(row["customer_id"])]
    assert "保险0" not in {row["item"] for row in rows}


def test_every_list_is_whole_and_in_order(workshop: Workshop, made: Recommending) -> None:
    rows = kept(workshop)
    assert len(rows) == made.recommended == sum(made.kinds.values())
    for customer in {row["customer_id"] for row in rows}:
        mine = [row for row in rows if row["customer_id"] == customer]
        assert sorted(row["place"] for row in mine) == list(range(1, len(mine) + 1))  # type: ignore[type-var]
        assert len({row["item"] for row in mine}) == len(mine) <= 5


def test_lists_of_the_same_instant_are_replaced(workshop: Workshop, made: Recommending) -> None:
    again = recommend(recommender(SAY), workshop, NOW)
    assert len(kept(workshop)) == again.recommended


def test_a_pinned_item_stands_where_it_is_held_and_says_why(made: Recommending) -> None:
    pinned = next(each for each in made.shown if each.customer_id == "c00" and each.item == "card0")
    assert pinned.place == 2
    assert pinned.reasons[0].en == "pinned by the business: month of cards"


def test_reasons_are_told_in_both_languages(made: Recommending) -> None:
    assert {each.customer_id for each in made.shown} == {"c00", "c04"}
    assert all(each.reasons for each in made.shown)
    table = made.to_arrow("zh")
    assert table.num_rows == len(made.shown)
    assert any("买" in text for text in table.column("reasons").to_pylist())


def test_a_stranger_gets_a_list_too(workshop: Workshop) -> None:
    never = recommend(recommender(), workshop, NOW, customers=["c60"])
    assert never.shown
    assert {each.kind for each in never.shown} == {"cross_sell"}


def test_kinds_are_told_apart_by_what_was_bought_of_the_line(stand: Stand) -> None:
    past, shelf = stand.past, stand.shelf
    person, items = 0, np.arange(past.width)
    owned = past.bought.toarray()[person] > 0
    found = kinds(Sight(stand), np.zeros(items.size, dtype=np.int64), items)
    price = np.nan_to_num(Sight(stand).price)
    for item in items:
        line = shelf.line == shelf.line[item]
        dearest = price[line & owned].max() if (line & owned).any() else None
        wanted = (
            "again" if owned[item]
            else "cross_sell" if dearest is None
            else "upsell" if price[item] > dearest
            else "same_line"
        )  # fmt: skip
        assert list(KINDS)[found[item]] == wanted


def test_only_the_population_gets_lists(workshop: Workshop) -> None:
    chosen = recommender("population: {attribute: city, is: 北京}")
    made = recommend(chosen, workshop, NOW, show=1)
    assert 0 < made.people <= 31
    with pytest.raises(BadQuestion, match="no list is made for 'c01'"):
        recommend(chosen, workshop, NOW, customers=["c01"])
    with pytest.raises(NotEnoughData, match="nobody is in the population"):
        recommend(recommender("population: {attribute: city, is: 广州}"), workshop, NOW)


def test_what_is_owned_is_not_recommended_again_where_that_is_the_rule(tmp_path: Path) -> None:
    longer = DEFINITION.replace("days: 3", "days: 12")  # first purchases of a product are rarer
    made = recommend(recommender("eligible: {again: false}", longer), bank(tmp_path), NOW)
    assert made.kinds["again"] == 0
    assert made.violations == 0
    assert made.recommended > 0
