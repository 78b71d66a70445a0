"""The map: principal components with fixed signs, never more points than a page can show, never an id."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.insight.clusterings.picture import MOST, draw_picture


def test_the_first_axis_is_the_one_along_which_customers_differ_most() -> None:
    generator = np.random.default_rng(1)
    points = generator.normal(size=(300, 3)) * [1.0, 5.0, 0.1]
    picture = draw_picture(points, ("basket", "visits", "evening"), np.zeros(300, dtype=np.int64), ("g1",))
    assert picture.axes[0].features[0][0] == "visits"
    assert picture.axes[0].features[0][1] == pytest.approx(1, abs=0.01)
    assert picture.axes[0].share == pytest.approx(25 / 26, abs=0.02)
    assert picture.axes[1].features[0][0] == "basket"
    assert np.corrcoef(picture.x, points[:, 1])[0, 1] > 0.999


def test_at_most_five_thousand_points_are_drawn_and_all_are_counted() -> None:
    points = np.random.default_rng(1).normal(size=(MOST + 10, 2))
    labels = np.arange(MOST + 10) % 3 - 1
    picture = draw_picture(points, ("a", "b"), labels, ("g1", "g9"))
    assert len(picture.x) == len(picture.y) == len(picture.group) == MOST
    assert picture.people == MOST + 10
    assert set(picture.group) == {"", "g1", "g9"}


def test_one_feature_has_an_axis_of_its_own_and_an_empty_one() -> None:
    picture = draw_picture(np.array([[1.0], [2.0], [3.0]]), ("a",), np.zeros(3, dtype=np.int64), ("g1",))
    assert picture.x == (-1.0, 0.0, 1.0)
    assert picture.y == (0.0, 0.0, 0.0)
    assert picture.axes[1].features == ()
