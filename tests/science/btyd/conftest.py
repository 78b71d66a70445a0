"""Customers to learn from: the published CDNOW sample, and simulated ones whose parameters are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

Columns = tuple[np.ndarray, ...]
Live = Callable[..., Columns]


@pytest.fixture(scope="session")
def cdnow_file() -> Callable[[str], Path]:
    """Files of the `lifetimes` package, a development dependency."""
    found = find_spec("lifetimes")
    assert found is not None, "the dev extra brings `lifetimes`, whose files hold CDNOW"
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "datasets"
    return lambda name: folder / name


@pytest.fixture(scope="session")
def cdnow(cdnow_file: Callable[[str], Path]) -> Columns:
    """Frequency, recency and age in weeks of the 2,357 customers of the papers; the file rounds days to .01 weeks."""
    rows = np.genfromtxt(cdnow_file("cdnow_customers_summary.csv"), delimiter=",", skip_header=1)
    return rows[:, 1], np.round(rows[:, 2] * 7) / 7, np.round(rows[:, 3] * 7) / 7


@pytest.fixture(scope="session")
def cdnow_values(cdnow_file: Callable[[str], Path]) -> Columns:
    """Repeat purchases up to September 1997 and their mean value, of the 946 customers who made any."""
    days: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in cdnow_file("CDNOW_sample.txt").read_text().splitlines():
        _, customer, day, _, value = line.split()
        if day <= "19970930":
            days[customer][day] += float(value)
    repeats = [[spent[day] for day in sorted(spent)][1:] for spent in days.values()]
    kept = [values for values in repeats if values]
    return np.array([len(values) for values in kept], dtype=float), np.array([np.mean(values) for values in kept])


@pytest.fixture(scope="session")
def live() -> Live:
    """Simulates customers who behave exactly as the models say."""
    return _live


def _live(
    people: int, parameters: tuple[float, float, float, float], weeks: float, seed: int, *, early: bool = False
) -> Columns:
    """Frequency, recency, age, and purchases of the following `weeks`, [n] each.

    parameters: r, alpha, a, b.   early: whether customers may leave right after their first purchase (MBG/NBD).
    """
    r, alpha, a, b = parameters
    generator = np.random.default_rng(seed)
    rate, leaving = generator.gamma(r, 1 / alpha, people), generator.beta(a, b, people)
    age = generator.uniform(0.5, 1.0, people) * weeks
    frequency, recency, later, now = (np.zeros(people) for _ in range(4))
    alive = generator.random(people) > leaving if early else np.ones(people, dtype=bool)
    while alive.any():
        now = now + generator.exponential(1 / np.maximum(rate, 1e-12))
        known, future = alive & (now < age), alive & (now >= age) & (now < age + weeks)
        frequency, later = frequency + known, later + future
        recency = np.where(known, now, recency)
        alive = (known | future) & (generator.random(people) > leaving)
    return frequency, recency, age, later
