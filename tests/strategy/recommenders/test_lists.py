"""The business's say and diversity: what they do to a list, by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.strategy.recommenders.market import recommender

from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.strategy.recommenders.definition import Recommender, Say
from aimwell.strategy.recommenders.lists import LEFT_OUT, arrange
from aimwell.strategy.recommenders.sayings import pins, said_places
from aimwell.strategy.recommenders.stand import Stand

TODAY = date(2025, 3, 1)


def order(stand: Stand, definition: Recommender, items: list[str]) -> list[str]:
    """The items in the order in which they are shown, given in the order of the model."""
    places = np.array([int(np.flatnonzero(stand.shelf.items == item)[0]) for item in items])
    score = -np.arange(len(items), dtype=np.float64)
    place = arrange(definition, stand.shelf, TODAY, np.zeros(len(items), dtype=np.int64), places, score)
    shown = [int(row) for row in np.argsort(place, kind="stable") if place[row] != LEFT_OUT]
    assert sorted(place[shown].tolist()) == list(range(len(shown)))
    return [items[row] for row in shown]


GIVEN = ["card0", "card1", "card2", "存款0", "存款1"]


def test_without_a_say_the_model_decides(stand: Stand) -> None:
    assert order(stand, recommender(), GIVEN) == GIVEN


def test_a_pinned_item_stands_in_its_place(stand: Stand) -> None:
    said = recommender("say: [{action: pin, items: [存款1], place: 2, why: campaign of March}]")
    assert order(stand, said, GIVEN) == ["card0", "存款1", "card1", "card2", "存款0"]


def test_two_pins_for_one_place_stand_one_behind_the_other(stand: Stand) -> None:
    said = recommender("say: [{action: pin, items: [存款1], why: first}, {action: pin, items: [card2], why: second}]")
    assert order(stand, said, GIVEN) == ["存款1", "card2", "card0", "card1", "存款0"]


def test_what_is_buried_comes_last_and_what_is_never_shown_not_at_all(stand: Stand) -> None:
    said = recommender(
        "say: [{action: bury, items: [card0], why: margin}, {action: never, line: 存款, why: regulator}]"
    )
    assert order(stand, said, GIVEN) == ["card1", "card2", "card0"]


def test_a_full_line_lets_others_pass(stand: Stand) -> None:
    mixed = recommender("diversity: {most_of_a_line: 1}")
    assert order(stand, mixed, GIVEN) == ["card0", "存款0", "card1", "card2", "存款1"]


def test_a_say_holds_from_its_first_day_to_its_last(stand: Stand) -> None:
    say = Say(action="never", items=["card0"], since=date(2025, 3, 1), until=date(2025, 3, 2), why="two days")
    assert [say.holds(date(2025, 3, day)) for day in (1, 2, 3)] == [True, True, False]
    assert not say.holds(date(2025, 2, 28))
    over = recommender("say: [{action: pin, items: [card0], until: 2025-02-01, why: over}]")
    assert pins(over, stand.shelf, TODAY) == {}


def test_items_are_known_by_name_too_and_similar_ones_are_offered(stand: Stand) -> None:
    places = said_places(Say(action="bury", items=["card稳健 no 1"], why="by name"), stand.shelf)
    assert stand.shelf.items[places].tolist() == ["card1"]
    with pytest.raises(BadQuestion, match="no item 'crad1'"):
        said_places(Say(action="bury", items=["crad1"], why="misspelt"), stand.shelf)
    with pytest.raises(BadQuestion, match="no line 'cards'.*card"):
        said_places(Say(action="bury", line="cards", why="misspelt"), stand.shelf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("say: [{action: pin, items: [a]}]", "why"),
        ("say: [{action: pin, line: a, why: because}]", "not a whole line"),
        ("say: [{action: bury, why: because}]", "which items, or which line"),
        ("say: [{action: bury, items: [a], since: 2025-02-02, until: 2025-02-01, why: because}]", "until lies before"),
        ("list_size: 100", "candidates.most is smaller"),
        ("line: product", "coarser"),
        ("expert_by: [city, city]", "twice"),
        ("levle: brand", "did you mean 'level'"),
    ],
)
def test_mistakes_of_a_definition_are_told_with_their_line(text: str, message: str) -> None:
    with pytest.raises(BadDefinition, match=message):
        recommender(text, base="candidates: {most: 50}\n")
