"""Who gets offers, group by group; and attributes that are never learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.uplift.dispersion import dispersion, forbidden_among, refuse_forbidden


def test_a_group_that_is_clearly_served_less_is_marked() -> None:
    groups = ["town"] * 200 + ["village"] * 200
    depth = [0.1] * 100 + [0.0] * 100 + [0.1] * 40 + [0.0] * 160
    found = dispersion(groups, depth, np.ones(400))
    town, village = found.rows
    assert (town.group, town.share.value, town.ratio, town.marked) == ("town", 0.5, 1.0, False)
    assert (village.share.value, village.ratio, village.marked) == (0.2, 0.4, True)
    assert village.depth == pytest.approx(0.02)
    assert "'village'" in found.warnings[0].en


def test_what_chance_explains_is_not_marked_and_small_groups_never_are() -> None:
    even = dispersion(["a"] * 100 + ["b"] * 100, [1.0] * 50 + [0.0] * 50 + [1.0] * 44 + [0.0] * 56, np.zeros(200))
    assert even.warnings == ()
    small = dispersion(["a"] * 100 + ["b"] * 10, [1.0] * 100 + [0.0] * 10, np.zeros(110))
    assert small.rows[1].small
    assert small.warnings == ()


def test_unknown_groups_are_a_group_and_a_policy_of_nothing_is_even() -> None:
    found = dispersion(np.array(["a", None, "", "a"], dtype=object), [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 3.0, 1.0])
    assert {row.group: (row.people, row.effect) for row in found.rows} == {"a": (2, 1.0), "unknown": (2, 2.0)}
    assert all(row.ratio == 1.0 for row in found.rows)


def test_forbidden_attributes_are_found_by_pattern_and_refused_by_name() -> None:
    assert forbidden_among(["age", "Gender", "birth_sex", "terrace", "race", "middlesex_branch"]) == (
        "Gender",
        "birth_sex",
        "race",
    )
    with pytest.raises(BadQuestion, match="gender.*dispersion report"):
        refuse_forbidden(["age", "gender"])
    refuse_forbidden(["age"])
