"""Slices of an evaluation: which there are, and which hold too few customers to say anything."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.strategy.recommenders.judging import FEWEST, Trial, Way
from aimwell.strategy.recommenders.traits import SLICES


def trial(customers: list[str]) -> Trial:
    """Two pairs for each list, the first is bought and ranked first; only `all` and `repeat` hold any."""
    lists = len(customers)
    row = np.repeat(np.arange(lists), 2)
    bought = np.tile([True, False], lists)
    some, none = np.ones(lists), np.zeros(lists)
    return Trial(
        row=row,
        item=np.tile([0, 1], lists),
        bought=bought,
        inside={name: np.full(2 * lists, name in {"all", "repeat"}) for name in SLICES},
        customer=np.array(customers),
        wanted={name: some if name in {"all", "repeat"} else none for name in SLICES},
        choices={name: 2 * some if name in {"all", "repeat"} else none for name in SLICES},
        ways=[Way("model", Text("模型", "model"), bought.astype(np.float64))],
        k=1,
    )


def test_a_slice_needs_enough_customers_and_not_only_enough_lists() -> None:
    many = [f"c{number}" for number in range(FEWEST)]
    assert [each.name for each in trial(many).slices()] == ["all", "repeat"]
    assert trial(["c1"] * 20).slices() == ()
    assert trial(many[:-1] * 5).slices() == ()


def test_a_model_that_ranks_what_is_bought_first_is_right_in_every_mark() -> None:
    found = trial([f"c{number}" for number in range(FEWEST)]).slices()[0]
    marks = found.way("model").figures
    assert {name: round(mark.value, 6) for name, mark in marks.items()} == dict.fromkeys(marks, 1.0)
